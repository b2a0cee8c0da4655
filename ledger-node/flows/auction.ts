/** The English auction (paper section 3.4): create, bid, end, settle. */

import {
  type Auction,
  type Bid,
  bidCost,
  type ClaimRequirement,
  type ClientCommandOf,
  commonClaimsOf,
  type LedgerRefusal,
  meetsRequirement,
  type PowerPromise,
  type ResolvedState,
  type State,
  settlementReceipts,
} from "#contracts";
import {
  compareText,
  err,
  type MicrosPerKwh,
  microsPerKwh,
  ok,
  type PublicKey,
  publicKey,
  type Result,
  sumEnergy,
  wattHours,
} from "#core";
import {
  agreementOf,
  citations,
  type Drafted,
  distinct,
  type FlowContext,
  gateMs,
  mandateEndMs,
  mandateUntilMs,
  memberOf,
  network,
  overdueMs,
  verifiersOf,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { agencyRecordOf } from "./certification.ts";
import { marginFor } from "./margin.ts";
import { sourcesFor } from "./member-position.ts";
import { fundsFor, payFrom } from "./money.ts";
import { holdingFree } from "./pool.ts";
import { withExposures } from "./positions.ts";
import { lockPromises } from "./promises-held.ts";

export async function draftCreateAuction(
  context: FlowContext,
  command: ClientCommandOf<"create-auction">,
): Promise<Drafted> {
  const { slot, energy, basePrice, deadlineMs, marketplace } = command;
  const host = memberOf(context, marketplace)?.state;
  if (host === undefined || !host.roles.includes("marketplace")) return err({ tag: "member_unknown" });
  const refusal = auctionRefusal(context, command);
  if (refusal !== undefined) return err(refusal);
  const auctionId = context.commandId;
  const verifiers = verifiersOf(context);
  const held = lockPromises(context, slot, [{ energy, lock: { kind: "auction", id: auctionId } }]);
  if (!held.ok) return held;
  const auction: Auction = {
    tag: "auction",
    auctionId,
    seller: context.party,
    marketplace,
    slot,
    energy,
    basePrice,
    marketFee: host.marketFee,
    deadlineMs,
    status: "active",
    highestPrice: null,
    highestBidder: null,
    claims: commonClaimsOf(held.value.made.filter(({ lock }) => lock !== null).map(({ claims }) => claims)),
  };
  return ok({
    consumed: held.value.consumed,
    cited: citations(context, [context.party, marketplace, ...verifiers]),
    made: [auction, ...held.value.made],
    command: { tag: "create-auction", auctionId },
    window: windowUntil(context, mandateUntilMs(context), deadlineMs),
    signers: [context.signingKey, ...verifiers],
  });
}

function auctionRefusal(
  context: FlowContext,
  { slot, energy, basePrice, deadlineMs }: ClientCommandOf<"create-auction">,
): LedgerRefusal | undefined {
  const { slotMinutes, priceMin, priceMax, promiseMax, gridAuthority } = network(context);
  if (memberOf(context, context.party)?.state.standing === "suspended") return { tag: "member_suspended" };
  if (context.party === gridAuthority) return { tag: "role_not_allowed" };
  // An auction is named by the command that made it; another's may have that name already.
  if (auctionOf(context, context.commandId) !== undefined) return { tag: "command_id_reused" };
  if (!slot.endsWith(`/PT${slotMinutes}M`)) return { tag: "slot_unknown" };
  if (gateMs(context, slot) <= context.nowMs) return { tag: "gate_closed", slot, gateMs: gateMs(context, slot) };
  if (deadlineMs <= context.nowMs || deadlineMs >= gateMs(context, slot)) return { tag: "deadline_out_of_range" };
  if (energy <= 0n) return { tag: "energy_out_of_range", asked: energy, min: wattHours(1n), max: promiseMax };
  return basePrice < priceMin || basePrice > priceMax ? { tag: "price_out_of_band" } : undefined;
}

function auctionOf(context: FlowContext, auctionId: string): VaultState<"auction"> | undefined {
  return context.vault.named("auction", auctionId)[0];
}

export async function draftBid(context: FlowContext, command: ClientCommandOf<"bid">): Promise<Drafted> {
  const { auctionId, price, requires = null } = command;
  const auction = auctionOf(context, auctionId);
  const record = agencyRecordOf(context, auction?.state.claims?.certifiedBy ?? null);
  const refusal = bidRefusal(context, auction?.state, price) ?? requirementRefusal(auction?.state, requires, record);
  if (refusal !== undefined || auction === undefined) return err(refusal ?? { tag: "auction_unknown" });
  const verifiers = verifiersOf(context);
  const last = await highestBid(context, auction.state);
  if (auction.state.highestBidder !== null && last === undefined) return err({ tag: "dependency_unknown" });
  const locked = bidCost(auction.state, price);
  const margin = marginFor(context, [auction.state]);
  const payment = payFrom(context, locked + margin.added, margin.added);
  if (!payment.ok) return payment;
  const refund: readonly State[] = last === undefined ? [] : fundsFor(last.state.bidder, last.state.locked);
  return withExposures(context, {
    consumed: [auction, ...(last === undefined ? [] : [last]), ...payment.value.consumed, ...margin.consumed],
    cited: [
      ...citations(context, [context.party, ...verifiers]),
      ...margin.cited,
      ...(requires === null || record === undefined ? [] : [record]),
    ],
    made: [
      { ...auction.state, highestBidder: context.party, highestPrice: price },
      { tag: "bid", auctionId, bidder: context.party, price, locked },
      ...refund,
      ...margin.made,
      ...payment.value.change,
    ],
    command: { tag: "bid", auctionId, bidder: context.party, requires },
    window: windowUntil(context, mandateUntilMs(context), auction.state.deadlineMs),
    signers: [context.signingKey, ...verifiers],
  });
}

function bidRefusal(
  context: FlowContext,
  auction: Auction | undefined,
  price: MicrosPerKwh,
): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  const { gridAuthority, bidRiseMin, priceMax } = network(context);
  if (member === undefined) return { tag: "member_unknown" };
  if (member.standing === "suspended") return { tag: "member_suspended" };
  if (context.party === gridAuthority) return { tag: "role_not_allowed" };
  if (price > priceMax) return { tag: "price_out_of_band" };
  if (auction === undefined) return { tag: "auction_unknown" };
  if (auction.seller === context.party) return { tag: "auction_own" };
  if (auction.status !== "active" || auction.deadlineMs <= context.nowMs) return { tag: "auction_ended" };
  if (price <= auction.basePrice) return { tag: "bid_below_base", base: auction.basePrice };
  if (auction.highestPrice !== null && price < auction.highestPrice + bidRiseMin) {
    return {
      tag: "bid_below_best",
      best: auction.highestPrice,
      leastNext: microsPerKwh(auction.highestPrice + bidRiseMin),
    };
  }
  if (auction.highestBidder === context.party) return { tag: "already_highest" };
  if (member.holdingCapPerSlot === null) return undefined;
  const free = holdingFree(context, auction.slot, member.holdingCapPerSlot);
  return auction.energy > free
    ? { tag: "holding_cap_exceeded", slot: auction.slot, asked: auction.energy, free }
    : undefined;
}

