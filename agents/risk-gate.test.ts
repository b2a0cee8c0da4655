/** The risk gate: every denial by a hand-made view, their order of precedence, and what a let-through intent takes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros, microsPerKwh, type SlotId, wattHours } from "#core";
import type { Intent, Position } from "#strategies";
import {
  entry,
  GATE_MS,
  mandate,
  member,
  NEXT_SLOT,
  NO_POSITION,
  PARAMETERS,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
} from "#testkit";
import { checkRisk, RISK_DENIALS, type RiskDenialCode, type RiskLimits, type RiskView } from "./risk-gate.ts";

const MINUTE = 60_000;
const NOW_MS = GATE_MS - 30 * MINUTE;
const LIMITS: RiskLimits = {
  isHalted: false,
  isReducingOnly: false,
  intentsPerHourMax: 10,
  reserve: micros(1_000_000n),
  forecastAgeMsMax: 36 * 60 * MINUTE,
};
/** Alice holds 1 kWh of her own that she promised, of 20 that she may; 20 coins are free. */
const HELD: Position = {
  ...NO_POSITION,
  promised: wattHours(1_000),
  held: wattHours(1_000),
  coverable: wattHours(400),
};
const VIEW: RiskView = {
  nowMs: NOW_MS,
  member: member("alice"),
  parameters: PARAMETERS,
  marketFee: microsPerKwh(5_000),
  mandate: mandate("alice", "agent", { energyPerSlotMax: wattHours(100_000) }),
  funds: micros(21_000_000n),
  intentsLastHour: 0,
  strategy: "solar",
  position: () => HELD,
  day: () => ({ promised: 30_000n, buying: 40_000n }),
  entries: () => [entry({ promised: 1_000 })],
  lockedMargin: () => 0n,
  forecastAgeMs: () => 60 * MINUTE,
  auction: (auctionId) =>
    auctionId === "auction" ? { slotId: SLOT, energy: wattHours(1_500), deadlineMs: NOW_MS + 1 } : undefined,
};

const PROMISE: Intent = { tag: "promise", slotId: SLOT, energy: wattHours(2_000) };
const OFFER: Intent = { tag: "offer", slotId: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) };
const ORDER: Intent = { tag: "order", slotId: SLOT, energy: wattHours(2_000), limit: microsPerKwh(200_000) };
const AUCTION: Intent = {
  tag: "auction",
  slotId: SLOT,
  energy: wattHours(1_000),
  basePrice: microsPerKwh(100_000),
  deadlineMs: NOW_MS + MINUTE,
};
const BID: Intent = { tag: "bid", auctionId: "auction", price: microsPerKwh(200_000) };
const COVER: Intent = { tag: "cover", slotId: SLOT, energy: wattHours(400) };
const CANCEL: Intent = { tag: "cancel", slotId: SLOT };
const BATTERY: Intent = { tag: "charge-battery", slotId: SLOT, energyWh: -500 };
const ALL = [PROMISE, OFFER, ORDER, AUCTION, BID, COVER, CANCEL, BATTERY] as const;
const TRADES = [PROMISE, OFFER, ORDER, AUCTION, BID, COVER] as const;

function denialOf(intent: Intent, view: Partial<RiskView> = {}, limits: Partial<RiskLimits> = {}): string | undefined {
  const verdict = checkRisk(intent, { ...VIEW, ...view }, { ...LIMITS, ...limits });
  return verdict.ok ? undefined : verdict.error.tag;
}

/** Forges an intent as user code might return it. */
const forged = (fields: Record<string, unknown>): Intent => fields as unknown as Intent;

describe("what is let through", () => {
  test.each(ALL)("$tag", (intent) => {
    expect(denialOf(intent)).toBeUndefined();
  });

  test("each takes what the ledger will take", () => {
    const useOf = (intent: Intent): unknown => {
      const verdict = checkRisk(intent, VIEW, LIMITS);
      return verdict.ok ? verdict.value : verdict.error;
    };
    // 2,000 Wh at an emergency price of 0.60 per kWh.
    expect(useOf(PROMISE)).toEqual({ funds: 1_200_000n, promised: 2_000n, bidding: 0n, taken: 0n, margin: 0n });
    // 2,000 Wh at 0.20 and 0.005 fee, and the rounding reserve of 0.001 that every bid in a pool locks.
    expect(useOf(ORDER)).toEqual({ funds: 411_000n, promised: 0n, bidding: 2_000n, taken: 0n, margin: 0n });
    expect(useOf(OFFER)).toEqual({ funds: 0n, promised: 0n, bidding: 0n, taken: 1_000n, margin: 0n });
    expect(useOf(CANCEL)).toEqual({ funds: 0n, promised: 0n, bidding: 0n, taken: 0n, margin: 0n });
  });
});

