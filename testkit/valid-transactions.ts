/**
 * A valid transaction of each flow, in amounts that can be followed by hand. Tests take one and spoil it; nodes' tests may
 * take them as examples. Prices are in micros per kWh, energy in watt-hours, money in micros.
 */

import type { CommandTag, Exposure, NetworkParameters, PoolTrade, PowerPromise } from "#contracts";
import { compareText, micros, microsPerKwh, NO_ENERGY, wattHours } from "#core";
import {
  AGENCY,
  agencyRecord,
  auction,
  bid,
  CERTIFIED_SOLAR,
  CONTRADICTION,
  certificate,
  curtailment,
  DAY,
  DEADLINE_MS,
  deliveryRecord,
  deposit,
  dispute,
  disputeVote,
  type EntryAmounts,
  exposure,
  exposureIndex,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  margin,
  member,
  meterOperator,
  meterReport,
  NEXT_SLOT,
  order,
  PARAMETERS,
  promise,
  reading,
  redemption,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  SOLAR,
  slotSettlement,
  standingVote,
  tariff,
  verifier,
} from "./builders.ts";
import { Draft } from "./ledger-dsl.ts";

const VERIFIERS = ["verifier", "second verifier"] as const;
/** Alice promised 2 kWh, of which 0.7 nobody bought, and delivered three quarters. */
const RECORDED = { promised: 2_000, delivered: 1_500, unsold: 700, depositLost: 300_000, gridFee: 15_000 } as const;
/** 0.02 per kWh, in the examples that have a surplus price. */
const SURPLUS_PRICE = microsPerKwh(20_000);
const METERS = ["first meter", "second meter", "third meter"] as const;
const DISPUTE = dispute("alice", 1_900, 300);
/** What a correction of alice's settlement leaves as it was. */
const SETTLED = { promised: 2_000, unsold: 700, deliveredFirst: 1_500, keptFirst: 525 } as const;

/** Cites and signs as two of the three verifiers: as many as must. */
function verified(tx: Draft): Draft {
  for (const name of VERIFIERS) tx.cites(name, verifier(name));
  return tx.signedBy(...VERIFIERS);
}

function draft(): Draft {
  return new Draft().cites("parameters", PARAMETERS);
}

/** Consumes the exposure of `name` with the entries before and makes it with those after. */
export function moves(tx: Draft, name: string, before: readonly EntryAmounts[], after: readonly EntryAmounts[]): Draft {
  return tx
    .consumes(`exposure of ${name}`, exposure(name, ...before))
    .makes(`exposure of ${name} after`, exposure(name, ...after));
}

/** Like `moves`, where the slot is settled. */
export function closes(
  tx: Draft,
  name: string,
  before: readonly EntryAmounts[],
  after: readonly EntryAmounts[],
): Draft {
  return tx
    .consumes(`exposure of ${name}`, exposure(name, ...before))
    .makes(`exposure of ${name} after`, settledExposure(name, ...after));
}

/** The exposure of a member whose slot is settled. */
export function settledExposure(name: string, ...entries: readonly EntryAmounts[]): Exposure {
  return { ...exposure(name, ...entries), settled: [SLOT] };
}

/** The network with three meter operators, of whom two must agree within 5 Wh. */
export const METERED_PARAMETERS: NetworkParameters = {
  ...PARAMETERS,
  meterOperators: [keyOf("first meter"), keyOf("second meter"), keyOf("third meter")],
  meterQuorum: 2,
  meterTolerance: wattHours(5),
};

function metered(): Draft {
  return new Draft().cites("parameters", METERED_PARAMETERS);
}

function genesis(): Draft {
  return new Draft()
    .makes("parameters", PARAMETERS)
    .makes("alice", member("alice"))
    .makes("index of alice", exposureIndex("alice"))
    .makes("marketplace", MARKETPLACE)
    .makes("index of marketplace", exposureIndex("marketplace"))
    .command({ tag: "genesis" })
    .signedBy("grid authority");
}

function join(): Draft {
  return draft()
    .makes("alice", member("alice"))
    .makes("index of alice", exposureIndex("alice"))
    .makes("carol", member("carol", { roles: ["speculator"], holdingCapPerSlot: wattHours(10_000) }))
    .makes("index of carol", exposureIndex("carol"))
    .command({ tag: "join" })
    .signedBy("grid authority", "alice", "carol");
}

/** An aggregator that may serve members. */
const HOST = member("aggregator", { roles: ["aggregator"], capacityPerSlot: wattHours(0) });

