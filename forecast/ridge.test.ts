import { describe, expect, test } from "vitest";
import { seededPrng } from "#core";
import { fitRidge, predictRow, type RidgeData } from "./ridge.ts";

/** Rows of `outcome = 3 + 2a − b + noise`, in five folds. */
function linearRows(
  count: number,
  noise: number,
  alter: (row: number, outcome: number) => number = (_, outcome) => outcome,
): RidgeData {
  const prng = seededPrng(1, "ridge");
  const features = new Float64Array(count * 3);
  const outcomes = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const [a, b] = [prng.nextNormal(), prng.nextNormal()];
    features.set([a, b, 5], row * 3); // The third never varies.
    outcomes[row] = alter(row, 3 + 2 * a - b + noise * prng.nextNormal());
  }
  return {
    featureCount: 3,
    features,
    outcomes,
    folds: Uint8Array.from({ length: count }, (_, row) => row % 5),
    weights: new Float64Array(count).fill(1),
    foldCount: 5,
  };
}

describe("ridge regression", () => {
  test("finds a line and ignores what never varies", () => {
    const { coefficients } = fitRidge(linearRows(400, 0.01));
    expect(coefficients[0]).toBeCloseTo(2, 2);
    expect(coefficients[1]).toBeCloseTo(-1, 2);
    expect(coefficients[2]).toBe(0);
    expect(predictRow(coefficients, Float64Array.of(9, 1, 1, 5), 1)).toBeCloseTo(4, 2);
  });

  test("shrinks towards the mean what is mostly noise", () => {
    const weak = fitRidge(linearRows(40, 50));
    expect(weak.penalty).toBeGreaterThan(fitRidge(linearRows(40, 0.01)).penalty);
  });

  test("held-out predictions do not know their own fold", () => {
    const before = fitRidge(linearRows(200, 0.1));
    const after = fitRidge(linearRows(200, 0.1, (row, outcome) => (row % 5 === 2 ? outcome + 7 : outcome)));
    expect(after.penalty).toBe(before.penalty);
    for (let row = 0; row < 200; row++) {
      if (row % 5 === 2) expect(after.heldOut[row]).toBeCloseTo(before.heldOut[row] ?? 0, 9);
    }
    expect(after.coefficients[3]).toBeGreaterThan((before.coefficients[3] ?? 0) + 1);
  });

  test("weighs rows", () => {
    const data = linearRows(200, 0);
    const jumped = { ...data, outcomes: data.outcomes.map((outcome, row) => (row < 100 ? outcome : outcome + 10)) };
    const late = fitRidge({ ...jumped, weights: data.weights.map((_, row) => (row < 100 ? 1e-6 : 1)) });
    expect(late.coefficients[3]).toBeCloseTo(13, 1);
  });

  test("one feature, worked by hand: slope = cov / (var + λ/n)", () => {
    const features = Float64Array.of(-1, 1, -1, 1);
    const outcomes = Float64Array.of(0, 2, 0, 2);
    const fit = fitRidge({
      featureCount: 1,
      features,
      outcomes,
      folds: Uint8Array.of(0, 0, 1, 1),
      weights: new Float64Array(4).fill(1),
      foldCount: 2,
    });
    expect(fit.penalty).toBe(0.1); // without noise the least penalty predicts best
    expect(fit.coefficients[0]).toBeCloseTo(4 / (4 + 0.1), 12);
    expect(fit.coefficients[1]).toBeCloseTo(1, 12);
  });
});
