/** Delivers webhooks at least once: tries again with growing pauses, and gives up after a number of tries. */
import axios from "axios";
import type { Clock, Prng } from "#core";
import type { DueEvent, Outbox } from "./outbox.ts";
import { EVENT_HEADER, SIGNATURE_HEADER, signWebhook } from "./webhook.ts";

export type WebhookPost = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) => Promise<{ readonly status: number }>;

export type DeliveryParts = {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly post: WebhookPost;
  /** The secret that is shared with a receiver; undefined for one that is no longer configured. */
  readonly secretOf: (url: string) => string | undefined;
};
export type DeliveryReport = { readonly delivered: number; readonly waiting: number; readonly dead: number };

export const ATTEMPTS_MAX = 12;
export const RETRY_MS_FIRST = 5_000;
export const RETRY_MS_MAX: number = 6 * 3_600_000;
const POST_MS_MAX = 10_000;
/** Nothing in the answer matters but its status. */
const ANSWER_BYTES_MAX = 65_536;

/** Tries what is due, each receiver's events in their order. */
export async function deliverDue(parts: DeliveryParts): Promise<DeliveryReport> {
  const due = parts.outbox.due(parts.clock.nowMs());
  const urls = [...new Set(due.map(({ url }) => url))];
  const reports = await Promise.all(
    urls.map((url) =>
      deliverInTurn(
        due.filter((event) => event.url === url),
        parts,
      ),
    ),
  );
  const sum = (field: keyof DeliveryReport): number => reports.reduce((total, report) => total + report[field], 0);
  return { delivered: sum("delivered"), waiting: sum("waiting"), dead: sum("dead") };
}

async function deliverInTurn(events: readonly DueEvent[], parts: DeliveryParts): Promise<DeliveryReport> {
  const report = { delivered: 0, waiting: 0, dead: 0 };
  for (const event of events) report[await deliver(event, parts)] += 1;
  return report;
}

async function deliver(event: DueEvent, parts: DeliveryParts): Promise<keyof DeliveryReport> {
  const { outbox, clock, prng } = parts;
  const problem = await problemOf(event, parts);
  if (problem === undefined) {
    outbox.markDelivered(event);
    return "delivered";
  }
  const isLast = event.attempts + 1 >= ATTEMPTS_MAX;
  outbox.markFailed(event, problem, isLast ? null : clock.nowMs() + pauseMs(event.attempts, prng));
  return isLast ? "dead" : "waiting";
}

/** Twice as long after each try, by a random part less: receivers that come back are not all asked at once. */
export function pauseMs(attempts: number, prng: Prng): number {
  const full = Math.min(RETRY_MS_FIRST * 2 ** attempts, RETRY_MS_MAX);
  return Math.round(full * (0.5 + prng.nextFloat() * 0.5));
}

/** What is wrong with the receiver; undefined when it has taken the event. */
async function problemOf({ url, body, eventId }: DueEvent, parts: DeliveryParts): Promise<string | undefined> {
  const secret = parts.secretOf(url);
  if (secret === undefined) return "is not configured any more";
  try {
    const { status } = await parts.post(url, body, {
      "content-type": "application/json",
      [EVENT_HEADER]: eventId,
      [SIGNATURE_HEADER]: signWebhook(secret, body, parts.clock.nowMs()),
    });
    return status >= 200 && status < 300 ? undefined : `answered ${status}`;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "did not answer";
  }
}

/** Posts over HTTP. Does not follow redirections: the secret's holder is who was configured. */
export function webhookPost(timeoutMs: number = POST_MS_MAX): WebhookPost {
  return (url, body, headers) =>
    axios.post(url, body, {
      headers,
      timeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
      maxRedirects: 0,
      maxContentLength: ANSWER_BYTES_MAX,
      validateStatus: () => true,
      responseType: "text",
      transformRequest: (data: string) => data,
      proxy: false,
    });
}
