/** The rows that a weather regression learns from: what a day-ahead issue at noon would have seen, and what came. */
import { type FeatureSource, featureCountOf, ratioOf, writeFeatures } from "./features.ts";
import { readingAt } from "./local-grid.ts";
import { recentMax } from "./recent.ts";
import type { RidgeData } from "./ridge.ts";
import { NIGHT_CAPACITY_SHARE } from "./situation.ts";

const FOLD_COUNT = 5;
/** Neighbouring days share their weather, so a week stays in one fold. */
const FOLD_DAYS = 7;
/** Days at the start whose 28-day features would rest on little; at most a third of the history. */
const WARMUP_DAYS = 30;
/** A row this much older counts half: plants and seasons drift. Measured on three plants: 120 days beats 60 and none. */
const HALF_LIFE_DAYS = 120;

export type TrainingRows = RidgeData & { readonly hours: Uint8Array };

/** First cell after the hour at which the issues that a model is trained for are made: noon. */
export function noonSlot(slotsPerDay: number): number {
  return slotsPerDay / 2;
}

/** All usable rows of the source's grid; PV in daylight only, quarter-hours every second one. */
export function trainingRows(source: FeatureSource): TrainingRows {
  const { grid, target } = source;
  const { slotsPerDay } = grid;
  const step = slotsPerDay >= 96 ? 2 : 1;
  const count = featureCountOf(target.kind);
  const rowsMax = Math.ceil(grid.values.length / step);
  const features = new Float64Array(rowsMax * count);
  const outcomes = new Float64Array(rowsMax);
  const folds = new Uint8Array(rowsMax);
  const hours = new Uint8Array(rowsMax);
  const weights = new Float64Array(rowsMax);
  let rows = 0;
  const firstDay = grid.firstCell / slotsPerDay;
  const days = grid.values.length / slotsPerDay;
  for (let day = firstDay + Math.min(WARMUP_DAYS, Math.floor(days / 3)); day < firstDay + days; day++) {
    const ratio = ratioOf(source, (day - 1) * slotsPerDay + noonSlot(slotsPerDay) - 1);
    for (let slot = day % step; slot < slotsPerDay; slot += step) {
      const cell = day * slotsPerDay + slot;
      const latest = cell - slotsPerDay * (slot < noonSlot(slotsPerDay) ? 1 : 2);
      const outcome = readingAt(grid, cell) / source.unitWh;
      if (!Number.isFinite(outcome) || isNight(source, cell, latest)) continue;
      if (!writeFeatures(source, cell, latest, ratio, features, rows * count)) continue;
      outcomes[rows] = outcome;
      folds[rows] = Math.floor(day / FOLD_DAYS) % FOLD_COUNT;
      weights[rows] = 0.5 ** ((firstDay + days - day) / HALF_LIFE_DAYS);
      hours[rows] = Math.floor((slot * 24) / slotsPerDay);
      rows++;
    }
  }
  return {
    featureCount: count,
    features: features.subarray(0, rows * count),
    outcomes: outcomes.subarray(0, rows),
    folds: folds.subarray(0, rows),
    hours: hours.subarray(0, rows),
    weights: weights.subarray(0, rows),
    foldCount: FOLD_COUNT,
  };
}

function isNight(source: FeatureSource, cell: number, latest: number): boolean {
  if (source.target.kind !== "pv") return false;
  const sun = source.sun(cell);
  if (sun !== undefined) return sun.cosZenith <= 0;
  return recentMax(source.grid, latest) <= NIGHT_CAPACITY_SHARE * source.unitWh;
}