/** Alice and bob join under an aggregator; carol has a node of her own. */
export function joinServed(): Draft {
  return draft()
    .cites("aggregator", HOST)
    .makes("alice", member("alice", { servedBy: HOST.key }))
    .makes("index of alice", exposureIndex("alice"))
    .makes("mandate of alice", mandate("alice", "delegate of alice"))
    .makes("bob", member("bob", { servedBy: HOST.key }))
    .makes("index of bob", exposureIndex("bob"))
    .makes("mandate of bob", mandate("bob", "delegate of bob"))
    .makes("carol", member("carol"))
    .makes("index of carol", exposureIndex("carol"))
    .command({ tag: "join" })
    .signedBy("grid authority", "alice", "bob", "carol");
}

/** Alice moves from one aggregator to another. */
function moveMember(): Draft {
  return draft()
    .consumes("before", member("alice", { servedBy: keyOf("old aggregator") }))
    .consumes("old mandate", mandate("alice", "old delegate"))
    .cites("aggregator", HOST)
    .makes("after", member("alice", { servedBy: HOST.key }))
    .makes("mandate", mandate("alice", "delegate of alice"))
    .command({ tag: "move-member", member: keyOf("alice") })
    .signedBy("alice");
}

/** Alice has a node of her own from now on. */
export function moveMemberHome(): Draft {
  return moveMember().change("after", { servedBy: null }).without("mandate", "aggregator");
}

function amendMember(): Draft {
  return draft()
    .consumes("before", member("alice"))
    .makes("after", member("alice", { standing: "suspended" }))
    .command({ tag: "amend-member" })
    .signedBy("grid authority");
}

/** Two of the three verifiers have voted: that is a quorum. */
export function amendMemberByVotes(): Draft {
  return draft()
    .consumes("before", member("alice"))
    .consumes("vote", standingVote("verifier", "alice"))
    .consumes("second vote", standingVote("second verifier", "alice"))
    .cites("verifier", verifier("verifier"))
    .cites("second verifier", verifier("second verifier"))
    .makes("after", member("alice", { standing: "suspended" }))
    .command({ tag: "amend-member" })
    .until(SLOT_START_MS)
    .signedBy("verifier");
}

function voteStanding(): Draft {
  return draft()
    .consumes("before", standingVote("verifier", "alice", { standing: "probation" }))
    .cites("verifier", verifier("verifier"))
    .cites("alice", member("alice"))
    .makes("vote", standingVote("verifier", "alice"))
    .command({ tag: "vote-standing", voter: keyOf("verifier"), member: keyOf("alice") })
    .signedBy("verifier");
}

/** A fourth verifier and a regulator. */
function amendParameters(): Draft {
  return new Draft()
    .consumes("before", PARAMETERS)
    .makes("after", {
      ...PARAMETERS,
      epoch: PARAMETERS.epoch + 1,
      verifiers: [...PARAMETERS.verifiers, keyOf("fourth verifier")],
      observers: [{ key: keyOf("regulator"), sees: ["delivery-record"] }],
    })
    .command({ tag: "amend-parameters" })
    .signedBy("grid authority");
}

function issueFunds(): Draft {
  return draft().makes("funds", funds("alice", 5_000_000)).command({ tag: "issue-funds" }).signedBy("payment provider");
}

/** Of 5.000001 alice has 4 paid to her account. */
function redeemFunds(): Draft {
  return draft()
    .consumes("funds", funds("alice", 5_000_001))
    .makes("redemption", redemption("alice", 4_000_000))
    .makes("change", funds("alice", 1_000_001))
    .command({ tag: "redeem-funds" })
    .signedBy("payment provider", "alice");
}

function confirmPayout(): Draft {
  return draft()
    .consumes("redemption", redemption("alice", 4_000_000))
    .command({
      tag: "confirm-payout",
      redemptionId: "redemption",
      messageId: "DREAM-20310601T100000Z",
      endToEndId: "0123456789ABCDEF0123456789ABCDEF",
    })
    .signedBy("payment provider");
}

function publishTariff(): Draft {
  return draft()
    .consumes("before", tariff())
    .makes("after", tariff(DAY, { retail: tariff().slots.map(() => microsPerKwh(310_000)) }))
    .command({ tag: "publish-tariff", day: DAY })
    .until(SLOT_START_MS - 86_400_000)
    .signedBy("power company");
}

function grantMandate(): Draft {
  return draft()
    .consumes("before", mandate("alice", "old agent"))
    .makes("mandate", mandate("alice", "agent"))
    .cites("alice", member("alice"))
    .command({ tag: "grant-mandate" })
    .signedBy("alice");
}

function revokeMandate(): Draft {
  return draft().consumes("mandate", mandate("alice", "agent")).command({ tag: "revoke-mandate" }).signedBy("alice");
}

