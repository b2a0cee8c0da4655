/** Who has no part in it, or has keys that nobody should have: signatures made for something else, foreign networks, weak keys, hidden parts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeEnvelope,
  decodeReplyEnvelope,
  decodeSignedTransaction,
  encodeNotice,
  encodeSignedTransaction,
  envelopeRefusal,
  isNotarySignatureValid,
  isReplyTo,
  isTransactionSignatureValid,
  type LedgerRefusal,
  type NotarySignature,
  type SignedTransaction,
  type State,
  sealEnvelope,
  sealReplyEnvelope,
  signBatch,
  signTransaction,
  type Transaction,
  tearOffOf,
} from "#contracts";
import {
  type CborValue,
  decodeCbor,
  encodeCbor,
  micros,
  type PublicKey,
  type Result,
  seededEntropy,
  signerFromSeed,
  unwrap,
  wattHours,
} from "#core";
import { API_PATHS, isStampValid, parseStamp, signRequest } from "#ledger-api";
import { ServedNode, SLOT_END_MS, SmallNetwork } from "#testkit";
import { auctioning, ordering, promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  await small.join("bob");
  for (const name of ["alice", "bob"]) await small.fund(name, 10_000_000);
});
afterEach(() => stage.close());

describe("a signature that a party has made", () => {
  /** What each purpose accepts, given a signature; and the signature that was made for it. All are alice's. */
  type Purpose = { readonly made: Uint8Array; readonly isTaken: (signature: Uint8Array) => boolean };

  async function purposes(): Promise<Readonly<Record<string, Purpose>>> {
    const { transaction } = await stage.taken("alice", promising("p", 1_000));
    const alice = small.signer("alice");
    const [from, to, { networkId }] = [small.key("alice"), small.key("bob"), small.ledger];
    const [batch] = signBatch(networkId, [transaction.id], alice);
    const nowMs = 1_900_000_000_000;
    const id = new Uint8Array(16).fill(1);
    const envelope = { networkId, from, to, id, sentMs: nowMs, messages: [new Uint8Array(1)] };
    const sealed = sealEnvelope(envelope, alice);
    const asked = { ...envelope, from: to, to: from };
    const { digest: request } = sealEnvelope(asked, small.signer("bob"));
    const reply = sealReplyEnvelope({ networkId, from, to, request, replies: [new Uint8Array(1)] }, alice);
    const path = API_PATHS.commands;
    const header = signRequest(
      alice,
      { networkId, node: to },
      { method: "POST", path, body: "{}" },
      { issuedMs: nowMs, nonce: id },
    );
    const stamp = parseStamp(header);
    const received = unwrap(decodeEnvelope(sealed.bytes));
    const answered = unwrap(decodeReplyEnvelope(reply.bytes));
    if (stamp === undefined || batch === undefined) throw new Error("all is signed");
    const expectation = { networkId, party: to, nowMs, isKnown: () => true };
    return {
      transaction: {
        made: signTransaction(networkId, transaction, alice).signature,
        isTaken: (signature) => isTransactionSignatureValid(networkId, transaction.id, { by: from, signature }),
      },
      "notary's batch": {
        made: batch.signature,
        isTaken: (signature) => isNotarySignatureValid(networkId, transaction.id, { ...batch, signature }),
      },
      envelope: {
        made: received.signature,
        isTaken: (signature) => envelopeRefusal({ ...received, signature }, expectation) === undefined,
      },
      "reply envelope": {
        made: answered.signature,
        isTaken: (signature) => isReplyTo({ ...answered, signature }, asked, request),
      },
      "client's request": {
        made: stamp.signature,
        isTaken: (signature) => isStampValid({ ...stamp, signature }, { method: "POST", path }),
      },
    };
  }

  test("for one purpose is worth nothing for another: transactions, batches, envelopes, replies, clients' requests", async () => {
    const all = Object.entries(await purposes());
    expect(all).toHaveLength(5);
    for (const [made, { made: signature }] of all)
      for (const [purpose, { isTaken }] of all)
        expect(isTaken(signature), `made for a ${made}, used for a ${purpose}`).toBe(made === purpose);
  });
});

