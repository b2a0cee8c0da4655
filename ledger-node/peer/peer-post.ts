/** One HTTP exchange with a peer: bytes out, bytes back, or why not. Never throws, and never takes longer than it may. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import axios, { type AxiosInstance, isAxiosError } from "axios";
import { ENVELOPE_BYTES_MAX } from "#contracts";
import { PEER_CONTENT_TYPE, PEER_PATH } from "./serve-peers.ts";

/** PEM texts. With a certificate of its own a node can reach peers that ask for one (mutual TLS). */
export type PeerTls = {
  /** Certificate of the network's own authority: no other is trusted. */
  readonly ca: string;
  readonly certificate?: string;
  readonly key?: string;
};

export type PostOutcome =
  | { readonly tag: "answered"; readonly bytes: Uint8Array }
  /** The connection broke, or the peer has too much to do: another try may succeed. */
  | { readonly tag: "interrupted" }
  /** Nobody is there, it took too long, or the envelope was not opened. */
  | { readonly tag: "failed"; readonly reason: string };

/** What a kept connection says when the other side closed it just now. */
const INTERRUPTIONS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
const STATUS_OK = 200;
const STATUS_BUSY = 429;
const IDLE_CONNECTIONS_MAX = 8;

/** What a server of Node's needs to ask its clients for a certificate of the network's authority. */
export function mutualTlsServerOptions(tls: Required<PeerTls>): {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly requestCert: true;
  readonly rejectUnauthorized: true;
} {
  return { ca: tls.ca, cert: tls.certificate, key: tls.key, requestCert: true, rejectUnauthorized: true };
}

/** Connections to one peer. */
export class PeerPost {
  readonly #url: string;
  readonly #axios: AxiosInstance;
  readonly #agent: HttpAgent;

  /** @param address - Base URL of the peer. */
  constructor(address: string, tls: PeerTls | undefined) {
    this.#url = `${address.replace(/\/+$/, "")}${PEER_PATH}`;
    // How many connections there are is bounded by the lanes: an agent that made one lane wait for the other could block both.
    const options = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS_MAX, scheduling: "lifo" } as const;
    this.#agent = address.startsWith("https:")
      ? new HttpsAgent({
          ...options,
          ...(tls === undefined ? {} : { ca: tls.ca }),
          ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
          ...(tls?.key === undefined ? {} : { key: tls.key }),
        })
      : new HttpAgent(options);
    this.#axios = axios.create({
      adapter: "http",
      httpAgent: this.#agent,
      httpsAgent: this.#agent,
      proxy: false,
      maxRedirects: 0,
      decompress: false,
      responseType: "arraybuffer",
      maxContentLength: ENVELOPE_BYTES_MAX,
      maxBodyLength: ENVELOPE_BYTES_MAX,
      transformRequest: [],
      transformResponse: [],
      validateStatus: null,
      headers: { "content-type": PEER_CONTENT_TYPE, accept: PEER_CONTENT_TYPE },
    });
  }

  async post(bytes: Uint8Array, timeoutMs: number): Promise<PostOutcome> {
    const cancel = new AbortController();
    // Of the whole exchange: a limit on silence alone could be kept up by a byte now and then.
    const timeout = setTimeout(() => cancel.abort(), timeoutMs);
    try {
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const { status, data } = await this.#axios.post<Buffer>(this.#url, body, { signal: cancel.signal });
      if (status === STATUS_OK)
        return { tag: "answered", bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
      return status === STATUS_BUSY ? { tag: "interrupted" } : { tag: "failed", reason: `status ${status}` };
    } catch (error) {
      const code = isAxiosError(error) ? (error.code ?? "unknown") : "unknown";
      if (cancel.signal.aborted) return { tag: "failed", reason: "timeout" };
      return INTERRUPTIONS.has(code) ? { tag: "interrupted" } : { tag: "failed", reason: code };
    } finally {
      clearTimeout(timeout);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}
