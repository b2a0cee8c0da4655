import { describe, expect, test } from "vitest";
import { localDay, zone } from "#core";
import type { DataSet, MeterSeries } from "#data";
import { type ForecastEvaluateOptions, forecastEvaluate } from "./forecast.ts";

const UTC = zone("UTC");
const clock = { nowMs: () => 0 };

/** A set with a load and a PV plant of 20 days from 1 May 2019 on. */
function set(more: Partial<DataSet> = {}): DataSet {
  const startMs = Date.parse("2019-05-01T00:00Z");
  const meter = (name: string, kind: "pv" | "load", energyWh: Float64Array): MeterSeries => ({
    name,
    kind,
    slotMinutes: 60,
    startMs,
    energyWh,
    telemetryDelayMs: 0,
  });
  const load = Float64Array.from(
    { length: 20 * 24 },
    (_, index) => 100 + (index % 24) + 10 * (Math.floor(index / 24) % 3),
  );
  const pv = Float64Array.from({ length: 20 * 24 }, (_, index) =>
    Math.max(0, 1_000 * Math.sin(((index % 24) - 6) * (Math.PI / 12))),
  );
  return {
    name: "village",
    licence: "CC0-1.0",
    source: "made up",
    timeZone: UTC,
    series: [
      { name: "home", kind: "load", slotMinutes: 60 },
      { name: "roof", kind: "pv", slotMinutes: 60, capacityKw: 2 },
    ],
    data: {
      meters: new Map([
        ["home", meter("home", "load", load)],
        ["roof", meter("roof", "pv", pv)],
      ]),
      weather: new Map(),
      tariffs: [],
    },
    prices: new Map(),
    warnings: [],
    ...more,
  };
}

const options = (more: Partial<ForecastEvaluateOptions> = {}): ForecastEvaluateOptions => ({
  series: [],
  json: true,
  ...more,
});

describe("dream forecast evaluate", () => {
  test("--json prints rows with the documented fields", () => {
    const printed = forecastEvaluate(set(), options({ testFrom: "2019-05-15", testTo: "2019-05-18" }), clock);
    const { series } = JSON.parse(printed.ok ? printed.value : printed.error.message);
    expect(series.map((row: { name: string; scope: string }) => `${row.name} ${row.scope}`)).toEqual([
      "home all",
      "roof day",
      "roof all",
    ]);
    for (const row of series) {
      expect(Object.keys(row)).toEqual(
        expect.arrayContaining([
          "name",
          "scope",
          "n",
          "nMAE",
          "nRMSE",
          "bias",
          "pinball",
          "coverage80",
          "skillVsPersistence",
          "trainSeconds",
        ]),
      );
    }
    expect(series[0].n).toBe(4 * 24);
    expect(series[2].nMAE).toBeCloseTo(0, 6); // the sun repeats itself
  });

  test("a chosen series and model; without --json a table that says what it shows", () => {
    const printed = forecastEvaluate(
      set(),
      options({ series: ["home"], model: "persistence", json: false, testFrom: "2019-05-15" }),
      clock,
    );
    if (!printed.ok) throw new Error(printed.error.message);
    expect(printed.value).toContain("persistence, 2019-05-15 to 2019-05-20");
    expect(printed.value).toContain("home");
    expect(printed.value).not.toContain("roof");
  });

  test("without days the last 60 are scored, as far as there are data", () => {
    const printed = forecastEvaluate(set(), options({ series: ["home"] }), clock);
    const { series } = JSON.parse(printed.ok ? printed.value : "{}");
    expect(series[0].n).toBeGreaterThan(17 * 24);
    expect(localDay("2019-05-20")).toBe("2019-05-20");
  });

  const noCapacity = set({ series: [{ name: "roof", kind: "pv", slotMinutes: 60 }] });
  test.each([
    ["--series: village has no barn: name one of home, roof", set(), options({ series: ["barn"] })],
    ['--test-from must be a day such as 2019-05-01, was "yesterday"', set(), options({ testFrom: "yesterday" })],
    ["--test-to must be a day", set(), options({ testTo: "2019-02-30" })],
    [
      "--test-to 2019-05-02 is before --test-from 2019-05-09",
      set(),
      options({ testFrom: "2019-05-09", testTo: "2019-05-02" }),
    ],
    ["--model must be one of automatic, climatology-28", set(), options({ model: "oracle" })],
    ["add capacityKw to its manifest", noCapacity, options()],
    ["has nothing to score from 2020-01-01", set(), options({ testFrom: "2020-01-01", testTo: "2020-01-09" })],
    ["has no energy series", set({ series: [] }), options()],
  ])("refuses with exit code 4: %s", (message, data, bad) => {
    const printed = forecastEvaluate(data, bad, clock);
    expect(printed.ok).toBe(false);
    if (printed.ok) return;
    expect(printed.error.exitCode).toBe(4);
    expect(printed.error.message).toContain(message);
  });
});
