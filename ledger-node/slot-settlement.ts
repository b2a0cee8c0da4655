/** The grid authority's work after a slot: record meters, check every supplier's delivery, settle every member. */

import type { LedgerRefusal, NodeEndpoint } from "#contracts";
import { compareText, type PublicKey, type SlotId, type WattHours } from "#core";
import { closeSlotCertificates } from "./certificate-closing.ts";
import { commandOf, isReadByOperators, recordFromReports, type SlotStep, settlementsDue } from "./slot-steps.ts";

export type SlotReading = { readonly member: PublicKey; readonly produced: WattHours; readonly consumed: WattHours };
export type SettlementProblem = {
  readonly step: "record-meters" | SlotStep["tag"] | "close-certificates";
  readonly member: PublicKey | null;
  readonly refusal: LedgerRefusal;
};

/**
 * Runs the whole settlement of a slot; what fails is reported and can be run again, since each step has a command id.
 * Deliveries come first: a settlement needs to know what was delivered.
 *
 * @param readings - What the grid authority read. Where there are meter operators, their reports are used instead.
 */
export async function settleWholeSlot(
  gridAuthority: NodeEndpoint,
  slot: SlotId,
  readings: readonly SlotReading[],
): Promise<readonly SettlementProblem[]> {
  const hasOperators = await isReadByOperators(gridAuthority);
  const refusal = hasOperators
    ? await recordFromReports(gridAuthority, slot)
    : await recordAlone(gridAuthority, slot, readings);
  const unrecorded: readonly SettlementProblem[] =
    refusal === undefined ? [] : [{ step: "record-meters", member: null, refusal }];
  if (refusal !== undefined && !hasOperators) return unrecorded;
  // Where operators do not agree on a supplier, its delivery waits.
  const read = new Set(hasOperators ? (await settlementsDue(gridAuthority, slot)).map(({ member }) => member) : []);
  const mayCheck = (supplier: PublicKey): boolean => !hasOperators || read.has(supplier);
  const promises = await gridAuthority.states("power-promise");
  const suppliers = [
    ...new Set(
      promises
        .filter(({ state }) => state.slot === slot && state.delivered === null && mayCheck(state.supplier))
        .map(({ state }) => state.supplier),
    ),
  ].sort(compareText);
  const checks = await Promise.all(
    suppliers.map((supplier) => run(gridAuthority, { tag: "check-delivery", supplier, slot })),
  );
  const due = await settlementsDue(gridAuthority, slot);
  const settlements = await Promise.all(due.map((step) => run(gridAuthority, step)));
  const closings = (await closeSlotCertificates(gridAuthority, slot)).map(
    ({ agency, refusal }): SettlementProblem => ({ step: "close-certificates", member: agency, refusal }),
  );
  return [...unrecorded, ...checks, ...settlements, ...closings].flatMap((problem) => problem ?? []);
}

async function recordAlone(
  gridAuthority: NodeEndpoint,
  slot: SlotId,
  readings: readonly SlotReading[],
): Promise<LedgerRefusal | undefined> {
  const commandId = `record-meters/${slot}`;
  const recorded = await gridAuthority.submit({ tag: "record-meters", commandId, slot, readings });
  return recorded.ok ? undefined : recorded.error;
}

async function run(gridAuthority: NodeEndpoint, step: SlotStep): Promise<SettlementProblem | undefined> {
  const result = await gridAuthority.submit(commandOf(step));
  if (result.ok) return undefined;
  const { tag } = step;
  return { step: tag, member: tag === "check-delivery" ? step.supplier : step.member, refusal: result.error };
}
