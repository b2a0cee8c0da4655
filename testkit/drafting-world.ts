/**
 * Drafts and contracts without signatures, messages and stores: a world in which thousands of random lives of a network are
 * lived in a minute. Every party drafts from a vault that holds what its node would keep, and what it asks of others is
 * answered as their nodes would answer. Like a node, it refuses a draft that breaks the contract.
 */
import {
  type ClientCommand,
  type Command,
  contractViolations,
  type Dependency,
  type LedgerRefusal,
  moneyIn,
  type PeerReply,
  type PeerRequest,
  type ResolvedState,
  refKey,
  type State,
  type StateAndRef,
  type StateOf,
  type StateRef,
  type StateTag,
} from "#contracts";
import { err, type Hash, hashOf, invariant, ok, type PublicKey, type Result } from "#core";
import { concernsNode, type Draft, draftFor, type FlowContext, Vault } from "#ledger-node";

/** A transaction as it became final. */
export type FinalTransaction = {
  readonly txId: Hash;
  readonly command: Command;
  readonly consumed: readonly State[];
  readonly made: readonly State[];
  readonly signers: readonly PublicKey[];
};

export type WorldParts = {
  readonly genesis: readonly State[];
  readonly gridAuthority: PublicKey;
  readonly notary: PublicKey;
};

export class DraftingWorld {
  nowMs: number;
  readonly #parts: WorldParts;
  readonly #unspent = new Map<string, ResolvedState>();
  readonly #vaults = new Map<PublicKey, Vault>();
  /** Which parties keep a state. */
  readonly #keepers = new Map<string, readonly PublicKey[]>();
  #transactions = 0;
  #flows = 0;
  #sequence = 0;

  constructor(parts: WorldParts, nowMs: number) {
    this.#parts = parts;
    this.nowMs = nowMs;
    for (const state of parts.genesis) if (state.tag === "member") this.#vaults.set(state.key, new Vault());
    this.#make(hashOf("genesis"), parts.genesis);
  }

  /** Unspent states of a kind. */
  all<T extends StateTag>(tag: T): readonly StateOf<T>[] {
    return this.states().filter((state): state is StateOf<T> => state.tag === tag);
  }

