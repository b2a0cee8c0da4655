/** How much of what it offered a member has sold, by hour of the local day and by round: the probability of selling, learnt. */

import { z } from "zod";
import { parseSlotId, type SlotId, type WattHours, type ZoneName } from "#core";
import type { DeliveryEvent, TradeEvent } from "../strategy.ts";
import { localHourOf, type PoolRound } from "./prices.ts";

export type SaleConfig = {
  /** Chance of a sale in either round, before anything is known. */
  readonly saleChancePriorPercent: number;
  /** How many slots the prior weighs as much as. */
  readonly saleChancePriorWeightSlots: number;
  /** What is forgotten from one day to the next: without it an hour that once did not sell would never be tried again. */
  readonly saleForgettingPercentPerDay: number;
};

export const saleShape: Readonly<Record<keyof SaleConfig, z.ZodDefault<z.ZodNumber>>> = {
  saleChancePriorPercent: z.number().min(0).max(100).default(50),
  saleChancePriorWeightSlots: z.number().positive().default(4),
  saleForgettingPercentPerDay: z.number().min(0).max(100).default(5),
};

/** Slots counted and the sum of the shares sold in them; both decay. */
type Tally = { slots: number; soldShare: number };
/** Sales of a slot that is not over. */
type OpenSales = {
  soldWh: number;
  /** What was promised and sold before the gate, and what was unsold after it; undefined before the gate. */
  gate?: { promisedWh: number; soldWh: number; offeredWh: number };
};

/** Plain JSON: the slots that are not over, and two tallies for each hour of the day. */
export type SaleMemory = {
  open: Record<string, OpenSales>;
  hours: { dayAhead: Tally; final: Tally }[];
};

const HOURS_PER_DAY = 24;
const SLOT_KEPT_MS = 2 * 86_400_000;

export function newSaleMemory(): SaleMemory {
  const tally = (): Tally => ({ slots: 0, soldShare: 0 });
  return { open: {}, hours: Array.from({ length: HOURS_PER_DAY }, () => ({ dayAhead: tally(), final: tally() })) };
}

export function rememberTrade(memory: SaleMemory, { slotId, side, energy }: TradeEvent): void {
  if (side === "sold") openSales(memory, slotId).soldWh += Number(energy);
}

/** At the gate: what was promised before it, and what is on offer in the final round. */
export function rememberGate(memory: SaleMemory, slotId: SlotId, promisedBefore: WattHours, offered: WattHours): void {
  if (promisedBefore === 0n && offered === 0n) return;
  const sales = openSales(memory, slotId);
  sales.gate = { promisedWh: Number(promisedBefore), soldWh: sales.soldWh, offeredWh: Number(offered) };
}

/** Whether the slot's last quotes are made: what is bought from then on has come from the final round. */
export function isGateRemembered(memory: SaleMemory, slotId: SlotId): boolean {
  return memory.open[slotId]?.gate !== undefined;
}

/** Counts a slot once it is over: in which round how much of what could be sold was sold. */
export function rememberDelivery(memory: SaleMemory, { slotId, promised }: DeliveryEvent, zone: ZoneName): void {
  const { soldWh, gate } = memory.open[slotId] ?? { soldWh: 0 };
  delete memory.open[slotId];
  const hour = memory.hours[localHourOf(zone, slotId)];
  if (hour === undefined) return;
  count(hour.dayAhead, gate?.soldWh ?? soldWh, gate?.promisedWh ?? Number(promised));
  if (gate !== undefined) count(hour.final, soldWh - gate.soldWh, gate.offeredWh);
}

/** Once a day: older days count less, and what was noted of long past slots is dropped. */
export function forgetDay(memory: SaleMemory, nowMs: number, config: SaleConfig): void {
  const kept = 1 - config.saleForgettingPercentPerDay / 100;
  for (const tally of memory.hours.flatMap(({ dayAhead, final }) => [dayAhead, final])) {
    tally.slots *= kept;
    tally.soldShare *= kept;
  }
  for (const slotId of Object.keys(memory.open)) {
    const slot = parseSlotId(slotId);
    if (!slot.ok || slot.value.endMs < nowMs - SLOT_KEPT_MS) delete memory.open[slotId];
  }
}

/** Probability, 0…1, that a Wh offered in that round of this hour is sold: the mean share sold, blended with the prior. */
export function saleChance(
  memory: SaleMemory,
  zone: ZoneName,
  slotId: SlotId,
  round: PoolRound,
  config: SaleConfig,
): number {
  const hour = memory.hours[localHourOf(zone, slotId)];
  const { slots, soldShare } = (round === "final" ? hour?.final : hour?.dayAhead) ?? { slots: 0, soldShare: 0 };
  const weight = config.saleChancePriorWeightSlots;
  return (weight * (config.saleChancePriorPercent / 100) + soldShare) / (weight + slots);
}

function openSales(memory: SaleMemory, slotId: SlotId): OpenSales {
  const known = memory.open[slotId] ?? { soldWh: 0 };
  memory.open[slotId] = known;
  return known;
}

function count(tally: Tally, soldWh: number, offeredWh: number): void {
  if (offeredWh <= 0) return;
  tally.slots += 1;
  tally.soldShare += Math.min(1, soldWh / offeredWh); // More was sold than promised where bought energy was resold.
}
