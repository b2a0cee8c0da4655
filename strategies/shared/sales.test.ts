import { micros, seededPrng, type SlotId, slotStartingAt, wattHours } from "#core";
import { USUAL_RULES } from "#testkit";
import { describe, expect, test } from "vitest";
import { forgetDay, newSaleMemory, rememberDelivery, rememberGate, rememberLevel, rememberTrade, type SaleMemory, saleChance, trustIn, usualSaleWh } from "./sales.ts";

const config = { saleChancePriorPercent: 50, saleChancePriorWeightSlots: 4, saleForgettingPercentPerDay: 10, calibrationPercentPerSlot: 20 };
const { timeZone } = USUAL_RULES;
const NOON = Date.parse("2031-06-10T12:00:00Z");
const noon = slotStartingAt(NOON, 15).id;
const evening = slotStartingAt(NOON + 7 * 3_600_000, 15).id;

function sell(memory: SaleMemory, soldWh: number): void {
  const trade = { slotId: noon, amount: micros(0n), via: "pool" } as const;
  rememberTrade(memory, { ...trade, side: "bought", energy: wattHours(9_999n) });
  if (soldWh > 0) rememberTrade(memory, { ...trade, side: "sold", energy: wattHours(soldWh) });
}
function deliver(memory: SaleMemory, promisedWh: number, deliveredWh = promisedWh): void {
  rememberDelivery(memory, { slotId: noon, promised: wattHours(promisedWh), delivered: wattHours(deliveredWh), depositLost: micros(0n) }, timeZone, config);
}
function chances(memory: SaleMemory, slotId: SlotId = noon): readonly number[] {
  return (["day-ahead", "final"] as const).map((round) => saleChance(memory, timeZone, slotId, round, config));
}

describe("saleChance", () => {
  test("starts at the prior and moves to the share sold, by hour and by round", () => {
    const memory = newSaleMemory();
    expect(chances(memory)).toEqual([0.5, 0.5]);
    // 200 Wh promised, 50 sold; at the gate 100 more are promised, 250 are on offer, 200 of them are sold.
    sell(memory, 50);
    rememberGate(memory, noon, wattHours(200), wattHours(250));
    sell(memory, 200);
    deliver(memory, 300);
    expect(chances(memory)).toEqual([(4 * 0.5 + 0.25) / 5, (4 * 0.5 + 0.8) / 5]);
    expect(chances(memory, evening)).toEqual([0.5, 0.5]);
  });

  test("remembers how much an hour takes", () => {
    const memory = newSaleMemory();
    expect(usualSaleWh(memory, timeZone, noon)).toBe(0);
    for (const soldWh of [100, 300]) {
      sell(memory, soldWh);
      deliver(memory, 400);
    }
    deliver(memory, 0);
    forgetDay(memory, NOON, config);
    expect(usualSaleWh(memory, timeZone, noon)).toBeCloseTo(200, 9);
    expect(usualSaleWh(memory, timeZone, evening)).toBe(0);
  });

  test("without a gate it is the day-ahead round's share", () => {
    const memory = newSaleMemory();
    sell(memory, 50);
    deliver(memory, 200);
    expect(chances(memory)).toEqual([(4 * 0.5 + 0.25) / 5, 0.5]);
  });

  test("counts a slot in which bought energy was resold as sold at most once", () => {
    const memory = newSaleMemory();
    sell(memory, 500);
    deliver(memory, 200);
    expect(chances(memory)).toEqual([(4 * 0.5 + 1) / 5, 0.5]);
  });

  test("a slot without a promise teaches nothing", () => {
    const memory = newSaleMemory();
    rememberGate(memory, noon, wattHours(0), wattHours(0));
    deliver(memory, 0);
    expect(memory).toEqual(newSaleMemory());
  });

  test("comes back to the prior when nothing is tried any more", () => {
    const memory = newSaleMemory();
    for (let day = 0; day < 20; day++) deliver(memory, 200);
    expect(chances(memory)[0]).toBeLessThan(0.1);
    for (let day = 0; day < 60; day++) forgetDay(memory, NOON, config);
    expect(chances(memory)[0]).toBeGreaterThan(0.45);
  });
});

describe("trustIn", () => {
  test("a failure costs trust, a kept promise gives a little back, and it is never more than the forecast's", () => {
    const memory = newSaleMemory();
    rememberLevel(memory, noon, 0.1);
    rememberLevel(memory, noon, 0.05); // The boldest counts.
    deliver(memory, 200, 150);
    expect(memory.caution).toBeCloseTo(0.2 * 0.9, 12);
    expect(trustIn(memory)).toBeCloseTo(Math.exp(-0.18), 12);
    rememberLevel(memory, noon, 0.1);
    deliver(memory, 200);
    expect(memory.caution).toBeCloseTo(0.16, 12);
    for (let count = 0; count < 50; count++) {
      rememberLevel(memory, noon, 0.1);
      deliver(memory, 200);
    }
    expect(trustIn(memory)).toBe(1);
  });

  test("in the long run promises fail as often as their level says, though the forecast is too sure of itself", () => {
    // The forecast's level u is really 2.5 u; promises are made at 0.1.
    const memory = newSaleMemory();
    const prng = seededPrng(3, "calibration");
    let failures = 0;
    for (let count = 0; count < 4_000; count++) {
      const failed = prng.nextFloat() < 2.5 * 0.1 * trustIn(memory);
      if (failed) failures += 1;
      rememberLevel(memory, noon, 0.1);
      deliver(memory, 200, failed ? 100 : 200);
    }
    expect(Math.abs(failures / 4_000 - 0.1)).toBeLessThan(0.01);
  });
});

test("is plain JSON and does not grow: sales of slots that are long over are dropped", () => {
  const memory = newSaleMemory();
  sell(memory, 5);
  rememberGate(memory, noon, wattHours(10), wattHours(5));
  expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
  forgetDay(memory, NOON + 86_400_000, config);
  expect(Object.keys(memory.open)).toEqual([noon]);
  forgetDay(memory, NOON + 3 * 86_400_000, config);
  expect(memory.open).toEqual({});
});
