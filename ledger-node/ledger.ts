/**
 * What a node holds of the ledger: store, vault and known states, changed together. The one place that records a final
 * transaction, after checking it; start-up and recovery from a crash are the same: read the store again.
 */

import {
  type Command,
  contractViolations,
  decodeNotice,
  decodeSignedTransaction,
  encodeNotice,
  encodeProof,
  encodeSignedTransaction,
  type LedgerRefusal,
  type NodeEvent,
  type Notice,
  openComponents,
  type ResolvedState,
  type ResolvedTransaction,
  refKey,
  type ShownComponents,
  type SignedTransaction,
  type State,
  type StateRef,
  tearOff,
} from "#contracts";
import { err, type Hash, ok, type PublicKey, type Result } from "#core";
import type { KnownStates } from "./known-states.ts";
import { notYetShown, shownTogether } from "./notices.ts";
import { concernsNode, isPublic, isWitnessed, orderKeeping } from "./relevance.ts";
import type { SignatureCheck } from "./signature-check.ts";
import type { NodeStore, StoredCommand, StoredTransaction } from "./stores/node-store.ts";
import { Turns } from "./turns.ts";
import type { Vault } from "./vault.ts";

export type LedgerParts = {
  readonly party: PublicKey;
  /** Whether an aggregator's node keeps what is public for this one. */
  readonly isServed: boolean;
  readonly vault: Vault;
  readonly known: KnownStates;
  readonly check: SignatureCheck;
  readonly store: NodeStore;
  readonly notaries: ReadonlySet<PublicKey>;
  readonly gridAuthority: PublicKey;
};

type Change = {
  readonly txId: NodeEvent["txId"];
  readonly command: Command | undefined;
  readonly spent: readonly StateRef[];
  readonly made: readonly ResolvedState[];
};

