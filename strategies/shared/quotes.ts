/**
 * What homes and plants do in the pools, given the quantiles of their surplus: promise and offer where there is some, order
 * where there is a need, and put both right at the gate with the newest forecast.
 */
import { addEnergy, energyAbove, NO_ENERGY, type SlotId } from "#core";
import type { StrategyContext, Tariff } from "../strategy.ts";
import type { Desk, Lot, Quote } from "./desk.ts";
import { buyLimit, type NeedView, needWish, ordersFor } from "./need.ts";
import type { PoolRound } from "./prices.ts";
import { mirrored } from "./quantiles.ts";
import { rememberGate, type SaleMemory } from "./sales.ts";
import { gateLimit, offerLimit, promiseBestFirst, type SupplyView, supplyWish } from "./supply.ts";

/** On which sides a member trades: who sells remembers its sales. Each side brings the context with its own configuration. */
export type Sides = {
  readonly sells?: { readonly view: SupplyView; readonly sales: SaleMemory };
  readonly buys?: { readonly view: NeedView };
};

/** A slot, what is left over in it, and what may be bought for a battery. */
export type SlotOutlook = {
  readonly slotId: SlotId;
  /** Quantiles of what goes to the grid (negative: comes from it), as far as the battery is planned. */
  readonly surplus: Float64Array;
  /** What the battery would take up beyond that, and what it is worth paying for it. */
  readonly storing?: Lot;
};

type BuyingQuote = Omit<Quote, "offers"> & { readonly tooMuch: Lot };

/** The slots of a day for which there is a forecast, with the quantiles of their surplus. */
export function outlooksOf(ctx: Pick<StrategyContext<unknown, unknown>, "forecast">, slotIds: readonly SlotId[]): readonly SlotOutlook[] {
  return slotIds.flatMap((slotId) => {
    const surplus = ctx.forecast(slotId)?.surplusWh;
    return surplus === undefined ? [] : [{ slotId, surplus }];
  });
}

/** Promises where the funds bring most, offers what is promised, orders what is needed. */
export function quoteAll(sides: Sides, desk: Desk, outlooks: readonly SlotOutlook[], tariffOf: (slotId: SlotId) => Tariff | undefined, round: PoolRound): void {
  const before = outlooks.map(({ slotId }) => desk.book(slotId).promised);
  promiseAll(sides, desk, outlooks, round);
  for (const [index, outlook] of outlooks.entries()) {
    const { slotId } = outlook;
    const tariff = tariffOf(slotId);
    if (tariff !== undefined) quoteSlot(sides, desk, outlook, tariff, round);
    if (round === "final" && sides.sells !== undefined) rememberGate(sides.sells.sales, slotId, before[index] ?? NO_ENERGY, desk.unsold(slotId));
  }
}

/** Promises the critical quantile of each slot, as far as the funds reach. */
export function promiseAll({ sells }: Sides, desk: Desk, outlooks: readonly SlotOutlook[], round: PoolRound): void {
  if (sells === undefined) return;
  promiseBestFirst(desk, sells.sales, outlooks.map(({ slotId, surplus }) => supplyWish(sells.view, sells.sales, slotId, surplus, round)));
}

/** Puts a slot's open offers and orders right; promises nothing. `reprice` also replaces those whose limits may be wrong. */
export function quoteSlot(sides: Sides, desk: Desk, outlook: SlotOutlook, tariff: Tariff, round: PoolRound, reprice: boolean = round === "final"): void {
  const buying = sides.buys === undefined ? { tooMuch: undefined } : buyingQuote(sides.buys.view, desk, outlook, tariff, round);
  const sellLimit = sides.sells === undefined ? undefined : (round === "final" ? gateLimit : offerLimit)(sides.sells.view, tariff);
  const own = sellLimit === undefined ? undefined : { energy: desk.unsold(outlook.slotId), limit: sellLimit };
  desk.quote(outlook.slotId, { ...buying, offers: together(own, buying.tooMuch), reprice });
}

/** One offer for both: the ledger splits what is held once per slot and transaction. */
function together(own: Lot | undefined, tooMuch: Lot | undefined): readonly Lot[] {
  const lots = [own, tooMuch].filter((lot): lot is Lot => lot !== undefined && lot.energy > 0n);
  const [first, second] = lots;
  if (first === undefined || second === undefined) return lots;
  return [{ energy: addEnergy(first.energy, second.energy), limit: first.limit < second.limit ? first.limit : second.limit }];
}

/** Orders what is still missing; before the final round, offers what is too much. */
function buyingQuote(view: NeedView, desk: Desk, { slotId, surplus, storing }: SlotOutlook, tariff: Tariff, round: PoolRound): BuyingQuote {
  const wish = needWish(view, slotId, mirrored(surplus), tariff, round);
  const { bought, auctionBidding } = desk.book(slotId);
  const covered = addEnergy(bought, auctionBidding);
  const orders = ordersFor(wish, covered, view.config.tradeWhMin);
  const toStore = storing === undefined ? NO_ENERGY : energyAbove(storing.energy, energyAbove(covered, wish.target));
  const tooMuch = round === "final" ? energyAbove(bought, addEnergy(wish.keep, storing?.energy ?? NO_ENERGY)) : NO_ENERGY;
  const highest = buyLimit(view, tariff);
  const limit = storing === undefined || storing.limit > highest ? highest : storing.limit;
  return {
    tooMuch: { energy: tooMuch, limit: wish.resaleLimit },
    orders: limit < tariff.feedIn ? orders : [...orders, { energy: toStore, limit }],
    openOrderLimit: tariff.feedIn, // No order's limit is lower, so at least as much is free again.
  };
}
