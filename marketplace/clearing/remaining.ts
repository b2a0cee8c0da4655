/** What a clearing leaves: for the next round of a periodic pool, and for certified offers that join the pool of any energy. */
import { invariant, subtractEnergy, type WattHours } from "#core";
import type { Book, Order, Trade } from "./orders.ts";

/**
 * The book after its trades: filled orders are gone, partly filled ones keep the rest of their energy, their limit and
 * their arrival number.
 * @throws InvariantError when a trade names no order of the book, or fills one beyond its energy.
 */
export function remainingBook(book: Book, trades: readonly Trade[]): Book {
  const bids = remainingSide(
    book.bids,
    trades.map(({ bid, energy }) => [bid, energy] as const),
  );
  const offers = remainingSide(
    book.offers,
    trades.map(({ offer, energy }) => [offer, energy] as const),
  );
  return { bids, offers };
}

function remainingSide(orders: readonly Order[], fills: readonly (readonly [string, WattHours])[]): readonly Order[] {
  const left = new Map(orders.map((order) => [order.id, order.energy]));
  for (const [id, energy] of fills) {
    const before = left.get(id);
    invariant(before !== undefined, "a trade names an order of the book");
    left.set(id, subtractEnergy(before, energy));
  }
  return orders.flatMap((order) => {
    const energy = left.get(order.id) ?? order.energy;
    return energy === 0n ? [] : energy === order.energy ? [order] : [{ ...order, energy }];
  });
}
