import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance } from "./edit-distance.ts";

test.each([
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["producer", "producer", 0],
  ["speculater", "speculator", 1],
])("%s to %s takes %i changes", (left, right, expected) => {
  expect(editDistance(left, right)).toBe(expected);
});

test("is a metric", () => {
  const name = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
