/** The standard normal distribution, and marginal distributions given as quantiles at fixed probabilities. Pure arithmetic. */
/** The probabilities at which parameters and statistics give quantiles. */
export const QUANTILE_PROBABILITIES: readonly number[] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/** The standard normal quantiles at {@link QUANTILE_PROBABILITIES}. */
const SCORES: readonly number[] = [-2.3263, -1.6449, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.6449, 2.3263];

/** Standard normal quantile of 0.999: beyond it a table is flat, so that no draw leaves the range that was measured. */
const SCORE_MAX = 3.0902;

/** A distribution as its quantiles at {@link QUANTILE_PROBABILITIES}, rising. */
export type QuantileTable = readonly number[];

/**
 * P(Z ≤ z) for a standard normal Z, off by less than 8e-8.
 * Abramowitz & Stegun, Handbook of Mathematical Functions (1964), formula 26.2.17.
 */
export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upperTail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z >= 0 ? 1 - upperTail : upperTail;
}

/** The value of the table's distribution at the standard normal score `z`: linear between quantiles, extended to ±3.09. */
export function valueAtScore(table: QuantileTable, z: number): number {
  return interpolate(SCORES, table, Math.max(-SCORE_MAX, Math.min(SCORE_MAX, z)));
}

/** The standard normal score of `value` in the table's distribution, within ±3.09: undoes {@link valueAtScore}. */
export function scoreOfValue(table: QuantileTable, value: number): number {
  return Math.max(-SCORE_MAX, Math.min(SCORE_MAX, interpolate(table, SCORES, value)));
}

/** Piecewise linear through `(from[i], to[i])`, the outer pieces extended. */
function interpolate(from: readonly number[], to: readonly number[], at: number): number {
  let upper = 1;
  while (upper < from.length - 1 && at > (from[upper] ?? 0)) upper++;
  const left = from[upper - 1] ?? 0;
  const low = to[upper - 1] ?? 0;
  const width = (from[upper] ?? 0) - left;
  return width === 0 ? low : low + ((at - left) / width) * ((to[upper] ?? 0) - low);
}
