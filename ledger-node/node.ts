/**
 * A node of one party: builds and signs its transactions, countersigns those of others, keeps what concerns it.
 * The same code runs in one process, in simulation and, later, over the network: clock, entropy, transport and store are given.
 */
import {
  type ClientCommand,
  type ExportRefusal,
  encodeTransaction,
  type LedgerRefusal,
  type NodeEndpoint,
  type NodeEvent,
  type PeerReply,
  type PeerRequest,
  type Proposal,
  type Receipt,
  type SignedTransaction,
  type StateAndRef,
  type StateOf,
  type StateTag,
  signTransaction,
  type TransactionSignature,
  type Transport,
  type WireTransaction,
  writeExport,
} from "#contracts";
import {
  type Clock,
  canonicalJson,
  type Entropy,
  err,
  hashOf,
  ok,
  type PublicKey,
  parseHash,
  type Result,
  type Signer,
} from "#core";
import { carriedBy } from "./carried.ts";
import { CheckedContracts } from "./checked-contracts.ts";
import { isSoundCommand } from "./command-check.ts";
import { Drafting } from "./drafting.ts";
import { Finality } from "./finality.ts";
import type { Concluded, Flow } from "./flow.ts";
import { decodeJournaled, encodeJournaled } from "./journal.ts";
import { KnownStates } from "./known-states.ts";
import { Ledger } from "./ledger.ts";
import { exportContent } from "./member-export.ts";
import { partiesToAvoid } from "./redraft.ts";
import { PUBLIC_TAGS, publicPartOf } from "./relevance.ts";
import { Responder } from "./responder.ts";
import { SequenceNumbers } from "./sequence-numbers.ts";
import { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
import type { SigningPolicy } from "./signing-policy.ts";
import { type NodeStore, type StoredCommand, StoreFull } from "./stores/node-store.ts";
import { Turns } from "./turns.ts";
import { Vault } from "./vault.ts";

export type NodeOptions = {
  readonly signer: Signer;
  /** The party that the node acts for, where the signer is its delegate: so an aggregator acts for each member that it serves. */
  readonly party?: PublicKey;
  /** The aggregator's own node: it keeps what is public for the node of a member too, in the same process. */
  readonly host?: LedgerNode;
  readonly networkId: string;
  readonly notary: PublicKey;
  readonly gridAuthority: PublicKey;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  readonly store: NodeStore;
  readonly counters: SignatureCounters;
  readonly policy?: SigningPolicy;
  /** Waits for news of states that another flow has spent; at once by default. `attempt` counts from one. */
  readonly pause?: (attempt: number) => Promise<void>;
};

/** The answer to a command of before, or that it is still to be carried out. */
type Begun = { readonly answer: Result<Receipt, LedgerRefusal> } | { readonly toDo: StoredCommand };

const PROPOSALS_MAX = 1_000;
/** How often a flow is drafted anew when states that it consumes were spent meanwhile, or a verifier could not be reached. */
const ATTEMPTS_MAX = 5;
/** Flows of one node that change its party's position follow each other: each consumes what the last one made. */
const POSITION_TURN = "position";

export class LedgerNode implements NodeEndpoint {
  readonly party: PublicKey;
  readonly #options: NodeOptions;
  readonly #vault: Vault;
  readonly #known: KnownStates;
  readonly #check: SignatureCheck;
  readonly #checked: CheckedContracts;
  readonly #ledger: Ledger;
  readonly #drafting: Drafting;
  readonly #finality: Finality;
  readonly #responder: Responder;
  /** Commands with one id are carried out one after the other. */
  readonly #turns = new Turns();
  /** Flows that wait for a delegate's signature, by transaction id. */
  readonly #proposals = new Map<string, Flow>();
  readonly #approving = new Map<string, Promise<unknown>>();
  /** Commands that were accepted and not finished when the node was stopped. */
  readonly #begun = new Map<string, ClientCommand>();

  constructor(options: NodeOptions) {
    this.#options = options;
    this.party = options.party ?? options.signer.publicKey;
    const { gridAuthority, store, networkId, counters, notary, host } = options;
    const notaries = new Set([notary]);
    const vault = new Vault(host && { vault: host.#vault, tags: PUBLIC_TAGS });
    const check = host === undefined ? new SignatureCheck(networkId, counters) : host.#check;
    const known = new KnownStates(check, notaries, (ref) => vault.get(ref) !== undefined, host && { of: host.#known });
    this.#vault = vault;
    this.#known = known;
    this.#check = check;
    this.#checked = host === undefined ? new CheckedContracts() : host.#checked;
    const isServed = host !== undefined;
    const signingKey = options.signer.publicKey;
    const sequence = new SequenceNumbers(store);
    const shared = { party: this.party, signingKey, isServed, gridAuthority, store, vault, known, check, sequence };
    const acting = { ...shared, ask: this.#ask, sign: (transaction: WireTransaction) => this.#sign(transaction) };
    this.#ledger = new Ledger({ ...shared, notaries });
    this.#drafting = new Drafting({ ...options, ...acting });
    this.#finality = new Finality({ ...acting, drafting: this.#drafting, ledger: this.#ledger });
    this.#responder = new Responder({
      ...acting,
      ledger: this.#ledger,
      policy: options.policy,
      checked: this.#checked,
      open: this.#drafting.open,
      nowMs: () => options.clock.nowMs(),
    });
    for (const entry of store.journal()) {
      const journaled = decodeJournaled(entry);
      if (journaled.stage === "begun") this.#begun.set(journaled.command.id, journaled.asked);
      else this.#finality.restore(journaled);
    }
  }

  /**
   * Goes on with what is under way: commands that were accepted when the node was stopped, transactions of which the notary's
   * answer was lost, and messages that could not be delivered. To be called at every start and, where messages can be lost,
   * from time to time. What can't be done now stays for the next time.
   */
  async resume(): Promise<void> {
    await this.#guarded(async () => {
      for (const { flow } of [...this.#finality.pending.values()]) {
        await this.#turns.take(flow.command.id, async () => {
          const pending = this.#finality.pending.get(flow.transaction.id);
          if (pending !== undefined) await this.#told(await this.#finality.conclude(pending));
        });
      }
      for (const [id, command] of [...this.#begun]) await this.#resumeBegun(id, command);
      await this.#finality.redeliver();
      return ok(null);
    });
  }

  /** Its client may ask too, and have its answer before the command's turn comes: then nothing is left to be done. */
  async #resumeBegun(id: string, command: ClientCommand): Promise<void> {
    const answer = await this.#guarded<Receipt | null>(() =>
      this.#turns.take(id, async () => (this.#begun.has(id) ? this.#submitInTurn(command) : ok(null))),
    );
    if (answer.ok || !isOpen(answer)) this.#begun.delete(id);
  }

  /** Commands that are not concluded, and messages that are not delivered. */
  get underWay(): { readonly commands: number; readonly messages: number } {
    return { commands: this.#begun.size + this.#finality.pending.size, messages: sumOf(this.undelivered.values()) };
  }

  /** How many messages are still to be delivered, by recipient. */
  get undelivered(): ReadonlyMap<PublicKey, number> {
    return this.#finality.undelivered;
  }

  submit(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    return this.#guarded(() => this.#turns.take(command.commandId, () => this.#submitInTurn(command)));
  }

  async #submitInTurn(command: ClientCommand): Promise<Result<Receipt, LedgerRefusal>> {
    const begun = await this.#begin(command);
    if ("answer" in begun) return begun.answer;
    const proposed = this.#proposalOf(command.commandId);
    if (proposed !== undefined) this.#abandon(proposed);
    return this.#told(await this.#carryOut(command, begun.toDo));
  }

  /** Journals the command, so that it is carried out even if the node is stopped now, and carries it out in its turn. */
  async #carryOut(command: ClientCommand, toDo: StoredCommand): Promise<Concluded> {
    const { store } = this.#options;
    await store.putJournal(encodeJournaled({ stage: "begun", command: toDo, asked: command }));
    const key = isOfPosition(command) ? POSITION_TURN : command.commandId;
    const concluded = await this.#turns.take(`flow ${key}`, () => this.#attempt(command, toDo));
    // Refused, and nothing left that could still become final: the command is as if it had never been.
    if (!concluded.answer.ok && this.#finality.pendingOf(toDo.id) === undefined) await store.dropJournal(toDo.id);
    // Its client has its answer: what a restart took up is not tried once more.
    if (!isOpen(concluded.answer)) this.#begun.delete(toDo.id);
    return concluded;
  }

  /** Drafts and finishes; drafts anew without a verifier that is silent, or when what was to be consumed has been spent. */
  async #attempt(command: ClientCommand, toDo: StoredCommand): Promise<Concluded> {
    const avoid = new Set<PublicKey>();
    for (let attempt = 1; ; attempt++) {
      const flow = await this.#drafting.draft(command, toDo, { delegate: null, avoid });
      if (!flow.ok) return { answer: flow, told: Promise.resolve() };
      const concluded = await this.#finality.finish(flow.value, null);
      if (concluded.answer.ok || attempt === ATTEMPTS_MAX) return concluded;
      const fresh = this.#toAvoid(flow.value, concluded.answer.error).filter((party) => !avoid.has(party));
      for (const party of fresh) avoid.add(party);
      if (concluded.answer.error.tag === "state_conflict") await this.#options.pause?.(attempt);
      else if (fresh.length === 0) return concluded;
    }
  }

  /** Whom another draft of the flow would do without. */
  #toAvoid(flow: Flow, refusal: LedgerRefusal): readonly PublicKey[] {
    const parameters = this.#vault.parameters?.state;
    return parameters === undefined ? [] : partiesToAvoid(refusal, flow, parameters, this.#options.clock.nowMs());
  }

  async #told({ answer, told }: Concluded): Promise<Result<Receipt, LedgerRefusal>> {
    await told;
    return answer;
  }

  /** A full store refuses; what was under way is finished when there is room again. */
  async #guarded<T>(task: () => Promise<Result<T, LedgerRefusal>>): Promise<Result<T, LedgerRefusal>> {
    try {
      return await task();
    } catch (error) {
      if (error instanceof StoreFull) return err({ tag: "store_full" });
      throw error;
    }
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
      const flow = await this.#drafting.draft(command, begun.toDo, { delegate, avoid: new Set() });
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
    const approved = this.#guarded(() => this.#turns.take(flow.command.id, () => this.#finishApproved(flow, signed)));
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
    if (done === undefined && this.#finality.pendingOf(flow.command.id) === undefined)
      return this.#told(await this.#finality.finish(flow, signed));
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

  /** Where an aggregator's node keeps what is public, it tells of it too. */
  listen(listener: (event: NodeEvent) => void): () => void {
    const { host } = this.#options;
    const unlisten = this.#ledger.listen(listener);
    const unlistenHost = host?.listen((event) => {
      const part = publicPartOf(event);
      if (part !== undefined) listener(part);
    });
    return () => {
      unlisten();
      unlistenHost?.();
    };
  }

  /** The same, of a party alone, or with an id: without going through all. */
  unspentOf<T extends StateTag>(tag: T, { owner, id }: { owner?: PublicKey; id?: string }): readonly StateOf<T>[] {
    const ofOwner = owner === undefined ? [] : this.#vault.of(tag, owner);
    const ofName = id === undefined ? [] : this.#vault.named(tag, id);
    return [...ofOwner, ...ofName].map(({ state }) => state);
  }

  /** The aggregator that serves a member, as far as this node knows. */
  aggregatorOf(member: PublicKey): PublicKey | undefined {
    return this.#vault.member(member)?.state.servedBy ?? undefined;
  }

  /** Only what concerns the party itself: what is public is the host's to tell. */
  listenToOwn(listener: (event: NodeEvent) => void): () => void {
    return this.#ledger.listen(listener);
  }

  /**
   * Makes final what parties have signed in full without this node: a principal whose own node does not do what it asks can have
   * any other node carry what only it has to sign.
   * @param proofs - Of the states that the transaction names and that this node may not know.
   */
  carry(transaction: Uint8Array, proofs: readonly Uint8Array[]): Promise<Result<Receipt, LedgerRefusal>> {
    const carried = carriedBy({ known: this.#known, vault: this.#vault, check: this.#check }, transaction, proofs);
    if (!carried.ok) return Promise.resolve(carried);
    const { signed, inputs, command } = carried.value;
    return this.#guarded(() =>
      this.#turns.take(command.id, async () => {
        const done = this.#options.store.commandOf(command.id);
        if (done !== undefined) return ok({ status: "exists", txId: done.txId });
        const pending = this.#finality.pendingOf(command.id);
        if (pending !== undefined) return this.#told(await this.#finality.conclude(pending));
        const flowId = this.#drafting.nextFlowId();
        const { transaction: wire } = signed;
        const flow = this.#drafting.opened({ flowId, command, transaction: wire, inputs, delegate: null });
        return this.#told(await this.#finality.submit(flow, signed));
      }),
    );
  }

  /** All that the node keeps of its party, as a file that another node can take over; for the party itself alone. */
  exportFor(asker: PublicKey): Result<string, ExportRefusal> {
    if (asker !== this.party) return err("export_forbidden");
    const { store, networkId, clock, signer } = this.#options;
    const parts = { party: this.party, networkId, store, vault: this.#vault, known: this.#known };
    return ok(writeExport(exportContent(parts, clock.nowMs()), signer));
  }

  /** Records the transaction that founds the network, handed over by its founder. */
  found(genesis: SignedTransaction): Promise<Result<null, LedgerRefusal>> {
    const resolved = { content: genesis.transaction.content, inputs: [], references: [] };
    return this.#ledger.record(genesis, resolved, null);
  }

  /** Answers a peer. Never throws on what the peer sent. */
  async handle(from: PublicKey, request: PeerRequest): Promise<PeerReply> {
    const answer = await this.#guarded(async () => ok(await this.#responder.handle(from, request)));
    return answer.ok ? answer.value : { tag: "refused", refusal: answer.error };
  }

  /** What became of the command before, or that it is still to be done. */
  async #begin(command: ClientCommand): Promise<Begun> {
    if (!isSoundCommand(command)) return { answer: err({ tag: "command_malformed" }) };
    const { commandId: id } = command;
    const toDo = { id, digest: hashOf(canonicalJson(command)) };
    const done = this.#options.store.commandOf(id);
    const pending = this.#finality.pendingOf(id);
    const known = done ?? pending?.flow.command ?? this.#proposalOf(id)?.command;
    if (known !== undefined && known.digest !== toDo.digest) return { answer: err({ tag: "command_id_reused" }) };
    if (done !== undefined) return { answer: ok({ status: "exists", txId: done.txId }) };
    if (pending === undefined) return { toDo };
    const answer = await this.#told(await this.#finality.conclude(pending));
    // Final, or still unknown: that is the answer. Refused for good: the command may be carried out anew.
    return answer.ok || this.#finality.pending.has(pending.flow.transaction.id) ? { answer } : { toDo };
  }

  #proposalOf(commandId: string): Flow | undefined {
    for (const flow of this.#proposals.values()) if (flow.command.id === commandId) return flow;
    return undefined;
  }

  #dropExpiredProposals(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const flow of [...this.#proposals.values()]) {
      const { untilMs } = flow.transaction.content.window;
      if (untilMs !== null && untilMs <= nowMs) this.#abandon(flow);
    }
  }

  #abandon(flow: Flow): void {
    this.#proposals.delete(flow.transaction.id);
    this.#drafting.abandon(flow);
  }

  #sign(transaction: WireTransaction): TransactionSignature {
    this.#options.counters.signatures += 1;
    return signTransaction(this.#options.networkId, transaction, this.#options.signer);
  }

  readonly #ask = (to: PublicKey, request: PeerRequest): Promise<PeerReply> =>
    this.#options.transport.request(this.party, to, request);
}

function proposalOf({ transaction }: Flow): Proposal {
  return { proposalId: transaction.id, transaction: encodeTransaction(transaction) };
}

/** Whether the answer leaves open what becomes of the command. */
function isOpen(answer: Result<unknown, LedgerRefusal>): boolean {
  return !answer.ok && (answer.error.tag === "node_unreachable" || answer.error.tag === "store_full");
}

function isOfPosition({ tag }: ClientCommand): boolean {
  return [
    "create-promises",
    "place-orders",
    "cancel-orders",
    "split-promise",
    "merge-promises",
    "substitute",
    "create-auction",
    "bid",
    "settle-auction",
    "lapse-auction",
    "clear-pool",
  ].includes(tag);
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
