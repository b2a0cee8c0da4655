/**
 * Virtual time: a clock that stands still while work is done and then jumps to the next thing due. Work is ordered by
 * (instant, priority, source, order of scheduling), so that a run is the same every time.
 */
import { type Clock, compareText, invariant, type Timers, type TimerTask } from "#core";

type Scheduled = TimerTask & { readonly atMs: number; readonly sequence: number };

export class VirtualClock implements Clock, Timers {
  #nowMs: number;
  #sequence = 0;
  readonly #heap: Scheduled[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Schedules a task; one that is due already runs next, in its order, without moving time back. */
  at(atMs: number, task: TimerTask): void {
    invariant(Number.isSafeInteger(atMs), "a task is scheduled at a whole millisecond");
    this.#push({ ...task, atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence++ });
  }

  /** When the next task is due; undefined when there is none. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  /** Moves time to the next task and runs it. Gives false when nothing is left up to `untilMs`. */
  async step(untilMs: number): Promise<boolean> {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > untilMs) return false;
    this.#pop();
    this.#nowMs = next.atMs;
    await next.run();
    return true;
  }

  #push(task: Scheduled): void {
    const heap = this.#heap;
    heap.push(task);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (compare(heap[parent] as Scheduled, task) <= 0) break;
      heap[index] = heap[parent] as Scheduled;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && compare(heap[child + 1] as Scheduled, heap[child] as Scheduled) < 0) child += 1;
      if (compare(last, heap[child] as Scheduled) <= 0) break;
      heap[index] = heap[child] as Scheduled;
      index = child;
    }
    heap[index] = last;
  }
}

function compare(left: Scheduled, right: Scheduled): number {
  return (
    left.atMs - right.atMs ||
    left.priority - right.priority ||
    compareText(left.source, right.source) ||
    left.sequence - right.sequence
  );
}

/** Order of work at one instant: what becomes known, then the ledger's own schedule, then agents, then the market. */
export const PRIORITIES: {
  readonly data: number;
  readonly ledger: number;
  readonly agents: number;
  readonly market: number;
} = {
  data: 0,
  ledger: 1,
  agents: 2,
  market: 3,
};
