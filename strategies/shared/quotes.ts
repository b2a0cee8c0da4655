/**
 * What homes and plants do in the pools, given the quantiles of their surplus: promise and offer where there is some, order
 * where there is a need, and put both right at the gate with the newest forecast.
 */
import { energyAbove, minEnergy, NO_ENERGY, type SlotId, subtractEnergy, type WattHours } from "#core";
import type { StrategyContext, Tariff } from "../strategy.ts";
import { wholeWattHours } from "./amounts.ts";
import { type CoverView, coverWish, coverWithHeld } from "./covers.ts";
import type { Desk, Lot, Quote } from "./desk.ts";
import { type NeedView, needWish } from "./need.ts";
import type { PoolRound } from "./prices.ts";
import { mirrored } from "./quantiles.ts";
import { rememberGate, type SaleMemory } from "./sales.ts";
import { gateLimit, offerLimit, promiseBestFirst, type SupplyView, supplyWish } from "./supply.ts";

/** On which sides a member trades: who sells remembers its sales. Each side brings the context with its own configuration. */
export type Sides = {
  readonly sells?: { readonly view: SupplyView; readonly sales: SaleMemory };
  readonly buys?: { readonly view: NeedView };
  readonly covers?: { readonly view: CoverView };
};

/** A slot, what is left over in it, and what of the need is for a battery. */
export type SlotOutlook = {
  readonly slotId: SlotId;
  /** Quantiles of what goes to the grid (negative: comes from it), battery included. */
  readonly surplus: Float64Array;
  /** The part of the need that a battery takes up, and what it is worth paying for it. */
  readonly storing?: Lot;
};

/** The slots of a day for which there is a forecast, with the quantiles of their surplus. */
export function outlooksOf(
  ctx: Pick<StrategyContext<unknown, unknown>, "forecast">,
  slotIds: readonly SlotId[],
): readonly SlotOutlook[] {
  return slotIds.flatMap((slotId) => {
    const surplus = ctx.forecast(slotId)?.surplusWh;
    return surplus === undefined ? [] : [{ slotId, surplus }];
  });
}

/** Promises where the funds bring most, offers what is promised, orders what is needed. */
export function quoteAll(
  sides: Sides,
  desk: Desk,
  outlooks: readonly SlotOutlook[],
  tariffOf: (slotId: SlotId) => Tariff | undefined,
  round: PoolRound,
): void {
  const before = outlooks.map(({ slotId }) => desk.book(slotId).promised);
  promiseAll(sides, desk, outlooks, round);
  for (const [index, outlook] of outlooks.entries()) {
    const { slotId } = outlook;
    const tariff = tariffOf(slotId);
    const isCovering = tariff !== undefined && quoteSlot(sides, desk, outlook, tariff, round);
    if (round === "final" && sides.sells !== undefined) {
      const offered = isCovering ? NO_ENERGY : desk.unsold(slotId);
      rememberGate(sides.sells.sales, slotId, before[index] ?? NO_ENERGY, offered);
    }
  }
}

/** Promises the critical quantile of each slot, as far as the funds reach. */
export function promiseAll({ sells }: Sides, desk: Desk, outlooks: readonly SlotOutlook[], round: PoolRound): void {
  if (sells === undefined) return;
  promiseBestFirst(
    desk,
    outlooks.map(({ slotId, surplus }) => supplyWish(sells.view, sells.sales, slotId, surplus, round)),
  );
}

/**
 * Puts a slot's open offers and orders right; promises nothing. Before the final round it covers what it has sold and does not
 * expect to deliver. While it buys for that it offers nothing: a sale brings less than a shortfall costs.
 * @returns whether it buys in order to cover.
 */
export function quoteSlot(sides: Sides, desk: Desk, outlook: SlotOutlook, tariff: Tariff, round: PoolRound): boolean {
  const missing = round === "final" ? coverSold(sides, desk, outlook, tariff) : undefined;
  const buying = sides.buys === undefined ? {} : buyingQuote(sides.buys.view, desk, outlook, tariff, round);
  const sellLimit =
    sides.sells === undefined ? undefined : (round === "final" ? gateLimit : offerLimit)(sides.sells.view, tariff);
  const own = sellLimit === undefined ? [] : [{ energy: desk.unsold(outlook.slotId), limit: sellLimit }];
  const isCovering = missing !== undefined && desk.isWorthTrading(missing.energy);
  const offers = isCovering ? [] : [...own, ...(buying.offers ?? [])];
  const orders = isCovering ? [missing, ...(buying.orders ?? [])] : (buying.orders ?? []);
  desk.quote(outlook.slotId, { ...buying, offers, orders, reprice: round === "final" });
  return isCovering;
}

/**
 * Covers what is sold and not expected, with what is held and not needed.
 * @returns what would still have to be bought for it; undefined for a member that does not cover.
 */
export function coverSold(sides: Sides, desk: Desk, { slotId, surplus }: SlotOutlook, tariff: Tariff): Lot | undefined {
  if (sides.covers === undefined) return undefined;
  const wish = coverWish(sides.covers.view, desk, slotId, surplus, tariff);
  if (!desk.isWorthTrading(wish.energy)) return undefined;
  const kept = sides.buys && needWish(sides.buys.view, slotId, mirrored(surplus), tariff, "final").target;
  return coverWithHeld(desk, slotId, wish, kept ?? NO_ENERGY);
}

/** After the final round: what was bought for it covers what is sold. */
export function coverAfterRound(
  sides: Sides,
  desk: Desk,
  outlooks: readonly SlotOutlook[],
  tariffOf: (slotId: SlotId) => Tariff | undefined,
): void {
  for (const outlook of outlooks) {
    const tariff = tariffOf(outlook.slotId);
    if (tariff !== undefined) coverSold(sides, desk, outlook, tariff);
  }
}

/** Orders what is still missing; before the final round, offers what is too much. */
function buyingQuote(
  view: NeedView,
  desk: Desk,
  { slotId, surplus, storing }: SlotOutlook,
  tariff: Tariff,
  round: PoolRound,
): Quote {
  const { target, orderLimit, keep, resaleLimit } = needWish(view, slotId, mirrored(surplus), tariff, round);
  const { bought, auctionBidding } = desk.book(slotId);
  const missing = wholeWattHours(Number(target - bought - auctionBidding));
  const tooMuch = round === "final" ? energyAbove(bought, keep) : NO_ENERGY;
  return {
    offers: [{ energy: tooMuch, limit: resaleLimit }],
    orders: split(missing, orderLimit, storing),
    ...(storing === undefined ? { openOrderLimit: orderLimit } : {}),
  };
}

/** Two orders where a part of the energy is worth less: the dearer first, so that what is open already counts for it. */
function split(energy: WattHours, limit: Lot["limit"], storing: Lot | undefined): readonly Lot[] {
  if (storing === undefined || storing.limit >= limit) return [{ energy, limit }];
  const stored = minEnergy(storing.energy, energy);
  return [
    { energy: subtractEnergy(energy, stored), limit },
    { energy: stored, limit: storing.limit },
  ];
}
