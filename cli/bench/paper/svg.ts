/** Small charts in a grid, as SVG that stands by itself: no script, colours from the page's style. */
import { html, type Markup } from "#backtest";

/** A value's place on an axis. */
export type Scale = (value: number) => number;

export type Panel = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Rows and columns of panels, with their names above and at the side. Lengths in the drawing's units. */
export type Grid = {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly panelWidth: number;
  readonly panelHeight: number;
  /** Room for the numbers of the vertical axis. */
  readonly left: number;
};

const GAP = 14;
const TOP = 24;
const BOTTOM = 44;
const RIGHT = 26;

export function panelAt({ panelWidth, panelHeight, left }: Grid, column: number, row: number): Panel {
  return {
    x: left + column * (panelWidth + GAP),
    y: TOP + row * (panelHeight + GAP),
    width: panelWidth,
    height: panelHeight,
  };
}

/** The whole drawing. @param label - What it shows, for those who don't see it. */
export function drawing(grid: Grid, label: string, xTitle: string, content: readonly Markup[]): Markup {
  const { columns, rows, panelWidth, panelHeight, left } = grid;
  const width = left + columns.length * (panelWidth + GAP) - GAP + RIGHT;
  const height = TOP + rows.length * (panelHeight + GAP) - GAP + BOTTOM;
  const names = [
    ...columns.map((name, index) => {
      const { x } = panelAt(grid, index, 0);
      return html`<text class="facet" x="${x + panelWidth / 2}" y="${TOP - 9}" text-anchor="middle">${name}</text>`;
    }),
    ...rows.map((name, index) => {
      const { y } = panelAt(grid, 0, index);
      const x = width - RIGHT + 10;
      return html`<text class="facet" transform="translate(${x} ${y + panelHeight / 2}) rotate(90)" text-anchor="middle">${name}</text>`;
    }),
  ];
  const middle = left + (width - left - RIGHT) / 2;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" style="min-width:${Math.round(width * 0.8)}px">
${names}${content}
<text class="axis-title" x="${middle}" y="${height - 6}" text-anchor="middle">${xTitle}</text>
</svg>`;
}

/** The ground of a panel, with lines at the ticks; numbers only where `isFirst` column and `isLast` row. */
export function ground(
  panel: Panel,
  axes: {
    readonly xTicks: readonly (readonly [at: number, text: string])[];
    readonly yTicks: readonly (readonly [at: number, text: string])[];
    readonly isFirst: boolean;
    readonly isLast: boolean;
  },
): Markup {
  const { x, y, width, height } = panel;
  const { xTicks, yTicks, isFirst, isLast } = axes;
  const bottom = y + height;
  return html`<rect class="ground" x="${x}" y="${y}" width="${width}" height="${height}"/>
${yTicks.map(([at]) => html`<line class="grid" x1="${x}" x2="${x + width}" y1="${round(at)}" y2="${round(at)}"/>`)}
${isFirst ? yTicks.map(([at, text]) => html`<text class="tick" x="${x - 6}" y="${round(at + 3.5)}" text-anchor="end">${text}</text>`) : null}
${isLast ? xTicks.map(([at, text]) => html`<text class="tick" x="${round(at)}" y="${bottom + 14}" text-anchor="middle">${text}</text>`) : null}`;
}

/** Numbers of requests at equal distances of their logarithm. */
export function logScale({ x, width }: Panel, values: readonly number[]): Scale {
  const margin = width * 0.12;
  const [least = 1, most = 1] = [values[0], values.at(-1)];
  const span = Math.log(most / least);
  return (value) => (span === 0 ? x + width / 2 : x + margin + ((width - 2 * margin) * Math.log(value / least)) / span);
}

/** From nought at the bottom to `most` at the top. */
export function upScale({ y, height }: Panel, most: number): Scale {
  return (value) => y + height - (most === 0 ? 0 : (value / most) * height);
}

/** Round numbers from nought up, the last at or above `most`: four to six of them. */
export function roundTicks(most: number): readonly number[] {
  if (most <= 0) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

export type Point = readonly [x: number, y: number];

export function line(points: readonly Point[], className: string): Markup {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  return html`<polyline class="line ${className}" points="${path}"/>`;
}

/** Shapes, so that colours are not alone in telling the lines apart. */
export function marker([x, y]: Point, shape: number, className: string, title: string): Markup {
  const hint = html`<title>${title}</title>`;
  switch (shape % 3) {
    case 0:
      return html`<circle class="mark ${className}" cx="${round(x)}" cy="${round(y)}" r="3.6">${hint}</circle>`;
    case 1:
      return html`<rect class="mark ${className}" x="${round(x - 3.3)}" y="${round(y - 3.3)}" width="6.6" height="6.6">${hint}</rect>`;
    default:
      return html`<path class="mark ${className}" d="M${round(x)} ${round(y - 4.4)}l4.2 7.4h-8.4z">${hint}</path>`;
  }
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
