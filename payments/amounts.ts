/** Money as bank messages write it: decimal text, two places. */
import { MICROS_PER_CENT } from "#contracts";
import { err, invariant, type Micros, micros, ok, type Result } from "#core";

const MICROS_PER_UNIT = 1_000_000n;
const PLACES = 6;
/** What the ledger can hold. */
const MICROS_MAX = 2n ** 63n - 1n;

/** Such as `12.30`. @throws InvariantError for what is no whole number of cents. */
export function centsText(amount: bigint): string {
  invariant(amount >= 0n && amount % MICROS_PER_CENT === 0n, `a payment has whole cents, was ${amount} micros`);
  const cents = (amount % MICROS_PER_UNIT) / MICROS_PER_CENT;
  return `${amount / MICROS_PER_UNIT}.${cents.toString().padStart(2, "0")}`;
}

/** Reads decimal text exactly; banks may write up to five places. */
export function parseAmount(text: string): Result<Micros, "message_malformed"> {
  const match = /^\+?(\d{1,13})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (match === null) return err("message_malformed");
  const [, whole = "", places = ""] = match;
  const amount = BigInt(whole) * MICROS_PER_UNIT + BigInt(places.padEnd(PLACES, "0"));
  return amount <= MICROS_MAX ? ok(micros(amount)) : err("message_malformed");
}
