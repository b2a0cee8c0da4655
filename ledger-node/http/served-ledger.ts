/** What is served of a ledger node: its endpoint, and what of its store clients may see. */
import type { NodeEndpoint } from "#contracts";
import type { ShownTransaction } from "#ledger-api";
import type { LiveSource } from "./live-source.ts";

export type ServedLedger = {
  readonly node: NodeEndpoint;
  readonly events: LiveSource;
  /** At most `limit` transactions stored after a sequence number, oldest first. */
  readonly transactions: (after: number, limit: number) => readonly ShownTransaction[];
};
