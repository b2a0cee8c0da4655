/** Clauses of the English auction (paper section 3.4): only the owner auctions, bids rise, the highest bidder pays and becomes owner. */
import { costCeil, costFloor, micros, microsPerKwh, type PublicKey, sumEnergy } from "#core";
import { claimsText, commonClaimsOf, meetsRequirement } from "../claims.ts";
import type { Facts } from "../resolved.ts";
import type { Auction, Bid, PowerPromise } from "../states.ts";
import {
  type Changes,
  type Clause,
  citedMember,
  clause,
  isAuthorised,
  isBeforeGate,
  isMarketplace,
  isVerified,
  mayAct,
  moneyChanges,
  promisesConserved,
  sameChanges,
  Tally,
} from "./clause.ts";
import { exposureClauses } from "./exposure.ts";
import { buyersMarginClauses } from "./margin.ts";

function energyOf(auction: Auction | undefined): Changes {
  return new Tally().add(auction?.slot ?? "", auction?.energy ?? 0n).changes;
}

function isLockedBy(promise: PowerPromise, auctionId: string): boolean {
  return promise.lock?.kind === "auction" && promise.lock.id === auctionId;
}

/**
 * Whether the promises are exactly what the auction is of. Nothing stops two sellers from giving their auctions one id,
 * so owner and slot must agree too: otherwise one could sell what the other locked.
 */
function arePromisesOf(promises: readonly PowerPromise[], auction: Auction | undefined): boolean {
  return (
    auction !== undefined &&
    promises.every(
      (promise) =>
        isLockedBy(promise, auction.auctionId) && promise.owner === auction.seller && promise.slot === auction.slot,
    ) &&
    sumEnergy(promises.map(({ energy }) => energy)) === auction.energy
  );
}

/** Whether this is the bid that the auction names, with the funds that it had to lock. */
function isHighestBid(bid: Bid | undefined, auction: Auction): boolean {
  return (
    bid !== undefined &&
    bid.auctionId === auction.auctionId &&
    bid.bidder === auction.highestBidder &&
    bid.price === auction.highestPrice &&
    bid.locked === bidCost(auction, bid.price)
  );
}

export function createAuctionClauses(facts: Facts): readonly Clause[] {
  const { auctionId } = facts.commandOf("create-auction");
  const [auction] = facts.made("auction");
  const promises = facts.made("power-promise");
  const locked = promises.filter((promise) => isLockedBy(promise, auctionId));
  const marketplace = auction && citedMember(facts, auction.marketplace);
  return [
    clause("auction_one", () => facts.made("auction").length === 1 && auction?.auctionId === auctionId),
    clause(
      "auction_starts_without_bid",
      () => auction?.status === "active" && auction.highestBidder === null && auction.highestPrice === null,
    ),
    clause("auction_of_own_promises", () =>
      facts
        .consumed("power-promise")
        .every(({ owner, lock, delivered }) => owner === auction?.seller && lock === null && delivered === null),
    ),
    clause("auction_keeps_owner", () => promises.every(({ owner }) => owner === auction?.seller)),
    clause("auction_promises_conserved", () => promisesConserved(facts)),
    clause(
      "auction_locks_its_energy",
      () =>
        auction !== undefined &&
        auction.energy > 0n &&
        locked.every(({ slot }) => slot === auction.slot) &&
        sumEnergy(locked.map(({ energy }) => energy)) === auction.energy,
    ),
    clause(
      "auction_claims_of_its_promises",
      () =>
        auction !== undefined &&
        claimsText(auction.claims) === claimsText(commonClaimsOf(locked.map(({ claims }) => claims))),
    ),
    clause("auction_locks_nothing_else", () =>
      promises.every((promise) => promise.lock === null || isLockedBy(promise, auctionId)),
    ),
    clause("auction_not_by_grid_authority", () => auction?.seller !== facts.parameters.gridAuthority),
    clause("auction_seller_may_act", () => auction !== undefined && mayAct(facts, auction.seller)),
    clause("auction_on_a_marketplace", () => auction !== undefined && isMarketplace(facts, auction.marketplace)),
    clause("auction_fee_as_declared", () => marketplace !== undefined && auction?.marketFee === marketplace.marketFee),
    clause(
      "auction_price_in_band",
      () =>
        auction !== undefined &&
        auction.basePrice >= facts.parameters.priceMin &&
        auction.basePrice <= facts.parameters.priceMax,
    ),
    clause("auction_created_before_deadline", () => auction !== undefined && facts.isUntil(auction.deadlineMs)),
    clause("auction_ends_before_gate", () => auction !== undefined && auction.deadlineMs < facts.gateMs(auction.slot)),
    clause(
      "auction_authorised",
      () =>
        auction !== undefined &&
        isAuthorised(facts, auction.seller, { flow: "create-auction", energyBySlot: energyOf(auction) }),
    ),
    clause("auction_verified", () => isVerified(facts)),
  ];
}

