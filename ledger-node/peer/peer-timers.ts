/** Time that passes, for time-outs and pauses: it does not jump when a clock is set. */
import { setTimeout as pauseFor } from "node:timers/promises";

export interface PeerTimers {
  /** Milliseconds since some instant. */
  elapsedMs(): number;
  /** Never keeps the process alive. */
  pause(durationMs: number): Promise<void>;
  /** Runs `task` once what is ready now has run. */
  defer(task: () => void): void;
}

export const systemTimers: PeerTimers = {
  elapsedMs: () => performance.now(),
  pause: (durationMs) => pauseFor(durationMs, undefined, { ref: false }),
  defer: (task) => {
    setImmediate(task);
  },
};
