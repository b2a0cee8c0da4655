/** The faults of a chaos run: drawn from the seed before it starts, and done one after the other while the load goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import { Dice } from "./dice.ts";
import type { NodeSetting, Stage } from "./stage.ts";
import type { StageClock } from "./stage-clock.ts";

export type Fault =
  /** Kill -9, and a restart after a while with a clock that is wrong by some seconds. */
  | { readonly tag: "kill"; readonly downMs: number; readonly skewMs: number }
  /** All nodes at the same instant; the clocks move on to the next slot. */
  | { readonly tag: "kill-all" }
  | { readonly tag: "pause"; readonly forMs: number }
  /** The store may not grow any more for a while. */
  | { readonly tag: "store-full"; readonly forMs: number };

export type PlannedFault = { readonly afterMs: number; readonly fault: Fault };

export type FaultCounts = {
  readonly killed: Map<string, number>;
  wholeStops: number;
  pauses: number;
  storesFilled: number;
};

const GAP_MS = { least: 60, most: 1_400 } as const;
const DOWN_MS_MAX = 1_200;
const SKEW_MS_MAX = 4_000;
const PAUSE_MS = { least: 500, most: 4_000 } as const;
const FULL_MS = { least: 2_000, most: 5_000 } as const;
const ERA_LEAD_MS = 5_000;
const ANSWERS_BETWEEN = 3;
const WORK_MS_MAX = 3_000;
/** Beyond that the others hardly get anything done. */
const DOWN_AT_ONCE_MAX = 2;

export function plannedFaults(seed: string, kills: number, wholeStops: number): readonly PlannedFault[] {
  const dice = new Dice(seed, "faults");
  const single = (count: number, make: () => Fault): readonly Fault[] => Array.from({ length: count }, make);
  const others = dice.shuffled([
    ...single(kills, () => ({
      tag: "kill",
      downMs: dice.between(0, DOWN_MS_MAX),
      skewMs: dice.between(-SKEW_MS_MAX, SKEW_MS_MAX),
    })),
    ...single(Math.ceil(kills / 8), () => ({ tag: "pause", forMs: dice.between(PAUSE_MS.least, PAUSE_MS.most) })),
    ...single(Math.ceil(kills / 12), () => ({ tag: "store-full", forMs: dice.between(FULL_MS.least, FULL_MS.most) })),
  ]);
  const faults: Fault[] = [];
  for (const [index, fault] of others.entries()) {
    const due = (at: number): number => Math.floor((at * wholeStops) / others.length);
    if (due(index + 1) > due(index)) faults.push({ tag: "kill-all" });
    faults.push(fault);
  }
  return faults.map((fault) => ({
    afterMs: fault.tag === "kill-all" ? ERA_LEAD_MS : dice.between(GAP_MS.least, GAP_MS.most),
    fault,
  }));
}

export type FaultRunnerParts = {
  readonly stage: Stage;
  readonly clock: StageClock;
  readonly seed: string;
  readonly counts: FaultCounts;
  /** How many commands have their answer: faults are for nodes that are at work. */
  readonly answered: () => number;
  /** Told before each fault. */
  readonly onFault: (done: number, fault: Fault) => void;
};

/** Does the faults; at the end all nodes run or are on their way up. */
export class FaultRunner {
  readonly #parts: FaultRunnerParts;
  readonly #dice: Dice;
  readonly #victims: Dice;
  readonly #recoveries = new Set<Promise<void>>();
  readonly #busy = new Set<string>();
  readonly #failures: unknown[] = [];

  constructor(parts: FaultRunnerParts) {
    this.#parts = parts;
    this.#dice = new Dice(parts.seed, "settings");
    this.#victims = new Dice(parts.seed, "victims");
  }

  async run(plan: readonly PlannedFault[]): Promise<void> {
    for (const [index, { afterMs, fault }] of plan.entries()) {
      await this.#work(afterMs);
      this.#parts.onFault(index, fault);
      if (fault.tag === "kill-all") await this.#killAll();
      else await this.#one(fault);
    }
    await this.#settled();
  }

  /** Lets the load go on for so long, and until some commands have been answered if that is soon. */
  async #work(forMs: number): Promise<void> {
    const { answered } = this.#parts;
    const [startMs, start] = [Date.now(), answered()];
    await sleep(forMs);
    while (answered() - start < ANSWERS_BETWEEN && Date.now() - startMs < WORK_MS_MAX) await sleep(GAP_MS.least);
  }

  /** Kills all nodes, and starts them in the next slot with clocks that are a little wrong, or right. */
  async #killAll(): Promise<void> {
    const { stage, clock, counts } = this.#parts;
    // Whatever is on its way up is killed too.
    await Promise.all([this.#settled(), stage.killAll()]);
    await stage.killAll();
    counts.wholeStops += 1;
    clock.nextEra();
    await stage.startAll(() => this.#setting(this.#dice.between(-SKEW_MS_MAX, SKEW_MS_MAX)));
  }

  async #one(fault: Exclude<Fault, { readonly tag: "kill-all" }>): Promise<void> {
    const { stage, counts } = this.#parts;
    while (this.#busy.size >= DOWN_AT_ONCE_MAX) await sleep(GAP_MS.least);
    const able = stage.running().filter((name) => !this.#busy.has(name));
    if (fault.tag === "store-full") return this.#fill(able, fault.forMs);
    const name = this.#victims.pick(able);
    if (fault.tag === "pause") {
      counts.pauses += 1;
      this.#recover(name, () => stage.pause(name, fault.forMs));
      return;
    }
    counts.killed.set(name, (counts.killed.get(name) ?? 0) + 1);
    await stage.kill(name);
    this.#recover(name, async () => {
      await sleep(fault.downMs);
      await stage.start(name, this.#setting(fault.skewMs));
    });
  }

  /** Restarts a node with a store that is full already; nothing where all stores are still below the least limit. */
  async #fill(able: readonly string[], forMs: number): Promise<void> {
    const { stage, counts } = this.#parts;
    const large = able.filter((name) => stage.storeBytes(name) > 1_024 * 1_024);
    if (large.length === 0) return;
    const name = this.#victims.pick(large);
    counts.storesFilled += 1;
    await stage.kill(name);
    this.#recover(name, async () => {
      await stage.start(name, { skewMs: 0, megabytesMax: 1 });
      await sleep(forMs);
      await stage.kill(name);
      await stage.start(name, this.#setting(0));
    });
  }

  #setting(skewMs: number): NodeSetting {
    return { skewMs, megabytesMax: null };
  }

  #recover(name: string, recovery: () => Promise<void>): void {
    this.#busy.add(name);
    const done: Promise<void> = recovery()
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => {
        this.#busy.delete(name);
        this.#recoveries.delete(done);
      });
    this.#recoveries.add(done);
  }

  /** @throws what made a recovery fail, such as a node that does not start. */
  async #settled(): Promise<void> {
    while (this.#recoveries.size > 0) await Promise.all(this.#recoveries);
    const [failure] = this.#failures;
    if (failure !== undefined) throw failure;
  }
}
