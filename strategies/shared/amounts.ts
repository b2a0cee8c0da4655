/** From numbers of the optimisation back to whole watt-hours and micros: the only place where strategies round. */
import { type MicrosPerKwh, microsPerKwh, NO_ENERGY, type WattHours, wattHours } from "#core";

/** Whole watt-hours, rounded down; nothing for what is negative or not a number, so that a promise is never rounded up. */
export function wholeWattHours(value: number): WattHours {
  return value >= 1 ? wattHours(Math.floor(Math.min(value, Number.MAX_SAFE_INTEGER))) : NO_ENERGY;
}

/** Whole micros per kWh, rounded down: a buyer's limit is never above what it computed. */
export function priceFloor(value: number): MicrosPerKwh {
  return microsPerKwh(Math.floor(value));
}

/** Whole micros per kWh, rounded up: a seller's limit is never below what it computed. */
export function priceCeil(value: number): MicrosPerKwh {
  return microsPerKwh(Math.ceil(value));
}

/** `value` moved into `[low, high]`. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
