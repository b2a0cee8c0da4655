/** How long surprises last: regression of later surprises on the last hours', by lead time. */
import { clamp } from "./statistics.ts";

/** Lead times beyond this many hours are left as they are. */
export const LEAD_HOURS_MAX = 8;
/** Hours whose surprises are averaged, each hour back counting half. */
const SURPRISE_HOURS = 3;
/** Weight of the belief that surprises don't last at all, in pairs of hours. */
const PRIOR_PAIRS = 30;
const SPREAD_MIN = 0.3;

/** By hours of lead, 1 first: the share of the surprise that is left, and of the spread that stays uncertain. */
export type Fading = { readonly share: Float64Array; readonly spread: Float64Array };

/** Weighted mean of the known surprises of the hours up to `last`; undefined when none is known. */
export function recentSurprise(surprises: Float64Array, last: number, slotsPerDay: number): number | undefined {
  const slotsPerHour = slotsPerDay / 24;
  let sum = 0;
  let weights = 0;
  for (let back = 0; back < SURPRISE_HOURS * slotsPerHour; back++) {
    const surprise = surprises[last - back] ?? Number.NaN;
    if (Number.isNaN(surprise)) continue;
    const weight = 0.5 ** (back / slotsPerHour);
    sum += weight * surprise;
    weights += weight;
  }
  return weights === 0 ? undefined : sum / weights;
}

/** Learns from a run of surprises, slot after slot, NaN where unknown. */
export function learnFading(surprises: Float64Array, slotsPerDay: number): Fading {
  const share = new Float64Array(LEAD_HOURS_MAX);
  const spread = new Float64Array(LEAD_HOURS_MAX).fill(1);
  const slotsPerHour = slotsPerDay / 24;
  for (let hours = 1; hours <= LEAD_HOURS_MAX; hours++) {
    const sums = { xx: 0, xy: 0, yy: 0, n: 0 };
    for (let last = 0; last + hours * slotsPerHour < surprises.length; last++) {
      const now = recentSurprise(surprises, last, slotsPerDay);
      const later = surprises[last + hours * slotsPerHour] as number;
      if (now === undefined || Number.isNaN(later)) continue;
      sums.xx += now * now;
      sums.xy += now * later;
      sums.yy += later * later;
      sums.n++;
    }
    if (sums.n < 2 || sums.yy === 0 || sums.xx === 0) continue;
    const prior = (PRIOR_PAIRS * slotsPerHour * sums.xx) / sums.n;
    const slope = clamp(sums.xy / (sums.xx + prior), 0, 1);
    share[hours - 1] = slope;
    const rest = (sums.yy - 2 * slope * sums.xy + slope * slope * sums.xx) / sums.yy;
    spread[hours - 1] = clamp(Math.sqrt(Math.max(0, rest)), SPREAD_MIN, 1);
  }
  return { share, spread };
}
