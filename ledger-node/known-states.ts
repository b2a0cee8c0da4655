/** States that a node can prove: outputs of transactions that it stored, and dependencies that peers proved to it. */

import {
  type Dependency,
  decodeProof,
  encodeProof,
  type Notice,
  narrowTearOff,
  openTearOff,
  type ResolvedState,
  refKey,
  type SignedTransaction,
  type State,
  type StateRef,
  tearOff,
} from "#contracts";
import type { Hash, PublicKey } from "#core";
import { isPublic } from "./relevance.ts";
import type { SignatureCheck } from "./signature-check.ts";

type Known = {
  readonly resolved: ResolvedState;
  /** Undefined where what proved it is stored no more. */
  readonly prove: () => Dependency | undefined;
  /** Proved by a peer, and in no transaction that the node stores. */
  readonly isBorrowed: boolean;
};
/** States that are no more unspent here are forgotten beyond this many. */
const KNOWN_MAX = 200_000;
/** The same for one of the many members of an aggregator. */
const SERVED_KNOWN_MAX = 1_000;

/** What a node has of a transaction in its store, and which of its states the node keeps: all, unless said. */
type Stored<T> = {
  readonly reload: (txId: Hash) => T | undefined;
  readonly isKept?: (state: State) => boolean;
};

export class KnownStates {
  readonly #known = new Map<string, Known>();
  readonly #check: SignatureCheck;
  readonly #notaries: ReadonlySet<PublicKey>;

  readonly #isUnspent: (ref: StateRef) => boolean;
  readonly #host: KnownStates | undefined;
  readonly #max: number;

  /**
   * @param isUnspent - Whether the node holds a state: such are never forgotten, however old.
   * @param shared - `of`: what an aggregator's node knows, for the node of a member that it serves: of that, what is public.
   * `max`: how many states are remembered.
   */
  constructor(
    check: SignatureCheck,
    notaries: ReadonlySet<PublicKey>,
    isUnspent: (ref: StateRef) => boolean,
    shared: { readonly of?: KnownStates; readonly max?: number | undefined } = {},
  ) {
    this.#check = check;
    this.#notaries = notaries;
    this.#isUnspent = isUnspent;
    this.#host = shared.of;
    this.#max = shared.max ?? (shared.of === undefined ? KNOWN_MAX : SERVED_KNOWN_MAX);
  }

  get(ref: StateRef): ResolvedState | undefined {
    return this.#find(ref)?.resolved;
  }

  proofOf(ref: StateRef): Dependency | undefined {
    return this.#find(ref)?.prove();
  }

  #find(ref: StateRef): Known | undefined {
    const own = this.#known.get(refKey(ref));
    if (own !== undefined || this.#host === undefined) return own;
    const elsewhere = this.#host.#find(ref);
    return elsewhere !== undefined && isPublic(elsewhere.resolved.state) ? elsewhere : undefined;
  }

  /** Proofs of those states that peers proved: after a restart they are known no more, unless they are given back. */
  borrowed(refs: readonly StateRef[]): readonly Dependency[] {
    return refs.flatMap((ref) => {
      const known = this.#known.get(refKey(ref));
      return known?.isBorrowed === true ? (known.prove() ?? []) : [];
    });
  }

  /**
   * Remembers outputs of a final transaction that is stored: by default all, for what its signers sign next may name any. What
   * they are proved with is many times as large as they are, and is read again when it is needed.
   */
  addTransaction(signed: SignedTransaction, stored: Stored<SignedTransaction>): void {
    const { id: txId, content } = signed.transaction;
    const recent = new WeakRef(signed);
    for (const [index, state] of content.outputs.entries()) {
      if (stored.isKept?.(state) === false) continue;
      const ref = { txId, index };
      const prove = (): Dependency | undefined => {
        const whole = recent.deref() ?? stored.reload(txId);
        return whole?.notarySignature == null
          ? undefined
          : { ref, tearOff: tearOff(whole.transaction, [index]), notarySignature: whole.notarySignature };
      };
      this.#add({ resolved: { ref, state, notary: content.notary }, prove, isBorrowed: false });
    }
  }

  /** Checks and remembers a dependency that a peer sent. Undefined when it proves nothing. */
  addDependency(dependency: Dependency): ResolvedState | undefined {
    const { ref, notarySignature } = dependency;
    const known = this.get(ref);
    if (known !== undefined) return known;
    if (!this.#notaries.has(notarySignature.by)) return undefined;
    const outputs = openTearOff(dependency.tearOff, ref.txId);
    const state = outputs.ok ? outputs.value.get(ref.index) : undefined;
    if (state === undefined || !this.#check.isNotarised(ref.txId, notarySignature)) return undefined;
    const resolved = { ref, state, notary: notarySignature.by };
    // As bytes, which are a fraction of the objects that they are read into.
    const bytes = encodeProof(narrowed(dependency));
    this.#add({ resolved, prove: () => decodeProof(bytes)[0], isBorrowed: true });
    return resolved;
  }

  /** Remembers a state that a stored notice shows; its proof was checked already. */
  addShown(resolved: ResolvedState, notice: Notice, { reload }: Stored<Notice>): void {
    const { ref } = resolved;
    const recent = new WeakRef(notice);
    const prove = (): Dependency | undefined => {
      const shown = recent.deref() ?? reload(ref.txId);
      return shown && narrowed({ ref, tearOff: shown.tearOff, notarySignature: shown.notarySignature });
    };
    this.#add({ resolved, prove, isBorrowed: false });
  }

  /** Remembers a state whose proof was checked already. */
  addProved(resolved: ResolvedState, dependency: Dependency): void {
    this.#add({ resolved, prove: () => narrowed(dependency), isBorrowed: false });
  }

  #add(known: Known): void {
    if (this.#known.size >= this.#max) this.#forget();
    this.#known.set(refKey(known.resolved.ref), known);
  }

  /** Forgets the oldest that the node does not hold: a map iterates in the order of insertion. What it holds becomes the newest. */
  #forget(): void {
    for (const [key, known] of [...this.#known].slice(0, Math.ceil(this.#max / 4))) {
      this.#known.delete(key);
      if (this.#isUnspent(known.resolved.ref)) this.#known.set(key, known);
    }
  }
}

/** The proof shows its one state: what else this node was shown of the transaction is not for everybody. */
function narrowed({ ref, tearOff: torn, notarySignature }: Dependency): Dependency {
  return { ref, tearOff: narrowTearOff(torn, ref.index), notarySignature };
}
