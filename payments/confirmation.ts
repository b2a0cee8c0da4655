/** From what the bank has paid to what the ledger says is owed: each redemption is closed once, and whoever waits is told. */
import type { LedgerRefusal, NodeEndpoint } from "#contracts";
import { err, ok, type Result, sumMoney } from "#core";
import type { BankEntry } from "./bank-notification.ts";
import { inOneStep, type PaymentDatabase } from "./database.ts";
import type { Outbox } from "./outbox.ts";
import type { ReadPaymentOrder } from "./payment-order.ts";
import type { FiledPayout, Payouts } from "./payouts.ts";
import type { PaymentRefusal } from "./refusals.ts";
import type { WebhookEvent } from "./webhook.ts";

export type EdgeParts = {
  readonly database: PaymentDatabase;
  readonly payouts: Payouts;
  readonly outbox: Outbox;
  readonly node: Pick<NodeEndpoint, "submit">;
  readonly receiversFor: (member: FiledPayout["owner"]) => readonly string[];
  readonly nowMs: number;
};

/** What was paid, and what of the evidence does not fit. */
export type Evidence = {
  readonly paid: readonly FiledPayout[];
  readonly doubts: readonly { readonly what: string; readonly refusal: PaymentRefusal }[];
};

/** By a payment file that the bank says it has carried out: it must be ours, payment for payment. */
export function paidByFile({ messageId, payments }: ReadPaymentOrder, payouts: Payouts): Evidence {
  const filed = payouts.all(messageId);
  if (filed.length === 0) return { paid: [], doubts: [{ what: messageId, refusal: { tag: "file_unknown" } }] };
  const checked = payments.map(({ endToEndId, amount }) => ({
    endToEndId,
    found: fitting(endToEndId, amount, payouts),
  }));
  return evidenceOf(checked.map(({ endToEndId, found }) => [endToEndId, found] as const));
}

/** By the debits that the bank booked; other debits of the account are none of ours. */
export function paidByBank(entries: readonly BankEntry[], currency: string, payouts: Payouts): Evidence {
  const debits = entries.filter(({ direction }) => direction === "debit");
  return evidenceOf(debits.flatMap((entry) => judged(entry, currency, payouts)));
}

type Judged = readonly [what: string, found: Result<readonly FiledPayout[], PaymentRefusal>];

function judged(entry: BankEntry, currency: string, payouts: Payouts): readonly Judged[] {
  const { endToEndId, messageId, amount } = entry;
  const what = endToEndId ?? messageId;
  const batch = messageId === null ? [] : payouts.all(messageId);
  const isOurs = batch.length > 0 || (endToEndId !== null && payouts.of(endToEndId) !== undefined);
  if (what === null || !isOurs) return [];
  if (entry.currency !== currency) return [[what, err({ tag: "currency_foreign" })]];
  if (endToEndId !== null) return [[what, fitting(endToEndId, amount, payouts)]];
  const filed = sumMoney(batch.map((payout) => payout.amount));
  return [[what, filed === amount ? ok(batch) : err({ tag: "amount_differs", filed, booked: amount })]];
}

function fitting(
  endToEndId: string,
  amount: FiledPayout["amount"],
  payouts: Payouts,
): Result<readonly FiledPayout[], PaymentRefusal> {
  const payout = payouts.of(endToEndId);
  if (payout === undefined) return err({ tag: "payment_unknown" });
  if (payout.amount !== amount) return err({ tag: "amount_differs", filed: payout.amount, booked: amount });
  return payout.status === "returned" ? err({ tag: "payment_returned" }) : ok([payout]);
}

function evidenceOf(all: readonly Judged[]): Evidence {
  return {
    paid: all.flatMap(([, found]) => (found.ok ? found.value : [])),
    doubts: all.flatMap(([what, found]) => (found.ok ? [] : [{ what, refusal: found.error }])),
  };
}

export type Confirmed = {
  readonly confirmed: readonly FiledPayout[];
  /** Confirmed before. */
  readonly repeated: readonly FiledPayout[];
  readonly refused: readonly { readonly payout: FiledPayout; readonly refusal: LedgerRefusal }[];
};

/** Closes what was paid on the ledger; a second call with the same evidence changes nothing. */
export async function confirmPayouts(paid: readonly FiledPayout[], parts: EdgeParts): Promise<Confirmed> {
  const confirmed: FiledPayout[] = [];
  const refused: { readonly payout: FiledPayout; readonly refusal: LedgerRefusal }[] = [];
  // A bank may tell of one payment twice in one message.
  const each = [...new Map(paid.map((payout) => [payout.endToEndId, payout])).values()];
  const repeated = each.filter(({ status }) => status === "paid");
  for (const payout of each.filter(({ status }) => status === "filed")) {
    const { endToEndId, messageId, owner, redemptionId } = payout;
    const commandId = `payout/${endToEndId}`;
    const done = await parts.node.submit({
      tag: "confirm-payout",
      commandId,
      owner,
      redemptionId,
      messageId,
      endToEndId,
    });
    if (!done.ok) {
      refused.push({ payout, refusal: done.error });
      continue;
    }
    inOneStep(parts.database, () => {
      parts.payouts.mark(endToEndId, "paid");
      announce(paidEvent(payout, done.value.txId), owner, parts);
    });
    confirmed.push(payout);
  }
  return { confirmed, repeated, refused };
}

function paidEvent({ owner, amount, ...payout }: FiledPayout, transaction: string): WebhookEvent {
  const { redemptionId, messageId, endToEndId } = payout;
  return {
    type: "redemption.paid",
    eventId: `paid/${endToEndId}`,
    member: owner,
    amountMicros: amount.toString(),
    redemptionId,
    messageId,
    endToEndId,
    transaction,
  };
}

/** Puts an event where it is kept until its receivers have it. */
export function announce(
  event: WebhookEvent,
  member: FiledPayout["owner"],
  { outbox, receiversFor, nowMs }: Pick<EdgeParts, "outbox" | "receiversFor" | "nowMs">,
): void {
  const body = JSON.stringify(event);
  for (const url of receiversFor(member)) outbox.put({ eventId: event.eventId, url, body }, nowMs);
}
