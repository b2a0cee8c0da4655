/** Covering what is sold: how much, at which price, and with what is not needed alone. */
import { describe, expect, test } from "vitest";
import { type MicrosPerKwh, microsPerKwh, type SlotId, slotStartingAt, type WattHours, wattHours } from "#core";
import type { Position } from "#strategies";
import { evenQuantiles, FakeStrategyContext, NO_POSITION } from "#testkit";
import { type CoverConfig, coverWish, coverWithHeld } from "./covers.ts";
import { Desk } from "./desk.ts";

type Config = CoverConfig & { readonly penaltyWeightPercent: number };

const slotId: SlotId = slotStartingAt(Date.parse("2031-06-11T10:00:00Z"), 15).id;
const TARIFF = { feedIn: microsPerKwh(60_000), retail: microsPerKwh(300_000) };
const USUAL: Config = { coverMarginMicrosPerKwh: 10_000, penaltyWeightPercent: 100 };
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);

function worldOf(position: Partial<Position>, config = USUAL): { ctx: FakeStrategyContext<Config, null>; desk: Desk } {
  const ctx = new FakeStrategyContext<Config, null>(config, null);
  ctx.positions.set(slotId, { ...NO_POSITION, ...position });
  return { ctx, desk: new Desk(ctx, { fundsReservePercent: 0, tradeWhMin: 10 }) };
}

function wished(position: Partial<Position>, quantiles: readonly number[], config = USUAL): bigint {
  const { ctx, desk } = worldOf(position, config);
  return coverWish(ctx, desk, slotId, Float64Array.from(quantiles), TARIFF).energy;
}

describe("what should be covered", () => {
  const sold = { promised: wh(800), sold: wh(800) };

  test("worked by hand: what is promised above the third of the surplus, at most at retail less fee", () => {
    // (0.296 + 0.014 - 0.060 - 0.005) / (0.800 - 0.060 - 0.005) is a third; of 0…1000 that is 333.3.
    const { ctx, desk } = worldOf(sold);
    expect(coverWish(ctx, desk, slotId, Float64Array.from(evenQuantiles(50, 950)), TARIFF)).toEqual({
      energy: wh(466),
      limit: price(296_000),
    });
  });

  test("nothing where the surplus is there, nor of what nobody bought", () => {
    expect(wished(sold, evenQuantiles(900, 1_200))).toBe(0n);
    expect(wished({ promised: wh(800), held: wh(800) }, evenQuantiles(50, 950))).toBe(0n);
    expect(wished({ promised: wh(800), held: wh(700), sold: wh(100) }, evenQuantiles(50, 950))).toBe(100n);
  });

  test("all where nothing will be there", () => {
    expect(wished(sold, evenQuantiles(-900, -100))).toBe(800n);
  });

  test("less where more must be saved by it, more where a shortfall weighs more", () => {
    expect(wished(sold, evenQuantiles(50, 950), { ...USUAL, coverMarginMicrosPerKwh: 200_000 })).toBeLessThan(300n);
    expect(wished(sold, evenQuantiles(50, 950), { ...USUAL, penaltyWeightPercent: 200 })).toBeGreaterThan(600n);
    // A shortfall that costs no more than feeding in brings is not worth covering before it is sure.
    expect(wished(sold, evenQuantiles(50, 950), { ...USUAL, penaltyWeightPercent: 0 })).toBe(0n);
  });
});

describe("with what it is covered", () => {
  const position = { promised: wh(800), sold: wh(800), bought: wh(500), held: wh(500), coverable: wh(500) };

  test("with what is held, and the rest is to be bought", () => {
    const { desk } = worldOf(position);
    expect(coverWithHeld(desk, slotId, { energy: wh(700), limit: price(1) }, wh(0))).toEqual({
      energy: wh(200),
      limit: price(1),
    });
    expect(desk.intents()).toEqual([{ tag: "cover", slotId, energy: wh(500) }]);
    expect(desk.book(slotId)).toMatchObject({ promised: 300n, sold: 300n, bought: 0n, held: 0n, coverable: 0n });
  });

  test("but not with what the own load needs", () => {
    const { desk } = worldOf(position);
    expect(coverWithHeld(desk, slotId, { energy: wh(300), limit: price(1) }, wh(350)).energy).toBe(150n);
    expect(desk.intents()).toEqual([{ tag: "cover", slotId, energy: wh(150) }]);
  });

  test("nor with what can't cover: claims too weak, or on offer", () => {
    const { desk } = worldOf({ ...position, coverable: wh(0) });
    expect(coverWithHeld(desk, slotId, { energy: wh(300), limit: price(1) }, wh(0)).energy).toBe(300n);
    expect(desk.intents()).toEqual([]);
  });

  test("the deposit of what is covered can be spent again", () => {
    const { ctx, desk } = worldOf({ ...position, promised: wh(1_000) });
    ctx.freeFunds = 0n as typeof ctx.freeFunds;
    const poor = new Desk(ctx, { fundsReservePercent: 0, tradeWhMin: 10 });
    expect(poor.order(slotId, wh(100), price(200_000))).toBe(0n);
    expect(poor.cover(slotId, wh(100))).toBe(100n);
    // 100 Wh at 0.80 are free: enough for 392 Wh at 0.20 and a fee of 0.004.
    expect(poor.order(slotId, wh(1_000), price(200_000))).toBe(392n);
    expect(desk.cover(slotId, wh(9))).toBe(0n); // Not worth a transaction.
  });
});
