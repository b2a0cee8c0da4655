/** The unspent states that concern a node, rebuilt from its store at every start. Soft locks keep its own flows apart. */

import { type ResolvedState, refKey, type State, type StateOf, type StateRef, type StateTag } from "#contracts";
import { compareBigint, type LocalDay, type PublicKey } from "#core";

export type VaultState<T extends StateTag = StateTag> = {
  readonly ref: StateRef;
  readonly state: StateOf<T>;
  readonly notary: PublicKey;
};

type Lock = { readonly flowId: string; readonly untilMs: number };

export class Vault {
  readonly #byTag = new Map<StateTag, Map<string, ResolvedState>>();
  readonly #tags = new Map<string, StateTag>();
  /** Exposures by member and day, and exposure indexes by member: a grid authority keeps those of all members. */
  readonly #positions = new Map<string, ResolvedState>();
  /** Which flow has reserved a state, and until when. */
  readonly #locks = new Map<string, Lock>();

  add(resolved: ResolvedState): void {
    const key = refKey(resolved.ref);
    const { tag } = resolved.state;
    let group = this.#byTag.get(tag);
    if (group === undefined) {
      group = new Map();
      this.#byTag.set(tag, group);
    }
    group.set(key, resolved);
    this.#tags.set(key, tag);
    const position = positionKey(resolved.state);
    if (position !== undefined) this.#positions.set(position, resolved);
  }

  /** Forgets a spent state; one that is not here is nothing to forget. */
  spend(ref: StateRef): ResolvedState | undefined {
    const key = refKey(ref);
    const tag = this.#tags.get(key);
    if (tag === undefined) return undefined;
    const group = this.#byTag.get(tag);
    const state = group?.get(key);
    group?.delete(key);
    this.#tags.delete(key);
    this.#locks.delete(key);
    const position = state && positionKey(state.state);
    if (position !== undefined && this.#positions.get(position) === state) this.#positions.delete(position);
    return state;
  }

  /** A member's exposure of a day and its exposure index, as far as they are here. */
  positionOf(
    member: PublicKey,
    day: LocalDay,
  ): {
    readonly exposure: VaultState<"exposure"> | undefined;
    readonly index: VaultState<"exposure-index"> | undefined;
  } {
    return {
      exposure: this.#positions.get(`${member} ${day}`) as VaultState<"exposure"> | undefined,
      index: this.#positions.get(member) as VaultState<"exposure-index"> | undefined,
    };
  }

  get(ref: StateRef): ResolvedState | undefined {
    const key = refKey(ref);
    const tag = this.#tags.get(key);
    return tag === undefined ? undefined : this.#byTag.get(tag)?.get(key);
  }

  all<T extends StateTag>(tag: T): readonly VaultState<T>[] {
    return [...(this.#byTag.get(tag)?.values() ?? [])] as unknown as readonly VaultState<T>[];
  }

  /** States of a kind that no flow has reserved. */
  free<T extends StateTag>(tag: T): readonly VaultState<T>[] {
    return this.all(tag).filter(({ ref }) => !this.#locks.has(refKey(ref)));
  }

  /** Reserves states for a flow; `untilMs` where the flow is another node's and may never come back. */
  lock(refs: readonly StateRef[], flowId: string, untilMs: number = Number.MAX_SAFE_INTEGER): void {
    for (const ref of refs) this.#locks.set(refKey(ref), { flowId, untilMs });
  }

  unlock(flowId: string): void {
    for (const [key, lock] of this.#locks) if (lock.flowId === flowId) this.#locks.delete(key);
  }

  expireLocks(nowMs: number): void {
    for (const [key, { untilMs }] of this.#locks) if (untilMs <= nowMs) this.#locks.delete(key);
  }
}

function positionKey(state: State): string | undefined {
  if (state.tag === "exposure") return `${state.member} ${state.day}`;
  return state.tag === "exposure-index" ? state.member : undefined;
}

/** Beyond this many funds, some of the smallest are spent along: few states, yet enough for payments side by side. */
const FUNDS_KEPT = 32;
const CONSOLIDATED_MAX = 4;

/** Chooses funds for `amount`: largest first until it is covered, and some of the smallest along. Undefined if there are too few. */
export function chooseFunds(
  free: readonly VaultState<"funds">[],
  owner: PublicKey,
  amount: bigint,
): readonly VaultState<"funds">[] | undefined {
  const own = free.filter(({ state }) => state.owner === owner);
  own.sort(
    (left, right) =>
      compareBigint(right.state.amount, left.state.amount) || (refKey(left.ref) < refKey(right.ref) ? -1 : 1),
  );
  const chosen: VaultState<"funds">[] = [];
  let sum = 0n;
  while (sum < amount) {
    const next = own.shift();
    if (next === undefined) return undefined;
    chosen.push(next);
    sum += next.state.amount;
  }
  return own.length <= FUNDS_KEPT ? chosen : [...chosen, ...own.slice(-CONSOLIDATED_MAX)];
}
