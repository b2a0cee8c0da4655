/** The bytes of what nodes ask and answer: every message has one encoding, and no other bytes are read. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildTransaction,
  type Dependency,
  decodePeerReply,
  decodePeerRequest,
  encodePeerReply,
  encodePeerRequest,
  LEDGER_REFUSALS,
  PEER_MESSAGE_BYTES_MAX,
  type PeerReply,
  type PeerRequest,
  type StateRef,
  tearOff,
} from "#contracts";
import {
  CBOR_BYTES_MAX,
  type CborValue,
  decodeCbor,
  encodeCbor,
  hashOf,
  InvariantError,
  localDay,
  micros,
  toHex,
  unwrap,
} from "#core";
import {
  arbLedgerRefusalOf,
  arbPeerReplyOf,
  arbPeerRequestOf,
  funds,
  keyOf,
  PEER_REPLY_TAGS,
  PEER_REQUEST_TAGS,
} from "#testkit";
import { DEPENDENCIES_MAX } from "./dependency-codec.ts";

const SALT = Uint8Array.from({ length: 32 }, (_, index) => index);

/** Proofs of the first outputs of a transaction that makes `outputs` funds. */
function proofs(outputs: number, proved: number, seed = 0): readonly Dependency[] {
  const transaction = buildTransaction(
    {
      inputs: [],
      references: [],
      outputs: Array.from({ length: outputs }, (_, index) => funds("alice", BigInt(seed + index + 1))),
      command: { tag: "issue-funds" },
      signers: [keyOf("payment provider")],
      notary: keyOf("notary"),
      window: { fromMs: null, untilMs: null },
    },
    SALT,
  );
  const notarySignature = { by: keyOf("notary"), signature: new Uint8Array(64), position: 0, path: [], batchSize: 1 };
  return Array.from({ length: proved }, (_, index) => ({
    ref: { txId: transaction.id, index },
    tearOff: tearOff(transaction, [index]),
    notarySignature,
  }));
}

describe("laws", () => {
  test.each(PEER_REQUEST_TAGS)("the request %s is read as it was written", (tag) => {
    fc.assert(
      fc.property(arbPeerRequestOf(tag), (request) => {
        expect(decodePeerRequest(encodePeerRequest(request))).toEqual({ ok: true, value: request });
      }),
      { numRuns: 50 },
    );
  });

  test.each(PEER_REPLY_TAGS)("the reply %s is read as it was written", (tag) => {
    fc.assert(
      fc.property(arbPeerReplyOf(tag), (reply) => {
        expect(decodePeerReply(encodePeerReply(reply))).toEqual({ ok: true, value: reply });
      }),
      { numRuns: 50 },
    );
  });

  test.each(LEDGER_REFUSALS)("the refusal %s travels with all that it says", (code) => {
    fc.assert(
      fc.property(arbLedgerRefusalOf(code), (refusal) => {
        const reply: PeerReply = { tag: "refused", refusal };
        expect(decodePeerReply(encodePeerReply(reply))).toEqual({ ok: true, value: reply });
      }),
      { numRuns: 20 },
    );
  });
});

describe("known encodings: an accidental change of the wire form fails here", () => {
  test.each<readonly [string, PeerRequest]>([
    ["82647369676e814301 0203", { tag: "sign", transaction: Uint8Array.of(1, 2, 3) }],
    ["826873657175656e6365811903e8", { tag: "sequence", count: 1_000 }],
    ["8266 6269642d6f66 81 6161", { tag: "bid-of", auctionId: "a" }],
    ["826466756e6482616607", { tag: "fund", flowId: "f", amount: micros(7) }],
    [
      `8268706f736974696f6e825820${keyOf("alice")}6a323033312d30362d3031`,
      { tag: "position", member: keyOf("alice"), day: localDay("2031-06-01") },
    ],
  ])("%s", (hex, request) => {
    expect(toHex(encodePeerRequest(request))).toBe(hex.replaceAll(" ", ""));
  });

  test("replies", () => {
    expect(toHex(encodePeerReply({ tag: "stored" }))).toBe("826673746f72656480");
    const refused: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };
    expect(toHex(encodePeerReply(refused))).toBe(
      "82677265667573656481 82706e6f64655f756e726561636861626c65 80".replaceAll(" ", ""),
    );
  });
});

