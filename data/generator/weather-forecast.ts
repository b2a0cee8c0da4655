/**
 * Day-ahead forecasts of a site's weather, with the errors that a weather model makes: smoother than the truth, wrong about
 * whole days at a time, wrong for several days in a row, and biased.
 *
 * One run per local day, issued at 12:00 local for the next local day and published up to an hour later.
 */
import { type Prng, type SlotMinutes, seededPrng } from "#core";
import type { WeatherForecastSeries, WeatherVintage } from "../series.ts";
import { type CalendarDay, STEP_MINUTES, STEP_MS, type StepCalendar } from "./calendar.ts";
import { autoregression, inCommon, type Seed, smoothAutoregression } from "./clouds.ts";
import { scoreOfValue, valueAtScore } from "./normal-distribution.ts";
import type { ClimateParameters, ForecastParameters } from "./parameters.ts";
import type { SiteWeather } from "./weather.ts";

type ForecastOptions = {
  readonly seed: Seed;
  readonly calendar: StepCalendar;
  readonly slotMinutes: SlotMinutes;
  readonly climate: ClimateParameters;
  readonly parameters: ForecastParameters;
  /** The region's part of each day's error: {@link regionalForecastErrors}. */
  readonly regionalErrors: Float64Array;
};

/** What the forecasts for all sites of a region miss together, in standard deviations per day. */
export function regionalForecastErrors(
  seed: Seed,
  calendar: StepCalendar,
  parameters: ForecastParameters,
): Float64Array {
  const prng = seededPrng(seed, "generator/forecast/region");
  return autoregression(prng.nextNormal, calendar.days.length, parameters.dayErrorPersistence);
}

/** All runs of the weather model for one site. */
export function weatherForecast(name: string, weather: SiteWeather, options: ForecastOptions): WeatherForecastSeries {
  const { seed, calendar, slotMinutes, parameters } = options;
  const ghi = forecastGhi(weather, options);
  const temperature = forecastTemperature(weather, options);
  const delays = seededPrng(seed, `generator/forecast/${weather.site.name}/publication`);
  const vintages = calendar.days.map((day): WeatherVintage => {
    const issuedAtMs = day.forecastAtMs;
    const delayMinutes = Math.floor(delays.nextFloat() * (parameters.publicationDelayMinutesMax + 1));
    const forecastIndex = slotMeans(ghi.index, day, slotMinutes);
    return {
      issuedAtMs,
      knownAtMs: issuedAtMs + delayMinutes * 60_000,
      startMs: calendar.startMs + day.firstStep * STEP_MS,
      values: {
        ghi: slotMeans(ghi.ghi, day, slotMinutes),
        temperature: slotMeans(temperature, day, slotMinutes),
        cloudCover: forecastIndex.map(cloudCoverOf),
      },
    };
  });
  return { name, slotMinutes, vintages };
}

/**
 * Cloud cover 0…1 that goes with a clear-sky index: Kasten & Czeplak, Solar Energy 24 (1980) 177, solved for the cover.
 */
function cloudCoverOf(index: number): number {
  return Math.min(1, Math.max(0, (1 - index) / 0.75) ** (1 / 3.4));
}

/**
 * The forecast's index, drawn in scores: a part for the day, correlated with the realised day, and a part for the hours,
 * which follows the realised index faintly and smoothly.
 */
function forecastGhi(
  weather: SiteWeather,
  options: ForecastOptions,
): { readonly index: Float64Array; readonly ghi: Float64Array } {
  const { seed, calendar, climate, parameters } = options;
  const days = dayScores(weather, options);
  const noise = seededPrng(seed, `generator/forecast/${weather.site.name}/hours`);
  const hours = smoothAutoregression(noise.nextNormal, calendar.steps, parameters.hoursNoiseRoot);
  const index = new Float64Array(calendar.steps);
  for (const [day, calendarDay] of calendar.days.entries()) {
    const departures = smoothedDepartures(weather, calendarDay, climate, parameters.hoursSmoothingSteps);
    for (let step = calendarDay.firstStep; step < calendarDay.endStep; step++) {
      const score =
        Math.sqrt(parameters.shareOfDay) * (days[day] ?? 0) +
        parameters.hoursWeight * (departures[step - calendarDay.firstStep] ?? 0) +
        parameters.hoursNoise * (hours[step] ?? 0);
      index[step] = Math.max(0, valueAtScore(climate.forecastIndex, score));
    }
  }
  const ghi = index.map((value, step) => value * parameters.clearSkyFactor * (weather.sun.clearGhi[step] ?? 0));
  return { index, ghi };
}

