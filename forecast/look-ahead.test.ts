import { describe, expect, test } from "vitest";
import { localDay, localInstantMs, slotStartingAt, zone } from "#core";
import { createKnownView, type DataStore, scrambleAfter } from "#data";
import { madeUpData } from "../testkit/made-up-data.ts";
import { createAutomatic } from "./automatic.ts";
import { createIntraday } from "./intraday.ts";
import type { Forecaster, ForecastTarget, SlotForecast } from "./model.ts";
import { createForecaster, FORECASTER_NAMES } from "./named-forecasters.ts";

const BELGRADE = zone("Europe/Belgrade");
const HOUR = 3_600_000;
const made = madeUpData({
  timeZone: BELGRADE,
  firstDay: localDay("2019-03-01"),
  days: 38,
  slotMinutes: 60,
  seed: 11,
  telemetryDelayMs: 10 * 60_000,
});
/** At the noon issue, just before and after it, at night, on the hour and off it, with long and short history. */
const instants = [
  localInstantMs(BELGRADE, localDay("2019-03-02"), 9),
  localInstantMs(BELGRADE, localDay("2019-04-01"), 0),
  localInstantMs(BELGRADE, localDay("2019-04-06"), 11, 59),
  localInstantMs(BELGRADE, localDay("2019-04-06"), 12),
  localInstantMs(BELGRADE, localDay("2019-04-06"), 17, 20),
];
const makers: readonly (readonly [string, () => Forecaster])[] = [
  ...FORECASTER_NAMES.map(
    (name) => [name, () => createForecaster(name, { timeZone: BELGRADE }) as Forecaster] as const,
  ),
  ["intraday", () => createIntraday(createAutomatic({ timeZone: BELGRADE }), { timeZone: BELGRADE })],
];

function forecastsAt(forecaster: Forecaster, store: DataStore, nowMs: number): readonly SlotForecast[] {
  const view = createKnownView(store, { nowMs: () => nowMs });
  const first = Math.ceil(nowMs / HOUR) * HOUR;
  const slots = Array.from({ length: 36 }, (_, index) => slotStartingAt(first + index * HOUR, 60));
  const targets: readonly ForecastTarget[] = [made.pv, made.load];
  return targets.flatMap((target) => forecaster.forecast(view, target, slots));
}

describe.each(makers)("%s", (_, make) => {
  test("forecasts the same, bit by bit, when all that becomes known later is garbage", () => {
    for (const nowMs of instants) {
      const scrambled = scrambleAfter(made.store, nowMs, "garbage", "all");
      expect(forecastsAt(make(), scrambled, nowMs)).toEqual(forecastsAt(make(), made.store, nowMs));
    }
  });

  test("forecasts the same whatever it was asked before: its cache holds nothing of the future or of other data", () => {
    const asked = make();
    for (const nowMs of instants) forecastsAt(asked, made.store, nowMs); // Now it has seen the true future.
    for (const nowMs of instants.toReversed()) {
      const expected = forecastsAt(make(), made.store, nowMs);
      expect(forecastsAt(asked, scrambleAfter(made.store, nowMs, "other garbage", "all"), nowMs)).toEqual(expected);
      expect(forecastsAt(asked, made.store, nowMs)).toEqual(expected);
    }
  });
});

test("the test would notice: scrambling what is known changes each model's forecast", () => {
  const nowMs = instants[3] as number;
  const scrambled = scrambleAfter(made.store, nowMs - 30 * HOUR, "garbage", "all");
  for (const [, make] of makers) {
    expect(forecastsAt(make(), scrambled, nowMs)).not.toEqual(forecastsAt(make(), made.store, nowMs));
  }
});
