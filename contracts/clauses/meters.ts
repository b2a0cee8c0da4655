/** Clauses of meter operators' reports, and of the readings that the grid authority makes of them. */
import { type PublicKey, type SlotId, slotOf } from "#core";
import { type MeterAgreement, meterAgreement } from "../meter-agreement.ts";
import type { Facts } from "../resolved.ts";
import type { MeterReading, MeterReport } from "../states.ts";
import { type Clause, citedMember, clause, isAfterSlot, isOverdue, mayAct } from "./clause.ts";

/** Whether the key is a meter operator's of the network that is cited and may act. */
function isOperator(facts: Facts, key: PublicKey): boolean {
  return (
    facts.parameters.meterOperators.includes(key) &&
    mayAct(facts, key) &&
    citedMember(facts, key)?.roles.includes("meter-operator") === true
  );
}

/** Until then settled slots may be corrected, and reports and disputes of the slot count. */
export function correctableUntilMs(slot: SlotId, { correctionMs }: { readonly correctionMs: number }): number {
  return slotOf(slot).endMs + correctionMs;
}

/** Whether the slot can surely still be corrected at the end of the window. */
export function isCorrectable(facts: Facts, slot: SlotId): boolean {
  return facts.isUntil(correctableUntilMs(slot, facts.parameters));
}

export function reportMetersClauses(facts: Facts): readonly Clause[] {
  const { operator, slot } = facts.commandOf("report-meters");
  const before = facts.consumed("meter-report");
  const after = facts.made("meter-report");
  return [
    clause("reports_some", () => after.length > 0),
    clause("reports_of_the_operator", () => [...before, ...after].every((report) => report.operator === operator)),
    clause("reports_of_the_slot", () => after.every((report) => report.slot === slot)),
    clause("reports_one_per_member", () => new Set(after.map(({ member }) => member)).size === after.length),
    clause("reports_replaced_or_over", () => before.every((report) => isReplacedOrOver(facts, report))),
    clause("reports_revision_follows", () => after.every((report) => report.revision === nextRevision(before, report))),
    clause("reports_after_the_slot", () => isAfterSlot(facts, slot)),
    clause("reports_by_a_meter_operator", () => isOperator(facts, operator)),
    clause("reports_signed_by_the_operator", () => facts.isSigner(operator)),
  ];
}

/** An operator withdraws no report that may still count, but what no reading used in time may go. */
function isReplacedOrOver(facts: Facts, { member, slot }: MeterReport): boolean {
  return (
    facts.made("meter-report").some((report) => report.member === member && report.slot === slot) ||
    facts.isFrom(correctableUntilMs(slot, facts.parameters))
  );
}

function nextRevision(before: readonly MeterReport[], { member, slot }: MeterReport): number {
  const revisions = before.flatMap((report) =>
    report.member === member && report.slot === slot ? [report.revision + 1] : [],
  );
  return Math.max(0, ...revisions);
}

export function recordMetersClauses(facts: Facts): readonly Clause[] {
  const { slot } = facts.commandOf("record-meters");
  const readings = facts.made("meter-reading");
  const members = new Set(readings.map(({ member }) => member));
  const reports = reportsByMember(facts);
  return [
    clause("meters_some", () => readings.length > 0),
    clause("meters_of_the_slot", () => readings.every((reading) => reading.slot === slot)),
    clause("meters_one_per_member", () => members.size === readings.length),
    clause("meters_after_the_slot", () => isAfterSlot(facts, slot)),
    clause("meters_replace_what_was_read", () =>
      [...facts.consumed("meter-reading"), ...facts.cited("slot-settlement")].every(
        (before) => before.slot === slot && members.has(before.member),
      ),
    ),
    clause("meters_revision_follows", () => readings.every((reading) => isNextRevision(facts, reading))),
    clause(
      "meters_corrected_in_time",
      () => isCorrectable(facts, slot) || readings.every(({ revision }) => revision === 0),
    ),
    clause("meters_reports_of_the_slot", () =>
      facts.consumed("meter-report").every((report) => report.slot === slot && members.has(report.member)),
    ),
    clause("meters_reports_of_operators", () =>
      [...new Set(facts.consumed("meter-report").map(({ operator }) => operator))].every((key) =>
        isOperator(facts, key),
      ),
    ),
    clause("meters_one_report_per_operator", () => [...reports.values()].every(isOnePerOperator)),
    clause("meters_wait_for_operators", () => isOverdue(facts, slot) || haveAllReported(facts, reports)),
    clause("meters_as_the_reports_agree", () =>
      readings.every((reading) => isAsAgreed(facts, reading, reports.get(reading.member) ?? [])),
    ),
    clause("meters_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
  ];
}

function reportsByMember(facts: Facts): ReadonlyMap<PublicKey, readonly MeterReport[]> {
  const reports = new Map<PublicKey, MeterReport[]>();
  for (const report of facts.consumed("meter-report")) {
    const group = reports.get(report.member);
    if (group === undefined) reports.set(report.member, [report]);
    else group.push(report);
  }
  return reports;
}

function isOnePerOperator(reports: readonly MeterReport[]): boolean {
  return new Set(reports.map(({ operator }) => operator)).size === reports.length;
}

/** Before the grace period is over each operator's report is waited for. */
function haveAllReported(facts: Facts, reports: ReadonlyMap<PublicKey, readonly MeterReport[]>): boolean {
  const { meterOperators } = facts.parameters;
  return facts.made("meter-reading").every(({ member }) => (reports.get(member)?.length ?? 0) >= meterOperators.length);
}

/** Where nobody reports, the grid authority alone reads the meters. */
function isAsAgreed(facts: Facts, reading: MeterReading, reports: readonly MeterReport[]): boolean {
  const alone: MeterAgreement = { ...reading, agreed: [], disagreed: [] };
  const expected = facts.parameters.meterOperators.length === 0 ? alone : meterAgreement(facts.parameters, reports);
  return (
    expected !== undefined &&
    reading.produced === expected.produced &&
    reading.consumed === expected.consumed &&
    reading.agreed.join() === expected.agreed.join() &&
    reading.disagreed.join() === expected.disagreed.join()
  );
}

/** What stands so far of a member's slot: the reading that is replaced or kept, or the settlement that may be corrected, if any. */
export function readSoFar(
  facts: Facts,
  member: PublicKey,
  slot: SlotId,
): Pick<MeterReading, "produced" | "consumed" | "revision"> | undefined {
  const known = [
    ...facts.consumed("meter-reading"),
    ...facts.cited("meter-reading"),
    ...facts.cited("slot-settlement"),
  ].filter((before) => before.member === member && before.slot === slot);
  return known.sort((left, right) => right.revision - left.revision)[0];
}

function isNextRevision(facts: Facts, { member, slot, revision }: MeterReading): boolean {
  const before = readSoFar(facts, member, slot);
  return revision === (before === undefined ? 0 : before.revision + 1);
}
