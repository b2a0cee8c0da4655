/** Clock and timers of live use, on the system's clock. A clock that is set, and a machine that slept, are noticed within a minute. */
import type { Clock, Timers, TimerTask } from "#core";

/** Also keeps delays below the 2^31 ms that the system's timers can count to. */
const NAP_MS_MAX = 60_000;

/** The system's clock, wrong by `offsetMs`: for rehearsals of wrong clocks. */
export function systemClock(offsetMs = 0): Clock {
  return { nowMs: () => Date.now() + offsetMs };
}

/** Runs each task at its instant or as soon as possible after it; tasks of one instant run in the order of their priority. */
export class SystemTimers implements Timers {
  readonly #clock: Clock;
  readonly #report: (source: string, error: unknown) => void;
  readonly #tasks = new Set<{ readonly atMs: number; readonly task: TimerTask }>();
  readonly #running = new Set<Promise<void>>();
  #nap: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param report - Told of a task that failed; the others go on. */
  constructor(clock: Clock, report: (source: string, error: unknown) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  at(atMs: number, task: TimerTask): void {
    if (this.#isStopped) return;
    this.#tasks.add({ atMs, task });
    this.#sleep();
  }

  /** Runs nothing more, and waits for what runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#nap);
    this.#tasks.clear();
    await Promise.all(this.#running);
  }

  #sleep(): void {
    clearTimeout(this.#nap);
    if (this.#isStopped || this.#tasks.size === 0) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#tasks) nextMs = Math.min(nextMs, atMs);
    const delayMs = Math.min(Math.max(nextMs - this.#clock.nowMs(), 0), NAP_MS_MAX);
    this.#nap = setTimeout(() => this.#wake(), delayMs);
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    const due = [...this.#tasks].filter(({ atMs }) => atMs <= nowMs);
    due.sort((left, right) => left.atMs - right.atMs || left.task.priority - right.task.priority);
    for (const entry of due) {
      this.#tasks.delete(entry);
      this.#run(entry.task);
    }
    this.#sleep();
  }

  #run({ source, run }: TimerTask): void {
    const running: Promise<void> = (async () => run())()
      .catch((error: unknown) => this.#report(source, error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
