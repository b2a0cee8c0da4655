/** From power per quarter-hour to whole watt-hours per quarter-hour and per slot. */
import type { SlotMinutes } from "#core";
import { STEP_MINUTES } from "./calendar.ts";

/**
 * Watts per quarter-hour as whole watt-hours, rounded so that the running total is never off by more than half a
 * watt-hour: a meter counts on, it does not forget the rest.
 */
export function wholeWattHours(powerW: Float64Array): Float64Array {
  const energy = new Float64Array(powerW.length);
  let exact = 0;
  let counted = 0;
  for (let step = 0; step < powerW.length; step++) {
    exact += ((powerW[step] ?? 0) * STEP_MINUTES) / 60;
    const reading = Math.round(exact);
    energy[step] = reading - counted;
    counted = reading;
  }
  return energy;
}

/** Sums of quarter-hours per slot. */
export function perSlot(energyPerStep: Float64Array, slotMinutes: SlotMinutes): Float64Array {
  const stepsPerSlot = slotMinutes / STEP_MINUTES;
  const energy = new Float64Array(energyPerStep.length / stepsPerSlot);
  for (let step = 0; step < energyPerStep.length; step++) {
    const slot = Math.floor(step / stepsPerSlot);
    energy[slot] = (energy[slot] ?? 0) + (energyPerStep[step] ?? 0);
  }
  return energy;
}
