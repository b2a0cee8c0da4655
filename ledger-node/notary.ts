/**
 * A contract-verifying notary: checks signatures and contracts, commits in batches, signs only after the commit is durable.
 * It keeps every state that it made final and is not spent yet, so nobody has to prove inputs to it.
 */

import {
  contractViolations,
  decodeSignedTransaction,
  type LedgerRefusal,
  moneyIn,
  type NotarySignature,
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
import { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
import type { CommitLog, CommitRefusal, CommitRequest } from "./stores/commit-log.ts";

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
};

const BATCH_MAX = 1_024;

export class Notary {
  readonly key: PublicKey;
  readonly #options: NotaryOptions;
  readonly #check: SignatureCheck;
  readonly #unspent = new Map<string, ResolvedState>();
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #genesisId: Hash | undefined;
  #issued = 0n;
  #count = 0;

  constructor(options: NotaryOptions) {
    this.#options = options;
    this.key = options.signer.publicKey;
    this.#check = new SignatureCheck(options.networkId, options.counters);
    for (const { bytes } of options.log.scan()) {
      const decoded = decodeSignedTransaction(new Uint8Array(bytes));
      if (decoded.ok) this.#remember(decoded.value);
    }
  }

  /** Verifies and commits an untrusted transaction; idempotent by transaction id. */
  async notarise(bytes: Uint8Array): Promise<Result<NotarySignature, LedgerRefusal>> {
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return err({ tag: "transaction_malformed" });
    const signed = decoded.value;
    const { id, content } = signed.transaction;
    if (content.notary !== this.key)
      return err({ tag: "contract_violated", clauses: ["states_governed_by_the_notary"] });
    const lacking = this.#check.lacking(signed, id, content.signers);
    if (lacking !== undefined) return err({ tag: lacking });
    const request = { txId: id, inputs: content.inputs, references: content.references, window: content.window, bytes };
    return new Promise((resolve) => this.#enqueue({ request, signed, resolve }));
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    this.#options.defer(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const batch = this.#waiting.slice(0, BATCH_MAX);
    this.#waiting = this.#waiting.slice(BATCH_MAX);
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
      else if (resolved === undefined) this.#answerUnresolved(waiting);
      else sound.push(waiting);
      if (isGenesis && sound.at(-1) === waiting) genesisId = id;
    }
    if (sound.length > 0) this.#commit(sound);
    this.#schedule();
  }

  /** Commits, and only then signs. */
  #commit(batch: readonly Waiting[]): void {
    const { log, clock } = this.#options;
    const verdicts = log.commit(
      clock.nowMs(),
      batch.map(({ request }) => request),
    );
    const committed = batch.filter((_, index) => verdicts[index]?.ok === true);
    const signatures = this.#sign(committed.map(({ request }) => request.txId));
    for (const [index, waiting] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict?.ok === false) waiting.resolve(err(refusalOf(verdict.error)));
      if (verdict?.ok === true && !verdict.isRepeat) this.#remember(waiting.signed);
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
  #answerUnresolved({ request, resolve }: Waiting): void {
    const verdict = this.#options.log.peek(this.#options.clock.nowMs(), request);
    if (!verdict.ok) return resolve(err(refusalOf(verdict.error)));
    const [signature] = verdict.isRepeat ? this.#sign([request.txId]) : [];
    resolve(signature === undefined ? err({ tag: "dependency_unknown" }) : ok(signature));
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

  /** Money in all unspent states, and what was issued less what was redeemed. */
  totals(): { readonly issuedMicros: Micros; readonly heldMicros: Micros; readonly transactions: number } {
    let held = 0n;
    for (const { state } of this.#unspent.values()) held += moneyIn(state)?.amount ?? 0n;
    return { issuedMicros: micros(this.#issued), heldMicros: micros(held), transactions: this.#count };
  }

  #remember(signed: SignedTransaction): void {
    const { id, content } = signed.transaction;
    this.#count += 1;
    if (content.command.tag === "genesis") this.#genesisId ??= id;
    if (content.command.tag === "issue-funds" || content.command.tag === "redeem-funds") {
      const before = content.inputs.flatMap((ref) => this.#unspent.get(refKey(ref))?.state ?? []);
      this.#issued += moneyOf(content.outputs) - moneyOf(before);
    }
    for (const ref of content.inputs) this.#unspent.delete(refKey(ref));
    for (const [index, state] of content.outputs.entries()) {
      this.#unspent.set(refKey({ txId: id, index }), { ref: { txId: id, index }, state, notary: content.notary });
    }
  }
}

function moneyOf(states: readonly State[]): bigint {
  return states.reduce((sum, state) => sum + (moneyIn(state)?.amount ?? 0n), 0n);
}

function refusalOf(refusal: CommitRefusal): LedgerRefusal {
  return refusal.tag === "state_conflict"
    ? { tag: "state_conflict", spent: refusal.spent }
    : { tag: "time_window_invalid" };
}
