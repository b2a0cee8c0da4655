/** Weather forecasts laid out by local clock like the meters, each slot from the run that an issue would have had. */
import type { WeatherVintage } from "#data";
import type { LocalCalendar } from "./local-grid.ts";
import type { ForecastTarget } from "./model.ts";
import { countKnownBy } from "./past-view.ts";

/** Runs that are looked through, newest first, for one that covers a slot. */
const RUNS_SEARCHED_MAX = 64;

/** The variables that the models look at. */
export type UsedVariable = "ghi" | "temperature" | "windSpeed" | "humidity";
const VARIABLES: readonly UsedVariable[] = ["ghi", "temperature", "windSpeed", "humidity"];

/** The variable without which a run is of no use. */
export function leadingVariable(kind: ForecastTarget["kind"]): UsedVariable {
  return kind === "pv" ? "ghi" : kind === "wind" ? "windSpeed" : "temperature";
}

/** Forecast weather by cell; NaN where no run covers the slot. */
export type WeatherGrid = {
  readonly firstCell: number;
  readonly values: Readonly<Record<UsedVariable, Float64Array>>;
  /** Mean irradiance of local days in kW/m², as far as asked for before. */
  readonly dayMeanGhi: Map<number, number>;
};

export type WeatherSource = {
  readonly vintages: readonly WeatherVintage[];
  /** Slot length of the runs. */
  readonly slotMs: number;
  readonly leading: UsedVariable;
};

/**
 * Weather for `count` cells from `firstCell` on. `knownByMs(day)` is when the forecast for a local day was issued: the
 * newest run known then is taken; where none reached that far, the newest known at the slot's start.
 */
export function weatherGrid(
  source: WeatherSource,
  calendar: LocalCalendar,
  firstCell: number,
  count: number,
  knownByMs: (day: number) => number,
): WeatherGrid {
  const unknown = (): Float64Array => new Float64Array(count).fill(Number.NaN);
  const values = { ghi: unknown(), temperature: unknown(), windSpeed: unknown(), humidity: unknown() };
  let day = Number.NaN;
  let issueMs = 0;
  let knownCount = 0;
  for (let index = 0; index < count; index++) {
    const cell = firstCell + index;
    const startMs = calendar.startMsOf(cell);
    if (calendar.dayOf(cell) !== day) {
      day = calendar.dayOf(cell);
      issueMs = knownByMs(day);
      knownCount = countKnownBy(source.vintages, issueMs);
    }
    const run =
      findRun(source, knownCount, startMs) ??
      (startMs > issueMs ? findRun(source, countKnownBy(source.vintages, startMs), startMs) : undefined);
    if (run === undefined) continue;
    for (const variable of VARIABLES) {
      const series = run.values[variable];
      if (series !== undefined) values[variable][index] = slotMean(source, run, series, startMs, calendar.slotMs);
    }
  }
  return { firstCell, values, dayMeanGhi: new Map() };
}

/** The newest of the first `knownCount` runs that has the leading variable at the instant. */
function findRun(source: WeatherSource, knownCount: number, startMs: number): WeatherVintage | undefined {
  for (let index = knownCount - 1; index >= Math.max(0, knownCount - RUNS_SEARCHED_MAX); index--) {
    const run = source.vintages[index];
    const value = run?.values[source.leading]?.[Math.floor((startMs - run.startMs) / source.slotMs)];
    if (value !== undefined && Number.isFinite(value)) return run;
  }
  return undefined;
}

/** A slot's mean from a run in slots of another length. */
function slotMean(
  source: WeatherSource,
  run: WeatherVintage,
  series: Float64Array,
  startMs: number,
  slotMs: number,
): number {
  const first = Math.floor((startMs - run.startMs) / source.slotMs);
  if (slotMs <= source.slotMs) return series[first] ?? Number.NaN;
  const parts = Math.round(slotMs / source.slotMs);
  let sum = 0;
  let count = 0;
  for (let part = 0; part < parts; part++) {
    const value = series[first + part] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}
