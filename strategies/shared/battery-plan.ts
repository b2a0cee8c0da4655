/**
 * Plans a battery over a row of slots by dynamic programming over its state of charge (Bellman 1957).
 *
 * The model: known surplus and prices, a linear price on either side of each slot's meter, half of the round trip's loss on
 * the way in and half on the way out. Given the state of charge, the past does not matter for the future, so working backwards from
 * the last slot gives the best plan of all those that stay on the grid of charge levels.
 */
import { invariant } from "#core";
import type { BatteryState } from "../strategy.ts";
import { clamp } from "./amounts.ts";

export type BatteryModel = {
  readonly capacityWh: number;
  /** Most that can be charged or discharged in one slot, at the connection. */
  readonly slotWhMax: number;
  /** One way: the square root of the round trip's. */
  readonly efficiency: number;
  /** Wear, in micros per discharged kWh. */
  readonly wearPrice: number;
};

/** What a slot brings and costs; prices in micros per kWh. */
export type PlanSlot = {
  /** Expected production less load. */
  readonly surplusWh: number;
  /** What production less load reaches surely enough to be promised: promises are checked against this. */
  readonly cautiousWh: number;
  readonly promisedWh: number;
  readonly boughtWh: number;
  /** For energy beyond what is promised: sold or fed in. */
  readonly sellPrice: number;
  /** For energy beyond what is bought. */
  readonly buyPrice: number;
  readonly feedIn: number;
  /** Lost for promised energy that is not delivered, less the fee on what is. */
  readonly shortfallPrice: number;
};

export type BatteryPlan = {
  /** Per slot, at the connection: positive charges, negative discharges. */
  readonly chargeWh: readonly number[];
  /** Per slot: stored at its end. */
  readonly storedWh: readonly number[];
  /** `values[t]` is what stored energy is worth at the start of slot t, in micros, at each level; one more entry for the end. */
  readonly values: readonly Float64Array[];
  readonly stepWh: number;
};

export type PlanSettings = {
  /** Least number of steps from empty to full. */
  readonly gridSteps: number;
  /** What a stored kWh is worth after the last slot, in micros. */
  readonly endPrice: number;
};

const GRID_STEPS_MAX = 400;
/** A slow battery gets a finer grid, so that it can move by several steps in a slot. */
const STEPS_PER_SLOT_MIN = 4;
const GAIN_MIN = 1e-6;

export function batteryModel(battery: BatteryState, slotMinutes: number, wearPrice: number): BatteryModel {
  return {
    capacityWh: battery.capacityWh,
    slotWhMax: (battery.powerW * slotMinutes) / 60,
    efficiency: Math.sqrt(clamp(battery.roundTripEfficiency, 0.01, 1)),
    wearPrice,
  };
}

/** Energy at the connection that changes the charge by `storedWh`: more than that on the way in, less on the way out. */
export function connectionWh({ efficiency }: BatteryModel, storedWh: number): number {
  return storedWh >= 0 ? storedWh / efficiency : storedWh * efficiency;
}

/** Change of the charge by `connectionWh` at the connection. */
export function chargeOf({ efficiency }: BatteryModel, connection: number): number {
  return connection >= 0 ? connection * efficiency : connection / efficiency;
}

/** Most that can be charged, and discharged, in one slot, at the connection. */
export function chargeLimits(
  model: BatteryModel,
  storedWh: number,
): { readonly chargeWh: number; readonly dischargeWh: number } {
  return {
    chargeWh: clamp((model.capacityWh - storedWh) / model.efficiency, 0, model.slotWhMax),
    dischargeWh: clamp(storedWh * model.efficiency, 0, model.slotWhMax),
  };
}

/** Value of a slot in micros when the battery takes `chargeWh` at the connection, as far as it is expected. */
export function slotValue(slot: PlanSlot, model: BatteryModel, chargeWh: number): number {
  return outcomeValue(slot, model, chargeWh, slot.surplusWh, slot.cautiousWh);
}

/**
 * Value of a slot in micros when production less load comes to `surplusWh`; promises are checked against `deliverableWh`.
 * Of what is fed in, the part that could surely be promised as well earns the selling price, the rest feed-in.
 */
export function outcomeValue(
  slot: PlanSlot,
  model: BatteryModel,
  chargeWh: number,
  surplusWh: number,
  deliverableWh: number,
): number {
  const { promisedWh, boughtWh, sellPrice, buyPrice, feedIn, shortfallPrice, cautiousWh } = slot;
  const netWh = surplusWh - chargeWh;
  const missingWh = Math.max(0, promisedWh - Math.max(0, deliverableWh - chargeWh));
  const spareWh = Math.max(0, netWh - promisedWh);
  const soldWh = clamp(cautiousWh - chargeWh - promisedWh, 0, spareWh);
  const unusedWh = clamp(boughtWh + netWh, 0, boughtWh);
  const drawnWh = Math.max(0, -netWh - boughtWh);
  const earned = soldWh * sellPrice + (spareWh - soldWh + unusedWh) * feedIn;
  const spent = drawnWh * buyPrice + missingWh * shortfallPrice + Math.max(0, -chargeWh) * model.wearPrice;
  return (earned - spent) / 1_000;
}

