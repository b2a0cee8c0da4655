/** The comparison of generated with measured communities as tables for people: what `docs/data.md` shows. */
import { ok, type Result } from "#core";
import type { DataProblem } from "../manifest/problems.ts";
import {
  compareWithMeasured,
  type FitRow,
  type GroupStatistics,
  generatedStatistics,
  measuredStatistics,
} from "./fit.ts";
import { FIT_GROUPS, FIT_SOURCES, type FitGroup } from "./fit-targets.ts";

export type FitReport = {
  /** One Markdown table per group of statistics. */
  readonly tables: string;
  readonly figures: number;
  /** Names of the statistics that are outside their tolerance. */
  readonly outside: readonly string[];
};

/**
 * Compares the mean over seeds 1…`seeds` with what was measured: computed from the sets in `dataRoot` where it is given, else
 * the recorded figures.
 */
export function fitReport(seeds: number, dataRoot?: string): Result<FitReport, readonly DataProblem[]> {
  const measured = dataRoot === undefined ? ok(undefined) : measuredStatistics(dataRoot);
  if (!measured.ok) return measured;
  const rows = compareWithMeasured(Array.from({ length: seeds }, (_, index) => generatedStatistics(index + 1)));
  return ok({
    tables: FIT_GROUPS.map((group) => table(group, rows, measured.value)).join("\n\n"),
    figures: rows.length,
    outside: rows.filter(({ isWithin }) => !isWithin).map(({ group, statistic }) => `${group}.${statistic}`),
  });
}

function table(group: FitGroup, rows: readonly FitRow[], measured: GroupStatistics | undefined): string {
  const lines = rows
    .filter((row) => row.group === group)
    .map(({ statistic, meaning, measured: recorded, generated, tolerance }) => {
      const figures = [measured?.[group][statistic] ?? recorded, generated].map((figure) => figure.toFixed(3));
      return `| ${meaning} | ${figures.join(" | ")} | ${tolerance} |`;
    });
  return [`| ${FIT_SOURCES[group]} | measured | generated | tolerance |`, "| --- | --: | --: | --: |", ...lines].join(
    "\n",
  );
}
