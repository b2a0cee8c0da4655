/** Puts a generated community together: who its members are, and the series that belong to each. */
import { addLocalDays, invariant, type LocalDay, NO_ENERGY, toJson, wattHours } from "#core";
import type { BatterySpec, Community, CommunityMember } from "../community.ts";
import type { MeterSeries, WeatherForecastSeries } from "../series.ts";
import { perSlot } from "./energy.ts";
import { householdLoad } from "./household-load.ts";
import { checkGeneratorOptions, type GeneratorOptions, type GeneratorSettings } from "./options.ts";
import { GENERATOR_PARAMETERS, type GeneratorParameters, type PlantParameters } from "./parameters.ts";
import { drawPlant, plantEnergy } from "./photovoltaics.ts";
import { forecastFor, forecastName, parkSite, type Region, regionOf, villageSite, weatherAt } from "./region.ts";
import { tariffVintages } from "./tariffs.ts";
import type { SiteWeather } from "./weather.ts";

const BATTERY: BatterySpec = { capacityWh: 6_400, powerW: 5_000, roundTripEfficiency: 0.9 };
const SPECULATOR_CAP_WH = 4_000;
const PARK_NAMEPLATES_W: readonly number[] = [8_000, 6_000, 5_000];
const ROOF_NAMEPLATE_W = 4_000;
/** A reading is known a quarter of an hour after its slot. */
const TELEMETRY_DELAY_MS = 900_000;
/** Days of history before the demo starts, and days from there to the end, where there are as many. */
const DEMO_HISTORY_DAYS_MIN = 45;
const DEMO_DAYS = 30;

/** Of every eight homes three trade with a battery, three forecast and promise, two only use energy. */
const HOME_KINDS: readonly ("storage" | "prosumer" | "consumer")[] = [
  "storage",
  "storage",
  "storage",
  "prosumer",
  "prosumer",
  "prosumer",
  "consumer",
  "consumer",
];

/** One member with the series that belong to it. */
type GeneratedMember = { readonly member: CommunityMember; readonly meters: readonly MeterSeries[] };

/**
 * A whole community drawn from a seed: weather, forecasts, plants, loads and tariffs for the given days.
 * The same seed gives the same bytes on every machine; a member's series depend on its own name and on the region only, and
 * the first days of a longer run are those of a shorter one.
 *
 * @param parameters - Fitted numbers to draw with; only studies of the generator itself change them.
 * @throws InvariantError for options that {@link checkGeneratorOptions} refuses: check outside input with it first.
 */
export function generateCommunity(
  options: GeneratorOptions,
  parameters: GeneratorParameters = GENERATOR_PARAMETERS,
): Community {
  const checked = checkGeneratorOptions(options);
  invariant(checked.ok, `generator options are usable, were not: ${checked.ok ? "" : toJson(checked.error)}`);
  const settings = checked.value;
  const region = regionOf(settings, parameters);
  const villageWeather = settings.homes > 0 ? weatherAt(region, villageSite(settings)) : undefined;
  const forecasts = villageWeather === undefined ? [] : [forecastFor(region, villageWeather)];
  const homes =
    villageWeather === undefined
      ? []
      : numbered(settings.homes, (index) => generateHome(region, villageWeather, index));
  const parks = numbered(settings.parks, (index) => generatePark(region, index));
  const generated = [...homes, ...parks, speculator()];
  return {
    name: "generated-village",
    source: "generated",
    description: describe(settings),
    timeZone: settings.timeZone,
    slotMinutes: settings.slotMinutes,
    firstDay: settings.firstDay,
    lastDay: addLocalDays(settings.firstDay, settings.days - 1),
    demoFirstDay: demoFirstDay(settings),
    members: generated.map(({ member }) => member),
    data: {
      meters: new Map(generated.flatMap(({ meters }) => meters).map((series) => [series.name, series])),
      weather: new Map([...forecasts, ...parks.map(({ forecast }) => forecast)].map((series) => [series.name, series])),
      tariffs: tariffVintages(region.calendar, settings.slotMinutes, settings.latitude, parameters.tariff),
    },
  };
}

function numbered<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}

