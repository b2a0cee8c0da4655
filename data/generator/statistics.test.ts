/** The statistics on series whose figures are known beforehand. */
import { describe, expect, test } from "vitest";
import { addLocalDays, localDay, localMidnightMs, zone } from "#core";
import type { MeterSeries, WeatherForecastSeries } from "../series.ts";
import { generateCommunity } from "./community.ts";
import { forecastStatistics } from "./forecast-statistics.ts";
import {
  autocorrelation,
  correlation,
  deviation,
  hourGrid,
  mean,
  meanPairCorrelation,
  persistence,
  quantile,
} from "./hour-grid.ts";
import { halfHourStatistics, loadStatistics } from "./load-statistics.ts";
import { plantStatistics, quarterHourStatistics } from "./plant-statistics.ts";
import { communityStatistics } from "./statistics.ts";

const UTC = zone("UTC");
const HOUR_MS = 3_600_000;
const FIRST_DAY = localDay("2031-01-06"); // A Monday.

function hourly(
  days: number,
  energyOf: (day: number, hour: number) => number,
  kind: "pv" | "load" = "pv",
): MeterSeries {
  const energyWh = Float64Array.from({ length: days * 24 }, (_, slot) => energyOf(Math.floor(slot / 24), slot % 24));
  return {
    name: "series",
    kind,
    slotMinutes: 60,
    startMs: Date.parse(`${FIRST_DAY}T00:00:00Z`),
    energyWh,
    telemetryDelayMs: 0,
  };
}

/** Sun from 6 to 18. */
function bell(hour: number): number {
  return Math.max(0, Math.sin((Math.PI * (hour - 5.5)) / 12)) * 1_000;
}

describe("grids", () => {
  test("a skipped hour is missing, a repeated one is the mean of both, a gap stays a gap", () => {
    const timeZone = zone("Europe/Madrid");
    for (const [day, hours, hourTwo] of [
      ["2031-03-30", 23, Number.NaN],
      ["2031-10-26", 25, 2.5],
    ] as const) {
      const startMs = localMidnightMs(timeZone, localDay(day));
      const values = Float64Array.from({ length: hours }, (_, slot) => (slot === 20 ? Number.NaN : slot));
      const grid = hourGrid({ startMs, slotMs: HOUR_MS, values }, timeZone);
      expect([grid.firstDay, grid.days]).toEqual([day, 1]);
      expect([grid.values[0], grid.values[1], grid.values[2]]).toEqual([0, 1, hourTwo]);
      expect(grid.values.filter(Number.isNaN)).toHaveLength(hours === 23 ? 2 : 1);
    }
  });

  test("quarter-hours are averaged, days that are not full are filled up with nothing", () => {
    const startMs = Date.parse("2031-01-06T22:00:00Z");
    const grid = hourGrid(
      { startMs, slotMs: HOUR_MS / 4, values: Float64Array.from([1, 2, 3, 6, 5, 5, 5, 5, 7]) },
      UTC,
    );
    expect(grid.days).toBe(2);
    expect([...grid.values.subarray(21, 25)]).toEqual([Number.NaN, 3, 5, Number.NaN]);
  });

  test("persistence knows at noon what was metered until noon", () => {
    const grid = hourGrid(
      {
        startMs: Date.parse("2031-01-06T00:00:00Z"),
        slotMs: HOUR_MS,
        values: Float64Array.from({ length: 72 }, (_, slot) => slot),
      },
      UTC,
    );
    const known = persistence(grid).values;
    expect([known[48 + 11], known[48 + 12]]).toEqual([24 + 11, 12]);
    expect(known[24 + 12]).toBeNaN();
  });
});

test("elementary statistics, worked by hand, skip what is missing", () => {
  const values = Float64Array.from([1, 2, Number.NaN, 3, 6]);
  expect(mean(values)).toBe(3);
  expect(deviation(values)).toBeCloseTo(Math.sqrt(3.5), 12);
  expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 1)]).toEqual([1, 2.5, 6]);
  expect(quantile(new Float64Array(), 0.5)).toBeNaN();
  expect(correlation(values, Float64Array.from([2, 4, 9, 6, 12]))).toBeCloseTo(1, 12);
  expect(autocorrelation(Float64Array.from([1, 2, 1, 2, 1, 2]), 1)).toBeCloseTo(-1, 12);
});

test("pairs are compared on the days that both have", () => {
  const days = Float64Array.from([1, 5, 2, 8, 3, 9]);
  const later = { firstDay: addLocalDays(FIRST_DAY, 2), values: days.slice(2) };
  expect(meanPairCorrelation([{ firstDay: FIRST_DAY, values: days }, later])).toBeCloseTo(1, 12);
});

