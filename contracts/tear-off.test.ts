/** Tear-offs and notices: they prove what they show, show no more, and nothing can be slipped into them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildTransaction,
  decodeNotice,
  encodeNotice,
  openComponents,
  openTearOff,
  type Selection,
  signBatch,
  signTransaction,
  stateCodec,
  type TearOff,
  tearOff,
  tearOffOf,
  type WireTransaction,
} from "#contracts";
import { encodeCbor, type Hash, hashOf, isAcceptablePublicKey, type PublicKey, sha256, toHex } from "#core";
import { arbTransaction, auction, funds, keyOf, signerOf, tariff, VALID } from "#testkit";

const SALT = sha256(new Uint8Array([7]));
const wire = buildTransaction(VALID["clear-pool"]().resolved().content, SALT);
const { counts } = wire;
const INVALID = { ok: false, error: "tear_off_invalid" };

describe("a tear-off", () => {
  test("proves the outputs that it shows", () => {
    const opened = openTearOff(tearOff(wire, [0, 3]), wire.id);
    expect(opened.ok && [...opened.value]).toEqual([
      [0, wire.content.outputs[0]],
      [3, wire.content.outputs[3]],
    ]);
  });

  test("of nothing proves nothing, and is sound", () => {
    const opened = openTearOff(tearOff(wire, []), wire.id);
    expect(opened.ok && opened.value.size).toBe(0);
  });

  test("of any part of any transaction opens to that part", () => {
    const arbSelected = arbTransaction.chain((content) =>
      fc.record({
        content: fc.constant(content),
        inputs: fc.subarray(content.inputs.map((_, index) => index)),
        outputs: fc.subarray(content.outputs.map((_, index) => index)),
        head: fc.constantFrom<Selection["head"]>("none", "signers", "all"),
      }),
    );
    fc.assert(
      fc.property(arbSelected, ({ content, inputs, outputs, head }) => {
        const built = buildTransaction(content, SALT);
        const opened = openComponents(tearOffOf(built, { inputs, outputs, head }), built.id);
        expect(opened).toEqual({
          ok: true,
          value: {
            inputs: new Map(inputs.map((index) => [index, content.inputs[index]])),
            outputs: new Map(outputs.map((index) => [index, content.outputs[index]])),
            command: head === "all" ? content.command : undefined,
            signers: head === "none" ? undefined : content.signers,
            notary: head === "none" ? undefined : content.notary,
            window: head === "none" ? undefined : content.window,
          },
        });
      }),
      { numRuns: 60 },
    );
  });

  test("contains neither the salt nor a byte of what it hides", () => {
    const torn = tearOff(wire, [1]);
    expect(torn.revealed).toHaveLength(1);
    const bytes =
      torn.revealed.map(({ nonce, component }) => toHex(nonce) + toHex(component)).join() +
      torn.hashes.map(toHex).join();
    expect(bytes).not.toContain(toHex(SALT));
    for (const [index, component] of wire.components.entries()) {
      const shown = index === counts.inputs + counts.references + 1;
      expect(bytes.includes(toHex(component)), `component ${index}`).toBe(shown);
    }
  });

  test("hides equal components behind different hashes: a guess cannot be checked", () => {
    const twins = buildTransaction(
      { ...wire.content, inputs: [], references: [], outputs: [funds("alice", 1), funds("alice", 1)] },
      SALT,
    );
    const [first, second] = twins.hashes as [Uint8Array, Uint8Array];
    expect(toHex(first)).not.toBe(toHex(second));
    const again = buildTransaction(twins.content, sha256(SALT));
    expect(toHex(again.hashes[0] as Uint8Array)).not.toBe(toHex(first));
  });

  test("shows only what exists", () => {
    expect(() => tearOff(wire, [counts.outputs])).toThrow();
    expect(() => tearOffOf(wire, { inputs: [counts.inputs], outputs: [], head: "none" })).toThrow();
  });
});

describe("refused", () => {
  const torn = tearOffOf(wire, { inputs: [0], outputs: [0, 1], head: "all" });
  const spoiled = (patch: Partial<TearOff>): TearOff => ({ ...torn, ...patch });
  const flipped = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));
  const revealed = (change: (each: TearOff["revealed"][number]) => TearOff["revealed"][number]): TearOff =>
    spoiled({ revealed: torn.revealed.map((each, index) => (index === 1 ? change(each) : each)) });

  test("for another transaction", () => {
    expect(openTearOff(torn, hashOf("other"))).toEqual(INVALID);
  });

  test("with an output that is altered", () => {
    expect(
      openTearOff(
        revealed((each) => ({ ...each, component: flipped(each.component) })),
        wire.id,
      ),
    ).toEqual(INVALID);
    const other = encodeCbor(stateCodec.encode(funds("mallory", 1_000_000)));
    expect(
      openTearOff(
        revealed((each) => ({ ...each, component: other })),
        wire.id,
      ),
    ).toEqual(INVALID);
  });

  test("with an output in another place, or in none", () => {
    for (const position of [0, 2, -1, torn.hashes.length, 0.5, Number.NaN, 2 ** 32])
      expect(
        openTearOff(
          revealed((each) => ({ ...each, position: each.position === position ? position + 1 : position })),
          wire.id,
        ),
      ).toEqual(INVALID);
  });

  test("with another nonce", () => {
    expect(
      openTearOff(
        revealed((each) => ({ ...each, nonce: flipped(each.nonce) })),
        wire.id,
      ),
    ).toEqual(INVALID);
  });

  test("with a hash altered, left out, added or moved", () => {
    const [first, second, ...rest] = torn.hashes as [Uint8Array, Uint8Array, ...Uint8Array[]];
    expect(openTearOff(spoiled({ hashes: [flipped(first), second, ...rest] }), wire.id)).toEqual(INVALID);
    expect(openTearOff(spoiled({ hashes: [second, ...rest] }), wire.id)).toEqual(INVALID);
    expect(openTearOff(spoiled({ hashes: [first, first, second, ...rest] }), wire.id)).toEqual(INVALID);
    expect(openTearOff(spoiled({ hashes: [second, first, ...rest] }), wire.id)).toEqual(INVALID);
  });

  test("with the same bytes of hashes cut at other places: an output would take another's index", () => {
    const [first, second, ...rest] = torn.hashes as [Uint8Array, Uint8Array, ...Uint8Array[]];
    const joined = Uint8Array.of(...first, ...second);
    expect(openTearOff(spoiled({ hashes: [new Uint8Array(0), joined, ...rest], revealed: [] }), wire.id)).toEqual(
      INVALID,
    );
  });

  test("with other counts: an input would be taken for an output", () => {
    for (const changed of [
      { ...counts, inputs: counts.inputs + 1 },
      { ...counts, inputs: counts.inputs - 1, outputs: counts.outputs + 1 },
      { ...counts, inputs: counts.inputs + 2 ** 32, outputs: counts.outputs - 2 ** 32 },
      { ...counts, inputs: counts.inputs - 2 ** 32, outputs: counts.outputs + 2 ** 32 },
      { ...counts, inputs: Number.NaN },
    ])
      expect(openTearOff(spoiled({ counts: changed }), wire.id)).toEqual(INVALID);
  });

  test("with a nonce of another length: the end of a component would pass for a state of its own", () => {
    // A key whose last bytes read as an empty tariff. Keys are chosen freely, so anybody can make such an auction.
    const hidden = encodeCbor(stateCodec.encode({ ...tariff(), slots: [], feedIn: [], retail: [] }));
    const key = toHex(Uint8Array.of(...new Uint8Array(32 - hidden.length).fill(5), ...hidden)) as PublicKey;
    expect(isAcceptablePublicKey(key)).toBe(true);
    const built = buildTransaction(
      { ...wire.content, inputs: [], references: [], outputs: [auction({ highestBidder: key })] },
      SALT,
    );
    const honest = tearOff(built, [0]);
    const [{ nonce, component }] = honest.revealed as [TearOff["revealed"][number]];
    const cut = component.length - hidden.length;
    const forged = {
      ...honest,
      revealed: [
        { position: 0, nonce: Uint8Array.of(...nonce, ...component.slice(0, cut)), component: component.slice(cut) },
      ],
    };
    expect(openTearOff(honest, built.id).ok).toBe(true);
    expect(openTearOff(forged, built.id)).toEqual(INVALID);
  });

  test("whatever is made of it, it does not throw", () => {
    const arbBytes = fc.uint8Array({ maxLength: 40 });
    const arbTorn: fc.Arbitrary<TearOff> = fc.record({
      counts: fc.record({ inputs: fc.nat({ max: 2 }), references: fc.nat({ max: 2 }), outputs: fc.nat({ max: 2 }) }),
      hashes: fc.array(fc.oneof(arbBytes, fc.uint8Array({ minLength: 32, maxLength: 32 })), { maxLength: 8 }),
      revealed: fc.array(
        fc.record({ position: fc.integer({ min: -1, max: 9 }), nonce: arbBytes, component: arbBytes }),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(arbTorn, (any) => {
        expect(openTearOff(any, wire.id)).toEqual(INVALID);
      }),
    );
  });
});

describe("notices", () => {
  const noticeOf = (transaction: WireTransaction, txId: Hash = transaction.id): Parameters<typeof encodeNotice>[0] => {
    const [notarySignature] = signBatch("testkit", [transaction.id, hashOf("other")], signerOf("notary"));
    if (notarySignature === undefined) throw new Error("a batch of two has two answers");
    return {
      txId,
      tearOff: tearOffOf(transaction, { inputs: [0], outputs: [1], head: "signers" }),
      signatures: [signTransaction("testkit", transaction, signerOf("alice"))],
      notarySignature,
    };
  };

  test("come back as they were", () => {
    expect(decodeNotice(encodeNotice(noticeOf(wire)))).toEqual({ ok: true, value: noticeOf(wire) });
  });

  test("random and spoiled bytes never throw", () => {
    const bytes = encodeNotice(noticeOf(wire));
    const arbSpoiled = fc
      .tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }))
      .map(([at, byte]) => Uint8Array.from(bytes, (each, index) => (index === at ? byte : each)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), arbSpoiled), (input) => {
        expect(typeof decodeNotice(input).ok).toBe("boolean");
      }),
      { numRuns: 200 },
    );
    expect(decodeNotice(new Uint8Array(2_000_000))).toEqual({ ok: false, error: "transaction_too_large" });
  });

  test("the parties of the example are those of the test network", () => {
    expect(wire.content.signers).toContain(keyOf("marketplace"));
  });
});
