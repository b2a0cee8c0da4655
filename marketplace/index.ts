/** Trading methods (pure), order books and the marketplace service. */
export { CANCEL_REFUSALS, type CancelRefusal, OrderBook } from "./book.ts";
export {
  type Book,
  checkBook,
  type Clearing,
  CLEARING_REFUSALS,
  type ClearingRefusal,
  meritOrderChart,
  type Order,
  type OrderDraft,
  payAsBid,
  payAsClear,
  type Side,
  type Trade,
  TRADING_METHODS,
  type TradingMethod,
  tradingMethod,
} from "./clearing/index.ts";
export { admissionPolicy, Marketplace, type MarketplaceOptions, type RoundProblem } from "./service.ts";
