/**
 * The marketplace service: admits orders, runs the rounds of its pools, publishes results. It holds no orders of its own:
 * the ledger does, and whatever it clears is checked there again.
 */

import type { LedgerRefusal, MarketplaceFeed, PoolOrder, PoolRound, ResolvedTransaction } from "#contracts";
import { compareText, NO_ENERGY, type SlotId } from "#core";
import type { LedgerClient } from "#ledger-client";
import type { Book, Order, TradingMethod } from "./clearing/index.ts";

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
      const ofSlot = orders
        .filter(({ state }) => state.slot === slot && state.marketplace === this.#options.client.party)
        .map(({ state }) => state);
      const refusal = ofSlot.length === 0 ? undefined : await this.#clear(slot, tradable(ofSlot, suspended), isFinal);
      if (refusal !== undefined) problems.push({ slot, refusal });
    }
    return problems;
  }

  async #clear(slot: SlotId, orders: readonly PoolOrder[], isFinal: boolean): Promise<LedgerRefusal | undefined> {
    const { client, method, nowMs } = this.#options;
    const { price, volume, trades } = method.clear(bookOf(orders));
    if (trades.length > 0 || isFinal) {
      const commandId = `clear/${slot}/${nowMs()}${isFinal ? "/final" : ""}`;
      const cleared = await client.submit({ tag: "clear-pool", commandId, slot, price, isFinal, trades });
      if (!cleared.ok) return cleared.error;
    }
    const round: PoolRound = {
      slot,
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
 * @param openOrders - The orders that the marketplace's node knows.
 */
export function admissionPolicy(
  openOrders: () => readonly PoolOrder[],
): (resolved: ResolvedTransaction) => "self_cross" | "command_id_reused" | undefined {
  return ({ content }) => {
    if (content.command.tag !== "place-orders") return undefined;
    const known = [...openOrders()];
    for (const state of content.outputs) {
      if (state.tag !== "pool-order") continue;
      if (known.some(({ orderId }) => orderId === state.orderId)) return "command_id_reused";
      if (known.some((other) => crosses(state, other))) return "self_cross";
      known.push(state);
    }
    return undefined;
  };
}

function crosses(left: PoolOrder, right: PoolOrder): boolean {
  if (left.owner !== right.owner || left.slot !== right.slot || left.side === right.side) return false;
  const [bid, offer] = left.side === "bid" ? [left, right] : [right, left];
  return bid.limit >= offer.limit;
}
