/** The only doors to the outside that decide anything: time, randomness, timers. Injected, never ambient. */

/** The present, in integer milliseconds UTC. */
export interface Clock {
  nowMs(): number;
}

/** Random bytes: from the operating system in live use, from a seed in simulation. */
export interface Entropy {
  bytes(length: number): Uint8Array;
}

/** Seeded randomness for decisions and generated data. */
export interface Prng {
  /** Uniform in 0…2^32-1. */
  nextUint32(): number;
  /** Uniform in [0, 1). */
  nextFloat(): number;
  /** Standard normal. */
  nextNormal(): number;
}

/** What runs at an instant. Lower priority number first, then source name, then the order of scheduling. */
export type TimerTask = {
  readonly priority: number;
  readonly source: string;
  readonly run: () => void | Promise<void>;
};

/** Schedules work: on the kernel's virtual clock in backtest and simulation, on the system's clock in live use. */
export interface Timers {
  at(atMs: number, task: TimerTask): void;
}
