import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  energyUnitFor,
  formatCount,
  formatEnergy,
  formatMoney,
  formatNumber,
  formatPeriod,
  formatPrice,
  formatScaled,
  formatSeconds,
  percentFloor,
} from "./format.ts";

describe("amounts as text", () => {
  test.each([
    [0n, 3, {}, "0.000"],
    [1_234_567n, 3, { decimals: 1 }, "1,234.6"],
    [-1_234_567n, 3, { decimals: 1 }, "-1,234.6"],
    [-1_234_567n, 3, { decimals: 1, minus: "−" }, "−1,234.6"],
    [49n, 3, { decimals: 1 }, "0.0"],
    [50n, 3, { decimals: 1 }, "0.1"],
    [-49n, 3, { decimals: 1, plus: true }, "0.0"],
    [-50n, 3, { decimals: 1 }, "-0.1"],
    [999_950n, 3, { decimals: 1 }, "1,000.0"],
    [5n, 0, { plus: true }, "+5"],
    [9_007_199_254_740_993n, 0, {}, "9,007,199,254,740,993"],
    [-9_223_372_036_854_775_807n, 6, { decimals: 2 }, "-9,223,372,036,854.78"],
  ] as const)("%s with %i digits", (value, digits, style, text) => {
    expect(formatScaled(value, digits, style)).toBe(text);
  });

  test("energy, money, prices and counts have the decimals of their kind", () => {
    expect(formatEnergy(12_345n)).toBe("12.3");
    expect(formatEnergy(12_345_678n, { decimals: 2 }, "MWh")).toBe("12.35");
    expect(formatMoney(-1_005_000n)).toBe("-1.01");
    expect(formatMoney(1_005_000n, { plus: true })).toBe("+1.01");
    expect(formatPrice(123_449n)).toBe("0.1234");
    expect(formatCount(1_234_567)).toBe("1,234,567");
  });

  test("no digit is lost: a full text read back is the amount, and a rounded one is within half a unit", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
        fc.integer({ min: 0, max: 6 }),
        (value, decimals) => {
          const full = formatScaled(value, 6).replaceAll(",", "").replace(".", "");
          expect(BigInt(full)).toBe(value);
          const scale = 10n ** BigInt(6 - decimals);
          const rounded = BigInt(formatScaled(value, 6, { decimals }).replaceAll(",", "").replace(".", "")) * scale;
          const error = rounded > value ? rounded - value : value - rounded;
          expect(error * 2n <= scale).toBe(true);
        },
      ),
    );
  });

  test("what rounds to zero has no sign", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -60_000n, max: 60_000n }), (value) => {
        const text = formatMoney(value, { plus: true });
        if (/^[+-]?0\.00$/.test(text)) expect(text).toBe("0.00");
      }),
    );
  });
});

test("scores and rates", () => {
  expect(formatNumber(-0.04)).toBe("0.0");
  expect(formatNumber(-12.35, { minus: "−" })).toBe("−12.3");
  expect(formatNumber(3, { plus: true })).toBe("+3.0");
  expect(formatNumber(1_234.56)).toBe("1,234.6");
  expect(formatNumber(Number.NaN)).toBe("n/a");
  expect(formatNumber(Number.POSITIVE_INFINITY)).toBe("n/a");
});

test("a percentage is rounded down, so that 100.0 is all", () => {
  expect(percentFloor(9_999n, 10_000n)).toBe("99.9");
  expect(percentFloor(10_000n, 10_000n)).toBe("100.0");
  expect(percentFloor(0n, 10n)).toBe("0.0");
  expect(percentFloor(0n, 0n)).toBeNull();
});

test("MWh from 10 MWh on", () => {
  expect(energyUnitFor([9_999_999n])).toBe("kWh");
  expect(energyUnitFor([1n, 10_000_000n])).toBe("MWh");
  expect(energyUnitFor([])).toBe("kWh");
});

test.each([
  [0.5, "0.50 s"],
  [42.35, "42.4 s"],
  [184, "3 min 04 s"],
  [7_500, "2 h 05 min"],
])("%d seconds", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test.each([
  ["2025-03-24", "2025-03-24", "24 Mar 2025"],
  ["2025-03-01", "2025-03-24", "1 – 24 Mar 2025"],
  ["2025-03-24", "2025-04-06", "24 Mar – 6 Apr 2025"],
  ["2024-12-24", "2025-01-06", "24 Dec 2024 – 6 Jan 2025"],
])("period %s to %s", (first, last, text) => {
  expect(formatPeriod(first, last)).toBe(text);
});
