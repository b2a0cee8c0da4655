/**
 * The measured community: Californian homes and Chinese solar plants, put together as if they were one village.
 * Every reading in it is measured and every forecast was one; only the neighbourhood is made up, and the description says so.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  addLocalDays,
  err,
  type LocalDay,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  type MicrosPerKwh,
  microsPerKwh,
  NO_ENERGY,
  nextLocalDay,
  ok,
  type Result,
  wattHours,
  type ZoneName,
  zone,
} from "#core";
import type { BatterySpec, Community, CommunityMember } from "../community.ts";
import { type DataSet, loadDataSet } from "../manifest/load.ts";
import type { DataProblem } from "../manifest/problems.ts";
import { type ShippedSet, shippedManifest } from "../manifest/shipped.ts";
import type { DataStore, MeterSeries, TariffVintage, WeatherForecastSeries } from "../series.ts";
import { sunniestCompletePeriod } from "./days.ts";
import { HOME_NUMBERS, STATION_NUMBERS } from "./find.ts";

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const SLOT_MINUTES = 60;
/** The plants' clock, which the homes' hours are moved to. */
const TIME_ZONE: ZoneName = zone("+08:00");
/** The homes' clock, as their manifest has it. */
const HOME_OFFSET_HOURS = -8;
const COMMUNITY_OFFSET_HOURS = 8;
/**
 * The homes' days are moved on by two years less two days: the nearest whole number of weeks, so that a home's Sunday
 * stays a Sunday. 1 August 2016 becomes 30 July 2018.
 */
const HOME_SHIFT_DAYS = 728;
/** Tariffs are announced at this hour of the day before. */
const TARIFF_HOUR = 11;
const DEMO_DAYS = 14;
const HISTORY_DAYS = 60;

export type MeasuredOptions = {
  /** Nameplates to which the three plants are scaled, in kW. */
  readonly solarParksKw?: readonly [number, number, number];
  /** What the grid pays for energy, the same in every slot: the sets hold no such tariff. */
  readonly feedIn?: MicrosPerKwh;
  /** The most energy that the speculator may hold in one slot. */
  readonly speculatorCapWh?: number;
};

/** Why the community could not be made of the data at hand. */
export type DataError =
  | { readonly tag: "data_set_unreadable"; readonly set: string; readonly problems: readonly DataProblem[] }
  | { readonly tag: "no_complete_period"; readonly days: number; readonly historyDays: number };

/**
 * The default community of measured data; `dataRoot` has the folders `citylearn2022` and `pvod`.
 * Readings that the sets lack stay NaN. The demo's days and the 60 days before them lack none; a caller that settles
 * other days asks `completeDays` first.
 */
export function composeMeasuredCommunity(
  dataRoot: string,
  options: MeasuredOptions = {},
): Result<Community, DataError> {
  const homes = loadSet("citylearn2022", dataRoot, homeSeries());
  if (!homes.ok) return homes;
  const plants = loadSet(
    "pvod",
    dataRoot,
    STATION_NUMBERS.map((station) => `station${station}`),
  );
  if (!plants.ok) return plants;
  const batteries = readBatteries(join(dataRoot, "citylearn2022", "schema.json"));
  if (!batteries.ok) return batteries;
  const parksKw = options.solarParksKw ?? [8, 6, 5];
  const meters = [...homeMeters(homes.value), ...parkMeters(plants.value, parksKw)];
  const span = commonDays(meters);
  const data: DataStore = {
    meters: new Map(meters.map((meter) => [meter.name, cutToDays(meter, span)])),
    weather: new Map(parkWeather(plants.value, span).map((series) => [series.name, series])),
    tariffs: dailyTariffs(homes.value, span, options.feedIn ?? microsPerKwh(60_000)),
  };
  const demoFirstDay = sunniestCompletePeriod({ timeZone: TIME_ZONE, ...span, data }, DEMO_DAYS, HISTORY_DAYS);
  if (demoFirstDay === undefined) return err({ tag: "no_complete_period", days: DEMO_DAYS, historyDays: HISTORY_DAYS });
  return ok({
    name: "measured-village",
    source: "measured",
    description: describe(parksKw),
    timeZone: TIME_ZONE,
    slotMinutes: SLOT_MINUTES,
    ...span,
    demoFirstDay,
    members: [
      ...homeMembers(homes.value, batteries.value),
      ...parkMembers(plants.value, parksKw),
      speculator(options.speculatorCapWh ?? 4_000),
    ],
    data,
  });
}

