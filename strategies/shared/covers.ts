/**
 * Covering: a member that has sold more than it expects to deliver gives the buyers what others owe instead, and answers for
 * that much less. It covers with what it holds and does not need, and buys what is missing in the final round.
 */
import { z } from "zod";
import { energyAbove, type MicrosPerKwh, microsPerKwh, minEnergy, type SlotId, type WattHours } from "#core";
import type { StrategyContext, Tariff } from "../strategy.ts";
import { wholeWattHours } from "./amounts.ts";
import type { Desk, Lot } from "./desk.ts";
import { coverLevel } from "./newsvendor.ts";
import { quantileAt } from "./quantiles.ts";
import type { SupplyConfig } from "./supply.ts";

export type CoverConfig = {
  /** What a covered kilowatt-hour must be expected to save beyond what it costs. */
  readonly coverMarginMicrosPerKwh: number;
};

export const coverShape: Readonly<Record<keyof CoverConfig, z.ZodDefault<z.ZodNumber>>> = {
  coverMarginMicrosPerKwh: z.number().int().min(0).default(10_000),
};

export type CoverView = Pick<StrategyContext<unknown, unknown>, "rules"> & {
  readonly config: CoverConfig & Pick<SupplyConfig, "penaltyWeightPercent">;
};

/**
 * What of the sold energy should be covered, and the most that is paid for it: retail less fee, above which no member buys. What
 * is worth covering at that price is worth it at every lower one.
 */
export function coverWish(
  { rules, config }: CoverView,
  desk: Desk,
  slotId: SlotId,
  surplus: Float64Array,
  { feedIn, retail }: Tariff,
): Lot {
  const limit: MicrosPerKwh = microsPerKwh(retail - rules.marketFee);
  const level = coverLevel({
    price: Math.max(Number(limit), Number(feedIn)),
    fee: Number(rules.marketFee) + config.coverMarginMicrosPerKwh,
    feedIn: Number(feedIn),
    gridFee: Number(rules.gridFee),
    shortfallPrice: (Number(rules.emergencyPrice) * config.penaltyWeightPercent) / 100,
  });
  const { promised, sold } = desk.book(slotId);
  const missing = wholeWattHours(Number(promised) - Math.max(0, quantileAt(surplus, level)));
  return { energy: minEnergy(missing, sold), limit };
}

/**
 * Covers with what is bought and not kept.
 * @returns what is still to be bought.
 */
export function coverWithHeld(desk: Desk, slotId: SlotId, { energy, limit }: Lot, kept: WattHours): Lot {
  const spare = energyAbove(desk.book(slotId).bought, kept);
  const covered = desk.cover(slotId, minEnergy(energy, spare));
  return { energy: energyAbove(energy, covered), limit };
}
