/** What a pool's round comes to: tables worked by hand, and the laws that hold for any trades within the limits. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  orderLock,
  type PoolOrder,
  type PoolTrade,
  poolOutcome,
  poolPayments,
  promisesAfterTrades,
  ROUNDING_RESERVE,
  takeEnergy,
} from "#contracts";
import { InvariantError, micros, microsPerKwh, type PublicKey, wattHours } from "#core";
import { keyOf, NEXT_SLOT, order, promise, TRADES, VALID } from "#testkit";

const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n);
const trade = (bid: string, offer: string, energy: number | bigint, price: number | bigint): PoolTrade => ({
  bid,
  offer,
  energy: wattHours(energy),
  price: microsPerKwh(price),
});
/** An order that locks what it must. */
const locked = (
  side: "bid" | "offer",
  owner: string,
  energy: number,
  limit: number,
  patch: Partial<PoolOrder> = {},
): PoolOrder => {
  const unlocked = order(side, owner, energy, limit, patch);
  return { ...unlocked, locked: orderLock(unlocked) };
};
const states = (flow: "clear-pool"): readonly PoolOrder[] =>
  VALID[flow]()
    .resolved()
    .inputs.flatMap(({ state }) => (state.tag === "pool-order" ? [state] : []));

describe("what an order locks", () => {
  test.each([
    ["a bid: its limit, the fee and the reserve", "bid", 500, 200_000, 5_000, 100_000n + 2_500n + 1_000n],
    ["a bid of one watt-hour: each part rounded up", "bid", 1, 1_500, 1, 2n + 1n + 1_000n],
    ["a bid at nothing: the fee and the reserve", "bid", 500, 0, 5_000, 2_500n + 1_000n],
    ["a bid that is paid for buying: the reserve alone", "bid", 500, -200_000, 5_000, 1_000n],
    ["an offer at a price: nothing", "offer", 500, 200_000, 5_000, 0n],
    ["an offer at nothing: nothing", "offer", 500, 0, 5_000, 0n],
    ["an offer that may have to pay: that and the reserve", "offer", 500, -200_000, 5_000, 100_000n + 1_000n],
  ] as const)("%s", (_what, side, energy, limit, marketFee, expected) => {
    expect(
      orderLock({ side, energy: wattHours(energy), limit: microsPerKwh(limit), marketFee: microsPerKwh(marketFee) }),
    ).toBe(expected);
    expect(ROUNDING_RESERVE).toBe(1_000n);
  });
});

