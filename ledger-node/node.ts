/**
 * A node of one party: builds and signs its transactions, countersigns those of others, keeps what concerns it.
 * The same code runs in one process, in simulation and, later, over the network: clock, entropy, transport and store are given.
 */

import {
  buildTransaction,
  type ClientCommand,
  contractViolations,
  type Dependency,
  decodeSignedTransaction,
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
  type ResolvedState,
  type ResolvedTransaction,
  refKey,
  type SignedTransaction,
  type StateAndRef,
  type StateOf,
  type StateRef,
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
  type Entropy,
  err,
  type Hash,
  invariant,
  micros,
  ok,
  type PublicKey,
  type Result,
  type Signer,
} from "#core";
import { distribute } from "./distribution.ts";
import { type Draft, type FlowContext, PROPOSAL_MS_MAX, sumOf } from "./flow-context.ts";
import { draftFor } from "./flows/index.ts";
import { KnownStates } from "./known-states.ts";
import { Ledger } from "./ledger.ts";
import { PUBLIC_TAGS } from "./relevance.ts";
import { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
import { mayCountersign, type SigningPolicy } from "./signing-policy.ts";
import type { NodeStore } from "./stores/node-store.ts";
import { chooseFunds, Vault, type VaultState } from "./vault.ts";

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

/** A transaction on its way: what it was drafted from, and what is still to be undone if it fails. */
type Flow = {
  readonly flowId: string;
  readonly commandId: string;
  readonly transaction: WireTransaction;
  readonly resolved: ResolvedTransaction;
  readonly delegate: PublicKey | null;
};

const PROPOSALS_MAX = 1_000;

export class LedgerNode implements NodeEndpoint {
  readonly party: PublicKey;
  readonly #options: NodeOptions;
  readonly #vault = new Vault();
  readonly #check: SignatureCheck;
  readonly #known: KnownStates;
  readonly #ledger: Ledger;
  readonly #proposals = new Map<string, Flow>();
  /** Transactions that peers may ask proofs for: those that this node proposed and has not finished. */
  readonly #open = new Map<Hash, Transaction>();
  readonly #checked = new Set<Hash>();
  readonly #running = new Map<string, Promise<Result<Receipt, LedgerRefusal>>>();
  #flows = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.party = options.signer.publicKey;
    const notaries = new Set([options.notary]);
    this.#check = new SignatureCheck(options.networkId, options.counters);
    this.#known = new KnownStates(this.#check, notaries);
    this.#ledger = new Ledger({
      party: this.party,
      vault: this.#vault,
      known: this.#known,
      check: this.#check,
      store: options.store,
      notaries,
      gridAuthority: options.gridAuthority,
    });
  }

  async submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    const running = this.#running.get(command.commandId);
    if (running !== undefined) return running;
    const carried = this.#carryOut(command);
    this.#running.set(command.commandId, carried);
    try {
      return await carried;
    } finally {
      this.#running.delete(command.commandId);
    }
  }

  async #carryOut(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    const flow = await this.#start(command, null);
    if (!flow.ok) return flow;
    return "status" in flow.value ? ok(flow.value) : this.#finish(flow.value, null);
  }

  async propose(command: ClientCommand, delegate: PublicKey): Promise<Result<Proposal | Receipt, LedgerRefusal>> {
    const flow = await this.#start(command, delegate);
    if (!flow.ok) return flow;
    if ("status" in flow.value) return ok(flow.value);
    if (this.#proposals.size >= PROPOSALS_MAX) {
      this.#abandon(flow.value);
      return err({ tag: "node_unreachable" });
    }
    this.#proposals.set(flow.value.flowId, flow.value);
    return ok({ proposalId: flow.value.flowId, transaction: encodeTransaction(flow.value.transaction) });
  }

  async approve(proposalId: string, signature: Uint8Array): Promise<Result<Receipt, LedgerRefusal>> {
    const flow = this.#proposals.get(proposalId);
    if (flow === undefined || flow.delegate === null) return err({ tag: "proposal_unknown" });
    this.#proposals.delete(proposalId);
    const signed = { by: flow.delegate, signature };
    if (!this.#check.isValid(flow.transaction.id, signed)) {
      this.#abandon(flow);
      return err({ tag: "signature_invalid" });
    }
    return this.#finish(flow, signed);
  }

  async withdraw(proposalId: string): Promise<void> {
    const flow = this.#proposals.get(proposalId);
    this.#proposals.delete(proposalId);
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
    return this.#ledger.record(genesis, resolved, null, false);
  }

  /** Drafts, builds and checks the transaction of a command. */
  async #start(command: ClientCommand, delegate: PublicKey | null): Promise<Result<Flow | Receipt, LedgerRefusal>> {
    const done = this.#options.store.transactionOf(command.commandId);
    if (done !== undefined) return ok({ status: "exists", txId: done });
    const flowId = `${this.party.slice(0, 16)}-${this.#flows++}`;
    const context = this.#context(flowId, command.commandId, delegate ?? this.party);
    if (context === undefined) return err({ tag: "member_unknown" });
    const draft = await draftFor(context, command);
    if (!draft.ok) {
      this.#vault.unlock(flowId);
      return draft;
    }
    return this.#build(flowId, command.commandId, draft.value, delegate);
  }

  #build(flowId: string, commandId: string, draft: Draft, delegate: PublicKey | null): Result<Flow, LedgerRefusal> {
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
    const resolved = { content: transaction.content, inputs: draft.consumed, references: draft.cited };
    const violated = contractViolations(resolved);
    if (violated.length > 0) {
      this.#vault.unlock(flowId);
      return err({ tag: "contract_violated", clauses: violated });
    }
    this.#vault.lock(
      draft.consumed.map(({ ref }) => ref),
      flowId,
    );
    this.#open.set(transaction.id, transaction.content);
    this.#checked.add(transaction.id);
    return ok({ flowId, commandId, transaction, resolved, delegate });
  }

  /** Signs, collects signatures, makes final, records and distributes. */
  async #finish(flow: Flow, delegated: TransactionSignature | null): Promise<Result<Receipt, LedgerRefusal>> {
    const final = await this.#makeFinal(flow, delegated);
    if (!final.ok) {
      this.#abandon(flow);
      return final;
    }
    const recorded = await this.#ledger.record(final.value, flow.resolved, flow.commandId, true);
    if (recorded.ok)
      await distribute(final.value, flow.resolved, this.#parameters(), this.party, this.#everybody(), this.#ask);
    this.#abandon(flow);
    if (recorded.ok && flow.transaction.content.command.tag === "join") await this.#introduce(flow.transaction.content);
    return recorded.ok ? ok({ status: "created", txId: flow.transaction.id }) : recorded;
  }

  async #makeFinal(
    flow: Flow,
    delegated: TransactionSignature | null,
  ): Promise<Result<SignedTransaction, LedgerRefusal>> {
    const { transaction } = flow;
    const { signers, notary } = transaction.content;
    const own = signers.includes(this.party) ? [this.#sign(transaction)] : [];
    const begun = withSignatures(
      { transaction, signatures: [], notarySignature: null },
      delegated === null ? own : [...own, delegated],
    );
    const others = signers.filter((key) => !begun.signatures.some(({ by }) => by === key));
    const collected = await this.#collect(begun, others);
    if (!collected.ok) return collected;
    const reply = await this.#ask(notary, { tag: "notarise", transaction: encodeSignedTransaction(collected.value) });
    if (reply.tag !== "notarised") return err(reply.tag === "refused" ? reply.refusal : { tag: "node_unreachable" });
    return ok({ ...collected.value, notarySignature: reply.signature });
  }

  async #collect(
    begun: SignedTransaction,
    others: readonly PublicKey[],
  ): Promise<Result<SignedTransaction, LedgerRefusal>> {
    const bytes = encodeSignedTransaction(begun);
    const replies = await Promise.all(others.map((key) => this.#ask(key, { tag: "sign", transaction: bytes })));
    const signatures: TransactionSignature[] = [];
    for (const [index, party] of others.entries()) {
      const reply = replies[index];
      invariant(reply !== undefined, "every countersigner has answered");
      if (reply.tag === "refused") return err(countersignRefusal(party, reply.refusal));
      if (
        reply.tag !== "signed" ||
        reply.signature.by !== party ||
        !this.#check.isValid(begun.transaction.id, reply.signature)
      )
        return err({ tag: "signature_invalid" });
      signatures.push(reply.signature);
    }
    return ok(withSignatures(begun, signatures));
  }

  #abandon(flow: Flow): void {
    this.#vault.unlock(flow.flowId);
    this.#open.delete(flow.transaction.id);
    this.#checked.delete(flow.transaction.id);
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

  #context(flowId: string, commandId: string, signingKey: PublicKey): FlowContext | undefined {
    const parameters = this.#parametersState();
    if (parameters === undefined) return undefined;
    return {
      party: this.party,
      signingKey,
      flowId,
      commandId,
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

  /** Answers a peer. Never throws on what the peer sent. */
  async handle(from: PublicKey, request: PeerRequest): Promise<PeerReply> {
    switch (request.tag) {
      case "sign":
        return this.#handleSign(from, request.transaction);
      case "final":
        return this.#handleFinal(from, request.transaction);
      case "notice":
        return stored(await this.#ledger.recordNotice(request.notice));
      case "introduce":
        this.#ledger.introduce(
          request.dependencies.flatMap((dependency) => this.#known.addDependency(dependency) ?? []),
        );
        return { tag: "stored" };
      case "resolve":
        return this.#handleResolve(request.txId, request.refs);
      case "position":
        return this.#handlePosition(request.day);
      case "bid-of":
        return this.#prove(this.#vault.all("bid").filter(({ state }) => state.auctionId === request.auctionId));
      case "auctioned":
        return this.#prove(
          this.#vault
            .all("power-promise")
            .filter(({ state }) => state.lock?.kind === "auction" && state.lock.id === request.auctionId),
        );
      case "fund":
        return this.#handleFund(from, request.flowId, request.amount);
      case "sequence":
        return {
          tag: "sequence",
          first: this.#options.store.reserveSequence(Math.max(1, Math.min(request.count, 10_000))),
        };
      case "notarise":
        return refused({ tag: "role_not_allowed" });
    }
  }

  async #handleSign(from: PublicKey, bytes: Uint8Array): Promise<PeerReply> {
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return refused({ tag: "transaction_malformed" });
    const signed = decoded.value;
    const { id, content } = signed.transaction;
    if (!content.signers.includes(this.party)) return refused({ tag: "role_not_allowed" });
    if (signed.signatures.length === 0 || !signed.signatures.every((signature) => this.#check.isValid(id, signature)))
      return refused({ tag: "signature_invalid" });
    const resolved = await this.#resolve(from, signed.transaction);
    if (resolved === undefined) return refused({ tag: "dependency_unknown" });
    const violated = contractViolations(resolved);
    if (violated.length > 0) return refused({ tag: "contract_violated", clauses: violated });
    const reason = this.#countersignReason(resolved);
    if (reason !== undefined) return refused({ tag: "counterparty_refused", party: this.party, reason, clauses: [] });
    this.#checked.add(id);
    return { tag: "signed", signature: this.#sign(signed.transaction) };
  }

  #countersignReason(resolved: ResolvedTransaction): ReturnType<SigningPolicy> {
    // A newcomer has no parameters yet: it trusts those that its configured grid authority cites.
    const cited = resolved.references.flatMap(({ state }) => (state.tag === "network-parameters" ? [state] : []))[0];
    const parameters = this.#parameters() ?? cited;
    if (parameters === undefined || parameters.gridAuthority !== this.#options.gridAuthority) return "member_unknown";
    const isMarketplace = this.#vault
      .all("member")
      .some(({ state }) => state.key === this.party && state.roles.includes("marketplace"));
    const allowed = mayCountersign(this.party, parameters, resolved, isMarketplace);
    return allowed.ok ? this.#options.policy?.(resolved) : allowed.error;
  }

  async #handleFinal(from: PublicKey, bytes: Uint8Array): Promise<PeerReply> {
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return refused({ tag: "transaction_malformed" });
    const { id } = decoded.value.transaction;
    const isChecked = this.#checked.delete(id);
    const resolved = isChecked ? undefined : await this.#resolve(from, decoded.value.transaction);
    if (!isChecked && resolved === undefined) return refused({ tag: "dependency_unknown" });
    return stored(await this.#ledger.record(decoded.value, resolved, null, isChecked));
  }

  /** States that a transaction names: known ones, and for the rest proofs from the peer that sent it. */
  async #resolve(from: PublicKey, transaction: WireTransaction): Promise<ResolvedTransaction | undefined> {
    const { content, id } = transaction;
    const unknown = [...content.inputs, ...content.references].filter((ref) => this.#known.get(ref) === undefined);
    if (unknown.length > 0) {
      const reply = await this.#ask(from, { tag: "resolve", txId: id, refs: unknown });
      if (reply.tag !== "resolved") return undefined;
      for (const dependency of reply.dependencies) this.#known.addDependency(dependency);
    }
    const find = (refs: readonly StateRef[]): readonly ResolvedState[] =>
      refs.flatMap((ref) => this.#known.get(ref) ?? []);
    const inputs = find(content.inputs);
    const references = find(content.references);
    const isComplete = inputs.length === content.inputs.length && references.length === content.references.length;
    return isComplete ? { content, inputs, references } : undefined;
  }

  /** Proves only what a transaction of this node, that is still open, names. */
  #handleResolve(txId: Hash, refs: readonly StateRef[]): PeerReply {
    const content = this.#open.get(txId);
    const named = new Set([...(content?.inputs ?? []), ...(content?.references ?? [])].map(refKey));
    const dependencies = refs.flatMap((ref) => (named.has(refKey(ref)) ? (this.#known.proofOf(ref) ?? []) : []));
    return { tag: "resolved", dependencies };
  }

  #handlePosition(day: string): PeerReply {
    const exposure = this.#vault.all("exposure").find(({ state }) => state.member === this.party && state.day === day);
    const index = this.#vault.all("exposure-index").find(({ state }) => state.member === this.party);
    const proof = (ref: StateRef | undefined): Dependency | null =>
      ref === undefined ? null : (this.#known.proofOf(ref) ?? null);
    return { tag: "position", exposure: proof(exposure?.ref), index: proof(index?.ref) };
  }

  /** Reserves funds for a settlement that the grid authority prepares; whether to pay is decided when it asks to sign. */
  #handleFund(from: PublicKey, flowId: string, amount: bigint): PeerReply {
    if (from !== this.#options.gridAuthority) return refused({ tag: "role_not_allowed" });
    const nowMs = this.#options.clock.nowMs();
    this.#vault.expireLocks(nowMs);
    const free = this.#vault.free("funds").filter(({ state }) => state.owner === this.party);
    const chosen = chooseFunds(free, this.party, amount);
    if (chosen === undefined)
      return refused({ tag: "insufficient_funds", needed: micros(amount), available: micros(sumOf(free)) });
    this.#vault.lock(
      chosen.map(({ ref }) => ref),
      `fund ${flowId}`,
      nowMs + PROPOSAL_MS_MAX,
    );
    return this.#prove(chosen);
  }

  #prove(states: readonly { readonly ref: StateRef }[]): PeerReply {
    return { tag: "proved", dependencies: states.flatMap(({ ref }) => this.#known.proofOf(ref) ?? []) };
  }
}

function refused(refusal: LedgerRefusal): PeerReply {
  return { tag: "refused", refusal };
}

function stored(result: Result<null, LedgerRefusal>): PeerReply {
  return result.ok ? { tag: "stored" } : refused(result.error);
}

/** What a countersigner's refusal means to the initiator. */
function countersignRefusal(party: PublicKey, refusal: LedgerRefusal): LedgerRefusal {
  if (refusal.tag === "counterparty_refused") return refusal;
  const clauses = refusal.tag === "contract_violated" ? refusal.clauses : [];
  return { tag: "counterparty_refused", party, reason: refusal.tag, clauses };
}
