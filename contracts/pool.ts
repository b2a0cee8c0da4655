/**
 * What a pool's clearing comes to: payments, fees, orders that go on. The marketplace builds from these functions and the
 * clauses check against them. They do not choose who trades with whom: that is the trading method's part, and whatever it
 * chooses must stay within the orders' limits.
 */
import {
  costCeil,
  err,
  invariant,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  minEnergy,
  ok,
  type PublicKey,
  paymentsOf,
  type Result,
  type WattHours,
  wattHours,
} from "#core";
import type { PoolTrade } from "./commands.ts";
import type { PoolOrder, PowerPromise } from "./states.ts";

/** Locked in every order that can pay, for the roundings of partial fills; returned when the order ends. */
export const ROUNDING_RESERVE: Micros = micros(1_000n);

/**
 * What an order must lock: a bid its limit and the fee, an offer with a negative limit what it may have to pay. A bid that
 * is paid for buying locks the reserve alone: filled watt-hour by watt-hour, price and fee are each rounded against it.
 */
export function orderLock({ side, energy, limit, marketFee }: Lockable): Micros {
  if (side === "offer") return limit < 0n ? micros(costCeil(energy, negated(limit)) + ROUNDING_RESERVE) : micros(0n);
  const worst = costCeil(energy, limit) + costCeil(energy, marketFee);
  return micros((worst > 0n ? worst : 0n) + ROUNDING_RESERVE);
}
type Lockable = Pick<PoolOrder, "side" | "energy" | "limit" | "marketFee">;

function negated(price: MicrosPerKwh): MicrosPerKwh {
  return microsPerKwh(-price);
}

/**
 * The most owners that a marketplace clears in one transaction, and the most orders that it gives back in one: what hangs on them
 * surely fits, and whom it concerns is not sent the hashes of much else.
 */
export const CLEARED_PARTIES_MAX = 64;

export type PoolRefusal =
  | "orders_share_an_id"
  | "trade_of_unknown_order"
  | "trade_energy_not_positive"
  | "trade_with_oneself"
  | "trade_beyond_order"
  | "trade_beyond_limit"
  | "trade_not_covered";

export type PoolOutcome = {
  /** Orders that stay in the pool, with what is left of them; empty in the final round. */
  readonly continuing: readonly PoolOrder[];
  /** What each owner is paid out: proceeds and what its orders no longer need. */
  readonly payouts: ReadonlyMap<PublicKey, Micros>;
  readonly fees: Micros;
  /** Energy that is left of each order, by order id. */
  readonly unfilled: ReadonlyMap<string, WattHours>;
};

/**
 * Applies `trades` to `orders`. Buyers pay price and fee, each rounded up once per owner and round; sellers receive what
 * the buyers pay. What an order locked and no longer needs goes back to its owner.
 */
export function poolOutcome(
  orders: readonly PoolOrder[],
  trades: readonly PoolTrade[],
  isFinal: boolean,
): Result<PoolOutcome, PoolRefusal> {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  if (byId.size !== orders.length) return err("orders_share_an_id");
  const refusal = tradesRefusal(byId, trades);
  if (refusal !== undefined) return err(refusal);
  const unfilled = unfilledOf(orders, trades);
  const balance = new Map<PublicKey, bigint>();
  const credit = (owner: PublicKey, amount: bigint): unknown => balance.set(owner, (balance.get(owner) ?? 0n) + amount);
  for (const { owner, locked } of orders) credit(owner, locked);
  const fees = payTrades(orders, trades, credit);
  const continuing = isFinal ? [] : relock(orders, unfilled, balance);
  if ([...balance.values()].some((amount) => amount < 0n)) return err("trade_not_covered");
  const payouts = new Map(
    [...balance].filter(([, amount]) => amount > 0n).map(([owner, amount]) => [owner, micros(amount)]),
  );
  return ok({ continuing, payouts, fees, unfilled });
}

function tradesRefusal(byId: ReadonlyMap<string, PoolOrder>, trades: readonly PoolTrade[]): PoolRefusal | undefined {
  const filled = new Map<string, bigint>();
  for (const trade of trades) {
    const bid = byId.get(trade.bid);
    const offer = byId.get(trade.offer);
    if (bid?.side !== "bid" || offer?.side !== "offer") return "trade_of_unknown_order";
    const refusal = tradeRefusal(trade, bid, offer);
    if (refusal !== undefined) return refusal;
    for (const { orderId, energy } of [bid, offer]) {
      const sum = (filled.get(orderId) ?? 0n) + trade.energy;
      if (sum > energy) return "trade_beyond_order";
      filled.set(orderId, sum);
    }
  }
  return undefined;
}

function tradeRefusal({ energy, price }: PoolTrade, bid: PoolOrder, offer: PoolOrder): PoolRefusal | undefined {
  if (energy <= 0n) return "trade_energy_not_positive";
  if (bid.owner === offer.owner) return "trade_with_oneself";
  return price > bid.limit || price < offer.limit ? "trade_beyond_limit" : undefined;
}

