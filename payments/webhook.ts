/**
 * Webhooks: what they say, how the provider signs them, and how a receiver checks that. The header
 * `dream-signature: t=SECONDS,v1=HEX` has the HMAC-SHA256 of `SECONDS.BODY` with the secret that both share.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { err, ok, type Result } from "#core";
import type { WebhookRefusal } from "./refusals.ts";

export const SIGNATURE_HEADER = "dream-signature";
/** An event is told at least once: receivers keep the ids that they have seen. */
export const EVENT_HEADER = "dream-event";
/** How old a webhook may be, and how far ahead its clock: an older one is a repeat of somebody else's. */
export const WEBHOOK_AGE_MS_MAX: number = 5 * 60_000;

/** `member` is the member's key, `transaction` the id on the ledger, `eventId` the same each time that it is told. */
export type WebhookEvent = {
  readonly eventId: string;
  readonly member: string;
  readonly amountMicros: string;
  readonly transaction: string;
} & (
  | {
      readonly type: "redemption.paid";
      readonly redemptionId: string;
      readonly messageId: string;
      readonly endToEndId: string;
    }
  | { readonly type: "funds.issued"; readonly bankReference: string }
);

const text = z.string().min(1).max(200);
const common = { eventId: text, member: text, amountMicros: z.string().regex(/^\d{1,19}$/), transaction: text };
const eventSchema: z.ZodType<WebhookEvent> = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("redemption.paid"),
    ...common,
    redemptionId: text,
    messageId: text,
    endToEndId: text,
  }),
  z.strictObject({ type: z.literal("funds.issued"), ...common, bankReference: text }),
]);

export function signWebhook(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  return `t=${seconds},v1=${macOf(secret, seconds, body)}`;
}

export type WebhookCheck = {
  readonly secret: string;
  /** Of the header `dream-signature`. */
  readonly header: string;
  /** The body as it came, not as it was parsed. */
  readonly body: string;
  readonly nowMs: number;
};

/** What a receiver calls before it believes a webhook. Never throws on what came. */
export function verifyWebhook({ secret, header, body, nowMs }: WebhookCheck): Result<WebhookEvent, WebhookRefusal> {
  const [, seconds, mac] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (seconds === undefined || mac === undefined) return err("webhook_header_malformed");
  const expected = Buffer.from(macOf(secret, Number(seconds), body), "hex");
  if (!timingSafeEqual(expected, Buffer.from(mac, "hex"))) return err("webhook_signature_invalid");
  if (Math.abs(nowMs - Number(seconds) * 1_000) > WEBHOOK_AGE_MS_MAX) return err("webhook_expired");
  const parsed = eventSchema.safeParse(parseJson(body));
  return parsed.success ? ok(parsed.data) : err("webhook_body_malformed");
}

function macOf(secret: string, seconds: number, body: string): string {
  return createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
