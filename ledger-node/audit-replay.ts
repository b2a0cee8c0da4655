/**
 * Replays what was stored, from nothing: recomputes every id from the bytes, checks every signature and every contract, and that
 * nothing was spent twice. Trusts no index and no cache.
 */
import {
  contractViolations,
  decodeNotice,
  decodeSignedTransaction,
  MONEY_GATES,
  moneyIn,
  openComponents,
  type ResolvedState,
  refKey,
  type SignedTransaction,
  type State,
  type StateRef,
} from "#contracts";
import { type Hash, type Micros, micros, type PublicKey } from "#core";
import type { AuditedCommit, AuditedEntry, CommitLogSource } from "./audit-sources.ts";
import { inCommitOrder } from "./notary-recovery.ts";
import { SignatureCheck } from "./signature-check.ts";
import { isWithin } from "./stores/commit-log.ts";

export type AuditViolation = { readonly store: string; readonly txId: string; readonly problem: string };
export type AuditReport = {
  readonly transactions: number;
  readonly signatures: number;
  readonly violations: readonly AuditViolation[];
  readonly moneyIssuedMicros: Micros;
  readonly moneyHeldMicros: Micros;
  /** Of the money held, what was redeemed and is not paid out yet. */
  readonly moneyOwedMicros: Micros;
};

/** Name of the notary among the stores in a report. */
export const NOTARY_STORE = "notary";

/** What a store shows of one transaction, once it was checked. */
export type Shown = {
  readonly txId: Hash;
  /** The whole transaction, or undefined for a notice. */
  readonly signed: SignedTransaction | undefined;
  readonly notary: PublicKey;
  readonly spent: readonly StateRef[];
  readonly made: readonly { readonly ref: StateRef; readonly state: State }[];
};

export class Replay {
  readonly #check: SignatureCheck;
  readonly #isComplete: boolean;
  readonly #unspent = new Map<string, ResolvedState>();
  readonly #spentBy = new Map<string, Hash>();
  readonly #committed = new Set<Hash>();
  readonly #violations: AuditViolation[] = [];
  readonly #notaries = new Set<PublicKey>();
  #signatures = 0;
  #issued = 0n;

  /**
   * @param isComplete - Whether the notary's log is among what is replayed: then what is not in it is not final.
   * @param notaries - Known from the start, where there is no log to tell.
   */
  constructor(networkId: string, isComplete: boolean, notaries: readonly PublicKey[] = []) {
    for (const notary of notaries) this.#notaries.add(notary);
    this.#check = new SignatureCheck(networkId, { signatures: 0, verifications: 0 });
    this.#isComplete = isComplete;
  }

  /** A row of the notary's commit log, in order. */
  addCommitted({ txId, atMs, bytes }: AuditedCommit): void {
    const decoded = decodeSignedTransaction(new Uint8Array(bytes));
    if (!decoded.ok) {
      this.#committed.add(txId);
      return this.violate(NOTARY_STORE, txId, `stored bytes are not a transaction (${decoded.error})`);
    }
    const { transaction } = decoded.value;
    if (transaction.id !== txId)
      this.violate(NOTARY_STORE, txId, `stored bytes are of another transaction, ${transaction.id}`);
    this.#checkSignatures(NOTARY_STORE, txId, decoded.value);
    if (atMs !== null && !isWithin(transaction.content.window, atMs))
      this.violate(NOTARY_STORE, txId, "was committed outside its time window");
    this.#addFinal(NOTARY_STORE, txId, decoded.value);
  }