/**
 * The best plan from `startWh` on. A slot that is undefined (no forecast or tariff) leaves the battery alone. Of equally good
 * moves the smallest is taken.
 */
export function planBattery(
  model: BatteryModel,
  slots: readonly (PlanSlot | undefined)[],
  startWh: number,
  settings: PlanSettings,
): BatteryPlan {
  invariant(model.capacityWh > 0 && model.slotWhMax > 0, "a battery has a capacity and a power");
  const steps = gridSteps(model, settings.gridSteps);
  const stepWh = model.capacityWh / steps;
  const moves = possibleMoves(model, stepWh, steps);
  const values = valuesBackwards(model, slots, moves, { steps, stepWh, endPrice: settings.endPrice });
  const chargeWh: number[] = [];
  const storedWh: number[] = [];
  let stored = clamp(startWh, 0, model.capacityWh);
  for (const [index, slot] of slots.entries()) {
    const charge = bestMove(model, slot, stored, values[index + 1], stepWh);
    stored = clamp(stored + chargeOf(model, charge), 0, model.capacityWh);
    chargeWh.push(charge);
    storedWh.push(stored);
  }
  return { chargeWh, storedWh, values, stepWh };
}

/** Value at a charge between the levels. */
export function valueAt(values: ArrayLike<number>, stepWh: number, storedWh: number): number {
  const position = clamp(storedWh / stepWh, 0, values.length - 1);
  const below = Math.min(Math.floor(position), values.length - 1);
  const low = values[below] ?? 0;
  const high = values[Math.min(below + 1, values.length - 1)] ?? low;
  return low + (high - low) * (position - below);
}

/** Changes of the charge in steps, each with its energy at the connection; the smallest first. */
type Move = { readonly steps: number; readonly connectionWh: number };

function gridSteps(model: BatteryModel, wanted: number): number {
  const slowest = Math.ceil((STEPS_PER_SLOT_MIN * model.capacityWh) / (model.slotWhMax * model.efficiency));
  return Math.min(Math.max(wanted, slowest, 1), GRID_STEPS_MAX);
}

function possibleMoves(model: BatteryModel, stepWh: number, steps: number): readonly Move[] {
  const moves: Move[] = [{ steps: 0, connectionWh: 0 }];
  for (let count = 1; count <= steps; count++) {
    for (const signed of [count, -count]) {
      const connection = connectionWh(model, signed * stepWh);
      if (Math.abs(connection) <= model.slotWhMax * (1 + 1e-12))
        moves.push({ steps: signed, connectionWh: connection });
    }
  }
  return moves;
}

type Grid = { readonly steps: number; readonly stepWh: number; readonly endPrice: number };

function valuesBackwards(
  model: BatteryModel,
  slots: readonly (PlanSlot | undefined)[],
  moves: readonly Move[],
  grid: Grid,
): readonly Float64Array[] {
  const values: Float64Array[] = new Array(slots.length + 1);
  values[slots.length] = Float64Array.from(
    { length: grid.steps + 1 },
    (_, level) => (level * grid.stepWh * grid.endPrice) / 1_000,
  );
  for (let index = slots.length - 1; index >= 0; index--) {
    const slot = slots[index];
    const after = values[index + 1] ?? new Float64Array(grid.steps + 1);
    values[index] = slot === undefined ? after : valuesBefore(model, slot, moves, after);
  }
  return values;
}

function valuesBefore(model: BatteryModel, slot: PlanSlot, moves: readonly Move[], after: Float64Array): Float64Array {
  const before = new Float64Array(after.length).fill(Number.NEGATIVE_INFINITY);
  for (const move of moves) {
    const now = slotValue(slot, model, move.connectionWh);
    const from = Math.max(0, -move.steps);
    const until = Math.min(after.length, after.length - move.steps);
    for (let level = from; level < until; level++) {
      const total = now + (after[level + move.steps] ?? 0);
      if (total > (before[level] ?? 0)) before[level] = total;
    }
  }
  return before;
}

/** The best of staying and of going to any level within reach. */
function bestMove(
  model: BatteryModel,
  slot: PlanSlot | undefined,
  storedWh: number,
  after: Float64Array | undefined,
  stepWh: number,
): number {
  if (slot === undefined || after === undefined) return 0;
  const { chargeWh, dischargeWh } = chargeLimits(model, storedWh);
  let best = 0;
  let bestValue = slotValue(slot, model, 0) + valueAt(after, stepWh, storedWh);
  for (let level = 0; level < after.length; level++) {
    const charge = connectionWh(model, level * stepWh - storedWh);
    if (charge > chargeWh * (1 + 1e-12) || -charge > dischargeWh * (1 + 1e-12)) continue;
    const total = slotValue(slot, model, charge) + (after[level] ?? 0);
    const isSmallerMove = Math.abs(charge) < Math.abs(best) && total > bestValue - GAIN_MIN;
    if (total > bestValue + GAIN_MIN || isSmallerMove) {
      best = charge;
      bestValue = Math.max(total, bestValue);
    }
  }
  return best;
}
