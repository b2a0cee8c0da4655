/** Gives every row of a file its place on the time grid, and reports gaps, duplicates and clock changes with their lines. */
import { offsetMinutesAt, type ZoneName, zone } from "#core";
import { parseStamp, type Stamp, type WallReader, wallReader, wallText } from "./local-clock.ts";
import type { DataProblem, ProblemList } from "./problems.ts";
import type { Timestamps } from "./schema.ts";
import type { Table } from "./table.ts";

/** A grid with more steps than this comes from a wrong year in a time stamp, not from a meter. */
export const GRID_STEPS_MAX = 5_000_000;
const MS_PER_MINUTE = 60_000;

export type RowClock = {
  /** Start of the first step, and how many steps there are up to the last row. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly length: number;
  /** The step of a row; -1 for a row without a place. */
  readonly stepOfRow: Int32Array;
  /** The zone in which the file's times of day are meant. */
  readonly zone: ZoneName;
};

export type ClockSettings = {
  readonly timestamps: Timestamps;
  readonly resolutionMinutes: number;
  /** The site's zone: for stamps without a zone of their own, and to know clock changes by. */
  readonly timeZone: ZoneName;
};

/** The grid of a table's rows; undefined when there is none, which has been reported. */
export function rowClock(table: Table, settings: ClockSettings, problems: ProblemList): RowClock | undefined {
  const { timestamps } = settings;
  if (table.rows === 0) {
    const mend = "name a file with readings";
    problems.add("empty", {
      severity: "error",
      file: table.file,
      line: null,
      field: "(rows)",
      problem: "has no rows",
      mend,
    });
    return undefined;
  }
  return "column" in timestamps
    ? stampedClock(table, timestamps, settings, problems)
    : countedClock(table, timestamps, settings, problems);
}

/** Rows that follow each other at equal steps from a first instant that the manifest or the file names. */
function countedClock(
  table: Table,
  timestamps: Exclude<Timestamps, { readonly column: string }>,
  { resolutionMinutes, timeZone }: ClockSettings,
  problems: ProblemList,
): RowClock | undefined {
  const stepMs = resolutionMinutes * MS_PER_MINUTE;
  const named = "startField" in timestamps;
  const field = named ? timestamps.startField : "timestamps.start";
  const text = named ? table.field(timestamps.startField) : timestamps.start;
  const zoneName = named || timestamps.zone === undefined ? timeZone : zone(timestamps.zone);
  const refuse = (problem: string, mend: string): undefined => {
    problems.add("start", { severity: "error", file: table.file, line: null, field, problem, mend });
    return undefined;
  };
  const stamp = typeof text === "string" ? parseStamp(text) : undefined;
  if (stamp === undefined)
    return refuse(`${JSON.stringify(text) ?? "nothing"} is no time stamp`, "write one such as 2016-07-31T23:00");
  const startMs =
    stamp.offsetMinutes === undefined
      ? wallReader(zoneName)(stamp.wallMs)[0]
      : stamp.wallMs - stamp.offsetMinutes * MS_PER_MINUTE;
  if (startMs === undefined)
    return refuse(`${zoneName} has no ${wallText(stamp.wallMs)}: its clock skips it`, "name an hour that exists");
  if (startMs % stepMs !== 0)
    return refuse(`is not on the ${resolutionMinutes}-minute grid`, "correct the start or resolutionMinutes");
  const ownStep = table.field("step_minutes");
  if (typeof ownStep === "number" && ownStep !== resolutionMinutes) {
    return refuse(
      `the file has steps of ${ownStep} minutes, the manifest says ${resolutionMinutes}`,
      `write resolutionMinutes: ${ownStep}`,
    );
  }
  if (table.rows > GRID_STEPS_MAX) return refuse(`has more than ${GRID_STEPS_MAX} rows`, "cut the file into parts");
  return {
    startMs,
    stepMs,
    length: table.rows,
    stepOfRow: Int32Array.from({ length: table.rows }, (_, row) => row),
    zone: zoneName,
  };
}

