/**
 * `dream forecast evaluate`: scores a forecaster on the series of a data set. The data are loaded, and files, standard
 * streams and exit codes are handled, by the caller; here data go in and text or the list of what is wrong comes out.
 */
import Table from "cli-table3";
import {
  addLocalDays,
  type Clock,
  err,
  type LocalDay,
  localDayAt,
  ok,
  parseLocalDay,
  type Result,
  toJson,
} from "#core";
import type { DataSet, DataSetSeries } from "#data";
import {
  AUTOMATIC,
  createForecaster,
  type EvaluationError,
  type EvaluationRow,
  evaluateForecasts,
  FORECASTER_NAMES,
  type Forecaster,
  targetOfSeries,
} from "#forecast";

/** Days that are scored when the user names none: the last of the data. */
const DEFAULT_TEST_DAYS = 60;

export type ForecastEvaluateOptions = {
  /** Names of series; all energy series of the set when empty. */
  readonly series: readonly string[];
  /** Local days `YYYY-MM-DD`; without them the last 60 whole days of the data. */
  readonly testFrom?: string;
  readonly testTo?: string;
  /** Name of a built-in forecaster; `automatic` when absent. */
  readonly model?: string;
  readonly json: boolean;
};

/** Bad input: exit code 4 and a text for stderr that says what, where and how to mend it. */
export type ForecastCommandError = { readonly exitCode: 4; readonly message: string };

/** What `--json` prints. Errors are in per cent of the capacity (load: of its mean); skill is a share, 1 is perfect. */
export type ForecastEvaluateOutput = { readonly series: readonly EvaluationRow[] };

/** The whole command on a loaded data set: text for stdout, or why not. */
export function forecastEvaluate(
  set: DataSet,
  options: ForecastEvaluateOptions,
  clock: Clock,
): Result<string, ForecastCommandError> {
  const chosen = chosenSeries(set, options.series);
  if (!chosen.ok) return chosen;
  const days = testDays(set, chosen.value, options);
  if (!days.ok) return days;
  const forecaster = createForecaster(options.model ?? AUTOMATIC, { timeZone: set.timeZone });
  if (forecaster === undefined) {
    return refuse(`--model must be one of ${FORECASTER_NAMES.join(", ")}, was ${JSON.stringify(options.model)}`);
  }
  const rows = evaluateAll(set, chosen.value, days.value, forecaster, clock);
  if (!rows.ok) return rows;
  return ok(options.json ? toJson({ series: rows.value }) : renderRows(rows.value, days.value));
}

type TestDays = { readonly firstDay: LocalDay; readonly lastDay: LocalDay };

function refuse(message: string): { readonly ok: false; readonly error: ForecastCommandError } {
  return err({ exitCode: 4, message });
}

function chosenSeries(set: DataSet, names: readonly string[]): Result<readonly DataSetSeries[], ForecastCommandError> {
  const known = set.series.map((series) => series.name);
  if (known.length === 0) {
    return refuse(`${set.name}: has no energy series: add one of kind pv, load or wind to its manifest`);
  }
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return refuse(`--series: ${set.name} has no ${unknown.join(", ")}: name one of ${known.join(", ")}`);
  }
  return ok(names.length === 0 ? set.series : set.series.filter((series) => names.includes(series.name)));
}

function testDays(
  set: DataSet,
  series: readonly DataSetSeries[],
  options: ForecastEvaluateOptions,
): Result<TestDays, ForecastCommandError> {
  const whole = wholeDays(set, series);
  const last = parsedDay("--test-to", options.testTo, whole.lastDay);
  if (!last.ok) return last;
  const first = parsedDay("--test-from", options.testFrom, addLocalDays(last.value, 1 - DEFAULT_TEST_DAYS));
  if (!first.ok) return first;
  return ok({ firstDay: first.value, lastDay: last.value });
}

function parsedDay(
  option: string,
  text: string | undefined,
  otherwise: LocalDay,
): Result<LocalDay, ForecastCommandError> {
  if (text === undefined) return ok(otherwise);
  const day = parseLocalDay(text);
  return day.ok ? day : refuse(`${option} must be a day such as 2019-05-01, was ${JSON.stringify(text)}`);
}

/** The local days that all the series cover, the first and the last not counting where they may be cut. */
function wholeDays(set: DataSet, series: readonly DataSetSeries[]): TestDays {
  const meters = series.flatMap(({ name }) => set.data.meters.get(name) ?? []);
  const startMs = Math.max(...meters.map((meter) => meter.startMs));
  const endMs = Math.min(...meters.map((meter) => meter.startMs + meter.energyWh.length * meter.slotMinutes * 60_000));
  return {
    firstDay: addLocalDays(localDayAt(set.timeZone, startMs), 1),
    lastDay: addLocalDays(localDayAt(set.timeZone, endMs), -1),
  };
}

function evaluateAll(
  set: DataSet,
  series: readonly DataSetSeries[],
  days: TestDays,
  forecaster: Forecaster,
  clock: Clock,
): Result<readonly EvaluationRow[], ForecastCommandError> {
  const targets = series.map((one) => targetOfSeries(set.data, one));
  const { data, timeZone } = set;
  const rows = evaluateForecasts({ data, targets, timeZone, ...days, forecaster, clock });
  return rows.ok ? rows : refuse(describeError(set, rows.error));
}

function describeError(set: DataSet, error: EvaluationError): string {
  switch (error.tag) {
    case "series_unknown":
      return `${set.name}: has no readings for ${error.series}: name one of ${error.known.join(", ")}`;
    case "days_out_of_order":
      return `--test-to ${error.lastDay} is before --test-from ${error.firstDay}: give the earlier day first`;
    case "too_many_days":
      return `--test-from and --test-to span more than ${error.daysMax} days: give fewer`;
    case "capacity_missing":
      return `${set.name}: ${error.series} has no capacity to compare errors with: add capacityKw to its manifest`;
    case "nothing_to_score":
      return `${set.name}: ${error.series} has nothing to score from ${error.firstDay} to ${error.lastDay}: choose days with readings, and with some before them`;
  }
}

function renderRows(rows: readonly EvaluationRow[], days: TestDays): string {
  const table = new Table({
    head: ["series", "scope", "n", "nMAE %", "nRMSE %", "bias %", "pinball %", "cover 80 %", "skill", "s"],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const numbers = [
      row.nMAE,
      row.nRMSE,
      row.bias,
      row.pinball,
      row.coverage80,
      row.skillVsPersistence,
      row.trainSeconds,
    ];
    table.push([row.name, row.scope, String(row.n), ...numbers.map((number) => number.toFixed(2))]);
  }
  return [
    `${rows[0]?.model ?? ""}, ${days.firstDay} to ${days.lastDay}, each day forecast at noon of the day before`,
    table.toString(),
    "In per cent of the capacity, of a load in per cent of its mean; cover 80: readings within q10 to q90; skill: share of persistence's RMSE that is saved.",
  ].join("\n");
}
