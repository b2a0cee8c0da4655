/** Answers of the notary that it did not give, or that are for something else: no node takes them, and nothing is lost by them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeSignedTransaction,
  type NotarySignature,
  type PeerReply,
  signBatch,
  signTransaction,
  type TransactionSignature,
} from "#contracts";
import { type Hash, hashOf, signerFromSeed, unwrap } from "#core";
import type { SmallNetwork } from "#testkit";
import { promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  await small.fund("alice", 10_000_000);
});
afterEach(() => stage.close());

function notarised(signature: NotarySignature | undefined): PeerReply {
  if (signature === undefined) throw new Error("the batch has a place for it");
  return { tag: "notarised", signature };
}

/** What a dishonest notary, or one who answers in its place, may say of a transaction. */
const LIES: Readonly<Record<string, (txId: Hash, genuine: NotarySignature) => PeerReply>> = {
  "signed by another key": (txId) =>
    notarised(signBatch(small.ledger.networkId, [txId], signerFromSeed(new Uint8Array(32).fill(5)))[0]),
  "signed by another key, in the notary's name": (txId, genuine) =>
    notarised({
      ...(signBatch(small.ledger.networkId, [txId], signerFromSeed(new Uint8Array(32).fill(5)))[0] ?? genuine),
      by: genuine.by,
    }),
  "signed by the party itself": (txId) =>
    notarised(signBatch(small.ledger.networkId, [txId], small.signer("alice"))[0]),
  "signed for another network": (txId) => notarised(signBatch("another", [txId], small.signer("notary"))[0]),
  "signed for another transaction": () =>
    notarised(signBatch(small.ledger.networkId, [hashOf("another")], small.signer("notary"))[0]),
  "a genuine signature of an older transaction": () => oldAnswer,
  "of a batch in which it is not": (txId) => {
    const [, second] = signBatch(
      small.ledger.networkId,
      [hashOf("a"), hashOf("b"), hashOf("c")],
      small.signer("notary"),
    );
    expect(txId).toBeDefined();
    return notarised(second);
  },
  "of its batch, but at another's place": (txId) => {
    const [, own] = signBatch(small.ledger.networkId, [hashOf("a"), txId, hashOf("c")], small.signer("notary"));
    return notarised(own && { ...own, position: 0 });
  },
  "of its batch, said to be smaller": (txId) => {
    const [own] = signBatch(small.ledger.networkId, [txId, hashOf("b")], small.signer("notary"));
    return notarised(own && { ...own, batchSize: 1, path: [] });
  },
  "signed as a party signs": (txId, genuine) => {
    const wire = { id: txId } as Parameters<typeof signTransaction>[1];
    const { signature }: TransactionSignature = signTransaction(small.ledger.networkId, wire, small.signer("notary"));
    return notarised({ ...genuine, signature });
  },
};
let oldAnswer: PeerReply;

describe("an answer of the notary", () => {
  test.each(Object.keys(LIES))(
    "%s is not taken; its true one is, later, and the command is carried out once",
    async (lie) => {
      const [first] = [...small.commitLog.scan()];
      const older = unwrap(decodeSignedTransaction(new Uint8Array(first?.bytes ?? [])));
      oldAnswer = await stage.ask("alice", "notary", "notarise", older);
      expect(oldAnswer.tag).toBe("notarised");
      const before = await small.everything();
      let isLying = true;
      stage.answering("notary", async (request, next) => {
        if (!isLying || request.tag !== "notarise") return next();
        const { id } = unwrap(decodeSignedTransaction(request.transaction)).transaction;
        if (oldAnswer.tag !== "notarised") throw new Error("it has answered");
        return LIES[lie]?.(id, oldAnswer.signature) ?? next();
      });
      for (let attempt = 0; attempt < 2; attempt++)
        expect(await small.submit("alice", promising("p", 5_000))).toEqual({
          ok: false,
          error: { tag: "signature_invalid" },
        });
      expect(await small.everything()).toEqual(before);
      isLying = false;
      expect(await small.run("alice", promising("p", 5_000))).toMatchObject({ status: "created" });
      expect(small.node("alice").unspent("power-promise")).toMatchObject([{ energy: 5_000n }]);
      expect(small.balance("alice")).toBe(7_000_000n);
    },
  );
});

test("a transaction that another notary made final, in the words of this one's, is stored by nobody", async () => {
  const { transaction, signatures } = await stage.taken("alice", promising("p", 5_000));
  stage.proving("alice");
  const signed = small.craft(transaction.content, "alice", "grid-authority", "verifier");
  const self = signerFromSeed(new Uint8Array(32).fill(5));
  const [own] = signBatch(small.ledger.networkId, [signed.transaction.id], self);
  const before = await small.everything();
  for (const name of ["grid-authority", "verifier"])
    expect(refusalIn(await stage.ask("alice", name, "final", { ...signed, notarySignature: own ?? null }))).toEqual({
      tag: "signature_invalid",
    });
  expect(signatures.length).toBeGreaterThan(0);
  expect(await small.everything()).toEqual(before);
  const genuine = await stage.ask("alice", "notary", "notarise", signed);
  if (genuine.tag !== "notarised") throw new Error("the notary makes it final");
  const final = { ...signed, notarySignature: genuine.signature };
  expect(await stage.ask("alice", "grid-authority", "final", final)).toEqual({ tag: "stored" });
});

describe("what a node alone does not notice", () => {
  test("a notary that signs two spendings of one state: each is believed by who is shown it first", async () => {
    await small.join("bob");
    const promise = (await stage.taken("alice", promising("one", 5_000))).transaction.content;
    const other = (await stage.taken("alice", promising("two", 4_000))).transaction.content;
    const consumed = new Set(promise.inputs.map(({ txId, index }) => `${txId}:${index}`));
    expect(other.inputs.some(({ txId, index }) => consumed.has(`${txId}:${index}`))).toBe(true);
    stage.proving("alice");
    for (const [content, name] of [
      [promise, "grid-authority"],
      [other, "verifier"],
    ] as const) {
      const signed = small.craft(content, "alice", "grid-authority", "verifier");
      const [signature] = signBatch(small.ledger.networkId, [signed.transaction.id], small.signer("notary"));
      const final = { ...signed, notarySignature: signature ?? null };
      expect(await stage.ask("alice", name, "final", final)).toEqual({ tag: "stored" });
    }
    // The audit compares the nodes' stores with the notary's log, and finds what is not in it.
    const logged = new Set([...small.commitLog.scan()].map(({ txId }) => txId));
    for (const name of ["grid-authority", "verifier"]) {
      const unlogged = [...small.ledger.store(name).scan()].filter(({ txId }) => !logged.has(txId));
      expect(unlogged).toHaveLength(1);
    }
  });
});
