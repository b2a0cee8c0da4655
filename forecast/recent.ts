/** What the latest known values of the same slot say: windows, envelopes, and how the last day compares with them. */
import { type LocalGrid, readingAt } from "./local-grid.ts";

/** Days that "recent" means: four weeks, so that each weekday counts alike. */
export const RECENT_DAYS = 28;

const ENVELOPE_LEVEL = 0.95;

/**
 * Copies the known values of the 28 days up to `cell` (same slot of the day) into `buffer`; returns how many.
 * After an outage of more than 28 days the newest values before it serve instead.
 */
export function recentValues(grid: LocalGrid, cell: number, buffer: Float64Array, days: number = RECENT_DAYS): number {
  let count = 0;
  for (let back = 0; cell - back * grid.slotsPerDay >= grid.firstCell; back++) {
    if (back >= days && count > 0) break;
    const reading = readingAt(grid, cell - back * grid.slotsPerDay);
    if (Number.isFinite(reading)) buffer[count++] = reading;
    if (count === days) break;
  }
  return count;
}

/** Mean of the same slot over the 28 days up to `cell`; NaN when none is known. */
export function recentMean(grid: LocalGrid, cell: number, days: number = RECENT_DAYS): number {
  const { values, slotsPerDay } = grid;
  const last = cell - grid.firstCell;
  const first = Math.max(0, last - (days - 1) * slotsPerDay);
  let sum = 0;
  let count = 0;
  for (let index = last; index >= first; index -= slotsPerDay) {
    const reading = values[index] ?? Number.NaN;
    if (Number.isNaN(reading)) continue;
    sum += reading;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** Largest of the same slot over the 28 days up to `cell`; NaN when none is known. */
export function recentMax(grid: LocalGrid, cell: number): number {
  let max = Number.NaN;
  for (let back = 0; back < RECENT_DAYS; back++) {
    const reading = readingAt(grid, cell - back * grid.slotsPerDay);
    if (!(reading <= max) && !Number.isNaN(reading)) max = reading;
  }
  return max;
}

/**
 * 95 % quantile of the same slot over the 28 days up to `cell`: about what a clear day gives. NaN when none is known.
 * Of at most 28 values this lies between two of the three largest, so one pass that keeps three is enough.
 */
export function envelopeAt(grid: LocalGrid, cell: number): number {
  const { values, slotsPerDay } = grid;
  const last = cell - grid.firstCell;
  const from = Math.max(0, last - (RECENT_DAYS - 1) * slotsPerDay);
  let first = Number.NEGATIVE_INFINITY;
  let second = first;
  let third = first;
  let count = 0;
  for (let index = last; index >= from; index -= slotsPerDay) {
    const reading = values[index] ?? Number.NaN;
    if (!Number.isNaN(reading)) count++;
    if (reading > first) {
      third = second;
      second = first;
      first = reading;
    } else if (reading > second) {
      third = second;
      second = reading;
    } else if (reading > third) third = reading;
  }
  return count === 0 ? Number.NaN : envelopeOfLargest([first, second, third], count);
}

/** The 95 % quantile of `count` values (28 at most) of which the three largest are given, largest first. */
function envelopeOfLargest(largest: readonly [number, number, number], count: number): number {
  const position = ENVELOPE_LEVEL * (count - 1);
  const below = Math.floor(position);
  const low = largest[count - 1 - below] ?? Number.NaN;
  const high = largest[Math.max(0, count - 2 - below)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** A level to compare a slot with, from the days up to `cell`: an envelope or a mean. NaN where nothing is known. */
export type LevelAt = (cell: number) => number;

/** `levelAt` of one grid, each cell computed once. */
export function rememberedLevel(grid: LocalGrid, levelAt: (grid: LocalGrid, cell: number) => number): LevelAt {
  const levels = new Float64Array(grid.values.length);
  const done = new Uint8Array(grid.values.length);
  return (cell) => {
    const index = cell - grid.firstCell;
    if (index < 0 || index >= levels.length) return Number.NaN;
    if (done[index] === 0) {
      levels[index] = levelAt(grid, cell);
      done[index] = 1;
    }
    return levels[index] as number;
  };
}

/**
 * How the 24 hours up to `lastCell` compare with their level as it was known a day ahead ("k24"): 1 is as usual.
 * Slots of the running day had been forecast from the day before, those of the day before it from two days before,
 * as for an issue at this time of day. NaN when nothing can be compared.
 */
export function lastDayRatio(grid: LocalGrid, lastCell: number, levelAt: LevelAt): number {
  const { slotsPerDay } = grid;
  const dayStart = Math.floor(lastCell / slotsPerDay) * slotsPerDay;
  let actual = 0;
  let level = 0;
  for (let cell = lastCell - slotsPerDay + 1; cell <= lastCell; cell++) {
    const reading = readingAt(grid, cell);
    const usual = levelAt(cell - slotsPerDay * (cell >= dayStart ? 1 : 2));
    if (Number.isNaN(reading) || Number.isNaN(usual)) continue;
    actual += reading;
    level += usual;
  }
  return level > 0 ? actual / level : Number.NaN;
}