  states(): readonly State[] {
    return [...this.#unspent.values()].map(({ state }) => state);
  }

  /** What a party's node keeps of a kind. */
  keptBy<T extends StateTag>(party: PublicKey, tag: T): readonly StateOf<T>[] {
    return this.#vaultOf(party)
      .all(tag)
      .map(({ state }) => state);
  }

  /** The same with their names. */
  statesKeptBy<T extends StateTag>(party: PublicKey, tag: T): readonly StateAndRef<T>[] {
    return this.#vaultOf(party).all(tag);
  }

  get moneyHeld(): bigint {
    return this.states().reduce((sum, state) => sum + (moneyIn(state)?.amount ?? 0n), 0n);
  }

  /** Carries out a command, by the party's own key or by a delegate's. */
  async submit(
    party: PublicKey,
    command: ClientCommand,
    delegate: PublicKey | null = null,
  ): Promise<Result<FinalTransaction, LedgerRefusal>> {
    const drafted = await this.draft(party, command, delegate);
    return drafted.ok ? this.finish(drafted.value) : drafted;
  }

  /** A draft that is not final yet: others may come before it. */
  async draft(
    party: PublicKey,
    command: ClientCommand,
    delegate: PublicKey | null = null,
  ): Promise<Result<Draft, LedgerRefusal>> {
    const flowId = `flow ${this.#flows++}`;
    const vault = this.#vaultOf(party);
    const drafted = await draftFor(this.#context(party, command, delegate, flowId), command);
    for (const each of this.#vaults.values()) each.expireLocks(Number.MAX_SAFE_INTEGER);
    vault.unlock(flowId);
    if (!drafted.ok) return drafted;
    const clauses = this.violations(drafted.value);
    return clauses.length === 0 ? drafted : err({ tag: "contract_violated", clauses });
  }

  /** Clauses that a draft, or a spoiled copy of one, does not hold. */
  violations(draft: Draft): readonly string[] {
    return contractViolations({
      content: {
        inputs: draft.consumed.map(({ ref }) => ref),
        references: draft.cited.map(({ ref }) => ref),
        outputs: draft.made,
        command: draft.command,
        signers: draft.signers,
        notary: this.#parts.notary,
        window: draft.window,
      },
      inputs: draft.consumed,
      references: draft.cited,
    });
  }

  /** Makes a draft final if nothing that it consumes or cites is spent and its window is open; as the notary does. */
  finish(draft: Draft): Result<FinalTransaction, LedgerRefusal> {
    const spent = [...draft.consumed, ...draft.cited].filter(({ ref }) => !this.#unspent.has(refKey(ref)));
    if (spent.length > 0) {
      const consumedBy = hashOf("another transaction");
      return err({ tag: "state_conflict", spent: spent.map(({ ref }) => ({ ref: refKey(ref), consumedBy })) });
    }
    const { fromMs, untilMs } = draft.window;
    const isOpen = (fromMs === null || fromMs <= this.nowMs) && (untilMs === null || this.nowMs < untilMs);
    return isOpen ? ok(this.#finish(draft)) : err({ tag: "time_window_invalid" });
  }

  #finish(draft: Draft): FinalTransaction {
    const txId = hashOf(`transaction ${this.#transactions++}`);
    for (const { ref } of draft.consumed) this.#spend(ref);
    this.#make(txId, draft.made);
    const consumed = draft.consumed.map(({ state }) => state);
    return { txId, command: draft.command, consumed, made: draft.made, signers: draft.signers };
  }

  #spend(ref: StateRef): void {
    const key = refKey(ref);
    invariant(this.#unspent.delete(key), "a draft consumes what is not spent");
    for (const keeper of this.#keepers.get(key) ?? []) this.#vaultOf(keeper).spend(ref);
    this.#keepers.delete(key);
  }

  #make(txId: Hash, states: readonly State[]): void {
    for (const [index, state] of states.entries()) {
      if (state.tag === "member" && !this.#vaults.has(state.key)) this.#introduce(state.key);
      const resolved = { ref: { txId, index }, state, notary: this.#parts.notary };
      this.#unspent.set(refKey(resolved.ref), resolved);
      this.#keep(resolved, [...this.#vaults.keys()]);
    }
  }

  #introduce(party: PublicKey): void {
    this.#vaults.set(party, new Vault());
    for (const resolved of this.#unspent.values()) this.#keep(resolved, [party]);
  }

  #keep(resolved: ResolvedState, parties: readonly PublicKey[]): void {
    const keepers = parties.filter((party) => {
      const vault = this.#vaultOf(party);
      return concernsNode(resolved.state, { party, gridAuthority: this.#parts.gridAuthority, vault });
    });
    for (const party of keepers) this.#vaultOf(party).add(resolved);
    const key = refKey(resolved.ref);
    this.#keepers.set(key, [...(this.#keepers.get(key) ?? []), ...keepers]);
  }

  #vaultOf(party: PublicKey): Vault {
    const vault = this.#vaults.get(party);
    invariant(vault !== undefined, "every party of the world is a member");
    return vault;
  }

  #context(party: PublicKey, command: ClientCommand, delegate: PublicKey | null, flowId: string): FlowContext {
    const vault = this.#vaultOf(party);
    const [parameters] = vault.all("network-parameters");
    invariant(parameters !== undefined, "a world has parameters");
    return {
      party,
      signingKey: delegate ?? party,
      flowId,
      commandId: command.commandId,
      commandTag: command.tag,
      nowMs: this.nowMs,
      vault,
      parameters,
      avoid: new Set(),
      ask: (to, request) => Promise.resolve(this.#answer(to, request)),
      learn: (dependency) => this.#unspent.get(refKey(dependency.ref)),
      reserveSequence: (count) => this.#numbers(count),
    };
  }

  #numbers(count: number): number {
    this.#sequence += count;
    return this.#sequence - count;
  }

  /** As an honest node answers: it proves the newest that its party keeps. */
  #answer(to: PublicKey, request: PeerRequest): PeerReply {
    const vault = this.#vaultOf(to);
    switch (request.tag) {
      case "sequence":
        return { tag: "sequence", first: this.#numbers(request.count) };
      case "position": {
        const { exposure, index } = vault.positionOf(request.member, request.day);
        return { tag: "position", exposure: exposure ? proofOf(exposure) : null, index: index ? proofOf(index) : null };
      }
      case "bid-of":
        return proved(vault.all("bid").filter(({ state }) => state.auctionId === request.auctionId));
      case "auctioned":
        return proved(
          vault
            .all("power-promise")
            .filter(({ state }) => state.lock?.kind === "auction" && state.lock.id === request.auctionId),
        );
      case "certificates-of":
        return proved(
          vault
            .all("certificate")
            .filter(
              ({ state }) =>
                state.agency === request.agency && state.supplier === request.supplier && state.slot === request.slot,
            ),
        );
      case "fund":
        return this.#fund(vault, to, request.amount);
      default:
        return { tag: "refused", refusal: { tag: "role_not_allowed" } };
    }
  }

  #fund(vault: Vault, owner: PublicKey, amount: bigint): PeerReply {
    const chosen: ResolvedState[] = [];
    let sum = 0n;
    for (const resolved of vault.all("funds")) {
      if (sum >= amount) break;
      if (resolved.state.owner !== owner) continue;
      chosen.push(resolved);
      sum += resolved.state.amount;
    }
    return proved(chosen);
  }
}

/** In this world a proof is the name of what it proves. */
function proofOf({ ref }: Pick<ResolvedState, "ref">): Dependency {
  return { ref } as Dependency;
}

function proved(states: readonly Pick<ResolvedState, "ref">[]): PeerReply {
  return { tag: "proved", dependencies: states.map(proofOf) };
}
