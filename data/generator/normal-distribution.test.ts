import fc from "fast-check";
import { expect, test } from "vitest";
import { normalCdf, scoreOfValue, valueAtScore } from "./normal-distribution.ts";

const TABLE = [0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1, 1.1];

test.each([
  [0, 0.5],
  [1, 0.841345],
  [-1, 0.158655],
  [1.959964, 0.975],
  [-3, 0.00135],
])("P(Z ≤ %d) = %d", (z, probability) => {
  expect(normalCdf(z)).toBeCloseTo(probability, 6);
});

test("the table's quantiles are at their scores, and values between them are between", () => {
  expect(valueAtScore(TABLE, 0)).toBe(0.6);
  expect(valueAtScore(TABLE, 1.2816)).toBeCloseTo(0.9, 12);
  expect(valueAtScore(TABLE, -1.2816)).toBeCloseTo(0.2, 12);
  expect(valueAtScore(TABLE, 0.33725)).toBeCloseTo(0.7, 12);
});

test("beyond one in a thousand a table is flat", () => {
  expect(valueAtScore(TABLE, 5)).toBe(valueAtScore(TABLE, 3.0902));
  expect(scoreOfValue(TABLE, 99)).toBe(3.0902);
});

test("score and value undo each other and rise together", () => {
  const score = fc.double({ min: -3, max: 3, noNaN: true });
  fc.assert(
    fc.property(score, score, (left, right) => {
      expect(scoreOfValue(TABLE, valueAtScore(TABLE, left))).toBeCloseTo(left, 9);
      if (left < right) expect(valueAtScore(TABLE, left)).toBeLessThanOrEqual(valueAtScore(TABLE, right));
    }),
  );
});
