import { describe, expect, test } from "vitest";
import { slotStartingAt } from "#core";
import type { Round } from "./prices.ts";
import { expectedResale, spreadNotes } from "./spread.ts";

const DAY = 86_400_000;
const round = (day: number, isDayAhead: boolean, price: number | undefined, volumeWh = 0): Round => ({
  slotId: slotStartingAt(day * DAY, 15).id,
  clearedAtMs: day * DAY,
  price,
  volumeWh,
  isDayAhead,
});

describe("spreadNotes", () => {
  test("pairs the rounds of a slot; a slot with only one of them is not an observation", () => {
    const notes = spreadNotes([
      round(1, true, 100_000),
      round(1, false, 130_000, 400),
      round(2, true, 120_000),
      round(2, false, 170_000, 200),
      round(3, true, 140_000),
      round(3, false, undefined, 0),
      round(4, true, 500_000), // Its final round is still to come.
      round(5, true, undefined),
      round(5, false, 999_000, 50),
    ]);
    expect(notes).toEqual({
      observations: 3,
      dayAheadPrice: 120_000,
      spread: 40_000,
      finalShare: 2 / 3,
      finalVolumeWh: 200,
    });
    // 2/3 of the time 160 000, else feed-in.
    expect(expectedResale(notes ?? never(), 60_000)).toBeCloseTo((2 * 160_000 + 60_000) / 3, 6);
  });

  test("is undefined without a pair", () => {
    expect(spreadNotes([round(1, true, 100_000), round(2, false, 90_000)])).toBeUndefined();
  });
});

test("a resale is never expected below feed-in", () => {
  const notes = { observations: 9, dayAheadPrice: 70_000, spread: -50_000, finalShare: 1, finalVolumeWh: 10 };
  expect(expectedResale(notes, 60_000)).toBe(60_000);
});

function never(): never {
  throw new Error("notes are defined");
}
