/** Trading methods (pure), order books and the marketplace service. */
export { CANCEL_REFUSALS, type CancelRefusal, OrderBook } from "./book.ts";
export {
  type Book,
  CLEARING_REFUSALS,
  type Clearing,
  type ClearingRefusal,
  checkBook,
  meritOrderChart,
  type Order,
  type OrderDraft,
  payAsBid,
  payAsClear,
  type Side,
  TRADING_METHODS,
  type Trade,
  type TradingMethod,
  tradingMethod,
} from "./clearing/index.ts";
export { admissionPolicy, Marketplace, type MarketplaceOptions, type RoundProblem } from "./service.ts";
