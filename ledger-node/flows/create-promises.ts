/** Create power promise (paper section 3.4, algorithm A1): deposit first, then the promise. */

import {
  type ClientCommandOf,
  type Deposit,
  type ExposureEntry,
  type LedgerRefusal,
  type Member,
  type PowerPromise,
  SUPPLIER_ROLES,
  storageOverdraw,
} from "#contracts";
import { compareText, costCeil, energyAbove, err, type LocalDay, type SlotId, sumEnergy, wattHours } from "#core";
import {
  citations,
  type Drafted,
  dayOf,
  type FlowContext,
  gateMs,
  mandateUntilMs,
  memberOf,
  network,
  verifiersOf,
  windowUntil,
} from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { payFrom } from "./money.ts";
import { withExposures } from "./positions.ts";

type Asked = ClientCommandOf<"create-promises">["promises"][number];

export async function draftCreatePromises(
  context: FlowContext,
  { promises }: ClientCommandOf<"create-promises">,
): Promise<Drafted> {
  const refusal = refusalOf(context, promises);
  if (refusal !== undefined) return err(refusal);
  const deposits = depositsFor(context, promises);
  const payment = payFrom(
    context,
    deposits.reduce((sum, { amount }) => sum + amount, 0n),
  );
  if (!payment.ok) return payment;
  const made = promises.map(
    ({ slot, energy, claims }, index): PowerPromise => ({
      tag: "power-promise",
      promiseId: `${context.commandId}/${index}`,
      slot,
      energy,
      supplier: context.party,
      owner: context.party,
      lock: null,
      delivered: null,
      claims: claims === undefined ? null : { ...claims, certifiedBy: null },
    }),
  );
  const verifiers = verifiersOf(context);
  const gates = promises.map(({ slot }) => gateMs(context, slot));
  return withExposures(context, {
    consumed: payment.value.consumed,
    cited: [...citations(context, [context.party, ...verifiers]), ...curtailmentsOf(context, promises)],
    made: [...made, ...deposits, ...payment.value.change],
    command: { tag: "create-promises", supplier: context.party },
    window: windowUntil(context, mandateUntilMs(context), ...gates),
    signers: [context.signingKey, network(context).gridAuthority, ...verifiers],
  });
}

function refusalOf(context: FlowContext, promises: readonly Asked[]): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  const { promiseMin, promiseMax, slotMinutes } = network(context);
  if (member === undefined) return { tag: "member_unknown" };
  if (member.standing === "suspended") return { tag: "member_suspended" };
  if (!member.roles.some((role) => SUPPLIER_ROLES.includes(role))) return { tag: "role_not_allowed" };
  for (const { slot, energy } of promises) {
    if (!slot.endsWith(`/PT${slotMinutes}M`)) return { tag: "slot_unknown" };
    if (gateMs(context, slot) <= context.nowMs) return { tag: "gate_closed", slot, gateMs: gateMs(context, slot) };
    if (energy < promiseMin || energy > promiseMax)
      return { tag: "energy_out_of_range", asked: energy, min: promiseMin, max: promiseMax };
  }
  for (const slot of new Set(promises.map((promise) => promise.slot))) {
    const asked = sumEnergy(promises.filter((promise) => promise.slot === slot).map(({ energy }) => energy));
    const free = energyAbove(member.capacityPerSlot, promisedSoFar(context, slot));
    if (asked > free) return { tag: "capacity_exceeded", slot, asked, free };
  }
  return storageRefusal(context, member, promises) ?? curtailmentRefusal(context, promises);
}

/** Whether the storage can't hold what the day's promises need of it. */
function storageRefusal(context: FlowContext, member: Member, promises: readonly Asked[]): LedgerRefusal | undefined {
  for (const day of new Set(promises.map(({ slot }) => dayOf(context, slot)))) {
    const entries = promisedOn(context, day, promises);
    const overdraw = storageOverdraw(member, entries, network(context).slotMinutes);
    if (overdraw !== undefined) return { tag: "storage_exceeded", ...overdraw };
  }
  return undefined;
}

/** What the party has promised of a day with what it is about to promise, in the order of slots. */
function promisedOn(
  context: FlowContext,
  day: LocalDay,
  promises: readonly Asked[],
): readonly Pick<ExposureEntry, "slot" | "promised">[] {
  const { exposure } = context.vault.positionOf(context.party, day);
  const bySlot = new Map<SlotId, bigint>(exposure?.state.entries.map(({ slot, promised }) => [slot, promised]));
  for (const { slot, energy } of promises)
    if (dayOf(context, slot) === day) bySlot.set(slot, (bySlot.get(slot) ?? 0n) + energy);
  return [...bySlot]
    .sort(([left], [right]) => compareText(left, right))
    .map(([slot, promised]) => ({ slot, promised: wattHours(promised) }));
}

/** Curtailments of the slots that are promised for: those who must sign want to see that they were heeded. */
function curtailmentsOf(context: FlowContext, promises: readonly Asked[]): readonly VaultState<"curtailment">[] {
  const slots = new Set(promises.map(({ slot }) => slot));
  return context.vault.all("curtailment").filter(({ state }) => slots.has(state.slot));
}

/** Whether the party alone would promise more than all together may. */
function curtailmentRefusal(context: FlowContext, promises: readonly Asked[]): LedgerRefusal | undefined {
  for (const { state } of curtailmentsOf(context, promises)) {
    const { slot, cap } = state;
    const asked = promises.filter((each) => each.slot === slot).reduce((sum, { energy }) => sum + energy, 0n);
    if (promisedSoFar(context, slot) + asked > cap) return { tag: "slot_curtailed", slot, cap };
  }
  return undefined;
}

function promisedSoFar(context: FlowContext, slot: SlotId): ReturnType<typeof wattHours> {
  const { exposure } = context.vault.positionOf(context.party, dayOf(context, slot));
  return exposure?.state.entries.find((entry) => entry.slot === slot)?.promised ?? wattHours(0n);
}

/** One deposit for each slot: the emergency cost of all that is promised for it. */
function depositsFor(context: FlowContext, promises: readonly Asked[]): readonly Deposit[] {
  const slots = [...new Set(promises.map(({ slot }) => slot))];
  return slots.map((slot) => {
    const energy = sumEnergy(promises.filter((promise) => promise.slot === slot).map((promise) => promise.energy));
    return { tag: "deposit", supplier: context.party, slot, amount: costCeil(energy, network(context).emergencyPrice) };
  });
}
