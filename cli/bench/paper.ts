/** `dream bench paper`: the experiment of the paper's section 4.1, with its figures 5, 6 and 7. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { toJson } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { progressBar } from "../progress.ts";
import type { BenchIo } from "./ledger.ts";
import { paperSummary } from "./paper/aims.ts";
import { type Experiment, type Machine, type Run, runPlans, TASKS, type Task } from "./paper/experiment.ts";
import { paperCsv } from "./paper/paper-csv.ts";
import { summaryText } from "./paper/paper-text.ts";
import { runOnce } from "./paper/run.ts";

export type BenchPaperFlags = {
  readonly out?: string;
  readonly nodes: readonly number[];
  readonly requests: readonly number[];
  readonly tasks?: string;
  readonly repeats: number;
  readonly json?: boolean;
  readonly progress: boolean;
};

export async function benchPaper(flags: BenchPaperFlags, io: BenchIo): Promise<void> {
  const { nodes, requests, repeats } = flags;
  const experiment: Experiment = { nodes, requests, repeats, tasks: tasksOf(flags.tasks) };
  const folder = madeFolder(flags.out);
  const [csv, page] = [join(folder, "paper.csv"), join(folder, "report.html")];
  const [loadBefore = 0] = loadavg();
  const measuredAt = new Date().toISOString();
  // Written after each run: what was measured is not lost when a later run fails.
  const runs = await runAll(experiment, flags, io, (soFar) => writeFileSync(csv, paperCsv(soFar)));
  const summary = paperSummary(experiment, runs, machineNow(measuredAt, loadBefore));
  const { paperPage } = await import("./paper/page.ts");
  writeFileSync(page, paperPage(summary));
  io.stdout.write(
    flags.json === true
      ? `${toJson({ ...summary, runs, out: folder }, 2)}\n`
      : `${summaryText(summary)}\nPage: ${page}\nData: ${csv}\n`,
  );
}

function madeFolder(named: string | undefined): string {
  if (named === undefined) return mkdtempSync(join(tmpdir(), "dream-paper-"));
  try {
    mkdirSync(named, { recursive: true });
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.badInput, `--out: ${named} can't be made; give a folder that can`, { cause: error });
  }
  return resolve(named);
}

function machineNow(measuredAt: string, loadBefore: number): Machine {
  const [loadAfter = 0] = loadavg();
  return {
    measuredAt,
    runtime: `node ${process.version}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter,
  };
}

function tasksOf(text: string | undefined): readonly Task[] {
  if (text === undefined) return TASKS;
  const named = text.split(",");
  const unknown = named.find((name) => !TASKS.some((task) => task === name));
  if (unknown !== undefined)
    throw new CommandFailure(EXIT.badInput, `--tasks: ${unknown} is no task; give some of ${TASKS.join(", ")}`);
  return TASKS.filter((task) => named.includes(task));
}

async function runAll(
  experiment: Experiment,
  flags: BenchPaperFlags,
  { stderr, program, nodeEnv }: BenchIo,
  onRun: (soFar: readonly Run[]) => void,
): Promise<readonly Run[]> {
  const plans = runPlans(experiment);
  const progress = progressBar(stderr, "runs", flags.json === true || !flags.progress);
  const runs: Run[] = [];
  try {
    progress.update(0, plans.length);
    for (const plan of plans) {
      runs.push(await runOnce(plan, { program, nodeEnv }));
      onRun(runs);
      progress.update(runs.length, plans.length);
    }
  } finally {
    progress.stop();
  }
  return runs;
}
