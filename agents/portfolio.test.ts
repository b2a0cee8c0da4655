/** A member's position in a slot, from its states: each watt-hour is counted where it is and nowhere else. */
import { describe, expect, test } from "vitest";
import { micros, wattHours } from "#core";
import { auction, keyOf, NEXT_SLOT, NO_POSITION, order, promise, SLOT } from "#testkit";
import { openAuctionsIn, type Portfolio, positionIn } from "./portfolio.ts";

const EMPTY: Portfolio = {
  party: keyOf("alice"),
  funds: micros(0n),
  promises: [],
  orders: [],
  auctions: [],
  mandates: [],
  members: new Map(),
  exposures: [],
  margins: [],
  agencies: [],
};
const bought = { owner: keyOf("alice") };

describe("position", () => {
  test("of nothing", () => {
    expect(positionIn(EMPTY, SLOT)).toEqual(NO_POSITION);
  });

  test("what was promised, sold, held, bought, offered and bid for", () => {
    const portfolio: Portfolio = {
      ...EMPTY,
      promises: [
        promise("alice", 1_000), // Own and free.
        promise("alice", 200, { lock: { kind: "order", id: "o" } }), // Own and on offer.
        promise("alice", 300, { owner: keyOf("bob") }), // Own and sold: still owed.
        promise("bob", 400, bought), // Bought and free.
        promise("bob", 50, { ...bought, lock: { kind: "auction", id: "a" } }), // Bought and on auction again.
        promise("alice", 7_000, { slot: NEXT_SLOT }),
        promise("alice", 9_000, { delivered: wattHours(9_000) }), // Checked: over.
      ],
      orders: [
        order("bid", "alice", 600, 1),
        order("offer", "alice", 200, 1),
        order("bid", "alice", 9, 1, { slot: NEXT_SLOT }),
      ],
      auctions: [auction({ highestBidder: keyOf("alice") }), auction({ auctionId: "b", highestBidder: keyOf("bob") })],
    };
    expect(positionIn(portfolio, SLOT)).toEqual({
      promised: 1_500n,
      held: 1_400n,
      bought: 450n,
      offered: 250n,
      bidding: 600n + 1_500n,
      sold: 300n,
      coverable: 0n, // Bob's own promise can't be what covers him.
    });
  });

  test("what can be covered: what others hold free, as far as what is held suits", () => {
    const claims = { source: "solar", renewable: true, origin: null, gramsCo2PerKwh: null, certifiedBy: null } as const;
    const coverable = (...promises: Portfolio["promises"]): bigint =>
      positionIn({ ...EMPTY, promises }, SLOT).coverable;
    const sold = promise("alice", 300, { owner: keyOf("bob") });
    expect(coverable(sold, promise("carol", 200, bought))).toBe(200n);
    expect(coverable(sold, promise("carol", 400, bought))).toBe(300n);
    expect(coverable(sold, promise("carol", 400, { ...bought, slot: NEXT_SLOT }))).toBe(0n);
    expect(coverable(sold, promise("carol", 400, { ...bought, lock: { kind: "order", id: "o" } }))).toBe(0n);
    expect(coverable({ ...sold, claims }, promise("carol", 400, bought))).toBe(0n);
    expect(coverable(promise("carol", 400, bought))).toBe(0n);
  });
});

test("open auctions are those that still take bids", () => {
  const auctions = [
    auction(),
    auction({ auctionId: "over", status: "ended" }),
    auction({ auctionId: "own", seller: keyOf("alice") }),
  ];
  expect(openAuctionsIn({ ...EMPTY, auctions }).map(({ auctionId, isOwn }) => [auctionId, isOwn])).toEqual([
    ["auction", true],
    ["own", true],
  ]);
});
