/** The one adapter: a manifest and the files it names become typed series, or a list of what is wrong. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { err, type MicrosPerKwh, microsPerKwh, ok, type Result, type SlotMinutes, type ZoneName, zone } from "#core";
import type { DataStore, MeterSeries, WeatherForecastSeries } from "../series.ts";
import { joinSteps, slotMinutesOf, stepEnergyWh } from "./energy.ts";
import { parseManifest } from "./parse.ts";
import { type DataProblem, newProblemList, type ProblemList } from "./problems.ts";
import { checkQuality } from "./quality.ts";
import { type Readings, readingsOf } from "./readings.ts";
import { type RowClock, rowClock } from "./row-clock.ts";
import type {
  EnergySpec,
  ForecastSpec,
  Manifest,
  PriceSpec,
  ResolutionMinutes,
  SeriesSpec,
  Timestamps,
  WeatherSpec,
} from "./schema.ts";
import { readTable, type Table } from "./table.ts";
import { microsPerKwhPerReading } from "./units.ts";
import { addForecastColumn, type ForecastColumns, weatherForecasts, weatherValues } from "./weather.ts";

const MS_PER_MINUTE = 60_000;

export type LoadOptions = {
  /** Folder of the data files, instead of the manifest's `root`. */
  readonly root?: string;
  /** Only these series, and the weather forecasts made for them. */
  readonly series?: readonly string[];
  /** Length of slot to join steps to; without it the smallest slot that the file's step divides. */
  readonly slotMinutes?: SlotMinutes;
  /** False leaves out the search for readings that hang or were copied: it takes time and changes no number. */
  readonly quality?: boolean;
};

/** What a manifest says of an energy series, beside its readings in the store. */
export type DataSetSeries = {
  readonly name: string;
  readonly kind: "pv" | "load" | "wind";
  readonly slotMinutes: SlotMinutes;
  readonly capacityKw?: number;
  readonly member?: string;
  /** Name of its weather forecast in the store. */
  readonly weather?: string;
  readonly site?: { readonly latitude: number; readonly longitude: number };
  readonly tiltDegrees?: number;
  readonly azimuthDegrees?: number;
};

/** Prices on the slot grid; undefined where missing. */
export type PriceSeries = {
  readonly name: string;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly slotMinutes: SlotMinutes;
  readonly startMs: number;
  readonly prices: readonly (MicrosPerKwh | undefined)[];
};

export type DataSet = {
  readonly name: string;
  readonly licence: string;
  readonly source: string;
  readonly timeZone: ZoneName;
  readonly series: readonly DataSetSeries[];
  /** Meters and weather; a data set has no tariffs of its own. */
  readonly data: DataStore;
  readonly prices: ReadonlyMap<string, PriceSeries>;
  readonly warnings: readonly DataProblem[];
};

/** Reads the manifest at `path` and its files. Errors are all of them; warnings come with the data. */
export function loadDataSet(path: string, options: LoadOptions = {}): Result<DataSet, readonly DataProblem[]> {
  const text = readManifest(path);
  if (!text.ok) return text;
  const parsed = parseManifest(text.value, path);
  if (!parsed.ok) return parsed;
  const { manifest, lineOf } = parsed.value;
  const problems = newProblemList();
  const specs = chosenSeries(manifest, options.series, (name) =>
    problems.add("unknown series", {
      severity: "error",
      file: path,
      line: lineOf(["series"]),
      field: "series",
      problem: `has no series named ${JSON.stringify(name)}`,
      mend: `name one of ${manifest.series.map((series) => series.name).join(", ")}`,
    }),
  );
  const root = options.root ?? resolve(dirname(path), manifest.root ?? ".");
  const work = newWork(manifest, root, specs, options, problems);
  for (const spec of specs) loadSeries(spec, work);
  return problems.hasErrors() ? err(problems.list()) : ok(finish(work));
}

