/** Decides what the battery does in the coming slot: the best expected outcome over the forecast, with the plan's value of charge after it. */
import { clamp } from "./amounts.ts";
import { aloneCharge, type BatteryModel, chargeLimits, chargeOf, outcomeValue, type PlanSlot } from "./battery-plan.ts";
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
const GAIN_MIN = 1e-3;

/** Quantiles of what goes to the grid when the battery is left alone; in the surplus's order, since it never turns it around. */
export function aloneNet(model: BatteryModel, storedWh: number, surplus: Float64Array): Float64Array {
  return surplus.map((surplusWh) => surplusWh - aloneCharge(model, storedWh, surplusWh));
}

/** How a decision is made. */
export type DecisionSettings = {
  /** Value in micros of a charge at the slot's end. */
  readonly valueAfter: (storedWh: number) => number;
  /** In micros per kWh: a plan must be better than leaving the battery alone by this for what it changes. */
  readonly deviationPrice: number;
  /** Below 1, promises are checked against lower quantiles than the scenario's: see `scenariosOf`. */
  readonly trust: number;
  /** False where a plan was set before: it can be changed but not taken back. */
  readonly mayBeAlone: boolean;
};

/**
 * The best plan for the slot, or none where the battery alone does as well.
 *
 * @param surplus - 19 quantiles of production less load.
 * @param storedWh - What will be stored when the slot starts.
 */
export function decideSlot(model: BatteryModel, slot: PlanSlot, surplus: Float64Array, storedWh: number, settings: DecisionSettings): SlotDecision {
  const { valueAfter, deviationPrice, trust, mayBeAlone } = settings;
  const scenarios = scenariosOf(surplus);
  const deliverable = scenariosOf(surplus, trust);
  const mean = (chargeFor: (surplusWh: number) => number): number => {
    let sum = 0;
    for (const [index, surplusWh] of scenarios.entries()) {
      const chargeWh = chargeFor(surplusWh);
      sum += outcomeValue(slot, model, chargeWh, surplusWh, deliverable[index] ?? surplusWh) + valueAfter(storedWh + chargeOf(model, chargeWh));
    }
    return sum / scenarios.length;
  };
  let best = 0;
  let bestMean = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates(model, slot, surplus, storedWh)) {
    const candidateMean = mean(() => candidate);
    if (candidateMean <= bestMean + GAIN_MIN) continue;
    best = candidate;
    bestMean = candidateMean;
  }
  const alone = aloneCharge(model, storedWh, slot.surplusWh);
  const margin = GAIN_MIN + (Math.abs(best - alone) * deviationPrice) / 1_000;
  if (mayBeAlone && mean((surplusWh) => aloneCharge(model, storedWh, surplusWh)) >= bestMean - margin) {
    return { isFixed: false, chargeWh: alone, net: aloneNet(model, storedWh, surplus) };
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
    add(surplusWh - slot.promisedWh - slot.sellableWh);
    add(surplusWh + slot.boughtWh);
    add(surplusWh + slot.boughtWh + slot.buyableWh);
  }
  return [...found].sort((left, right) => Math.abs(left) - Math.abs(right) || left - right);
}
