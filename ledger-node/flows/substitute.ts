/** Substitute: covers own sold promises with held ones of the same slot, and gets the deposit for them back. */

import {
  type ClientCommandOf,
  chooseCovers,
  type Deposit,
  isCoverable,
  isCovering,
  type LedgerRefusal,
  type PowerPromise,
  refKey,
  substitutionOutcome,
} from "#contracts";
import { compareText, err, micros, type PublicKey, type SlotId, sumEnergy, type WattHours, wattHours } from "#core";
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
import { fundsFor } from "./money.ts";
import { withExposures } from "./positions.ts";

export async function draftSubstitute(
  context: FlowContext,
  { slot, energy }: ClientCommandOf<"substitute">,
): Promise<Drafted> {
  const { party } = context;
  const promises = promisesOf(context, slot);
  const chosen = chooseCovers(party, slot, energy, promises);
  const refusal = refusalOf(context, slot, energy, promises) ?? pairingRefusal(slot, energy, chosen.energy);
  if (refusal !== undefined) return err(refusal);
  const deposits = depositsOf(context, slot);
  const outcome = substitutionOutcome(
    network(context),
    chosen.promises.map(({ state }) => state),
    chosen.covers,
    micros(deposits.reduce((sum, { state }) => sum + state.amount, 0n)),
    promisedIn(context, slot),
  );
  // The node's view of its own promises is behind: what it chose is not what it holds.
  if (!outcome.ok) return err({ tag: "dependency_unknown" });
  const consumed = [...chosen.promises, ...deposits];
  context.vault.lock(
    consumed.map(({ ref }) => ref),
    context.flowId,
  );
  const { kept, released } = outcome.value;
  const deposit: readonly Deposit[] = kept === null ? [] : [{ tag: "deposit", supplier: party, slot, amount: kept }];
  const verifiers = verifiersOf(context);
  return withExposures(context, {
    consumed,
    cited: citations(context, [party, ...verifiers]),
    made: [...outcome.value.promises, ...deposit, ...fundsFor(party, released)],
    command: { tag: "substitute", supplier: party, slot, covers: chosen.covers },
    window: windowUntil(context, mandateUntilMs(context), gateMs(context, slot)),
    signers: [context.signingKey, network(context).gridAuthority, ...verifiers],
  });
}

/** Promises of the slot that nothing of this node reserves, in a stable order. */
function promisesOf(context: FlowContext, slot: SlotId): readonly VaultState<"power-promise">[] {
  return context.vault
    .free("power-promise")
    .filter(({ state }) => state.slot === slot)
    .sort((left, right) => compareText(refKey(left.ref), refKey(right.ref)));
}

function depositsOf(context: FlowContext, slot: SlotId): readonly VaultState<"deposit">[] {
  return context.vault
    .free("deposit")
    .filter(({ state }) => state.supplier === context.party && state.slot === slot)
    .sort((left, right) => compareText(refKey(left.ref), refKey(right.ref)));
}

function promisedIn(context: FlowContext, slot: SlotId): WattHours {
  const { exposure } = context.vault.positionOf(context.party, dayOf(context, slot));
  return exposure?.state.entries.find((entry) => entry.slot === slot)?.promised ?? wattHours(0n);
}

function refusalOf(
  context: FlowContext,
  slot: SlotId,
  asked: WattHours,
  promises: readonly VaultState<"power-promise">[],
): LedgerRefusal | undefined {
  const member = memberOf(context, context.party)?.state;
  const { slotMinutes, promiseMax } = network(context);
  if (member === undefined) return { tag: "member_unknown" };
  if (member.standing === "suspended") return { tag: "member_suspended" };
  if (!slot.endsWith(`/PT${slotMinutes}M`)) return { tag: "slot_unknown" };
  if (gateMs(context, slot) <= context.nowMs) return { tag: "gate_closed", slot, gateMs: gateMs(context, slot) };
  if (asked <= 0n) return { tag: "energy_out_of_range", asked, min: wattHours(1n), max: promiseMax };
  const sold = energyOf(promises, context.party, isCoverable);
  if (sold < asked) return { tag: "nothing_to_cover", slot, asked, sold };
  const held = energyOf(promises, context.party, isCovering);
  return held < asked ? { tag: "promise_not_held", slot, asked, held } : undefined;
}

function energyOf(
  promises: readonly VaultState<"power-promise">[],
  party: PublicKey,
  isWanted: (promise: PowerPromise, party: PublicKey) => boolean,
): WattHours {
  return sumEnergy(promises.filter(({ state }) => isWanted(state, party)).map(({ state }) => state.energy));
}

function pairingRefusal(slot: SlotId, asked: WattHours, suitable: WattHours): LedgerRefusal | undefined {
  return suitable < asked ? { tag: "cover_unsuitable", slot, asked, suitable } : undefined;
}
