/** The physical chain on the weather forecast, scaled to the last four weeks: a PV forecast from little or no history. */

import { type FeatureSource, physicalRatio } from "./features.ts";
import { readingAt } from "./local-grid.ts";
import { QUANTILE_LEVELS } from "./model.ts";
import { RECENT_DAYS } from "./recent.ts";
import type { Draft } from "./situation.ts";
import { clamp, quantilesInPlace } from "./statistics.ts";
import type { WeatherGrid } from "./weather-grid.ts";

/** Name in forecasts that rest on the physical chain, while there is too little history to regress. */
export const WEATHER_PHYSICAL = "weather-regression (physical)";

/** Plants give a little less than the chain says; the guess while nothing is metered. */
const USUAL_FACTOR = 0.9;
/** Weight of that guess, in slots at full power. */
const USUAL_FACTOR_WEIGHT = 4;
/** With fewer daylight slots than this the spread is a guess too. */
const SLOTS_MIN = 40;

/** How the plant compared with the chain: the factor, and the spread of the ratio of actual to scaled chain. */
export type PhysicalScale = { readonly factor: number; readonly ratios: Float64Array };

/** Compares the readings of the last 28 days with what the chain made of the weather forecast for them. */
export function physicalScale(source: FeatureSource, weatherOfDay: (day: number) => WeatherGrid): PhysicalScale {
  const { grid, calendar } = source;
  const cells: { readonly actual: number; readonly chain: number }[] = [];
  for (
    let cell = Math.max(grid.firstCell, grid.lastCell - RECENT_DAYS * grid.slotsPerDay + 1);
    cell <= grid.lastCell;
    cell++
  ) {
    const actual = readingAt(grid, cell) / source.unitWh;
    if (!Number.isFinite(actual)) continue;
    const chain = physicalRatio({ ...source, weather: weatherOfDay(calendar.dayOf(cell)) }, cell);
    if (chain > 0.02) cells.push({ actual, chain });
  }
  const sum = (pick: (item: (typeof cells)[number]) => number): number =>
    cells.reduce((total, item) => total + pick(item), 0);
  const factor =
    (sum((item) => item.actual) + USUAL_FACTOR * USUAL_FACTOR_WEIGHT) /
    (sum((item) => item.chain) + USUAL_FACTOR_WEIGHT);
  if (cells.length < SLOTS_MIN)
    return { factor, ratios: Float64Array.from(QUANTILE_LEVELS, (level) => 0.35 + 1.3 * level) };
  const ratios = Float64Array.from(cells, (item) => clamp(item.actual / (factor * item.chain), 0, 3));
  return { factor, ratios: quantilesInPlace(ratios, ratios.length) };
}

/** Quantiles of one slot: chain × factor × ratios. */
export function physicalDraft(source: FeatureSource, scale: PhysicalScale, cell: number): Draft {
  const expected = physicalRatio(source, cell) * scale.factor * source.unitWh;
  return { quantilesWh: scale.ratios.map((ratio) => ratio * expected), meanWh: expected, model: WEATHER_PHYSICAL };
}
