/** Verifies signatures, each once per node, and counts them: verification is what a ledger node's time goes to. */
import type { Hash, PublicKey } from "#core";
import { isNotarySignatureValid, isTransactionSignatureValid, type NotarySignature, type SignedTransaction, type TransactionSignature } from "#contracts";

/** Shared by the nodes of a process, for reports. */
export type SignatureCounters = { signatures: number; verifications: number };

const REMEMBERED_MAX = 50_000;

export class SignatureCheck {
  readonly #networkId: string;
  readonly #counters: SignatureCounters;
  readonly #valid = new Set<string>();

  constructor(networkId: string, counters: SignatureCounters) {
    this.#networkId = networkId;
    this.#counters = counters;
  }

  /** Keys among `required` without a valid signature. */
  missing(signed: Pick<SignedTransaction, "signatures">, txId: Hash, required: readonly PublicKey[]): readonly PublicKey[] {
    return required.filter((key) => {
      const signature = signed.signatures.find(({ by }) => by === key);
      return signature === undefined || !this.isValid(txId, signature);
    });
  }

  isValid(txId: Hash, signature: TransactionSignature): boolean {
    return this.#once(`${txId} ${signature.by} ${Buffer.from(signature.signature).toString("latin1")}`, () => isTransactionSignatureValid(this.#networkId, txId, signature));
  }

  isNotarised(txId: Hash, notarised: NotarySignature): boolean {
    return this.#once(`${txId} notary ${notarised.by} ${Buffer.from(notarised.signature).toString("latin1")} ${notarised.position}`, () =>
      isNotarySignatureValid(this.#networkId, txId, notarised),
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
