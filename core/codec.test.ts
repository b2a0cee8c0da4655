/** Codecs: what they write they read, and what is out of range, too long or of another type they refuse by name and place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boolean,
  bytes,
  type CborValue,
  type Codec,
  dayCodec,
  decodeCbor,
  encodeCbor,
  energyCodec,
  hashCodec,
  hashOf,
  InvariantError,
  instantMs,
  integer,
  type LocalDay,
  listOf,
  moneyCodec,
  nullable,
  oneOf,
  priceCodec,
  publicKeyCodec,
  signerFromSeed,
  slotAt,
  slotCodec,
  struct,
  text,
  variant,
} from "./index.ts";

const INT64_MAX = 2n ** 63n - 1n;
const KEY = signerFromSeed(new Uint8Array(32).fill(7)).publicKey;

/** Through real bytes, as on the wire. */
function roundTrip<T>(codec: Codec<T>, value: T): unknown {
  const read = decodeCbor(encodeCbor(codec.encode(value)));
  if (!read.ok) return read;
  return codec.decode(read.value, "");
}

function expectRoundTrip<T>(codec: Codec<T>, arb: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(arb, (value) => {
      expect(roundTrip(codec, value)).toEqual({ ok: true, value });
    }),
  );
}

const arbInt64 = fc.bigInt({ min: -INT64_MAX, max: INT64_MAX });
const arbText = fc
  .string({ unit: "binary", maxLength: 12 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are not text
  .filter((value) => !/[\u0000-\u001f\u007f]/.test(value) && value === value.normalize("NFC") && value.length <= 12);

describe("round trips", () => {
  test("text", () => expectRoundTrip(text(12), arbText));
  test("integer", () => expectRoundTrip(integer(-5, 2 ** 40), fc.integer({ min: -5, max: 2 ** 40 })));
  test("instant", () => expectRoundTrip(instantMs, fc.integer({ min: 0, max: 8.64e15 })));
  test("boolean", () => expectRoundTrip(boolean, fc.boolean()));
  test("energy", () => expectRoundTrip(energyCodec as Codec<bigint>, fc.bigInt({ min: 0n, max: INT64_MAX })));
  test("money", () => expectRoundTrip(moneyCodec as Codec<bigint>, arbInt64));
  test("price", () => expectRoundTrip(priceCodec as Codec<bigint>, arbInt64));
  test("hash", () =>
    expectRoundTrip(
      hashCodec,
      fc.string().map((value) => hashOf(value)),
    ));
  test("bytes", () => expectRoundTrip(bytes(2, 9), fc.uint8Array({ minLength: 2, maxLength: 9 })));
  test("slot", () =>
    expectRoundTrip(
      slotCodec,
      fc.integer({ min: 0, max: 4e12 }).map((atMs) => slotAt(atMs, 15).id),
    ));
  test("day", () =>
    expectRoundTrip(
      dayCodec,
      fc.integer({ min: 0, max: 40_000 }).map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10) as LocalDay),
    ));
  test("choice", () => expectRoundTrip(oneOf("left", "right"), fc.constantFrom("left" as const, "right" as const)));
  test("key", () => expect(roundTrip(publicKeyCodec, KEY)).toEqual({ ok: true, value: KEY }));
  test("null or a value", () => expectRoundTrip(nullable(integer(0, 9)), fc.option(fc.integer({ min: 0, max: 9 }))));
  test("list", () =>
    expectRoundTrip(listOf(integer(0, 9), 4), fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 })));
  test("record and tagged record", () => {
    const codec = variant({ moved: { by: integer(-9, 9), to: nullable(struct({ name: text(12) })) }, stayed: {} });
    const arb = fc.oneof(
      fc.record({
        tag: fc.constant("moved" as const),
        by: fc.integer({ min: -9, max: 9 }),
        to: fc.option(fc.record({ name: arbText })),
      }),
      fc.record({ tag: fc.constant("stayed" as const) }),
    );
    expectRoundTrip(codec, arb);
  });
});

test("the wire form of a record and of a tagged record is fixed by the order in which they are written", () => {
  expect(struct({ second: integer(0, 9), first: text(9) }).encode({ first: "a", second: 2 })).toEqual([2, "a"]);
  expect(variant({ moved: { by: integer(0, 9) } }).encode({ tag: "moved", by: 3 })).toEqual(["moved", [3]]);
});

