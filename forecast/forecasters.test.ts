import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addLocalDays,
  localDay,
  localInstantMs,
  localMidnightMs,
  type SlotMinutes,
  slotAt,
  slotStartingAt,
  slotsOfLocalDay,
  zone,
} from "#core";
import { createKnownView, type DataStore, type KnownView, type MeterSeries } from "#data";
import { madeUpData } from "../testkit/made-up-data.ts";
import { createAutomatic } from "./automatic.ts";
import { CLIMATOLOGY_28, createClimatology } from "./climatology.ts";
import { COLD_START } from "./cold-start.ts";
import { createIntraday } from "./intraday.ts";
import { expectedWh, type Forecaster, type ForecastTarget, MEDIAN_INDEX, type SlotForecast } from "./model.ts";
import { createForecaster, FORECASTER_NAMES } from "./named-forecasters.ts";
import { createPersistence } from "./persistence.ts";
import { WEATHER_PHYSICAL } from "./physical-drafter.ts";
import { meanPinball } from "./scores.ts";
import { createSmartPersistence } from "./smart-persistence.ts";
import { createWeatherRegression } from "./weather-regression.ts";

const BELGRADE = zone("Europe/Belgrade");
const HOUR = 3_600_000;

function viewOf(store: DataStore, nowMs: number): KnownView {
  return createKnownView(store, { nowMs: () => nowMs });
}

/** A store with one hourly meter that starts at local midnight of `day`. */
function storeOf(name: MeterSeries["kind"], day: string, energyWh: readonly number[]): DataStore {
  const startMs = localMidnightMs(BELGRADE, localDay(day));
  const series: MeterSeries = {
    name,
    kind: name,
    slotMinutes: 60,
    startMs,
    energyWh: Float64Array.from(energyWh),
    telemetryDelayMs: 0,
  };
  return { meters: new Map([[name, series]]), weather: new Map(), tariffs: [] };
}

function targetOf(kind: ForecastTarget["kind"], capacityWh = 10_000): ForecastTarget {
  return { series: kind, kind, capacityWh };
}

/** The forecast, made at noon, of one hour of the next local day. */
function noonForecast(
  forecaster: Forecaster,
  store: DataStore,
  target: ForecastTarget,
  day: string,
  hour: number,
): SlotForecast {
  const view = viewOf(store, localInstantMs(BELGRADE, addLocalDays(localDay(day), -1), 12));
  const slot = slotAt(localInstantMs(BELGRADE, localDay(day), hour), 60);
  return forecaster.forecast(view, target, [slot])[0] as SlotForecast;
}

function median(forecast: SlotForecast): number {
  return forecast.quantilesWh[MEDIAN_INDEX] ?? Number.NaN;
}

const all = (): readonly Forecaster[] => [
  ...FORECASTER_NAMES.map((name) => createForecaster(name, { timeZone: BELGRADE }) as Forecaster),
  createIntraday(createAutomatic({ timeZone: BELGRADE }), { timeZone: BELGRADE }),
];