/** Alice promises 2 kWh and locks 1.20 for it. */
function createPromises(): Draft {
  const tx = draft()
    .consumes("funds", funds("alice", 5_000_000))
    .cites("alice", member("alice"))
    .makes("promise", promise("alice", 2_000))
    .makes("deposit", deposit("alice", 1_200_000))
    .makes("change", funds("alice", 3_800_000))
    .command({ tag: "create-promises", supplier: keyOf("alice") })
    .until(GATE_MS)
    .signedBy("alice", "grid authority");
  return moves(verified(tx), "alice", [], [{ promised: 2_000 }]);
}

/** The agency signs for the sun in alice's 2 kWh, of which she has promised 1.5 and 0.5. */
function certifyClaims(): Draft {
  return draft()
    .consumes("promise", promise("alice", 1_500, { claims: SOLAR }))
    .consumes("other promise", promise("alice", 500, { promiseId: "second", claims: SOLAR }))
    .cites("alice", member("alice"))
    .cites("agency", AGENCY)
    .makes("certified", promise("alice", 1_500, { claims: CERTIFIED_SOLAR }))
    .makes("other certified", promise("alice", 500, { promiseId: "second", claims: CERTIFIED_SOLAR }))
    .makes("certificate", certificate("alice", 2_000))
    .command({ tag: "certify-claims", supplier: keyOf("alice"), agency: keyOf("agency") })
    .until(GATE_MS)
    .signedBy("alice", "agency");
}

/** A second agency has evidence that alice's panels do not exist. */
function contradictCertificate(): Draft {
  return draft()
    .consumes("certificate", certificate("alice", 2_000))
    .cites("second agency", { ...AGENCY, name: "second agency", key: keyOf("second agency") })
    .makes("contradicted", certificate("alice", 2_000, { contradiction: CONTRADICTION }))
    .command({
      tag: "contradict-certificate",
      by: keyOf("second agency"),
      agency: keyOf("agency"),
      supplier: keyOf("alice"),
      slot: SLOT,
    })
    .signedBy("second agency");
}

/** Alice delivered three quarters of what she promised: of 2,000 Wh certified, 500 turned out to be wrong. */
function closeCertificates(): Draft {
  return draft()
    .consumes("certificate", certificate("alice", 2_000))
    .consumes("record", agencyRecord(10_000, 100))
    .cites("settlement", slotSettlement("alice", { promised: 2_000, delivered: 1_500 }))
    .makes("record after", agencyRecord(12_000, 600))
    .command({ tag: "close-certificates", agency: keyOf("agency"), slot: SLOT })
    .signedBy("grid authority");
}

const IN_AUCTION: Partial<PowerPromise> = { lock: { kind: "auction", id: "auction" } };

/** Alice puts 1.5 of her 2 kWh on auction. */
/** Alice cuts a promise of 2 kWh that she holds of bob's. */
function splitPromise(): Draft {
  const held = { owner: keyOf("alice") };
  return draft()
    .consumes("whole", promise("bob", 2_000, held))
    .cites("alice", member("alice"))
    .makes("part", promise("bob", 1_500, held))
    .makes("rest", promise("bob", 500, held))
    .command({ tag: "split-promise", owner: keyOf("alice") })
    .until(GATE_MS)
    .signedBy("alice");
}

/** Alice makes one of two promises of bob's, of which one says where it is fed in. */
function mergePromises(): Draft {
  const claims = {
    source: "solar",
    renewable: true,
    origin: "feeder 3",
    gramsCo2PerKwh: 40,
    certifiedBy: null,
  } as const;
  return draft()
    .consumes("first", promise("bob", 1_500, { owner: keyOf("alice"), claims }))
    .consumes(
      "second",
      promise("bob", 500, {
        owner: keyOf("alice"),
        promiseId: "second",
        claims: { ...claims, origin: null, gramsCo2PerKwh: 60 },
      }),
    )
    .cites("alice", member("alice"))
    .makes(
      "whole",
      promise("bob", 2_000, {
        owner: keyOf("alice"),
        promiseId: "whole",
        claims: { ...claims, origin: null, gramsCo2PerKwh: 60 },
      }),
    )
    .command({ tag: "merge-promises", owner: keyOf("alice"), promiseId: "whole" })
    .until(GATE_MS)
    .signedBy("alice");
}

/**
 * Alice promised 2 kWh and sold 1.5 to bob. She holds 1 kWh of dave's and covers 0.8 with it: bob has 0.8 of dave's and 0.7 of
 * hers, and of her deposit of 1.20 she gets 0.48 back.
 */
