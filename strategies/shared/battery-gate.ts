/** Decides what the battery does in the coming slot: the best expected outcome over the forecast, with the plan's value of charge after it. */
import { clamp } from "./amounts.ts";
import { type BatteryModel, chargeLimits, chargeOf, outcomeValue, type PlanSlot } from "./battery-plan.ts";
import { scenariosOf } from "./quantiles.ts";

export type SlotDecision = {
  /** False: the battery is left to serve the member's own surplus and need. */
  readonly isFixed: boolean;
  /** Planned at the connection; where it is not fixed, what the battery is expected to do by itself. */
  readonly chargeWh: number;
  /** Quantiles of what goes to the grid then. */
  readonly net: Float64Array;
};

const EVEN_CANDIDATES = 20;
/** A fixed plan must be better than leaving the battery alone by this much, in micros. */
const GAIN_MIN = 1;

/** What the battery does by itself: takes up a surplus and serves a need, as far as it can. */
export function aloneCharge(model: BatteryModel, storedWh: number, surplusWh: number): number {
  const { chargeWh, dischargeWh } = chargeLimits(model, storedWh);
  return clamp(surplusWh, -dischargeWh, chargeWh);
}

/** Quantiles of what goes to the grid when the battery is left alone; in the surplus's order, since it never turns it around. */
export function aloneNet(model: BatteryModel, storedWh: number, surplus: Float64Array): Float64Array {
  return surplus.map((surplusWh) => surplusWh - aloneCharge(model, storedWh, surplusWh));
}

/**
 * @param surplus - 19 quantiles of production less load.
 * @param storedWh - What will be stored when the slot starts.
 * @param valueAfter - Value in micros of a charge at the slot's end.
 * @param mayBeAlone - False where a plan was set before: it can be changed but not taken back.
 */
export function decideSlot(
  model: BatteryModel,
  slot: PlanSlot,
  surplus: Float64Array,
  storedWh: number,
  valueAfter: (storedWh: number) => number,
  mayBeAlone: boolean,
): SlotDecision {
  const scenarios = scenariosOf(surplus);
  const score = (chargeWh: number, surplusWh: number): number =>
    outcomeValue(slot, model, chargeWh, surplusWh, surplusWh) + valueAfter(storedWh + chargeOf(model, chargeWh));
  const mean = (chargeFor: (surplusWh: number) => number): number =>
    scenarios.reduce((sum, surplusWh) => sum + score(chargeFor(surplusWh), surplusWh), 0) / scenarios.length;

  let best = 0;
  let bestMean = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates(model, slot, surplus, storedWh)) {
    const candidateMean = mean(() => candidate);
    if (candidateMean <= bestMean + GAIN_MIN / 1_000) continue;
    best = candidate;
    bestMean = candidateMean;
  }
  if (mayBeAlone && mean((surplusWh) => aloneCharge(model, storedWh, surplusWh)) >= bestMean - GAIN_MIN) {
    return {
      isFixed: false,
      chargeWh: aloneCharge(model, storedWh, slot.surplusWh),
      net: aloneNet(model, storedWh, surplus),
    };
  }
  return { isFixed: true, chargeWh: best, net: surplus.map((surplusWh) => surplusWh - best) };
}

/** Whole watt-hours, smallest move first: doing nothing, an even grid, and where the outcome has its kinks. */
function candidates(model: BatteryModel, slot: PlanSlot, surplus: Float64Array, storedWh: number): readonly number[] {
  const limits = chargeLimits(model, storedWh);
  const low = -limits.dischargeWh;
  const high = limits.chargeWh;
  const found = new Set<number>([0]);
  const add = (chargeWh: number): void => {
    found.add(Math.trunc(clamp(chargeWh, low, high)) + 0);
  };
  for (let index = 0; index <= EVEN_CANDIDATES; index++) add(low + ((high - low) * index) / EVEN_CANDIDATES);
  for (const surplusWh of [...surplus, slot.cautiousWh]) {
    add(surplusWh);
    add(surplusWh - slot.promisedWh);
    add(surplusWh + slot.boughtWh);
  }
  return [...found].sort((left, right) => Math.abs(left) - Math.abs(right) || left - right);
}
