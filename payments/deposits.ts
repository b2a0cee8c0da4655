/** From what the bank received to funds on the ledger. */
import { isPayable, type LedgerRefusal } from "#contracts";
import { err, ok, type PublicKey, type Result } from "#core";
import type { BankEntry } from "./bank-notification.ts";
import { announce, type EdgeParts } from "./confirmation.ts";
import { inOneStep } from "./database.ts";
import type { FiledPayout } from "./payouts.ts";
import { type Deposit, issueIdOf, type KnownDeposit, type Receipts } from "./receipts.ts";
import type { PaymentRefusal } from "./refusals.ts";

export type DepositParts = EdgeParts & {
  readonly receipts: Receipts;
  readonly currency: string;
  readonly depositorOf: (reference: string) => PublicKey | undefined;
};

export type Credited = {
  readonly issued: readonly Deposit[];
  /** Issued before. */
  readonly repeated: readonly Deposit[];
  /** Payments of ours that came back before they were confirmed: they go into the next file. */
  readonly returned: readonly FiledPayout[];
  readonly doubts: readonly { readonly entry: BankEntry; readonly refusal: PaymentRefusal }[];
  readonly refused: readonly { readonly deposit: Deposit; readonly refusal: LedgerRefusal }[];
};

/** Issues what members paid in, each of the bank's payments once, however often the bank tells of it. */
export async function issueDeposits(entries: readonly BankEntry[], parts: DepositParts): Promise<Credited> {
  const issued: Deposit[] = [];
  const repeated: Deposit[] = [];
  const returned: FiledPayout[] = [];
  const doubts: { readonly entry: BankEntry; readonly refusal: PaymentRefusal }[] = [];
  const refused: { readonly deposit: Deposit; readonly refusal: LedgerRefusal }[] = [];
  for (const entry of entries.filter(({ direction }) => direction === "credit")) {
    const unpaid = unpaidPayout(entry, parts);
    if (unpaid !== undefined && unpaid.amount === entry.amount) {
      parts.payouts.mark(unpaid.endToEndId, "returned");
      returned.push(unpaid);
      continue;
    }
    const deposit = depositOf(entry, parts);
    if (!deposit.ok) {
      doubts.push({ entry, refusal: deposit.error });
      continue;
    }
    const known = parts.receipts.receive(deposit.value);
    const refusal = known.status === "issued" ? undefined : await issue(known, parts);
    if (known.status === "issued") repeated.push(known);
    else if (refusal === undefined) issued.push(known);
    else refused.push({ deposit: known, refusal });
  }
  return { issued, repeated, returned, doubts, refused };
}

/** A payment of ours that came back while its redemption is still owed. */
function unpaidPayout({ endToEndId }: BankEntry, { payouts }: DepositParts): FiledPayout | undefined {
  const payout = endToEndId === null ? undefined : payouts.of(endToEndId);
  return payout?.status === "paid" ? undefined : payout;
}

/** Whose money it is: by the reference that the payer wrote, or, for a payment of ours that came back, whom it was for. */
function depositOf(entry: BankEntry, parts: DepositParts): Result<Deposit, PaymentRefusal> {
  const { bankReference, endToEndId, amount, currency, remittance } = entry;
  if (currency !== parts.currency) return err({ tag: "currency_foreign" });
  if (!isPayable(amount)) return err({ tag: "amount_too_fine" });
  if (bankReference === null) return err({ tag: "reference_missing" });
  const unpaid = unpaidPayout(entry, parts);
  if (unpaid !== undefined) return err({ tag: "amount_differs", filed: unpaid.amount, booked: amount });
  const returned = endToEndId === null ? undefined : parts.payouts.of(endToEndId);
  const [depositor] = remittance.flatMap((reference) => parts.depositorOf(reference.trim()) ?? []);
  const owner = returned?.owner ?? depositor;
  return owner === undefined ? err({ tag: "depositor_unknown" }) : ok({ bankReference, owner, amount });
}

async function issue(deposit: KnownDeposit, parts: DepositParts): Promise<LedgerRefusal | undefined> {
  const { bankReference, owner, amount } = deposit;
  const done = await parts.node.submit({
    tag: "issue-funds",
    commandId: issueIdOf(bankReference),
    to: owner,
    amounts: [amount],
  });
  if (!done.ok) return done.error;
  inOneStep(parts.database, () => {
    parts.receipts.markIssued(bankReference);
    announce(
      {
        type: "funds.issued",
        eventId: issueIdOf(bankReference),
        member: owner,
        amountMicros: amount.toString(),
        bankReference,
        transaction: done.value.txId,
      },
      owner,
      parts,
    );
  });
  return undefined;
}
