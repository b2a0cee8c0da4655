/** From open redemptions to a signed payment file. */
import { refKey, type StateAndRef } from "#contracts";
import { compareText, err, ok, type Result, type Signer } from "#core";
import type { AccountDirectory } from "./accounts.ts";
import { endToEndIdOf } from "./end-to-end-id.ts";
import { type CreditTransfer, ORDER_MESSAGE, writePaymentOrder } from "./payment-order.ts";
import type { PaymentFile, Payout, Payouts } from "./payouts.ts";
import type { PaymentRefusal } from "./refusals.ts";
import { signatureText, signFile } from "./signed-file.ts";
import { schemaRefusal } from "./xml-schema.ts";

type Open = StateAndRef<"redemption">;
/** A redemption that does not go into the file. */
export type HeldBack = Payout & {
  readonly account: string;
  readonly reason: "account_unknown" | "redemption_id_reused";
};
export type PaymentPlan = {
  readonly payouts: readonly Payout[];
  readonly transfers: readonly CreditTransfer[];
  readonly held: readonly HeldBack[];
};

export type PlanParts = { readonly accounts: AccountDirectory; readonly payouts: Payouts };

/** What is to be paid now: redemptions that are in no file yet, or whose payment the bank gave back; in a fixed order. */
export function planPayments(open: readonly Open[], { accounts, payouts }: PlanParts): PaymentPlan {
  const transfers: CreditTransfer[] = [];
  const due: Payout[] = [];
  const held: HeldBack[] = [];
  const seen = new Set<string>();
  for (const { ref, state } of [...open].sort(byRef)) {
    const { owner, redemptionId, amount, account } = state;
    const last = payouts.lastOf(ref);
    const name = `${owner} ${redemptionId}`;
    const isReused = last === undefined && (seen.has(name) || payouts.hasRedemption(owner, redemptionId));
    seen.add(name);
    if (last !== undefined && last.status !== "returned") continue;
    const attempt = (last?.attempt ?? 0) + 1;
    const payout = { endToEndId: endToEndIdOf(ref, attempt), redemption: ref, attempt, owner, redemptionId, amount };
    const creditor = accounts.accountOf(owner, account);
    if (isReused) held.push({ ...payout, account, reason: "redemption_id_reused" });
    else if (creditor === undefined) held.push({ ...payout, account, reason: "account_unknown" });
    else {
      due.push(payout);
      transfers.push({ endToEndId: payout.endToEndId, amount, creditor });
    }
  }
  return { payouts: due, transfers, held };
}

function byRef(left: Open, right: Open): number {
  return compareText(refKey(left.ref), refKey(right.ref));
}

export type FileParts = PlanParts & {
  readonly networkId: string;
  readonly currency: string;
  readonly signer: Signer;
  readonly nowMs: number;
  /** Such as `2031-06-01`. */
  readonly executionDay: string;
};

/**
 * Makes the file of a plan: written, held against the schema, signed and kept, before it leaves the house. From then on its
 * redemptions are in no other file.
 */
export async function fileFor(plan: PaymentPlan, parts: FileParts): Promise<Result<PaymentFile, PaymentRefusal>> {
  if (plan.payouts.length === 0) return err({ tag: "nothing_to_pay" });
  const { accounts, payouts, networkId, currency, signer, nowMs, executionDay } = parts;
  const messageId = messageIdOf(nowMs, payouts.fileCount + 1);
  const { transfers } = plan;
  const xml = writePaymentOrder({
    messageId,
    createdMs: nowMs,
    executionDay,
    currency,
    debtor: accounts.provider,
    transfers,
  });
  const refusal = await schemaRefusal(xml, ORDER_MESSAGE);
  if (refusal !== undefined) return err(refusal);
  const signature = signatureText(signFile(new TextEncoder().encode(xml), networkId, signer));
  const file = { messageId, createdMs: nowMs, xml, signature };
  const kept = payouts.file(file, plan.payouts);
  return kept.ok ? ok(file) : err({ tag: kept.error });
}

/** Rises with every file. */
function messageIdOf(nowMs: number, number: number): string {
  const instant = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  return `DREAM-${instant}Z-${number}`;
}
