/**
 * The spread of a point method's own recent errors, by slot of the day: what turns a point into quantiles.
 * Taken from what was known at the last local midnight and kept for the day by that content.
 */
import { fingerprint } from "./fingerprint.ts";
import { KeptResults } from "./kept-results.ts";
import { type LocalCalendar, type LocalGrid, latestSameSlot } from "./local-grid.ts";
import { RECENT_DAYS } from "./recent.ts";
import type { Situation } from "./situation.ts";
import { spreadInPlace } from "./statistics.ts";

/** Fewer known errors than this say nothing about the spread. */
const ERRORS_MIN = 10;
const LEAD_DAYS_MAX = 99;

/** Error of a method for a past cell, had it been forecast so many days ahead; NaN where it can't be told. */
export type PastError = (pastCell: number, leadDays: number) => number;

/** The spread for a slot forecast so many days ahead: quantiles about their median; undefined when too little is known. */
export type SpreadAt = (cell: number, leadDays: number) => Float64Array | undefined;

export class DaySpreads {
  readonly #errorsOf: (grid: LocalGrid, calendar: LocalCalendar, situation: Situation) => PastError;
  readonly #kept = new KeptResults<SpreadAt>();

  /** `errorsOf` gets a grid that ends at the last local midnight and may use nothing else that is known. */
  constructor(errorsOf: (grid: LocalGrid, calendar: LocalCalendar, situation: Situation) => PastError) {
    this.#errorsOf = errorsOf;
  }

  at(situation: Situation): SpreadAt {
    const { calendar, target } = situation;
    const { grid, print } = midnightOf(situation);
    const key = `${target.kind}|${target.series}|${calendar.timeZone}|${calendar.slotMinutes}|${grid.firstCell}|${print}`;
    return this.#kept.get(key, () => rememberedSpreads(grid, this.#errorsOf(grid, calendar, situation)));
  }
}

type Midnight = { readonly grid: LocalGrid; readonly print: string };
const midnights = new WeakMap<Situation, Midnight>();

/** The situation's grid before the running day, and its fingerprint. Grids never change, so there is no copy. */
function midnightOf(situation: Situation): Midnight {
  const known = midnights.get(situation);
  if (known !== undefined) return known;
  const { grid, calendar, nowMs } = situation;
  const day = calendar.dayOf(calendar.cellAt(nowMs));
  const count = Math.max(0, Math.min(grid.values.length, day * grid.slotsPerDay - grid.firstCell));
  const values = grid.values.subarray(0, count);
  const lastCell = Math.min(grid.lastCell, grid.firstCell + count - 1);
  const midnight = { grid: { ...grid, values, lastCell }, print: fingerprint(values) };
  midnights.set(situation, midnight);
  return midnight;
}

function rememberedSpreads(grid: LocalGrid, errorAt: PastError): SpreadAt {
  const known = new Map<number, Float64Array | undefined>();
  return (cell, leadDays) => {
    const days = Math.min(Math.max(1, leadDays), LEAD_DAYS_MAX);
    const key = latestSameSlot(grid, cell) * (LEAD_DAYS_MAX + 1) + days;
    if (!known.has(key)) known.set(key, spreadOf(grid, cell, days, errorAt));
    return known.get(key);
  };
}

/** Errors of the last 28 days in the same slot and in those one hour before and after it. */
function spreadOf(grid: LocalGrid, cell: number, leadDays: number, errorAt: PastError): Float64Array | undefined {
  const errors = new Float64Array(3 * RECENT_DAYS);
  const hour = Math.round(grid.slotsPerDay / 24);
  let count = 0;
  for (const shift of [-hour, 0, hour]) {
    const latest = latestSameSlot(grid, cell + shift);
    for (let back = 0; back < RECENT_DAYS; back++) {
      const error = errorAt(latest - back * grid.slotsPerDay, leadDays);
      if (Number.isFinite(error)) errors[count++] = error;
    }
  }
  return count < ERRORS_MIN ? undefined : spreadInPlace(errors, count);
}
