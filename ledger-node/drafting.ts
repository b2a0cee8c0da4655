/** Drafts, builds and checks transactions, and reserves what they consume. */
import {
  buildTransaction,
  type ClientCommand,
  contractViolations,
  decodeTransaction,
  encodeTransaction,
  type LedgerRefusal,
  type PeerReply,
  type PeerRequest,
  type Transaction,
} from "#contracts";
import { type Clock, type Entropy, err, type Hash, ok, type PublicKey, type Result } from "#core";
import type { Flow } from "./flow.ts";
import type { Draft, FlowContext } from "./flow-context.ts";
import { draftFor } from "./flows/index.ts";
import type { KnownStates } from "./known-states.ts";
import type { SequenceNumbers } from "./sequence-numbers.ts";
import type { StoredCommand } from "./stores/node-store.ts";
import type { Vault } from "./vault.ts";

export type DraftingParts = {
  readonly party: PublicKey;
  /** The key that signs for the party: its own, or a delegate's where its node is an aggregator's. */
  readonly signingKey: PublicKey;
  readonly notary: PublicKey;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly vault: Vault;
  readonly known: KnownStates;
  readonly sequence: SequenceNumbers;
  readonly ask: (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
};

/** Who signs for the party, and which verifiers are left out because they could not be reached. */
export type DraftingChoice = { readonly delegate: PublicKey | null; readonly avoid: ReadonlySet<PublicKey> };

export class Drafting {
  readonly #parts: DraftingParts;
  /** Transactions that peers may ask proofs for: those that this node proposed and has not finished. */
  readonly #open = new Map<Hash, Transaction>();
  #flows = 0;

  constructor(parts: DraftingParts) {
    this.#parts = parts;
  }

  get open(): ReadonlyMap<Hash, Transaction> {
    return this.#open;
  }

  nextFlowId(): string {
    return `${this.#parts.party.slice(0, 16)}-${this.#flows++}`;
  }

  /** Drafts, builds and checks the transaction of a command. */
  async draft(
    command: ClientCommand,
    stored: StoredCommand,
    choice: DraftingChoice,
  ): Promise<Result<Flow, LedgerRefusal>> {
    const { vault } = this.#parts;
    const flowId = this.nextFlowId();
    const context = this.#context(flowId, command, choice);
    if (context === undefined) return err({ tag: "member_unknown" });
    vault.expireLocks(context.nowMs);
    let flow: Result<Flow, LedgerRefusal> | undefined;
    try {
      const draft = await draftFor(context, command);
      flow = draft.ok ? this.#build(flowId, stored, draft.value, choice.delegate) : draft;
      return flow;
    } finally {
      if (flow?.ok !== true) vault.unlock(flowId);
    }
  }

  /** Reserves what a flow consumes, and lets its peers ask for proofs. */
  opened(flow: Flow): Flow {
    const { inputs, window } = flow.transaction.content;
    // A delegate may never come back: what its proposal reserved is free when the notary would take it no more.
    this.#parts.vault.lock(inputs, flow.flowId, flow.delegate === null ? undefined : (window.untilMs ?? undefined));
    this.#open.set(flow.transaction.id, flow.transaction.content);
    return flow;
  }

  /** Frees what a flow reserved; its peers are answered no more. */
  abandon({ flowId, transaction }: Flow): void {
    this.#parts.vault.unlock(flowId);
    this.#open.delete(transaction.id);
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
        notary: this.#parts.notary,
        window: draft.window,
      },
      this.#parts.entropy.bytes(32),
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
    return ok(this.opened({ flowId, command, transaction, inputs, delegate }));
  }

  #context(
    flowId: string,
    { commandId, tag }: ClientCommand,
    { delegate, avoid }: DraftingChoice,
  ): FlowContext | undefined {
    const { party, signingKey, vault, clock, known, sequence, ask } = this.#parts;
    const { parameters } = vault;
    if (parameters === undefined) return undefined;
    return {
      party,
      signingKey: delegate ?? signingKey,
      flowId,
      commandId,
      commandTag: tag,
      nowMs: clock.nowMs(),
      vault,
      parameters,
      avoid,
      ask,
      learn: (dependency) => known.addDependency(dependency),
      reserveSequence: (count) => sequence.take(count),
    };
  }
}
