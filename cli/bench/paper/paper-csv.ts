/** `paper.csv`: one row for each run and class of processes, from which anybody can draw the figures again. */
import { type ClassUsage, failedOf, type Run } from "./experiment.ts";

const COLUMNS: readonly (readonly [name: string, value: (run: Run, usage: ClassUsage) => string | number])[] = [
  ["task", ({ task }) => task],
  ["nodes", ({ nodes }) => nodes],
  ["requests", ({ requests }) => requests],
  ["repeat", ({ repeat }) => repeat + 1],
  ["usageClass", (_, { usageClass }) => usageClass],
  ["processes", (_, { processes }) => processes],
  ["residentBytes", (_, { meanBytes }) => Math.round(meanBytes)],
  ["residentBytesPeak", (_, { peakBytes }) => peakBytes],
  ["processResidentBytesPeak", (_, { processPeakBytes }) => processPeakBytes],
  ["samples", (_, { samples }) => samples],
  ["cpuSeconds", (_, { cpuSeconds }) => cpuSeconds.toFixed(2)],
  ["secondsPerRequest", ({ secondsPerRequest }) => secondsPerRequest.toFixed(6)],
  ["batchSeconds", ({ batchSeconds }) => batchSeconds.toFixed(6)],
  ["quietSeconds", ({ quietSeconds }) => quietSeconds.toFixed(6)],
  ["failed", (run) => failedOf(run)],
  ["refusals", ({ refusals }) => refusalsText(refusals)],
];

export const PAPER_COLUMNS: readonly string[] = COLUMNS.map(([name]) => name);

/** Rows in the order of the runs; within a run, classes in the paper's order. RFC 4180 with "\n"; no field needs quotes. */
export function paperCsv(runs: readonly Run[]): string {
  const rows = runs.flatMap((run) => run.usage.map((usage) => COLUMNS.map(([, value]) => value(run, usage)).join(",")));
  return `${[PAPER_COLUMNS.join(","), ...rows].join("\n")}\n`;
}

/** Such as `node_unreachable:2 state_conflict:1`. */
function refusalsText(refusals: Readonly<Record<string, number>>): string {
  return Object.entries(refusals)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([code, count]) => `${code}:${count}`)
    .join(" ");
}
