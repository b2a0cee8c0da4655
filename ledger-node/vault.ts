/** The unspent states that concern a node, rebuilt from its store at every start. Soft locks keep its own flows apart. */

import {
  participantsOf,
  type ResolvedState,
  refKey,
  type State,
  type StateOf,
  type StateRef,
  type StateTag,
} from "#contracts";
import { compareBigint, type LocalDay, type PublicKey } from "#core";

export type VaultState<T extends StateTag = StateTag> = {
  readonly ref: StateRef;
  readonly state: StateOf<T>;
  readonly notary: PublicKey;
};

type Lock = { readonly flowId: string; readonly untilMs: number };

/** Kinds of states that another vault keeps for this one too: what is public is the same for all members that a host serves. */
export type SharedStates = { readonly vault: Vault; readonly tags: readonly StateTag[] };

export class Vault {
  readonly #shared: SharedStates | undefined;
  /** States of a kind by the parties of each and by its names; not where there are few of them. */
  readonly #index: StateIndex | undefined;
  /** Members with a node of their own: what is public is shown to them. */
  readonly #hosts = new Set<PublicKey>();
  readonly #byTag = new Map<StateTag, Map<string, ResolvedState>>();
  readonly #tags = new Map<string, StateTag>();
  /** Exposures by member and day, and exposure indexes by member: a grid authority keeps those of all members. */
  readonly #positions = new Map<string, ResolvedState>();
  /** Which flow has reserved a state, and until when. */
  readonly #locks = new Map<string, Lock>();

  constructor(shared?: SharedStates) {
    this.#shared = shared;
    this.#index = shared === undefined ? new StateIndex() : undefined;
  }

  add(resolved: ResolvedState): void {
    if (this.#sharedOf(resolved.state.tag) !== undefined) return;
    const key = refKey(resolved.ref);
    const { tag } = resolved.state;
    let group = this.#byTag.get(tag);
    if (group === undefined) {
      group = new Map();
      this.#byTag.set(tag, group);
    }
    group.set(key, resolved);
    this.#tags.set(key, tag);
    this.#index?.add(key, resolved);
    if (resolved.state.tag === "member" && resolved.state.servedBy === null) this.#hosts.add(resolved.state.key);
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
    if (state !== undefined) this.#index?.remove(key, state);
    if (state?.state.tag === "member" && this.member(state.state.key)?.state.servedBy !== null)
      this.#hosts.delete(state.state.key);
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
    if (tag !== undefined) return this.#byTag.get(tag)?.get(key);
    const elsewhere = this.#shared?.vault.get(ref);
    return elsewhere !== undefined && this.#sharedOf(elsewhere.state.tag) !== undefined ? elsewhere : undefined;
  }

  all<T extends StateTag>(tag: T): readonly VaultState<T>[] {
    const shared = this.#sharedOf(tag);
    if (shared !== undefined) return shared.all(tag);
    return [...(this.#byTag.get(tag)?.values() ?? [])] as unknown as readonly VaultState<T>[];
  }

  /** States of a kind that a party is a participant of, without going through all. */
  of<T extends StateTag>(tag: T, party: PublicKey): readonly VaultState<T>[] {
    const shared = this.#sharedOf(tag);
    if (shared !== undefined) return shared.of(tag, party);
    if (this.#index === undefined) return this.all(tag).filter(({ state }) => participantsOf(state).includes(party));
    return this.#index.of(tag, party) as unknown as readonly VaultState<T>[];
  }

  /** States of a kind with an id of an auction or order: the thing itself, and what is locked for it. */
  named<T extends StateTag>(tag: T, name: string): readonly VaultState<T>[] {
    const shared = this.#sharedOf(tag);
    if (shared !== undefined) return shared.named(tag, name);
    if (this.#index === undefined) return this.all(tag).filter(({ state }) => nameOf(state) === name);
    return this.#index.named(tag, name) as unknown as readonly VaultState<T>[];
  }

  /** The network's rules; undefined where the party is a newcomer. */
  get parameters(): VaultState<"network-parameters"> | undefined {
    return this.all("network-parameters")[0];
  }

  member(key: PublicKey): VaultState<"member"> | undefined {
    return this.of("member", key).find(({ state }) => state.key === key);
  }

  /** Members with a node of their own: those that no other member serves. */
  get hosts(): ReadonlySet<PublicKey> {
    return this.#sharedOf("member")?.hosts ?? this.#hosts;
  }

  #sharedOf(tag: StateTag): Vault | undefined {
    return this.#shared?.tags.includes(tag) === true ? this.#shared.vault : undefined;
  }

  /** States of a kind that no flow has reserved. */
  free<T extends StateTag>(tag: T): readonly VaultState<T>[] {
    return this.all(tag).filter(({ ref }) => !this.#locks.has(refKey(ref)));
  }

  isFree(ref: StateRef): boolean {
    return !this.#locks.has(refKey(ref));
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

/** Finds states of a kind by whom and what they are about. */
class StateIndex {
  readonly #groups = new Map<string, Map<string, ResolvedState>>();

  add(key: string, resolved: ResolvedState): void {
    for (const name of indexNames(resolved.state)) {
      const group = this.#groups.get(name);
      if (group === undefined) this.#groups.set(name, new Map([[key, resolved]]));
      else group.set(key, resolved);
    }
  }

  remove(key: string, { state }: ResolvedState): void {
    for (const name of indexNames(state)) {
      const group = this.#groups.get(name);
      group?.delete(key);
      if (group?.size === 0) this.#groups.delete(name);
    }
  }

  of(tag: StateTag, party: PublicKey): readonly ResolvedState[] {
    return [...(this.#groups.get(`${tag} of ${party}`)?.values() ?? [])];
  }

  named(tag: StateTag, name: string): readonly ResolvedState[] {
    return [...(this.#groups.get(`${tag} named ${name}`)?.values() ?? [])];
  }
}

function indexNames(state: State): readonly string[] {
  const name = nameOf(state);
  const parties = new Set(participantsOf(state));
  return [
    ...[...parties].map((party) => `${state.tag} of ${party}`),
    ...(name === null ? [] : [`${state.tag} named ${name}`]),
  ];
}

function nameOf(state: State): string | null {
  if (state.tag === "auction" || state.tag === "bid") return state.auctionId;
  if (state.tag === "pool-order") return state.orderId;
  return state.tag === "power-promise" ? (state.lock?.id ?? null) : null;
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
