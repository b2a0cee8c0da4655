/** JSON at the edges: bigints as decimal strings, and one text for equal values where a hash depends on it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, toJson } from "./index.ts";

describe("toJson", () => {
  test("bigints are decimal strings, at any depth", () => {
    expect(toJson({ a: 1n, b: [-(2n ** 70n)], c: { d: 0n } })).toBe(
      '{"a":"1","b":["-1180591620717411303424"],"c":{"d":"0"}}',
    );
    expect(toJson(5n)).toBe('"5"');
  });

  test("indents on request and keeps the order of keys", () => {
    expect(toJson({ b: 1, a: 2 }, 2)).toBe('{\n  "b": 1,\n  "a": 2\n}');
  });
});

describe("canonicalJson", () => {
  test("keys are sorted at every depth, lists keep their order", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2n }], a: null })).toBe('{"a":null,"b":[{"c":"2","d":1}]}');
    expect(canonicalJson(["b", "a"])).toBe('["b","a"]');
  });

  test("the order in which keys were written changes nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("a key named __proto__ is a key like any other", () => {
    const value: unknown = JSON.parse('{"b":1,"__proto__":{"x":1},"a":2}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"x":1},"a":2,"b":1}');
  });
});
