/** Completes a draft with the exposures that it changes: consumes each member's newest and makes the next version. */

import {
  type Exposure,
  type ExposureEntry,
  type ExposureIndex,
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

type SlotChange = {
  readonly slot: SlotId;
  readonly measure: "promised" | "bought" | "bidding";
  readonly amount: bigint;
};
type MemberDay = { readonly member: PublicKey; readonly day: LocalDay; readonly changes: readonly SlotChange[] };

/** The draft with all exposures that must change with it. */
export async function withExposures(context: FlowContext, draft: Draft): Promise<Drafted> {
  const consumed: ResolvedState[] = [];
  const made: State[] = [];
  const changes = positionChangesOf(
    draft.consumed.map(({ state }) => state),
    draft.made,
  );
  for (const [member, days] of byMember(context, changes)) {
    const positions = await positionsOf(
      context,
      member,
      days.map(({ day }) => day),
    );
    if (!positions.ok) return positions;
    applyDays(positions.value, days, consumed, made);
  }
  return ok({ ...draft, consumed: [...draft.consumed, ...consumed], made: [...draft.made, ...made] });
}

type Positions = {
  readonly exposures: ReadonlyMap<LocalDay, ResolvedState>;
  readonly index: ResolvedState | undefined;
};

function applyDays(positions: Positions, days: readonly MemberDay[], consumed: ResolvedState[], made: State[]): void {
  const opened: LocalDay[] = [];
  for (const { member, day, changes } of days) {
    const current = positions.exposures.get(day);
    if (current !== undefined) consumed.push(current);
    else opened.push(day);
    const before = current === undefined ? [] : (current.state as Exposure).entries;
    made.push({ tag: "exposure", member, day, entries: changedEntries(before, changes) });
  }
  if (opened.length === 0 || positions.index === undefined) return;
  const index = positions.index.state as ExposureIndex;
  consumed.push(positions.index);
  made.push({ ...index, openedDays: withOpenedDays(index.openedDays, opened) });
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

/** Own positions from the vault, those of others from their node. */
async function positionsOf(
  context: FlowContext,
  member: PublicKey,
  days: readonly LocalDay[],
): Promise<Result<Positions, LedgerRefusal>> {
  if (member === context.party) {
    const exposures = context.vault
      .all("exposure")
      .filter(({ state }) => state.member === member && days.includes(state.day));
    const index = context.vault.all("exposure-index").find(({ state }) => state.member === member);
    return ok({ exposures: new Map(exposures.map((each) => [each.state.day, each])), index });
  }
  const exposures = new Map<LocalDay, ResolvedState>();
  let index: ResolvedState | undefined;
  for (const day of days) {
    const reply = await context.ask(member, { tag: "position", day });
    if (reply.tag !== "position") return err({ tag: "node_unreachable" });
    const exposure = reply.exposure === null ? undefined : context.learn(reply.exposure);
    if (exposure !== undefined) exposures.set(day, exposure);
    index = reply.index === null ? index : context.learn(reply.index);
  }
  return ok({ exposures, index });
}

/** Entries with the changes applied, in slot order, without empty ones. */
export function changedEntries(
  before: readonly ExposureEntry[],
  changes: readonly SlotChange[],
): readonly ExposureEntry[] {
  const entries = new Map(
    before.map((entry) => [
      entry.slot,
      { promised: entry.promised as bigint, bought: entry.bought as bigint, bidding: entry.bidding as bigint },
    ]),
  );
  for (const { slot, measure, amount } of changes) {
    const entry = entries.get(slot) ?? { promised: 0n, bought: 0n, bidding: 0n };
    entry[measure] += amount;
    invariant(entry[measure] >= 0n, `an exposure's ${measure} is not negative`);
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
