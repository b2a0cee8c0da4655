/** What a clause is, and the measures that many clauses share. Pure: no clock, no party look-up. */
import { InvariantError, type PublicKey, type SlotId, slotOf } from "#core";
import { claimsText } from "../claims.ts";
import type { Facts } from "../resolved.ts";
import {
  type DelegableFlow,
  type Exposure,
  type ExposureEntry,
  type Mandate,
  type Member,
  moneyIn,
  type PowerPromise,
  type State,
} from "../states.ts";

/** A rule with a unique name. It is run only to see whether it holds. */
export type Clause = { readonly name: string; readonly holds: () => boolean };

export function clause(name: string, holds: () => boolean): Clause {
  return { name, holds };
}

/** Names of the clauses that do not hold, in order. A clause whose arithmetic leaves its range does not hold. */
export function failing(clauses: readonly Clause[]): readonly string[] {
  return clauses.filter(({ holds }) => !holdsSafely(holds)).map(({ name }) => name);
}

function holdsSafely(holds: () => boolean): boolean {
  try {
    return holds();
  } catch (error) {
    if (error instanceof InvariantError) return false;
    throw error;
  }
}

/** Runs `make` when its value is first asked for: what may leave its range must do so within a clause. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Change of a quantity per key; keys without a change are absent. */
export type Changes = ReadonlyMap<string, bigint>;

export class Tally {
  readonly #sums = new Map<string, bigint>();

