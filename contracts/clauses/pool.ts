/** Clauses of periodic pools: placing, cancelling and clearing orders. */
import { type PublicKey, type Result, sumEnergy } from "#core";
import { claimsText, meetsRequirement } from "../claims.ts";
import { orderLock, type PoolOutcome, type PoolRefusal, poolOutcome, promisesAfterTrades } from "../pool.ts";
import type { Facts } from "../resolved.ts";
import type { PoolOrder, PowerPromise } from "../states.ts";
import {
  type Changes,
  type Clause,
  citedMember,
  clause,
  isAuthorised,
  isBeforeGate,
  isMarketplace,
  isVerified,
  lazy,
  mayAct,
  moneyChanges,
  promisesConserved,
  sameChanges,
  Tally,
} from "./clause.ts";
import { exposureClauses } from "./exposure.ts";
import { buyersMarginClauses } from "./margin.ts";

function isLockedBy(promise: PowerPromise, orderId: string): boolean {
  return promise.lock?.kind === "order" && promise.lock.id === orderId;
}

function energyBySlot(orders: readonly PoolOrder[]): Changes {
  const tally = new Tally();
  for (const { slot, energy } of orders) tally.add(slot, energy);
  return tally.changes;
}

function haveUniqueIds(orders: readonly PoolOrder[]): boolean {
  return new Set(orders.map(({ orderId }) => orderId)).size === orders.length;
}

function highestBid(orders: readonly PoolOrder[]): bigint | undefined {
  const limits = orders.filter(({ side }) => side === "bid").map(({ limit }) => limit);
  return limits.reduce<bigint | undefined>(
    (high, limit) => (high === undefined || limit > high ? limit : high),
    undefined,
  );
}

/** Promises by the id of the order that locks them. */
function byOrder(promises: readonly PowerPromise[]): ReadonlyMap<string, readonly PowerPromise[]> {
  const groups = new Map<string, PowerPromise[]>();
  for (const promise of promises) {
    if (promise.lock?.kind !== "order") continue;
    const group = groups.get(promise.lock.id);
    if (group === undefined) groups.set(promise.lock.id, [promise]);
    else group.push(promise);
  }
  return groups;
}

/** Whether the offers lock exactly their energy, in their slots, and bids none. */
function offersLockTheirEnergy(promises: readonly PowerPromise[], orders: readonly PoolOrder[]): boolean {
  const locked = byOrder(promises);
  return orders.every(({ orderId, side, slot, energy }) => {
    const own = locked.get(orderId) ?? [];
    return (
      own.every((promise) => promise.slot === slot) &&
      sumEnergy(own.map((promise) => promise.energy)) === (side === "offer" ? energy : 0n)
    );
  });
}

/** Whether every promise is locked by one of the orders, in its slot and held by its owner. */
function areLockedByOrders(promises: readonly PowerPromise[], orders: readonly PoolOrder[]): boolean {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  return promises.every((promise) => {
    const order = promise.lock?.kind === "order" ? byId.get(promise.lock.id) : undefined;
    return order !== undefined && promise.slot === order.slot && promise.owner === order.owner;
  });
}

