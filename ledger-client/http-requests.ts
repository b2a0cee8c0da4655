/** Signed requests to one node: each try is signed anew, and what is ambiguous is tried again for a bounded time. */
import { setMaxListeners } from "node:events";
import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import type { AxiosInstance, AxiosRequestConfig, AxiosResponse, ResponseType } from "axios";
import type { Clock, Entropy, PublicKey, Signer } from "#core";
import { type After, type ApiRefusal, apiRefusalSchema, decodeJson, NONCE_BYTES, signRequest } from "#ledger-api";
import { type Ports, systemPorts } from "./system-ports.ts";

export type HttpClientOptions = {
  /** Of the node, such as `http://127.0.0.1:7400`. */
  readonly url: string;
  /** The party that the node acts for. */
  readonly party: PublicKey;
  /** Of the owner, a delegate or an auditor. */
  readonly signer: Signer;
  readonly networkId: string;
  /** The machine's own by default, as are entropy and timers. */
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly after?: After;
  /** Certificates in PEM. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  /** For one try; 20 seconds by default. */
  readonly timeoutMs?: number;
  /** For all tries of a request together; 30 seconds by default. */
  readonly retryMs?: number;
  /** Told of what can't be said by the answers' own types, such as a key that the node does not know. */
  readonly onProblem?: (problem: HttpProblem) => void;
};

/** What the node refused, or why nothing was heard of it. Never holds keys, signatures or what was sent. */
export type HttpProblem =
  | { readonly tag: "refused"; readonly path: string; readonly refusal: ApiRefusal }
  | { readonly tag: "unreachable"; readonly path: string; readonly cause: string };

/** An answer of the node: `text` is untrusted. */
export type HttpAnswer = { readonly tag: "answered"; readonly status: 200 | 422; readonly text: string } | HttpProblem;

export type HttpStream = { readonly tag: "stream"; readonly stream: Readable } | HttpProblem;

type Method = "GET" | "POST" | "DELETE";

const TIMEOUT_MS = 20_000;
const RETRY_MS = 30_000;
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 2_000;
const SOCKETS_MAX = 64;
/** A marketplace's orders; a page of transactions is much less. */
const ANSWER_BYTES_MAX = 128 * 1_048_576;
const REFUSAL_BYTES_MAX = 65_536;
/** Refused for when they came, not for what they ask: a fresh signature may mend it. */
const MENDED_BY_SIGNING: readonly string[] = ["request_expired", "request_replayed", "requests_exhausted"];

export class HttpRequests {
  readonly #options: HttpClientOptions & Ports;
  readonly #base: string;
  readonly #abort = new AbortController();
  #axios: Promise<AxiosInstance> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = { ...systemPorts, ...options };
    // Every request under way listens to it.
    setMaxListeners(0, this.#abort.signal);
    this.#base = options.url.replace(/\/+$/, "");
  }

  /** Ends what is under way, and answers `unreachable` from now on. */
  close(): void {
    this.#abort.abort();
  }

  get after(): After {
    return this.#options.after;
  }

  get isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Asks until there is an answer that is not ambiguous, or the time is over. */
  async ask(method: Method, path: string, body = ""): Promise<HttpAnswer> {
    const { after, retryMs = RETRY_MS, onProblem } = this.#options;
    let isLate = false;
    const cancel = after(retryMs, () => {
      isLate = true;
    });
    let answer = await this.#tryOnce(method, path, body);
    for (let pauseMs = PAUSE_MS_MIN; isAmbiguous(answer); pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
      await this.pause(pauseMs);
      if (isLate || this.isClosed) break;
      answer = await this.#tryOnce(method, path, body);
    }
    cancel();
    if (answer.tag !== "answered") onProblem?.(answer);
    return answer;
  }

  /** Opens a stream of events; `signal` ends it. */
  async open(path: string, signal: AbortSignal): Promise<HttpStream> {
    const response = await this.#send("GET", path, "", "stream", signal);
    if ("tag" in response) return response;
    const stream = response.data as Readable;
    if (response.status === 200) return { tag: "stream", stream };
    const problem = refusalOf(path, await textOf(stream));
    stream.destroy();
    return problem;
  }

