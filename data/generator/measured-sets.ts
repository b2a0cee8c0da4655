/**
 * Reads the measured sets that the generator is fitted to, as series: for the fit and its test only.
 * The folder is laid out as in the documentation of data sets; nothing of it is in the repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant, type LocalDay, localDayAt, localInstantMs, localMidnightMs, addLocalDays, type SlotMinutes, zone, type ZoneName } from "#core";
import type { MeterSeries, WeatherForecastSeries, WeatherVintage } from "../series.ts";
import type { ForecastPlant, MeteredPlant } from "./statistics.ts";

/** A plant of pvod with what its own instruments saw. */
export type MeasuredPark = ForecastPlant & {
  readonly latitude: number;
  readonly longitude: number;
  /** From the start of the power series, per slot: global irradiance in W/m² and air temperature in °C. */
  readonly measuredGhi: Float64Array;
  readonly measuredTemperature: Float64Array;
};

/** Series of one region with the clock that they are in. */
export type MeasuredParks = { readonly timeZone: ZoneName; readonly parks: readonly MeasuredPark[] };
export type MeasuredHomes = {
  readonly timeZone: ZoneName;
  readonly loads: readonly MeterSeries[];
  readonly roofs: readonly MeteredPlant[];
};

const PVOD_PLANTS = [
  { station: "01", nameplateKw: 20_000, latitude: 38.18306, longitude: 117.45722 },
  { station: "02", nameplateKw: 17_000, latitude: 38.05728, longitude: 114.19887 },
  { station: "07", nameplateKw: 20_000, latitude: 36.64403, longitude: 113.64187 },
] as const;
const CITYLEARN_DAYS = 364;
const CITYLEARN_HOMES = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** Nominal PV power of the homes, kW: schema.json. */
const CITYLEARN_ROOFS_KW: readonly number[] = [4, 4, 4, 5, 4, 4, 4, 4];
/** Its roof has eight days without any energy: left out of the fit. */
const CITYLEARN_ROOF_LEFT_OUT = 7;

/** True when the folder holds the sets that are read here. */
export function hasMeasuredSets(directory: string): boolean {
  const files = ["pvod/station01.csv", "citylearn2022/Building_1.csv", "emhass_home/home_30min.csv"];
  return files.every((file) => existsSync(join(directory, file)));
}

/** A table without quotes, its columns by name. */
type Table = { readonly rows: number; readonly text: (name: string) => readonly string[]; readonly numbers: (name: string) => Float64Array };

function readTable(path: string): Table {
  const lines = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  const header = (lines[0] ?? "").split(",");
  const cells = lines.slice(1).map((line) => line.split(","));
  const text = (name: string): readonly string[] => {
    const column = header.indexOf(name);
    invariant(column >= 0, `${path} has a column ${name}`);
    return cells.map((row) => row[column] ?? "");
  };
  // An empty cell is a missing value.
  const numbers = (name: string): Float64Array => Float64Array.from(text(name), (cell) => (cell === "" ? Number.NaN : Number(cell)));
  return { rows: cells.length, text, numbers };
}

/** Rows at their places on a slot grid from local midnight to local midnight; what no row fills is NaN. */
type Grid = { readonly startMs: number; readonly slotMinutes: SlotMinutes; readonly column: (name: string) => Float64Array };

function gridOf(table: Table, timeColumn: string, slotMinutes: SlotMinutes, timeZone: ZoneName): Grid {
  const times = table.text(timeColumn).map((cell) => Date.parse(`${cell.replace(" ", "T").replace("Z", "")}Z`));
  const [earliest, latest] = [Math.min(...times), Math.max(...times)];
  const startMs = localMidnightMs(timeZone, localDayAt(timeZone, earliest));
  const endMs = localMidnightMs(timeZone, addLocalDays(localDayAt(timeZone, latest), 1));
  const slotMs = slotMinutes * 60_000;
  const column = (name: string): Float64Array => {
    const values = new Float64Array((endMs - startMs) / slotMs).fill(Number.NaN);
    for (const [row, value] of table.numbers(name).entries()) values[((times[row] ?? startMs) - startMs) / slotMs] = value;
    return values;
  };
  return { startMs, slotMinutes, column };
}

