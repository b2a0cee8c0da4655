/** States that a node can prove: outputs of transactions that it stored, and dependencies that peers proved to it. */

import {
  type Dependency,
  type NotarySignature,
  narrowTearOff,
  openTearOff,
  type ResolvedState,
  refKey,
  type SignedTransaction,
  type StateRef,
  tearOff,
} from "#contracts";
import type { PublicKey } from "#core";
import type { SignatureCheck } from "./signature-check.ts";

type Known = {
  readonly resolved: ResolvedState;
  readonly prove: () => Dependency;
  /** Proved by a peer, and in no transaction that the node stores. */
  readonly isBorrowed: boolean;
};
/** States that are no more unspent here are forgotten beyond this many. */
const KNOWN_MAX = 200_000;

export class KnownStates {
  readonly #known = new Map<string, Known>();
  readonly #check: SignatureCheck;
  readonly #notaries: ReadonlySet<PublicKey>;

  readonly #isUnspent: (ref: StateRef) => boolean;
  readonly #max: number;

  /** @param isUnspent - Whether the node holds a state: such are never forgotten, however old. */
  constructor(
    check: SignatureCheck,
    notaries: ReadonlySet<PublicKey>,
    isUnspent: (ref: StateRef) => boolean,
    max: number = KNOWN_MAX,
  ) {
    this.#check = check;
    this.#notaries = notaries;
    this.#isUnspent = isUnspent;
    this.#max = max;
  }

  get(ref: StateRef): ResolvedState | undefined {
    return this.#known.get(refKey(ref))?.resolved;
  }

  proofOf(ref: StateRef): Dependency | undefined {
    return this.#known.get(refKey(ref))?.prove();
  }

  /** Proofs of those states that peers proved: after a restart they are known no more, unless they are given back. */
  borrowed(refs: readonly StateRef[]): readonly Dependency[] {
    return refs.flatMap((ref) => {
      const known = this.#known.get(refKey(ref));
      return known?.isBorrowed === true ? [known.prove()] : [];
    });
  }

  /** Remembers all outputs of a final transaction. */
  addTransaction(signed: SignedTransaction, notarySignature: NotarySignature): void {
    const { transaction } = signed;
    for (const [index, state] of transaction.content.outputs.entries()) {
      const ref = { txId: transaction.id, index };
      const prove = (): Dependency => ({ ref, tearOff: tearOff(transaction, [index]), notarySignature });
      this.#add({ resolved: { ref, state, notary: transaction.content.notary }, prove, isBorrowed: false });
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
    this.#add({ resolved, prove: () => narrowed(dependency), isBorrowed: true });
    return resolved;
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