function describe(parksKw: readonly number[]): string {
  return (
    `A village put together from measured data: eight homes of CityLearn 2022 (California, moved to 2018-19 with their weekdays and hours) ` +
    `and three solar plants of PVOD 1.0 (Hebei, China) scaled to ${parksKw.join(", ")} kW with the day-ahead weather forecasts made for them. ` +
    `Homes and plants are not neighbours and their weather is unrelated; retail prices are the homes' tariff in USD, the feed-in price is an assumption.`
  );
}

function loadSet(set: ShippedSet, dataRoot: string, series: readonly string[]): Result<DataSet, DataError> {
  const loaded = loadDataSet(shippedManifest(set), {
    root: join(dataRoot, set),
    series,
    slotMinutes: SLOT_MINUTES,
    quality: false,
  });
  return loaded.ok ? loaded : err({ tag: "data_set_unreadable", set, problems: loaded.error });
}

/** Homes 1 to 3 own solar panels and a battery, 4 to 6 solar panels; 7 and 8 count as homes without. */
const BATTERY_HOMES_MAX = 3;
const SOLAR_HOMES_MAX = 6;

function homeSeries(): readonly string[] {
  return [
    ...HOME_NUMBERS.flatMap((home) => [`home-${home}-load`, ...(home <= SOLAR_HOMES_MAX ? [`home-${home}-pv`] : [])]),
    "retail",
  ];
}

const schemaOfHomes = z.looseObject({
  buildings: z.record(
    z.string(),
    z.looseObject({
      electrical_storage: z.looseObject({
        attributes: z.looseObject({
          capacity: z.number().positive(),
          efficiency: z.number().positive().max(1),
          nominal_power: z.number().positive(),
        }),
      }),
    }),
  ),
});

/** The homes' batteries as the set's own schema gives them (kWh, kW; its efficiency is that of a whole cycle). */
function readBatteries(path: string): Result<ReadonlyMap<number, BatterySpec>, DataError> {
  const refuse = (problem: string): Result<never, DataError> =>
    err({
      tag: "data_set_unreadable",
      set: "citylearn2022",
      problems: [
        {
          severity: "error",
          file: path,
          line: null,
          field: "buildings",
          problem,
          mend: "fetch the set again: dream data get citylearn2022",
        },
      ],
    });
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    return refuse(`cannot be read: ${(cause as Error).message}`);
  }
  const parsed = schemaOfHomes.safeParse(raw);
  if (!parsed.success) return refuse(`is not the schema that was expected: ${parsed.error.issues[0]?.message ?? ""}`);
  const batteries = new Map<number, BatterySpec>();
  for (const home of HOME_NUMBERS) {
    const storage = parsed.data.buildings[`Building_${home}`]?.electrical_storage.attributes;
    if (storage === undefined) return refuse(`has no Building_${home}`);
    const { capacity, nominal_power: power, efficiency } = storage;
    batteries.set(home, {
      capacityWh: Math.round(capacity * 1_000),
      powerW: Math.round(power * 1_000),
      roundTripEfficiency: efficiency,
    });
  }
  return ok(batteries);
}

/** The homes' readings by their own clock's hours, on the community's days. */
function homeMeters({ data }: DataSet): readonly MeterSeries[] {
  return [...data.meters.values()].map((meter) => ({ ...meter, startMs: movedHome(meter.startMs) }));
}

function movedHome(atMs: number): number {
  return atMs + HOME_SHIFT_DAYS * MS_PER_DAY + (HOME_OFFSET_HOURS - COMMUNITY_OFFSET_HOURS) * MS_PER_HOUR;
}

function parkName(index: number): string {
  return `solar-park-${index + 1}`;
}

function parkMeters({ data, series }: DataSet, parksKw: readonly number[]): readonly MeterSeries[] {
  return series.flatMap(({ name, capacityKw }, index) => {
    const meter = data.meters.get(name);
    if (meter === undefined || capacityKw === undefined) return [];
    const scale = (parksKw[index] ?? 0) / capacityKw;
    return [{ ...meter, name: parkName(index), energyWh: meter.energyWh.map((value) => Math.round(value * scale)) }];
  });
}

type DaySpan = { readonly firstDay: LocalDay; readonly lastDay: LocalDay };

/** The whole local days that every meter covers. */
function commonDays(meters: readonly MeterSeries[]): DaySpan {
  const startMs = Math.max(...meters.map((meter) => meter.startMs));
  const endMs = Math.min(...meters.map((meter) => meter.startMs + meter.energyWh.length * SLOT_MINUTES * 60_000));
  const startDay = localDayAt(TIME_ZONE, startMs);
  const firstDay = localMidnightMs(TIME_ZONE, startDay) === startMs ? startDay : nextLocalDay(startDay);
  return { firstDay, lastDay: addLocalDays(localDayAt(TIME_ZONE, endMs), -1) };
}