describe("another network with the same parties and keys", () => {
  let other: SmallNetwork;
  beforeEach(async () => {
    other = await SmallNetwork.found({ rules: { networkId: "another" } });
    await other.join("alice");
    await other.join("bob");
    for (const name of ["alice", "bob"]) await other.fund(name, 10_000_000);
  });
  afterEach(() => other.close());

  async function finalOf(network: SmallNetwork): Promise<readonly SignedTransaction[]> {
    return Promise.all(
      [...network.commitLog.scan()].map(async ({ bytes }) => {
        const signed = unwrap(decodeSignedTransaction(new Uint8Array(bytes)));
        const reply = await network.ask("alice", "notary", "notarise", signed);
        if (reply.tag !== "notarised") throw new Error("it repeats its answer");
        return { ...signed, notarySignature: reply.signature };
      }),
    );
  }

  function noticeOf({ transaction, signatures, notarySignature }: SignedTransaction): Uint8Array {
    const outputs = transaction.content.outputs.map((_, index) => index);
    const tearOff = tearOffOf(transaction, { inputs: [], outputs, head: "all" });
    return encodeNotice({
      txId: transaction.id,
      tearOff,
      signatures,
      notarySignature: notarySignature as NotarySignature,
    });
  }

  test("gives nothing that is worth something here: neither to the notary nor to nodes, whole or in part", async () => {
    for (const name of ["alice", "bob", "notary", "verifier"]) expect(other.key(name)).toBe(small.key(name));
    await other.run("alice", promising("p", 5_000));
    await other.run("alice", auctioning(other, "auction", 1_000));
    const before = await small.everything();
    const foreign = await finalOf(other);
    expect(foreign.length).toBeGreaterThan(5);
    const seen = new Set<string>();
    for (const final of foreign) {
      expect(refusalIn(await stage.ask("bob", "notary", "notarise", final))).toEqual({ tag: "signature_invalid" });
      for (const name of ["alice", "verifier"]) {
        const whole = refusalIn(await stage.ask("bob", name, "final", final)).tag;
        const part = refusalIn(await stage.send("bob", name, { tag: "notice", notice: noticeOf(final) })).tag;
        for (const tag of [whole, part]) {
          expect(["signature_invalid", "role_not_allowed", "dependency_unknown"]).toContain(tag);
          seen.add(tag);
        }
      }
    }
    expect(seen).toContain("signature_invalid");
    expect(await small.everything()).toEqual(before);
    await small.run("alice", promising("p", 5_000));
    const own = (await finalOf(small)).at(-1);
    expect(own && (await stage.ask("bob", "verifier", "final", own))).toEqual({ tag: "stored" });
  });
});

/** Keys under which a signature is valid for many messages, and other spellings of keys. */
const WEAK_KEYS: readonly string[] = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  `00${"00".repeat(30)}80`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
  "ff".repeat(32),
];

describe("a key of small order, or not in its one spelling", () => {
  const outcome = (result: Result<unknown, LedgerRefusal>): string => (result.ok ? "done" : result.error.tag);

  test("becomes no member, delegate, verifier or observer, neither by a command nor by hand", async () => {
    const [member] = await small.resolved("alice", "member");
    const [parameters] = await small.resolved("alice", "network-parameters");
    if (member?.state.tag !== "member" || parameters === undefined) throw new Error("alice knows the network");
    const joining = (key: string) => ({
      tag: "join" as const,
      commandId: `join ${key}`,
      name: `n${key.slice(0, 20)}`,
      key: key as PublicKey,
      roles: ["consumer"] as const,
      capacityPerSlot: wattHours(0),
      holdingCapPerSlot: null,
      marketFee: 0n as never,
    });
    const granting = (delegate: string) => ({
      tag: "grant-mandate" as const,
      commandId: `grant ${delegate}`,
      mandateId: "weak",
      delegate: delegate as PublicKey,
      flows: ["bid"] as const,
      energyPerSlotMax: wattHours(1),
      expiresMs: SLOT_END_MS,
    });
    const amending = (key: string) => ({
      tag: "amend-parameters" as const,
      commandId: `amend ${key}`,
      changes: { observers: [{ key: key as PublicKey, sees: [] }] },
    });
    expect(outcome(await small.submit("alice", granting(small.key("bob"))))).toBe("done");
    expect(outcome(await small.submit("grid-authority", amending(small.key("bob"))))).toBe("done");
    const before = await small.everything();
    const [now] = await small.resolved("alice", "network-parameters");
    for (const key of WEAK_KEYS) {
      expect(outcome(await small.submit("grid-authority", joining(key))), key).toBe("command_malformed");
      expect(outcome(await small.submit("alice", granting(key))), key).toBe("command_malformed");
      expect(outcome(await small.submit("grid-authority", amending(key))), key).toBe("command_malformed");
      const made: readonly State[] = [{ ...member.state, key: key as PublicKey, name: "weak" }];
      const content: Transaction = {
        inputs: [],
        references: now === undefined ? [] : [now.ref],
        outputs: made,
        command: { tag: "join" },
        signers: [small.key("grid-authority")],
        notary: small.key("notary"),
        window: { fromMs: null, untilMs: null },
      };
      const byHand = small.craft(content, "grid-authority");
      expect(refusalIn(await stage.ask("bob", "notary", "notarise", byHand)), key).toEqual({
        tag: "transaction_malformed",
      });
    }
    expect(await small.everything()).toEqual(before);
  });

  test("is no client's and no peer's", async () => {
    const served = await ServedNode.start(small, "alice", { owners: WEAK_KEYS as PublicKey[] });
    try {
      const alice = small.signer("alice");
      const path = "/v1/states/funds";
      expect((await served.send(alice, "GET", path)).status).toBe(200);
      for (const key of WEAK_KEYS) {
        // R the neutral element and S zero: valid for every message, where such keys are taken.
        const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]).toString("base64url");
        const authorization = served
          .signed(alice, "GET", path)
          .replace(`key=${alice.publicKey}`, `key=${key}`)
          .replace(/signature=.*$/, `signature=${forged}`);
        const answer = await served.send(alice, "GET", path, { authorization });
        expect([answer.status, answer.json]).toMatchObject([401, { code: "request_unsigned" }]);
        const envelope = {
          networkId: small.ledger.networkId,
          from: alice.publicKey,
          to: small.key("bob"),
          id: new Uint8Array(16),
          sentMs: 0,
          messages: [new Uint8Array(1)],
        };
        const { bytes } = sealEnvelope(envelope, alice);
        const altered = Buffer.from(bytes);
        const at = altered.indexOf(Buffer.from(alice.publicKey, "hex"));
        Buffer.from(key, "hex").copy(altered, at);
        expect(decodeEnvelope(bytes).ok).toBe(true);
        expect(decodeEnvelope(new Uint8Array(altered))).toEqual({ ok: false, error: "envelope_malformed" });
      }
    } finally {
      await served.close();
    }
  });
});

