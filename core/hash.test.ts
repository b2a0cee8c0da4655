/** Hashes, hexadecimal text, results and orders. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareBigint,
  compareText,
  err,
  fromHex,
  hashFromBytes,
  hashOf,
  InvariantError,
  invariant,
  ok,
  parseHash,
  sha256,
  sortedEntries,
  toHex,
  unwrap,
} from "./index.ts";

/** SHA-256 of "abc" (FIPS 180-2 appendix B.1). */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

describe("hashes", () => {
  test("a known answer, in one piece and in parts, as text and as bytes", () => {
    const bytes = new TextEncoder().encode("abc");
    expect(hashOf("abc")).toBe(ABC);
    expect(hashOf(bytes)).toBe(ABC);
    expect(toHex(sha256(bytes))).toBe(ABC);
    expect(toHex(sha256(bytes.slice(0, 1), new Uint8Array(0), bytes.slice(1)))).toBe(ABC);
    expect(hashFromBytes(sha256(bytes))).toBe(ABC);
  });

  test("a hash is 64 lower-case hexadecimal digits", () => {
    expect(parseHash(ABC)).toEqual({ ok: true, value: ABC });
    for (const text of ["", ABC.toUpperCase(), ABC.slice(1), `${ABC}0`, `${ABC}\n`, "g".repeat(64)])
      expect(parseHash(text)).toEqual({ ok: false, error: "hash_malformed" });
    expect(() => hashFromBytes(new Uint8Array(31))).toThrow(InvariantError);
  });
});

describe("hexadecimal text", () => {
  test("leads back to the bytes, also of a part of a buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 8 }), (bytes, from) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(toHex(bytes.subarray(from))).toBe(toHex(bytes).slice(2 * from));
      }),
    );
  });

  test("has pairs of digits only", () => {
    for (const text of ["a", "xy", "0 ", "0x"]) expect(() => fromHex(text)).toThrow(InvariantError);
  });
});

describe("results", () => {
  test("a success is unwrapped, a refusal of our own code stops", () => {
    expect(unwrap(ok(3))).toBe(3);
    expect(() => unwrap(err({ tag: "refused", amount: 3n }))).toThrow('{"tag":"refused","amount":"3"}');
    expect(() => unwrap(err(undefined))).toThrow(InvariantError);
    expect(() => invariant(false, "the rule")).toThrow("Invariant: the rule");
    expect(() => invariant(true, "the rule")).not.toThrow();
  });
});

describe("orders", () => {
  test("text by UTF-16 code units, bigints by value", () => {
    expect(["b", "a", "B", "é", "z"].sort(compareText)).toEqual(["B", "a", "b", "z", "é"]);
    expect([3n, -(2n ** 70n), 2n ** 70n, 0n].sort(compareBigint)).toEqual([-(2n ** 70n), 0n, 3n, 2n ** 70n]);
    expect(compareText("a", "a")).toBe(0);
    expect(compareBigint(1n, 1n)).toBe(0);
  });

  test("entries of a map in the order of their keys", () => {
    expect(
      sortedEntries(
        new Map([
          ["b", 1],
          ["a", 2],
        ]),
      ),
    ).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });
});
