/** Place, cancel and clear pool orders. */

import {
  CLEARED_PARTIES_MAX,
  type ClientCommandOf,
  type LedgerRefusal,
  orderLock,
  type PoolOrder,
  type PowerPromise,
  poolOutcome,
  type State,
  takeEnergy,
} from "#contracts";
import { err, ok, type PublicKey, type Result, sumEnergy, type WattHours, wattHours } from "#core";
import {
  citations,
  type Draft,
  type Drafted,
  dayOf,
  type FlowContext,
  gateMs,
  mandateUntilMs,
  memberOf,
  network,
  verifiersOf,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { agencyRecordOf } from "./certification.ts";
import { marginFor } from "./margin.ts";
import { fundsFor, payFrom } from "./money.ts";
import { withExposures } from "./positions.ts";
import { type HeldPromises, lockPromises } from "./promises-held.ts";

type Place = ClientCommandOf<"place-orders">;
type Priced = Pick<PoolOrder, "side" | "slot" | "energy" | "limit">;

export async function draftPlaceOrders(context: FlowContext, command: Place): Promise<Drafted> {
  const refusal = placeRefusal(context, command);
  if (refusal !== undefined) return err(refusal);
  const first = await arrivalNumber(context, command.marketplace, command.orders.length);
  if (!first.ok) return first;
  const orders = command.orders.map((order, index) =>
    poolOrder(context, command.marketplace, order, index, first.value + index),
  );
  const promises = lockForOffers(context, orders);
  if (!promises.ok) return promises;
  const bids = orders.filter(({ side }) => side === "bid");
  const margin = marginFor(context, bids);
  const payment = payFrom(
    context,
    orders.reduce((sum, { locked }) => sum + locked, margin.added),
    margin.added,
  );
  if (!payment.ok) return payment;
  const verifiers = verifiersOf(context);
  return withExposures(context, {
    consumed: [...payment.value.consumed, ...promises.value.consumed, ...margin.consumed],
    cited: [...citations(context, [context.party, command.marketplace, ...verifiers]), ...margin.cited],
    made: [...orders, ...promises.value.made, ...margin.made, ...payment.value.change],
    command: { tag: "place-orders", owner: context.party },
    window: windowUntil(context, mandateUntilMs(context), ...orders.map(({ slot }) => gateMs(context, slot))),
    signers: [context.signingKey, command.marketplace, ...verifiers],
  });
}

/** The first of `count` arrival numbers: from the marketplace, or the party's own where it is the marketplace. */
async function arrivalNumber(
  context: FlowContext,
  marketplace: PublicKey,
  count: number,
): Promise<Result<number, LedgerRefusal>> {
  if (marketplace === context.party) return ok(context.reserveSequence(count));
  const reply = await context.ask(marketplace, { tag: "sequence", count });
  if (reply.tag !== "sequence") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
  if (isSequence(reply.first, count)) return ok(reply.first);
  return err({ tag: "counterparty_refused", party: marketplace, reason: "transaction_malformed", clauses: [] });
}

/** Whether a marketplace gave numbers that an order can have. */
function isSequence(first: number, count: number): boolean {
  return Number.isSafeInteger(first) && first >= 0 && Number.isSafeInteger(first + count);
}

function placeRefusal(context: FlowContext, command: Place): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  if (member === undefined || !memberOf(context, command.marketplace)?.state.roles.includes("marketplace"))
    return { tag: "member_unknown" };
  if (member.standing === "suspended") return { tag: "member_suspended" };
  if (context.party === network(context).gridAuthority) return { tag: "role_not_allowed" };
  for (const order of command.orders) {
    const refusal = orderRefusal(context, order);
    if (refusal !== undefined) return refusal;
  }
  const refusal = capRefusal(context, command.orders, member.holdingCapPerSlot);
  return refusal ?? (crossesOneself(context, command) ? { tag: "self_cross" } : undefined);
}

function orderRefusal(context: FlowContext, { slot, energy, limit }: Priced): LedgerRefusal | undefined {
  const { slotMinutes, priceMin, priceMax, promiseMax } = network(context);
  if (!slot.endsWith(`/PT${slotMinutes}M`)) return { tag: "slot_unknown" };
  if (gateMs(context, slot) <= context.nowMs) return { tag: "gate_closed", slot, gateMs: gateMs(context, slot) };
  if (energy <= 0n) return { tag: "energy_out_of_range", asked: energy, min: wattHours(1n), max: promiseMax };
  return limit < priceMin || limit > priceMax ? { tag: "price_out_of_band" } : undefined;
}

/** Whether a new order would meet one of the same party: among the new ones, or in the marketplace's pool. */
function crossesOneself(context: FlowContext, { orders, marketplace }: Place): boolean {
  const standing = context.vault
    .all("pool-order")
    .map(({ state }) => state)
    .filter((order) => order.owner === context.party && order.marketplace === marketplace);
  const all = [...orders, ...standing];
  return orders.some((order) => all.some((other) => meet(order, other)));
}

