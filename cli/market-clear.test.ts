import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CliError,
  clearBookCommand,
  type MarketClearOutput,
  marketClear,
  renderClearing,
  scanJson,
} from "./market-clear.ts";

const BOOK = `{
  "bids": [
    {"id":"b1","owner":"A","priceMicrosPerKwh":"250000","energyWh":"1000"},
    {"id":"b2","owner":"B","priceMicrosPerKwh":"200000","energyWh":"500"}
  ],
  "offers": [
    {"id":"o1","owner":"C","priceMicrosPerKwh":"150000","energyWh":"1200"}
  ]
}`;

/** A clock that moves on by 2.5 ms with each look. */
function stopwatch(): { nowMs(): number } {
  let nowMs = 1_000;
  return {
    nowMs() {
      nowMs += 2.5;
      return nowMs;
    },
  };
}

function cleared(book: string, method = "pay-as-clear"): MarketClearOutput {
  const result = clearBookCommand(book, "book.json", method, stopwatch());
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refused(book: string, method = "pay-as-clear", fileName = "book.json"): CliError {
  const result = clearBookCommand(book, fileName, method, stopwatch());
  if (result.ok) throw new Error("the book was cleared");
  return result.error;
}

function order(fields: Record<string, unknown>): Record<string, unknown> {
  return { id: "x", owner: "X", priceMicrosPerKwh: "1", energyWh: "1", ...fields };
}

describe("a good book", () => {
  test("pay-as-clear", () => {
    expect(cleared(BOOK)).toEqual({
      method: "pay-as-clear",
      priceMicrosPerKwh: "200000",
      volumeWh: "1200",
      trades: [
        { bid: "b1", offer: "o1", energyWh: "1000", priceMicrosPerKwh: "200000" },
        { bid: "b2", offer: "o1", energyWh: "200", priceMicrosPerKwh: "200000" },
      ],
      clearSeconds: 0.0025,
    });
  });

  test("pay-as-bid has no one price", () => {
    const { priceMicrosPerKwh, trades } = cleared(BOOK, "pay-as-bid");
    expect([priceMicrosPerKwh, ...trades.map((trade) => trade.priceMicrosPerKwh)]).toEqual([null, "250000", "200000"]);
  });

  test("nothing trades: no price, no trades", () => {
    expect(cleared('{"bids":[],"offers":[]}')).toEqual({
      method: "pay-as-clear",
      priceMicrosPerKwh: null,
      volumeWh: "0",
      trades: [],
      clearSeconds: 0.0025,
    });
  });

  test("arrival is the sequence where given, else the place in the file", () => {
    const offers = [order({ id: "o", owner: "S" })];
    const winner = (bids: readonly unknown[]): string | undefined =>
      cleared(JSON.stringify({ bids, offers })).trades[0]?.bid;
    expect(winner([order({ id: "z" }), order({ id: "a" })])).toBe("z");
    expect(winner([order({ id: "z", sequence: 7 }), order({ id: "a", sequence: 3 })])).toBe("a");
    expect(winner([order({ id: "z", sequence: 7 }), order({ id: "a" })])).toBe("a");
  });

  test("negative prices, and a byte order mark", () => {
    const book = {
      bids: [order({ priceMicrosPerKwh: "-10" })],
      offers: [order({ id: "y", owner: "Y", priceMicrosPerKwh: "-15" })],
    };
    expect(cleared(`\ufeff${JSON.stringify(book)}`).priceMicrosPerKwh).toBe("-13");
  });

  test("with --json the text is the output", () => {
    const result = marketClear(BOOK, "book.json", "pay-as-clear", stopwatch(), true);
    expect(result.ok && JSON.parse(result.value)).toEqual(cleared(BOOK));
  });
});

describe("a bad book: exit code 4, and every problem with file, line, field and mend", () => {
  const cases: readonly (readonly [string, Record<string, unknown> | null, string])[] = [
    [
      "negative energy",
      { energyWh: "-5" },
      'bids[0].energyWh: must be a positive whole number of watt-hours, was "-5"; give a decimal string such as "1000" (1 kWh) [energy_not_positive]',
    ],
    [
      "no energy",
      { energyWh: "0" },
      'bids[0].energyWh: must be a positive whole number of watt-hours, was "0"; give a decimal string such as "1000" (1 kWh) [energy_not_positive]',
    ],
    [
      "energy as a number",
      { energyWh: 1000 },
      'bids[0].energyWh: must be a positive whole number of watt-hours, was 1000; give a decimal string such as "1000" (1 kWh)',
    ],
    [
      "energy in fractions",
      { energyWh: "1.5" },
      'bids[0].energyWh: must be a positive whole number of watt-hours, was "1.5"; give a decimal string such as "1000" (1 kWh)',
    ],
    [
      "energy beyond sense",
      { energyWh: "9".repeat(30) },
      `bids[0].energyWh: must be at most 1000000000000 watt-hours, was "${"9".repeat(30)}"; give less energy [energy_out_of_range]`,
    ],
    [
      "a price in fractions",
      { priceMicrosPerKwh: "0.25" },
      'bids[0].priceMicrosPerKwh: must be a whole number of micros per kWh, was "0.25"; give a decimal string such as "250000" (0.25 per kWh)',
    ],
    [
      "a price with an exponent",
      { priceMicrosPerKwh: "1e5" },
      'bids[0].priceMicrosPerKwh: must be a whole number of micros per kWh, was "1e5"; give a decimal string such as "250000" (0.25 per kWh)',
    ],
    [
      "a price beyond the band",
      { priceMicrosPerKwh: "1000000001" },
      'bids[0].priceMicrosPerKwh: must be in -1000000000…1000000000 micros per kWh, was "1000000001"; give a price in the band [price_out_of_band]',
    ],
    [
      "a missing price",
      { priceMicrosPerKwh: undefined },
      'bids[0].priceMicrosPerKwh: is missing: must be a whole number of micros per kWh; give a decimal string such as "250000" (0.25 per kWh)',
    ],
    [
      "an empty owner",
      { owner: "" },
      'bids[0].owner: must be text of 1 to 200 characters without control characters (Unicode NFC), was ""; give the member that the order is for [order_malformed]',
    ],
    [
      "an id that is a number",
      { id: 7 },
      "bids[0].id: must be text of 1 to 200 characters without control characters (Unicode NFC), was 7; give each order a name of its own",
    ],
    [
      "a negative arrival number",
      { sequence: -1 },
      "bids[0].sequence: must be an arrival number 0, 1, 2, …, was -1; give a whole number up to 2^53-1, or leave it out: then the place in the file counts",
    ],
    ["a field cut short", { price: "1" }, 'bids[0].price: is not a known field; write "priceMicrosPerKwh"'],
    [
      "an unknown field",
      { colour: "green" },
      "bids[0].colour: is not a known field; remove it; the fields are id, owner, priceMicrosPerKwh, energyWh, sequence",
    ],
    [
      "an id used before",
      { id: "o" },
      'offers[0].id: must be used once, over bids and offers, was "o" again; rename one of the orders [order_id_reused]',
    ],
    [
      "an owner that meets itself",
      { owner: "S" },
      'offers[0].priceMicrosPerKwh: must not meet an order of the same owner: "S" has bid "b" at "1", was "1"; remove one of the two orders, or keep the bid below the offer [self_cross]',
    ],
    [
      "an order that is none",
      null,
      'bids[0]: must be an order, was null; give {"id":"b1","owner":"A","priceMicrosPerKwh":"250000","energyWh":"1000"}',
    ],
  ];
  test.each(cases)("%s", (_name, fields, message) => {
    const bid = fields === null ? null : order({ id: "b", ...fields });
    const book = `{"bids":[\n${JSON.stringify(bid)}],\n"offers":[\n${JSON.stringify(order({ id: "o", owner: "S" }))}]}`;
    const error = refused(book);
    expect(error.exitCode).toBe(4);
    expect(error.message).toBe(`book.json:${message.startsWith("offers") ? 4 : 2}: ${message}`);
  });

  test("all at once, in the order of the file, the unknown method first", () => {
    const book = `{"bids": [
      {"id":"b1","owner":"A","priceMicrosPerKwh":"x","energyWh":"-5"},
      7,
      {"id":"b3","owner":"A","priceMicrosPerKwh":"10","energyWh":"5",
       "energy":"5"},
      {"id":"b4","owner":"A","priceMicrosPerKwh":"10","energyWh":"0"}
    ], "offers": [
      {"id":"b4","owner":"B","priceMicrosPerKwh":"10","energyWh":"5"},
      {"id":"b4","owner":"B","priceMicrosPerKwh":"10"}
    ]}`;
    expect(refused(book, "pay-as-you-like").problems.map(({ line, path }) => [line, path])).toEqual([
      [null, "--method"],
      [2, "bids[0].priceMicrosPerKwh"],
      [3, "bids[1]"],
      [5, "bids[2].energy"],
      [6, "bids[3].id"],
      [6, "bids[3].energyWh"],
      [9, "offers[1].energyWh"],
    ]);
  });

  test("an unknown method names the known ones", () => {
    expect(refused(BOOK, "best").message).toBe(
      '--method: must be a trading method, was "best"; give pay-as-clear or pay-as-bid',
    );
  });

  test("a book that is no book", () => {
    expect(refused("[]").message).toBe('book.json:1: must be a book, was []; give {"bids":[…],"offers":[…]}');
    expect(refused('{"bids":[],\n"ofers":[]}').problems.map(({ line, path, fault }) => [line, path, fault])).toEqual([
      [1, "offers", "is missing: must be a list of orders"],
      [2, "ofers", "is not a known field"],
    ]);
    expect(refused('{"bids":[],"offers":{}}').message).toContain("offers: must be a list of orders, was {}");
  });

  test("text that is not JSON is placed by line and column", () => {
    expect(refused('{"bids":[\n  {"id":"b1",}\n]}').message).toBe(
      "book.json:2: is not JSON: expected a field name in double quotes at column 14; correct the text there",
    );
    expect(refused("", "pay-as-clear", "-").message).toBe(
      "(standard input):1: is not JSON: expected a value at column 1; correct the text there",
    );
  });

  test("a field given twice, where the second would silently win", () => {
    const book = BOOK.replace('"owner":"A"', '"owner":"A","owner":"B"');
    expect(refused(book).message).toBe(
      "book.json:3: bids[0].owner: must not be given twice in one object; remove one of the two",
    );
  });

  test("what is shown of a bad value can't steer a terminal and is short", () => {
    const message = refused(
      JSON.stringify({ bids: [order({ id: `\u009b31m\u202e${"y".repeat(300)}` })], offers: [] }),
    ).message;
    expect(message).toContain("\\u{9b}31m\\u{202e}yyy");
    expect(message).not.toMatch(/[\u009b\u202e]/);
    expect(message.length).toBeLessThan(300);
  });

  test("nothing that JSON can hold makes it throw", () => {
    const arbField = fc.oneof(fc.jsonValue(), fc.constantFrom("1", "-1", "0", "5", "a"));
    const arbOrder = fc.oneof(
      fc.jsonValue(),
      fc.record({
        id: arbField,
        owner: arbField,
        priceMicrosPerKwh: arbField,
        energyWh: arbField,
        __proto__: arbField,
      }),
    );
    const arbBook = fc.oneof(fc.jsonValue(), fc.record({ bids: fc.array(arbOrder), offers: fc.array(arbOrder) }));
    fc.assert(
      fc.property(arbBook, (book) => {
        const result = marketClear(JSON.stringify(book), "book.json", "pay-as-clear", stopwatch(), false);
        if (!result.ok) expect(result.error.problems.every(({ line, mend }) => line === 1 && mend !== "")).toBe(true);
      }),
    );
  });
});

describe("the lines of a JSON text", () => {
  test("each value's line, by path", () => {
    expect([...scanJson('{"a": [1,\n {"b c": "\\"\\u0041",\n"d": true}],\r\n"e":-1.5e+3}').lines]).toEqual([
      ["", 1],
      ["a", 1],
      ["a[0]", 1],
      ["a[1]", 2],
      ['a[1]["b c"]', 2],
      ["a[1].d", 3],
      ["e", 4],
    ]);
  });

  test("it accepts what JSON.parse accepts, and nothing else", () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const arbBroken = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(2),
        fc.constantFrom("", ",", '"', "]", "}", "0", "-", ".", "e", "\\", "\n", "\u0000", "nul", " "),
      )
      .map(([json, atAny, removed, inserted]) => {
        const at = atAny % (json.length + 1);
        return json.slice(0, at) + inserted + json.slice(at + removed);
      });
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 4 }), arbBroken, fc.string()), (text) => {
        expect(scanJson(text).fault === null).toBe(isJson(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test("nesting without end is a fault, not a crash", () => {
    expect(scanJson("[".repeat(100_000)).fault?.expected).toBe("less nesting");
  });
});

describe("shown to people", () => {
  function shown(book: string, method = "pay-as-clear"): string {
    const result = marketClear(book, "book.json", method, stopwatch(), false);
    return result.ok ? result.value : result.error.message;
  }

  test("the result, the trades and the merit order", () => {
    expect(shown(BOOK).split("\n").slice(0, 8)).toEqual([
      "pay-as-clear: 1.200 kWh at 0.200000 per kWh in 2 trades, 2.500 ms",
      "┌─────┬───────┬───────┬───────────────┐",
      "│ bid │ offer │   kWh │ price per kWh │",
      "├─────┼───────┼───────┼───────────────┤",
      "│ b1  │ o1    │ 1.000 │      0.200000 │",
      "│ b2  │ o1    │ 0.200 │      0.200000 │",
      "└─────┴───────┴───────┴───────────────┘",
      "",
    ]);
    expect(shown(BOOK)).toContain("     0.2500 |bbbb");
  });

  test("a book without a trade says so", () => {
    expect(shown('{"bids":[],"offers":[]}')).toBe("pay-as-clear: nothing trades (bids: 0, offers: 0)");
  });

  test("however large the book, at most 40 lines of at most 100 characters", () => {
    const orders = (side: string, price: number): readonly unknown[] =>
      Array.from({ length: 300 }, (_, index) =>
        order({
          id: `${side}${index}${"x".repeat(150)}`,
          owner: side,
          priceMicrosPerKwh: String(price + index),
          energyWh: "999999999",
        }),
      );
    const lines = shown(
      JSON.stringify({ bids: orders("b", 999_000_000), offers: orders("o", -999_999_999) }),
      "pay-as-bid",
    ).split("\n");
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines).toContain("… and 285 more (all of them with --json)");
  });

  test("without the book there is no chart", () => {
    expect(renderClearing(cleared(BOOK)).split("\n")).toHaveLength(7);
  });

  test("negative and small amounts keep their digits", () => {
    const book = {
      bids: [order({ priceMicrosPerKwh: "-7", energyWh: "5" })],
      offers: [order({ id: "y", owner: "Y", priceMicrosPerKwh: "-1500007" })],
    };
    expect(shown(JSON.stringify(book), "pay-as-bid")).toContain("│ 0.001 │     -0.000007 │");
  });
});