describe("plants", () => {
  test("the same sun every day: an index of 1, no surprise for persistence", () => {
    const figures = plantStatistics([{ power: hourly(60, (_, hour) => bell(hour)), nameplateW: 1_000 }], UTC);
    expect(figures["dailyIndexMean"]).toBeCloseTo(1, 9);
    expect(figures["hourlyIndexQ10"]).toBeCloseTo(1, 9);
    expect(figures["withinDayDeviation"]).toBeCloseTo(0, 9);
    expect(figures["persistenceError"]).toBe(0);
    expect(figures["capacityFactor"]).toBeCloseTo(
      mean(Float64Array.from({ length: 24 }, (_, hour) => bell(hour))) / 1_000,
      9,
    );
  });

  test("every other day half as bright: days alternate, and persistence is wrong every morning", () => {
    const power = hourly(60, (day, hour) => bell(hour) * (day % 2 === 0 ? 1 : 0.5));
    const figures = plantStatistics([{ power, nameplateW: 1_000 }], UTC);
    expect(figures["dailyIndexLag1"]).toBeCloseTo(-1, 6);
    expect(figures["dailyIndexQ10"]).toBeCloseTo(0.5, 6);
    expect(figures["dailyIndexQ90"]).toBeCloseTo(1, 6);
    // From noon on it is two days old and right again. Hours 6 … 17 have sun; 59 mornings and 58 afternoons have a forecast.
    const missed = Array.from({ length: 6 }, (_, index) => bell(6 + index) / 2).reduce((sum, value) => sum + value, 0);
    expect(figures["persistenceError"]).toBeCloseTo((59 * missed) / (59 * 6 + 58 * 6) / 1_000, 9);
  });

  test("two plants under one sky go together", () => {
    const sky = (day: number): number => 0.4 + 0.6 * Math.abs(Math.sin(day * 1.7));
    const plants = [3, 5].map((kilowatts) => ({
      power: hourly(60, (day, hour) => bell(hour) * sky(day) * kilowatts),
      nameplateW: kilowatts * 1_000,
    }));
    expect(plantStatistics(plants, UTC)["plantCorrelation"]).toBeCloseTo(1, 9);
  });

  test("quarter-hours that alternate between nothing and twice the mean spread by the mean", () => {
    const energyWh = Float64Array.from({ length: 40 * 96 }, (_, slot) =>
      slot % 96 >= 32 && slot % 96 < 64 ? (slot % 2) * 500 : 0,
    );
    const power: MeterSeries = { ...hourly(1, () => 0), slotMinutes: 15, energyWh };
    expect(quarterHourStatistics([{ power, nameplateW: 2_000 }], UTC)["withinHourDeviation"]).toBeCloseTo(1, 9);
  });
});

describe("forecasts", () => {
  const sky = (day: number): number => 0.3 + 0.7 * Math.abs(Math.sin(day * 1.3));
  const power = hourly(90, (day, hour) => bell(hour) * sky(day));
  const forecast = (ghi: (day: number, hour: number) => number): WeatherForecastSeries => ({
    name: "forecast",
    slotMinutes: 60,
    vintages: Array.from({ length: 90 }, (_, day) => {
      const startMs = power.startMs + day * 24 * HOUR_MS;
      const issuedAtMs = startMs - 12 * HOUR_MS;
      return {
        issuedAtMs,
        knownAtMs: issuedAtMs,
        startMs,
        values: { ghi: Float64Array.from({ length: 24 }, (_, hour) => ghi(day, hour)) },
      };
    }),
  });

  test("one that knows the day is right, whatever its scale", () => {
    const figures = forecastStatistics(
      [{ power, nameplateW: 1_000, forecast: forecast((day, hour) => 0.7 * bell(hour) * sky(day)) }],
      UTC,
    );
    expect(figures["forecastDailyCorrelation"]).toBeCloseTo(1, 9);
    expect(figures["forecastHourlyErrorAbsolute"]).toBeCloseTo(0, 9);
    expect(figures["forecastPowerError"]).toBeCloseTo(0, 9);
    expect(figures["forecastSkill"]).toBeCloseTo(1, 9);
  });

  test("one that always says the same is worth its mean", () => {
    const figures = forecastStatistics(
      [{ power, nameplateW: 1_000, forecast: forecast((_, hour) => bell(hour)) }],
      UTC,
    );
    expect(figures["forecastPowerError"]).toBeGreaterThan(0.1);
    expect(figures["forecastHourlyErrorMean"]).toBeGreaterThan(0.1);
  });
});

describe("loads", () => {
  test("weekends twice as high: all of the variance is hour and weekend", () => {
    const home = hourly(70, (day, hour) => (day % 7 >= 5 ? 2 : 1) * (hour >= 18 ? 300 : 100), "load");
    const figures = loadStatistics([home], UTC);
    expect(figures["weekendRatio"]).toBeCloseTo(2, 9);
    expect(figures["hourShare"]).toBeCloseTo(1, 9);
    expect(figures["dailyKwh"]).toBeCloseTo(((18 * 0.1 + 6 * 0.3) * 9) / 7, 9);
    expect(figures["shareFrom18"]).toBeCloseTo(0.25, 9);
  });

  test("a spike of one half-hour per hour", () => {
    const energyWh = Float64Array.from({ length: 60 * 48 }, (_, half) =>
      half % 2 === 0 ? (half % 96 < 48 ? 400 : 200) : 0,
    );
    const home: MeterSeries = { ...hourly(1, () => 0, "load"), slotMinutes: 30, energyWh };
    // Half-hours: 400 0 … 200 0 …, mean 150; hours: 400 and 200, deviation 100.
    const expected = (2 * Math.sqrt((250 ** 2 + 50 ** 2 + 2 * 150 ** 2) / 4)) / 100;
    expect(halfHourStatistics([home], UTC)["halfHourDeviationRatio"]).toBeCloseTo(expected, 9);
  });
});

test("a whole community: plants with their nameplates, forecasts where there are any, loads", () => {
  const community = generateCommunity({ seed: 1, days: 60, homes: 8, parks: 1 });
  const { plants, forecasts, loads } = communityStatistics(community);
  expect(plants["capacityFactor"]).toBeGreaterThan(0.08);
  expect(plants["capacityFactor"]).toBeLessThan(0.3);
  expect(forecasts["forecastDailyCorrelation"]).toBeGreaterThan(0.3);
  expect(loads["dailyKwh"]).toBeGreaterThan(10);
});
