/** Why the payment provider's edge refuses something. One tag per reason, with data that an operator can act on. */
import type { Micros } from "#core";

/** In descending precedence: the first that applies is returned. */
export const PAYMENT_REFUSALS = [
  "message_malformed",
  "schema_violated",
  "signature_malformed",
  "signer_foreign",
  "file_altered",
  "file_unknown",
  "nothing_to_pay",
  "account_unknown",
  "redemption_id_reused",
  "redemption_filed",
  "payment_unknown",
  "payment_returned",
  "amount_differs",
  "currency_foreign",
  "amount_too_fine",
  "reference_missing",
  "depositor_unknown",
] as const;
export type PaymentRefusalCode = (typeof PAYMENT_REFUSALS)[number];

export type SchemaProblem = { readonly line: number | null; readonly problem: string };

export type PaymentRefusal =
  | { readonly tag: Exclude<PaymentRefusalCode, "schema_violated" | "amount_differs"> }
  | { readonly tag: "schema_violated"; readonly problems: readonly SchemaProblem[] }
  | { readonly tag: "amount_differs"; readonly filed: Micros; readonly booked: Micros };

/** Why a receiver does not believe a webhook. */
export const WEBHOOK_REFUSALS = [
  "webhook_header_malformed",
  "webhook_signature_invalid",
  "webhook_expired",
  "webhook_body_malformed",
] as const;
export type WebhookRefusal = (typeof WEBHOOK_REFUSALS)[number];
