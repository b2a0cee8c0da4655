/** How much of what it promised a member has sold, by hour of the local day: the probability of selling, learnt. */
import { parseSlotId, type SlotId, type ZoneName } from "#core";
import { z } from "zod";
import type { DeliveryEvent, TradeEvent } from "../strategy.ts";
import { localHourOf } from "./prices.ts";

export type SaleConfig = {
  readonly saleChancePriorPercent: number;
  /** How many promised slots the prior weighs as much as. */
  readonly saleChancePriorWeightSlots: number;
  /** What is forgotten from one day to the next: without it an hour that once did not sell would never be tried again. */
  readonly saleForgettingPercentPerDay: number;
};

export const saleShape: Readonly<Record<keyof SaleConfig, z.ZodDefault<z.ZodNumber>>> = {
  saleChancePriorPercent: z.number().min(0).max(100).default(70),
  saleChancePriorWeightSlots: z.number().positive().default(4),
  saleForgettingPercentPerDay: z.number().min(0).max(100).default(5),
};

/** Plain JSON: sales of slots that are still to come, and a decayed tally for each hour of the day. */
export type SaleMemory = {
  soldWh: Record<string, number>;
  hours: { slots: number; soldShare: number }[];
};

const HOURS_PER_DAY = 24;
const SLOT_KEPT_MS = 2 * 86_400_000;

export function newSaleMemory(): SaleMemory {
  return { soldWh: {}, hours: Array.from({ length: HOURS_PER_DAY }, () => ({ slots: 0, soldShare: 0 })) };
}

export function rememberTrade(memory: SaleMemory, trade: TradeEvent): void {
  if (trade.side !== "sold") return;
  memory.soldWh[trade.slotId] = (memory.soldWh[trade.slotId] ?? 0) + Number(trade.energy);
}

/** Counts a promised slot once it is over. */
export function rememberDelivery(memory: SaleMemory, { slotId, promised }: DeliveryEvent, zone: ZoneName): void {
  const soldWh = memory.soldWh[slotId] ?? 0;
  delete memory.soldWh[slotId];
  const tally = memory.hours[localHourOf(zone, slotId)];
  if (promised === 0n || tally === undefined) return;
  tally.slots += 1;
  tally.soldShare += Math.min(1, soldWh / Number(promised)); // More than promised was sold where bought energy was resold.
}

/** Once a day: older days count less, and sales of long past slots are dropped. */
export function forgetDay(memory: SaleMemory, nowMs: number, config: SaleConfig): void {
  const kept = 1 - config.saleForgettingPercentPerDay / 100;
  for (const tally of memory.hours) {
    tally.slots *= kept;
    tally.soldShare *= kept;
  }
  for (const slotId of Object.keys(memory.soldWh)) {
    const slot = parseSlotId(slotId);
    if (!slot.ok || slot.value.endMs < nowMs - SLOT_KEPT_MS) delete memory.soldWh[slotId];
  }
}

/** Probability, 0…1, that a promised Wh of this hour is sold: the mean share sold, blended with the prior. */
export function saleChance(memory: SaleMemory, zone: ZoneName, slotId: SlotId, config: SaleConfig): number {
  const tally = memory.hours[localHourOf(zone, slotId)] ?? { slots: 0, soldShare: 0 };
  const weight = config.saleChancePriorWeightSlots;
  return (weight * (config.saleChancePriorPercent / 100) + tally.soldShare) / (weight + tally.slots);
}
