/** What a ledger event means to one member: trades and deliveries. */

import type { NodeEvent, PoolOrder, PowerPromise, State, StateOf, StateTag } from "#contracts";
import { costCeil, micros, type PublicKey, type SlotId, sumEnergy, type WattHours, wattHours } from "#core";
import type { DeliveryEvent, TradeEvent } from "#strategies";

function of<T extends StateTag>(states: readonly State[], tag: T): readonly StateOf<T>[] {
  return states.filter((state): state is StateOf<T> => state.tag === tag);
}

function ownEnergy(promises: readonly PowerPromise[], party: PublicKey): bigint {
  return sumEnergy(promises.filter(({ owner }) => owner === party).map(({ energy }) => energy));
}

/** Trades of the member in one transaction: a pool round or a settled auction changes how much energy it owns. */
export function tradesIn(event: NodeEvent, party: PublicKey): readonly TradeEvent[] {
  const auctions = of(event.consumed, "auction").filter(() => event.command?.tag === "settle-auction");
  const orders = of(event.consumed, "pool-order").filter(
    ({ owner }) => owner === party && event.command?.tag !== "cancel-orders",
  );
  const [auction] = auctions;
  if (auction?.highestPrice !== undefined && auction.highestPrice !== null) {
    const side = auction.highestBidder === party ? "bought" : auction.seller === party ? "sold" : undefined;
    const amount = micros((auction.energy * auction.highestPrice) / 1_000n);
    return side === undefined ? [] : [{ slotId: auction.slot, side, energy: auction.energy, amount, via: "auction" }];
  }
  const [order] = orders;
  return order === undefined ? [] : poolTrade(event, party, orders, order.slot);
}

function poolTrade(
  event: NodeEvent,
  party: PublicKey,
  orders: readonly PoolOrder[],
  slotId: SlotId,
): readonly TradeEvent[] {
  const change =
    ownEnergy(of(event.made, "power-promise"), party) - ownEnergy(of(event.consumed, "power-promise"), party);
  if (change === 0n) return [];
  const locked = (states: readonly PoolOrder[]): bigint =>
    states.reduce((sum, order) => sum + (order.owner === party ? order.locked : 0n), 0n);
  const paidOut = of(event.made, "funds").reduce((sum, { owner, amount }) => sum + (owner === party ? amount : 0n), 0n);
  const net = paidOut + locked(of(event.made, "pool-order")) - locked(orders);
  const energy: WattHours = wattHours(change > 0n ? change : -change);
  if (change < 0n) return [{ slotId, side: "sold", energy, amount: micros(net), via: "pool" }];
  const [{ marketFee }] = orders as readonly [PoolOrder];
  return [{ slotId, side: "bought", energy, amount: micros(-net - costCeil(energy, marketFee)), via: "pool" }];
}

/** Deliveries of the member's promises that were checked in the transaction. */
export function deliveriesIn(event: NodeEvent, party: PublicKey): readonly DeliveryEvent[] {
  return of(event.made, "delivery-record")
    .filter(({ supplier }) => supplier === party)
    .map(({ slot, promised, delivered, depositLost }) => ({ slotId: slot, promised, delivered, depositLost }));
}