function meet(left: Priced, right: Priced): boolean {
  if (left.slot !== right.slot || left.side === right.side) return false;
  return left.side === "bid" ? left.limit >= right.limit : right.limit >= left.limit;
}

/** Whether bids would take the member over its cap: refused here with what is free, and on the ledger in any case. */
function capRefusal(context: FlowContext, orders: Place["orders"], cap: WattHours | null): LedgerRefusal | undefined {
  if (cap === null) return undefined;
  for (const slot of new Set(orders.filter(({ side }) => side === "bid").map((order) => order.slot))) {
    const asked = sumEnergy(
      orders.filter((order) => order.side === "bid" && order.slot === slot).map(({ energy }) => energy),
    );
    const free = holdingFree(context, slot, cap);
    if (asked > free) return { tag: "holding_cap_exceeded", slot, asked, free };
  }
  return undefined;
}

/** How much more the party may hold and bid for in a slot under its cap. */
export function holdingFree(context: FlowContext, slot: PoolOrder["slot"], cap: WattHours): WattHours {
  const { exposure } = context.vault.positionOf(context.party, dayOf(context, slot));
  const entry = exposure?.state.entries.find((each) => each.slot === slot);
  const used = entry === undefined ? 0n : entry.bought + entry.bidding;
  return wattHours(cap > used ? cap - used : 0n);
}

function poolOrder(
  context: FlowContext,
  marketplace: PublicKey,
  order: Place["orders"][number],
  index: number,
  sequence: number,
): PoolOrder {
  const marketFee = memberOf(context, marketplace)?.state.marketFee;
  const unlocked = {
    tag: "pool-order" as const,
    orderId: `${context.commandId}/${index}`,
    side: order.side,
    owner: context.party,
    marketplace,
    slot: order.slot,
    energy: order.energy,
    limit: order.limit,
    marketFee: marketFee ?? network(context).gridFee,
    sequence,
    requires: order.requires ?? null,
  };
  return { ...unlocked, locked: orderLock(unlocked) };
}

function lockForOffers(context: FlowContext, orders: readonly PoolOrder[]): ReturnType<typeof lockPromises> {
  const consumed: VaultState<"power-promise">[] = [];
  const made: PowerPromise[] = [];
  const offers = orders.filter(({ side }) => side === "offer");
  for (const slot of new Set(offers.map((offer) => offer.slot))) {
    const parts = offers
      .filter((offer) => offer.slot === slot)
      .map(({ energy, orderId }) => ({ energy, lock: { kind: "order" as const, id: orderId } }));
    const held = lockPromises(context, slot, parts);
    if (!held.ok) return held;
    consumed.push(...held.value.consumed);
    made.push(...held.value.made);
  }
  return ok<HeldPromises>({ consumed, made });
}

export async function draftCancelOrders(
  context: FlowContext,
  { orderIds }: ClientCommandOf<"cancel-orders">,
): Promise<Drafted> {
  const orders = context.vault
    .free("pool-order")
    .filter(
      ({ state }) =>
        (state.owner === context.party || state.marketplace === context.party) && orderIds.includes(state.orderId),
    );
  const [first] = orders;
  if (first === undefined || orders.length !== new Set(orderIds).size) return err({ tag: "order_unknown" });
  const { owner, marketplace } = first.state;
  if (orders.some(({ state }) => state.marketplace !== marketplace || state.owner !== owner))
    return err({ tag: "command_malformed" });
  // From the gate on nothing can be traded any more: the owner or the marketplace alone gives back what is left.
  const overMs = Math.max(...orders.map(({ state }) => gateMs(context, state.slot)));
  const areOver = context.nowMs >= overMs;
  if (!areOver && owner !== context.party) return err({ tag: "role_not_allowed" });
  const promises = promisesLockedBy(context, orders);
  context.vault.lock(
    [...orders, ...promises].map(({ ref }) => ref),
    context.flowId,
  );
  const freed = promises.map(({ state }): PowerPromise => ({ ...state, lock: null }));
  return withExposures(context, {
    consumed: [...orders, ...promises],
    cited: citations(context, [owner]),
    made: [
      ...freed,
      ...fundsFor(
        owner,
        orders.reduce((sum, { state }) => sum + state.locked, 0n),
      ),
    ],
    command: { tag: "cancel-orders", owner },
    window: { ...windowUntil(context, mandateUntilMs(context)), fromMs: areOver ? overMs : null },
    signers: areOver ? [context.signingKey] : [context.signingKey, marketplace],
  });
}

function promisesLockedBy(
  context: FlowContext,
  orders: readonly VaultState<"pool-order">[],
): readonly VaultState<"power-promise">[] {
  const offers = orders.filter(({ state }) => state.side === "offer");
  return offers.flatMap(({ state }) =>
    context.vault.named("power-promise", state.orderId).filter((promise) => promise.state.lock?.kind === "order"),
  );
}

/**
 * The party's free orders of a slot. Two of one id, which only two orders on their way at the same time can have, would make a
 * round of the whole pool impossible: they are left out, and given back by cancelling them.
 */