function generateHome(region: Region, weather: SiteWeather, number: number): GeneratedMember {
  const name = `home-${number}`;
  const kind = HOME_KINDS[(number - 1) % HOME_KINDS.length] ?? "consumer";
  const { settings, parameters, calendar } = region;
  const loadSteps = householdLoad(
    settings.seed,
    name,
    settings.latitude,
    calendar,
    parameters.load,
    region.communityDays,
  );
  const load = meterSeries(region, `${name}-load`, "load", loadSteps);
  const base = { name, strategyConfig: {}, load: load.name, site: siteOf(weather) };
  if (kind === "consumer") {
    const member: CommunityMember = {
      ...base,
      roles: ["consumer"],
      strategy: "load-follower",
      capacityPerSlot: NO_ENERGY,
    };
    return { member, meters: [load] };
  }
  const production = plantMeter(region, name, `${name}-pv`, ROOF_NAMEPLATE_W, weather, parameters.roof);
  const prosumer = { ...base, production: production.name, weather: forecastName(weather.site) };
  const member: CommunityMember =
    kind === "storage"
      ? {
          ...prosumer,
          roles: ["prosumer", "storage-provider"],
          strategy: "storage-arbitrage",
          capacityPerSlot: slotEnergy(settings, ROOF_NAMEPLATE_W + BATTERY.powerW),
          battery: BATTERY,
        }
      : {
          ...prosumer,
          roles: ["prosumer"],
          strategy: "newsvendor-prosumer",
          capacityPerSlot: slotEnergy(settings, ROOF_NAMEPLATE_W),
        };
  return { member, meters: [load, production] };
}

function generatePark(region: Region, number: number): GeneratedMember & { readonly forecast: WeatherForecastSeries } {
  const { settings, parameters } = region;
  const name = `solar-park-${number}`;
  const weather = weatherAt(region, parkSite(settings, name));
  const nameplateW = PARK_NAMEPLATES_W[(number - 1) % PARK_NAMEPLATES_W.length] ?? ROOF_NAMEPLATE_W;
  const production = plantMeter(region, name, name, nameplateW, weather, parameters.park);
  const member: CommunityMember = {
    name,
    roles: ["producer"],
    strategy: "producer",
    strategyConfig: {},
    production: production.name,
    weather: forecastName(weather.site),
    site: siteOf(weather),
    capacityPerSlot: slotEnergy(settings, nameplateW),
  };
  return { member, meters: [production], forecast: forecastFor(region, weather) };
}

function speculator(): GeneratedMember {
  const member: CommunityMember = {
    name: "speculator-1",
    roles: ["speculator"],
    strategy: "speculator",
    strategyConfig: {},
    capacityPerSlot: NO_ENERGY,
    speculatorCapPerSlot: wattHours(SPECULATOR_CAP_WH),
  };
  return { member, meters: [] };
}

function siteOf({ site }: SiteWeather): { readonly latitude: number; readonly longitude: number } {
  return { latitude: site.latitude, longitude: site.longitude };
}

/** Energy of one slot at full power, rounded up: no reading is above it. */
function slotEnergy(settings: GeneratorSettings, powerW: number): CommunityMember["capacityPerSlot"] {
  return wattHours(Math.ceil((powerW * settings.slotMinutes) / 60));
}

/** The plant of the member `owner`, metered as `name`. */
function plantMeter(
  region: Region,
  owner: string,
  name: string,
  nameplateW: number,
  weather: SiteWeather,
  parameters: PlantParameters,
): MeterSeries {
  const { settings, calendar } = region;
  const plant = drawPlant(settings.seed, owner, nameplateW, settings.latitude, parameters);
  return meterSeries(region, name, "pv", plantEnergy(settings.seed, plant, weather, calendar, parameters));
}

function meterSeries(
  { settings, calendar }: Region,
  name: string,
  kind: "pv" | "load",
  steps: Float64Array,
): MeterSeries {
  return {
    name,
    kind,
    slotMinutes: settings.slotMinutes,
    startMs: calendar.startMs,
    energyWh: perSlot(steps, settings.slotMinutes),
    telemetryDelayMs: TELEMETRY_DELAY_MS,
  };
}

/** Thirty days before the end, but with 45 days of history; the last day when there are fewer. */
function demoFirstDay({ firstDay, days }: GeneratorSettings): LocalDay {
  return addLocalDays(firstDay, Math.min(days - 1, Math.max(DEMO_HISTORY_DAYS_MIN, days - DEMO_DAYS)));
}

function describe({ seed, homes, parks, days, firstDay, timeZone, climate }: GeneratorSettings): string {
  const members = `${plural(homes, "home")}, ${plural(parks, "solar park")} and 1 speculator`;
  return `Generated, not measured: ${members}, ${plural(days, "day")} from ${firstDay} (${timeZone}, ${climate} climate, seed ${seed}). Weather, forecasts, production and load are drawn by a generator fitted to measured data.`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
