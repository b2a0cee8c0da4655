import { describe, expect, test } from "vitest";
import { micros, type SlotId, slotStartingAt, wattHours } from "#core";
import { USUAL_RULES } from "#testkit";
import {
  forgetDay,
  newSaleMemory,
  rememberDelivery,
  rememberGate,
  rememberTrade,
  type SaleMemory,
  saleChance,
} from "./sales.ts";

const config = { saleChancePriorPercent: 50, saleChancePriorWeightSlots: 4, saleForgettingPercentPerDay: 10 };
const { timeZone } = USUAL_RULES;
const NOON = Date.parse("2031-06-10T12:00:00Z");
const noon = slotStartingAt(NOON, 15).id;
const evening = slotStartingAt(NOON + 7 * 3_600_000, 15).id;

function sell(memory: SaleMemory, soldWh: number): void {
  const trade = { slotId: noon, amount: micros(0n), via: "pool" } as const;
  rememberTrade(memory, { ...trade, side: "bought", energy: wattHours(9_999n) });
  if (soldWh > 0) rememberTrade(memory, { ...trade, side: "sold", energy: wattHours(soldWh) });
}
function deliver(memory: SaleMemory, promisedWh: number): void {
  rememberDelivery(
    memory,
    { slotId: noon, promised: wattHours(promisedWh), delivered: wattHours(0n), depositLost: micros(0n) },
    timeZone,
  );
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
