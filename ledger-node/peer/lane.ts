/**
 * One lane to one peer: requests wait for a free place and travel together. Requests that are ready in the same turn of the
 * event loop, or that wait, share an envelope. After a failure the lane rests: for that time every request fails at once, then
 * one envelope tries the way for the others.
 *
 * A peer has two lanes. The handlers of `leaf` requests never ask back, so that lane always moves; those of `asking` requests
 * may ask leaf requests of anybody while their sender waits. So no circle of nodes that wait for each other can close.
 */
import { ENVELOPE_MESSAGES_MAX, PEER_MESSAGE_BYTES_MAX, type PeerReply, type PeerRequest } from "#contracts";
import type { PeerTimers } from "./peer-timers.ts";

export type LaneName = "leaf" | "asking";

export const LANE_OF: { readonly [T in PeerRequest["tag"]]: LaneName } = {
  sign: "asking",
  final: "asking",
  resolve: "leaf",
  notarise: "leaf",
  notice: "leaf",
  introduce: "leaf",
  position: "leaf",
  "bid-of": "leaf",
  auctioned: "leaf",
  "certificates-of": "leaf",
  fund: "leaf",
  sequence: "leaf",
  heads: "leaf",
};

/** Answers of one envelope come back together: the fastest waits for the slowest, which matters where handlers ask back. */
const MESSAGES_MAX: Readonly<Record<LaneName, number>> = { leaf: ENVELOPE_MESSAGES_MAX, asking: 16 };
const IN_FLIGHT_MAX = 4;
/** More than that is no traffic but a fault. */
const WAITING_MAX = 20_000;

/** Sends messages in one envelope; a null reply had no room, undefined is a failure of all. Never throws and never hangs. */
export type Exchange = (messages: readonly Uint8Array[]) => Promise<readonly (PeerReply | null)[] | undefined>;

export type LaneTiming = {
  /** How long a request may wait for a place in an envelope. */
  readonly waitMsMax: number;
  /** How long the lane rests after its first failure; twice as long after each further one. */
  readonly restMsMin: number;
  readonly restMsMax: number;
};

export const UNREACHABLE: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };

type Waiting = {
  readonly message: Uint8Array;
  readonly sinceMs: number;
  readonly isAlone: boolean;
  readonly settle: (reply: PeerReply) => void;
};

export class Lane {
  readonly #messagesMax: number;
  readonly #exchange: Exchange;
  readonly #timing: LaneTiming;
  readonly #timers: PeerTimers;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #failures = 0;
  #isResting = false;
  #isScheduled = false;

  constructor(name: LaneName, exchange: Exchange, timing: LaneTiming, timers: PeerTimers) {
    this.#messagesMax = MESSAGES_MAX[name];
    this.#exchange = exchange;
    this.#timing = timing;
    this.#timers = timers;
  }

  /** Whether the last envelope came back unanswered. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }

  ask(message: Uint8Array): Promise<PeerReply> {
    if (this.#isResting || this.#waiting.length >= WAITING_MAX) return Promise.resolve(UNREACHABLE);
    return new Promise((settle) => {
      this.#waiting.push({ message, sinceMs: this.#timers.elapsedMs(), isAlone: false, settle });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#timers.defer(() => {
      this.#isScheduled = false;
      this.#fill();
    });
  }

  #fill(): void {
    this.#dropOverdue();
    const places = this.#failures > 0 ? 1 : IN_FLIGHT_MAX;
    while (this.#inFlight < places && this.#waiting.length > 0 && !this.#isResting) {
      const batch = this.#take();
      this.#inFlight += 1;
      void this.#carry(batch);
    }
  }

  /** Requests come in order, so the overdue stand first; those that go again alone have waited longest. */
  #dropOverdue(): void {
    const limitMs = this.#timers.elapsedMs() - this.#timing.waitMsMax;
    const firstInTime = this.#waiting.findIndex(({ sinceMs }) => sinceMs >= limitMs);
    const overdue = this.#waiting.splice(0, firstInTime === -1 ? this.#waiting.length : firstInTime);
    for (const { settle } of overdue) settle(UNREACHABLE);
  }

  /** The next that fit into an envelope, one at least. */
  #take(): readonly Waiting[] {
    let count = 0;
    let room = PEER_MESSAGE_BYTES_MAX;
    for (const { message, isAlone } of this.#waiting) {
      room -= message.length;
      if (count > 0 && (count === this.#messagesMax || room < 0 || isAlone)) break;
      count += 1;
      if (isAlone) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #carry(batch: readonly Waiting[]): Promise<void> {
    const replies = await this.#exchange(batch.map(({ message }) => message));
    this.#inFlight -= 1;
    if (replies === undefined) this.#fail(batch);
    else {
      this.#failures = 0;
      for (const [index, waiting] of batch.entries()) this.#settle(waiting, replies[index] ?? null);
    }
    this.#fill();
  }

  #settle(waiting: Waiting, reply: PeerReply | null): void {
    if (reply !== null) waiting.settle(reply);
    // A reply alone always has room: a peer that says otherwise does not answer.
    else if (waiting.isAlone) waiting.settle(UNREACHABLE);
    else this.#waiting.unshift({ ...waiting, isAlone: true });
  }

  #fail(batch: readonly Waiting[]): void {
    const failed = [...batch, ...this.#waiting];
    this.#waiting = [];
    if (!this.#isResting) this.#rest();
    for (const { settle } of failed) settle(UNREACHABLE);
  }

  #rest(): void {
    const { restMsMin, restMsMax } = this.#timing;
    const restMs = Math.min(restMsMax, restMsMin * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#isResting = true;
    void this.#timers.pause(restMs).then(() => {
      this.#isResting = false;
      // An answer that had no room may have come while the lane rested: its request goes again now.
      this.#fill();
    });
  }
}
