/** What the members of a community have in common: their days, their weather, and what its forecasts miss. */
import { seededPrng } from "#core";
import type { WeatherForecastSeries } from "../series.ts";
import { type StepCalendar, stepCalendar } from "./calendar.ts";
import { regionalClouds } from "./clouds.ts";
import { communityDays } from "./household-load.ts";
import type { GeneratorSettings } from "./options.ts";
import type { ClimateParameters, GeneratorParameters } from "./parameters.ts";
import { type RegionalWeather, regionalWarmth, type Site, type SiteWeather, siteWeather } from "./weather.ts";
import { regionalForecastErrors, weatherForecast } from "./weather-forecast.ts";

export type Region = {
  readonly settings: GeneratorSettings;
  readonly parameters: GeneratorParameters;
  readonly climate: ClimateParameters;
  readonly calendar: StepCalendar;
  readonly weather: RegionalWeather;
  readonly forecastErrors: Float64Array;
  readonly communityDays: Float64Array;
};

/** Draws what all sites and homes share. */
export function regionOf(settings: GeneratorSettings, parameters: GeneratorParameters): Region {
  const { seed } = settings;
  const climate = parameters.climates[settings.climate];
  const calendar = stepCalendar(settings.timeZone, settings.firstDay, settings.days);
  return {
    settings,
    parameters,
    climate,
    calendar,
    weather: {
      clouds: regionalClouds(seed, calendar, climate.clouds),
      warmth: regionalWarmth(seed, calendar, climate),
    },
    forecastErrors: regionalForecastErrors(seed, calendar, parameters.forecast),
    communityDays: communityDays(seed, calendar, parameters.load),
  };
}

/** The weather that really happens at a site. */
export function weatherAt({ settings, calendar, climate, weather }: Region, site: Site): SiteWeather {
  return siteWeather(settings.seed, site, calendar, climate, weather);
}

/** What was forecast for a site. */
export function forecastFor(region: Region, weather: SiteWeather): WeatherForecastSeries {
  const { settings, calendar, climate, parameters, forecastErrors } = region;
  return weatherForecast(forecastName(weather.site), weather, {
    seed: settings.seed,
    calendar,
    slotMinutes: settings.slotMinutes,
    climate,
    parameters: parameters.forecast,
    regionalErrors: forecastErrors,
  });
}

export function forecastName(site: Site): string {
  return `${site.name}-weather`;
}

/** Where all homes are: near enough to each other to have the same clouds. */
export function villageSite({ latitude, longitude }: GeneratorSettings): Site {
  return { name: "village", latitude, longitude };
}

/** Largest distance of a park from the village, degrees: the plants that parks are fitted to lie 1.6° and 3.8° apart. */
const NORTH_DEGREES_MAX = 1;
const EAST_DEGREES_MAX = 2;

/** Where a solar park lies: each at a place of its own, some way off the village. */
export function parkSite(settings: GeneratorSettings, name: string): Site {
  const prng = seededPrng(settings.seed, `generator/site/${name}`);
  const latitude = settings.latitude + NORTH_DEGREES_MAX * (2 * prng.nextFloat() - 1);
  const longitude = settings.longitude + EAST_DEGREES_MAX * (2 * prng.nextFloat() - 1);
  return { name, latitude: rounded(latitude), longitude: rounded(((longitude + 540) % 360) - 180) };
}

/** Five digits: about a metre. */
function rounded(degrees: number): number {
  return Math.round(degrees * 1e5) / 1e5;
}
