/** Columns of weather forecasts to runs: each local day counts as one run, issued at the time that the manifest says. */
import {
  addLocalDays,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  nextLocalDay,
  type SlotMinutes,
  type ZoneName,
} from "#core";
import type { WeatherForecastSeries, WeatherVariable, WeatherVintage } from "../series.ts";
import type { Slotted } from "./energy.ts";
import { minutesOfDay } from "./local-clock.ts";
import type { ProblemList } from "./problems.ts";
import type { Readings } from "./readings.ts";
import type { ForecastSpec, Issued, WeatherSpec } from "./schema.ts";
import type { Table } from "./table.ts";
import { WEATHER_UNITS } from "./units.ts";

const MS_PER_MINUTE = 60_000;

/** Values that a place on Earth can show; outside it is the unit or the column that is wrong. */
const PLAUSIBLE: Readonly<Record<WeatherVariable, readonly [low: number, high: number]>> = {
  ghi: [-20, 1_600],
  dni: [-20, 1_600],
  temperature: [-90, 60],
  windSpeed: [0, 120],
  humidity: [0, 1.1],
  cloudCover: [0, 1.01],
};

/** A column in our units (W/m², °C, m/s, shares of 1), NaN where missing; implausible values are errors. */
export function weatherValues(
  readings: Readings,
  spec: ForecastSpec | WeatherSpec,
  table: Table,
  problems: ProblemList,
): Float64Array {
  const unit = WEATHER_UNITS[spec.variable][spec.unit] ?? { factor: Number.NaN }; // Checked with the manifest.
  const [low, high] = PLAUSIBLE[spec.variable];
  return readings.values.map((reading, step) => {
    const value = reading * spec.scale * unit.factor + (unit.offset ?? 0);
    if (value < low || value > high) {
      const line = table.lineOf(readings.rowOfStep[step] ?? -1);
      const problem = `${reading} ${spec.unit} is no ${spec.variable} on Earth`;
      const mend = `correct the reading, or the unit (one of ${Object.keys(WEATHER_UNITS[spec.variable]).join(", ")}) or the column in the manifest`;
      problems.add("implausible", { severity: "error", file: table.file, line, field: spec.column, problem, mend });
    }
    return value;
  });
}

type ForecastColumn = { readonly variable: WeatherVariable; readonly slotted: Slotted };
/** The columns gathered so far, by the series that they are for. */
export type ForecastColumns = Map<
  string,
  { readonly issued: Issued; readonly slotMinutes: SlotMinutes; readonly columns: ForecastColumn[] }
>;

/** Adds a column to the forecast that it belongs to; says why not when it does not fit. */
export function addForecastColumn(
  all: ForecastColumns,
  spec: ForecastSpec,
  slotted: Slotted,
  slotMinutes: SlotMinutes,
): string | undefined {
  const known = all.get(spec.for);
  const column = { variable: spec.variable, slotted };
  if (known === undefined) {
    all.set(spec.for, { issued: spec.issued, slotMinutes, columns: [column] });
    return undefined;
  }
  if (JSON.stringify(known.issued) !== JSON.stringify(spec.issued))
    return `${spec.name} is issued at another time than the other forecasts for ${spec.for}`;
  if (known.slotMinutes !== slotMinutes)
    return `${spec.name} has slots of another length than the other forecasts for ${spec.for}`;
  if (known.columns.some(({ variable }) => variable === spec.variable))
    return `${spec.for} has two forecasts of ${spec.variable}`;
  known.columns.push(column);
  return undefined;
}

/** The forecasts, by the series that they are for; named `<series>-weather`. */
export function weatherForecasts(all: ForecastColumns, timeZone: ZoneName): ReadonlyMap<string, WeatherForecastSeries> {
  return new Map(
    [...all].map(([name, { issued, slotMinutes, columns }]) => [
      name,
      { name: `${name}-weather`, slotMinutes, vintages: dailyRuns(columns, issued, slotMinutes, timeZone) },
    ]),
  );
}

/** One run per local day that has any value. */
function dailyRuns(
  columns: readonly ForecastColumn[],
  issued: Issued,
  slotMinutes: SlotMinutes,
  timeZone: ZoneName,
): readonly WeatherVintage[] {
  const slotMs = slotMinutes * MS_PER_MINUTE;
  const startMs = Math.min(...columns.map(({ slotted }) => slotted.startMs));
  const endMs = Math.max(...columns.map(({ slotted }) => slotted.startMs + slotted.values.length * slotMs));
  const runs: WeatherVintage[] = [];
  for (let day = localDayAt(timeZone, startMs); localMidnightMs(timeZone, day) < endMs; day = nextLocalDay(day)) {
    const fromMs = Math.ceil(localMidnightMs(timeZone, day) / slotMs) * slotMs;
    const untilMs = Math.ceil(localMidnightMs(timeZone, nextLocalDay(day)) / slotMs) * slotMs;
    const values: Partial<Record<WeatherVariable, Float64Array>> = {};
    for (const { variable, slotted } of columns) {
      const first = (fromMs - slotted.startMs) / slotMs;
      values[variable] = Float64Array.from(
        { length: (untilMs - fromMs) / slotMs },
        (_, index) => slotted.values[first + index] ?? Number.NaN,
      );
    }
    if (Object.values(values).every((array) => array.every(Number.isNaN))) continue;
    const minutes = minutesOfDay(issued.at);
    const issuedAtMs = localInstantMs(
      timeZone,
      addLocalDays(day, -issued.daysBefore),
      Math.floor(minutes / 60),
      minutes % 60,
    );
    runs.push({
      issuedAtMs,
      knownAtMs: issuedAtMs + issued.publishedAfterMinutes * MS_PER_MINUTE,
      startMs: fromMs,
      values,
    });
  }
  return runs;
}
