/** A redemption from its owner's command to the bank and back, and a deposit from the bank to the ledger; and what attacks do. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, Redemption, Transaction } from "#contracts";
import { micros, unwrap } from "#core";
import { type Booking, bankNotification, PaymentDesk, PROVIDER_ACCOUNT, SmallNetwork } from "#testkit";
import { NOTIFICATION_MESSAGE, readNotification } from "./bank-notification.ts";
import { paidByFile } from "./confirmation.ts";
import { readPaymentOrder } from "./payment-order.ts";
import { redemptionPolicy } from "./redemption-policy.ts";
import type { WebhookEvent } from "./webhook.ts";
import { messageOf, schemaRefusal } from "./xml-schema.ts";

let small: SmallNetwork;
let desk: PaymentDesk;
beforeEach(async () => {
  const owed = (): readonly Redemption[] => small.node("payment-provider").unspent("redemption");
  const wasFiled = ({ owner, redemptionId }: Redemption): boolean => desk.payouts.hasRedemption(owner, redemptionId);
  small = await SmallNetwork.found({
    policyOf: (name) => (name === "payment-provider" ? redemptionPolicy({ open: owed, wasFiled }) : undefined),
  });
  for (const name of ["alice", "bob"]) await small.join(name);
  desk = new PaymentDesk(small, ["alice", "bob"]);
  await small.fund("alice", 10_000_000);
  await small.fund("bob", 10_000_000);
});
afterEach(() => {
  desk.close();
  small.close();
});

function redeem(name: string, commandId: string, amount: number, account = "main"): Promise<unknown> {
  return small.run(name, { tag: "redeem-funds", commandId, amount: micros(amount), account });
}

const held = () => small.ledger.moneyHeld();
const events = (): readonly WebhookEvent[] =>
  desk.outbox.due(small.clock.nowMs()).map(({ body }) => JSON.parse(body) as WebhookEvent);

describe("a redemption", () => {
  test("is ordered of the bank, booked, and closed on the ledger; its owner alone is told", async () => {
    await redeem("alice", "june", 4_005_000);
    await redeem("bob", "june", 1_000_000);
    const file = unwrap(await desk.file());
    expect(file.xml).toContain("<CtrlSum>5.00</CtrlSum>");
    const { confirmed, doubts } = await desk.confirm(desk.bookingsOf(file));
    expect([confirmed.length, doubts]).toEqual([2, []]);
    expect(small.node("payment-provider").unspent("redemption")).toEqual([]);
    expect(small.balance("alice")).toBe(6_000_000n);
    expect(held()).toMatchObject({ issuedMicros: 15_000_000n, heldMicros: 15_000_000n });
    const told = desk.outbox
      .due(small.clock.nowMs())
      .map(({ url, body }) => ({ url, ...(JSON.parse(body) as object) }));
    expect(told.map((each) => [each.url, (each as unknown as WebhookEvent).member])).toEqual(
      confirmed.map(({ owner }) => [
        owner === small.key("alice") ? "https://alice.example/hooks" : "https://bob.example/hooks",
        owner,
      ]),
    );
    expect(events()).toContainEqual(
      expect.objectContaining({ type: "redemption.paid", amountMicros: "4000000", redemptionId: "june" }),
    );
  });

  test("is booked with its batch as one: all of the file is paid", async () => {
    await redeem("alice", "june", 4_000_000);
    await redeem("bob", "june", 1_000_000);
    const { messageId } = unwrap(await desk.file());
    const batch = (amount: string): Booking => ({ direction: "DBIT", amount, batchMessageId: messageId });
    expect(await desk.confirm([batch("4.99")])).toMatchObject({
      confirmed: [],
      doubts: [{ what: messageId, refusal: { tag: "amount_differs", filed: 5_000_000n, booked: 4_990_000n } }],
    });
    expect((await desk.confirm([batch("5.00")])).confirmed).toHaveLength(2);
  });

  test("is closed by what the bank has booked, not by what is pending, taken back, or none of ours", async () => {
    await redeem("alice", "june", 4_000_000);
    const [booking] = desk.bookingsOf(unwrap(await desk.file()));
    if (booking === undefined) throw new Error("the file orders a payment");
    const others: readonly Booking[] = [
      { ...booking, status: "PDNG" },
      { ...booking, isReversal: true },
      { direction: "DBIT", amount: "4.00", reference: "rent" },
      { direction: "DBIT", amount: "4.00", details: [{ endToEndId: "of another" }] },
    ];
    expect(await desk.confirm(others)).toEqual({ confirmed: [], repeated: [], refused: [], doubts: [] });
    const wrong = [
      { ...booking, amount: "3.99" },
      { ...booking, currency: "USD" },
    ];
    const { doubts } = await desk.confirm(wrong);
    expect(doubts.map(({ refusal }) => refusal.tag)).toEqual(["amount_differs", "currency_foreign"]);
    expect(small.node("alice").unspent("redemption")).toHaveLength(1);
  });

  test("that the bank gives back is paid by the next file, and what is told of the first try closes nothing", async () => {
    await redeem("alice", "june", 4_000_000);
    const first = desk.bookingsOf(unwrap(await desk.file()));
    const back: readonly Booking[] = first.map((booking) => ({ ...booking, direction: "CRDT", reference: "back" }));
    expect((await desk.receive(back)).returned).toHaveLength(1);
    expect(small.balance("alice"), "it is still owed").toBe(6_000_000n);
    const second = desk.bookingsOf(unwrap(await desk.file()));
    expect(await desk.receive(back), "told again").toMatchObject({ issued: [], returned: [{ status: "returned" }] });
    expect((await desk.plan()).payouts, "not ordered once more").toEqual([]);
    const late = await desk.confirm(first);
    expect([late.confirmed, late.doubts[0]?.refusal.tag]).toEqual([[], "payment_returned"]);
    expect((await desk.confirm(second)).confirmed).toHaveLength(1);
  });

  test("that the bank gives back after it was closed is issued to its owner again, once", async () => {
    await redeem("alice", "june", 4_000_000);
    const paid = desk.bookingsOf(unwrap(await desk.file()));
    await desk.confirm(paid);
    const back: readonly Booking[] = paid.map((booking) => ({ ...booking, direction: "CRDT", reference: "back" }));
    expect((await desk.receive(back)).issued).toMatchObject([{ owner: small.key("alice"), amount: 4_000_000n }]);
    expect((await desk.receive(back)).repeated).toHaveLength(1);
    expect(small.balance("alice")).toBe(10_000_000n);
    expect(held()).toMatchObject({ issuedMicros: 20_000_000n, heldMicros: 20_000_000n });
  });

  test("without an account is held back, and paid when the provider knows one", async () => {
    await redeem("alice", "june", 4_000_000, "savings");
    expect((await desk.plan()).held).toMatchObject([{ redemptionId: "june", reason: "account_unknown" }]);
    expect(await desk.file()).toEqual({ ok: false, error: { tag: "nothing_to_pay" } });
    const known = new PaymentDesk(small, ["alice"]);
    const accounts = { ...known.accounts, accountOf: () => PROVIDER_ACCOUNT };
    Object.assign(known, { accounts });
    expect((await known.plan()).payouts).toHaveLength(1);
    known.close();
  });

  test("survives the provider's crash between the ledger and its journal: the second try finds it done", async () => {
    await redeem("alice", "june", 4_000_000);
    const file = unwrap(await desk.file());
    const bookings = desk.bookingsOf(file);
    const [payout] = desk.payouts.all(file.messageId);
    await small.run("payment-provider", {
      tag: "confirm-payout",
      commandId: `payout/${payout?.endToEndId}`,
      owner: small.key("alice"),
      redemptionId: "june",
      messageId: file.messageId,
      endToEndId: payout?.endToEndId ?? "",
    });
    expect((await desk.confirm(bookings)).confirmed).toHaveLength(1);
    expect(events()).toHaveLength(1);
    expect(await desk.confirm(bookings)).toMatchObject({ confirmed: [], repeated: [{ status: "paid" }] });
    expect(events()).toHaveLength(1);
  });
});

describe("a replayed redemption", () => {
  test("as the same transaction is the same redemption", async () => {
    await redeem("alice", "june", 4_000_000);
    const bytes = [...small.commitLog.scan()].at(-1)?.bytes;
    const transaction = new Uint8Array(bytes ?? []);
    for (const name of ["alice", "bob"])
      expect((await small.send(name, "notary", { tag: "notarise", transaction })).tag).toBe("notarised");
    await small.send("bob", "payment-provider", { tag: "final", transaction });
    expect(small.node("payment-provider").unspent("redemption")).toHaveLength(1);
    expect(await small.run("alice", redeemCommand("june", 4_000_000))).toMatchObject({ status: "exists" });
    expect((await desk.plan()).payouts).toHaveLength(1);
  });

  test("is in one payment file only, also when two are made at once", async () => {
    await redeem("alice", "june", 4_000_000);
    const plans = [await desk.plan(), await desk.plan()];
    const made = await Promise.all(plans.map((plan) => desk.file(plan)));
    expect(made.map((each) => (each.ok ? "made" : each.error.tag)).sort()).toEqual(["made", "redemption_filed"]);
    expect(await desk.file()).toEqual({ ok: false, error: { tag: "nothing_to_pay" } });
    expect(desk.payouts.fileCount).toBe(1);
  });

  test("under the id of another is not signed by the payment provider, whether that is owed or paid", async () => {
    await redeem("alice", "june", 4_000_000);
    const second = await craftedRedemption("alice", { redemptionId: "june", amount: micros(6_000_000) });
    expect(await refusalOf(second)).toMatchObject({ reason: "redemption_id_reused" });
    await desk.confirm(desk.bookingsOf(unwrap(await desk.file())));
    const third = await craftedRedemption("alice", { redemptionId: "june", amount: micros(6_000_000) });
    expect(await refusalOf(third)).toMatchObject({ reason: "redemption_id_reused" });
    const sound = await craftedRedemption("alice", { redemptionId: "july", amount: micros(6_000_000) });
    expect(await refusalOf(sound)).toBeUndefined();
  });

  test("under the id of another is held back where it came about all the same", async () => {
    const open = await small.node("payment-provider").states("redemption");
    expect(open).toEqual([]);
    await redeem("alice", "june", 4_000_000);
    await redeem("alice", "july", 1_000_000);
    const states = await small.node("payment-provider").states("redemption");
    const twins = states.map(({ ref, state }) => ({ ref, state: { ...state, redemptionId: "june" } }));
    const { planPayments } = await import("./payment-run.ts");
    const plan = planPayments(twins, desk);
    expect([plan.payouts.length, plan.held.map(({ reason }) => reason)]).toEqual([1, ["redemption_id_reused"]]);
    unwrap(await desk.file(plan));
    expect(planPayments(twins, desk)).toMatchObject({ payouts: [], held: [{ reason: "redemption_id_reused" }] });
    const forced = { payouts: plan.held, transfers: [], held: [] };
    const file = { messageId: "forced", createdMs: 0, xml: "", signature: "" };
    expect(desk.payouts.file(file, forced.payouts)).toEqual({ ok: false, error: "redemption_id_reused" });
  });
});

function redeemCommand(commandId: string, amount: number): ClientCommand {
  return { tag: "redeem-funds", commandId, amount: micros(amount), account: "main" };
}

/** A redemption of all free funds of a party, built by hand. */
async function craftedRedemption(
  owner: string,
  patch: Partial<Redemption>,
  signer: string = owner,
): Promise<ReturnType<SmallNetwork["craft"]>> {
  const funds = await small.resolved(owner, "funds");
  const [parameters] = await small.resolved(owner, "network-parameters");
  const own = funds.filter(({ state }) => state.tag === "funds" && state.owner === small.key(owner));
  const redemption: Redemption = {
    tag: "redemption",
    redemptionId: "crafted",
    owner: small.key(owner),
    provider: small.key("payment-provider"),
    amount: small.balance(owner),
    account: "main",
    ...patch,
  };
  const content: Transaction = {
    inputs: own.map(({ ref }) => ref),
    references: parameters === undefined ? [] : [parameters.ref],
    outputs: [redemption],
    command: { tag: "redeem-funds" },
    signers: [small.key(signer), small.key("payment-provider")].sort(),
    notary: small.key("notary"),
    window: { fromMs: null, untilMs: small.clock.nowMs() + 60_000 },
  };
  return small.craft(content, signer);
}

