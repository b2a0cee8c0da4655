/** What a member holds, owes and waits for, read from its node in one go: the agent's reconciliation with the ledger. */

import type { Auction, Mandate, Member, PoolOrder, PowerPromise } from "#contracts";
import {
  type Micros,
  micros,
  NO_ENERGY,
  type PublicKey,
  type SlotId,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import type { LedgerClient } from "#ledger-client";
import type { OpenAuction, Position } from "#strategies";

/** A member's states at one instant. */
export type Portfolio = {
  readonly party: PublicKey;
  readonly funds: Micros;
  readonly promises: readonly PowerPromise[];
  readonly orders: readonly PoolOrder[];
  readonly auctions: readonly Auction[];
  readonly mandates: readonly Mandate[];
  readonly members: ReadonlyMap<PublicKey, Member>;
};

export async function readPortfolio(client: LedgerClient): Promise<Portfolio> {
  const { party } = client;
  const [funds, promises, orders, auctions, mandates, members] = await Promise.all([
    client.states("funds"),
    client.states("power-promise"),
    client.states("pool-order"),
    client.states("auction"),
    client.states("mandate"),
    client.states("member"),
  ]);
  return {
    party,
    funds: micros(funds.reduce((sum, { state }) => sum + (state.owner === party ? state.amount : 0n), 0n)),
    promises: promises.map(({ state }) => state),
    orders: orders.filter(({ state }) => state.owner === party).map(({ state }) => state),
    auctions: auctions.map(({ state }) => state),
    mandates: mandates.map(({ state }) => state),
    members: new Map(members.map(({ state }) => [state.key, state])),
  };
}

const NOTHING: Position = {
  promised: NO_ENERGY,
  held: NO_ENERGY,
  bought: NO_ENERGY,
  offered: NO_ENERGY,
  bidding: NO_ENERGY,
};

export function positionIn(portfolio: Portfolio, slotId: SlotId): Position {
  const { party } = portfolio;
  const promises = portfolio.promises.filter(({ slot, delivered }) => slot === slotId && delivered === null);
  const orders = portfolio.orders.filter(({ slot, side }) => slot === slotId && side === "bid");
  const auctions = portfolio.auctions.filter(({ slot, highestBidder }) => slot === slotId && highestBidder === party);
  if (promises.length + orders.length + auctions.length === 0) return NOTHING;
  const sum = (states: readonly { readonly energy: WattHours }[]): WattHours =>
    sumEnergy(states.map(({ energy }) => energy));
  const own = promises.filter(({ owner }) => owner === party);
  return {
    promised: sum(promises.filter(({ supplier }) => supplier === party)),
    held: sum(own.filter(({ lock }) => lock === null)),
    bought: sum(own.filter(({ supplier }) => supplier !== party)),
    offered: sum(own.filter(({ lock }) => lock !== null)),
    bidding: wattHours(sum(orders) + sum(auctions)),
  };
}

export function openAuctionsIn(portfolio: Portfolio): readonly OpenAuction[] {
  return portfolio.auctions
    .filter(({ status }) => status === "active")
    .map((auction) => asOpenAuction(portfolio, auction));
}

export function asOpenAuction({ party, members }: Pick<Portfolio, "party" | "members">, auction: Auction): OpenAuction {
  return {
    auctionId: auction.auctionId,
    slotId: auction.slot,
    energy: auction.energy,
    seller: members.get(auction.seller)?.name ?? auction.seller,
    isOwn: auction.seller === party,
    basePrice: auction.basePrice,
    highestPrice: auction.highestPrice ?? undefined,
    isHighestBidder: auction.highestBidder === party,
    deadlineMs: auction.deadlineMs,
  };
}
