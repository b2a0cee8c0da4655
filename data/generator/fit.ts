/**
 * Compares what the generator draws with what was measured, statistic by statistic.
 * For each measured set a community is drawn for the same place, days, step and number of plants or homes.
 */
import { ok, type Result, unwrap } from "#core";
import type { Community } from "../community.ts";
import type { DataProblem } from "../manifest/problems.ts";
import { STEP_MS } from "./calendar.ts";
import { generateCommunity } from "./community.ts";
import { FIT_GROUPS, FIT_TARGETS, type FitGroup, type FitTarget } from "./fit-targets.ts";
import {
  type ForecastPlant,
  forecastStatistics,
  type WeatherStation,
  weatherStatistics,
} from "./forecast-statistics.ts";
import { mean } from "./hour-grid.ts";
import { halfHourStatistics, loadStatistics } from "./load-statistics.ts";
import { readCitylearn, readEmhass, readPvod } from "./measured-sets.ts";
import { checkGeneratorOptions, type GeneratorOptions } from "./options.ts";
import { GENERATOR_PARAMETERS, type GeneratorParameters } from "./parameters.ts";
import { plantStatistics, quarterHourStatistics } from "./plant-statistics.ts";
import { forecastFor, parkSite, regionOf, weatherAt } from "./region.ts";
import type { Statistics } from "./series-grids.ts";
import { communityLoads, communityPlants } from "./statistics.ts";

export type GroupStatistics = Readonly<Record<FitGroup, Statistics>>;

/** One statistic, measured and generated. */
export type FitRow = FitTarget & { readonly generated: number; readonly isWithin: boolean };

/** The statistics of the measured sets in a folder that has one folder per set. */
export function measuredStatistics(root: string): Result<GroupStatistics, readonly DataProblem[]> {
  const pvod = readPvod(root);
  if (!pvod.ok) return pvod;
  const citylearn = readCitylearn(root);
  if (!citylearn.ok) return citylearn;
  const emhass = readEmhass(root);
  if (!emhass.ok) return emhass;
  const { parks, stations, timeZone } = pvod.value;
  return ok({
    parks: { ...plantStatistics(parks, timeZone), ...quarterHourStatistics(parks, timeZone) },
    forecasts: forecastStatistics(parks, timeZone),
    weather: weatherStatistics(stations, timeZone),
    roofs: plantStatistics(citylearn.value.roofs, citylearn.value.timeZone),
    loads: loadStatistics(citylearn.value.loads, citylearn.value.timeZone),
    spikes: halfHourStatistics(emhass.value.loads, emhass.value.timeZone),
  });
}

/** Three parks where and when pvod was measured. */
const LIKE_PVOD = {
  days: 347,
  parks: 3,
  homes: 0,
  slotMinutes: 15,
  timeZone: "+08:00",
  firstDay: "2018-07-01",
  latitude: 37.6,
  longitude: 115.1,
};
/** Eight homes where and when citylearn was measured. */
const LIKE_CITYLEARN = {
  days: 364,
  parks: 0,
  homes: 8,
  slotMinutes: 60,
  timeZone: "America/Los_Angeles",
  firstDay: "2016-08-01",
  latitude: 34.1,
  longitude: -117.4,
  climate: "sunny",
};
/** Homes where and when emhass was measured: eight instead of one, as one is not like another. */
const LIKE_EMHASS = {
  days: 360,
  parks: 0,
  homes: 8,
  slotMinutes: 30,
  timeZone: "Europe/Paris",
  firstDay: "2024-03-04",
  latitude: 45.8,
  longitude: 6.9,
};

type Seed = GeneratorOptions["seed"];

/** Statistics of the groups that were drawn. */
export type DrawnStatistics = Partial<GroupStatistics>;

/** The statistics of one drawn community per measured set, for the wanted groups only. */
export function generatedStatistics(
  seed: Seed,
  groups: readonly FitGroup[] = FIT_GROUPS,
  parameters: GeneratorParameters = GENERATOR_PARAMETERS,
): DrawnStatistics {
  const wants = (...names: readonly FitGroup[]): boolean => names.some((name) => groups.includes(name));
  const pvod = wants("parks", "forecasts") ? generateCommunity({ seed, ...LIKE_PVOD }, parameters) : undefined;
  const citylearn = wants("roofs", "loads") ? generateCommunity({ seed, ...LIKE_CITYLEARN }, parameters) : undefined;
  const emhass = wants("spikes") ? generateCommunity({ seed, ...LIKE_EMHASS }, parameters) : undefined;
  return {
    ...(pvod !== undefined && wants("parks") ? { parks: parkStatistics(pvod) } : {}),
    ...(pvod !== undefined && wants("forecasts") ? { forecasts: forecastStatisticsOf(pvod) } : {}),
    ...(wants("weather") ? { weather: stationStatistics(seed, parameters) } : {}),
    ...(citylearn !== undefined && wants("roofs") ? { roofs: roofStatistics(citylearn) } : {}),
    ...(citylearn !== undefined && wants("loads")
      ? { loads: loadStatistics(communityLoads(citylearn), citylearn.timeZone) }
      : {}),
    ...(emhass === undefined ? {} : { spikes: halfHourStatistics(communityLoads(emhass), emhass.timeZone) }),
  };
}

function parkStatistics(community: Community): Statistics {
  const plants = communityPlants(community);
  return { ...plantStatistics(plants, community.timeZone), ...quarterHourStatistics(plants, community.timeZone) };
}

function forecastStatisticsOf(community: Community): Statistics {
  const plants = communityPlants(community).flatMap(({ forecast, ...plant }): readonly ForecastPlant[] =>
    forecast === undefined ? [] : [{ ...plant, forecast }],
  );
  return forecastStatistics(plants, community.timeZone);
}

function roofStatistics(community: Community): Statistics {
  return plantStatistics(communityPlants(community), community.timeZone);
}

/** What level instruments at the parks would have seen. */
function stationStatistics(seed: Seed, parameters: GeneratorParameters): Statistics {
  const settings = unwrap(checkGeneratorOptions({ seed, ...LIKE_PVOD }));
  const region = regionOf(settings, parameters);
  const slots = { startMs: region.calendar.startMs, slotMs: STEP_MS };
  const stations = ["solar-park-1", "solar-park-2", "solar-park-3"].map((name): WeatherStation => {
    const weather = weatherAt(region, parkSite(settings, name));
    return {
      ghi: { ...slots, values: weather.ghi },
      temperature: { ...slots, values: weather.temperature },
      forecast: forecastFor(region, weather),
    };
  });
  return weatherStatistics(stations, settings.timeZone);
}

/** Mean of each statistic over the draws, beside what was measured. */
export function compareWithMeasured(draws: readonly DrawnStatistics[]): readonly FitRow[] {
  return FIT_TARGETS.flatMap((target): readonly FitRow[] => {
    const values = draws.flatMap((draw) => draw[target.group]?.[target.statistic] ?? []);
    if (values.length === 0) return [];
    const generated = mean(values);
    return [{ ...target, generated, isWithin: Math.abs(generated - target.measured) <= target.tolerance }];
  });
}