  add(key: string, amount: bigint): this {
    const sum = (this.#sums.get(key) ?? 0n) + amount;
    if (sum === 0n) this.#sums.delete(key);
    else this.#sums.set(key, sum);
    return this;
  }

  get changes(): Changes {
    return this.#sums;
  }
}

export function sameChanges(left: Changes, right: Changes): boolean {
  if (left.size !== right.size) return false;
  for (const [key, amount] of left) if (right.get(key) !== amount) return false;
  return true;
}

/** How much money each party has more after the transaction, locked money counted as its owner's. */
export function moneyChanges(facts: Facts): Changes {
  const tally = new Tally();
  for (const { state } of facts.inputs) addMoney(tally, state, -1n);
  for (const state of facts.content.outputs) addMoney(tally, state, 1n);
  return tally.changes;
}

function addMoney(tally: Tally, state: State, sign: bigint): void {
  const money = moneyIn(state);
  if (money !== null) tally.add(money.owner, sign * money.amount);
}

/** Money that leaves or enters the ledger: zero in all flows but those in which it is issued and paid out. */
export function moneyChange(facts: Facts): bigint {
  let sum = 0n;
  for (const amount of moneyChanges(facts).values()) sum += amount;
  return sum;
}

/** Change of promised energy by a key that `keyOf` gives for each promise. */
export function promiseChanges(facts: Facts, keyOf: (promise: PowerPromise) => string): Changes {
  const tally = new Tally();
  for (const promise of facts.consumed("power-promise")) tally.add(keyOf(promise), -promise.energy);
  for (const promise of facts.made("power-promise")) tally.add(keyOf(promise), promise.energy);
  return tally.changes;
}

/** Whether only the owner of promises and their locks change: lineage, supplier, slot, claims and energy stay. */
export function promisesConserved(facts: Facts): boolean {
  return (
    promiseChanges(facts, ({ promiseId, supplier, slot, delivered, claims }) =>
      JSON.stringify([promiseId, supplier, slot, `${delivered ?? "open"}`, claimsText(claims)]),
    ).size === 0
  );
}

/** Whether each promise goes on, in the order of the inputs, exactly as `next` says it should. */
export function promisesGoOn(
  before: readonly PowerPromise[],
  after: readonly PowerPromise[],
  next: (promise: PowerPromise, index: number) => PowerPromise,
): boolean {
  return (
    after.length === before.length &&
    before.every((promise, index) => {
      const made = after[index];
      return made !== undefined && promiseText(made) === promiseText(next(promise, index));
    })
  );
}

/** One text for one promise, whatever order its fields were written in. */
function promiseText({ claims, lock, energy, delivered, ...rest }: PowerPromise): string {
  const { promiseId, slot, supplier, owner } = rest;
  return JSON.stringify([
    [promiseId, slot, supplier, owner, `${energy}`, `${delivered}`],
    lock === null ? null : [lock.kind, lock.id],
    claimsText(claims),
  ]);
}

/** What a delegate does in a transaction, as far as a mandate limits it. */
export type Delegated = {
  readonly flow: DelegableFlow;
  readonly energyBySlot?: Changes;
  /** The highest price that is bid. */
  readonly bidPrice?: bigint | undefined;
};

/**
 * Whether `party` agrees: its own key signs, or a delegate's under a cited mandate that allows the flow, is not expired
 * at the end of the transaction's window, and whose limits are kept. Where an aggregator serves the party, it signs beside
 * the delegate: it answers for what its members' agents do. That it does so is seen in the party's membership, so that is cited.
 */
export function isAuthorised(facts: Facts, party: PublicKey, delegated: Delegated): boolean {
  if (facts.isSigner(party)) return true;
  const member = citedMember(facts, party);
  if (member === undefined) return false;
  const { servedBy } = member;
  if (servedBy !== null && !(facts.isSigner(servedBy) && mayAct(facts, servedBy))) return false;
  return facts
    .cited("mandate")
    .some(
      (mandate) =>
        mandate.principal === party &&
        facts.isSigner(mandate.delegate) &&
        mandate.flows.includes(delegated.flow) &&
        facts.isUntil(mandate.expiresMs) &&
        (delegated.bidPrice ?? mandate.bidPriceMax) <= mandate.bidPriceMax &&
        isWithinSlots(facts, mandate, delegated.energyBySlot ?? new Map()) &&
        isWithinDays(facts, mandate),
    );
}

/** Whether no slot's energy passes the limit: neither in this transaction nor with all that stood before, where it adds to that. */
function isWithinSlots(facts: Facts, { principal, energyPerSlotMax }: Mandate, energyBySlot: Changes): boolean {
  const before = entriesOf(facts.consumed("exposure"), principal);
  const grown = [...entriesOf(facts.made("exposure"), principal)].flatMap(([slot, { promised, bought, bidding }]) => {
    const last = before.get(slot);
    const isPromising = promised > (last?.promised ?? 0n);
    const isBuying = bought + bidding > (last?.bought ?? 0n) + (last?.bidding ?? 0n);
    return [isPromising ? promised : 0n, isBuying ? bought + bidding : 0n];
  });
  return [...energyBySlot.values(), ...grown].every((energy) => energy <= energyPerSlotMax);
}

/**
 * Whether the principal's day stays within the mandate where the transaction adds to it. The exposure is the counter: every
 * trade consumes it, so two delegates, or one in two processes, can't both take what is left.
 */
function isWithinDays(facts: Facts, { principal, energyPerDayMax }: Mandate): boolean {
  const before = new Map(
    facts.consumed("exposure").flatMap((exposure) => (exposure.member === principal ? [[exposure.day, exposure]] : [])),
  );
  return facts.made("exposure").every((exposure) => {
    if (exposure.member !== principal) return true;
    const [after, last] = [dayTotals(exposure), dayTotals(before.get(exposure.day))];
    return (
      (after.promised <= last.promised || after.promised <= energyPerDayMax) &&
      (after.buying <= last.buying || after.buying <= energyPerDayMax)
    );
  });
}

function dayTotals(exposure: Exposure | undefined): { readonly promised: bigint; readonly buying: bigint } {
  const entries = exposure?.entries ?? [];
  return {
    promised: entries.reduce((sum, { promised }) => sum + promised, 0n),
    buying: entries.reduce((sum, { bought, bidding }) => sum + bought + bidding, 0n),
  };
}

/** A member's entries, by slot. */
export function entriesOf(exposures: readonly Exposure[], member: PublicKey): ReadonlyMap<SlotId, ExposureEntry> {
  const own = exposures.filter((exposure) => exposure.member === member);
  return new Map(own.flatMap(({ entries }) => entries.map((entry) => [entry.slot, entry])));
}

/** Whether enough of the network's verifiers sign. One that is not cited, or that is suspended, does not count. */
export function isVerified(facts: Facts): boolean {
  const { verifiers, verifierQuorum } = facts.parameters;
  return verifiers.filter((key) => facts.isSigner(key) && mayVerify(facts, key)).length >= verifierQuorum;
}

/** Whether the member is cited, has the role of a verifier and may act. */
export function mayVerify(facts: Facts, key: PublicKey): boolean {
  return mayAct(facts, key) && citedMember(facts, key)?.roles.includes("verifier") === true;
}

/** The cited member with this key. */
export function citedMember(facts: Facts, key: PublicKey): Member | undefined {
  return facts.cited("member").find((member) => member.key === key);
}

/** Whether the member is cited and may act: suspended members may not. */
export function mayAct(facts: Facts, key: PublicKey): boolean {
  const member = citedMember(facts, key);
  return member !== undefined && member.standing !== "suspended";
}

/** Whether a marketplace that may act is cited with this key. */
export function isMarketplace(facts: Facts, key: PublicKey): boolean {
  return mayAct(facts, key) && citedMember(facts, key)?.roles.includes("marketplace") === true;
}

/** Whether every slot's gate is still open at the end of the window. */
export function isBeforeGate(facts: Facts, slots: readonly SlotId[]): boolean {
  return slots.every((slot) => facts.isUntil(facts.gateMs(slot)));
}

/** Whether those who have to sign what happened in the slot have surely been waited for. */
export function isOverdue(facts: Facts, slot: SlotId): boolean {
  return facts.isFrom(slotOf(slot).endMs + facts.parameters.settlementGraceMs);
}

/**
 * Whether the party agrees to a settlement or a correction of its slot. Who is silent when it is due to sign is settled all the
 * same, but never made to pay, except what is locked for it.
 * @param locked - What may be taken of the party's locked money without its signature.
 */
export function hasSignedOrOnlyGains(facts: Facts, party: PublicKey, slot: SlotId, locked: bigint = 0n): boolean {
  if (isAuthorised(facts, party, { flow: "settle-slot" })) return true;
  const isUntouched = facts.consumed("funds").every(({ owner }) => owner !== party);
  return isOverdue(facts, slot) && isUntouched && (moneyChanges(facts).get(party) ?? 0n) + locked >= 0n;
}

/** Whether the slot has surely ended at the start of the window. */
export function isAfterSlot(facts: Facts, slot: SlotId): boolean {
  return facts.isFrom(slotOf(slot).endMs);
}
