/** The agent on a real network: what its gate stops never reaches the ledger, and what goes around the gate is rejected there. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, type SlotId, wattHours } from "#core";
import type { BatteryState, Intent } from "#strategies";
import {
  AgentStage,
  type AgentStageOptions,
  GATE_MS,
  NEXT_SLOT,
  RENEWABLE,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  SOLAR,
} from "#testkit";
import { INTENTS_PER_CALL_MAX } from "./agent.ts";

const MINUTE = 60_000;
const PROMISE: Intent = { tag: "promise", slotId: SLOT, energy: wattHours(2_000) };
const OFFER: Intent = { tag: "offer", slotId: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) };
const ORDER: Intent = { tag: "order", slotId: NEXT_SLOT, energy: wattHours(1_000), limit: microsPerKwh(200_000) };
const CANCEL: Intent = { tag: "cancel", slotId: NEXT_SLOT };
const BATTERY: BatteryState = { capacityWh: 6_000, powerW: 4_000, roundTripEfficiency: 0.9, storedWh: 3_000 };

let stages: AgentStage[] = [];
afterEach(() => {
  for (const stage of stages) stage.close();
  stages = [];
});

async function opened(options: AgentStageOptions = {}): Promise<AgentStage> {
  const stage = await AgentStage.open(options);
  stages.push(stage);
  return stage;
}

async function mandated(options: AgentStageOptions = {}): Promise<AgentStage> {
  const stage = await opened(options);
  await stage.grantMandate();
  return stage;
}

/** Bob promises 3 kWh for the slot and opens an auction of 1 kWh of it. */
async function auctionOfBob(stage: AgentStage): Promise<string> {
  const { network, marketplace } = stage;
  await network.run("bob", {
    tag: "create-promises",
    commandId: "promise of bob",
    promises: [{ slot: SLOT, energy: wattHours(3_000) }],
  });
  await network.run("bob", {
    tag: "create-auction",
    commandId: "auction of bob",
    marketplace,
    slot: SLOT,
    energy: wattHours(1_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: GATE_MS - 60 * MINUTE,
  });
  await stage.agent.react();
  return "auction of bob";
}

/** The seller promises energy, and sells it to the buyer in the pool at 0.20 per kWh. */
async function sale(stage: AgentStage, seller: string, buyer: string, energy: number): Promise<void> {
  const { network, marketplace } = stage;
  const price = microsPerKwh(200_000);
  const order = { slot: SLOT, energy: wattHours(energy), limit: price };
  const id = `${seller} to ${buyer}`;
  await network.run(seller, { tag: "create-promises", commandId: `promise, ${id}`, promises: [order] });
  const orders = [
    [seller, "offer"],
    [buyer, "bid"],
  ] as const;
  for (const [name, side] of orders)
    await network.run(name, {
      tag: "place-orders",
      commandId: `${side}, ${id}`,
      marketplace,
      orders: [{ side, ...order }],
    });
  await network.run("marketplace", {
    tag: "clear-pool",
    commandId: `round, ${id}`,
    slot: SLOT,
    price,
    isFinal: false,
    trades: [{ bid: `bid, ${id}/0`, offer: `offer, ${id}/0`, energy: wattHours(energy), price }],
  });
}

describe("intents", () => {
  test("cover what is sold with what is held, as far as it suits; each sees what the one before it did", async () => {
    const stage = await mandated();
    await sale(stage, "alice", "bob", 2_000);
    await sale(stage, "carol", "alice", 1_500);
    const cover = (energy: number): Intent => ({ tag: "cover", slotId: SLOT, energy: wattHours(energy) });
    expect(await stage.outcomes([cover(1_501), cover(900), cover(700), cover(600)])).toEqual([
      "cover: denied promise_not_held",
      "cover: accepted",
      "cover: denied promise_not_held",
      "cover: accepted",
    ]);
    stage.look = (context) => {
      expect(context.position(SLOT)).toMatchObject({ promised: 500n, sold: 500n, bought: 0n, coverable: 0n });
    };
    await stage.wants([]);
    const held = stage.network.node("bob").unspent("power-promise");
    const byCarol = held.filter(({ supplier }) => supplier === stage.network.key("carol"));
    expect(byCarol.map(({ energy }) => energy).sort()).toEqual([600n, 900n]);
  });

  test("become transactions, in their order, each seeing what the one before it did", async () => {
    const stage = await mandated();
    expect(await stage.outcomes([PROMISE, OFFER, ORDER, CANCEL])).toEqual([
      "promise: accepted",
      "offer: accepted",
      "order: accepted",
      "cancel: accepted",
    ]);
    const node = stage.network.node("alice");
    expect(node.unspent("power-promise").map(({ energy, lock }) => [energy, lock?.kind])).toEqual(
      expect.arrayContaining([
        [1_000n, "order"],
        [1_000n, undefined],
      ]),
    );
    expect(node.unspent("pool-order").map(({ side, energy }) => [side, energy])).toEqual([["offer", 1_000n]]);
  });

  test("of one kind and day are one transaction", async () => {
    const stage = await mandated();
    const before = stage.transactions;
    const second: Intent = { ...PROMISE, slotId: NEXT_SLOT };
    expect(await stage.outcomes([PROMISE, second])).toEqual(["promise: accepted", "promise: accepted"]);
    expect(stage.transactions).toBe(before + 1);
  });

  test("that only together break a limit: the first passes, the second is denied", async () => {
    const stage = await mandated({ limits: { intentsPerHourMax: 4 } });
    const half: Intent = { ...PROMISE, energy: wattHours(6_000) };
    const elsewhere: Intent = { ...PROMISE, slotId: NEXT_SLOT };
    // The mandate allows 10 kWh in one slot. One intent too many does not undo those beside it.
    expect(await stage.outcomes([half, half, elsewhere])).toEqual([
      "promise: denied volume_cap_exceeded",
      "promise: accepted",
      "promise: accepted",
    ]);
    expect(await stage.outcomes([PROMISE, PROMISE, PROMISE])).toEqual([
      "promise: denied rate_limited",
      "promise: accepted",
      "promise: accepted",
    ]);
    expect(
      stage.network
        .node("alice")
        .unspent("power-promise")
        .reduce((sum, { energy }) => sum + energy, 0n),
    ).toBe(12_000n);
  });

  test("that are malformed are denied, and those beside them are carried out", async () => {
    const stage = await mandated();
    const malformed = [
      { ...PROMISE, slotId: "2031-06-31T10:15Z/PT15M" },
      { ...ORDER, energy: 1_000 },
      { tag: "bid", auctionId: "auction", price: 3 },
      { tag: "give-away", slotId: SLOT },
    ] as unknown as readonly Intent[];
    const outcomes = await stage.outcomes([...malformed, PROMISE]);
    expect(outcomes.filter((each) => each.endsWith("denied intent_malformed"))).toHaveLength(4);
    expect(outcomes).toContain("promise: accepted");
  });

  test("of a runaway strategy are cut off", async () => {
    const stage = await mandated({ limits: { isHalted: true } });
    const outcomes = await stage.outcomes(Array.from({ length: INTENTS_PER_CALL_MAX + 500 }, () => PROMISE));
    expect(outcomes).toHaveLength(INTENTS_PER_CALL_MAX);
  });

  test("that the ledger rejects are recorded with its reason", async () => {
    const stage = await mandated();
    const auctionId = await auctionOfBob(stage);
    const low: Intent = { tag: "bid", auctionId, price: microsPerKwh(50_000) };
    const decision = await stage.wants([low]);
    expect(decision?.outcomes).toMatchObject([{ outcome: "rejected", refusal: { tag: "bid_below_base" } }]);
  });

  test("of no kind leave no record", async () => {
    const stage = await mandated();
    expect(await stage.wants([])).toBeUndefined();
    expect(stage.told).toEqual([{ hook: "onForecast", nowMs: SLOT_START_MS - 24 * 60 * MINUTE }]);
  });
});

test("a decision is recorded with what the strategy looked at, and nothing else", async () => {
  const stage = await mandated();
  stage.look = (context) => {
    context.forecast(SLOT);
    context.log("looked at one slot");
  };
  const decision = await stage.wants([PROMISE]);
  expect(decision).toMatchObject({
    decisionId: "alice/0",
    agent: "alice",
    strategy: "scripted",
    hook: "onForecast",
    atMs: SLOT_START_MS - 24 * 60 * MINUTE,
    notes: ["looked at one slot"],
  });
  expect(decision?.inputs.map(({ slotId, position }) => [slotId, position.promised])).toEqual([[SLOT, 0n]]);
  expect(decision?.inputs[0]?.forecast?.surplusWh[9]).toBe(1_000);
});

test("the reserve is kept from the strategy's eyes and hands", async () => {
  const stage = await mandated({ limits: { reserve: 99_000_000n as never } });
  let seen = 0n;
  stage.look = (context) => {
    seen = context.funds();
  };
  // 100 coins less the reserve of 99: a deposit of 1.2 for 2 kWh at 0.60 is too much, one of 0.6 for 1 kWh is not.
  expect(await stage.outcomes([PROMISE])).toEqual(["promise: denied insufficient_funds"]);
  expect(seen).toBe(1_000_000n);
  expect(await stage.outcomes([{ ...PROMISE, energy: wattHours(1_000) }])).toEqual(["promise: accepted"]);
});

describe("batteries", () => {
  const charge: Intent = { tag: "charge-battery", slotId: SLOT, energyWh: 700 };

  test("are planned without a mandate: they are the member's own", async () => {
    const stage = await opened({ battery: BATTERY });
    expect(await stage.outcomes([charge, PROMISE])).toEqual([
      "promise: denied mandate_revoked",
      "charge-battery: accepted",
    ]);
    expect([...stage.plans]).toEqual([[SLOT, 700]]);
  });

  test("are left alone once trading is halted", async () => {
    const stage = await mandated({ battery: BATTERY });
    stage.agent.halt();
    expect(await stage.outcomes([charge])).toEqual(["charge-battery: denied trading_halted"]);
    expect([...stage.plans]).toEqual([]);
  });

  test("take no plan for a slot that is over or is none", async () => {
    const stage = await mandated({ battery: BATTERY });
    stage.network.clock.moveTo(SLOT_END_MS);
    expect(await stage.outcomes([charge])).toEqual(["charge-battery: denied gate_closed"]);
    expect(await stage.outcomes([{ ...charge, slotId: "noon" as SlotId }])).toEqual([
      "charge-battery: denied intent_malformed",
    ]);
    expect([...stage.plans]).toEqual([]);
  });
});

describe("halt", () => {
  test("means zero further promises, orders and bids, whatever the strategy wants and is told, until it is lifted", async () => {
    const stage = await mandated();
    const auctionId = await auctionOfBob(stage);
    expect(await stage.outcomes([PROMISE, ORDER])).toEqual(["promise: accepted", "order: accepted"]);
    const bid: Intent = { tag: "bid", auctionId, price: microsPerKwh(150_000) };
    const auction: Intent = {
      tag: "auction",
      slotId: SLOT,
      energy: wattHours(500),
      basePrice: microsPerKwh(90_000),
      deadlineMs: GATE_MS - 60 * MINUTE,
    };
    const energies = fc.bigInt({ min: 100n, max: 3_000n }).map(wattHours);
    const arbIntent: fc.Arbitrary<Intent> = fc
      .tuple(fc.constantFrom<Intent>(PROMISE, OFFER, ORDER, auction, bid), energies)
      .map(([intent, energy]) => (intent.tag === "bid" ? intent : ({ ...intent, energy } as Intent)));
    stage.agent.halt();
    const [before, decided] = [stage.transactions, stage.decisions.length];
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbIntent, { minLength: 1, maxLength: 12 }),
        fc.constantFrom("onForecast" as const, "onGate" as const, "onPoolsCleared" as const),
        async (intents, hook) => {
          const outcomes = await stage.outcomes(intents, hook);
          expect(outcomes).toHaveLength(intents.length);
          for (const outcome of outcomes) expect(outcome).toMatch(/: denied trading_halted$/);
        },
      ),
      { numRuns: 60 },
    );
    expect(stage.transactions).toBe(before);
    expect(stage.decisions.length - decided).toBe(60);
    expect(await stage.outcomes([CANCEL])).toEqual(["cancel: accepted"]); // What is open may still be taken back.
    stage.agent.resume();
    expect(await stage.outcomes([bid])).toEqual(["bid: accepted"]);
  });

  test("holds in the middle of an auction: no answer to a higher bid", async () => {
    const stage = await mandated();
    const auctionId = await auctionOfBob(stage);
    expect(await stage.outcomes([{ tag: "bid", auctionId, price: microsPerKwh(150_000) }])).toEqual(["bid: accepted"]);
    await stage.agent.react();
    await stage.network.run("carol", { tag: "bid", commandId: "carol", auctionId, price: microsPerKwh(200_000) });
    stage.agent.halt();
    stage.next = [{ tag: "bid", auctionId, price: microsPerKwh(250_000) }];
    await stage.agent.react();
    expect(stage.told.at(-1)).toMatchObject({ hook: "onAuction", event: { tag: "bid" } });
    expect(stage.decisions.at(-1)?.outcomes).toMatchObject([{ outcome: "denied", denial: { tag: "trading_halted" } }]);
    const [auction] = stage.network.node("bob").unspent("auction");
    expect(auction?.highestBidder).toBe(stage.network.key("carol"));
  });
});

