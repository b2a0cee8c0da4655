/**
 * Energy, money and price as integers in their smallest unit.
 * Never holds a float: kWh and euros exist only in display code.
 */
import { invariant } from "./result.ts";

/** Energy in whole watt-hours. Never negative: direction is a field, not a sign. */
export type WattHours = bigint & { readonly __brand: "WattHours" };
/** Money in millionths of the network's currency, signed (1 EUR = 1_000_000n). */
export type Micros = bigint & { readonly __brand: "Micros" };
/** Price in millionths of the network's currency per kilowatt-hour; may be negative. */
export type MicrosPerKwh = bigint & { readonly __brand: "MicrosPerKwh" };

export const WH_PER_KWH = 1_000n;
const INT64_MAX = 2n ** 63n - 1n;

/** Makes an energy amount from our own code. @throws InvariantError when negative or beyond 64 bits. */
export function wattHours(value: bigint | number): WattHours {
  const energy = BigInt(value);
  invariant(energy >= 0n && energy <= INT64_MAX, `watt-hours must be in 0…2^63-1, was ${energy}`);
  return energy as WattHours;
}

/** Makes a signed amount of money from our own code. @throws InvariantError beyond 64 bits. */
export function micros(value: bigint | number): Micros {
  const amount = BigInt(value);
  invariant(amount >= -INT64_MAX && amount <= INT64_MAX, `micros must fit in 64 bits, was ${amount}`);
  return amount as Micros;
}

/** Makes a price from our own code. @throws InvariantError beyond 64 bits. */
export function microsPerKwh(value: bigint | number): MicrosPerKwh {
  const price = BigInt(value);
  invariant(price >= -INT64_MAX && price <= INT64_MAX, `micros per kWh must fit in 64 bits, was ${price}`);
  return price as MicrosPerKwh;
}

export const NO_ENERGY: WattHours = wattHours(0n);
export const NO_MONEY: Micros = micros(0n);

export function addEnergy(left: WattHours, right: WattHours): WattHours {
  return wattHours(left + right);
}

/** @throws InvariantError when `right` is more than `left`. */
export function subtractEnergy(left: WattHours, right: WattHours): WattHours {
  return wattHours(left - right);
}

export function minEnergy(left: WattHours, right: WattHours): WattHours {
  return left < right ? left : right;
}

/** `left - right`, or nothing when that would be negative. */
export function energyAbove(left: WattHours, right: WattHours): WattHours {
  return left > right ? wattHours(left - right) : NO_ENERGY;
}

export function sumEnergy(parts: readonly WattHours[]): WattHours {
  return wattHours(parts.reduce((sum, part) => sum + part, 0n));
}

export function addMoney(left: Micros, right: Micros): Micros {
  return micros(left + right);
}

export function subtractMoney(left: Micros, right: Micros): Micros {
  return micros(left - right);
}

export function sumMoney(parts: readonly Micros[]): Micros {
  return micros(parts.reduce((sum, part) => sum + part, 0n));
}

/** `numerator / denominator` rounded towards minus infinity. */
function divideFloor(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator !== 0n && numerator < 0n !== denominator < 0n ? quotient - 1n : quotient;
}

/**
 * Cost of `energy` at `price`, rounded down (towards minus infinity): for what a party receives.
 * Call it once per party and settlement on the summed energy.
 * @example costFloor(wattHours(1n), microsPerKwh(1_500n)); // 1n
 */
export function costFloor(energy: WattHours, price: MicrosPerKwh): Micros {
  return micros(divideFloor(energy * price, WH_PER_KWH));
}

/**
 * Cost of `energy` at `price`, rounded up: for what a party pays.
 * Call it once per party and settlement: rounded down per fill, a buyer could split a purchase down to no cost.
 * @example costCeil(wattHours(1n), microsPerKwh(1_500n)); // 2n
 */
export function costCeil(energy: WattHours, price: MicrosPerKwh): Micros {
  return micros(-divideFloor(-(energy * price), WH_PER_KWH));
}

/**
 * Splits `total` in proportion to `weights`; the parts sum to exactly `total`.
 * Largest remainder first, ties to the earlier weight. Weights must not all be zero unless `total` is zero.
 */
export function splitInProportion(total: bigint, weights: readonly bigint[]): readonly bigint[] {
  invariant(total >= 0n, "a split total is not negative");
  invariant(
    weights.every((weight) => weight >= 0n),
    "split weights are not negative",
  );
  const sum = weights.reduce((left, right) => left + right, 0n);
  if (sum === 0n) {
    invariant(total === 0n, "a positive total has a positive weight to go to");
    return weights.map(() => 0n);
  }
  const parts = weights.map((weight) => (total * weight) / sum);
  const remainders = weights.map((weight, index) => ({ index, remainder: (total * weight) % sum }));
  remainders.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  let left = total - parts.reduce((a, b) => a + b, 0n);
  for (const { index } of remainders) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  invariant(left === 0n, "split parts sum to the total");
  return parts;
}

/** Splits `total` into `count` parts that sum to exactly `total` and differ by at most one; earlier parts get more. */
export function splitEvenly(total: bigint, count: number): readonly bigint[] {
  invariant(Number.isSafeInteger(count) && count >= 1, "a split has at least one part");
  const share = total / BigInt(count);
  const extra = total % BigInt(count);
  return Array.from({ length: count }, (_, index) => (BigInt(index) < extra ? share + 1n : share));
}

/** Price of the middle of `[low, high]`, rounded down. */
export function midpointFloor(low: MicrosPerKwh, high: MicrosPerKwh): MicrosPerKwh {
  return microsPerKwh(divideFloor(low + high, 2n));
}