export function bidClauses(facts: Facts): readonly Clause[] {
  const { auctionId, bidder, requires } = facts.commandOf("bid");
  const [before] = facts.consumed("auction");
  const [after] = facts.made("auction");
  const [bid] = facts.made("bid");
  return [
    clause(
      "bid_on_one_auction",
      () =>
        facts.consumed("auction").length === 1 && facts.made("auction").length === 1 && before?.auctionId === auctionId,
    ),
    clause("bid_on_active_auction", () => before?.status === "active"),
    clause("bid_changes_only_the_highest", () => onlyHighestChanges(before, after)),
    clause(
      "bid_one",
      () =>
        facts.made("bid").length === 1 &&
        bid?.auctionId === auctionId &&
        bid.bidder === bidder &&
        after?.highestBidder === bidder &&
        after.highestPrice === bid.price,
    ),
    clause("bid_frees_the_last_bid", () => takesHighestBid(facts, before)),
    clause("bid_refunds_in_one_piece", () => refundsInOnePiece(facts, before, bidder)),
    clause("bid_beats_base_price", () => before !== undefined && bid !== undefined && bid.price > before.basePrice),
    clause(
      "bid_beats_last_bid",
      () =>
        before !== undefined &&
        bid !== undefined &&
        (before.highestPrice === null || bid.price >= before.highestPrice + facts.parameters.bidRiseMin),
    ),
    clause(
      "bid_requirement_met",
      () =>
        requires === null ||
        (before !== undefined && meetsRequirement(before.claims, requires, facts.cited("agency-record"))),
    ),
    clause("bid_price_in_band", () => bid !== undefined && bid.price <= facts.parameters.priceMax),
    clause("bid_before_deadline", () => before !== undefined && facts.isUntil(before.deadlineMs)),
    clause("bid_not_by_seller", () => before?.seller !== bidder),
    clause("bid_not_by_grid_authority", () => bidder !== facts.parameters.gridAuthority),
    clause(
      "bid_locks_price_and_fee",
      () => before !== undefined && bid !== undefined && bid.locked === bidCost(before, bid.price),
    ),
    clause("bid_money_stays", () => moneyChanges(facts).size === 0),
    clause("bid_funds_of_the_bidder", () => facts.consumed("funds").every(({ owner }) => owner === bidder)),
    ...buyersMarginClauses(facts, "bid", bidder),
    clause("bidder_may_act", () => mayAct(facts, bidder)),
    clause("bid_authorised", () =>
      isAuthorised(facts, bidder, { flow: "bid", energyBySlot: energyOf(before), bidPrice: bid?.price }),
    ),
    clause("bid_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

/** What a bid at `price` must lock: price and fee on the whole energy, rounded up once. Never negative. */
export function bidCost(
  auction: Pick<Auction, "energy" | "marketFee">,
  price: Auction["basePrice"],
): ReturnType<typeof costCeil> {
  const cost = costCeil(auction.energy, microsPerKwh(price + auction.marketFee));
  return cost > 0n ? cost : micros(0n);
}

function onlyHighestChanges(before: Auction | undefined, after: Auction | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return staysBut(before, after, ["highestBidder", "highestPrice"]);
}

/** Whether nothing of an auction changes but the named fields. */
function staysBut(before: Auction, after: Auction, changing: readonly (keyof Auction)[]): boolean {
  return (Object.keys(before) as (keyof Auction)[]).every(
    (key) =>
      changing.includes(key) ||
      (key === "claims" ? claimsText(before.claims) === claimsText(after.claims) : before[key] === after[key]),
  );
}

/** The bids that are consumed: the highest of the auction, or none where nobody bid. */
function takesHighestBid(facts: Facts, auction: Auction | undefined): boolean {
  const bids = facts.consumed("bid");
  if (auction === undefined) return false;
  return auction.highestBidder === null ? bids.length === 0 : bids.length === 1 && isHighestBid(bids[0], auction);
}

/** Who is outbid does not choose how its money comes back: not in dust that it could never gather. */
function refundsInOnePiece(facts: Facts, before: Auction | undefined, bidder: PublicKey): boolean {
  const last = before?.highestBidder;
  return last === bidder || facts.made("funds").filter(({ owner }) => owner === last).length <= 1;
}

export function endAuctionClauses(facts: Facts): readonly Clause[] {
  const { auctionId } = facts.commandOf("end-auction");
  const [before] = facts.consumed("auction");
  const [after] = facts.made("auction");
  const hasBid = before?.highestBidder !== null;
  return [
    clause(
      "end_one_auction",
      () => facts.consumed("auction").length === 1 && before?.auctionId === auctionId && before.status === "active",
    ),
    clause("end_after_deadline", () => before !== undefined && facts.isFrom(before.deadlineMs)),
    clause("end_keeps_the_winner", () =>
      hasBid ? facts.made("auction").length === 1 && isEndOf(before, after) : facts.made("auction").length === 0,
    ),
    clause("end_frees_unsold_promises", () =>
      hasBid ? facts.consumed("power-promise").length === 0 : freesPromises(facts, before),
    ),
    clause("end_promises_conserved", () => promisesConserved(facts)),
    clause(
      "end_signed_by_seller_or_marketplace",
      () =>
        before !== undefined &&
        (facts.isSigner(before.marketplace) || isAuthorised(facts, before.seller, { flow: "create-auction" })),
    ),
  ];
}

function isEndOf(before: Auction | undefined, after: Auction | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return after.status === "ended" && staysBut(before, after, ["status"]);
}

function freesPromises(facts: Facts, auction: Auction | undefined): boolean {
  return (
    arePromisesOf(facts.consumed("power-promise"), auction) &&
    facts.made("power-promise").every(({ lock, owner }) => lock === null && owner === auction?.seller)
  );
}

/**
 * An auction that was not settled until its gate: the highest bidder has its money back. The promises stay locked, which no
 * longer matters, since nothing of the slot can be traded; the delivery check frees them.
 */
export function lapseAuctionClauses(facts: Facts): readonly Clause[] {
  const { auctionId } = facts.commandOf("lapse-auction");
  const [auction] = facts.consumed("auction");
  const parties = [auction?.seller, auction?.marketplace, auction?.highestBidder, facts.parameters.gridAuthority];
  return [
    clause("lapse_one_auction", () => facts.consumed("auction").length === 1 && auction?.auctionId === auctionId),
    clause("lapse_after_gate", () => auction !== undefined && facts.isFrom(facts.gateMs(auction.slot))),
    clause("lapse_returns_the_bid", () => takesHighestBid(facts, auction)),
    clause("lapse_money_stays", () => moneyChanges(facts).size === 0),
    clause("lapse_signed_by_a_party", () =>
      parties.some((party) => party != null && isAuthorised(facts, party, { flow: "bid" })),
    ),
    ...exposureClauses(facts),
  ];
}

export function settleAuctionClauses(facts: Facts): readonly Clause[] {
  const { auctionId } = facts.commandOf("settle-auction");
  const [auction] = facts.consumed("auction");
  const [bid] = facts.consumed("bid");
  const winner = auction?.highestBidder ?? null;
  return [
    clause("settle_one_auction", () => facts.consumed("auction").length === 1 && auction?.auctionId === auctionId),
    clause("settle_ended_auction", () => auction?.status === "ended" || isSellerOverdue(facts, auction)),
    clause("settle_the_highest_bid", () => bid !== undefined && takesHighestBid(facts, auction)),
    clause("settle_all_promises_of_the_auction", () => arePromisesOf(facts.consumed("power-promise"), auction)),
    clause("settle_owner_is_highest_bidder", () =>
      facts.made("power-promise").every(({ owner, lock }) => owner === winner && lock === null),
    ),
    clause("settle_promises_conserved", () => promisesConserved(facts)),
    clause(
      "settle_pays_the_bid",
      () =>
        auction !== undefined &&
        bid !== undefined &&
        sameChanges(moneyChanges(facts), settlementPayments(auction, bid)),
    ),
    clause("settle_before_gate", () => auction !== undefined && isBeforeGate(facts, [auction.slot])),
    clause(
      "settle_signed_by_winner",
      () => winner !== null && isAuthorised(facts, winner, { flow: "settle-auction", energyBySlot: energyOf(auction) }),
    ),
    clause("settle_signed_by_former_owner", () => hasFormerOwnersConsent(facts, auction)),
    clause("settle_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    clause("settle_winner_may_act", () => winner !== null && mayAct(facts, winner)),
    clause("settle_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

/** Whether the seller has surely been waited for: to end its auction, and to sign its settlement. */
function isSellerOverdue(facts: Facts, auction: Auction | undefined): boolean {
  return auction !== undefined && facts.isFrom(auction.deadlineMs + facts.parameters.settlementGraceMs);
}

/** The seller signs. If it is silent, the auction that it signed is its consent, and the marketplace of the auction signs. */
function hasFormerOwnersConsent(facts: Facts, auction: Auction | undefined): boolean {
  if (auction === undefined) return false;
  if (isAuthorised(facts, auction.seller, { flow: "settle-auction", energyBySlot: energyOf(auction) })) return true;
  const { marketplace } = auction;
  return isSellerOverdue(facts, auction) && facts.isSigner(marketplace) && isMarketplace(facts, marketplace);
}

/** The winner pays what it locked: whose money becomes how much more or less. */
export function settlementPayments(auction: AuctionParties, bid: LockedBid & { readonly bidder: PublicKey }): Changes {
  const tally = new Tally().add(bid.bidder, -bid.locked);
  for (const [owner, amount] of settlementReceipts(auction, bid)) tally.add(owner, amount);
  return tally.changes;
}

type AuctionParties = Pick<Auction, "energy" | "seller" | "marketplace">;
type LockedBid = { readonly price: Auction["basePrice"]; readonly locked: bigint };

/** Who gets what was locked: the seller the price, rounded down; the marketplace the rest, its fee. One may be both. */
export function settlementReceipts({ energy, seller, marketplace }: AuctionParties, bid: LockedBid): Changes {
  const toSeller = bid.price > 0n ? costFloor(energy, bid.price) : micros(0n);
  return new Tally().add(seller, toSeller).add(marketplace, bid.locked - toSeller).changes;
}
