/** Capping what may be promised in a slot. Initiated by the grid authority. */

import {
  type ClientCommandOf,
  curtailmentOutcome,
  type Deposit,
  depositAfterCut,
  isCuttable,
  refKey,
  type State,
} from "#contracts";
import { compareText, err, micros, type PublicKey, type SlotId, sumEnergy, type WattHours } from "#core";
import { type Drafted, dayOf, type FlowContext, gateMs, network, windowUntil } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";
import { fundsFor } from "./money.ts";
import { withExposures } from "./positions.ts";

/** Publishes the cap, and cuts what is promised beyond it as far as it is unsold. */
export async function draftCurtailSlot(
  context: FlowContext,
  { slot, cap }: ClientCommandOf<"curtail-slot">,
): Promise<Drafted> {
  const { gridAuthority, slotMinutes } = network(context);
  if (context.party !== gridAuthority) return err({ tag: "role_not_allowed" });
  if (!slot.endsWith(`/PT${slotMinutes}M`)) return err({ tag: "slot_unknown" });
  if (gateMs(context, slot) <= context.nowMs) return err({ tag: "gate_closed", slot, gateMs: gateMs(context, slot) });
  const open = context.vault
    .all("power-promise")
    .filter(({ state }) => state.slot === slot && state.delivered === null);
  const promised = sumEnergy(open.map(({ state }) => state.energy));
  const cuttable =
    promised > cap
      ? open
          .filter(({ state }) => isCuttable(state))
          .sort((left, right) => compareText(refKey(left.ref), refKey(right.ref)))
      : [];
  const { curtailment, promises, cutOf } = curtailmentOutcome(
    slot,
    cap,
    promised,
    cuttable.map(({ state }) => state),
  );
  const released = [...cutOf].map(([supplier, cut]) => releaseFor(context, supplier, slot, cut));
  const draft = {
    consumed: [
      ...context.vault.all("curtailment").filter(({ state }) => state.slot === slot),
      ...cuttable,
      ...released.flatMap(({ consumed }) => consumed),
    ],
    cited: [context.parameters],
    made: [curtailment, ...promises, ...released.flatMap(({ made }) => made)],
    command: { tag: "curtail-slot" as const, slot, cap },
    window: windowUntil(context, gateMs(context, slot)),
    signers: [context.signingKey],
  };
  return withExposures(context, draft, true);
}

/** A supplier's deposits of the slot, and what becomes of them. */
function releaseFor(
  context: FlowContext,
  supplier: PublicKey,
  slot: SlotId,
  cut: WattHours,
): { readonly consumed: readonly VaultState<"deposit">[]; readonly made: readonly State[] } {
  const consumed = context.vault.of("deposit", supplier).filter(({ state }) => state.slot === slot);
  const locked = micros(consumed.reduce((sum, { state }) => sum + state.amount, 0n));
  const { exposure } = context.vault.positionOf(supplier, dayOf(context, slot));
  const promised = exposure?.state.entries.find((entry) => entry.slot === slot)?.promised ?? cut;
  const kept = depositAfterCut(network(context), locked, cut, promised);
  const rest: readonly Deposit[] = kept === null ? [] : [{ tag: "deposit", supplier, slot, amount: kept }];
  return { consumed, made: [...rest, ...fundsFor(supplier, locked - (kept ?? 0n))] };
}
