/**
 * A valid transaction of each flow, in amounts that can be followed by hand. Tests take one and spoil it; nodes' tests may
 * take them as examples. Prices are in micros per kWh, energy in watt-hours, money in micros.
 */

import type { CommandTag, PoolTrade, PowerPromise } from "#contracts";
import { micros, microsPerKwh, NO_ENERGY, wattHours } from "#core";
import {
  auction,
  bid,
  DAY,
  DEADLINE_MS,
  deliveryRecord,
  deposit,
  type EntryAmounts,
  exposure,
  exposureIndex,
  funds,
  GATE_MS,
  keyOf,
  MARKETPLACE,
  mandate,
  member,
  NEXT_SLOT,
  order,
  PARAMETERS,
  promise,
  reading,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  slotSettlement,
  standingVote,
  tariff,
  verifier,
} from "./builders.ts";
import { Draft } from "./ledger-dsl.ts";

const VERIFIERS = ["verifier", "second verifier"] as const;

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

function redeemFunds(): Draft {
  return draft()
    .consumes("funds", funds("alice", 5_000_000))
    .makes("change", funds("alice", 1_000_000))
    .command({ tag: "redeem-funds" })
    .signedBy("payment provider", "alice");
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

const IN_AUCTION: Partial<PowerPromise> = { lock: { kind: "auction", id: "auction" } };

/** Alice puts 1.5 of her 2 kWh on auction. */
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
    .command({ tag: "bid", auctionId: "auction", bidder: keyOf("carol") })
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
    .makes(
      "record",
      deliveryRecord("alice", { promised: 2_000, delivered: 1_500, depositLost: 300_000, gridFee: 15_000 }),
    )
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
      slotSettlement("bob", { consumed: 1_400, used: 1_000, retailEnergy: 400, retailAmount: 120_000 }),
    )
    .makes("payment", funds("power company", 120_000))
    .makes("change", funds("bob", 380_000))
    .command({ tag: "settle-slot", member: keyOf("bob"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "bob", "power company");
  return moves(tx, "bob", [{ bought: 1_000 }, { slot: NEXT_SLOT, bought: 50 }], [{ slot: NEXT_SLOT, bought: 50 }]);
}

/** Alice delivered 1.5 kWh, 0.525 of it on the promise that she kept: that much she is paid at the feed-in price. */
export function settleSlotOfSupplier(): Draft {
  const tx = draft()
    .consumes("reading", reading("alice", 1_800, 300))
    .consumes(
      "record",
      deliveryRecord("alice", { promised: 2_000, delivered: 1_500, depositLost: 300_000, gridFee: 15_000 }),
    )
    .consumes("held", promise("alice", 700, { delivered: wattHours(525) }))
    .consumes("funds", funds("power company", 500_000))
    .cites("tariff", tariff())
    .makes(
      "settlement",
      slotSettlement("alice", { produced: 1_800, consumed: 300, feedInEnergy: 525, feedInAmount: 42_000 }),
    )
    .makes("payment", funds("alice", 42_000))
    .makes("change", funds("power company", 458_000))
    .command({ tag: "settle-slot", member: keyOf("alice"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "alice", "power company");
  return moves(tx, "alice", [{ promised: 2_000 }], []);
}

/** Dave never traded on this day: his index says so, and he pays the retail price for all that he drew. */
export function settleSlotWithoutTrades(): Draft {
  return draft()
    .consumes("reading", reading("dave", 100, 600))
    .consumes("funds", funds("dave", 150_000))
    .cites("tariff", tariff())
    .cites("index", exposureIndex("dave", "2031-05-31"))
    .makes(
      "settlement",
      slotSettlement("dave", { produced: 100, consumed: 600, retailEnergy: 500, retailAmount: 150_000 }),
    )
    .makes("payment", funds("power company", 150_000))
    .command({ tag: "settle-slot", member: keyOf("dave"), slot: SLOT })
    .from(SLOT_END_MS)
    .signedBy("grid authority", "dave", "power company");
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
  "vote-standing": voteStanding,
  "amend-parameters": amendParameters,
  "issue-funds": issueFunds,
  "redeem-funds": redeemFunds,
  "publish-tariff": publishTariff,
  "grant-mandate": grantMandate,
  "revoke-mandate": revokeMandate,
  "create-promises": createPromises,
  "create-auction": createAuction,
  bid: placeBid,
  "end-auction": endAuction,
  "settle-auction": settleAuction,
  "lapse-auction": lapseAuction,
  "place-orders": placeOrders,
  "cancel-orders": cancelOrders,
  "clear-pool": clearPool,
  "record-meters": recordMeters,
  "check-delivery": checkDelivery,
  "settle-slot": settleSlot,
};
