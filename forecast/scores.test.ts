import { describe, expect, test } from "vitest";
import { QUANTILE_LEVELS } from "./model.ts";
import { meanPinball, pinballLoss, scoreForecasts, skill } from "./scores.ts";

test("there are 19 levels from 0.05 to 0.95", () => {
  expect(QUANTILE_LEVELS).toHaveLength(19);
  expect(QUANTILE_LEVELS[0]).toBe(0.05);
  expect(QUANTILE_LEVELS[9]).toBe(0.5);
  expect(QUANTILE_LEVELS[18]).toBe(0.95);
});

describe("pinball loss", () => {
  test.each([
    [100, 80, 0.9, 18], // 20 above: 0.9 × 20
    [100, 120, 0.9, 2], // 20 below: 0.1 × 20
    [100, 120, 0.1, 18],
    [100, 100, 0.3, 0],
  ])("of %d against quantile %d at %d is %d", (actual, quantile, level, loss) => {
    expect(pinballLoss(actual, quantile, level)).toBeCloseTo(loss, 12);
  });

  test("of 19 equal quantiles is half the error: the levels average to one half", () => {
    expect(meanPinball(100, new Float64Array(19).fill(70))).toBeCloseTo(15, 12);
  });

  test("is least for the quantiles of the distribution itself", () => {
    const outcomes = Array.from({ length: 99 }, (_, index) => index + 1);
    const right = Float64Array.from(QUANTILE_LEVELS, (level) => 100 * level);
    const narrow = Float64Array.from(QUANTILE_LEVELS, (level) => 50 + 50 * (level - 0.5));
    const mean = (quantiles: Float64Array): number =>
      outcomes.reduce((sum, outcome) => sum + meanPinball(outcome, quantiles), 0) / outcomes.length;
    expect(mean(right)).toBeLessThan(mean(narrow));
    expect(mean(right)).toBeLessThan(mean(right.map((quantile) => quantile + 10)));
  });
});

describe("scores, worked by hand", () => {
  // Quantiles 0, 10 … 180: q10 = 10, median 90, q90 = 170. Normaliser 200.
  const quantilesWh = Float64Array.from({ length: 19 }, (_, index) => index * 10);
  const scores = scoreForecasts(
    [
      { actualWh: 90, quantilesWh, meanWh: 100 },
      { actualWh: 180, quantilesWh, meanWh: 100 },
    ],
    200,
  );

  test("errors", () => {
    expect(scores.n).toBe(2);
    expect(scores.nMAE).toBeCloseTo(22.5, 10); // (0 + 90) / 2 / 200
    expect(scores.nRMSE).toBeCloseTo(100 * Math.sqrt((100 + 6400) / 2 / 40_000), 10);
    expect(scores.bias).toBeCloseTo(-17.5, 10); // (10 − 80) / 2 / 200
  });

  test("pinball: levels 0.05k, quantiles 10(k − 1)", () => {
    // Actual 90 = quantile of k = 10. Below it (k = 1…9): 0.05k × (90 − 10(k−1)), above (k = 11…19): (1 − 0.05k) × 10(k − 10).
    const sumBelow = [1, 2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, k) => sum + 0.05 * k * (100 - 10 * k), 0);
    const first = (2 * sumBelow) / 19; // symmetric
    const second =
      Array.from({ length: 19 }, (_, i) => i + 1).reduce((sum, k) => sum + 0.05 * k * (190 - 10 * k), 0) / 19;
    expect(sumBelow).toBeCloseTo(82.5, 10);
    expect(scores.pinball).toBeCloseTo((100 * (first + second)) / 2 / 200, 10);
    expect(scores.crps).toBeCloseTo(2 * scores.pinball, 10);
  });

  test("coverage and width", () => {
    expect(scores.coverage80).toBe(50); // 90 lies in 10…170, 180 doesn't
    expect(scores.width80).toBeCloseTo(80, 10); // 160 / 200
  });

  test("nothing scored is NaN", () => {
    expect(scoreForecasts([], 200).nMAE).toBeNaN();
  });
});

test("skill is the share of the reference's score that is saved", () => {
  expect(skill(6, 8)).toBeCloseTo(0.25, 12);
  expect(skill(8, 8)).toBe(0);
  expect(skill(12, 8)).toBe(-0.5);
});
