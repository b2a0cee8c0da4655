/** Laws of energy, money and price: rounding, splitting, range. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addEnergy,
  addMoney,
  costCeil,
  costFloor,
  energyAbove,
  InvariantError,
  micros,
  microsPerKwh,
  midpointFloor,
  minEnergy,
  splitEvenly,
  splitInProportion,
  subtractEnergy,
  subtractMoney,
  sumEnergy,
  sumMoney,
  wattHours,
} from "./index.ts";

const INT64_MAX = 2n ** 63n - 1n;
const arbEnergy = fc.bigInt({ min: 0n, max: 10n ** 9n }).map(wattHours);
const arbPrice = fc.bigInt({ min: -(10n ** 8n), max: 10n ** 8n }).map(microsPerKwh);
const arbWeights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 40 });

function sum(parts: readonly bigint[]): bigint {
  return parts.reduce((total, part) => total + part, 0n);
}

describe("ranges", () => {
  test("energy is 0…2^63-1", () => {
    expect(wattHours(0n)).toBe(0n);
    expect(wattHours(7)).toBe(7n);
    expect(wattHours(INT64_MAX)).toBe(INT64_MAX);
    expect(() => wattHours(-1n)).toThrow(InvariantError);
    expect(() => wattHours(INT64_MAX + 1n)).toThrow(InvariantError);
  });

  test.each([
    ["money", micros],
    ["price", microsPerKwh],
  ] as const)("%s is signed and fits in 64 bits", (_name, make) => {
    expect(make(-INT64_MAX)).toBe(-INT64_MAX);
    expect(make(INT64_MAX)).toBe(INT64_MAX);
    expect(() => make(INT64_MAX + 1n)).toThrow(InvariantError);
    expect(() => make(-INT64_MAX - 1n)).toThrow(InvariantError);
  });

  test("sums that leave the range stop", () => {
    expect(() => addEnergy(wattHours(INT64_MAX), wattHours(1n))).toThrow(InvariantError);
    expect(() => sumEnergy([wattHours(INT64_MAX), wattHours(1n)])).toThrow(InvariantError);
    expect(() => subtractEnergy(wattHours(1n), wattHours(2n))).toThrow(InvariantError);
    expect(() => addMoney(micros(INT64_MAX), micros(1n))).toThrow(InvariantError);
    expect(() => subtractMoney(micros(-INT64_MAX), micros(1n))).toThrow(InvariantError);
    expect(() => sumMoney([micros(INT64_MAX), micros(1n)])).toThrow(InvariantError);
    expect(() => costCeil(wattHours(INT64_MAX), microsPerKwh(INT64_MAX))).toThrow(InvariantError);
  });
});

describe("cost", () => {
  test.each([
    // energy, price, floor, ceil
    [0n, 250_000n, 0n, 0n],
    [1_000n, 250_000n, 250_000n, 250_000n],
    [1n, 1_500n, 1n, 2n],
    [1n, 999n, 0n, 1n],
    [1n, -1_500n, -2n, -1n],
    [1n, -999n, -1n, 0n],
    [3n, -1_000n, -3n, -3n],
    [INT64_MAX, 1n, INT64_MAX / 1_000n, INT64_MAX / 1_000n + 1n],
  ])("%i Wh at %i: %i rounded down, %i rounded up", (energy, price, floor, ceil) => {
    expect(costFloor(wattHours(energy), microsPerKwh(price))).toBe(floor);
    expect(costCeil(wattHours(energy), microsPerKwh(price))).toBe(ceil);
  });

  test("rounding moves less than one micro, in the direction of its name, and the two are mirror images", () => {
    fc.assert(
      fc.property(arbEnergy, arbPrice, (energy, price) => {
        const exact = energy * price;
        const below = exact - costFloor(energy, price) * 1_000n;
        const above = costCeil(energy, price) * 1_000n - exact;
        expect(below >= 0n && below < 1_000n).toBe(true);
        expect(above >= 0n && above < 1_000n).toBe(true);
        expect(costCeil(energy, price)).toBe(-costFloor(energy, microsPerKwh(-price)));
      }),
    );
  });

  test("in pieces, a payer pays at least as much and a payee receives at most as much as at once", () => {
    fc.assert(
      fc.property(arbEnergy, arbEnergy, arbPrice, (left, right, price) => {
        const whole = addEnergy(left, right);
        expect(costCeil(left, price) + costCeil(right, price)).toBeGreaterThanOrEqual(costCeil(whole, price));
        expect(costFloor(left, price) + costFloor(right, price)).toBeLessThanOrEqual(costFloor(whole, price));
      }),
    );
  });
});

describe("splits", () => {
  test.each([
    [10n, [1n, 1n, 1n], [4n, 3n, 3n]],
    [2n, [1n, 1n, 1n], [1n, 1n, 0n]],
    [100n, [0n, 1n, 0n], [0n, 100n, 0n]],
    [7n, [3n, 2n, 2n], [3n, 2n, 2n]],
    // 5 × 6/10 = 3.0, 5 × 3/10 = 1.5, 5 × 1/10 = 0.5: the tie of halves goes to the earlier.
    [5n, [6n, 3n, 1n], [3n, 2n, 0n]],
    [0n, [0n, 0n], [0n, 0n]],
    [0n, [], []],
  ])("%s in proportion to %s is %s", (total, weights, expected) => {
    expect(splitInProportion(total, weights)).toEqual(expected);
  });

  test("proportional parts sum to the total, and each is within one of its exact share", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), arbWeights, (total, weights) => {
        const all = sum(weights);
        fc.pre(all > 0n);
        const parts = splitInProportion(total, weights);
        expect(sum(parts)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const above = part * all - total * (weights[index] ?? 0n);
          expect(above > -all && above < all).toBe(true);
        }
      }),
    );
  });

  test("a part of at most the sum of weights never exceeds its weight", () => {
    fc.assert(
      fc.property(arbWeights, fc.bigInt({ min: 0n, max: 1_000_000n }), (weights, share) => {
        const total = (sum(weights) * share) / 1_000_000n;
        for (const [index, part] of splitInProportion(total, weights).entries())
          expect(part).toBeLessThanOrEqual(weights[index] ?? 0n);
      }),
    );
  });

  test("an impossible split stops", () => {
    expect(() => splitInProportion(1n, [0n, 0n])).toThrow(InvariantError);
    expect(() => splitInProportion(-1n, [1n])).toThrow(InvariantError);
    expect(() => splitInProportion(1n, [2n, -1n])).toThrow(InvariantError);
    expect(() => splitEvenly(1n, 0)).toThrow(InvariantError);
    expect(() => splitEvenly(1n, 1.5)).toThrow(InvariantError);
  });

  test("even parts sum to the total, differ by at most one, and the earlier get more", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: 1, max: 300 }), (total, count) => {
        const parts = splitEvenly(total, count);
        expect(parts).toHaveLength(count);
        expect(sum(parts)).toBe(total);
        expect((parts[0] ?? 0n) - (parts.at(-1) ?? 0n)).toBeLessThanOrEqual(1n);
        expect([...parts].sort((left, right) => (left > right ? -1 : left < right ? 1 : 0))).toEqual(parts);
      }),
    );
  });
});

test("least energy, energy above, and the middle of two prices", () => {
  expect(minEnergy(wattHours(3n), wattHours(2n))).toBe(2n);
  expect(energyAbove(wattHours(5n), wattHours(2n))).toBe(3n);
  expect(energyAbove(wattHours(2n), wattHours(5n))).toBe(0n);
  expect(midpointFloor(microsPerKwh(1n), microsPerKwh(4n))).toBe(2n);
  expect(midpointFloor(microsPerKwh(-4n), microsPerKwh(-1n))).toBe(-3n);
});
