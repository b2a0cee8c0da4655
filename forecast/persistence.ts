/** `persistence`: the latest known value of the same slot, with the spread of its own recent errors. */
import type { Slot } from "#core";
import { DaySpreads } from "./day-spreads.ts";
import { latestSameSlot, readingAt } from "./local-grid.ts";
import { type Forecaster, type ForecasterOptions, MEDIAN_INDEX } from "./model.ts";
import { recentMean } from "./recent.ts";
import { coldDraft, type Draft, type Situation, slotForecaster } from "./situation.ts";
import { scaledQuantiles } from "./statistics.ts";

export const PERSISTENCE = "persistence";

/** The latest known value of the same local slot; where that is missing, the mean of the 28 latest. */
export function createPersistence(options: ForecasterOptions): Forecaster {
  const spreads = new DaySpreads(
    (grid) => (past, leadDays) => readingAt(grid, past) - readingAt(grid, past - leadDays * grid.slotsPerDay),
  );
  return slotForecaster(PERSISTENCE, options, (situation) => {
    const { grid } = situation;
    const spreadAt = spreads.at(situation);
    return (slot, cell) => {
      const latest = latestSameSlot(grid, cell);
      const reading = readingAt(grid, latest);
      const point = Number.isNaN(reading) ? recentMean(grid, latest) : reading;
      if (Number.isNaN(point)) return coldDraft(situation, slot);
      return aroundPoint(situation, slot, point, spreadAt(cell, (cell - latest) / grid.slotsPerDay));
    };
  });
}

/** Quantiles of a point forecast: its own spread, or where that is not known yet the guess's, about the point. */
export function aroundPoint(situation: Situation, slot: Slot, point: number, spread: Float64Array | undefined): Draft {
  return { quantilesWh: scaledQuantiles(spread ?? guessSpread(situation, slot), 1, point), meanWh: point };
}

function guessSpread(situation: Situation, slot: Slot): Float64Array {
  const guess = coldDraft(situation, slot).quantilesWh;
  return scaledQuantiles(guess, 1, -(guess[MEDIAN_INDEX] ?? 0));
}
