/** What the bank received for members: each of its payments is issued on the ledger once. */
import { hashOf, type Micros, micros, type PublicKey, publicKey } from "#core";
import type { PaymentDatabase } from "./database.ts";

export type Deposit = {
  /** The bank's own name of the payment. */
  readonly bankReference: string;
  readonly owner: PublicKey;
  readonly amount: Micros;
};
export type KnownDeposit = Deposit & { readonly status: "received" | "issued" };

export class Receipts {
  readonly #database: PaymentDatabase;

  constructor(database: PaymentDatabase) {
    this.#database = database;
  }

  /** Writes down a payment before its funds are issued; one that is known stays as it was first written. */
  receive({ bankReference, owner, amount }: Deposit): KnownDeposit {
    this.#database
      .prepare("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, 'received')")
      .run(bankReference, owner, amount.toString());
    const row = this.#database.prepare("SELECT * FROM receipts WHERE bank_reference = ?").get(bankReference) as {
      readonly owner: string;
      readonly amount: string;
      readonly status: KnownDeposit["status"];
    };
    return { bankReference, owner: publicKey(row.owner), amount: micros(BigInt(row.amount)), status: row.status };
  }

  markIssued(bankReference: string): void {
    this.#database.prepare("UPDATE receipts SET status = 'issued' WHERE bank_reference = ?").run(bankReference);
  }
}

/** The id of the command that issues a payment's funds: the ledger carries it out once too. */
export function issueIdOf(bankReference: string): string {
  return `deposit/${hashOf(`dream/deposit ${bankReference}`).slice(0, 32)}`;
}