function clearableOrders(context: FlowContext, slot: PoolOrder["slot"]): readonly VaultState<"pool-order">[] {
  const orders = context.vault
    .free("pool-order")
    .filter(({ state }) => state.slot === slot && state.marketplace === context.party);
  const counts = new Map<string, number>();
  for (const { state } of orders) counts.set(state.orderId, (counts.get(state.orderId) ?? 0) + 1);
  return orders.filter(({ state }) => counts.get(state.orderId) === 1);
}

/** Clears a slot's pool: all orders that traded, and in the final round all that are left. Initiated by the marketplace. */
export async function draftClearPool(context: FlowContext, command: ClientCommandOf<"clear-pool">): Promise<Drafted> {
  const { slot, price, isFinal, trades } = command;
  const closesMs = gateMs(context, slot);
  // After the gate promises may have been freed already: nothing is traded, what is left is only given back.
  if (trades.length > 0 && closesMs <= context.nowMs) return err({ tag: "gate_closed", slot, gateMs: closesMs });
  const traded = new Set(trades.flatMap(({ bid, offer }) => [bid, offer]));
  const clearable = clearableOrders(context, slot);
  // A final round of many is given back in several transactions.
  const left = isFinal ? clearable.filter(({ state }) => !traded.has(state.orderId)).slice(0, CLEARED_PARTIES_MAX) : [];
  const taken = new Set([...traded, ...left.map(({ state }) => state.orderId)]);
  const orders = clearable.filter(({ state }) => taken.has(state.orderId));
  if (orders.length === 0) return err({ tag: "order_unknown" });
  const outcome = poolOutcome(
    orders.map(({ state }) => state),
    trades,
    isFinal,
  );
  if (!outcome.ok) return err({ tag: "contract_violated", clauses: [outcome.error] });
  const promises = promisesLockedBy(context, orders);
  context.vault.lock(
    [...orders, ...promises].map(({ ref }) => ref),
    context.flowId,
  );
  const { continuing, payouts, fees } = outcome.value;
  const verifiers = verifiersOf(context);
  const owners = orders.filter(({ state }) => traded.has(state.orderId)).map(({ state }) => state.owner);
  const made: State[] = [...continuing, ...movedPromises(orders, promises, command, continuing)];
  for (const [owner, amount] of [...payouts].sort(([left], [right]) => (left < right ? -1 : 1)))
    made.push(...fundsFor(owner, amount));
  const draft: Draft = {
    consumed: [...orders, ...promises],
    cited: [
      ...citations(context, [...owners, ...verifiers]),
      ...recordsFor(
        context,
        orders.map(({ state }) => state),
        trades,
        promises,
      ),
    ],
    made: [...made, ...fundsFor(context.party, fees)],
    command: { tag: "clear-pool", slot, price, isFinal, trades },
    window: windowUntil(context, ...(trades.length > 0 ? [closesMs] : [])),
    signers: [context.signingKey, ...verifiers],
  };
  return withExposures(context, draft, true);
}

/** Records of the agencies that certified what goes to bids with requirements. */
function recordsFor(
  context: FlowContext,
  orders: readonly PoolOrder[],
  trades: ClientCommandOf<"clear-pool">["trades"],
  promises: readonly VaultState<"power-promise">[],
): readonly VaultState<"agency-record">[] {
  const demanding = new Set(orders.filter(({ requires }) => requires !== null).map(({ orderId }) => orderId));
  const offers = new Set(trades.filter(({ bid }) => demanding.has(bid)).map(({ offer }) => offer));
  const agencies = promises
    .filter(({ state }) => offers.has(state.lock?.id ?? ""))
    .map(({ state }) => state.claims?.certifiedBy ?? null);
  return [...new Set(agencies)].flatMap((agency) => agencyRecordOf(context, agency) ?? []);
}

/** The promises of the offers after the trades: bought parts go to the buyers, the rest stays with its owner. */
function movedPromises(
  orders: readonly VaultState<"pool-order">[],
  promises: readonly VaultState<"power-promise">[],
  { trades }: ClientCommandOf<"clear-pool">,
  continuing: readonly PoolOrder[],
): readonly PowerPromise[] {
  const ownerOf = new Map(orders.map(({ state }) => [state.orderId, state.owner]));
  const goesOn = new Set(continuing.map(({ orderId }) => orderId));
  const moved: PowerPromise[] = [];
  for (const { state: offer } of orders) {
    if (offer.side !== "offer") continue;
    let parts: readonly PowerPromise[] = promises
      .filter(({ state }) => state.lock?.id === offer.orderId)
      .map(({ state }) => state);
    for (const trade of trades.filter((each) => each.offer === offer.orderId)) {
      const { taken, left } = takeEnergy(parts, trade.energy);
      moved.push(...taken.map((part) => ({ ...part, owner: ownerOf.get(trade.bid) ?? part.owner, lock: null })));
      parts = left;
    }
    moved.push(...parts.map((part) => (goesOn.has(offer.orderId) ? part : { ...part, lock: null })));
  }
  return moved;
}
