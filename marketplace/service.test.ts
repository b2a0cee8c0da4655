/** The marketplace service over real nodes: who may enter, what a round clears, what the last one gives back, who hears of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, MarketplaceFeed, PoolOrder, PoolRound } from "#contracts";
import { microsPerKwh, wattHours } from "#core";
import { ownerClient } from "#ledger-client";
import { GATE_MS, NEXT_SLOT, SLOT, SmallNetwork } from "#testkit";
import { payAsBid, payAsClear, type TradingMethod } from "./clearing/index.ts";
import { admissionPolicy, Marketplace } from "./service.ts";

let small: SmallNetwork;
let marketplace: Marketplace;

beforeEach(async () => {
  let open: () => readonly PoolOrder[] = () => [];
  small = await SmallNetwork.found({ marketplacePolicy: admissionPolicy(() => open()) });
  open = () => small.node("marketplace").unspent("pool-order");
  marketplace = serving(payAsClear);
  for (const name of ["alice", "bob", "carol"]) {
    await small.join(name);
    await small.fund(name, ...Array.from({ length: 10 }, () => 5_000_000));
  }
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [SLOT, NEXT_SLOT].map((slot) => ({ slot, energy: wattHours(10_000) })),
  });
});
afterEach(() => small.close());

function serving(method: TradingMethod): Marketplace {
  const client = ownerClient(small.node("marketplace"));
  return new Marketplace({ client, method, nowMs: () => small.clock.nowMs() });
}

type OrderParts = readonly [side: "bid" | "offer", energy: number, limit: number, slot?: typeof SLOT];

function ordering(commandId: string, ...parts: readonly OrderParts[]): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: parts.map(([side, energy, limit, slot = SLOT]) => ({
      side,
      slot,
      energy: wattHours(energy),
      limit: microsPerKwh(limit),
    })),
  };
}

/** Energy of free promises by holder, and open orders of the marketplace: what is where. */
function holdings(): Readonly<Record<string, number>> {
  const free = ["alice", "bob", "carol"].map((name) => {
    const own = small
      .node(name)
      .unspent("power-promise")
      .filter(({ owner, lock, slot }) => owner === small.key(name) && lock === null && slot === SLOT);
    return [name, Number(own.reduce((sum, { energy }) => sum + energy, 0n))] as const;
  });
  return { ...Object.fromEntries(free), orders: small.node("marketplace").unspent("pool-order").length };
}

