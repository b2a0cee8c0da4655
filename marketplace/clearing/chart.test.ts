import { describe, expect, test } from "vitest";
import { microsPerKwh, wattHours } from "#core";
import { type Book, meritOrderChart, type Order } from "./index.ts";

function order(id: string, limit: number, energy: number): Order {
  return { id, owner: id, limit: microsPerKwh(limit), energy: wattHours(energy), sequence: 0 };
}

describe("the merit order as text", () => {
  test("a crossing book: bids fall, offers rise, the volume is marked and the price row is +", () => {
    const book: Book = {
      bids: [order("b1", 400_000, 2_000), order("b2", 100_000, 2_000)],
      offers: [order("o1", 100_000, 2_000), order("o2", 400_000, 2_000)],
    };
    expect(meritOrderChart(book, { columns: 8, rows: 4 })).toEqual([
      "     0.4000 |bbbboooo",
      "            |   :",
      "            +   :",
      "     0.1000 |oooobbbb",
      "            +--------",
      "             0 4.000 kWh",
    ]);
  });

  test("one price only is one row", () => {
    const book: Book = { bids: [order("b", 5, 10)], offers: [order("o", 5, 5)] };
    expect(meritOrderChart(book, { columns: 4, rows: 2 })[0]).toBe("     0.0000 +**bb");
  });

  test("an order much larger than the volume does not push the crossing out of sight", () => {
    const book: Book = { bids: [order("b", 5, 1_000_000)], offers: [order("o", 1, 10)] };
    expect(meritOrderChart(book, { columns: 6, rows: 2 }).at(-1)).toBe("             0 0.030 kWh");
  });

  test("a book without a crossing shows both sides and no volume", () => {
    const chart = meritOrderChart({ bids: [order("b", 1, 10)], offers: [order("o", 2, 10)] }, { columns: 6, rows: 3 });
    expect(chart.slice(0, 3).map((line) => line.slice(12))).toEqual(["|oooooo", "|", "|bbbbbb"]);
  });

  test("an empty book has no chart", () => {
    expect(meritOrderChart({ bids: [], offers: [] }, { columns: 6, rows: 3 })).toEqual([]);
  });
});
