/** Meter operators' reports, and the readings that the grid authority makes of them. */

import {
  type ClientCommandOf,
  correctableUntilMs,
  type LedgerRefusal,
  type MeterAgreement,
  type MeterReading,
  type MeterReport,
  meterAgreement,
  type ResolvedState,
  refKey,
} from "#contracts";
import { compareText, err, ok, type PublicKey, type Result, type SlotId, slotOf } from "#core";
import {
  citations,
  type Drafted,
  dayOf,
  type FlowContext,
  memberOf,
  network,
  PROPOSAL_MS_MAX,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";

const DAY_MS = 86_400_000;
/** Leaves room in a transaction for what else it takes. */
const REPORTS_MAX = 3_000;
const SETTLEMENTS_MAX = 400;
const EXPIRED_MAX = 1_000;

/** What a meter operator read. Its reports that can't count any more go along. */
export async function draftReportMeters(
  context: FlowContext,
  { slot, readings }: ClientCommandOf<"report-meters">,
): Promise<Drafted> {
  const operator = context.party;
  const { meterOperators } = network(context);
  const member = memberOf(context, operator)?.state;
  if (!meterOperators.includes(operator) || member?.roles.includes("meter-operator") !== true)
    return err({ tag: "role_not_allowed" });
  if (member.standing === "suspended") return err({ tag: "member_suspended" });
  if (readings.some((reading) => memberOf(context, reading.member) === undefined))
    return err({ tag: "member_unknown" });
  const own = context.vault
    .of("meter-report", operator)
    .filter(({ ref, state }) => state.operator === operator && context.vault.isFree(ref));
  const of = new Set(readings.map((reading) => reading.member));
  const replaced = own.filter(({ state }) => state.slot === slot && of.has(state.member));
  const expired = own
    .filter((report) => !replaced.includes(report) && correctionEndMs(context, report.state.slot) <= context.nowMs)
    .slice(0, EXPIRED_MAX);
  const revisions = new Map(replaced.map(({ state }) => [state.member, state.revision + 1]));
  return ok({
    consumed: [...replaced, ...expired],
    cited: citations(context, [operator]),
    made: readings.map(
      (reading): MeterReport => ({
        tag: "meter-report",
        operator,
        member: reading.member,
        slot,
        produced: reading.produced,
        consumed: reading.consumed,
        revision: revisions.get(reading.member) ?? 0,
      }),
    ),
    command: { tag: "report-meters", operator, slot },
    window: {
      fromMs: Math.max(slotOf(slot).endMs, ...expired.map(({ state }) => correctionEndMs(context, state.slot))),
      untilMs: null,
    },
    signers: [context.signingKey],
  });
}

/** After this instant nothing of the slot is corrected any more. */
export function correctionEndMs(context: FlowContext, slot: SlotId): number {
  return correctableUntilMs(slot, network(context));
}

/** The time in which a correction may become final: from when it is due, at most a day long. */
export function correctionWindow(
  context: FlowContext,
  slot: SlotId,
  dueMs: number = slotOf(slot).endMs,
): { readonly fromMs: number; readonly untilMs: number } {
  return {
    fromMs: Math.max(dueMs, context.nowMs - DAY_MS),
    untilMs: Math.min(context.nowMs + PROPOSAL_MS_MAX, correctionEndMs(context, slot)),
  };
}

/** A reading that is to be made, and the reports that it is made of. */
type NewReading = MeterAgreement & {
  readonly member: PublicKey;
  readonly reports: readonly VaultState<"meter-report">[];
};

/**
 * Readings of members' slots: the grid authority's own, or, where there are meter operators, those on which their reports agree,
 * as many as one transaction holds.
 */
export async function draftRecordMeters(
  context: FlowContext,
  { slot, readings }: ClientCommandOf<"record-meters">,
): Promise<Drafted> {
  const { gridAuthority, meterOperators } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  const isAlone = meterOperators.length === 0;
  if (isAlone !== readings.length > 0) return err({ tag: "command_malformed" });
  const prepared = isAlone ? ownReadings(context, slot, readings) : agreedReadings(context, slot);
  if (!prepared.ok) return prepared;
  const { made, consumed, cited, isWaitedFor } = prepared.value;
  const overdueMs = slotOf(slot).endMs + network(context).settlementGraceMs;
  const dueMs = isWaitedFor ? slotOf(slot).endMs : overdueMs;
  const isCorrection = made.some(({ revision }) => revision > 0);
  return ok({
    consumed,
    cited: [...citations(context, isAlone ? [] : meterOperators), ...cited],
    made,
    command: { tag: "record-meters", slot },
    window: isCorrection ? correctionWindow(context, slot, dueMs) : { fromMs: dueMs, untilMs: null },
    signers: [context.signingKey],
  });
}

type Prepared = {
  readonly made: readonly MeterReading[];
  readonly consumed: readonly ResolvedState[];
  readonly cited: readonly ResolvedState[];
  /** Whether every operator has reported on every member, so that nobody has to be waited for. */
  readonly isWaitedFor: boolean;
};

function ownReadings(
  context: FlowContext,
  slot: SlotId,
  readings: ClientCommandOf<"record-meters">["readings"],
): Result<Prepared, LedgerRefusal> {
  const prepared: PreparedReading[] = [];
  for (const reading of readings) {
    const next = nextReading(context, slot, { ...reading, agreed: [], disagreed: [], reports: [] });
    if (!next.ok) return next;
    prepared.push(next.value);
  }
  return ok(together(prepared, true));
}

/** All members' readings that can be made by now; the refusal of the first where none can. */
function agreedReadings(context: FlowContext, slot: SlotId): Result<Prepared, LedgerRefusal> {
  const { meterOperators } = network(context);
  const prepared: PreparedReading[] = [];
  let refusal: LedgerRefusal | undefined;
  let isWaitedFor = true;
  let [reports, settlements] = [0, 0];
  for (const [member, usable] of reportsByMember(context, slot)) {
    const agreed = agreementOf(context, slot, usable);
    const next = agreed.ok ? nextReading(context, slot, { ...agreed.value, member, reports: usable }) : agreed;
    if (!next.ok) {
      refusal ??= next.error;
      continue;
    }
    reports += usable.length;
    settlements += next.value.cited.length;
    if (reports > REPORTS_MAX || settlements > SETTLEMENTS_MAX) break;
    isWaitedFor &&= usable.length === meterOperators.length;
    prepared.push(next.value);
  }
  if (prepared.length > 0) return ok(together(prepared, isWaitedFor));
  return err(refusal ?? { tag: "reports_missing", needed: network(context).meterQuorum, reported: 0 });
}

/** The reports that no reading has used yet, by member: of each operator that may act the latest. */
function reportsByMember(
  context: FlowContext,
  slot: SlotId,
): readonly (readonly [PublicKey, readonly VaultState<"meter-report">[]])[] {
  const able = new Set(network(context).meterOperators.filter((key) => isAbleOperator(context, key)));
  const latest = new Map<PublicKey, Map<PublicKey, VaultState<"meter-report">>>();
  const free = [...able].flatMap((key) => context.vault.of("meter-report", key));
  for (const report of free) {
    const { operator, member, revision } = report.state;
    if (report.state.slot !== slot || !context.vault.isFree(report.ref)) continue;
    const group = latest.get(member) ?? new Map<PublicKey, VaultState<"meter-report">>();
    latest.set(member, group);
    const known = group.get(operator);
    const isLater =
      known === undefined ||
      revision > known.state.revision ||
      (revision === known.state.revision && refKey(report.ref) < refKey(known.ref));
    if (isLater) group.set(operator, report);
  }
  return [...latest]
    .sort(([left], [right]) => compareText(left, right))
    .map(([member, reports]) => [member, [...reports.values()]]);
}

function isAbleOperator(context: FlowContext, key: PublicKey): boolean {
  const member = memberOf(context, key)?.state;
  return member?.roles.includes("meter-operator") === true && member.standing !== "suspended";
}

/** What the reports come to. All operators are waited for until the grace period is over. */
function agreementOf(
  context: FlowContext,
  slot: SlotId,
  reports: readonly VaultState<"meter-report">[],
): Result<MeterAgreement, LedgerRefusal> {
  const { meterOperators, meterQuorum, settlementGraceMs } = network(context);
  const isOverdue = context.nowMs >= slotOf(slot).endMs + settlementGraceMs;
  const needed = isOverdue ? meterQuorum : meterOperators.length;
  if (reports.length < needed) return err({ tag: "reports_missing", needed, reported: reports.length });
  const agreement = meterAgreement(
    network(context),
    reports.map(({ state }) => state),
  );
  return agreement === undefined ? err({ tag: "meters_disagree" }) : ok(agreement);
}

type PreparedReading = {
  readonly reading: MeterReading;
  readonly consumed: readonly ResolvedState[];
  readonly cited: readonly ResolvedState[];
};

function together(prepared: readonly PreparedReading[], isWaitedFor: boolean): Prepared {
  return {
    made: prepared.map(({ reading }) => reading),
    consumed: prepared.flatMap(({ consumed }) => consumed),
    cited: prepared.flatMap(({ cited }) => cited),
    isWaitedFor,
  };
}

/** The member's first reading, or the one that replaces what was read so far. */
function nextReading(
  context: FlowContext,
  slot: SlotId,
  { member, produced, consumed, agreed, disagreed, reports }: NewReading,
): Result<PreparedReading, LedgerRefusal> {
  const before = readSoFar(context, member, slot);
  if (!before.ok) return before;
  const { reading, settlement, latest } = before.value;
  if (latest?.produced === produced && latest.consumed === consumed) return err({ tag: "reading_recorded" });
  if (latest !== undefined && context.nowMs >= correctionEndMs(context, slot)) return err({ tag: "correction_closed" });
  const revision = latest === undefined ? 0 : latest.revision + 1;
  return ok({
    reading: { tag: "meter-reading", member, slot, produced, consumed, revision, agreed, disagreed },
    consumed: [...(reading === undefined ? [] : [reading]), ...reports],
    cited: settlement === undefined ? [] : [settlement],
  });
}

export type ReadSoFar = {
  readonly reading: VaultState<"meter-reading"> | undefined;
  readonly settlement: VaultState<"slot-settlement"> | undefined;
  /** The later of the two. */
  readonly latest: Pick<MeterReading, "produced" | "consumed" | "revision"> | undefined;
};

/**
 * What stands so far of a member's slot. A reading by which the delivery is checked stays until the member is settled by it:
 * what comes later corrects the settlement.
 */
export function readSoFar(context: FlowContext, member: PublicKey, slot: SlotId): Result<ReadSoFar, LedgerRefusal> {
  const { vault } = context;
  const reading = latestReading(context, member, slot);
  const settlement = settlementOf(context, member, slot);
  const isSettled = vault.positionOf(member, dayOf(context, slot)).exposure?.state.settled.includes(slot) ?? false;
  const isBusy = [reading, settlement].some((known) => known !== undefined && !vault.isFree(known.ref));
  const isInUse = reading !== undefined && !isSettled && isDeliveryChecked(context, member, slot);
  if (isBusy || isInUse || isSettled !== (settlement !== undefined)) return err({ tag: "reading_recorded" });
  const isReadingLater = (reading?.state.revision ?? -1) > (settlement?.state.revision ?? -1);
  return ok({ reading, settlement, latest: isReadingLater ? reading?.state : settlement?.state });
}

function isDeliveryChecked(context: FlowContext, member: PublicKey, slot: SlotId): boolean {
  const { vault } = context;
  return (
    vault.of("delivery-record", member).some(({ state }) => state.slot === slot) ||
    vault
      .of("power-promise", member)
      .some(({ ref, state }) => state.supplier === member && state.slot === slot && !vault.isFree(ref))
  );
}

/** The reading of the highest revision that is not used yet. */
export function latestReading(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
): VaultState<"meter-reading"> | undefined {
  return context.vault
    .of("meter-reading", member)
    .filter(({ state }) => state.slot === slot)
    .sort((left, right) => right.state.revision - left.state.revision)[0];
}

export function settlementOf(
  context: FlowContext,
  member: PublicKey,
  slot: SlotId,
): VaultState<"slot-settlement"> | undefined {
  return context.vault.of("slot-settlement", member).find(({ state }) => state.slot === slot);
}