function unfilledOf(orders: readonly PoolOrder[], trades: readonly PoolTrade[]): ReadonlyMap<string, WattHours> {
  const unfilled = new Map(orders.map(({ orderId, energy }) => [orderId, energy]));
  for (const { bid, offer, energy } of trades) {
    for (const id of [bid, offer]) unfilled.set(id, wattHours((unfilled.get(id) ?? 0n) - energy));
  }
  return unfilled;
}

export type PoolPayments = {
  /** Price of what each owner bought, fees not counted. */
  readonly buyers: ReadonlyMap<PublicKey, Micros>;
  readonly sellers: ReadonlyMap<PublicKey, Micros>;
  /** Fee of each buyer, rounded up once. */
  readonly fees: ReadonlyMap<PublicKey, Micros>;
};

/** Who pays and receives what in a round; every trade must name orders of `orders`. */
export function poolPayments(orders: readonly PoolOrder[], trades: readonly PoolTrade[]): PoolPayments {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const orderOf = (id: string): PoolOrder => {
    const order = byId.get(id);
    invariant(order !== undefined, "trades name orders of the pool");
    return order;
  };
  const { buyers, sellers } = paymentsOf(
    trades.map(({ bid, offer, energy, price }) => ({
      buyer: orderOf(bid).owner,
      seller: orderOf(offer).owner,
      energy,
      price,
    })),
  );
  const fees = paymentsOf(
    trades.map(({ bid, energy }) => ({
      buyer: orderOf(bid).owner,
      seller: orderOf(bid).marketplace,
      energy,
      price: orderOf(bid).marketFee,
    })),
  ).buyers;
  return { buyers, sellers, fees };
}

/** Books every payment and fee; gives the sum of the fees. */
function payTrades(
  orders: readonly PoolOrder[],
  trades: readonly PoolTrade[],
  credit: (owner: PublicKey, amount: bigint) => unknown,
): Micros {
  const payments = poolPayments(orders, trades);
  for (const [buyer, amount] of payments.buyers) credit(buyer, -amount);
  for (const [seller, amount] of payments.sellers) credit(seller, amount);
  let sum = 0n;
  for (const [buyer, fee] of payments.fees) {
    credit(buyer, -fee);
    sum += fee;
  }
  return micros(sum);
}

/** Orders with energy left, each locking what it needs, as far as its owner's balance goes. Takes the locks from `balance`. */
function relock(
  orders: readonly PoolOrder[],
  unfilled: ReadonlyMap<string, WattHours>,
  balance: Map<PublicKey, bigint>,
): readonly PoolOrder[] {
  return orders.flatMap((order) => {
    const energy = unfilled.get(order.orderId) ?? wattHours(0n);
    if (energy === 0n) return [];
    const needed = orderLock({ ...order, energy });
    const available = balance.get(order.owner) ?? 0n;
    const locked = needed < available ? needed : micros(available > 0n ? available : 0n);
    balance.set(order.owner, available - locked);
    return [{ ...order, energy, locked }];
  });
}

/**
 * The promises of a round after its trades, in lineage, owner and lock; how they are cut into states does not matter.
 * Each trade takes its energy out of the promises that its offer locks: trades and promises in the order given, first
 * promise first. What is left stays locked while the order goes on, and is free otherwise. Promises that none of the
 * orders locks stay as they are.
 * @throws InvariantError when an offer sells more than its promises hold.
 */
export function promisesAfterTrades(
  promises: readonly PowerPromise[],
  orders: readonly PoolOrder[],
  trades: readonly PoolTrade[],
  continuing: readonly PoolOrder[],
): readonly PowerPromise[] {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const goesOn = new Set(continuing.map(({ orderId }) => orderId));
  const left = new Map<string, readonly PowerPromise[]>();
  const after: PowerPromise[] = [];
  for (const promise of promises) {
    const id = promise.lock?.kind === "order" && byId.has(promise.lock.id) ? promise.lock.id : undefined;
    if (id === undefined) after.push(promise);
    else left.set(id, [...(left.get(id) ?? []), promise]);
  }
  for (const { bid, offer, energy } of trades) {
    const split = takeEnergy(left.get(offer) ?? [], energy);
    const owner = byId.get(bid)?.owner;
    invariant(owner !== undefined, "trades name orders of the pool");
    after.push(...split.taken.map((part) => ({ ...part, owner, lock: null })));
    left.set(offer, split.left);
  }
  for (const [id, parts] of left)
    after.push(...(goesOn.has(id) ? parts : parts.map((part) => ({ ...part, lock: null }))));
  return after;
}

/**
 * Takes `energy` out of parts of promises, first part first: gives what goes and what stays of each part.
 * @throws InvariantError when the parts hold less than `energy`.
 */
export function takeEnergy<T extends { readonly energy: WattHours }>(
  parts: readonly T[],
  energy: WattHours,
): { readonly taken: readonly T[]; readonly left: readonly T[] } {
  const taken: T[] = [];
  const left: T[] = [];
  let wanted: bigint = energy;
  for (const part of parts) {
    const going = minEnergy(part.energy, wattHours(wanted));
    if (going > 0n) taken.push({ ...part, energy: going });
    if (going < part.energy) left.push({ ...part, energy: wattHours(part.energy - going) });
    wanted -= going;
  }
  invariant(wanted === 0n, "parts hold the energy that is taken");
  return { taken, left };
}
