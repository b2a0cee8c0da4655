/**
 * What a seller learns from its own promises: how much of what it offered was sold, by hour of the local day and by round, and
 * whether its forecasts keep what their quantiles say.
 */
import { parseSlotId, type SlotId, type WattHours, type ZoneName } from "#core";
import { z } from "zod";
import type { DeliveryEvent, TradeEvent } from "../strategy.ts";
import { clamp } from "./amounts.ts";
import { localHourOf, type PoolRound } from "./prices.ts";

export type SaleConfig = {
  /** Chance of a sale in either round, before anything is known. */
  readonly saleChancePriorPercent: number;
  /** How many slots the prior weighs as much as. */
  readonly saleChancePriorWeightSlots: number;
  /** What is forgotten from one day to the next: without it an hour that once did not sell would never be tried again. */
  readonly saleForgettingPercentPerDay: number;
  /** How fast promises grow more cautious when more of them fail than their level says; 0 trusts the forecast. */
  readonly calibrationPercentPerSlot: number;
};

export const saleShape: Readonly<Record<keyof SaleConfig, z.ZodDefault<z.ZodNumber>>> = {
  saleChancePriorPercent: z.number().min(0).max(100).default(50),
  saleChancePriorWeightSlots: z.number().positive().default(4),
  saleForgettingPercentPerDay: z.number().min(0).max(100).default(5),
  calibrationPercentPerSlot: z.number().min(0).max(100).default(20),
};

/** Slots counted and the sum of the shares sold in them; both decay. */
type Tally = { slots: number; soldShare: number };
/** Sales of a slot that is not over. */
type OpenSales = {
  soldWh: number;
  /** Probability of a shortfall that the promises were made at, by the forecast. */
  level?: number;
  /** What was promised and sold before the gate, and what was unsold after it; undefined before the gate. */
  gate?: { promisedWh: number; soldWh: number; offeredWh: number };
};

/** Plain JSON: the slots that are not over, and tallies for each hour of the day. */
export type SaleMemory = {
  open: Record<string, OpenSales>;
  hours: { dayAhead: Tally; final: Tally; sold: { slots: number; energyWh: number } }[];
  /** Natural logarithm of what levels are divided by: 0 trusts the forecast. */
  caution: number;
};

const HOURS_PER_DAY = 24;
/** Levels are divided by at most e³, about 20. */
const CAUTION_MAX = 3;
const SLOT_KEPT_MS = 2 * 86_400_000;

export function newSaleMemory(): SaleMemory {
  const tally = (): Tally => ({ slots: 0, soldShare: 0 });
  return { open: {}, hours: Array.from({ length: HOURS_PER_DAY }, () => ({ dayAhead: tally(), final: tally(), sold: { slots: 0, energyWh: 0 } })), caution: 0 };
}

export function rememberTrade(memory: SaleMemory, { slotId, side, energy }: TradeEvent): void {
  if (side === "sold") openSales(memory, slotId).soldWh += Number(energy);
}

/** Notes the level of the boldest promise for the slot. */
export function rememberLevel(memory: SaleMemory, slotId: SlotId, level: number): void {
  const sales = openSales(memory, slotId);
  sales.level = Math.max(sales.level ?? 0, level);
}

/** At the gate: what was promised before it, and what is on offer in the final round. */
export function rememberGate(memory: SaleMemory, slotId: SlotId, promisedBefore: WattHours, offered: WattHours): void {
  if (promisedBefore === 0n && offered === 0n) return;
  const sales = openSales(memory, slotId);
  sales.gate = { promisedWh: Number(promisedBefore), soldWh: sales.soldWh, offeredWh: Number(offered) };
}

/**
 * Counts a slot once it is over: in which round how much of what could be sold was sold, and whether the promise was kept.
 *
 * Calibration is adaptive conformal inference (Gibbs and Candès 2021) in logarithms: each failure adds `rate (1 - level)` to the
 * caution and each kept promise takes `rate level` away, so in the long run promises fail as often as their levels say.
 */
export function rememberDelivery(memory: SaleMemory, { slotId, promised, delivered }: DeliveryEvent, zone: ZoneName, config: SaleConfig): void {
  const { soldWh, gate, level } = memory.open[slotId] ?? { soldWh: 0 };
  delete memory.open[slotId];
  const hour = memory.hours[localHourOf(zone, slotId)];
  if (hour === undefined) return;
  if (promised > 0n && level !== undefined) {
    const failed = delivered < promised ? 1 : 0;
    memory.caution = clamp(memory.caution + (config.calibrationPercentPerSlot / 100) * (failed - level), 0, CAUTION_MAX);
  }
  if (promised > 0n) {
    hour.sold.slots += 1;
    hour.sold.energyWh += soldWh;
  }
  count(hour.dayAhead, gate?.soldWh ?? soldWh, gate?.promisedWh ?? Number(promised));
  if (gate !== undefined) count(hour.final, soldWh - gate.soldWh, gate.offeredWh);
}

/** Once a day: older days count less, and what was noted of long past slots is dropped. */
export function forgetDay(memory: SaleMemory, nowMs: number, config: SaleConfig): void {
  const kept = 1 - config.saleForgettingPercentPerDay / 100;
  for (const { dayAhead, final, sold } of memory.hours) {
    for (const tally of [dayAhead, final]) {
      tally.slots *= kept;
      tally.soldShare *= kept;
    }
    sold.slots *= kept;
    sold.energyWh *= kept;
  }
  for (const slotId of Object.keys(memory.open)) {
    const slot = parseSlotId(slotId);
    if (!slot.ok || slot.value.endMs < nowMs - SLOT_KEPT_MS) delete memory.open[slotId];
  }
}

/** Probability, 0…1, that a Wh offered in that round of this hour is sold: the mean share sold, blended with the prior. */
export function saleChance(memory: SaleMemory, zone: ZoneName, slotId: SlotId, round: PoolRound, config: SaleConfig): number {
  const hour = memory.hours[localHourOf(zone, slotId)];
  const { slots, soldShare } = (round === "final" ? hour?.final : hour?.dayAhead) ?? { slots: 0, soldShare: 0 };
  const weight = config.saleChancePriorWeightSlots;
  return (weight * (config.saleChancePriorPercent / 100) + soldShare) / (weight + slots);
}

/** What levels of the forecast must be multiplied by for promises to fail as often as they say: 1 trusts it. */
export function trustIn(memory: SaleMemory): number {
  return Math.exp(-memory.caution);
}

/** What was sold in a slot of this hour, on average over the slots with a promise; 0 where nothing is known. */
export function usualSaleWh(memory: SaleMemory, zone: ZoneName, slotId: SlotId): number {
  const sold = memory.hours[localHourOf(zone, slotId)]?.sold;
  return sold === undefined || sold.slots === 0 ? 0 : sold.energyWh / sold.slots;
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