/** Rows that carry a time stamp each. */
function stampedClock(
  table: Table,
  timestamps: Extract<Timestamps, { readonly column: string }>,
  settings: ClockSettings,
  problems: ProblemList,
): RowClock | undefined {
  const cells = table.texts(timestamps.column);
  if (cells === undefined) return undefined;
  const zoneName = timestamps.zone === undefined ? settings.timeZone : zone(timestamps.zone);
  const report = reporter(table, timestamps.column, problems);
  const { instants, missingRepeats } = instantsOfRows(cells, zoneName, settings, timestamps.marks, report);
  const grid = gridOf(instants, settings.resolutionMinutes * MS_PER_MINUTE, report);
  if (grid === undefined) return undefined;
  const clock: RowClock = { ...grid, zone: zoneName };
  reportGaps(clock, missingRepeats, settings.timeZone, report);
  return clock;
}

type Report = (severity: DataProblem["severity"], kind: string, row: number, problem: string, mend: string) => void;

function reporter(table: Table, field: string, problems: ProblemList): Report {
  return (severity, kind, row, problem, mend) =>
    problems.add(kind, { severity, file: table.file, line: table.lineOf(row), field, problem, mend });
}

/** Start of each row's step, NaN where the row has none; and the steps of repeated hours that the file has only once. */
function instantsOfRows(
  cells: readonly string[],
  zoneName: ZoneName,
  { resolutionMinutes }: ClockSettings,
  marks: "start" | "end",
  report: Report,
): { readonly instants: Float64Array; readonly missingRepeats: ReadonlySet<number> } {
  const instants = new Float64Array(cells.length).fill(Number.NaN);
  const read = wallReader(zoneName);
  const repeats = new Map<number, { readonly row: number; times: number }>();
  const stepMs = resolutionMinutes * MS_PER_MINUTE;
  cells.forEach((cell, row) => {
    const stamp = parseStamp(cell.trim());
    if (stamp === undefined) {
      report(
        "error",
        "stamp",
        row,
        `${JSON.stringify(cell)} is no time stamp`,
        "write it as 2019-04-01T10:15, with Z or an offset where it is not local time",
      );
      return;
    }
    const atMs = instantOf(stamp, read, zoneName, repeats, row, report);
    if (atMs === undefined) return;
    if (atMs % stepMs !== 0) {
      report(
        "error",
        "grid",
        row,
        `${cell} is not on the ${resolutionMinutes}-minute grid`,
        "correct the time stamp, or resolutionMinutes in the manifest",
      );
      return;
    }
    instants[row] = marks === "end" ? atMs - stepMs : atMs;
  });
  const missingRepeats = new Set<number>();
  for (const [wallMs, { row, times }] of repeats) {
    if (times > 1) continue;
    missingRepeats.add((read(wallMs)[1] ?? Number.NaN) - (marks === "end" ? stepMs : 0));
    const problem = `${zoneName} has ${wallText(wallMs)} twice (its clock goes back), the file once: the second is taken as missing`;
    report("warning", "clock repeats", row, problem, "write time stamps in UTC or with their offset");
  }
  return { instants, missingRepeats };
}

/** The instant of a stamp; a repeated wall clock hour goes to its first instant, then to its second. */
function instantOf(
  { wallMs, offsetMinutes }: Stamp,
  read: WallReader,
  zoneName: ZoneName,
  repeats: Map<number, { readonly row: number; times: number }>,
  row: number,
  report: Report,
): number | undefined {
  if (offsetMinutes !== undefined) return wallMs - offsetMinutes * MS_PER_MINUTE;
  const candidates = read(wallMs);
  if (candidates.length === 1) return candidates[0];
  if (candidates.length === 0) {
    const problem = `${zoneName} has no ${wallText(wallMs)} (its clock goes forward): the row is left out`;
    report(
      "warning",
      "clock skips",
      row,
      problem,
      "write time stamps in UTC or with their offset, or correct timestamps.zone",
    );
    return undefined;
  }
  const seen = repeats.get(wallMs) ?? { row, times: 0 };
  repeats.set(wallMs, seen);
  seen.times++;
  return candidates[Math.min(seen.times, 2) - 1];
}

