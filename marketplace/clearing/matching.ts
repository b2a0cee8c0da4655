/**
 * Merit order and matching, shared by the pool's methods: best bid with best offer until they no longer meet.
 *
 * Going down both sorted sides while bid limit ≥ offer limit gives the largest welfare, because every unit traded adds
 * what it is worth more than it costs; and, as units that add nothing (equal limits) are traded too, the largest volume
 * among the books of that welfare. Sorting dominates: O(n log n).
 */
import { invariant, type MicrosPerKwh, minEnergy, NO_ENERGY, subtractEnergy, type WattHours, wattHours } from "#core";
import { type Book, compareBids, compareOffers, type Order } from "./orders.ts";

/** A bid and an offer that meet, and how much of them does. */
export type Match = { readonly bid: Order; readonly offer: Order; readonly energy: WattHours };

/** Where one side's accepted orders end. An order that is filled in part is both. */
export type Margin = {
  /** The accepted order with the worst priority. */
  readonly lastAccepted: Order | null;
  /** The order with the best priority that is not filled, or not wholly. */
  readonly firstRejected: Order | null;
};

export type Matching = {
  readonly matches: readonly Match[];
  readonly volume: WattHours;
  /** In Wh × micros/kWh. */
  readonly welfare: bigint;
  readonly bidMargin: Margin;
  readonly offerMargin: Margin;
};

/** Prices at which nobody would rather have traded more or less: `low ≤ high`. */
export type PriceInterval = { readonly low: MicrosPerKwh; readonly high: MicrosPerKwh };

/**
 * Matches an admitted book.
 * @throws InvariantError when an order has no energy or an id occurs twice: `checkBook` refuses such books.
 */
export function matchBook(book: Book): Matching {
  requireAdmitted(book);
  const bids = new Cursor([...book.bids].sort(compareBids));
  const offers = new Cursor([...book.offers].sort(compareOffers));
  const matches: Match[] = [];
  let volume = 0n;
  let welfare = 0n;
  for (;;) {
    const bid = bids.order;
    const offer = offers.order;
    if (bid === null || offer === null || bid.limit < offer.limit) break;
    const energy = minEnergy(bids.left, offers.left);
    matches.push({ bid, offer, energy });
    volume += energy;
    welfare += energy * (bid.limit - offer.limit);
    bids.fill(energy);
    offers.fill(energy);
  }
  return { matches, volume: wattHours(volume), welfare, bidMargin: bids.margin(), offerMargin: offers.margin() };
}

/**
 * The interval `[max(highest rejected bid, highest accepted offer), min(lowest accepted bid, lowest rejected offer)]`;
 * null without trades. An order filled in part counts as accepted and as rejected, so it sets both ends to its limit.
 */
export function priceInterval({ bidMargin, offerMargin }: Matching): PriceInterval | null {
  if (bidMargin.lastAccepted === null || offerMargin.lastAccepted === null) return null;
  const highestAcceptedOffer = offerMargin.lastAccepted.limit;
  const lowestAcceptedBid = bidMargin.lastAccepted.limit;
  const highestRejectedBid = bidMargin.firstRejected?.limit ?? highestAcceptedOffer;
  const lowestRejectedOffer = offerMargin.firstRejected?.limit ?? lowestAcceptedBid;
  const low = highestRejectedBid > highestAcceptedOffer ? highestRejectedBid : highestAcceptedOffer;
  const high = lowestAcceptedBid < lowestRejectedOffer ? lowestAcceptedBid : lowestRejectedOffer;
  invariant(low <= high, "the lowest clearing price is not above the highest");
  return { low, high };
}

/** Goes down one side in priority order and fills it. */
class Cursor {
  readonly #orders: readonly Order[];
  #index = 0;
  #left: WattHours;

  constructor(orders: readonly Order[]) {
    this.#orders = orders;
    this.#left = orders[0]?.energy ?? NO_ENERGY;
  }

  /** The order to fill next, null after the last. */
  get order(): Order | null {
    return this.#orders[this.#index] ?? null;
  }

  /** What of that order is not filled yet. */
  get left(): WattHours {
    return this.#left;
  }

  fill(energy: WattHours): void {
    this.#left = subtractEnergy(this.#left, energy);
    if (this.#left > 0n) return;
    this.#index += 1;
    this.#left = this.order?.energy ?? NO_ENERGY;
  }

  margin(): Margin {
    const current = this.order;
    const partlyFilled = current !== null && this.#left < current.energy;
    return { lastAccepted: partlyFilled ? current : (this.#orders[this.#index - 1] ?? null), firstRejected: current };
  }
}

function requireAdmitted(book: Book): void {
  const ids = new Set<string>();
  for (const side of [book.bids, book.offers]) {
    for (const order of side) {
      invariant(order.energy > 0n, "an order in a book has energy");
      ids.add(order.id);
    }
  }
  invariant(ids.size === book.bids.length + book.offers.length, "an order's id occurs once in a book");
}
