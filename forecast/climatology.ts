/** `climatology-28`: the quantiles of the 28 latest known values of the same slot. Hard to beat for a single home. */
import type { Slot } from "#core";
import { COLD_START } from "./cold-start.ts";
import { latestSameSlot } from "./local-grid.ts";
import type { Forecaster, ForecasterOptions } from "./model.ts";
import { RECENT_DAYS, recentValues } from "./recent.ts";
import { coldDraft, type Draft, type Drafter, type Situation, slotForecaster } from "./situation.ts";
import { modulo, quantilesInPlace } from "./statistics.ts";

export const CLIMATOLOGY_28 = "climatology-28";

/** With fewer known values than this, the cold start's guess stands in for the missing ones. */
const VALUES_MIN = 7;

/** Quantiles of the 28 latest known values of the same local slot. */
export function createClimatology(options: ForecasterOptions): Forecaster {
  return slotForecaster(CLIMATOLOGY_28, options, climatologyDrafter);
}

export function climatologyDrafter(situation: Situation): Drafter {
  const buffer = new Float64Array(RECENT_DAYS);
  return (slot, cell) => climatologyDraft(situation, slot, cell, buffer);
}

function climatologyDraft(situation: Situation, slot: Slot, cell: number, buffer: Float64Array): Draft {
  const { grid } = situation;
  const known = recentValues(grid, latestSameSlot(grid, cell), buffer);
  const count = known >= VALUES_MIN ? known : addGuess(situation, slot, buffer, known);
  let sum = 0;
  for (let index = 0; index < count; index++) sum += buffer[index] ?? 0;
  const draft = { quantilesWh: quantilesInPlace(buffer, count), meanWh: sum / count };
  return known === 0 ? { ...draft, model: COLD_START } : draft;
}

/** Fills `buffer` up to seven values with quantiles of the guess, spread evenly over its levels. */
function addGuess(situation: Situation, slot: Slot, buffer: Float64Array, known: number): number {
  const guess = coldDraft(situation, slot).quantilesWh;
  if (known === 0) {
    buffer.set(guess);
    return guess.length;
  }
  const missing = VALUES_MIN - known;
  for (let part = 0; part < missing; part++) {
    const value = guess[modulo(Math.round(((part + 0.5) / missing) * guess.length - 0.5), guess.length)] ?? 0;
    buffer[known + part] = Math.min(value, situation.capacityWh);
  }
  return VALUES_MIN;
}
