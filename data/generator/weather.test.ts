/** Realised weather, and what is forecast of it. */
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { autocorrelation, correlation, mean } from "./hour-grid.ts";
import { checkGeneratorOptions } from "./options.ts";
import { type ForecastParameters, GENERATOR_PARAMETERS } from "./parameters.ts";
import { forecastFor, parkSite, regionOf, villageSite, weatherAt } from "./region.ts";

const settings = unwrap(
  checkGeneratorOptions({ seed: "weather", days: 730, timeZone: "UTC", firstDay: "2031-01-01", latitude: 38 }),
);
const region = regionOf(settings, GENERATOR_PARAMETERS);
const village = weatherAt(region, villageSite(settings));
const { temperature: parameters } = region.climate;

/** Means of the temperature per day. */
function dailyTemperature(weather = village): Float64Array {
  return Float64Array.from(region.calendar.days, ({ firstStep, endStep }) =>
    mean(weather.temperature.subarray(firstStep, endStep)),
  );
}

describe("temperature", () => {
  test("has the mean and the season of its climate", () => {
    const daily = dailyTemperature();
    expect(Math.abs(mean(daily) - parameters.yearMean)).toBeLessThan(1);
    const season = daily.map((_, day) => Math.cos((2 * Math.PI * (day + 1 - parameters.warmestDay)) / 365.25));
    expect(correlation(daily, season)).toBeGreaterThan(0.9);
  });

  test("is highest in the afternoon, and its daily range is wider on clear days", () => {
    const ranges = region.calendar.days.map(({ firstStep, endStep }, day) => {
      const hours = [...village.temperature.subarray(firstStep, endStep)];
      return {
        index: village.dailyIndex[day] ?? 0,
        range: Math.max(...hours) - Math.min(...hours),
        top: hours.indexOf(Math.max(...hours)) / 4,
      };
    });
    const clear = ranges.filter(({ index }) => index > 0.85);
    const dull = ranges.filter(({ index }) => index < 0.4);
    const meanOf = (rows: typeof ranges, field: "range" | "top"): number => mean(rows.map((row) => row[field]));
    expect(meanOf(clear, "range")).toBeGreaterThan(meanOf(dull, "range") + 3);
    expect(Math.abs(meanOf(clear, "top") - 15)).toBeLessThan(1.5);
  });

  test("never jumps", () => {
    const jumps = village.temperature.map((celsius, step) =>
      Math.abs(celsius - (village.temperature[step - 1] ?? celsius)),
    );
    expect(Math.max(...jumps)).toBeLessThan(0.8);
  });
});

test("irradiance is the clear sky's times the index, and the day's index is between its hours'", () => {
  for (const [step, ghi] of village.ghi.entries()) {
    expect(ghi).toBeCloseTo(
      (village.index[step] ?? 0) * region.climate.clouds.clearSkyFactor * (village.sun.clearGhi[step] ?? 0),
      9,
    );
  }
  for (const [day, { firstStep, endStep }] of region.calendar.days.entries()) {
    const hours = village.index.subarray(firstStep, endStep);
    expect(village.dailyIndex[day]).toBeGreaterThanOrEqual(Math.min(...hours));
    expect(village.dailyIndex[day]).toBeLessThanOrEqual(Math.max(...hours));
  }
});

describe("forecasts", () => {
  const forecastWith = (change: Partial<ForecastParameters>): ReturnType<typeof forecastFor> =>
    forecastFor(
      { ...region, parameters: { ...GENERATOR_PARAMETERS, forecast: { ...GENERATOR_PARAMETERS.forecast, ...change } } },
      village,
    );
  const dailyLight = (series: ReturnType<typeof forecastFor>): Float64Array =>
    Float64Array.from(series.vintages, ({ values }) => mean(values.ghi ?? []));
  const clearLight = Float64Array.from(region.calendar.days, ({ firstStep, endStep }) =>
    mean(village.sun.clearGhi.subarray(firstStep, endStep)),
  );
  const ratio = (light: Float64Array): Float64Array => light.map((value, day) => value / (clearLight[day] ?? 1));

  test("without errors the days are in the order in which they happen", () => {
    const perfect = forecastWith({ dayCorrelation: 1, hoursNoise: 0, hoursWeight: 0 });
    const order = (values: Float64Array): readonly number[] =>
      [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
    const rank = (values: Float64Array): Float64Array => {
      const ranks = new Float64Array(values.length);
      for (const [position, day] of order(values).entries()) ranks[day] = position;
      return ranks;
    };
    expect(correlation(rank(ratio(dailyLight(perfect))), rank(village.dailyIndex))).toBeGreaterThan(0.999);
  });

  test("with errors they are not, and errors last for days", () => {
    const light = ratio(dailyLight(forecastWith({})));
    const agreement = correlation(light, village.dailyIndex);
    expect(agreement).toBeGreaterThan(0.55);
    expect(agreement).toBeLessThan(0.85);
    expect(
      autocorrelation(
        light.map((value, day) => value - (village.dailyIndex[day] ?? 0)),
        1,
      ),
    ).toBeGreaterThan(0.3);
  });

  test("of temperature are off by bias and noise only", () => {
    const exact = forecastWith({ temperatureBias: 1.5, temperatureDayError: 0, temperatureHoursError: 0 });
    const hours = exact.vintages[100]?.values.temperature;
    const from = region.calendar.days[100]?.firstStep ?? 0;
    expect(hours?.[7]).toBeCloseTo(mean(village.temperature.subarray(from + 28, from + 32)) + 1.5, 9);
  });

  test("are known as soon as they are issued when publication takes no time", () => {
    const prompt = forecastWith({ publicationDelayMinutesMax: 0 });
    expect(prompt.vintages.every(({ issuedAtMs, knownAtMs }) => issuedAtMs === knownAtMs)).toBe(true);
    const delays = new Set(
      forecastWith({}).vintages.map(({ issuedAtMs, knownAtMs }) => (knownAtMs - issuedAtMs) / 60_000),
    );
    expect(Math.min(...delays)).toBe(0);
    expect(Math.max(...delays)).toBe(60);
  });
});

test("parks lie within a degree or two of the village, also across the date line", () => {
  const far = unwrap(
    checkGeneratorOptions({ seed: 5, timeZone: "Pacific/Auckland", latitude: -40, longitude: 179.9, slotMinutes: 60 }),
  );
  const sites = Array.from({ length: 50 }, (_, index) => parkSite(far, `solar-park-${index + 1}`));
  expect(sites.every(({ latitude }) => Math.abs(latitude + 40) <= 1)).toBe(true);
  expect(sites.every(({ longitude }) => longitude >= -180 && longitude <= 180)).toBe(true);
  expect(sites.some(({ longitude }) => longitude < 0)).toBe(true);
});