function gridOf(instants: Float64Array, stepMs: number, report: Report): Omit<RowClock, "zone"> | undefined {
  let startMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  let before = Number.NEGATIVE_INFINITY;
  let first = 0;
  instants.forEach((atMs, row) => {
    if (Number.isNaN(atMs)) return;
    if (atMs < before)
      report("warning", "order", row, "the row is earlier than the one before it", "sort the file by time");
    before = atMs;
    if (atMs < startMs) first = row;
    startMs = Math.min(startMs, atMs);
    lastMs = Math.max(lastMs, atMs);
  });
  if (startMs > lastMs) return undefined; // No row has an instant; each has been reported.
  const length = (lastMs - startMs) / stepMs + 1;
  if (length > GRID_STEPS_MAX) {
    const span = `${new Date(startMs).toISOString()} to ${new Date(lastMs).toISOString()}`;
    report(
      "error",
      "span",
      first,
      `the file spans ${span}: more than ${GRID_STEPS_MAX} steps`,
      "correct the year of the first or last row",
    );
    return undefined;
  }
  return {
    startMs,
    stepMs,
    length,
    stepOfRow: Int32Array.from(instants, (atMs) => (Number.isNaN(atMs) ? -1 : (atMs - startMs) / stepMs)),
  };
}

/** Lists runs of steps without a row, at the row after which they begin; repeated hours have been reported already. */
function reportGaps(clock: RowClock, missingRepeats: ReadonlySet<number>, timeZone: ZoneName, report: Report): void {
  const { startMs, stepMs, zone: zoneName } = clock;
  const skips = skippedHours(zoneName, timeZone);
  for (const { from, until, rowBefore } of gapsOf(clock, missingRepeats)) {
    const [fromMs, untilMs] = [startMs + from * stepMs, startMs + until * stepMs];
    const steps = until - from;
    const span = `${new Date(fromMs).toISOString()} to ${new Date(untilMs).toISOString()}`;
    const text = `${steps} ${steps === 1 ? "step is" : "steps are"} missing, ${span}`;
    if (skips(fromMs, untilMs)) {
      const problem = `${text}: the hour that the clock of ${timeZone} skips`;
      report(
        "warning",
        "clock gap",
        rowBefore,
        problem,
        `if the stamps are local time, write timestamps.zone: ${timeZone}`,
      );
    } else
      report("warning", "gap", rowBefore, text, "add the rows if they exist; else the slots stay without a reading");
  }
}

type Gap = { readonly from: number; readonly until: number; readonly rowBefore: number };

function gapsOf({ startMs, stepMs, length, stepOfRow }: RowClock, missingRepeats: ReadonlySet<number>): readonly Gap[] {
  const rowAt = new Int32Array(length).fill(-1);
  stepOfRow.forEach((step, row) => {
    if (step >= 0) rowAt[step] = row;
  });
  const gaps: Gap[] = [];
  // The first and the last step have rows, since the grid ends with them.
  for (let step = 1, from = -1; step < length; step++) {
    const missing = rowAt[step] === -1 && !missingRepeats.has(startMs + step * stepMs);
    if (missing && from === -1) from = step;
    if (missing || from === -1) continue;
    gaps.push({ from, until: step, rowBefore: rowAt[from - 1] ?? -1 });
    from = -1;
  }
  return gaps;
}

/** Tells whether a gap, read on the stamps' fixed clock, is just the hour that the site's clock skips in spring. */
function skippedHours(stampZone: ZoneName, timeZone: ZoneName): (fromMs: number, untilMs: number) => boolean {
  if (stampZone === timeZone) return () => false;
  const read = wallReader(timeZone);
  return (fromMs, untilMs) => {
    const offsetMs = offsetMinutesAt(stampZone, fromMs) * MS_PER_MINUTE;
    return (
      untilMs - fromMs <= 2 * 3_600_000 && read(fromMs + offsetMs).length === 0 && read(untilMs + offsetMs).length > 0
    );
  };
}
