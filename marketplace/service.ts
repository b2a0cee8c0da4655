/**
 * The marketplace service: admits orders, runs the rounds of its pools, publishes results. It holds no orders of its own:
 * the ledger does, and whatever it clears is checked there again.
 */

import {
  claimsText,
  type LedgerRefusal,
  type MarketplaceFeed,
  type PoolOrder,
  type PoolRound,
  type ResolvedTransaction,
  type StateAndRef,
} from "#contracts";
import { compareText, hashOf, NO_ENERGY, type SlotId, slotOf } from "#core";
import type { LedgerClient } from "#ledger-client";
import type { Book, Order, TradingMethod } from "./clearing/index.ts";
import { clearInSteps } from "./clearing-steps.ts";
import { type Product, productsOf } from "./products.ts";

export type MarketplaceOptions = {
  readonly client: LedgerClient;
  readonly method: TradingMethod;
  readonly nowMs: () => number;
};

export type RoundProblem = { readonly slot: SlotId; readonly refusal: LedgerRefusal };

export class Marketplace implements MarketplaceFeed {
  readonly #options: MarketplaceOptions;
  readonly #rounds: PoolRound[] = [];
  readonly #listeners = new Set<(round: PoolRound) => void>();

  constructor(options: MarketplaceOptions) {
    this.#options = options;
  }

  rounds(): readonly PoolRound[] {
    return this.#rounds;
  }

