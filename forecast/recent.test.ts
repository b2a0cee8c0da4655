import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LocalGrid } from "./local-grid.ts";
import { envelopeAt, lastDayRatio, recentMax, recentMean, recentValues } from "./recent.ts";
import { quantileOfSorted } from "./statistics.ts";

/** One slot a day, so that cells are days. */
function daily(values: readonly number[]): LocalGrid {
  return { slotsPerDay: 1, firstCell: 0, lastCell: values.length - 1, values: Float64Array.from(values) };
}

const energies = fc.array(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.constant(Number.NaN)), {
  minLength: 1,
  maxLength: 60,
});

describe("the last 28 same-slot values", () => {
  test("the envelope is their 95 % quantile", () => {
    fc.assert(
      fc.property(energies, (values) => {
        const known = values.slice(-28).filter(Number.isFinite);
        const expected = quantileOfSorted(Float64Array.from(known).sort(), known.length, 0.95);
        const envelope = envelopeAt(daily(values), values.length - 1);
        if (Number.isNaN(expected)) expect(envelope).toBeNaN();
        else expect(envelope).toBeCloseTo(expected, 9);
      }),
    );
  });

  test("mean and largest skip what is missing", () => {
    fc.assert(
      fc.property(energies, (values) => {
        const known = values.slice(-28).filter(Number.isFinite);
        const grid = daily(values);
        const last = values.length - 1;
        if (known.length === 0) {
          expect(recentMean(grid, last)).toBeNaN();
          expect(recentMax(grid, last)).toBeNaN();
        } else {
          expect(recentMean(grid, last)).toBeCloseTo(known.reduce((sum, value) => sum + value, 0) / known.length, 9);
          expect(recentMax(grid, last)).toBe(Math.max(...known));
        }
      }),
    );
  });

  test("after an outage longer than 28 days the values before it serve", () => {
    const buffer = new Float64Array(28);
    const outage = daily([5, 6, 7, ...new Array(30).fill(Number.NaN)]);
    expect(recentValues(outage, 32, buffer)).toBe(1);
    expect(buffer[0]).toBe(7);
    expect(recentValues(daily([1, 2, Number.NaN, 4]), 3, buffer)).toBe(3);
    expect([...buffer.slice(0, 3)]).toEqual([4, 2, 1]);
  });
});

describe("the last day's ratio", () => {
  // Two slots a day: morning and evening. Days 0 to 3; the morning of day 3 is the last that is known.
  const grid: LocalGrid = {
    slotsPerDay: 2,
    firstCell: 0,
    lastCell: 6,
    values: Float64Array.of(10, 20, 30, 40, 50, 60, 70, Number.NaN),
  };

  test("compares this morning with yesterday's level, last evening with the level two days before it", () => {
    const asked: number[] = [];
    const ratio = lastDayRatio(grid, 6, (cell) => {
      asked.push(cell);
      return 100;
    });
    expect(asked).toEqual([1, 4]); // evening of day 2 (cell 5): two days back; morning of day 3 (cell 6): one day back
    expect(ratio).toBeCloseTo((60 + 70) / 200, 12);
  });

  test("is NaN without anything to compare", () => {
    expect(lastDayRatio(grid, 6, () => Number.NaN)).toBeNaN();
    expect(lastDayRatio(grid, 6, () => 0)).toBeNaN();
  });
});