describe("a round", () => {
  test("clears each slot by itself, at one price, and keeps what was not traded", async () => {
    // Two offers of one command, both out of one promise.
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000], ["offer", 2_000, 220_000]));
    await small.run("bob", ordering("b", ["bid", 3_000, 250_000]));
    await small.run("carol", ordering("c", ["bid", 2_000, 150_000], ["bid", 1_000, 90_000, NEXT_SLOT]));
    expect(await marketplace.clearSlots([SLOT, NEXT_SLOT], false)).toEqual([]);
    // 4 kWh at 0.10 meet 3 kWh at 0.25 and 1 of 2 kWh at 0.15. Carol's bid counts as accepted and as rejected at its limit,
    // so from max(0.15, 0.10) to min(0.15, 0.22): the price is 0.15.
    const at = { clearedAtMs: small.clock.nowMs(), isFinal: false };
    expect(marketplace.rounds()).toEqual([
      { ...at, slot: SLOT, requires: null, price: 150_000n, volume: 4_000n },
      { ...at, slot: NEXT_SLOT, requires: null, price: null, volume: 0n },
    ]);
    expect(holdings()).toEqual({ alice: 4_000, bob: 3_000, carol: 1_000, orders: 3 });
    // bob: 50 − 3 × 0.155; carol: 50 − 1 × 0.155 − locked 1 × 0.155 + 0.001 and 1 × 0.095 + 0.001; the marketplace: 4 × 0.005
    expect(small.balance("bob")).toBe(49_535_000n);
    expect(small.balance("carol")).toBe(49_593_000n);
    expect(small.balance("marketplace")).toBe(20_000n);
  });

  test("clears by the method it was given: pay-as-bid takes each bid at its own price", async () => {
    marketplace = serving(payAsBid);
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000]));
    await small.run("bob", ordering("b", ["bid", 3_000, 250_000]));
    await small.run("carol", ordering("c", ["bid", 1_000, 150_000]));
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(small.balance("bob")).toBe(49_235_000n); // 50 − 3 × 0.255
    expect(small.balance("carol")).toBe(49_845_000n); // 50 − 1 × 0.155
    expect(marketplace.rounds()).toMatchObject([{ price: null, volume: 4_000n }]);
  });

  test("without orders is none, and without a trade leaves the ledger alone", async () => {
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(marketplace.rounds()).toEqual([]);
    await small.run("bob", ordering("b", ["bid", 3_000, 250_000]));
    const before = await small.everything();
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(await small.everything()).toEqual(before);
    expect(marketplace.rounds()).toMatchObject([{ price: null, volume: 0n, isFinal: false }]);
  });

  test("that is the last gives everything back; at the same instant as the one before, too", async () => {
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000]));
    await small.run("bob", ordering("b", ["bid", 3_000, 250_000]));
    await small.run("carol", ordering("c", ["bid", 2_000, 50_000]));
    await marketplace.clearSlots([SLOT], false);
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(holdings()).toEqual({ alice: 7_000, bob: 3_000, carol: 0, orders: 0 });
    expect(small.balance("carol")).toBe(50_000_000n);
    expect(marketplace.rounds().map(({ isFinal, volume }) => [isFinal, volume])).toEqual([
      [false, 3_000n],
      [true, 0n],
    ]);
    for (const name of ["alice", "bob", "carol"]) expect(small.node(name).unspent("pool-order")).toEqual([]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 150_000_000n, heldMicros: 150_000_000n });
  });

  test("after the gate trades nothing, but gives back", async () => {
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000]));
    await small.run("carol", ordering("c", ["bid", 2_000, 50_000]));
    small.clock.moveTo(GATE_MS);
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(holdings()).toEqual({ alice: 10_000, bob: 0, carol: 0, orders: 0 });
  });

  test("that the ledger refuses is a problem of its slot alone, is not published, and succeeds the next time", async () => {
    for (const slot of [SLOT, NEXT_SLOT]) {
      await small.run("alice", ordering(`a ${slot}`, ["offer", 1_000, 100_000, slot]));
      await small.run("bob", ordering(`b ${slot}`, ["bid", 1_000, 100_000, slot]));
    }
    small.wire.intercept = (_from, to, request, next) =>
      request.tag === "sign" && to === small.key("verifier")
        ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } })
        : next(request);
    const before = await small.everything();
    const refusal = {
      tag: "counterparty_refused",
      party: small.key("verifier"),
      reason: "node_unreachable",
      clauses: [],
    };
    expect(await marketplace.clearSlots([SLOT, NEXT_SLOT], false)).toEqual([
      { slot: SLOT, refusal },
      { slot: NEXT_SLOT, refusal },
    ]);
    expect(await small.everything()).toEqual(before);
    expect(marketplace.rounds()).toEqual([]);
    small.wire.intercept = undefined;
    expect(await marketplace.clearSlots([SLOT, NEXT_SLOT], false)).toEqual([]);
    expect(marketplace.rounds()).toHaveLength(2);
  });

  test("is heard by who listens, until it stops", async () => {
    await small.run("bob", ordering("b", ["bid", 1_000, 100_000]));
    const heard: PoolRound[] = [];
    const feed: MarketplaceFeed = marketplace;
    const stop = feed.listen((round) => heard.push(round));
    await marketplace.clearSlots([SLOT], false);
    stop();
    await marketplace.clearSlots([SLOT], true);
    expect(heard).toEqual(feed.rounds().slice(0, 1));
    expect(feed.rounds()).toHaveLength(2);
  });
});

