/** A command on its way to becoming a final transaction. */
import type { LedgerRefusal, Receipt, SignedTransaction, State, WireTransaction } from "#contracts";
import type { PublicKey, Result } from "#core";
import type { StoredCommand } from "./stores/node-store.ts";

/** A transaction that was drafted: what it is for, and the states that it consumes and has reserved. */
export type Flow = {
  readonly flowId: string;
  readonly command: StoredCommand;
  readonly transaction: WireTransaction;
  readonly inputs: readonly State[];
  readonly delegate: PublicKey | null;
};

/** A flow with all signatures but the notary's. From here on it may be final, whatever answers are lost. */
export type Pending = { readonly flow: Flow; readonly signed: SignedTransaction };

/** What became of a flow, and when all those that it concerns have been told, or could not be reached for now. */
export type Concluded = { readonly answer: Result<Receipt, LedgerRefusal>; readonly told: Promise<void> };
