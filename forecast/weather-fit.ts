/** Fits the weather regression to what was known at a local midnight, once per such state of knowledge. */
import type { KnownView } from "#data";
import { ErrorTable } from "./error-table.ts";
import { type FeatureSource, recentLevels, sunOver } from "./features.ts";
import { fingerprint, fingerprintOfVintages } from "./fingerprint.ts";
import type { KeptResults } from "./kept-results.ts";
import { gridOf, type LocalCalendar, resampleHistory } from "./local-grid.ts";
import type { ForecastTarget } from "./model.ts";
import { countKnownBy, historyUntil, vintagesUntil } from "./past-view.ts";
import { fitRidge } from "./ridge.ts";
import type { Situation } from "./situation.ts";
import { modulo } from "./statistics.ts";
import { type WeatherSource, weatherGrid } from "./weather-grid.ts";
import { noonSlot, trainingRows } from "./weather-training.ts";

/** A year and a month: each season once, and this one as it was last year. */
const TRAINING_DAYS_MAX = 400;
/** With more days than this the fit is renewed on Mondays only. */
const DAILY_REFIT_DAYS_MAX = 21;
/** Fewer rows than this are not regressed. */
const ROWS_MIN = 150;

export type WeatherFit = {
  readonly coefficients: Float64Array;
  /** Held-out errors, in units of `unitWh` like the predictions. */
  readonly errors: ErrorTable;
  readonly unitWh: number;
};

/**
 * The fit on what was known at the last local midnight (with three weeks of history: that of the last Monday).
 * Undefined with too few rows. Kept by the content that it rests on, so equal knowledge gives equal fits.
 */
export function weatherFitFor(
  situation: Situation,
  view: KnownView,
  source: WeatherSource,
  fits: KeptResults<WeatherFit | undefined>,
): WeatherFit | undefined {
  const { target, calendar, grid } = situation;
  const today = calendar.dayOf(calendar.cellAt(view.nowMs));
  const history = resampleHistory(view.meter(target.series), calendar.slotMinutes);
  const daysKnown = today - calendar.dayOf(calendar.cellAt(history.startMs));
  const fitDay = daysKnown > DAILY_REFIT_DAYS_MAX ? today - modulo(today + 3, 7) : today; // Day 4 was a Monday.
  const cutoffMs = calendar.startMsOf(fitDay * grid.slotsPerDay);
  const known = historyUntil(history, cutoffMs);
  const key = [
    target.series,
    target.kind,
    target.weather,
    calendar.slotMinutes,
    source.slotMs,
    target.capacityWh,
    JSON.stringify(target.site),
    fitDay,
    known.startMs,
    fingerprint(known.energyWh),
    fingerprintOfVintages(source.vintages, countKnownBy(source.vintages, cutoffMs)),
  ].join("|");
  return fits.get(key, () => {
    const vintages = vintagesUntil(source.vintages, cutoffMs);
    const learning = learningSource(
      target,
      calendar,
      gridOf(known, calendar, TRAINING_DAYS_MAX),
      { ...source, vintages },
      fitDay,
    );
    return learning === undefined ? undefined : fitRows(learning);
  });
}

/** Meters and weather by cell for all days before `fitDay`, the weather as day-ahead issues at noon had it. */
function learningSource(
  target: ForecastTarget,
  calendar: LocalCalendar,
  grid: ReturnType<typeof gridOf>,
  source: WeatherSource,
  fitDay: number,
): FeatureSource | undefined {
  const { slotsPerDay, firstCell, values } = grid;
  const unitWh = unitOf(target, values);
  if (values.length === 0 || !(unitWh > 0)) return undefined;
  const noonBeforeMs = (day: number): number => calendar.startMsOf((day - 1) * slotsPerDay + noonSlot(slotsPerDay));
  const count = Math.min(values.length, fitDay * slotsPerDay - firstCell);
  const weather = weatherGrid(source, calendar, firstCell, count, noonBeforeMs);
  return { target, calendar, grid, weather, unitWh, levels: recentLevels(grid), sun: sunOver(target, calendar) };
}

/** Capacity for plants; for loads, and where there is no capacity, the mean or most metered. */
function unitOf(target: ForecastTarget, values: Float64Array): number {
  if (target.kind !== "load" && Number.isFinite(target.capacityWh)) return target.capacityWh;
  const known = values.filter(Number.isFinite);
  if (target.kind !== "load") return known.reduce((max, value) => Math.max(max, value), 0);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function fitRows(source: FeatureSource): WeatherFit | undefined {
  const rows = trainingRows(source);
  if (rows.outcomes.length < ROWS_MIN) return undefined;
  const { coefficients, heldOut } = fitRidge(rows);
  if (!coefficients.every(Number.isFinite)) return undefined;
  const errors = rows.outcomes.map((outcome, row) => outcome - (heldOut[row] ?? 0));
  return { coefficients, errors: new ErrorTable(heldOut, errors, rows.hours), unitWh: source.unitWh };
}
