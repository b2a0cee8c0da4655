/** Seeded randomness: fixed streams, one not disturbed by another, and of the right shape. */
import { describe, expect, test } from "vitest";
import { hashOf, type Prng, seededEntropy, seededPrng, toHex } from "./index.ts";

function take(prng: Prng, count: number): readonly number[] {
  return Array.from({ length: count }, () => prng.nextUint32());
}

describe("streams", () => {
  test("golden values: a change of these changes every simulated result", () => {
    expect(take(seededPrng(1, "golden"), 4)).toEqual([840224970, 3579346377, 3901451056, 2393167349]);
    expect(take(seededPrng("text", "golden"), 2)).toEqual([3753887807, 3598787655]);
    expect(seededPrng(1, "floats").nextFloat()).toBe(0.4301915690302849);
    expect(seededPrng(1, "normals").nextNormal()).toBeCloseTo(0.5375938186686088, 12);
    expect(toHex(seededEntropy(1, "golden").bytes(16))).toBe("5052f8fa0c9438e9b55f966a55eacda3");
  });

  test("sfc32, written a second time on big integers", () => {
    const mask = 2n ** 32n - 1n;
    const outputs = take(seededPrng(1, "golden"), 200).map(BigInt);
    const step = (
      a: bigint,
      b: bigint,
      c: bigint,
      counter: bigint,
    ): readonly [bigint, bigint, bigint, bigint, bigint] => {
      const out = (a + b + counter) & mask;
      const rotated = ((c << 21n) & mask) | (c >> 11n);
      return [out, b ^ (b >> 9n), (c + ((c << 3n) & mask)) & mask, (rotated + out) & mask, counter + 1n];
    };
    const seed = hashOf("dream prng 1 golden");
    const word = (index: number): bigint => BigInt(`0x${seed.slice(8 * index, 8 * index + 8)}`);
    let state: readonly [bigint, bigint, bigint, bigint] = [word(0), word(1), word(2), 1n];
    for (const expected of outputs) {
      const [out, a, b, c, counter] = step(...state);
      expect(out).toBe(expected);
      state = [a, b, c, counter];
    }
  });

  test("equal seed and stream give the same, other seeds and streams something else", () => {
    const first = take(seededPrng(1, "a"), 50);
    expect(take(seededPrng(1, "a"), 50)).toEqual(first);
    for (const other of [seededPrng(2, "a"), seededPrng(1, "b"), seededPrng("1a", "")]) {
      const values = take(other, 50);
      expect(values.filter((value) => first.includes(value))).toEqual([]);
    }
  });

  test("a draw in one stream moves no other", () => {
    const alone = take(seededPrng(1, "b"), 10);
    const [a, b] = [seededPrng(1, "a"), seededPrng(1, "b")];
    const mixed = Array.from({ length: 10 }, () => {
      a.nextNormal();
      return b.nextUint32();
    });
    expect(mixed).toEqual(alone);
  });
});

describe("shape", () => {
  const prng = seededPrng(7, "shape");

  test("floats are uniform in [0, 1)", () => {
    const values = Array.from({ length: 20_000 }, () => prng.nextFloat());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const buckets = Array.from(
      { length: 10 },
      (_, index) => values.filter((value) => Math.floor(value * 10) === index).length,
    );
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(200); // Deviation of about 42 is usual.
  });

  test("normals have mean 0 and variance 1, and are always finite", () => {
    const values = Array.from({ length: 20_000 }, () => prng.nextNormal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(values.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });

  test("every bit of entropy is set about half of the time", () => {
    const bytes = seededEntropy(3, "bits").bytes(8_000);
    for (let bit = 0; bit < 8; bit++) {
      const set = bytes.reduce((count, byte) => count + ((byte >> bit) & 1), 0);
      expect(Math.abs(set - 4_000)).toBeLessThan(250);
    }
  });
});
