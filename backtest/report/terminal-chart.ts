/** Price and volume by hour of day as columns of block characters, for the terminal report. */
import { displayWidth, inked, padStart, type TerminalLook } from "./terminal-text.ts";

/** One row of columns, 24 of them; null where there is nothing to show. */
export type HourSeries = {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Writes the number at the top of the scale. */
  readonly format: (value: number) => string;
};

const ROWS = 3;
const EIGHTHS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const HALVES = [" ", ".", "#"] as const;

/**
 * The lines of the chart: three per series, and one with the hours below the last.
 * Each scale goes from nought, or from its lowest value when that is below, to its highest.
 */
export function hourChart(look: TerminalLook, series: readonly HourSeries[], labelWidth: number): readonly string[] {
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0")).join(" ");
  const columns = series.flatMap((one) => seriesRows(look, one, labelWidth));
  return [...columns, inked(look, "dim", `${" ".repeat(labelWidth)} ${hours}`)];
}

function seriesRows(look: TerminalLook, series: HourSeries, labelWidth: number): readonly string[] {
  const known = series.values.filter((value) => value !== null);
  const top = Math.max(...known, 0);
  const bottom = Math.min(...known, 0);
  const steps = look.unicode ? EIGHTHS : HALVES;
  const levels = series.values.map((value) => levelOf(value, bottom, top, ROWS * (steps.length - 1)));
  const label = (row: number): string => {
    if (row === 0) return known.length === 0 ? "none" : series.format(top);
    return row === 1 ? series.label : bottom < 0 ? series.format(bottom) : "0";
  };
  return Array.from({ length: ROWS }, (_, row) => {
    const cells = levels.map((level) => cellOf(look, level, ROWS - 1 - row, steps));
    const text = label(row);
    const shown = inked(look, row === 1 ? "bold" : "dim", text);
    return `${padStart("", labelWidth - displayWidth(text))}${shown} ${cells.join(" ")}`.trimEnd();
  });
}

/** How many of `levels` steps the value fills; at least one of what is above the bottom. */
function levelOf(value: number | null, bottom: number, top: number, levels: number): number | null {
  if (value === null) return null;
  if (top === bottom) return 0;
  const share = (value - bottom) / (top - bottom);
  return share <= 0 ? 0 : Math.max(1, Math.round(share * levels));
}

function cellOf(look: TerminalLook, level: number | null, rowFromBottom: number, steps: readonly string[]): string {
  if (level === null) return rowFromBottom === 0 ? (look.unicode ? "··" : "--") : "  ";
  const full = steps.length - 1;
  const filled = Math.min(full, Math.max(0, level - rowFromBottom * full));
  return (steps[filled] ?? " ").repeat(2);
}
