/**
 * `settlements.csv`: one row per member and slot, from which anybody can recompute every figure of the report.
 * Written and read in one form only (RFC 4180 with "\n" line ends), so that equal runs give equal bytes.
 */
import {
  compareText,
  err,
  invariant,
  type Micros,
  micros,
  ok,
  parseSlotId,
  type Result,
  type SlotId,
  type WattHours,
  wattHours,
} from "#core";
import type { SettlementRow } from "./model.ts";

const ENERGY_COLUMNS = [
  "producedWh",
  "consumedWh",
  "promisedWh",
  "deliveredWh",
  "shortfallWh",
  "boughtWh",
  "soldWh",
] as const;
const MONEY_COLUMNS = [
  "tradeMicros",
  "feesMicros",
  "depositLostMicros",
  "feedInMicros",
  "retailMicros",
  "netMicros",
  "baselineMicros",
] as const;

/** The columns of `settlements.csv`, in their order. */
export const SETTLEMENT_COLUMNS: readonly (keyof SettlementRow)[] = [
  "slot",
  "member",
  "roles",
  ...ENERGY_COLUMNS,
  ...MONEY_COLUMNS,
];

/** What is wrong with a `settlements.csv`, at which line (the header is line 1) and column, and what belongs there. */
export type SettlementsCsvError = {
  readonly tag: "settlements_malformed";
  readonly line: number;
  readonly column: string | null;
  readonly expected: string;
};

/**
 * The rows as CSV, sorted by slot, then by member, with a header.
 * @throws InvariantError when a member has two rows in a slot or no name, or a role holds a `+`, which separates roles.
 */
export function settlementsCsv(rows: readonly SettlementRow[]): string {
  const sorted = rows.toSorted(compareRows);
  for (const [index, row] of sorted.entries()) {
    const before = sorted[index - 1];
    invariant(before === undefined || compareRows(before, row) < 0, `one row per member and slot: ${keyOf(row)}`);
  }
  return `${[SETTLEMENT_COLUMNS.join(","), ...sorted.map(lineOf)].join("\n")}\n`;
}

/**
 * Reads what {@link settlementsCsv} writes (outside input: never throws).
 * Strict: another header, order, spelling of a number or line end, a second row of a member and slot, are refused.
 * That the money columns add up is for an audit to find, not refused here.
 */
export function parseSettlementsCsv(text: string): Result<readonly SettlementRow[], SettlementsCsvError> {
  const records = splitRecords(text);
  if (!records.ok) return records;
  const [header, ...body] = records.value;
  if (header?.fields.join(",") !== SETTLEMENT_COLUMNS.join(","))
    return refusal(1, null, `the header ${SETTLEMENT_COLUMNS.join(",")}`);
  const rows: SettlementRow[] = [];
  for (const record of body) {
    const row = parseRow(record);
    if (!row.ok) return row;
    const before = rows.at(-1);
    if (before !== undefined && compareRows(before, row.value) >= 0)
      return refusal(record.line, "slot", "rows sorted by slot, then member, and one row for each");
    rows.push(row.value);
  }
  return ok(rows);
}

function compareRows(left: SettlementRow, right: SettlementRow): number {
  return compareText(left.slot, right.slot) || compareText(left.member, right.member);
}

function keyOf(row: SettlementRow): string {
  return `${row.slot} ${row.member}`;
}

function lineOf(row: SettlementRow): string {
  invariant(row.member !== "", "a row names its member");
  for (const role of row.roles)
    invariant(role !== "" && !role.includes("+"), `a role is text without "+", was ${JSON.stringify(role)}`);
  const amounts = [...ENERGY_COLUMNS, ...MONEY_COLUMNS].map((column) => row[column].toString());
  return [row.slot, quoted(row.member), quoted(row.roles.join("+")), ...amounts].join(",");
}

