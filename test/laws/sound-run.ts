/** What holds in every run, whatever its community, strategies and clock: asked of each run that a law looks at. */

import { expect } from "vitest";
import { brokenLink } from "#backtest";
import { moneyIn, type ResolvedState, refKey } from "#contracts";
import { microsPerKwh } from "#core";
import type { Community } from "#data";
import type { InMemoryRun } from "#testkit";
import { checkSettlements, type PublishedPrices, type SettlementsVerdict } from "./settlement-laws.ts";

/** Requires that money and energy are conserved, recomputed from `settlements.csv` alone and from the ledger alone. */
export function expectSound(run: InMemoryRun, community: Community): SettlementsVerdict {
  expect(run.problems).toEqual([]);
  expect(run.money.heldMicros).toBe(run.money.issuedMicros);
  expect(brokenLink(run.lines)).toBeUndefined();
  const verdict = checkSettlements(run.csv, pricesOf(run, community));
  expect(verdict.faults).toEqual([]);
  expect(verdict.slots).toBe(run.slots.length);
  expect(verdict.rows).toBe(run.slots.length * (community.members.length + 3));
  return verdict;
}

export function pricesOf(run: Pick<InMemoryRun, "rules">, community: Community): PublishedPrices {
  const { emergencyPrice, gridFee, marketFee } = run.rules;
  const prices = new Map<number, { readonly feedIn: bigint; readonly retail: bigint }>();
  for (const { startMs, slotMinutes, feedIn, retail } of community.data.tariffs)
    for (const [index, price] of feedIn.entries())
      prices.set(startMs + index * slotMinutes * 60_000, { feedIn: price, retail: retail[index] ?? microsPerKwh(-1) });
  const at = (slot: string): { readonly feedIn: bigint; readonly retail: bigint } => {
    const found = prices.get(Date.parse(slot.split("/")[0] ?? ""));
    if (found === undefined) throw new Error(`no price was published for ${slot}`);
    return found;
  };
  const batteries = new Set(community.members.filter(({ battery }) => battery !== undefined).map(({ name }) => name));
  return {
    feedIn: (slot) => at(slot).feedIn,
    retail: (slot) => at(slot).retail,
    emergency: emergencyPrice,
    gridFee,
    marketFee,
    hasBattery: (member) => batteries.has(member),
  };
}

/** Calls `look` with all unspent states after each transaction, in the notary's order: every prefix of a run. */
export function everyPrefix(
  run: InMemoryRun,
  look: (unspent: ReadonlyMap<string, ResolvedState>, atMs: number) => void,
): void {
  const unspent = new Map<string, ResolvedState>();
  for (const { atMs, signed } of run.committed) {
    const { id, content } = signed.transaction;
    for (const ref of content.inputs) unspent.delete(refKey(ref));
    for (const [index, state] of content.outputs.entries()) {
      const ref = { txId: id, index };
      unspent.set(refKey(ref), { ref, state, notary: content.notary });
    }
    look(unspent, atMs);
  }
}

/** Money in all unspent states, in micros. */
export function moneyHeldIn(unspent: ReadonlyMap<string, ResolvedState>): bigint {
  let held = 0n;
  for (const { state } of unspent.values()) held += moneyIn(state)?.amount ?? 0n;
  return held;
}
