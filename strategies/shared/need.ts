/** The buying side: how much to buy for a slot, at which limit, and how much of what was bought to sell again. */
import { energyAbove, type MicrosPerKwh, microsPerKwh, NO_ENERGY, type SlotId, type WattHours } from "#core";
import { z } from "zod";
import type { StrategyContext, Tariff } from "../strategy.ts";
import { priceCeil, priceFloor, wholeWattHours } from "./amounts.ts";
import type { FundsConfig, Lot } from "./desk.ts";
import { keepLevel, orderLevel } from "./newsvendor.ts";
import { expectedPrice, type PoolRound, type PriceConfig } from "./prices.ts";
import { quantileAt } from "./quantiles.ts";

export type NeedConfig = {
  /** How far below retail less fee the highest order's limit is, as a share of the gap between feed-in and retail. */
  readonly limitShadePercent: number;
  /** Number of orders: each for a part of the need, the less certain the part the lower its limit. */
  readonly orderSteps: number;
  /** Where the limit of a resale lies between feed-in (0) and the expected price (100). */
  readonly resaleLimitPercent: number;
};

export const needShape: Readonly<Record<keyof NeedConfig, z.ZodDefault<z.ZodNumber>>> = {
  limitShadePercent: z.number().min(0).max(100).default(5),
  orderSteps: z.number().int().min(1).max(10).default(3),
  resaleLimitPercent: z.number().min(0).max(100).default(20),
};

export type NeedView = Pick<StrategyContext<unknown, unknown>, "nowMs" | "rules" | "poolResults"> & {
  readonly config: PriceConfig & NeedConfig & Pick<FundsConfig, "tradeWhMin">;
};

/** What a member wants to own for a slot, and at which limits it buys and sells. */
export type NeedWish = {
  readonly slotId: SlotId;
  /** Buy up to this. */
  readonly target: WattHours;
  /** Buy up to each of these at its limit; the last is the target. Limits fall. */
  readonly steps: readonly { readonly upTo: WattHours; readonly limit: MicrosPerKwh }[];
  /** Sell what is owned beyond this. */
  readonly keep: WattHours;
  readonly resaleLimit: MicrosPerKwh;
};

/**
 * The newsvendor's purchase. The price is expected at most at the own limit, since nothing is bought above it; so the target is
 * never below the need that is all but certain, however dear the hour was in the past.
 *
 * A day-ahead order stays open for the final round, so both rounds' prices count for it.
 *
 * @param need - Quantiles of the energy that the member will draw; negative where it will feed in.
 */
export function needWish(view: NeedView, slotId: SlotId, need: Float64Array, tariff: Tariff, round: PoolRound): NeedWish {
  const { config, rules } = view;
  const feedIn = Number(tariff.feedIn);
  const retail = Number(tariff.retail);
  const expected = expectedPrice(view, slotId, tariff, config, round === "final" ? round : undefined);
  const price = Math.min(expected, Number(buyLimit(view, tariff)));
  const level = orderLevel({ price, fee: Number(rules.marketFee), feedIn, retail });
  const resaleLimit = priceCeil(feedIn + ((expected - feedIn) * config.resaleLimitPercent) / 100);
  const keep = quantileAt(need, Math.max(level, keepLevel({ price: Number(resaleLimit), feedIn, retail })));
  const shade = config.limitShadePercent / 100;
  const steps = levelsUpTo(level, config).map((each) => ({
    upTo: wholeWattHours(quantileAt(need, each)),
    limit: priceFloor(retail - Number(rules.marketFee) - Math.max(0, retail - feedIn) * (config.orderSteps === 1 ? shade : each)),
  }));
  return { slotId, target: steps.at(-1)?.upTo ?? NO_ENERGY, steps, keep: wholeWattHours(Math.ceil(keep)), resaleLimit };
}

/**
 * Levels at which the need is cut into orders: from the shade to the target's. What lies below a level is used with at least one
 * minus that level's probability, so it is worth at least `f + (r - f)(1 - level)`, fee included.
 */
function levelsUpTo(level: number, { limitShadePercent, orderSteps }: NeedConfig): readonly number[] {
  const first = limitShadePercent / 100;
  if (orderSteps === 1 || level <= first) return [level];
  return Array.from({ length: orderSteps }, (_, step) => first + ((level - first) * step) / (orderSteps - 1));
}

/** Orders for what is not covered yet, the dearest first. What is too small for an order of its own goes with the next, cheaper one. */
export function ordersFor({ steps }: NeedWish, covered: WattHours, tradeWhMin: number): readonly Lot[] {
  const lots: Lot[] = [];
  let reached = covered;
  for (const [index, { upTo, limit }] of steps.entries()) {
    const energy = energyAbove(upTo, reached);
    if (energy === 0n || (energy < BigInt(tradeWhMin) && index < steps.length - 1)) continue;
    lots.push({ energy, limit });
    reached = upTo;
  }
  return lots;
}

/** Retail less fee, less the shade: what is worth paying for energy that will surely be used. */
export function buyLimit({ rules, config }: Pick<NeedView, "rules" | "config">, { feedIn, retail }: Tariff): MicrosPerKwh {
  const gap = retail > feedIn ? Number(retail - feedIn) : 0;
  return microsPerKwh(retail - rules.marketFee + priceFloor((-gap * config.limitShadePercent) / 100));
}
