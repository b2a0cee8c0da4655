/**
 * Stands before a node's address, which its peers and clients use, and treats messages badly: loses them or their answers,
 * with and without a broken connection, sends them twice, sends them again later, and delays them so that they overtake each
 * other. Which, is drawn from the seed.
 */
import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "./dice.ts";

export const WIRE_FAULTS = [
  "lost",
  "silent",
  "answer lost",
  "answer silent",
  "delayed",
  "doubled",
  "replayed",
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];
/** Probability of each fault per message. */
export type WireWeather = Readonly<Record<WireFault, number>>;

export const CALM: WireWeather = {
  lost: 0,
  silent: 0,
  "answer lost": 0,
  "answer silent": 0,
  delayed: 0,
  doubled: 0,
  replayed: 0,
};
export const STORMY: WireWeather = {
  lost: 0.008,
  silent: 0.004,
  "answer lost": 0.012,
  "answer silent": 0.006,
  delayed: 0.08,
  doubled: 0.03,
  replayed: 0.01,
};

type Answer = { readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: Buffer };
type Message = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
};

/** Longer than any sender waits. */
const SILENCE_MS = 12_000;
const DELAY_MS_MAX = 700;
const REPLAY_MS_MAX = 5_000;
const UPSTREAM_TIMEOUT_MS = 30_000;

export type WireProxyOptions = {
  /** Where the others look for the node, and where it is. */
  readonly port: number;
  readonly targetPort: number;
  readonly dice: Dice;
  readonly weather: () => WireWeather;
  readonly onFault: (fault: WireFault) => void;
};

export class WireProxy {
  readonly #options: WireProxyOptions;
  readonly #agent = new Agent({ keepAlive: true, scheduling: "lifo" });
  readonly #server: Server;
  #isClosed = false;

  constructor(options: WireProxyOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => request.socket.destroy());
    });
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, "127.0.0.1", () => resolve());
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = await messageOf(request);
    const faults = this.#draw();
    if (faults.has("delayed")) await sleep(this.#options.dice.between(5, DELAY_MS_MAX));
    if (faults.has("lost")) return void request.socket.destroy();
    if (faults.has("silent")) return hangUpLater(request);
    if (faults.has("replayed")) void this.#again(message, this.#options.dice.between(100, REPLAY_MS_MAX));
    if (faults.has("doubled")) void this.#again(message, 0);
    const answer = await this.#forward(message);
    if (answer === undefined || faults.has("answer lost")) return void request.socket.destroy();
    if (faults.has("answer silent")) return hangUpLater(request);
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  #draw(): ReadonlySet<WireFault> {
    const { dice, weather, onFault } = this.#options;
    const now = weather();
    const drawn = WIRE_FAULTS.filter((fault) => dice.chance(now[fault]));
    for (const fault of drawn) onFault(fault);
    return new Set(drawn);
  }

  async #again(message: Message, afterMs: number): Promise<void> {
    if (afterMs > 0) await sleep(afterMs, undefined, { ref: false });
    if (!this.#isClosed) await this.#forward(message);
  }

  /** Undefined when the node can't be reached or breaks off. */
  #forward({ method, url, headers, body }: Message): Promise<Answer | undefined> {
    const { targetPort } = this.#options;
    return new Promise((resolve) => {
      const { connection: _, "transfer-encoding": __, ...kept } = headers;
      const outgoing = sendRequest(
        {
          agent: this.#agent,
          host: "127.0.0.1",
          port: targetPort,
          method,
          path: url,
          headers: { ...kept, "content-length": body.length },
          timeout: UPSTREAM_TIMEOUT_MS,
        },
        (incoming) => {
          bodyOf(incoming).then(
            (answered) => {
              const { connection: ___, "transfer-encoding": ____, ...answerHeaders } = incoming.headers;
              resolve({
                status: incoming.statusCode ?? 502,
                headers: { ...answerHeaders, "content-length": String(answered.length) },
                body: answered,
              });
            },
            () => resolve(undefined),
          );
        },
      );
      outgoing.once("timeout", () => outgoing.destroy());
      outgoing.once("error", () => resolve(undefined));
      outgoing.end(body);
    });
  }
}

function hangUpLater(request: IncomingMessage): void {
  setTimeout(() => request.socket.destroy(), SILENCE_MS).unref();
}

async function messageOf(request: IncomingMessage): Promise<Message> {
  const body = await bodyOf(request);
  return { method: request.method ?? "GET", url: request.url ?? "/", headers: request.headers, body };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
