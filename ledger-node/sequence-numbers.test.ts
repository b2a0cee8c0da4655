/** Arrival numbers follow each other, are given once, and wait for the disk seldom. */
import { expect, test } from "vitest";
import { SequenceNumbers } from "./sequence-numbers.ts";

/** A store that counts how often it is asked; `others` take numbers of it in between. */
function store(): { reserveSequence: (count: number) => number; asked: number } {
  let next = 1;
  return {
    asked: 0,
    reserveSequence(count) {
      this.asked += 1;
      next += count;
      return next - count;
    },
  };
}

test("numbers follow each other, whatever is asked for, and the store is asked seldom", () => {
  const kept = store();
  const numbers = new SequenceNumbers(kept);
  let expected = 1;
  for (const count of [1, 3, 250, 5, 1_000, 1, 255, 7]) {
    expect(numbers.take(count)).toBe(expected);
    expected += count;
  }
  expect(kept.asked).toBe(4);
});

test("none is given twice, also when the node is started again or others reserve too", () => {
  const kept = store();
  const given = new Set<number>();
  const give = (first: number, count: number): void => {
    for (let number = first; number < first + count; number++) {
      expect(given.has(number)).toBe(false);
      given.add(number);
    }
  };
  const before = new SequenceNumbers(kept);
  for (let round = 0; round < 5; round++) give(before.take(100), 100);
  give(kept.reserveSequence(10), 10);
  for (let round = 0; round < 5; round++) give(before.take(60), 60);
  const after = new SequenceNumbers(kept);
  give(after.take(300), 300);
});
