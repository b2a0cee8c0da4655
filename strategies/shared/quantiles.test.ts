import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evenQuantiles } from "#testkit";
import { expectedWithin, medianOf, mirrored, quantileAt, scenariosOf } from "./quantiles.ts";

const even = Float64Array.from(evenQuantiles(50, 950)); // Level u is 1000 u: an even distribution over 0…1000.
const arbQuantiles = fc
  .array(fc.double({ min: -5_000, max: 5_000, noNaN: true }), { minLength: 19, maxLength: 19 })
  .map((values) => Float64Array.from(values).sort());

describe("quantileAt", () => {
  test.each([
    [0.05, 50],
    [0.1, 100],
    [0.14324, 143.24],
    [0.5, 500],
    [0.95, 950],
    [0.99, 950],
    [1, 950],
  ])("level %f of an even distribution is %f", (level, expected) => {
    expect(quantileAt(even, level)).toBeCloseTo(expected, 6);
  });

  test("falls off exponentially below the first level: half the level is one doubling distance lower", () => {
    // q05 = 50 and q10 = 100: each halving of the level takes 50 away.
    expect(quantileAt(even, 0.025)).toBeCloseTo(0, 9);
    expect(quantileAt(even, 0.0125)).toBeCloseTo(-50, 9);
    expect(quantileAt(even, 0)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("a forecast without spread keeps its value at every positive level", () => {
    const sure = new Float64Array(19).fill(400);
    expect(quantileAt(sure, 0.001)).toBe(400);
    expect(medianOf(sure)).toBe(400);
  });

  test("never decreases with the level", () => {
    const level = fc.double({ min: 0.0001, max: 1, noNaN: true });
    fc.assert(
      fc.property(arbQuantiles, level, level, (values, one, other) => {
        expect(quantileAt(values, Math.min(one, other))).toBeLessThanOrEqual(
          quantileAt(values, Math.max(one, other)) + 1e-6,
        );
      }),
    );
  });
});

test("mirroring twice gives the forecast back, and mirrors its levels", () => {
  fc.assert(
    fc.property(arbQuantiles, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (values, level) => {
      expect([...mirrored(mirrored(values))].map((value) => value + 0)).toEqual([...values].map((value) => value + 0));
      expect(quantileAt(mirrored(values), level)).toBeCloseTo(-quantileAt(values, 1 - level), 6);
    }),
  );
});

test("expectedWithin grows with the energy, by at most as much, and never beyond the mean", () => {
  // Twentieths' middles: 0 (tail), 75, 125 … 925, 950 (flat above the last level).
  expect([...scenariosOf(even)].slice(0, 3).map(Math.round)).toEqual([0, 75, 125]);
  expect(expectedWithin(even, 10_000)).toBeCloseTo((0 + 18 * 500 + 950) / 20, 6);
  expect(expectedWithin(even, 100)).toBeCloseTo((0 + 75 + 18 * 100) / 20, 6);
  fc.assert(
    fc.property(arbQuantiles, fc.nat(5_000), fc.nat(1_000), (values, energyWh, more) => {
      const gain = expectedWithin(values, energyWh + more) - expectedWithin(values, energyWh);
      expect(gain).toBeGreaterThanOrEqual(-1e-9);
      expect(gain).toBeLessThanOrEqual(more + 1e-9);
    }),
  );
});
