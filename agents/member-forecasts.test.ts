/** Forecasts of a member: surplus from production and load, and the newest forecast of each slot. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { slotAt } from "#core";
import { createKnownView, type DataStore } from "#data";
import type { Forecaster } from "#forecast";
import { evenQuantiles, ManualClock } from "#testkit";
import { MemberForecasts, surplusQuantiles } from "./member-forecasts.ts";

const arbQuantiles = fc
  .array(fc.integer({ min: 0, max: 5_000 }), { minLength: 19, maxLength: 19 })
  .map((values) => Float64Array.from(values).sort());

describe("surplus", () => {
  test("of sure numbers is their difference", () => {
    const surplus = surplusQuantiles(new Float64Array(19).fill(1_000), new Float64Array(19).fill(300));
    expect([...surplus]).toEqual(Array.from({ length: 19 }, () => 700));
  });

  test("without a load is the production, without a production the load turned round", () => {
    const quantiles = Float64Array.from(evenQuantiles(100, 1_900));
    expect(surplusQuantiles(quantiles, new Float64Array(19))).toEqual(quantiles);
    expect([...surplusQuantiles(new Float64Array(19), quantiles)]).toEqual(
      [...quantiles].map((value) => value * -1).reverse(),
    );
  });

  test("lies within the extremes, never falls, and turns round with its parts", () => {
    fc.assert(
      fc.property(arbQuantiles, arbQuantiles, (production, load) => {
        const surplus = surplusQuantiles(production, load);
        const [first, last] = [surplus[0] ?? 0, surplus[18] ?? 0];
        expect(first).toBeGreaterThanOrEqual((production[0] ?? 0) - (load[18] ?? 0));
        expect(last).toBeLessThanOrEqual((production[18] ?? 0) - (load[0] ?? 0));
        expect([...surplus]).toEqual([...surplus].sort((left, right) => left - right));
        const turned = surplusQuantiles(load, production);
        for (let index = 0; index < 19; index++)
          expect((turned[18 - index] ?? 0) + (surplus[index] ?? 0)).toBeCloseTo(0, 6);
      }),
    );
  });
});

test("the newest forecast of a slot replaces the one before, and is dropped once the slot is over", () => {
  const clock = new ManualClock(0);
  const meter = {
    kind: "pv",
    slotMinutes: 15,
    startMs: 0,
    energyWh: new Float64Array(0),
    telemetryDelayMs: 0,
  } as const;
  const store: DataStore = { meters: new Map([["pv", { name: "pv", ...meter }]]), weather: new Map(), tariffs: [] };
  const forecaster: Forecaster = {
    name: "by the clock",
    forecast: (view, _target, slots) =>
      slots.map((slot) => ({
        slot,
        issuedAtMs: view.nowMs,
        model: "by the clock",
        quantilesWh: new Float64Array(19).fill(view.nowMs / 1_000),
      })),
  };
  const forecasts = new MemberForecasts({
    forecaster,
    view: createKnownView(store, clock),
    production: { series: "pv", kind: "pv", capacityWh: 10_000 },
    load: undefined,
  });
  const slot = slotAt(86_400_000, 15);
  expect(forecasts.get(slot.id)).toBeUndefined();
  clock.moveTo(1_000_000);
  forecasts.update([slot]);
  clock.moveTo(2_000_000);
  forecasts.update([slot]);
  expect(forecasts.get(slot.id)).toMatchObject({ slotId: slot.id, issuedAtMs: 2_000_000 });
  expect(forecasts.get(slot.id)?.surplusWh[9]).toBe(2_000);
  expect(forecasts.get(slot.id)?.loadWh[9]).toBe(0);
  forecasts.forget([slot.id]);
  expect(forecasts.get(slot.id)).toBeUndefined();
});