  listen(listener: (round: PoolRound) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Clears the pools of the slots, each by itself; a slot without orders has no round. */
  async clearSlots(slots: readonly SlotId[], isFinal: boolean): Promise<readonly RoundProblem[]> {
    const orders = await this.#options.client.states("pool-order");
    const members = await this.#options.client.states("member");
    const suspended = new Set(
      members.flatMap(({ state }) => (state.standing === "suspended" ? [state.key as string] : [])),
    );
    const problems: RoundProblem[] = [];
    for (const slot of slots) {
      const ofSlot = this.#ordersOf(slot, orders);
      if (ofSlot.length === 0) continue;
      const refusals = await this.#clearProducts(slot, ofSlot, suspended, isFinal);
      problems.push(...refusals.map((refusal) => ({ slot, refusal })));
    }
    return problems;
  }

  #ordersOf(slot: SlotId, orders: readonly StateAndRef<"pool-order">[]): readonly PoolOrder[] {
    return orders
      .filter(({ state }) => state.slot === slot && state.marketplace === this.#options.client.party)
      .map(({ state }) => state);
  }

  /** The products of a slot, the strictest first; what certified offers have left then joins the pool of any energy. */
  async #clearProducts(
    slot: SlotId,
    ofSlot: readonly PoolOrder[],
    suspended: ReadonlySet<string>,
    isFinal: boolean,
  ): Promise<readonly LedgerRefusal[]> {
    const { client } = this.#options;
    let orders = tradable(ofSlot, suspended);
    const refusals: (LedgerRefusal | undefined)[] = [];
    for (const { requires, offers } of await this.#products(orders)) {
      const product = claimsText(requires);
      const taking = orders.filter(
        (order) => offers.has(order.orderId) || (order.requires !== null && claimsText(order.requires) === product),
      );
      refusals.push(await this.#clear(slot, taking, { requires, isFinal }));
      orders = tradable(this.#ordersOf(slot, await client.states("pool-order")), suspended);
    }
    const ofAny = orders.filter((order) => order.requires === null);
    refusals.push(await this.#clear(slot, ofAny, { requires: null, isFinal }));
    return refusals.flatMap((refusal) => refusal ?? []);
  }

  /** A round that is late only gives back what is left. */
  async #isOpen(slot: SlotId): Promise<boolean> {
    const [parameters] = await this.#options.client.states("network-parameters");
    return this.#options.nowMs() < slotOf(slot).startMs - (parameters?.state.gateLeadMs ?? 0);
  }

  /** What bids require, and the offers that give it; those that fewest offers give come first. */
  async #products(orders: readonly PoolOrder[]): Promise<readonly Product[]> {
    if (orders.every(({ requires }) => requires === null)) return [];
    const { client } = this.#options;
    const promises = (await client.states("power-promise")).map(({ state }) => state);
    const records = (await client.states("agency-record")).map(({ state }) => state);
    return productsOf(orders, promises, records);
  }

  async #clear(
    slot: SlotId,
    orders: readonly PoolOrder[],
    { requires, isFinal }: Pick<PoolRound, "requires" | "isFinal">,
  ): Promise<LedgerRefusal | undefined> {
    const { client, method, nowMs } = this.#options;
    const { price, volume, trades } = method.clear(bookOf((await this.#isOpen(slot)) ? orders : []));
    // Only the last product of a final round gives back what is left.
    const isLast = isFinal && requires === null;
    if (trades.length > 0 || isLast) {
      const product = requires === null ? "" : `/${hashOf(claimsText(requires)).slice(0, 16)}`;
      const commandId = `clear/${slot}/${nowMs()}${product}${isLast ? "/final" : ""}`;
      const clearing = { tag: "clear-pool", commandId, slot, price, isFinal: isLast, trades } as const;
      const open = isLast ? this.#ordersOf(slot, await client.states("pool-order")) : orders;
      const cleared = await clearInSteps(client, clearing, orders, open);
      if (!cleared.ok) return cleared.error;
    }
    const round: PoolRound = {
      slot,
      requires,
      clearedAtMs: nowMs(),
      isFinal,
      price,
      volume: trades.length === 0 ? NO_ENERGY : volume,
    };
    this.#rounds.push(round);
    for (const listener of this.#listeners) listener(round);
    return undefined;
  }
}

/**
 * The orders that may trade, in order of arrival. One bad order must not hold up the pool, so those are left out that the
 * ledger would refuse to trade: of suspended members, of one owner meeting itself (the later one), and with an id that another
 * has too. They stay in the pool until they are cancelled or the final round gives them back.
 */
function tradable(orders: readonly PoolOrder[], suspended: ReadonlySet<string>): readonly PoolOrder[] {
  const ids = new Map<string, number>();
  for (const { orderId } of orders) ids.set(orderId, (ids.get(orderId) ?? 0) + 1);
  const owners = new Map<string, OwnerLimits>();
  return [...orders].sort(byArrival).filter((order) => {
    if (suspended.has(order.owner) || ids.get(order.orderId) !== 1) return false;
    const { highestBid, lowestOffer } = owners.get(order.owner) ?? {};
    const { side, limit } = order;
    if (side === "bid" && lowestOffer !== undefined && limit >= lowestOffer) return false;
    if (side === "offer" && highestBid !== undefined && limit <= highestBid) return false;
    const next =
      side === "bid"
        ? { highestBid: max(highestBid, limit), lowestOffer }
        : { highestBid, lowestOffer: min(lowestOffer, limit) };
    owners.set(order.owner, next);
    return true;
  });
}

type OwnerLimits = { readonly highestBid?: bigint | undefined; readonly lowestOffer?: bigint | undefined };

function max(left: bigint | undefined, right: bigint): bigint {
  return left === undefined || left < right ? right : left;
}

function min(left: bigint | undefined, right: bigint): bigint {
  return left === undefined || left > right ? right : left;
}

function byArrival(left: PoolOrder, right: PoolOrder): number {
  return left.sequence - right.sequence || compareText(left.orderId, right.orderId);
}

function bookOf(orders: readonly PoolOrder[]): Book {
  const asOrder = ({ orderId, owner, limit, energy, sequence }: PoolOrder): Order => ({
    id: orderId,
    owner,
    limit,
    energy,
    sequence,
  });
  return {
    bids: orders.filter(({ side }) => side === "bid").map(asOrder),
    offers: orders.filter(({ side }) => side === "offer").map(asOrder),
  };
}

/**
 * The marketplace's own rule for signing orders: an owner whose bid would meet its own offer is refused at entry.
 * @param openOrders - Of the orders that the marketplace's node knows at least those with the owner or the id of a new one.
 */
export function admissionPolicy(
  openOrders: (order: Pick<PoolOrder, "owner" | "orderId">) => readonly PoolOrder[],
): (resolved: ResolvedTransaction) => "self_cross" | "command_id_reused" | undefined {
  return ({ content }) => {
    if (content.command.tag !== "place-orders") return undefined;
    const placed: PoolOrder[] = [];
    for (const state of content.outputs) {
      if (state.tag !== "pool-order") continue;
      const known = [...openOrders(state), ...placed];
      if (known.some(({ orderId }) => orderId === state.orderId)) return "command_id_reused";
      if (known.some((other) => crosses(state, other))) return "self_cross";
      placed.push(state);
    }
    return undefined;
  };
}

function crosses(left: PoolOrder, right: PoolOrder): boolean {
  if (left.owner !== right.owner || left.slot !== right.slot || left.side === right.side) return false;
  const [bid, offer] = left.side === "bid" ? [left, right] : [right, left];
  return bid.limit >= offer.limit;
}