describe("every forecaster keeps the guarantees", () => {
  const cases = fc.record({
    slotMinutes: fc.constantFrom<SlotMinutes>(15, 30, 60),
    askedMinutes: fc.constantFrom<SlotMinutes>(15, 30, 60),
    firstDay: fc.constantFrom("2019-03-20", "2019-10-20", "2019-05-05"),
    days: fc.integer({ min: 1, max: 12 }),
    nowMinutes: fc.integer({ min: -1500, max: 13 * 1440 }),
    telemetryDelayMs: fc.constantFrom(0, 20 * 60_000, 26 * HOUR),
    missing: fc.constantFrom(0, 0.2, 0.7, 1),
    kind: fc.constantFrom("pv", "wind", "load"),
    hasWeather: fc.boolean(),
    hasSite: fc.boolean(),
    capacity: fc.constantFrom(1, 0.3, 0, Number.POSITIVE_INFINITY),
    seed: fc.integer({ min: 0, max: 1_000 }),
  });

  test("whatever the history, the slot length, the gaps and the time of issue", () => {
    fc.assert(
      fc.property(cases, (given) => {
        const made = madeUpData({ ...given, timeZone: BELGRADE, firstDay: localDay(given.firstDay) });
        const whole = made[given.kind as "pv" | "wind" | "load"];
        const { weather, site, ...bare } = whole;
        const target: ForecastTarget = {
          ...bare,
          capacityWh: whole.capacityWh * given.capacity,
          ...(given.hasWeather && weather !== undefined ? { weather, weatherSlotMinutes: given.slotMinutes } : {}),
          ...(given.hasSite && site !== undefined ? { site } : {}),
        };
        const store = withGaps(made.store, given.missing, given.seed);
        const nowMs = localMidnightMs(BELGRADE, localDay(given.firstDay)) + given.nowMinutes * 60_000;
        const first = slotAt(nowMs + given.askedMinutes * 60_000, given.askedMinutes);
        const slots = Array.from({ length: 30 }, (_, index) =>
          slotStartingAt(first.startMs + index * given.askedMinutes * 60_000, given.askedMinutes),
        );
        for (const forecaster of all()) {
          const forecasts = forecaster.forecast(viewOf(store, nowMs), target, slots);
          expect(forecasts.map((forecast) => forecast.slot)).toEqual(slots);
          for (const forecast of forecasts) checkGuarantees(forecast, target, nowMs);
        }
      }),
      { numRuns: 25 },
    );
  });

  function checkGuarantees(forecast: SlotForecast, target: ForecastTarget, nowMs: number): void {
    expect(forecast.issuedAtMs).toBe(nowMs);
    expect(forecast.model.length).toBeGreaterThan(0);
    expect(forecast.quantilesWh).toHaveLength(19);
    const sound = forecast.quantilesWh.every(
      (quantile, index, list) =>
        Number.isFinite(quantile) && quantile >= (list[index - 1] ?? 0) && quantile <= target.capacityWh,
    );
    expect(sound, `${forecast.model}: ${forecast.quantilesWh.join(" ")}`).toBe(true);
    expect(expectedWh(forecast) >= 0 && expectedWh(forecast) <= target.capacityWh).toBe(true);
  }

  function withGaps(store: DataStore, share: number, seed: number): DataStore {
    const gapAt = (index: number): boolean => ((index * 2_654_435_761 + seed * 97) >>> 7) % 100 < share * 100;
    const meters = [...store.meters].map(([name, series]): [string, MeterSeries] => [
      name,
      { ...series, energyWh: series.energyWh.map((value, index) => (gapAt(index) ? Number.NaN : value)) },
    ]);
    return { ...store, meters: new Map(meters) };
  }

  test("slots of different lengths in one call keep their order", () => {
    const { store, load } = madeUpData({
      timeZone: BELGRADE,
      firstDay: localDay("2019-05-01"),
      days: 12,
      slotMinutes: 15,
      seed: 3,
    });
    const nowMs = localInstantMs(BELGRADE, localDay("2019-05-11"), 12);
    const slots = [
      slotStartingAt(nowMs + HOUR, 60),
      slotStartingAt(nowMs + HOUR, 15),
      slotStartingAt(nowMs + 2 * HOUR, 60),
    ];
    for (const forecaster of all()) {
      const forecasts = forecaster.forecast(viewOf(store, nowMs), load, slots);
      expect(forecasts.map((forecast) => forecast.slot.id)).toEqual(slots.map((slot) => slot.id));
      expect(forecaster.forecast(viewOf(store, nowMs), load, [])).toEqual([]);
    }
  });
});

describe("persistence", () => {
  const byHour = (days: number): readonly number[] =>
    Array.from({ length: days * 24 }, (_, index) => 1000 * Math.floor(index / 24) + (index % 24));

  test("is yesterday's value until noon, the day before's from noon on", () => {
    const store = storeOf("load", "2019-05-01", byHour(20));
    const forecaster = createPersistence({ timeZone: BELGRADE });
    expect(median(noonForecast(forecaster, store, targetOf("load", 1e6), "2019-05-16", 11))).toBe(14_011);
    expect(median(noonForecast(forecaster, store, targetOf("load", 1e6), "2019-05-16", 12))).toBe(13_012);
  });

  test("keeps the clock hour on the day after a clock change", () => {
    const hours = 31 * 24 - 1; // 1 to 31 March 2019: the last day has 23 hours
    const startMs = localMidnightMs(BELGRADE, localDay("2019-03-01"));
    const clockHour = (index: number): number => (index < 30 * 24 + 2 ? index % 24 : (index + 1) % 24);
    const store = storeOf(
      "load",
      "2019-03-01",
      Array.from({ length: hours }, (_, index) => 100 * clockHour(index)),
    );
    expect(startMs % HOUR).toBe(0);
    const forecast = noonForecast(createPersistence({ timeZone: BELGRADE }), store, targetOf("load"), "2019-04-01", 7);
    expect(median(forecast)).toBe(700);
  });

  test("of a missing value is the mean of the last four weeks", () => {
    const energy = [100, 200, 300, Number.NaN].flatMap((value) => new Array(24).fill(value));
    const store = storeOf("load", "2019-05-01", energy);
    expect(
      median(noonForecast(createPersistence({ timeZone: BELGRADE }), store, targetOf("load"), "2019-05-05", 8)),
    ).toBe(200);
  });

  test("spreads by its own errors: a load that jumps by ±100 from day to day", () => {
    const store = storeOf(
      "load",
      "2019-04-01",
      Array.from({ length: 40 * 24 }, (_, index) => 500 + (Math.floor(index / 24) % 2) * 100),
    );
    const forecast = noonForecast(createPersistence({ timeZone: BELGRADE }), store, targetOf("load"), "2019-05-09", 8);
    expect((forecast.quantilesWh[17] ?? 0) - (forecast.quantilesWh[1] ?? 0)).toBeCloseTo(200, 9);
  });
});

