/** Tie cases worked by hand. docs/market-rules.md names these tests. */
import { describe, expect, test } from "vitest";
import { type MicrosPerKwh, microsPerKwh, wattHours } from "#core";
import { type Book, clearingInterval, type Order, payAsBid, payAsClear } from "./index.ts";

/** `[id, limit, energy, sequence]`; each order has an owner of its own. */
type Row = readonly [id: string, limit: number, energy: number, sequence?: number];
type Case = {
  readonly name: string;
  readonly bids: readonly Row[];
  readonly offers: readonly Row[];
  /** Null: nothing trades. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly price: number | null;
  readonly welfare: number;
  /** `[bid, offer, energy]`, best bid with best offer first. */
  readonly trades: readonly (readonly [bid: string, offer: string, energy: number])[];
};

const CASES: readonly Case[] = [
  {
    name: "a single order on each side trades at the middle",
    bids: [["b", 30, 10]],
    offers: [["o", 20, 10]],
    interval: [20, 30],
    price: 25,
    welfare: 100,
    trades: [["b", "o", 10]],
  },
  {
    name: "an odd middle is rounded down",
    bids: [["b", 25, 10]],
    offers: [["o", 20, 10]],
    interval: [20, 25],
    price: 22,
    welfare: 50,
    trades: [["b", "o", 10]],
  },
  {
    name: "bids below offers do not trade",
    bids: [["b", 19, 10]],
    offers: [["o", 20, 10]],
    interval: null,
    price: null,
    welfare: 0,
    trades: [],
  },
  {
    name: "a book with bids only does not trade",
    bids: [["b", 19, 10]],
    offers: [],
    interval: null,
    price: null,
    welfare: 0,
    trades: [],
  },
  {
    name: "a book with offers only does not trade",
    bids: [],
    offers: [["o", 20, 10]],
    interval: null,
    price: null,
    welfare: 0,
    trades: [],
  },
  { name: "an empty book does not trade", bids: [], offers: [], interval: null, price: null, welfare: 0, trades: [] },
  {
    name: "a bid at the offer's price trades, for no welfare",
    bids: [["b", 20, 10]],
    offers: [["o", 20, 10]],
    interval: [20, 20],
    price: 20,
    welfare: 0,
    trades: [["b", "o", 10]],
  },
  {
    // The first 10 Wh earn 10 each; the next 5 earn nothing and trade all the same.
    name: "of equal welfare the larger volume is taken",
    bids: [
      ["b1", 30, 10],
      ["b2", 20, 5],
    ],
    offers: [["o", 20, 15]],
    interval: [20, 20],
    price: 20,
    welfare: 100,
    trades: [
      ["b1", "o", 10],
      ["b2", "o", 5],
    ],
  },
  {
    name: "of bids at one price the earlier arrival goes first",
    bids: [
      ["a", 30, 10, 2],
      ["z", 30, 10, 1],
    ],
    offers: [["o", 20, 10]],
    interval: [30, 30],
    price: 30,
    welfare: 100,
    trades: [["z", "o", 10]],
  },
  {
    name: "of offers at one price the earlier arrival goes first",
    bids: [["b", 30, 10]],
    offers: [
      ["a", 20, 10, 2],
      ["z", 20, 10, 1],
    ],
    interval: [20, 20],
    price: 20,
    welfare: 100,
    trades: [["b", "z", 10]],
  },
  {
    name: "of bids at one price and arrival the lower id goes first",
    bids: [
      ["y", 30, 10, 1],
      ["x", 30, 10, 1],
    ],
    offers: [["o", 20, 10]],
    interval: [30, 30],
    price: 30,
    welfare: 100,
    trades: [["x", "o", 10]],
  },
  {
    name: "of offers at one price and arrival the lower id goes first",
    bids: [["b", 30, 10]],
    offers: [
      ["y", 20, 10, 1],
      ["x", 20, 10, 1],
    ],
    interval: [20, 20],
    price: 20,
    welfare: 100,
    trades: [["b", "x", 10]],
  },
  {
    // By code unit "B" < "a", and "b10" < "b9": no locale, no numbers in names.
    name: "ids are compared by code unit",
    bids: [
      ["a", 30, 10, 1],
      ["B", 30, 10, 1],
      ["b9", 25, 10, 1],
      ["b10", 25, 10, 1],
    ],
    offers: [["o", 20, 30]],
    interval: [25, 25],
    price: 25,
    welfare: 250,
    trades: [
      ["B", "o", 10],
      ["a", "o", 10],
      ["b10", "o", 10],
    ],
  },
  {
    name: "a better price goes before an earlier arrival",
    bids: [
      ["early", 25, 10, 1],
      ["dear", 30, 10, 9],
    ],
    offers: [["o", 20, 10]],
    interval: [25, 30],
    price: 27,
    welfare: 100,
    trades: [["dear", "o", 10]],
  },
  {
    name: "a bid filled in part at the margin sets the price",
    bids: [
      ["b1", 30, 10],
      ["b2", 26, 10],
    ],
    offers: [["o", 20, 15]],
    interval: [26, 26],
    price: 26,
    welfare: 130,
    trades: [
      ["b1", "o", 10],
      ["b2", "o", 5],
    ],
  },
  {
    name: "an offer filled in part at the margin sets the price",
    bids: [["b", 30, 15]],
    offers: [
      ["o1", 20, 10],
      ["o2", 24, 10],
    ],
    interval: [24, 24],
    price: 24,
    welfare: 130,
    trades: [
      ["b", "o1", 10],
      ["b", "o2", 5],
    ],
  },
  {
    // Accepted: bids 30, 28; offers 20, 22. Rejected: bid 21, offer 27. So max(21, 22) and min(28, 27).
    name: "with both sides exhausted the rejected orders bound the price too",
    bids: [
      ["b1", 30, 10],
      ["b2", 28, 5],
      ["b3", 21, 10],
    ],
    offers: [
      ["o1", 20, 5],
      ["o2", 22, 10],
      ["o3", 27, 10],
    ],
    interval: [22, 27],
    price: 24,
    welfare: 120,
    trades: [
      ["b1", "o1", 5],
      ["b1", "o2", 5],
      ["b2", "o2", 5],
    ],
  },
  {
    name: "a rejected bid above the accepted offers lifts the price",
    bids: [
      ["b1", 30, 10],
      ["b2", 28, 10],
    ],
    offers: [["o1", 20, 10]],
    interval: [28, 30],
    price: 29,
    welfare: 100,
    trades: [["b1", "o1", 10]],
  },
  {
    name: "a rejected order at the accepted one's price leaves one price",
    bids: [
      ["b1", 30, 10, 1],
      ["b2", 30, 10, 2],
    ],
    offers: [["o1", 20, 10]],
    interval: [30, 30],
    price: 30,
    welfare: 100,
    trades: [["b1", "o1", 10]],
  },
  {
    // Sellers pay to be rid of energy: the middle of -30 and -15 is -22.5, rounded down -23.
    name: "negative prices clear, and their middle is rounded down too",
    bids: [["b", -15, 10]],
    offers: [["o", -30, 10]],
    interval: [-30, -15],
    price: -23,
    welfare: 150,
    trades: [["b", "o", 10]],
  },
  {
    name: "an interval around zero has its middle rounded down",
    bids: [["b", 2, 10]],
    offers: [["o", -3, 10]],
    interval: [-3, 2],
    price: -1,
    welfare: 50,
    trades: [["b", "o", 10]],
  },
];

