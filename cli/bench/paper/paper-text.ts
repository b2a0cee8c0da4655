/** The summary of the experiment for the terminal. */
import Table from "cli-table3";
import { type GrowthAim, MEMBER_NODE_BYTES_MAX, type PaperSummary } from "./aims.ts";
import { TASK_NAMES } from "./experiment.ts";
import { type CellResult, cellOf, type Spread } from "./statistics.ts";
import { cellText, counted, listed, machineText, megabytes, milliseconds, ratioText, refusalsText } from "./wording.ts";

export function summaryText(summary: PaperSummary): string {
  const { machine, experiment, runs } = summary;
  const { nodes, requests, tasks, repeats } = experiment;
  return [
    `THE PAPER'S EXPERIMENT  ${machineText(machine)}`,
    `${counted(runs, "run")}, each with a network of its own: ${listed(nodes)} nodes · ${listed(requests)} requests at once · ${counted(tasks.length, "task")} · ${counted(repeats, "repeat")}`,
    "",
    "Time per request, ms: the batch's time by its requests; median of the repeats, least and most in brackets",
    timeTable(summary, ({ secondsPerRequest }) => timeText(secondsPerRequest)),
    "",
    "Time of a core per request, ms, of all processes together: less disturbed by what else runs on the machine",
    timeTable(summary, ({ cpuSecondsPerRequest }) => timeText(cpuSecondsPerRequest)),
    "",
    ...aimLines(summary),
  ].join("\n");
}

function timeTable(
  { experiment: { tasks, nodes, requests }, cells }: PaperSummary,
  text: (cell: CellResult) => string,
): string {
  const plural = requests.map((count) => counted(count, "request"));
  const table = new Table({
    head: ["task", "nodes", ...plural],
    colAligns: ["left", "right", ...plural.map(() => "right" as const)],
    style: { head: [], border: [] },
  });
  for (const task of tasks) {
    for (const count of nodes) {
      const times = requests.map((number) => {
        const cell = cellOf(cells, { task, nodes: count, requests: number });
        return cell === undefined ? "" : text(cell);
      });
      table.push([TASK_NAMES[task], count, ...times]);
    }
  }
  return table.toString();
}

function timeText({ median, min, max }: Spread): string {
  return `${milliseconds(median)} (${milliseconds(min)}–${milliseconds(max)})`;
}

function aimLines(summary: PaperSummary): readonly string[] {
  const { requests, nodes } = summary.experiment;
  const [few, many] = requests.slice(-2);
  const sentences = aimSentences(summary);
  return [
    ...(few === undefined || many === undefined
      ? []
      : [`From ${few} to ${many} requests at once: ${sentences.byRequests}`]),
    ...(nodes.length < 2 ? [] : [`From ${nodes[0]} to ${nodes.at(-1)} nodes: ${sentences.byNodes}`]),
    `Memory: ${sentences.memory}`,
    `Requests: ${sentences.failures}`,
    ...(sentences.contended === undefined ? [] : [`Bids on one auction: ${sentences.contended}`]),
  ];
}

/** What there is to say about each aim, in a sentence. */
export function aimSentences(summary: PaperSummary): {
  readonly byRequests: string;
  readonly byNodes: string;
  readonly memory: string;
  readonly failures: string;
  readonly contended: string | undefined;
} {
  const { largestMemberNode: largest, requests, failed, refusals } = summary;
  const limit = megabytes(MEMBER_NODE_BYTES_MAX);
  return {
    byRequests: growthSentence(summary.byRequests, "does not grow"),
    byNodes: growthSentence(summary.byNodes, "grows by less than a third"),
    memory:
      largest === undefined
        ? "no member's node was measured"
        : `largest member's node ${megabytes(largest.bytes)} MB (${largest.usageClass}; ${cellText(largest.run)}). Aim: less than ${limit} MB: ${largest.bytes < MEMBER_NODE_BYTES_MAX ? "met" : "missed"}.`,
    failures:
      failed === 0
        ? `all ${requests} were carried out.`
        : `${failed} of ${requests} were refused: ${refusalsText(refusals)}.`,
    contended: contendedSentence(summary.contended),
  };
}

function growthSentence({ growths, atMost }: GrowthAim, aim: string): string {
  const least = Math.min(...growths.map(({ ratio }) => ratio));
  const most = Math.max(...growths.map(({ ratio }) => ratio));
  const ofVerdict = (verdict: string): number => growths.filter((growth) => growth.verdict === verdict).length;
  const [worst] = growths.toSorted((left, right) => right.ratio - left.ratio);
  if (worst === undefined) return "not measured.";
  const range = growths.length === 1 ? ratioText(least) : `${ratioText(least)} to ${ratioText(most)}`;
  const met = `met in ${ofVerdict("met")} of ${growths.length}`;
  const noise = ofVerdict("noise") === 0 ? "" : `, within the noise of the repeats in ${ofVerdict("noise")}`;
  const missed = ofVerdict("missed") === 0 ? "" : `, missed in ${ofVerdict("missed")}`;
  const where =
    worst.ratio <= atMost
      ? ""
      : ` Worst: ${cellText(worst.to)}, ${ratioText(worst.ratio)} (${ratioText(worst.ratioMin)} to ${ratioText(worst.ratioMax)} in the repeats).`;
  return `time per request ${range}. Aim: ${aim}: ${met}${noise}${missed}.${where}`;
}

function contendedSentence(cell: CellResult | undefined): string | undefined {
  if (cell === undefined) return undefined;
  const { nodes, requests, repeats, failed, refusals, secondsPerRequest } = cell;
  const sent = requests * repeats;
  const refused = failed === 0 ? "" : `; refused: ${refusalsText(refusals)}`;
  return `${nodes} nodes, ${requests} at once, rising prices: ${milliseconds(secondsPerRequest.median)} ms for each answer; ${sent - failed} of ${sent} were carried out${refused}.`;
}
