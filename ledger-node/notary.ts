/**
 * A contract-verifying notary: checks signatures and contracts, commits in batches, signs only after the commit is durable.
 * It keeps every state that it made final and is not spent yet, so nobody has to prove inputs to it. Before it serves, it asks
 * those who keep what it made final whether its log lacks something.
 */

import {
  type CommandTag,
  contractViolations,
  decodeSignedTransaction,
  encodeSignedTransaction,
  isNotarySignatureValid,
  type LedgerRefusal,
  MONEY_GATES,
  moneyIn,
  type NotarySignature,
  type PeerReply,
  type PeerRequest,
  type ResolvedState,
  type ResolvedTransaction,
  refKey,
  type SignedTransaction,
  type State,
  type StateRef,
  signBatch,
} from "#contracts";
import {
  type Clock,
  err,
  type Hash,
  invariant,
  type Micros,
  micros,
  ok,
  type PublicKey,
  type Result,
  type Signer,
} from "#core";
import { distinctTransactions, inCommitOrder, instantWithin, type RecoveryReport } from "./notary-recovery.ts";
import { Witnesses, type WitnessRule } from "./notary-witnesses.ts";
import { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
import type { CommitLog, CommitRefusal, CommitRequest, CommitVerdict } from "./stores/commit-log.ts";
import { StoreFull } from "./stores/node-store.ts";

type Waiting = {
  readonly request: CommitRequest;
  readonly signed: SignedTransaction;
  readonly resolve: (verdict: Result<NotarySignature, LedgerRefusal>) => void;
};

export type NotaryOptions = {
  readonly networkId: string;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: CommitLog;
  readonly counters: SignatureCounters;
  /** Runs `task` once what is ready now has run: everything that arrives until then goes into one batch. */
  readonly defer: (task: () => void) => void;
  /** Told when the log fails in a way that it should not; without it such an error ends the process. */
  readonly onFailure?: (error: unknown) => void;
};

/** How a notary gets to know whether its log is complete. */
export type NotaryStart = {
  readonly ask: (to: PublicKey, request: PeerRequest) => Promise<PeerReply>;
  readonly rule: WitnessRule;
  /** Lets some time pass before those who did not answer are asked again; false: to give up. */
  readonly pause: () => Promise<boolean>;
};
/** It serves; it waits for its witnesses' answers; or its log lacks what it has signed. */
export type NotaryStanding = "serving" | "asking" | "outdated";

const BATCH_MAX = 1_024;
const NO_VERDICT: LedgerRefusal = { tag: "node_unreachable" };

/** Signed by a member's own key alone, where an aggregator serves it. */
const OF_PRINCIPALS: readonly CommandTag[] = ["grant-mandate", "revoke-mandate", "move-member"];

export class Notary {
  readonly key: PublicKey;
  readonly #options: NotaryOptions;
  readonly #check: SignatureCheck;
  readonly #unspent = new Map<string, ResolvedState>();
  /** Each member with the aggregator that serves it. */
  readonly #members = new Map<PublicKey, PublicKey | null>();
  #waiting: Waiting[] = [];
  /** A batch is on its way: what arrives meanwhile goes into the next one. */
  #isBusy = false;
  /** The last commit failed: what the log has of it is to be read before the next one. */
  #isInDoubt = false;
  #witnesses: Witnesses | undefined;
  #standing: NotaryStanding = "serving";
  #lastSequence = 0;
  #genesisId: Hash | undefined;
  #issued = 0n;
  #count = 0;

  constructor(options: NotaryOptions) {
    this.#options = options;
    this.key = options.signer.publicKey;
    this.#check = new SignatureCheck(options.networkId, options.counters);
    this.#load();
  }

  get standing(): NotaryStanding {
    return this.#standing;
  }

  /**
   * Asks the witnesses whether the log lacks something, and serves once enough of them have answered that it does not. Until
   * then nothing is accepted. A notary that is never started serves at once: for a log that has just been made.
   */
  async start({ ask, rule, pause }: NotaryStart): Promise<NotaryStanding> {
    const { log, clock, networkId } = this.#options;
    this.#standing = "asking";
    const witnesses = new Witnesses({
      notary: this.key,
      ask,
      rule,
      isSigned: ({ txId, notarySignature }) =>
        notarySignature.by === this.key && isNotarySignatureValid(networkId, txId, notarySignature),
      isCommitted: async (txId) => {
        // Into an empty window nothing fits but what is committed already.
        const bare = { txId, inputs: [], references: [], window: { fromMs: 0, untilMs: 0 }, bytes: new Uint8Array() };
        return (await log.peek(clock.nowMs(), bare)).ok;
      },
    });
    this.#witnesses = witnesses;
    do await witnesses.askAll();
    while (!this.#judge(witnesses) && (await pause()));
    return this.#standing;
  }

  /** Whether it is known how the notary stands. */
  #judge(witnesses: Witnesses): boolean {
    if (witnesses.lost !== undefined) this.#standing = "outdated";
    else if (witnesses.isCovered) this.#standing = "serving";
    return this.#standing !== "asking";
  }

  /** Verifies and commits an untrusted transaction; idempotent by transaction id. */
  async notarise(bytes: Uint8Array): Promise<Result<NotarySignature, LedgerRefusal>> {
    const refusal = this.#standingRefusal();
    if (refusal !== undefined) return err(refusal);
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return err({ tag: "transaction_malformed" });
    const signed = decoded.value;
    const { id, content } = signed.transaction;
    if (content.notary !== this.key)
      return err({ tag: "contract_violated", clauses: ["states_governed_by_the_notary"] });
    const lacking = this.#check.lacking(signed, id, content.signers);
    if (lacking !== undefined) return err({ tag: lacking });
    const unheard = await this.#unheardRefusal(signed);
    if (unheard !== undefined) return err(unheard);
    return new Promise((resolve) => this.#enqueue({ request: requestOf(signed, bytes), signed, resolve }));
  }

  #standingRefusal(): LedgerRefusal | undefined {
    if (this.#standing === "outdated") return { tag: "notary_outdated" };
    return this.#standing === "asking" ? NO_VERDICT : undefined;
  }

  /** Some flows are signed by their own parties alone: whoever acts must have shown what it keeps. */
  async #unheardRefusal(signed: SignedTransaction): Promise<LedgerRefusal | undefined> {
    const witnesses = this.#witnesses;
    if (witnesses === undefined) return undefined;
    const haveAnswered = await witnesses.hear(this.#actingMembers(signed));
    this.#judge(witnesses);
    return this.#standingRefusal() ?? (haveAnswered ? undefined : NO_VERDICT);
  }

  /** Members that sign, and those whose mandates are named: their agents sign for them. */
  #actingMembers({ transaction: { content } }: SignedTransaction): readonly PublicKey[] {
    const principals = [...content.inputs, ...content.references].flatMap((ref) => {
      const state = this.#unspent.get(refKey(ref))?.state;
      return state?.tag === "mandate" ? [state.principal] : [];
    });
    const acting = [...content.signers, ...principals].filter((key) => this.#members.has(key));
    // The grid authority keeps what these change: no aggregator can hold up a member that leaves it by saying nothing.
    const isOfPrincipal = OF_PRINCIPALS.includes(content.command.tag);
    return isOfPrincipal ? acting.filter((key) => this.aggregatorOf(key) === undefined) : acting;
  }

  /** The aggregator that serves a member, by what is final. */
  aggregatorOf(member: PublicKey): PublicKey | undefined {
    return this.#members.get(member) ?? undefined;
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isBusy || this.#waiting.length === 0) return;
    this.#isBusy = true;
    this.#options.defer(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.slice(0, BATCH_MAX);
    this.#waiting = this.#waiting.slice(BATCH_MAX);
    try {
      const refusal = this.#standingRefusal();
      if (this.#isInDoubt) this.#load();
      if (refusal === undefined) await this.#decide(batch);
      else for (const { resolve } of batch) resolve(err(refusal));
    } catch (error) {
      this.#isInDoubt = true;
      for (const { resolve } of batch) resolve(err(error instanceof StoreFull ? { tag: "store_full" } : NO_VERDICT));
      if (!(error instanceof StoreFull)) this.#fail(error);
    } finally {
      this.#isBusy = false;
      this.#schedule();
    }
  }

  #fail(error: unknown): void {
    if (this.#options.onFailure === undefined) throw error;
    this.#options.onFailure(error);
  }

  async #decide(batch: readonly Waiting[]): Promise<void> {
    const sound: Waiting[] = [];
    let genesisId = this.#genesisId;
    for (const waiting of batch) {
      const { id, content } = waiting.signed.transaction;
      const isGenesis = content.command.tag === "genesis";
      const resolved = this.#resolve(waiting.signed);
      const violated = resolved === undefined ? [] : contractViolations(resolved);
      // A network is founded once: a second genesis could name other authorities over the same states.
      if (isGenesis && genesisId !== undefined && genesisId !== id) waiting.resolve(err({ tag: "role_not_allowed" }));
      else if (violated.length > 0) waiting.resolve(err({ tag: "contract_violated", clauses: violated }));
      else if (resolved === undefined) await this.#answerUnresolved(waiting);
      else sound.push(waiting);
      if (isGenesis && sound.at(-1) === waiting) genesisId = id;
    }
    if (sound.length > 0) await this.#commit(sound);
  }

  /** Commits, and only then signs. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { log, clock } = this.#options;
    const verdicts = await log.commit(
      clock.nowMs(),
      batch.map(({ request }) => request),
    );
    for (const [index, { signed }] of batch.entries()) this.#rememberIfNew(signed, verdicts[index]);
    const committed = batch.filter((_, index) => verdicts[index]?.ok === true);
    const signatures = this.#sign(committed.map(({ request }) => request.txId));
    for (const [index, waiting] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict?.ok === false) waiting.resolve(err(refusalOf(verdict.error)));
    }
    for (const [index, waiting] of committed.entries()) {
      const signature = signatures[index];
      invariant(signature !== undefined, "every committed transaction of a batch is signed");
      waiting.resolve(ok(signature));
    }
  }

  #sign(txIds: readonly Hash[]): readonly NotarySignature[] {
    if (txIds.length === 0) return [];
    this.#options.counters.signatures += 1;
    return signBatch(this.#options.networkId, txIds, this.#options.signer);
  }

  /** An input or reference is not unspent here: a repeat is signed again, a spent state is a conflict, anything else is unknown. */
  async #answerUnresolved({ request, resolve }: Waiting): Promise<void> {
    const verdict = await this.#options.log.peek(this.#options.clock.nowMs(), request);
    if (!verdict.ok) return resolve(err(refusalOf(verdict.error)));
    const [signature] = verdict.isRepeat ? this.#sign([request.txId]) : [];
    resolve(signature === undefined ? err({ tag: "dependency_unknown" }) : ok(signature));
  }

  /**
   * Appends transactions that the log has lost: whole ones, as those who keep them hand them over, in any order. Each must bear
   * this notary's own signature and hold all rules once more. To be called on a notary that does not serve; whether it is
   * complete again is for its witnesses to say, so it is started anew afterwards.
   */
  async recover(transactions: readonly Uint8Array[]): Promise<RecoveryReport> {
    if (this.#standing === "serving") this.#standing = "asking";
    const appended: Hash[] = [];
    const refused: { readonly txId: Hash; readonly reason: string }[] = [];
    let known = 0;
    const distinct = distinctTransactions(transactions);
    const ordered = inCommitOrder(distinct);
    for (const signed of new Set([...ordered, ...distinct])) {
      const { id: txId } = signed.transaction;
      const recovered = await this.#recoverOne(signed);
      if (!recovered.ok) refused.push({ txId, reason: recovered.error });
      else if (recovered.value.isRepeat) known += 1;
      else appended.push(txId);
    }
    return { appended, known, refused };
  }

  async #recoverOne(signed: SignedTransaction): Promise<Result<{ readonly isRepeat: boolean }, LedgerRefusal["tag"]>> {
    const { log, clock } = this.#options;
    const { transaction, notarySignature } = signed;
    const { id, content } = transaction;
    if (notarySignature?.by !== this.key || content.notary !== this.key) return err("signature_missing");
    if (!this.#check.isNotarised(id, notarySignature)) return err("signature_invalid");
    const lacking = this.#check.lacking(signed, id, content.signers);
    if (lacking !== undefined) return err(lacking);
    const request = requestOf(signed, encodeSignedTransaction({ ...signed, notarySignature: null }));
    const atMs = instantWithin(content.window, clock.nowMs());
    const decided = await log.peek(atMs, request);
    if (!decided.ok) return err(decided.error.tag);
    if (decided.isRepeat) return ok(decided);
    const resolved = this.#resolve(signed);
    if (resolved === undefined) return err("dependency_unknown");
    if (content.command.tag === "genesis" && this.#genesisId !== undefined) return err("role_not_allowed");
    if (contractViolations(resolved).length > 0) return err("contract_violated");
    const [verdict] = await log.commit(atMs, [request]);
    if (verdict?.ok !== true) return err("state_conflict");
    this.#rememberIfNew(signed, verdict);
    return ok(verdict);
  }

  #resolve({ transaction: { content } }: SignedTransaction): ResolvedTransaction | undefined {
    const states = (refs: readonly StateRef[]): readonly ResolvedState[] | undefined => {
      const found = refs.map((ref) => this.#unspent.get(refKey(ref)));
      return found.every((state) => state !== undefined) ? found : undefined;
    };
    const inputs = states(content.inputs);
    const references = states(content.references);
    return inputs && references && { content, inputs, references };
  }

  /** Money in all unspent states, and what was issued less what was paid out. */
  totals(): { readonly issuedMicros: Micros; readonly heldMicros: Micros; readonly transactions: number } {
    let held = 0n;
    for (const { state } of this.#unspent.values()) held += moneyIn(state)?.amount ?? 0n;
    return { issuedMicros: micros(this.#issued), heldMicros: micros(held), transactions: this.#count };
  }

  /** Reads what the log has beyond what is remembered: all at first, and after a commit of which the outcome is in doubt. */
  #load(): void {
    for (const { sequence, bytes } of this.#options.log.scan(this.#lastSequence)) {
      const decoded = decodeSignedTransaction(new Uint8Array(bytes));
      if (decoded.ok) this.#remember(decoded.value);
      this.#lastSequence = sequence;
    }
    this.#isInDoubt = false;
  }

  #rememberIfNew(signed: SignedTransaction, verdict: CommitVerdict | undefined): void {
    if (verdict?.ok !== true || verdict.isRepeat) return;
    this.#remember(signed);
    this.#lastSequence = verdict.sequence;
  }

  #remember(signed: SignedTransaction): void {
    const { id, content } = signed.transaction;
    this.#count += 1;
    if (content.command.tag === "genesis") this.#genesisId ??= id;
    if (MONEY_GATES.includes(content.command.tag)) {
      const before = content.inputs.flatMap((ref) => this.#unspent.get(refKey(ref))?.state ?? []);
      this.#issued += moneyOf(content.outputs) - moneyOf(before);
    }
    for (const ref of content.inputs) this.#unspent.delete(refKey(ref));
    for (const [index, state] of content.outputs.entries()) {
      this.#unspent.set(refKey({ txId: id, index }), { ref: { txId: id, index }, state, notary: content.notary });
      if (state.tag === "member") this.#members.set(state.key, state.servedBy);
    }
  }
}

function requestOf({ transaction: { id, content } }: SignedTransaction, bytes: Uint8Array): CommitRequest {
  return { txId: id, inputs: content.inputs, references: content.references, window: content.window, bytes };
}

function moneyOf(states: readonly State[]): bigint {
  return states.reduce((sum, state) => sum + (moneyIn(state)?.amount ?? 0n), 0n);
}

function refusalOf(refusal: CommitRefusal): LedgerRefusal {
  return refusal.tag === "state_conflict"
    ? { tag: "state_conflict", spent: refusal.spent }
    : { tag: "time_window_invalid" };
}
