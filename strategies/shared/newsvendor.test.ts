import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evenQuantiles } from "#testkit";
import {
  coverLevel,
  keepLevel,
  orderLevel,
  promiseGain,
  promiseLevel,
  type SupplyPrices,
  worthOfEnergy,
} from "./newsvendor.ts";
import { quantileAt } from "./quantiles.ts";

const usual: SupplyPrices = {
  salePrice: 200_000,
  saleChance: 0.8,
  feedIn: 60_000,
  gridFee: 5_000,
  shortfallPrice: 800_000,
  waitingValue: 0,
};

describe("promiseLevel", () => {
  test("the example worked by hand", () => {
    // (0.8 × 140 000 − 5 000) / (800 000 − 5 000 − 0.8 × 60 000) = 107 000 / 747 000
    expect(promiseLevel(usual)).toBeCloseTo(107_000 / 747_000, 12);
  });

  test("what could as well wait must be worth more now than later", () => {
    // (107 000 − 40 000) / (747 000 − 40 000)
    expect(promiseLevel({ ...usual, waitingValue: 40_000 })).toBeCloseTo(67_000 / 707_000, 12);
    expect(promiseLevel({ ...usual, waitingValue: 107_000 })).toBe(0);
  });

  test("with a certain sale it is the newsvendor's ratio of underage to underage plus overage", () => {
    const underage = 200_000 - 60_000 - 5_000;
    const overage = 800_000 - 200_000;
    expect(promiseLevel({ ...usual, saleChance: 1 })).toBeCloseTo(underage / (underage + overage), 12);
  });

  test.each([
    ["no sale is expected", { saleChance: 0 }, 0],
    ["the price is feed-in", { salePrice: 60_000 }, 0],
    ["the margin is eaten by the grid fee", { salePrice: 66_000, saleChance: 0.5 }, 0],
    ["failing costs less than the sale brings", { shortfallPrice: 100_000, saleChance: 1 }, 1],
  ])("when %s", (_case, change, expected) => {
    expect(promiseLevel({ ...usual, ...change })).toBe(expected);
  });

  test("no other promise has a greater expected gain", () => {
    // Fine even distribution; the law is that the gain's peak is at the level's quantile, up to the 19 scenarios' coarseness.
    const prices = fc.record({
      salePrice: fc.integer({ min: 70_000, max: 400_000 }),
      saleChance: fc.double({ min: 0.3, max: 1, noNaN: true }),
      feedIn: fc.integer({ min: 0, max: 65_000 }),
      gridFee: fc.integer({ min: 0, max: 5_000 }),
      shortfallPrice: fc.integer({ min: 450_000, max: 900_000 }),
      waitingValue: fc.constantFrom(0, 0, 20_000),
    });
    fc.assert(
      fc.property(prices, fc.integer({ min: 0, max: 1_000 }), (given, otherWh) => {
        const gainAt = (energyWh: number): number => exactGain(given, energyWh);
        const bestWh = 1_000 * promiseLevel(given);
        expect(gainAt(bestWh)).toBeGreaterThanOrEqual(gainAt(otherWh) - 1e-6);
      }),
    );
  });
});

/** Expected gain in micros when the injection is spread evenly over 0…1000 Wh: E min(I, S) = S − S²/2000. */
function exactGain(
  { salePrice, saleChance, feedIn, gridFee, shortfallPrice, waitingValue }: SupplyPrices,
  promisedWh: number,
): number {
  const deliveredWh = promisedWh - promisedWh ** 2 / 2_000;
  const sold = saleChance * (salePrice * promisedWh - feedIn * deliveredWh);
  return (sold - (gridFee + waitingValue) * deliveredWh - shortfallPrice * (promisedWh - deliveredWh)) / 1_000;
}

test("promiseGain agrees with the exact gain of an even distribution", () => {
  const even = Float64Array.from(evenQuantiles(50, 950));
  for (const promisedWh of [100, 300, 600]) {
    const exact = exactGain(usual, promisedWh);
    // Twenty scenarios miss at most a quarter of one scenario's width, and the tail below 5 % is taken as worse than even.
    expect(promiseGain(even, promisedWh, usual)).toBeLessThanOrEqual(exact);
    expect(exact - promiseGain(even, promisedWh, usual)).toBeLessThan(0.0025 * 1_000 * 747);
  }
});

