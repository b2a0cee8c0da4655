/** How much each model counts in a blend, and how far the blend is widened, by a record of past days. */
import { QUANTILE_LEVELS } from "./model.ts";
import type { ReplayedDay } from "./replay.ts";
import { meanPinball } from "./scores.ts";
import { quantileOfSorted } from "./statistics.ts";

/**
 * How sharply a model counts by its loss, from near ties that share (at 4, twice the loss counts 1/16) to the best alone.
 * Which is best depends on how alike the models' errors are; the record decides.
 */
const LOSS_POWERS: readonly number[] = [4, 8, 16, 256];
/** Models that count less than this share of the best are left out. */
const WEIGHT_MIN = 0.05;
/** Share of the full correction: measured, all of it costs pinball loss, none of it coverage. */
const WIDENING_SHARE = 0.5;
/** Fewer slots than this don't correct the width. */
const SLOTS_MIN = 50;
const LEVELS = QUANTILE_LEVELS.length;
const PAIRS = (LEVELS - 1) / 2;
const QUARTER_LOW = 4;
const QUARTER_HIGH = 14;

export type Blend = {
  /** Per model, summing to 1. */
  readonly weights: readonly number[];
  /** Per pair of quantiles (0.05 and 0.95 first): by how many interquartile ranges each is moved outwards. */
  readonly widening: Float64Array;
};

/** One model alone. */
export function singlePart(names: readonly string[], chosen: string): Blend {
  return { weights: names.map((name) => (name === chosen ? 1 : 0)), widening: new Float64Array(PAIRS) };
}

/** The blend that a record of past days speaks for. */
export function blendOf(days: readonly ReplayedDay[], partCount: number): Blend {
  const losses = Array.from({ length: partCount }, (_, part) =>
    days.reduce((sum, day) => sum + (day.parts[part]?.loss ?? 0), 0),
  );
  const choices = LOSS_POWERS.map((power) => weightsOf(losses, power));
  const blended = choices.map((weights) => blendedLoss(days, weights));
  const weights = choices[blended.indexOf(Math.min(...blended))] ?? [];
  return { weights, widening: wideningOf(days, weights) };
}

/** Pinball loss that a blend would have had on the record. */
function blendedLoss(days: readonly ReplayedDay[], weights: readonly number[]): number {
  const quantiles = new Float64Array(LEVELS);
  let loss = 0;
  for (const day of days) {
    for (let slot = 0; slot < day.actualWh.length; slot++) {
      const actual = day.actualWh[slot] as number;
      if (!Number.isFinite(actual)) continue;
      blendPastSlot(day, slot, weights, quantiles);
      loss += meanPinball(actual, quantiles);
    }
  }
  return loss;
}

/** Weights by loss: (least loss / loss)^power, small ones dropped, summing to 1. */
export function weightsOf(losses: readonly number[], power: number): readonly number[] {
  const least = Math.min(...losses);
  const raw = losses
    .map((loss) => (loss <= 0 ? 1 : (least / loss) ** power))
    .map((weight) => (weight < WEIGHT_MIN ? 0 : weight));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return raw.map((weight) => weight / sum);
}

/** Adds `weight` times the 19 quantiles at `offset` to `sum`: quantiles are averaged level by level (Vincent 1912). */
export function addQuantiles(sum: Float64Array, quantiles: Float64Array, offset: number, weight: number): void {
  for (let level = 0; level < LEVELS; level++)
    sum[level] = (sum[level] as number) + weight * (quantiles[offset + level] as number);
}

/** Moves each pair of quantiles outwards (inwards where negative) by its share of the interquartile range. */
export function widen(quantiles: Float64Array, widening: Float64Array): void {
  const range = (quantiles[QUARTER_HIGH] as number) - (quantiles[QUARTER_LOW] as number);
  for (let pair = 0; pair < PAIRS; pair++) {
    const move = (widening[pair] as number) * range;
    quantiles[pair] = (quantiles[pair] as number) - move;
    quantiles[LEVELS - 1 - pair] = (quantiles[LEVELS - 1 - pair] as number) + move;
  }
}

/**
 * By how much each pair would have had to be moved so that it had held its share of the readings, halved:
 * conformalised quantile regression (Romano, Patterson and Candès 2019), in units of the interquartile range.
 */
function wideningOf(days: readonly ReplayedDay[], weights: readonly number[]): Float64Array {
  const slotsMax = days.reduce((sum, day) => sum + day.actualWh.length, 0);
  const misses = Array.from({ length: PAIRS }, () => new Float64Array(slotsMax));
  const quantiles = new Float64Array(LEVELS);
  let count = 0;
  for (const day of days) {
    for (let slot = 0; slot < day.actualWh.length; slot++) {
      blendPastSlot(day, slot, weights, quantiles);
      if (noteMisses(misses, count, quantiles, day.actualWh[slot] as number)) count++;
    }
  }
  const widening = new Float64Array(PAIRS);
  if (count < SLOTS_MIN) return widening;
  misses.forEach((list, pair) => {
    const sorted = list.subarray(0, count).sort();
    widening[pair] = WIDENING_SHARE * quantileOfSorted(sorted, count, 1 - 2 * (QUANTILE_LEVELS[pair] as number));
  });
  return widening;
}

function blendPastSlot(day: ReplayedDay, slot: number, weights: readonly number[], out: Float64Array): void {
  out.fill(0);
  day.parts.forEach((part, index) => {
    const weight = weights[index] ?? 0;
    if (weight > 0) addQuantiles(out, part.quantilesWh, slot * LEVELS, weight);
  });
}

/** Notes at `row` by how many interquartile ranges each pair missed the reading (negative: held with room to spare). */
function noteMisses(misses: readonly Float64Array[], row: number, quantiles: Float64Array, actual: number): boolean {
  const range = (quantiles[QUARTER_HIGH] as number) - (quantiles[QUARTER_LOW] as number);
  if (!(range > 0) || !Number.isFinite(actual)) return false;
  misses.forEach((list, pair) => {
    const below = (quantiles[pair] as number) - actual;
    const above = actual - (quantiles[LEVELS - 1 - pair] as number);
    list[row] = Math.max(below, above) / range;
  });
  return true;
}
