/** The weather that really happens at one site, per quarter-hour: sun, irradiance and temperature. */
import { seededPrng } from "#core";
import { clearSkyGhi, sunPosition } from "../solar-geometry.ts";
import { STEP_MINUTES, STEP_MS, type StepCalendar } from "./calendar.ts";
import { autoregression, type RegionalClouds, type Seed, siteClouds } from "./clouds.ts";
import type { ClimateParameters, TemperatureParameters } from "./parameters.ts";

export type Site = { readonly name: string; readonly latitude: number; readonly longitude: number };

/** Position of the sun at the middle of each quarter-hour. */
export type SunTrack = {
  readonly cosZenith: Float64Array;
  readonly north: Float64Array;
  readonly east: Float64Array;
  readonly extraterrestrial: Float64Array;
  /** Irradiance by the clear-sky formula, W/m². */
  readonly clearGhi: Float64Array;
};

/** Realised weather: nobody knows it before it has happened, so it is no part of a community's data. */
export type SiteWeather = {
  readonly site: Site;
  readonly sun: SunTrack;
  /** Clear-sky index per quarter-hour, and its mean over each day weighted with the clear sky's light. */
  readonly index: Float64Array;
  readonly dailyIndex: Float64Array;
  /** Global horizontal irradiance, W/m². */
  readonly ghi: Float64Array;
  /** Air temperature, °C. */
  readonly temperature: Float64Array;
};

/** What the sites of a region share. Temperature departs from its season together, clouds partly. */
export type RegionalWeather = { readonly clouds: RegionalClouds; readonly warmth: Float64Array };

/** The shared departure of daily mean temperatures from their season, in standard deviations: one more than there are days. */
export function regionalWarmth(seed: Seed, calendar: StepCalendar, climate: ClimateParameters): Float64Array {
  const prng = seededPrng(seed, "generator/temperature/region");
  return autoregression(prng.nextNormal, calendar.days.length + 1, climate.temperature.dayCorrelation);
}

export function siteWeather(
  seed: Seed,
  site: Site,
  calendar: StepCalendar,
  climate: ClimateParameters,
  region: RegionalWeather,
): SiteWeather {
  const sun = sunTrack(site, calendar);
  const { index } = siteClouds(seed, site.name, calendar, climate.clouds, region.clouds);
  const ghi = index.map((value, step) => value * climate.clouds.clearSkyFactor * (sun.clearGhi[step] ?? 0));
  const dailyIndex = dailyMeans(index, sun.clearGhi, calendar);
  const temperature = temperatures(site, calendar, climate.temperature, dailyIndex, region.warmth);
  return { site, sun, index, dailyIndex, ghi, temperature };
}

function sunTrack(site: Site, calendar: StepCalendar): SunTrack {
  const [cosZenith, north, east] = [zeros(calendar), zeros(calendar), zeros(calendar)];
  const [extraterrestrial, clearGhi] = [zeros(calendar), zeros(calendar)];
  for (let step = 0; step < calendar.steps; step++) {
    const sun = sunPosition(calendar.startMs + (step + 0.5) * STEP_MS, site.latitude, site.longitude);
    cosZenith[step] = sun.cosZenith;
    north[step] = sun.north;
    east[step] = sun.east;
    extraterrestrial[step] = sun.extraterrestrial;
    clearGhi[step] = clearSkyGhi(sun.cosZenith);
  }
  return { cosZenith, north, east, extraterrestrial, clearGhi };
}

function zeros(calendar: StepCalendar): Float64Array {
  return new Float64Array(calendar.steps);
}

/** Mean of `values` over each day, weighted; the plain mean of a day without any weight (polar night). */
function dailyMeans(values: Float64Array, weights: Float64Array, calendar: StepCalendar): Float64Array {
  return Float64Array.from(calendar.days, ({ firstStep, endStep }) => {
    let [weighted, weight, plain] = [0, 0, 0];
    for (let step = firstStep; step < endStep; step++) {
      weighted += (values[step] ?? 0) * (weights[step] ?? 0);
      weight += weights[step] ?? 0;
      plain += values[step] ?? 0;
    }
    return weight > 0 ? weighted / weight : plain / (endStep - firstStep);
  });
}

const HOURS_TO_NEW_RANGE = 8;

/** Yearly cycle, daily departures (joined from noon to noon) and a daily cycle that is wider on clear days. */
function temperatures(
  site: Site,
  calendar: StepCalendar,
  parameters: TemperatureParameters,
  dailyIndex: Float64Array,
  warmth: Float64Array,
): Float64Array {
  const means = Float64Array.from(warmth, (departure, day) => {
    const dayOfYear = (calendar.days[0]?.dayOfYear ?? 1) + day;
    return seasonalMean(site.latitude, dayOfYear, parameters) + parameters.dayDeviation * departure;
  });
  const range = (day: number): number => parameters.rangeBase + parameters.rangePerIndex * (dailyIndex[day] ?? 0.7);
  const temperature = zeros(calendar);
  for (const [day, { firstStep, endStep }] of calendar.days.entries()) {
    const before = range(Math.max(0, day - 1));
    for (let step = firstStep; step < endStep; step++) {
      const hours = ((step - firstStep) * STEP_MINUTES) / 60;
      const width = before + (range(day) - before) * Math.min(1, hours / HOURS_TO_NEW_RANGE);
      temperature[step] =
        joinedMean(means, day, (step - firstStep) / (endStep - firstStep)) +
        (width / 2) * dailyCycle(calendar.startMs + step * STEP_MS, site.longitude);
    }
  }
  return temperature;
}

function seasonalMean(latitude: number, dayOfYear: number, parameters: TemperatureParameters): number {
  const sign = latitude < 0 ? -1 : 1;
  const angle = (2 * Math.PI * (dayOfYear - parameters.warmestDay)) / 365.25;
  return parameters.yearMean + sign * parameters.yearAmplitude * Math.cos(angle);
}

/** The daily mean, linear from one noon to the next; `share` is the part of the day that has passed. */
function joinedMean(means: Float64Array, day: number, share: number): number {
  const today = means[day] ?? 0;
  const other = share < 0.5 ? (means[Math.max(0, day - 1)] ?? today) : (means[day + 1] ?? today);
  return today + (other - today) * Math.abs(share - 0.5);
}

/** Warmest (1) at 15 o'clock solar time, coldest (-1) twelve hours away. */
function dailyCycle(atMs: number, longitude: number): number {
  const solarHour = ((atMs / 3_600_000) % 24) + longitude / 15;
  return Math.cos((2 * Math.PI * (solarHour - 15)) / 24);
}
