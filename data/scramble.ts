/**
 * Replaces the future of a data store by garbage: whoever decides the same before and after has not looked ahead.
 * For tests and for the look-ahead check of backtests; a store made here is never shown to anybody as data.
 */
import { type MicrosPerKwh, microsPerKwh, type Prng, seededPrng } from "#core";
import type {
  DataStore,
  MeterSeries,
  TariffVintage,
  WeatherForecastSeries,
  WeatherVariable,
  WeatherVintage,
} from "./series.ts";

export type ScrambledPart = "meters" | "weather" | "tariffs" | "all";

const MS_PER_MINUTE = 60_000;
/** Ranges from which garbage is drawn: numbers that the real variable could show. */
const WEATHER_RANGES: Readonly<Record<WeatherVariable, readonly [low: number, high: number]>> = {
  ghi: [0, 1_100],
  dni: [0, 1_000],
  temperature: [-20, 40],
  windSpeed: [0, 25],
  humidity: [0, 1],
  cloudCover: [0, 1],
};
const GARBAGE_MICROS_PER_KWH_MAX = 900_000;

/**
 * A copy of the store in which every datum that becomes known after `knownAfterMs` is replaced by another, plausible
 * number drawn from `seed`; nothing is left out, and nothing known by then is changed. Every replaced number differs.
 */
export function scrambleAfter(
  store: DataStore,
  knownAfterMs: number,
  seed: number | string,
  which: ScrambledPart,
): DataStore {
  const hit = (part: ScrambledPart): boolean => which === "all" || which === part;
  const meterOf = ([name, series]: [string, MeterSeries]): [string, MeterSeries] => [
    name,
    scrambledMeter(series, knownAfterMs, seededPrng(seed, `scramble meter ${name}`)),
  ];
  const weatherOf = ([name, series]: [string, WeatherForecastSeries]): [string, WeatherForecastSeries] => [
    name,
    scrambledWeather(series, knownAfterMs, seededPrng(seed, `scramble weather ${name}`)),
  ];
  const tariffPrng = seededPrng(seed, "scramble tariffs");
  const tariffOf = (tariff: TariffVintage): TariffVintage =>
    tariff.knownAtMs > knownAfterMs ? scrambledTariff(tariff, tariffPrng) : tariff;
  return {
    meters: hit("meters") ? new Map([...store.meters].map(meterOf)) : store.meters,
    weather: hit("weather") ? new Map([...store.weather].map(weatherOf)) : store.weather,
    tariffs: hit("tariffs") ? store.tariffs.map(tariffOf) : store.tariffs,
  };
}

function scrambledMeter(series: MeterSeries, knownAfterMs: number, prng: Prng): MeterSeries {
  const slotMs = series.slotMinutes * MS_PER_MINUTE;
  const largest = series.energyWh.reduce((max, value) => (value > max ? value : max), 0);
  const energyWh = series.energyWh.map((value, index) => {
    const knownAtMs = series.startMs + (index + 1) * slotMs + series.telemetryDelayMs;
    return knownAtMs > knownAfterMs ? otherThan(value, Math.floor(prng.nextFloat() * (largest + 1_000))) : value;
  });
  return { ...series, energyWh };
}

function scrambledWeather(series: WeatherForecastSeries, knownAfterMs: number, prng: Prng): WeatherForecastSeries {
  const scrambled = (run: WeatherVintage): WeatherVintage => {
    if (run.knownAtMs <= knownAfterMs) return run;
    const values: Partial<Record<WeatherVariable, Float64Array>> = {};
    for (const [variable, array] of Object.entries(run.values) as [WeatherVariable, Float64Array][]) {
      const [low, high] = WEATHER_RANGES[variable];
      values[variable] = array.map((value) => otherThan(value, low + prng.nextFloat() * (high - low)));
    }
    return { ...run, values };
  };
  return { ...series, vintages: series.vintages.map(scrambled) };
}

function scrambledTariff(tariff: TariffVintage, prng: Prng): TariffVintage {
  const feedIn: MicrosPerKwh[] = [];
  const retail: MicrosPerKwh[] = [];
  tariff.retail.forEach((price, step) => {
    // Retail stays above feed-in, as in any real tariff.
    const low = Math.floor(prng.nextFloat() * GARBAGE_MICROS_PER_KWH_MAX);
    const high = low + 1 + Math.floor(prng.nextFloat() * GARBAGE_MICROS_PER_KWH_MAX);
    feedIn.push(microsPerKwh(otherThan(Number(tariff.feedIn[step]), low)));
    retail.push(microsPerKwh(otherThan(Number(price), high + 1)));
  });
  return { ...tariff, feedIn, retail };
}

function otherThan(value: number, garbage: number): number {
  return garbage === value ? garbage + 1 : garbage;
}