describe("coverLevel", () => {
  const cover = { price: 296_000, fee: 14_000, feedIn: 60_000, gridFee: 5_000, shortfallPrice: 800_000 };

  test("worked by hand", () => {
    // (296 000 + 14 000 − 60 000 − 5 000) / (800 000 − 60 000 − 5 000)
    expect(coverLevel(cover)).toBeCloseTo(1 / 3, 12);
  });

  test.each([
    ["a cover costs as much as a shortfall", { price: 786_000 }, 1],
    ["a shortfall costs no more than feeding in brings", { shortfallPrice: 65_000 }, 1],
    ["a cover costs no more than feeding in brings", { price: 50_000 }, 0],
  ])("when %s", (_case, change, expected) => {
    expect(coverLevel({ ...cover, ...change })).toBe(expected);
  });

  test("nothing is promised and covered in turn at one price", () => {
    const arbPrices = fc.record({
      feedIn: fc.integer({ min: 0, max: 100_000 }),
      gridFee: fc.integer({ min: 0, max: 20_000 }),
      shortfallPrice: fc.integer({ min: 0, max: 1_000_000 }),
      waitingValue: fc.integer({ min: 0, max: 50_000 }),
      saleChance: fc.double({ min: 0, max: 1, noNaN: true }),
      price: fc.integer({ min: 0, max: 500_000 }),
      fee: fc.integer({ min: 0, max: 20_000 }),
    });
    fc.assert(
      fc.property(arbPrices, ({ price, fee, ...shared }) => {
        const promised = promiseLevel({ ...shared, salePrice: price });
        expect(coverLevel({ ...shared, price, fee })).toBeGreaterThanOrEqual(promised - 1e-9);
      }),
    );
  });
});

describe("orderLevel and keepLevel", () => {
  const need = { price: 150_000, fee: 4_000, feedIn: 60_000, retail: 300_000 };

  test("worked by hand", () => {
    expect(orderLevel(need)).toBeCloseTo(146_000 / 240_000, 12);
    expect(keepLevel(need)).toBeCloseTo(150_000 / 240_000, 12);
  });

  test.each([
    ["dearer than retail", { price: 310_000 }, 0],
    ["cheaper than feed-in", { price: 50_000, fee: 0 }, 1],
    ["retail at feed-in", { retail: 60_000 }, 0],
  ])("when the price is %s", (_case, change, expected) => {
    expect(orderLevel({ ...need, ...change })).toBe(expected);
  });

  test("what is bought up to one level is not sold again at the other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 300_000 }), fc.integer({ min: 0, max: 20_000 }), (price, fee) => {
        expect(keepLevel({ ...need, price })).toBeGreaterThanOrEqual(orderLevel({ ...need, price, fee }));
      }),
    );
  });

  test("promising and ordering never both pay for one slot", () => {
    // Promise where the surplus is above zero at level u, order where it is below at level 1 − v: both needs u + v > 1.
    const arbPrices = fc.record({
      feedIn: fc.integer({ min: 0, max: 80_000 }),
      retailGap: fc.integer({ min: 1, max: 400_000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      saleChance: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(arbPrices, ({ feedIn, retailGap, share, saleChance }) => {
        const retail = feedIn + retailGap;
        const price = feedIn + share * retailGap;
        const u = promiseLevel({
          salePrice: price,
          saleChance,
          feedIn,
          gridFee: 5_000,
          shortfallPrice: Math.max(800_000, retail),
          waitingValue: 0,
        });
        const v = orderLevel({ price, fee: 4_000, feedIn, retail });
        expect(u + v).toBeLessThanOrEqual(1);
      }),
    );
  });
});

test("energy is worth retail where it is used and feed-in where it is not", () => {
  const sure = new Float64Array(19).fill(400);
  expect(worthOfEnergy(sure, 0, 400, 60_000, 300_000)).toBeCloseTo(120_000, 6);
  expect(worthOfEnergy(sure, 300, 200, 60_000, 300_000)).toBeCloseTo((100 * 300_000 + 100 * 60_000) / 1_000, 6);
  const even = Float64Array.from(evenQuantiles(50, 950));
  const level = orderLevel({ price: 150_000, fee: 4_000, feedIn: 60_000, retail: 300_000 });
  const atTarget = worthOfEnergy(even, quantileAt(even, level), 1, 60_000, 300_000);
  expect(Math.abs(atTarget * 1_000 - 154_000)).toBeLessThan(240_000 / 20); // The last Wh ordered is worth what it costs.
});
