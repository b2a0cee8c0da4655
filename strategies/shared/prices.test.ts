import { describe, expect, test } from "vitest";
import { localDay, microsPerKwh, type SlotId, slotStartingAt, slotsOfLocalDay, wattHours, zone } from "#core";
import type { PoolResult } from "#strategies";
import { fakeContextFor, USUAL_RULES } from "#testkit";
import { nullStrategy } from "../null-strategy/index.ts";
import { expectedPrice, localHourOf, recentRounds } from "./prices.ts";

const amsterdam = zone("Europe/Amsterdam");
const config = { pricePriorPercent: 50, pricePriorWeightRounds: 4, priceHistoryDays: 14 };
const tariff = { feedIn: microsPerKwh(60_000n), retail: microsPerKwh(300_000n) };
const HOUR = 3_600_000;
const NOON = Date.parse("2031-06-10T12:00:00Z");

function result(startMs: number, leadMs: number, price: bigint | null, volume = 100n): PoolResult {
  const slotId = slotStartingAt(startMs, 15).id;
  return {
    slotId,
    clearedAtMs: startMs - leadMs,
    price: price === null ? null : microsPerKwh(price),
    volume: wattHours(volume),
  };
}

function contextWith(results: readonly PoolResult[]): ReturnType<typeof fakeContextFor> {
  const ctx = fakeContextFor(nullStrategy);
  ctx.nowMs = NOON;
  ctx.results = results;
  return ctx;
}

const tomorrowAt10: SlotId = slotStartingAt(NOON + 22 * HOUR, 15).id;

describe("expectedPrice", () => {
  test("is the prior where nothing is known", () => {
    expect(expectedPrice(contextWith([]), tomorrowAt10, tariff, config)).toBe(180_000);
    expect(expectedPrice(contextWith([]), tomorrowAt10, tariff, { ...config, pricePriorPercent: 25 })).toBe(120_000);
  });

  test("blends the hour's past prices with the prior; rounds without a trade and other hours do not count", () => {
    const at10 = NOON - 2 * HOUR;
    const ctx = contextWith([
      result(at10, HOUR, 100_000n),
      result(at10 + 900_000, HOUR, 120_000n),
      result(at10 + 1_800_000, HOUR, null, 0n),
      result(at10 + HOUR, HOUR, 299_000n),
    ]);
    expect(expectedPrice(ctx, tomorrowAt10, tariff, config)).toBeCloseTo((4 * 180_000 + 100_000 + 120_000) / 6, 6);
  });

  test("forgets rounds beyond its history", () => {
    const old = NOON - 2 * HOUR - 15 * 24 * HOUR;
    expect(expectedPrice(contextWith([result(old, HOUR, 70_000n)]), tomorrowAt10, tariff, config)).toBe(180_000);
  });

  test("stays within feed-in and retail", () => {
    const at10 = NOON - 2 * HOUR;
    const dear = contextWith(Array.from({ length: 50 }, () => result(at10, HOUR, 2_000_000n)));
    expect(expectedPrice(dear, tomorrowAt10, tariff, config)).toBe(300_000);
  });

  test("sees results that are added later to the same list, and those of a list that was changed", () => {
    const at10 = NOON - 2 * HOUR;
    const results: PoolResult[] = [result(at10, HOUR, 100_000n)];
    const ctx = contextWith(results);
    expect(recentRounds(ctx, tomorrowAt10, 14).length).toBe(1);
    results.push(result(at10 + 900_000, HOUR, 110_000n));
    expect(recentRounds(ctx, tomorrowAt10, 14).map(({ price }) => price)).toEqual([110_000, 100_000]);
    results.shift();
    expect(recentRounds(ctx, tomorrowAt10, 14).map(({ price }) => price)).toEqual([110_000]);
  });
});

test("tells the day-ahead round from the final one by its lead, for every slot of a day", () => {
  for (const slot of slotsOfLocalDay(amsterdam, localDay("2031-03-30"), 15)) {
    const ctx = contextWith([
      { slotId: slot.id, clearedAtMs: Date.parse("2031-03-29T12:00:00Z"), price: null, volume: wattHours(0n) },
      { slotId: slot.id, clearedAtMs: slot.startMs - 300_000, price: null, volume: wattHours(0n) },
    ]);
    ctx.nowMs = slot.startMs;
    expect(recentRounds(ctx, slot.id, 14).map(({ isDayAhead }) => isDayAhead)).toEqual([false, true]);
  }
});

test("the hour is the local clock's, on days of 23 and 25 hours too", () => {
  const hours = (day: string): readonly number[] =>
    slotsOfLocalDay(amsterdam, localDay(day), 60).map(({ id }) => localHourOf(amsterdam, id));
  expect(hours("2031-03-30").filter((hour) => hour === 2)).toEqual([]);
  expect(hours("2031-10-26").filter((hour) => hour === 2)).toEqual([2, 2]);
  expect(localHourOf(USUAL_RULES.timeZone, slotStartingAt(NOON, 15).id)).toBe(12);
});
