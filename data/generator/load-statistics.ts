/** How the electricity use of homes behaves, on hourly means by the local clock. */
import { addLocalDays, type ZoneName } from "#core";
import type { MeterSeries } from "../series.ts";
import { weekdayOf } from "./calendar.ts";
import {
  at,
  autocorrelation,
  deviation,
  type HourGrid,
  mapGrid,
  mean,
  meanPairCorrelation,
  perDay,
  persistence,
  quantile,
} from "./hour-grid.ts";
import { monthlyTrend, powerGrid, type Statistics } from "./series-grids.ts";

const HOURS_PER_DAY = 24;

/** How the electricity use of homes behaves. Figures are means over the homes, but for those of their sum. */
export function loadStatistics(homes: readonly MeterSeries[], timeZone: ZoneName): Statistics {
  const grids = homes.map((series) => powerGrid(series, timeZone));
  const studies = grids.map(studyLoad);
  const figure = (compute: (study: LoadStudy) => number): number => mean(studies.map(compute));
  const relativeQuantile = (probability: number): number =>
    figure(({ grid, meanW }) => quantile(grid.values, probability) / meanW);
  const residualLag = (lag: number): number => figure(({ residuals }) => autocorrelation(residuals, lag));
  return {
    dailyKwh: figure(({ meanW }) => (meanW * HOURS_PER_DAY) / 1000),
    ...(homes.length > 1 ? { homeSpread: spreadOf(studies.map(({ meanW }) => meanW)) } : {}),
    dailyVariation: figure(({ departures }) => deviation(departures)),
    dailyLag1: figure(({ departures }) => autocorrelation(departures, 1)),
    seasonVariation: figure(({ trend, meanDaily }) => deviation(trend) / meanDaily),
    ...(homes.length > 1
      ? {
          homeCorrelation: meanPairCorrelation(
            studies.map(({ grid: { firstDay }, departures: values }) => ({ firstDay, values })),
          ),
        }
      : {}),
    weekendRatio: figure(({ weekendRatio }) => weekendRatio),
    hourShare: figure(({ hourShare }) => hourShare),
    residualLag1: residualLag(1),
    residualLag2: residualLag(2),
    residualLag3: residualLag(3),
    residualLag24: residualLag(24),
    hourlyVariation: figure(({ grid, meanW }) => deviation(grid.values) / meanW),
    hourlyQ05: relativeQuantile(0.05),
    hourlyQ50: relativeQuantile(0.5),
    hourlyQ95: relativeQuantile(0.95),
    hourlyQ99: relativeQuantile(0.99),
    ...threeHourShares(grids),
    persistenceError: figure(({ grid, meanW }) => persistenceError(grid) / meanW),
    ...(homes.length > 1 ? sumStatistics(grids) : {}),
  };
}

function spreadOf(means: readonly number[]): number {
  return deviation(Float64Array.from(means)) / mean(means);
}

type LoadStudy = {
  readonly grid: HourGrid;
  readonly meanW: number;
  readonly meanDaily: number;
  /** Moving mean of daily totals over 31 days, and what each day departs from it, over the mean of all days. */
  readonly trend: Float64Array;
  readonly departures: Float64Array;
  /** What is left when the mean of the hour, apart for weekends, is taken away; and the variance that this takes away. */
  readonly residuals: Float64Array;
  readonly hourShare: number;
  readonly weekendRatio: number;
};

function studyLoad(grid: HourGrid): LoadStudy {
  const daily = perDay(grid, (row) => row.reduce((sum, value) => sum + value, 0));
  const meanDaily = mean(daily);
  const trend = monthlyTrend(daily);
  const isWeekend = (day: number): boolean => weekdayOf(addLocalDays(grid.firstDay, day)) >= 6;
  const weekend = Array.from({ length: grid.days }, (_, day) => isWeekend(day));
  const typical = [false, true].map((kind) =>
    Float64Array.from({ length: HOURS_PER_DAY }, (_, hour) =>
      mean(weekend.map((isKind, day) => (isKind === kind ? at(grid, day, hour) : Number.NaN))),
    ),
  );
  const expected = mapGrid(grid, (day, hour) => typical[weekend[day] ? 1 : 0]?.[hour] ?? Number.NaN);
  const residuals = grid.values.map((value, cell) => value - (expected.values[cell] ?? Number.NaN));
  return {
    grid,
    meanW: mean(grid.values),
    meanDaily,
    trend,
    departures: daily.map((value, day) => (value - (trend[day] ?? Number.NaN)) / meanDaily),
    residuals,
    hourShare: 1 - deviation(residuals) ** 2 / deviation(grid.values) ** 2,
    weekendRatio: mean(daily.filter((_, day) => weekend[day])) / mean(daily.filter((_, day) => !weekend[day])),
  };
}

/** Share of the energy per three hours of the local day, mean over the homes. */
function threeHourShares(grids: readonly HourGrid[]): Statistics {
  const profiles = grids.map((grid) =>
    Array.from({ length: HOURS_PER_DAY }, (_, hour) =>
      mean(Array.from({ length: grid.days }, (_, day) => at(grid, day, hour))),
    ),
  );
  const share = (from: number): number =>
    mean(profiles.map((profile) => sum(profile.slice(from, from + 3)) / sum(profile)));
  return Object.fromEntries(
    [0, 3, 6, 9, 12, 15, 18, 21].map((from) => [`shareFrom${String(from).padStart(2, "0")}`, share(from)]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function persistenceError(grid: HourGrid): number {
  const known = persistence(grid);
  return mean(grid.values.map((value, cell) => Math.abs((known.values[cell] ?? Number.NaN) - value)));
}

/** The sum of all homes: what a supplier sees. */
function sumStatistics(grids: readonly HourGrid[]): Statistics {
  const [first] = grids;
  if (first === undefined) return {};
  const total = mapGrid(first, (day, hour) => sum(grids.map((grid) => at(grid, day, hour))));
  const meanW = mean(total.values);
  return { sumHourlyVariation: deviation(total.values) / meanW, sumPersistenceError: persistenceError(total) / meanW };
}

/** How much more half-hours vary than hours: the spikes that an hour hides. Needs slots of at most 30 minutes. */
export function halfHourStatistics(homes: readonly MeterSeries[], timeZone: ZoneName): Statistics {
  const ratios = homes.map((series) => {
    const perHalfHour = 30 / series.slotMinutes;
    const values = Float64Array.from({ length: Math.floor(series.energyWh.length / perHalfHour) }, (_, half) =>
      sum([...series.energyWh.subarray(half * perHalfHour, (half + 1) * perHalfHour)]),
    );
    const hourly = powerGrid(series, timeZone);
    return { ratio: (2 * deviation(values)) / deviation(hourly.values), lag1: autocorrelation(values, 1) };
  });
  return {
    halfHourDeviationRatio: mean(ratios.map(({ ratio }) => ratio)),
    halfHourLag1: mean(ratios.map(({ lag1 }) => lag1)),
  };
}
