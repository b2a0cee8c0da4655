/** Virtual time: order of work by instant, priority, source and scheduling, the same every time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "#core";
import { PRIORITIES, VirtualClock } from "./virtual-clock.ts";

async function runAll(clock: VirtualClock, untilMs = Number.MAX_SAFE_INTEGER): Promise<void> {
  while (await clock.step(untilMs));
}

type Planned = { readonly atMs: number; readonly priority: number; readonly source: string };
const arbPlanned: fc.Arbitrary<Planned> = fc.record({
  atMs: fc.integer({ min: 0, max: 20 }),
  priority: fc.integer({ min: 0, max: 3 }),
  source: fc.constantFrom("a", "b", "ä", "B"),
});

describe("order", () => {
  test("by instant, then priority, then source, then scheduling; time stands still while work is done", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbPlanned, { maxLength: 60 }), async (planned) => {
        const clock = new VirtualClock(0);
        const done: (Planned & { readonly index: number })[] = [];
        for (const [index, task] of planned.entries()) {
          clock.at(task.atMs, {
            priority: task.priority,
            source: task.source,
            run: async () => {
              expect(clock.nowMs()).toBe(task.atMs);
              await Promise.resolve();
              done.push({ ...task, index });
            },
          });
        }
        await runAll(clock);
        const text = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
        const sorted = [...done].sort(
          (left, right) =>
            left.atMs - right.atMs ||
            left.priority - right.priority ||
            text(left.source, right.source) ||
            left.index - right.index,
        );
        expect(done).toEqual(sorted);
        expect(done).toHaveLength(planned.length);
      }),
    );
  });

  test("data first, then the ledger, then agents, then the market", () => {
    const { data, ledger, agents, market } = PRIORITIES;
    expect([data, ledger, agents, market]).toEqual([data, ledger, agents, market].sort((left, right) => left - right));
    expect(new Set(Object.values(PRIORITIES)).size).toBe(4);
  });
});

describe("time", () => {
  test("stops at the given instant and never goes back", async () => {
    const clock = new VirtualClock(100);
    const seen: number[] = [];
    const note = (atMs: number): void =>
      clock.at(atMs, { priority: 0, source: "note", run: () => void seen.push(clock.nowMs()) });
    note(500);
    note(50); // Due already: runs at once, at the present.
    note(300);
    await runAll(clock, 300);
    expect(seen).toEqual([100, 300]);
    expect(clock.nowMs()).toBe(300);
    expect(clock.nextMs).toBe(500);
    await runAll(clock);
    expect(clock.nowMs()).toBe(500);
    expect(clock.nextMs).toBeUndefined();
    expect(await clock.step(Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  test("work may schedule work for the same instant", async () => {
    const clock = new VirtualClock(0);
    const seen: string[] = [];
    clock.at(10, {
      priority: 2,
      source: "first",
      run: () => {
        seen.push("first");
        clock.at(10, { priority: 0, source: "second", run: () => void seen.push("second") });
        clock.at(0, { priority: 1, source: "third", run: () => void seen.push("third") });
      },
    });
    clock.at(10, { priority: 3, source: "last", run: () => void seen.push("last") });
    await runAll(clock);
    expect(seen).toEqual(["first", "second", "third", "last"]);
    expect(clock.nowMs()).toBe(10);
  });

  test("parts of a millisecond are a bug", () => {
    expect(() => new VirtualClock(0).at(0.5, { priority: 0, source: "x", run: () => undefined })).toThrow(
      InvariantError,
    );
  });
});
