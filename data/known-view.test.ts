import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError, microsPerKwh, type SlotMinutes, slotStartingAt } from "#core";
import { createKnownView } from "./known-view.ts";
import { type ScrambledPart, scrambleAfter } from "./scramble.ts";
import type { DataStore, KnownView, MeterSeries, TariffVintage, WeatherForecastSeries } from "./series.ts";

const HOUR = 3_600_000;
const T0 = Date.parse("2031-03-01T00:00:00Z");

function storeOf(
  meters: MeterSeries[],
  weather: WeatherForecastSeries[] = [],
  tariffs: TariffVintage[] = [],
): DataStore {
  return {
    meters: new Map(meters.map((series) => [series.name, series])),
    weather: new Map(weather.map((series) => [series.name, series])),
    tariffs,
  };
}

/** A community's data in small: 15- and 60-minute meters with holes, overlapping weather runs, revised tariffs. */
const arbStore: fc.Arbitrary<DataStore> = fc
  .record({
    slotMinutes: fc.constantFrom<SlotMinutes>(15, 30, 60),
    energy: fc.array(fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.constant(Number.NaN)), { maxLength: 60 }),
    delayMs: fc.integer({ min: 0, max: 3 * HOUR }),
    ghi: fc.array(fc.oneof(fc.double({ min: 0, max: 1_000, noNaN: true }), fc.constant(Number.NaN)), {
      minLength: 60,
      maxLength: 60,
    }),
    runs: fc.array(fc.record({ start: fc.nat(40), length: fc.nat(20), ageHours: fc.integer({ min: -5, max: 30 }) }), {
      maxLength: 8,
    }),
    tariffs: fc.array(
      fc.record({
        day: fc.nat(2),
        knownHour: fc.integer({ min: -20, max: 60 }),
        price: fc.integer({ min: 1, max: 900_000 }),
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ slotMinutes, energy, delayMs, ghi, runs, tariffs }) => {
    const whole = Float64Array.from(ghi); // All runs are windows on one array, as a careless adapter might make them.
    const vintages = runs
      .map(({ start, length, ageHours }) => ({
        issuedAtMs: T0 + (start - ageHours - 1) * HOUR,
        knownAtMs: T0 + (start - ageHours) * HOUR,
        startMs: T0 + start * HOUR,
        values: { ghi: whole.subarray(start, start + length), temperature: whole.subarray(start, start + length) },
      }))
      .sort((a, b) => a.knownAtMs - b.knownAtMs);
    const days = tariffs
      .map(({ day, knownHour, price }) => ({
        knownAtMs: T0 + knownHour * HOUR,
        startMs: T0 + day * 24 * HOUR,
        slotMinutes: 60 as const,
        feedIn: Array.from({ length: 24 }, () => microsPerKwh(price)),
        retail: Array.from({ length: 24 }, () => microsPerKwh(price + 1)),
      }))
      .sort((a, b) => a.knownAtMs - b.knownAtMs);
    const meter: MeterSeries = {
      name: "m",
      kind: "load",
      slotMinutes,
      startMs: T0,
      energyWh: Float64Array.from(energy),
      telemetryDelayMs: delayMs,
    };
    return storeOf([meter], [{ name: "w", slotMinutes: 60, vintages }], days);
  });

/** All that can be got out of a view, `.buffer`s included: what a cheater would read. */
function everythingIn(view: KnownView): unknown {
  const meter = view.meter("m");
  const runs = view.weatherVintages("w");
  const hours = Array.from({ length: 72 }, (_, hour) => slotStartingAt(T0 + hour * HOUR, 60));
  return {
    now: view.nowMs,
    meter: [...meter.energyWh],
    meterBuffer: [...new Float64Array(meter.energyWh.buffer)],
    start: [meter.startMs, meter.slotMinutes],
    runs: runs.map((run) => ({
      ...run,
      values: Object.entries(run.values).map(([key, array]) => [key, [...array], [...new Float64Array(array.buffer)]]),
    })),
    weather: hours.map((slot) => view.weatherAt("w", slot)),
    tariffs: hours.map((slot) => view.tariffAt(slot.id)),
  };
}

describe("known view", () => {
  test("shows the same whatever the future holds", () => {
    const arbWhich = fc.constantFrom<ScrambledPart>("meters", "weather", "tariffs", "all");
    const arbHours = fc.array(fc.double({ min: -5, max: 70, noNaN: true }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        arbStore,
        fc.double({ min: -5, max: 70, noNaN: true }),
        arbHours,
        arbWhich,
        (store, cut, hours, which) => {
          const cutMs = Math.round(T0 + cut * HOUR);
          const other = scrambleAfter(store, cutMs, 7, which);
          const clock = { at: 0, nowMs: () => clock.at };
          const [left, right] = [createKnownView(store, clock), createKnownView(other, clock)];
          // In any order: a clock that steps back must not show what it showed later.
          for (const hour of [...hours.map((h) => Math.round(T0 + h * HOUR)), cutMs]) {
            clock.at = Math.min(hour, cutMs);
            expect(everythingIn(right)).toEqual(everythingIn(left));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("agrees with a search through everything, datum by datum", () => {
    fc.assert(
      fc.property(arbStore, fc.integer({ min: -5, max: 70 }), (store, hour) => {
        const nowMs = T0 + hour * HOUR;
        const view = createKnownView(store, { nowMs: () => nowMs });
        const series = store.meters.get("m") as MeterSeries;
        const slotMs = series.slotMinutes * 60_000;
        const known = [...series.energyWh].filter((_, i) => T0 + (i + 1) * slotMs + series.telemetryDelayMs <= nowMs);
        expect([...view.meter("m").energyWh]).toEqual(known);
        for (let at = 0; at < 60; at += 7) {
          const slot = slotStartingAt(T0 + at * HOUR, 60);
          const runs = (store.weather.get("w")?.vintages ?? []).filter((run) => {
            const value = run.values.ghi?.[at - (run.startMs - T0) / HOUR];
            return run.knownAtMs <= nowMs && value !== undefined && Number.isFinite(value);
          });
          const newest = Math.max(...runs.map((run) => run.issuedAtMs));
          expect(view.weatherAt("w", slot)?.issuedAtMs).toBe(runs.length === 0 ? undefined : newest);
          const tariffs = store.tariffs.filter(
            (tariff) =>
              tariff.knownAtMs <= nowMs && tariff.startMs <= slot.startMs && slot.startMs < tariff.startMs + 24 * HOUR,
          );
          expect(view.tariffAt(slot.id)?.retail).toBe(tariffs.at(-1)?.retail[0]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a reading is known its delay after the end of its slot, to the millisecond", () => {
    const energyWh = Float64Array.of(10, 20, 30);
    const store = storeOf([
      { name: "m", kind: "pv", slotMinutes: 15, startMs: T0, energyWh, telemetryDelayMs: 60_000 },
    ]);
    const clock = { at: T0, nowMs: () => clock.at };
    const view = createKnownView(store, clock);
    const at = (minutes: number, ms = 0): number[] => {
      clock.at = T0 + minutes * 60_000 + ms;
      return [...view.meter("m").energyWh];
    };
    expect(at(16, -1)).toEqual([]);
    expect(at(16)).toEqual([10]);
    expect(at(46, -1)).toEqual([10, 20]);
    expect(at(46)).toEqual([10, 20, 30]);
    expect(at(600)).toEqual([10, 20, 30]);
  });

  test("a run of weather and a tariff are known at their instant, to the millisecond", () => {
    const run = { issuedAtMs: T0 - HOUR, knownAtMs: T0, startMs: T0, values: { ghi: Float64Array.of(5) } };
    const price = microsPerKwh(7);
    const tariff = { knownAtMs: T0, startMs: T0, slotMinutes: 60 as const, feedIn: [price], retail: [price] };
    const slot = slotStartingAt(T0, 60);
    for (const [late, known] of [
      [-1, false],
      [0, true],
    ] as const) {
      const store = storeOf([], [{ name: "w", slotMinutes: 60, vintages: [run] }], [tariff]);
      const view = createKnownView(store, { nowMs: () => T0 + late });
      expect(view.weatherVintages("w").length).toBe(known ? 1 : 0);
      expect(view.weatherAt("w", slot) !== undefined).toBe(known);
      expect(view.tariffAt(slot.id) !== undefined).toBe(known);
    }
  });

  test("an array handed out earlier does not grow, and a clock that steps back shows less again", () => {
    const energyWh = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    const store = storeOf([{ name: "m", kind: "pv", slotMinutes: 60, startMs: T0, energyWh, telemetryDelayMs: 0 }]);
    const clock = { at: T0 + 40 * HOUR, nowMs: () => clock.at };
    const view = createKnownView(store, clock);
    const early = view.meter("m");
    clock.at = T0 + 45 * HOUR;
    expect(view.meter("m").energyWh.length).toBe(45);
    expect(early.energyWh.length).toBe(40);
    clock.at = T0 + 10 * HOUR;
    const back = view.meter("m").energyWh;
    expect(back.length).toBe(10);
    expect(new Float64Array(back.buffer).filter((value) => value > 10)).toEqual(new Float64Array(0));
  });

  test("the buffer behind a history or a run holds nothing of the future", () => {
    const energyWh = Float64Array.from({ length: 96 }, (_, index) => 1_000 + index);
    const whole = Float64Array.from({ length: 48 }, (_, index) => 500 + index);
    const run = (day: number) => ({
      issuedAtMs: T0 + (24 * day - 12) * HOUR,
      knownAtMs: T0 + (24 * day - 12) * HOUR,
      startMs: T0 + 24 * day * HOUR,
      values: { ghi: whole.subarray(24 * day, 24 * day + 24) },
    });
    const store = storeOf(
      [{ name: "m", kind: "pv", slotMinutes: 60, startMs: T0, energyWh, telemetryDelayMs: 0 }],
      [{ name: "w", slotMinutes: 60, vintages: [run(0), run(1)] }],
    );
    const view = createKnownView(store, { nowMs: () => T0 + 5 * HOUR });
    expect([...new Float64Array(view.meter("m").energyWh.buffer)].filter((value) => value >= 1_005)).toEqual([]);
    const runs = view.weatherVintages("w");
    expect(runs.length).toBe(1);
    expect(
      [...new Float64Array(runs[0]?.values.ghi?.buffer ?? new ArrayBuffer(0))].filter((value) => value >= 524),
    ).toEqual([]);
  });

  test("weather for a longer slot is the mean of its steps, for a shorter one the value of its step", () => {
    const ghi = Float64Array.of(0, 100, 200, 300, Number.NaN, 1, 1, 1);
    const run = { issuedAtMs: T0 - HOUR, knownAtMs: T0 - HOUR, startMs: T0, values: { ghi } };
    const quarterly = createKnownView(storeOf([], [{ name: "w", slotMinutes: 15, vintages: [run] }]), {
      nowMs: () => T0,
    });
    expect(quarterly.weatherAt("w", slotStartingAt(T0, 60))?.values).toEqual({ ghi: 150 });
    expect(quarterly.weatherAt("w", slotStartingAt(T0 + HOUR, 60))).toBeUndefined();
    const hourly = createKnownView(storeOf([], [{ name: "w", slotMinutes: 60, vintages: [run] }]), { nowMs: () => T0 });
    expect(hourly.weatherAt("w", slotStartingAt(T0 + 1.25 * HOUR, 15))?.values).toEqual({ ghi: 100 });
  });

  test("refuses names that the data do not have, and data out of order", () => {
    const late = { issuedAtMs: T0 + HOUR, knownAtMs: T0 + HOUR, startMs: T0, values: { ghi: Float64Array.of(1) } };
    const early = { ...late, issuedAtMs: T0, knownAtMs: T0 };
    const view = createKnownView(storeOf([], [{ name: "w", slotMinutes: 60, vintages: [late, early] }]), {
      nowMs: () => T0,
    });
    expect(() => view.meter("nobody")).toThrow(InvariantError);
    expect(() => view.weatherVintages("w")).toThrow(InvariantError);
  });

  test("can be asked at every step of a year", () => {
    const energyWh = new Float64Array(35_040).fill(1);
    const store = storeOf([{ name: "m", kind: "pv", slotMinutes: 15, startMs: T0, energyWh, telemetryDelayMs: 0 }]);
    const clock = { at: T0, nowMs: () => clock.at };
    const view = createKnownView(store, clock);
    let seen = 0;
    for (let step = 0; step < 35_040; step++) {
      clock.at = T0 + step * 900_000;
      seen += view.meter("m").energyWh.length;
    }
    expect(seen).toBe((35_040 * 35_039) / 2);
  });
});

describe("scrambled store", () => {
  test("changes every datum that becomes known later, and no other", () => {
    fc.assert(
      fc.property(arbStore, fc.integer({ min: -5, max: 70 }), (store, hour) => {
        const cutMs = T0 + hour * HOUR;
        const other = scrambleAfter(store, cutMs, "seed", "all");
        const series = store.meters.get("m") as MeterSeries;
        const slotMs = series.slotMinutes * 60_000;
        other.meters.get("m")?.energyWh.forEach((value, i) => {
          const known = T0 + (i + 1) * slotMs + series.telemetryDelayMs <= cutMs;
          expect(Object.is(value, series.energyWh[i])).toBe(known);
          if (!known) expect(Number.isInteger(value) && value >= 0).toBe(true);
        });
        other.tariffs.forEach((tariff, i) => {
          const known = tariff.knownAtMs <= cutMs;
          expect(tariff.retail.every((price, step) => (price === store.tariffs[i]?.retail[step]) === known)).toBe(true);
          expect(tariff.retail.every((price, step) => price > (tariff.feedIn[step] as bigint))).toBe(true);
        });
        other.weather.get("w")?.vintages.forEach((run, i) => {
          const was = store.weather.get("w")?.vintages[i];
          run.values.ghi?.forEach((value, step) => {
            expect(Object.is(value, was?.values.ghi?.[step])).toBe(run.knownAtMs <= cutMs);
          });
        });
      }),
    );
  });

  test("depends on nothing but its seed, and leaves other parts alone", () => {
    const energyWh = Float64Array.of(1, 2, 3, 4);
    const store = storeOf([{ name: "m", kind: "pv", slotMinutes: 60, startMs: T0, energyWh, telemetryDelayMs: 0 }]);
    const once = scrambleAfter(store, T0, 1, "meters").meters.get("m")?.energyWh;
    expect(scrambleAfter(store, T0, 1, "all").meters.get("m")?.energyWh).toEqual(once);
    expect(scrambleAfter(store, T0, 2, "all").meters.get("m")?.energyWh).not.toEqual(once);
    expect(scrambleAfter(store, T0, 1, "tariffs").meters).toBe(store.meters);
    expect([...energyWh]).toEqual([1, 2, 3, 4]);
  });
});
