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
  const folder = flags.out === undefined ? mkdtempSync(join(tmpdir(), "dream-paper-")) : resolve(flags.out);
  mkdirSync(folder, { recursive: true });
  const [loadBefore = 0] = loadavg();
  const measuredAt = new Date().toISOString();
  const runs = await runAll(experiment, flags, io);
  const [loadAfter = 0] = loadavg();
  const [processor] = cpus();
  const machine: Machine = {
    measuredAt,
    runtime: `node ${process.version}`,
    cpu: processor?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter,
  };
  writeFileSync(join(folder, "paper.csv"), paperCsv(runs));
  const summary = paperSummary(experiment, runs, machine);
  const { paperPage } = await import("./paper/page.ts");
  writeFileSync(join(folder, "report.html"), paperPage(summary));
  io.stdout.write(
    flags.json === true
      ? `${toJson({ ...summary, runs, out: folder }, 2)}\n`
      : `${summaryText(summary)}\nPage: ${join(folder, "report.html")}\nData: ${join(folder, "paper.csv")}\n`,
  );
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
): Promise<readonly Run[]> {
  const plans = runPlans(experiment);
  const progress = progressBar(stderr, "runs", flags.json === true || !flags.progress);
  const runs: Run[] = [];
  try {
    progress.update(0, plans.length);
    for (const plan of plans) {
      runs.push(await runOnce(plan, { program, nodeEnv }));
      progress.update(runs.length, plans.length);
    }
  } finally {
    progress.stop();
  }
  return runs;
}