function substitute(): Draft {
  const ofBob = { owner: keyOf("bob") };
  const ofAlice = { owner: keyOf("alice") };
  const tx = draft()
    .consumes("sold", promise("alice", 1_500, ofBob))
    .consumes("held", promise("dave", 1_000, ofAlice))
    .consumes("deposit", deposit("alice", 1_200_000))
    .cites("alice", member("alice"))
    .makes("cover", promise("dave", 800, ofBob))
    .makes("still sold", promise("alice", 700, ofBob))
    .makes("still held", promise("dave", 200, ofAlice))
    .makes("deposit after", deposit("alice", 720_000))
    .makes("released", funds("alice", 480_000))
    .command({
      tag: "substitute",
      supplier: keyOf("alice"),
      slot: SLOT,
      covers: [{ covered: 0, with: 1, energy: wattHours(800) }],
    })
    .until(GATE_MS)
    .signedBy("alice", "grid authority");
  return moves(verified(tx), "alice", [{ promised: 2_000, bought: 1_000 }], [{ promised: 1_200, bought: 200 }]);
}

function createAuction(): Draft {
  const tx = draft()
    .consumes("promise", promise("alice", 2_000))
    .cites("alice", member("alice"))
    .cites("marketplace", MARKETPLACE)
    .makes("auction", auction())
    .makes("auctioned", promise("alice", 1_500, IN_AUCTION))
    .makes("rest", promise("alice", 500))
    .command({ tag: "create-auction", auctionId: "auction" })
    .until(DEADLINE_MS)
    .signedBy("alice");
  return verified(tx);
}

const AUCTION_OF_BOB = auction({ highestPrice: microsPerKwh(150_000), highestBidder: keyOf("bob") });
const AUCTION_OF_CAROL = auction({ highestPrice: microsPerKwh(200_000), highestBidder: keyOf("carol") });
const CAROL = member("carol", {
  roles: ["speculator"],
  capacityPerSlot: NO_ENERGY,
  holdingCapPerSlot: wattHours(10_000),
});

/** Carol outbids bob: 1.5 kWh at 0.20 and 0.005 fee instead of 0.15 and the fee. */
function placeBid(): Draft {
  const tx = draft()
    .consumes("auction", AUCTION_OF_BOB)
    .consumes("last bid", bid("bob", 150_000, 232_500))
    .consumes("funds", funds("carol", 1_000_000))
    .cites("carol", CAROL)
    .makes("auction after", AUCTION_OF_CAROL)
    .makes("bid", bid("carol", 200_000, 307_500))
    .makes("refund", funds("bob", 232_500))
    .makes("change", funds("carol", 692_500))
    .command({ tag: "bid", auctionId: "auction", bidder: keyOf("carol"), requires: null })
    .until(DEADLINE_MS)
    .signedBy("carol");
  moves(verified(tx), "bob", [{ bidding: 1_500 }], []);
  return moves(tx, "carol", [{ bought: 100 }], [{ bought: 100, bidding: 1_500 }]);
}

function endAuction(): Draft {
  return draft()
    .consumes("auction", AUCTION_OF_CAROL)
    .makes("auction after", { ...AUCTION_OF_CAROL, status: "ended" })
    .command({ tag: "end-auction", auctionId: "auction" })
    .from(DEADLINE_MS)
    .signedBy("marketplace");
}

/** Nobody bid: alice has her promise back. */
export function endAuctionWithoutBid(): Draft {
  return draft()
    .consumes("auction", auction())
    .consumes("promise", promise("alice", 1_500, IN_AUCTION))
    .makes("promise after", promise("alice", 1_500))
    .command({ tag: "end-auction", auctionId: "auction" })
    .from(DEADLINE_MS)
    .signedBy("alice");
}

/** Carol pays 0.20 per kWh to alice and the fee to the marketplace, and becomes owner. */
function settleAuction(): Draft {
  const tx = draft()
    .consumes("auction", { ...AUCTION_OF_CAROL, status: "ended" })
    .consumes("bid", bid("carol", 200_000, 307_500))
    .consumes("promise", promise("alice", 1_500, IN_AUCTION))
    .cites("carol", CAROL)
    .makes("promise after", promise("alice", 1_500, { owner: keyOf("carol") }))
    .makes("payment", funds("alice", 300_000))
    .makes("fee", funds("marketplace", 7_500))
    .command({ tag: "settle-auction", auctionId: "auction" })
    .until(GATE_MS)
    .signedBy("carol", "alice", "grid authority");
  return moves(verified(tx), "carol", [{ bought: 100, bidding: 1_500 }], [{ bought: 1_600 }]);
}

