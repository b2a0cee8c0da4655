/**
 * Clauses on exposure: each trade consumes the exposure of every member whose position it changes and makes the next
 * version, so that caps hold however many nodes and verifiers work at once.
 */
import { compareText, type LocalDay, type PublicKey, type SlotId } from "#core";
import { OPENED_DAYS_MAX } from "../state-codec.ts";
import type { Facts } from "../resolved.ts";
import type { Exposure, ExposureEntry, State } from "../states.ts";
import { type Changes, citedMember, type Clause, clause, sameChanges, Tally } from "./clause.ts";

type Measure = "promised" | "bought" | "bidding";

/** What a trading flow must hold of exposures. */
export function exposureClauses(facts: Facts): readonly Clause[] {
  return [
    clause("exposure_continues", () => exposuresContinue(facts)),
    clause("exposure_day_opened_once", () => daysOpenedOnce(facts)),
    clause("exposure_entries_tidy", () => facts.made("exposure").every((exposure) => isTidy(facts, exposure))),
    clause("exposure_counts_the_change", () => sameChanges(exposureChanges(facts), positionChanges(facts))),
    clause("holding_cap_kept", () => holdingCapsKept(facts)),
  ];
}

/** Change of each measure by member, slot and measure, as the exposures say. */
export function exposureChanges(facts: Facts): Changes {
  const tally = new Tally();
  for (const exposure of facts.consumed("exposure")) addExposure(tally, exposure, -1n);
  for (const exposure of facts.made("exposure")) addExposure(tally, exposure, 1n);
  return tally.changes;
}

/** The same change as the promises, orders and auctions of the transaction say. */
export function positionChanges(facts: Facts): Changes {
  return positionChangesOf(facts.inputs.map(({ state }) => state), facts.content.outputs);
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

function addExposure(tally: Tally, { member, entries }: Exposure, sign: bigint): void {
  for (const { slot, promised, bought, bidding } of entries) {
    add(tally, member, slot, "promised", sign * promised);
    add(tally, member, slot, "bought", sign * bought);
    add(tally, member, slot, "bidding", sign * bidding);
  }
}

function add(tally: Tally, member: PublicKey, slot: SlotId, measure: Measure, amount: bigint): void {
  tally.add(`${member} ${slot} ${measure}`, amount);
}

function keyOf({ member, day }: { readonly member: PublicKey; readonly day: LocalDay }): string {
  return `${member} ${day}`;
}

function exposuresContinue(facts: Facts): boolean {
  const consumed = facts.consumed("exposure").map(keyOf);
  const made = facts.made("exposure").map(keyOf);
  const opened = openedDays(facts);
  return (
    new Set(made).size === made.length &&
    new Set(consumed).size === consumed.length &&
    consumed.every((key) => made.includes(key)) &&
    made.every((key) => consumed.includes(key) !== opened.includes(key))
  );
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
  if (consumed.length !== made.length) return false;
  return made.every((after) => {
    const before = consumed.find(({ member }) => member === after.member);
    return (
      before !== undefined &&
      consumed.filter(({ member }) => member === after.member).length === 1 &&
      opensLaterDays(before.openedDays, after.openedDays)
    );
  });
}

/** Whether `after` is `before` with later days at its end, cut at the front to its longest length. */
function opensLaterDays(before: readonly LocalDay[], after: readonly LocalDay[]): boolean {
  const last = before.at(-1);
  const added = after.filter((day) => last === undefined || day > last);
  const expected = [...before, ...added].slice(-OPENED_DAYS_MAX);
  return (
    added.length > 0 &&
    added.every((day, index) => index === 0 || (added[index - 1] ?? day) < day) &&
    expected.join() === after.join()
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
function holdingCapsKept(facts: Facts): boolean {
  const growth = new Tally();
  for (const [key, amount] of exposureChanges(facts)) {
    const [member = "", slot = "", measure] = key.split(" ");
    if (measure !== "promised") growth.add(`${member} ${slot}`, amount);
  }
  return [...growth.changes].every(([key, amount]) => {
    if (amount <= 0n) return true;
    const [memberKey = "", slot = ""] = key.split(" ");
    const member = citedMember(facts, memberKey as PublicKey);
    if (member === undefined) return false;
    const entry = facts
      .made("exposure")
      .flatMap((exposure) => (exposure.member === memberKey ? exposure.entries : []))
      .find((each) => each.slot === slot);
    return (
      entry !== undefined &&
      (member.holdingCapPerSlot === null || entry.bought + entry.bidding <= member.holdingCapPerSlot)
    );
  });
}
