/**
 * Server-sent events to listeners. Nothing is queued for a listener beyond what its connection takes: the next messages are
 * fetched when the last have left. A listener that takes nothing for too long is cut off, and resumes where it was.
 */
import type { ServerResponse } from "node:http";
import { type After, formatSse, READY_EVENT, SSE_CONTENT_TYPE, SSE_HEARTBEAT, SSE_HEARTBEAT_MS } from "#ledger-api";
import type { LiveSource } from "./live-source.ts";

export type EventStreamsOptions = {
  readonly after: After;
  readonly onFault: (error: unknown) => void;
  readonly listenersMax?: number;
  readonly heartbeatMs?: number;
  /** How long a listener may take nothing. */
  readonly stallMs?: number;
};

const LISTENERS_MAX = 100;
const STALL_MS = 30_000;

export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<EventStream>();

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#open.size >= (this.#options.listenersMax ?? LISTENERS_MAX);
  }

  /**
   * Tells a listener what comes after `from`.
   * @param isAllowed - Asked again and again: a mandate may end while its holder listens.
   */
  start(response: ServerResponse, source: LiveSource, from: string, isAllowed: () => Promise<boolean>): void {
    const stream = new EventStream(response, source, isAllowed, this.#options);
    this.#open.add(stream);
    stream
      .run(from)
      .catch(this.#options.onFault)
      .finally(() => {
        this.#open.delete(stream);
        stream.close();
      });
  }

  /** Ends all streams: listeners resume when the node is back. */
  close(): void {
    for (const stream of this.#open) stream.close();
  }
}

class EventStream {
  readonly #response: ServerResponse;
  readonly #source: LiveSource;
  readonly #isAllowed: () => Promise<boolean>;
  readonly #options: EventStreamsOptions;
  #isClosed = false;
  #hasNews = false;
  #wake: () => void = () => undefined;

  constructor(
    response: ServerResponse,
    source: LiveSource,
    isAllowed: () => Promise<boolean>,
    options: EventStreamsOptions,
  ) {
    this.#response = response;
    this.#source = source;
    this.#isAllowed = isAllowed;
    this.#options = options;
    response.on("close", () => this.#closed());
    response.on("error", () => this.#closed());
    response.on("drain", () => this.#wake());
  }

  async run(from: string): Promise<void> {
    const stopNews = this.#source.onNews(() => {
      this.#hasNews = true;
      this.#wake();
    });
    try {
      this.#response.writeHead(200, {
        "content-type": SSE_CONTENT_TYPE,
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      let last = from;
      let isGoingOn = await this.#write(formatSse({ id: from, event: READY_EVENT, data: "{}" }));
      while (isGoingOn) {
        this.#hasNews = false;
        for await (const page of this.#source.since(last)) {
          if (!(await this.#isAllowed())) return;
          for (const message of page) {
            if (!(await this.#write(formatSse(message)))) return;
            last = message.id;
          }
        }
        isGoingOn = await this.#untilNews();
      }
    } finally {
      stopNews();
    }
  }

  close(): void {
    this.#closed();
    this.#response.end();
  }

  #closed(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Whether there is anybody left to tell. */
  async #untilNews(): Promise<boolean> {
    while (!this.#hasNews && !this.#isClosed) {
      await this.#woken(this.#options.heartbeatMs ?? SSE_HEARTBEAT_MS);
      if (this.#hasNews || this.#isClosed) break;
      if (!((await this.#isAllowed()) && (await this.#write(SSE_HEARTBEAT)))) return false;
    }
    return !this.#isClosed;
  }

  /** False when the listener is gone or takes nothing. */
  async #write(text: string): Promise<boolean> {
    if (this.#isClosed) return false;
    if (this.#response.write(text)) return true;
    let isStalled = false;
    const cancel = this.#options.after(this.#options.stallMs ?? STALL_MS, () => {
      isStalled = true;
      this.#wake();
    });
    while (this.#response.writableNeedDrain && !isStalled && !this.#isClosed) await this.#woken(undefined);
    cancel();
    if (isStalled) this.#response.destroy();
    return !isStalled && !this.#isClosed;
  }

  async #woken(delayMs: number | undefined): Promise<void> {
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (delayMs !== undefined) cancel = this.#options.after(delayMs, resolve);
    });
    cancel();
    this.#wake = () => undefined;
  }
}