describe("mandates", () => {
  const commands = (stage: AgentStage, auctionId: string): readonly ClientCommand[] => [
    { tag: "create-promises", commandId: "p", promises: [{ slot: SLOT, energy: wattHours(1_000) }] },
    {
      tag: "place-orders",
      commandId: "o",
      marketplace: stage.marketplace,
      orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(150_000) }],
    },
    { tag: "bid", commandId: "b", auctionId, price: microsPerKwh(150_000) },
  ];

  test("without one nothing is done, and around the gate the ledger rejects", async () => {
    const stage = await opened();
    const auctionId = await auctionOfBob(stage);
    expect(await stage.outcomes([PROMISE, ORDER, CANCEL])).toEqual([
      "promise: denied mandate_revoked",
      "order: denied mandate_revoked",
      "cancel: denied mandate_revoked",
    ]);
    for (const command of commands(stage, auctionId)) {
      const result = await stage.aroundTheGate(command);
      expect(result).toMatchObject({ ok: false, error: { tag: "mandate_missing" } });
    }
  });

  test("a revoked one stops the agent at once; around the gate, the ledger rejects all and nothing changes", async () => {
    const stage = await mandated();
    const auctionId = await auctionOfBob(stage);
    expect(await stage.outcomes([PROMISE])).toEqual(["promise: accepted"]);
    await stage.revokeMandate();
    expect(await stage.outcomes([PROMISE, ORDER, { tag: "bid", auctionId, price: microsPerKwh(150_000) }])).toEqual([
      "promise: denied mandate_revoked",
      "order: denied mandate_revoked",
      "bid: denied mandate_revoked",
    ]);
    const before = await stage.network.everything();
    for (const command of commands(stage, auctionId)) {
      const result = await stage.aroundTheGate(command);
      expect(result).toMatchObject({ ok: false, error: { tag: "mandate_missing" } });
    }
    expect(await stage.network.everything()).toEqual(before);
  });

  test("one that is revoked while a proposal is out makes the notary reject it", async () => {
    const stage = await mandated();
    const alice = stage.network.node("alice");
    let proposed: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      proposed = resolve;
    });
    // Hold back what goes to the notary until the owner's revocation is final.
    let isFirst = true;
    stage.network.wire.intercept = async (from, _to, request, next) => {
      if (request.tag === "notarise" && from === alice.party && isFirst) {
        isFirst = false;
        proposed?.();
        await stage.revokeMandate();
      }
      return next(request);
    };
    const result = stage.aroundTheGate({
      tag: "create-promises",
      commandId: "late",
      promises: [{ slot: SLOT, energy: wattHours(1_000) }],
    });
    await held;
    expect(await result).toMatchObject({ ok: false, error: { tag: "state_conflict" } });
    expect(alice.unspent("power-promise")).toEqual([]);
    expect(stage.network.balance("alice")).toBe(100_000_000n);
  });

  test("an expired one is denied, and rejected around the gate", async () => {
    const stage = await opened();
    await stage.grantMandate(SLOT_START_MS - 60 * MINUTE);
    stage.network.clock.moveTo(SLOT_START_MS - 60 * MINUTE);
    expect(await stage.outcomes([PROMISE])).toEqual(["promise: denied mandate_expired"]);
    const result = await stage.aroundTheGate({
      tag: "create-promises",
      commandId: "late",
      promises: [{ slot: SLOT, energy: wattHours(1_000) }],
    });
    expect(result.ok).toBe(false);
  });

  test("a delegate's key moves nothing that only the owner may move", async () => {
    const stage = await mandated();
    const before = await stage.network.everything();
    const forbidden: readonly ClientCommand[] = [
      { tag: "issue-funds", commandId: "f", to: stage.network.key("carol"), amounts: [1_000_000n as never] },
      { tag: "revoke-mandate", commandId: "r", mandateId: "mandate of alice" },
      {
        tag: "grant-mandate",
        commandId: "g",
        mandateId: "another",
        delegate: stage.delegate.publicKey,
        flows: ["bid"],
        energyPerSlotMax: wattHours(1_000_000),
        expiresMs: SLOT_END_MS,
      },
    ];
    for (const command of forbidden) expect((await stage.aroundTheGate(command)).ok).toBe(false);
    expect(await stage.network.everything()).toEqual(before);
  });
});

