import { describe, expect, test } from "vitest";
import {
  localDay,
  type MicrosPerKwh,
  microsPerKwh,
  type SlotId,
  slotStartingAt,
  slotsOfLocalDay,
  type WattHours,
  wattHours,
} from "#core";
import { evenQuantiles, fakeContextFor, NO_POSITION, StrategyStage, USUAL_RULES } from "#testkit";
import { isGiven } from "../shared/green.ts";
import { type LoadFollowerConfig, type LoadFollowerMemory, loadFollower } from "./index.ts";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 15).map(({ id }) => id);
const evening: SlotId = slotStartingAt(NOON + 32 * 3_600_000, 15).id;
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);
const DEADLINE = NOON + 1_800_000;

/** An even need of 0…1000 Wh in the evening slot. */
function stageWith(config: Partial<LoadFollowerConfig> = {}): StrategyStage<LoadFollowerConfig, LoadFollowerMemory> {
  const ctx = fakeContextFor(loadFollower, config);
  ctx.nowMs = NOON;
  ctx.forecastSurplus(evening, evenQuantiles(-950, -50));
  return new StrategyStage(loadFollower, ctx);
}

describe("the README's example", () => {
  test("orders 483 Wh at retail less fee and shade", () => {
    expect(stageWith().forecast(day, slots)).toEqual([
      { tag: "order", slotId: evening, energy: wh(483), limit: price(284_000) },
    ]);
    expect(stageWith({ limitShadePercent: 0 }).forecast(day, slots)).toEqual([
      { tag: "order", slotId: evening, energy: wh(483), limit: price(296_000) },
    ]);
  });

  test("a lot on auction takes the place of as much of the order", () => {
    const stage = stageWith();
    stage.forecast(day, slots);
    expect(stage.openAuction(evening, wh(300), price(67_000), DEADLINE)).toEqual([
      { tag: "bid", auctionId: "auction-1", price: price(72_000) },
      { tag: "cancel", slotId: evening },
      { tag: "order", slotId: evening, energy: wh(183), limit: price(284_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });
});

test("it buys less where what it does not use costs something", () => {
  const orderedAt = (surplusPrice: number): bigint => {
    const stage = stageWith();
    stage.ctx.rules = { ...stage.ctx.rules, surplusPrice: price(surplusPrice) };
    const [order] = stage.forecast(day, slots);
    return order?.tag === "order" ? order.energy : 0n;
  };
  // The level (r - p - m) / (r - f + s): 116 of 240, of 300 and of 480 thousandths of a price.
  expect([orderedAt(0), orderedAt(60_000), orderedAt(240_000)]).toEqual([483n, 386n, 241n]);
});

test("at the gate it orders what the newest forecast adds and sells what it takes away", () => {
  const stage = stageWith();
  stage.ctx.positions.set(evening, { ...NO_POSITION, bought: wh(400), held: wh(400) });
  expect(stage.gate(evening)).toEqual([{ tag: "order", slotId: evening, energy: wh(83), limit: price(284_000) }]);
  stage.ctx.forecastSurplus(evening, evenQuantiles(-230, -50));
  // Need even between 50 and 230: nine tenths of it are 220 Wh or less.
  expect(stage.gate(evening)).toEqual([
    { tag: "cancel", slotId: evening },
    { tag: "offer", slotId: evening, energy: wh(180), limit: price(84_000) },
  ]);
  expect(stage.violations).toEqual([]);
});

test("dear hours: what is all but certainly needed is still ordered, below what retail costs", () => {
  const stage = stageWith();
  stage.ctx.results = Array.from({ length: 400 }, (_, index) => ({
    slotId: evening,
    clearedAtMs: NOON - index,
    price: price(299_000),
    volume: wh(1),
  }));
  expect(stage.forecast(day, slots)).toEqual([
    { tag: "order", slotId: evening, energy: wh(50), limit: price(284_000) },
  ]);
});

describe("auctions", () => {
  test("raises by little, never against itself, up to the lot's worth, then goes back to the pool", () => {
    const stage = stageWith({ bidRiseMicrosPerKwh: 20_000 });
    stage.forecast(day, slots);
    stage.openAuction(evening, wh(300), price(67_000), DEADLINE);
    const prices: bigint[] = [];
    for (let round = 0; round < 10; round++) {
      const bid = stage.outbid("auction-1", 20_000n).find((intent) => intent.tag === "bid");
      if (bid?.tag === "bid") prices.push(bid.price);
    }
    // Expected pool price 180 000 and 10 000 more; the lot is worth 259 000.
    expect(prices).toEqual([127_000n, 167_000n, 190_000n]);
    expect(stage.ctx.position(evening).bidding).toBe(483n);
    expect(stage.resting(evening).reduce((sum, { energy }) => sum + energy, 0n)).toBe(483n);
    expect(stage.violations).toEqual([]);
  });

  test("does not bid when its need is covered", () => {
    const stage = stageWith();
    stage.ctx.positions.set(evening, { ...NO_POSITION, bought: wh(483), held: wh(483) });
    expect(stage.openAuction(evening, wh(100), price(67_000), DEADLINE)).toEqual([]);
  });

  test("a lot much larger than the need is worth little more than feed-in", () => {
    const stage = stageWith();
    stage.forecast(day, slots);
    // 1000 kWh, of which it uses 0.47: (471.25 × 0.30 + 999 528.75 × 0.06) / 1000 less the fee is below the base price.
    expect(stage.openAuction(evening, wh(1_000_000), price(67_000), DEADLINE)).toEqual([]);
  });

  test("a lot that is won stays covered, one that is lost is ordered again", () => {
    const won = stageWith();
    won.forecast(day, slots);
    won.openAuction(evening, wh(300), price(67_000), DEADLINE);
    won.endAuction("auction-1");
    expect(won.ctx.position(evening)).toMatchObject({ bought: 300n, bidding: 183n });
    expect(won.gate(evening)).toEqual([]);

    const lost = stageWith({ auctionOverPoolMicrosPerKwh: 0 });
    lost.forecast(day, slots);
    lost.openAuction(evening, wh(300), price(67_000), DEADLINE);
    lost.outbid("auction-1", 500_000n);
    lost.endAuction("auction-1");
    expect(lost.ctx.position(evening)).toMatchObject({ bought: 0n, bidding: 483n });
    expect([...won.violations, ...lost.violations]).toEqual([]);
  });
});

describe("a green buyer", () => {
  const requires = {
    source: null,
    renewable: true,
    origin: null,
    gramsCo2PerKwhMax: null,
    contradictedPerMilleMax: 100,
  };
  const config: Partial<LoadFollowerConfig> = { requires, greenPremiumMicrosPerKwh: 20_000 };
  const certified = {
    source: "solar",
    renewable: true,
    origin: "roof",
    gramsCo2PerKwh: 41,
    contradictedPerMille: 0,
  } as const;

  test("orders what it requires alone, and may pay the premium beyond retail", () => {
    const [order] = stageWith(config).forecast(day, slots);
    expect(order).toMatchObject({ tag: "order", slotId: evening, requires });
    // Retail 0.30 and premium 0.02, less the fee of 0.004 and 5 % of the gap between feed-in and that.
    expect(order).toMatchObject({ limit: price(303_000) });
    expect(stageWith({ requires }).forecast(day, slots)).toMatchObject([{ limit: price(284_000), requires }]);
  });

  test("without a requirement the premium changes nothing", () => {
    expect(stageWith({ greenPremiumMicrosPerKwh: 20_000 }).forecast(day, slots)).toEqual(
      stageWith().forecast(day, slots),
    );
  });

  test("bids for lots of which that is certified, by an agency that is right often enough", () => {
    expect(isGiven(certified, requires)).toBe(true);
    expect(isGiven({ ...certified, contradictedPerMille: 101 }, requires)).toBe(false);
    expect(isGiven({ ...certified, renewable: false }, requires)).toBe(false);
    expect(isGiven(undefined, requires)).toBe(false);
    expect(isGiven(undefined, undefined)).toBe(true);
    expect(isGiven(certified, { ...requires, source: "wind" })).toBe(false);
    expect(isGiven(certified, { ...requires, origin: "dam" })).toBe(false);
    expect(isGiven(certified, { ...requires, gramsCo2PerKwhMax: 40 })).toBe(false);
    const stage = stageWith(config);
    expect(stage.openAuction(evening, wh(300), price(67_000), DEADLINE).filter(({ tag }) => tag === "bid")).toEqual([]);
  });

  test("gives defaults to what its configuration leaves out, and refuses a source that there is not", () => {
    expect(loadFollower.config.parse({ requires: { renewable: true } }).requires).toEqual(requires);
    expect(loadFollower.config.safeParse({ requires: { source: "moon" } }).success).toBe(false);
  });
});
