/** A timer that can be taken back: given by whoever wires the process, so that tests and simulations have theirs. */

/** Runs a task once after a time; the function returned stops that. */
export type After = (delayMs: number, run: () => void) => () => void;