/** A code, an intent and what makes the gate deny it so: the least change from a view in which all passes. */
type Case = readonly [
  code: RiskDenialCode,
  what: string,
  intent: Intent,
  view: Partial<RiskView>,
  limits: Partial<RiskLimits>,
];

function ofAllTrades(code: RiskDenialCode, view: Partial<RiskView>, limits: Partial<RiskLimits> = {}): readonly Case[] {
  return TRADES.map((intent): Case => [code, intent.tag, intent, view, limits]);
}

function dayLimit(energy: number): Partial<RiskView> {
  const limits = { energyPerSlotMax: wattHours(100_000), energyPerDayMax: wattHours(energy) };
  return { mandate: mandate("alice", "agent", limits) };
}

function priceLimit(price: number): Partial<RiskView> {
  const limits = { energyPerSlotMax: wattHours(100_000), bidPriceMax: microsPerKwh(price) };
  return { mandate: mandate("alice", "agent", limits) };
}

const CASES: readonly Case[] = [
  ...ofAllTrades("trading_halted", {}, { isHalted: true }),
  ["trading_halted", "a battery's plan", BATTERY, {}, { isHalted: true }],
  ...ofAllTrades("mandate_revoked", { mandate: undefined }),
  [
    "mandate_revoked",
    "a flow that it does not name",
    ORDER,
    { mandate: mandate("alice", "agent", { flows: ["create-promises", "bid", "cancel-orders"] }) },
    {},
  ],
  ["mandate_revoked", "cancel", CANCEL, { mandate: undefined }, {}],
  ...ofAllTrades("mandate_expired", { mandate: mandate("alice", "agent", { expiresMs: NOW_MS }) }),
  ...ofAllTrades("member_suspended", { member: member("alice", { standing: "suspended" }) }),
  ["reducing_only", "a promise", PROMISE, {}, { isReducingOnly: true }],
  ["reducing_only", "an order", ORDER, {}, { isReducingOnly: true }],
  ["reducing_only", "a bid", BID, {}, { isReducingOnly: true }],
  ["rate_limited", "the eleventh of ten", PROMISE, { intentsLastHour: 10 }, {}],
  ["rate_limited", "a cancellation too", CANCEL, { intentsLastHour: 10 }, {}],
  ["intent_malformed", "energy as a number", forged({ ...PROMISE, energy: 2_000 }), {}, {}],
  ["intent_malformed", "no energy", forged({ ...OFFER, energy: undefined }), {}, {}],
  ["intent_malformed", "a limit as a number", forged({ ...ORDER, limit: 0.2 }), {}, {}],
  ["intent_malformed", "a base price as text", forged({ ...AUCTION, basePrice: "100000" }), {}, {}],
  ["intent_malformed", "a deadline that is no instant", forged({ ...AUCTION, deadlineMs: Number.NaN }), {}, {}],
  ["intent_malformed", "a bid's price as a number", forged({ ...BID, price: 200_000 }), {}, {}],
  ["intent_malformed", "an auction without a name", forged({ ...BID, auctionId: 7 }), {}, {}],
  ["intent_malformed", "a slot of another length", { ...PROMISE, slotId: "2031-06-01T10:00Z/PT60M" as SlotId }, {}, {}],
  ["intent_malformed", "a day that there is not", { ...PROMISE, slotId: "2031-06-31T10:15Z/PT15M" as SlotId }, {}, {}],
  ["intent_malformed", "no slot to cancel in", forged({ tag: "cancel" }), {}, {}],
  ["intent_malformed", "an endless charge", { ...BATTERY, energyWh: Number.POSITIVE_INFINITY }, {}, {}],
  ["intent_malformed", "a charge in no slot", forged({ ...BATTERY, slotId: "noon" }), {}, {}],
  ["intent_malformed", "a thing that strategies can't want", forged({ tag: "give-away", slotId: SLOT }), {}, {}],
  ["gate_closed", "a promise at the gate", PROMISE, { nowMs: GATE_MS }, {}],
  ["gate_closed", "an offer at the gate", OFFER, { nowMs: GATE_MS }, {}],
  ["gate_closed", "an order at the gate", ORDER, { nowMs: GATE_MS }, {}],
  ["gate_closed", "an auction after the slot", AUCTION, { nowMs: SLOT_END_MS - 1 }, {}],
  ["gate_closed", "a plan for a slot that is over", BATTERY, { nowMs: SLOT_END_MS }, {}],
  ["stale_forecast", "a promise on yesterday's", PROMISE, { forecastAgeMs: () => 36 * 60 * MINUTE + 1 }, {}],
  ["stale_forecast", "a promise on none", PROMISE, { forecastAgeMs: () => undefined }, {}],
  ["role_not_allowed", "a consumer's promise", PROMISE, { member: member("alice", { roles: ["consumer"] }) }, {}],
  ["role_not_allowed", "a speculator's promise", PROMISE, { member: member("alice", { roles: ["speculator"] }) }, {}],
  ["energy_out_of_range", "an insignificant promise", { ...PROMISE, energy: wattHours(99) }, {}, {}],
  ["energy_out_of_range", "an unrealistic promise", { ...PROMISE, energy: wattHours(1_000_001) }, {}, {}],
  ["energy_out_of_range", "an order of nothing", { ...ORDER, energy: wattHours(0) }, {}, {}],
  ["energy_out_of_range", "a negative offer", forged({ ...OFFER, energy: -1n }), {}, {}],
  ["price_out_of_band", "an order above the ceiling", { ...ORDER, limit: microsPerKwh(1_000_001) }, {}, {}],
  ["price_out_of_band", "an offer below the floor", { ...OFFER, limit: microsPerKwh(-500_001) }, {}, {}],
  ["price_out_of_band", "an auction below the floor", { ...AUCTION, basePrice: microsPerKwh(-500_001) }, {}, {}],
  ["price_out_of_band", "a bid above the ceiling", { ...BID, price: microsPerKwh(1_000_001) }, {}, {}],
  ["promise_exceeds_capacity", "one watt-hour too many", { ...PROMISE, energy: wattHours(19_001) }, {}, {}],
  ["promise_exceeds_storage", "more than can be stored", PROMISE, ofBattery(3_000, 2_999), {}],
  ["intent_malformed", "a cover of no energy", forged({ ...COVER, energy: 400 }), {}, {}],
  ["gate_closed", "a cover at the gate", COVER, { nowMs: GATE_MS }, {}],
  ["energy_out_of_range", "a cover of nothing", { ...COVER, energy: wattHours(0) }, {}, {}],
  ["promise_not_held", "a cover with more than suits", { ...COVER, energy: wattHours(401) }, {}, {}],
  [
    "mandate_revoked",
    "a cover that it does not name",
    COVER,
    { mandate: mandate("alice", "agent", { flows: ["create-promises", "place-orders"] }) },
    {},
  ],
  [
    "volume_cap_exceeded",
    "the mandate's, cover",
    COVER,
    { mandate: mandate("alice", "agent", { flows: ["substitute"], energyPerSlotMax: wattHours(399) }) },
    {},
  ],
  ["promise_not_held", "an offer of more than is free", { ...OFFER, energy: wattHours(1_001) }, {}, {}],
  ["promise_not_held", "an auction of more than is free", { ...AUCTION, energy: wattHours(1_001) }, {}, {}],
  ["volume_cap_exceeded", "an order", ORDER, { member: member("alice", { holdingCapPerSlot: wattHours(1_999) }) }, {}],
  ["volume_cap_exceeded", "a bid", BID, { member: member("alice", { holdingCapPerSlot: wattHours(1_499) }) }, {}],
  ...([PROMISE, OFFER, ORDER, AUCTION, BID] as const).map(
    (intent): Case => [
      "volume_cap_exceeded",
      `the mandate's, ${intent.tag}`,
      intent,
      { mandate: mandate("alice", "agent", { energyPerSlotMax: wattHours(999) }) },
      {},
    ],
  ),
  ...([PROMISE, OFFER, ORDER, AUCTION, BID] as const).map(
    (intent): Case => [
      "strategy_not_in_mandate",
      intent.tag,
      intent,
      { mandate: mandate("alice", "agent", { energyPerSlotMax: wattHours(100_000), strategies: ["wind"] }) },
      {},
    ],
  ),
  ["volume_cap_exceeded", "the mandate's day, a promise", PROMISE, dayLimit(31_999), {}],
  ["volume_cap_exceeded", "the mandate's day, an order", ORDER, dayLimit(41_999), {}],
  ["volume_cap_exceeded", "the mandate's day, a bid", BID, dayLimit(41_499), {}],
  ["price_out_of_band", "an order above the mandate's", ORDER, priceLimit(199_999), {}],
  ["price_out_of_band", "a bid above the mandate's", BID, priceLimit(199_999), {}],
  ["auction_unknown", "a bid on nothing", { ...BID, auctionId: "another" }, {}, {}],
  ["auction_unknown", "a bid at the deadline", BID, { nowMs: NOW_MS + 1 }, {}],
  ["insufficient_funds", "a deposit", PROMISE, { funds: micros(2_199_999n) }, {}],
  ["insufficient_funds", "an order", ORDER, { funds: micros(1_410_999n) }, {}],
  ["insufficient_funds", "a bid", BID, { funds: micros(1_000_000n) }, {}],
  ["insufficient_funds", "the margin of an order", ORDER, speculating(1_450_999n), {}],
  ["insufficient_funds", "the margin of a bid", BID, speculating(1_338_499n), {}],
];

