/**
 * Clauses on exposure: each trade consumes the exposure of every member whose position it changes and makes the next
 * version, so that caps hold however many nodes and verifiers work at once.
 */
import { compareText, type LocalDay, type PublicKey, type SlotId } from "#core";
import type { Facts } from "../resolved.ts";
import { OPENED_DAYS_MAX } from "../state-codec.ts";
import type { Exposure, ExposureEntry, State } from "../states.ts";
import { type Changes, type Clause, clause, lazy, sameChanges, Tally } from "./clause.ts";
import { speculatorsMarginsLocked } from "./margin.ts";

type Measure = "promised" | "bought" | "bidding";

/** What a trading flow must hold of exposures. */
export function exposureClauses(facts: Facts): readonly Clause[] {
  const changes = lazy(() => exposureChanges(facts));
  return [
    clause("exposure_continues", () => exposuresContinue(facts)),
    clause("exposure_day_opened_once", () => daysOpenedOnce(facts)),
    clause("exposure_entries_tidy", () => facts.made("exposure").every((exposure) => isTidy(facts, exposure))),
    clause("exposure_counts_the_change", () => sameChanges(changes(), positionChanges(facts))),
    clause("exposure_only_where_it_changes", () => onlyChangedExposures(facts)),
    clause("holding_cap_kept", () => holdingCapsKept(facts, changes())),
    clause("exposure_margin_locked", () => speculatorsMarginsLocked(facts)),
  ];
}

/** Change of each measure by member, slot and measure, as the exposures say. */
export function exposureChanges(facts: Facts): Changes {
  const tally = new Tally();
  const unpaired = [...facts.consumed("exposure")];
  for (const after of facts.made("exposure")) {
    const index = unpaired.findIndex((before) => before.member === after.member && before.day === after.day);
    const [before] = index < 0 ? [] : unpaired.splice(index, 1);
    addDifference(tally, after.member, before?.entries ?? [], after.entries);
  }
  for (const before of unpaired) addDifference(tally, before.member, before.entries, []);
  return tally.changes;
}

/** Most entries of an exposure stay as they are: the two lists are walked side by side, and what is the same is passed over. */
function addDifference(
  tally: Tally,
  member: PublicKey,
  before: readonly ExposureEntry[],
  after: readonly ExposureEntry[],
): void {
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [old, made] = [before[left], after[right]];
    if (old !== undefined && made !== undefined && isSame(old, made)) {
      left += 1;
      right += 1;
    } else if (made === undefined || (old !== undefined && compareText(old.slot, made.slot) <= 0)) {
      if (old !== undefined) addEntry(tally, member, old, -1n);
      left += 1;
    } else {
      addEntry(tally, member, made, 1n);
      right += 1;
    }
  }
}

function isSame(left: ExposureEntry, right: ExposureEntry): boolean {
  return (
    left.slot === right.slot &&
    left.promised === right.promised &&
    left.bought === right.bought &&
    left.bidding === right.bidding
  );
}

/** The same change as the promises, orders and auctions of the transaction say. */
export function positionChanges(facts: Facts): Changes {
  return positionChangesOf(
    facts.inputs.map(({ state }) => state),
    facts.content.outputs,
  );
}

/** How the positions of members change when `consumed` is replaced by `made`, keyed by "member slot measure". */
export function positionChangesOf(consumed: readonly State[], made: readonly State[]): Changes {
  const tally = new Tally();
  for (const state of consumed) addPosition(tally, state, -1n);
  for (const state of made) addPosition(tally, state, 1n);
  return tally.changes;
}

function addPosition(tally: Tally, state: State, sign: bigint): void {
  if (state.tag === "power-promise") {
    add(tally, state.supplier, state.slot, "promised", sign * state.energy);
    if (state.owner !== state.supplier) add(tally, state.owner, state.slot, "bought", sign * state.energy);
  } else if (state.tag === "pool-order" && state.side === "bid") {
    add(tally, state.owner, state.slot, "bidding", sign * state.energy);
  } else if (state.tag === "auction" && state.highestBidder !== null) {
    add(tally, state.highestBidder, state.slot, "bidding", sign * state.energy);
  }
}

function addEntry(
  tally: Tally,
  member: PublicKey,
  { slot, promised, bought, bidding }: ExposureEntry,
  sign: bigint,
): void {
  add(tally, member, slot, "promised", sign * promised);
  add(tally, member, slot, "bought", sign * bought);
  add(tally, member, slot, "bidding", sign * bidding);
}

function add(tally: Tally, member: PublicKey, slot: SlotId, measure: Measure, amount: bigint): void {
  tally.add(`${member} ${slot} ${measure}`, amount);
}

function keyOf({ member, day }: { readonly member: PublicKey; readonly day: LocalDay }): string {
  return `${member} ${day}`;
}

