/** The steps of a slot's settlement as commands of the grid authority. Whoever takes one, it is done once: its id says which it is. */
import { type ClientCommand, type LedgerRefusal, type NodeEndpoint, refKey } from "#contracts";
import { compareText, hashOf, type PublicKey, type SlotId, slotOf } from "#core";

export type SlotStep =
  | { readonly tag: "check-delivery"; readonly supplier: PublicKey; readonly slot: SlotId }
  | SettlementStep;
export type SettlementStep =
  | { readonly tag: "settle-slot"; readonly member: PublicKey; readonly slot: SlotId }
  /** By the reading of the revision. */
  | {
      readonly tag: "correct-settlement";
      readonly member: PublicKey;
      readonly slot: SlotId;
      readonly revision: number;
    };

export function commandOf(step: SlotStep): ClientCommand {
  const { tag, slot } = step;
  if (tag === "check-delivery") return { ...step, commandId: `${tag}/${step.supplier.slice(0, 16)}/${slot}` };
  const commandId = `${tag}/${step.member.slice(0, 16)}/${slot}`;
  if (tag === "settle-slot") return { ...step, commandId };
  return { tag, member: step.member, slot, commandId: `${commandId}/${step.revision}` };
}

export async function isReadByOperators(gridAuthority: NodeEndpoint): Promise<boolean> {
  const [parameters] = await gridAuthority.states("network-parameters");
  return (parameters?.state.meterOperators.length ?? 0) > 0;
}

/**
 * Makes all readings that the operators' reports allow by now, a transaction at a time. The refusal where reports are left that
 * too few operators agree on, or where some are still waited for.
 */
export async function recordFromReports(gridAuthority: NodeEndpoint, slot: SlotId): Promise<LedgerRefusal | undefined> {
  for (;;) {
    const reports = (await gridAuthority.states("meter-report")).filter(({ state }) => state.slot === slot);
    if (reports.length === 0) return undefined;
    const refs = reports.map(({ ref }) => refKey(ref)).sort(compareText);
    const commandId = `record-meters/${slot}/${hashOf(refs.join()).slice(0, 32)}`;
    const recorded = await gridAuthority.submit({ tag: "record-meters", commandId, slot, readings: [] });
    if (!recorded.ok) return recorded.error;
    if (recorded.value.status === "exists") return undefined;
  }
}

/** When silent operators are waited for no longer, so that the reports that there are may allow more readings. */
export async function quorumSufficesFromMs(gridAuthority: NodeEndpoint, slot: SlotId): Promise<number> {
  const [parameters] = await gridAuthority.states("network-parameters");
  return slotOf(slot).endMs + (parameters?.state.settlementGraceMs ?? 0);
}

/** A settlement for each reading that none was made by, and a correction for each that came after the settlement. */
export async function settlementsDue(gridAuthority: NodeEndpoint, slot: SlotId): Promise<readonly SettlementStep[]> {
  const latest = new Map<PublicKey, number>();
  for (const { state } of await gridAuthority.states("meter-reading"))
    if (state.slot === slot) latest.set(state.member, Math.max(state.revision, latest.get(state.member) ?? 0));
  const isCorrected = [...latest.values()].some((revision) => revision > 0);
  const settled = isCorrected ? await settledMembers(gridAuthority, slot) : new Set<PublicKey>();
  return [...latest].map(([member, revision]) =>
    settled.has(member) ? { tag: "correct-settlement", member, slot, revision } : { tag: "settle-slot", member, slot },
  );
}

async function settledMembers(gridAuthority: NodeEndpoint, slot: SlotId): Promise<ReadonlySet<PublicKey>> {
  const settlements = await gridAuthority.states("slot-settlement");
  return new Set(settlements.flatMap(({ state }) => (state.slot === slot ? [state.member] : [])));
}
