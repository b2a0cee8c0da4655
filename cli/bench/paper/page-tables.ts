/** The figures of the experiment's page as tables, for those who can't see the charts and for exact values. */
import { html, type Markup } from "#backtest";
import type { GrowthAim, PaperSummary } from "./aims.ts";
import { TASK_NAMES, USAGE_CLASSES } from "./experiment.ts";
import { CLASS_NAMES } from "./figures.ts";
import { type CellResult, memoryShares, type Verdict } from "./statistics.ts";
import { megabytes, milliseconds, percent, ratioText, refusalsText } from "./wording.ts";

type Column = { readonly head: string; readonly cell: (cell: CellResult) => string };

/** A row for each cell of the experiment. */
function cellTable(caption: string, cells: readonly CellResult[], columns: readonly Column[]): Markup {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col" class="text">Task</th><th scope="col">Nodes</th><th scope="col">Requests</th>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${cells.map(
    (cell) =>
      html`<tr><th scope="row">${TASK_NAMES[cell.task]}</th><td>${cell.nodes}</td><td>${cell.requests}</td>${columns.map((column) => html`<td>${column.cell(cell)}</td>`)}</tr>`,
  )}</tbody>
</table></div>`;
}

export function memoryTable({ cells }: PaperSummary): Markup {
  const columns = USAGE_CLASSES.map(
    (usageClass): Column => ({
      head: CLASS_NAMES[usageClass],
      cell: ({ usage }) => {
        const found = usage.find((each) => each.usageClass === usageClass);
        return found === undefined ? "–" : megabytes(found.meanBytes);
      },
    }),
  );
  return cellTable("Resident memory, MB, all processes of a class together", cells, columns);
}

export function shareTable({ cells }: PaperSummary): Markup {
  const columns = USAGE_CLASSES.map(
    (usageClass): Column => ({
      head: CLASS_NAMES[usageClass],
      cell: ({ usage }) => {
        const share = memoryShares(usage).get(usageClass);
        return share === undefined ? "–" : percent(share);
      },
    }),
  );
  return cellTable("Part of the memory of all processes", cells, columns);
}

export function timeTable({ cells }: PaperSummary): Markup {
  return cellTable(
    "Time per request, ms: median, least and most of the repeats; time of a core that all processes took for it; refused requests",
    cells,
    [
      { head: "Median", cell: ({ secondsPerRequest }) => milliseconds(secondsPerRequest.median) },
      { head: "Least", cell: ({ secondsPerRequest }) => milliseconds(secondsPerRequest.min) },
      { head: "Most", cell: ({ secondsPerRequest }) => milliseconds(secondsPerRequest.max) },
      { head: "Of a core", cell: ({ cpuSecondsPerRequest }) => milliseconds(cpuSecondsPerRequest.median) },
      { head: "Repeats", cell: ({ repeats }) => String(repeats) },
      {
        head: "Refused",
        cell: ({ failed, refusals }) => (failed === 0 ? "none" : `${failed}: ${refusalsText(refusals)}`),
      },
    ],
  );
}

export const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  met: "met",
  noise: "within the noise",
  missed: "missed",
};

/** How the time per request grows, with the range that the repeats allow; nothing where nothing can be compared. */
export function growthTable(caption: string, { growths }: GrowthAim): readonly Markup[] {
  if (growths.length === 0) return [];
  const table = html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col" class="text">Task</th><th scope="col">Nodes</th><th scope="col">Requests</th><th scope="col">Ratio</th><th scope="col">In the repeats</th><th scope="col">Aim</th></tr></thead>
<tbody>${growths.map(({ from, to, ratio, ratioMin, ratioMax, verdict }) => {
    const nodes = from.nodes === to.nodes ? `${to.nodes}` : `${to.nodes} : ${from.nodes}`;
    const requests = from.requests === to.requests ? `${to.requests}` : `${to.requests} : ${from.requests}`;
    return html`<tr><th scope="row">${TASK_NAMES[to.task]}</th><td>${nodes}</td><td>${requests}</td><td>${ratioText(ratio)}</td><td>${ratioText(ratioMin)} to ${ratioText(ratioMax)}</td><td>${VERDICT_TEXT[verdict]}</td></tr>`;
  })}</tbody>
</table></div>`;
  return [table];
}
