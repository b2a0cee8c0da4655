/** Reads the wanted columns of a CSV file, or the wanted field of a JSON file, with the line of each row. */
import { readFileSync, statSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { decimalOf, decimalWithin } from "./decimal.ts";
import type { ProblemList } from "./problems.ts";

/** A larger file is refused rather than read into memory. */
export const FILE_BYTES_MAX: number = 256 * 1_024 * 1_024;

/** Columns to read, by what is wanted of them. */
export type WantedColumns = { readonly numbers: readonly string[]; readonly texts: readonly string[] };
export type NumberColumn = {
  /** NaN where the cell is empty, says that it is, or is no number. */
  readonly values: Float64Array;
  /** Cells that are not empty and no number, by row. */
  readonly unreadable: ReadonlyMap<number, string>;
};
export type Table = {
  /** Name for problems. */
  readonly file: string;
  readonly rows: number;
  /** Line of a row, from 1; null in formats without lines. */
  readonly lineOf: (row: number) => number | null;
  /** Undefined for a column that was not found, which has been reported. */
  readonly numbers: (name: string) => NumberColumn | undefined;
  readonly texts: (name: string) => readonly string[] | undefined;
  /** A text field beside the values, in JSON files. */
  readonly field: (name: string) => unknown;
};

/** The columns of the file at `path`, or undefined when nothing can be read; what is wrong goes to `problems`. */
export function readTable(path: string, columns: WantedColumns, problems: ProblemList): Table | undefined {
  const text = readText(path, problems);
  if (text === undefined) return undefined;
  const wanted = { numbers: [...new Set(columns.numbers)], texts: [...new Set(columns.texts)] };
  return path.toLowerCase().endsWith(".json")
    ? jsonTable(path, text, wanted, problems)
    : csvTable(path, text, wanted, problems);
}

function readText(path: string, problems: ProblemList): string | undefined {
  const refuse = (problem: string, mend: string): undefined => {
    problems.add("file", { severity: "error", file: path, line: null, field: "file", problem, mend });
    return undefined;
  };
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX)
      return refuse(`is larger than ${FILE_BYTES_MAX} bytes`, "cut the file into parts, one series each");
    const text = readFileSync(path, "utf8");
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT")
      return refuse("does not exist", "put the file there, or correct file or root in the manifest");
    return refuse(`cannot be read (${code ?? String(cause)})`, "make it a readable file");
  }
}

/** What a reader makes of a CSV file; columns are in the order asked for. */
export type CsvRows = {
  readonly header: readonly string[];
  readonly numbers: readonly NumberColumn[];
  readonly texts: readonly (readonly string[])[];
  readonly lines: readonly number[];
  /** Rows whose number of fields is not the header's. */
  readonly uneven: readonly { readonly line: number; readonly fields: number }[];
};

function csvTable(path: string, text: string, wanted: WantedColumns, problems: ProblemList): Table | undefined {
  const rows = text.includes('"') ? quotedRows(path, text, wanted, problems) : plainRows(text, wanted);
  if (rows === undefined) return undefined;
  const { header, numbers, texts, lines, uneven } = rows;
  for (const { line, fields } of uneven) {
    const problem = `the row has ${fields} fields, the header ${header.length}`;
    problems.add("fields", {
      severity: "error",
      file: path,
      line,
      field: "(row)",
      problem,
      mend: "complete the row or remove it",
    });
  }
  for (const name of new Set([...wanted.texts, ...wanted.numbers]))
    if (!header.includes(name)) reportNoColumn(path, name, header, problems);
  return {
    file: path,
    rows: lines.length,
    lineOf: (row) => lines[row] ?? null,
    numbers: (name) => (header.includes(name) ? numbers[wanted.numbers.indexOf(name)] : undefined),
    texts: (name) => (header.includes(name) ? texts[wanted.texts.indexOf(name)] : undefined),
    field: () => undefined,
  };
}

function reportNoColumn(path: string, name: string, header: readonly string[], problems: ProblemList): void {
  const semicolons = header.length === 1 && header[0]?.includes(";") === true;
  const mend = semicolons ? "separate the fields by commas" : `name one of ${header.slice(0, 40).join(", ")}`;
  problems.add(`column ${name}`, {
    severity: "error",
    file: path,
    line: 1,
    field: name,
    problem: "the file has no such column",
    mend,
  });
}

/**
 * Rows of a file without quotes, cut at commas and line ends.
 * Takes a fraction of the time of the general reader, which decides whether a community of measured data is there at once.
 */
export function plainRows(text: string, wanted: WantedColumns): CsvRows {
  const headerEnd = text.indexOf("\n") === -1 ? text.length : text.indexOf("\n");
  const header = splitHeader(text.slice(0, headerEnd));
  const rowsMax = countLines(text, headerEnd + 1);
  const numbers = wanted.numbers.map(() => ({
    values: new Float64Array(rowsMax).fill(Number.NaN),
    unreadable: new Map<number, string>(),
  }));
  const texts = wanted.texts.map((): string[] => []);
  const sink: RowSink = {
    numberOfField: header.map((name) => numbers[wanted.numbers.indexOf(name)]),
    textOfField: header.map((name) => texts[wanted.texts.indexOf(name)]),
  };
  const lines: number[] = [];
  const uneven: { line: number; fields: number }[] = [];
  for (let start = headerEnd + 1, line = 2; start < text.length; line++) {
    const feed = text.indexOf("\n", start);
    const next = feed === -1 ? text.length : feed;
    const end = next > start && text.charCodeAt(next - 1) === CARRIAGE_RETURN ? next - 1 : next;
    if (end > start) {
      const fields = cutRow(text, start, end, lines.length, sink);
      lines.push(line);
      if (fields !== header.length) uneven.push({ line, fields });
      if (fields < header.length) fillTexts(texts, lines.length);
    }
    start = next + 1;
  }
  const filled = numbers.map((column) => ({ ...column, values: column.values.subarray(0, lines.length) }));
  return { header, numbers: filled, texts, lines, uneven };
}