describe("caps", () => {
  test("a speculator's cap stops the agent, and around the gate the ledger", async () => {
    const stage = await mandated({ roles: ["speculator"], holdingCapPerSlot: 1_500n });
    expect(await stage.outcomes([ORDER, ORDER, PROMISE])).toEqual([
      "order: denied volume_cap_exceeded",
      "order: accepted",
      "promise: denied role_not_allowed",
    ]);
    const result = await stage.aroundTheGate({
      tag: "place-orders",
      commandId: "o",
      marketplace: stage.marketplace,
      orders: [{ side: "bid", slot: NEXT_SLOT, energy: wattHours(501), limit: microsPerKwh(150_000) }],
    });
    expect(result).toMatchObject({ ok: false, error: { tag: "holding_cap_exceeded", free: 500n } });
  });

  test("of many orders at once through the agent's own key, no more than the cap gets in", async () => {
    const stage = await mandated({ roles: ["speculator"], holdingCapPerSlot: 1_500n });
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        stage.aroundTheGate({
          tag: "place-orders",
          commandId: `o${index}`,
          marketplace: stage.marketplace,
          orders: [{ side: "bid", slot: NEXT_SLOT, energy: wattHours(600), limit: microsPerKwh(100_000 + index) }],
        }),
      ),
    );
    expect(results.filter(({ ok }) => ok).length).toBeLessThanOrEqual(2);
    const open = stage.network.node("alice").unspent("pool-order");
    expect(open.reduce((sum, { energy }) => sum + energy, 0n)).toBeLessThanOrEqual(1_500n);
  });
});

