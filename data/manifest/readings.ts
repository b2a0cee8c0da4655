/** Turns the cells of one column into numbers on the time grid: unreadable, empty and doubled readings are reported. */
import { offsetMinutesAt, type ZoneName } from "#core";
import { minutesOfDay, wallReader } from "./local-clock.ts";
import type { DataProblem, ProblemList } from "./problems.ts";
import type { RowClock } from "./row-clock.ts";
import type { EmptyIsZero } from "./schema.ts";
import type { Table } from "./table.ts";

const MS_PER_MINUTE = 60_000;
const MINUTES_PER_DAY = 1_440;

/** Readings per step, NaN where missing, and the row that each came from (-1 for none). */
export type Readings = { readonly values: Float64Array; readonly rowOfStep: Int32Array };

export type ReadingSettings = {
  readonly column: string;
  /** The site's zone, to know the hour that a clock repeats by. */
  readonly timeZone: ZoneName;
  readonly emptyIsZero?: EmptyIsZero | undefined;
};

/** The column's readings, or undefined when the table does not have it (which has been reported). */
export function readingsOf(
  table: Table,
  clock: RowClock,
  settings: ReadingSettings,
  problems: ProblemList,
): Readings | undefined {
  const column = table.numbers(settings.column);
  if (column === undefined) return undefined;
  const report: Report = (severity, kind, row, problem, mend) =>
    problems.add(kind, { severity, file: table.file, line: table.lineOf(row), field: settings.column, problem, mend });
  for (const [row, text] of column.unreadable) {
    report("error", "unreadable", row, `${JSON.stringify(text)} is not a number`, mendNumber(text));
  }
  const zeroWhenEmpty = zeroRule(table, clock, settings.emptyIsZero);
  const readings: Readings = {
    values: new Float64Array(clock.length).fill(Number.NaN),
    rowOfStep: new Int32Array(clock.length).fill(-1),
  };
  const empty: number[] = [];
  column.values.forEach((value, row) => {
    const step = clock.stepOfRow[row] as number;
    if (step < 0 || (Number.isNaN(value) && column.unreadable.has(row))) return;
    const filled = Number.isNaN(value) && zeroWhenEmpty(row, step) ? 0 : value;
    if (Number.isNaN(filled)) empty.push(row);
    if (readings.rowOfStep[step] === -1) {
      readings.values[step] = filled;
      readings.rowOfStep[step] = row;
    } else placeDouble(readings, table, clock, settings.timeZone, { row, step, value: filled }, report);
  });
  if (empty.length > 0) {
    const problem = `${empty.length} of ${column.values.length} readings are empty, the first here`;
    const mend = "fill them in if they exist; else the slots stay without a reading";
    report("warning", "empty", empty[0] ?? 0, problem, mend);
  }
  return readings;
}

type Report = (severity: DataProblem["severity"], kind: string, row: number, problem: string, mend: string) => void;

function mendNumber(text: string): string {
  if (/^[+-]?\d+,\d+$/.test(text.trim())) return "write a decimal point instead of the comma";
  return "write a number with a decimal point, or leave the field empty where there is no reading";
}

/** A second row for a step: harmless when it says the same, or when one of the two says nothing. */
function placeDouble(
  { values, rowOfStep }: Readings,
  table: Table,
  clock: RowClock,
  timeZone: ZoneName,
  at: { readonly row: number; readonly step: number; readonly value: number },
  report: Report,
): void {
  const known = values[at.step] as number;
  const atMs = clock.startMs + at.step * clock.stepMs;
  const firstLine = table.lineOf(rowOfStep[at.step] as number);
  const text = `a second row for ${new Date(atMs).toISOString()} (the first is line ${firstLine})`;
  if (Number.isNaN(known) || Number.isNaN(at.value)) {
    values[at.step] = Number.isNaN(known) ? at.value : known;
    return report("warning", "duplicate", at.row, `${text}, one of them empty`, "remove the empty one of the two rows");
  }
  if (known === at.value) {
    return report("warning", "duplicate", at.row, `${text} with the same reading`, "remove one of the two rows");
  }
  const wallMs = atMs + offsetMinutesAt(clock.zone, atMs) * MS_PER_MINUTE;
  const repeated = clock.zone !== timeZone && wallReader(timeZone)(wallMs).length === 2;
  if (!repeated) {
    return report("error", "duplicate", at.row, `${text} with another reading`, "remove the wrong one of the two rows");
  }
  const problem = `${text}: the hour that the clock of ${timeZone} repeats in autumn`;
  report(
    "error",
    "duplicate hour",
    at.row,
    problem,
    `if the stamps are local time, write timestamps.zone: ${timeZone}`,
  );
}

/** Whether an empty reading at a row means zero: outside the hours given, while the other column has a reading. */
function zeroRule(
  table: Table,
  clock: RowClock,
  rule: EmptyIsZero | undefined,
): (row: number, step: number) => boolean {
  if (rule === undefined) return () => false;
  const [from, until] = [minutesOfDay(rule.outside.slice(0, 5)), minutesOfDay(rule.outside.slice(6))];
  const witness = rule.where === undefined ? undefined : table.numbers(rule.where);
  return (row, step) => {
    if (rule.where !== undefined && !Number.isFinite(witness?.values[row])) return false;
    const atMs = clock.startMs + step * clock.stepMs;
    const minutes = Math.floor(atMs / MS_PER_MINUTE) + offsetMinutesAt(clock.zone, atMs);
    const time = ((minutes % MINUTES_PER_DAY) + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    return from <= until ? time < from || time >= until : time >= until && time < from;
  };
}