function splitHeader(line: string): readonly string[] {
  return line.split(",").map((name) => name.trim());
}

/** A row with too few fields has empty text in the columns that it does not reach. */
function fillTexts(texts: readonly string[][], rows: number): void {
  for (const column of texts) if (column.length < rows) column.push("");
}

const CARRIAGE_RETURN = 13;
type GrowingNumbers = { readonly values: Float64Array; readonly unreadable: Map<number, string> };
/** Where the fields of a row go, by their place. */
type RowSink = {
  readonly numberOfField: readonly (GrowingNumbers | undefined)[];
  readonly textOfField: readonly (string[] | undefined)[];
};

/** Puts the wanted fields of one row into their columns; gives the number of fields. */
function cutRow(
  text: string,
  from: number,
  until: number,
  row: number,
  { numberOfField, textOfField }: RowSink,
): number {
  for (let field = 0, start = from; ; field++) {
    const comma = text.indexOf(",", start);
    const last = comma === -1 || comma > until;
    const end = last ? until : comma;
    const numbers = numberOfField[field];
    if (numbers !== undefined) putNumber(numbers, row, decimalWithin(text, start, end), text, start, end);
    textOfField[field]?.push(text.slice(start, end));
    if (last) return field + 1;
    start = comma + 1;
  }
}

function countLines(text: string, from: number): number {
  let count = 1;
  for (let at = text.indexOf("\n", from); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function putNumber(
  column: GrowingNumbers,
  row: number,
  value: number | undefined,
  text: string,
  from: number,
  until: number,
): void {
  if (value === undefined) column.unreadable.set(row, text.slice(from, until));
  else column.values[row] = value;
}

/** Rows of any CSV file (RFC 4180: quoted fields may hold commas and line ends); undefined when it is broken. */
export function quotedRows(
  path: string,
  text: string,
  wanted: WantedColumns,
  problems: ProblemList,
): CsvRows | undefined {
  let records: { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
  try {
    records = parse(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (cause) {
    const line = (cause as { readonly lines?: number }).lines ?? null;
    const problem = `is not valid CSV: ${(cause as Error).message}`;
    problems.add("csv", {
      severity: "error",
      file: path,
      line,
      field: "(row)",
      problem,
      mend: "close the quotes, or double those inside a field",
    });
    return undefined;
  }
  const header = (records[0]?.record ?? []).map((name) => name.trim());
  const body = records.slice(1);
  const column = (name: string): readonly string[] => body.map(({ record }) => record[header.indexOf(name)] ?? "");
  return {
    header,
    numbers: wanted.numbers.map((name) => numberColumn(column(name))),
    texts: wanted.texts.map(column),
    lines: body.map(({ info }) => info.lines),
    uneven: body
      .filter(({ record }) => record.length !== header.length)
      .map(({ record, info }) => ({ line: info.lines, fields: record.length })),
  };
}

function numberColumn(cells: readonly (string | number | null)[]): NumberColumn {
  const unreadable = new Map<number, string>();
  const values = Float64Array.from(cells, (cell, row) => {
    const value = typeof cell === "string" ? decimalOf(cell) : (cell ?? Number.NaN);
    if (value === undefined) unreadable.set(row, String(cell));
    return value ?? Number.NaN;
  });
  return { values, unreadable };
}

/** A JSON object with arrays of numbers in its fields; null is a missing reading. */
function jsonTable(path: string, text: string, wanted: WantedColumns, problems: ProblemList): Table | undefined {
  const refuse = (field: string, problem: string, mend: string): undefined => {
    problems.add(`json ${field}`, { severity: "error", file: path, line: null, field, problem, mend });
    return undefined;
  };
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch (cause) {
    return refuse("(whole file)", `is not valid JSON: ${(cause as Error).message}`, "correct the JSON");
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    return refuse("(whole file)", "is not a JSON object", 'write an object such as {"start_utc": …, "values": […]}');
  }
  const fields = object as Readonly<Record<string, unknown>>;
  const arrays = Object.keys(fields).filter((key) => Array.isArray(fields[key]));
  for (const name of new Set([...wanted.texts, ...wanted.numbers])) {
    if (!arrays.includes(name)) refuse(name, "the file has no array of that name", `name one of ${arrays.join(", ")}`);
  }
  const cells = (name: string): readonly unknown[] => (arrays.includes(name) ? (fields[name] as unknown[]) : []);
  const numbers = new Map(wanted.numbers.map((name) => [name, numberColumn(cells(name).map(jsonCell))]));
  return {
    file: path,
    rows: Math.max(0, ...[...wanted.numbers, ...wanted.texts].map((name) => cells(name).length)),
    lineOf: () => null,
    numbers: (name) => (arrays.includes(name) ? numbers.get(name) : undefined),
    texts: (name) => (arrays.includes(name) ? cells(name).map(String) : undefined),
    field: (name) => fields[name],
  };
}

function jsonCell(cell: unknown): string | number | null {
  return typeof cell === "number" || cell === null ? cell : `${JSON.stringify(cell)} `;
}