/** What the payment provider says when it is asked to sign. */
async function refusalOf(signed: ReturnType<SmallNetwork["craft"]>): Promise<unknown> {
  small.actAs("alice");
  const reply = await small.ask("alice", "payment-provider", "sign", signed);
  return reply.tag === "refused" ? reply.refusal : undefined;
}

describe("redemption of another's funds", () => {
  test("is refused without the owner's signature, whoever it is owed to", async () => {
    for (const to of ["alice", "bob"]) {
      const theft = await craftedRedemption("bob", { owner: small.key(to) }, "alice");
      expect(await refusalOf(theft)).toMatchObject({
        tag: "contract_violated",
        clauses: expect.arrayContaining(["redeem_signed_by_the_owner"]),
      });
    }
    expect(small.balance("bob")).toBe(10_000_000n);
  });

  test("to another's account under its name is to no account: names are the owner's own", async () => {
    await redeem("alice", "june", 4_000_000);
    const { transfers } = await desk.plan();
    expect(transfers.map(({ creditor }) => creditor.name)).toEqual(["alice"]);
    await redeem("alice", "july", 1_000_000, "bob");
    expect((await desk.plan()).held).toMatchObject([{ account: "bob", reason: "account_unknown" }]);
  });
});

describe("a deposit", () => {
  const deposit: Booking = {
    direction: "CRDT",
    amount: "12.34",
    reference: "BANK-77",
    details: [{ remittance: "ALICE" }],
  };

  test("is issued once, however often the bank tells of it, and its owner is told", async () => {
    expect((await desk.receive([deposit])).issued).toMatchObject([{ amount: 12_340_000n }]);
    expect(await desk.receive([deposit, deposit])).toMatchObject({ issued: [], repeated: [{}, {}] });
    expect(small.balance("alice")).toBe(22_340_000n);
    expect(events()).toMatchObject([{ type: "funds.issued", member: small.key("alice"), bankReference: "BANK-77" }]);
  });

  test("of several in one entry are told apart", async () => {
    const collected: Booking = {
      direction: "CRDT",
      amount: "3.00",
      reference: "BANK-78",
      details: [
        { amount: "1.00", remittance: "ALICE" },
        { amount: "2.00", remittance: "BOB" },
      ],
    };
    expect((await desk.receive([collected])).issued).toHaveLength(2);
    expect((await desk.receive([collected])).repeated).toHaveLength(2);
    expect([small.balance("alice"), small.balance("bob")]).toEqual([11_000_000n, 12_000_000n]);
  });

  test("that can't be assigned waits for the operator; debits are none", async () => {
    const unclear: readonly Booking[] = [
      { ...deposit, details: [{ remittance: "MALLORY" }] },
      { ...deposit, currency: "USD" },
      { ...deposit, amount: "12.345" },
      { direction: "CRDT", amount: "1.00", details: [{ remittance: "ALICE" }] },
      { ...deposit, direction: "DBIT" },
      { ...deposit, status: "PDNG" },
    ];
    const { issued, doubts } = await desk.receive(unclear);
    expect(issued).toEqual([]);
    expect(doubts.map(({ refusal }) => refusal.tag)).toEqual([
      "depositor_unknown",
      "currency_foreign",
      "amount_too_fine",
      "reference_missing",
    ]);
    expect(held()).toMatchObject({ issuedMicros: 20_000_000n });
  });

  test("of a payment that came back short, while it is owed, is for the operator to clear up", async () => {
    await redeem("alice", "june", 4_000_000);
    const [paid] = desk.bookingsOf(unwrap(await desk.file()));
    if (paid === undefined) throw new Error("the file orders a payment");
    const { doubts, issued } = await desk.receive([{ ...paid, direction: "CRDT", amount: "3.50" }]);
    expect([issued, doubts[0]?.refusal.tag]).toEqual([[], "amount_differs"]);
  });
});