describe("what the strategy is told", () => {
  test("trades in pools with energy and money, fees apart", async () => {
    const stage = await mandated();
    const { network, marketplace } = stage;
    await stage.outcomes([PROMISE, { ...OFFER, energy: wattHours(1_500) }]);
    await network.run("bob", {
      tag: "place-orders",
      commandId: "bob",
      marketplace,
      orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(200_000) }],
    });
    const orders = network.node("marketplace").unspent("pool-order");
    const idOf = (side: string): string => orders.find((order) => order.side === side)?.orderId ?? "";
    await network.run("marketplace", {
      tag: "clear-pool",
      commandId: "clear",
      slot: SLOT,
      price: microsPerKwh(150_000),
      isFinal: false,
      trades: [{ bid: idOf("bid"), offer: idOf("offer"), energy: wattHours(1_000), price: microsPerKwh(150_000) }],
    });
    await stage.agent.react();
    expect(stage.told.filter(({ hook }) => hook === "onTrade")).toEqual([
      // 1 kWh at 0.15.
      { hook: "onTrade", trade: { slotId: SLOT, side: "sold", energy: 1_000n, amount: 150_000n, via: "pool" } },
    ]);
    expect(await stage.agent.react()).toBe(false); // Told once.
  });

  test("auctions from opening to end, and the energy that it won", async () => {
    const stage = await mandated();
    const auctionId = await auctionOfBob(stage);
    await stage.outcomes([{ tag: "bid", auctionId, price: microsPerKwh(150_000) }]);
    await stage.agent.react();
    stage.network.clock.moveTo(GATE_MS - 60 * MINUTE);
    await stage.network.run("marketplace", { tag: "end-auction", commandId: "end", auctionId });
    await stage.network.run("alice", { tag: "settle-auction", commandId: "settle", auctionId });
    await stage.agent.react();
    const events = stage.told.flatMap((each) => (each.hook === "onAuction" ? [each.event] : []));
    expect(events.map(({ tag, auction }) => [tag, auction.seller, auction.isHighestBidder])).toEqual([
      ["opened", "bob", false],
      ["bid", "bob", true],
      ["ended", "bob", true],
    ]);
    expect(stage.told.at(-1)).toEqual({
      hook: "onTrade",
      trade: { slotId: SLOT, side: "bought", energy: 1_000n, amount: 150_000n, via: "auction" },
    });
  });

  test("deliveries of its own promises", async () => {
    const stage = await mandated();
    const { network } = stage;
    await stage.outcomes([PROMISE]);
    network.clock.moveTo(SLOT_END_MS);
    const readings = [{ member: network.key("alice"), produced: wattHours(1_600), consumed: wattHours(100) }];
    await network.run("grid-authority", { tag: "record-meters", commandId: "m", slot: SLOT, readings });
    await network.run("grid-authority", {
      tag: "check-delivery",
      commandId: "c",
      supplier: network.key("alice"),
      slot: SLOT,
    });
    await stage.agent.react();
    expect(stage.told.at(-1)).toEqual({
      hook: "onDelivery",
      // Promised 2 kWh, put in 1.5: half a kilowatt-hour at 0.60.
      delivery: { slotId: SLOT, promised: 2_000n, delivered: 1_500n, depositLost: 300_000n },
    });
  });
});