describe("refused on reading", () => {
  const record = struct({ name: text(3), parts: listOf(integer(0, 9), 2) });
  const shape = variant({ moved: { by: integer(0, 9) }, stayed: {} });
  test.each<readonly [string, Codec<never>, CborValue, string]>([
    ["text that is too long", text(3) as Codec<never>, "abcd", "at"],
    ["a control character", text(3) as Codec<never>, "a\n", "at"],
    ["a text that is not in normal form C", text(3) as Codec<never>, "e\u0301", "at"],
    ["a number for a text", text(3) as Codec<never>, 1, "at"],
    ["an integer below", integer(1, 9) as Codec<never>, 0, "at"],
    ["an integer above", integer(1, 9) as Codec<never>, 10, "at"],
    ["a big integer for a small one", integer(1, 9) as Codec<never>, 2n ** 60n, "at"],
    ["an instant before 1970", instantMs as Codec<never>, -1, "at"],
    ["a number for true or false", boolean as Codec<never>, 1, "at"],
    ["negative energy", energyCodec as Codec<never>, -1, "at"],
    ["energy beyond 64 bits", energyCodec as Codec<never>, INT64_MAX + 1n, "at"],
    ["money beyond 64 bits", moneyCodec as Codec<never>, -INT64_MAX - 1n, "at"],
    ["a price as text", priceCodec as Codec<never>, "1", "at"],
    ["a short hash", hashCodec as Codec<never>, new Uint8Array(31), "at"],
    ["a hash as text", hashCodec as Codec<never>, hashOf("x"), "at"],
    ["a short key", publicKeyCodec as Codec<never>, new Uint8Array(31), "at"],
    ["a key of small order", publicKeyCodec as Codec<never>, new Uint8Array(32), "at"],
    ["too few bytes", bytes(2, 3) as Codec<never>, new Uint8Array(1), "at"],
    ["too many bytes", bytes(2, 3) as Codec<never>, new Uint8Array(4), "at"],
    ["a slot that is not aligned", slotCodec as Codec<never>, "2031-06-01T10:16Z/PT15M", "at"],
    ["a day that does not exist", dayCodec as Codec<never>, "2031-02-29", "at"],
    ["a choice that is not offered", oneOf("left", "right") as Codec<never>, "up", "at"],
    ["a list that is too long", listOf(integer(0, 9), 2) as Codec<never>, [1, 2, 3], "at"],
    ["a list item, by its place", listOf(integer(0, 9), 2) as Codec<never>, [1, 10], "at.1"],
    ["a record with a field too few", record as Codec<never>, ["a"], "at"],
    ["a record with a field too many", record as Codec<never>, ["a", [], 0], "at"],
    ["a record field, by its name", record as Codec<never>, ["a", [1, -1]], "at.parts.1"],
    ["an unknown tag", shape as Codec<never>, ["flew", []], "at"],
    ["a tag that is an object's own", shape as Codec<never>, ["constructor", []], "at"],
    ["a tagged record without a tag", shape as Codec<never>, [[1]], "at"],
    ["a tagged record with more behind it", shape as Codec<never>, ["moved", [1], 0], "at"],
    ["null for a record", record as Codec<never>, null, "at"],
  ])("%s", (_what, codec, value, path) => {
    expect(codec.decode(value, "at")).toMatchObject({ ok: false, error: { tag: "decode_failed", path } });
  });

  test("random values never throw", () => {
    const codec = listOf(
      nullable(variant({ a: { n: integer(0, 5), t: text(4), k: publicKeyCodec, s: slotCodec } })),
      3,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        const read = decodeCbor(input);
        if (read.ok) codec.decode(read.value, "");
      }),
      { numRuns: 500 },
    );
  });
});

describe("our own bad values stop on writing", () => {
  test.each<readonly [string, () => unknown]>([
    ["text too long", () => text(3).encode("abcd")],
    ["half of a surrogate pair", () => text(3).encode("\ud800")],
    ["an integer out of range", () => integer(0, 9).encode(10)],
    ["a fraction", () => integer(0, 9).encode(0.5)],
    ["negative energy", () => energyCodec.encode(-1n as never)],
    ["money beyond 64 bits", () => moneyCodec.encode((INT64_MAX + 1n) as never)],
    ["a list too long", () => listOf(integer(0, 9), 1).encode([1, 2])],
    ["an unknown tag", () => variant({ moved: {} }).encode({ tag: "flew" } as never)],
    ["a key that is no hexadecimal", () => publicKeyCodec.encode("xy" as never)],
  ])("%s", (_what, write) => {
    expect(write).toThrow(InvariantError);
  });
});