  /**
   * Where there is no log: what the nodes show, whole or in part, is replayed in an order in which it may have been committed.
   * What a contract can't be checked on, because a state that it needs is not shown, is not checked.
   */
  addShown(all: ReadonlyMap<string, readonly Shown[]>): void {
    const whole = new Map<Hash, { readonly store: string; readonly signed: SignedTransaction }>();
    const parts: { readonly store: string; readonly shown: Shown }[] = [];
    for (const [store, each] of all)
      for (const shown of each)
        if (shown.signed === undefined) parts.push({ store, shown });
        else if (!whole.has(shown.txId)) whole.set(shown.txId, { store, signed: shown.signed });
    const seen = parts.filter(({ shown }) => !whole.has(shown.txId));
    for (const { shown } of seen) this.#addParts(shown);
    for (const { transaction } of inCommitOrder([...whole.values()].map(({ signed }) => signed))) {
      const found = whole.get(transaction.id);
      if (found === undefined) continue;
      this.#signatures += found.signed.signatures.length;
      this.#addFinal(found.store, transaction.id, found.signed);
    }
    for (const { store, shown } of seen) this.#spendParts(store, shown);
  }

  #addParts({ txId, made, notary }: Shown): void {
    this.#committed.add(txId);
    for (const { ref, state } of made) this.#learn({ ref, state, notary });
  }

  #spendParts(store: string, { txId, spent }: Shown): void {
    for (const ref of spent) {
      const spender = this.#spentBy.get(refKey(ref));
      if (spender !== undefined && spender !== txId)
        this.violate(store, txId, `spends ${refKey(ref)}, which was spent by ${spender}`);
      this.#unspent.delete(refKey(ref));
      this.#spentBy.set(refKey(ref), txId);
    }
  }

  #checkSignatures(store: string, txId: Hash, signed: SignedTransaction): void {
    const { content, id } = signed.transaction;
    this.#signatures += store === NOTARY_STORE ? signed.signatures.length : 0;
    for (const key of this.#check.missing(signed, id, content.signers))
      this.violate(store, txId, `has no valid signature of ${key}`);
  }

  #addFinal(store: string, txId: Hash, signed: SignedTransaction): void {
    this.#committed.add(txId);
    this.#checkContract(store, txId, signed);
    this.#apply(txId, signed);
  }

  #checkContract(store: string, txId: Hash, signed: SignedTransaction): void {
    const { content } = signed.transaction;
    const find = (refs: readonly StateRef[], role: string): readonly ResolvedState[] =>
      refs.flatMap((ref) => this.#find(store, txId, ref, role));
    const inputs = find(content.inputs, "input");
    const references = find(content.references, "reference");
    if (inputs.length !== content.inputs.length || references.length !== content.references.length) return;
    for (const clause of contractViolations({ content, inputs, references }))
      this.violate(store, txId, `does not hold the clause ${clause}`);
  }

  #find(store: string, txId: Hash, ref: StateRef, role: string): readonly ResolvedState[] {
    const state = this.#unspent.get(refKey(ref));
    if (state !== undefined) return [state];
    const spender = this.#spentBy.get(refKey(ref));
    if (spender !== undefined) this.violate(store, txId, `names the ${role} ${refKey(ref)}, spent by ${spender}`);
    else if (this.#isComplete) this.violate(store, txId, `names an unknown ${role} ${refKey(ref)}`);
    return [];
  }

  #apply(txId: Hash, { transaction: { content } }: SignedTransaction): void {
    const isGate = MONEY_GATES.includes(content.command.tag);
    for (const ref of content.inputs) {
      const spent = this.#unspent.get(refKey(ref));
      if (isGate && spent !== undefined) this.#issued -= moneyIn(spent.state)?.amount ?? 0n;
      this.#unspent.delete(refKey(ref));
      this.#spentBy.set(refKey(ref), txId);
    }
    for (const [index, state] of content.outputs.entries()) {
      this.#learn({ ref: { txId, index }, state, notary: content.notary });
      if (isGate) this.#issued += moneyIn(state)?.amount ?? 0n;
    }
  }

  #learn(resolved: ResolvedState): void {
    this.#unspent.set(refKey(resolved.ref), resolved);
    if (resolved.state.tag === "network-parameters")
      for (const notary of resolved.state.notaries) this.#notaries.add(notary);
  }

  /** The index by which the notary finds conflicts must say the same as its transactions. */
  checkSpent(spent: NonNullable<ReturnType<CommitLogSource["spent"]>>): void {
    let count = 0;
    for (const { ref, txId } of spent) {
      count += 1;
      if (this.#spentBy.get(ref) !== txId)
        this.violate(NOTARY_STORE, txId, `is said to spend ${ref}, which its transaction does not`);
    }
    if (count !== this.#spentBy.size)
      this.violate(NOTARY_STORE, "", `lists ${count} spent states, its transactions spend ${this.#spentBy.size}`);
  }

  /** A row of a node's store. Gives what it shows; undefined where it shows nothing that holds. */
  addStored(store: string, { txId, kind, bytes }: AuditedEntry): Shown | undefined {
    if (this.#isComplete && !this.#committed.has(txId))
      this.violate(store, txId, "is stored but was never made final by the notary");
    return kind === "full"
      ? this.#addWhole(store, txId, new Uint8Array(bytes))
      : this.#addNotice(store, txId, new Uint8Array(bytes));
  }

  #addWhole(store: string, txId: Hash, bytes: Uint8Array): Shown | undefined {
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) {
      this.violate(store, txId, `stored bytes are not a transaction (${decoded.error})`);
      return undefined;
    }
    const { transaction, notarySignature } = decoded.value;
    const { content, id } = transaction;
    if (id !== txId) this.violate(store, txId, `stored bytes are of another transaction, ${id}`);
    this.#checkSignatures(store, txId, decoded.value);
    const isFinal =
      notarySignature !== null &&
      notarySignature.by === content.notary &&
      this.#notaries.has(notarySignature.by) &&
      this.#check.isNotarised(id, notarySignature);
    if (!isFinal) this.violate(store, txId, "has no valid signature of the notary");
    if (!isFinal || id !== txId) return undefined;
    const made = content.outputs.map((state, index) => ({ ref: { txId, index }, state }));
    return { txId, signed: decoded.value, notary: content.notary, spent: content.inputs, made };
  }

  #addNotice(store: string, txId: Hash, bytes: Uint8Array): Shown | undefined {
    const decoded = decodeNotice(bytes);
    if (!decoded.ok) {
      this.violate(store, txId, `stored bytes are not a notice (${decoded.error})`);
      return undefined;
    }
    const notice = decoded.value;
    const { by } = notice.notarySignature;
    const opened = openComponents(notice.tearOff, notice.txId);
    if (!opened.ok || notice.txId !== txId) {
      this.violate(store, txId, "stored components do not belong to the transaction");
      return undefined;
    }
    const isFinal = this.#notaries.has(by) && this.#check.isNotarised(txId, notice.notarySignature);
    if (!isFinal) this.violate(store, txId, "has no valid signature of the notary");
    for (const key of this.#check.missing(notice, txId, opened.value.signers ?? []))
      this.violate(store, txId, `has no valid signature of ${key}`);
    if (!isFinal) return undefined;
    const made = [...opened.value.outputs].map(([index, state]) => ({ ref: { txId, index }, state }));
    return { txId, signed: undefined, notary: by, spent: [...opened.value.inputs.values()], made };
  }

  report(): AuditReport {
    let held = 0n;
    let owed = 0n;
    for (const { state } of this.#unspent.values()) {
      held += moneyIn(state)?.amount ?? 0n;
      if (state.tag === "redemption") owed += state.amount;
    }
    // Nodes alone do not show all money there is.
    if (this.#isComplete && held !== this.#issued)
      this.violate(NOTARY_STORE, "", `holds ${held} micros, but ${this.#issued} were issued`);
    return {
      transactions: this.#committed.size,
      signatures: this.#signatures,
      violations: this.#violations,
      moneyIssuedMicros: micros(this.#issued),
      moneyHeldMicros: micros(held),
      moneyOwedMicros: micros(owed),
    };
  }

  violate(store: string, txId: string, problem: string): void {
    this.#violations.push({ store, txId, problem });
  }
}
