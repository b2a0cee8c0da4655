/**
 * On measured data: the simple methods give the scores that the reference implementation had on the same slots, the
 * others do better. Looks for the data in DREAM_DATA, else beside the checkout; without them it is skipped.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { localDay, localInstantMs, slotStartingAt } from "#core";
import { createKnownView, type DataSet, type LoadOptions, loadDataSet, shippedManifest } from "#data";
import { createAutomatic } from "./automatic.ts";
import { type EvaluationRow, evaluateForecasts } from "./evaluate.ts";
import { createIntraday } from "./intraday.ts";
import { type Forecaster, MEDIAN_INDEX, type SlotForecast } from "./model.ts";
import { createForecaster } from "./named-forecasters.ts";
import { createPersistence } from "./persistence.ts";
import { meanPinball } from "./scores.ts";
import { targetOfSeries } from "./targets.ts";

const beside = (path: string): string => fileURLToPath(new URL(`../../shared/${path}`, import.meta.url));
const root = process.env["DREAM_DATA"] ?? beside("data");
const hasData = existsSync(`${root}/pvod/station01.csv`) && existsSync(`${root}/citylearn2022/Building_1.csv`);
const reference = beside("reference/forecast");
const hasReference = hasData && existsSync(`${reference}/SPLITS.json`);
if (!hasData) console.log("forecast/measured.test.ts: skipped, no measured data in DREAM_DATA or beside the checkout");

function load(set: "pvod" | "citylearn2022", series: readonly string[], more: LoadOptions = {}): DataSet {
  const loaded = loadDataSet(shippedManifest(set), { root: `${root}/${set}`, series, quality: false, ...more });
  if (!loaded.ok) throw new Error(loaded.error[0]?.problem);
  const { data } = loaded.value;
  const meters = new Map([...data.meters].map(([name, meter]) => [name, { ...meter, telemetryDelayMs: 0 }]));
  return { ...loaded.value, data: { ...data, meters } };
}

function evaluate(
  set: DataSet,
  series: string,
  model: string,
  firstDay: string,
  lastDay: string,
): readonly EvaluationRow[] {
  const { data, timeZone } = set;
  const targets = set.series.filter((one) => one.name === series).map((one) => targetOfSeries(data, one));
  const forecaster = createForecaster(model, { timeZone }) as Forecaster;
  const rows = evaluateForecasts({
    data,
    targets,
    timeZone,
    firstDay: localDay(firstDay),
    lastDay: localDay(lastDay),
    forecaster,
  });
  if (!rows.ok) throw new Error(rows.error.tag);
  return rows.value;
}

function row(rows: readonly EvaluationRow[], scope: "day" | "all"): EvaluationRow {
  return rows.find((one) => one.scope === scope) as EvaluationRow;
}

type ReferenceScores = {
  readonly nMAE: number;
  readonly nRMSE: number;
  readonly nBias: number;
  readonly pinball: number;
  readonly cov80: number | null;
};

function referenceScores(task: string, method: string, scope: "day" | "all"): ReferenceScores {
  const splits = JSON.parse(readFileSync(`${reference}/SPLITS.json`, "utf8"));
  return splits[task].metrics[method][scope];
}

describe.skipIf(!hasReference)("the same scores as the reference implementation", () => {
  const pvod = hasReference ? load("pvod", ["station01"]) : undefined;
  const homes = hasReference ? load("citylearn2022", ["home-1-load", "home-2-pv"]) : undefined;
  const windows = {
    pvod_station01: {
      set: pvod as DataSet,
      series: "station01",
      scope: "day",
      firstDay: "2018-12-01",
      lastDay: "2019-06-12",
    },
    citylearn_b1_load: {
      set: homes as DataSet,
      series: "home-1-load",
      scope: "all",
      firstDay: "2017-01-01",
      lastDay: "2017-07-30",
    },
    citylearn_b2_pv: {
      set: homes as DataSet,
      series: "home-2-pv",
      scope: "day",
      firstDay: "2017-01-01",
      lastDay: "2017-07-30",
    },
  } as const;

  test.each([
    ["pvod_station01", "persistence", "persistence"],
    ["pvod_station01", "smart-persistence", "smart_persistence"],
    ["pvod_station01", "climatology-28", "climatology28"],
    ["citylearn_b1_load", "persistence", "persistence"],
    ["citylearn_b1_load", "climatology-28", "climatology28"],
    ["citylearn_b2_pv", "persistence", "persistence"],
    ["citylearn_b2_pv", "smart-persistence", "smart_persistence"],
    ["citylearn_b2_pv", "climatology-28", "climatology28"],
  ] as const)("%s, %s", (task, model, method) => {
    const { set, series, scope, firstDay, lastDay } = windows[task];
    const ours = row(evaluate(set, series, model, firstDay, lastDay), scope);
    const theirs = referenceScores(task, method, scope);
    expect(Math.abs(ours.nMAE - theirs.nMAE)).toBeLessThan(0.02);
    expect(Math.abs(ours.nRMSE - theirs.nRMSE)).toBeLessThan(0.02);
    expect(Math.abs(ours.bias - theirs.nBias)).toBeLessThan(0.02);
    if (theirs.cov80 === null) return; // A point method there, which enters pinball with 19 equal quantiles.
    expect(Math.abs(ours.pinball - theirs.pinball)).toBeLessThan(0.02);
    expect(Math.abs(ours.coverage80 - theirs.cov80)).toBeLessThan(0.1);
  });

  test("persistence slot by slot", () => {
    const { set } = windows.citylearn_b1_load;
    const lines = gunzipSync(readFileSync(`${reference}/preds/citylearn_b1_load.csv.gz`))
      .toString("utf8")
      .split("\n")
      .slice(1, 24 * 30 + 1);
    const target = targetOfSeries(
      set.data,
      set.series.find((one) => one.name === "home-1-load") as DataSet["series"][number],
    );
    let nowMs = 0;
    const view = createKnownView(set.data, { nowMs: () => nowMs });
    const forecaster = createPersistence({ timeZone: set.timeZone });
    for (const line of lines) {
      const [stamp = "", , persistence = ""] = line.split(",");
      const startMs = Date.parse(`${stamp.replace(" ", "T")}-08:00`);
      nowMs = localInstantMs(set.timeZone, localDay(stamp.slice(0, 10)), 12) - 24 * 3_600_000;
      const [forecast] = forecaster.forecast(view, target, [slotStartingAt(startMs, 60)]);
      expect(Math.abs((forecast?.quantilesWh[MEDIAN_INDEX] ?? 0) - 1_000 * Number(persistence))).toBeLessThan(1);
    }
  });
});

describe.skipIf(!hasData)("better than the simple methods", () => {
  test("weather regression on a plant with a real weather forecast: like the reference's linear model (9.84) or better", () => {
    const rows = evaluate(load("pvod", ["station01"]), "station01", "weather-regression", "2018-12-01", "2019-06-12");
    const day = row(rows, "day");
    expect(day.nMAE).toBeLessThan(9.84);
    expect(day.pinball).toBeLessThan(3.69);
    expect(day.coverage80).toBeGreaterThan(74);
    expect(day.coverage80).toBeLessThan(86);
    expect(day.skillVsPersistence).toBeGreaterThan(0.38);
  });

  test.each([
    ["pvod", "station07", "2019-04-01", "2019-05-10", "day"],
    ["citylearn2022", "home-1-load", "2017-04-01", "2017-05-30", "all"],
    ["citylearn2022", "home-2-pv", "2017-04-01", "2017-05-30", "day"],
  ] as const)(
    "automatic on %s %s is hardly worse than the best of its parts, and holds 80 % in 70 to 90",
    (name, series, firstDay, lastDay, scope) => {
      const set = load(name, [series], { slotMinutes: 60 });
      const pinball = (model: string): number => row(evaluate(set, series, model, firstDay, lastDay), scope).pinball;
      const parts = [
        "persistence",
        "smart-persistence",
        "climatology-28",
        ...(name === "pvod" ? ["weather-regression"] : []),
      ];
      const automatic = row(evaluate(set, series, "automatic", firstDay, lastDay), scope);
      expect(automatic.pinball).toBeLessThan(1.05 * Math.min(...parts.map(pinball)));
      expect(automatic.coverage80).toBeGreaterThan(70);
      expect(automatic.coverage80).toBeLessThan(90);
    },
  );

  test.each([
    ["home-1-pv", 0.75],
    ["home-2-load", 0.95],
  ])("intraday around automatic leaves less of the loss of %s in the next hour than %d", (series, share) => {
    const set = load("citylearn2022", [series]);
    const [target] = set.series.map((one) => targetOfSeries(set.data, one));
    const meter = set.data.meters.get(series);
    if (target === undefined || meter === undefined) throw new Error("the set has the series");
    const base = createAutomatic({ timeZone: set.timeZone });
    const wrapped = createIntraday(base, { timeZone: set.timeZone });
    const losses = { base: 0, wrapped: 0 };
    let nowMs = localInstantMs(set.timeZone, localDay("2017-05-01"), 0);
    const view = createKnownView(set.data, { nowMs: () => nowMs });
    for (let hour = 0; hour < 20 * 24; hour++, nowMs += 3_600_000) {
      const slots = [slotStartingAt(nowMs, 60)];
      const actual = meter.energyWh[(nowMs - meter.startMs) / 3_600_000] ?? Number.NaN;
      losses.base += lossOf(base.forecast(view, target, slots), actual);
      losses.wrapped += lossOf(wrapped.forecast(view, target, slots), actual);
    }
    expect(losses.wrapped).toBeLessThan(share * losses.base);
  });
});

function lossOf([forecast]: readonly SlotForecast[], actual: number): number {
  return forecast === undefined ? Number.NaN : meanPinball(actual, forecast.quantilesWh);
}
