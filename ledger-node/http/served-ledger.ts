/** What is served of a ledger node: its endpoint, and what of its store clients may see. */
import type { ExportRefusal, LedgerRefusal, NodeEndpoint, Receipt } from "#contracts";
import type { PublicKey, Result } from "#core";
import type { NodeStatus, ShownTransaction } from "#ledger-api";
import type { LiveSource } from "./live-source.ts";

/** What a member may ask with its own key, of its own node or of another's. */
export interface PrincipalServices {
  carry(transaction: Uint8Array, proofs: readonly Uint8Array[]): Promise<Result<Receipt, LedgerRefusal>>;
  exportFor(asker: PublicKey): Result<string, ExportRefusal>;
}

export type ServedLedger = {
  readonly node: NodeEndpoint & PrincipalServices;
  readonly events: LiveSource;
  /** At most `limit` transactions stored after a sequence number, oldest first. */
  readonly transactions: (after: number, limit: number) => readonly ShownTransaction[];
};

/** A member that an aggregator's process serves: it is asked for by its key, as if its node were a process of its own. */
export type ServedMember = { readonly ledger: ServedLedger; readonly status: () => NodeStatus };
