/** The buying side: how much to buy for a slot, at which limit, and how much of what was bought to sell again. */

import { z } from "zod";
import { type MicrosPerKwh, microsPerKwh, type SlotId, type WattHours } from "#core";
import type { StrategyContext, Tariff } from "../strategy.ts";
import { priceCeil, priceFloor, wholeWattHours } from "./amounts.ts";
import { keepLevel, orderLevel } from "./newsvendor.ts";
import { expectedPrice, type PoolRound, type PriceConfig } from "./prices.ts";
import { quantileAt } from "./quantiles.ts";

export type NeedConfig = {
  /** How far below retail less fee an order's limit is, as a share of the gap between feed-in and retail. */
  readonly limitShadePercent: number;
  /** Where the limit of a resale lies between feed-in (0) and the expected price (100). */
  readonly resaleLimitPercent: number;
};

export const needShape: Readonly<Record<keyof NeedConfig, z.ZodDefault<z.ZodNumber>>> = {
  limitShadePercent: z.number().min(0).max(100).default(5),
  resaleLimitPercent: z.number().min(0).max(100).default(20),
};

export type NeedView = Pick<StrategyContext<unknown, unknown>, "nowMs" | "rules" | "poolResults"> & {
  readonly config: PriceConfig & NeedConfig;
};

/** What a member wants to own for a slot, and at which limits it buys and sells. */
export type NeedWish = {
  readonly slotId: SlotId;
  /** Buy up to this. */
  readonly target: WattHours;
  readonly orderLimit: MicrosPerKwh;
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
export function needWish(
  view: NeedView,
  slotId: SlotId,
  need: Float64Array,
  tariff: Tariff,
  round: PoolRound,
): NeedWish {
  const { config, rules } = view;
  const feedIn = Number(tariff.feedIn);
  const retail = Number(tariff.retail);
  const expected = expectedPrice(view, slotId, tariff, config, round === "final" ? round : undefined);
  const orderLimit = buyLimit(view, tariff);
  const unused = unusedPrice(rules, tariff);
  const level = orderLevel({
    price: Math.min(expected, Number(orderLimit)),
    fee: Number(rules.marketFee),
    feedIn: unused,
    retail,
  });
  const resaleLimit = priceCeil(feedIn + ((expected - feedIn) * config.resaleLimitPercent) / 100);
  const keep = quantileAt(need, Math.max(level, keepLevel({ price: Number(resaleLimit), feedIn: unused, retail })));
  return {
    slotId,
    target: wholeWattHours(quantileAt(need, level)),
    orderLimit,
    keep: wholeWattHours(Math.ceil(keep)),
    resaleLimit,
  };
}

/** What one bought kilowatt-hour brings that is not used: feed-in, less the surplus cost. */
export function unusedPrice({ surplusPrice }: NeedView["rules"], { feedIn }: Tariff): number {
  return Number(feedIn - surplusPrice);
}

/** Retail less fee, less the shade: what is worth paying for energy that will surely be used. */
export function buyLimit(
  { rules, config }: Pick<NeedView, "rules" | "config">,
  { feedIn, retail }: Tariff,
): MicrosPerKwh {
  const gap = retail > feedIn ? Number(retail - feedIn) : 0;
  return microsPerKwh(retail - rules.marketFee + priceFloor((-gap * config.limitShadePercent) / 100));
}
