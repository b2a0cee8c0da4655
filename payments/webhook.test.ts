/** What a receiver of webhooks believes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrap } from "#core";
import { signWebhook, verifyWebhook, WEBHOOK_AGE_MS_MAX, type WebhookEvent } from "./webhook.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const NOW_MS = Date.UTC(2031, 5, 1, 10);
const EVENT: WebhookEvent = {
  type: "redemption.paid",
  eventId: "paid/0123",
  member: "a".repeat(64),
  amountMicros: "4000000",
  redemptionId: "june",
  messageId: "DREAM-1",
  endToEndId: "0123",
  transaction: "b".repeat(64),
};
const BODY = JSON.stringify(EVENT);
const header = signWebhook(SECRET, BODY, NOW_MS);
const check = { secret: SECRET, header, body: BODY, nowMs: NOW_MS };

test("a webhook of the provider is believed", () => {
  expect(header).toMatch(/^t=\d{10},v1=[0-9a-f]{64}$/);
  expect(unwrap(verifyWebhook(check))).toEqual(EVENT);
});

test("one with a wrong signature is not: another secret, another body, another time", () => {
  const wrong = { ok: false, error: "webhook_signature_invalid" };
  expect(verifyWebhook({ ...check, secret: SECRET.replace("0", "1") })).toEqual(wrong);
  expect(verifyWebhook({ ...check, body: BODY.replace("4000000", "9000000") })).toEqual(wrong);
  expect(verifyWebhook({ ...check, header: header.replace(/t=\d+/, `t=${NOW_MS / 1_000 + 1}`) })).toEqual(wrong);
});

test("an old one is not believed again, nor one of the future", () => {
  const later = NOW_MS + WEBHOOK_AGE_MS_MAX;
  expect(verifyWebhook({ ...check, nowMs: later }).ok).toBe(true);
  for (const nowMs of [later + 1_000, NOW_MS - WEBHOOK_AGE_MS_MAX - 1_000])
    expect(verifyWebhook({ ...check, nowMs })).toEqual({ ok: false, error: "webhook_expired" });
});

test("whatever comes is judged, not thrown on", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, body) => {
      expect(verifyWebhook({ ...check, header: text, body })).toEqual({ ok: false, error: "webhook_header_malformed" });
      const signed = signWebhook(SECRET, body, NOW_MS);
      expect(verifyWebhook({ ...check, header: signed, body })).toEqual({ ok: false, error: "webhook_body_malformed" });
    }),
  );
});
