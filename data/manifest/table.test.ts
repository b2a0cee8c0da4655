import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalOf, decimalWithin } from "./decimal.ts";
import { newProblemList } from "./problems.ts";
import { type CsvRows, plainRows, quotedRows } from "./table.ts";

describe("decimals", () => {
  const arbNumberText = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value.toFixed(6)),
    fc.tuple(fc.integer(), fc.nat(999_999)).map(([whole, part]) => `${whole}.${part}`),
    fc.integer().map((value) => `+${Math.abs(value)}`),
    fc.stringMatching(/^-?\d{1,25}\.?\d{0,25}$/),
  );

  test("are the same as the language reads them, to the last bit, wherever they stand", () => {
    fc.assert(
      fc.property(arbNumberText, fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), (text, before, after) => {
        const read = decimalWithin(before + text + after, before.length, before.length + text.length);
        expect(Object.is(read, Number(text))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("any other text is read alike by the quick and the careful reader", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 8 }), fc.stringMatching(/^[-+.eExX0-9 ,]{0,8}$/)), (text) => {
        expect(Object.is(decimalWithin(text, 0, text.length), decimalOf(text))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["", Number.NaN],
    [" ", Number.NaN],
    ["NaN", Number.NaN],
    ["null", Number.NaN],
    ["NA", Number.NaN],
    ["-", undefined],
    [".", undefined],
    ["1e", undefined],
    ["1 2", undefined],
    ["0x1", undefined],
    ["Infinity", undefined],
    ["1e999", undefined],
    ["-0.0", -0],
    [" 7 ", 7],
    ["1e3", 1_000],
    [".5", 0.5],
    ["5.", 5],
  ])("%j is %d", (text, value) => {
    expect(decimalOf(text)).toBe(value);
    expect(decimalWithin(`x${text}y`, 1, 1 + text.length)).toBe(value);
  });
});

describe("rows", () => {
  const wanted = { numbers: ["b", "c", "absent"], texts: ["a", "c"] };
  const arbCell = fc.oneof(fc.integer().map(String), fc.constantFrom("", "x", " 1.5", "2031-06-01T10:00", "-3.25"));
  const arbLine = fc.array(arbCell, { minLength: 1, maxLength: 5 }).map((cells) => cells.join(","));

  test("the quick reader and the general one agree on every file without quotes", () => {
    const plain = ({ header, numbers, texts, lines, uneven }: CsvRows) => ({
      header,
      texts,
      lines,
      uneven,
      numbers: numbers.map(({ values, unreadable }) => ({ values: [...values], unreadable: [...unreadable] })),
    });
    fc.assert(
      fc.property(
        fc.array(arbLine, { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        (rows, feed, closed) => {
          const text = ["a,b,c", ...rows].join(feed) + (closed ? feed : "");
          const general = quotedRows("f", text, wanted, newProblemList());
          expect(general).toBeDefined();
          if (general !== undefined) expect(plain(plainRows(text, wanted))).toEqual(plain(general));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("quoted fields may hold commas and line ends; later lines keep their number", () => {
    const rows = quotedRows("f", 'a,b\n"x, y\nz",1\nw,2\n', { numbers: ["b"], texts: ["a"] }, newProblemList());
    expect(rows?.texts).toEqual([["x, y\nz", "w"]]);
    expect(rows?.lines[1]).toBe(4);
    expect([...(rows?.numbers[0]?.values ?? [])]).toEqual([1, 2]);
  });
});
