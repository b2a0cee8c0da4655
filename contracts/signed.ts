/**
 * Signatures over transactions. A signature covers a domain tag, the network, the scheme and the transaction id, so that it
 * is worth nothing on another network or for another purpose. A notary signs the root of a batch of ids once.
 */
import {
  bytes,
  type CborValue,
  type Codec,
  decodeCbor,
  encodeCbor,
  err,
  fromHex,
  type Hash,
  hashFromBytes,
  integer,
  isSignatureValid,
  listOf,
  ok,
  type PublicKey,
  publicKeyCodec,
  type Result,
  type Signer,
  sha256,
  struct,
} from "#core";
import {
  decodeTransaction,
  encodeTransaction,
  SIGNERS_MAX,
  type TransactionRefusal,
  type WireTransaction,
} from "./transaction.ts";

export type TransactionSignature = { readonly by: PublicKey; readonly signature: Uint8Array };

/** A notary's signature over the Merkle root of a batch, with the path from one transaction id to that root. */
export type NotarySignature = {
  readonly by: PublicKey;
  readonly signature: Uint8Array;
  /** Position of the transaction in its batch. */
  readonly position: number;
  /** Siblings from the leaf up. */
  readonly path: readonly Uint8Array[];
  readonly batchSize: number;
};

export type SignedTransaction = {
  readonly transaction: WireTransaction;
  /** Sorted by key, at most one of each. */
  readonly signatures: readonly TransactionSignature[];
  /** Null until the notary has made the transaction final. */
  readonly notarySignature: NotarySignature | null;
};

export const BATCH_SIZE_MAX = 4_096;
const SCHEME = "ed25519";
const LEAF = new Uint8Array([0x10]);
const NODE = new Uint8Array([0x11]);

/** What a party signs. */
export function signableBytes(networkId: string, txId: Hash): Uint8Array {
  return encodeCbor(["dream/transaction", networkId, SCHEME, fromHex(txId)]);
}

/** What a notary signs for a batch. */
export function notarySignableBytes(networkId: string, root: Hash, batchSize: number): Uint8Array {
  return encodeCbor(["dream/notary-batch", networkId, SCHEME, batchSize, fromHex(root)]);
}

export function signTransaction(networkId: string, transaction: WireTransaction, signer: Signer): TransactionSignature {
  return { by: signer.publicKey, signature: signer.sign(signableBytes(networkId, transaction.id)) };
}

/** One signature for a whole batch; the answer for each id carries its path to the signed root. */
export function signBatch(networkId: string, txIds: readonly Hash[], signer: Signer): readonly NotarySignature[] {
  const levels = merkleLevels(txIds);
  const root = levels.at(-1)?.[0] ?? sha256(LEAF);
  const signature = signer.sign(notarySignableBytes(networkId, hashFromBytes(root), txIds.length));
  return txIds.map((_, position) => ({
    by: signer.publicKey,
    signature,
    position,
    path: merklePath(levels, position),
    batchSize: txIds.length,
  }));
}

/** The root that a notary must have signed for this answer to cover the transaction; undefined when the path leads nowhere. */
export function notaryBatchRoot(txId: Hash, notarised: NotarySignature): Hash | undefined {
  const { position, batchSize } = notarised;
  const isSound = Number.isSafeInteger(position) && Number.isSafeInteger(batchSize) && batchSize <= BATCH_SIZE_MAX;
  return isSound && position >= 0 && position < batchSize ? merkleRootFrom(txId, notarised) : undefined;
}

/** Whether the notary signed that root: once checked, it holds for every transaction of the batch. */
export function isBatchSignatureValid(
  networkId: string,
  root: Hash,
  { by, batchSize, signature }: NotarySignature,
): boolean {
  return isSignatureValid(by, notarySignableBytes(networkId, root, batchSize), signature);
}

/** Whether a notary's answer really covers the transaction. */
export function isNotarySignatureValid(networkId: string, txId: Hash, notarised: NotarySignature): boolean {
  const root = notaryBatchRoot(txId, notarised);
  return root !== undefined && isBatchSignatureValid(networkId, root, notarised);
}

export function isTransactionSignatureValid(networkId: string, txId: Hash, signed: TransactionSignature): boolean {
  return isSignatureValid(signed.by, signableBytes(networkId, txId), signed.signature);
}