describe("what the bank tells", () => {
  const bookings: readonly Booking[] = [
    { direction: "CRDT", amount: "1.00", reference: "A", details: [{ remittance: "ALICE", endToEndId: "E" }] },
    { direction: "DBIT", amount: "2.00", batchMessageId: "DREAM-1" },
  ];
  const xml = bankNotification(PROVIDER_ACCOUNT.iban, bookings);

  test("holds the schema of its kind, and is read", async () => {
    expect(messageOf(xml)).toBe(NOTIFICATION_MESSAGE);
    expect(await schemaRefusal(xml, NOTIFICATION_MESSAGE)).toBeUndefined();
    expect(unwrap(readNotification(xml))).toMatchObject([
      {
        iban: PROVIDER_ACCOUNT.iban,
        entries: [
          { direction: "credit", amount: 1_000_000n, bankReference: "A", endToEndId: "E", remittance: ["ALICE"] },
          { direction: "debit", amount: 2_000_000n, bankReference: null, messageId: "DREAM-1", remittance: [] },
        ],
      },
    ]);
  });

  test.each(["", "<a/>", "<Document/>", xml.replace("1.00", "one"), xml.replace(/<IBAN>.*<\/IBAN>/, "")])(
    "and is none is refused (%#)",
    (text) => {
      expect(readNotification(text)).toEqual({ ok: false, error: "message_malformed" });
    },
  );
});

describe("a payment file that the operator says was carried out", () => {
  test("closes what it orders, if it is one of this provider's", async () => {
    await redeem("alice", "june", 4_000_000);
    const { xml } = unwrap(await desk.file());
    const order = unwrap(readPaymentOrder(xml));
    const { paid, doubts } = paidByFile(order, desk.payouts);
    expect([paid.length, doubts]).toEqual([1, []]);
    const foreign = paidByFile({ ...order, messageId: "DREAM-OTHER" }, desk.payouts);
    expect(foreign).toEqual({ paid: [], doubts: [{ what: "DREAM-OTHER", refusal: { tag: "file_unknown" } }] });
    const payments = [{ endToEndId: "E2E-OTHER", amount: micros(1_000_000), currency: "EUR" }];
    const altered = paidByFile({ ...order, payments }, desk.payouts);
    expect(altered).toEqual({ paid: [], doubts: [{ what: "E2E-OTHER", refusal: { tag: "payment_unknown" } }] });
  });
});
