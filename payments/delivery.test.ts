/** Delivery of webhooks to a real server that fails, is silent, and comes back; over restarts of the sender. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, seededPrng, unwrap } from "#core";
import { openPaymentDatabase, type PaymentDatabase } from "./database.ts";
import {
  ATTEMPTS_MAX,
  type DeliveryReport,
  deliverDue,
  pauseMs,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  webhookPost,
} from "./delivery.ts";
import { Outbox } from "./outbox.ts";
import { verifyWebhook, type WebhookEvent } from "./webhook.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
/** Of a receiver that is silent; of others long enough for a machine that is busy. */
const TIMEOUT_MS = { silent: 300, others: 20_000 };

type Behaviour = "takes" | "fails" | "redirects" | "is silent" | "breaks off";
type Seen = { readonly header: string; readonly event: string; readonly body: string };

let folder: string;
let server: Server;
let url: string;
let behaviour: Behaviour;
let seen: Seen[];
let database: PaymentDatabase;
let outbox: Outbox;
const clock = { now: 0, nowMs: () => clock.now };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dream-outbox-"));
  behaviour = "takes";
  seen = [];
  clock.now = Date.UTC(2031, 5, 1, 10);
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  reopen();
});
afterEach(async () => {
  database.close();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  rmSync(folder, { recursive: true });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { "dream-signature": header, "dream-event": event } = request.headers;
  seen.push({ header: String(header), event: String(event), body: Buffer.concat(chunks).toString() });
  if (behaviour === "is silent") return;
  if (behaviour === "breaks off") return void request.socket.destroy();
  const status = { takes: 204, fails: 500, redirects: 302 }[behaviour];
  response.writeHead(status, behaviour === "redirects" ? { location: `${url}/elsewhere` } : {}).end();
}

/** As after a restart: all that is known is in the file. */
function reopen(): void {
  database?.close();
  database = openPaymentDatabase(join(folder, "payments.db"));
  outbox = new Outbox(database);
}

function put(name: string): void {
  const event: WebhookEvent = {
    type: "funds.issued",
    eventId: name,
    member: "a".repeat(64),
    amountMicros: "10000",
    bankReference: name,
    transaction: "b".repeat(64),
  };
  outbox.put({ eventId: name, url, body: JSON.stringify(event) }, clock.now);
}

function deliver(secretOf: (url: string) => string | undefined = () => SECRET): Promise<DeliveryReport> {
  const prng = seededPrng("delivery", "test");
  const post = webhookPost(behaviour === "is silent" ? TIMEOUT_MS.silent : TIMEOUT_MS.others);
  return deliverDue({ outbox, clock: clock satisfies Clock, prng, post, secretOf });
}

describe("a webhook", () => {
  test("arrives signed, in order, and once while all goes well", async () => {
    for (const name of ["first", "second"]) put(name);
    put("first"); // The same event again.
    expect(await deliver()).toEqual({ delivered: 2, waiting: 0, dead: 0 });
    expect(seen.map(({ event }) => event)).toEqual(["first", "second"]);
    for (const { header, body, event } of seen)
      expect(unwrap(verifyWebhook({ secret: SECRET, header, body, nowMs: clock.now })).eventId).toBe(event);
    expect(await deliver()).toEqual({ delivered: 0, waiting: 0, dead: 0 });
    expect(outbox.nextDueMs()).toBeUndefined();
  });

  test.each(["fails", "redirects", "is silent", "breaks off"] as const)(
    "waits for a receiver that %s, over a restart, and arrives when it has recovered, with a fresh signature",
    async (trouble) => {
      behaviour = trouble;
      put("late");
      expect(await deliver()).toEqual({ delivered: 0, waiting: 1, dead: 0 });
      expect(await deliver(), "not before its pause is over").toEqual({ delivered: 0, waiting: 0, dead: 0 });
      reopen();
      behaviour = "takes";
      clock.now = outbox.nextDueMs() ?? 0;
      expect(await deliver()).toEqual({ delivered: 1, waiting: 0, dead: 0 });
      expect(seen.map(({ event }) => event)).toEqual(["late", "late"]);
      const [first, last] = seen;
      expect(last?.header).not.toBe(first?.header);
      expect(verifyWebhook({ secret: SECRET, ...(last as Seen), nowMs: clock.now }).ok).toBe(true);
    },
  );

  test("is told again where it is not known whether it arrived: its id says so", async () => {
    behaviour = "breaks off";
    put("twice");
    await deliver();
    behaviour = "takes";
    clock.now = outbox.nextDueMs() ?? 0;
    await deliver();
    expect(new Set(seen.map(({ event, body }) => `${event} ${body}`)).size).toBe(1);
    expect(seen).toHaveLength(2);
  });

  test("is given up after so many tries, listed with what was wrong, and tried again on request", async () => {
    behaviour = "fails";
    put("dead");
    const reports: DeliveryReport[] = [];
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      reports.push(await deliver());
      clock.now = outbox.nextDueMs() ?? clock.now;
    }
    expect(reports.map(({ dead }) => dead)).toEqual([...Array.from({ length: ATTEMPTS_MAX - 1 }, () => 0), 1]);
    expect(seen).toHaveLength(ATTEMPTS_MAX);
    expect(outbox.dead()).toMatchObject([{ eventId: "dead", url, attempts: ATTEMPTS_MAX, problem: "answered 500" }]);
    expect(outbox.nextDueMs()).toBeUndefined();
    behaviour = "takes";
    expect(outbox.revive(clock.now)).toBe(1);
    expect(await deliver()).toEqual({ delivered: 1, waiting: 0, dead: 0 });
    expect(outbox.dead()).toEqual([]);
  });

  test("is not sent unsigned to a receiver that is no longer configured", async () => {
    put("orphan");
    expect(await deliver(() => undefined)).toEqual({ delivered: 0, waiting: 1, dead: 0 });
    expect(seen).toEqual([]);
  });
});

test("pauses double, up to a limit, and are spread", () => {
  const prng = seededPrng("pauses", "test");
  for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts++) {
    const full = Math.min(RETRY_MS_FIRST * 2 ** attempts, RETRY_MS_MAX);
    const drawn = Array.from({ length: 50 }, () => pauseMs(attempts, prng));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(full / 2);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(full);
    expect(new Set(drawn).size).toBeGreaterThan(25);
  }
});