export function placeOrdersClauses(facts: Facts): readonly Clause[] {
  const { owner } = facts.commandOf("place-orders");
  const orders = facts.made("pool-order");
  const promises = facts.made("power-promise");
  const marketplaces = new Set(orders.map(({ marketplace }) => marketplace));
  const [marketplace] = marketplaces;
  const listed = marketplace === undefined ? undefined : citedMember(facts, marketplace);
  return [
    clause("orders_some", () => orders.length > 0),
    clause("orders_of_one_owner", () => orders.every((order) => order.owner === owner)),
    clause("order_ids_unique", () => haveUniqueIds(orders)),
    clause("order_energy_positive", () => orders.every(({ energy }) => energy > 0n)),
    clause("order_slot_of_the_network", () =>
      orders.every(({ slot }) => slot.endsWith(`/PT${facts.parameters.slotMinutes}M`)),
    ),
    clause("order_price_in_band", () =>
      orders.every(({ limit }) => limit >= facts.parameters.priceMin && limit <= facts.parameters.priceMax),
    ),
    clause("order_offers_require_nothing", () =>
      orders.every(({ side, requires }) => side === "bid" || requires === null),
    ),
    clause("order_before_gate", () =>
      isBeforeGate(
        facts,
        orders.map(({ slot }) => slot),
      ),
    ),
    clause("order_locks_its_worst_case", () => orders.every((order) => order.locked === orderLock(order))),
    clause("order_offers_own_free_promises", () =>
      facts
        .consumed("power-promise")
        .every((promise) => promise.owner === owner && promise.lock === null && promise.delivered === null),
    ),
    clause("order_promises_keep_owner", () => promises.every((promise) => promise.owner === owner)),
    clause("order_promises_conserved", () => promisesConserved(facts)),
    clause("order_offers_lock_their_energy", () => offersLockTheirEnergy(promises, orders)),
    clause("order_locks_nothing_else", () =>
      promises.every((promise) => promise.lock === null || orders.some((order) => isLockedBy(promise, order.orderId))),
    ),
    clause("order_money_stays_with_owner", () => moneyChanges(facts).size === 0),
    clause("order_funds_of_the_owner", () => facts.consumed("funds").every((funds) => funds.owner === owner)),
    ...buyersMarginClauses(facts, "order", owner),
    clause(
      "order_on_one_marketplace",
      () => marketplaces.size <= 1 && [...marketplaces].every((key) => isMarketplace(facts, key)),
    ),
    clause("order_fee_as_declared", () => orders.every(({ marketFee }) => marketFee === listed?.marketFee)),
    clause("order_not_by_grid_authority", () => owner !== facts.parameters.gridAuthority),
    clause("order_owner_may_act", () => mayAct(facts, owner)),
    clause("order_authorised", () =>
      isAuthorised(facts, owner, {
        flow: "place-orders",
        energyBySlot: energyBySlot(orders),
        bidPrice: highestBid(orders),
      }),
    ),
    clause("order_signed_by_marketplace", () => orders.every((order) => facts.isSigner(order.marketplace))),
    clause("order_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

/**
 * The marketplace countersigns a cancellation, for it may be clearing the orders. Once nothing can be traded any more, the
 * owner, the marketplace or the grid authority alone gives back what is left: nobody can hold money or promises for ever.
 */
export function cancelOrdersClauses(facts: Facts): readonly Clause[] {
  const { owner } = facts.commandOf("cancel-orders");
  const orders = facts.consumed("pool-order");
  const promises = facts.consumed("power-promise");
  const areOver = lazy(() => orders.length > 0 && orders.every(({ slot }) => facts.isFrom(facts.gateMs(slot))));
  const isByMarketplace = orders.every(({ marketplace }) => facts.isSigner(marketplace));
  return [
    clause("cancel_some", () => orders.length > 0),
    clause("cancel_orders_of_one_owner", () => orders.every((order) => order.owner === owner)),
    clause("cancel_order_ids_unique", () => haveUniqueIds(orders)),
    clause("cancel_takes_promises_of_the_orders", () => areLockedByOrders(promises, orders)),
    clause("cancel_frees_all_promises", () => areOver() || offersLockTheirEnergy(promises, orders)),
    clause("cancel_promises_unlocked", () =>
      facts.made("power-promise").every((promise) => promise.lock === null && promise.owner === owner),
    ),
    clause("cancel_promises_conserved", () => promisesConserved(facts)),
    clause("cancel_returns_money", () => moneyChanges(facts).size === 0),
    clause(
      "cancel_authorised",
      () =>
        isAuthorised(facts, owner, { flow: "cancel-orders" }) ||
        (areOver() && (isByMarketplace || facts.isSigner(facts.parameters.gridAuthority))),
    ),
    clause("cancel_signed_by_marketplace", () => isByMarketplace || areOver()),
    ...exposureClauses(facts),
  ];
}

export function clearPoolClauses(facts: Facts): readonly Clause[] {
  const { slot, trades, isFinal, price } = facts.commandOf("clear-pool");
  const orders = facts.consumed("pool-order");
  const promises = facts.consumed("power-promise");
  const [first] = orders;
  const outcome = lazy(() => poolOutcome(orders, trades, isFinal));
  const isNot = (refusal: PoolRefusal): boolean => resultError(outcome()) !== refusal;
  const ifSound = (holds: (value: PoolOutcome) => boolean): boolean => {
    const result = outcome();
    return !result.ok || holds(result.value);
  };
  return [
    clause("clear_some_orders", () => orders.length > 0),
    clause("clear_orders_of_the_slot", () => orders.every((order) => order.slot === slot)),
    clause("clear_orders_of_one_marketplace", () =>
      orders.every(({ marketplace }) => marketplace === first?.marketplace),
    ),
    clause("clear_order_ids_unique", () => isNot("orders_share_an_id")),
    clause("clear_trades_known_orders", () => isNot("trade_of_unknown_order")),
    clause("clear_trades_some_energy", () => isNot("trade_energy_not_positive")),
    clause("clear_no_trade_with_oneself", () => isNot("trade_with_oneself")),
    clause("clear_within_orders", () => isNot("trade_beyond_order")),
    clause("clear_within_limits", () => isNot("trade_beyond_limit")),
    clause("clear_payments_covered", () => isNot("trade_not_covered")),
    clause("clear_at_one_price", () => price === null || trades.every((trade) => trade.price === price)),
    clause("clear_requirements_met", () => requirementsMet(facts, orders, promises)),
    clause("clear_takes_promises_of_the_orders", () => areLockedByOrders(promises, orders)),
    clause("clear_takes_all_offered_promises", () => offersLockTheirEnergy(promises, orders)),
    clause("clear_orders_go_on", () => ifSound(({ continuing }) => sameOrders(facts.made("pool-order"), continuing))),
    clause("clear_money_follows_trades", () => ifSound((value) => moneyFollows(facts, orders, value))),
    clause("clear_promises_follow_trades", () => ifSound((value) => promisesFollow(facts, orders, value))),
    clause("clear_trades_before_gate", () => trades.length === 0 || isBeforeGate(facts, [slot])),
    clause("clear_traders_may_act", () => tradersOf(orders, trades).every((trader) => mayAct(facts, trader))),
    clause("clear_signed_by_marketplace", () => orders.every(({ marketplace }) => facts.isSigner(marketplace))),
    clause("clear_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

/** Whether all promises of an offer that trades with a bid give what the bid requires: the weakest of them counts. */
function requirementsMet(facts: Facts, orders: readonly PoolOrder[], promises: readonly PowerPromise[]): boolean {
  const requirements = new Map(orders.map(({ orderId, requires }) => [orderId, requires]));
  const offered = byOrder(promises);
  return facts.commandOf("clear-pool").trades.every(({ bid, offer }) => {
    const requires = requirements.get(bid) ?? null;
    const sold = offered.get(offer) ?? [];
    return (
      requires === null || sold.every(({ claims }) => meetsRequirement(claims, requires, facts.cited("agency-record")))
    );
  });
}

function resultError(result: Result<PoolOutcome, PoolRefusal>): PoolRefusal | undefined {
  return result.ok ? undefined : result.error;
}

function tradersOf(
  orders: readonly PoolOrder[],
  trades: readonly { readonly bid: string; readonly offer: string }[],
): readonly PublicKey[] {
  const traded = new Set(trades.flatMap(({ bid, offer }) => [bid, offer]));
  return [...new Set(orders.filter(({ orderId }) => traded.has(orderId)).map(({ owner }) => owner))];
}

function sameOrders(made: readonly PoolOrder[], expected: readonly PoolOrder[]): boolean {
  const text = (orders: readonly PoolOrder[]): string => orders.map(orderText).sort().join("\n");
  return text(made) === text(expected);
}

function orderText(order: PoolOrder): string {
  return [
    order.orderId,
    order.side,
    order.owner,
    order.marketplace,
    order.slot,
    order.energy,
    order.limit,
    order.marketFee,
    order.locked,
    order.sequence,
    claimsText(order.requires),
  ].join(" ");
}

/** Everyone has exactly the payout that the trades give, and the marketplace its fee. */
function moneyFollows(facts: Facts, orders: readonly PoolOrder[], outcome: PoolOutcome): boolean {
  const expected = new Tally();
  for (const { owner, locked } of orders) expected.add(owner, -locked);
  for (const { owner, locked } of outcome.continuing) expected.add(owner, locked);
  for (const [owner, amount] of outcome.payouts) expected.add(owner, amount);
  expected.add(orders[0]?.marketplace ?? "", outcome.fees);
  return sameChanges(moneyChanges(facts), expected.changes);
}

/** Every promise is where the trades put it: with its buyer and free, or with its owner and locked while the order goes on. */
function promisesFollow(facts: Facts, orders: readonly PoolOrder[], { continuing }: PoolOutcome): boolean {
  const { trades } = facts.commandOf("clear-pool");
  const expected = promisesAfterTrades(facts.consumed("power-promise"), orders, trades, continuing);
  return sameChanges(energyByHolding(facts.made("power-promise")), energyByHolding(expected));
}

/** Energy of promises by all that tells them apart, however they are cut into states. */
function energyByHolding(promises: readonly PowerPromise[]): Changes {
  const tally = new Tally();
  for (const { energy, promiseId, supplier, slot, owner, lock, delivered, claims } of promises) {
    const locked = lock === null ? [] : [lock.kind, lock.id];
    tally.add(
      JSON.stringify([promiseId, supplier, slot, owner, `${delivered}`, claimsText(claims), ...locked]),
      energy,
    );
  }
  return tally.changes;
}