describe("smart persistence", () => {
  test("of PV is the envelope times the last day's share of it", () => {
    // 1000 Wh at each hour of daylight for 30 days, then 24 hours to noon at half of that.
    const energy = Array.from(
      { length: 31 * 24 },
      (_, index) => (index % 24 >= 6 && index % 24 < 18 ? 1000 : 0) * (index >= 28 * 24 + 12 ? 0.5 : 1),
    );
    const store = storeOf("pv", "2019-05-01", energy);
    const forecaster = createSmartPersistence({ timeZone: BELGRADE });
    expect(median(noonForecast(forecaster, store, targetOf("pv"), "2019-05-31", 10))).toBeCloseTo(500, 9);
    expect(median(noonForecast(forecaster, store, targetOf("pv"), "2019-05-31", 3))).toBe(0);
  });

  test("of a load is the last day of the same type", () => {
    // From Wednesday 1 May 2019 on: 100 on working days, 300 at weekends.
    const energy = Array.from({ length: 30 * 24 }, (_, index) => ((Math.floor(index / 24) + 2) % 7 >= 5 ? 300 : 100));
    const store = storeOf("load", "2019-05-01", energy);
    const forecaster = createSmartPersistence({ timeZone: BELGRADE });
    expect(median(noonForecast(forecaster, store, targetOf("load"), "2019-05-25", 9))).toBe(300); // Saturday, made on Friday
    expect(median(noonForecast(forecaster, store, targetOf("load"), "2019-05-27", 9))).toBe(100); // Monday, made on Sunday
  });
});

describe("climatology", () => {
  test("is the quantiles of the 28 latest known values", () => {
    const store = storeOf(
      "load",
      "2019-04-01",
      Array.from({ length: 40 * 24 }, (_, index) => Math.floor(index / 24)),
    );
    const forecast = noonForecast(createClimatology({ timeZone: BELGRADE }), store, targetOf("load"), "2019-05-10", 9);
    // Days 11 to 38: the median lies between 24 and 25, q05 at position 1.35.
    expect(median(forecast)).toBeCloseTo(24.5, 9);
    expect(forecast.quantilesWh[0]).toBeCloseTo(11 + 1.35, 9);
    expect(expectedWh(forecast)).toBeCloseTo(24.5, 9);
  });

  test("of few values leans on the guess, so that one day is not taken for certain", () => {
    const store = storeOf("load", "2019-05-01", new Array(24).fill(500));
    const forecast = noonForecast(
      createClimatology({ timeZone: BELGRADE }),
      store,
      targetOf("load", 6_000),
      "2019-05-02",
      9,
    );
    expect((forecast.quantilesWh[18] ?? 0) - (forecast.quantilesWh[0] ?? 0)).toBeGreaterThan(500);
  });
});

