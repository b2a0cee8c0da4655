/**
 * What covering sold promises with held ones comes to, and which promises to pair for it. The flow builds from these functions
 * and the clauses check against them, so that builder and checker can't drift apart.
 */
import {
  compareText,
  costFloor,
  err,
  type Micros,
  micros,
  minEnergy,
  ok,
  type PublicKey,
  type Result,
  type SlotId,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import { areClaimsAtLeast, claimsText } from "./claims.ts";
import { COVERS_MAX, type Cover } from "./commands.ts";
import type { Claims, NetworkParameters, PowerPromise } from "./states.ts";

export type SubstitutionRefusal =
  | "cover_of_unknown_promise"
  | "cover_energy_not_positive"
  | "cover_pair_twice"
  | "cover_beyond_promise";

export type SubstitutionOutcome = {
  /** What the holders have instead, in the order of the covers; then what is left of each promise, in the order given. */
  readonly promises: readonly PowerPromise[];
  readonly covered: WattHours;
  /** What the supplier gets back of its deposits. */
  readonly released: Micros;
  /** What stays locked; null when the supplier owes nothing more in the slot. */
  readonly kept: Micros | null;
};

/**
 * Each cover gives the holder of one promise as much of the other. The supplier's debt falls by what is covered, and its
 * deposit by the emergency cost of that, rounded **down**: what stays still covers what is left.
 *
 * @param deposit - Sum of the supplier's deposits for the slot.
 * @param promised - What the supplier owes in the slot before.
 */
export function substitutionOutcome(
  { emergencyPrice }: Pick<NetworkParameters, "emergencyPrice">,
  promises: readonly PowerPromise[],
  covers: readonly Cover[],
  deposit: Micros,
  promised: WattHours,
): Result<SubstitutionOutcome, SubstitutionRefusal> {
  const used = promises.map(() => 0n);
  const moved: PowerPromise[] = [];
  const pairs = new Set<string>();
  for (const { covered, with: by, energy } of covers) {
    const [sold, held] = [promises[covered], promises[by]];
    if (sold === undefined || held === undefined) return err("cover_of_unknown_promise");
    if (energy <= 0n) return err("cover_energy_not_positive");
    if (pairs.has(`${covered} ${by}`)) return err("cover_pair_twice");
    pairs.add(`${covered} ${by}`);
    for (const index of [covered, by]) used[index] = (used[index] ?? 0n) + energy;
    moved.push({ ...held, energy, owner: sold.owner });
  }
  if (promises.some(({ energy }, index) => (used[index] ?? 0n) > energy)) return err("cover_beyond_promise");
  const left = promises.map((promise, index) => ({
    ...promise,
    energy: wattHours(promise.energy - (used[index] ?? 0n)),
  }));
  const covered = sumEnergy(covers.map(({ energy }) => energy));
  const cost = costFloor(covered, emergencyPrice);
  const isAll = covered >= promised;
  const released = isAll || cost > deposit ? deposit : cost;
  return ok({
    promises: [...moved, ...left.filter(({ energy }) => energy > 0n)],
    covered,
    released,
    kept: isAll ? null : micros(deposit - released),
  });
}

/** Whether a promise of the supplier's own is one that it may cover: another holds it, free, and it was not checked. */
export function isCoverable({ supplier, owner, lock, delivered }: PowerPromise, party: PublicKey): boolean {
  return supplier === party && owner !== party && lock === null && delivered === null;
}

/** Whether a promise is one that the party may cover with: another owes it, and the party holds it, free. */
export function isCovering({ supplier, owner, lock, delivered }: PowerPromise, party: PublicKey): boolean {
  return supplier !== party && owner === party && lock === null && delivered === null;
}

/**
 * Whether the holder of the one promise loses nothing when it gets the other: same slot, claims at least as strong, and not owed
 * by the holder itself, who of its own promises may use only what it delivers.
 */
export function isCoveredBy(sold: PowerPromise, held: PowerPromise): boolean {
  return sold.slot === held.slot && held.supplier !== sold.owner && areClaimsAtLeast(held.claims, sold.claims);
}

export type ChosenCovers<T> = {
  /** What is covered, and what it is covered with: the states of both, each once. */
  readonly promises: readonly T[];
  /** By index in `promises`. */
  readonly covers: readonly Cover[];
  /** The sum of the covers: less than was wanted where no more can be paired. */
  readonly energy: WattHours;
};

/**
 * Pairs sold promises of the party with held ones until `wanted` is covered. What says most is covered first, and with what says
 * least of what suffices; among equals the lower lineage goes first. The order in which promises are given does not matter where
 * their lineages differ.
 */
export function chooseCovers<T extends { readonly state: PowerPromise }>(
  party: PublicKey,
  slot: SlotId,
  wanted: WattHours,
  promises: readonly T[],
): ChosenCovers<T> {
  const ofSlot = promises.filter(({ state }) => state.slot === slot);
  const sold = ofSlot.filter(({ state }) => isCoverable(state, party)).sort(byStatements(-1));
  const held = ofSlot.filter(({ state }) => isCovering(state, party)).sort(byStatements(1));
  const left = new Map(held.map((promise) => [promise, promise.state.energy]));
  const chosen: T[] = [];
  const indexOf = (promise: T): number => {
    const known = chosen.indexOf(promise);
    return known < 0 ? chosen.push(promise) - 1 : known;
  };
  const covers: Cover[] = [];
  let missing: bigint = wanted;
  for (const promise of sold) {
    let open: bigint = promise.state.energy;
    for (const by of held) {
      const energy = minEnergy(minEnergy(wattHours(open), wattHours(missing)), left.get(by) ?? wattHours(0n));
      const isFull = covers.length === COVERS_MAX;
      if (energy === 0n || isFull || !isCoveredBy(promise.state, by.state)) continue;
      covers.push({ covered: indexOf(promise), with: indexOf(by), energy });
      left.set(by, wattHours((left.get(by) ?? 0n) - energy));
      open -= energy;
      missing -= energy;
    }
  }
  return { promises: chosen, covers, energy: wattHours(wanted - missing) };
}

type Listed = { readonly state: PowerPromise };

/** The fewest statements first (1) or the most (-1), then by lineage. */
function byStatements(sign: 1 | -1): (left: Listed, right: Listed) => number {
  return ({ state: left }, { state: right }) =>
    sign * (statements(left.claims) - statements(right.claims)) ||
    compareText(left.promiseId, right.promiseId) ||
    compareText(claimsText(left.claims), claimsText(right.claims));
}

function statements(claims: Claims | null): number {
  if (claims === null) return 0;
  const { source, renewable, origin, gramsCo2PerKwh, certifiedBy } = claims;
  return [source, renewable || null, origin, gramsCo2PerKwh, certifiedBy].filter((said) => said !== null).length;
}
