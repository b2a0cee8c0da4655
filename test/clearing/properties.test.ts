/** Laws of the pool's trading methods, against answers found by trying everything. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microsPerKwh, paymentsOf, wattHours } from "#core";
import {
  type Book,
  type Clearing,
  clearingInterval,
  type Order,
  payAsClear,
  remainingBook,
  TRADING_METHODS,
} from "../../marketplace/clearing/index.ts";
import { bestOutcome, equilibriumPrices, halfRoundedDown } from "./oracle.ts";

/** Few prices and energies, so that ties and exact exhaustion are common. */
function arbSide(prefix: string, limitMax: number): fc.Arbitrary<readonly Order[]> {
  const arbOrder = fc.record({
    limit: fc.integer({ min: -limitMax, max: limitMax }),
    energy: fc.integer({ min: 1, max: 5 }),
    sequence: fc.nat(3),
    owner: fc.nat(2),
  });
  return fc.array(arbOrder, { maxLength: 6 }).map((orders) =>
    orders.map(({ limit, energy, sequence, owner }, index) => ({
      id: `${prefix}${index}`,
      owner: `${prefix} owner ${owner}`,
      limit: microsPerKwh(limit),
      energy: wattHours(energy),
      sequence,
    })),
  );
}

const arbBook: fc.Arbitrary<Book> = fc
  .constantFrom(2, 6, 40)
  .chain((limitMax) => fc.record({ bids: arbSide("b", limitMax), offers: arbSide("o", limitMax) }));

function arbShuffled(book: Book): fc.Arbitrary<Book> {
  return fc.record({
    bids: fc.shuffledSubarray([...book.bids], { minLength: book.bids.length }),
    offers: fc.shuffledSubarray([...book.offers], { minLength: book.offers.length }),
  });
}

const arbBookAndShuffled = arbBook.chain((book) => fc.tuple(fc.constant(book), arbShuffled(book)));

/** The book as handed over without arrival numbers: the place in the list counts. */
function arrivingAsListed(book: Book): Book {
  const listed = (orders: readonly Order[]): readonly Order[] =>
    orders.map((order, sequence) => ({ ...order, sequence }));
  return { bids: listed(book.bids), offers: listed(book.offers) };
}

function totals({ price, volume, welfare }: Clearing): object {
  return { price, volume, welfare };
}

function byId(orders: readonly Order[]): ReadonlyMap<string, Order> {
  return new Map(orders.map((order) => [order.id, order]));
}

function orderOf(orders: ReadonlyMap<string, Order>, id: string): Order {
  const order = orders.get(id);
  if (order === undefined) throw new Error(`a trade names ${id}, which is not in the book`);
  return order;
}

const RUNS = { numRuns: 400 };

describe("pay-as-clear against trying everything", () => {
  test("no allocation has more welfare, and none of that welfare has more volume", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        const { welfare, volume } = payAsClear.clear(book);
        expect({ welfare, volume }).toEqual(bestOutcome(book));
      }),
      RUNS,
    );
  });

  test("the interval is exactly the prices at which its volume is an equilibrium, and the price is its middle rounded down", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        const { price, volume } = payAsClear.clear(book);
        const prices = equilibriumPrices(book, volume);
        const [low, high] = [prices[0], prices.at(-1)];
        expect(clearingInterval(book)).toEqual(low === undefined ? null : { low, high });
        expect(price).toBe(low === undefined || high === undefined ? null : halfRoundedDown(low + high));
      }),
      RUNS,
    );
  });
});

