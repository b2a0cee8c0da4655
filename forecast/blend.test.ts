import { describe, expect, test } from "vitest";
import { addQuantiles, blendOf, singlePart, weightsOf, widen } from "./blend.ts";
import type { ReplayedDay } from "./replay.ts";
import { meanPinball } from "./scores.ts";

describe("weights", () => {
  test.each([
    [
      [2, 2],
      [0.5, 0.5],
    ],
    [
      [1, 2],
      [1, 0],
    ], // 1/256 is dropped
    [
      [0, 5],
      [1, 0],
    ],
    [
      [10, 11],
      [1 / (1 + (10 / 11) ** 8), (10 / 11) ** 8 / (1 + (10 / 11) ** 8)],
    ],
  ])("of losses %j are %j", (losses, expected) => {
    for (const [index, weight] of weightsOf(losses, 8).entries()) expect(weight).toBeCloseTo(expected[index] ?? -1, 12);
  });

  test("one model alone", () => {
    expect(singlePart(["a", "b"], "b").weights).toEqual([0, 1]);
  });
});

/** Days of 24 slots in which a model says 0…18 times `scale` about 100, and the readings are 100 ± up to 90. */
function days(scale: number, count: number): readonly ReplayedDay[] {
  return Array.from({ length: count }, (_, day) => {
    const actualWh = Float64Array.from({ length: 24 }, (_, slot) => 100 + 10 * (((day * 24 + slot) % 19) - 9));
    const quantilesWh = new Float64Array(24 * 19).map((_, index) => 100 + scale * ((index % 19) - 9));
    const loss = actualWh.reduce(
      (sum, actual, slot) => sum + meanPinball(actual, quantilesWh.subarray(slot * 19, slot * 19 + 19)),
      0,
    );
    return { actualWh, parts: [{ quantilesWh, loss }] };
  });
}

describe("how sharply losses count is chosen by the record", () => {
  const level = (value: number): Float64Array => new Float64Array(24 * 19).fill(value);
  /** 20 days of readings of 100 with two models that always say `left` and `right`. */
  const record = (left: number, right: number): readonly ReplayedDay[] =>
    Array.from({ length: 20 }, () => ({
      actualWh: new Float64Array(24).fill(100),
      parts: [left, right].map((said) => ({ quantilesWh: level(said), loss: (24 * Math.abs(said - 100)) / 2 })),
    }));

  test("models that err on opposite sides share", () => {
    const [left = 0, right = 0] = blendOf(record(90, 111), 2).weights;
    expect(left).toBeGreaterThan(0.5);
    expect(right).toBeGreaterThan(0.4);
  });

  test("of models that err on one side the better one stands alone", () => {
    expect(blendOf(record(110, 112), 2).weights).toEqual([1, 0]);
  });
});

describe("widening", () => {
  test("leaves alone what holds what it says", () => {
    expect(blendOf(days(10, 19), 1).widening[1]).toBeCloseTo(0, 1);
  });

  test("widens what is too narrow, narrows what is too wide, by half of what it takes", () => {
    // At half the spread, q10 … q90 is ±40 and the range q25 … q75 is 50; 80 % of the readings lie within ±70 or 80.
    const narrow = blendOf(days(5, 19), 1).widening[1] ?? 0;
    expect(narrow).toBeGreaterThan((0.5 * (70 - 40)) / 50 - 0.01);
    expect(narrow).toBeLessThan((0.5 * (80 - 40)) / 50 + 0.01);
    expect(blendOf(days(20, 19), 1).widening[1]).toBeLessThan(-0.1);
  });

  test("needs some slots", () => {
    expect([...blendOf(days(5, 2), 1).widening]).toEqual(new Array(9).fill(0));
  });

  test("moves pairs outwards and leaves the median", () => {
    const quantiles = Float64Array.from({ length: 19 }, (_, index) => index); // range q25 … q75 is 10
    widen(quantiles, Float64Array.of(0.1, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(quantiles[0]).toBeCloseTo(-1, 12);
    expect(quantiles[18]).toBeCloseTo(19, 12);
    expect(quantiles[9]).toBe(9);
    expect(quantiles[1]).toBe(1);
  });
});

test("quantiles are averaged level by level", () => {
  const sum = new Float64Array(19);
  const two = new Float64Array(38).map((_, index) => (index < 19 ? 10 : 20));
  addQuantiles(sum, two, 0, 0.25);
  addQuantiles(sum, two, 19, 0.75);
  expect([...sum]).toEqual(new Array(19).fill(17.5));
});