describe("a cold start", () => {
  const nothing = storeOf("pv", "2019-05-01", []);
  const noon = localInstantMs(BELGRADE, localDay("2019-06-01"), 12);
  const at = (hour: number): readonly ReturnType<typeof slotAt>[] => [
    slotAt(localInstantMs(BELGRADE, localDay("2019-06-02"), hour), 60),
  ];

  test("of PV follows the sun, with wide quantiles", () => {
    for (const site of [{ latitude: 44.8, longitude: 20.5 }, undefined]) {
      const target: ForecastTarget = { ...targetOf("pv"), ...(site === undefined ? {} : { site }) };
      for (const forecaster of all()) {
        const [midday] = forecaster.forecast(viewOf(nothing, noon), target, at(12));
        const [night] = forecaster.forecast(viewOf(nothing, noon), target, at(1));
        expect(midday?.quantilesWh[0]).toBeLessThan(3_000);
        expect(midday?.quantilesWh[18]).toBeGreaterThan(6_000);
        expect(midday?.model).toContain(COLD_START);
        expect(night?.quantilesWh[18]).toBe(0);
      }
    }
  });

  test("of a load spreads over an order of magnitude", () => {
    const [guess] = createAutomatic({ timeZone: BELGRADE }).forecast(
      viewOf(storeOf("load", "2019-05-01", []), noon),
      targetOf("load"),
      at(19),
    );
    expect(guess?.quantilesWh[0]).toBeGreaterThan(0);
    expect((guess?.quantilesWh[18] ?? 0) / (guess?.quantilesWh[0] ?? 1)).toBeGreaterThan(10);
  });
});

describe("weather regression", () => {
  const made = madeUpData({
    timeZone: BELGRADE,
    firstDay: localDay("2019-02-01"),
    days: 110,
    slotMinutes: 60,
    seed: 7,
  });

  function pinballOf(forecaster: Forecaster, target: ForecastTarget, firstDay: string, days: number): number {
    const series = made.store.meters.get(target.series) as MeterSeries;
    let nowMs = 0;
    const view = createKnownView(made.store, { nowMs: () => nowMs });
    let sum = 0;
    for (let back = 0; back < days; back++) {
      const day = addLocalDays(localDay(firstDay), back);
      nowMs = localInstantMs(BELGRADE, addLocalDays(day, -1), 12);
      for (const { slot, quantilesWh } of forecaster.forecast(view, target, slotsOfLocalDay(BELGRADE, day, 60))) {
        sum += meanPinball(series.energyWh[(slot.startMs - series.startMs) / HOUR] ?? Number.NaN, quantilesWh);
      }
    }
    return sum;
  }

  test.each(["pv", "wind"] as const)("of %s saves at least a quarter of the climatology's loss", (kind) => {
    const climatology = pinballOf(createClimatology({ timeZone: BELGRADE }), made[kind], "2019-04-20", 25);
    const regression = pinballOf(createWeatherRegression({ timeZone: BELGRADE }), made[kind], "2019-04-20", 25);
    expect(regression).toBeLessThan(0.75 * climatology);
  });

  test.each(["pv", "wind", "load"] as const)("automatic of %s is hardly worse than the best part", (kind) => {
    const parts = FORECASTER_NAMES.filter((name) => name !== "automatic");
    const losses = parts.map((name) =>
      pinballOf(createForecaster(name, { timeZone: BELGRADE }) as Forecaster, made[kind], "2019-04-20", 25),
    );
    const automatic = pinballOf(createAutomatic({ timeZone: BELGRADE }), made[kind], "2019-04-20", 25);
    expect(automatic).toBeLessThan(1.05 * Math.min(...losses));
  });

  test("without a weather forecast is climatology, and says so", () => {
    const slots = slotsOfLocalDay(BELGRADE, localDay("2019-04-20"), 60);
    const view = viewOf(
      { ...made.store, weather: new Map([["weather", { name: "weather", slotMinutes: 60, vintages: [] }]]) },
      localInstantMs(BELGRADE, localDay("2019-04-19"), 12),
    );
    const forecasts = createWeatherRegression({ timeZone: BELGRADE }).forecast(view, made.pv, slots);
    const simple = createClimatology({ timeZone: BELGRADE }).forecast(view, made.pv, slots);
    expect(forecasts.map((forecast) => forecast.quantilesWh)).toEqual(simple.map((forecast) => forecast.quantilesWh));
    expect(forecasts[12]?.model).toBe(`${CLIMATOLOGY_28} (no weather forecast)`);
  });

  test("of a plant three days old rests on the physical chain, and beats climatology", () => {
    const slots = slotsOfLocalDay(BELGRADE, localDay("2019-02-05"), 60);
    const view = viewOf(made.store, localInstantMs(BELGRADE, localDay("2019-02-04"), 12));
    expect(createWeatherRegression({ timeZone: BELGRADE }).forecast(view, made.pv, slots)[12]?.model).toBe(
      WEATHER_PHYSICAL,
    );
    const physical = pinballOf(createWeatherRegression({ timeZone: BELGRADE }), made.pv, "2019-02-04", 6);
    expect(physical).toBeLessThan(pinballOf(createClimatology({ timeZone: BELGRADE }), made.pv, "2019-02-04", 6));
  });
});
