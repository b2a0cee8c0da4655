/** From runs to what the paper's figures show, and to how time per request grows. */
import { median } from "simple-statistics";
import { type Cell, type ClassUsage, type Experiment, failedOf, type Run, type Task } from "./experiment.ts";

/** Median, least and most of the repeats. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export type CellResult = Cell & {
  readonly repeats: number;
  readonly secondsPerRequest: Spread;
  /** Of all its runs together. */
  readonly failed: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** Time of a core that all processes together took for a request. */
  readonly cpuSecondsPerRequest: Spread;
  /** By class: medians over the repeats. */
  readonly usage: readonly ClassUsage[];
};

export function spreadOf(values: readonly number[]): Spread {
  return { median: median([...values]), min: Math.min(...values), max: Math.max(...values) };
}

/** One result for each cell, in the order in which the cells first occur. */
export function cellResults(runs: readonly Run[]): readonly CellResult[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = `${run.task} ${run.nodes} ${run.requests}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [cellResult(first, group)];
  });
}

function cellResult({ task, nodes, requests, usage }: Run, runs: readonly Run[]): CellResult {
  const refusals: Record<string, number> = {};
  for (const run of runs)
    for (const [code, count] of Object.entries(run.refusals)) refusals[code] = (refusals[code] ?? 0) + count;
  return {
    task,
    nodes,
    requests,
    repeats: runs.length,
    secondsPerRequest: spreadOf(runs.map(({ secondsPerRequest }) => secondsPerRequest)),
    failed: runs.reduce((sum, run) => sum + failedOf(run), 0),
    refusals,
    cpuSecondsPerRequest: spreadOf(runs.map(cpuSecondsPerRequest)),
    usage: usage.map((each): ClassUsage => {
      const ofClass = runs.flatMap((run) => run.usage.filter(({ usageClass }) => usageClass === each.usageClass));
      return {
        ...each,
        meanBytes: median(ofClass.map(({ meanBytes }) => meanBytes)),
        peakBytes: median(ofClass.map(({ peakBytes }) => peakBytes)),
        processPeakBytes: Math.max(...ofClass.map(({ processPeakBytes }) => processPeakBytes)),
        cpuSeconds: median(ofClass.map(({ cpuSeconds }) => cpuSeconds)),
      };
    }),
  };
}

function cpuSecondsPerRequest({ usage, requests }: Run): number {
  return usage.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / requests;
}

export function cellOf(cells: readonly CellResult[], { task, nodes, requests }: Cell): CellResult | undefined {
  return cells.find((cell) => cell.task === task && cell.nodes === nodes && cell.requests === requests);
}

/** How the time per request changes from one cell to another, each with its repeats. */
export type Growth = {
  readonly task: Task;
  readonly from: Cell;
  readonly to: Cell;
  /** Median to median; below 1 it fell. */
  readonly ratio: number;
  /** The least and the most that the repeats allow: the quickest over the slowest, and the slowest over the quickest. */
  readonly ratioMin: number;
  readonly ratioMax: number;
};

function growthOf(cells: readonly CellResult[], task: Task, from: Cell, to: Cell): Growth | undefined {
  const [before, after] = [cellOf(cells, from), cellOf(cells, to)];
  if (before === undefined || after === undefined) return undefined;
  const [small, large] = [before.secondsPerRequest, after.secondsPerRequest];
  return {
    task,
    from,
    to,
    ratio: large.median / small.median,
    ratioMin: large.min / small.max,
    ratioMax: large.max / small.min,
  };
}

/** From the second largest number of requests to the largest, in each network. */
export function growthByRequests(
  cells: readonly CellResult[],
  { tasks, nodes, requests }: Experiment,
): readonly Growth[] {
  const [from, to] = requests.slice(-2);
  if (from === undefined || to === undefined) return [];
  return tasks.flatMap((task) =>
    nodes.flatMap(
      (count) =>
        growthOf(cells, task, { task, nodes: count, requests: from }, { task, nodes: count, requests: to }) ?? [],
    ),
  );
}

/** From the smallest network to the largest, for each number of requests. */
export function growthByNodes(cells: readonly CellResult[], { tasks, nodes, requests }: Experiment): readonly Growth[] {
  const [from, to] = [nodes[0], nodes.at(-1)];
  if (from === undefined || to === undefined || from === to) return [];
  return tasks.flatMap((task) =>
    requests.flatMap(
      (number) =>
        growthOf(cells, task, { task, nodes: from, requests: number }, { task, nodes: to, requests: number }) ?? [],
    ),
  );
}

/** `noise`: the median is above the aim, and the repeats differ by more than it is above. */
export type Verdict = "met" | "noise" | "missed";

export function verdictOf({ ratio, ratioMin }: Growth, atMost: number): Verdict {
  if (ratio <= atMost) return "met";
  return ratioMin <= atMost ? "noise" : "missed";
}

export type LargestNode = {
  readonly bytes: number;
  readonly usageClass: ClassUsage["usageClass"];
  readonly run: Cell;
};

/** Nodes of members: those whose owners would run them at home. */
const MEMBER_CLASSES: readonly ClassUsage["usageClass"][] = ["consumer", "producer", "prosumer"];

/** The highest sample of a member's node in all runs. */
export function largestMemberNode(runs: readonly Run[]): LargestNode | undefined {
  let largest: LargestNode | undefined;
  for (const run of runs)
    for (const { usageClass, processPeakBytes: bytes } of run.usage)
      if (MEMBER_CLASSES.includes(usageClass) && bytes > (largest?.bytes ?? 0))
        largest = { bytes, usageClass, run: cell(run) };
  return largest;
}

function cell({ task, nodes, requests }: Run): Cell {
  return { task, nodes, requests };
}

/** Each class's part of the memory of all processes, 0 to 1. */
export function memoryShares(usage: readonly ClassUsage[]): ReadonlyMap<ClassUsage["usageClass"], number> {
  const total = usage.reduce((sum, { meanBytes }) => sum + meanBytes, 0);
  return new Map(usage.map(({ usageClass, meanBytes }) => [usageClass, total === 0 ? 0 : meanBytes / total]));
}
