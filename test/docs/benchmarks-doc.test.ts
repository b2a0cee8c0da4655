/** docs/benchmarks.md names the columns of `paper.csv`, the tasks and the aims as they are. */
import { expect, test } from "vitest";
import { MEMBER_NODE_BYTES_MAX, NODE_GROWTH_MAX, REQUEST_GROWTH_MAX } from "../../cli/bench/paper/aims.ts";
import { PAPER_COLUMNS } from "../../cli/bench/paper/paper-csv.ts";
import { textOf } from "../architecture/checkout.ts";
import { codes, section, tableRows } from "./pages.ts";

const PAGE = "docs/benchmarks.md";

test("the columns of paper.csv", () => {
  const rows = tableRows(section(PAGE, "The paper's experiment").split("column of `paper.csv`")[1] ?? "");
  const listed = rows.flatMap(([names = ""]) => codes(names));
  expect([...listed].sort()).toEqual([...PAPER_COLUMNS].sort());
});

test("the aims", () => {
  const text = textOf(PAGE).replaceAll("\n", " ");
  expect([REQUEST_GROWTH_MAX, NODE_GROWTH_MAX, MEMBER_NODE_BYTES_MAX]).toEqual([1, 4 / 3, 120e6]);
  expect(text).toContain("does not grow from 10 to 100 requests; it grows by less than a third from 6 to 10 nodes");
  expect(text).toContain("a member's node takes less than 120 MB");
});