function orders(rows: readonly Row[]): readonly Order[] {
  return rows.map(([id, limit, energy, sequence = 0]) => ({
    id,
    owner: `owner of ${id}`,
    limit: microsPerKwh(limit),
    energy: wattHours(energy),
    sequence,
  }));
}

function bookOf({ bids, offers }: Case): Book {
  return { bids: orders(bids), offers: orders(offers) };
}

function tradesAt(each: Case, priceOf: (bid: string) => MicrosPerKwh): readonly object[] {
  return each.trades.map(([bid, offer, energy]) => ({ bid, offer, energy: wattHours(energy), price: priceOf(bid) }));
}

describe.each(CASES)("$name", (each) => {
  const volume = wattHours(each.trades.reduce((sum, [, , energy]) => sum + energy, 0));

  test("pay-as-clear", () => {
    const price = each.price === null ? null : microsPerKwh(each.price);
    const trades = tradesAt(each, () => microsPerKwh(each.price ?? Number.NaN));
    expect(payAsClear.clear(bookOf(each))).toEqual({ price, volume, welfare: BigInt(each.welfare), trades });
    const [low, high] = each.interval ?? [];
    expect(clearingInterval(bookOf(each))).toEqual(
      low === undefined || high === undefined ? null : { low: BigInt(low), high: BigInt(high) },
    );
  });

  test("pay-as-bid", () => {
    const limitOf = (bid: string): MicrosPerKwh =>
      microsPerKwh(each.bids.find(([id]) => id === bid)?.[1] ?? Number.NaN);
    expect(payAsBid.clear(bookOf(each))).toEqual({
      price: null,
      volume,
      welfare: BigInt(each.welfare),
      trades: tradesAt(each, limitOf),
    });
  });
});

describe("a book that was not admitted stops the clearing", () => {
  const good: Case = {
    name: "",
    bids: [["b", 3, 1]],
    offers: [["o", 2, 1]],
    interval: null,
    price: null,
    welfare: 0,
    trades: [],
  };

  test("an order without energy", () => {
    expect(() => payAsClear.clear(bookOf({ ...good, bids: [["b", 3, 0]] }))).toThrow("an order in a book has energy");
  });

  test("an id used on both sides", () => {
    expect(() => payAsBid.clear(bookOf({ ...good, bids: [["o", 3, 1]] }))).toThrow(
      "an order's id occurs once in a book",
    );
  });
});
