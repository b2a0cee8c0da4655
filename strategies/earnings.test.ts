/** Do the rules earn what their derivations say? Months of slots against calibrated forecasts, settled as the market settles. */

import { describe, expect, test } from "vitest";
import { localDay, micros, microsPerKwh, type Prng, type SlotId, seededPrng, slotStartingAt, wattHours } from "#core";
import { loadFollower, newsvendorProsumer, type Strategy, storageArbitrage } from "#strategies";
import { evenQuantiles, fakeContextFor, StrategyStage } from "#testkit";

const MORNING = Date.parse("2031-06-10T12:00:00Z");
const DAY = 86_400_000;
const day = localDay("2031-06-11");

/** Even over `[middle - 500, middle + 500]` the day before, over a fifth of that at the gate, always around the truth's own place in it. */
function draw(
  prng: Prng,
  middle: number,
): { readonly truth: number; readonly dayAhead: readonly number[]; readonly gate: readonly number[] } {
  const truth = middle - 500 + 1_000 * prng.nextFloat();
  const gateStart = truth - 200 * prng.nextFloat();
  return {
    truth,
    dayAhead: evenQuantiles(middle - 450, middle + 450),
    gate: evenQuantiles(gateStart + 10, gateStart + 190),
  };
}

/** Net money in micros over `slots` slots of one hour of the day, in a pool that takes `share` of what is offered or ordered at `price`. */
function earn(
  strategy: Strategy<never, never> | Strategy,
  config: Readonly<Record<string, unknown>>,
  middle: number,
  price: number,
  share: number,
  slots = 200,
): number {
  const ctx = fakeContextFor(strategy as Strategy, config);
  const stage = new StrategyStage(strategy as Strategy, ctx);
  const prng = seededPrng(7, "earnings");
  ctx.freeFunds = micros(1_000_000_000n);
  for (let index = 0; index < slots; index++) {
    ctx.nowMs = MORNING + index * DAY;
    const slotId: SlotId = slotStartingAt(ctx.nowMs + DAY, 15).id;
    const { truth, dayAhead, gate } = draw(prng, middle);
    ctx.forecastSurplus(slotId, dayAhead);
    stage.forecast(day, [slotId]);
    stage.poolRound(slotId, microsPerKwh(price), share);
    ctx.nowMs += DAY - 600_000;
    ctx.forecastSurplus(slotId, gate);
    stage.gate(slotId);
    stage.poolRound(slotId, microsPerKwh(price), share);
    stage.deliver(slotId, wattHours(Math.max(0, Math.round(truth))), wattHours(Math.max(0, Math.round(-truth))));
  }
  expect(stage.violations).toEqual([]);
  return Number(ctx.freeFunds - 1_000_000_000n);
}

describe("newsvendor-prosumer", () => {
  const earned = (config: Readonly<Record<string, unknown>>, price = 180_000, share = 0.9): number =>
    earn(newsvendorProsumer as Strategy, config, 600, price, share);
  const fedIn = earned({ saleChancePriorPercent: 0, saleChancePriorWeightSlots: 1e9 }); // Expects no sale, so it never promises.
  const usual = earned({});

  test("earns more than feeding everything in", () => {
    expect(fedIn).toBeGreaterThan(0);
    expect(usual).toBeGreaterThan(1.2 * fedIn);
  });

  test("earns more at its own level than far below or above it", () => {
    for (const penaltyWeightPercent of [25, 600]) expect(usual).toBeGreaterThan(earned({ penaltyWeightPercent }));
  });

  test("does not lose to speak of where nothing sells: it learns that and stops", () => {
    expect(earned({}, 180_000, 0)).toBeGreaterThan(0.85 * fedIn);
  });
});

describe("load-follower", () => {
  const spent = (config: Readonly<Record<string, unknown>>, price: number, share = 0.9): number =>
    -earn(loadFollower as Strategy, config, -600, price, share);
  const atRetail = spent({}, 1_000_000); // Above its limit: it buys nothing in the pool.

  test("pays less than retail", () => {
    expect(spent({}, 150_000)).toBeLessThan(0.75 * atRetail);
    expect(spent({}, 280_000)).toBeLessThan(atRetail);
  });

  test("without a trade it pays what it would have paid", () => {
    expect(spent({}, 150_000, 0)).toBe(atRetail);
  });
});

test("storage-arbitrage spends less than a battery that serves its home alone", () => {
  expect(twoTariffHome(storageArbitrage as Strategy)).toBeGreaterThan(
    twoTariffHome(newsvendorProsumer as Strategy) + 60 * 100_000,
  );
});

/** 60 days of a home without panels: retail 0.10 at 2 o'clock, 0.40 at 19 o'clock, 1.5 kWh needed then; an empty pool. Net money in micros. */
function twoTariffHome(strategy: Strategy): number {
  const ctx = fakeContextFor(strategy);
  const stage = new StrategyStage(strategy, ctx);
  const battery = { capacityWh: 3_000, powerW: 2_000, roundTripEfficiency: 0.9 };
  const oneWay = Math.sqrt(battery.roundTripEfficiency);
  let storedWh = 0;
  ctx.rules = { ...ctx.rules, slotMinutes: 60 };
  ctx.freeFunds = micros(1_000_000_000n);
  const planned = new Map<SlotId, number>();
  const remember = (intents: ReturnType<typeof stage.gate>): void => {
    for (const intent of intents) if (intent.tag === "charge-battery") planned.set(intent.slotId, intent.energyWh);
  };
  for (let index = 0; index < 60; index++) {
    const noonMs = MORNING + index * DAY;
    const slots = [2, 19].map((hour) => slotStartingAt(noonMs + (12 + hour) * 3_600_000, 60));
    const needs = [0, -1_500];
    ctx.nowMs = noonMs;
    ctx.batteryState = { ...battery, storedWh };
    slots.forEach(({ id }, at) => {
      ctx.tariffs.set(id, { feedIn: microsPerKwh(60_000), retail: microsPerKwh(at === 0 ? 100_000 : 400_000) });
      ctx.forecastSurplus(id, evenQuantiles((needs[at] ?? 0) - 50, (needs[at] ?? 0) + 50));
    });
    remember(
      stage.forecast(
        day,
        slots.map(({ id }) => id),
      ),
    );
    remember(
      stage.poolsCleared(
        day,
        slots.map(({ id }) => id),
      ),
    );
    slots.forEach(({ id, startMs }, at) => {
      ctx.nowMs = startMs - 600_000;
      ctx.batteryState = { ...battery, storedWh };
      remember(stage.gate(id));
      const wanted = planned.get(id) ?? needs[at] ?? 0;
      const charge = Math.max(
        -Math.min(2_000, storedWh * oneWay),
        Math.min(2_000, (battery.capacityWh - storedWh) / oneWay, wanted),
      );
      storedWh += charge >= 0 ? charge * oneWay : charge / oneWay;
      const net = Math.round((needs[at] ?? 0) - charge);
      stage.deliver(id, wattHours(Math.max(0, net)), wattHours(Math.max(0, -net)));
    });
  }
  expect(stage.violations).toEqual([]);
  return Number(ctx.freeFunds - 1_000_000_000n);
}
