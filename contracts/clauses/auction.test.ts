/** Clauses of the English auction: each fails alone. And what a seller, a bidder or a stranger would try. */
import { describe, expect, test } from "vitest";
import { bidCost, type Claims, settlementPayments } from "#contracts";
import { micros, microsPerKwh, type SlotId, wattHours } from "#core";
import {
  agencyRecord,
  auction,
  bid,
  CERTIFIED_SOLAR,
  DEADLINE_MS,
  type Draft,
  endAuctionWithoutBid,
  exposure,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  member,
  NEXT_SLOT,
  PARAMETERS,
  promise,
  RENEWABLE,
  SOLAR,
  settleAuctionWithoutSeller,
  VALID,
  type Verdict,
} from "#testkit";

function rule(name: string, judge: () => Verdict): void {
  test(name, () => {
    judge();
  });
}

const IN_AUCTION = { lock: { kind: "auction", id: "auction" } } as const;

describe("create auction", () => {
  const create = VALID["create-auction"];
  rule("verifies", () => create().verifies());
  rule("makes one auction", () => create().makes("second", auction()).failsWith("auction_one"));
  rule("makes the auction that the command names", () =>
    create().change("auction", { auctionId: "other" }).failsWith("auction_one"),
  );
  rule("starts active", () => create().change("auction", { status: "ended" }).failsWith("auction_starts_without_bid"));
  rule("starts without a bid of the seller's choosing", () =>
    create()
      .change("auction", { highestPrice: microsPerKwh(150_000) })
      .failsWith("auction_starts_without_bid"),
  );
  rule("takes promises of the seller alone", () =>
    create()
      .replace("promise", promise("alice", 2_000, { owner: keyOf("bob") }))
      .failsWith("auction_of_own_promises"),
  );
  rule("takes no promise that is locked", () =>
    create()
      .change("promise", { lock: { kind: "order", id: "offer of alice" } })
      .failsWith("auction_of_own_promises"),
  );
  rule("takes no promise whose delivery was checked", () =>
    create()
      .change("promise", { delivered: wattHours(1) })
      .change("auctioned", { delivered: wattHours(1) })
      .change("rest", { delivered: wattHours(1) })
      .failsWith("auction_of_own_promises"),
  );
  rule("gives no promise away", () =>
    create()
      .change("rest", { owner: keyOf("mallory") })
      .failsWith("auction_keeps_owner"),
  );
  rule("keeps the energy of the promise", () =>
    create()
      .change("rest", { energy: wattHours(501) })
      .failsWith("auction_promises_conserved"),
  );
  rule("keeps the supplier of the promise", () =>
    create()
      .change("rest", { supplier: keyOf("bob") })
      .failsWith("auction_promises_conserved"),
  );
  rule("keeps the slot of the promise", () =>
    create().change("rest", { slot: NEXT_SLOT }).failsWith("auction_promises_conserved"),
  );
  rule("locks the energy that it announces", () =>
    create()
      .change("auction", { energy: wattHours(1_501) })
      .failsWith("auction_locks_its_energy"),
  );
  rule("announces some energy", () =>
    create()
      .change("auction", { energy: wattHours(0) })
      .change("auctioned", { lock: null })
      .failsWith("auction_locks_its_energy"),
  );
  rule("locks energy of its slot", () =>
    create().change("auction", { slot: NEXT_SLOT }).failsWith("auction_locks_its_energy"),
  );
  rule("announces what all its promises claim", () => {
    create()
      .change("promise", { claims: CERTIFIED_SOLAR })
      .change("rest", { claims: CERTIFIED_SOLAR })
      .change("auctioned", { claims: CERTIFIED_SOLAR })
      .change("auction", { claims: CERTIFIED_SOLAR })
      .verifies();
    return create().change("auction", { claims: CERTIFIED_SOLAR }).failsWith("auction_claims_of_its_promises");
  });
  rule("announces of a mixture what holds for each part", () => {
    const weaker = { ...CERTIFIED_SOLAR, gramsCo2PerKwh: 90, origin: "feeder 4" };
    const mixed = (claims: Claims): Draft =>
      create()
        .replace("promise", promise("alice", 1_000, { claims: CERTIFIED_SOLAR }))
        .consumes("other", promise("alice", 1_000, { promiseId: "other", claims: weaker }))
        .change("auctioned", { energy: wattHours(1_000), claims: CERTIFIED_SOLAR })
        .makes("other auctioned", promise("alice", 500, { promiseId: "other", claims: weaker, ...IN_AUCTION }))
        .replace("rest", promise("alice", 500, { promiseId: "other", claims: weaker }))
        .change("auction", { claims });
    mixed({ ...CERTIFIED_SOLAR, gramsCo2PerKwh: 90, origin: null }).verifies();
    return mixed(CERTIFIED_SOLAR).failsWith("auction_claims_of_its_promises");
  });
  rule("locks nothing for something else", () =>
    create()
      .change("rest", { lock: { kind: "order", id: "auction" } })
      .failsWith("auction_locks_nothing_else"),
  );
  rule("is not by the grid authority", () =>
    create()
      .replace("promise", promise("alice", 2_000, { owner: keyOf("grid authority") }))
      .change("auction", { seller: keyOf("grid authority") })
      .change("auctioned", { owner: keyOf("grid authority") })
      .change("rest", { owner: keyOf("grid authority") })
      .replace("alice", member("grid authority"))
      .signedBy("grid authority")
      .failsWith("auction_not_by_grid_authority"),
  );
  rule("is of a member who is not suspended", () =>
    create().change("alice", { standing: "suspended" }).failsWith("auction_seller_may_act"),
  );
  rule("runs on a marketplace", () =>
    create()
      .change("marketplace", { roles: ["aggregator"] })
      .failsWith("auction_on_a_marketplace"),
  );
  rule("has the fee that the marketplace declares", () =>
    create()
      .change("auction", { marketFee: microsPerKwh(0) })
      .failsWith("auction_fee_as_declared"),
  );
  rule("has a base price in the band", () => {
    create()
      .change("auction", { basePrice: microsPerKwh(1_000_000) })
      .verifies();
    create()
      .change("auction", { basePrice: microsPerKwh(-500_000) })
      .verifies();
    create()
      .change("auction", { basePrice: microsPerKwh(-500_001) })
      .failsWith("auction_price_in_band");
    return create()
      .change("auction", { basePrice: microsPerKwh(1_000_001) })
      .failsWith("auction_price_in_band");
  });
  rule("is created before its deadline", () =>
    create()
      .until(DEADLINE_MS + 1)
      .failsWith("auction_created_before_deadline"),
  );
  rule("ends before the gate", () => {
    create()
      .change("auction", { deadlineMs: GATE_MS - 1 })
      .verifies();
    return create().change("auction", { deadlineMs: GATE_MS }).failsWith("auction_ends_before_gate");
  });
  rule("is authorised by the seller", () => create().notSignedBy("alice").failsWith("auction_authorised"));
  rule("may be created under a mandate, within its limit", () => {
    const delegated = (): Draft =>
      create().notSignedBy("alice").signedBy("agent").cites("mandate", mandate("alice", "agent"));
    delegated()
      .change("mandate", { energyPerSlotMax: wattHours(1_500) })
      .verifies();
    return delegated()
      .change("mandate", { energyPerSlotMax: wattHours(1_499) })
      .failsWith("auction_authorised");
  });
  rule("is signed by the verifiers", () => create().notSignedBy("verifier").failsWith("auction_verified"));
});

