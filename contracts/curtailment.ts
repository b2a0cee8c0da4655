/**
 * What capping a slot's promises comes to: whose promises are cut, by how much, and what of the deposits is released. The flow
 * builds from these functions and the clauses check against them.
 */
import {
  costFloor,
  energyAbove,
  type Micros,
  micros,
  minEnergy,
  NO_ENERGY,
  type PublicKey,
  type SlotId,
  splitInProportion,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import type { Curtailment, NetworkParameters, PowerPromise } from "./states.ts";

export type CurtailmentOutcome = {
  readonly curtailment: Curtailment;
  /** What is left of each promise, in the order given; those that are cut to nothing are left out. */
  readonly promises: readonly PowerPromise[];
  readonly cutOf: ReadonlyMap<PublicKey, WattHours>;
};

/** Whether a promise may be cut: nobody bought it, it is neither on auction nor on offer, and it was not checked. */
export function isCuttable({ supplier, owner, lock, delivered }: PowerPromise): boolean {
  return supplier === owner && lock === null && delivered === null;
}

/**
 * What is promised beyond the cap is cut from the promises that may be cut, in proportion to their energy, by largest remainder,
 * ties to the earlier. What was sold stays, so more than the cap may be left.
 *
 * @param promised - All that is promised in the slot.
 * @param promises - Those that may be cut, by their names on the ledger.
 */
export function curtailmentOutcome(
  slot: SlotId,
  cap: WattHours,
  promised: WattHours,
  promises: readonly PowerPromise[],
): CurtailmentOutcome {
  const unsold = sumEnergy(promises.map(({ energy }) => energy));
  const cut = minEnergy(energyAbove(promised, cap), unsold);
  const weights = promises.map(({ energy }) => energy);
  const parts = cut === 0n ? [] : splitInProportion(cut, weights);
  const cutOf = new Map<PublicKey, WattHours>();
  const left = promises.flatMap((promise, index) => {
    const part = parts[index] ?? 0n;
    if (part > 0n) cutOf.set(promise.supplier, wattHours((cutOf.get(promise.supplier) ?? 0n) + part));
    return part < promise.energy ? [{ ...promise, energy: wattHours(promise.energy - part) }] : [];
  });
  return { curtailment: { tag: "curtailment", slot, cap, promised, unsold, cut }, promises: left, cutOf };
}

/**
 * What stays of a supplier's deposits after a cut, null for nothing. Released is the emergency cost of what is cut, rounded
 * **down**: what stays covers what is left. Who has nothing left to deliver gets all back.
 *
 * @param promised - What the supplier owes in the slot before the cut.
 */
export function depositAfterCut(
  { emergencyPrice }: Pick<NetworkParameters, "emergencyPrice">,
  deposit: Micros,
  cut: WattHours,
  promised: WattHours,
): Micros | null {
  const released = costFloor(cut, emergencyPrice);
  return energyAbove(promised, cut) === NO_ENERGY || released >= deposit ? null : micros(deposit - released);
}
