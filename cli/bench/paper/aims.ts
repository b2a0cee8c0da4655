/** What we aim for, and how far the measured figures are from it. */
import { CONTENDED, type Experiment, failedOf, type Machine, type Run } from "./experiment.ts";
import {
  type CellResult,
  cellResults,
  type Growth,
  growthByNodes,
  growthByRequests,
  type LargestNode,
  largestMemberNode,
  type Verdict,
  verdictOf,
} from "./statistics.ts";

/** Time per request from 10 to 100 requests does not grow. */
export const REQUEST_GROWTH_MAX = 1;
/** From 6 to 10 nodes it grows by less than a third. */
export const NODE_GROWTH_MAX: number = 4 / 3;
export const MEMBER_NODE_BYTES_MAX = 120_000_000;

export type GrowthAim = {
  readonly atMost: number;
  readonly growths: readonly (Growth & { readonly verdict: Verdict })[];
};

export type PaperSummary = {
  readonly experiment: Experiment;
  readonly machine: Machine;
  /** Of the paper's tasks. */
  readonly cells: readonly CellResult[];
  readonly contended: CellResult | undefined;
  readonly byRequests: GrowthAim;
  readonly byNodes: GrowthAim;
  readonly largestMemberNode: LargestNode | undefined;
  readonly runs: number;
  /** Of the paper's tasks; bids on one auction are meant to be refused. */
  readonly requests: number;
  readonly failed: number;
  readonly refusals: Readonly<Record<string, number>>;
};

export function paperSummary(experiment: Experiment, runs: readonly Run[], machine: Machine): PaperSummary {
  const results = cellResults(runs);
  const cells = results.filter(({ task }) => task !== CONTENDED);
  const ofPaper = runs.filter(({ task }) => task !== CONTENDED);
  const refusals: Record<string, number> = {};
  for (const run of ofPaper)
    for (const [code, count] of Object.entries(run.refusals)) refusals[code] = (refusals[code] ?? 0) + count;
  return {
    experiment,
    machine,
    cells,
    contended: results.find(({ task }) => task === CONTENDED),
    byRequests: judged(growthByRequests(cells, experiment), REQUEST_GROWTH_MAX),
    byNodes: judged(growthByNodes(cells, experiment), NODE_GROWTH_MAX),
    largestMemberNode: largestMemberNode(runs),
    runs: runs.length,
    requests: ofPaper.reduce((sum, { requests }) => sum + requests, 0),
    failed: ofPaper.reduce((sum, run) => sum + failedOf(run), 0),
    refusals,
  };
}

function judged(growths: readonly Growth[], atMost: number): GrowthAim {
  return { atMost, growths: growths.map((growth) => ({ ...growth, verdict: verdictOf(growth, atMost) })) };
}
