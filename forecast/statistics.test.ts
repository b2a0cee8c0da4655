import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderedWithin, quantileOfSorted, quantilesInPlace, spreadInPlace } from "./statistics.ts";

describe("quantiles", () => {
  test.each([
    [[1, 2, 3, 4], 0.5, 2.5],
    [[1, 2, 3, 4], 0.25, 1.75], // position 0.75: 1 + 0.75 × (2 − 1)
    [[10, 20, 40], 0.95, 38], // position 1.9: 20 + 0.9 × 20
    [[7], 0.05, 7],
  ])("of %j at %d is %d", (sorted, level, expected) => {
    expect(quantileOfSorted(Float64Array.from(sorted), sorted.length, level)).toBeCloseTo(expected, 12);
  });

  test("of nothing is NaN", () => {
    expect(quantileOfSorted(new Float64Array(3), 0, 0.5)).toBeNaN();
  });

  test("only the first numbers count, in any order", () => {
    const quantiles = quantilesInPlace(Float64Array.of(30, 10, 20, 999), 3);
    expect(quantiles[9]).toBe(20);
    expect(quantiles[18]).toBeCloseTo(29, 12); // position 1.9
  });

  test("a spread has its median at 0", () => {
    expect(spreadInPlace(Float64Array.of(5, 9, 1), 3)[9]).toBe(0);
  });
});

describe("orderedWithin", () => {
  test("cuts and sorts what is finite", () => {
    expect(orderedWithin(Float64Array.of(5, -1, 20), 10)).toEqual(Float64Array.of(0, 5, 10));
  });

  test("refuses what is not", () => {
    expect(orderedWithin(Float64Array.of(1, Number.NaN), 10)).toBeUndefined();
    expect(orderedWithin(Float64Array.of(1, Number.POSITIVE_INFINITY), 10)).toBeUndefined();
  });

  test("gives an ascending list within bounds", () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 19 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1e6, noNaN: true }), (list, max) => {
        const ordered = orderedWithin(Float64Array.from(list), max) ?? new Float64Array(0);
        expect(ordered).toHaveLength(list.length);
        ordered.forEach((value, index) => {
          expect(value).toBeGreaterThanOrEqual(ordered[index - 1] ?? 0);
          expect(value).toBeLessThanOrEqual(max);
        });
      }),
    );
  });
});