/** Messages overtake each other by seconds, not by thousands of transactions. */
const SPENT_EARLY_MAX = 20_000;
/** The same for one of the many members of an aggregator. */
const SERVED_SPENT_EARLY_MAX = 500;

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  /** Spent before they were seen: messages may overtake each other. */
  readonly #spentEarly = new Set<string>();
  readonly #recorded = new Set<string>();
  /** What is heard of one transaction is recorded one after the other. */
  readonly #turns = new Turns();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    for (const { bytes } of parts.store.proofs()) this.#replayProof(new Uint8Array(bytes));
    for (const { kind, bytes } of parts.store.scan()) this.#replay(kind, new Uint8Array(bytes));
  }

  listen(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  has(txId: string): boolean {
    return this.#recorded.has(txId);
  }

  /** Whether all of a transaction is here, and not only a part that somebody has shown. */
  hasWhole(txId: Hash): boolean {
    return this.#stored(txId)?.kind === "full";
  }

  /**
   * Checks and stores a final transaction that the party signed or began.
   * @param resolved - For checking the contract; null when this node checked it before it signed.
   */
  record(
    signed: SignedTransaction,
    resolved: ResolvedTransaction | null,
    command: StoredCommand | null,
  ): Promise<Result<null, LedgerRefusal>> {
    return this.#turns.take(signed.transaction.id, () => this.#recordWhole(signed, resolved, command));
  }

  async #recordWhole(
    signed: SignedTransaction,
    resolved: ResolvedTransaction | null,
    command: StoredCommand | null,
  ): Promise<Result<null, LedgerRefusal>> {
    const { transaction } = signed;
    const { store } = this.#parts;
    // Others may have shown it, or a part of it, before the party that began it has the notary's answer.
    const before = this.#stored(transaction.id);
    if (before?.kind === "full" && command === null) return ok(null);
    const refusal = this.#finalRefusal(signed);
    if (refusal !== undefined) return err(refusal);
    const violated = resolved === null ? [] : contractViolations(resolved);
    if (violated.length > 0) return err({ tag: "contract_violated", clauses: violated });
    const bytes = encodeSignedTransaction(signed);
    const entry = { txId: transaction.id, kind: "full", bytes, command } as const;
    await (before?.kind === "notice" ? store.putMore(entry) : store.put(entry));
    if (before?.kind !== "full") this.#applyFull(signed, true, shownBefore(before));
    return ok(null);
  }

  /**
   * Checks and stores what a party that did not sign is shown of a final transaction. Who shows it may hide a part of it, so
   * what others show later is added to it.
   */
  async recordNotice(bytes: Uint8Array): Promise<Result<null, LedgerRefusal>> {
    const decoded = decodeNotice(bytes);
    if (!decoded.ok) return err({ tag: "transaction_malformed" });
    return this.#turns.take(decoded.value.txId, () => this.#recordPart(decoded.value));
  }

  async #recordPart(notice: Notice): Promise<Result<null, LedgerRefusal>> {
    const before = this.#stored(notice.txId);
    if (before?.kind === "full") return ok(null);
    const earlier = before && noticeIn(before);
    const fresh = earlier === undefined ? notice : notYetShown(notice, earlier);
    if (earlier !== undefined && fresh.tearOff.revealed.length === 0) return ok(null);
    const shown = openComponents(notice.tearOff, notice.txId);
    const added = openComponents(fresh.tearOff, notice.txId);
    if (!shown.ok || !added.ok) return err({ tag: "transaction_malformed" });
    const isOwn = this.#isOwn(shown.value);
    const refusal = this.#noticeRefusal(notice, shown.value, isOwn);
    if (refusal !== undefined) return err(refusal);
    const whole = earlier === undefined ? notice : shownTogether(earlier, notice, isOwn);
    const entry = { txId: notice.txId, kind: "notice", bytes: encodeNotice(whole), command: null } as const;
    await (earlier === undefined ? this.#parts.store.put(entry) : this.#parts.store.putMore(entry));
    this.#applyNotice(fresh, { ...added.value, command: shown.value.command }, true);
    return ok(null);
  }

  /** Who only observes relies on the contract-verifying notary; whose own states move checks every signature itself. */
  #isOwn({ outputs }: ShownComponents): boolean {
    const states = [...outputs.values()];
    return states.length === 0 || states.some((state) => !isPublic(state) && !isWitnessed(state, this.#parts.party));
  }

  #noticeRefusal(notice: Notice, { signers, notary }: ShownComponents, isOwn: boolean): LedgerRefusal | undefined {
    const { party, check, notaries } = this.#parts;
    // The signers are hidden from observers alone, and from them too where they are concerned.
    if (notary === undefined || (signers === undefined && !this.#isObserver())) return { tag: "transaction_malformed" };
    // Who signed is owed all of it.
    if (signers?.includes(party)) return { tag: "role_not_allowed" };
    if (!notaries.has(notice.notarySignature.by) || notary !== notice.notarySignature.by)
      return { tag: "signature_invalid" };
    if (!check.isNotarised(notice.txId, notice.notarySignature)) return { tag: "signature_invalid" };
    const lacking = isOwn && signers !== undefined ? check.lacking(notice, notice.txId, signers) : undefined;
    return lacking === undefined ? undefined : { tag: lacking };
  }

  #stored(txId: Hash): StoredTransaction | undefined {
    return this.#recorded.has(txId) ? this.#parts.store.transactionOf(txId) : undefined;
  }

  /**
   * Takes over the public states of the network, known and proved, as a newcomer: what is not public, or spent meanwhile, is
   * left out. Who knows the network already is told nothing by it: a state may be proved, and yet be spent long ago.
   */
  async introduce(states: readonly ResolvedState[]): Promise<void> {
    const { vault, known, store } = this.#parts;
    if (vault.parameters !== undefined) return;
    const fresh = states.filter(({ ref, state }) => isPublic(state) && !this.#spentEarly.has(refKey(ref)));
    const proofs = fresh.flatMap(({ ref }) => {
      const proof = known.proofOf(ref);
      return proof === undefined ? [] : [{ ref, bytes: encodeProof(proof) }];
    });
    await store.putProofs(proofs);
    for (const resolved of fresh) if (!this.#spentEarly.has(refKey(resolved.ref))) vault.add(resolved);
  }

  #finalRefusal(signed: SignedTransaction): LedgerRefusal | undefined {
    const { transaction, notarySignature } = signed;
    const { check, notaries } = this.#parts;
    if (notarySignature === null) return { tag: "signature_missing" };
    if (!notaries.has(notarySignature.by) || notarySignature.by !== transaction.content.notary)
      return { tag: "signature_invalid" };
    if (!check.isNotarised(transaction.id, notarySignature)) return { tag: "signature_invalid" };
    const lacking = check.lacking(signed, transaction.id, transaction.content.signers);
    return lacking === undefined ? undefined : { tag: lacking };
  }

  /** A proof shows one state and no transaction: nothing is spent, and its transaction may still come. */
  #replayProof(bytes: Uint8Array): void {
    const proof = decodeNotice(bytes);
    const shown = proof.ok ? openComponents(proof.value.tearOff, proof.value.txId) : proof;
    if (!proof.ok || !shown.ok) return;
    const { txId, tearOff: torn, notarySignature } = proof.value;
    for (const [index, state] of shown.value.outputs) {
      const resolved = { ref: { txId, index }, state, notary: notarySignature.by };
      this.#parts.known.addProved(resolved, { ref: resolved.ref, tearOff: torn, notarySignature });
      this.#parts.vault.add(resolved);
    }
  }

  #replay(kind: "full" | "notice", bytes: Uint8Array): void {
    if (kind === "full") {
      const signed = decodeSignedTransaction(bytes);
      if (signed.ok) this.#applyFull(signed.value, false);
    } else {
      const notice = decodeNotice(bytes);
      const shown = notice.ok ? openComponents(notice.value.tearOff, notice.value.txId) : notice;
      if (notice.ok && shown.ok) this.#applyNotice(notice.value, shown.value, false);
    }
  }

  /** @param shown - What was applied before: it may have been spent since. */
  #applyFull(signed: SignedTransaction, isNew: boolean, shown?: ShownComponents): void {
    const { transaction, notarySignature } = signed;
    if (notarySignature === null) return;
    this.#parts.known.addTransaction(signed, { reload: this.#wholeOf, isKept: (state) => this.#isKept(state) });
    const { command, inputs, outputs, notary } = transaction.content;
    const made = outputs.flatMap((state, index) =>
      shown?.outputs.has(index) === true ? [] : [{ ref: { txId: transaction.id, index }, state, notary }],
    );
    const spent = inputs.filter((_, index) => shown?.inputs.has(index) !== true);
    this.#apply({ txId: transaction.id, command, spent, made }, isNew);
  }

  #applyNotice(notice: Notice, shown: ShownComponents, isNew: boolean): void {
    const made = this.#addShown(notice, shown);
    this.#apply({ txId: notice.txId, command: shown.command, spent: [...shown.inputs.values()], made }, isNew);
  }

  #addShown(notice: Notice, { outputs }: ShownComponents): readonly ResolvedState[] {
    return [...outputs].map(([index, state]) => {
      const resolved = { ref: { txId: notice.txId, index }, state, notary: notice.notarySignature.by };
      this.#parts.known.addShown(resolved, notice, { reload: this.#noticeOf });
      return resolved;
    });
  }

  readonly #wholeOf = (txId: Hash): SignedTransaction | undefined => {
    const stored = this.#parts.store.transactionOf(txId);
    const decoded = stored?.kind === "full" ? decodeSignedTransaction(new Uint8Array(stored.bytes)) : undefined;
    return decoded?.ok === true ? decoded.value : undefined;
  };

  /** What is shown of a transaction, also where all of it is here by now. */
  readonly #noticeOf = (txId: Hash): Notice | undefined => {
    const stored = this.#parts.store.transactionOf(txId);
    if (stored === undefined || stored.kind === "notice") return stored && noticeIn(stored);
    const whole = this.#wholeOf(txId);
    if (whole?.notarySignature == null) return undefined;
    const { transaction, signatures, notarySignature } = whole;
    const outputs = transaction.content.outputs.map((_, index) => index);
    return { txId, tearOff: tearOff(transaction, outputs), signatures, notarySignature };
  };

  #apply(change: Change, isNew: boolean): void {
    const { vault } = this.#parts;
    this.#recorded.add(change.txId);
    const consumed: State[] = [];
    for (const ref of change.spent) {
      const spent = vault.spend(ref);
      if (spent === undefined) this.#rememberSpent(refKey(ref));
      else consumed.push(spent.state);
    }
    const made = change.made.filter(({ state }) => concernsNode(state, this.#parts) && this.#isKept(state));
    const gone = orderIds(made.filter(({ ref }) => this.#spentEarly.has(refKey(ref))).map(({ state }) => state));
    this.#forgetKeptFor(orderIds(consumed));
    for (const resolved of made) {
      if (this.#spentEarly.delete(refKey(resolved.ref))) continue;
      if (!gone.has(orderKeeping(resolved.state, this.#parts) ?? "")) vault.add(resolved);
    }
    if (!isNew) return;
    const event: NodeEvent = {
      txId: change.txId,
      command: change.command,
      consumed,
      made: made.map(({ state }) => state),
    };
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * A marketplace keeps what is locked for an order as long as it has the order. It need not be told what becomes of it
   * afterwards, and is not told when the check of a delivery frees it.
   */
  #forgetKeptFor(orders: ReadonlySet<string>): void {
    if (orders.size === 0) return;
    const { vault } = this.#parts;
    for (const order of orders)
      for (const { ref, state } of vault.named("power-promise", order))
        if (orderKeeping(state, this.#parts) === order) vault.spend(ref);
  }

  /** Most of these are states of others that never come; the oldest are forgotten. */
  #rememberSpent(key: string): void {
    const [oldest] = this.#spentEarly;
    const max = this.#parts.isServed ? SERVED_SPENT_EARLY_MAX : SPENT_EARLY_MAX;
    if (oldest !== undefined && this.#spentEarly.size >= max) this.#spentEarly.delete(oldest);
    this.#spentEarly.add(key);
  }

  /** A member that an aggregator serves keeps what concerns itself: the rest of a transaction is the aggregator's to keep. */
  #isKept(state: State): boolean {
    return !this.#parts.isServed || (!isPublic(state) && concernsNode(state, this.#parts));
  }

  #isObserver(): boolean {
    const { vault, party } = this.#parts;
    return vault.parameters?.state.observers.some(({ key }) => key === party) ?? false;
  }
}

function orderIds(states: readonly State[]): ReadonlySet<string> {
  return new Set(states.flatMap((state) => (state.tag === "pool-order" ? [state.orderId] : [])));
}

function noticeIn({ bytes }: StoredTransaction): Notice | undefined {
  const decoded = decodeNotice(new Uint8Array(bytes));
  return decoded.ok ? decoded.value : undefined;
}

function shownBefore(stored: StoredTransaction | undefined): ShownComponents | undefined {
  const notice = stored?.kind === "notice" ? noticeIn(stored) : undefined;
  const shown = notice === undefined ? undefined : openComponents(notice.tearOff, notice.txId);
  return shown?.ok === true ? shown.value : undefined;
}
