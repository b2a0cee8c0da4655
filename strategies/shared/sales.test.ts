import { micros, slotStartingAt, wattHours } from "#core";
import { USUAL_RULES } from "#testkit";
import { describe, expect, test } from "vitest";
import { forgetDay, newSaleMemory, rememberDelivery, rememberTrade, type SaleMemory, saleChance } from "./sales.ts";

const config = { saleChancePriorPercent: 70, saleChancePriorWeightSlots: 4, saleForgettingPercentPerDay: 10 };
const { timeZone } = USUAL_RULES;
const NOON = Date.parse("2031-06-10T12:00:00Z");
const noon = slotStartingAt(NOON, 15).id;
const evening = slotStartingAt(NOON + 7 * 3_600_000, 15).id;

function sell(memory: SaleMemory, soldWh: bigint, promisedWh: bigint): void {
  const trade = { slotId: noon, amount: micros(0n), via: "pool" } as const;
  rememberTrade(memory, { ...trade, side: "bought", energy: wattHours(9_999n) });
  if (soldWh > 0n) rememberTrade(memory, { ...trade, side: "sold", energy: wattHours(soldWh) });
  rememberDelivery(memory, { slotId: noon, promised: wattHours(promisedWh), delivered: wattHours(0n), depositLost: micros(0n) }, timeZone);
}

describe("saleChance", () => {
  test("starts at the prior and moves to the share sold, hour by hour", () => {
    const memory = newSaleMemory();
    expect(saleChance(memory, timeZone, noon, config)).toBeCloseTo(0.7, 12);
    sell(memory, 50n, 200n);
    expect(saleChance(memory, timeZone, noon, config)).toBeCloseTo((4 * 0.7 + 0.25) / 5, 12);
    expect(saleChance(memory, timeZone, evening, config)).toBeCloseTo(0.7, 12);
  });

  test("counts a slot in which bought energy was resold as sold at most once", () => {
    const memory = newSaleMemory();
    sell(memory, 500n, 200n);
    expect(saleChance(memory, timeZone, noon, config)).toBeCloseTo((4 * 0.7 + 1) / 5, 12);
  });

  test("a slot without a promise teaches nothing", () => {
    const memory = newSaleMemory();
    sell(memory, 0n, 0n);
    expect(memory).toEqual(newSaleMemory());
  });

  test("comes back to the prior when nothing is tried any more", () => {
    const memory = newSaleMemory();
    for (let day = 0; day < 20; day++) sell(memory, 0n, 200n);
    expect(saleChance(memory, timeZone, noon, config)).toBeLessThan(0.15);
    for (let day = 0; day < 60; day++) forgetDay(memory, NOON, config);
    expect(saleChance(memory, timeZone, noon, config)).toBeGreaterThan(0.65);
  });
});

test("is plain JSON and does not grow: sales of slots that are long over are dropped", () => {
  const memory = newSaleMemory();
  rememberTrade(memory, { slotId: noon, side: "sold", energy: wattHours(5n), amount: micros(1n), via: "auction" });
  expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
  forgetDay(memory, NOON + 86_400_000, config);
  expect(Object.keys(memory.soldWh)).toEqual([noon]);
  forgetDay(memory, NOON + 3 * 86_400_000, config);
  expect(memory.soldWh).toEqual({});
});
