/**
 * The money of a settlement's trades, exact to the last micro.
 * One function for the marketplace that computes payments and for the contract that re-checks them.
 */
import { compareText } from "./order.ts";
import { type Micros, type MicrosPerKwh, micros, splitEvenly, type WattHours, WH_PER_KWH } from "./units.ts";

/** One trade as far as money is concerned: who pays, who receives, how much energy, at which price. */
export type PricedTrade<Party extends string = string> = {
  readonly buyer: Party;
  readonly seller: Party;
  readonly energy: WattHours;
  readonly price: MicrosPerKwh;
};

/** What each party pays or receives in one settlement; both maps iterate by party, in text order. */
export type TradePayments<Party extends string = string> = {
  /** What each buyer pays. Negative when the buyer is paid (negative prices). */
  readonly buyers: ReadonlyMap<Party, Micros>;
  /** What each seller receives. Negative when the seller pays. */
  readonly sellers: ReadonlyMap<Party, Micros>;
};

/**
 * Payments of one settlement: the sum over buyers equals the sum over sellers, exactly.
 *
 * Each party is rounded **once**, on its summed `energy × price`: a buyer up, a seller down, both towards plus and minus
 * infinity. So a buyer never pays less than it bought, and splitting a purchase into many trades gains nothing.
 * The micros between the two roundings go to the sellers, as evenly as possible; sellers first in text order get the odd
 * ones. With a negative price the same rule holds: the buyer *receives* the exact amount rounded down, the seller *pays*
 * it rounded up, less its share of what is between.
 *
 * The fee is not in it. A party that buys and sells is in both maps: it is rounded once in each role.
 *
 * @throws InvariantError when one party's payment does not fit in 64 bits.
 * @example
 * // 1 Wh at 0.0015 EUR/kWh is 1.5 micros.
 * const { buyers, sellers } = paymentsOf([{ buyer: "b", seller: "s", energy: wattHours(1n), price: microsPerKwh(1_500n) }]);
 * buyers.get("b"); // 2n, rounded up
 * sellers.get("s"); // 2n, that is 1n rounded down and the 1n between
 */
export function paymentsOf<Party extends string>(trades: readonly PricedTrade<Party>[]): TradePayments<Party> {
  const bought = new Map<Party, bigint>();
  const sold = new Map<Party, bigint>();
  for (const { buyer, seller, energy, price } of trades) {
    const thousandths = energy * price;
    bought.set(buyer, (bought.get(buyer) ?? 0n) + thousandths);
    sold.set(seller, (sold.get(seller) ?? 0n) + thousandths);
  }
  const buyers = new Map<Party, Micros>();
  let between = 0n;
  for (const [buyer, thousandths] of sortedByParty(bought)) {
    const payment = -floorToMicros(-thousandths);
    buyers.set(buyer, micros(payment));
    between += payment;
  }
  const floors = sortedByParty(sold).map(([seller, thousandths]) => [seller, floorToMicros(thousandths)] as const);
  for (const [, floor] of floors) between -= floor;
  const extras = floors.length === 0 ? [] : splitEvenly(between, floors.length);
  const sellers = new Map(floors.map(([seller, floor], index) => [seller, micros(floor + (extras[index] ?? 0n))]));
  return { buyers, sellers };
}

/** Wh × micros/kWh, that is thousandths of a micro, to whole micros: towards minus infinity. */
function floorToMicros(thousandths: bigint): bigint {
  const quotient = thousandths / WH_PER_KWH;
  return thousandths % WH_PER_KWH < 0n ? quotient - 1n : quotient;
}

function sortedByParty<Party extends string>(
  amounts: ReadonlyMap<Party, bigint>,
): readonly (readonly [Party, bigint])[] {
  return [...amounts].sort(([left], [right]) => compareText(left, right));
}
