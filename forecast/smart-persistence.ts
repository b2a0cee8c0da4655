/**
 * `smart-persistence`: what the plant can give at this time of day, times how the last day compared with that.
 * For a load: the latest known value of the same slot on a day of the same type (working day or weekend).
 */
import { DaySpreads, type PastError } from "./day-spreads.ts";
import { type LocalCalendar, type LocalGrid, latestSameSlot, readingAt } from "./local-grid.ts";
import type { Forecaster, ForecasterOptions } from "./model.ts";
import { aroundPoint } from "./persistence.ts";
import { envelopeAt, lastDayRatio, RECENT_DAYS, recentMean, rememberedLevel } from "./recent.ts";
import { coldDraft, type Drafter, type Situation, slotForecaster } from "./situation.ts";
import { scaledQuantiles } from "./statistics.ts";

export const SMART_PERSISTENCE = "smart-persistence";

/** Level of the last 28 days × ratio of the last 24 known hours to it (PV, wind); same type of day (load). */
export function createSmartPersistence(options: ForecasterOptions): Forecaster {
  const spreads = new DaySpreads((grid, calendar, { target }) =>
    target.kind === "load" ? dayTypeErrors(grid, calendar) : levelErrors(grid, levelOf(target.kind)),
  );
  return slotForecaster(SMART_PERSISTENCE, options, (situation) =>
    situation.target.kind === "load" ? sameDayTypeDrafter(situation, spreads) : levelDrafter(situation, spreads),
  );
}

type Level = (grid: LocalGrid, cell: number) => number;

/** PV compares with the envelope (a clear day), wind with the mean. */
function levelOf(kind: "pv" | "wind"): Level {
  return kind === "pv" ? envelopeAt : recentMean;
}

function levelDrafter(situation: Situation, spreads: DaySpreads): Drafter {
  const { grid, target } = situation;
  const levelAt = rememberedLevel(grid, target.kind === "pv" ? envelopeAt : recentMean);
  const known = lastDayRatio(grid, grid.lastCell, levelAt);
  const ratio = Number.isNaN(known) ? 1 : known;
  const spreadAt = spreads.at(situation);
  return (slot, cell) => {
    const latest = latestSameSlot(grid, cell);
    const level = levelAt(latest);
    if (Number.isNaN(level)) return coldDraft(situation, slot);
    const spread = spreadAt(cell, (cell - latest) / grid.slotsPerDay);
    return aroundPoint(situation, slot, ratio * level, spread && scaledQuantiles(spread, level, 0));
  };
}

/** Errors in units of the level, the ratio being that of the whole day so many days before. */
function levelErrors(grid: LocalGrid, levelFrom: Level): PastError {
  const { slotsPerDay } = grid;
  const levelAt = rememberedLevel(grid, levelFrom);
  const ratios = rememberedLevel(grid, (_, cell) => lastDayRatio(grid, cell, levelAt));
  return (past, leadDays) => {
    const level = levelAt(past - leadDays * slotsPerDay);
    if (!(level > 0)) return Number.NaN;
    const dayEnd = (Math.floor(past / slotsPerDay) - leadDays + 1) * slotsPerDay - 1;
    return readingAt(grid, past) / level - ratios(dayEnd);
  };
}

function sameDayTypeDrafter(situation: Situation, spreads: DaySpreads): Drafter {
  const { grid, calendar } = situation;
  const spreadAt = spreads.at(situation);
  return (slot, cell) => {
    const latest = latestSameSlot(grid, cell);
    const reading = latestOfDayType(grid, calendar, cell, latest);
    const point = Number.isNaN(reading) ? recentMean(grid, latest) : reading;
    if (Number.isNaN(point)) return coldDraft(situation, slot);
    return aroundPoint(situation, slot, point, spreadAt(cell, (cell - latest) / grid.slotsPerDay));
  };
}

function dayTypeErrors(grid: LocalGrid, calendar: LocalCalendar): PastError {
  return (past, leadDays) =>
    readingAt(grid, past) - latestOfDayType(grid, calendar, past, past - leadDays * grid.slotsPerDay);
}

/** The newest known reading of the slot, at `newest` or days before it, on a day of the type of `cell`'s; else NaN. */
function latestOfDayType(grid: LocalGrid, calendar: LocalCalendar, cell: number, newest: number): number {
  const weekend = calendar.isWeekend(calendar.dayOf(cell));
  for (let back = 0; back < RECENT_DAYS; back++) {
    const past = newest - back * grid.slotsPerDay;
    const reading = readingAt(grid, past);
    if (!Number.isNaN(reading) && calendar.isWeekend(calendar.dayOf(past)) === weekend) return reading;
  }
  return Number.NaN;
}
