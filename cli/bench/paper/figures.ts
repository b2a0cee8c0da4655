/** The paper's figures 5, 6 and 7, drawn from our measurements, with the same facets. */
import { html, type Markup } from "#backtest";
import type { PaperSummary } from "./aims.ts";
import { TASK_NAMES, USAGE_CLASSES, type UsageClass } from "./experiment.ts";
import { type CellResult, cellOf, memoryShares } from "./statistics.ts";
import {
  drawing,
  type Grid,
  ground,
  line,
  logScale,
  marker,
  type Panel,
  type Point,
  panelAt,
  round,
  roundTicks,
  type Scale,
  upScale,
} from "./svg.ts";
import { cellText, counted, megabytes, milliseconds, percent } from "./wording.ts";

export const CLASS_NAMES: Readonly<Record<UsageClass, string>> = {
  infrastructure: "Infrastructure",
  client: "Client",
  "grid-authority": "Grid authority",
  consumer: "Consumer",
  producer: "Producer",
  prosumer: "Prosumer",
  "power-company": "Power company",
  notary: "Notary",
};

const X_TITLE = "Requests at once";
const MEGABYTE = 1_000_000;

type Drawn = { readonly panel: Panel; readonly x: Scale; readonly y: Scale };

/** Panels for each task and column, each with its ground, and what `content` draws on it. */
function facets(
  { experiment: { tasks, requests } }: PaperSummary,
  columns: readonly string[],
  options: {
    readonly grid: Pick<Grid, "panelWidth" | "panelHeight" | "left">;
    readonly ticks: readonly number[];
    readonly tickText: (value: number) => string;
    /** Stands with the highest number. */
    readonly unit: string;
    readonly label: string;
    readonly content: (column: number, row: number, drawn: Drawn) => readonly Markup[];
  },
): Markup {
  const { ticks, tickText, unit, label } = options;
  const grid: Grid = { ...options.grid, columns, rows: tasks.map((task) => TASK_NAMES[task]) };
  const most = ticks.at(-1) ?? 1;
  const panels = tasks.flatMap((_, row) =>
    columns.map((_name, column) => {
      const panel = panelAt(grid, column, row);
      const [x, y] = [logScale(panel, requests), upScale(panel, most)];
      const axes = {
        xTicks: requests.map((number) => [x(number), String(number)] as const),
        yTicks: ticks.map((value) => [y(value), `${tickText(value)}${value === most ? unit : ""}`] as const),
        isFirst: column === 0,
        isLast: row === tasks.length - 1,
      };
      return html`${ground(panel, axes)}${options.content(column, row, { panel, x, y })}`;
    }),
  );
  return drawing(grid, label, X_TITLE, panels);
}

/** Lines over the numbers of requests, one for each size of the network. */
function linesByNodes(
  { experiment: { nodes, requests, tasks }, cells }: PaperSummary,
  row: number,
  { x, y }: Drawn,
  of: { readonly value: (cell: CellResult) => number | undefined; readonly text: (cell: CellResult) => string },
): readonly Markup[] {
  const task = tasks[row];
  if (task === undefined) return [];
  return nodes.map((count, index) => {
    const found = requests.flatMap((number): readonly { readonly point: Point; readonly cell: CellResult }[] => {
      const cell = cellOf(cells, { task, nodes: count, requests: number });
      const value = cell === undefined ? undefined : of.value(cell);
      return cell === undefined || value === undefined ? [] : [{ point: [x(number), y(value)], cell }];
    });
    const className = `series-${index % 6}`;
    return html`${line(
      found.map(({ point }) => point),
      className,
    )}${found.map(({ point, cell }) => marker(point, index, className, of.text(cell)))}`;
  });
}

/** Figure 5: memory against requests; columns are usage classes, rows tasks, colours sizes of the network. */
export function memoryFigure(summary: PaperSummary): Markup {
  const bytesOf = (cell: CellResult, usageClass: UsageClass): number | undefined =>
    cell.usage.find((used) => used.usageClass === usageClass)?.meanBytes;
  const most = Math.max(0, ...summary.cells.flatMap(({ usage }) => usage.map(({ meanBytes }) => meanBytes)));
  return facets(
    summary,
    USAGE_CLASSES.map((usageClass) => CLASS_NAMES[usageClass]),
    {
      grid: { panelWidth: 118, panelHeight: 136, left: 52 },
      ticks: roundTicks(most / MEGABYTE).map((value) => value * MEGABYTE),
      tickText: megabytes,
      unit: " MB",
      label: "Resident memory in megabytes against requests at once, for each class of processes and each task",
      content: (column, row, drawn) => {
        const usageClass = USAGE_CLASSES[column] ?? "infrastructure";
        return linesByNodes(summary, row, drawn, {
          value: (cell) => bytesOf(cell, usageClass),
          text: (cell) =>
            `${CLASS_NAMES[usageClass]}: ${cellText(cell)}: ${megabytes(bytesOf(cell, usageClass) ?? 0)} MB`,
        });
      },
    },
  );
}

