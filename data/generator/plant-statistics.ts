/**
 * How the light at plants behaves, on hourly means by the local clock; figures are means over the plants.
 *
 * "Index" is energy over its envelope: the 95 % quantile of the same hour over the 31 days around. It is a clear-sky index that
 * needs neither geometry nor a trustworthy sensor. Only hours with an envelope above 15 % of its highest value count.
 */
import type { ZoneName } from "#core";
import type { MeterSeries } from "../series.ts";
import {
  at,
  autocorrelation,
  deviation,
  type HourGrid,
  hourGrid,
  mapGrid,
  mean,
  meanPairCorrelation,
  perDay,
  persistence,
  quantile,
} from "./hour-grid.ts";
import { powerGrid, type Statistics, slotValues } from "./series-grids.ts";

export type MeteredPlant = { readonly power: MeterSeries; readonly nameplateW: number };

const ENVELOPE_DAYS = 15;
const ENVELOPE_QUANTILE = 0.95;
const ENVELOPE_SHARE_MIN = 0.15;
const DAYLIGHT_SHARE_MIN = 0.005;

/** How the light at plants of one region behaves. */
export function plantStatistics(plants: readonly MeteredPlant[], timeZone: ZoneName): Statistics {
  const grids = plants.map(({ power }) => powerGrid(power, timeZone));
  const indices = grids.map(indexOf);
  const overPlants = (figure: (index: IndexGrids, plant: number) => number): number => mean(indices.map(figure));
  const hourly = (probability: number): number => overPlants(({ hourly: { values } }) => quantile(values, probability));
  const byDay = (probability: number): number => overPlants(({ daily }) => quantile(daily, probability));
  return {
    capacityFactor: mean(grids.map(({ values }, plant) => mean(values) / (plants[plant]?.nameplateW ?? 1))),
    dailyIndexMean: overPlants((index) => mean(index.daily)),
    dailyIndexVariation: overPlants((index) => deviation(index.daily) / mean(index.daily)),
    dailyIndexQ10: byDay(0.1),
    dailyIndexQ25: byDay(0.25),
    dailyIndexQ50: byDay(0.5),
    dailyIndexQ75: byDay(0.75),
    dailyIndexQ90: byDay(0.9),
    dailyIndexLag1: overPlants((index) => autocorrelation(index.daily, 1)),
    hourlyIndexQ05: hourly(0.05),
    hourlyIndexQ10: hourly(0.1),
    hourlyIndexQ25: hourly(0.25),
    hourlyIndexQ50: hourly(0.5),
    hourlyIndexQ75: hourly(0.75),
    hourlyIndexQ90: hourly(0.9),
    hourlyIndexLag1: overPlants((index) => autocorrelation(index.hourly.values, 1)),
    hourlyIndexLag4: overPlants((index) => autocorrelation(index.hourly.values, 4)),
    withinDayDeviation: overPlants((index) => mean(perDay(index.hourly, deviation))),
    ...(plants.length > 1
      ? {
          plantCorrelation: meanPairCorrelation(
            indices.map(({ hourly: { firstDay }, daily: values }) => ({ firstDay, values })),
          ),
        }
      : {}),
    persistenceError: overPlants(({ envelope: top }, plant) => {
      const nameplateW = plants[plant]?.nameplateW ?? 1;
      const grid = grids[plant];
      return grid === undefined ? Number.NaN : daylightError(grid, persistence(grid), top, nameplateW).absolute;
    }),
  };
}

/** How much light changes within an hour: the standard deviation of its four quarters over the envelope. */
export function quarterHourStatistics(plants: readonly MeteredPlant[], timeZone: ZoneName): Statistics {
  const deviations = plants.map(({ power }) => {
    const { hourly, envelope: top } = indexOf(powerGrid(power, timeZone));
    const quarters = power.energyWh;
    const spread = quarters.map((_, slot) =>
      slot % 4 === 0 ? deviation(quarters.subarray(slot, slot + 4)) * 4 : Number.NaN,
    );
    const grid = hourGrid({ ...slotValues(power), values: repeatedPerHour(spread) }, timeZone);
    return mean(
      grid.values.map((value, cell) =>
        Number.isFinite(hourly.values[cell] ?? Number.NaN) ? value / (top.values[cell] ?? 1) : Number.NaN,
      ),
    );
  });
  return { withinHourDeviation: mean(deviations) };
}

/** The value of each hour's first quarter in all its quarters. */
function repeatedPerHour(values: Float64Array): Float64Array {
  return values.map((_, slot) => values[slot - (slot % 4)] ?? Number.NaN);
}

/** The 95 % quantile of each hour over the 31 days around each day. */
function envelope(grid: HourGrid): HourGrid {
  const window = new Float64Array(2 * ENVELOPE_DAYS + 1);
  return mapGrid(grid, (day, hour) => {
    let isDark = true;
    for (let offset = 0; offset < window.length; offset++) {
      const value = at(grid, day - ENVELOPE_DAYS + offset, hour);
      window[offset] = value;
      if (value > 0) isDark = false;
    }
    return isDark ? 0 : quantile(window, ENVELOPE_QUANTILE);
  });
}

export type IndexGrids = { readonly envelope: HourGrid; readonly hourly: HourGrid; readonly daily: Float64Array };

/** Index by hour, and by day where all hours are there. */
export function indexOf(grid: HourGrid): IndexGrids {
  const top = envelope(grid);
  const threshold = ENVELOPE_SHARE_MIN * top.values.reduce((high, value) => (value > high ? value : high), 0);
  const isLight = (cell: number): boolean => (top.values[cell] ?? 0) > threshold;
  const hourly = {
    ...grid,
    values: grid.values.map((value, cell) => (isLight(cell) ? value / (top.values[cell] ?? 1) : Number.NaN)),
  };
  const light = (source: HourGrid): Float64Array =>
    perDay({ ...source, values: source.values.map((value, cell) => (isLight(cell) ? value : 0)) }, (row) =>
      row.reduce((sum, value) => sum + value, 0),
    );
  const [energy, possible] = [light(grid), light(top)];
  return { envelope: top, hourly, daily: energy.map((sum, day) => sum / (possible[day] ?? 1)) };
}

/** Mean absolute and root mean square error by daylight, as shares of the nameplate. */
export type DaylightError = { readonly absolute: number; readonly rootMeanSquare: number };

export function daylightError(actual: HourGrid, forecast: HourGrid, top: HourGrid, nameplateW: number): DaylightError {
  const errors = actual.values.map((value, cell) =>
    (top.values[cell] ?? 0) > DAYLIGHT_SHARE_MIN * nameplateW
      ? (forecast.values[cell] ?? Number.NaN) - value
      : Number.NaN,
  );
  return {
    absolute: mean(errors.map(Math.abs)) / nameplateW,
    rootMeanSquare: Math.sqrt(mean(errors.map((error) => error * error))) / nameplateW,
  };
}
