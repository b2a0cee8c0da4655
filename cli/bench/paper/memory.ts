/** Samples the resident memory of processes while something runs. */
import { setTimeout as sleep } from "node:timers/promises";
import pidusage from "pidusage";
import { CommandFailure, EXIT } from "../../exit.ts";
import { type ClassMemory, USAGE_CLASSES, type UsageClass } from "./experiment.ts";

export type WatchedProcess = { readonly pid: number; readonly usageClass: UsageClass };
/** Resident bytes by process id. */
export type Sample = ReadonlyMap<number, number>;

const INTERVAL_MS = 100;

/**
 * Samples while `task` runs: at once, then many times a second, and when it is done, so that also the shortest has two samples.
 * @throws CommandFailure when a process ended meanwhile: its run is worth nothing.
 */
export async function sampledWhile<T>(
  processes: readonly WatchedProcess[],
  task: () => Promise<T>,
): Promise<{ readonly result: T; readonly memory: readonly ClassMemory[] }> {
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
  return { result, memory: memoryByClass(processes, samples) };
}

async function sampleOf(pids: readonly number[]): Promise<Sample> {
  try {
    const usage = await pidusage([...pids]);
    return new Map(pids.map((pid) => [pid, usage[pid]?.memory ?? 0]));
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, "bench: a process ended while it was measured; run it again", {
      cause: error,
    });
  }
}

/** The samples by class, in the paper's order; a class without processes is left out. */
export function memoryByClass(
  processes: readonly WatchedProcess[],
  samples: readonly Sample[],
): readonly ClassMemory[] {
  return USAGE_CLASSES.flatMap((usageClass): readonly ClassMemory[] => {
    const pids = processes.filter((each) => each.usageClass === usageClass).map(({ pid }) => pid);
    if (pids.length === 0) return [];
    const sums = samples.map((sample) => pids.reduce((sum, pid) => sum + (sample.get(pid) ?? 0), 0));
    return [
      {
        usageClass,
        processes: pids.length,
        samples: samples.length,
        meanBytes: Math.round(sums.reduce((sum, bytes) => sum + bytes, 0) / sums.length),
        peakBytes: Math.max(...sums),
        processPeakBytes: Math.max(...samples.flatMap((sample) => pids.map((pid) => sample.get(pid) ?? 0))),
      },
    ];
  });
}
