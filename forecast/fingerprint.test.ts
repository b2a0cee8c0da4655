import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WeatherVintage } from "#data";
import { fingerprint, fingerprintOfVintages, fingerprintsOfPrefixes } from "./fingerprint.ts";

const numbers = fc
  .array(fc.double({ noNaN: false }), { minLength: 1, maxLength: 40 })
  .map((list) => Float64Array.from(list));

describe("fingerprints", () => {
  test("of prefixes equal those of the prefixes alone", () => {
    fc.assert(
      fc.property(numbers, fc.nat(40), (values, cut) => {
        const count = Math.min(cut, values.length);
        expect(fingerprintsOfPrefixes(values, [count, values.length])).toEqual([
          fingerprint(values.slice(0, count)),
          fingerprint(values),
        ]);
      }),
    );
  });

  test("differ when any number differs, or the length", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (values, at) => {
        const other = values.slice();
        const index = at % values.length;
        other[index] = Object.is(values[index], 1) ? 2 : 1;
        expect(fingerprint(other)).not.toBe(fingerprint(values));
        expect(fingerprint(values.subarray(0, values.length - 1))).not.toBe(fingerprint(values));
      }),
    );
  });

  test("have no collision among 50,000 neighbours", () => {
    const prints = new Set(Array.from({ length: 50_000 }, (_, index) => fingerprint(Float64Array.of(1, index, 2))));
    expect(prints.size).toBe(50_000);
  });

  test("of a window read the window, not the array under it", () => {
    const whole = Float64Array.of(1, 2, 3, 4);
    expect(fingerprint(whole.subarray(1, 3))).toBe(fingerprint(Float64Array.of(2, 3)));
  });

  test("of weather tell what was known, and when", () => {
    const run = (ghi: number, knownAtMs: number): WeatherVintage => ({
      issuedAtMs: 0,
      knownAtMs,
      startMs: 0,
      values: { ghi: Float64Array.of(ghi) },
    });
    const print = fingerprintOfVintages([run(1, 5)], 1);
    expect(fingerprintOfVintages([run(1, 5)], 1)).toBe(print);
    expect(fingerprintOfVintages([run(2, 5)], 1)).not.toBe(print);
    expect(fingerprintOfVintages([run(1, 6)], 1)).not.toBe(print);
    expect(fingerprintOfVintages([run(1, 5), run(9, 7)], 1)).toBe(print);
    expect(fingerprintOfVintages([run(1, 5), run(9, 7)], 2)).not.toBe(print);
  });
});