function meter(name: string, kind: "pv" | "load", grid: Pick<Grid, "startMs" | "slotMinutes">, energyWh: Float64Array): MeterSeries {
  return { name, kind, slotMinutes: grid.slotMinutes, startMs: grid.startMs, energyWh, telemetryDelayMs: 0 };
}

/** Time stamps are UTC, the site's clock is UTC+8; the weather model's columns count as issued at 12:00 on the day before. */
export function readPvod(directory: string): MeasuredParks {
  const timeZone = zone("+08:00");
  const parks = PVOD_PLANTS.map(({ station, nameplateKw, latitude, longitude }): MeasuredPark => {
    const grid = gridOf(readTable(join(directory, "pvod", `station${station}.csv`)), "date_time", 15, timeZone);
    const energyWh = grid.column("power").map((megawatts) => megawatts * 1e6 * 0.25);
    return {
      power: meter(`station${station}`, "pv", grid, energyWh),
      nameplateW: nameplateKw * 1000,
      forecast: dailyVintages(`station${station}`, grid, timeZone),
      latitude,
      longitude,
      measuredGhi: grid.column("lmd_totalirrad"),
      measuredTemperature: grid.column("lmd_temperature"),
    };
  });
  return { timeZone, parks };
}

function dailyVintages(name: string, grid: Grid, timeZone: ZoneName): WeatherForecastSeries {
  const [ghi, temperature] = [grid.column("nwp_globalirrad"), grid.column("nwp_temperature")];
  const slotMs = grid.slotMinutes * 60_000;
  const vintages: WeatherVintage[] = [];
  let day: LocalDay = localDayAt(timeZone, grid.startMs);
  for (let from = 0; from < ghi.length; day = addLocalDays(day, 1)) {
    const startMs = grid.startMs + from * slotMs;
    const until = from + (localMidnightMs(timeZone, addLocalDays(day, 1)) - startMs) / slotMs;
    const issuedAtMs = localInstantMs(timeZone, addLocalDays(day, -1), 12);
    const values = { ghi: ghi.slice(from, until), temperature: temperature.slice(from, until) };
    vintages.push({ issuedAtMs, knownAtMs: issuedAtMs, startMs, values });
    from = until;
  }
  return { name, slotMinutes: grid.slotMinutes, vintages };
}

/**
 * Homes 1…8. The files have no dates: row 0 is the slot that starts 2016-07-31 23:00, and the clock is the one on the wall
 * (with summer time) although every day has 24 rows. The rows are therefore read as if the wall clock were UTC.
 */
export function readCitylearn(directory: string): MeasuredHomes {
  const grid = { startMs: Date.UTC(2016, 7, 1), slotMinutes: 60 } as const;
  const files = CITYLEARN_HOMES.map((home) => ({
    home,
    table: readTable(join(directory, "citylearn2022", `Building_${home}.csv`)),
  }));
  // From the first whole day to the last.
  const hours = (table: Table, column: string): Float64Array => table.numbers(column).subarray(1, 1 + CITYLEARN_DAYS * 24);
  const loads = files.map(({ home, table }) =>
    meter(`home-${home}`, "load", grid, hours(table, "non_shiftable_load").map((kilowattHours) => kilowattHours * 1000)),
  );
  const roofs = files.flatMap(({ home, table }): readonly MeteredPlant[] => {
    if (home === CITYLEARN_ROOF_LEFT_OUT) return [];
    const kilowatts = CITYLEARN_ROOFS_KW[home - 1] ?? 4;
    const energyWh = hours(table, "solar_generation").map((wattsPerKilowatt) => wattsPerKilowatt * kilowatts);
    return [{ power: meter(`home-${home}`, "pv", grid, energyWh), nameplateW: kilowatts * 1000 }];
  });
  return { timeZone: zone("UTC"), loads, roofs };
}

/** One home near the French Alps, half-hours in UTC. Its first days are almost empty and left out. */
export function readEmhass(directory: string): MeasuredHomes {
  const timeZone = zone("Europe/Paris");
  const table = readTable(join(directory, "emhass_home", "home_30min.csv"));
  const grid = gridOf(table, "slot_start_utc", 30, timeZone);
  const firstSlots = 4 * 48;
  const startMs = grid.startMs + firstSlots * 1_800_000;
  const energyWh = grid.column("load_w").map((watts) => watts / 2);
  return { timeZone, loads: [meter("home", "load", { ...grid, startMs }, energyWh.subarray(firstSlots))], roofs: [] };
}
