/** `dream bench aggregator`: what many members on one aggregator cost, and how that grows with them. */
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { z } from "zod";
import { toJson } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { progressBar } from "../progress.ts";
import { AGGREGATOR_PHASES, type AggregatorPhase, type AggregatorResult, runAggregator } from "./aggregator-run.ts";
import type { BenchIo } from "./ledger.ts";

export type BenchAggregatorFlags = {
  readonly members: readonly number[];
  readonly json?: boolean;
  readonly progress: boolean;
};

const resultSchema = z.strictObject({
  members: z.number(),
  phases: z.array(
    z.strictObject({
      phase: z.enum(AGGREGATOR_PHASES),
      seconds: z.number(),
      coreSeconds: z.number(),
      residentBytes: z.number(),
      transactions: z.number(),
    }),
  ),
  clearedWh: z.string().transform((text) => BigInt(text)),
});

const MEANINGS: Readonly<Record<AggregatorPhase, string>> = {
  join: "members join, 25 in a transaction",
  fund: "each gets its opening funds",
  start: "aggregator started again, with all",
  promise: "every second promises for a slot",
  order: "each places an order for it",
  clear: "the pool is cleared for good",
};

/** Each number of members has a process of its own, so that the memory of one is not that of the one before. */
export async function benchAggregator(flags: BenchAggregatorFlags, io: BenchIo): Promise<void> {
  const results: AggregatorResult[] = [];
  for (const members of flags.members) results.push(await inProcess(members, flags, io));
  io.stdout.write(flags.json === true ? `${toJson({ runs: results }, 2)}\n` : tableOf(results));
}

/** One run, in a process that is made for it. Prints its result as a line of JSON. */
export async function benchAggregatorRun(members: number, isQuiet: boolean, io: BenchIo): Promise<void> {
  const bar = progressBar(io.stderr, `steps of ${members} members`, isQuiet);
  try {
    const result = await runAggregator({ members, onProgress: (done, total) => bar.update(done, total) });
    bar.stop();
    io.stdout.write(`${toJson(result)}\n`);
  } finally {
    bar.stop();
  }
}

function inProcess(members: number, flags: BenchAggregatorFlags, io: BenchIo): Promise<AggregatorResult> {
  const quiet = flags.json === true || !flags.progress ? ["--no-progress"] : [];
  const args = [io.program, "bench", "aggregator-run", "--members", `${members}`, ...quiet];
  const child = spawn(process.execPath, args, { env: { ...io.nodeEnv }, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(resultSchema.parse(JSON.parse(text)));
      else reject(new CommandFailure(EXIT.error, `bench: the run with ${members} members failed; run it alone`));
    });
  });
}

const CELL_WIDTH = 26;

/** A column of seconds, in brackets of a core, and memory for each run, and how much the last took in comparison with the first. */
function tableOf(results: readonly AggregatorResult[]): string {
  const heads = results.map(({ members }) => `${members} members`.padStart(CELL_WIDTH)).join("");
  const lines = AGGREGATOR_PHASES.map((phase) => {
    const cells = results.map((result) => cellOf(result, phase));
    const growth = results.length > 1 ? `   ${growthOf(results, phase)}` : "";
    return `${MEANINGS[phase].padEnd(36)}${cells.join("")}${growth}`;
  });
  const volumes = results.map(({ clearedWh }) => `${clearedWh / 1_000n} kWh`.padStart(CELL_WIDTH)).join("");
  const clearings = results.map((result) => `${phaseOf(result, "clear").transactions}`.padStart(CELL_WIDTH)).join("");
  return `${[
    `MANY MEMBERS ON ONE AGGREGATOR  node ${process.version} · ${cpus().length} cores · all nodes in one process`,
    "",
    `${" ".repeat(36)}${heads}${results.length > 1 ? "   growth of core time, memory" : ""}`,
    ...lines,
    "",
    `${"cleared".padEnd(36)}${volumes}`,
    `${"transactions of the clearing".padEnd(36)}${clearings}`,
  ].join("\n")}\n`;
}

function phaseOf({ phases }: AggregatorResult, phase: AggregatorPhase): AggregatorResult["phases"][number] {
  return (
    phases.find((each) => each.phase === phase) ?? {
      phase,
      seconds: 0,
      coreSeconds: 0,
      residentBytes: 0,
      transactions: 0,
    }
  );
}

function cellOf(result: AggregatorResult, phase: AggregatorPhase): string {
  const { seconds, coreSeconds, residentBytes } = phaseOf(result, phase);
  const times = `${seconds.toFixed(1)} s (${coreSeconds.toFixed(1)})`;
  return `${times}${(residentBytes / 1e6).toFixed(0).padStart(6)} MB`.padStart(CELL_WIDTH);
}

function growthOf(results: readonly AggregatorResult[], phase: AggregatorPhase): string {
  const [first, last] = [results[0], results.at(-1)];
  if (first === undefined || last === undefined) return "";
  const [from, to] = [phaseOf(first, phase), phaseOf(last, phase)];
  const [time, memory] = [to.coreSeconds / from.coreSeconds, to.residentBytes / from.residentBytes];
  return `× ${time.toFixed(1)}, × ${memory.toFixed(1)}`;
}
