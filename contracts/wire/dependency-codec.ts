/**
 * How proofs of states are written between nodes. Several states are often outputs of one transaction, and the hashes of a
 * large one outweigh all that is shown of it: so each transaction's hashes and notary signature are written once, and each
 * state names them by number. [proofs, [number of the proof, index of the output, what is revealed]…]
 */
import {
  bytes,
  type Codec,
  encodeCbor,
  equalBytes,
  err,
  type Hash,
  hashCodec,
  hashOf,
  integer,
  listOf,
  ok,
  struct,
} from "#core";
import { type NotarySignature, notarySignatureCodec } from "../signed.ts";
import type { RevealedComponent, TearOff } from "../tear-off.ts";
import {
  DIGEST_BYTES,
  INPUTS_MAX,
  OUTPUTS_MAX,
  REFERENCES_MAX,
  SINGLE_COMPONENTS,
  TRANSACTION_BYTES_MAX,
} from "../transaction.ts";
import type { Dependency } from "./peer.ts";

/** Every input and reference of a transaction can be asked for at once. */
export const DEPENDENCIES_MAX: number = INPUTS_MAX + REFERENCES_MAX;
const COMPONENTS_MAX = INPUTS_MAX + REFERENCES_MAX + OUTPUTS_MAX + SINGLE_COMPONENTS;

/** What the states of one transaction have in common. */
type Proof = Pick<TearOff, "counts" | "hashes"> & { readonly txId: Hash; readonly notarySignature: NotarySignature };
type Item = { readonly proof: number; readonly index: number; readonly revealed: readonly RevealedComponent[] };

const proofCodec: Codec<Proof> = struct({
  txId: hashCodec,
  counts: struct({
    inputs: integer(0, INPUTS_MAX),
    references: integer(0, REFERENCES_MAX),
    outputs: integer(0, OUTPUTS_MAX),
  }),
  hashes: listOf(bytes(DIGEST_BYTES, DIGEST_BYTES), COMPONENTS_MAX),
  notarySignature: notarySignatureCodec,
});
const tableCodec: Codec<{ readonly proofs: readonly Proof[]; readonly items: readonly Item[] }> = struct({
  proofs: listOf(proofCodec, DEPENDENCIES_MAX),
  items: listOf(
    struct({
      proof: integer(0, DEPENDENCIES_MAX - 1),
      index: integer(0, OUTPUTS_MAX - 1),
      revealed: listOf(
        struct({
          position: integer(0, COMPONENTS_MAX - 1),
          nonce: bytes(DIGEST_BYTES, DIGEST_BYTES),
          component: bytes(1, TRANSACTION_BYTES_MAX),
        }),
        COMPONENTS_MAX,
      ),
    }),
    DEPENDENCIES_MAX,
  ),
});

export const dependenciesCodec: Codec<readonly Dependency[]> = {
  encode(dependencies) {
    const proofs: Proof[] = [];
    const byTransaction = new Map<Hash, number[]>();
    const items = dependencies.map(({ ref, tearOff, notarySignature }): Item => {
      const proof = { txId: ref.txId, counts: tearOff.counts, hashes: tearOff.hashes, notarySignature };
      const sameTransaction = byTransaction.get(ref.txId) ?? [];
      byTransaction.set(ref.txId, sameTransaction);
      let number = sameTransaction.find((candidate) => isSameProof(proofs[candidate], proof));
      if (number === undefined) {
        number = proofs.push(proof) - 1;
        sameTransaction.push(number);
      }
      return { proof: number, index: ref.index, revealed: tearOff.revealed };
    });
    return tableCodec.encode({ proofs, items });
  },
  decode(value, path) {
    const table = tableCodec.decode(value, path);
    if (!table.ok) return table;
    const { proofs, items } = table.value;
    if (!areInOrderOfUse(proofs.length, items) || !areDistinct(proofs))
      return err({ tag: "decode_failed", path, expected: "each proof once, in order of use" });
    return ok(
      items.flatMap(({ proof, index, revealed }): readonly Dependency[] => {
        const found = proofs[proof];
        if (found === undefined) return [];
        const { txId, counts, hashes, notarySignature } = found;
        return [{ ref: { txId, index }, tearOff: { counts, hashes, revealed }, notarySignature }];
      }),
    );
  },
};

/** One dependency by itself: as a list of one. */
export const dependencyCodec: Codec<Dependency> = {
  encode: (dependency) => dependenciesCodec.encode([dependency]),
  decode(value, path) {
    const decoded = dependenciesCodec.decode(value, path);
    if (!decoded.ok) return decoded;
    const [only, ...more] = decoded.value;
    return only === undefined || more.length > 0
      ? err({ tag: "decode_failed", path, expected: "one dependency" })
      : ok(only);
  },
};

function isSameProof(left: Proof | undefined, right: Proof): boolean {
  if (left === undefined) return false;
  // A node hands out the arrays of the transaction that it stores: comparing them byte for byte is the exception.
  const isSameObject = left.hashes === right.hashes && left.notarySignature === right.notarySignature;
  return isSameObject || equalBytes(proofBytes(left), proofBytes(right));
}

/** Whether the numbers 0, 1, 2… of all proofs come up for the first time in this order. */
function areInOrderOfUse(count: number, items: readonly Item[]): boolean {
  let used = 0;
  for (const { proof } of items) {
    if (proof > used) return false;
    if (proof === used) used += 1;
  }
  return used === count;
}

function areDistinct(proofs: readonly Proof[]): boolean {
  const timesOf = new Map<Hash, number>();
  for (const { txId } of proofs) timesOf.set(txId, (timesOf.get(txId) ?? 0) + 1);
  // By hash, not pair by pair: a peer may send thousands that differ in their last byte.
  const repeated = proofs.filter(({ txId }) => timesOf.get(txId) !== 1);
  return new Set(repeated.map((proof) => hashOf(proofBytes(proof)))).size === repeated.length;
}

function proofBytes(proof: Proof): Uint8Array {
  return encodeCbor(proofCodec.encode(proof));
}