describe("bid", () => {
  const place = VALID.bid;
  /** The first bid, by carol: no last one to give back. */
  const first = (): Draft =>
    place().replace("auction", auction()).without("last bid", "refund", "exposure of bob", "exposure of bob after");
  /** Carol's bid at another price. */
  const at = (draft: Draft, price: number): Draft => {
    const locked = Math.ceil((1_500 * (price + 5_000)) / 1_000);
    return draft
      .change("auction after", { highestPrice: microsPerKwh(price) })
      .replace("bid", bid("carol", price, locked))
      .replace("change", funds("carol", 1_000_000 - locked));
  };
  /** The same bid by another bidder. */
  const by = (name: string): Draft =>
    place()
      .changeCommand({ bidder: keyOf(name) })
      .change("auction after", { highestBidder: keyOf(name) })
      .change("bid", { bidder: keyOf(name) })
      .change("funds", { owner: keyOf(name) })
      .change("change", { owner: keyOf(name) })
      .replace("carol", member(name))
      .replace("exposure of carol", exposure(name, { bought: 100 }))
      .replace("exposure of carol after", exposure(name, { bought: 100, bidding: 1_500 }))
      .signedBy(name);

  rule("verifies, as the first and over another", () => {
    first().verifies();
    by("dave").verifies();
    return place().verifies();
  });
  rule("is on one auction", () =>
    place().changeCommand({ auctionId: "other" }).change("bid", { auctionId: "other" }).failsWith("bid_on_one_auction"),
  );
  rule("is on an active auction", () =>
    place()
      .change("auction", { status: "ended" })
      .change("auction after", { status: "ended" })
      .failsWith("bid_on_active_auction"),
  );
  test.each([
    ["seller", { seller: keyOf("mallory") }],
    ["marketplace", { marketplace: keyOf("mallory") }],
    ["base price", { basePrice: microsPerKwh(0) }],
    ["fee", { marketFee: microsPerKwh(0) }],
    ["deadline", { deadlineMs: DEADLINE_MS + 1 }],
    ["status", { status: "ended" as const }],
    ["id", { auctionId: "other" }],
  ])("changes nothing but the highest bid: not the %s", (_what, patch) => {
    place().change("auction after", patch).failsWith("bid_changes_only_the_highest");
  });
  rule("does not change the claims, and takes them for the same however they are held", () => {
    const announced = (after: Claims): Draft =>
      place()
        .change("auction", { claims: CERTIFIED_SOLAR })
        .change("auction after", { claims: { ...after } });
    announced(CERTIFIED_SOLAR).verifies();
    return announced({ ...CERTIFIED_SOLAR, gramsCo2PerKwh: 0 }).failsWith("bid_changes_only_the_highest");
  });
  rule("has what it requires", () => {
    const requiring = (claims: Claims | null, contradicted: number): Draft =>
      place()
        .changeCommand({ requires: RENEWABLE })
        .change("auction", { claims })
        .change("auction after", { claims })
        .cites("record", agencyRecord(10_000, contradicted));
    requiring(CERTIFIED_SOLAR, 0).verifies();
    requiring(SOLAR, 0).failsWith("bid_requirement_met");
    requiring(null, 0).failsWith("bid_requirement_met");
    requiring(CERTIFIED_SOLAR, 0).without("record").failsWith("bid_requirement_met");
    return requiring(CERTIFIED_SOLAR, 1).failsWith("bid_requirement_met");
  });
  rule("does not change the energy", () =>
    place()
      .change("auction after", { energy: wattHours(1_400) })
      .replace("exposure of carol after", exposure("carol", { bought: 100, bidding: 1_400 }))
      .failsWith("bid_changes_only_the_highest"),
  );
  rule("is written into the auction", () =>
    place()
      .change("auction after", { highestPrice: microsPerKwh(250_000) })
      .failsWith("bid_one"),
  );
  rule("is for this auction", () => place().change("bid", { auctionId: "other" }).failsWith("bid_one"));
  rule("frees the last bid", () => place().without("last bid", "refund").failsWith("bid_frees_the_last_bid"));
  rule("frees the bid of the last bidder, not some other's", () =>
    place()
      .replace("last bid", bid("dave", 150_000, 232_500))
      .replace("refund", funds("dave", 232_500))
      .failsWith("bid_frees_the_last_bid"),
  );
  rule("frees a bid of this auction", () =>
    place().change("last bid", { auctionId: "other" }).failsWith("bid_frees_the_last_bid"),
  );
  rule("frees the bid with what the auction says it locked: auctions of one name cannot swap bids", () =>
    place()
      .change("last bid", { locked: micros(1) })
      .change("refund", { amount: micros(1) })
      .failsWith("bid_frees_the_last_bid"),
  );
  rule("frees the bid with the price that the auction says", () =>
    place()
      .change("last bid", { price: microsPerKwh(149_000) })
      .failsWith("bid_frees_the_last_bid"),
  );
  rule("gives the last bidder its money back: all of it", () =>
    place()
      .change("refund", { amount: micros(232_499) })
      .makes("tip", funds("mallory", 1))
      .failsWith("bid_money_stays"),
  );
  rule("gives it back in one piece: nobody's money is ground to dust", () =>
    place()
      .change("refund", { amount: micros(232_499) })
      .makes("dust", funds("bob", 1))
      .failsWith("bid_refunds_in_one_piece"),
  );
  rule("beats the base price", () => {
    at(first(), 100_001).verifies();
    return at(first(), 100_000).failsWith("bid_beats_base_price");
  });
  rule("rises over the last by the least rise", () => {
    at(place(), 151_000).verifies();
    return at(place(), 150_999).failsWith("bid_beats_last_bid");
  });
  rule("may rise over one's own", () =>
    place()
      .change("auction", { highestBidder: keyOf("carol") })
      .change("last bid", { bidder: keyOf("carol") })
      .change("refund", { owner: keyOf("carol") })
      .without("exposure of bob", "exposure of bob after", "exposure of carol", "exposure of carol after")
      .verifies(),
  );
  rule("stays in the band", () => {
    const rich = (): Draft => place().replace("funds", funds("carol", 2_000_000));
    at(rich(), 1_000_000).replace("change", funds("carol", 492_500)).verifies();
    return at(rich(), 1_000_001).replace("change", funds("carol", 492_498)).failsWith("bid_price_in_band");
  });
  rule("is before the deadline", () =>
    place()
      .until(DEADLINE_MS + 1)
      .failsWith("bid_before_deadline"),
  );
  rule("is not by the seller", () => by("alice").failsWith("bid_not_by_seller"));
  rule("is not by the grid authority", () => by("grid authority").failsWith("bid_not_by_grid_authority"));
  rule("locks price and fee", () =>
    place()
      .change("bid", { locked: micros(307_499) })
      .change("change", { amount: micros(692_501) })
      .failsWith("bid_locks_price_and_fee"),
  );
  rule("locks no more either", () =>
    place()
      .change("bid", { locked: micros(307_501) })
      .change("change", { amount: micros(692_499) })
      .failsWith("bid_locks_price_and_fee"),
  );
  rule("is paid with the bidder's own funds", () =>
    place()
      .consumes("of dave", funds("dave", 9))
      .makes("of dave again", funds("dave", 9))
      .failsWith("bid_funds_of_the_bidder"),
  );
  rule("is not paid with another's funds", () =>
    place()
      .change("funds", { owner: keyOf("dave") })
      .change("change", { owner: keyOf("dave") })
      .failsWithAll("bid_money_stays", "bid_funds_of_the_bidder"),
  );
  rule("is of a member who is not suspended", () =>
    place().change("carol", { standing: "suspended" }).failsWith("bidder_may_act"),
  );
  rule("is authorised by the bidder", () => place().notSignedBy("carol").failsWith("bid_authorised"));
  rule("may be made under a mandate, within its limit", () => {
    const delegated = (): Draft =>
      place().notSignedBy("carol").signedBy("agent").cites("mandate", mandate("carol", "agent"));
    delegated()
      .change("mandate", { energyPerSlotMax: wattHours(1_600) })
      .verifies();
    return delegated()
      .change("mandate", { energyPerSlotMax: wattHours(1_599) })
      .failsWith("bid_authorised"); // 100 are held already.
  });
  rule("is signed by the verifiers", () => place().notSignedBy("verifier").failsWith("bid_verified"));
});