/** Carol's auction was not settled: she has back what she locked. */
function lapseAuction(): Draft {
  const tx = draft()
    .consumes("auction", { ...AUCTION_OF_CAROL, status: "ended" })
    .consumes("bid", bid("carol", 200_000, 307_500))
    .makes("money back", funds("carol", 307_500))
    .command({ tag: "lapse-auction", auctionId: "auction" })
    .from(GATE_MS)
    .signedBy("grid authority");
  return moves(tx, "carol", [{ bidding: 1_500 }], []);
}

/** Alice offers 1.5 of her 2 kWh at 0.10 or more, and bids 0.20 for 0.5 kWh of the next slot. */
function placeOrders(): Draft {
  const tx = draft()
    .consumes("promise", promise("alice", 2_000))
    .consumes("funds", funds("alice", 500_000))
    .cites("alice", member("alice"))
    .cites("marketplace", MARKETPLACE)
    .makes("offer", order("offer", "alice", 1_500, 100_000))
    // 500 Wh at 0.20 and 0.005 fee, and the rounding reserve of 0.001.
    .makes("bid", order("bid", "alice", 500, 200_000, { slot: NEXT_SLOT, locked: micros(103_500), sequence: 2 }))
    .makes("offered", promise("alice", 1_500, { lock: { kind: "order", id: "offer of alice" } }))
    .makes("rest", promise("alice", 500))
    .makes("change", funds("alice", 396_500))
    .command({ tag: "place-orders", owner: keyOf("alice") })
    .until(GATE_MS)
    .signedBy("alice", "marketplace");
  return moves(verified(tx), "alice", [{ promised: 2_000 }], [{ promised: 2_000 }, { slot: NEXT_SLOT, bidding: 500 }]);
}

/** Alice takes both orders back. */
function cancelOrders(): Draft {
  const tx = draft()
    .consumes("offer", order("offer", "alice", 1_500, 100_000))
    .consumes("bid", order("bid", "alice", 500, 200_000, { slot: NEXT_SLOT, locked: micros(103_500), sequence: 2 }))
    .consumes("offered", promise("alice", 1_500, { lock: { kind: "order", id: "offer of alice" } }))
    .makes("promise", promise("alice", 1_500))
    .makes("money back", funds("alice", 103_500))
    .command({ tag: "cancel-orders", owner: keyOf("alice") })
    .signedBy("alice", "marketplace");
  return moves(tx, "alice", [{ promised: 2_000 }, { slot: NEXT_SLOT, bidding: 500 }], [{ promised: 2_000 }]);
}

export const TRADES: readonly PoolTrade[] = [
  { bid: "bid of bob", offer: "offer of alice", energy: wattHours(1_000), price: microsPerKwh(150_000) },
  { bid: "bid of carol", offer: "offer of alice", energy: wattHours(300), price: microsPerKwh(150_000) },
];
const OFFERED: Partial<PowerPromise> = { lock: { kind: "order", id: "offer of alice" } };

/**
 * At 0.15: bob buys 1 kWh of alice's offer of 1.5, carol 0.3; 0.2 stay in the pool.
 * Bob locked 200,000 + 5,000 + 1,000 and pays 150,000 + 5,000; carol locked 48,000 + 1,500 + 1,000 and pays 45,000 + 1,500.
 */
function clearPool(): Draft {
  const tx = draft()
    .consumes("offer", order("offer", "alice", 1_500, 100_000))
    .consumes("bid of bob", order("bid", "bob", 1_000, 200_000, { locked: micros(206_000), sequence: 2 }))
    .consumes("bid of carol", order("bid", "carol", 300, 160_000, { locked: micros(50_500), sequence: 3 }))
    .consumes("offered", promise("alice", 1_500, OFFERED))
    .cites("alice", member("alice"))
    .cites("bob", member("bob", { roles: ["consumer"] }))
    .cites("carol", CAROL)
    .makes("offer after", order("offer", "alice", 200, 100_000))
    .makes("promise of bob", promise("alice", 1_000, { owner: keyOf("bob") }))
    .makes("promise of carol", promise("alice", 300, { owner: keyOf("carol") }))
    .makes("still offered", promise("alice", 200, OFFERED))
    .makes("payment", funds("alice", 195_000))
    .makes("change of bob", funds("bob", 51_000))
    .makes("change of carol", funds("carol", 4_000))
    .makes("fee", funds("marketplace", 6_500))
    .command({ tag: "clear-pool", slot: SLOT, price: microsPerKwh(150_000), isFinal: false, trades: TRADES })
    .until(GATE_MS)
    .signedBy("marketplace");
  moves(verified(tx), "bob", [{ bidding: 1_000 }], [{ bought: 1_000 }]);
  return moves(tx, "carol", [{ bidding: 300 }], [{ bought: 300 }]);
}