function cutToDays(meter: MeterSeries, { firstDay, lastDay }: DaySpan): MeterSeries {
  const slotMs = meter.slotMinutes * 60_000;
  const startMs = localMidnightMs(TIME_ZONE, firstDay);
  const endMs = localMidnightMs(TIME_ZONE, nextLocalDay(lastDay));
  return {
    ...meter,
    startMs,
    energyWh: meter.energyWh.slice((startMs - meter.startMs) / slotMs, (endMs - meter.startMs) / slotMs),
  };
}

function parkWeather({ data, series }: DataSet, { firstDay, lastDay }: DaySpan): readonly WeatherForecastSeries[] {
  const startMs = localMidnightMs(TIME_ZONE, firstDay);
  const endMs = localMidnightMs(TIME_ZONE, nextLocalDay(lastDay));
  return series.flatMap(({ weather }, index) => {
    const forecast = weather === undefined ? undefined : data.weather.get(weather);
    if (forecast === undefined) return [];
    const vintages = forecast.vintages.filter((run) => run.startMs >= startMs && run.startMs < endMs);
    return [{ ...forecast, name: `${parkName(index)}-weather`, vintages }];
  });
}

/** The homes' time-of-use prices, announced for each local day at 11:00 of the day before. */
function dailyTariffs(
  { prices }: DataSet,
  { firstDay, lastDay }: DaySpan,
  feedIn: MicrosPerKwh,
): readonly TariffVintage[] {
  const retailSeries = prices.get("retail");
  if (retailSeries === undefined) return [];
  const seriesStartMs = movedHome(retailSeries.startMs);
  const tariffs: TariffVintage[] = [];
  for (let day = firstDay; day <= lastDay; day = nextLocalDay(day)) {
    const startMs = localMidnightMs(TIME_ZONE, day);
    const first = (startMs - seriesStartMs) / MS_PER_HOUR;
    const retail = retailSeries.prices.slice(first, first + 24).map((price) => price ?? feedIn); // The file has no empty price.
    tariffs.push({
      knownAtMs: localInstantMs(TIME_ZONE, addLocalDays(day, -1), TARIFF_HOUR),
      startMs,
      slotMinutes: SLOT_MINUTES,
      feedIn: retail.map(() => feedIn),
      retail,
    });
  }
  return tariffs;
}

function homeMembers({ series }: DataSet, batteries: ReadonlyMap<number, BatterySpec>): readonly CommunityMember[] {
  return HOME_NUMBERS.map((home): CommunityMember => {
    const name = `home-${home}`;
    const base = { name, strategyConfig: {}, load: `${name}-load` };
    if (home > SOLAR_HOMES_MAX)
      return { ...base, roles: ["consumer"], strategy: "load-follower", capacityPerSlot: NO_ENERGY };
    const capacityKw = series.find((other) => other.name === `${name}-pv`)?.capacityKw ?? 0;
    const battery = home <= BATTERY_HOMES_MAX ? batteries.get(home) : undefined;
    const solar = { ...base, production: `${name}-pv` };
    if (battery === undefined) {
      return {
        ...solar,
        roles: ["prosumer"],
        strategy: "newsvendor-prosumer",
        capacityPerSlot: energyOfPower(capacityKw * 1_000),
      };
    }
    const capacityPerSlot = energyOfPower(capacityKw * 1_000 + battery.powerW);
    return {
      ...solar,
      roles: ["prosumer", "storage-provider"],
      strategy: "storage-arbitrage",
      capacityPerSlot,
      battery,
    };
  });
}

function parkMembers({ series }: DataSet, parksKw: readonly number[]): readonly CommunityMember[] {
  return series.map(({ site }, index) => ({
    name: parkName(index),
    roles: ["producer"],
    strategy: "producer",
    strategyConfig: {},
    production: parkName(index),
    weather: `${parkName(index)}-weather`,
    ...(site === undefined ? {} : { site }),
    capacityPerSlot: energyOfPower((parksKw[index] ?? 0) * 1_000),
  }));
}

function speculator(capWh: number): CommunityMember {
  return {
    name: "speculator-1",
    roles: ["speculator"],
    strategy: "speculator",
    strategyConfig: {},
    capacityPerSlot: NO_ENERGY,
    speculatorCapPerSlot: wattHours(capWh),
  };
}

/** Energy of a power held for one slot, rounded down. */
function energyOfPower(watts: number): CommunityMember["capacityPerSlot"] {
  return wattHours(Math.floor((watts * SLOT_MINUTES) / 60));
}