/** Alice supplies from a battery alone, and has promised 1 kWh. */
function ofBattery(power: number, capacity: number): Partial<RiskView> {
  const storage = { capacity: wattHours(capacity), powerPerSlot: wattHours(power), efficiencyPerMille: 900 };
  return { member: member("alice", { capacityPerSlot: wattHours(power), storage }) };
}

/** Alice speculates where surplus costs 0.02 per kWh, holds 500 Wh of the next slot, and has locked as much as these need. */
function speculating(funds: bigint): Partial<RiskView> {
  return {
    member: member("alice", { roles: ["speculator"], holdingCapPerSlot: wattHours(5_000) }),
    parameters: { ...PARAMETERS, surplusPrice: microsPerKwh(20_000) },
    entries: () => [entry({ slot: NEXT_SLOT, bought: 500 })],
    lockedMargin: () => 10_000n,
    funds: micros(funds),
  };
}

describe("what is denied", () => {
  test.each(CASES)("%s: %s", (code, _what, intent, view, limits) => {
    expect(denialOf(intent, view, limits)).toBe(code);
  });

  test("every code is met", () => {
    expect([...new Set(CASES.map(([code]) => code))].sort()).toEqual([...RISK_DENIALS].sort());
  });

  test("what is exactly at a limit passes", () => {
    expect(denialOf(PROMISE, { funds: micros(2_200_000n) })).toBeUndefined();
    expect(denialOf(ORDER, { funds: micros(1_411_000n) })).toBeUndefined();
    expect(denialOf({ ...PROMISE, energy: wattHours(19_000) })).toBeUndefined();
    expect(denialOf({ ...PROMISE, energy: wattHours(100) })).toBeUndefined();
    expect(denialOf(ORDER, { member: member("alice", { holdingCapPerSlot: wattHours(2_000) }) })).toBeUndefined();
    expect(denialOf(PROMISE, { nowMs: GATE_MS - 1 })).toBeUndefined();
    expect(denialOf(PROMISE, dayLimit(32_000))).toBeUndefined();
    expect(denialOf(ORDER, dayLimit(42_000))).toBeUndefined();
    expect(denialOf(BID, priceLimit(200_000))).toBeUndefined();
    expect(denialOf(ORDER, speculating(1_451_000n))).toBeUndefined();
    expect(denialOf(BID, speculating(1_338_500n))).toBeUndefined();
    expect(denialOf(PROMISE, ofBattery(3_000, 3_000))).toBeUndefined();
    expect(denialOf(PROMISE, { intentsLastHour: 9 })).toBeUndefined();
    expect(denialOf(PROMISE, { forecastAgeMs: () => 36 * 60 * MINUTE })).toBeUndefined();
    expect(denialOf(BATTERY, { nowMs: SLOT_START_MS })).toBeUndefined(); // The slot is running: its plan may change.
  });

  test("under a mandate without a strategy's name any may act, and under one with its name that one", () => {
    const named = mandate("alice", "agent", { energyPerSlotMax: wattHours(100_000), strategies: ["wind", "solar"] });
    expect(denialOf(ORDER, { mandate: named })).toBeUndefined();
    expect(denialOf(ORDER, { strategy: "wind" })).toBeUndefined();
  });

  test("an agent of another strategy may still take orders back", () => {
    const named = mandate("alice", "agent", { strategies: ["wind"] });
    expect(denialOf(CANCEL, { mandate: named })).toBeUndefined();
  });

  test("purchases count what is held of others and what is bid for, promises what was promised before", () => {
    const capped = member("alice", { holdingCapPerSlot: wattHours(3_000) });
    const position = (): Position => ({ ...HELD, bought: wattHours(600), bidding: wattHours(400) });
    expect(denialOf({ ...ORDER, energy: wattHours(2_000) }, { member: capped, position })).toBeUndefined();
    expect(denialOf({ ...ORDER, energy: wattHours(2_001) }, { member: capped, position })).toBe("volume_cap_exceeded");
  });
});

