/** The grid authority's work after a slot: what was kept, broken or never promised, and what is left for a second run. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeSignedTransaction } from "#contracts";
import { microsPerKwh, slotsOfLocalDay, unwrap, wattHours, zone } from "#core";
import { DAY, PARAMETERS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { settleWholeSlot } from "./slot-settlement.ts";

let small: SmallNetwork;

beforeEach(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "bob", "carol"]) {
    await small.join(name);
    await small.fund(name, 5_000_000, 5_000_000);
  }
  await small.fund("power-company", 1_000_000, 1_000_000);
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
  for (const name of ["alice", "bob"])
    await small.run(name, {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: SLOT, energy: wattHours(5_000) }],
    });
  small.clock.moveTo(SLOT_END_MS);
});
afterEach(() => small.close());

/** alice keeps her promise of 5 kWh and feeds in 1 more; bob delivers nothing and draws 2; carol never promised and feeds in 3. */
function settle(): ReturnType<typeof settleWholeSlot> {
  const reading = (name: string, produced: number, consumed: number) => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  });
  const readings = [reading("alice", 7_000, 1_000), reading("bob", 0, 2_000), reading("carol", 3_000, 0)];
  return settleWholeSlot(small.node("grid-authority"), SLOT, readings);
}

/** Who signed each transaction of a flow, in order. */
function signersOf(tag: string): readonly string[] {
  const names = ["alice", "bob", "carol", "grid-authority", "power-company"];
  return [...small.commitLog.scan()].flatMap(({ bytes }) => {
    const { transaction, signatures } = unwrap(decodeSignedTransaction(new Uint8Array(bytes)));
    if (transaction.content.command.tag !== tag) return [];
    return names.filter((name) => signatures.some(({ by }) => by === small.key(name))).join(" ");
  });
}

function balances(): readonly number[] {
  return ["alice", "bob", "carol", "power-company", "grid-authority"].map((name) => Number(small.balance(name)));
}

const SETTLED = [
  10_430_000, // 10 + 1 × 0.08 feed-in beyond the promise + 5 × 0.08 for her own promise, which she kept and holds − 5 × 0.01 grid fee
  6_400_000, // 10 − 5 × 0.60 deposit lost − 2 × 0.30 retail
  10_240_000, // 10 + 3 × 0.08
  4_830_000, // 2 + 2.95 of bob's deposit + 0.60 retail − 0.48 − 0.24 feed-in
  100_000, // 0.05 from alice, 0.05 from bob's deposit
];

describe("the settlement of a slot", () => {
  test("pays what was kept, takes what was broken, and signs as algorithm A2 says", async () => {
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(SETTLED);
    // Kept: the supplier signs beside the grid authority. Broken: the power company, which delivers instead.
    expect([...signersOf("check-delivery")].sort()).toEqual(["alice grid-authority", "grid-authority power-company"]);
    expect([...signersOf("settle-slot")].sort()).toEqual(
      ["alice", "bob", "carol"].map((name) => `${name} grid-authority power-company`),
    );
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 32_000_000n, heldMicros: 32_000_000n });
    for (const tag of ["power-promise", "deposit", "delivery-record", "meter-reading"] as const)
      expect(small.node("grid-authority").unspent(tag)).toEqual([]);
  });

  test("run again changes nothing", async () => {
    await settle();
    const before = await small.everything();
    expect(await settle()).toEqual([]);
    expect(await small.everything()).toEqual(before);
  });

  test("leaves for the next run what a member that is away has to sign", async () => {
    const alice = small.key("alice");
    small.wire.intercept = (_from, to, request, next) =>
      to === alice && request.tag === "sign"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    const refusal = { tag: "counterparty_refused", party: alice, reason: "node_unreachable", clauses: [] };
    expect(await settle()).toEqual([
      { step: "check-delivery", member: alice, refusal },
      // Not before its delivery was checked.
      {
        step: "settle-slot",
        member: alice,
        refusal: { tag: "contract_violated", clauses: ["settlement_after_delivery_check"] },
      },
    ]);
    expect(small.node("bob").unspent("slot-settlement")).toHaveLength(1);
    small.wire.intercept = undefined;
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(SETTLED);
  });

  test("goes on without silent members after the grace period, but takes no money that they do not sign for", async () => {
    const [alice, bob] = [small.key("alice"), small.key("bob")];
    small.wire.intercept = (_from, to, request, next) =>
      to === alice || to === bob
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    expect((await settle()).map(({ step, member }) => [step, member])).toEqual([
      ["check-delivery", alice],
      ["settle-slot", alice],
      ["settle-slot", bob],
    ]);
    small.clock.moveTo(SLOT_END_MS + PARAMETERS.settlementGraceMs);
    // Bob would have to pay.
    expect(await settle()).toMatchObject([{ step: "settle-slot", member: bob, refusal: { tag: "node_unreachable" } }]);
    expect(signersOf("check-delivery")).toEqual(["grid-authority power-company", "grid-authority"]);
    expect(signersOf("settle-slot")).toEqual(["carol grid-authority power-company", "grid-authority power-company"]);
    small.wire.intercept = undefined;
    await small.node("grid-authority").resume();
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(SETTLED);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 32_000_000n, heldMicros: 32_000_000n });
  });

  test("goes on without a member that answers and refuses to sign: nobody can hold up a delivery", async () => {
    const alice = small.key("alice");
    small.wire.intercept = (_from, to, request, next) =>
      to === alice && request.tag === "sign"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "role_not_allowed" } })
        : next(request);
    expect((await settle()).map(({ step, member }) => [step, member])).toEqual([
      ["check-delivery", alice],
      ["settle-slot", alice],
    ]);
    small.clock.moveTo(SLOT_END_MS + PARAMETERS.settlementGraceMs);
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(SETTLED);
  });

  test("goes on without a silent power company where that is paid, and waits where it pays", async () => {
    const company = small.key("power-company");
    small.wire.intercept = (_from, to, request, next) =>
      to === company ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }) : next(request);
    await settle();
    small.clock.moveTo(SLOT_END_MS + PARAMETERS.settlementGraceMs);
    expect((await settle()).map(({ step, member }) => [step, member])).toEqual([
      ["settle-slot", small.key("alice")],
      ["settle-slot", small.key("carol")],
    ]);
    small.wire.intercept = undefined;
    await small.node("grid-authority").resume();
    expect(await settle()).toEqual([]);
    expect(balances()).toEqual(SETTLED);
  });

  test("with other readings than before is refused: a slot is read once", async () => {
    await settle();
    const other = await settleWholeSlot(small.node("grid-authority"), SLOT, [
      { member: small.key("alice"), produced: wattHours(9_000), consumed: wattHours(0) },
    ]);
    expect(other).toEqual([{ step: "record-meters", member: null, refusal: { tag: "command_id_reused" } }]);
  });

  test("funds that a failed settlement reserved are free again after a while", async () => {
    const bob = small.key("bob");
    small.wire.intercept = (_from, to, request, next) =>
      to === bob && request.tag === "sign"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    await settle();
    small.wire.intercept = undefined;
    const reserve = () =>
      small.send("grid-authority", "bob", { tag: "fund", flowId: "x", amount: 6_000_000n as never });
    expect((await reserve()).tag).toBe("refused");
    small.clock.moveTo(SLOT_END_MS + 5 * 60_000);
    expect((await reserve()).tag).toBe("proved");
  });
});
