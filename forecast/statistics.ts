/** Order statistics on typed arrays: what the forecasters need many thousand times a day. */
import { MEDIAN_INDEX, QUANTILE_LEVELS } from "./model.ts";

/**
 * Quantile of the first `count` numbers of an ascending array, linear between order statistics
 * (definition 7 of Hyndman and Fan, The American Statistician 50, 1996). NaN when `count` is 0.
 */
export function quantileOfSorted(sorted: Float64Array, count: number, level: number): number {
  if (count === 0) return Number.NaN;
  const position = level * (count - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, count - 1)] ?? low;
  return low + (high - low) * (position - below);
}

/** The 19 quantiles of the first `count` numbers of `values`, which are sorted in place. */
export function quantilesInPlace(values: Float64Array, count: number): Float64Array {
  const sorted = values.subarray(0, count).sort();
  const quantiles = new Float64Array(QUANTILE_LEVELS.length);
  for (let index = 0; index < quantiles.length; index++) {
    quantiles[index] = quantileOfSorted(sorted, count, QUANTILE_LEVELS[index] as number);
  }
  return quantiles;
}

/** The 19 quantiles less their median: a spread to lay around a point forecast. */
export function spreadInPlace(values: Float64Array, count: number): Float64Array {
  const quantiles = quantilesInPlace(values, count);
  return scaledQuantiles(quantiles, 1, -(quantiles[MEDIAN_INDEX] as number));
}

/** `quantiles × factor + shift`. */
export function scaledQuantiles(quantiles: Float64Array, factor: number, shift: number): Float64Array {
  const scaled = new Float64Array(quantiles.length);
  for (let index = 0; index < scaled.length; index++) scaled[index] = (quantiles[index] as number) * factor + shift;
  return scaled;
}

/** Quantiles cut to `[0, max]` and in ascending order; undefined unless all are finite. */
export function orderedWithin(quantiles: Float64Array, max: number): Float64Array | undefined {
  const cut = new Float64Array(quantiles.length);
  let last = 0;
  let ascending = true;
  for (let index = 0; index < cut.length; index++) {
    const quantile = quantiles[index] as number;
    if (!Number.isFinite(quantile)) return undefined;
    const value = quantile > 0 ? Math.min(quantile, max) : 0;
    if (value < last) ascending = false;
    cut[index] = last = value;
  }
  return ascending ? cut : cut.sort();
}

/** Remainder in `[0, divisor)`, also for negative numbers. */
export function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
