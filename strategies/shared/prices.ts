/**
 * What past pool rounds tell about prices: by hour of the local day, blended with a prior between feed-in and retail.
 * Reads nothing but the context's results, so it knows what was known at the time.
 */

import { z } from "zod";
import { localTimeAt, type SlotId, slotOf, type ZoneName } from "#core";
import type { PoolResult, StrategyContext, Tariff } from "../strategy.ts";
import { clamp } from "./amounts.ts";

export type PriceConfig = {
  /** Where the price is expected before any round: 0 is feed-in, 100 is retail. */
  readonly pricePriorPercent: number;
  /** How many rounds the prior weighs as much as. */
  readonly pricePriorWeightRounds: number;
  /** How far back rounds are looked at. */
  readonly priceHistoryDays: number;
};

export const priceShape: Readonly<Record<keyof PriceConfig, z.ZodDefault<z.ZodNumber>>> = {
  pricePriorPercent: z.number().min(0).max(100).default(50),
  pricePriorWeightRounds: z.number().positive().default(4),
  priceHistoryDays: z.number().int().min(1).max(400).default(14),
};

/** One past pool round. */
export type Round = {
  readonly slotId: SlotId;
  readonly clearedAtMs: number;
  /** Micros per kWh; undefined when nothing was traded. */
  readonly price: number | undefined;
  readonly volumeWh: number;
  readonly isDayAhead: boolean;
};

/** The two rounds of a slot's pool. */
export type PoolRound = "day-ahead" | "final";

export type PriceView = Pick<StrategyContext<unknown, unknown>, "nowMs" | "rules" | "poolResults">;

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
/** The day-ahead round is at least ten hours before its first slot, the final round minutes before its slot. */
const DAY_AHEAD_LEAD_MS_MIN = 4 * MS_PER_HOUR;

/** Hour of the local day, 0…23, in which the slot starts. */
export function localHourOf(zone: ZoneName, slotId: SlotId): number {
  const key = `${zone} ${slotId}`;
  const known = hours.get(key);
  if (known !== undefined) return known;
  if (hours.size >= HOURS_KEPT_MAX) hours.clear();
  const { hour } = localTimeAt(zone, slotOf(slotId).startMs);
  hours.set(key, hour);
  return hour;
}

// Two memos of pure functions: they save time and change no result.
const HOURS_KEPT_MAX = 20_000;
const hours = new Map<string, number>();
const indexes = new WeakMap<readonly PoolResult[], HourIndex>();

type HourIndex = {
  readonly zone: ZoneName;
  readonly byHour: Round[][];
  first: PoolResult | undefined;
  last: PoolResult | undefined;
  count: number;
};

/** Past rounds of the slot's hour of day, oldest first. */
export function roundsOfHour(view: PriceView, slotId: SlotId): readonly Round[] {
  const index = indexOf(view.poolResults(), view.rules.timeZone);
  return index.byHour[localHourOf(view.rules.timeZone, slotId)] ?? [];
}

/** Past rounds of the slot's hour of day in the last `days`, newest first. */
export function recentRounds(view: PriceView, slotId: SlotId, days: number): readonly Round[] {
  const all = roundsOfHour(view, slotId);
  const sinceMs = view.nowMs - days * MS_PER_DAY;
  const recent: Round[] = [];
  for (let at = all.length - 1; at >= 0; at--) {
    const round = all[at];
    if (round === undefined || round.clearedAtMs < sinceMs) break;
    recent.push(round);
  }
  return recent;
}

/**
 * Expected pool price of a slot in micros per kWh, within feed-in and retail: the mean of the hour's past prices and of the
 * prior, which weighs as much as `pricePriorWeightRounds` rounds. Of both rounds of the slots' pools, or of the one that is named.
 */
export function expectedPrice(
  view: PriceView,
  slotId: SlotId,
  tariff: Tariff,
  config: PriceConfig,
  only?: PoolRound,
): number {
  const feedIn = Number(tariff.feedIn);
  const retail = Math.max(Number(tariff.retail), feedIn);
  let weight = config.pricePriorWeightRounds;
  let sum = weight * (feedIn + ((retail - feedIn) * config.pricePriorPercent) / 100);
  for (const { price, isDayAhead } of recentRounds(view, slotId, config.priceHistoryDays)) {
    if (price === undefined || (only !== undefined && isDayAhead !== (only === "day-ahead"))) continue;
    sum += price;
    weight += 1;
  }
  return clamp(sum / weight, feedIn, retail);
}

/** The rounds of `results` by hour of day; what was indexed before is kept when only new results were added. */
function indexOf(results: readonly PoolResult[], zone: ZoneName): HourIndex {
  const known = indexes.get(results);
  const isStill =
    known !== undefined && known.zone === zone && known.first === results[0] && known.last === results[known.count - 1];
  const index: HourIndex = isStill
    ? known
    : { zone, byHour: Array.from({ length: 24 }, () => []), first: results[0], last: undefined, count: 0 };
  for (; index.count < results.length; index.count++) {
    const result = results[index.count];
    if (result === undefined) break;
    index.byHour[localHourOf(zone, result.slotId)]?.push(roundOf(result));
    index.last = result;
  }
  if (!isStill) indexes.set(results, index);
  return index;
}

function roundOf({ slotId, clearedAtMs, price, volume }: PoolResult): Round {
  return {
    slotId,
    clearedAtMs,
    price: price === null ? undefined : Number(price),
    volumeWh: Number(volume),
    isDayAhead: slotOf(slotId).startMs - clearedAtMs >= DAY_AHEAD_LEAD_MS_MIN,
  };
}
