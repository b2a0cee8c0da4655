import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros, type SlotMinutes, slotStartingAt, unwrap, wattHours } from "#core";
import { sampleRun } from "../../scripts/sample-report.ts";
import { parseSettlementsCsv, SETTLEMENT_COLUMNS, settlementsCsv } from "./csv.ts";
import type { SettlementRow } from "./model.ts";

const HEADER =
  "slot,member,roles,producedWh,consumedWh,promisedWh,deliveredWh,shortfallWh,boughtWh,soldWh,tradeMicros,feesMicros,depositLostMicros,feedInMicros,retailMicros,netMicros,baselineMicros";

function row(changes: Partial<SettlementRow> = {}): SettlementRow {
  return {
    slot: slotStartingAt(Date.UTC(2031, 5, 1, 10, 15), 15).id,
    member: "A",
    roles: ["prosumer", "storage-provider"],
    producedWh: wattHours(1),
    consumedWh: wattHours(2),
    promisedWh: wattHours(3),
    deliveredWh: wattHours(4),
    shortfallWh: wattHours(5),
    boughtWh: wattHours(6),
    soldWh: wattHours(7),
    tradeMicros: micros(-8),
    feesMicros: micros(9),
    depositLostMicros: micros(10),
    feedInMicros: micros(11),
    retailMicros: micros(12),
    netMicros: micros(13),
    baselineMicros: micros(-14),
    ...changes,
  };
}

const LINE = "2031-06-01T10:15Z/PT15M,A,prosumer+storage-provider,1,2,3,4,5,6,7,-8,9,10,11,12,13,-14";

describe("settlementsCsv", () => {
  test("writes the columns of the run directory, with a line end after each row", () => {
    expect(SETTLEMENT_COLUMNS.join(",")).toBe(HEADER);
    expect(settlementsCsv([row()])).toBe(`${HEADER}\n${LINE}\n`);
    expect(settlementsCsv([])).toBe(`${HEADER}\n`);
  });

  test("sorts by slot, then by member", () => {
    const later = slotStartingAt(Date.UTC(2031, 5, 1, 10, 30), 15).id;
    const csv = settlementsCsv([row({ slot: later }), row({ member: "b" }), row({ member: "B" }), row()]);
    const keys = csv
      .split("\n")
      .slice(1, -1)
      .map((line) => line.split(",").slice(0, 2).join(" "));
    expect(keys).toEqual([
      "2031-06-01T10:15Z/PT15M A",
      "2031-06-01T10:15Z/PT15M B",
      "2031-06-01T10:15Z/PT15M b",
      "2031-06-01T10:30Z/PT15M A",
    ]);
  });

  test("quotes what RFC 4180 says must be quoted, and nothing else", () => {
    const csv = settlementsCsv([row({ member: 'say "hi", twice\nhere' })]);
    expect(csv).toContain(',"say ""hi"", twice\nhere",prosumer+');
    expect(settlementsCsv([row({ member: "O'Neill & Søn" })])).toContain(",O'Neill & Søn,");
  });

  test("refuses two rows of a member in a slot, a member without a name, and a role with a plus", () => {
    expect(() => settlementsCsv([row(), row()])).toThrow(/one row per member and slot: 2031-06-01T10:15Z\/PT15M A/);
    expect(() => settlementsCsv([row({ member: "" })])).toThrow(/names its member/);
    expect(() => settlementsCsv([row({ roles: ["a+b"] })])).toThrow(/role is text without "\+", was "a\+b"/);
  });
});

const energy = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(wattHours);
const money = fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map(micros);
const slot = fc
  .tuple(fc.integer({ min: 0, max: 4_000_000 }), fc.constantFrom<SlotMinutes>(15, 30, 60))
  .map(([count, minutes]) => slotStartingAt(count * minutes * 60_000, minutes).id);
const settlement: fc.Arbitrary<SettlementRow> = fc.record({
  slot,
  member: fc.oneof(
    fc.string({ minLength: 1 }),
    fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "x"), minLength: 1 }),
  ),
  roles: fc.array(fc.constantFrom("prosumer", "consumer", 'odd,"role"'), { maxLength: 3 }),
  producedWh: energy,
  consumedWh: energy,
  promisedWh: energy,
  deliveredWh: energy,
  shortfallWh: energy,
  boughtWh: energy,
  soldWh: energy,
  tradeMicros: money,
  feesMicros: money,
  depositLostMicros: money,
  feedInMicros: money,
  retailMicros: money,
  netMicros: money,
  baselineMicros: money,
});
const settlements = fc.uniqueArray(settlement, { selector: (one) => JSON.stringify([one.slot, one.member]) });

