/** The orders of a book, indexed so that admission asks for ids, an owner's best order and sizes without reading the book. */
import { addEnergy, invariant, NO_ENERGY, subtractEnergy, type WattHours } from "#core";
import { type Book, compareBids, compareOffers, type Order, type Side } from "./orders.ts";

/** Holds admitted orders only; whoever adds has checked them. */
export class BookIndex {
  readonly #sides: Readonly<Record<Side, SideIndex>> = {
    bid: new SideIndex(compareBids),
    offer: new SideIndex(compareOffers),
  };

  has(id: string): boolean {
    return this.find(id) !== null;
  }

  find(id: string): { readonly side: Side; readonly order: Order } | null {
    const bid = this.#sides.bid.orders.get(id);
    if (bid !== undefined) return { side: "bid", order: bid };
    const offer = this.#sides.offer.orders.get(id);
    return offer === undefined ? null : { side: "offer", order: offer };
  }

  add(side: Side, order: Order): void {
    invariant(!this.has(order.id), "an order is added once");
    this.#sides[side].add(order);
  }

  remove(side: Side, order: Order): void {
    this.#sides[side].remove(order);
  }

  /** The owner's best order on the other side, if an order of `side` at `limit` meets it (equal limits meet). */
  crossedBy(side: Side, owner: string, limit: bigint): Order | null {
    const best = this.#sides[side === "bid" ? "offer" : "bid"].bestOf(owner);
    if (best === null) return null;
    const meets = side === "bid" ? limit >= best.limit : best.limit >= limit;
    return meets ? best : null;
  }

  size(side: Side): { readonly orders: number; readonly energy: WattHours } {
    return { orders: this.#sides[side].orders.size, energy: this.#sides[side].energy };
  }

  /** The orders as a book, in the order in which they were added. */
  book(): Book {
    return { bids: [...this.#sides.bid.orders.values()], offers: [...this.#sides.offer.orders.values()] };
  }
}

type OwnerOrders = { readonly orders: Map<string, Order>; best: Order };

class SideIndex {
  readonly orders: Map<string, Order> = new Map();
  energy: WattHours = NO_ENERGY;
  readonly #owners = new Map<string, OwnerOrders>();
  readonly #compare: (left: Order, right: Order) => number;

  constructor(compare: (left: Order, right: Order) => number) {
    this.#compare = compare;
  }

  bestOf(owner: string): Order | null {
    return this.#owners.get(owner)?.best ?? null;
  }

  add(order: Order): void {
    this.orders.set(order.id, order);
    this.energy = addEnergy(this.energy, order.energy);
    const owned = this.#owners.get(order.owner);
    if (owned === undefined) {
      this.#owners.set(order.owner, { orders: new Map([[order.id, order]]), best: order });
      return;
    }
    owned.orders.set(order.id, order);
    if (this.#compare(order, owned.best) < 0) owned.best = order;
  }

  remove(order: Order): void {
    const owned = this.#owners.get(order.owner);
    invariant(this.orders.delete(order.id) && owned !== undefined, "an order that is removed is in the book");
    this.energy = subtractEnergy(this.energy, order.energy);
    owned.orders.delete(order.id);
    if (owned.orders.size === 0) this.#owners.delete(order.owner);
    else if (owned.best.id === order.id) {
      owned.best = [...owned.orders.values()].reduce((best, each) => (this.#compare(each, best) < 0 ? each : best));
    }
  }
}
