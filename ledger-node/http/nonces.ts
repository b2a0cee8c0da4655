/**
 * Which signed requests were seen, so that none counts twice. Those that change something are remembered in the node's store,
 * also across restarts. Those that only read are remembered in memory; the node refuses them when they were issued before it
 * started, because it can't know whether it had seen them.
 */
import type { Clock, PublicKey } from "#core";
import { REQUEST_AGE_MS_MAX, type RequestStamp } from "#ledger-api";

export interface NonceStore {
  /** Remembers a nonce until it expires; false when it was there already. Resolves when it is durable. */
  claimNonce(key: PublicKey, nonce: string, expiresMs: number): Promise<boolean>;
  /** Forgets those that have expired. */
  dropNonces(expiredMs: number): Promise<void>;
}

/** As many as fit between 5 and 10 MB. */
const READS_MAX = 50_000;
/** Kept as long again as they count, for a clock that is set back. */
const KEPT_MS = 2 * REQUEST_AGE_MS_MAX;
const CLEANING_MS = 60_000;

export class Nonces {
  readonly #clock: Clock;
  readonly #store: NonceStore;
  readonly #startedMs: number;
  /** When each is forgotten, oldest first. */
  readonly #reads = new Map<string, number>();
  readonly #readsMax: number;
  #cleanedMs: number;

  constructor(clock: Clock, store: NonceStore, readsMax: number = READS_MAX) {
    this.#readsMax = readsMax;
    this.#clock = clock;
    this.#store = store;
    this.#startedMs = clock.nowMs();
    this.#cleanedMs = this.#startedMs;
  }

  /** Whether a request is of now, and none that could have been seen before this process started. */
  isTimely({ issuedMs }: RequestStamp, isChange: boolean): boolean {
    const ageMs = this.#clock.nowMs() - issuedMs;
    return Math.abs(ageMs) < REQUEST_AGE_MS_MAX && (isChange || issuedMs >= this.#startedMs);
  }

  /** @throws StoreFull when the store can't remember it. */
  async claim(stamp: RequestStamp, isChange: boolean): Promise<"new" | "seen" | "full"> {
    const nowMs = this.#clock.nowMs();
    await this.#clean(nowMs);
    const id = `${stamp.key}/${stamp.nonce}`;
    if (this.#reads.has(id)) return "seen";
    // A read of the future would be of the present again after a restart, so it is remembered like a change.
    if (isChange || stamp.issuedMs >= nowMs) {
      const isNew = await this.#store.claimNonce(stamp.key, stamp.nonce, stamp.issuedMs + KEPT_MS);
      return isNew ? "new" : "seen";
    }
    if (this.#reads.size >= this.#readsMax) return "full";
    this.#reads.set(id, nowMs + KEPT_MS);
    return "new";
  }

  async #clean(nowMs: number): Promise<void> {
    if (nowMs - this.#cleanedMs < CLEANING_MS && this.#reads.size < this.#readsMax) return;
    for (const [id, untilMs] of this.#reads) {
      if (untilMs > nowMs) break;
      this.#reads.delete(id);
    }
    if (nowMs - this.#cleanedMs < CLEANING_MS) return;
    this.#cleanedMs = nowMs;
    await this.#store.dropNonces(nowMs);
  }
}
