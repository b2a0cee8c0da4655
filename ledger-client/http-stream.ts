/** A stream of events that comes back by itself, where it was, when the connection or the node is gone for a while. */
import type { Readable } from "node:stream";
import { type After, READY_EVENT, SSE_HEARTBEAT_MS, type SseMessage, SseReader } from "#ledger-api";
import type { HttpProblem, HttpRequests } from "./http-requests.ts";

export type FollowOptions = {
  readonly requests: HttpRequests;
  readonly path: string;
  /** Told of each message once, in order. */
  readonly onMessage: (message: SseMessage) => void;
  /** Told whenever a connection is made, from which on nothing is missed. */
  readonly onReady: () => void;
  readonly onProblem: (problem: HttpProblem) => void;
};

const SILENCE_MS_MAX = 3 * SSE_HEARTBEAT_MS;
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;

/** Follows a stream until the function returned is called. */
export function followStream(options: FollowOptions): () => void {
  const follower = new Follower(options);
  void follower.run();
  return () => follower.stop();
}

class Follower {
  readonly #options: FollowOptions;
  readonly #ending = new AbortController();
  #last: string | undefined;
  #pauseMs = PAUSE_MS_MIN;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#ending.abort();
  }

  async run(): Promise<void> {
    const { requests } = this.#options;
    while (!this.#isOver) {
      await this.#connect();
      if (!this.#isOver) await requests.pause(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
    }
  }

  /** Connects once, and reads as long as the connection lasts. */
  async #connect(): Promise<void> {
    const { requests, path, onProblem } = this.#options;
    const from = this.#last === undefined ? path : `${path}?after=${encodeURIComponent(this.#last)}`;
    const opened = await requests.open(from, this.#ending.signal);
    if (opened.tag === "stream" && this.#isOver) opened.stream.destroy();
    else if (opened.tag === "stream") await this.#read(opened.stream);
    else if (!this.#isOver) {
      onProblem(opened);
      // The node's store is another one, or was set back: there is nothing to go on from.
      if (opened.tag === "refused" && opened.refusal.code === "events_unknown") this.#last = undefined;
    }
  }

  get #isOver(): boolean {
    return this.#ending.signal.aborted || this.#options.requests.isClosed;
  }

  /** Reads until the stream ends, breaks, falls silent, or says what it may not. */
  async #read(stream: Readable): Promise<void> {
    const reader = new SseReader();
    const silence = watchSilence(this.#options.requests.after, () => stream.destroy());
    stream.setEncoding("utf8");
    try {
      for await (const chunk of stream) {
        silence.heard();
        const messages = reader.push(String(chunk));
        if (messages === undefined) return;
        for (const message of messages) {
          if (this.#ending.signal.aborted) return;
          this.#take(message);
        }
      }
    } catch {
      // The connection is gone: it is made anew.
    } finally {
      silence.stop();
      stream.destroy();
    }
  }

  #take(message: SseMessage): void {
    this.#pauseMs = PAUSE_MS_MIN;
    this.#last = message.id;
    if (message.event === READY_EVENT) this.#options.onReady();
    else this.#options.onMessage(message);
  }
}

function watchSilence(after: After, onSilence: () => void): { readonly heard: () => void; readonly stop: () => void } {
  let stop = after(SILENCE_MS_MAX, onSilence);
  return {
    heard() {
      stop();
      stop = after(SILENCE_MS_MAX, onSilence);
    },
    stop: () => stop(),
  };
}
