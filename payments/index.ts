/** The payment provider's outside edge: payment files, what the bank tells, webhooks. */
export type { AccountDirectory } from "./accounts.ts";
export { centsText, parseAmount } from "./amounts.ts";
export {
  type BankEntry,
  type BankNotification,
  NOTIFICATION_MESSAGE,
  readNotification,
} from "./bank-notification.ts";
export {
  type Confirmed,
  confirmPayouts,
  type EdgeParts,
  type Evidence,
  paidByBank,
  paidByFile,
} from "./confirmation.ts";
export { inOneStep, openPaymentDatabase, type PaymentDatabase } from "./database.ts";
export {
  ATTEMPTS_MAX,
  type DeliveryParts,
  type DeliveryReport,
  deliverDue,
  pauseMs,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  type WebhookPost,
  webhookPost,
} from "./delivery.ts";
export { type Credited, type DepositParts, issueDeposits } from "./deposits.ts";
export { endToEndIdOf } from "./end-to-end-id.ts";
export { compactIban, isBic, isIban } from "./iban.ts";
export { type DeadEvent, type DueEvent, Outbox, type OutgoingEvent } from "./outbox.ts";
export {
  type BankAccount,
  bankText,
  type CreditTransfer,
  ORDER_MESSAGE,
  type PaymentOrder,
  type ReadPaymentOrder,
  readPaymentOrder,
  writePaymentOrder,
} from "./payment-order.ts";
export {
  type FileParts,
  fileFor,
  type HeldBack,
  type PaymentPlan,
  type PlanParts,
  planPayments,
} from "./payment-run.ts";
export { type FiledPayout, type PaymentFile, type Payout, type PayoutStatus, Payouts } from "./payouts.ts";
export { type Deposit, issueIdOf, type KnownDeposit, Receipts } from "./receipts.ts";
export { type KnownRedemptions, redemptionPolicy } from "./redemption-policy.ts";
export {
  PAYMENT_REFUSALS,
  type PaymentRefusal,
  type PaymentRefusalCode,
  type SchemaProblem,
  WEBHOOK_REFUSALS,
  type WebhookRefusal,
} from "./refusals.ts";
export { type FileSignature, SIGNATURE_ENDING, signatureText, signFile, verifyFile } from "./signed-file.ts";
export {
  EVENT_HEADER,
  SIGNATURE_HEADER,
  signWebhook,
  verifyWebhook,
  WEBHOOK_AGE_MS_MAX,
  type WebhookCheck,
  type WebhookEvent,
} from "./webhook.ts";
export { MESSAGES, type Message, messageOf, namespaceOf, schemaRefusal } from "./xml-schema.ts";
