/** Where a promise's energy comes from and who used it: its lineage through all transactions. Pure. */
import {
  type Claims,
  claimsText,
  type Member,
  type PowerPromise,
  type State,
  type StateOf,
  type StateTag,
} from "#contracts";
import { compareText, type Hash, type PublicKey, type SlotId, sumEnergy, type WattHours } from "#core";
import type { HistoryStep } from "./history.ts";
import { usedParts } from "./statement.ts";

export type TraceRow = {
  readonly txId: Hash;
  readonly atMs: number | null;
  /** What the transaction was for; null where that was not shown. */
  readonly step: string | null;
  readonly promiseId: string;
  readonly slot: SlotId;
  readonly energyWh: WattHours;
  /** Who owned it before and after; null where it came to be, or was used. Several before, where that can't be told apart. */
  readonly from: readonly PublicKey[];
  readonly to: PublicKey | null;
  readonly supplier: PublicKey;
  readonly claims: Claims | null;
  /** What was delivered of it, once that is known. */
  readonly deliveredWh: WattHours | null;
  /** What its last owner used of it. */
  readonly usedWh: WattHours | null;
  /** Who contradicted the certificate, where the step is that. */
  readonly contradictedBy: PublicKey | null;
};

export type Trace = {
  /** The lineage asked for, and all that it was merged with or covered by. */
  readonly promiseIds: readonly string[];
  readonly rows: readonly TraceRow[];
};

/** Names of members by key, as far as the history shows them. */
export function memberNames(history: readonly HistoryStep[]): ReadonlyMap<PublicKey, string> {
  return new Map(
    history.flatMap(({ made }) => only(made, "member").map(({ key, name }: Member) => [key, name] as const)),
  );
}

/** All lineages in a history, in the order in which they came to be. */
export function promiseIdsIn(history: readonly HistoryStep[]): readonly string[] {
  return [...new Set(history.flatMap(({ made }) => only(made, "power-promise").map(({ promiseId }) => promiseId)))];
}

/** Follows a lineage; undefined where there is none of that name. */
export function traceOf(history: readonly HistoryStep[], promiseId: string): Trace | undefined {
  const lineages = relatedTo(history, promiseId);
  const certified = certifiedIn(history, lineages);
  const rows = history.flatMap((step) => [...rowsOf(step, lineages), ...contradictionsOf(step, certified)]);
  return rows.length === 0 ? undefined : { promiseIds: [...lineages].sort(compareText), rows };
}

function only<T extends StateTag>(states: readonly State[], tag: T): readonly StateOf<T>[] {
  return states.filter((state): state is StateOf<T> => state.tag === tag);
}

/** Lineages that flow into one another: by merging, and by covering, in which others' energy takes the place of a part. */
function relatedTo(history: readonly HistoryStep[], promiseId: string): ReadonlySet<string> {
  const related = new Set([promiseId]);
  const joins = history
    .filter(({ command }) => command?.tag === "merge-promises" || command?.tag === "substitute")
    .map(({ consumed, made }) => only([...consumed, ...made], "power-promise").map((each) => each.promiseId));
  for (let size = 0; size < related.size; ) {
    size = related.size;
    for (const ids of joins) if (ids.some((id) => related.has(id))) for (const id of ids) related.add(id);
  }
  return related;
}

/** What was certified of the lineages: which of them, by agency, supplier and slot. */
function certifiedIn(
  history: readonly HistoryStep[],
  lineages: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const certified = new Map<string, Set<string>>();
  for (const { made } of history)
    for (const { promiseId, supplier, slot, claims } of only(made, "power-promise")) {
      if (!lineages.has(promiseId) || claims === null || claims.certifiedBy === null) continue;
      const key = `${claims.certifiedBy} ${supplier} ${slot}`;
      certified.set(key, (certified.get(key) ?? new Set()).add(promiseId));
    }
  return certified;
}

/** Another agency's objection to a certificate under which a lineage falls: it concerns all energy of the certificate. */
function contradictionsOf(
  { txId, atMs, command, made }: HistoryStep,
  certified: ReadonlyMap<string, ReadonlySet<string>>,
): readonly TraceRow[] {
  return only(made, "certificate").flatMap(({ agency, supplier, slot, energy, claims, contradiction }) => {
    if (contradiction === null) return [];
    const promiseIds = [...(certified.get(`${agency} ${supplier} ${slot}`) ?? [])];
    return promiseIds.map((promiseId) => ({
      ...{ txId, atMs, step: command?.tag ?? null, promiseId, slot, energyWh: energy, from: [], to: null },
      ...{ supplier, claims, deliveredWh: null, usedWh: null, contradictedBy: contradiction.by },
    }));
  });
}

function rowsOf(step: HistoryStep, lineages: ReadonlySet<string>): readonly TraceRow[] {
  const consumed = only(step.consumed, "power-promise").filter((each) => lineages.has(each.promiseId));
  const made = only(step.made, "power-promise").filter((each) => lineages.has(each.promiseId));
  if (consumed.length + made.length === 0) return [];
  const base = { txId: step.txId, atMs: step.atMs, step: step.command?.tag ?? null, contradictedBy: null };
  if (made.length === 0) return used(step, consumed).map((row) => ({ ...base, ...row }));
  const groups = new Map<string, PowerPromise[]>();
  for (const promise of made) groups.set(keyOf(promise), [...(groups.get(keyOf(promise)) ?? []), promise]);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { promiseId, slot, owner, supplier, claims } = first;
    const energyWh = sumEnergy(group.map(({ energy }) => energy));
    const delivered = group.flatMap((each) => each.delivered ?? []);
    const deliveredWh = delivered.length === 0 ? null : sumEnergy(delivered);
    const from = ownersBefore(consumed, first, energyWh);
    return [{ ...base, promiseId, slot, energyWh, from, to: owner, supplier, claims, deliveredWh, usedWh: null }];
  });
}

function keyOf({ promiseId, owner, supplier, claims }: PowerPromise): string {
  return JSON.stringify([promiseId, owner, supplier, claimsText(claims)]);
}

/** Who gave it: the owner itself where it had as much before, else the other owners of the lineage. */
function ownersBefore(
  consumed: readonly PowerPromise[],
  { promiseId, owner }: PowerPromise,
  energy: WattHours,
): readonly PublicKey[] {
  const sameLineage = consumed.filter((each) => each.promiseId === promiseId);
  const before = sameLineage.length > 0 ? sameLineage : consumed;
  const own = before.filter((each) => each.owner === owner);
  if (sumEnergy(own.map((each) => each.energy)) >= energy) return [owner];
  const givers = before.filter((each) => each.owner !== owner).map((each) => each.owner);
  return [...new Set(givers.length > 0 ? givers : own.map((each) => each.owner))];
}

/** The end of a promise: its owner's slot is settled, and it used all or a part. */
function used(
  step: HistoryStep,
  consumed: readonly PowerPromise[],
): readonly Omit<TraceRow, "txId" | "atMs" | "step" | "contradictedBy">[] {
  const [settlement] = only(step.made, "slot-settlement");
  const all = only(step.consumed, "power-promise");
  const parts = settlement === undefined ? [] : usedParts(all, settlement);
  return consumed.map((promise) => {
    const { promiseId, slot, owner, supplier, claims, energy, delivered } = promise;
    const usedWh = parts[all.indexOf(promise)] ?? null;
    return {
      ...{ promiseId, slot, supplier, claims, usedWh },
      energyWh: energy,
      from: [owner],
      to: null,
      deliveredWh: delivered,
    };
  });
}