/** Figure 6: each class's part of all memory against requests; columns are sizes of the network, rows tasks. */
export function shareFigure(summary: PaperSummary): Markup {
  const { nodes, requests, tasks } = summary.experiment;
  return facets(
    summary,
    nodes.map((count) => `${count} nodes`),
    {
      grid: { panelWidth: Math.max(150, Math.floor(960 / nodes.length)), panelHeight: 150, left: 52 },
      ticks: [0, 0.25, 0.5, 0.75, 1],
      tickText: percent,
      unit: "",
      label:
        "Each class’s part of the memory of all processes against requests at once, by size of the network and task",
      content: (column, row, { panel, x, y }) =>
        requests.flatMap((number) => {
          const [task, count] = [tasks[row], nodes[column]];
          const cell =
            task === undefined || count === undefined
              ? undefined
              : cellOf(summary.cells, { task, nodes: count, requests: number });
          const width = Math.min(64, (panel.width / requests.length) * 0.68);
          return cell === undefined ? [] : stack(cell, x(number), width, y);
        }),
    },
  );
}

function stack(cell: CellResult, middle: number, width: number, y: Scale): Markup {
  let below = 0;
  const parts = [...memoryShares(cell.usage)].map(([usageClass, share]) => {
    const [top, bottom] = [y(below + share), y(below)];
    below += share;
    const index = USAGE_CLASSES.indexOf(usageClass);
    const hint = `${CLASS_NAMES[usageClass]}: ${cellText(cell)}: ${percent(share)}`;
    const hasRoom = bottom - top > 10 && width > 30;
    return html`<rect class="part class-${index}" x="${round(middle - width / 2)}" y="${round(top)}" width="${round(width)}" height="${round(bottom - top)}"><title>${hint}</title></rect>${
      hasRoom
        ? html`<text class="part-text class-text-${index}" x="${round(middle)}" y="${round((top + bottom) / 2 + 3)}" text-anchor="middle">${percent(share)}</text>`
        : null
    }`;
  });
  return html`${parts}`;
}

/** Figure 7: time per request against requests; columns are sizes of the network, rows tasks. */
export function timeFigure(summary: PaperSummary): Markup {
  const { nodes, requests, tasks } = summary.experiment;
  const most = Math.max(0, ...summary.cells.map(({ secondsPerRequest }) => secondsPerRequest.max));
  return facets(
    summary,
    nodes.map((count) => `${count} nodes`),
    {
      grid: { panelWidth: Math.max(150, Math.floor(960 / nodes.length)), panelHeight: 140, left: 52 },
      ticks: roundTicks(most * 1_000).map((value) => value / 1_000),
      tickText: (seconds) => String(Number((seconds * 1_000).toPrecision(6))),
      unit: " ms",
      label: "Time per request in milliseconds against requests at once, by size of the network and task",
      content: (column, row, { x, y }) => {
        const [task, count] = [tasks[row], nodes[column]];
        if (task === undefined || count === undefined) return [];
        const found = requests.flatMap(
          (number) => cellOf(summary.cells, { task, nodes: count, requests: number }) ?? [],
        );
        const className = `series-${column % 6}`;
        const points = found.map(
          ({ requests: number, secondsPerRequest }): Point => [x(number), y(secondsPerRequest.median)],
        );
        return [
          ...found.map(({ requests: number, secondsPerRequest: { min, max } }) => whisker(x(number), y(min), y(max))),
          line(points, className),
          ...found.map((cell, index) => marker(points[index] ?? [0, 0], column, className, timeHint(cell))),
        ];
      },
    },
  );
}

function whisker(x: number, from: number, to: number): Markup {
  return html`<line class="whisker" x1="${round(x)}" x2="${round(x)}" y1="${round(from)}" y2="${round(to)}"/>`;
}

function timeHint(cell: CellResult): string {
  const { median, min, max } = cell.secondsPerRequest;
  return `${cellText(cell)}: ${milliseconds(median)} ms (${milliseconds(min)} to ${milliseconds(max)} in ${counted(cell.repeats, "repeat")})`;
}
