/** Scores of the forecasts that agents used: against the meters' truth, plants by day only, and beside persistence. */
import { describe, expect, test } from "vitest";
import { type Slot, slotAt } from "#core";
import { createKnownView, type DataStore } from "#data";
import type { ForecastTarget } from "#forecast";
import type { MemberForecast } from "#strategies";
import { ManualClock } from "#testkit";
import { ForecastScores } from "./forecast-scores.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Two days of hourly readings: 100 Wh by day and 0 at night on the first, 200 Wh by day on the second. */
const READINGS = Array.from({ length: 48 }, (_, hour) =>
  hour % 24 < 6 || hour % 24 >= 18 ? 0 : hour < 24 ? 100 : 200,
);
const SLOTS: readonly Slot[] = Array.from({ length: 24 }, (_, hour) => slotAt(DAY + hour * HOUR, 60));
const PLANT: ForecastTarget = { series: "pv", kind: "pv", capacityWh: 400 };

function storeOf(kind: "pv" | "load"): DataStore {
  const meter = {
    name: "pv",
    kind,
    slotMinutes: 60,
    startMs: 0,
    energyWh: Float64Array.from(READINGS),
    telemetryDelayMs: 0,
  } as const;
  return { meters: new Map([["pv", meter]]), weather: new Map(), tariffs: [] };
}

function forecastOf(slot: Slot, productionWh: Float64Array): MemberForecast {
  return { slotId: slot.id, issuedAtMs: DAY, productionWh, loadWh: productionWh, surplusWh: productionWh };
}

/** Nineteen quantiles from `low` to `high` in even steps. */
function spread(low: number, high: number): Float64Array {
  return Float64Array.from({ length: 19 }, (_, index) => low + ((high - low) * index) / 18);
}

function scored(kind: "pv" | "load", quantiles: (slot: Slot) => Float64Array): ForecastScores {
  const store = storeOf(kind);
  const scores = new ForecastScores(store);
  const target = { ...PLANT, kind };
  const targets = kind === "pv" ? { production: target, load: undefined } : { production: undefined, load: target };
  const forecasts = SLOTS.map((slot) => forecastOf(slot, quantiles(slot)));
  scores.addForecasts(targets, forecasts, createKnownView(store, new ManualClock(DAY)), SLOTS);
  return scores;
}

const isDay = (slot: Slot): boolean => (slot.startMs / HOUR) % 24 >= 6 && (slot.startMs / HOUR) % 24 < 18;

describe("a plant", () => {
  test("is scored where it or its forecast gave anything, in per cent of its capacity, beside yesterday's readings", () => {
    const scores = scored("pv", (slot) => (isDay(slot) ? spread(150, 150) : spread(0, 0)));
    // Off by 50 Wh of 400 in each of the twelve hours of daylight; yesterday's readings are off by 100.
    expect(scores.reports()).toEqual([
      expect.objectContaining({ name: "pv", kind: "pv", n: 12, coverage80: 0, nMAE: 12.5, skillVsPersistence: 50 }),
    ]);
  });

  test("a forecast of sun at night counts", () => {
    const [report] = scored("pv", () => spread(0, 300)).reports();
    expect(report?.n).toBe(24);
  });

  test("covered readings are counted", () => {
    const [report] = scored("pv", (slot) => (isDay(slot) ? spread(100, 300) : spread(0, 0))).reports();
    expect(report).toMatchObject({ n: 12, coverage80: 100 });
  });

  test("the community's production sums the quantiles of its plants", () => {
    const scores = scored("pv", () => spread(0, 180));
    const [slot] = SLOTS;
    expect(scores.productionAt(slot?.id as Slot["id"])).toEqual({ q10: 10, q50: 90, q90: 170 });
    expect(scores.productionAt(slotAt(9 * DAY, 60).id)).toEqual({ q10: 0, q50: 0, q90: 0 });
  });
});

test("a load is scored at all hours, in per cent of its mean", () => {
  const [report] = scored("load", (slot) => (isDay(slot) ? spread(200, 200) : spread(50, 50))).reports();
  // Its mean is 100 Wh: half of the hours are met, half are off by 50.
  expect(report).toMatchObject({ kind: "load", n: 24, nMAE: 25 });
});

test("without a reading of yesterday there is nothing to compare with", () => {
  const store = storeOf("pv");
  const scores = new ForecastScores(store);
  const forecasts = SLOTS.map((slot) => forecastOf(slot, spread(1, 2)));
  scores.addForecasts(
    { production: PLANT, load: undefined },
    forecasts,
    createKnownView(store, new ManualClock(0)),
    SLOTS,
  );
  expect(scores.reports()[0]?.skillVsPersistence).toBeNull();
});
