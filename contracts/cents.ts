/** Cents: the least that a bank pays. Money on the ledger is finer; what is left below a cent stays with its owner. */
import { type Micros, micros } from "#core";

export const MICROS_PER_CENT = 10_000n;

/** The whole cents in an amount, in micros: rounded down, the rest stays where it is. */
export function wholeCents(amount: bigint): Micros {
  return micros(amount - (amount % MICROS_PER_CENT));
}

/** Whether a bank can pay exactly this. */
export function isPayable(amount: bigint): boolean {
  return amount > 0n && amount % MICROS_PER_CENT === 0n;
}
