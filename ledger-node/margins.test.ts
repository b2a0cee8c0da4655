/** A speculator's margin, from the order that locks it to the settlement that pays the surplus cost out of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, NEXT_SLOT, PARAMETERS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { settleWholeSlot } from "./slot-settlement.ts";

let small: SmallNetwork;

/** Surplus costs 0.02 per kWh, and nothing is paid for what is fed in. */
beforeEach(async () => {
  small = await SmallNetwork.found({ rules: { surplusPrice: microsPerKwh(20_000) } });
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("sam", {
    roles: ["speculator"],
    capacityPerSlot: wattHours(0),
    holdingCapPerSlot: wattHours(10_000),
  });
  for (const name of ["alice", "bob", "sam"]) await small.fund(name, 5_000_000, 5_000_000);
  await small.fund("power-company", 1_000_000);
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(0)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(5_000) }],
  });
});
afterEach(() => small.close());

type Side = readonly [side: "bid" | "offer", energy: number, limit: number, slot?: typeof SLOT];
function ordering(commandId: string, ...sides: readonly Side[]): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: sides.map(([side, energy, limit, slot = SLOT]) => ({
      side,
      slot,
      energy: wattHours(energy),
      limit: microsPerKwh(limit),
    })),
  };
}

async function trade(commandId: string, bid: string, offer: string, energy: number): Promise<void> {
  const price = microsPerKwh(100_000);
  const trades = [{ bid, offer, energy: wattHours(energy), price }];
  await small.run("marketplace", { tag: "clear-pool", commandId, slot: SLOT, price, isFinal: false, trades });
}

/** Sam buys 2 kWh of alice at 0.10. */
async function buys(): Promise<void> {
  await small.run("alice", ordering("offer", ["offer", 2_000, 100_000]));
  await small.run("sam", ordering("order", ["bid", 2_000, 100_000]));
  await trade("round", "order/0", "offer/0", 2_000);
}

const release: ClientCommand = { tag: "release-margin", commandId: "release", day: DAY };
const lockedOf = (name: string): readonly bigint[] =>
  small
    .node(name)
    .unspent("margin")
    .map(({ amount }) => amount);
const settle = (produced: number): ReturnType<typeof settleWholeSlot> =>
  settleWholeSlot(small.node("grid-authority"), SLOT, [
    { member: small.key("alice"), produced: wattHours(produced), consumed: wattHours(0) },
    { member: small.key("sam"), produced: wattHours(0), consumed: wattHours(0) },
  ]);

