/** Clauses of periodic pools: placing, cancelling and clearing orders. */
import type { PublicKey, WattHours } from "#core";
import { sumEnergy } from "#core";
import { orderLock, poolOutcome, type PoolOutcome } from "../pool.ts";
import type { Facts } from "../resolved.ts";
import type { PoolOrder, PowerPromise } from "../states.ts";
import {
  type Changes,
  citedMember,
  type Clause,
  clause,
  isAuthorised,
  isBeforeGate,
  isVerified,
  mayAct,
  moneyChanges,
  promiseChanges,
  promisesConserved,
  sameChanges,
  Tally,
} from "./clause.ts";
import { exposureClauses } from "./exposure.ts";

function isLockedBy(promise: PowerPromise, orderId: string): boolean {
  return promise.lock?.kind === "order" && promise.lock.id === orderId;
}

function lockedFor(promises: readonly PowerPromise[], order: PoolOrder): readonly PowerPromise[] {
  return promises.filter((promise) => isLockedBy(promise, order.orderId));
}

function energyBySlot(orders: readonly PoolOrder[]): Changes {
  const tally = new Tally();
  for (const { slot, energy } of orders) tally.add(slot, energy);
  return tally.changes;
}

/** Whether promises that are locked for the offers are exactly the energy of the offers, in their slots. */
function offersLockTheirEnergy(promises: readonly PowerPromise[], orders: readonly PoolOrder[]): boolean {
  return orders.every((order) => {
    const locked = lockedFor(promises, order);
    const expected = order.side === "offer" ? order.energy : 0n;
    return (
      locked.every(
        ({ slot, owner, delivered }) => slot === order.slot && owner === order.owner && delivered === null,
      ) && sumEnergy(locked.map(({ energy }) => energy)) === expected
    );
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
    clause("order_ids_unique", () => new Set(orders.map(({ orderId }) => orderId)).size === orders.length),
    clause("order_energy_positive", () => orders.every(({ energy }) => energy > 0n)),
    clause("order_slot_of_the_network", () =>
      orders.every(({ slot }) => slot.endsWith(`/PT${facts.parameters.slotMinutes}M`)),
    ),
    clause("order_price_in_band", () =>
      orders.every(({ limit }) => limit >= facts.parameters.priceMin && limit <= facts.parameters.priceMax),
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
    clause(
      "order_on_one_marketplace",
      () => marketplaces.size === 1 && (listed?.roles.includes("marketplace") ?? false),
    ),
    clause("order_fee_as_declared", () => orders.every(({ marketFee }) => marketFee === listed?.marketFee)),
    clause("order_not_by_grid_authority", () => owner !== facts.parameters.gridAuthority),
    clause("order_owner_may_act", () => mayAct(facts, owner)),
    clause("order_authorised", () => isAuthorised(facts, owner, "place-orders", energyBySlot(orders))),
    clause("order_signed_by_marketplace", () => marketplace !== undefined && facts.isSigner(marketplace)),
    clause("order_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

export function cancelOrdersClauses(facts: Facts): readonly Clause[] {
  const { owner } = facts.commandOf("cancel-orders");
  const orders = facts.consumed("pool-order");
  return [
    clause("cancel_some", () => orders.length > 0),
    clause("cancel_orders_of_one_owner", () => orders.every((order) => order.owner === owner)),
    clause(
      "cancel_frees_all_promises",
      () =>
        offersLockTheirEnergy(facts.consumed("power-promise"), orders) &&
        onlyOf(facts.consumed("power-promise"), orders),
    ),
    clause("cancel_promises_unlocked", () =>
      facts.made("power-promise").every((promise) => promise.lock === null && promise.owner === owner),
    ),
    clause("cancel_promises_conserved", () => promisesConserved(facts)),
    clause("cancel_returns_money", () => moneyChanges(facts).size === 0),
    clause("cancel_authorised", () => isAuthorised(facts, owner, "cancel-orders", new Map())),
    clause("cancel_signed_by_marketplace", () => orders.every(({ marketplace }) => facts.isSigner(marketplace))),
    ...exposureClauses(facts),
  ];
}

function onlyOf(promises: readonly PowerPromise[], orders: readonly PoolOrder[]): boolean {
  return promises.every((promise) => orders.some((order) => isLockedBy(promise, order.orderId)));
}

export function clearPoolClauses(facts: Facts): readonly Clause[] {
  const { slot, trades, isFinal, price } = facts.commandOf("clear-pool");
  const orders = facts.consumed("pool-order");
  const [first] = orders;
  const outcome = poolOutcome(orders, trades, isFinal);
  const refusal = outcome.ok ? undefined : outcome.error;
  const value = outcome.ok ? outcome.value : undefined;
  const traders = tradersOf(orders, facts.commandOf("clear-pool").trades);
  return [
    clause("clear_some_orders", () => orders.length > 0),
    clause("clear_orders_of_the_slot", () => orders.every((order) => order.slot === slot)),
    clause("clear_orders_of_one_marketplace", () =>
      orders.every(({ marketplace }) => marketplace === first?.marketplace),
    ),
    clause("clear_trades_known_orders", () => refusal !== "trade_of_unknown_order"),
    clause("clear_trades_some_energy", () => refusal !== "trade_energy_not_positive"),
    clause("clear_no_trade_with_oneself", () => refusal !== "trade_with_oneself"),
    clause("clear_within_orders", () => refusal !== "trade_beyond_order"),
    clause("clear_within_limits", () => refusal !== "trade_beyond_limit"),
    clause("clear_payments_covered", () => refusal !== "trade_not_covered"),
    clause("clear_at_one_price", () => price === null || trades.every((trade) => trade.price === price)),
    clause(
      "clear_takes_all_offered_promises",
      () =>
        offersLockTheirEnergy(facts.consumed("power-promise"), orders) &&
        onlyOf(facts.consumed("power-promise"), orders),
    ),
    clause("clear_orders_go_on", () => value === undefined || sameOrders(facts.made("pool-order"), value.continuing)),
    clause("clear_money_follows_trades", () => value === undefined || moneyFollows(facts, orders, value)),
    clause("clear_promises_follow_trades", () => value === undefined || promisesFollow(facts, orders, value)),
    clause("clear_promises_conserved", () => promisesConserved(facts)),
    clause("clear_trades_before_gate", () => trades.length === 0 || isBeforeGate(facts, [slot])),
    clause("clear_traders_may_act", () => traders.every((trader) => mayAct(facts, trader))),
    clause("clear_signed_by_marketplace", () => first !== undefined && facts.isSigner(first.marketplace)),
    clause("clear_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
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

/** Each buyer holds what it bought, free; what is left of an offer stays locked while the order goes on, and is free otherwise. */
function promisesFollow(facts: Facts, orders: readonly PoolOrder[], outcome: PoolOutcome): boolean {
  const expected = new Tally();
  const { trades } = facts.commandOf("clear-pool");
  const ownerOf = new Map(orders.map(({ orderId, owner }) => [orderId, owner]));
  for (const { bid, offer, energy } of trades) {
    expected.add(`${ownerOf.get(bid)} free`, energy).add(`${ownerOf.get(offer)} ${offer}`, -energy);
  }
  const goesOn = new Set(outcome.continuing.map(({ orderId }) => orderId));
  for (const order of orders)
    if (order.side === "offer" && !goesOn.has(order.orderId))
      release(expected, order, outcome.unfilled.get(order.orderId));
  const changes = promiseChanges(facts, ({ owner, lock }) => `${owner} ${lock === null ? "free" : lock.id}`);
  return (
    sameChanges(changes, expected.changes) &&
    facts
      .made("power-promise")
      .every(({ slot, lock }) => slot === facts.commandOf("clear-pool").slot && lock?.kind !== "auction")
  );
}

function release(expected: Tally, order: PoolOrder, left: WattHours | undefined): void {
  const energy = left ?? 0n;
  expected.add(`${order.owner} ${order.orderId}`, -energy).add(`${order.owner} free`, energy);
}