function requirementRefusal(
  auction: Auction | undefined,
  requires: ClaimRequirement | null,
  record: VaultState<"agency-record"> | undefined,
): LedgerRefusal | undefined {
  if (auction === undefined || requires === null) return undefined;
  const records = record === undefined ? [] : [record.state];
  return meetsRequirement(auction.claims, requires, records) ? undefined : { tag: "requirement_unmet" };
}

/** The highest bid of an auction, from the vault of its bidder or proved; undefined where nobody bid, or nobody proves it. */
async function highestBid(context: FlowContext, auction: Auction): Promise<VaultState<"bid"> | undefined> {
  const { auctionId, highestBidder, highestPrice } = auction;
  if (highestBidder === null) return undefined;
  const isIt = (known: ResolvedState | undefined): known is VaultState<"bid"> =>
    known?.state.tag === "bid" &&
    known.state.auctionId === auctionId &&
    known.state.bidder === highestBidder &&
    known.state.price === highestPrice;
  for (const source of sourcesFor(context, highestBidder)) {
    if (source === context.party) return context.vault.named("bid", auctionId).find((bid) => isIt(bid));
    const reply = await context.ask(source, { tag: "bid-of", auctionId });
    const bid = reply.tag === "proved" ? reply.dependencies.map((each) => context.learn(each)).find(isIt) : undefined;
    if (bid !== undefined) return bid;
  }
  return undefined;
}

/** What an auction is of, and, where an aggregator serves the seller, the mandate under which its delegate signs. */
type Offered = {
  readonly promises: readonly VaultState<"power-promise">[];
  readonly mandates: readonly VaultState<"mandate">[];
};

function isMandateOf(known: ResolvedState | undefined, principal: PublicKey): known is VaultState<"mandate"> {
  return known?.state.tag === "mandate" && known.state.principal === principal;
}

/** The promises that an auction locks, from the vault of who keeps them, or proved by `source`. */
async function promisesOf(
  context: FlowContext,
  auction: Auction,
  source: PublicKey,
): Promise<Result<Offered, LedgerRefusal>> {
  const isIts = (known: ResolvedState | undefined): known is VaultState<"power-promise"> =>
    known?.state.tag === "power-promise" &&
    known.state.owner === auction.seller &&
    known.state.lock?.kind === "auction" &&
    known.state.lock.id === auction.auctionId;
  if (source === context.party)
    return ok({ promises: context.vault.named("power-promise", auction.auctionId).filter(isIts), mandates: [] });
  const reply = await context.ask(source, { tag: "auctioned", auctionId: auction.auctionId });
  if (reply.tag !== "proved") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
  const learned = reply.dependencies.map((each) => context.learn(each));
  const promises = learned.filter(isIts);
  return sumEnergy(promises.map(({ state }) => state.energy)) === auction.energy
    ? ok({ promises, mandates: learned.filter((known) => isMandateOf(known, auction.seller)) })
    : err({ tag: "dependency_unknown" });
}

