/**
 * The open book of one pool (one slot, one product): what a marketplace keeps between clearings.
 * Holds admitted orders only. No clock and no I/O: whoever owns it decides when to clear and stores what happened.
 */
import { err, ok, type Result } from "#core";
import { admitTo, BOOK_LIMITS, type BookLimits, type ClearingRefusal, type OrderDraft } from "./clearing/admission.ts";
import { BookIndex } from "./clearing/book-index.ts";
import { type Book, type Order, remainingBook, type Side, type Trade } from "./clearing/index.ts";

/** Why an order is not taken out of the book, in descending precedence. */
export const CANCEL_REFUSALS = ["order_unknown", "order_not_owned"] as const;
export type CancelRefusal = (typeof CANCEL_REFUSALS)[number];

export class OrderBook {
  readonly #limits: BookLimits;
  #index = new BookIndex();

  constructor(limits: BookLimits = BOOK_LIMITS) {
    this.#limits = limits;
  }

  /** Admits an order; a refused one changes nothing. Needs no reading of the book, however large it is. */
  place(side: Side, draft: OrderDraft): Result<Order, ClearingRefusal> {
    return admitTo(this.#index, side, draft, this.#limits);
  }

  /** Takes an order, or what a partial fill left of it, out of the book. Only for its owner. */
  cancel(id: string, owner: string): Result<Order, CancelRefusal> {
    const found = this.#index.find(id);
    if (found === null) return err("order_unknown");
    if (found.order.owner !== owner) return err("order_not_owned");
    this.#index.remove(found.side, found.order);
    return ok(found.order);
  }

  /** The order of that id, with the energy that is left of it. */
  find(id: string): { readonly side: Side; readonly order: Order } | null {
    return this.#index.find(id);
  }

  /** The orders at this moment: later changes do not show in it. */
  snapshot(): Book {
    return this.#index.book();
  }

  /**
   * Takes what was traded out of the book; the rest of a partly filled order stays with its arrival number.
   * @throws InvariantError when a trade names no order of the book or fills one beyond its energy; the book is unchanged then.
   */
  fill(trades: readonly Trade[]): void {
    const left = remainingBook(this.#index.book(), trades);
    const index = new BookIndex();
    for (const bid of left.bids) index.add("bid", bid);
    for (const offer of left.offers) index.add("offer", offer);
    this.#index = index;
  }
}
