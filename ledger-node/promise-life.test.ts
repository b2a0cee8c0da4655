/**
 * The whole life of a promise over real nodes: created with its deposit, sold in a pool and in an auction, partly delivered,
 * settled. Every amount is worked by hand beside it; who signs what is the paper's section 3.4 (and ours where it adds a verifier).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSignedTransaction } from "#contracts";
import { microsPerKwh, slotId, slotsOfLocalDay, unwrap, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

let small: SmallNetwork;

beforeAll(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("carol", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("dave", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.fund("alice", 10_000_000);
  await small.fund("bob", 5_000_000);
  await small.fund("carol", 5_000_000);
  await small.fund("power-company", 5_000_000);
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
});
afterAll(() => small.close());

const PARTIES = ["alice", "bob", "carol", "dave", "grid-authority", "power-company", "marketplace", "verifier"];

function nameOf(key: string): string {
  return PARTIES.find((name) => small.key(name) === key) ?? key;
}

/** Free funds of all who have any, in micros. */
function balances(): Readonly<Record<string, number>> {
  const all = PARTIES.map((name) => [name, Number(small.balance(name))] as const);
  return Object.fromEntries(all.filter(([, amount]) => amount > 0));
}

/** Promises in a node's vault: energy, owner, lock and what was delivered. */
function promises(name: string): readonly string[] {
  return small
    .node(name)
    .unspent("power-promise")
    .map(
      ({ energy, owner, lock, delivered }) =>
        `${energy} of ${nameOf(owner)}${lock === null ? "" : ` for ${lock.kind} ${lock.id}`}${delivered === null ? "" : `, ${delivered} delivered`}`,
    )
    .sort();
}

/** A member's exposure in the slot: promised, bought, bidding. */
function exposure(name: string): string {
  const [entry] = small
    .node(name)
    .unspent("exposure")
    .flatMap(({ entries }) => entries.filter(({ slot }) => slot === SLOT));
  return entry === undefined ? "none" : `${entry.promised} ${entry.bought} ${entry.bidding}`;
}

/** Who signed the newest transaction, the notary aside. */
function signersOfLast(): readonly string[] {
  const last = [...small.commitLog.scan()].at(-1);
  const signed = unwrap(decodeSignedTransaction(new Uint8Array(last?.bytes ?? [])));
  return signed.signatures.map(({ by }) => nameOf(by)).sort();
}