function recordMeters(): Draft {
  return draft()
    .makes("alice", reading("alice", 1_800, 300))
    .makes("bob", reading("bob", 0, 1_400))
    .command({ tag: "record-meters", slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority");
}

/** The first meter's operator corrects what it said of alice and adds bob. */
function reportMeters(): Draft {
  return metered()
    .consumes("before", meterReport("first meter", "alice", 1_700, 300))
    .cites("operator", meterOperator("first meter"))
    .makes("alice", meterReport("first meter", "alice", 1_800, 300, { revision: 1 }))
    .makes("bob", meterReport("first meter", "bob", 0, 1_400))
    .command({ tag: "report-meters", operator: keyOf("first meter"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("first meter");
}

/** Two of three operators agree on alice; the third, whose meter counts double, is named. */
export function recordMetersOfReports(): Draft {
  const agreed = [keyOf("first meter"), keyOf("second meter")].sort(compareText);
  return METERS.reduce((tx, name) => tx.cites(name, meterOperator(name)), metered())
    .consumes("of the first", meterReport("first meter", "alice", 1_800, 300))
    .consumes("of the second", meterReport("second meter", "alice", 1_803, 301))
    .consumes("of the third", meterReport("third meter", "alice", 3_600, 600))
    .makes("alice", { ...reading("alice", 1_800, 300), agreed, disagreed: [keyOf("third meter")] })
    .command({ tag: "record-meters", slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority");
}

/**
 * Alice put 1.6 kWh into the grid, not 1.5: her shortfall of 2 kWh was 0.4. Of the 0.30 that she lost she gets 0.06 back and pays
 * 0.001 more grid fee; on the 0.7 kWh that she kept 560 Wh count as delivered, not 525, which brings 0.0028.
 */
function correctSettlement(): Draft {
  return draft()
    .consumes(
      "before",
      slotSettlement("alice", {
        produced: 1_800,
        consumed: 300,
        feedInEnergy: 525,
        feedInAmount: 42_000,
        ...SETTLED,
        delivered: 1_500,
        depositLost: 300_000,
        gridFee: 15_000,
      }),
    )
    .consumes("reading", { ...reading("alice", 1_900, 300), revision: 1 })
    .consumes("funds", funds("power company", 100_000))
    .cites("tariff", tariff())
    .makes(
      "after",
      slotSettlement("alice", {
        produced: 1_900,
        consumed: 300,
        feedInEnergy: 560,
        feedInAmount: 44_800,
        ...SETTLED,
        revision: 1,
        delivered: 1_600,
        depositLost: 240_000,
        gridFee: 16_000,
      }),
    )
    .makes("to alice", funds("alice", 61_800))
    .makes("change", funds("power company", 38_200))
    .command({ tag: "correct-settlement", member: keyOf("alice"), slot: SLOT })
    .from(SLOT_END_MS)
    .until(SLOT_END_MS + 3_600_000)
    .signedBy("grid authority", "alice", "power company");
}

/** Alice says that her meter counted too little. */
function raiseDispute(): Draft {
  return draft()
    .cites("alice", member("alice"))
    .makes("dispute", DISPUTE)
    .command({ tag: "raise-dispute", disputeId: DISPUTE.disputeId })
    .from(SLOT_END_MS)
    .until(SLOT_END_MS + 3_600_000)
    .signedBy("alice");
}

function voteDispute(): Draft {
  return draft()
    .consumes("before", disputeVote("verifier", DISPUTE, 1_800, 300))
    .cites("dispute", DISPUTE)
    .cites("verifier", verifier("verifier"))
    .makes("vote", disputeVote("verifier", DISPUTE, 1_900, 300))
    .command({ tag: "vote-dispute", disputeId: DISPUTE.disputeId, voter: keyOf("verifier") })
    .signedBy("verifier");
}

/** Two of three verifiers hold alice to be right, the third the meter. */
function decideDispute(): Draft {
  return draft()
    .consumes("dispute", DISPUTE)
    .consumes("vote", disputeVote("verifier", DISPUTE, 1_900, 300))
    .consumes("second vote", disputeVote("second verifier", DISPUTE, 1_900, 300))
    .consumes("third vote", disputeVote("third verifier", DISPUTE, 1_800, 300))
    .consumes("before", reading("alice", 1_800, 300))
    .cites("verifier", verifier("verifier"))
    .cites("second verifier", verifier("second verifier"))
    .cites("third verifier", verifier("third verifier"))
    .makes("after", { ...reading("alice", 1_900, 300), revision: 1 })
    .command({ tag: "decide-dispute", disputeId: DISPUTE.disputeId })
    .from(SLOT_END_MS)
    .until(SLOT_END_MS + 3_600_000)
    .signedBy("grid authority");
}

/**
 * Alice promised 2 kWh and put 1.5 into the grid: three quarters of each promise is delivered. Of the deposit of 1.20 she
 * loses 0.30, of which 0.005 is grid fee; from the rest she pays 0.015 grid fee.
 */
function checkDelivery(): Draft {
  const bought = { owner: keyOf("bob") };
  const held = { owner: keyOf("carol") };
  return draft()
    .consumes("of bob", promise("alice", 1_000, bought))
    .consumes("of carol", promise("alice", 300, held))
    .consumes("of alice", promise("alice", 700))
    .consumes("deposit", deposit("alice", 1_200_000))
    .cites("reading", reading("alice", 1_800, 300))
    .cites("exposure", exposure("alice", { promised: 2_000 }))
    .makes("of bob after", promise("alice", 1_000, { ...bought, delivered: wattHours(750) }))
    .makes("of carol after", promise("alice", 300, { ...held, delivered: wattHours(225) }))
    .makes("of alice after", promise("alice", 700, { delivered: wattHours(525) }))
    .makes("record", deliveryRecord("alice", RECORDED))
    .makes("returned", funds("alice", 885_000))
    .makes("to power company", funds("power company", 295_000))
    .makes("to grid authority", funds("grid authority", 20_000))
    .command({ tag: "check-delivery", supplier: keyOf("alice"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "power company");
}

/** Bob drew 1.4 kWh, of which he had bought 1: the rest costs him 0.12 at the retail price. */
function settleSlot(): Draft {
  const tx = draft()
    .consumes("reading", reading("bob", 0, 1_400))
    .consumes("held", promise("alice", 1_000, { owner: keyOf("bob"), delivered: wattHours(750) }))
    .consumes("funds", funds("bob", 500_000))
    .cites("tariff", tariff())
    .makes(
      "settlement",
      slotSettlement("bob", { consumed: 1_400, used: 1_000, bought: 1_000, retailEnergy: 400, retailAmount: 120_000 }),
    )
    .makes("payment", funds("power company", 120_000))
    .makes("change", funds("bob", 380_000))
    .command({ tag: "settle-slot", member: keyOf("bob"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "bob", "power company");
  return closes(tx, "bob", [{ bought: 1_000 }, { slot: NEXT_SLOT, bought: 50 }], [{ slot: NEXT_SLOT, bought: 50 }]);
}

/** Alice delivered 1.5 kWh, 0.525 of it on the promise that she kept: that much she is paid at the feed-in price. */
export function settleSlotOfSupplier(): Draft {
  const tx = draft()
    .consumes("reading", reading("alice", 1_800, 300))
    .consumes("record", deliveryRecord("alice", RECORDED))
    .consumes("held", promise("alice", 700, { delivered: wattHours(525) }))
    .consumes("funds", funds("power company", 500_000))
    .cites("tariff", tariff())
    .makes(
      "settlement",
      slotSettlement("alice", {
        produced: 1_800,
        consumed: 300,
        feedInEnergy: 525,
        feedInAmount: 42_000,
        ...RECORDED,
        keptFirst: 525,
      }),
    )
    .makes("payment", funds("alice", 42_000))
    .makes("change", funds("power company", 458_000))
    .command({ tag: "settle-slot", member: keyOf("alice"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "alice", "power company");
  return closes(tx, "alice", [{ promised: 2_000 }], []);
}

/** Dave never traded on this day: his index says so, and he pays the retail price for all that he drew. */
export function settleSlotWithoutTrades(): Draft {
  return draft()
    .consumes("reading", reading("dave", 100, 600))
    .consumes("funds", funds("dave", 150_000))
    .cites("tariff", tariff())
    .consumes("index", exposureIndex("dave", "2031-05-31"))
    .makes("index after", exposureIndex("dave", "2031-05-31", DAY))
    .makes("exposure after", settledExposure("dave"))
    .makes(
      "settlement",
      slotSettlement("dave", { produced: 100, consumed: 600, retailEnergy: 500, retailAmount: 150_000 }),
    )
    .makes("payment", funds("power company", 150_000))
    .command({ tag: "settle-slot", member: keyOf("dave"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "dave", "power company");
}

/** Carol needs 0.02 per kWh of what she holds and bids for; of her margin of 0.05 she takes back what is more. */
function releaseMargin(): Draft {
  return draft()
    .change("parameters", { surplusPrice: SURPLUS_PRICE })
    .consumes("margin", margin("carol", 50_000))
    .cites("exposure", exposure("carol", { bought: 1_500 }, { slot: NEXT_SLOT, bidding: 500 }))
    .makes("margin after", margin("carol", 40_000))
    .makes("returned", funds("carol", 10_000))
    .command({ tag: "release-margin", owner: keyOf("carol"), day: DAY })
    .signedBy("carol");
}

/**
 * Five kWh are promised and four may be: of the three that nobody bought, one is cut. Two thirds of it are alice's, who has sold
 * another two, and one third is dave's; the watt-hour that is left over goes to alice, whose exact part is 666.67.
 */
function curtailSlot(): Draft {
  const tx = draft()
    .consumes("before", curtailment(6_000))
    .consumes("unsold of alice", promise("alice", 2_000))
    .consumes("unsold of dave", promise("dave", 1_000))
    .consumes("deposit of alice", deposit("alice", 2_400_000))
    .consumes("deposit of dave", deposit("dave", 600_000))
    .makes("after", curtailment(4_000, { promised: wattHours(5_000), unsold: wattHours(3_000), cut: wattHours(1_000) }))
    .makes("left of alice", promise("alice", 1_333))
    .makes("left of dave", promise("dave", 667))
    .makes("deposit of alice after", deposit("alice", 1_999_800))
    .makes("deposit of dave after", deposit("dave", 400_200))
    .makes("returned to alice", funds("alice", 400_200))
    .makes("returned to dave", funds("dave", 199_800))
    .command({ tag: "curtail-slot", slot: SLOT, cap: wattHours(4_000) })
    .until(GATE_MS)
    .signedBy("grid authority");
  moves(tx, "alice", [{ promised: 4_000 }], [{ promised: 3_333 }]);
  return moves(tx, "dave", [{ promised: 1_000 }], [{ promised: 667 }]);
}

/** Carol used nothing of 1.5 kWh: 0.12 of feed-in less 0.03 surplus cost. Of her margin 0.01 stays for what she bids for. */
export function settleSlotOfSpeculator(): Draft {
  const tx = draft()
    .change("parameters", { surplusPrice: SURPLUS_PRICE })
    .consumes("reading", reading("carol", 0, 0))
    .consumes("held", promise("alice", 1_500, { owner: keyOf("carol"), delivered: wattHours(1_500) }))
    .consumes("margin", margin("carol", 40_000))
    .consumes("funds", funds("power company", 100_000))
    .cites("tariff", tariff())
    .makes(
      "settlement",
      slotSettlement("carol", { feedInEnergy: 1_500, feedInAmount: 120_000, surplusAmount: 30_000, bought: 1_500 }),
    )
    .makes("margin after", margin("carol", 10_000))
    .makes("payment", funds("carol", 120_000))
    .makes("change", funds("power company", 10_000))
    .command({ tag: "settle-slot", member: keyOf("carol"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "carol", "power company");
  return closes(
    tx,
    "carol",
    [{ bought: 1_500 }, { slot: NEXT_SLOT, bidding: 500 }],
    [{ slot: NEXT_SLOT, bidding: 500 }],
  );
}

/** Carol's node finishes without alice: her auction is her consent, and the marketplace signs. */
export function settleAuctionWithoutSeller(): Draft {
  return settleAuction()
    .notSignedBy("alice")
    .signedBy("marketplace")
    .cites("marketplace", MARKETPLACE)
    .change("auction", { status: "active" })
    .from(DEADLINE_MS + PARAMETERS.settlementGraceMs);
}

/** One valid transaction of each flow, made anew by each call. */
export const VALID: Readonly<Record<CommandTag, () => Draft>> = {
  genesis,
  join,
  "amend-member": amendMember,
  "move-member": moveMember,
  "vote-standing": voteStanding,
  "amend-parameters": amendParameters,
  "issue-funds": issueFunds,
  "redeem-funds": redeemFunds,
  "confirm-payout": confirmPayout,
  "publish-tariff": publishTariff,
  "grant-mandate": grantMandate,
  "revoke-mandate": revokeMandate,
  "create-promises": createPromises,
  "certify-claims": certifyClaims,
  "contradict-certificate": contradictCertificate,
  "close-certificates": closeCertificates,
  "split-promise": splitPromise,
  "merge-promises": mergePromises,
  substitute,
  "create-auction": createAuction,
  bid: placeBid,
  "end-auction": endAuction,
  "settle-auction": settleAuction,
  "lapse-auction": lapseAuction,
  "place-orders": placeOrders,
  "cancel-orders": cancelOrders,
  "clear-pool": clearPool,
  "release-margin": releaseMargin,
  "curtail-slot": curtailSlot,
  "report-meters": reportMeters,
  "record-meters": recordMeters,
  "check-delivery": checkDelivery,
  "settle-slot": settleSlot,
  "correct-settlement": correctSettlement,
  "raise-dispute": raiseDispute,
  "vote-dispute": voteDispute,
  "decide-dispute": decideDispute,
};
