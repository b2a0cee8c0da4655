/** The measured series that the generator is fitted to, read from a folder of data sets: for the fit and its test only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { addLocalDays, err, invariant, localDayAt, localMidnightMs, ok, type Result, type ZoneName } from "#core";
import { type DataSet, type LoadOptions, loadDataSet } from "../manifest/load.ts";
import { type DataProblem, newProblemList } from "../manifest/problems.ts";
import { type ShippedSet, shippedManifest } from "../manifest/shipped.ts";
import { readTable } from "../manifest/table.ts";
import type { MeterSeries } from "../series.ts";
import type { ForecastPlant, WeatherStation } from "./forecast-statistics.ts";
import type { MeteredPlant } from "./plant-statistics.ts";

export type MeasuredParks = {
  readonly timeZone: ZoneName;
  readonly parks: readonly ForecastPlant[];
  /** The parks' own instruments, beside the same forecasts. */
  readonly stations: readonly WeatherStation[];
};
export type MeasuredHomes = {
  readonly timeZone: ZoneName;
  readonly loads: readonly MeterSeries[];
  readonly roofs: readonly MeteredPlant[];
};

const PVOD_STATIONS = ["station01", "station02", "station07"] as const;
/** The only pyranometer that lies level: the others follow the sun's height as a tilted panel does, or drift. */
const LEVEL_STATION = "station01";
/** This roof has eight days without any energy: left out. */
const CITYLEARN_ROOF_LEFT_OUT = "home-7";
/** The first days of emhass are almost empty. */
const EMHASS_DAYS_LEFT_OUT = 4;
const QUARTER_HOUR_MS = 900_000;

/** True when the folder holds the sets that are read here. */
export function hasMeasuredSets(root: string): boolean {
  const files = ["pvod/station01.csv", "citylearn2022/Building_1.csv", "emhass_home/home_30min.csv"];
  return files.every((file) => existsSync(join(root, file)));
}

function load(set: ShippedSet, root: string, options: LoadOptions): Result<DataSet, readonly DataProblem[]> {
  return loadDataSet(shippedManifest(set), { root: join(root, set), quality: false, ...options });
}

/** Three plants in Hebei every quarter of an hour, with the weather model's forecasts. */
export function readPvod(root: string): Result<MeasuredParks, readonly DataProblem[]> {
  const loaded = load("pvod", root, { series: PVOD_STATIONS, slotMinutes: 15 });
  if (!loaded.ok) return loaded;
  const { data, series, timeZone } = loaded.value;
  const problems = newProblemList();
  const plants = PVOD_STATIONS.map((name) => {
    const entry = series.find((candidate) => candidate.name === name);
    const power = data.meters.get(name);
    const forecast = data.weather.get(entry?.weather ?? "");
    invariant(entry?.capacityKw !== undefined && power !== undefined && forecast !== undefined, `pvod has ${name}`);
    const columns = { numbers: ["lmd_totalirrad", "lmd_temperature"], texts: ["date_time"] };
    const table = readTable(join(root, "pvod", `${name}.csv`), columns, problems);
    const slots = (column: string): WeatherStation["temperature"] => {
      const values = new Float64Array(power.energyWh.length).fill(Number.NaN);
      const readings = table?.numbers(column)?.values;
      for (const [row, text] of (table?.texts("date_time") ?? []).entries()) {
        const slot = (Date.parse(`${text.replace(" ", "T")}Z`) - power.startMs) / QUARTER_HOUR_MS;
        values[slot] = readings?.[row] ?? Number.NaN;
      }
      return { startMs: power.startMs, slotMs: QUARTER_HOUR_MS, values };
    };
    const park: ForecastPlant = { power, nameplateW: entry.capacityKw * 1_000, forecast };
    const level = name === LEVEL_STATION ? { ghi: slots("lmd_totalirrad") } : {};
    return { park, station: { ...level, temperature: slots("lmd_temperature"), forecast } };
  });
  if (problems.hasErrors()) return err(problems.list());
  return ok({ timeZone, parks: plants.map(({ park }) => park), stations: plants.map(({ station }) => station) });
}

/** Eight homes in California every hour: 364 whole days by the clock that the files follow. */
export function readCitylearn(root: string): Result<MeasuredHomes, readonly DataProblem[]> {
  const loaded = load("citylearn2022", root, {});
  if (!loaded.ok) return loaded;
  const { data, series, timeZone } = loaded.value;
  const wholeDays = (meter: MeterSeries): MeterSeries => fromMidnight(meter, timeZone, 0);
  const loads: MeterSeries[] = [];
  const roofs: MeteredPlant[] = [];
  for (const { name, kind, member, capacityKw } of series) {
    const meter = data.meters.get(name);
    if (meter === undefined) continue;
    if (kind === "load") loads.push(wholeDays(meter));
    else if (member !== CITYLEARN_ROOF_LEFT_OUT)
      roofs.push({ power: wholeDays(meter), nameplateW: (capacityKw ?? 0) * 1_000 });
  }
  return ok({ timeZone, loads, roofs });
}

/** One home in the French Alps every half-hour. */
export function readEmhass(root: string): Result<MeasuredHomes, readonly DataProblem[]> {
  const loaded = load("emhass_home", root, { series: ["load"] });
  if (!loaded.ok) return loaded;
  const { data, timeZone } = loaded.value;
  return ok({
    timeZone,
    loads: [...data.meters.values()].map((meter) => fromMidnight(meter, timeZone, EMHASS_DAYS_LEFT_OUT)),
    roofs: [],
  });
}

/** The series from the first local midnight in it on, less some days, up to its last whole day. */
function fromMidnight(meter: MeterSeries, timeZone: ZoneName, daysLeftOut: number): MeterSeries {
  const slotMs = meter.slotMinutes * 60_000;
  const day = localDayAt(timeZone, meter.startMs - 1);
  const startMs = localMidnightMs(timeZone, addLocalDays(day, 1 + daysLeftOut));
  const endMs = localMidnightMs(timeZone, localDayAt(timeZone, meter.startMs + meter.energyWh.length * slotMs));
  const energyWh = meter.energyWh.subarray((startMs - meter.startMs) / slotMs, (endMs - meter.startMs) / slotMs);
  return { ...meter, startMs, energyWh };
}
