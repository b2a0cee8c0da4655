/** Clauses of members that an aggregator serves: how they join with their mandates, and how they move. */
import { canonicalJson, compareText, type PublicKey } from "#core";
import type { Facts } from "../resolved.ts";
import type { Mandate, Member } from "../states.ts";
import { type Clause, citedMember, clause, mayAct } from "./clause.ts";

/** What members that join under an aggregator hold beside what all do. Each signs, and so gives its own mandate. */
export function servedJoinClauses(facts: Facts): readonly Clause[] {
  const members = facts.made("member");
  return [
    clause("join_hosts_are_aggregators", () => members.every((member) => hasAbleHost(facts, member))),
    clause("join_one_mandate_for_each_served", () => haveTheirMandates(facts.made("mandate"), members)),
    clause("join_delegates_are_others", () => {
      const delegates = new Set(facts.made("mandate").map(({ delegate }) => delegate));
      return delegates.size === facts.made("mandate").length && members.every(({ key }) => !delegates.has(key));
    }),
  ];
}

/**
 * The principal alone signs. The member's state and its mandates are consumed, so that whatever cites them, from the aggregator
 * before, is from then on refused; also what was under way.
 */
export function moveMemberClauses(facts: Facts): readonly Clause[] {
  const { member: key } = facts.commandOf("move-member");
  const [before, ...moreBefore] = facts.consumed("member");
  const [after, ...moreAfter] = facts.made("member");
  const given = facts.made("mandate");
  const taken = facts.consumed("mandate");
  return [
    clause("move_one_member", () => {
      const isOne = moreBefore.length === 0 && moreAfter.length === 0;
      return isOne && before?.key === key && after?.key === key;
    }),
    clause("move_changes_the_host_alone", () => changedFields(before, after).join() === "servedBy"),
    clause("move_host_is_an_aggregator", () => after === undefined || hasAbleHost(facts, after)),
    clause("move_takes_own_mandates", () => taken.every(({ principal }) => principal === key)),
    clause("move_gives_one_mandate_to_the_host", () => after === undefined || haveTheirMandates(given, [after])),
    clause("move_to_a_new_delegate", () => {
      const old = new Set<PublicKey>([key, ...taken.map(({ delegate }) => delegate)]);
      return given.every(({ delegate }) => !old.has(delegate));
    }),
    clause("move_signed_by_the_member", () => facts.isSigner(key)),
  ];
}

/** Names of the fields in which two versions of a member differ; of all of them where one is missing. */
export function changedFields(before: Member | undefined, after: Member | undefined): readonly string[] {
  const fields = Object.keys(before ?? after ?? {}) as (keyof Member)[];
  return fields.filter((field) => canonicalJson(before?.[field] ?? null) !== canonicalJson(after?.[field] ?? null));
}

/** Whether nobody serves the member, or a cited aggregator other than itself that may act. */
function hasAbleHost(facts: Facts, { key, servedBy }: Member): boolean {
  if (servedBy === null) return true;
  return (
    servedBy !== key && mayAct(facts, servedBy) && citedMember(facts, servedBy)?.roles.includes("aggregator") === true
  );
}

/** Whether the mandates are one of each member that is served: who has a node of its own grants what it likes in other ways. */
function haveTheirMandates(mandates: readonly Mandate[], members: readonly Member[]): boolean {
  const principals = mandates.map(({ principal }) => principal).sort(compareText);
  const served = members.flatMap(({ key, servedBy }) => (servedBy === null ? [] : [key])).sort(compareText);
  return principals.join() === served.join();
}
