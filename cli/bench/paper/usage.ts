/** Samples the resident memory of processes, and the time that they have of a core, while something runs. */
import { setTimeout as sleep } from "node:timers/promises";
import pidusage from "pidusage";
import { invariant } from "#core";
import { CommandFailure, EXIT } from "../../exit.ts";
import { type ClassUsage, USAGE_CLASSES, type UsageClass } from "./experiment.ts";

export type WatchedProcess = { readonly pid: number; readonly usageClass: UsageClass };
/** Resident memory of each process, by its id, and the time that it has had of a core since it began. */
export type Sample = ReadonlyMap<number, { readonly bytes: number; readonly cpuMs: number }>;

const INTERVAL_MS = 100;

/**
 * Samples while `task` runs: at once, then many times a second, and when it is done, so that also the shortest has two samples.
 * @throws CommandFailure when a process ended meanwhile: its run is worth nothing.
 */
export async function sampledWhile<T>(
  processes: readonly WatchedProcess[],
  task: () => Promise<T>,
): Promise<{ readonly result: T; readonly usage: readonly ClassUsage[] }> {
  const pids = processes.map(({ pid }) => pid);
  const samples: Sample[] = [await sampleOf(pids)];
  const done = new AbortController();
  const [result] = await Promise.all([
    task().finally(() => done.abort()),
    (async () => {
      while (!done.signal.aborted) {
        await sleep(INTERVAL_MS, undefined, { signal: done.signal }).catch(() => undefined);
        samples.push(await sampleOf(pids));
      }
    })(),
  ]);
  return { result, usage: usageByClass(processes, samples) };
}

async function sampleOf(pids: readonly number[]): Promise<Sample> {
  try {
    const measured = await pidusage([...pids]);
    return new Map(
      pids.map((pid) => {
        const used = measured[pid];
        invariant(used !== undefined, "the process is running");
        return [pid, { bytes: used.memory, cpuMs: used.ctime }];
      }),
    );
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, "bench: a process ended while it was measured; run it again", {
      cause: error,
    });
  }
}

/** The samples by class, in the paper's order; a class without processes is left out. */
export function usageByClass(processes: readonly WatchedProcess[], samples: readonly Sample[]): readonly ClassUsage[] {
  return USAGE_CLASSES.flatMap((usageClass): readonly ClassUsage[] => {
    const pids = processes.filter((each) => each.usageClass === usageClass).map(({ pid }) => pid);
    if (pids.length === 0) return [];
    const bytes = samples.map((sample) => pids.map((pid) => sample.get(pid)?.bytes ?? 0));
    const sums = bytes.map(sumOf);
    const [before, after] = [samples[0], samples.at(-1)].map((sample) =>
      sumOf(pids.map((pid) => sample?.get(pid)?.cpuMs ?? 0)),
    );
    return [
      {
        usageClass,
        processes: pids.length,
        samples: samples.length,
        meanBytes: Math.round(sumOf(sums) / sums.length),
        peakBytes: Math.max(...sums),
        processPeakBytes: Math.max(...bytes.flat()),
        cpuSeconds: ((after ?? 0) - (before ?? 0)) / 1_000,
      },
    ];
  });
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
