/** What a member used, by source and hour, from its settlements: own production, what it bought, and the supplier of last resort. Pure. */
import {
  type Claims,
  claimsText,
  type PowerPromise,
  type SlotSettlement,
  type State,
  type StateOf,
  type StateTag,
} from "#contracts";
import {
  addEnergy,
  compareText,
  type LocalDay,
  localDayAt,
  localTimeAt,
  minEnergy,
  NO_ENERGY,
  type PublicKey,
  type SlotId,
  slotOf,
  splitInProportion,
  sumEnergy,
  type WattHours,
  wattHours,
  type ZoneName,
} from "#core";
import type { HistoryStep } from "./history.ts";

export type UsedSource = { readonly claims: Claims | null; readonly energyWh: WattHours };
export type StatementPart = {
  readonly consumedWh: WattHours;
  /** Produced by the member and used by itself at once. */
  readonly ownWh: WattHours;
  /** Bought promises that were used, by what is claimed of them. */
  readonly sources: readonly UsedSource[];
  /** Drawn beyond that, from the power company. */
  readonly lastResortWh: WattHours;
};
export type Statement = StatementPart & {
  readonly slots: number;
  readonly hours: readonly (StatementPart & { readonly startMs: number })[];
};

const MINUTE_MS = 60_000;

/** Days, inclusive; without them everything. */
export type Period = { readonly from?: LocalDay | undefined; readonly to?: LocalDay | undefined };

/** A member's statement of the settled slots of a period. A corrected settlement counts as it was corrected last. */
export function statementOf(
  history: readonly HistoryStep[],
  member: PublicKey,
  timeZone: ZoneName,
  period: Period = {},
): Statement {
  const hours = new Map<number, StatementPart[]>();
  const slots = [...settledSlots(history, member)].filter(([slot]) => isWithin(slot, timeZone, period));
  for (const [slot, { settlement, held }] of slots.sort(([left], [right]) => compareText(left, right))) {
    const startMs = hourOf(slot, timeZone);
    hours.set(startMs, [...(hours.get(startMs) ?? []), partOf(settlement, held)]);
  }
  const parts = [...hours]
    .sort(([left], [right]) => left - right)
    .map(([startMs, all]) => ({ startMs, ...sumOf(all) }));
  return { ...sumOf(parts), slots: slots.length, hours: parts };
}

/** The start of the local hour that the slot starts in: not all zones are whole hours away from UTC. */
function hourOf(slot: SlotId, timeZone: ZoneName): number {
  const { startMs } = slotOf(slot);
  return startMs - localTimeAt(timeZone, startMs).minute * MINUTE_MS;
}

type Settled = { readonly settlement: SlotSettlement; readonly held: readonly PowerPromise[] };

function settledSlots(history: readonly HistoryStep[], member: PublicKey): ReadonlyMap<SlotId, Settled> {
  const slots = new Map<SlotId, Settled>();
  for (const { consumed, made } of history) {
    const settlement = only(made, "slot-settlement").find((each) => each.member === member);
    if (settlement === undefined) continue;
    // A correction consumes the settlement before it; what was held went into the first.
    const held = slots.get(settlement.slot)?.held ?? only(consumed, "power-promise");
    slots.set(settlement.slot, { settlement, held });
  }
  return slots;
}

function only<T extends StateTag>(states: readonly State[], tag: T): readonly StateOf<T>[] {
  return states.filter((state): state is StateOf<T> => state.tag === tag);
}

function isWithin(slot: SlotId, timeZone: ZoneName, { from, to }: Period): boolean {
  const day = localDayAt(timeZone, slotOf(slot).startMs);
  return (from === undefined || day >= from) && (to === undefined || day <= to);
}

/** What was used of each promise: all of them in proportion to what their holder had a right to, by largest remainder. */
export function usedParts(
  held: readonly PowerPromise[],
  { member, used }: Pick<SlotSettlement, "member" | "used">,
): readonly WattHours[] {
  const rights = held.map(({ supplier, delivered, energy }) =>
    supplier === member ? (delivered ?? NO_ENERGY) : energy,
  );
  if (used === 0n) return rights.map(() => NO_ENERGY);
  return splitInProportion(used, rights).map(wattHours);
}

function partOf(settlement: SlotSettlement, held: readonly PowerPromise[]): StatementPart {
  const { produced, consumed, retailEnergy } = settlement;
  const parts = usedParts(held, settlement);
  return {
    consumedWh: consumed,
    ownWh: minEnergy(produced, consumed),
    sources: bySource(held.map(({ claims }, index) => ({ claims, energyWh: parts[index] ?? NO_ENERGY }))),
    lastResortWh: retailEnergy,
  };
}

function sumOf(parts: readonly StatementPart[]): StatementPart {
  return {
    consumedWh: sumEnergy(parts.map(({ consumedWh }) => consumedWh)),
    ownWh: sumEnergy(parts.map(({ ownWh }) => ownWh)),
    sources: bySource(parts.flatMap(({ sources }) => sources)),
    lastResortWh: sumEnergy(parts.map(({ lastResortWh }) => lastResortWh)),
  };
}

function bySource(all: readonly UsedSource[]): readonly UsedSource[] {
  const groups = new Map<string, UsedSource>();
  for (const { claims, energyWh } of all) {
    const text = claimsText(claims);
    groups.set(text, { claims, energyWh: addEnergy(groups.get(text)?.energyWh ?? NO_ENERGY, energyWh) });
  }
  return [...groups]
    .filter(([, { energyWh }]) => energyWh > 0n)
    .sort(([left], [right]) => compareText(left, right))
    .map(([, source]) => source);
}

/** What the parts of a statement leave unexplained: zero, or the history lacks something. */
export function unexplainedOf({ consumedWh, ownWh, sources, lastResortWh }: StatementPart): bigint {
  return consumedWh - ownWh - sumEnergy(sources.map(({ energyWh }) => energyWh)) - lastResortWh;
}
