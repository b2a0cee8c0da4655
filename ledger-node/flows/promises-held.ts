/** Chooses promises that the party holds free, and splits the last of them. */

import { type LedgerRefusal, type PowerPromise, type PromiseLock, refKey, takeEnergy } from "#contracts";
import { err, ok, type PublicKey, type Result, type SlotId, sumEnergy, type WattHours } from "#core";
import type { FlowContext } from "../flow-context.ts";
import type { VaultState } from "../vault.ts";

export type HeldPromises = {
  readonly consumed: readonly VaultState<"power-promise">[];
  /** The energy of each part, locked, and what is left of the last promise, free. */
  readonly made: readonly PowerPromise[];
};

/** Free promises that `owner` holds for a slot, in a stable order. */
export function freePromises(
  context: FlowContext,
  owner: PublicKey,
  slot: SlotId,
): readonly VaultState<"power-promise">[] {
  return context.vault
    .free("power-promise")
    .filter(
      ({ state }) => state.owner === owner && state.slot === slot && state.lock === null && state.delivered === null,
    )
    .sort((left, right) => (refKey(left.ref) < refKey(right.ref) ? -1 : 1));
}

/** Reserves free promises of the party for `energy`: as few as are needed, the last of them perhaps in part. */
export function reservePromises(
  context: FlowContext,
  slot: SlotId,
  energy: WattHours,
): Result<readonly VaultState<"power-promise">[], LedgerRefusal> {
  const free = freePromises(context, context.party, slot);
  const held = sumEnergy(free.map(({ state }) => state.energy));
  if (held < energy) return err({ tag: "promise_not_held", slot, asked: energy, held });
  const needed: VaultState<"power-promise">[] = [];
  let sum = 0n;
  for (const promise of free) {
    if (sum >= energy) break;
    needed.push(promise);
    sum += promise.state.energy;
  }
  context.vault.lock(
    needed.map(({ ref }) => ref),
    context.flowId,
  );
  return ok(needed);
}

/** Reserves free promises of the party for all the parts, and locks each part's energy for it. */
export function lockPromises(
  context: FlowContext,
  slot: SlotId,
  parts: readonly { readonly energy: WattHours; readonly lock: PromiseLock }[],
): Result<HeldPromises, LedgerRefusal> {
  const needed = reservePromises(context, slot, sumEnergy(parts.map(({ energy }) => energy)));
  if (!needed.ok) return needed;
  let rest: readonly PowerPromise[] = needed.value.map(({ state }) => state);
  const made: PowerPromise[] = [];
  for (const { energy, lock } of parts) {
    const { taken, left } = takeEnergy(rest, energy);
    made.push(...taken.map((promise) => ({ ...promise, lock })));
    rest = left;
  }
  return ok({ consumed: needed.value, made: [...made, ...rest] });
}