/**
 * Ends an auction after its deadline: an auction without a bid frees its promises. Initiated by the seller; by the marketplace
 * where the seller is silent.
 */
export async function draftEndAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"end-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  if (auction === undefined || auction.state.status !== "active") return err({ tag: "auction_unknown" });
  const { seller, highestBidder, deadlineMs } = auction.state;
  const hasBid = highestBidder !== null;
  const keeper = seller === context.party ? context.party : network(context).gridAuthority;
  const offered = hasBid ? undefined : await promisesOf(context, auction.state, keeper);
  if (offered?.ok === false) return offered;
  const promises = offered?.value.promises ?? [];
  return ok({
    consumed: [auction, ...promises],
    cited: citations(context, []),
    made: hasBid
      ? [{ ...auction.state, status: "ended" }]
      : promises.map(({ state }): PowerPromise => ({ ...state, lock: null })),
    command: { tag: "end-auction", auctionId },
    window: { fromMs: deadlineMs, untilMs: mandateEndMs(context) },
    signers: [context.signingKey],
  });
}

/** Settles an ended auction: the winner pays its bid and becomes owner. Initiated by the winner. */
export async function draftSettleAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"settle-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  if (auction === undefined || auction.state.highestBidder !== context.party) return err({ tag: "auction_unknown" });
  const { seller, marketplace, slot, status } = auction.state;
  const isEnded = status === "ended";
  // Who never ends its auction is waited for until the grace period is over.
  if (!isEnded && context.nowMs < overdueMs(context, auction.state)) return err({ tag: "auction_unknown" });
  const bid = await highestBid(context, auction.state);
  if (bid === undefined) return err({ tag: "dependency_unknown" });
  const consent = await consentOf(context, auction.state);
  if (!consent.ok) return consent;
  const { promises, mandates, isBySeller } = consent.value;
  const agreed = agreementOf(context, isBySeller ? seller : marketplace, "settle-auction", mandates);
  const sold = promises.map(({ state }): PowerPromise => ({ ...state, owner: context.party, lock: null }));
  const verifiers = verifiersOf(context);
  const window = windowUntil(
    context,
    gateMs(context, slot),
    mandateUntilMs(context),
    agreed.untilMs ?? Number.MAX_SAFE_INTEGER,
  );
  return withExposures(context, {
    consumed: [auction, bid, ...promises],
    cited: distinct([
      ...citations(context, [context.party, ...(isBySeller ? [] : [marketplace]), ...verifiers]),
      ...agreed.cited,
    ]),
    made: [...sold, ...proceedsOf(auction.state, bid.state)],
    command: { tag: "settle-auction", auctionId },
    window: isBySeller && isEnded ? window : { ...window, fromMs: overdueMs(context, auction.state) },
    signers: [context.signingKey, ...agreed.signers, network(context).gridAuthority, ...verifiers],
  });
}

/**
 * The promises of the auction, and who consents to their sale: the seller, or, if it has been silent for the grace period, the
 * marketplace, for the auction that the seller signed is its consent. The grid authority knows the promises too.
 */
async function consentOf(
  context: FlowContext,
  auction: Auction,
): Promise<Result<Offered & { readonly isBySeller: boolean }, LedgerRefusal>> {
  const isOverdue = context.nowMs >= overdueMs(context, auction);
  const offered = await promisesOf(context, auction, auction.seller);
  const isRefusing = isOverdue && context.avoid.has(auction.seller);
  if (offered.ok && !isRefusing) return ok({ ...offered.value, isBySeller: true });
  if (!offered.ok && !isOverdue) return offered;
  const witnessed = await promisesOf(context, auction, network(context).gridAuthority);
  return witnessed.ok ? ok({ ...witnessed.value, isBySeller: false }) : witnessed;
}

/** What the locked money goes to: one piece for each party, also where the seller is the marketplace. */
function proceedsOf(auction: Auction, bid: Bid): readonly State[] {
  return [...settlementReceipts(auction, bid)]
    .filter(([, amount]) => amount > 0n)
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([owner, amount]) => fundsFor(publicKey(owner), amount));
}

/** Gives a bid back whose auction was never settled before the gate. Initiated by the winner. */
export async function draftLapseAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"lapse-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  const bid = context.vault.named("bid", auctionId).find(({ state }) => state.bidder === context.party);
  // One that nobody bid in and nobody ended is cleared away by its seller or its marketplace.
  const isParty = auction?.state.seller === context.party || auction?.state.marketplace === context.party;
  const isWithoutBid = isParty && auction?.state.highestBidder === null;
  if (auction === undefined || (bid === undefined && !isWithoutBid)) return err({ tag: "auction_unknown" });
  return withExposures(context, {
    consumed: bid === undefined ? [auction] : [auction, bid],
    cited: citations(context, []),
    made: bid === undefined ? [] : fundsFor(context.party, bid.state.locked),
    command: { tag: "lapse-auction", auctionId },
    window: { fromMs: gateMs(context, auction.state.slot), untilMs: mandateEndMs(context) },
    signers: [context.signingKey],
  });
}
