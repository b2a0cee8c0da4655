/** A made-up plant, wind turbine and home with day-ahead weather forecasts: for the tests of this folder only. */
import {
  addLocalDays,
  type LocalDay,
  localInstantMs,
  localMidnightMs,
  type SlotMinutes,
  seededPrng,
  type ZoneName,
} from "#core";
import type { DataStore, MeterSeries, WeatherForecastSeries, WeatherVariable, WeatherVintage } from "#data";
import { clearSkyGhi, sunPosition } from "#data";
import { type ForecastTarget, LocalCalendar } from "#forecast";

export type MadeUpOptions = {
  readonly timeZone: ZoneName;
  readonly firstDay: LocalDay;
  readonly days: number;
  readonly slotMinutes: SlotMinutes;
  readonly seed: number;
  readonly telemetryDelayMs?: number;
};

export type MadeUp = {
  readonly store: DataStore;
  readonly pv: ForecastTarget;
  readonly wind: ForecastTarget;
  readonly load: ForecastTarget;
};

const SITE = { latitude: 45, longitude: 15 };
const MS_PER_MINUTE = 60_000;

/** A plant of 10 kW, a turbine of 20 kW and a home, hour by hour driven by clouds, wind and the clock. */
export function madeUpData(options: MadeUpOptions): MadeUp {
  const { timeZone, firstDay, days, slotMinutes, seed } = options;
  const slotMs = slotMinutes * MS_PER_MINUTE;
  const startMs = localMidnightMs(timeZone, firstDay);
  const count = (localMidnightMs(timeZone, addLocalDays(firstDay, days)) - startMs) / slotMs;
  const hours = slotMinutes / 60;
  const truth = weatherOf(startMs, count, slotMs, seed);
  const prng = seededPrng(seed, "load");
  const energy = (watts: (index: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, index) => Math.round(Math.max(0, watts(index)) * hours));
  const calendar = new LocalCalendar(timeZone, slotMinutes);
  const load = energy((index) => {
    const cell = calendar.cellAt(startMs + index * slotMs);
    const hour = calendar.slotOfDay(cell) * hours;
    const habit = (hour < 6 ? 200 : hour < 17 ? 400 : 900) * (calendar.isWeekend(calendar.dayOf(cell)) ? 1.3 : 1);
    return habit * Math.exp(0.4 * prng.nextNormal());
  });
  const at = (values: Float64Array, index: number): number => values[index] ?? 0;
  const meters: readonly MeterSeries[] = [
    meter(
      "pv",
      options,
      startMs,
      energy((index) => 8.5 * at(truth.ghi, index)),
    ),
    meter(
      "wind",
      options,
      startMs,
      energy((index) => Math.min(20_000, 15 * at(truth.windSpeed, index) ** 3)),
    ),
    meter("load", options, startMs, load),
  ];
  const weather = forecastsOf(truth, options, startMs);
  return {
    store: {
      meters: new Map(meters.map((series) => [series.name, series])),
      weather: new Map([["weather", weather]]),
      tariffs: [],
    },
    pv: { series: "pv", kind: "pv", weather: "weather", capacityWh: 10_000 * hours, site: SITE },
    wind: { series: "wind", kind: "wind", weather: "weather", capacityWh: 20_000 * hours },
    load: { series: "load", kind: "load", capacityWh: 6_000 * hours },
  };
}

function meter(
  name: "pv" | "wind" | "load",
  options: MadeUpOptions,
  startMs: number,
  energyWh: Float64Array,
): MeterSeries {
  const { slotMinutes, telemetryDelayMs = 0 } = options;
  return { name, kind: name, slotMinutes, startMs, energyWh, telemetryDelayMs };
}

type Truth = { readonly ghi: Float64Array; readonly windSpeed: Float64Array; readonly temperature: Float64Array };

/** Clear-sky irradiance times clouds, and wind, both with a memory of some hours. */
function weatherOf(startMs: number, count: number, slotMs: number, seed: number): Truth {
  const prng = seededPrng(seed, "weather");
  const memory = Math.exp(-slotMs / (6 * 3_600_000));
  const shock = Math.sqrt(1 - memory * memory);
  let clouds = prng.nextNormal();
  let breeze = prng.nextNormal();
  const truth = {
    ghi: new Float64Array(count),
    windSpeed: new Float64Array(count),
    temperature: new Float64Array(count),
  };
  for (let index = 0; index < count; index++) {
    clouds = memory * clouds + shock * prng.nextNormal();
    breeze = memory * breeze + shock * prng.nextNormal();
    const { cosZenith } = sunPosition(startMs + (index + 0.5) * slotMs, SITE.latitude, SITE.longitude);
    truth.ghi[index] = clearSkyGhi(cosZenith) / (1 + Math.exp(-1 - 1.5 * clouds));
    truth.windSpeed[index] = Math.max(0, 7 + 3 * breeze);
    truth.temperature[index] = 10 + 8 * cosZenith;
  }
  return truth;
}

/** One run per local day, issued at noon of the day before, with errors of some hours' length. */
function forecastsOf(truth: Truth, options: MadeUpOptions, startMs: number): WeatherForecastSeries {
  const { timeZone, firstDay, days, slotMinutes, seed } = options;
  const slotMs = slotMinutes * MS_PER_MINUTE;
  const prng = seededPrng(seed, "forecast");
  const vintages = Array.from({ length: days }, (_, index): WeatherVintage => {
    const day = addLocalDays(firstDay, index);
    const first = (localMidnightMs(timeZone, day) - startMs) / slotMs;
    const last = (localMidnightMs(timeZone, addLocalDays(day, 1)) - startMs) / slotMs;
    const error = 1 + 0.15 * prng.nextNormal();
    const values: Partial<Record<WeatherVariable, Float64Array>> = {};
    for (const [name, series] of Object.entries(truth) as [keyof Truth, Float64Array][]) {
      values[name] = series.slice(first, last).map((value) => value * (name === "temperature" ? 1 : error));
    }
    const issuedAtMs = localInstantMs(timeZone, addLocalDays(day, -1), 12);
    return { issuedAtMs, knownAtMs: issuedAtMs, startMs: startMs + first * slotMs, values };
  });
  return { name: "weather", slotMinutes, vintages };
}