describe("a transaction with an output that its signers are not shown", () => {
  test("has another id than the one that they signed, and with the output left out it is none", async () => {
    const { transaction } = await stage.taken("alice", ordering(small, "o", "bid", 1_000, 100_000));
    stage.proving("alice");
    const before = await small.everything();
    const shown = small.craft(transaction.content, "alice", "marketplace", "verifier");
    const stolen: State = { tag: "funds", owner: small.key("bob"), amount: micros(1_000) };
    const real = small.craft({ ...transaction.content, outputs: [...transaction.content.outputs, stolen] }, "alice");
    const moved = { ...real, signatures: shown.signatures };
    expect(refusalIn(await stage.ask("alice", "notary", "notarise", moved))).toEqual({ tag: "signature_invalid" });
    // The same bytes with one output taken out, or put behind its hash.
    const [body, signatures] = unwrap(decodeCbor(encodeSignedTransaction(real))) as [Uint8Array, CborValue];
    const [version, salt, counts, components] = unwrap(decodeCbor(body)) as [
      number,
      Uint8Array,
      number[],
      Uint8Array[],
    ];
    const last = (counts[0] ?? 0) + (counts[1] ?? 0) + (counts[2] ?? 0) - 1;
    const hidden = [
      [counts, components.filter((_, index) => index !== last)],
      [counts, components.map((each, index) => (index === last ? seededEntropy("a", "hash").bytes(32) : each))],
      [counts.map((count, index) => (index === 2 ? count - 1 : count)), components],
    ] as const;
    for (const [someCounts, some] of hidden) {
      const bytes = encodeCbor([encodeCbor([version, salt, [...someCounts], [...some]]), signatures, null]);
      for (const [name, tag] of [
        ["verifier", "sign"],
        ["verifier", "final"],
        ["notary", "notarise"],
      ] as const)
        expect(refusalIn(await stage.send("alice", name, { tag, transaction: bytes }))).toEqual({
          tag: "transaction_malformed",
        });
    }
    // Shown fewer outputs in a whole transaction of its own, a signer signs that one, which is worth nothing for the other.
    const fewer = small.craft({ ...transaction.content, outputs: transaction.content.outputs.slice(1) }, "alice");
    expect((await stage.ask("alice", "verifier", "sign", fewer)).tag).toBe("refused");
    expect(await small.everything()).toEqual(before);
    expect((await stage.ask("alice", "verifier", "sign", shown)).tag).toBe("signed");
    expect((await stage.ask("alice", "notary", "notarise", shown)).tag).toBe("notarised");
  });
});

describe("a stolen delegate's key", () => {
  test("signs nothing at a node that is not its principal's", async () => {
    const signer = signerFromSeed(new Uint8Array(32).fill(9));
    await small.run("alice", {
      tag: "grant-mandate",
      commandId: "grant",
      mandateId: "agent",
      delegate: signer.publicKey,
      flows: ["create-promises"],
      energyPerSlotMax: wattHours(5_000),
      expiresMs: SLOT_END_MS,
    });
    const proposed = await small.node("alice").propose(promising("hers", 1_000), signer.publicKey);
    expect(proposed.ok).toBe(true);
    const before = await small.everything();
    expect(await small.node("bob").propose(promising("his", 1_000), signer.publicKey)).toMatchObject({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    expect(await small.everything()).toEqual(before);
  });
});
