/** Series laid out as local days by local hours, and the elementary statistics of such grids. NaN is a missing value. */
import { daysBetween, type LocalDay, localDayAt, type ZoneName } from "#core";
import { STEP_MS, stepCalendar } from "./calendar.ts";

const HOURS = 24;
const HOUR_MS = 3_600_000;

/** One row of 24 values per local day. Hours that the clock skips are missing, hours that it repeats are averaged. */
export type HourGrid = { readonly firstDay: LocalDay; readonly days: number; readonly values: Float64Array };

/** Slots of equal length: `values[i]` is the mean of `[startMs + i × slotMs, …)`. */
export type SlotValues = { readonly startMs: number; readonly slotMs: number; readonly values: Float64Array };

/** Hourly means by the local clock over all local days that the slots touch. An hour with a missing slot is missing. */
export function hourGrid({ startMs, slotMs, values }: SlotValues, timeZone: ZoneName): HourGrid {
  const firstDay = localDayAt(timeZone, startMs);
  const lastDay = localDayAt(timeZone, startMs + values.length * slotMs - 1);
  const calendar = stepCalendar(timeZone, firstDay, daysBetween(firstDay, lastDay) + 1);
  const sums = new Float64Array(calendar.days.length * HOURS);
  const counts = new Float64Array(sums.length);
  const slotsPerHour = HOUR_MS / slotMs;
  for (const [day, { firstStep, endStep }] of calendar.days.entries()) {
    for (let step = firstStep; step < endStep; step += slotMs / STEP_MS) {
      const slot = Math.round((calendar.startMs + step * STEP_MS - startMs) / slotMs);
      const cell = day * HOURS + Math.floor((calendar.minuteOfDay[step] ?? 0) / 60);
      sums[cell] = (sums[cell] ?? 0) + (values[slot] ?? Number.NaN);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
  }
  const means = sums.map((sum, cell) => ((counts[cell] ?? 0) >= slotsPerHour ? sum / (counts[cell] ?? 1) : Number.NaN));
  return { firstDay, days: calendar.days.length, values: means };
}

export function at(grid: HourGrid, day: number, hour: number): number {
  return day < 0 || day >= grid.days ? Number.NaN : (grid.values[day * HOURS + hour] ?? Number.NaN);
}

/** A grid of the same days, each value made from its day and hour. */
export function mapGrid(grid: HourGrid, make: (day: number, hour: number) => number): HourGrid {
  return { ...grid, values: grid.values.map((_, cell) => make(Math.floor(cell / HOURS), cell % HOURS)) };
}

/** One number per day from its 24 values. */
export function perDay(grid: HourGrid, reduce: (row: Float64Array) => number): Float64Array {
  return Float64Array.from({ length: grid.days }, (_, day) =>
    reduce(grid.values.subarray(day * HOURS, (day + 1) * HOURS)),
  );
}

/** What is known at 12:00 on the day before: the hour's value one day back for the morning, two days back from noon on. */
export function persistence(grid: HourGrid): HourGrid {
  return mapGrid(grid, (day, hour) => at(grid, day - (hour < 12 ? 1 : 2), hour));
}

/** Mean of the finite values; NaN when there are none. */
export function mean(values: Iterable<number>): number {
  let total = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    total += value;
    count++;
  }
  return count === 0 ? Number.NaN : total / count;
}

/** Standard deviation of the finite values. */
export function deviation(values: Float64Array): number {
  const centre = mean(values);
  let total = 0;
  let count = 0;
  for (const value of values) {
    const away = value - centre;
    if (!Number.isFinite(away)) continue;
    total += away * away;
    count++;
  }
  return Math.sqrt(total / count);
}

/** Correlation over the pairs in which both values are finite. */
export function correlation(left: Float64Array, right: Float64Array): number {
  let count = 0;
  let meanX = 0;
  let meanY = 0;
  let varianceX = 0;
  let varianceY = 0;
  let covariance = 0;
  for (let index = 0; index < left.length; index++) {
    const x = left[index] ?? Number.NaN;
    const y = right[index] ?? Number.NaN;
    if (!Number.isFinite(x + y)) continue;
    count++;
    const awayX = x - meanX;
    const awayY = y - meanY;
    meanX += awayX / count;
    meanY += awayY / count;
    varianceX += awayX * (x - meanX);
    varianceY += awayY * (y - meanY);
    covariance += awayX * (y - meanY);
  }
  return covariance / Math.sqrt(varianceX * varianceY);
}

/** Correlation of a series with itself `lag` values later. */
export function autocorrelation(values: Float64Array, lag: number): number {
  return correlation(values.subarray(0, values.length - lag), values.subarray(lag));
}

/** Quantile of the finite values, linear between order statistics; NaN when there are none. */
export function quantile(values: Float64Array, probability: number): number {
  const sorted = finite(values).sort();
  const position = (sorted.length - 1) * probability;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? low;
  return low + (high - low) * (position - Math.floor(position));
}

function finite(values: Float64Array): Float64Array {
  const kept = new Float64Array(values.length);
  let count = 0;
  for (const value of values) if (Number.isFinite(value)) kept[count++] = value;
  return kept.subarray(0, count);
}

/** One number per local day. */
export type DayValues = { readonly firstDay: LocalDay; readonly values: Float64Array };

/** Mean of the correlations of all pairs, each over the days that both have. */
export function meanPairCorrelation(series: readonly DayValues[]): number {
  const pairs = series.flatMap((left, index) => series.slice(index + 1).map((right) => dayCorrelation(left, right)));
  return mean(pairs);
}

function dayCorrelation(left: DayValues, right: DayValues): number {
  const shift = daysBetween(left.firstDay, right.firstDay);
  const others = left.values.map((_, day) => right.values[day - shift] ?? Number.NaN);
  return correlation(left.values, others);
}