/** Per day: the forecast's score, correlated with the realised day's; what it does not share persists from day to day. */
function dayScores(weather: SiteWeather, options: ForecastOptions): Float64Array {
  const { seed, calendar, climate, parameters, regionalErrors } = options;
  const prng = seededPrng(seed, `generator/forecast/${weather.site.name}/days`);
  const own = autoregression(prng.nextNormal, calendar.days.length, parameters.dayErrorPersistence);
  const { dayCorrelation, regionalShareOfError: share } = parameters;
  return Float64Array.from(weather.dailyIndex, (realised, day) => {
    const error = inCommon(share, regionalErrors[day] ?? 0, own[day] ?? 0);
    const score = scoreOfValue(climate.clouds.dailyIndex, realised);
    return dayCorrelation * score + Math.sqrt(1 - dayCorrelation ** 2) * error;
  });
}

/** Per quarter-hour of a day: how far the realised index's score departs from its daylight mean, as a moving average. */
function smoothedDepartures(
  { sun, index }: SiteWeather,
  { firstStep, endStep }: CalendarDay,
  climate: ClimateParameters,
  windowSteps: number,
): Float64Array {
  const isDay = sun.cosZenith.subarray(firstStep, endStep).map((cosZenith) => (cosZenith > 0 ? 1 : 0));
  const scores = index
    .subarray(firstStep, endStep)
    .map((value, offset) => (isDay[offset] === 1 ? scoreOfValue(climate.clouds.quarterHourIndex, value) : 0));
  const [scoreTotals, dayTotals] = [runningTotals(scores), runningTotals(isDay)];
  const mean = (scoreTotals.at(-1) ?? 0) / Math.max(1, dayTotals.at(-1) ?? 0);
  const half = Math.floor(windowSteps / 2);
  return scores.map((_, offset) => {
    const from = Math.max(0, offset - half);
    const until = Math.min(scores.length, offset + half + 1);
    const days = (dayTotals[until] ?? 0) - (dayTotals[from] ?? 0);
    return days === 0 ? 0 : ((scoreTotals[until] ?? 0) - (scoreTotals[from] ?? 0)) / days - mean;
  });
}

/** Sums of the first 0, 1, 2, … values: the sum of a window is a difference of two. */
function runningTotals(values: Float64Array): Float64Array {
  const totals = new Float64Array(values.length + 1);
  for (const [index, value] of values.entries()) totals[index + 1] = (totals[index] ?? 0) + value;
  return totals;
}

function forecastTemperature(weather: SiteWeather, { seed, calendar, parameters }: ForecastOptions): Float64Array {
  const prng: Prng = seededPrng(seed, `generator/forecast/${weather.site.name}/temperature/days`);
  const days = autoregression(prng.nextNormal, calendar.days.length, parameters.temperatureDayErrorPersistence);
  const stepPrng = seededPrng(seed, `generator/forecast/${weather.site.name}/temperature/hours`);
  const hours = autoregression(stepPrng.nextNormal, calendar.steps, parameters.temperatureHoursErrorCorrelation);
  const forecast = new Float64Array(calendar.steps);
  for (const [day, { firstStep, endStep }] of calendar.days.entries()) {
    for (let step = firstStep; step < endStep; step++) {
      forecast[step] =
        (weather.temperature[step] ?? 0) +
        parameters.temperatureBias +
        parameters.temperatureDayError * (days[day] ?? 0) +
        parameters.temperatureHoursError * (hours[step] ?? 0);
    }
  }
  return forecast;
}

function slotMeans(values: Float64Array, day: CalendarDay, slotMinutes: SlotMinutes): Float64Array {
  const perSlot = slotMinutes / STEP_MINUTES;
  const means = new Float64Array((day.endStep - day.firstStep) / perSlot);
  for (let slot = 0; slot < means.length; slot++) {
    let sum = 0;
    for (let step = 0; step < perSlot; step++) sum += values[day.firstStep + slot * perSlot + step] ?? 0;
    means[slot] = sum / perSlot;
  }
  return means;
}
