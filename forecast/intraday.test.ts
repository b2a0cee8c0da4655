import { describe, expect, test } from "vitest";
import { localDay, localInstantMs, seededPrng, slotStartingAt, zone } from "#core";
import { createKnownView, type MeterSeries } from "#data";
import { madeUpData } from "../testkit/made-up-data.ts";
import { createAutomatic } from "./automatic.ts";
import { LEAD_HOURS_MAX, learnFading, recentSurprise } from "./fading.ts";
import { createIntraday } from "./intraday.ts";
import { meanPinball } from "./scores.ts";

const UTC = zone("UTC");
const HOUR = 3_600_000;

describe("fading", () => {
  /** Surprises that keep `memory` of themselves from hour to hour. */
  function surprises(memory: number, count: number): Float64Array {
    const prng = seededPrng(5, `fading ${memory}`);
    let last = 0;
    return Float64Array.from({ length: count }, () => {
      last = memory * last + Math.sqrt(1 - memory * memory) * prng.nextNormal();
      return last;
    });
  }

  test("of lasting surprises falls with lead time, and the spread grows back", () => {
    const { share, spread } = learnFading(surprises(0.9, 2_000), 24);
    expect(share[0]).toBeGreaterThan(0.75);
    for (let hours = 2; hours <= LEAD_HOURS_MAX; hours++) {
      expect(share[hours - 1]).toBeLessThan(share[hours - 2] ?? 0);
      expect(spread[hours - 1]).toBeGreaterThan(spread[hours - 2] ?? 1);
    }
    expect(share[0]).toBeLessThan(1);
  });

  test("of surprises without memory is at once", () => {
    const { share, spread } = learnFading(surprises(0, 2_000), 24);
    expect(Math.max(...share)).toBeLessThan(0.1);
    expect(Math.min(...spread)).toBeGreaterThan(0.95);
  });

  test("is not believed in on little evidence", () => {
    expect(learnFading(surprises(0.9, 24), 24).share[0]).toBeLessThan(0.5);
    expect([...learnFading(new Float64Array(0), 24).share]).toEqual(new Array(LEAD_HOURS_MAX).fill(0));
  });

  test("weighs each hour back by half, and skips what is unknown", () => {
    expect(recentSurprise(Float64Array.of(9, 4, 2, 1), 3, 24)).toBeCloseTo((1 + 2 / 2 + 4 / 4) / 1.75, 12);
    expect(recentSurprise(Float64Array.of(3, Number.NaN), 1, 24)).toBe(3);
    expect(recentSurprise(Float64Array.of(3, Number.NaN, Number.NaN, Number.NaN), 3, 24)).toBeUndefined();
  });
});

describe("intraday", () => {
  const made = madeUpData({ timeZone: UTC, firstDay: localDay("2019-04-01"), days: 62, slotMinutes: 60, seed: 21 });
  const series = made.store.meters.get("pv") as MeterSeries;

  /** Pinball losses of base and wrapped forecasts at noon of 20 days, by hours of lead. */
  function losses(leadHours: number): { readonly base: number; readonly wrapped: number } {
    const base = createAutomatic({ timeZone: UTC });
    const wrapped = createIntraday(base, { timeZone: UTC });
    const sums = { base: 0, wrapped: 0 };
    for (let day = 0; day < 20; day++) {
      const nowMs = localInstantMs(UTC, localDay("2019-05-01"), 10) + day * 24 * HOUR;
      const view = createKnownView(made.store, { nowMs: () => nowMs });
      const slots = [slotStartingAt(nowMs + (leadHours - 1) * HOUR, 60)];
      const actual = series.energyWh[((slots[0]?.startMs ?? 0) - series.startMs) / HOUR] ?? Number.NaN;
      sums.base += meanPinball(actual, base.forecast(view, made.pv, slots)[0]?.quantilesWh ?? new Float64Array(19));
      sums.wrapped += meanPinball(
        actual,
        wrapped.forecast(view, made.pv, slots)[0]?.quantilesWh ?? new Float64Array(19),
      );
    }
    return sums;
  }

  test("saves a fifth of the loss in the next hour", () => {
    const { base, wrapped } = losses(1);
    expect(wrapped).toBeLessThan(0.8 * base);
  });

  test("leaves what is further than eight hours away as it was", () => {
    const { base, wrapped } = losses(30);
    expect(wrapped).toBe(base);
  });
});