describe("a round, worked by hand", () => {
  test("the round of the valid example", () => {
    const outcome = poolOutcome(states("clear-pool"), TRADES, false);
    expect(outcome).toEqual({
      ok: true,
      value: {
        continuing: [order("offer", "alice", 200, 100_000)],
        payouts: new Map([
          [keyOf("alice"), 195_000n],
          [keyOf("bob"), 51_000n],
          [keyOf("carol"), 4_000n],
        ]),
        fees: 6_500n,
        unfilled: new Map([
          ["offer of alice", 200n],
          ["bid of bob", 0n],
          ["bid of carol", 0n],
        ]),
      },
    });
  });

  test("a bid that is filled in part goes on with a lock for what is left", () => {
    const orders = [locked("bid", "bob", 1_000, 200_000), locked("offer", "alice", 400, 100_000)];
    const outcome = poolOutcome(orders, [trade("bid of bob", "offer of alice", 400, 150_000)], false);
    // Of 206,000 bob pays 60,000 and 2,000 fee; 600 Wh need 120,000 + 3,000 + 1,000; 20,000 are free.
    expect(outcome.ok && outcome.value.continuing).toEqual([
      order("bid", "bob", 600, 200_000, { locked: micros(124_000) }),
    ]);
    expect(outcome.ok && [...outcome.value.payouts]).toEqual([
      [keyOf("bob"), 20_000n],
      [keyOf("alice"), 60_000n],
    ]);
  });

  test("in the final round everything goes back", () => {
    const orders = [locked("bid", "bob", 1_000, 200_000), locked("offer", "alice", 400, -100_000)];
    const outcome = poolOutcome(orders, [], true);
    expect(outcome.ok && outcome.value).toMatchObject({ continuing: [], fees: 0n });
    expect(outcome.ok && [...outcome.value.payouts.values()]).toEqual([206_000n, 41_000n]);
  });

  test("below zero the seller pays out of its lock, and the buyer is paid", () => {
    const orders = [locked("bid", "bob", 1_000, -50_000), locked("offer", "alice", 1_000, -100_000)];
    const outcome = poolOutcome(orders, [trade("bid of bob", "offer of alice", 1_000, -80_000)], true);
    // Alice locked 101,000 and pays 80,000; bob locked 1,000, is paid 80,000 and pays 5,000 fee.
    expect(outcome.ok && [...outcome.value.payouts.values()]).toEqual([76_000n, 21_000n]);
    expect(outcome.ok && outcome.value.fees).toBe(5_000n);
  });

  test("an owner with several orders is rounded once in each role", () => {
    const one = (id: string): Partial<PoolOrder> => ({ orderId: id, marketFee: microsPerKwh(300) });
    const orders = [
      locked("bid", "bob", 1, 1_500, one("b1")),
      locked("bid", "bob", 1, 1_500, one("b2")),
      locked("offer", "alice", 2, 0),
    ];
    const trades = [trade("b1", "offer of alice", 1, 1_500), trade("b2", "offer of alice", 1, 1_500)];
    const payments = poolPayments(orders, trades);
    expect([...payments.buyers.values(), ...payments.sellers.values()]).toEqual([3n, 3n]); // 2 × 1.5, not 2 + 2.
    expect([...payments.fees.values()]).toEqual([1n]); // 0.6 rounded up once.
  });
});

describe("refused rounds", () => {
  const orders = [
    locked("bid", "bob", 1_000, 200_000),
    locked("offer", "alice", 400, 100_000),
    locked("bid", "alice", 100, 300_000),
  ];
  test.each<readonly [string, readonly PoolOrder[], readonly PoolTrade[]]>([
    ["orders_share_an_id", [...orders, orders[0] as PoolOrder], []],
    ["trade_of_unknown_order", orders, [trade("bid of nobody", "offer of alice", 1, 150_000)]],
    ["trade_of_unknown_order", orders, [trade("offer of alice", "bid of bob", 1, 150_000)]],
    ["trade_energy_not_positive", orders, [trade("bid of bob", "offer of alice", 0, 150_000)]],
    ["trade_with_oneself", orders, [trade("bid of alice", "offer of alice", 1, 150_000)]],
    ["trade_beyond_limit", orders, [trade("bid of bob", "offer of alice", 1, 200_001)]],
    ["trade_beyond_limit", orders, [trade("bid of bob", "offer of alice", 1, 99_999)]],
    ["trade_beyond_order", orders, [trade("bid of bob", "offer of alice", 401, 150_000)]],
    [
      "trade_beyond_order",
      orders,
      [trade("bid of bob", "offer of alice", 400, 150_000), trade("bid of bob", "offer of alice", 1, 150_000)],
    ],
    [
      "trade_not_covered",
      [{ ...orders[0], locked: micros(61_999) } as PoolOrder, orders[1] as PoolOrder],
      [trade("bid of bob", "offer of alice", 400, 150_000)],
    ],
  ])("%s", (refusal, book, trades) => {
    expect(poolOutcome(book, trades, false)).toEqual({ ok: false, error: refusal });
  });
});

const OWNERS = ["ann", "ben", "cat", "dan"];
type Book = { readonly orders: readonly PoolOrder[]; readonly trades: readonly PoolTrade[] };

