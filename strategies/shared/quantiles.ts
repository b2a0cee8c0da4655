/** Reading a forecast of 19 quantiles: any level, its mirror image, and equally likely outcomes. */
import { invariant } from "#core";
import { FORECAST_LEVELS } from "../strategy.ts";

const LEVEL_FIRST = 0.05;
const LEVEL_STEP = 0.05;

/**
 * The quantile at `level`: linear between the 19 that are given, flat above the last.
 *
 * Below the first level the distribution is taken to fall off exponentially, at the rate that the first two quantiles
 * show: `F(x) = 0.05 exp((x - q05) / s)` with `s = (q10 - q05) / ln 2`, so `Q(u) = q05 - s ln(0.05 / u)`. A sharp forecast
 * keeps nearly `q05`, a vague one falls quickly, and level 0 is minus infinity: callers cut at what can't be negative.
 *
 * @param values - 19 numbers that never decrease, at `FORECAST_LEVELS`.
 * @param level - Wanted probability of staying at or below the result.
 */
export function quantileAt(values: Float64Array, level: number): number {
  invariant(values.length === FORECAST_LEVELS.length, "a forecast has 19 quantiles");
  const first = values[0] ?? 0;
  if (level <= 0) return Number.NEGATIVE_INFINITY;
  if (level < LEVEL_FIRST) {
    const scale = ((values[1] ?? 0) - first) / Math.LN2;
    return first - scale * Math.log(LEVEL_FIRST / level);
  }
  const position = (level - LEVEL_FIRST) / LEVEL_STEP;
  const below = Math.min(Math.floor(position), values.length - 1);
  const low = values[below] ?? 0;
  const high = values[Math.min(below + 1, values.length - 1)] ?? 0;
  return low + (high - low) * (position - below);
}

export function medianOf(values: Float64Array): number {
  return quantileAt(values, 0.5);
}

/** Quantiles of minus the variable: of the need, given those of the surplus. */
export function mirrored(values: Float64Array): Float64Array {
  return values.map((_, index) => -(values[values.length - 1 - index] ?? 0));
}

/** Quantiles of the variable plus a certain amount, such as the plan of a battery. */
export function shifted(values: Float64Array, by: number): Float64Array {
  return values.map((value) => value + by);
}

/**
 * Twenty outcomes that are equally likely: the middle of each twentieth of the distribution, tails as in `quantileAt`.
 * The lowest one matters: it stands for the days on which a cautious promise fails.
 */
export function scenariosOf(values: Float64Array): Float64Array {
  return Float64Array.from({ length: values.length + 1 }, (_, index) => quantileAt(values, (index + 0.5) * LEVEL_STEP));
}

/** Expected part of `energyWh` that the variable reaches: `E min(max(X, 0), energy)`, over the twenty scenarios. */
export function expectedWithin(values: Float64Array, energyWh: number): number {
  const scenarios = scenariosOf(values);
  return scenarios.reduce((sum, value) => sum + Math.min(Math.max(value, 0), energyWh), 0) / scenarios.length;
}
