/** Series as hourly grids: what the statistics of plants, forecasts and loads have in common. */
import { daysBetween, type ZoneName } from "#core";
import type { MeterSeries, WeatherForecastSeries, WeatherVariable } from "../series.ts";
import { at, type HourGrid, hourGrid, mapGrid, mean, type SlotValues } from "./hour-grid.ts";

/** Named figures. Shares, indices and correlations are plain numbers, errors are shares of the nameplate or of the mean load. */
export type Statistics = Readonly<Record<string, number>>;

const MS_PER_MINUTE = 60_000;
const TREND_DAYS = 15;

export function slotValues({ startMs, slotMinutes, energyWh }: MeterSeries): SlotValues {
  return { startMs, slotMs: slotMinutes * MS_PER_MINUTE, values: energyWh };
}

/** Mean power in W by local day and hour. */
export function powerGrid(series: MeterSeries, timeZone: ZoneName): HourGrid {
  const grid = hourGrid(slotValues(series), timeZone);
  return { ...grid, values: grid.values.map((energyWh) => (energyWh * 60) / series.slotMinutes) };
}

/** One variable of all vintages in one row of slots; later vintages overwrite. */
export function joinedVintages(
  { vintages, slotMinutes }: WeatherForecastSeries,
  variable: WeatherVariable,
): SlotValues {
  const slotMs = slotMinutes * MS_PER_MINUTE;
  const startMs = Math.min(...vintages.map((vintage) => vintage.startMs));
  const ends = vintages.map((vintage) => vintage.startMs + (vintage.values[variable]?.length ?? 0) * slotMs);
  const values = new Float64Array((Math.max(...ends) - startMs) / slotMs).fill(Number.NaN);
  for (const vintage of vintages) values.set(vintage.values[variable] ?? [], (vintage.startMs - startMs) / slotMs);
  return { startMs, slotMs, values };
}

/** The grid's values on the days of another one. */
export function alignedTo(target: HourGrid, grid: HourGrid): HourGrid {
  const shift = daysBetween(grid.firstDay, target.firstDay);
  return mapGrid(target, (day, hour) => at(grid, day + shift, hour));
}

/** The mean of each day with the 15 days before and after it. */
export function monthlyTrend(daily: Float64Array): Float64Array {
  return daily.map((_, day) => mean(daily.subarray(Math.max(0, day - TREND_DAYS), day + TREND_DAYS + 1)));
}