/** Orders of several owners at any prices and fees, and trades within their limits and energies, one price for each trade. */
const arbBook: fc.Arbitrary<Book> = fc
  .record({
    orders: fc.array(
      fc.record({
        side: fc.constantFrom("bid" as const, "offer" as const),
        owner: fc.constantFrom(...OWNERS),
        energy: fc.integer({ min: 1, max: 3_000 }),
        limit: fc.oneof(fc.integer({ min: -4_000, max: 4_000 }), fc.integer({ min: -500_000, max: 1_000_000 })),
        fee: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 50_000 })),
      }),
      { minLength: 1, maxLength: 10 },
    ),
    picks: fc.array(
      fc.record({
        bid: fc.nat(),
        offer: fc.nat(),
        part: fc.integer({ min: 1, max: 1_000 }),
        where: fc.integer({ min: 0, max: 100 }),
      }),
      { maxLength: 14 },
    ),
  })
  .map(({ orders: raw, picks }) => {
    const orders = raw.map(({ side, owner, energy, limit, fee }, index) =>
      locked(side, owner, energy, limit, { orderId: `o${index}`, marketFee: microsPerKwh(fee) }),
    );
    return { orders, trades: tradesOf(orders, picks) };
  });

type Pick = { readonly bid: number; readonly offer: number; readonly part: number; readonly where: number };

/** The trades that the picks make possible, in their order. */
function tradesOf(orders: readonly PoolOrder[], picks: readonly Pick[]): readonly PoolTrade[] {
  const left = new Map(orders.map(({ orderId, energy }) => [orderId, energy as bigint]));
  const bids = orders.filter(({ side }) => side === "bid");
  const offers = orders.filter(({ side }) => side === "offer");
  return picks.flatMap(({ bid, offer, part, where }) => {
    const [b, o] = [bids[bid % Math.max(1, bids.length)], offers[offer % Math.max(1, offers.length)]];
    if (b === undefined || o === undefined || b.owner === o.owner || b.limit < o.limit) return [];
    const possible = [left.get(b.orderId) ?? 0n, left.get(o.orderId) ?? 0n].reduce((x, y) => (x < y ? x : y));
    const energy = (possible * BigInt(part) + 999n) / 1_000n;
    if (energy === 0n) return [];
    for (const { orderId } of [b, o]) left.set(orderId, (left.get(orderId) ?? 0n) - energy);
    return [trade(b.orderId, o.orderId, energy, o.limit + ((b.limit - o.limit) * BigInt(where)) / 100n)];
  });
}