  /** Ends early when the client is closed. */
  async pause(delayMs: number): Promise<void> {
    const { signal } = this.#abort;
    let end = (): void => undefined;
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      end = resolve;
      cancel = this.#options.after(delayMs, resolve);
      signal.addEventListener("abort", end);
    });
    cancel();
    signal.removeEventListener("abort", end);
  }

  async #tryOnce(method: Method, path: string, body: string): Promise<HttpAnswer> {
    const response = await this.#send(method, path, body, "text", undefined);
    if ("tag" in response) return response;
    const { status } = response;
    const text = String(response.data);
    if (status === 200 || status === 422) return { tag: "answered", status, text };
    return refusalOf(path, text);
  }

  async #send(
    method: Method,
    path: string,
    body: string,
    responseType: ResponseType,
    ending: AbortSignal | undefined,
  ): Promise<AxiosResponse<unknown> | HttpProblem> {
    const { signer, networkId, party, clock, entropy, after, timeoutMs = TIMEOUT_MS } = this.#options;
    const late = new AbortController();
    const cancel = after(timeoutMs, () => late.abort());
    const authorization = signRequest(
      signer,
      { networkId, node: party },
      { method, path, body },
      { issuedMs: clock.nowMs(), nonce: entropy.bytes(NONCE_BYTES) },
    );
    const config: AxiosRequestConfig = {
      method,
      url: `${this.#base}${path}`,
      headers: { authorization, ...(body === "" ? {} : { "content-type": "application/json" }) },
      responseType,
      signal: AbortSignal.any([late.signal, this.#abort.signal, ...(ending === undefined ? [] : [ending])]),
      ...(body === "" ? {} : { data: body }),
    };
    try {
      this.#axios ??= this.#connect();
      return await (await this.#axios).request(config);
    } catch (error) {
      return { tag: "unreachable", path, cause: late.signal.aborted ? "timed out" : causeOf(error) };
    } finally {
      cancel();
    }
  }

  /** Loaded when first used: most that import this folder never send anything. */
  async #connect(): Promise<AxiosInstance> {
    const { default: axios } = await import("axios");
    return axios.create({
      ...(await this.#agents()),
      adapter: "http",
      proxy: false,
      maxRedirects: 0,
      maxContentLength: ANSWER_BYTES_MAX,
      maxBodyLength: ANSWER_BYTES_MAX,
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
    });
  }

  async #agents(): Promise<{ readonly httpAgent: HttpAgent } | { readonly httpsAgent: HttpsAgent }> {
    const { tls } = this.#options;
    const settings = { keepAlive: true, maxSockets: SOCKETS_MAX };
    if (!this.#base.startsWith("https:")) {
      const { Agent } = await import("node:http");
      return { httpAgent: new Agent(settings) };
    }
    const { Agent } = await import("node:https");
    return { httpsAgent: new Agent({ ...settings, ...tls }) };
  }
}

/** Whether it is not known what became of the request, or it may be answered when it is signed anew. */
function isAmbiguous(answer: HttpAnswer): boolean {
  if (answer.tag === "unreachable") return true;
  return answer.tag === "refused" && MENDED_BY_SIGNING.includes(answer.refusal.code);
}

/** A refusal of the node's interface; anything else, faults of the node included, says nothing of what became of the request. */
function refusalOf(path: string, text: string): HttpProblem {
  const refusal = decodeJson(apiRefusalSchema, text.slice(0, REFUSAL_BYTES_MAX));
  if (!refusal.ok) return { tag: "unreachable", path, cause: "answered what is not of the interface" };
  if (refusal.value.code === "internal_error") return { tag: "unreachable", path, cause: "internal_error" };
  return { tag: "refused", path, refusal: refusal.value };
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  try {
    for await (const chunk of stream) {
      text += String(chunk);
      if (text.length > REFUSAL_BYTES_MAX) break;
    }
  } catch {
    return "";
  }
  return text;
}

/** The code alone: messages and configurations of errors hold headers. */
function causeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code.slice(0, 60) : "failed";
}
