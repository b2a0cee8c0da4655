import { describe, expect, test } from "vitest";
import { localDay, localMidnightMs, zone } from "#core";
import type { DataStore, MeterSeries } from "#data";
import { madeUpData } from "../testkit/made-up-data.ts";
import { createClimatology } from "./climatology.ts";
import { type EvaluationRequest, evaluateForecasts } from "./evaluate.ts";
import { createPersistence } from "./persistence.ts";

const UTC = zone("UTC");

/** Hourly readings from 1 May 2019 on. */
function storeOf(kind: MeterSeries["kind"], energyWh: readonly number[]): DataStore {
  const startMs = localMidnightMs(UTC, localDay("2019-05-01"));
  const series: MeterSeries = {
    name: kind,
    kind,
    slotMinutes: 60,
    startMs,
    energyWh: Float64Array.from(energyWh),
    telemetryDelayMs: 0,
  };
  return { meters: new Map([[kind, series]]), weather: new Map(), tariffs: [] };
}

function request(data: DataStore, kind: MeterSeries["kind"], more: Partial<EvaluationRequest> = {}): EvaluationRequest {
  return {
    data,
    targets: [{ series: kind, kind, capacityWh: 1_000 }],
    timeZone: UTC,
    firstDay: localDay("2019-05-11"),
    lastDay: localDay("2019-05-12"),
    forecaster: createPersistence({ timeZone: UTC }),
    ...more,
  };
}

describe("evaluation, worked by hand", () => {
  test("of a load that grows by 100 a day", () => {
    // 100 × day in each hour. Made at noon: mornings are short by 100, afternoons by 200. Days 11 and 12 have index 10 and 11.
    const data = storeOf(
      "load",
      Array.from({ length: 15 * 24 }, (_, index) => 100 * Math.floor(index / 24)),
    );
    const rows = evaluateForecasts(request(data, "load"));
    if (!rows.ok) throw new Error(rows.error.tag);
    const mean = (1_000 + 1_100) / 2;
    expect(rows.value).toHaveLength(1);
    expect(rows.value[0]).toMatchObject({
      name: "load",
      model: "persistence",
      scope: "all",
      n: 48,
      skillVsPersistence: 0,
      trainSeconds: 0,
    });
    expect(rows.value[0]?.nMAE).toBeCloseTo((100 * 150) / mean, 9);
    expect(rows.value[0]?.bias).toBeCloseTo((-100 * 150) / mean, 9);
    expect(rows.value[0]?.nRMSE).toBeCloseTo((100 * Math.sqrt((100 ** 2 + 200 ** 2) / 2)) / mean, 9);
  });

  test("of PV: daylight and all slots, in per cent of the capacity; readings that are missing don't count", () => {
    // 500 Wh from 6 to 18 hours on even days, 300 on odd ones; nothing at night; one reading of day 11 is missing.
    const energy: number[] = Array.from({ length: 15 * 24 }, (_, index) =>
      index % 24 >= 6 && index % 24 < 18 ? (Math.floor(index / 24) % 2 === 0 ? 500 : 300) : 0,
    );
    energy[10 * 24 + 8] = Number.NaN;
    const rows = evaluateForecasts(request(storeOf("pv", energy), "pv"));
    if (!rows.ok) throw new Error(rows.error.tag);
    const [day, all] = rows.value;
    expect([day?.scope, day?.n, all?.scope, all?.n]).toEqual(["day", 23, "all", 47]);
    // Mornings are forecast from the day before (wrong by 200), afternoons from two days before (right). Day 12's 8 o'clock rests on
    // the missing reading, so on the mean of ten days without it: five of 500, five of 300 less none: (5 × 500 + 5 × 300) / 10 = 400.
    expect(day?.nMAE).toBeCloseTo((100 * (10 * 200 + 100)) / 23 / 1_000, 9);
    expect(all?.nMAE).toBeCloseTo((100 * (10 * 200 + 100)) / 47 / 1_000, 9);
  });

  test("skill compares with plain persistence", () => {
    const data = storeOf(
      "load",
      Array.from({ length: 15 * 24 }, (_, index) => 100 * (Math.floor(index / 24) % 2)),
    );
    const rows = evaluateForecasts(request(data, "load", { forecaster: createClimatology({ timeZone: UTC }) }));
    if (!rows.ok) throw new Error(rows.error.tag);
    // The mean of alternating 0 and 100 misses by about 50, persistence misses half of the slots by 100.
    expect(rows.value[0]?.skillVsPersistence).toBeCloseTo(1 - 50 / Math.sqrt(100 ** 2 / 2), 1);
  });

  test("time is that of the clock it is given", () => {
    let nowMs = 0;
    const clock = { nowMs: () => (nowMs += 250) };
    const rows = evaluateForecasts(request(storeOf("load", new Array(15 * 24).fill(1)), "load", { clock }));
    expect(rows.ok && rows.value[0]?.trainSeconds).toBe(0.5); // two days, 250 ms each
  });

  test("slots without a weather forecast are left out where the target has weather", () => {
    const made = madeUpData({ timeZone: UTC, firstDay: localDay("2019-05-01"), days: 15, slotMinutes: 60, seed: 2 });
    const weather = made.store.weather.get("weather");
    if (weather === undefined) throw new Error("made-up data have weather");
    const vintages = weather.vintages.filter((_, day) => day !== 10); // none for 11 May
    const data = { ...made.store, weather: new Map([["weather", { ...weather, vintages }]]) };
    const rows = evaluateForecasts(request(data, "pv", { targets: [made.pv] }));
    expect(rows.ok && rows.value.find((row) => row.scope === "all")?.n).toBe(24);
  });
});

describe("what can't be evaluated is refused", () => {
  const data = storeOf("load", new Array(15 * 24).fill(1));

  test.each([
    ["series_unknown", request(data, "load", { targets: [{ series: "other", kind: "load", capacityWh: 1 }] })],
    ["days_out_of_order", request(data, "load", { firstDay: localDay("2019-05-13") })],
    ["too_many_days", request(data, "load", { lastDay: localDay("2039-05-13") })],
    [
      "capacity_missing",
      request(storeOf("pv", [1]), "pv", {
        targets: [{ series: "pv", kind: "pv", capacityWh: Number.POSITIVE_INFINITY }],
      }),
    ],
    ["nothing_to_score", request(data, "load", { firstDay: localDay("2019-06-13"), lastDay: localDay("2019-06-14") })],
  ])("%s", (tag, bad) => {
    const rows = evaluateForecasts(bad);
    expect(rows.ok ? "scored" : rows.error.tag).toBe(tag);
  });
});