describe("end auction", () => {
  const end = VALID["end-auction"];
  rule("verifies, with a bid and without", () => {
    endAuctionWithoutBid().verifies();
    return end().verifies();
  });
  rule("ends the auction that the command names", () =>
    end().changeCommand({ auctionId: "other" }).failsWith("end_one_auction"),
  );
  rule("ends it once", () => end().change("auction", { status: "ended" }).failsWith("end_one_auction"));
  rule("waits for the deadline", () =>
    end()
      .from(DEADLINE_MS - 1)
      .failsWith("end_after_deadline"),
  );
  rule("waits for the deadline on the notary's clock", () => end().from(null).failsWith("end_after_deadline"));
  rule("keeps the winner", () =>
    end()
      .change("auction after", { highestBidder: keyOf("mallory") })
      .failsWith("end_keeps_the_winner"),
  );
  rule("keeps the price", () =>
    end()
      .change("auction after", { highestPrice: microsPerKwh(1) })
      .failsWith("end_keeps_the_winner"),
  );
  rule("keeps the auction that has a winner", () => end().without("auction after").failsWith("end_keeps_the_winner"));
  rule("takes no promise from a winner", () =>
    end()
      .consumes("promise", promise("alice", 1_500, IN_AUCTION))
      .makes("promise after", promise("alice", 1_500))
      .failsWith("end_frees_unsold_promises"),
  );
  rule("frees all promises that nobody bid for", () =>
    endAuctionWithoutBid().without("promise", "promise after").failsWith("end_frees_unsold_promises"),
  );
  rule("frees them", () =>
    endAuctionWithoutBid().change("promise after", IN_AUCTION).failsWith("end_frees_unsold_promises"),
  );
  rule("gives them back to the seller", () =>
    endAuctionWithoutBid()
      .change("promise after", { owner: keyOf("mallory") })
      .failsWith("end_frees_unsold_promises"),
  );
  rule("keeps their energy", () =>
    endAuctionWithoutBid()
      .change("promise after", { energy: wattHours(1_499) })
      .failsWith("end_promises_conserved"),
  );
  rule("is signed by seller or marketplace", () => {
    end().notSignedBy("marketplace").signedBy("alice").verifies();
    return end().notSignedBy("marketplace").signedBy("carol").failsWith("end_signed_by_seller_or_marketplace");
  });
  rule("may be ended under the mandate that allows auctions, while it lasts", () => {
    const delegated = (): Draft =>
      end()
        .notSignedBy("marketplace")
        .signedBy("agent")
        .until(DEADLINE_MS + 60_000)
        .cites("alice", member("alice"))
        .cites("mandate", mandate("alice", "agent"));
    delegated().verifies();
    delegated()
      .change("mandate", { flows: ["bid"] })
      .failsWith("end_signed_by_seller_or_marketplace");
    return delegated().until(null).failsWith("end_signed_by_seller_or_marketplace");
  });
});

