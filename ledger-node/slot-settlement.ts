/** The grid authority's work after a slot: record meters, check every supplier's delivery, settle every member. */

import type { LedgerRefusal, NodeEndpoint } from "#contracts";
import { compareText, type PublicKey, type SlotId, type WattHours } from "#core";

export type SlotReading = { readonly member: PublicKey; readonly produced: WattHours; readonly consumed: WattHours };
export type SettlementProblem = {
  readonly step: "record-meters" | "check-delivery" | "settle-slot";
  readonly member: PublicKey | null;
  readonly refusal: LedgerRefusal;
};

/**
 * Runs the whole settlement of a slot; what fails is reported and can be run again, since each step has a command id.
 * Deliveries come first: a settlement needs to know what was delivered.
 */
export async function settleWholeSlot(
  gridAuthority: NodeEndpoint,
  slot: SlotId,
  readings: readonly SlotReading[],
): Promise<readonly SettlementProblem[]> {
  const recorded = await gridAuthority.submit({
    tag: "record-meters",
    commandId: `record-meters/${slot}`,
    slot,
    readings,
  });
  if (!recorded.ok) return [{ step: "record-meters", member: null, refusal: recorded.error }];
  const promises = await gridAuthority.states("power-promise");
  const suppliers = [
    ...new Set(
      promises
        .filter(({ state }) => state.slot === slot && state.delivered === null)
        .map(({ state }) => state.supplier),
    ),
  ].sort(compareText);
  const members = readings.map(({ member }) => member);
  const checks = await Promise.all(suppliers.map((supplier) => run(gridAuthority, "check-delivery", supplier, slot)));
  const settlements = await Promise.all(members.map((member) => run(gridAuthority, "settle-slot", member, slot)));
  return [...checks, ...settlements].flatMap((problem) => problem ?? []);
}

async function run(
  gridAuthority: NodeEndpoint,
  step: "check-delivery" | "settle-slot",
  member: PublicKey,
  slot: SlotId,
): Promise<SettlementProblem | undefined> {
  const commandId = `${step}/${member.slice(0, 16)}/${slot}`;
  const result = await gridAuthority.submit(
    step === "check-delivery"
      ? { tag: step, commandId, supplier: member, slot }
      : { tag: step, commandId, member, slot },
  );
  return result.ok ? undefined : { step, member, refusal: result.error };
}