describe("a promise of 10 kWh by alice", () => {
  test("is created with its deposit: 10 kWh at the emergency price of 0.60", async () => {
    await small.run("alice", {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: SLOT, energy: wattHours(10_000) }],
    });
    expect(promises("alice")).toEqual(["10000 of alice"]);
    expect(promises("grid-authority")).toEqual(["10000 of alice"]);
    expect(promises("bob")).toEqual([]);
    const [deposit] = small.node("grid-authority").unspent("deposit");
    expect(deposit).toEqual({ tag: "deposit", supplier: small.key("alice"), slot: SLOT, amount: 6_000_000n });
    expect(balances()).toEqual({ alice: 4_000_000, bob: 5_000_000, carol: 5_000_000, "power-company": 5_000_000 });
    expect(exposure("alice")).toBe("10000 0 0");
    expect(signersOfLast()).toEqual(["alice", "grid-authority", "verifier"]);
  });

  test("4 kWh of it are offered in the pool, and bob's bid locks limit, fee and reserve", async () => {
    await small.run("alice", {
      tag: "place-orders",
      commandId: "offer",
      marketplace: small.key("marketplace"),
      orders: [{ side: "offer", slot: SLOT, energy: wattHours(4_000), limit: microsPerKwh(100_000) }],
    });
    expect(signersOfLast()).toEqual(["alice", "marketplace", "verifier"]);
    await small.run("bob", {
      tag: "place-orders",
      commandId: "bid",
      marketplace: small.key("marketplace"),
      orders: [{ side: "bid", slot: SLOT, energy: wattHours(3_000), limit: microsPerKwh(250_000) }],
    });
    expect(signersOfLast()).toEqual(["bob", "marketplace", "verifier"]);
    expect(promises("alice")).toEqual(["4000 of alice for order offer/0", "6000 of alice"]);
    expect(promises("marketplace")).toEqual(["4000 of alice for order offer/0"]);
    // 3 kWh × 0.25 + 3 kWh × 0.005 + 0.001 reserve for roundings
    expect(small.node("bob").unspent("pool-order")).toMatchObject([{ energy: 3_000n, locked: 766_000n }]);
    expect(balances()).toMatchObject({ alice: 4_000_000, bob: 4_234_000 });
    expect(exposure("bob")).toBe("0 0 3000");
  });

  test("3 kWh are cleared at 0.18; the offer goes on with the rest", async () => {
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: "round 1",
      slot: SLOT,
      price: microsPerKwh(180_000),
      isFinal: false,
      trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(3_000), price: microsPerKwh(180_000) }],
    });
    expect(promises("alice")).toEqual(["1000 of alice for order offer/0", "3000 of bob", "6000 of alice"]);
    expect(promises("bob")).toEqual(["3000 of bob"]);
    // alice gets 3 × 0.18; bob gets back 0.766 − 0.54 − 0.015; the marketplace its fee of 3 × 0.005
    expect(balances()).toMatchObject({ alice: 4_540_000, bob: 4_445_000, marketplace: 15_000 });
    expect(small.node("alice").unspent("pool-order")).toMatchObject([{ orderId: "offer/0", energy: 1_000n }]);
    expect(small.node("bob").unspent("pool-order")).toEqual([]);
    expect([exposure("alice"), exposure("bob")]).toEqual(["10000 0 0", "0 3000 0"]);
    expect(signersOfLast()).toEqual(["marketplace", "verifier"]);
  });

  test("2 kWh are auctioned; everybody sees the auction, only those concerned the promise", async () => {
    await small.run("alice", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: small.key("marketplace"),
      slot: SLOT,
      energy: wattHours(2_000),
      basePrice: microsPerKwh(100_000),
      deadlineMs: DEADLINE_MS,
    });
    expect(promises("alice")).toEqual([
      "1000 of alice for order offer/0",
      "2000 of alice for auction auction",
      "3000 of bob",
      "4000 of alice",
    ]);
    for (const name of PARTIES) expect(small.node(name).unspent("auction")).toHaveLength(1);
    expect(promises("dave")).toEqual([]);
    expect(signersOfLast()).toEqual(["alice", "verifier"]);
  });

  test("bob bids, carol outbids him, and bob has all his money back", async () => {
    await small.run("bob", { tag: "bid", commandId: "bob bids", auctionId: "auction", price: microsPerKwh(120_000) });
    expect(small.balance("bob")).toBe(4_195_000n); // locked: 2 kWh × (0.12 + 0.005)
    expect(exposure("bob")).toBe("0 3000 2000");
    expect(signersOfLast()).toEqual(["bob", "verifier"]);
    const outbid = { tag: "bid", commandId: "carol bids", auctionId: "auction", price: microsPerKwh(150_000) } as const;
    await small.run("carol", outbid);
    expect(small.balance("bob")).toBe(4_445_000n);
    expect(small.balance("carol")).toBe(4_690_000n); // locked: 2 kWh × (0.15 + 0.005)
    expect([exposure("bob"), exposure("carol")]).toEqual(["0 3000 0", "0 0 2000"]);
    expect(small.node("bob").unspent("bid")).toEqual([]);
    expect(small.node("carol").unspent("bid")).toMatchObject([{ price: 150_000n, locked: 310_000n }]);
    for (const name of PARTIES)
      expect(small.node(name).unspent("auction")).toMatchObject([
        { highestBidder: small.key("carol"), highestPrice: 150_000n, status: "active" },
      ]);
    expect(signersOfLast()).toEqual(["carol", "verifier"]);
  });

  test("the auction ends at its deadline: carol pays, alice and the marketplace are paid, carol owns", async () => {
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    expect(signersOfLast()).toEqual(["alice"]);
    for (const name of PARTIES) expect(small.node(name).unspent("auction")).toMatchObject([{ status: "ended" }]);
    await small.run("carol", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
    expect(signersOfLast()).toEqual(["alice", "carol", "grid-authority", "verifier"]);
    // 2 kWh × 0.15 to alice, 2 kWh × 0.005 to the marketplace
    expect(balances()).toMatchObject({ alice: 4_840_000, carol: 4_690_000, marketplace: 25_000 });
    expect(promises("carol")).toEqual(["2000 of carol"]);
    expect([exposure("alice"), exposure("carol")]).toEqual(["10000 0 0", "0 2000 0"]);
    for (const name of PARTIES) expect(small.node(name).unspent("auction")).toEqual([]);
  });

  test("the final round of the pool releases what was not sold", async () => {
    await small.run("marketplace", {
      tag: "clear-pool",
      commandId: "round 2",
      slot: SLOT,
      price: null,
      isFinal: true,
      trades: [],
    });
    expect(promises("alice")).toEqual(["1000 of alice", "2000 of carol", "3000 of bob", "4000 of alice"]);
    for (const name of PARTIES) expect(small.node(name).unspent("pool-order")).toEqual([]);
    expect(promises("marketplace")).toEqual([]);
  });

  test("8 of 10 kWh are delivered: shared pro rata, and the deposit pays for the rest", async () => {
    small.clock.moveTo(SLOT_END_MS);
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: [
        { member: small.key("alice"), produced: wattHours(9_000), consumed: wattHours(1_000) },
        { member: small.key("bob"), produced: wattHours(0), consumed: wattHours(2_500) },
        { member: small.key("carol"), produced: wattHours(0), consumed: wattHours(3_000) },
      ],
    });
    expect(signersOfLast()).toEqual(["grid-authority"]);
    const check = { tag: "check-delivery", commandId: "check", supplier: small.key("alice"), slot: SLOT } as const;
    await small.run("grid-authority", check);
    expect(signersOfLast()).toEqual(["grid-authority", "power-company"]); // algorithm A2: not kept in full
    expect(promises("grid-authority")).toEqual([
      "1000 of alice, 800 delivered",
      "2000 of carol, 1600 delivered",
      "3000 of bob, 2400 delivered",
      "4000 of alice, 3200 delivered",
    ]);
    // Of 6.00: 2 kWh × 0.60 lost, of which 2 kWh × 0.01 are grid fee; 8 kWh × 0.01 grid fee on the rest.
    expect(balances()).toMatchObject({ alice: 9_560_000, "power-company": 6_180_000, "grid-authority": 100_000 });
    expect(small.node("alice").unspent("delivery-record")).toMatchObject([
      { promised: 10_000n, delivered: 8_000n, depositLost: 1_200_000n, gridFee: 80_000n },
    ]);
    expect(small.node("grid-authority").unspent("deposit")).toEqual([]);
  });

  test("each member's slot is settled against feed-in and retail prices, and the money is all there", async () => {
    for (const name of ["alice", "bob", "carol"]) {
      const settle = { tag: "settle-slot", commandId: `settle ${name}`, member: small.key(name), slot: SLOT } as const;
      await small.run("grid-authority", settle);
      expect(signersOfLast()).toEqual([name, "grid-authority", "power-company"].sort());
    }
    const settled = (name: string): unknown => small.node(name).unspent("slot-settlement")[0];
    // alice fed in the 4 kWh that she delivered and kept; bob used 2.5 of 3 kWh; carol needed 1 kWh more than her 2.
    expect(settled("alice")).toMatchObject({
      used: 0n,
      feedInEnergy: 4_000n,
      feedInAmount: 320_000n,
      retailAmount: 0n,
    });
    expect(settled("bob")).toMatchObject({ used: 2_500n, feedInEnergy: 500n, feedInAmount: 40_000n, retailAmount: 0n });
    expect(settled("carol")).toMatchObject({
      used: 2_000n,
      feedInAmount: 0n,
      retailEnergy: 1_000n,
      retailAmount: 300_000n,
    });
    expect(balances()).toEqual({
      alice: 9_880_000,
      bob: 4_485_000,
      carol: 4_390_000,
      "grid-authority": 100_000,
      marketplace: 25_000,
      "power-company": 6_120_000,
    });
    expect(["alice", "bob", "carol"].map(exposure)).toEqual(["none", "none", "none"]);
    for (const name of PARTIES) expect(promises(name)).toEqual([]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 25_000_000n, heldMicros: 25_000_000n });
  });
});

test("days are opened in any order: promises for a later day first, then for earlier ones, then for several at once", async () => {
  const network = await SmallNetwork.found();
  await network.join("alice");
  await network.fund("alice", 5_000_000, 5_000_000);
  const at = (day: number) => ({ slot: slotId(`2031-06-0${day}T10:15Z/PT15M`), energy: wattHours(1_000) });
  for (const days of [[5], [3], [4, 2], [5]])
    await network.run("alice", {
      tag: "create-promises",
      commandId: `days ${days} ${network.clock.nowMs()}`,
      promises: days.map(at),
    });
  const [index] = network.node("alice").unspent("exposure-index");
  expect(index?.openedDays).toEqual(["2031-06-02", "2031-06-03", "2031-06-04", "2031-06-05"]);
  expect(network.node("alice").unspent("exposure")).toHaveLength(4);
  network.close();
});
