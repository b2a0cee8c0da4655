/**
 * The notary's memory of what is spent. The decision exists once, here; engines only look up and store.
 * Semantics in the spirit of Corda's uniqueness providers: a retry of a committed transaction succeeds for ever, conflicts
 * come before the time window, references must be unspent, and within a batch earlier requests shadow later ones.
 */

import { refKey, type StateRef, type TimeWindow } from "#contracts";
import { type Hash, hashOf, invariant } from "#core";

export type CommitRequest = {
  readonly txId: Hash;
  readonly inputs: readonly StateRef[];
  readonly references: readonly StateRef[];
  readonly window: TimeWindow;
  /** The signed transaction as received: a contract-verifying notary keeps what it verified. */
  readonly bytes: Uint8Array;
};

export type CommitRefusal =
  | { readonly tag: "state_conflict"; readonly spent: readonly { readonly ref: string; readonly consumedBy: Hash }[] }
  | { readonly tag: "time_window_invalid" };

export type CommitVerdict =
  | { readonly ok: true; readonly sequence: number; readonly isRepeat: boolean }
  | { readonly ok: false; readonly error: CommitRefusal };

/** A transaction as the log keeps it; `sequence` counts from 1 without a gap. */
export type CommittedTransaction = {
  readonly sequence: number;
  readonly txId: Hash;
  readonly atMs: number;
  readonly bytes: Uint8Array;
};

/** An engine in this process answers at once, one behind a connection with a promise. */
type Awaitable<T> = T | Promise<T>;

export interface CommitLog {
  /**
   * Decides and stores a batch as one durable unit, in the order given. Nothing may be signed before it returns.
   * @throws StoreFull when there is no room: nothing was stored, and the batch may be tried again. After any other error it
   *   is not known whether it was.
   */
  commit(atMs: number, batch: readonly CommitRequest[]): Awaitable<readonly CommitVerdict[]>;
  /** What `commit` would decide now, without storing anything. */
  peek(atMs: number, request: CommitRequest): Awaitable<CommitVerdict>;
  /** Committed transactions in order: all, or those after a sequence number. */
  scan(after?: number): IterableIterator<CommittedTransaction>;
  close(): Awaitable<void>;
}

/** What the decision needs to know of the past. */
export interface CommittedView {
  spentBy(ref: StateRef): Hash | undefined;
  sequenceOf(txId: Hash): number | undefined;
}

/** Decides a batch against what is committed, without storing anything. New commits are numbered from `nextSequence`. */
export function decideBatch(
  view: CommittedView,
  atMs: number,
  batch: readonly CommitRequest[],
  nextSequence: number,
): readonly CommitVerdict[] {
  const spent = new Map<string, Hash>();
  const numbered = new Map<Hash, number>();
  let sequence = nextSequence;
  return batch.map((request): CommitVerdict => {
    const known = view.sequenceOf(request.txId) ?? numbered.get(request.txId);
    if (known !== undefined) return { ok: true, sequence: known, isRepeat: true };
    const conflicts = [...request.inputs, ...request.references].flatMap((ref) => {
      const consumedBy = view.spentBy(ref) ?? spent.get(refKey(ref));
      return consumedBy === undefined ? [] : [{ ref: refKey(ref), consumedBy: hashOf(consumedBy) }];
    });
    if (conflicts.length > 0) return { ok: false, error: { tag: "state_conflict", spent: conflicts } };
    if (!isWithin(request.window, atMs)) return { ok: false, error: { tag: "time_window_invalid" } };
    for (const ref of request.inputs) spent.set(refKey(ref), request.txId);
    numbered.set(request.txId, sequence);
    return { ok: true, sequence: sequence++, isRepeat: false };
  });
}

/** Half-open: from `fromMs` until just before `untilMs`. */
export function isWithin({ fromMs, untilMs }: TimeWindow, atMs: number): boolean {
  return (fromMs === null || atMs >= fromMs) && (untilMs === null || atMs < untilMs);
}

/** The decision on a single request. */
export function decideOne(view: CommittedView, atMs: number, request: CommitRequest): CommitVerdict {
  const [verdict] = decideBatch(view, atMs, [request], 0);
  invariant(verdict !== undefined, "a batch has a verdict for each request");
  return verdict;
}
