/** The English auction (paper section 3.4): create, bid, end, settle. */

import {
  type Auction,
  bidCost,
  type ClientCommandOf,
  type LedgerRefusal,
  type PowerPromise,
  type State,
  settlementPayments,
} from "#contracts";
import { err, type MicrosPerKwh, microsPerKwh, ok, type PublicKey, publicKey, wattHours } from "#core";
import {
  citations,
  type Drafted,
  type FlowContext,
  gateMs,
  mandateUntilMs,
  memberOf,
  network,
  verifiersOf,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
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
  };
  return ok({
    consumed: held.value.consumed,
    cited: citations(context, [context.party, marketplace]),
    made: [auction, ...held.value.made],
    command: { tag: "create-auction", auctionId },
    window: windowUntil(context, mandateUntilMs(context), deadlineMs),
    signers: [context.signingKey, ...verifiersOf(context)],
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
  return context.vault.all("auction").find(({ state }) => state.auctionId === auctionId);
}

export async function draftBid(context: FlowContext, { auctionId, price }: ClientCommandOf<"bid">): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  const refusal = bidRefusal(context, auction?.state, price);
  if (refusal !== undefined || auction === undefined) return err(refusal ?? { tag: "auction_unknown" });
  const locked = bidCost(auction.state, price);
  const payment = payFrom(context, locked);
  if (!payment.ok) return payment;
  const last =
    auction.state.highestBidder === null ? undefined : await lastBid(context, auction.state.highestBidder, auctionId);
  if (auction.state.highestBidder !== null && last === undefined) return err({ tag: "dependency_unknown" });
  const refund: readonly State[] = last === undefined ? [] : fundsFor(last.state.bidder, last.state.locked);
  return withExposures(context, {
    consumed: [auction, ...(last === undefined ? [] : [last]), ...payment.value.consumed],
    cited: citations(context, [context.party]),
    made: [
      { ...auction.state, highestBidder: context.party, highestPrice: price },
      { tag: "bid", auctionId, bidder: context.party, price, locked },
      ...refund,
      ...payment.value.change,
    ],
    command: { tag: "bid", auctionId, bidder: context.party },
    window: windowUntil(context, mandateUntilMs(context), auction.state.deadlineMs),
    signers: [context.signingKey, ...verifiersOf(context)],
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

/** The bid that is to be outbid: proved by its bidder's node. */
async function lastBid(
  context: FlowContext,
  bidder: PublicKey,
  auctionId: string,
): Promise<VaultState<"bid"> | undefined> {
  if (bidder === context.party) return context.vault.all("bid").find(({ state }) => state.auctionId === auctionId);
  const reply = await context.ask(bidder, { tag: "bid-of", auctionId });
  const known =
    reply.tag === "proved" && reply.dependencies[0] !== undefined ? context.learn(reply.dependencies[0]) : undefined;
  return known?.state.tag === "bid" ? (known as VaultState<"bid">) : undefined;
}

/** Ends an auction after its deadline: an auction without a bid frees its promises. */
export async function draftEndAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"end-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  if (auction === undefined || auction.state.status !== "active") return err({ tag: "auction_unknown" });
  const hasBid = auction.state.highestBidder !== null;
  const promises = hasBid ? [] : lockedPromises(context, auctionId);
  return ok({
    consumed: [auction, ...promises],
    cited: [context.parameters],
    made: hasBid
      ? [{ ...auction.state, status: "ended" }]
      : promises.map(({ state }): PowerPromise => ({ ...state, lock: null })),
    command: { tag: "end-auction", auctionId },
    window: { fromMs: auction.state.deadlineMs, untilMs: null },
    signers: [context.signingKey],
  });
}

function lockedPromises(context: FlowContext, auctionId: string): readonly VaultState<"power-promise">[] {
  return context.vault
    .all("power-promise")
    .filter(({ state }) => state.lock?.kind === "auction" && state.lock.id === auctionId);
}

/** Settles an ended auction: the winner pays its bid and becomes owner. Initiated by the winner. */
export async function draftSettleAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"settle-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  if (auction === undefined || auction.state.highestBidder !== context.party) return err({ tag: "auction_unknown" });
  const bid = context.vault.all("bid").find(({ state }) => state.auctionId === auctionId);
  const reply = await context.ask(auction.state.seller, { tag: "auctioned", auctionId });
  if (bid === undefined || reply.tag !== "proved") return err({ tag: "dependency_unknown" });
  const promises = reply.dependencies.map((dependency) => context.learn(dependency));
  if (!promises.every((promise) => promise !== undefined)) return err({ tag: "dependency_unknown" });
  const sold = promises.flatMap(({ state }) =>
    state.tag === "power-promise" ? [{ ...state, owner: context.party, lock: null }] : [],
  );
  const payments = [...settlementPayments(auction.state, bid.state)]
    .filter(([, amount]) => amount > 0n)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return withExposures(context, {
    consumed: [auction, bid, ...promises],
    cited: citations(context, [context.party]),
    made: [...sold, ...payments.flatMap(([owner, amount]) => fundsFor(publicKey(owner), amount))],
    command: { tag: "settle-auction", auctionId },
    window: windowUntil(context, gateMs(context, auction.state.slot), mandateUntilMs(context)),
    signers: [context.signingKey, auction.state.seller, network(context).gridAuthority, ...verifiersOf(context)],
  });
}

/** Gives a bid back whose auction was never settled before the gate. Initiated by the winner. */
export async function draftLapseAuction(
  context: FlowContext,
  { auctionId }: ClientCommandOf<"lapse-auction">,
): Promise<Drafted> {
  const auction = auctionOf(context, auctionId);
  const bid = context.vault.all("bid").find(({ state }) => state.auctionId === auctionId);
  if (auction === undefined || bid === undefined || bid.state.bidder !== context.party)
    return err({ tag: "auction_unknown" });
  return withExposures(context, {
    consumed: [auction, bid],
    cited: [context.parameters],
    made: fundsFor(context.party, bid.state.locked),
    command: { tag: "lapse-auction", auctionId },
    window: { fromMs: gateMs(context, auction.state.slot), untilMs: null },
    signers: [context.signingKey],
  });
}