describe("settle auction", () => {
  const settle = VALID["settle-auction"];
  rule("verifies", () => settle().verifies());
  rule("settles the auction that the command names", () =>
    settle().changeCommand({ auctionId: "other" }).failsWith("settle_one_auction"),
  );
  rule("settles an auction that ended", () =>
    settle().change("auction", { status: "active" }).failsWith("settle_ended_auction"),
  );
  rule("takes the highest bid", () =>
    settle()
      .replace("bid", bid("carol", 190_000, 292_500))
      .replace("payment", funds("alice", 285_000))
      .failsWith("settle_the_highest_bid"),
  );
  rule("takes the bid with what it had to lock", () =>
    settle()
      .change("bid", { locked: micros(307_499) })
      .replace("fee", funds("marketplace", 7_499))
      .failsWith("settle_the_highest_bid"),
  );
  rule("hands over all promises of the auction", () =>
    settle()
      .change("promise", { energy: wattHours(1_400) })
      .change("promise after", { energy: wattHours(1_400) })
      .replace("exposure of carol after", exposure("carol", { bought: 1_500 }))
      .failsWith("settle_all_promises_of_the_auction"),
  );
  rule("hands over promises that are locked for it", () =>
    settle()
      .change("promise", { lock: { kind: "order", id: "auction" } })
      .failsWith("settle_all_promises_of_the_auction"),
  );
  rule("makes the highest bidder owner", () =>
    settle()
      .change("promise after", { owner: keyOf("mallory") })
      .replace("exposure of carol after", exposure("carol", { bought: 100 }))
      .cites("mallory", member("mallory"))
      .consumes("exposure of mallory", exposure("mallory"))
      .makes("exposure of mallory after", exposure("mallory", { bought: 1_500 }))
      .failsWith("settle_owner_is_highest_bidder"),
  );
  rule("hands promises over free", () =>
    settle().change("promise after", IN_AUCTION).failsWith("settle_owner_is_highest_bidder"),
  );
  rule("keeps what was promised", () =>
    settle().change("promise after", { promiseId: "other" }).failsWith("settle_promises_conserved"),
  );
  rule("pays the seller", () =>
    settle()
      .change("payment", { amount: micros(299_999) })
      .makes("tip", funds("mallory", 1))
      .failsWith("settle_pays_the_bid"),
  );
  rule("pays the marketplace no more than its fee", () =>
    settle()
      .change("payment", { amount: micros(200_000) })
      .change("fee", { amount: micros(107_500) })
      .failsWith("settle_pays_the_bid"),
  );
  rule("is before the gate", () =>
    settle()
      .until(GATE_MS + 1)
      .failsWith("settle_before_gate"),
  );
  rule("is signed by the winner", () => settle().notSignedBy("carol").failsWith("settle_signed_by_winner"));
  rule("is signed by the former owner", () => settle().notSignedBy("alice").failsWith("settle_signed_by_former_owner"));
  describe("without the former owner", () => {
    const without = settleAuctionWithoutSeller;
    rule("verifies with the marketplace's signature, also where the auction was never ended", () => {
      without().change("auction", { status: "ended" }).verifies();
      return without().verifies();
    });
    rule("waits for the grace period", () =>
      without()
        .change("auction", { status: "ended" })
        .from(DEADLINE_MS + PARAMETERS.settlementGraceMs - 1)
        .failsWith("settle_signed_by_former_owner"),
    );
    rule("waits for it on the notary's clock", () =>
      without().change("auction", { status: "ended" }).from(null).failsWith("settle_signed_by_former_owner"),
    );
    rule("takes an auction that is not ended only then", () =>
      without()
        .signedBy("alice")
        .from(DEADLINE_MS + PARAMETERS.settlementGraceMs - 1)
        .failsWith("settle_ended_auction"),
    );
    rule("needs the marketplace", () =>
      without().notSignedBy("marketplace").failsWith("settle_signed_by_former_owner"),
    );
    rule("needs the marketplace of the auction", () =>
      without()
        .notSignedBy("marketplace")
        .signedBy("other marketplace")
        .cites("other", member("other marketplace", { roles: ["marketplace"] }))
        .failsWith("settle_signed_by_former_owner"),
    );
    rule("needs a marketplace that may act", () =>
      without().change("marketplace", { standing: "suspended" }).failsWith("settle_signed_by_former_owner"),
    );
  });
  rule("where the winner is the marketplace it pays the seller alone", () => {
    const winner = keyOf("marketplace");
    return settle()
      .change("auction", { highestBidder: winner })
      .change("bid", { bidder: winner })
      .notSignedBy("carol")
      .signedBy("marketplace")
      .without("carol", "exposure of carol", "exposure of carol after")
      .cites("marketplace", MARKETPLACE)
      .change("promise after", { owner: winner })
      .consumes("exposure", exposure("marketplace", { bidding: 1_500 }))
      .makes("exposure after", exposure("marketplace", { bought: 1_500 }))
      .verifies();
  });
  rule("may be signed under mandates of both", () =>
    settle()
      .notSignedBy("carol", "alice")
      .signedBy("agent of carol", "agent of alice")
      .cites("alice", member("alice"))
      .cites("of carol", mandate("carol", "agent of carol"))
      .cites("of alice", mandate("alice", "agent of alice"))
      .verifies(),
  );
  rule("is signed by the aggregator of a seller whose delegate signs, and whose membership shows that", () => {
    const served = (): Draft =>
      settle()
        .notSignedBy("alice")
        .signedBy("agent of alice")
        .cites("alice", member("alice", { servedBy: keyOf("hub") }))
        .cites("hub", member("hub", { roles: ["aggregator"] }))
        .cites("of alice", mandate("alice", "agent of alice"));
    served().signedBy("hub").verifies();
    served().signedBy("hub").change("hub", { standing: "suspended" }).failsWith("settle_signed_by_former_owner");
    served().signedBy("hub").without("alice").failsWith("settle_signed_by_former_owner");
    return served().failsWith("settle_signed_by_former_owner");
  });
  rule("is signed by the grid authority", () =>
    settle().notSignedBy("grid authority").failsWith("settle_signed_by_grid_authority"),
  );
  rule("is of a winner who is not suspended", () =>
    settle().change("carol", { standing: "suspended" }).failsWith("settle_winner_may_act"),
  );
  rule("is signed by the verifiers", () => settle().notSignedBy("verifier").failsWith("settle_verified"));
});

