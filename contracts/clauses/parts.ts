/** Clauses of splitting and merging promises: neither changes what is owed, by whom or to whom, nor makes a claim stronger. */
import { sumEnergy } from "#core";
import { claimsText } from "../claims.ts";
import { lineageOf, mergedPromise } from "../parts.ts";
import type { Facts } from "../resolved.ts";
import type { PowerPromise } from "../states.ts";
import { type Clause, clause, isAuthorised, isBeforeGate, lazy, mayAct, promisesConserved } from "./clause.ts";

function slotsOf(promises: readonly PowerPromise[]): readonly PowerPromise["slot"][] {
  return promises.map(({ slot }) => slot);
}

function isFree({ lock, delivered }: PowerPromise): boolean {
  return lock === null && delivered === null;
}

/** Before the gate only: whoever holds a promise can't keep its delivery from being checked by cutting it up for ever. */
export function splitPromiseClauses(facts: Facts): readonly Clause[] {
  const { owner } = facts.commandOf("split-promise");
  const whole = facts.consumed("power-promise");
  const parts = facts.made("power-promise");
  return [
    clause("split_one_promise", () => whole.length === 1),
    clause("split_of_own_free_promise", () => whole.every((promise) => promise.owner === owner && isFree(promise))),
    clause("split_into_parts", () => parts.length >= 2),
    clause("split_keeps_owner", () => parts.every((part) => part.owner === owner)),
    clause("split_locks_nothing", () => parts.every(({ lock }) => lock === null)),
    clause("split_promises_conserved", () => promisesConserved(facts)),
    clause("split_not_insignificant", () => parts.every(({ energy }) => energy >= facts.parameters.promiseMin)),
    clause("split_before_gate", () => isBeforeGate(facts, slotsOf(whole))),
    clause("split_owner_may_act", () => mayAct(facts, owner)),
    clause("split_authorised", () => isAuthorised(facts, owner, { flow: "split-promise" })),
  ];
}

export function mergePromisesClauses(facts: Facts): readonly Clause[] {
  const { owner, promiseId } = facts.commandOf("merge-promises");
  const parts = facts.consumed("power-promise");
  const [whole] = facts.made("power-promise");
  const [first] = parts;
  const expected = lazy(() => mergedPromise(parts, promiseId));
  return [
    clause("merge_some_promises", () => parts.length >= 2),
    clause("merge_of_own_free_promises", () => parts.every((part) => part.owner === owner && isFree(part))),
    clause("merge_of_one_supplier_and_slot", () =>
      parts.every(({ supplier, slot }) => supplier === first?.supplier && slot === first.slot),
    ),
    clause("merge_into_one", () => facts.made("power-promise").length === 1),
    clause(
      "merge_keeps_the_parties",
      () => whole?.owner === owner && whole.supplier === first?.supplier && whole.slot === first.slot && isFree(whole),
    ),
    clause("merge_conserves_energy", () => whole?.energy === sumEnergy(parts.map(({ energy }) => energy))),
    clause(
      "merge_claims_no_more",
      () => whole !== undefined && claimsText(whole.claims) === claimsText(expected()?.claims ?? null),
    ),
    clause("merge_keeps_lineage", () => whole?.promiseId === expected()?.promiseId && namesLineage(parts, promiseId)),
    clause("merge_before_gate", () => isBeforeGate(facts, slotsOf(parts))),
    clause("merge_owner_may_act", () => mayAct(facts, owner)),
    clause("merge_authorised", () => isAuthorised(facts, owner, { flow: "merge-promises" })),
  ];
}

/** A mixture is not passed off as one of its parts: its lineage is new. Parts of one lineage keep it. */
function namesLineage(parts: readonly PowerPromise[], promiseId: string): boolean {
  const lineage = lineageOf(parts);
  return lineage === undefined ? parts.every((part) => part.promiseId !== promiseId) : promiseId === lineage;
}
