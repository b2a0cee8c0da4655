/** Signatures of parties and notaries: what they cover, what they do not, and the bytes in which they travel. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildTransaction,
  decodeSignedTransaction,
  encodeSignedTransaction,
  encodeTransaction,
  isNotarySignatureValid,
  isTransactionSignatureValid,
  type NotarySignature,
  notaryBatchRoot,
  notarySignableBytes,
  type SignedTransaction,
  signableBytes,
  signBatch,
  signTransaction,
  type Transaction,
  type TransactionSignature,
  withSignatures,
} from "#contracts";
import { CBOR_BYTES_MAX, compareText, decodeCbor, encodeCbor, type Hash, hashOf, type Signer, toHex } from "#core";
import { arbTransaction, funds, keyOf, signerOf, VALID } from "#testkit";
import { BATCH_SIZE_MAX } from "./signed.ts";
import { SIGNERS_MAX, TRANSACTION_BYTES_MAX } from "./transaction.ts";

const SALT = new Uint8Array(32).fill(9);
const transaction = buildTransaction(VALID["redeem-funds"]().resolved().content, SALT);
const alice = signerOf("alice");
const notary = signerOf("notary");

describe("a party's signature", () => {
  const signed = signTransaction("testkit", transaction, alice);

  test("covers the transaction on its network", () => {
    expect(isTransactionSignatureValid("testkit", transaction.id, signed)).toBe(true);
  });

  test("is worth nothing on another network, for another transaction, by another key", () => {
    expect(isTransactionSignatureValid("testkit2", transaction.id, signed)).toBe(false);
    expect(isTransactionSignatureValid("testkit", hashOf("other"), signed)).toBe(false);
    expect(isTransactionSignatureValid("testkit", transaction.id, { ...signed, by: keyOf("bob") })).toBe(false);
  });

  test("is no notary's signature, and a notary's is none of a party", () => {
    const [answer] = signBatch("testkit", [transaction.id], alice) as [NotarySignature];
    expect(isTransactionSignatureValid("testkit", transaction.id, { by: answer.by, signature: answer.signature })).toBe(
      false,
    );
    expect(isNotarySignatureValid("testkit", transaction.id, { ...answer, signature: signed.signature })).toBe(false);
  });

  test("the signed bytes name purpose, network, scheme and transaction: no two of them can be confused", () => {
    const id = hashOf("x");
    const read = decodeCbor(signableBytes("testkit", id));
    expect(read.ok && (read.value as readonly unknown[]).slice(0, 3)).toEqual([
      "dream/transaction",
      "testkit",
      "ed25519",
    ]);
    expect(toHex(signableBytes("testkit", id))).not.toBe(toHex(notarySignableBytes("testkit", id, 1)));
    expect(toHex(notarySignableBytes("testkit", id, 1))).not.toBe(toHex(notarySignableBytes("testkit", id, 2)));
  });
});

describe("a notary's signature over a batch", () => {
  const ids = (count: number): readonly Hash[] =>
    Array.from({ length: count }, (_, index) => hashOf(`transaction ${index}`));
  const sizes = Array.from({ length: 17 }, (_, index) => index + 1);
  const changed = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(bytes, (byte, index) => (index === 5 ? byte ^ 1 : byte));

  test.each(sizes)("of %i covers each of its transactions, with one signature", (size) => {
    const answers = signBatch("testkit", ids(size), notary);
    expect(answers).toHaveLength(size);
    expect(new Set(answers.map(({ signature }) => toHex(signature))).size).toBe(1);
    for (const [position, answer] of answers.entries()) {
      expect(answer.position).toBe(position);
      expect(isNotarySignatureValid("testkit", ids(size)[position] as Hash, answer)).toBe(true);
    }
  });

  test.each(sizes)("of %i covers nothing else: no other id, place, path, size, network or key", (size) => {
    const answers = signBatch("testkit", ids(size), notary);
    for (const [position, answer] of answers.entries()) {
      const id = ids(size)[position] as Hash;
      const isValid = (patch: Partial<NotarySignature>, network = "testkit", txId = id): boolean =>
        isNotarySignatureValid(network, txId, { ...answer, ...patch });
      expect(isValid({})).toBe(true);
      for (const other of [-1, position + 1, position - 1, size, size + 1, 0.5, Number.NaN])
        if (other !== position) expect(isValid({ position: other })).toBe(false);
      for (const batchSize of [0, size - 1, size + 1, 2 * size, Number.NaN]) expect(isValid({ batchSize })).toBe(false);
      expect(isValid({}, "other")).toBe(false);
      expect(isValid({}, "testkit", hashOf("never notarised"))).toBe(false);
      expect(isValid({ by: keyOf("mallory") })).toBe(false);
      expect(isValid({ signature: changed(answer.signature) })).toBe(false);
      expect(isValid({ path: [...answer.path, SALT] })).toBe(false);
      if (answer.path.length > 0) {
        expect(isValid({ path: answer.path.slice(1) })).toBe(false);
        expect(isValid({ path: answer.path.slice(0, -1) })).toBe(false);
        expect(isValid({ path: answer.path.map(changed) })).toBe(false);
      }
      if (answer.path.length > 1 && toHex(answer.path[0] as Uint8Array) !== toHex(answer.path[1] as Uint8Array))
        expect(isValid({ path: [...answer.path].reverse() })).toBe(false);
    }
  });

  test("does not pass one transaction's path off as another's", () => {
    const answers = signBatch("testkit", ids(7), notary);
    for (const [left, answer] of answers.entries()) {
      for (const [right, id] of ids(7).entries())
        expect(isNotarySignatureValid("testkit", id, answer)).toBe(left === right);
    }
  });

  test("an inner node of the tree is no transaction", () => {
    // The id of an inner node, with the path from there, would be one level shorter: sizes and tags tell them apart.
    const answers = signBatch("testkit", ids(4), notary) as readonly NotarySignature[];
    const [first] = answers as [NotarySignature];
    const inner = toHex(first.path[0] as Uint8Array) as Hash;
    expect(isNotarySignatureValid("testkit", inner, { ...first, path: first.path.slice(1), batchSize: 2 })).toBe(false);
    expect(notaryBatchRoot(inner, { ...first, position: 9 })).toBeUndefined();
  });
});

describe("signed transactions in bytes", () => {
  const arbSigned: fc.Arbitrary<SignedTransaction> = fc
    .tuple(
      arbTransaction,
      fc.uniqueArray(fc.constantFrom("alice", "bob", "carol", "notary"), { maxLength: 4 }),
      fc.integer({ min: 0, max: 5 }),
    )
    .map(([content, names, batch]) => {
      const wire = buildTransaction(content, SALT);
      const unsigned: SignedTransaction = { transaction: wire, signatures: [], notarySignature: null };
      const signed = withSignatures(
        unsigned,
        names.map((name) => signTransaction("testkit", wire, signerOf(name))),
      );
      const ids = Array.from({ length: batch }, (_, index) => (index === 0 ? wire.id : hashOf(`${index}`)));
      return { ...signed, notarySignature: signBatch("testkit", ids, notary)[0] ?? null };
    });

  test("come back as they were", () => {
    fc.assert(
      fc.property(arbSigned, (signed) => {
        expect(decodeSignedTransaction(encodeSignedTransaction(signed))).toEqual({ ok: true, value: signed });
      }),
      { numRuns: 40 },
    );
  });

  test("random and spoiled bytes never throw", () => {
    const arbSpoiled = fc.tuple(arbSigned, fc.nat(), fc.nat({ max: 255 })).map(([signed, at, byte]) => {
      const spoiled = Uint8Array.from(encodeSignedTransaction(signed));
      spoiled[at % spoiled.length] = byte;
      return spoiled;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 50 }), arbSpoiled), (input) => {
        expect(typeof decodeSignedTransaction(input).ok).toBe("boolean");
      }),
      { numRuns: 100 },
    );
  });

  const body = encodeTransaction(transaction);
  const rawSignature = (name: string): readonly [Uint8Array, Uint8Array] => {
    const { by, signature } = signTransaction("testkit", transaction, signerOf(name));
    return [Uint8Array.from(Buffer.from(by, "hex")), signature];
  };
  const [low, high] = ["alice", "bob"].sort((left, right) => compareText(keyOf(left), keyOf(right))) as [
    string,
    string,
  ];

  test("signatures are sorted by key, at most one of each: otherwise one could be counted twice", () => {
    const withRaw = (...names: readonly string[]): ReturnType<typeof decodeSignedTransaction> =>
      decodeSignedTransaction(encodeCbor([body, names.map(rawSignature), null]));
    expect(withRaw(low, high).ok).toBe(true);
    expect(withRaw(high, low)).toEqual({ ok: false, error: "transaction_signers_unsorted" });
    expect(withRaw(low, low)).toEqual({ ok: false, error: "transaction_signers_unsorted" });
  });

  test("what is not three parts of the right kind is refused", () => {
    for (const parts of [
      [],
      [body],
      [body, []],
      [body, [], null, null],
      [null, [], null],
      [body, null, null],
      [body, [[SALT]], null],
      [body, [], [SALT]],
      [body, [], 0],
    ])
      expect(decodeSignedTransaction(encodeCbor(parts))).toEqual({ ok: false, error: "transaction_malformed" });
  });

  test("a notary's answer has bounds: position, size and length of the path", () => {
    const [answer] = signBatch("testkit", [transaction.id], notary) as [NotarySignature];
    const signed = (patch: Partial<NotarySignature>): SignedTransaction => ({
      transaction,
      signatures: [],
      notarySignature: { ...answer, ...patch },
    });
    const deepest = {
      position: BATCH_SIZE_MAX - 1,
      batchSize: BATCH_SIZE_MAX,
      path: Array.from({ length: 12 }, () => SALT),
    };
    expect(decodeSignedTransaction(encodeSignedTransaction(signed(deepest))).ok).toBe(true);
    for (const patch of [
      { position: BATCH_SIZE_MAX },
      { batchSize: BATCH_SIZE_MAX + 1 },
      { batchSize: 0 },
      { path: [...deepest.path, SALT] },
    ])
      expect(() => encodeSignedTransaction(signed(patch))).toThrow();
  });

  test("the longest transaction still travels with as many signatures as it may have", () => {
    const signers: readonly Signer[] = Array.from({ length: SIGNERS_MAX }, (_, index) => signerOf(`signer ${index}`));
    // Outputs of 120 characters of id and more until the transaction is as long as it may be.
    const filler = {
      tag: "power-promise",
      promiseId: "x".repeat(120),
      slot: "2031-06-01T10:15Z/PT15M",
      energy: 1n,
      supplier: keyOf("alice"),
      owner: keyOf("alice"),
      lock: { kind: "order", id: "y".repeat(120) },
      delivered: null,
      claims: null,
    } as unknown as Transaction["outputs"][number];
    const content: Transaction = {
      inputs: [],
      references: [],
      outputs: [],
      command: { tag: "issue-funds" },
      signers: signers.map(({ publicKey }) => publicKey),
      notary: notary.publicKey,
      window: { fromMs: null, untilMs: null },
    };
    const lengthWith = (count: number): number =>
      encodeTransaction(buildTransaction({ ...content, outputs: Array.from({ length: count }, () => filler) }, SALT))
        .length;
    const perOutput = lengthWith(301) - lengthWith(300);
    const most = Math.floor((TRANSACTION_BYTES_MAX - lengthWith(300)) / perOutput) + 300;
    const longest = buildTransaction({ ...content, outputs: [...Array.from({ length: most }, () => filler)] }, SALT);
    expect(encodeTransaction(longest).length).toBeGreaterThan(TRANSACTION_BYTES_MAX - perOutput);
    const answer: NotarySignature = {
      by: notary.publicKey,
      signature: new Uint8Array(64),
      position: 0,
      batchSize: BATCH_SIZE_MAX,
      path: Array.from({ length: 12 }, () => SALT),
    };
    const signatures = signers.map(
      (signer): TransactionSignature => ({ by: signer.publicKey, signature: new Uint8Array(64) }),
    );
    const signed = withSignatures({ transaction: longest, signatures: [], notarySignature: answer }, signatures);
    expect(encodeSignedTransaction(signed).length).toBeLessThanOrEqual(CBOR_BYTES_MAX);
    expect(decodeSignedTransaction(encodeSignedTransaction(signed)).ok).toBe(true);
    const longer = buildTransaction({ ...content, outputs: [...longest.content.outputs, filler] }, SALT);
    expect(decodeSignedTransaction(encodeSignedTransaction({ ...signed, transaction: longer }))).toEqual({
      ok: false,
      error: "transaction_too_large",
    });
  });
});

test("more signatures replace those of the same key, in the order of keys", () => {
  const empty: SignedTransaction = { transaction, signatures: [], notarySignature: null };
  const first = withSignatures(empty, [signTransaction("other", transaction, alice)]);
  const both = withSignatures(first, [
    signTransaction("testkit", transaction, signerOf("bob")),
    signTransaction("testkit", transaction, alice),
  ]);
  expect(both.signatures.map(({ by }) => by)).toEqual([keyOf("alice"), keyOf("bob")].sort(compareText));
  for (const signature of both.signatures)
    expect(isTransactionSignatureValid("testkit", transaction.id, signature)).toBe(true);
  expect(empty.signatures).toEqual([]);
  expect(funds("alice", 1).owner).toBe(alice.publicKey);
});
