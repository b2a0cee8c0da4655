/** Clauses of margins: a speculator's money answers for the surplus cost of what it buys. */
import type { LocalDay, PublicKey } from "#core";
import { marginNeeded } from "../margin.ts";
import type { Facts } from "../resolved.ts";
import type { Exposure, ExposureEntry, Margin } from "../states.ts";
import { type Clause, citedMember, clause, moneyChanges } from "./clause.ts";

/** What a flow in which a member buys must hold of its margins. That they suffice is checked with the exposures. */
export function buyersMarginClauses(facts: Facts, flow: "bid" | "order", buyer: PublicKey): readonly Clause[] {
  const [before, after] = [facts.consumed("margin"), facts.made("margin")];
  return [
    clause(`${flow}_margin_is_own`, () => [...before, ...after].every(({ owner }) => owner === buyer)),
    clause(`${flow}_margin_only_grows`, () => {
      const days = [...before, ...after].map(({ day }) => day);
      return (
        new Set(after.map(({ day }) => day)).size === after.length && days.every((day) => grows(before, after, day))
      );
    }),
  ];
}

function grows(before: readonly Margin[], after: readonly Margin[], day: LocalDay): boolean {
  return lockedIn(after, day) >= lockedIn(before, day);
}

function lockedIn(margins: readonly Margin[], day: LocalDay): bigint {
  return margins.reduce((sum, margin) => sum + (margin.day === day ? margin.amount : 0n), 0n);
}

/**
 * Whether every speculator that holds and bids for more of a day than before has a margin that answers for all of it. It may be
 * an older one that is cited: it is not spent, so nothing of it is released at the same time.
 */
export function speculatorsMarginsLocked(facts: Facts): boolean {
  const before = new Map(facts.consumed("exposure").map((exposure) => [keyOf(exposure), exposure.entries]));
  return facts.made("exposure").every((exposure) => {
    const isSpeculator = citedMember(facts, exposure.member)?.roles.includes("speculator") ?? false;
    const hasGrown = buyingOf(exposure.entries) > buyingOf(before.get(keyOf(exposure)) ?? []);
    if (!isSpeculator || !hasGrown) return true;
    const own = [...facts.made("margin"), ...facts.cited("margin")].filter(
      ({ owner, day }) => owner === exposure.member && day === exposure.day,
    );
    return isAnsweredFor(facts, exposure, own);
  });
}

/** Whether one of the margins answers for all that is held and bid for: several are not added up. */
function isAnsweredFor(facts: Facts, { entries }: Exposure, margins: readonly Margin[]): boolean {
  const needed = marginNeeded(entries, facts.parameters.surplusPrice);
  return needed === 0n || margins.some(({ amount }) => amount >= needed);
}

function keyOf({ member, day }: Exposure): string {
  return `${member} ${day}`;
}

function buyingOf(entries: readonly ExposureEntry[]): bigint {
  return entries.reduce((sum, { bought, bidding }) => sum + bought + bidding, 0n);
}

/** The exposure is cited, not consumed: whoever trades at the same time spends it, and one of the two is refused. */
export function releaseMarginClauses(facts: Facts): readonly Clause[] {
  const { owner, day } = facts.commandOf("release-margin");
  const [exposure, ...others] = facts.cited("exposure");
  const [before, after] = [facts.consumed("margin"), facts.made("margin")];
  return [
    clause("release_some", () => before.length > 0),
    clause("release_of_one_owner_and_day", () =>
      [...before, ...after].every((margin) => margin.owner === owner && margin.day === day),
    ),
    clause(
      "release_cites_the_exposure",
      () => exposure?.member === owner && exposure.day === day && others.length === 0,
    ),
    clause("release_keeps_what_is_needed", () => exposure === undefined || isAnsweredFor(facts, exposure, after)),
    clause("release_in_one_margin", () => after.length <= 1),
    clause("release_money_stays", () => moneyChanges(facts).size === 0),
    clause("release_signed_by_the_owner", () => facts.isSigner(owner)),
  ];
}
