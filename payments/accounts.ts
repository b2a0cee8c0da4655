/** Who is paid where, and who pays in: the provider's own knowledge, of which the ledger has only the names of accounts. */
import type { PublicKey } from "#core";
import type { BankAccount } from "./payment-order.ts";

export type AccountDirectory = {
  /** The account that pays, and that members pay in to. */
  readonly provider: BankAccount;
  /** The account of a member under a name; undefined where there is none. */
  readonly accountOf: (owner: PublicKey, account: string) => BankAccount | undefined;
  /** Whose deposits bear a reference. */
  readonly depositorOf: (reference: string) => PublicKey | undefined;
  /** Receivers of the webhooks that concern a member. */
  readonly receiversFor: (member: PublicKey) => readonly string[];
};
