/** Clauses of capping what may be promised in a slot: who is cut is decided by a published rule, not by the grid authority. */
import { micros, type PublicKey, wattHours } from "#core";
import { claimsText } from "../claims.ts";
import { type CurtailmentOutcome, curtailmentOutcome, depositAfterCut, isCuttable } from "../curtailment.ts";
import type { Facts } from "../resolved.ts";
import type { Curtailment, Deposit, PowerPromise } from "../states.ts";
import { refKey } from "../transaction.ts";
import { type Clause, clause, entriesOf, isBeforeGate, lazy, moneyChanges } from "./clause.ts";
import { exposureClauses } from "./exposure.ts";

export function curtailSlotClauses(facts: Facts): readonly Clause[] {
  const { slot, cap } = facts.commandOf("curtail-slot");
  const promises = facts.consumed("power-promise");
  const [made, ...others] = facts.made("curtailment");
  const outcome = lazy(() => made && curtailmentOutcome(slot, cap, made.promised, promises));
  const ifKnown = (holds: (value: CurtailmentOutcome) => boolean): boolean => {
    const value = outcome();
    return value === undefined || holds(value);
  };
  return [
    clause("curtail_before_gate", () => isBeforeGate(facts, [slot])),
    clause("curtail_replaces_the_slots_own", () =>
      facts.consumed("curtailment").every((curtailment) => curtailment.slot === slot),
    ),
    clause("curtail_cuts_unsold_promises_alone", () =>
      promises.every((promise) => promise.slot === slot && isCuttable(promise)),
    ),
    clause("curtail_takes_promises_in_order", () => areInOrder(facts)),
    clause(
      "curtail_recorded",
      () => made !== undefined && others.length === 0 && ifKnown((value) => isRecorded(made, value.curtailment)),
    ),
    clause("curtail_shared_pro_rata", () => ifKnown((value) => areSame(facts.made("power-promise"), value.promises))),
    clause("curtail_releases_deposits", () => ifKnown((value) => depositsFollow(facts, value))),
    clause("curtail_money_stays", () => moneyChanges(facts).size === 0),
    clause("curtail_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    ...exposureClauses(facts),
  ];
}

/** Ties go to the earlier promise, so the order is given: that of the names of the states. */
function areInOrder(facts: Facts): boolean {
  const refs = facts.inputs.filter(({ state }) => state.tag === "power-promise").map(({ ref }) => refKey(ref));
  return refs.every((ref, index) => index === 0 || (refs[index - 1] ?? "") < ref);
}

function isRecorded(made: Curtailment, expected: Curtailment): boolean {
  return (
    made.slot === expected.slot &&
    made.cap === expected.cap &&
    made.promised >= expected.unsold &&
    made.unsold === expected.unsold &&
    made.cut === expected.cut
  );
}

function areSame(made: readonly PowerPromise[], expected: readonly PowerPromise[]): boolean {
  return made.length === expected.length && made.every((promise, index) => textOf(promise) === textOf(expected[index]));
}

function textOf(promise: PowerPromise | undefined): string {
  if (promise === undefined) return "";
  const { promiseId, slot, energy, supplier, owner, lock, delivered, claims } = promise;
  const locked = lock === null ? [] : [lock.kind, lock.id];
  return JSON.stringify([promiseId, slot, `${energy}`, supplier, owner, locked, `${delivered}`, claimsText(claims)]);
}

/** Each supplier that is cut keeps one deposit, of exactly what it must have; nobody else's is touched. */
function depositsFollow(facts: Facts, { cutOf }: CurtailmentOutcome): boolean {
  const { slot } = facts.commandOf("curtail-slot");
  const [before, after] = [facts.consumed("deposit"), facts.made("deposit")];
  const isOfTheCut = (deposit: Deposit): boolean => deposit.slot === slot && cutOf.has(deposit.supplier);
  return (
    [...before, ...after].every(isOfTheCut) &&
    [...cutOf].every(([supplier, cut]) => {
      const held = before.filter((deposit) => deposit.supplier === supplier);
      const kept = after.filter((deposit) => deposit.supplier === supplier);
      const promised = promisedBefore(facts, supplier);
      const sum = micros(held.reduce((total, { amount }) => total + amount, 0n));
      const expected = depositAfterCut(facts.parameters, sum, cut, wattHours(promised));
      return (
        held.length > 0 &&
        kept.length === (expected === null ? 0 : 1) &&
        (expected === null || kept[0]?.amount === expected)
      );
    })
  );
}

function promisedBefore(facts: Facts, supplier: PublicKey): bigint {
  const { slot } = facts.commandOf("curtail-slot");
  return entriesOf(facts.consumed("exposure"), supplier).get(slot)?.promised ?? 0n;
}
