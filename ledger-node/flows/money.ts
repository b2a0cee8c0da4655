/** Funds for drafts: chooses and reserves the party's own, and makes the change. */

import type { Funds, LedgerRefusal } from "#contracts";
import { err, micros, NO_MONEY, ok, type PublicKey, type Result } from "#core";
import { type FlowContext, sumOf } from "../flow-context.ts";
import { chooseFunds, type VaultState } from "../vault.ts";

export type Payment = { readonly consumed: readonly VaultState<"funds">[]; readonly change: readonly Funds[] };

/**
 * Reserves funds of the party for `amount`; the change goes back to it. Nothing is reserved for nothing.
 * @param margin - How much of it is to be locked as a margin: a refusal names it.
 */
export function payFrom(context: FlowContext, amount: bigint, margin = 0n): Result<Payment, LedgerRefusal> {
  if (amount <= 0n) return ok({ consumed: [], change: [] });
  const free = context.vault.free("funds");
  const chosen = chooseFunds(free, context.party, amount);
  if (chosen === undefined) {
    return err({
      tag: "insufficient_funds",
      needed: micros(amount),
      margin: micros(margin),
      available: micros(sumOf(free.filter(({ state }) => state.owner === context.party))),
    });
  }
  context.vault.lock(
    chosen.map(({ ref }) => ref),
    context.flowId,
  );
  return ok({ consumed: chosen, change: fundsFor(context.party, sumOf(chosen) - amount) });
}

/** Funds of `amount` for `owner`; none for nothing. */
export function fundsFor(owner: PublicKey, amount: bigint): readonly Funds[] {
  return amount > NO_MONEY ? [{ tag: "funds", owner, amount: micros(amount) }] : [];
}