describe("order of precedence", () => {
  /** What makes each code apply to a promise, an order, a sale or a bid; `auction_unknown` leaves no slot to judge by. */
  type Fault = { readonly view?: Partial<RiskView>; readonly limits?: Partial<RiskLimits>; readonly intent?: object };
  const GENERAL: Readonly<Partial<Record<RiskDenialCode, Fault>>> = {
    trading_halted: { limits: { isHalted: true } },
    mandate_revoked: { view: { mandate: undefined } },
    mandate_expired: { view: { mandate: mandate("alice", "agent", { expiresMs: NOW_MS }) } },
    member_suspended: { view: { member: member("alice", { standing: "suspended" }) } },
    reducing_only: { limits: { isReducingOnly: true } },
    rate_limited: { view: { intentsLastHour: 10 } },
  };
  const poor: Fault = { view: { funds: micros(0n) } };
  const ofPromise: Readonly<Partial<Record<RiskDenialCode, Fault>>> = {
    ...GENERAL,
    intent_malformed: { intent: { slotId: "noon" } },
    gate_closed: { intent: { slotId: "2031-06-01T09:00Z/PT15M" } },
    stale_forecast: { view: { forecastAgeMs: () => undefined } },
    role_not_allowed: { view: { member: member("alice", { roles: ["consumer"] }) } },
    energy_out_of_range: { intent: { energy: 0n } },
    promise_exceeds_capacity: { view: { position: () => ({ ...HELD, promised: wattHours(20_000) }) } },
    promise_exceeds_storage: { view: { entries: () => [entry({ promised: 19_001 })] } },
    volume_cap_exceeded: { view: { mandate: mandate("alice", "agent", { energyPerSlotMax: wattHours(50) }) } },
    insufficient_funds: poor,
  };
  const ofOrder: Readonly<Partial<Record<RiskDenialCode, Fault>>> = {
    ...GENERAL,
    intent_malformed: { intent: { slotId: "noon" } },
    gate_closed: { intent: { slotId: "2031-06-01T09:00Z/PT15M" } },
    energy_out_of_range: { intent: { energy: 0n } },
    price_out_of_band: { intent: { limit: microsPerKwh(2_000_000) } },
    volume_cap_exceeded: { view: { position: () => ({ ...HELD, bought: wattHours(50_000) }) } },
    insufficient_funds: poor,
  };
  const capped = { ...VIEW, member: member("alice", { holdingCapPerSlot: wattHours(30_000) }) };

  /** Applies all faults at once; of the members and mandates that they name, what is wrong with each is joined. */
  function withFaults(start: RiskView, base: Intent, faults: readonly Fault[]): string | undefined {
    const members = faults.flatMap(({ view }) => (view?.member === undefined ? [] : [view.member]));
    const merged = {
      ...start.member,
      ...(members.some(({ standing }) => standing === "suspended") ? { standing: "suspended" as const } : {}),
      ...(members.some(({ roles }) => roles.includes("consumer")) ? { roles: ["consumer" as const] } : {}),
    };
    const view: RiskView = { ...Object.assign({}, start, ...faults.map((fault) => fault.view ?? {})), member: merged };
    const mandates = faults.flatMap(({ view: faulty }) =>
      faulty !== undefined && "mandate" in faulty ? [faulty.mandate] : [],
    );
    const isGone = mandates.includes(undefined);
    const expiresMs = Math.min(SLOT_END_MS, ...mandates.flatMap((each) => each?.expiresMs ?? []));
    const joined = isGone ? undefined : view.mandate && { ...view.mandate, expiresMs };
    const limits: RiskLimits = Object.assign({}, LIMITS, ...faults.map((fault) => fault.limits ?? {}));
    const intent = Object.assign({}, base, ...faults.map((fault) => fault.intent ?? {})) as Intent;
    const verdict = checkRisk(intent, { ...view, mandate: joined }, limits);
    return verdict.ok ? undefined : verdict.error.tag;
  }

  // A slot is malformed or too late, not both; a mandate is gone or expired, not both.
  const EXCLUSIVE: readonly (readonly [RiskDenialCode, RiskDenialCode])[] = [
    ["intent_malformed", "gate_closed"],
    ["mandate_revoked", "mandate_expired"],
  ];

  test.each([
    ["a promise", { ...VIEW, ...ofBattery(20_000, 21_000) }, PROMISE, ofPromise],
    ["an order", capped, ORDER, ofOrder],
  ] as const)("of whatever is wrong with %s at once, the first in the list is given", (_what, start, base, faults) => {
    const codes = RISK_DENIALS.filter((code) => faults[code] !== undefined);
    fc.assert(
      fc.property(fc.subarray([...codes], { minLength: 1 }), (chosen) => {
        if (EXCLUSIVE.some((pair) => pair.every((code) => chosen.includes(code)))) return;
        const first = RISK_DENIALS.find((code) => chosen.includes(code));
        expect(
          withFaults(
            start,
            base,
            chosen.map((code) => faults[code] ?? {}),
          ),
        ).toBe(first);
      }),
      { numRuns: 400 },
    );
    for (const code of codes) expect(withFaults(start, base, [faults[code] ?? {}])).toBe(code);
  });

  test("a cancellation is never halted, and passes for a suspended member", () => {
    expect(
      denialOf(CANCEL, { member: member("alice", { standing: "suspended" }) }, { isHalted: true }),
    ).toBeUndefined();
  });
});

