/** Pool clearing: orders, admission to a book, trading methods. Pure: no clock, no randomness, no I/O. */
export {
  admitOrder,
  admitOrders,
  BOOK_LIMITS,
  type BookLimits,
  CLEARING_REFUSALS,
  type ClearingRefusal,
  checkBook,
  type DraftBook,
  type OrderDraft,
  type RefusedOrder,
} from "./admission.ts";
export { type ChartSize, meritOrderChart } from "./chart.ts";
export type { PriceInterval } from "./matching.ts";
export {
  clearingInterval,
  payAsBid,
  payAsClear,
  TRADING_METHODS,
  type TradingMethod,
  tradingMethod,
} from "./methods.ts";
export {
  type Book,
  type Clearing,
  compareArrival,
  compareBids,
  compareOffers,
  type Order,
  type Side,
  type Trade,
} from "./orders.ts";
export { remainingBook } from "./remaining.ts";
