/** The selling side: how much of a slot's injection to promise, and at which limit to offer it. */

import { z } from "zod";
import { type MicrosPerKwh, microsPerKwh, NO_ENERGY, type SlotId, type WattHours } from "#core";
import type { StrategyContext, Tariff } from "../strategy.ts";
import { wholeWattHours } from "./amounts.ts";
import { bySlot, type Desk } from "./desk.ts";
import { promiseGain, promiseLevel, type SupplyPrices } from "./newsvendor.ts";
import { expectedPrice, type PoolRound, type PriceConfig } from "./prices.ts";
import { quantileAt } from "./quantiles.ts";
import { type SaleConfig, type SaleMemory, saleChance, saleShape } from "./sales.ts";

export type SupplyConfig = SaleConfig & {
  /** 100 weighs a shortfall as it costs, more is cautious. */
  readonly penaltyWeightPercent: number;
  /** How much of the value of promising later, with a better forecast, a day-ahead promise must make up for. */
  readonly waitingValuePercent: number;
  /** Day-ahead: how far above feed-in plus grid fee offers are made. */
  readonly offerMarkupMicrosPerKwh: number;
  /** At the gate, when the promise is made anyway: how far above feed-in. */
  readonly gateMarkupMicrosPerKwh: number;
};

export const supplyShape: Readonly<Record<keyof SupplyConfig, z.ZodDefault<z.ZodNumber>>> = {
  ...saleShape,
  penaltyWeightPercent: z.number().min(0).default(100),
  waitingValuePercent: z.number().min(0).max(100).default(50),
  offerMarkupMicrosPerKwh: z.number().int().min(0).default(2_000),
  gateMarkupMicrosPerKwh: z.number().int().min(0).default(1_000),
};

/** The context of a strategy that sells; `sales` is where its memory of sales is. */
export type SupplyView = Pick<StrategyContext<unknown, unknown>, "nowMs" | "rules" | "poolResults" | "tariff"> & {
  readonly config: PriceConfig & SupplyConfig;
};

/** What a member wants to have promised for a slot. */
export type SupplyWish = {
  readonly slotId: SlotId;
  readonly target: WattHours;
  readonly gainPerWh: number;
  readonly level: number;
};

/**
 * The prices of a promise made before `round`, as they are expected now.
 *
 * With the chances `s` and `t` of a sale in the day-ahead and in the final round, energy promised day-ahead sells at the one round's
 * price with `s` and at the other's with `(1 - s) t`; energy promised at the gate sells with `t` alone. What could wait for the
 * final round would earn `t (p - f) - g` there.
 */
export function supplyPrices(
  view: SupplyView,
  sales: SaleMemory,
  slotId: SlotId,
  tariff: Tariff,
  round: PoolRound,
): SupplyPrices {
  const { rules, config } = view;
  const feedIn = Number(tariff.feedIn);
  const gridFee = Number(rules.gridFee);
  const finalPrice = expectedPrice(view, slotId, tariff, config, "final");
  const finalChance = saleChance(sales, rules.timeZone, slotId, "final", config);
  const shared = {
    feedIn,
    gridFee,
    shortfallPrice: (Number(rules.emergencyPrice) * config.penaltyWeightPercent) / 100,
  };
  if (round === "final") return { ...shared, salePrice: finalPrice, saleChance: finalChance, waitingValue: 0 };
  const dayAheadPrice = expectedPrice(view, slotId, tariff, config, "day-ahead");
  const dayAheadChance = saleChance(sales, rules.timeZone, slotId, "day-ahead", config);
  const laterChance = (1 - dayAheadChance) * finalChance;
  const chance = dayAheadChance + laterChance;
  const salePrice = chance === 0 ? feedIn : (dayAheadChance * dayAheadPrice + laterChance * finalPrice) / chance;
  const waiting = Math.max(0, finalChance * (finalPrice - feedIn) - gridFee);
  return { ...shared, salePrice, saleChance: chance, waitingValue: (waiting * config.waitingValuePercent) / 100 };
}

/** The newsvendor's promise: the quantile of the injection at the critical level. @param surplus - Quantiles of production less all use. */
export function supplyWish(
  view: SupplyView,
  sales: SaleMemory,
  slotId: SlotId,
  surplus: Float64Array,
  round: PoolRound,
): SupplyWish {
  const nothing: SupplyWish = { slotId, target: NO_ENERGY, gainPerWh: 0, level: 0 };
  const tariff = view.tariff(slotId);
  if (tariff === undefined) return nothing;
  const prices = supplyPrices(view, sales, slotId, tariff, round);
  const level = promiseLevel(prices);
  const target = wholeWattHours(quantileAt(surplus, level));
  if (target === NO_ENERGY) return { ...nothing, level };
  const energyWh = Number(target);
  return { slotId, target, gainPerWh: promiseGain(surplus, energyWh, prices) / energyWh, level };
}

/**
 * Promises what is still missing to each wish. A deposit per Wh is the same in all slots, so where the funds do not reach, the
 * slots with the greatest gain per Wh come first.
 */
export function promiseBestFirst(desk: Desk, wishes: readonly SupplyWish[]): void {
  const ranked = [...wishes].sort((left, right) => right.gainPerWh - left.gainPerWh || bySlot(left, right));
  for (const { slotId, target } of ranked) {
    const { promised } = desk.book(slotId);
    if (target > promised) desk.promise(slotId, wholeWattHours(Number(target - promised)));
  }
}

/** Below this a day-ahead sale is worse than no promise. */
export function offerLimit(view: SupplyView, tariff: Tariff): MicrosPerKwh {
  return microsPerKwh(tariff.feedIn + view.rules.gridFee + BigInt(view.config.offerMarkupMicrosPerKwh));
}

/** Below this a sale of what is promised anyway is worse than feeding it in. */
export function gateLimit(view: SupplyView, tariff: Tariff): MicrosPerKwh {
  return microsPerKwh(tariff.feedIn + BigInt(view.config.gateMarkupMicrosPerKwh));
}
