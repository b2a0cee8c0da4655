/**
 * A node of one party: builds and signs its transactions, countersigns those of others, keeps what concerns it.
 * The same code runs in one process, in simulation and, later, over the network: clock, entropy, transport and store are given.
 */
import {
  buildTransaction,
  type ClientCommand,
  contractViolations,
  decodeTransaction,
  encodeSignedTransaction,
  encodeTransaction,
  type LedgerRefusal,
  type NetworkParameters,
  type NodeEndpoint,
  type NodeEvent,
  type PeerReply,
  type PeerRequest,
  type Proposal,
  type Receipt,
  type SignedTransaction,
  type State,
  type StateAndRef,
  type StateOf,
  type StateTag,
  signTransaction,
  type Transaction,
  type TransactionSignature,
  type Transport,
  type WireTransaction,
  withSignatures,
} from "#contracts";
import {
  type Clock,
  canonicalJson,
  type Entropy,
  err,
  type Hash,
  hashOf,
  invariant,
  ok,
  type PublicKey,
  parseHash,
  type Result,
  type Signer,
} from "#core";
import { isSoundCommand } from "./command-check.ts";
import { distribute } from "./distribution.ts";
import type { Draft, FlowContext } from "./flow-context.ts";
import { draftFor } from "./flows/index.ts";
import { KnownStates } from "./known-states.ts";
import { Ledger } from "./ledger.ts";
import { decodePending, encodePending } from "./pending.ts";
import { PUBLIC_TAGS } from "./relevance.ts";
import { Responder } from "./responder.ts";
import { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
import type { SigningPolicy } from "./signing-policy.ts";
import type { NodeStore, StoredCommand } from "./stores/node-store.ts";
import { Turns } from "./turns.ts";
import { Vault, type VaultState } from "./vault.ts";

export type NodeOptions = {
  readonly signer: Signer;
  readonly networkId: string;
  readonly notary: PublicKey;
  readonly gridAuthority: PublicKey;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  readonly store: NodeStore;
  readonly counters: SignatureCounters;
  readonly policy?: SigningPolicy;
};

/** A transaction on its way: what it is for, the states that it consumes, and what is still to be undone if it fails. */
type Flow = {
  readonly flowId: string;
  readonly command: StoredCommand;
  readonly transaction: WireTransaction;
  readonly inputs: readonly State[];
  readonly delegate: PublicKey | null;
};
/** A flow with all signatures but the notary's. From here on it may be final, whatever answers are lost. */
type Pending = { readonly flow: Flow; readonly signed: SignedTransaction };
type Begun = { readonly answer: Result<Receipt, LedgerRefusal> } | { readonly toDo: StoredCommand };

const PROPOSALS_MAX = 1_000;

export class LedgerNode implements NodeEndpoint {
  readonly party: PublicKey;
  readonly #options: NodeOptions;
  readonly #vault = new Vault();
  readonly #check: SignatureCheck;
  readonly #known: KnownStates;
  readonly #ledger: Ledger;
  readonly #responder: Responder;
  /** Commands with one id are carried out one after the other. */
  readonly #turns = new Turns();
  /** Flows that wait for a delegate's signature, by transaction id. */
  readonly #proposals = new Map<string, Flow>();
  readonly #approving = new Map<string, Promise<unknown>>();
  readonly #pending = new Map<Hash, Pending>();
  readonly #open = new Map<Hash, Transaction>();
  #flows = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.party = options.signer.publicKey;
    const notaries = new Set([options.notary]);
    this.#check = new SignatureCheck(options.networkId, options.counters);
    this.#known = new KnownStates(this.#check, notaries, (ref) => this.#vault.get(ref) !== undefined);
    const { gridAuthority, store } = options;
    const shared = {
      party: this.party,
      gridAuthority,
      store,
      vault: this.#vault,
      known: this.#known,
      check: this.#check,
    };
    this.#ledger = new Ledger({ ...shared, notaries });
    this.#responder = new Responder({
      ...shared,
      ledger: this.#ledger,
      policy: options.policy,
      open: this.#open,
      nowMs: () => options.clock.nowMs(),
      sign: (transaction) => this.#sign(transaction),
      ask: this.#ask,
    });
    for (const entry of options.store.pending()) this.#restore(entry);
  }

  /**
   * Concludes what was on its way when the node was last stopped, or when an answer of the notary was lost: to be called at
   * every start. What the notary can't be asked about stays for the next time.
   */
  async resume(): Promise<void> {
    for (const { flow } of [...this.#pending.values()]) {
      const { command, transaction } = flow;
      await this.#turns.take(command.id, async () => {
        const pending = this.#pending.get(transaction.id);
        if (pending !== undefined) await this.#conclude(pending);
      });
    }
  }

  submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    return this.#turns.take(command.commandId, async () => {
      const begun = await this.#begin(command);
      if ("answer" in begun) return begun.answer;
      const proposed = this.#proposalOf(command.commandId);
      if (proposed !== undefined) this.#abandon(proposed);
      const flow = await this.#draft(command, begun.toDo, null);
      return flow.ok ? this.#finish(flow.value, null) : flow;
    });
  }

  propose(command: ClientCommand, delegate: PublicKey): Promise<Result<Proposal | Receipt, LedgerRefusal>> {
    return this.#turns.take(command.commandId, async () => {
      const begun = await this.#begin(command);
      if ("answer" in begun) return begun.answer;
      this.#dropExpiredProposals();
      const open = this.#proposalOf(command.commandId);
      if (open?.delegate === delegate) return ok(proposalOf(open));
      if (open !== undefined) this.#abandon(open);
      if (this.#proposals.size >= PROPOSALS_MAX) return err({ tag: "node_unreachable" });
      const flow = await this.#draft(command, begun.toDo, delegate);
      if (!flow.ok) return flow;
      this.#proposals.set(flow.value.transaction.id, flow.value);
      return ok(proposalOf(flow.value));
    });
  }

  async approve(proposalId: string, signature: Uint8Array): Promise<Result<Receipt, LedgerRefusal>> {
    const flow = this.#proposals.get(proposalId);
    if (flow?.delegate == null) {
      await this.#approving.get(proposalId);
      return this.#approvedBefore(proposalId);
    }
    const signed = { by: flow.delegate, signature };
    if (!this.#check.isValid(flow.transaction.id, signed)) return err({ tag: "signature_invalid" });
    this.#proposals.delete(proposalId);
    const approved = this.#turns.take(flow.command.id, () => this.#finishApproved(flow, signed));
    this.#approving.set(proposalId, approved);
    try {
      return await approved;
    } finally {
      this.#approving.delete(proposalId);
    }
  }

  /** While the approval waited for its turn, the command may have been carried out in another way. */
  async #finishApproved(flow: Flow, signed: TransactionSignature): Promise<Result<Receipt, LedgerRefusal>> {
    const done = this.#options.store.commandOf(flow.command.id);
    if (done === undefined && this.#pendingOf(flow.command.id) === undefined) return this.#finish(flow, signed);
    this.#abandon(flow);
    return done === undefined ? err({ tag: "proposal_unknown" }) : ok({ status: "exists", txId: done.txId });
  }

  #approvedBefore(proposalId: string): Result<Receipt, LedgerRefusal> {
    const txId = parseHash(proposalId);
    return txId.ok && this.#ledger.has(txId.value)
      ? ok({ status: "exists", txId: txId.value })
      : err({ tag: "proposal_unknown" });
  }

  async withdraw(proposalId: string): Promise<void> {
    const flow = this.#proposals.get(proposalId);
    if (flow !== undefined) this.#abandon(flow);
  }

  async states<T extends StateTag>(tag: T): Promise<readonly StateAndRef<T>[]> {
    return this.#vault.all(tag);
  }

  /** Unspent states of a kind, at once: for parts of the same process. */
  unspent<T extends StateTag>(tag: T): readonly StateOf<T>[] {
    return this.#vault.all(tag).map(({ state }) => state);
  }

  listen(listener: (event: NodeEvent) => void): () => void {
    return this.#ledger.listen(listener);
  }

  /** Records the transaction that founds the network, handed over by its founder. */
  found(genesis: SignedTransaction): Promise<Result<null, LedgerRefusal>> {
    const resolved = { content: genesis.transaction.content, inputs: [], references: [] };
    return this.#ledger.record(genesis, resolved, null);
  }

  /** Answers a peer. Never throws on what the peer sent. */
  handle(from: PublicKey, request: PeerRequest): Promise<PeerReply> {
    return this.#responder.handle(from, request);
  }

  /** What became of the command before, or that it is still to be done. */
  async #begin(command: ClientCommand): Promise<Begun> {
    if (!isSoundCommand(command)) return { answer: err({ tag: "command_malformed" }) };
    const { commandId: id } = command;
    const toDo = { id, digest: hashOf(canonicalJson(command)) };
    const done = this.#options.store.commandOf(id);
    const pending = this.#pendingOf(id);
    const known = done ?? pending?.flow.command ?? this.#proposalOf(id)?.command;
    if (known !== undefined && known.digest !== toDo.digest) return { answer: err({ tag: "command_id_reused" }) };
    if (done !== undefined) return { answer: ok({ status: "exists", txId: done.txId }) };
    if (pending === undefined) return { toDo };
    const concluded = await this.#conclude(pending);
    // Final, or still unknown: that is the answer. Refused for good: the command may be carried out anew.
    return concluded.ok || this.#pending.has(pending.flow.transaction.id) ? { answer: concluded } : { toDo };
  }

  #proposalOf(commandId: string): Flow | undefined {
    for (const flow of this.#proposals.values()) if (flow.command.id === commandId) return flow;
    return undefined;
  }

  #pendingOf(commandId: string): Pending | undefined {
    for (const pending of this.#pending.values()) if (pending.flow.command.id === commandId) return pending;
    return undefined;
  }

  #dropExpiredProposals(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const flow of [...this.#proposals.values()]) {
      const { untilMs } = flow.transaction.content.window;
      if (untilMs !== null && untilMs <= nowMs) this.#abandon(flow);
    }
  }

  /** Drafts, builds and checks the transaction of a command. */
  async #draft(
    command: ClientCommand,
    stored: StoredCommand,
    delegate: PublicKey | null,
  ): Promise<Result<Flow, LedgerRefusal>> {
    const flowId = `${this.party.slice(0, 16)}-${this.#flows++}`;
    const context = this.#context(flowId, command, delegate ?? this.party);
    if (context === undefined) return err({ tag: "member_unknown" });
    this.#vault.expireLocks(context.nowMs);
    let flow: Result<Flow, LedgerRefusal> | undefined;
    try {
      const draft = await draftFor(context, command);
      flow = draft.ok ? this.#build(flowId, stored, draft.value, delegate) : draft;
      return flow;
    } finally {
      if (flow?.ok !== true) this.#vault.unlock(flowId);
    }
  }

  #build(
    flowId: string,
    command: StoredCommand,
    draft: Draft,
    delegate: PublicKey | null,
  ): Result<Flow, LedgerRefusal> {
    const transaction = buildTransaction(
      {
        inputs: draft.consumed.map(({ ref }) => ref),
        references: draft.cited.map(({ ref }) => ref),
        outputs: draft.made,
        command: draft.command,
        signers: draft.signers,
        notary: this.#options.notary,
        window: draft.window,
      },
      this.#options.entropy.bytes(32),
    );
    const violated = contractViolations({
      content: transaction.content,
      inputs: draft.consumed,
      references: draft.cited,
    });
    if (violated.length > 0) return err({ tag: "contract_violated", clauses: violated });
    // Too much for one transaction is refused here: nobody else would read it. What is decoded is kept for all nodes of a process.
    if (!decodeTransaction(encodeTransaction(transaction)).ok) return err({ tag: "transaction_malformed" });
    const inputs = draft.consumed.map(({ state }) => state);
    return ok(this.#opened({ flowId, command, transaction, inputs, delegate }));
  }

  /** Reserves what a flow consumes, and lets its peers ask for proofs. */
  #opened(flow: Flow): Flow {
    this.#vault.lock(flow.transaction.content.inputs, flow.flowId);
    this.#open.set(flow.transaction.id, flow.transaction.content);
    return flow;
  }

  #abandon({ flowId, transaction }: Flow): void {
    this.#proposals.delete(transaction.id);
    this.#vault.unlock(flowId);
    this.#open.delete(transaction.id);
  }

  /** Signs, collects signatures, and concludes; what is sent to the notary is stored before. */
  async #finish(flow: Flow, delegated: TransactionSignature | null): Promise<Result<Receipt, LedgerRefusal>> {
    const signed = await this.#collect(flow, delegated);
    if (!signed.ok) {
      this.#abandon(flow);
      return signed;
    }
    const pending = { flow, signed: signed.value };
    await this.#options.store.putPending(encodePending(flow.command, signed.value, flow.inputs));
    this.#pending.set(flow.transaction.id, pending);
    return this.#conclude(pending);
  }

  async #collect(
    { transaction }: Flow,
    delegated: TransactionSignature | null,
  ): Promise<Result<SignedTransaction, LedgerRefusal>> {
    const { signers } = transaction.content;
    const own = signers.includes(this.party) ? [this.#sign(transaction)] : [];
    const begun = withSignatures(
      { transaction, signatures: [], notarySignature: null },
      delegated === null ? own : [...own, delegated],
    );
    const others = signers.filter((key) => !begun.signatures.some(({ by }) => by === key));
    const bytes = encodeSignedTransaction(begun);
    const replies = await Promise.all(others.map((key) => this.#ask(key, { tag: "sign", transaction: bytes })));
    const signatures: TransactionSignature[] = [];
    for (const [index, party] of others.entries()) {
      const reply = replies[index];
      invariant(reply !== undefined, "every countersigner has answered");
      if (reply.tag === "refused") return err(countersignRefusal(party, reply.refusal));
      const isSigned =
        reply.tag === "signed" && reply.signature.by === party && this.#check.isValid(transaction.id, reply.signature);
      if (!isSigned) return err({ tag: "signature_invalid" });
      signatures.push(reply.signature);
    }
    return ok(withSignatures(begun, signatures));
  }

  /**
   * Asks the notary, which answers the same transaction the same way however often it is asked; records and distributes.
   * Only the notary's own refusal ends a transaction: an answer that is lost or not signed by it says nothing.
   */
  async #conclude(pending: Pending): Promise<Result<Receipt, LedgerRefusal>> {
    const { flow, signed } = pending;
    const { transaction } = flow;
    const { notary, command } = transaction.content;
    const reply = await this.#ask(notary, { tag: "notarise", transaction: encodeSignedTransaction(signed) });
    if (reply.tag === "refused" && reply.refusal.tag !== "node_unreachable") {
      await this.#settled(pending);
      return err(reply.refusal);
    }
    if (reply.tag !== "notarised") return err({ tag: "node_unreachable" });
    const final = { ...signed, notarySignature: reply.signature };
    const recorded = await this.#ledger.record(final, null, flow.command);
    if (!recorded.ok) return recorded;
    const parameters = this.#parameters();
    const isDelivered =
      parameters === undefined ||
      (await distribute(final, flow.inputs, parameters, this.party, this.#everybody(), this.#ask));
    if (command.tag === "join") await this.#introduce(transaction.content);
    // Who could not be told is told when the node resumes.
    if (isDelivered) await this.#settled(pending);
    else this.#vault.unlock(flow.flowId);
    return ok({ status: "created", txId: transaction.id });
  }

  /** Nothing is left to be done about it. */
  async #settled({ flow }: Pending): Promise<void> {
    this.#pending.delete(flow.transaction.id);
    this.#abandon(flow);
    await this.#options.store.dropPending(flow.transaction.id);
  }

  #restore(entry: Parameters<typeof decodePending>[0]): void {
    const { command, signed, inputs } = decodePending(entry);
    const { transaction } = signed;
    const flowId = `${this.party.slice(0, 16)}-${this.#flows++}`;
    const flow = this.#opened({ flowId, command, transaction, inputs, delegate: null });
    this.#pending.set(transaction.id, { flow, signed });
  }

  #sign(transaction: WireTransaction): TransactionSignature {
    this.#options.counters.signatures += 1;
    return signTransaction(this.#options.networkId, transaction, this.#options.signer);
  }

  readonly #ask = (to: PublicKey, request: PeerRequest): Promise<PeerReply> =>
    this.#options.transport.request(this.party, to, request);

  #parametersState(): VaultState<"network-parameters"> | undefined {
    return this.#vault.all("network-parameters")[0];
  }

  #parameters(): NetworkParameters | undefined {
    return this.#parametersState()?.state;
  }

  #everybody(): readonly PublicKey[] {
    return this.#vault.all("member").map(({ state }) => state.key);
  }

  #context(flowId: string, { commandId, tag }: ClientCommand, signingKey: PublicKey): FlowContext | undefined {
    const parameters = this.#parametersState();
    if (parameters === undefined) return undefined;
    return {
      party: this.party,
      signingKey,
      flowId,
      commandId,
      commandTag: tag,
      nowMs: this.#options.clock.nowMs(),
      vault: this.#vault,
      parameters,
      ask: this.#ask,
      learn: (dependency) => this.#known.addDependency(dependency),
      reserveSequence: (count) => this.#options.store.reserveSequence(count),
    };
  }

  /** Shows a new member the public states that were there before it. */
  async #introduce({ outputs }: Transaction): Promise<void> {
    const states = PUBLIC_TAGS.flatMap((tag) => this.#vault.all(tag));
    const dependencies = states.flatMap(({ ref }) => this.#known.proofOf(ref) ?? []);
    for (const state of outputs)
      if (state.tag === "member") await this.#ask(state.key, { tag: "introduce", dependencies });
  }
}

function proposalOf({ transaction }: Flow): Proposal {
  return { proposalId: transaction.id, transaction: encodeTransaction(transaction) };
}

/** What a countersigner's refusal means to the initiator. */
function countersignRefusal(party: PublicKey, refusal: LedgerRefusal): LedgerRefusal {
  if (refusal.tag === "counterparty_refused") return refusal;
  const clauses = refusal.tag === "contract_violated" ? refusal.clauses : [];
  return { tag: "counterparty_refused", party, reason: refusal.tag, clauses };
}
