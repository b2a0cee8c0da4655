/** The experiment of the paper's section 4.1: what is varied, and what each run gives. */

/** Whom a process belongs to, as in the paper. */
export const USAGE_CLASSES = [
  "infrastructure",
  "client",
  "grid-authority",
  "consumer",
  "producer",
  "prosumer",
  "power-company",
  "notary",
] as const;
export type UsageClass = (typeof USAGE_CLASSES)[number];

export const TASKS = ["create-promise", "create-auction", "bid"] as const;
export type Task = (typeof TASKS)[number];
/** Bids of all on one auction: not of the paper, which does not say whose bids were on what. */
export const CONTENDED = "bid-contended";
export type RunTask = Task | typeof CONTENDED;

export const TASK_NAMES: Readonly<Record<RunTask, string>> = {
  "create-promise": "Create power promise",
  "create-auction": "Create auction",
  bid: "Bid",
  "bid-contended": "Bids on one auction",
};

export type Experiment = {
  readonly nodes: readonly number[];
  readonly requests: readonly number[];
  readonly tasks: readonly Task[];
  readonly repeats: number;
};

/** One cell of the experiment. */
export type Cell = { readonly task: RunTask; readonly nodes: number; readonly requests: number };
export type RunPlan = Cell & { readonly repeat: number };

/** What the processes of one class used in a run: resident bytes in its samples, and time of a core. */
export type ClassUsage = {
  readonly usageClass: UsageClass;
  readonly processes: number;
  readonly samples: number;
  /** All its processes together, mean of the samples. */
  readonly meanBytes: number;
  /** All its processes together, the highest sample. */
  readonly peakBytes: number;
  /** The largest process at its highest sample. */
  readonly processPeakBytes: number;
  /** All its processes together, from the first sample to the last. */
  readonly cpuSeconds: number;
};

export type Run = RunPlan & {
  /** From the first request that was sent to the last answer. */
  readonly batchSeconds: number;
  readonly secondsPerRequest: number;
  /** From the first request that was sent until no node had anything left to do or to deliver. */
  readonly quietSeconds: number;
  /** Of single requests, in the order in which they were sent. */
  readonly answerSeconds: readonly number[];
  /** Refused requests by the code of the refusal. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly usage: readonly ClassUsage[];
};

/** Where and when it was measured. */
export type Machine = {
  readonly measuredAt: string;
  readonly runtime: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Processes that wanted a core, in the minute before the first run and in that before the end. */
  readonly loadBefore: number;
  readonly loadAfter: number;
};

export function failedOf({ refusals }: Pick<Run, "refusals">): number {
  return Object.values(refusals).reduce((sum, count) => sum + count, 0);
}

/**
 * All runs in the order in which they are made: every cell once, then all again backwards, and so on, so that a machine which
 * becomes slower or faster meanwhile favours no cell.
 */
export function runPlans(experiment: Experiment): readonly RunPlan[] {
  const { nodes, requests, tasks } = experiment;
  const cells = nodes.flatMap((count) =>
    tasks.flatMap((task) => requests.map((number): Cell => ({ task, nodes: count, requests: number }))),
  );
  const contended = contendedCell(experiment);
  if (contended !== undefined) cells.push(contended);
  return Array.from({ length: experiment.repeats }, (_, repeat) => repeat).flatMap((repeat) =>
    (repeat % 2 === 0 ? cells : cells.toReversed()).map((cell) => ({ ...cell, repeat })),
  );
}

/** Bids on one auction, once: in the smallest network, by the second smallest number of requests. */
function contendedCell({ nodes, requests, tasks }: Experiment): Cell | undefined {
  const [count] = nodes;
  const number = requests[1];
  if (!tasks.includes("bid") || count === undefined || number === undefined) return undefined;
  return { task: CONTENDED, nodes: count, requests: number };
}
