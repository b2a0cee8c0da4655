/** The event log's chain: any changed, missing, doubled or moved line is found, the last one by the head that the manifest keeps. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOf } from "#core";
import { brokenLink, EventLog } from "./event-log.ts";

function logOf(data: readonly unknown[]): { readonly lines: readonly string[]; readonly head: string } {
  const lines: string[] = [];
  const log = new EventLog((line) => void lines.push(line));
  for (const [index, each] of data.entries()) log.append(index * 1_000, "test", each);
  expect(log.length).toBe(data.length);
  return { lines, head: log.head };
}

const DATA = [
  { wh: 1_000n },
  "a",
  null,
  [1, 2.5],
  { note: '"previous":""', nested: { b: 1, a: 2 } },
  {},
  -3,
  true,
] as const;

test("each line carries the hash of the one before it, keys in order, bigints as text", () => {
  const { lines } = logOf([{ wh: 5n }, 1]);
  expect(lines).toEqual([
    '{"atMs":0,"data":{"wh":"5"},"kind":"test","previous":"","sequence":0}',
    `{"atMs":1000,"data":1,"kind":"test","previous":"${hashOf(lines[0] ?? "")}","sequence":1}`,
  ]);
});

describe("the chain", () => {
  test("holds for what the log wrote, and for any beginning of it", () => {
    const { lines, head } = logOf(DATA);
    expect(brokenLink(lines, head)).toBeUndefined();
    for (let length = 0; length <= lines.length; length++) expect(brokenLink(lines.slice(0, length))).toBeUndefined();
  });

  test("an altered character is found in every line, in the last by the head", () => {
    const { lines, head } = logOf(DATA);
    fc.assert(
      fc.property(
        fc.nat({ max: lines.length - 1 }),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (row, at, character) => {
          const line = lines[row] ?? "";
          const position = at % line.length;
          const altered = `${line.slice(0, position)}${character}${line.slice(position + 1)}`;
          if (altered === line) return;
          const found = brokenLink(lines.with(row, altered), head);
          expect(found === row + 1 || found === row + 2).toBe(true); // The line itself, or the next, which has another hash.
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a line left out", (lines: readonly string[]) => lines.toSpliced(3, 1), 4],
    ["a line twice", (lines: readonly string[]) => lines.toSpliced(3, 0, lines[2] ?? ""), 4],
    [
      "two lines changed places",
      (lines: readonly string[]) => lines.with(3, lines[4] ?? "").with(4, lines[3] ?? ""),
      4,
    ],
    ["lines cut off at the end", (lines: readonly string[]) => lines.slice(0, 5), 5],
    ["nothing left", () => [], 1],
    ["a line that is no JSON", (lines: readonly string[]) => lines.with(2, "{"), 3],
    ["a line that is no object", (lines: readonly string[]) => lines.with(2, "null"), 3],
    [
      "the same value written in another way",
      (lines: readonly string[]) => lines.with(1, (lines[1] ?? "").replace(":", ": ")),
      2,
    ],
  ])("%s", (_what, alter, expected) => {
    const { lines, head } = logOf(DATA);
    expect(brokenLink(alter(lines), head)).toBe(expected);
  });

  test("a hash that merely stands somewhere in the data does not count as the link", () => {
    const { lines } = logOf(["first", "second"]);
    const forged = JSON.stringify({
      atMs: 1_000,
      data: `"previous":"${hashOf(lines[0] ?? "")}"`,
      kind: "test",
      previous: "0".repeat(64),
      sequence: 1,
    });
    expect(brokenLink([lines[0] ?? "", forged])).toBe(2);
  });
});