describe("claims", () => {
  const { certifiedBy: _, ...claims } = SOLAR;

  test("of new promises are certified before they are offered", async () => {
    const stage = await mandated({ claims });
    expect(await stage.outcomes([PROMISE, OFFER])).toEqual(["promise: accepted", "offer: accepted"]);
    const promises = stage.network.node("alice").unspent("power-promise");
    const agency = stage.network.key("agency");
    expect(promises.map((each) => [each.energy, each.claims?.certifiedBy, each.lock?.kind ?? null])).toEqual([
      [1_000n, agency, "order"],
      [1_000n, agency, null],
    ]);
    expect(stage.decisions.flatMap(({ notes }) => notes)).toEqual([]);
  });

  test("that the agency does not sign are sold as they are, and the decision says so", async () => {
    const stage = await mandated({ claims });
    const member = stage.network.key("agency");
    await stage.network.run("grid-authority", { tag: "amend-member", commandId: "s", member, standing: "suspended" });
    expect(await stage.outcomes([PROMISE, OFFER])).toEqual(["promise: accepted", "offer: accepted"]);
    expect(stage.network.node("alice").unspent("power-promise")).toMatchObject([
      { claims: { certifiedBy: null } },
      { claims: { certifiedBy: null } },
    ]);
    expect(stage.decisions[0]?.notes).toEqual(["not certified: member_suspended"]);
  });

  test("of an auction are shown to the strategy with the record of their agency, and bids can require them", async () => {
    const stage = await mandated({ claims });
    const auctionId = await auctionOfBob(stage);
    let shown: unknown;
    stage.look = (context) => {
      shown = context.openAuctions().map(({ certified }) => certified);
    };
    const bid: Intent = { tag: "bid", auctionId, price: microsPerKwh(150_000), requires: RENEWABLE };
    expect(await stage.outcomes([bid])).toEqual(["bid: rejected requirement_unmet"]);
    expect(shown).toEqual([undefined]);
  });
});