/** Levels of the tree from the leaves to the root; an odd node at the end of a level moves up unchanged. */
function merkleLevels(txIds: readonly Hash[]): readonly (readonly Uint8Array[])[] {
  let level: readonly Uint8Array[] = txIds.map((txId) => sha256(LEAF, fromHex(txId)));
  const levels = [level];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] as Uint8Array;
      const right = level[index + 1];
      next.push(right === undefined ? left : sha256(NODE, left, right));
    }
    level = next;
    levels.push(level);
  }
  return levels;
}

function merklePath(levels: readonly (readonly Uint8Array[])[], position: number): readonly Uint8Array[] {
  const path: Uint8Array[] = [];
  let index = position;
  for (const level of levels) {
    const sibling = level[index ^ 1];
    if (sibling !== undefined && level.length > 1) path.push(sibling);
    index >>= 1;
  }
  return path;
}

function merkleRootFrom(txId: Hash, notarised: NotarySignature): Hash | undefined {
  let hash: Uint8Array = sha256(LEAF, fromHex(txId));
  let index = notarised.position;
  let width = notarised.batchSize;
  let used = 0;
  while (width > 1) {
    if ((index ^ 1) < width) {
      const sibling = notarised.path[used++];
      if (sibling === undefined) return undefined;
      hash = index % 2 === 0 ? sha256(NODE, hash, sibling) : sha256(NODE, sibling, hash);
    }
    index >>= 1;
    width = Math.ceil(width / 2);
  }
  return used === notarised.path.length ? hashFromBytes(hash) : undefined;
}

export const signatureCodec: Codec<TransactionSignature> = struct({ by: publicKeyCodec, signature: bytes(64, 64) });
export const notarySignatureCodec: Codec<NotarySignature> = struct({
  by: publicKeyCodec,
  signature: bytes(64, 64),
  position: integer(0, BATCH_SIZE_MAX - 1),
  path: listOf(bytes(32, 32), 12),
  batchSize: integer(1, BATCH_SIZE_MAX),
});
export const signaturesCodec: Codec<readonly TransactionSignature[]> = listOf(signatureCodec, SIGNERS_MAX);

/** The bytes of a signed transaction: [transaction, signatures, notary signature or null]. */
export function encodeSignedTransaction(signed: SignedTransaction): Uint8Array {
  const notarySignature = signed.notarySignature === null ? null : notarySignatureCodec.encode(signed.notarySignature);
  return encodeCbor([
    encodeTransaction(signed.transaction),
    signaturesCodec.encode(signed.signatures),
    notarySignature,
  ]);
}

/** Decodes untrusted bytes: never throws. Says nothing of whether the signatures are valid. */
export function decodeSignedTransaction(input: Uint8Array): Result<SignedTransaction, TransactionRefusal> {
  const outer = decodeCbor(input);
  if (!outer.ok || !Array.isArray(outer.value) || outer.value.length !== 3) return err("transaction_malformed");
  const [body, rawSignatures, rawNotary] = outer.value as readonly CborValue[];
  if (!(body instanceof Uint8Array)) return err("transaction_malformed");
  const transaction = decodeTransaction(body);
  if (!transaction.ok) return transaction;
  const signatures = signaturesCodec.decode(rawSignatures ?? null, "signatures");
  if (!signatures.ok) return err("transaction_malformed");
  if (!areSortedByKey(signatures.value)) return err("transaction_signers_unsorted");
  if (rawNotary === null || rawNotary === undefined)
    return ok({ transaction: transaction.value, signatures: signatures.value, notarySignature: null });
  const notarySignature = notarySignatureCodec.decode(rawNotary, "notary");
  if (!notarySignature.ok) return err("transaction_malformed");
  return ok({ transaction: transaction.value, signatures: signatures.value, notarySignature: notarySignature.value });
}

/** Whether each key comes once, in order: otherwise one signature could be counted as two. */
function areSortedByKey(signatures: readonly TransactionSignature[]): boolean {
  return signatures.every(({ by }, index) => index === 0 || (signatures[index - 1]?.by ?? "") < by);
}

/** The same transaction with more signatures, sorted, one of each key. */
export function withSignatures(signed: SignedTransaction, more: readonly TransactionSignature[]): SignedTransaction {
  const byKey = new Map(signed.signatures.map((signature) => [signature.by, signature]));
  for (const signature of more) byKey.set(signature.by, signature);
  const signatures = [...byKey.values()].sort((left, right) => (left.by < right.by ? -1 : 1));
  return { ...signed, signatures };
}
