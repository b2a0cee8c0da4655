/** Timers on a clock that the test moves; the system's own timers are vitest's, so that nothing waits. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SystemTimers, systemClock } from "./system-timers.ts";

const LONG_MS = 30 * 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

test("runs each task at its instant, those of one instant by priority", async () => {
  const ran: string[] = [];
  const timers = new SystemTimers(systemClock(), () => undefined);
  const add = (atMs: number, priority: number, name: string): void =>
    timers.at(atMs, { priority, source: name, run: () => void ran.push(name) });
  add(1_000_500, 2, "late");
  add(1_000_100, 2, "second");
  add(1_000_100, 1, "first");
  add(0, 1, "overdue");
  await vi.advanceTimersByTimeAsync(0);
  expect(ran).toEqual(["overdue"]);
  await vi.advanceTimersByTimeAsync(99);
  expect(ran).toEqual(["overdue"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ran).toEqual(["overdue", "first", "second"]);
  await vi.advanceTimersByTimeAsync(400);
  expect(ran.at(-1)).toBe("late");
});

test("waits longer than a timer of the system can count", async () => {
  let ran = 0;
  const timers = new SystemTimers(systemClock(), () => undefined);
  timers.at(Date.now() + LONG_MS, { priority: 1, source: "long", run: () => void ran++ });
  await vi.advanceTimersByTimeAsync(LONG_MS - 1);
  expect(ran).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(ran).toBe(1);
});

test("notices within a minute that the clock was set", async () => {
  let ran = 0;
  const timers = new SystemTimers(systemClock(), () => undefined);
  timers.at(Date.now() + LONG_MS, { priority: 1, source: "long", run: () => void ran++ });
  vi.setSystemTime(Date.now() + LONG_MS);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ran).toBe(1);
});

test("goes by a clock that is wrong, where it is to be", async () => {
  const clock = systemClock(-5_000);
  expect(clock.nowMs()).toBe(995_000);
  let ran = 0;
  const timers = new SystemTimers(clock, () => undefined);
  timers.at(1_000_000, { priority: 1, source: "task", run: () => void ran++ });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(ran).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(ran).toBe(1);
});

test("reports a task that fails and goes on; once stopped it waits for what runs and begins nothing", async () => {
  const failed: unknown[] = [];
  const ran: string[] = [];
  const timers = new SystemTimers(systemClock(), (source, error) => failed.push([source, (error as Error).message]));
  const fail = (): never => {
    throw new Error("no");
  };
  timers.at(1_000_000, { priority: 1, source: "at once", run: fail });
  timers.at(1_000_000, { priority: 2, source: "later", run: async () => fail() });
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  timers.at(1_000_000, {
    priority: 3,
    source: "long",
    run: async () => {
      await finished;
      ran.push("long");
    },
  });
  timers.at(1_000_001, { priority: 3, source: "never", run: () => void ran.push("never") });
  await vi.advanceTimersByTimeAsync(0);
  expect(failed).toEqual([
    ["at once", "no"],
    ["later", "no"],
  ]);
  const stopped = timers.stop();
  finish();
  await stopped;
  timers.at(1_000_002, { priority: 3, source: "never", run: () => void ran.push("never") });
  await vi.advanceTimersByTimeAsync(10);
  expect(ran).toEqual(["long"]);
});
