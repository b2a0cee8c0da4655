/**
 * What a speculator has locked for the surplus cost of what it buys, and what of it a settlement takes and gives back. The
 * flows build from these functions and the clauses check against them.
 */
import { costCeil, type Micros, type MicrosPerKwh, micros, wattHours } from "#core";
import type { ExposureEntry } from "./states.ts";

/** The surplus cost of all that a member holds and bids for in a day, if none of it is used. Each slot is rounded up, as it is charged. */
export function marginNeeded(
  entries: readonly Pick<ExposureEntry, "bought" | "bidding">[],
  surplusPrice: MicrosPerKwh,
): Micros {
  return micros(
    entries.reduce((sum, { bought, bidding }) => sum + costCeil(wattHours(bought + bidding), surplusPrice), 0n),
  );
}

export type MarginUse = {
  /** What stays locked. */
  readonly kept: Micros;
  /** What pays for the slot, and what goes back to the owner's funds: the rest. */
  readonly paid: Micros;
  readonly returned: Micros;
};

/**
 * A margin when a slot is settled: what the rest of the day needs stays, of the rest the slot is paid, and what then is left
 * goes back.
 *
 * @param due - What the owner owes for the slot in all; zero if it gains.
 */
export function marginAfterSlot(margin: Micros, needed: Micros, due: bigint): MarginUse {
  const kept = needed < margin ? needed : margin;
  const free = margin - kept;
  const paid = due < free ? due : free;
  return { kept, paid: micros(paid), returned: micros(free - paid) };
}
