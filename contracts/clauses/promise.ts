/** Clauses of creating power promises (paper section 3.4 and algorithm A1). */
import { costCeil, wattHours } from "#core";
import type { Facts } from "../resolved.ts";
import { SUPPLIER_ROLES } from "../states.ts";
import { storageOverdraw } from "../storage.ts";
import {
  type Changes,
  type Clause,
  citedMember,
  clause,
  isAuthorised,
  isBeforeGate,
  isVerified,
  mayAct,
  moneyChanges,
  Tally,
} from "./clause.ts";
import { exposureClauses } from "./exposure.ts";

export function createPromisesClauses(facts: Facts): readonly Clause[] {
  const { supplier } = facts.commandOf("create-promises");
  const promises = facts.made("power-promise");
  const bySlot = promisedBySlot(facts);
  return [
    clause("promises_some", () => promises.length > 0),
    clause("promises_of_the_supplier", () =>
      promises.every((promise) => promise.supplier === supplier && promise.owner === supplier),
    ),
    clause("promises_new_and_free", () => promises.every(({ lock, delivered }) => lock === null && delivered === null)),
    clause("promise_claims_uncertified", () =>
      promises.every(({ claims }) => claims === null || claims.certifiedBy === null),
    ),
    clause("promise_ids_unique", () => new Set(promises.map(({ promiseId }) => promiseId)).size === promises.length),
    clause("promise_slot_of_the_network", () =>
      promises.every(({ slot }) => slot.endsWith(`/PT${facts.parameters.slotMinutes}M`)),
    ),
    clause("promise_not_insignificant", () => promises.every(({ energy }) => energy >= facts.parameters.promiseMin)),
    clause("promise_not_unrealistic", () => promises.every(({ energy }) => energy <= facts.parameters.promiseMax)),
    clause(
      "promise_by_supplying_role",
      () => citedMember(facts, supplier)?.roles.some((role) => SUPPLIER_ROLES.includes(role)) ?? false,
    ),
    clause("promise_within_capacity", () => withinCapacity(facts)),
    clause("promise_within_storage", () => withinStorage(facts)),
    clause("promise_within_curtailment", () => withinCurtailment(facts)),
    clause("promise_supplier_may_act", () => mayAct(facts, supplier)),
    clause("promise_before_gate", () =>
      isBeforeGate(
        facts,
        promises.map(({ slot }) => slot),
      ),
    ),
    clause("promise_deposit_covers_emergency", () => depositsCover(facts, bySlot)),
    clause("promise_money_stays_with_supplier", () =>
      [...moneyChanges(facts).keys()].every((party) => party === supplier),
    ),
    clause("promise_funds_of_the_supplier", () => facts.consumed("funds").every(({ owner }) => owner === supplier)),
    clause("promise_authorised", () =>
      isAuthorised(facts, supplier, { flow: "create-promises", energyBySlot: bySlot }),
    ),
    clause("promise_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    clause("promise_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

function promisedBySlot(facts: Facts): Changes {
  const tally = new Tally();
  for (const { slot, energy } of facts.made("power-promise")) tally.add(slot, energy);
  return tally.changes;
}

function withinCapacity(facts: Facts): boolean {
  const { supplier } = facts.commandOf("create-promises");
  const member = citedMember(facts, supplier);
  const entries = facts.made("exposure").flatMap(({ entries: each }) => each);
  return member !== undefined && entries.every(({ promised }) => promised <= member.capacityPerSlot);
}

/** Whether what comes from the member's storage can have been stored: all that it has promised of each day counts. */
function withinStorage(facts: Facts): boolean {
  const { supplier } = facts.commandOf("create-promises");
  const member = citedMember(facts, supplier);
  const { slotMinutes } = facts.parameters;
  const own = facts.made("exposure").filter((exposure) => exposure.member === supplier);
  return (
    member !== undefined && own.every(({ entries }) => storageOverdraw(member, entries, slotMinutes) === undefined)
  );
}

/** Nobody alone promises more than may be promised by all; that all together don't is for the grid authority to see, which signs. */
function withinCurtailment(facts: Facts): boolean {
  const entries = facts.made("exposure").flatMap(({ entries: each }) => each);
  return facts
    .cited("curtailment")
    .every(({ slot, cap }) => entries.every((entry) => entry.slot !== slot || entry.promised <= cap));
}

/** One deposit for each slot, and for no other: exactly the emergency cost of what is promised, rounded up. */
function depositsCover(facts: Facts, bySlot: Changes): boolean {
  const deposits = facts.made("deposit");
  const { supplier } = facts.commandOf("create-promises");
  return (
    deposits.length === bySlot.size &&
    new Set(deposits.map(({ slot }) => slot)).size === deposits.length &&
    deposits.every((deposit) => {
      const promised = bySlot.get(deposit.slot);
      return (
        promised !== undefined &&
        deposit.supplier === supplier &&
        deposit.amount === costCeil(wattHours(promised), facts.parameters.emergencyPrice)
      );
    })
  );
}