test("a denial says what was asked and what the limit is", () => {
  const verdict = checkRisk({ ...PROMISE, energy: wattHours(19_001) }, VIEW, LIMITS);
  expect(verdict).toEqual({
    ok: false,
    error: { tag: "promise_exceeds_capacity", asked: "20001", limit: "20000" },
  });
  expect(checkRisk(PROMISE, { ...VIEW, funds: micros(1_500_000n) }, LIMITS)).toEqual({
    ok: false,
    error: { tag: "insufficient_funds", asked: "1200000", limit: "500000" },
  });
});

test("whatever user code returns, the gate answers and never throws", () => {
  const anything = fc.record(
    {
      tag: fc.oneof(fc.constantFrom(...ALL.map(({ tag }) => tag)), fc.string()),
      slotId: fc.oneof(fc.constantFrom<string>(SLOT, "2031-06-31T10:15Z/PT15M", "/PT15M"), fc.anything()),
      energy: fc.oneof(fc.bigInt(), fc.anything()),
      limit: fc.oneof(fc.bigInt(), fc.anything()),
      basePrice: fc.oneof(fc.bigInt(), fc.anything()),
      deadlineMs: fc.anything(),
      auctionId: fc.oneof(fc.constant("auction"), fc.anything()),
      price: fc.oneof(fc.bigInt(), fc.anything()),
      energyWh: fc.anything(),
    },
    { requiredKeys: ["tag"] },
  );
  fc.assert(
    fc.property(anything, (fields) => {
      const verdict = checkRisk(forged(fields), VIEW, LIMITS);
      if (!verdict.ok) expect(RISK_DENIALS).toContain(verdict.error.tag);
    }),
    { numRuns: 1_000 },
  );
});