function exposuresContinue(facts: Facts): boolean {
  const before = facts.consumed("exposure").map(keyOf);
  const after = facts.made("exposure").map(keyOf);
  const [consumed, made, opened] = [new Set(before), new Set(after), new Set(openedDays(facts))];
  return (
    made.size === after.length &&
    consumed.size === before.length &&
    before.every((key) => made.has(key)) &&
    [...opened].every((key) => made.has(key)) &&
    after.every((key) => consumed.has(key) !== opened.has(key)) &&
    sameSettled(facts)
  );
}

/** Trading settles nothing, and forgets no settlement. */
function sameSettled(facts: Facts): boolean {
  const before = new Map(facts.consumed("exposure").map((exposure) => [keyOf(exposure), exposure.settled.join()]));
  return facts.made("exposure").every((exposure) => exposure.settled.join() === (before.get(keyOf(exposure)) ?? ""));
}

/** Days that the exposure indexes of this transaction open. */
function openedDays(facts: Facts): readonly string[] {
  const before = new Map(facts.consumed("exposure-index").map((index) => [index.member, index.openedDays]));
  return facts
    .made("exposure-index")
    .flatMap(({ member, openedDays: days }) =>
      days.filter((day) => !(before.get(member) ?? []).includes(day)).map((day) => keyOf({ member, day })),
    );
}

function daysOpenedOnce(facts: Facts): boolean {
  const consumed = facts.consumed("exposure-index");
  const made = facts.made("exposure-index");
  const before = new Map(consumed.map(({ member, openedDays: days }) => [member, days]));
  return (
    consumed.length === made.length &&
    before.size === consumed.length &&
    new Set(made.map(({ member }) => member)).size === made.length &&
    made.every(({ member, openedDays: days }) => opensNewDays(before.get(member), days))
  );
}

function opensNewDays(before: readonly LocalDay[] | undefined, after: readonly LocalDay[]): boolean {
  if (before === undefined) return false;
  const added = after.filter((day) => !before.includes(day));
  return (
    added.length > 0 &&
    added.every((day) => wasNeverOpened(before, day)) &&
    withOpenedDays(before, added).join() === after.join()
  );
}

/**
 * Whether an index proves that a day was never opened. An index lists the latest days; once it is full, earlier ones may
 * have been forgotten, so a day before the oldest proves nothing.
 */
export function wasNeverOpened(openedDays: readonly LocalDay[], day: LocalDay): boolean {
  const [oldest] = openedDays;
  if (openedDays.includes(day)) return false;
  return oldest === undefined || openedDays.length < OPENED_DAYS_MAX || day > oldest;
}

/** The days of an exposure index after `added` are opened: in order, the latest of them if they are too many. */
export function withOpenedDays(openedDays: readonly LocalDay[], added: readonly LocalDay[]): readonly LocalDay[] {
  return [...new Set([...openedDays, ...added])].sort(compareText).slice(-OPENED_DAYS_MAX);
}

/** The settled slots of a day after one more is settled, in order. */
export function withSettled(settled: readonly SlotId[], slot: SlotId): readonly SlotId[] {
  return [...settled, slot].sort(compareText);
}

/** Consuming a member's exposure stops its other trades for a moment: only those whose position changes bear it. */
function onlyChangedExposures(facts: Facts): boolean {
  const before = new Map(facts.consumed("exposure").map((exposure) => [keyOf(exposure), exposure.entries]));
  return facts.made("exposure").every((exposure) => !areSame(exposure.entries, before.get(keyOf(exposure)) ?? []));
}

function areSame(left: readonly ExposureEntry[], right: readonly ExposureEntry[]): boolean {
  return (
    left.length === right.length &&
    left.every((entry, index) => {
      const other = right[index];
      return other !== undefined && isSame(entry, other);
    })
  );
}

function isTidy(facts: Facts, { day, entries }: Exposure): boolean {
  return entries.every(
    (entry, index) =>
      facts.dayOf(entry.slot) === day &&
      !isEmpty(entry) &&
      (index === 0 || compareText(entries[index - 1]?.slot ?? "", entry.slot) < 0),
  );
}

function isEmpty({ promised, bought, bidding }: ExposureEntry): boolean {
  return promised === 0n && bought === 0n && bidding === 0n;
}

/** Whoever's holdings and bids grow is cited and stays within its cap. */
function holdingCapsKept(facts: Facts, changes: Changes): boolean {
  const growth = new Tally();
  for (const [key, amount] of changes) {
    const [member = "", slot = "", measure] = key.split(" ");
    if (measure !== "promised") growth.add(`${member} ${slot}`, amount);
  }
  return [...growth.changes].every(([key, amount]) => {
    const [member = "", slot = ""] = key.split(" ");
    const cap = facts.cited("member").find((cited) => cited.key === member)?.holdingCapPerSlot;
    return amount <= 0n || (cap !== undefined && (cap === null || heldIn(facts, member, slot) <= cap));
  });
}

/** What the member holds and bids for in the slot, as the exposures that are made say. */
function heldIn(facts: Facts, member: string, slot: string): bigint {
  for (const exposure of facts.made("exposure")) {
    const entry = exposure.member === member ? exposure.entries.find((each) => each.slot === slot) : undefined;
    if (entry !== undefined) return entry.bought + entry.bidding;
  }
  return 0n;
}
