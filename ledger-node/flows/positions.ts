/** Completes a draft with the exposures that it changes: consumes each member's newest and makes the next version. */

import {
  type ExposureEntry,
  type LedgerRefusal,
  positionChangesOf,
  type ResolvedState,
  type State,
  withOpenedDays,
} from "#contracts";
import {
  compareText,
  err,
  invariant,
  type LocalDay,
  ok,
  type PublicKey,
  publicKey,
  type Result,
  type SlotId,
  slotId,
  wattHours,
} from "#core";
import { type Draft, type Drafted, dayOf, type FlowContext } from "../flow-context.ts";
import { type Position, positionOf } from "./member-position.ts";

type SlotChange = {
  readonly slot: SlotId;
  readonly measure: "promised" | "bought" | "bidding";
  readonly amount: bigint;
};
type MemberDay = { readonly member: PublicKey; readonly day: LocalDay; readonly changes: readonly SlotChange[] };

/**
 * The draft with all exposures that must change with it.
 * @param isWitnessFirst - Asks the grid authority for those of others, see `positionOf`.
 */
export async function withExposures(context: FlowContext, draft: Draft, isWitnessFirst = false): Promise<Drafted> {
  const consumed: ResolvedState[] = [];
  const made: State[] = [];
  const changes = positionChangesOf(
    draft.consumed.map(({ state }) => state),
    draft.made,
  );
  const members = [...byMember(context, changes)];
  const positions = await Promise.all(
    members.map(([member, days]) => changedPosition(context, member, days, isWitnessFirst)),
  );
  for (const changed of positions) {
    if (!changed.ok) return changed;
    consumed.push(...changed.value.consumed);
    made.push(...changed.value.made);
  }
  return ok({ ...draft, consumed: [...draft.consumed, ...consumed], made: [...draft.made, ...made] });
}

type Changed = { readonly consumed: readonly ResolvedState[]; readonly made: readonly State[] };

/** The exposures of one member: each day's newest goes on changed, and a day without one is opened in the index. */
async function changedPosition(
  context: FlowContext,
  member: PublicKey,
  days: readonly MemberDay[],
  isWitnessFirst: boolean,
): Promise<Result<Changed, LedgerRefusal>> {
  const consumed: ResolvedState[] = [];
  const made: State[] = [];
  const opened: LocalDay[] = [];
  let index: Position["index"];
  for (const { day, changes } of days) {
    const position = await positionOf(context, member, day, isWitnessFirst);
    if (!position.ok) return position;
    const { exposure } = position.value;
    const entries = changedEntries(exposure?.state.entries ?? [], changes);
    // A peer may have proved an exposure of long ago.
    if (entries === undefined) return err({ tag: "dependency_unknown" });
    index = position.value.index;
    if (exposure === undefined) opened.push(day);
    else consumed.push(exposure);
    made.push({ tag: "exposure", member, day, entries, settled: exposure?.state.settled ?? [] });
  }
  if (opened.length === 0 || index === undefined) return ok({ consumed, made });
  const openedDays = withOpenedDays(index.state.openedDays, opened);
  return ok({ consumed: [...consumed, index], made: [...made, { ...index.state, openedDays }] });
}

function measureOf(text: string): SlotChange["measure"] {
  invariant(
    text === "promised" || text === "bought" || text === "bidding",
    `a position has three measures, was ${text}`,
  );
  return text;
}

function byMember(
  context: FlowContext,
  changes: ReadonlyMap<string, bigint>,
): ReadonlyMap<PublicKey, readonly MemberDay[]> {
  const days = new Map<string, { member: PublicKey; day: LocalDay; changes: SlotChange[] }>();
  for (const [key, amount] of changes) {
    const [memberKey = "", slotText = "", measureText = ""] = key.split(" ");
    const [member, slot, measure] = [publicKey(memberKey), slotId(slotText), measureOf(measureText)];
    const day = dayOf(context, slot);
    const group = days.get(`${member} ${day}`) ?? { member, day, changes: [] };
    group.changes.push({ slot, measure, amount });
    days.set(`${member} ${day}`, group);
  }
  const members = new Map<PublicKey, MemberDay[]>();
  for (const [, day] of [...days].sort(([left], [right]) => compareText(left, right))) {
    members.set(day.member, [...(members.get(day.member) ?? []), day]);
  }
  return members;
}

/** Entries with the changes applied, in slot order, without empty ones; undefined when more is taken away than there was. */
function changedEntries(
  before: readonly ExposureEntry[],
  changes: readonly SlotChange[],
): readonly ExposureEntry[] | undefined {
  const entries = new Map(
    before.map((entry) => [
      entry.slot,
      { promised: entry.promised as bigint, bought: entry.bought as bigint, bidding: entry.bidding as bigint },
    ]),
  );
  for (const { slot, measure, amount } of changes) {
    const entry = entries.get(slot) ?? { promised: 0n, bought: 0n, bidding: 0n };
    entry[measure] += amount;
    if (entry[measure] < 0n) return undefined;
    entries.set(slot, entry);
  }
  return [...entries]
    .filter(([, { promised, bought, bidding }]) => promised !== 0n || bought !== 0n || bidding !== 0n)
    .sort(([left], [right]) => compareText(left, right))
    .map(([slot, { promised, bought, bidding }]) => ({
      slot,
      promised: wattHours(promised),
      bought: wattHours(bought),
      bidding: wattHours(bidding),
    }));
}