describe("proofs of one transaction's states", () => {
  test("carry its hashes once: a hundred of them take little more room than what they show", () => {
    const one = encodePeerReply({ tag: "proved", dependencies: proofs(1_000, 1) }).length;
    const hundred = encodePeerReply({ tag: "proved", dependencies: proofs(1_000, 100) }).length;
    expect(one).toBeGreaterThan(1_000 * 32);
    expect(hundred - one).toBeLessThan(99 * 150);
  });

  test("what the largest transaction names can be proved in one message", () => {
    const dependencies = Array.from({ length: DEPENDENCIES_MAX }, (_, index) => proofs(1, 1, index)).flat();
    const bytes = encodePeerReply({ tag: "resolved", dependencies });
    expect(toHex(encodePeerReply(unwrap(decodePeerReply(bytes))))).toBe(toHex(bytes));
  });

  const [first, second] = [proofs(2, 2), proofs(1, 1, 9)];
  const table = (change: (proofs: CborValue[], items: CborValue[][]) => void): Uint8Array => {
    const bytes = encodePeerReply({ tag: "proved", dependencies: [...first, ...second] });
    const [tag, fields] = unwrap(decodeCbor(bytes)) as [string, [[CborValue[], CborValue[][]]]];
    change(...fields[0]);
    return encodeCbor([tag, fields]);
  };
  test.each<readonly [string, (proofs: CborValue[], items: CborValue[][]) => void]>([
    ["with one that no state uses", (all) => all.push(all[1] as CborValue)],
    [
      "one twice",
      (all, items) => {
        all[1] = all[0] as CborValue;
        items.pop();
        items.push([1, 1, []]);
      },
    ],
    ["one too few", (all) => all.pop()],
    ["with a state before them", (_all, items) => items.reverse()],
  ])("%s: refused", (_what, change) => {
    expect(decodePeerReply(table(() => undefined)).ok).toBe(true);
    expect(decodePeerReply(table(change))).toEqual({ ok: false, error: "message_malformed" });
  });

  test("a position proves one state or none", () => {
    const reply = (exposure: readonly Dependency[]): Uint8Array => {
      const proved = unwrap(
        decodeCbor(encodePeerReply({ tag: "proved", dependencies: exposure })),
      ) as readonly CborValue[];
      return encodeCbor(["position", [(proved[1] as readonly CborValue[])[0] ?? null, null]]);
    };
    expect(decodePeerReply(reply(second)).ok).toBe(true);
    expect(decodePeerReply(reply(first)).ok).toBe(false);
    expect(decodePeerReply(reply([])).ok).toBe(false);
  });
});

describe("limits", () => {
  const ref: StateRef = { txId: hashOf("transaction"), index: 0 };
  const tooMany = Array.from({ length: DEPENDENCIES_MAX + 1 }, () => ref);
  test.each<readonly [string, CborValue]>([
    ["nothing", ["sign", [new Uint8Array(0)]]],
    ["a transaction beyond any", ["sign", [new Uint8Array(CBOR_BYTES_MAX + 1)]]],
    ["too many references", ["resolve", [new Uint8Array(32), tooMany.map(() => [new Uint8Array(32), 0])]]],
    ["an output that no transaction has", ["resolve", [new Uint8Array(32), [[new Uint8Array(32), 4_096]]]]],
    ["no number", ["sequence", [0]]],
    ["all numbers", ["sequence", [10_001]]],
    ["a day that is none", ["position", [new Uint8Array(32).fill(9), "2031-02-30"]]],
    ["an id beyond any", ["bid-of", ["a".repeat(121)]]],
    ["an id with a line break", ["bid-of", ["a\nb"]]],
    ["an id that is not in normal form", ["bid-of", ["u\u0308"]]],
    ["an unknown tag", ["obey", []]],
    ["a tag of every object", ["constructor", []]],
    ["a field too many", ["bid-of", ["a", "b"]]],
    ["a field too few", ["bid-of", []]],
    ["an element too many", ["bid-of", ["a"], null]],
    ["no list", "sign"],
    ["null", null],
  ])("%s is refused", (_what, value) => {
    expect(decodePeerRequest(encodeCbor(value))).toEqual({ ok: false, error: "message_malformed" });
  });

  test("a message of more bytes than the limit is refused before it is read, and is not written", () => {
    const most = new Uint8Array(PEER_MESSAGE_BYTES_MAX + 1);
    expect(decodePeerRequest(most).ok || decodePeerReply(most).ok).toBe(false);
    const component = new Uint8Array(PEER_MESSAGE_BYTES_MAX / 4);
    const revealed = Array.from({ length: 4 }, (_, position) => ({ position, nonce: SALT, component }));
    const dependencies = proofs(1, 1).map((one) => ({ ...one, tearOff: { ...one.tearOff, revealed } }));
    expect(() => encodePeerReply({ tag: "proved", dependencies })).toThrow(InvariantError);
  });

  test("our own code does not write what nobody would read", () => {
    expect(() => encodePeerRequest({ tag: "sequence", count: -1 })).toThrow(InvariantError);
    expect(() => encodePeerRequest({ tag: "bid-of", auctionId: "a\n" })).toThrow(InvariantError);
    expect(() => encodePeerRequest({ tag: "obey" } as unknown as PeerRequest)).toThrow(InvariantError);
  });
});
