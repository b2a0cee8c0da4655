/** Orders, books and what a clearing gives: the words of pool trading. Values only, no rules but the order of priority. */
import { compareBigint, compareText, type MicrosPerKwh, type WattHours } from "#core";

/** A wish to buy or to sell energy of one slot and product, in whole or in part. */
export type Order = {
  /** Names the order; unique in its book, over both sides. */
  readonly id: string;
  /** The member that the order is for. */
  readonly owner: string;
  /** A bid pays at most this, an offer takes at least this; may be negative. */
  readonly limit: MicrosPerKwh;
  /** Above zero. */
  readonly energy: WattHours;
  /** Arrival number: the lower came first. Equal numbers are decided by id. */
  readonly sequence: number;
};

export type Side = "bid" | "offer";

/** The orders that are cleared together. The order of the lists means nothing: `sequence` says who came first. */
export type Book = {
  readonly bids: readonly Order[];
  readonly offers: readonly Order[];
};

/** A bid and an offer, by id, that meet. */
export type Trade = {
  readonly bid: string;
  readonly offer: string;
  readonly energy: WattHours;
  readonly price: MicrosPerKwh;
};

export type Clearing = {
  /** The one price of all trades; null without trades, and in methods where each trade has its own. */
  readonly price: MicrosPerKwh | null;
  readonly volume: WattHours;
  /** Sum over the trades of energy × (bid's limit − offer's limit), in Wh × micros/kWh (thousandths of a micro). */
  readonly welfare: bigint;
  /** Best bid with best offer first. */
  readonly trades: readonly Trade[];
};

/** Priority among bids, best first: higher limit, then earlier arrival, then id. Zero only for one and the same order. */
export function compareBids(left: Order, right: Order): number {
  return compareBigint(right.limit, left.limit) || compareArrival(left, right);
}

/** Priority among offers, best first: lower limit, then earlier arrival, then id. Zero only for one and the same order. */
export function compareOffers(left: Order, right: Order): number {
  return compareBigint(left.limit, right.limit) || compareArrival(left, right);
}

/** Earlier arrival first, then id. */
export function compareArrival(left: Order, right: Order): number {
  return left.sequence - right.sequence || compareText(left.id, right.id);
}
