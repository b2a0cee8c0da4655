/**
 * Prints how generated communities compare with measured data: the tables of `docs/data.md`.
 *
 * From the root of the repository: npx tsc -p tsconfig.json && node dist/scripts/fit-generator.js [SEEDS]
 *
 * With measured data at hand (`DREAM_DATA`) the measured column is computed from them; else it is the recorded one.
 * Exit code 1 when a figure is outside its tolerance, 4 for bad input.
 */
import { describeProblem, fitReport } from "#data";

const DEFAULT_SEEDS = 12;

const seeds = Number(process.argv[2] ?? DEFAULT_SEEDS);
if (!Number.isInteger(seeds) || seeds < 1) {
  console.error(`SEEDS is the number of communities to draw, a whole number from 1, was ${process.argv[2]}`);
  process.exit(4);
}
const dataRoot = process.env["DREAM_DATA"];
if (dataRoot === undefined)
  console.error("DREAM_DATA names no folder of measured data: the recorded figures are shown");
const report = fitReport(seeds, dataRoot);
if (!report.ok) {
  for (const problem of report.error) console.error(describeProblem(problem));
  process.exit(4);
}
const { tables, figures, outside } = report.value;
console.log(tables);
console.error(`${figures - outside.length} of ${figures} figures within tolerance, mean of ${seeds} seeds`);
for (const statistic of outside) console.error(`outside: ${statistic}`);
process.exitCode = outside.length === 0 ? 0 : 1;