describe("auctions of one name", () => {
  const victims = { owner: keyOf("bob") } as const;
  rule("another's promises are not sold", () =>
    VALID["settle-auction"]()
      .change("promise", victims)
      .consumes("exposure of bob", exposure("bob", { bought: 1_500 }))
      .makes("exposure of bob after", exposure("bob"))
      .failsWith("settle_all_promises_of_the_auction"),
  );
  rule("promises of another slot are not sold", () => {
    const worthless = "2031-06-01T10:45Z/PT15M" as SlotId;
    return VALID["settle-auction"]()
      .change("promise", { slot: worthless })
      .change("promise after", { slot: worthless })
      .replace("exposure of carol after", exposure("carol", { bought: 100 }, { slot: worthless, bought: 1_500 }))
      .cites("alice", member("alice"))
      .failsWith("settle_all_promises_of_the_auction");
  });
  rule("another's promises are not taken home when nobody bid", () =>
    endAuctionWithoutBid().change("promise", victims).failsWith("end_frees_unsold_promises"),
  );
  rule("promises of another slot are not taken home when nobody bid", () =>
    endAuctionWithoutBid()
      .change("promise", { slot: NEXT_SLOT })
      .change("promise after", { slot: NEXT_SLOT })
      .failsWith("end_frees_unsold_promises"),
  );
});

