/** Verifies signatures, each once per node, and counts them: verification is what a ledger node's time goes to. */

import {
  isBatchSignatureValid,
  isTransactionSignatureValid,
  type NotarySignature,
  notaryBatchRoot,
  type SignedTransaction,
  type TransactionSignature,
} from "#contracts";
import type { Hash, PublicKey } from "#core";

/** Shared by the nodes of a process, for reports. */
export type SignatureCounters = { signatures: number; verifications: number };

const REMEMBERED_MAX = 10_000;

export class SignatureCheck {
  readonly #networkId: string;
  readonly #counters: SignatureCounters;
  readonly #valid = new Set<string>();

  constructor(networkId: string, counters: SignatureCounters) {
    this.#networkId = networkId;
    this.#counters = counters;
  }

  /** Keys among `required` without a valid signature. */
  missing(
    signed: Pick<SignedTransaction, "signatures">,
    txId: Hash,
    required: readonly PublicKey[],
  ): readonly PublicKey[] {
    return required.filter((key) => {
      const signature = signed.signatures.find(({ by }) => by === key);
      return signature === undefined || !this.isValid(txId, signature);
    });
  }

  /** What is wrong with the required signatures: one is not there, or none is missing but one does not hold. */
  lacking(
    signed: Pick<SignedTransaction, "signatures">,
    txId: Hash,
    required: readonly PublicKey[],
  ): "signature_missing" | "signature_invalid" | undefined {
    if (required.some((key) => !signed.signatures.some(({ by }) => by === key))) return "signature_missing";
    return this.missing(signed, txId, required).length > 0 ? "signature_invalid" : undefined;
  }

  isValid(txId: Hash, signature: TransactionSignature): boolean {
    return this.#once(`${txId} ${signature.by} ${Buffer.from(signature.signature).toString("latin1")}`, () =>
      isTransactionSignatureValid(this.#networkId, txId, signature),
    );
  }

  /** One verification covers a whole batch of the notary. */
  isNotarised(txId: Hash, notarised: NotarySignature): boolean {
    const root = notaryBatchRoot(txId, notarised);
    if (root === undefined) return false;
    const signature = Buffer.from(notarised.signature).toString("latin1");
    return this.#once(`${root} ${notarised.batchSize} ${notarised.by} ${signature}`, () =>
      isBatchSignatureValid(this.#networkId, root, notarised),
    );
  }

  #once(key: string, check: () => boolean): boolean {
    if (this.#valid.has(key)) return true;
    this.#counters.verifications += 1;
    if (!check()) return false;
    if (this.#valid.size >= REMEMBERED_MAX) this.#valid.clear();
    this.#valid.add(key);
    return true;
  }
}
