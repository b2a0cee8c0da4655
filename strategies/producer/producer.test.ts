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
import { evenQuantiles, fakeContextFor, StrategyStage, USUAL_RULES } from "#testkit";
import type { SaleMemory } from "../shared/sales.ts";
import { type ProducerConfig, producer } from "./index.ts";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 15).map(({ id }) => id);
const at = (hour: number): SlotId => slotStartingAt(NOON + (12 + hour) * 3_600_000, 15).id;
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);

/** Wind that is even over 0…10, 0…20 and 0…10 kWh at 3, 4 and 5 o'clock. */
function stageWith(config: Partial<ProducerConfig> = {}): StrategyStage<ProducerConfig, SaleMemory> {
  const ctx = fakeContextFor(producer, config);
  ctx.nowMs = NOON;
  ctx.forecastSurplus(at(3), evenQuantiles(500, 9_500));
  ctx.forecastSurplus(at(4), evenQuantiles(1_000, 19_000));
  ctx.forecastSurplus(at(5), evenQuantiles(500, 9_500));
  return new StrategyStage(producer, ctx);
}

describe("the README's example", () => {
  test("auctions the largest slot and offers the others", () => {
    const stage = stageWith();
    const intents = stage.forecast(day, slots);
    expect([at(3), at(4), at(5)].map((slotId) => stage.ctx.position(slotId).promised)).toEqual([795n, 1_591n, 795n]);
    expect(intents.filter(({ tag }) => tag !== "promise")).toEqual([
      { tag: "offer", slotId: at(3), energy: wh(795), limit: price(67_000) },
      { tag: "auction", slotId: at(4), energy: wh(1_591), basePrice: price(67_000), deadlineMs: NOON + 1_800_000 },
      { tag: "offer", slotId: at(5), energy: wh(795), limit: price(67_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });
});

describe("when the forecast falls below what is sold", () => {
  /** 795 Wh of 3 o'clock are promised and sold; then no more than 0…1000 Wh are expected. */
  function fallen(config: Partial<ProducerConfig> = {}): StrategyStage<ProducerConfig, SaleMemory> {
    const stage = stageWith({ auctionSlotsPerDay: 0, ...config });
    stage.forecast(day, slots);
    stage.poolRound(at(3), price(200_000), 1);
    stage.ctx.forecastSurplus(at(3), evenQuantiles(50, 950));
    return stage;
  }

  test("buys in the final round what is above the third of the forecast, and covers with it", () => {
    const stage = fallen();
    expect(stage.gate(at(3))).toEqual([{ tag: "order", slotId: at(3), energy: wh(461), limit: price(296_000) }]);
    const before = stage.ctx.funds();
    stage.poolRound(at(3), price(250_000), 1);
    expect(stage.ctx.position(at(3))).toMatchObject({ promised: 334n, sold: 334n, bought: 0n, held: 0n });
    // It had locked 0.300 per kWh and paid 0.254; the deposit of 461 Wh at 0.80 is free again.
    expect(stage.ctx.funds() - before).toBe(461n * 46n + 461n * 800n);
    expect(stage.violations).toEqual([]);
  });

  test("covers as much as it gets", () => {
    const stage = fallen();
    stage.gate(at(3));
    stage.poolRound(at(3), price(250_000), 0.5);
    expect(stage.ctx.position(at(3))).toMatchObject({ promised: 565n, sold: 565n, bought: 0n });
    expect(stage.violations).toEqual([]);
  });

  test("withdraws what it offers while it buys, and that does not count as unsold", () => {
    const stage = stageWith({ auctionSlotsPerDay: 0 });
    stage.forecast(day, slots);
    stage.poolRound(at(3), price(200_000), 0.5);
    stage.ctx.forecastSurplus(at(3), evenQuantiles(50, 950));
    expect(stage.gate(at(3)).map(({ tag }) => tag)).toEqual(["cancel", "order"]);
    expect(stage.ctx.memory.open[at(3)]?.gate?.offeredWh).toBe(0);
    expect(stage.violations).toEqual([]);
  });

  test("not before the gate, not where the forecast holds, and not where it must save too much", () => {
    const early = fallen();
    expect(early.forecast(day, slots)).toEqual([]);
    const sound = fallen();
    sound.ctx.forecastSurplus(at(3), evenQuantiles(900, 1_200));
    expect(sound.gate(at(3)).map(({ tag }) => tag)).not.toContain("order");
    const thrifty = fallen({ coverMarginMicrosPerKwh: 1_000_000 });
    expect(thrifty.gate(at(3))).toEqual([]);
  });
});

test("what the auction did not sell goes to the pool; what it sold does not", () => {
  const unsold = stageWith();
  unsold.forecast(day, slots);
  unsold.ctx.nowMs = NOON + 1_800_000;
  expect(unsold.endAuction("auction-1")).toEqual([
    { tag: "offer", slotId: at(4), energy: wh(1_591), limit: price(67_000) },
  ]);

  const sold = stageWith();
  sold.forecast(day, slots);
  sold.outbid("auction-1", 5_000n);
  expect(sold.endAuction("auction-1")).toEqual([]);
  expect(sold.ctx.memory.open[at(4)]?.soldWh).toBe(1_591);
  expect([...unsold.violations, ...sold.violations]).toEqual([]);
});

test("several slots, several lots, or none", () => {
  const auctions = (config: Partial<ProducerConfig>): readonly bigint[] =>
    stageWith(config)
      .forecast(day, slots)
      .flatMap((intent) => (intent.tag === "auction" ? [intent.energy] : []));
  expect(auctions({ auctionSlotsPerDay: 2 })).toEqual([795n, 1_591n]);
  expect(auctions({ auctionLotsPerSlot: 3 })).toEqual([531n, 530n, 530n]);
  expect(auctions({ auctionSlotsPerDay: 0 })).toEqual([]);
});

test("asked again while the auction runs, it neither promises nor auctions more", () => {
  const stage = stageWith();
  stage.forecast(day, slots);
  expect(stage.forecast(day, slots)).toEqual([]);
});

test("at the gate promises what the newest forecast adds and offers all that is left just above feed-in", () => {
  const stage = stageWith();
  stage.forecast(day, slots);
  stage.ctx.forecastSurplus(at(3), evenQuantiles(4_500, 5_400));
  expect(stage.gate(at(3))).toEqual([
    { tag: "promise", slotId: at(3), energy: wh(3_726) },
    { tag: "cancel", slotId: at(3) },
    { tag: "offer", slotId: at(3), energy: wh(4_521), limit: price(61_000) },
  ]);
  expect(stage.violations).toEqual([]);
});

test("never buys, and never auctions a slot that begins before the auction would end", () => {
  const stage = stageWith({ auctionMinutes: 1_440, auctionSlotsPerDay: 3 });
  stage.ctx.forecastSurplus(at(6), evenQuantiles(-5_000, -1_000));
  const tags = stage.forecast(day, slots).map(({ tag }) => tag);
  expect(tags.filter((tag) => tag === "auction" || tag === "order")).toEqual([]);
  expect(tags.filter((tag) => tag === "offer").length).toBe(3);
});