describe.each(TRADING_METHODS)("$name", (method) => {
  test("no trade is beyond either limit, no order is filled beyond its energy, and the sums are those of the trades", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        const { trades, volume, welfare } = method.clear(book);
        const [bids, offers] = [byId(book.bids), byId(book.offers)];
        let traded = 0n;
        let gained = 0n;
        for (const { bid, offer, energy, price } of trades) {
          const [buying, selling] = [orderOf(bids, bid), orderOf(offers, offer)];
          expect(selling.limit <= price && price <= buying.limit && energy > 0n).toBe(true);
          traded += energy;
          gained += energy * (buying.limit - selling.limit);
        }
        expect({ volume, welfare }).toEqual({ volume: traded, welfare: gained });
        const left = remainingBook(book, trades); // Throws when an order is overfilled.
        for (const side of ["bids", "offers"] as const) {
          const energyIn = (orders: readonly Order[]): bigint => orders.reduce((sum, { energy }) => sum + energy, 0n);
          expect(energyIn(left[side])).toBe(energyIn(book[side]) - traded);
        }
      }),
      RUNS,
    );
  });

  test("nothing is left that could still trade", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        expect(method.clear(remainingBook(book, method.clear(book).trades))).toEqual({
          price: null,
          volume: 0n,
          welfare: 0n,
          trades: [],
        });
      }),
    );
  });

  test("money in equals money out", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        const [bids, offers] = [byId(book.bids), byId(book.offers)];
        const priced = method.clear(book).trades.map(({ bid, offer, energy, price }) => ({
          buyer: orderOf(bids, bid).owner,
          seller: orderOf(offers, offer).owner,
          energy,
          price,
        }));
        const { buyers, sellers } = paymentsOf(priced);
        const sum = (amounts: ReadonlyMap<string, bigint>): bigint =>
          [...amounts.values()].reduce((total, amount) => total + amount, 0n);
        expect(sum(buyers)).toBe(sum(sellers));
      }),
    );
  });

  test("with arrival numbers the order of the lists changes nothing at all", () => {
    fc.assert(
      fc.property(arbBookAndShuffled, ([book, shuffled]) => {
        expect(method.clear(shuffled)).toEqual(method.clear(book));
      }),
      RUNS,
    );
  });

  test("without arrival numbers the order of the lists changes neither volume nor welfare nor price", () => {
    fc.assert(
      fc.property(arbBookAndShuffled, ([book, shuffled]) => {
        expect(totals(method.clear(arrivingAsListed(shuffled)))).toEqual(totals(method.clear(arrivingAsListed(book))));
      }),
      RUNS,
    );
  });

  test("energy in another unit gives the same trades in that unit", () => {
    fc.assert(
      fc.property(arbBook, fc.bigInt({ min: 2n, max: 10n ** 9n }), (book, factor) => {
        const scale = (orders: readonly Order[]): readonly Order[] =>
          orders.map((order) => ({ ...order, energy: wattHours(order.energy * factor) }));
        const { price, volume, welfare, trades } = method.clear(book);
        expect(method.clear({ bids: scale(book.bids), offers: scale(book.offers) })).toEqual({
          price,
          volume: volume * factor,
          welfare: welfare * factor,
          trades: trades.map((trade) => ({ ...trade, energy: trade.energy * factor })),
        });
      }),
    );
  });

  test("all limits moved by one amount move every price by it", () => {
    fc.assert(
      fc.property(arbBook, fc.bigInt({ min: -1_000n, max: 1_000n }), (book, shift) => {
        const move = (orders: readonly Order[]): readonly Order[] =>
          orders.map((order) => ({ ...order, limit: microsPerKwh(order.limit + shift) }));
        const { price, volume, welfare, trades } = method.clear(book);
        expect(method.clear({ bids: move(book.bids), offers: move(book.offers) })).toEqual({
          price: price === null ? null : price + shift,
          volume,
          welfare,
          trades: trades.map((trade) => ({ ...trade, price: trade.price + shift })),
        });
      }),
    );
  });

  test("prices in another unit give the same matches and the interval in that unit", () => {
    fc.assert(
      fc.property(arbBook, fc.bigInt({ min: 2n, max: 1_000n }), (book, factor) => {
        const scale = (orders: readonly Order[]): readonly Order[] =>
          orders.map((order) => ({ ...order, limit: microsPerKwh(order.limit * factor) }));
        const scaled = { bids: scale(book.bids), offers: scale(book.offers) };
        const matches = (clearing: Clearing): object =>
          clearing.trades.map(({ bid, offer, energy }) => ({ bid, offer, energy }));
        expect(matches(method.clear(scaled))).toEqual(matches(method.clear(book)));
        const interval = clearingInterval(book);
        expect(clearingInterval(scaled)).toEqual(
          interval === null ? null : { low: interval.low * factor, high: interval.high * factor },
        );
      }),
    );
  });

  test("an order given in two pieces changes neither volume nor welfare nor price", () => {
    fc.assert(
      fc.property(arbBook, (book) => {
        const halve = (orders: readonly Order[]): readonly Order[] =>
          orders.flatMap((order) => {
            if (order.energy < 2n) return [order];
            const half = wattHours(order.energy / 2n);
            return [
              { ...order, energy: half },
              { ...order, id: `${order.id} rest`, energy: wattHours(order.energy - half) },
            ];
          });
        expect(totals(method.clear({ bids: halve(book.bids), offers: halve(book.offers) }))).toEqual(
          totals(method.clear(book)),
        );
      }),
    );
  });
});

test("both methods match the same orders", () => {
  fc.assert(
    fc.property(arbBook, (book) => {
      const matches = TRADING_METHODS.map((method) =>
        method.clear(book).trades.map(({ bid, offer, energy }) => ({ bid, offer, energy })),
      );
      expect(matches[1]).toEqual(matches[0]);
    }),
  );
});

test("4,000 bids and 4,000 offers clear in one call", () => {
  const side = (prefix: string, factor: number): readonly Order[] =>
    Array.from({ length: 4_000 }, (_, index) => ({
      id: `${prefix}${index}`,
      owner: `${prefix} owner ${index % 50}`,
      limit: microsPerKwh(50_000 + ((index * factor) % 300_000)),
      energy: wattHours(100 + ((index * 31) % 900)),
      sequence: index,
    }));
  const book = { bids: side("b", 7_919), offers: side("o", 104_729) };
  const { trades } = payAsClear.clear(book);
  expect(trades.length).toBeGreaterThan(2_000);
});
