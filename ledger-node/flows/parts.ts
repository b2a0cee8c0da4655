/** Split and merge: cuts a promise into parts, or makes one of several, without changing what is owed. */

import { type ClientCommandOf, type LedgerRefusal, mergedPromise, type PowerPromise } from "#contracts";
import { compareBigint, err, ok, type SlotId, sumEnergy, type WattHours, wattHours } from "#core";
import {
  citations,
  type Draft,
  type Drafted,
  type FlowContext,
  gateMs,
  mandateUntilMs,
  memberOf,
  network,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { freePromises } from "./promises-held.ts";

/** Promises that one transaction merges. */
const MERGED_MAX = 1_000;

export async function draftSplitPromise(
  context: FlowContext,
  { slot, energies, promiseId }: ClientCommandOf<"split-promise">,
): Promise<Drafted> {
  const refusal = tradingRefusal(context, slot) ?? partsRefusal(context, energies);
  if (refusal !== undefined) return err(refusal);
  const free = freePromises(context, context.party, slot).filter(
    ({ state }) => promiseId === undefined || state.promiseId === promiseId,
  );
  const asked = sumEnergy(energies);
  const [whole] = [...free].sort(bySize).filter(({ state }) => canBeCut(context, state.energy, energies));
  const held = free.reduce((most, { state }) => (state.energy > most ? state.energy : most), wattHours(0n));
  if (whole === undefined) return err({ tag: "promise_not_held", slot, asked, held });
  const rest = wattHours(whole.state.energy - asked);
  const parts = [...energies, ...(rest > 0n ? [rest] : [])];
  const made = parts.map((energy): PowerPromise => ({ ...whole.state, energy }));
  return drafted(context, [whole], made, { tag: "split-promise", owner: context.party });
}

/** Whether the energies and what is left of a promise are all significant, and at least two. */
function canBeCut(context: FlowContext, energy: WattHours, energies: readonly WattHours[]): boolean {
  const rest = energy - sumEnergy(energies);
  return rest === 0n ? energies.length >= 2 : rest > 0n && rest >= network(context).promiseMin;
}

function partsRefusal(context: FlowContext, energies: readonly WattHours[]): LedgerRefusal | undefined {
  const { promiseMin, promiseMax } = network(context);
  const asked = energies.find((energy) => energy <= 0n || energy < promiseMin);
  return asked === undefined ? undefined : { tag: "energy_out_of_range", asked, min: promiseMin, max: promiseMax };
}

export async function draftMergePromises(
  context: FlowContext,
  { slot, supplier, promiseIds }: ClientCommandOf<"merge-promises">,
): Promise<Drafted> {
  const refusal = tradingRefusal(context, slot);
  if (refusal !== undefined) return err(refusal);
  const parts = [...freePromises(context, context.party, slot)]
    .filter(({ state }) => state.supplier === supplier && promiseIds?.includes(state.promiseId) !== false)
    .sort(bySize)
    .slice(0, MERGED_MAX);
  const states = parts.map(({ state }) => state);
  const whole = mergedPromise(states, context.commandId);
  if (whole === undefined || parts.length < 2) return err({ tag: "nothing_to_merge" });
  return drafted(context, parts, [whole], {
    tag: "merge-promises",
    owner: context.party,
    promiseId: whole.promiseId,
  });
}

function tradingRefusal(context: FlowContext, slot: SlotId): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  if (member === undefined) return { tag: "member_unknown" };
  if (member.standing === "suspended") return { tag: "member_suspended" };
  if (!slot.endsWith(`/PT${network(context).slotMinutes}M`)) return { tag: "slot_unknown" };
  return gateMs(context, slot) <= context.nowMs
    ? { tag: "gate_closed", slot, gateMs: gateMs(context, slot) }
    : undefined;
}

function drafted(
  context: FlowContext,
  consumed: readonly VaultState<"power-promise">[],
  made: readonly PowerPromise[],
  command: Draft["command"],
): Drafted {
  context.vault.lock(
    consumed.map(({ ref }) => ref),
    context.flowId,
  );
  const gates = consumed.map(({ state }) => gateMs(context, state.slot));
  return ok({
    consumed,
    cited: citations(context, [context.party]),
    made,
    command,
    window: windowUntil(context, mandateUntilMs(context), ...gates),
    signers: [context.signingKey],
  });
}

function bySize({ state: left }: VaultState<"power-promise">, { state: right }: VaultState<"power-promise">): number {
  return compareBigint(left.energy, right.energy);
}