describe("an auction that nobody settles", () => {
  const lapse = VALID["lapse-auction"];
  rule("lapses at the gate: the bidder has its money back", () => lapse().verifies());
  rule("lapses also when it was never ended", () => lapse().change("auction", { status: "active" }).verifies());
  rule("lapses without a bid", () =>
    lapse()
      .replace("auction", auction())
      .without("bid", "money back", "exposure of carol", "exposure of carol after")
      .verifies(),
  );
  rule("is the auction that the command names", () =>
    lapse().changeCommand({ auctionId: "other" }).failsWith("lapse_one_auction"),
  );
  rule("lapses no earlier: the winner may still settle it", () =>
    lapse()
      .from(GATE_MS - 1)
      .failsWith("lapse_after_gate"),
  );
  rule("gives back the bid", () => lapse().without("bid", "money back").failsWith("lapse_returns_the_bid"));
  rule("gives it back to the bidder", () =>
    lapse().replace("money back", funds("mallory", 307_500)).failsWith("lapse_money_stays"),
  );
  rule("is signed by a party of it or by the grid authority", () => {
    for (const name of ["alice", "carol", "marketplace"])
      lapse().notSignedBy("grid authority").signedBy(name).verifies();
    return lapse().notSignedBy("grid authority").signedBy("mallory").failsWith("lapse_signed_by_a_party");
  });
  rule("may be taken back under the mandate that allows bids", () => {
    const delegated = (): Draft =>
      lapse()
        .notSignedBy("grid authority")
        .signedBy("agent")
        .until(GATE_MS + 60_000)
        .cites("carol", member("carol"))
        .cites("mandate", mandate("carol", "agent"));
    delegated().verifies();
    return delegated()
      .change("mandate", { flows: ["create-auction"] })
      .failsWith("lapse_signed_by_a_party");
  });
});

describe("what a bid costs", () => {
  test.each([
    // price, fee, cost of 1.5 kWh
    [200_000, 5_000, 307_500n],
    [1, 0, 2n], // 1.5 micros, rounded up
    [-100_000, 5_000, 0n], // the seller would have to pay: it gets nothing, and pays nothing
    [-5_000, 10_000, 7_500n],
  ])("at %i and fee %i", (price, fee, cost) => {
    expect(bidCost({ energy: wattHours(1_500), marketFee: microsPerKwh(fee) }, microsPerKwh(price))).toBe(cost);
  });

  test("the seller gets the price rounded down, the marketplace what is left, and nobody else anything", () => {
    const sale = { energy: wattHours(1_001), seller: keyOf("alice"), marketplace: MARKETPLACE.key };
    // 1001 × 0.333 = 333.333 micros, 1001 × 0.338 = 338.338.
    const changes = settlementPayments(sale, { bidder: keyOf("carol"), price: microsPerKwh(333), locked: 339n });
    expect(Object.fromEntries(changes)).toEqual({
      [keyOf("carol")]: -339n,
      [keyOf("alice")]: 333n,
      [MARKETPLACE.key]: 6n,
    });
  });
});