describe("parseSettlementsCsv", () => {
  test("reads back what was written, whatever the names, and writing it again gives the same bytes", () => {
    fc.assert(
      fc.property(settlements, (rows) => {
        const csv = settlementsCsv(rows);
        const parsed = unwrap(parseSettlementsCsv(csv));
        expect(parsed).toHaveLength(rows.length);
        expect(new Set(parsed.map(textOf))).toEqual(new Set(rows.map(textOf)));
        expect(settlementsCsv(parsed)).toBe(csv);
      }),
    );
  });

  test("never throws, and accepts only what it would write itself", () => {
    const base = settlementsCsv([row(), row({ member: "B, C" })]);
    fc.assert(
      fc.property(
        fc.nat(base.length),
        fc.constantFrom("", ",", '"', "\n", "\r", "0", "-", "+", " ", "x"),
        (at, put) => {
          const text = base.slice(0, at) + put + base.slice(at + 1);
          const parsed = parseSettlementsCsv(text);
          if (parsed.ok) expect(settlementsCsv(parsed.value)).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ["nothing at all", "", 1, null],
    ["another header", `${HEADER.replace("feesMicros", "fees")}\n`, 1, null],
    ["no line end at the end", `${HEADER}\n${LINE}`, 2, "baselineMicros"],
    ["Windows line ends", `${HEADER}\r\n${LINE}\r\n`, 1, "baselineMicros"],
    ["a byte order mark", `\ufeff${HEADER}\n`, 1, null],
    ["a missing field", `${HEADER}\n${LINE.replace(",-14", "")}\n`, 2, null],
    ["one field too many", `${HEADER}\n${LINE},1\n`, 2, null],
    ["an empty line", `${HEADER}\n\n`, 2, null],
    ["a slot that is none", `${HEADER}\n${LINE.replace("10:15Z", "10:20Z")}\n`, 2, "slot"],
    ["no name", `${HEADER}\n${LINE.replace(",A,", ",,")}\n`, 2, "member"],
    ["an empty role", `${HEADER}\n${LINE.replace("+storage-provider", "+")}\n`, 2, "roles"],
    ["negative energy", `${HEADER}\n${LINE.replace(",1,2,", ",-1,2,")}\n`, 2, "producedWh"],
    ["a fraction", `${HEADER}\n${LINE.replace(",9,", ",9.5,")}\n`, 2, "feesMicros"],
    ["a plus", `${HEADER}\n${LINE.replace(",9,", ",+9,")}\n`, 2, "feesMicros"],
    ["a leading zero", `${HEADER}\n${LINE.replace(",9,", ",09,")}\n`, 2, "feesMicros"],
    ["minus zero", `${HEADER}\n${LINE.replace(",9,", ",-0,")}\n`, 2, "feesMicros"],
    ["an amount beyond 64 bits", `${HEADER}\n${LINE.replace(",9,", ",9223372036854775808,")}\n`, 2, "feesMicros"],
    ["needless quotes", `${HEADER}\n${LINE.replace(",A,", ',"A",')}\n`, 2, "member"],
    ["a quote within a field", `${HEADER}\n${LINE.replace(",A,", ',A"B,')}\n`, 2, "member"],
    ["the same member and slot twice", `${HEADER}\n${LINE}\n${LINE}\n`, 3, "slot"],
    ["rows out of order", `${HEADER}\n${LINE.replace(",A,", ",B,")}\n${LINE}\n`, 3, "slot"],
  ])("refuses %s, and says where", (_what, text, line, column) => {
    const parsed = parseSettlementsCsv(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.error).toMatchObject({ tag: "settlements_malformed", line, column });
    if (!parsed.ok) expect(parsed.error.expected).not.toBe("");
  });

  test("counts lines as an editor does, also after a name of two lines", () => {
    const rows = settlementsCsv([row({ member: "A\nB" }), row({ member: "C" })]);
    const parsed = parseSettlementsCsv(rows.replace(/,C,(.*),-14/, ",C,$1,x"));
    expect(parsed).toMatchObject({ ok: false, error: { line: 4, column: "baselineMicros" } });
  });
});

test("the settlements of a whole run survive the way through the file", () => {
  const { settlements: rows } = sampleRun({ members: 5, days: 2 });
  const parsed = unwrap(parseSettlementsCsv(settlementsCsv(rows)));
  expect(parsed).toHaveLength(rows.length);
  const net = (all: readonly SettlementRow[]): bigint => all.reduce((sum, one) => sum + one.netMicros, 0n);
  expect(net(parsed)).toBe(0n);
});

function textOf(one: SettlementRow): string {
  return SETTLEMENT_COLUMNS.map((column) => JSON.stringify(String(one[column]))).join();
}
