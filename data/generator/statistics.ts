/**
 * Statistics that tell whether generated communities behave like measured ones; computed in the same way for both.
 * What each figure is: `plant-statistics.ts`, `forecast-statistics.ts`, `load-statistics.ts`.
 */
import type { Community } from "../community.ts";
import type { MeterSeries } from "../series.ts";
import { type ForecastPlant, forecastStatistics } from "./forecast-statistics.ts";
import { loadStatistics } from "./load-statistics.ts";
import { type MeteredPlant, plantStatistics } from "./plant-statistics.ts";
import type { Statistics } from "./series-grids.ts";

/** The plants of a community that have a meter, each with its forecast where there is one. */
export function communityPlants({
  members,
  data,
  slotMinutes,
}: Community): readonly (MeteredPlant & Partial<ForecastPlant>)[] {
  return members.flatMap(({ production, weather, capacityPerSlot, battery }) => {
    const power = data.meters.get(production ?? "");
    const forecast = data.weather.get(weather ?? "");
    if (power === undefined) return [];
    const nameplateW = (Number(capacityPerSlot) * 60) / slotMinutes - (battery?.powerW ?? 0);
    return [{ power, nameplateW, ...(forecast === undefined ? {} : { forecast }) }];
  });
}

export function communityLoads({ members, data }: Community): readonly MeterSeries[] {
  return members.flatMap(({ load }) => data.meters.get(load ?? "") ?? []);
}

/** The statistics of any community: of its plants, of those that have a forecast, and of its loads. */
export function communityStatistics(community: Community): {
  readonly plants: Statistics;
  readonly forecasts: Statistics;
  readonly loads: Statistics;
} {
  const plants = communityPlants(community);
  const hasForecast = (plant: MeteredPlant & Partial<ForecastPlant>): plant is ForecastPlant =>
    plant.forecast !== undefined;
  return {
    plants: plantStatistics(plants, community.timeZone),
    forecasts: forecastStatistics(plants.filter(hasForecast), community.timeZone),
    loads: loadStatistics(communityLoads(community), community.timeZone),
  };
}
