/** Which transactions of a notary a node keeps: its testimony, should the notary have lost some. */
import { decodeNotice, decodeSignedTransaction, HEADS_MAX, type Head, type PeerReply } from "#contracts";
import type { PublicKey } from "#core";
import type { NodeStore, StoredTransaction } from "./stores/node-store.ts";

/**
 * The newest transactions, whole or in part, that the notary made final, in the order in which they were stored, newest first.
 * @param before - Only what was stored before this number; null: from the newest on.
 */
export function headsIn(
  store: Pick<NodeStore, "scanBefore">,
  notary: PublicKey,
  before: number | null,
  limit: number,
): PeerReply {
  if (!isWhole(limit, 1, HEADS_MAX) || (before !== null && !isWhole(before, 0, Number.MAX_SAFE_INTEGER)))
    return { tag: "refused", refusal: { tag: "command_malformed" } };
  const stored = store.scanBefore(before, limit);
  const oldest = stored.at(-1);
  const heads = stored.flatMap((each) => headOf(each, notary) ?? []);
  return { tag: "heads", heads, next: oldest === undefined || stored.length < limit ? null : oldest.sequence };
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function headOf({ txId, kind, bytes }: StoredTransaction, notary: PublicKey): Head | undefined {
  const decoded =
    kind === "full" ? decodeSignedTransaction(new Uint8Array(bytes)) : decodeNotice(new Uint8Array(bytes));
  const notarySignature = decoded.ok ? decoded.value.notarySignature : null;
  return notarySignature?.by === notary ? { txId, notarySignature } : undefined;
}
