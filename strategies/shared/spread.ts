/** What the final round paid above the day-ahead round in the past, slot by slot of one hour of the day. */
import type { SlotId } from "#core";
import type { Round } from "./prices.ts";

/** Means over the slots whose day-ahead round had a price and whose final round is over. */
export type SpreadNotes = {
  readonly observations: number;
  readonly dayAheadPrice: number;
  /** Final less day-ahead price, over the slots whose final round had a price. */
  readonly spread: number;
  /** Share of the slots whose final round had a price: elsewhere what was bought could not be sold again. */
  readonly finalShare: number;
  /** Traded in the final round, slots without a trade counted as nothing. */
  readonly finalVolumeWh: number;
};

/** @param rounds - Past rounds of one hour of the day, in any order. @returns undefined without a single slot that has both. */
export function spreadNotes(rounds: readonly Round[]): SpreadNotes | undefined {
  const dayAhead = new Map<SlotId, number>();
  for (const { slotId, price, isDayAhead } of rounds)
    if (isDayAhead && price !== undefined) dayAhead.set(slotId, price);
  let observations = 0;
  let traded = 0;
  let dayAheadSum = 0;
  let spreadSum = 0;
  let volumeSum = 0;
  for (const { slotId, price, isDayAhead, volumeWh } of rounds) {
    const before = dayAhead.get(slotId);
    if (isDayAhead || before === undefined) continue;
    observations += 1;
    dayAheadSum += before;
    volumeSum += volumeWh;
    if (price === undefined) continue;
    traded += 1;
    spreadSum += price - before;
  }
  if (observations === 0) return undefined;
  return {
    observations,
    dayAheadPrice: dayAheadSum / observations,
    spread: traded === 0 ? 0 : spreadSum / traded,
    finalShare: traded / observations,
    finalVolumeWh: volumeSum / observations,
  };
}

/**
 * What a bought kWh is expected to bring in the final round: the usual day-ahead price plus the usual spread where the round
 * trades, feed-in where it does not. Never less than feed-in.
 */
export function expectedResale({ dayAheadPrice, spread, finalShare }: SpreadNotes, feedIn: number): number {
  const final = Math.max(dayAheadPrice + spread, feedIn);
  return finalShare * final + (1 - finalShare) * feedIn;
}