/** RFC 4180, rule 6 and 7: quoted when it holds a comma, a quote or a line break; quotes are doubled. */
function quoted(field: string): string {
  return needsQuotes(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function needsQuotes(field: string): boolean {
  return /[",\r\n]/.test(field);
}

type CsvRecord = { readonly line: number; readonly fields: readonly string[] };

/** One field and what ends it. A quote may stand only around a whole field, and only where it is needed. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\n)/y;

function splitRecords(text: string): Result<readonly CsvRecord[], SettlementsCsvError> {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let line = 1;
  let firstLine = 1;
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const match = FIELD.exec(text);
    const column = SETTLEMENT_COLUMNS[fields.length] ?? null;
    if (match === null) return refusal(line, column, 'a field of RFC 4180 and "\\n" at the end of each line');
    const field = match[1]?.replaceAll('""', '"') ?? match[2] ?? "";
    if (match[1] !== undefined && !needsQuotes(field)) return refusal(line, column, "quotes only where needed");
    fields.push(field);
    line += match[0].split("\n").length - 1;
    if (match[3] !== "\n") continue;
    records.push({ line: firstLine, fields });
    fields = [];
    firstLine = line;
  }
  return fields.length === 0 ? ok(records) : refusal(line, null, 'a "\\n" at the end of the file');
}

function parseRow(record: CsvRecord): Result<SettlementRow, SettlementsCsvError> {
  const { fields, line } = record;
  if (fields.length !== SETTLEMENT_COLUMNS.length)
    return refusal(line, null, `${SETTLEMENT_COLUMNS.length} fields, had ${fields.length}`);
  const [slotText = "", member = "", roleText = "", ...amounts] = fields;
  const slot = parseSlotId(slotText);
  if (!slot.ok) return refusal(line, "slot", "a slot such as 2031-06-01T10:15Z/PT15M");
  if (member === "") return refusal(line, "member", "a name");
  const roles = roleText === "" ? [] : roleText.split("+");
  if (roles.includes("")) return refusal(line, "roles", 'roles joined by "+"');
  const values: Record<string, bigint> = {};
  for (const [index, column] of [...ENERGY_COLUMNS, ...MONEY_COLUMNS].entries()) {
    const value = parseAmount(amounts[index] ?? "");
    const isEnergy = index < ENERGY_COLUMNS.length;
    if (value === undefined || (isEnergy && value < 0n))
      return refusal(line, column, isEnergy ? "watt-hours: 0 or a whole number above" : "micros: a whole number");
    values[column] = value;
  }
  return ok(rowOf(slot.value.id, member, roles, values));
}

const INT64_MAX = 2n ** 63n - 1n;

/** A whole number of 64 bits in its one spelling: no plus, no leading zeros, no minus zero. */
function parseAmount(text: string): bigint | undefined {
  if (text.length > 20 || !/^(0|-?[1-9]\d*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= -INT64_MAX && value <= INT64_MAX ? value : undefined;
}

function rowOf(
  slot: SlotId,
  member: string,
  roles: readonly string[],
  values: Readonly<Record<string, bigint>>,
): SettlementRow {
  const energy = (column: (typeof ENERGY_COLUMNS)[number]): WattHours => wattHours(values[column] ?? 0n);
  const money = (column: (typeof MONEY_COLUMNS)[number]): Micros => micros(values[column] ?? 0n);
  return {
    slot,
    member,
    roles,
    producedWh: energy("producedWh"),
    consumedWh: energy("consumedWh"),
    promisedWh: energy("promisedWh"),
    deliveredWh: energy("deliveredWh"),
    shortfallWh: energy("shortfallWh"),
    boughtWh: energy("boughtWh"),
    soldWh: energy("soldWh"),
    tradeMicros: money("tradeMicros"),
    feesMicros: money("feesMicros"),
    depositLostMicros: money("depositLostMicros"),
    feedInMicros: money("feedInMicros"),
    retailMicros: money("retailMicros"),
    netMicros: money("netMicros"),
    baselineMicros: money("baselineMicros"),
  };
}

function refusal(
  line: number,
  column: string | null,
  expected: string,
): { readonly ok: false; readonly error: SettlementsCsvError } {
  return err({ tag: "settlements_malformed", line, column, expected });
}
