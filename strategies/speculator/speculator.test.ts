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
import type { PoolResult } from "#strategies";
import { fakeContextFor, NO_POSITION, StrategyStage, USUAL_RULES } from "#testkit";
import { type SpeculatorConfig, type SpeculatorMemory, speculator } from "./index.ts";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const DAY = 86_400_000;
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 60).map(({ id }) => id);
const at18: SlotId = slotStartingAt(NOON + 30 * 3_600_000, 60).id;
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);

/** For each of the last `days`, at 18 o'clock: a day-ahead round and a final one of 2 kWh. */
function past(days: number, dayAhead: number, final: number | null): readonly PoolResult[] {
  return Array.from({ length: days }, (_, index) => days - index).flatMap((ago): readonly PoolResult[] => {
    const startMs = NOON + 6 * 3_600_000 - ago * DAY;
    const slotId = slotStartingAt(startMs, 60).id;
    return [
      { slotId, clearedAtMs: startMs - 29 * 3_600_000, price: price(dayAhead), volume: wh(5_000) },
      {
        slotId,
        clearedAtMs: startMs - 600_000,
        price: final === null ? null : price(final),
        volume: wh(final === null ? 0 : 2_000),
      },
    ];
  });
}

function stageWith(
  results: readonly PoolResult[],
  config: Partial<SpeculatorConfig> = {},
  capWh: number | "none" = 3_000,
): StrategyStage<SpeculatorConfig, SpeculatorMemory> {
  const ctx = fakeContextFor(speculator, config);
  ctx.nowMs = NOON;
  ctx.rules = { ...ctx.rules, slotMinutes: 60 };
  ctx.member = { ...ctx.member, roles: ["speculator"], speculatorCapPerSlot: capWh === "none" ? undefined : wh(capWh) };
  ctx.results = results;
  return new StrategyStage(speculator, ctx);
}

describe("the README's example", () => {
  test("buys half of the final round's usual volume, at what that round pays less fee and margin", () => {
    const stage = stageWith(past(10, 120_000, 160_000));
    expect(stage.forecast(day, slots)).toEqual([
      { tag: "order", slotId: at18, energy: wh(1_000), limit: price(146_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });

  test("sells all of it at the gate, down to feed-in", () => {
    const stage = stageWith(past(10, 120_000, 160_000));
    stage.forecast(day, slots);
    stage.poolRound(at18, price(125_000), 0.5);
    stage.poolsCleared(day, slots);
    expect(stage.ctx.position(at18)).toMatchObject({ bought: 500n, held: 500n, bidding: 0n });
    expect(stage.gate(at18)).toEqual([{ tag: "offer", slotId: at18, energy: wh(500), limit: price(60_000) }]);
    expect(stage.violations).toEqual([]);
  });
});

describe("where surplus costs something", () => {
  function stageAt(surplusPrice: number, results: readonly PoolResult[]): ReturnType<typeof stageWith> {
    const stage = stageWith(results);
    stage.ctx.rules = { ...stage.ctx.rules, surplusPrice: price(surplusPrice) };
    return stage;
  }

  test("it pays less where the final round does not always trade: what it can't sell costs something", () => {
    // Every second day the final round did not trade: half 0.25, half what unused energy brings, less fee and margin.
    const rounds = past(10, 120_000, 250_000).map((round, index) =>
      index % 4 === 1 ? { ...round, price: null, volume: wh(0) } : round,
    );
    const limits = [0, 20_000].map((surplusPrice) => {
      const [order] = stageAt(surplusPrice, rounds).forecast(day, slots);
      return order?.tag === "order" ? order.limit : undefined;
    });
    expect(limits).toEqual([141_000n, 131_000n]);
  });

  test.each([
    [20_000, 40_000],
    [60_000, 0],
    [400_000, 0],
  ])("of %s it sells at the gate down to %s", (surplusPrice, least) => {
    const stage = stageAt(surplusPrice, past(10, 120_000, 160_000));
    stage.ctx.positions.set(at18, { ...NO_POSITION, bought: wh(500), held: wh(500) });
    expect(stage.gate(at18)).toEqual([{ tag: "offer", slotId: at18, energy: wh(500), limit: price(least) }]);
  });
});

describe("stays out", () => {
  test.each<[string, readonly PoolResult[], number | undefined]>([
    ["before it has seen enough", past(7, 120_000, 160_000), 3_000],
    ["where the spread does not pay fee and margin", past(10, 120_000, 133_000), 3_000],
    ["where the final round pays less", past(10, 160_000, 120_000), 3_000],
    ["where the final round does not trade", past(10, 120_000, null), 3_000],
    ["without a cap", past(10, 120_000, 160_000), undefined],
    ["with a cap of nothing", past(10, 120_000, 160_000), 0],
  ])("%s", (_case, results, capWh) => {
    const stage = stageWith(results, {}, capWh ?? "none");
    expect(stage.forecast(day, slots)).toEqual([]);
    expect(stage.openAuction(at18, wh(500), price(61_000), NOON + 1_800_000)).toEqual([]);
  });
});

test("explores only by configuration, little and cheaply", () => {
  const stage = stageWith([], { explorationWh: 50 });
  expect(stage.forecast(day, [at18])).toEqual([{ tag: "order", slotId: at18, energy: wh(50), limit: price(108_000) }]);
});

test("a final round that trades on some days only is worth less", () => {
  // Seven of ten trade at 200: 0.7 × 200 + 0.3 × 60 = 158, less fee and margin.
  const stage = stageWith(
    [...past(10, 120_000, 200_000)].map((result, index) =>
      index % 2 === 1 && index < 6 ? { ...result, price: null } : result,
    ),
  );
  const [order] = stage.forecast(day, slots);
  expect(order).toMatchObject({ tag: "order", limit: 144_000n });
});

test("in auctions it bids up to the same price, and only for lots that fit", () => {
  const stage = stageWith(past(10, 120_000, 160_000), { bidRiseMicrosPerKwh: 50_000 });
  expect(stage.openAuction(at18, wh(1_001), price(70_000), NOON + 1_800_000)).toEqual([]);
  expect(stage.openAuction(at18, wh(800), price(70_000), NOON + 1_800_000)).toEqual([
    { tag: "bid", auctionId: "auction-2", price: price(120_000) },
  ]);
  expect(stage.outbid("auction-2", 1_000n)).toEqual([{ tag: "bid", auctionId: "auction-2", price: price(146_000) }]);
  expect(stage.outbid("auction-2", 1_000n)).toEqual([]);
  expect(stage.openAuction(at18, wh(300), price(70_000), NOON + 1_800_000)).toEqual([
    { tag: "bid", auctionId: "auction-3", price: price(120_000) },
  ]);
  expect(stage.violations).toEqual([]);
});

test("what it holds, bids for and orders stays within the cap", () => {
  const stage = stageWith(past(10, 120_000, 160_000), {}, 600);
  stage.ctx.positions.set(at18, { ...NO_POSITION, bought: wh(450), held: wh(450) });
  expect(stage.forecast(day, slots)).toEqual([{ tag: "order", slotId: at18, energy: wh(150), limit: price(146_000) }]);
  expect(stage.openAuction(at18, wh(100), price(70_000), NOON + 1_800_000)).toEqual([]);
  expect(stage.violations).toEqual([]);
});
