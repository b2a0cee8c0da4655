/** What a member holds, owes and waits for, read from its node in one go: the agent's reconciliation with the ledger. */

import {
  type AgencyRecord,
  type Auction,
  chooseCovers,
  type Exposure,
  type ExposureEntry,
  isCoverable,
  isCovering,
  type Mandate,
  type Margin,
  type Member,
  type PoolOrder,
  type PowerPromise,
} from "#contracts";
import {
  type LocalDay,
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
  readonly exposures: readonly Exposure[];
  readonly margins: readonly Margin[];
  readonly agencies: readonly AgencyRecord[];
};

export async function readPortfolio(client: LedgerClient): Promise<Portfolio> {
  const { party } = client;
  const [funds, promises, orders, auctions, mandates, members, exposures, margins, agencies] = await Promise.all([
    client.states("funds"),
    client.states("power-promise"),
    client.states("pool-order"),
    client.states("auction"),
    client.states("mandate"),
    client.states("member"),
    client.states("exposure"),
    client.states("margin"),
    client.states("agency-record"),
  ]);
  return {
    party,
    funds: micros(funds.reduce((sum, { state }) => sum + (state.owner === party ? state.amount : 0n), 0n)),
    promises: promises.map(({ state }) => state),
    orders: orders.filter(({ state }) => state.owner === party).map(({ state }) => state),
    auctions: auctions.map(({ state }) => state),
    mandates: mandates.map(({ state }) => state),
    members: new Map(members.map(({ state }) => [state.key, state])),
    exposures: exposures.filter(({ state }) => state.member === party).map(({ state }) => state),
    margins: margins.filter(({ state }) => state.owner === party).map(({ state }) => state),
    agencies: agencies.map(({ state }) => state),
  };
}

const NOTHING: Position = {
  promised: NO_ENERGY,
  held: NO_ENERGY,
  bought: NO_ENERGY,
  offered: NO_ENERGY,
  bidding: NO_ENERGY,
  sold: NO_ENERGY,
  coverable: NO_ENERGY,
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
  const sold = sum(promises.filter((promise) => isCoverable(promise, party)));
  return {
    promised: sum(promises.filter(({ supplier }) => supplier === party)),
    held: sum(own.filter(({ lock }) => lock === null)),
    bought: sum(own.filter(({ supplier }) => supplier !== party)),
    offered: sum(own.filter(({ lock }) => lock !== null)),
    bidding: wattHours(sum(orders) + sum(auctions)),
    sold,
    coverable: coverableIn(party, slotId, sold, promises),
  };
}

/** What the member's node would cover if it were asked to cover all that is sold. */
function coverableIn(party: PublicKey, slotId: SlotId, sold: WattHours, promises: readonly PowerPromise[]): WattHours {
  if (sold === 0n || !promises.some((promise) => isCovering(promise, party))) return NO_ENERGY;
  return chooseCovers(
    party,
    slotId,
    sold,
    promises.map((state) => ({ state })),
  ).energy;
}

/** What the ledger counts of the member on a day, by slot. */
export function entriesIn({ exposures }: Portfolio, day: LocalDay): readonly ExposureEntry[] {
  return exposures.find((exposure) => exposure.day === day)?.entries ?? [];
}

/** What is locked as the member's margin of a day: of several the largest answers, as one alone must. */
export function marginIn({ margins }: Portfolio, day: LocalDay): bigint {
  return margins.reduce((most, margin) => (margin.day === day && margin.amount > most ? margin.amount : most), 0n);
}

/** What the ledger counts of the member's day: a mandate's limit is on this. */
export function dayTotalsIn(portfolio: Portfolio, day: LocalDay): { promised: bigint; buying: bigint } {
  const entries = entriesIn(portfolio, day);
  return {
    promised: entries.reduce((sum, { promised }) => sum + promised, 0n),
    buying: entries.reduce((sum, { bought, bidding }) => sum + bought + bidding, 0n),
  };
}

export function openAuctionsIn(portfolio: Portfolio): readonly OpenAuction[] {
  return portfolio.auctions
    .filter(({ status }) => status === "active")
    .map((auction) => asOpenAuction(portfolio, auction));
}

export function asOpenAuction(
  { party, members, agencies }: Pick<Portfolio, "party" | "members" | "agencies">,
  auction: Auction,
): OpenAuction {
  const certified = certifiedOf(auction, agencies);
  return {
    ...(certified === undefined ? {} : { certified }),
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

function certifiedOf({ claims }: Auction, agencies: readonly AgencyRecord[]): OpenAuction["certified"] {
  const record = agencies.find(({ agency }) => agency === claims?.certifiedBy);
  if (claims === null || record === undefined) return undefined;
  const { source, renewable, origin, gramsCo2PerKwh } = claims;
  const { certified, contradicted } = record;
  const contradictedPerMille = certified === 0n ? 0 : Number((contradicted * 1_000n + certified - 1n) / certified);
  return { source, renewable, origin, gramsCo2PerKwh, contradictedPerMille };
}
