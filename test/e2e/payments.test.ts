/** The payment provider's desk by its commands, over a network of processes: order, verify, confirm, receive, tell; and what goes wrong. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { micros } from "#core";
import { readPaymentOrder, verifyWebhook } from "#payments";
import { bankNotification, ProcessNetwork } from "#testkit";
import { dream, type Ended, temporaryFolder } from "./command.ts";

const MEMBERS = `network: { id: test/payments, slotMinutes: 15, timeZone: UTC }
members:
  - { name: grid, roles: [grid-authority, meter-operator, payment-provider, marketplace] }
  - { name: power, roles: [power-company, verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 5000, openingFundsMicros: 10000000 }
`;
const IBAN = "DE89370400440532013000";
const SECRET = "0123456789abcdef0123456789abcdef";
const folder = temporaryFolder();
const told: { readonly header: string; readonly body: string }[] = [];

let network: ProcessNetwork;
let receiver: Server;
let home: string;

beforeAll(async () => {
  network = await ProcessNetwork.start({ members: MEMBERS, host: process });
  await network.funded("home");
  home = join(network.folder, "grid");
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    told.push({ header: String(request.headers["dream-signature"]), body: Buffer.concat(chunks).toString() });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, "127.0.0.1", resolve);
  });
  writeFileSync(join(home, "home.secret"), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(home, "payments.yaml"), accounts());
}, 120_000);
afterAll(async () => {
  receiver?.close();
  await network?.stop();
}, 120_000);

function accounts(iban = "FR14 2004 1010 0505 0001 3M02 606"): string {
  return `provider: { name: Village payments, iban: ${IBAN}, bic: COBADEFFXXX }
members:
  - member: home
    depositReference: HOME-1
    accounts:
      - { name: Alice Example, iban: ${iban} }
webhooks:
  - { url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/", secretFile: home.secret, member: home }
`;
}

async function json(...args: readonly string[]): Promise<Ended & { readonly report: Record<string, unknown> }> {
  const ended = await dream(["payments", ...args, "--json"]);
  return { ...ended, report: JSON.parse(ended.stdout) as Record<string, unknown> };
}

async function balance(): Promise<bigint> {
  const funds = await network.states("home", "funds");
  return funds.filter(({ owner }) => owner === network.key("home")).reduce((sum, { amount }) => sum + amount, 0n);
}

const order = join(folder, "june.xml");
const booked = join(folder, "booked.xml");

describe("the desk", () => {
  test("orders what is owed, once, in a file that is signed", async () => {
    await network.run("home", { tag: "redeem-funds", commandId: "june", amount: micros(4_005_000n) });
    const { code, report, stderr } = await json("file", "--node", home, "--out", order, "--day", "2031-06-02");
    expect([code, stderr]).toEqual([0, ""]);
    expect(report).toMatchObject({
      file: order,
      payments: [{ owner: network.key("home"), redemptionId: "june", amountMicros: "4000000" }],
      totalMicros: "4000000",
      held: [],
    });
    expect(existsSync(`${order}.sig.json`)).toBe(true);
    const second = await dream(["payments", "file", "--node", home, "--out", join(folder, "second.xml")]);
    expect([second.code, second.stdout]).toEqual([0, "There is nothing to pay.\n"]);
    const copy = join(folder, "copy.xml");
    await json("file", "--node", home, "--out", copy, "--again", String(report["messageId"]));
    expect(readFileSync(copy, "utf8")).toBe(readFileSync(order, "utf8"));
  }, 120_000);

  test("verifies the file, and finds a byte that was altered", async () => {
    const key = network.key("grid");
    const sound = await json("verify", order, "--key", key);
    expect([sound.code, sound.report]).toMatchObject([0, { valid: true, payments: 1, totalMicros: "4000000" }]);
    const altered = join(folder, "altered.xml");
    writeFileSync(altered, readFileSync(order, "utf8").replace("FR1420041010050500013M02606", IBAN));
    writeFileSync(`${altered}.sig.json`, readFileSync(`${order}.sig.json`));
    const found = await json("verify", altered, "--key", key);
    expect([found.code, found.report]).toEqual([1, { valid: false, refusal: "file_altered" }]);
    expect(found.stderr).toContain("do not pay it");
    expect((await json("verify", order, "--key", network.key("home"))).report).toMatchObject({
      refusal: "signer_foreign",
    });
    const confirmed = await dream(["payments", "confirm", altered, "--node", home]);
    expect([confirmed.code, confirmed.stderr]).toEqual([1, expect.stringContaining("file_altered")]);
  }, 120_000);

  test("closes what the bank has paid, and issues what it has received; a second time changes nothing", async () => {
    const read = readPaymentOrder(readFileSync(order, "utf8"));
    const endToEndId = read.ok ? (read.value.payments[0]?.endToEndId ?? "") : "";
    const message = bankNotification(IBAN, [
      { direction: "DBIT", amount: "4.00", reference: "B1", details: [{ endToEndId }] },
      { direction: "CRDT", amount: "2.50", reference: "B2", details: [{ remittance: "HOME-1" }] },
      { direction: "CRDT", amount: "9.00", reference: "B3", details: [{ remittance: "whoever" }] },
    ]);
    writeFileSync(booked, message);
    const confirmed = await json("confirm", booked, "--node", home);
    expect([confirmed.code, confirmed.report]).toEqual([0, { confirmed: [endToEndId], repeated: [], problems: [] }]);
    const received = await json("receive", booked, "--node", home);
    expect(received.code).toBe(1);
    expect(received.report).toMatchObject({
      issued: [{ bankReference: "B2", amountMicros: "2500000" }],
      problems: [{ what: "B3", code: "depositor_unknown" }],
    });
    expect((await json("confirm", booked, "--node", home)).report).toMatchObject({
      confirmed: [],
      repeated: [endToEndId],
    });
    expect((await json("receive", booked, "--node", home)).report).toMatchObject({ issued: [], repeated: [{}] });
    await network.eventually("the deposit arrives", async () => (await balance()) === 8_500_000n);
    expect(await network.states("home", "redemption")).toEqual([]);
    expect((await json("list", "--home", home)).report).toMatchObject({ payouts: [{ endToEndId, status: "paid" }] });
  }, 120_000);

  test("tells the member, signed", async () => {
    const { code, report } = await json("notify", "--home", home);
    expect([code, report]).toEqual([0, { delivered: 2, nextMs: null, dead: [] }]);
    const events = told.map((each) => verifyWebhook({ secret: SECRET, ...each, nowMs: Date.now() }));
    expect(events.map((event) => event.ok && event.value.type)).toEqual(["redemption.paid", "funds.issued"]);
    expect((await json("notify", "--home", home)).report).toMatchObject({ delivered: 0 });
  }, 120_000);
});

describe("what goes wrong is told with what, where and how to mend it", () => {
  test.each([
    [["file", "--node", "nowhere", "--out", "x.xml"], 2, "nowhere: there is no such folder"],
    [["file", "--node", "http://127.0.0.1:1", "--out", "x.xml"], 4, "give --home DIR too"],
    [["file", "--node", "nowhere", "--out", "no/x.xml"], 2, "--out no/x.xml: there is no folder no"],
    [["verify", "nowhere.xml", "--key", "00"], 4, "--key 00: is no public key"],
    [["confirm", "nowhere.xml", "--node", "nowhere"], 2, "nowhere.xml: there is no such file"],
    [["file", "--node", "nowhere", "--out", "x.xml", "--day", "tomorrow"], 4, "--day tomorrow: is no day"],
  ] as const)("dream payments %j", async (args, code, text) => {
    const ended = await dream(["payments", ...args]);
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toContain(text);
  });

  test("in payments.yaml: all of it at once, with lines", async () => {
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(
      join(broken, "payments.yaml"),
      accounts("FR15 2004 1010 0505 0001 3M02 606").replace("http:", "ftp:"),
    );
    const { code, stderr } = await dream(["payments", "notify", "--home", broken]);
    expect(code).toBe(4);
    expect(stderr).toContain("payments.yaml:6: members.0.accounts.0.iban: is no IBAN");
    expect(stderr).toContain("payments.yaml:8: webhooks.0.url: is not encrypted");
  });

  test("in a message of the bank: with its line", async () => {
    const spoiled = join(folder, "spoiled.xml");
    writeFileSync(spoiled, bankNotification(IBAN, [{ direction: "CRDT", amount: "one", reference: "B" }]));
    const { code, stderr } = await dream(["payments", "receive", spoiled, "--node", home]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/spoiled\.xml: schema_violated: .*\n {2}line \d+: /);
  });

  test("a node that is down", async () => {
    await network.down();
    const { code, stderr } = await dream(["payments", "file", "--node", home, "--out", join(folder, "down.xml")]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("start the node with 'dream network up'")]);
    expect(network.audit()).toMatchObject({ ok: true, value: { violations: [], moneyOwedMicros: 0n } });
  }, 120_000);
});