describe("entry", () => {
  /** A node that does not look at its own orders, as a dishonest one would: the marketplace must. */
  async function refusedByMarketplace(name: string, command: ClientCommand, reason: string): Promise<void> {
    const before = await small.everything();
    const { commandId } = command;
    expect(await small.submit(name, command), commandId).toEqual({
      ok: false,
      error: { tag: "counterparty_refused", party: small.key("marketplace"), reason, clauses: [] },
    });
    expect(await small.everything()).toEqual(before);
  }

  test("an order that would meet one of its owner is refused, and nothing has changed", async () => {
    await small.run("alice", ordering("a", ["offer", 1_000, 100_000]));
    const before = await small.everything();
    for (const limit of [100_000, 100_001])
      expect(await small.submit("alice", ordering("x", ["bid", 1_000, limit]))).toEqual({
        ok: false,
        error: { tag: "self_cross" },
      });
    expect(await small.everything()).toEqual(before);
    const seen = policyOn(small.node("marketplace").unspent("pool-order"));
    expect(seen({ owner: small.key("alice"), side: "bid", limit: microsPerKwh(100_000) })).toBe("self_cross");
    expect(seen({ owner: small.key("alice"), side: "bid", limit: microsPerKwh(99_999) })).toBeUndefined();
    expect(seen({ owner: small.key("bob"), side: "bid", limit: microsPerKwh(100_000) })).toBeUndefined();
    expect(
      seen({ owner: small.key("alice"), side: "bid", limit: microsPerKwh(100_000), slot: NEXT_SLOT }),
    ).toBeUndefined();
  });

  /** The marketplace's own rule on one more order, whatever the owner's node has said before. */
  function policyOn(open: readonly PoolOrder[]): (patch: Partial<PoolOrder>) => string | undefined {
    const [like] = open;
    if (like === undefined) throw new Error("an order is open");
    return (patch) =>
      admissionPolicy(() => open)({
        content: {
          inputs: [],
          references: [],
          outputs: [{ ...like, orderId: "new", ...patch }],
          command: { tag: "place-orders", owner: like.owner },
          signers: [],
          notary: small.key("notary"),
          window: { fromMs: null, untilMs: null },
        },
        inputs: [],
        references: [],
      });
  }

  test("orders of one owner on both sides that do not meet are welcome, and trade with others", async () => {
    await small.run("alice", ordering("a", ["offer", 2_000, 200_000], ["bid", 1_000, 199_999]));
    await small.run("bob", ordering("b", ["bid", 1_000, 250_000]));
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(marketplace.rounds()).toMatchObject([{ volume: 1_000n }]);
    expect(holdings()).toMatchObject({ bob: 1_000, orders: 2 });
  });

  test("an order id that another's open order has is refused", async () => {
    await small.run("bob", ordering("same", ["bid", 1_000, 100_000]));
    await refusedByMarketplace("carol", ordering("same", ["bid", 1_000, 90_000]), "command_id_reused");
    await small.run("bob", { tag: "cancel-orders", commandId: "cancel", orderIds: ["same/0"] });
    expect(await small.submit("carol", ordering("same", ["bid", 1_000, 90_000])), "free again").toMatchObject({
      ok: true,
    });
  });

  test("a cancellation gives back money and promises at once", async () => {
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000]));
    await small.run("bob", ordering("b", ["bid", 1_000, 50_000], ["bid", 1_000, 60_000]));
    await small.run("alice", { tag: "cancel-orders", commandId: "cancel a", orderIds: ["a/0"] });
    await small.run("bob", { tag: "cancel-orders", commandId: "cancel b", orderIds: ["b/1"] });
    expect(holdings()).toEqual({ alice: 10_000, bob: 0, carol: 0, orders: 1 });
    expect(small.balance("bob")).toBe(49_944_000n); // 50 − 1 × 0.055 − 0.001
  });
});

describe("one bad order does not hold up the pool", () => {
  test("of a member that was suspended: the others trade, and the final round gives it back", async () => {
    await small.run("alice", ordering("a", ["offer", 4_000, 100_000]));
    await small.run("bob", ordering("b", ["bid", 1_000, 300_000]));
    await small.run("carol", ordering("c", ["bid", 1_000, 200_000]));
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("bob"),
      standing: "suspended",
    });
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(holdings()).toMatchObject({ bob: 0, carol: 1_000 });
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(holdings()).toMatchObject({ alice: 9_000, bob: 0, orders: 0 });
    expect(small.balance("bob")).toBe(50_000_000n);
  });

  test("that meets its owner's other order, both having come in at the same time", async () => {
    // Neither the node nor the marketplace has seen the other order as final when it signs: both are a delegate's.
    const delegate = await small.delegate("alice", ["place-orders"]);
    const both = await Promise.all([
      delegate.submit(ordering("o", ["offer", 1_000, 100_000])),
      delegate.submit(ordering("i", ["bid", 1_000, 150_000])),
    ]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    await small.run("bob", ordering("b", ["bid", 1_000, 120_000]));
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(marketplace.rounds()).toMatchObject([{ volume: 1_000n }]);
    expect(holdings()).toMatchObject({ bob: 1_000 });
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(holdings()).toMatchObject({ alice: 9_000, orders: 0 });
  });

  test("with an id that another has too, both having come in at the same time", async () => {
    const both = await Promise.all([
      small.submit("bob", ordering("same", ["bid", 1_000, 300_000])),
      small.submit("carol", ordering("same", ["bid", 1_000, 300_000])),
    ]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    await small.run("alice", ordering("a", ["offer", 1_000, 100_000]));
    await small.run("bob", ordering("b", ["bid", 1_000, 120_000]));
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(marketplace.rounds()).toMatchObject([{ volume: 1_000n }]);
    for (const name of ["bob", "carol"]) {
      await small.run(name, { tag: "cancel-orders", commandId: `cancel ${name}`, orderIds: ["same/0"] });
      expect(small.node(name).unspent("pool-order")).toEqual([]);
    }
  });
});
