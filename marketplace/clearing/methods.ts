/** The pool's trading methods. Each is a pure function of an admitted book; the ledger re-checks what it returns. */
import { midpointFloor } from "#core";
import { type Match, matchBook, type PriceInterval, priceInterval } from "./matching.ts";
import type { Book, Clearing, Trade } from "./orders.ts";

/** A way to turn a book into trades. The same book gives the same trades, in whatever order it lists its orders. */
export interface TradingMethod {
  readonly name: string;
  /** @throws InvariantError for a book that `checkBook` refuses for an order without energy or an id used twice. */
  clear(book: Book): Clearing;
}

/**
 * One price for all: the midpoint, rounded down, of the interval that the orders at the margin leave open.
 * Welfare and volume are the largest possible.
 */
export const payAsClear: TradingMethod = Object.freeze({
  name: "pay-as-clear",
  clear(book: Book): Clearing {
    const matching = matchBook(book);
    const interval = priceInterval(matching);
    const price = interval === null ? null : midpointFloor(interval.low, interval.high);
    const trades = price === null ? [] : matching.matches.map((match) => tradeOf(match, price));
    return { price, volume: matching.volume, welfare: matching.welfare, trades };
  },
});

/** The trades and the volume of pay-as-clear, each at its bid's limit; so there is no one price. */
export const payAsBid: TradingMethod = Object.freeze({
  name: "pay-as-bid",
  clear(book: Book): Clearing {
    const { matches, volume, welfare } = matchBook(book);
    return { price: null, volume, welfare, trades: matches.map((match) => tradeOf(match, match.bid.limit)) };
  },
});

/** The pool's built-in methods. */
export const TRADING_METHODS: readonly TradingMethod[] = Object.freeze([payAsClear, payAsBid]);

/** The built-in method of that name. */
export function tradingMethod(name: string): TradingMethod | undefined {
  return TRADING_METHODS.find((method) => method.name === name);
}

/** The interval of which pay-as-clear takes the midpoint; null when nothing trades. */
export function clearingInterval(book: Book): PriceInterval | null {
  return priceInterval(matchBook(book));
}

function tradeOf({ bid, offer, energy }: Match, price: Trade["price"]): Trade {
  return { bid: bid.id, offer: offer.id, energy, price };
}
