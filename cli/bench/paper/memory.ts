/** Samples the resident memory of processes while something runs. */
import pidusage from "pidusage";
import { type ClassMemory, USAGE_CLASSES, type UsageClass } from "./experiment.ts";

export type WatchedProcess = { readonly pid: number; readonly usageClass: UsageClass };
/** Resident bytes by process id. */
export type Sample = ReadonlyMap<number, number>;

const INTERVAL_MS = 100;

export interface MemoryWatch {
  /** Takes a last sample; gives what was seen. */
  stop(): Promise<readonly ClassMemory[]>;
}

/** Samples at once, then many times a second until it is stopped: also the shortest run has two samples. */
export async function watchMemory(processes: readonly WatchedProcess[]): Promise<MemoryWatch> {
  const pids = processes.map(({ pid }) => pid);
  const samples: Sample[] = [await sampleOf(pids)];
  let isStopped = false;
  const sampling = (async () => {
    while (!isStopped) {
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      samples.push(await sampleOf(pids));
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await sampling;
      return memoryByClass(processes, samples);
    },
  };
}

/** @throws when a process has ended: its run is worth nothing. */
async function sampleOf(pids: readonly number[]): Promise<Sample> {
  const usage = await pidusage([...pids]);
  return new Map(pids.map((pid) => [pid, usage[pid]?.memory ?? 0]));
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
