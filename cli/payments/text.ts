/** What payment commands say. */
import type { LedgerRefusal } from "#contracts";
import { centsText, type PaymentRefusal } from "#payments";

const MENDS: Readonly<Record<PaymentRefusal["tag"], string>> = {
  message_malformed: "is no message of a kind that is known; give pain.001.001.03 or camt.054.001.02, as UTF-8",
  schema_violated: "does not hold the schema of its kind",
  signature_malformed: "is no signature; restore it from the provider",
  signer_foreign: "was signed by another key",
  file_altered: "is not as it was signed; do not pay it, and get it from the provider again",
  file_unknown: "is no payment file of this provider",
  nothing_to_pay: "there is nothing to pay",
  account_unknown: "has no account of this name in payments.yaml; add it",
  redemption_id_reused: "has another redemption under this id; ask its owner",
  redemption_filed: "was put into another file in the meantime; run the command again",
  payment_unknown: "is no payment of this provider",
  payment_returned: "was given back by the bank; it goes into the next file",
  amount_differs: "was booked with another amount; ask the bank",
  currency_foreign: "is in another currency than the network's; ask the bank",
  amount_too_fine: "is finer than a cent; ask the bank",
  reference_missing: "bears no reference of the bank, so it can't be told from others; ask the bank",
  depositor_unknown: "bears no reference of a member in payments.yaml; add it, and run the command again",
};

export function mendOf(refusal: PaymentRefusal): string {
  const text = `${refusal.tag}: ${MENDS[refusal.tag]}`;
  if (refusal.tag === "amount_differs") return `${text} (ordered ${refusal.filed}, booked ${refusal.booked} micros)`;
  if (refusal.tag !== "schema_violated") return text;
  return [text, ...refusal.problems.map(({ line, problem }) => `  line ${line ?? "?"}: ${problem}`)].join("\n");
}

export function ledgerText(refusal: LedgerRefusal): string {
  return `${refusal.tag}: refused by the ledger; see docs/refusals.md`;
}

export function moneyText(amount: bigint, currency: string): string {
  return `${centsText(amount)} ${currency}`;
}
