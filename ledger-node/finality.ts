/**
 * Makes a drafted transaction final: collects its signatures, journals it, asks the notary, records it, and tells those whom it
 * concerns. Everything here can be repeated: peers and notary answer the same transaction the same way however often they are
 * asked, so what a crash cut short is simply done again.
 */
import {
  encodeSignedTransaction,
  type LedgerRefusal,
  type PeerReply,
  type PeerRequest,
  type SignedTransaction,
  type TransactionSignature,
  type WireTransaction,
  withSignatures,
} from "#contracts";
import { err, type Hash, invariant, ok, type PublicKey, type Result } from "#core";
import { messagesFor } from "./distribution.ts";
import type { Drafting } from "./drafting.ts";
import type { Concluded, Flow, Pending } from "./flow.ts";
import { encodeJournaled, type JournaledTransaction } from "./journal.ts";
import type { KnownStates } from "./known-states.ts";
import type { Ledger } from "./ledger.ts";
import { PUBLIC_TAGS } from "./relevance.ts";
import type { SignatureCheck } from "./signature-check.ts";
import { type NodeStore, StoreFull } from "./stores/node-store.ts";
import type { Vault } from "./vault.ts";

export type FinalityParts = {
  readonly party: PublicKey;
  readonly drafting: Drafting;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly known: KnownStates;
  readonly check: SignatureCheck;
  readonly store: NodeStore;
  /** The key that signs for the party: its own, or a delegate's where its node is an aggregator's. */
  readonly signingKey: PublicKey;
  readonly sign: (transaction: WireTransaction) => TransactionSignature;
  readonly ask: (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
};

/** Refusals that say nothing of the transaction: it may be final, or become so when it is sent again. */
const NO_VERDICT: readonly string[] = ["node_unreachable", "store_full", "member_not_served", "notary_outdated"];
const TOLD: Promise<void> = Promise.resolve();

/** A final transaction of which somebody could not be told yet. */
type Untold = Pending & { readonly recipients: ReadonlySet<PublicKey> };

export class Finality {
  readonly #parts: FinalityParts;
  readonly #pending = new Map<Hash, Pending>();
  /** The outbox, oldest first. */
  readonly #untold = new Map<Hash, Untold>();

  constructor(parts: FinalityParts) {
    this.#parts = parts;
  }

  get pending(): ReadonlyMap<Hash, Pending> {
    return this.#pending;
  }

  /** How many messages are still to be delivered, by recipient. */
  get undelivered(): ReadonlyMap<PublicKey, number> {
    const counts = new Map<PublicKey, number>();
    for (const { recipients } of this.#untold.values())
      for (const recipient of recipients) counts.set(recipient, (counts.get(recipient) ?? 0) + 1);
    return counts;
  }

  pendingOf(commandId: string): Pending | undefined {
    for (const pending of this.#pending.values()) if (pending.flow.command.id === commandId) return pending;
    return undefined;
  }

  /** Takes up what was under way when the node was stopped. */
  restore({ stage, command, signed, inputs, dependencies, recipients }: JournaledTransaction): void {
    const { drafting, known } = this.#parts;
    for (const dependency of dependencies) known.addDependency(dependency);
    const { transaction } = signed;
    const flow = drafting.opened({ flowId: drafting.nextFlowId(), command, transaction, inputs, delegate: null });
    if (stage === "signed") this.#pending.set(transaction.id, { flow, signed });
    else this.#untold.set(transaction.id, { flow, signed, recipients: new Set(recipients) });
  }

  /** Signs, collects signatures, and concludes; what is sent to the notary is stored before. */
  async finish(flow: Flow, delegated: TransactionSignature | null): Promise<Concluded> {
    const signed = await this.#collect(flow, delegated);
    if (!signed.ok) {
      this.#parts.drafting.abandon(flow);
      return { answer: signed, told: TOLD };
    }
    return this.submit(flow, signed.value);
  }

  /** Concludes what has all its signatures: stored first, so that it is finished whatever happens. */
  async submit(flow: Flow, signed: SignedTransaction): Promise<Concluded> {
    const pending = { flow, signed };
    await this.#journal(pending, "signed", []);
    this.#pending.set(flow.transaction.id, pending);
    return this.conclude(pending);
  }

  /**
   * Asks the notary, which answers the same transaction the same way however often it is asked; records and distributes.
   * Only the notary's own refusal ends a transaction: an answer that is lost or not signed by it says nothing.
   */
  async conclude(pending: Pending): Promise<Concluded> {
    const { ask, ledger } = this.#parts;
    const { flow, signed } = pending;
    const { transaction } = flow;
    const reply = await ask(transaction.content.notary, {
      tag: "notarise",
      transaction: encodeSignedTransaction(signed),
    });
    if (reply.tag === "refused" && !NO_VERDICT.includes(reply.refusal.tag)) {
      await this.#settled(pending);
      return { answer: err(reply.refusal), told: TOLD };
    }
    if (reply.tag !== "notarised")
      return { answer: err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" }), told: TOLD };
    const final = { ...signed, notarySignature: reply.signature };
    const recorded = await ledger.record(final, null, flow.command);
    if (!recorded.ok) return { answer: recorded, told: TOLD };
    this.#pending.delete(transaction.id);
    return {
      answer: ok({ status: "created", txId: transaction.id }),
      told: this.#tell({ flow, signed: final }).catch(unlessFull),
    };
  }

  /** Delivers what is in the outbox, each recipient's messages in their order, as far as it can be reached. */
  async redeliver(): Promise<void> {
    const recipients = new Set([...this.#untold.values()].flatMap((untold) => [...untold.recipients]));
    const delivered = new Map<Hash, Set<PublicKey>>();
    await Promise.all([...recipients].map((recipient) => this.#redeliverTo(recipient, delivered)));
    for (const [txId, told] of delivered) {
      const untold = this.#untold.get(txId);
      if (untold === undefined) continue;
      await this.#keepUntold(untold, new Set([...untold.recipients].filter((key) => !told.has(key))));
    }
  }

  async #redeliverTo(recipient: PublicKey, delivered: Map<Hash, Set<PublicKey>>): Promise<void> {
    for (const [txId, untold] of [...this.#untold]) {
      if (!untold.recipients.has(recipient)) continue;
      const request = this.#messages(untold).get(recipient);
      if (request !== undefined && !(await this.#deliver(recipient, request, untold))) return;
      const told = delivered.get(txId) ?? new Set();
      delivered.set(txId, told.add(recipient));
    }
  }

  async #collect(
    { transaction }: Flow,
    delegated: TransactionSignature | null,
  ): Promise<Result<SignedTransaction, LedgerRefusal>> {
    const { signingKey, sign, ask, check } = this.#parts;
    const { signers } = transaction.content;
    const own = signers.includes(signingKey) ? [sign(transaction)] : [];
    const begun = withSignatures(
      { transaction, signatures: [], notarySignature: null },
      delegated === null ? own : [...own, delegated],
    );
    const others = signers.filter((key) => !begun.signatures.some(({ by }) => by === key));
    const bytes = encodeSignedTransaction(begun);
    const principals = this.#principals(transaction);
    const nodeOf = (key: PublicKey): PublicKey => principals.get(key) ?? key;
    const replies = await Promise.all(others.map((key) => ask(nodeOf(key), { tag: "sign", transaction: bytes })));
    const signatures: TransactionSignature[] = [];
    for (const [index, key] of others.entries()) {
      const reply = replies[index];
      invariant(reply !== undefined, "every countersigner has answered");
      if (reply.tag === "refused") return err(countersignRefusal(nodeOf(key), reply.refusal));
      const isSigned =
        reply.tag === "signed" && reply.signature.by === key && check.isValid(transaction.id, reply.signature);
      if (!isSigned) return err({ tag: "signature_invalid" });
      signatures.push(reply.signature);
    }
    return ok(withSignatures(begun, signatures));
  }

  /** Whose delegate a key is: the node that acts for the principal is asked for its signature. */
  #principals({ content }: WireTransaction): ReadonlyMap<PublicKey, PublicKey> {
    const { known, vault } = this.#parts;
    return new Map(
      content.references.flatMap((ref) => {
        const state = known.get(ref)?.state;
        const isOfDelegate = state?.tag === "mandate" && vault.member(state.delegate) === undefined;
        return isOfDelegate ? [[state.delegate, state.principal] as const] : [];
      }),
    );
  }

  /** Tells everybody whom it concerns; who could not be reached stays in the outbox, and a newcomer is shown the network. */
  async #tell(pending: Pending): Promise<void> {
    const messages = [...this.#messages(pending)];
    const delivered = await Promise.all(
      messages.map(([recipient, request]) => this.#deliver(recipient, request, pending)),
    );
    const silent = messages.filter((_, index) => delivered[index] !== true).map(([recipient]) => recipient);
    await this.#keepUntold(pending, new Set(silent));
  }

  /** Whether the recipient has taken the message, or refuses it for good. A newcomer is shown the network along with it. */
  async #deliver(recipient: PublicKey, request: PeerRequest, { flow }: Pending): Promise<boolean> {
    const { content } = flow.transaction;
    const isNewcomer =
      content.command.tag === "join" &&
      content.outputs.some((state) => state.tag === "member" && state.key === recipient && state.servedBy === null);
    return isAnswered(await this.#parts.ask(recipient, request)) && (!isNewcomer || this.#introduce(recipient));
  }

  #messages({ flow, signed }: Pending): ReadonlyMap<PublicKey, PeerRequest> {
    const { vault, party } = this.#parts;
    const parameters = vault.parameters?.state;
    return parameters === undefined ? new Map() : messagesFor(signed, flow.inputs, parameters, party, vault);
  }

  async #keepUntold(pending: Pending, recipients: ReadonlySet<PublicKey>): Promise<void> {
    if (recipients.size === 0) return this.#settled(pending);
    this.#parts.vault.unlock(pending.flow.flowId);
    this.#untold.set(pending.flow.transaction.id, { ...pending, recipients });
    await this.#journal(pending, "final", [...recipients]);
  }

  #journal({ flow, signed }: Pending, stage: "signed" | "final", recipients: readonly PublicKey[]): Promise<void> {
    const { command, transaction, inputs } = flow;
    const { known, store } = this.#parts;
    const dependencies = known.borrowed([...transaction.content.inputs, ...transaction.content.references]);
    return store.putJournal(encodeJournaled({ stage, command, signed, inputs, dependencies, recipients }));
  }

  /** Nothing is left to be done about it. */
  async #settled({ flow }: Pending): Promise<void> {
    this.#pending.delete(flow.transaction.id);
    this.#untold.delete(flow.transaction.id);
    this.#parts.drafting.abandon(flow);
    await this.#parts.store.dropJournal(flow.command.id);
  }

  /** Shows a new member the public states that were there before it. */
  async #introduce(newcomer: PublicKey): Promise<boolean> {
    const { vault, known, ask } = this.#parts;
    const states = PUBLIC_TAGS.flatMap((tag) => vault.all(tag));
    const dependencies = states.flatMap(({ ref }) => known.proofOf(ref) ?? []);
    return isAnswered(await ask(newcomer, { tag: "introduce", dependencies }));
  }
}

/** Whether a peer has taken a message, or refuses it for good. */
function isAnswered(reply: PeerReply): boolean {
  return reply.tag !== "refused" || !NO_VERDICT.includes(reply.refusal.tag);
}

/** The transaction is final and journaled as signed: whom it concerns is told when there is room again. */
function unlessFull(error: unknown): void {
  if (!(error instanceof StoreFull)) throw error;
}

/** What a countersigner's refusal means to the initiator. */
function countersignRefusal(party: PublicKey, refusal: LedgerRefusal): LedgerRefusal {
  if (refusal.tag === "counterparty_refused") return refusal;
  const clauses = refusal.tag === "contract_violated" ? refusal.clauses : [];
  return { tag: "counterparty_refused", party, reason: refusal.tag, clauses };
}