describe("laws of a round", () => {
  test("trades within limits are always covered, and money is conserved", () => {
    fc.assert(
      fc.property(arbBook, fc.boolean(), ({ orders, trades }, isFinal) => {
        const outcome = poolOutcome(orders, trades, isFinal);
        expect(outcome.ok).toBe(true);
        if (!outcome.ok) return;
        const { payouts, fees, continuing } = outcome.value;
        const before = sum(orders.map((each) => each.locked));
        expect(sum(payouts.values()) + fees + sum(continuing.map((each) => each.locked))).toBe(before);
        expect([...payouts.values()].every((amount) => amount > 0n) && fees >= 0n).toBe(true);
        expect(isFinal ? continuing.length : 0).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("energy is conserved, and an order that goes on is the same but for its energy and lock", () => {
    fc.assert(
      fc.property(arbBook, ({ orders, trades }) => {
        const outcome = poolOutcome(orders, trades, false);
        if (!outcome.ok) throw new Error(outcome.error);
        for (const each of orders) {
          const filled = sum(
            trades
              .filter(({ bid, offer }) => bid === each.orderId || offer === each.orderId)
              .map(({ energy }) => energy),
          );
          const after = outcome.value.continuing.find(({ orderId }) => orderId === each.orderId);
          expect(outcome.value.unfilled.get(each.orderId)).toBe(each.energy - filled);
          if (after === undefined) expect(filled).toBe(each.energy);
          else expect({ ...after, energy: each.energy, locked: each.locked }).toEqual(each);
        }
      }),
    );
  });

  test("nobody pays more than limit and fee, and no seller receives less than its limit, roundings aside", () => {
    fc.assert(
      fc.property(arbBook, ({ orders, trades }) => {
        const payments = poolPayments(orders, trades);
        const byId = new Map(orders.map((each) => [each.orderId, each]));
        for (const owner of OWNERS.map(keyOf)) {
          const bought = trades.filter(({ bid }) => byId.get(bid)?.owner === owner);
          const sold = trades.filter(({ offer }) => byId.get(offer)?.owner === owner);
          const most = sum(
            bought.map(({ bid, energy }) => energy * ((byId.get(bid)?.limit ?? 0n) + (byId.get(bid)?.marketFee ?? 0n))),
          );
          const least = sum(sold.map(({ offer, energy }) => energy * (byId.get(offer)?.limit ?? 0n)));
          const paid = (payments.buyers.get(owner) ?? 0n) + (payments.fees.get(owner) ?? 0n);
          expect(paid * 1_000n < most + 2_000n).toBe(true); // Price and fee are each rounded up: less than two micros.
          expect((payments.sellers.get(owner) ?? 0n) * 1_000n > least - 1_000n).toBe(true);
        }
        expect(sum(payments.buyers.values())).toBe(sum(payments.sellers.values()));
      }),
    );
  });
});

describe("the rounding reserve over many rounds", () => {
  /** Fills one watt-hour of each bid in every round, at the bid's limit: each round rounds price and fee against it. */
  function roundsUntilRefused(bids: readonly PoolOrder[], roundsMax: number): number {
    let orders: readonly PoolOrder[] = bids;
    for (let round = 0; round < roundsMax; round++) {
      const offers = orders.map(({ limit }, index) =>
        locked("offer", "seller", 1, Number(limit), { orderId: `offer ${index}` }),
      );
      const trades = orders.map(({ orderId, limit }, index) => trade(orderId, `offer ${index}`, 1, limit));
      const outcome = poolOutcome([...orders, ...offers], trades, false);
      if (!outcome.ok) return round;
      orders = outcome.value.continuing;
    }
    return roundsMax;
  }

  test.each([
    ["any price", 150_001, 5_001],
    ["the worst fractions", 1_001, 1_001],
    ["paid for buying, as much as the fee", -1_500, 1_500],
    ["paid for buying, a little more than the fee", -1_501, 1_500],
    ["paid for buying, without a fee", -1_999, 0],
    ["free", 0, 0],
  ])("suffices for 400 rounds of one watt-hour: %s", (_what, limit, fee) => {
    const bid = (id: string): PoolOrder =>
      locked("bid", "bob", 1_000, limit, { orderId: id, marketFee: microsPerKwh(fee) });
    expect(roundsUntilRefused([bid("one")], 400)).toBe(400);
  });

  test("is given back at the end, but for what the roundings took", () => {
    let book: readonly PoolOrder[] = [locked("bid", "bob", 300, 1_001, { marketFee: microsPerKwh(1_001) })];
    let paid = 0n;
    for (let round = 0; round < 300; round++) {
      const outcome = poolOutcome(
        [...book, locked("offer", "seller", 1, 0, { orderId: "offer" })],
        [trade("bid of bob", "offer", 1, 1_001)],
        round === 299,
      );
      if (!outcome.ok) throw new Error(outcome.error);
      paid += (outcome.value.payouts.get(keyOf("seller")) ?? 0n) + outcome.value.fees;
      book = outcome.value.continuing;
    }
    expect(book).toEqual([]);
    expect(paid).toBe(1_200n); // 300 × (2 + 2) instead of 300 × 2.002 = 600.6.
  });
});

describe("taking energy out of promises", () => {
  test.each<readonly [readonly number[], number, readonly bigint[], readonly bigint[]]>([
    [[10, 20], 0, [], [10n, 20n]],
    [[10, 20], 5, [5n], [5n, 20n]],
    [[10, 20], 10, [10n], [20n]],
    [[10, 20], 15, [10n, 5n], [15n]],
    [[10, 20], 30, [10n, 20n], []],
    [[], 0, [], []],
  ])("%j, taking %i: %s go, %s stay", (parts, energy, taken, left) => {
    const result = takeEnergy(
      parts.map((part) => ({ energy: wattHours(part) })),
      wattHours(energy),
    );
    expect(result.taken.map((part) => part.energy)).toEqual(taken);
    expect(result.left.map((part) => part.energy)).toEqual(left);
  });

  test("more than there is stops", () => {
    expect(() => takeEnergy([{ energy: wattHours(1) }], wattHours(2))).toThrow(InvariantError);
  });
});

describe("promises after a round", () => {
  const lock = (id: string) => ({ lock: { kind: "order" as const, id } });
  const offers = [order("offer", "alice", 1_500, 0), order("offer", "dave", 300, 0)];
  const bids = [order("bid", "bob", 1_000, 0), order("bid", "carol", 600, 0)];
  const promises = [
    promise("alice", 1_200, { promiseId: "a1", ...lock("offer of alice") }),
    promise("erin", 300, { promiseId: "e", owner: keyOf("dave"), ...lock("offer of dave") }),
    promise("alice", 300, { promiseId: "a2", ...lock("offer of alice") }),
    promise("alice", 7, { promiseId: "elsewhere", slot: NEXT_SLOT, ...lock("another order") }),
  ];
  const trades = [
    trade("bid of bob", "offer of alice", 1_000, 0),
    trade("bid of carol", "offer of dave", 300, 0),
    trade("bid of carol", "offer of alice", 300, 0),
  ];

  test("each trade takes from its own offer, first promise first; the rest stays locked or comes free", () => {
    const after = promisesAfterTrades(promises, [...offers, ...bids], trades, [offers[0] as PoolOrder]);
    const shown = after.map(({ promiseId, energy, owner, lock: held }) => [
      promiseId,
      energy,
      owner,
      held?.id ?? "free",
    ]);
    expect(shown).toEqual([
      ["elsewhere", 7n, keyOf("alice"), "another order"],
      ["a1", 1_000n, keyOf("bob"), "free"],
      ["e", 300n, keyOf("carol"), "free"],
      ["a1", 200n, keyOf("carol"), "free"],
      ["a2", 100n, keyOf("carol"), "free"],
      ["a2", 200n, keyOf("alice"), "offer of alice"],
    ]);
    expect(promisesAfterTrades(promises, [...offers, ...bids], trades, []).at(-1)?.lock).toBeNull();
  });

  test("selling more than the promises hold, or to an unknown bid, stops", () => {
    expect(() =>
      promisesAfterTrades(promises, [...offers, ...bids], [trade("bid of bob", "offer of dave", 301, 0)], []),
    ).toThrow(InvariantError);
    expect(() =>
      promisesAfterTrades(promises, [...offers, ...bids], [trade("bid of nobody", "offer of dave", 1, 0)], []),
    ).toThrow(InvariantError);
  });

  test("energy, lineage and supplier are conserved for any trades", () => {
    fc.assert(
      fc.property(arbBook, ({ orders, trades: any }) => {
        const held = orders
          .filter(({ side }) => side === "offer")
          .map(({ orderId, owner, energy }) => ({
            ...promise("x", energy, { promiseId: `of ${orderId}`, ...lock(orderId) }),
            owner,
          }));
        const outcome = poolOutcome(orders, any, false);
        if (!outcome.ok) throw new Error(outcome.error);
        const after = promisesAfterTrades(held, orders, any, outcome.value.continuing);
        const byOwner = (owner: PublicKey): bigint =>
          sum(after.filter((each) => each.owner === owner).map(({ energy }) => energy));
        for (const owner of OWNERS.map(keyOf)) {
          const own = sum(held.filter((each) => each.owner === owner).map(({ energy }) => energy));
          const bought = sum(
            any
              .filter(({ bid }) => orders.find(({ orderId }) => orderId === bid)?.owner === owner)
              .map(({ energy }) => energy),
          );
          const sold = sum(
            any
              .filter(({ offer }) => orders.find(({ orderId }) => orderId === offer)?.owner === owner)
              .map(({ energy }) => energy),
          );
          expect(byOwner(owner)).toBe(own + bought - sold);
        }
        for (const { promiseId, energy } of held)
          expect(sum(after.filter((each) => each.promiseId === promiseId).map((each) => each.energy))).toBe(energy);
      }),
    );
  });
});