describe("a speculator", () => {
  test("locks its margin with the order, and holds it after the trade; its owner and the grid authority know of it", async () => {
    await buys();
    // 10 − 0.20 − 0.01 fee − 0.04 margin.
    expect(small.balance("sam")).toBe(9_750_000n);
    expect([lockedOf("sam"), lockedOf("grid-authority")]).toEqual([[40_000n], [40_000n]]);
    for (const name of ["alice", "bob", "marketplace", "power-company"]) expect(lockedOf(name), name).toEqual([]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 31_000_000n, heldMicros: 31_000_000n });
  });

  test("locks more with each order of a day, and none where what is locked suffices", async () => {
    await small.run("sam", ordering("first", ["bid", 1_000, 0], ["bid", 500, 0, NEXT_SLOT]));
    expect(lockedOf("sam")).toEqual([30_000n]);
    await small.run("sam", ordering("second", ["bid", 1_000, 0]));
    expect(lockedOf("sam")).toEqual([50_000n]);
    await small.run("sam", { tag: "cancel-orders", commandId: "back", orderIds: ["second/0"] });
    await small.run("sam", ordering("third", ["bid", 900, 0, NEXT_SLOT]));
    expect(lockedOf("sam")).toEqual([50_000n]);
  });

  test("locks it with a bid in an auction too", async () => {
    await small.run("alice", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(1_000),
      basePrice: microsPerKwh(50_000),
      deadlineMs: DEADLINE_MS,
    });
    await small.run("sam", { tag: "bid", commandId: "bid", auctionId: "auction", price: microsPerKwh(60_000) });
    expect(lockedOf("sam")).toEqual([20_000n]);
  });

  test("that has the price but not the margin is refused, and told of the margin", async () => {
    await small.run("sam", { tag: "redeem-funds", commandId: "out", amount: 9_950_000n as never });
    expect(await small.submit("sam", ordering("order", ["bid", 2_000, 0]))).toEqual({
      ok: false,
      // The fee of 0.01, the rounding reserve of 0.001 and the margin.
      error: { tag: "insufficient_funds", needed: 51_000n, margin: 40_000n, available: 50_000n },
    });
    await small.run("sam", ordering("less", ["bid", 1_900, 0]));
  });

  test("gets back what it has sold again, and no more", async () => {
    await buys();
    expect(await small.submit("sam", release)).toEqual({
      ok: false,
      error: { tag: "margin_in_use", needed: 40_000n, locked: 40_000n },
    });
    await small.run("sam", ordering("resale", ["offer", 500, 100_000]));
    await small.run("bob", ordering("buyer", ["bid", 500, 100_000]));
    await trade("second round", "buyer/0", "resale/0", 500);
    await small.run("sam", release);
    expect(lockedOf("sam")).toEqual([30_000n]);
    expect(small.balance("sam")).toBe(9_810_000n);
  });

  test("others lock none", async () => {
    await small.run("bob", ordering("order", ["bid", 2_000, 0]));
    expect(lockedOf("bob")).toEqual([]);
    expect(await small.submit("bob", release)).toMatchObject({ error: { tag: "margin_in_use", locked: 0n } });
  });
});

describe("at settlement", () => {
  test("the margin pays the surplus cost, and what the rest of the day needs stays locked", async () => {
    await buys();
    await small.run("sam", ordering("later", ["bid", 500, 0, NEXT_SLOT]));
    expect(lockedOf("sam")).toEqual([50_000n]);
    const before = small.balance("sam");
    small.clock.moveTo(SLOT_END_MS);
    expect(await settle(5_000)).toEqual([]);
    expect(lockedOf("sam")).toEqual([10_000n]);
    expect(small.balance("sam")).toBe(before);
    expect(small.node("sam").unspent("slot-settlement")).toMatchObject([
      { used: 0n, feedInEnergy: 2_000n, feedInAmount: 0n, surplusAmount: 40_000n, bought: 2_000n },
    ]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 31_000_000n, heldMicros: 31_000_000n });
  });

  test("it pays although its owner is silent, once the owner has been waited for", async () => {
    await buys();
    const sam = small.key("sam");
    const company = small.balance("power-company");
    small.wire.intercept = (_from, to, request, next) =>
      to === sam ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }) : next(request);
    small.clock.moveTo(SLOT_END_MS);
    expect(await settle(5_000)).toMatchObject([{ step: "settle-slot", member: sam }]);
    small.clock.moveTo(SLOT_END_MS + PARAMETERS.settlementGraceMs);
    expect(await settle(5_000)).toEqual([]);
    expect(lockedOf("grid-authority")).toEqual([]);
    expect(small.balance("power-company")).toBe(company + 40_000n);
  });

  test("what is sold again costs its buyer, if it does not use it", async () => {
    await buys();
    await small.run("sam", ordering("resale", ["offer", 2_000, 100_000]));
    await small.run("bob", ordering("buyer", ["bid", 2_000, 100_000]));
    await trade("second round", "buyer/0", "resale/0", 2_000);
    small.clock.moveTo(SLOT_END_MS);
    const before = small.balance("bob");
    const readings = [
      { member: small.key("alice"), produced: wattHours(5_000), consumed: wattHours(0) },
      { member: small.key("bob"), produced: wattHours(0), consumed: wattHours(1_500) },
      { member: small.key("sam"), produced: wattHours(0), consumed: wattHours(0) },
    ];
    expect(await settleWholeSlot(small.node("grid-authority"), SLOT, readings)).toEqual([]);
    expect(small.balance("bob")).toBe(before - 10_000n);
    expect(lockedOf("sam")).toEqual([]);
  });
});
