/** The order in which transactions that a notary's log has lost can be appended again. */
import { decodeSignedTransaction, refKey, type SignedTransaction, type TimeWindow } from "#contracts";
import type { Hash } from "#core";

/** What became of the transactions that were handed to a notary to recover. */
export type RecoveryReport = {
  readonly appended: readonly Hash[];
  /** How many of them the log had. */
  readonly known: number;
  /** What can't be appended, and why: a code of the ledger's refusals. */
  readonly refused: readonly { readonly txId: Hash; readonly reason: string }[];
};

/** The transactions among the bytes, each once. What is no transaction is left out. */
export function distinctTransactions(all: readonly Uint8Array[]): readonly SignedTransaction[] {
  const distinct = new Map<Hash, SignedTransaction>();
  for (const bytes of all) {
    const decoded = decodeSignedTransaction(bytes);
    if (decoded.ok) distinct.set(decoded.value.transaction.id, decoded.value);
  }
  return [...distinct.values()];
}

/**
 * Each after the transactions that made what it names, and each that spends a state after those that cite it: an order in which
 * a notary may have committed them. What is in a circle, which no honest notary signs, is left out.
 */
export function inCommitOrder(transactions: readonly SignedTransaction[]): readonly SignedTransaction[] {
  const byId = new Map(transactions.map((signed) => [signed.transaction.id, signed]));
  const citers = new Map<string, Hash[]>();
  for (const { transaction } of transactions)
    for (const ref of transaction.content.references) {
      const ids = citers.get(refKey(ref)) ?? [];
      ids.push(transaction.id);
      citers.set(refKey(ref), ids);
    }
  const before = new Map<Hash, ReadonlySet<Hash>>();
  const after = new Map<Hash, Hash[]>();
  for (const { transaction } of transactions) {
    const { id, content } = transaction;
    const makers = [...content.inputs, ...content.references].map(({ txId }) => txId).filter((txId) => byId.has(txId));
    const earlier = content.inputs.flatMap((ref) => citers.get(refKey(ref)) ?? []).filter((txId) => txId !== id);
    before.set(id, new Set([...makers, ...earlier]));
    for (const txId of before.get(id) ?? []) after.set(txId, [...(after.get(txId) ?? []), id]);
  }
  return sorted(byId, before, after);
}

function sorted(
  byId: ReadonlyMap<Hash, SignedTransaction>,
  before: ReadonlyMap<Hash, ReadonlySet<Hash>>,
  after: ReadonlyMap<Hash, readonly Hash[]>,
): readonly SignedTransaction[] {
  const waitsFor = new Map([...before].map(([id, ids]) => [id, ids.size]));
  const ready = [...byId.keys()].filter((id) => waitsFor.get(id) === 0);
  const order: SignedTransaction[] = [];
  for (const id of ready) {
    const signed = byId.get(id);
    if (signed !== undefined) order.push(signed);
    for (const next of after.get(id) ?? []) {
      const left = (waitsFor.get(next) ?? 0) - 1;
      waitsFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return order;
}

/** When it was committed is lost; an instant at which it may have been, as near to now as its window allows. */
export function instantWithin({ fromMs, untilMs }: TimeWindow, nowMs: number): number {
  return Math.min(Math.max(nowMs, fromMs ?? nowMs), untilMs === null ? Number.MAX_SAFE_INTEGER : untilMs - 1);
}