function readManifest(path: string): Result<string, readonly DataProblem[]> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const problem = code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? String(cause)})`;
    return err([
      {
        severity: "error",
        file: path,
        line: null,
        field: "(manifest)",
        problem,
        mend: "name the dataset.yaml of a data set",
      },
    ]);
  }
}

function chosenSeries(
  manifest: Manifest,
  names: readonly string[] | undefined,
  unknown: (name: string) => void,
): readonly SeriesSpec[] {
  if (names === undefined) return manifest.series;
  for (const name of names) if (!manifest.series.some((series) => series.name === name)) unknown(name);
  return manifest.series.filter(
    (series) => names.includes(series.name) || (series.kind === "weather-forecast" && names.includes(series.for)),
  );
}

/** What is shared while the series of one set are loaded; files and their clocks are read once. */
type Work = {
  readonly manifest: Manifest;
  readonly timeZone: ZoneName;
  readonly options: LoadOptions;
  readonly problems: ProblemList;
  readonly tableOf: (spec: SeriesSpec) => Table | undefined;
  readonly clockOf: (table: Table, timestamps: Timestamps, resolution: ResolutionMinutes) => RowClock | undefined;
  readonly meters: Map<string, MeterSeries>;
  readonly series: { readonly spec: EnergySpec; readonly slotMinutes: SlotMinutes }[];
  readonly forecasts: ForecastColumns;
  readonly prices: Map<string, PriceSeries>;
};

function newWork(
  manifest: Manifest,
  root: string,
  specs: readonly SeriesSpec[],
  options: LoadOptions,
  problems: ProblemList,
): Work {
  const timeZone = zone(manifest.timeZone);
  const tableOf = remember((file: string) => {
    const own = specs.filter((spec) => spec.file === file);
    return readTable(
      join(root, file),
      { numbers: own.flatMap(numbersOf), texts: own.flatMap((spec) => textsOf(timestampsOf(manifest, spec))) },
      problems,
    );
  });
  const clocks = new Map<string, RowClock | undefined>();
  return {
    manifest,
    timeZone,
    options,
    problems,
    tableOf: (spec) => tableOf(spec.file),
    clockOf(table, timestamps, resolutionMinutes) {
      const key = JSON.stringify([table.file, timestamps, resolutionMinutes]);
      if (!clocks.has(key)) clocks.set(key, rowClock(table, { timestamps, resolutionMinutes, timeZone }, problems));
      return clocks.get(key);
    },
    meters: new Map(),
    series: [],
    forecasts: new Map(),
    prices: new Map(),
  };
}

function remember<T>(read: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, read(key));
    return known.get(key) as T;
  };
}

function timestampsOf(manifest: Manifest, spec: SeriesSpec): Timestamps {
  return (spec.timestamps ?? manifest.timestamps) as Timestamps; // One of the two is there: checked with the manifest.
}

function numbersOf(spec: SeriesSpec): readonly string[] {
  const witness = "emptyIsZero" in spec ? spec.emptyIsZero?.where : undefined;
  return witness === undefined ? [spec.column] : [spec.column, witness];
}

function textsOf(timestamps: Timestamps): readonly string[] {
  return "column" in timestamps ? [timestamps.column] : [];
}

function loadSeries(spec: SeriesSpec, work: Work): void {
  const table = work.tableOf(spec);
  if (table === undefined) return;
  const resolution = spec.resolutionMinutes ?? work.manifest.resolutionMinutes;
  const clock = work.clockOf(table, timestampsOf(work.manifest, spec), resolution);
  if (clock === undefined) return;
  const emptyIsZero = "emptyIsZero" in spec ? spec.emptyIsZero : undefined;
  const readings = readingsOf(
    table,
    clock,
    { column: spec.column, timeZone: work.timeZone, emptyIsZero },
    work.problems,
  );
  if (readings === undefined) return;
  const slotMinutes = work.options.slotMinutes ?? slotMinutesOf(resolution);
  if (slotMinutes % resolution !== 0) return refuseSlots(spec, table, slotMinutes, resolution, work);
  const column: LoadedColumn = { table, clock, readings, resolution, slotMinutes };
  if (spec.kind === "weather-forecast") loadForecast(spec, column, work);
  else if (spec.kind === "price") loadPrices(spec, column, work);
  else if (spec.kind === "weather") checkWeather(spec, column, work);
  else loadEnergy(spec, column, work);
}

type LoadedColumn = {
  readonly table: Table;
  readonly clock: RowClock;
  readonly readings: Readings;
  readonly resolution: ResolutionMinutes;
  readonly slotMinutes: SlotMinutes;
};

function refuseSlots(spec: SeriesSpec, table: Table, slotMinutes: SlotMinutes, resolution: number, work: Work): void {
  const problem = `steps of ${resolution} minutes cannot be joined to slots of ${slotMinutes}`;
  const mend = "use a longer slot: energy of a long step is not split";
  work.problems.add("slots", { severity: "error", file: table.file, line: null, field: spec.column, problem, mend });
}

function loadEnergy(
  spec: EnergySpec,
  { table, clock, readings, resolution, slotMinutes }: LoadedColumn,
  work: Work,
): void {
  const energyWh = stepEnergyWh(readings, spec, resolution, table, work.problems);
  if (work.options.quality !== false) {
    const lineOfStep = (step: number): number | null => table.lineOf(readings.rowOfStep[step] ?? -1);
    const stepped = { startMs: clock.startMs, stepMs: clock.stepMs, energyWh, lineOfStep };
    checkQuality(stepped, spec, work.timeZone, table.file, work.problems.add);
  }
  const slotted = joinSteps(clock, energyWh, slotMinutes, "sum");
  work.meters.set(spec.name, {
    name: spec.name,
    kind: spec.kind,
    slotMinutes,
    startMs: slotted.startMs,
    // Adding zero turns the -0 of a negative scale into 0.
    energyWh: slotted.values.map((value) => Math.round(value) + 0),
    telemetryDelayMs: work.manifest.telemetryDelayMinutes * MS_PER_MINUTE,
  });
  work.series.push({ spec, slotMinutes });
}

function loadForecast(spec: ForecastSpec, { table, clock, readings, slotMinutes }: LoadedColumn, work: Work): void {
  const values = weatherValues(readings, spec, table, work.problems);
  const slotted = joinSteps(clock, values, slotMinutes, "mean");
  const refused = addForecastColumn(work.forecasts, spec, slotted, slotMinutes);
  if (refused === undefined) return;
  const mend = "give all variables of one forecast the same issue time and slot length, each variable once";
  work.problems.add("forecast", {
    severity: "error",
    file: table.file,
    line: null,
    field: spec.column,
    problem: refused,
    mend,
  });
}

/** Measured weather is read for its faults only. */
function checkWeather(spec: WeatherSpec, { table, readings }: LoadedColumn, work: Work): void {
  weatherValues(readings, spec, table, work.problems);
}

function loadPrices(spec: PriceSpec, { clock, readings, slotMinutes }: LoadedColumn, work: Work): void {
  const slotted = joinSteps(clock, readings.values, slotMinutes, "mean");
  const factor = microsPerKwhPerReading(spec.unit) * spec.scale;
  // The mean of a slot's parts is rounded once, to the nearest micro.
  const prices = Array.from(slotted.values, (value) =>
    Number.isNaN(value) ? undefined : microsPerKwh(Math.round(value * factor)),
  );
  work.prices.set(spec.name, {
    name: spec.name,
    currency: spec.unit.slice(0, 3),
    slotMinutes,
    startMs: slotted.startMs,
    prices,
  });
}

function finish(work: Work): DataSet {
  const { manifest, timeZone, meters, prices, problems } = work;
  const forecasts = weatherForecasts(work.forecasts, timeZone);
  const weather = new Map<string, WeatherForecastSeries>(
    [...forecasts.values()].map((series) => [series.name, series]),
  );
  return {
    name: manifest.name,
    licence: manifest.licence,
    source: manifest.source,
    timeZone,
    series: work.series.map(({ spec, slotMinutes }) => described(spec, slotMinutes, forecasts.get(spec.name)?.name)),
    data: { meters, weather, tariffs: [] },
    prices,
    warnings: problems.list(),
  };
}

function described(spec: EnergySpec, slotMinutes: SlotMinutes, weather: string | undefined): DataSetSeries {
  const { name, kind, capacityKw, member, latitude, longitude, tiltDegrees, azimuthDegrees } = spec;
  return {
    name,
    kind,
    slotMinutes,
    ...(capacityKw === undefined ? {} : { capacityKw }),
    ...(member === undefined ? {} : { member }),
    ...(weather === undefined ? {} : { weather }),
    ...(latitude === undefined || longitude === undefined ? {} : { site: { latitude, longitude } }),
    ...(tiltDegrees === undefined ? {} : { tiltDegrees }),
    ...(azimuthDegrees === undefined ? {} : { azimuthDegrees }),
  };
}
