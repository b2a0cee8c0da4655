/** A book as a text chart: what is asked and offered by price, and where it clears. For display only; numbers are rounded. */

import { matchBook } from "./matching.ts";
import { clearingInterval } from "./methods.ts";
import { type Book, compareBids, compareOffers, type Order } from "./orders.ts";

export type ChartSize = { readonly columns: number; readonly rows: number };

const MARK_BIDS = "b";
const MARK_OFFERS = "o";
const MARK_BOTH = "*";
const MARK_VOLUME = ":";

/**
 * The merit order: energy to the right, price upwards, `b` the bids from the dearest down, `o` the offers from the cheapest
 * up, `*` where both are in one cell, `:` the volume that trades. Gives `rows + 2` lines, of at most
 * `columns + 13` characters when there are 20 columns or more; no line at all for a book without orders.
 */
export function meritOrderChart(book: Book, { columns, rows }: ChartSize): readonly string[] {
  const { volume } = matchBook(book);
  const widthWh = chartWidthWh(book, Number(volume));
  if (widthWh === 0) return [];
  const bids = steps([...book.bids].sort(compareBids), widthWh, columns);
  const offers = steps([...book.offers].sort(compareOffers), widthWh, columns);
  const prices = [...bids, ...offers].filter((price) => price !== null);
  const [lowest, highest] = [Math.min(...prices), Math.max(...prices)];
  const rowOf = (price: number): number =>
    highest === lowest ? 0 : Math.round(((highest - price) / (highest - lowest)) * (rows - 1));
  const grid = Array.from({ length: rows }, () => Array.from({ length: columns }, () => " "));
  const volumeColumn = Math.round((Number(volume) / widthWh) * columns) - 1;
  if (volume > 0n) for (const line of grid) line[Math.max(0, volumeColumn)] = MARK_VOLUME;
  plot(grid, bids, rowOf, MARK_BIDS);
  plot(grid, offers, rowOf, MARK_OFFERS);
  const interval = clearingInterval(book);
  const clearingRow = interval === null ? -1 : rowOf((Number(interval.low) + Number(interval.high)) / 2);
  const label = (row: number): string => (row === 0 ? priceLabel(highest) : row === rows - 1 ? priceLabel(lowest) : "");
  const body = grid.map(
    (line, row) => `${label(row).padStart(11)} ${row === clearingRow ? "+" : "|"}${line.join("").trimEnd()}`,
  );
  return [...body, `${"".padStart(11)} +${"-".repeat(columns)}`, axis(widthWh, columns)];
}

/** The energy that the chart shows: all orders, but not more than three times the volume, so that the crossing stays visible. */
function chartWidthWh(book: Book, volumeWh: number): number {
  const total = (orders: readonly Order[]): number => orders.reduce((sum, order) => sum + Number(order.energy), 0);
  const all = Math.max(total(book.bids), total(book.offers));
  return volumeWh > 0 ? Math.min(all, volumeWh * 3) : all;
}

/** The limit of the order in the middle of each column; null beyond the last order. */
function steps(orders: readonly Order[], widthWh: number, columns: number): readonly (number | null)[] {
  const limits: (number | null)[] = [];
  let index = 0;
  let untilWh = Number(orders[0]?.energy ?? 0n);
  for (let column = 0; column < columns; column++) {
    const middleWh = ((column + 0.5) / columns) * widthWh;
    while (index < orders.length && untilWh < middleWh) {
      index += 1;
      untilWh += Number(orders[index]?.energy ?? 0n);
    }
    const order = orders[index];
    limits.push(order === undefined ? null : Number(order.limit));
  }
  return limits;
}

function plot(
  grid: string[][],
  limits: readonly (number | null)[],
  rowOf: (price: number) => number,
  mark: string,
): void {
  for (const [column, limit] of limits.entries()) {
    const line = limit === null ? undefined : grid[rowOf(limit)];
    if (line === undefined) continue;
    const there = line[column];
    line[column] = there === " " || there === MARK_VOLUME ? mark : MARK_BOTH;
  }
}

function priceLabel(microsPerKwh: number): string {
  const price = microsPerKwh / 1e6;
  return Math.abs(price) >= 1e5 ? price.toFixed(0) : price.toFixed(4);
}

function axis(widthWh: number, columns: number): string {
  const end = `${(widthWh / 1_000).toFixed(3)} kWh`;
  return `${"".padStart(13)}0 ${end.padStart(columns - 2)}`;
}
