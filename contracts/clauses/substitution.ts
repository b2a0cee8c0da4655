/** Clauses of covering sold promises with held ones: the holder's right is untouched, and the deposit still covers what is owed. */
import { micros, type Result, wattHours } from "#core";
import { areClaimsAtLeast, claimsText } from "../claims.ts";
import type { Facts } from "../resolved.ts";
import type { Deposit, PowerPromise } from "../states.ts";
import {
  isCoverable,
  isCovering,
  type SubstitutionOutcome,
  type SubstitutionRefusal,
  substitutionOutcome,
} from "../substitution.ts";
import {
  type Clause,
  clause,
  entriesOf,
  isAuthorised,
  isBeforeGate,
  isVerified,
  lazy,
  mayAct,
  moneyChanges,
  Tally,
} from "./clause.ts";
import { exposureClauses } from "./exposure.ts";

type Pair = { readonly sold: PowerPromise; readonly held: PowerPromise };

export function substituteClauses(facts: Facts): readonly Clause[] {
  const { supplier, slot, covers } = facts.commandOf("substitute");
  const promises = facts.consumed("power-promise");
  const deposits = facts.consumed("deposit");
  const pairs = pairsOf(facts);
  const outcome = lazy(() => expectedSubstitution(facts));
  const isNot = (refusal: SubstitutionRefusal): boolean => {
    const result = outcome();
    return result.ok || result.error !== refusal;
  };
  const ifSound = (holds: (value: SubstitutionOutcome) => boolean): boolean => {
    const result = outcome();
    return !result.ok || holds(result.value);
  };
  return [
    clause("substitute_some", () => covers.length > 0),
    clause("substitute_known_promises", () => isNot("cover_of_unknown_promise")),
    clause("substitute_some_energy", () => isNot("cover_energy_not_positive")),
    clause("substitute_pairs_once", () => isNot("cover_pair_twice")),
    clause("substitute_within_promises", () => isNot("cover_beyond_promise")),
    clause("substitute_takes_nothing_else", () =>
      promises.every((_, index) => covers.some(({ covered, with: by }) => covered === index || by === index)),
    ),
    clause("substitute_of_the_slot", () => promises.every((promise) => promise.slot === slot)),
    clause("substitute_covers_sold_promises", () => pairs.every(({ sold }) => isCoverable(sold, supplier))),
    clause("substitute_with_held_promises", () => pairs.every(({ held }) => isCovering(held, supplier))),
    clause("substitute_not_with_the_holders_own", () => pairs.every(({ sold, held }) => held.supplier !== sold.owner)),
    clause("substitute_claims_no_less", () =>
      pairs.every(({ sold, held }) => areClaimsAtLeast(held.claims, sold.claims)),
    ),
    clause("substitute_promises_follow", () =>
      ifSound((value) => areSame(facts.made("power-promise"), value.promises)),
    ),
    clause("substitute_deposits_of_the_supplier", () =>
      deposits.every((deposit) => deposit.supplier === supplier && deposit.slot === slot),
    ),
    clause(
      "substitute_takes_all_deposits",
      () => depositOf(deposits) * 1_000n >= promisedBefore(facts) * facts.parameters.emergencyPrice,
    ),
    clause("substitute_keeps_the_deposit", () => ifSound((value) => isKept(facts, value))),
    clause("substitute_releases_to_the_supplier", () => moneyChanges(facts).size === 0),
    clause("substitute_before_gate", () => isBeforeGate(facts, [slot])),
    clause("substitute_supplier_may_act", () => mayAct(facts, supplier)),
    clause("substitute_authorised", () =>
      isAuthorised(facts, supplier, {
        flow: "substitute",
        energyBySlot: covers.reduce((tally, { energy }) => tally.add(slot, energy), new Tally()).changes,
      }),
    ),
    clause("substitute_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
    clause("substitute_verified", () => isVerified(facts)),
    ...exposureClauses(facts),
  ];
}

/** The promises of each cover that names two. */
function pairsOf(facts: Facts): readonly Pair[] {
  const { covers } = facts.commandOf("substitute");
  const promises = facts.consumed("power-promise");
  return covers.flatMap(({ covered, with: by }) => {
    const [sold, held] = [promises[covered], promises[by]];
    return sold === undefined || held === undefined ? [] : [{ sold, held }];
  });
}

function expectedSubstitution(facts: Facts): Result<SubstitutionOutcome, SubstitutionRefusal> {
  return substitutionOutcome(
    facts.parameters,
    facts.consumed("power-promise"),
    facts.commandOf("substitute").covers,
    micros(depositOf(facts.consumed("deposit"))),
    wattHours(promisedBefore(facts)),
  );
}

function depositOf(deposits: readonly Deposit[]): bigint {
  return deposits.reduce((sum, { amount }) => sum + amount, 0n);
}

/** What the supplier owes in the slot, as its exposure says that is consumed. */
function promisedBefore(facts: Facts): bigint {
  const { supplier, slot } = facts.commandOf("substitute");
  return entriesOf(facts.consumed("exposure"), supplier).get(slot)?.promised ?? 0n;
}

/** One deposit with what must stay, or none where nothing is owed any more. */
function isKept(facts: Facts, { kept }: SubstitutionOutcome): boolean {
  const { supplier, slot } = facts.commandOf("substitute");
  const made = facts.made("deposit");
  return (
    made.length === (kept === null ? 0 : 1) &&
    made.every((deposit) => deposit.supplier === supplier && deposit.slot === slot && deposit.amount === kept)
  );
}

/** Whether the promises are those, in that order: nobody's promise is cut into more states than it must be. */
function areSame(made: readonly PowerPromise[], expected: readonly PowerPromise[]): boolean {
  return made.length === expected.length && made.every((promise, index) => textOf(promise) === textOf(expected[index]));
}

function textOf(promise: PowerPromise | undefined): string {
  if (promise === undefined) return "";
  const { promiseId, slot, energy, supplier, owner, lock, delivered, claims } = promise;
  return JSON.stringify([
    promiseId,
    slot,
    `${energy}`,
    supplier,
    owner,
    lock === null ? null : [lock.kind, lock.id],
    `${delivered}`,
    claimsText(claims),
  ]);
}
