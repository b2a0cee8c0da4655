/** What was ordered of the bank, and what became of it: each redemption is in one order at a time, and paid once. */
import { refKey, type StateRef } from "#contracts";
import { err, hashFromText, type Micros, micros, ok, type PublicKey, publicKey, type Result } from "#core";
import { inOneStep, type PaymentDatabase } from "./database.ts";

export type Payout = {
  readonly endToEndId: string;
  /** The state that is paid. */
  readonly redemption: StateRef;
  /** Which try it is, from 1. */
  readonly attempt: number;
  readonly owner: PublicKey;
  readonly redemptionId: string;
  readonly amount: Micros;
};
export type PayoutStatus = "filed" | "paid" | "returned";
export type FiledPayout = Payout & { readonly messageId: string; readonly status: PayoutStatus };

export type PaymentFile = {
  readonly messageId: string;
  readonly createdMs: number;
  readonly xml: string;
  /** Text of the detached signature. */
  readonly signature: string;
};

type PayoutRow = {
  readonly end_to_end_id: string;
  readonly redemption: string;
  readonly attempt: number;
  readonly owner: string;
  readonly redemption_id: string;
  readonly amount: string;
  readonly message_id: string;
  readonly status: PayoutStatus;
};

export class Payouts {
  readonly #database: PaymentDatabase;

  constructor(database: PaymentDatabase) {
    this.#database = database;
  }

  /** How many files were made. */
  get fileCount(): number {
    return (this.#database.prepare("SELECT count(*) AS count FROM files").get() as { readonly count: number }).count;
  }

  /**
   * Keeps a file and what it orders, before it leaves the house. Nothing, where one of the redemptions is in another file, unless
   * the bank gave that payment back.
   */
  file(file: PaymentFile, payouts: readonly Payout[]): Result<null, "redemption_filed" | "redemption_id_reused"> {
    return inOneStep(this.#database, () => {
      const refusal = payouts.map((payout) => this.#refusalOf(payout)).find((each) => each !== undefined);
      if (refusal !== undefined) return err(refusal);
      const { messageId, createdMs, xml, signature } = file;
      this.#database.prepare("INSERT INTO files VALUES (?, ?, ?, ?)").run(messageId, createdMs, xml, signature);
      const put = this.#database.prepare("INSERT INTO payouts VALUES (?, ?, ?, ?, ?, ?, ?, 'filed')");
      for (const { endToEndId, redemption, attempt, owner, redemptionId, amount } of payouts)
        put.run(endToEndId, refKey(redemption), attempt, owner, redemptionId, amount.toString(), messageId);
      return ok(null);
    });
  }

  #refusalOf(payout: Payout): "redemption_filed" | "redemption_id_reused" | undefined {
    const { redemption, attempt, owner, redemptionId } = payout;
    const last = this.lastOf(redemption);
    if (last === undefined) return this.hasRedemption(owner, redemptionId) ? "redemption_id_reused" : undefined;
    return last.status === "returned" && attempt === last.attempt + 1 ? undefined : "redemption_filed";
  }

  fileOf(messageId: string): PaymentFile | undefined {
    const row = this.#database
      .prepare(
        "SELECT message_id AS messageId, created_ms AS createdMs, xml, signature FROM files WHERE message_id = ?",
      )
      .get(messageId);
    return row as PaymentFile | undefined;
  }

  of(endToEndId: string): FiledPayout | undefined {
    const row = this.#database.prepare("SELECT * FROM payouts WHERE end_to_end_id = ?").get(endToEndId);
    return row === undefined ? undefined : payoutOf(row as PayoutRow);
  }

  /** The last try to pay a redemption. */
  lastOf(redemption: StateRef): FiledPayout | undefined {
    const row = this.#database
      .prepare("SELECT * FROM payouts WHERE redemption = ? ORDER BY attempt DESC LIMIT 1")
      .get(refKey(redemption));
    return row === undefined ? undefined : payoutOf(row as PayoutRow);
  }

  /** Payouts of a file, or all. */
  all(messageId?: string): readonly FiledPayout[] {
    const rows =
      messageId === undefined
        ? this.#database.prepare("SELECT * FROM payouts ORDER BY message_id, end_to_end_id").all()
        : this.#database.prepare("SELECT * FROM payouts WHERE message_id = ? ORDER BY end_to_end_id").all(messageId);
    return rows.map((row) => payoutOf(row as PayoutRow));
  }

  /** Whether a redemption of the owner was ever ordered under this id. */
  hasRedemption(owner: PublicKey, redemptionId: string): boolean {
    const found = this.#database
      .prepare("SELECT 1 FROM payouts WHERE owner = ? AND redemption_id = ?")
      .get(owner, redemptionId);
    return found !== undefined;
  }

  mark(endToEndId: string, status: PayoutStatus): void {
    this.#database.prepare("UPDATE payouts SET status = ? WHERE end_to_end_id = ?").run(status, endToEndId);
  }
}

function payoutOf(row: PayoutRow): FiledPayout {
  return {
    endToEndId: row.end_to_end_id,
    redemption: refOf(row.redemption),
    attempt: row.attempt,
    owner: publicKey(row.owner),
    redemptionId: row.redemption_id,
    amount: micros(BigInt(row.amount)),
    messageId: row.message_id,
    status: row.status,
  };
}

function refOf(key: string): StateRef {
  const [txId = "", index] = key.split(":");
  return { txId: hashFromText(txId), index: Number(index) };
}
