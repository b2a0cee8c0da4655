/** No envelope is opened twice, whatever is sent, and what is remembered stays small. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENVELOPE_AGE_MS_MAX } from "#contracts";
import { keyOf } from "#testkit";
import { SeenEnvelopes } from "./seen-envelopes.ts";

const NOW_MS = 1_938_000_000_000;
const from = keyOf("alice");
const id = (number: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, index) => (number >> (8 * index)) & 255);

describe("an envelope", () => {
  test("is admitted once", () => {
    const seen = new SeenEnvelopes();
    expect(seen.admit({ from, id: id(1), sentMs: NOW_MS }, NOW_MS)).toBeUndefined();
    expect(seen.admit({ from, id: id(1), sentMs: NOW_MS }, NOW_MS)).toBe("envelope_replayed");
    expect(seen.admit({ from, id: id(2), sentMs: NOW_MS }, NOW_MS)).toBeUndefined();
    expect(seen.admit({ from: keyOf("bob"), id: id(1), sentMs: NOW_MS }, NOW_MS)).toBeUndefined();
  });

  test("is remembered as long as its age would let it in, and forgotten then", () => {
    const seen = new SeenEnvelopes();
    const envelope = { from, id: id(1), sentMs: NOW_MS };
    seen.admit(envelope, NOW_MS);
    expect(seen.admit(envelope, NOW_MS + ENVELOPE_AGE_MS_MAX)).toBe("envelope_replayed");
    const later = NOW_MS + 2 * ENVELOPE_AGE_MS_MAX;
    expect(seen.admit({ from, id: id(2), sentMs: later }, later)).toBeUndefined();
    expect(seen.size).toBe(1);
  });

  test("that was forgotten is not opened again when our clock is set back", () => {
    const seen = new SeenEnvelopes();
    const envelope = { from, id: id(1), sentMs: NOW_MS };
    seen.admit(envelope, NOW_MS);
    seen.admit({ from, id: id(2), sentMs: NOW_MS + 2 * ENVELOPE_AGE_MS_MAX }, NOW_MS + 2 * ENVELOPE_AGE_MS_MAX);
    expect(seen.admit(envelope, NOW_MS)).toBe("envelope_expired");
  });
});

describe("a sender of very many", () => {
  test("has the oldest forgotten, and none as old is admitted from it again; others are as before", () => {
    const seen = new SeenEnvelopes(100);
    seen.admit({ from: keyOf("bob"), id: id(1), sentMs: NOW_MS }, NOW_MS);
    for (let number = 0; number < 1_000; number++)
      expect(seen.admit({ from, id: id(number), sentMs: NOW_MS + number }, NOW_MS + number)).toBeUndefined();
    expect(seen.size).toBeLessThanOrEqual(101);
    for (let number = 0; number < 1_000; number++)
      expect(seen.admit({ from, id: id(number), sentMs: NOW_MS + number }, NOW_MS + 1_000)).toBeDefined();
    expect(seen.admit({ from: keyOf("bob"), id: id(1), sentMs: NOW_MS }, NOW_MS + 1_000)).toBe("envelope_replayed");
    expect(seen.admit({ from, id: id(5_000), sentMs: NOW_MS + 1_000 }, NOW_MS + 1_000)).toBeUndefined();
  });

  test("law: nothing is admitted twice, and no more is remembered than the limit for each", () => {
    const arbEnvelope = fc.record({
      from: fc.constantFrom(keyOf("alice"), keyOf("bob")),
      id: fc.nat({ max: 30 }),
      agoMs: fc.integer({ min: -ENVELOPE_AGE_MS_MAX, max: ENVELOPE_AGE_MS_MAX }),
      passedMs: fc.integer({ min: -60_000, max: 120_000 }),
    });
    fc.assert(
      fc.property(fc.array(arbEnvelope, { maxLength: 80 }), (envelopes) => {
        const seen = new SeenEnvelopes(8);
        const admitted = new Set<string>();
        let nowMs = NOW_MS;
        for (const envelope of envelopes) {
          nowMs += envelope.passedMs;
          // The same id comes with the same time: both are under the signature.
          const sentMs = NOW_MS + envelope.agoMs - (envelope.agoMs % 60_000) + envelope.id;
          const key = `${envelope.from} ${envelope.id} ${sentMs}`;
          if (Math.abs(nowMs - sentMs) > ENVELOPE_AGE_MS_MAX) continue;
          if (seen.admit({ from: envelope.from, id: id(envelope.id), sentMs }, nowMs) === undefined) {
            expect(admitted.has(key)).toBe(false);
            admitted.add(key);
          }
          expect(seen.size).toBeLessThanOrEqual(16);
        }
      }),
    );
  });
});
