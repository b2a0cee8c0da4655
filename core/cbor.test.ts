/** Canonical CBOR: one encoding of each value, and nothing else is read. Examples in hexadecimal are by RFC 8949 appendix A. */
import * as cborg from "cborg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CBOR_BYTES_MAX, type CborValue, decodeCbor, encodeCbor, equalBytes, fromHex, toHex } from "./index.ts";

describe("known encodings", () => {
  test.each<readonly [string, CborValue]>([
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["1903e8", 1_000],
    ["1b000000e8d4a51000", 1_000_000_000_000],
    ["20", -1],
    ["3903e7", -1_000],
    ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["1b0020000000000000", 2n ** 53n],
    ["1bffffffffffffffff", 2n ** 64n - 1n],
    ["3bffffffffffffffff", -(2n ** 64n)],
    ["f4", false],
    ["f5", true],
    ["f6", null],
    ["40", new Uint8Array(0)],
    ["4401020304", Uint8Array.of(1, 2, 3, 4)],
    ["60", ""],
    ["62c3bc", "ü"],
    ["80", []],
    ["8301820203820405", [1, [2, 3], [4, 5]]],
  ])("%s", (hex, value) => {
    expect(toHex(encodeCbor(value))).toBe(hex);
    expect(decodeCbor(fromHex(hex))).toEqual({ ok: true, value });
  });

  test("an integer is written alike as number and as bigint", () => {
    for (const value of [0, 1, 23, 24, 255, 256, 65_536, 2 ** 40, -1, -25, -(2 ** 40)])
      expect(encodeCbor(BigInt(value))).toEqual(encodeCbor(value));
  });
});

describe("refused", () => {
  test.each([
    ["nothing", ""],
    ["an integer in two bytes that fits in one", "1817"],
    ["an integer in three bytes that fits in two", "190018"],
    ["an integer in nine bytes that fits in five", "1b00000000ffffffff"],
    ["a length in two bytes that fits in one", "580100"],
    ["a text length in two bytes that fits in one", "780161"],
    ["a list length in two bytes that fits in one", "980100"],
    ["an endless list", "9f0102ff"],
    ["endless bytes", "5f41014102ff"],
    ["an endless text", "7f61616162ff"],
    ["a map", "a16161f6"],
    ["an empty map", "a0"],
    ["a map with unsorted keys", "a2616201616101"],
    ["a map with a key twice", "a2616101616101"],
    ["a map in a list", "81a0"],
    ["a float that is no integer", "f93e00"],
    ["a float that is an integer", "f93c00"],
    ["a float in nine bytes", "fb3ff0000000000000"],
    ["minus zero", "f98000"],
    ["not a number", "f97e00"],
    ["infinity", "f97c00"],
    ["undefined", "f7"],
    ["an unassigned simple value", "e0"],
    ["a simple value in two bytes", "f8ff"],
    ["a tag", "c100"],
    ["a tagged big integer", "c249010000000000000000"],
    ["text that is not UTF-8", "62c328"],
    ["text that ends within a character", "61c3"],
    ["an overlong slash", "62c0af"],
    ["half of a surrogate pair", "63eda080"],
    ["a trailing byte", "0000"],
    ["a trailing list", "8080"],
    ["a list that ends early", "8201"],
    ["bytes that end early", "430102"],
    ["a list longer than memory", "9affffffff"],
    ["a list whose length has 64 bits", "9bffffffffffffffff"],
    ["bytes whose length has 64 bits", "5bffffffffffffffff"],
    ["a break without a start", "ff"],
    ["a reserved length", "1c"],
  ])("%s", (_what, hex) => {
    expect(decodeCbor(fromHex(hex)).ok).toBe(false);
  });

  test("nesting beyond sixteen lists", () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...Array.from({ length: depth }, () => 0x81), 0x00]);
    expect(decodeCbor(nested(16)).ok).toBe(true);
    expect(decodeCbor(nested(17))).toEqual({ ok: false, error: "cbor_malformed" });
    expect(decodeCbor(new Uint8Array(900_000).fill(0x81)).ok).toBe(false); // Deeper than the stack.
  });

  test("more bytes than the limit", () => {
    const longest = encodeCbor(new Uint8Array(CBOR_BYTES_MAX - 5));
    expect(longest).toHaveLength(CBOR_BYTES_MAX);
    expect(decodeCbor(longest).ok).toBe(true);
    expect(decodeCbor(encodeCbor(new Uint8Array(CBOR_BYTES_MAX - 4)))).toEqual({ ok: false, error: "cbor_too_long" });
  });
});

const arbCbor: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((value) => (value === 0 ? 0 : value)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) }),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 70 }),
    fc.array(tie("value"), { maxLength: 30 }),
  ),
})).value;

describe("laws", () => {
  test("what is encoded is decoded as the same value", () => {
    fc.assert(
      fc.property(arbCbor, (value) => {
        expect(decodeCbor(encodeCbor(value))).toEqual({ ok: true, value });
      }),
    );
  });

  test("bytes that are read are the one encoding of what was read; random bytes never throw", () => {
    const arbMutated = fc.tuple(arbCbor, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
      const bytes = Uint8Array.from(encodeCbor(value));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), arbMutated), (bytes) => {
        const decoded = decodeCbor(bytes);
        if (decoded.ok) expect(equalBytes(encodeCbor(decoded.value), bytes)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("bytes are equal when all of them are", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false);
});

describe("against cborg, an independent implementation", () => {
  const arbitrary: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 30 }),
    ),
  })).value;

  test("encodes every value to the same bytes", () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(encodeCbor(value)).toEqual(new Uint8Array(cborg.encode(value, cborg.rfc8949EncodeOptions)));
      }),
    );
  });

  test("accepts only bytes that cborg encodes its own reading of to the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const decoded = decodeCbor(bytes);
        if (!decoded.ok) return;
        const read: unknown = cborg.decode(bytes, { strict: true, allowIndefinite: false, allowBigInt: true });
        expect(new Uint8Array(cborg.encode(read, cborg.rfc8949EncodeOptions))).toEqual(bytes);
        expect(encodeCbor(decoded.value)).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});
