/**
 * Meter history laid out by local clock: day after day, slot by slot, so that "the same slot on other days" is a
 * fixed step away also across clock changes. A skipped hour is NaN, a repeated hour the mean of its two readings.
 */
import { type Slot, type SlotMinutes, slotStartingAt, type ZoneName } from "#core";
import type { MeterHistory } from "#data";
import { modulo } from "./statistics.ts";
import { ZoneOffsets } from "./zone-offsets.ts";

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;

/** Numbers slots by local clock ("cells"): cell = days since 1970-01-01 × slots per day + slot of the day. */
export class LocalCalendar {
  readonly slotMinutes: SlotMinutes;
  readonly slotMs: number;
  readonly slotsPerDay: number;
  readonly timeZone: ZoneName;
  readonly #offsets: ZoneOffsets;

  constructor(timeZone: ZoneName, slotMinutes: SlotMinutes) {
    this.timeZone = timeZone;
    this.slotMinutes = slotMinutes;
    this.slotMs = slotMinutes * MS_PER_MINUTE;
    this.slotsPerDay = 1440 / slotMinutes;
    this.#offsets = new ZoneOffsets(timeZone);
  }

  /** The cell of the slot that starts at, or holds, the instant. */
  cellAt(atMs: number): number {
    return Math.floor((atMs + this.offsetMsAt(atMs)) / this.slotMs);
  }

  dayOf(cell: number): number {
    return Math.floor(cell / this.slotsPerDay);
  }

  slotOfDay(cell: number): number {
    return modulo(cell, this.slotsPerDay);
  }

  /** Start of a cell in UTC; the first of the two where the clock repeats it. */
  startMsOf(cell: number): number {
    const wallMs = cell * this.slotMs;
    const before = wallMs - this.offsetMsAt(wallMs - MS_PER_DAY);
    if (before + this.offsetMsAt(before) === wallMs) return before;
    return wallMs - this.offsetMsAt(wallMs + MS_PER_DAY);
  }

  /** The slots of a local day: 23, 24 or 25 hours of them. */
  slotsOf(day: number): readonly Slot[] {
    const startMs = this.startMsOf(day * this.slotsPerDay);
    const count = Math.round((this.startMsOf((day + 1) * this.slotsPerDay) - startMs) / this.slotMs);
    const first = Math.ceil(startMs / this.slotMs) * this.slotMs; // Where the zone's offset is no multiple of the slot.
    return Array.from({ length: count }, (_, index) => slotStartingAt(first + index * this.slotMs, this.slotMinutes));
  }

  /** True for Saturday and Sunday. Day 0 was a Thursday. */
  isWeekend(day: number): boolean {
    return modulo(day + 3, 7) >= 5;
  }

  /** Milliseconds that the local clock is ahead of UTC at the instant. */
  offsetMsAt(atMs: number): number {
    return this.#offsets.atMs(atMs);
  }
}

/** Metered energy by cell. */
export type LocalGrid = {
  readonly slotsPerDay: number;
  /** The cell of `values[0]`: always the first of a local day. */
  readonly firstCell: number;
  /** The last cell whose reading is due; `firstCell - 1` when nothing is known. */
  readonly lastCell: number;
  /** Watt-hours; NaN where missing. */
  readonly values: Float64Array;
};

/** The last `days` local days (and the running one) of a history, by cell. */
export function gridOf(history: MeterHistory, calendar: LocalCalendar, days: number): LocalGrid {
  const { slotsPerDay, slotMs } = calendar;
  const count = history.energyWh.length;
  if (count === 0) return { slotsPerDay, firstCell: 0, lastCell: -1, values: new Float64Array(0) };
  const lastCell = calendar.cellAt(history.startMs + (count - 1) * slotMs);
  const firstDay = Math.max(calendar.dayOf(calendar.cellAt(history.startMs)), calendar.dayOf(lastCell) - days);
  const firstCell = firstDay * slotsPerDay;
  const values = new Float64Array((calendar.dayOf(lastCell) + 1) * slotsPerDay - firstCell).fill(Number.NaN);
  const startIndex = Math.max(0, Math.floor((calendar.startMsOf(firstCell) - history.startMs) / slotMs));
  for (let index = startIndex; index < count; index++) {
    const reading = history.energyWh[index] as number;
    const cell = calendar.cellAt(history.startMs + index * slotMs) - firstCell;
    if (cell < 0 || !Number.isFinite(reading)) continue;
    const earlier = values[cell] as number;
    values[cell] = Number.isNaN(earlier) ? reading : (earlier + reading) / 2;
  }
  return { slotsPerDay, firstCell, lastCell, values };
}

/** The reading of a cell; NaN when missing, not yet known or before the grid. */
export function readingAt(grid: LocalGrid, cell: number): number {
  return grid.values[cell - grid.firstCell] ?? Number.NaN;
}

/** The newest cell with the same slot of the day as `cell` whose reading is due. */
export function latestSameSlot(grid: LocalGrid, cell: number): number {
  return grid.lastCell - modulo(grid.lastCell - cell, grid.slotsPerDay);
}

/** A history in slots of another length: energy is summed up (missing parts make it missing) or spread evenly. */
export function resampleHistory(history: MeterHistory, slotMinutes: SlotMinutes): MeterHistory {
  if (history.slotMinutes === slotMinutes) return history;
  const fromMs = history.slotMinutes * MS_PER_MINUTE;
  const toMs = slotMinutes * MS_PER_MINUTE;
  const startMs = Math.ceil(history.startMs / toMs) * toMs;
  const endMs = history.startMs + history.energyWh.length * fromMs;
  const count = Math.max(0, Math.floor((endMs - startMs) / toMs));
  const energyWh = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const first = Math.floor((startMs + index * toMs - history.startMs) / fromMs);
    let sum = 0;
    for (let part = 0; part < Math.max(1, toMs / fromMs); part++) sum += history.energyWh[first + part] ?? Number.NaN;
    energyWh[index] = toMs < fromMs ? (sum * toMs) / fromMs : sum;
  }
  return { startMs, slotMinutes, energyWh };
}
