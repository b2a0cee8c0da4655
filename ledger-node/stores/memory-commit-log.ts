/** The commit log in memory: for tests of the decision and for runs that nobody keeps. Not durable. */

import { refKey, type StateRef } from "#contracts";
import { type Hash, invariant } from "#core";
import { type CommitLog, type CommittedTransaction, decideBatch, decideOne } from "./commit-log.ts";

export function createMemoryCommitLog(): CommitLog {
  const spent = new Map<string, Hash>();
  const log: CommittedTransaction[] = [];
  const sequences = new Map<Hash, number>();
  const view = { spentBy: (ref: StateRef) => spent.get(refKey(ref)), sequenceOf: (txId: Hash) => sequences.get(txId) };
  return {
    commit(atMs, batch) {
      const verdicts = decideBatch(view, atMs, batch, log.length + 1);
      for (const [index, verdict] of verdicts.entries()) {
        const request = batch[index];
        invariant(request !== undefined, "a batch has a verdict for each request");
        if (!verdict.ok || verdict.isRepeat) continue;
        for (const ref of request.inputs) spent.set(refKey(ref), request.txId);
        sequences.set(request.txId, verdict.sequence);
        log.push({ sequence: verdict.sequence, txId: request.txId, atMs, bytes: new Uint8Array(request.bytes) });
      }
      return verdicts;
    },
    peek: (atMs, request) => decideOne(view, atMs, request),
    scan: (after = 0) => log.slice(after).values(),
    close: () => undefined,
  };
}
