import { describe, expect, test } from "vitest";
import { localDay, slotStartingAt, zone } from "#core";
import { createKnownView } from "#data";
import { madeUpData } from "../testkit/made-up-data.ts";
import { historyUntil, pastView, readingLagMs } from "./past-view.ts";

const HOUR = 3_600_000;
const MADE_UP = {
  timeZone: zone("UTC"),
  firstDay: localDay("2019-05-01"),
  days: 10,
  slotMinutes: 60,
  seed: 1,
} as const;
const NOW = Date.parse("2019-05-08T12:00Z");

describe("a past view", () => {
  test.each([0, 10 * 60_000, HOUR, 20 * HOUR])(
    "shows the readings that were known then, %d ms late",
    (telemetryDelayMs) => {
      const { store } = madeUpData({ ...MADE_UP, telemetryDelayMs });
      const then = NOW - 50 * HOUR;
      const past = pastView(createKnownView(store, { nowMs: () => NOW }), then);
      const truly = createKnownView(store, { nowMs: () => then });
      expect(past.nowMs).toBe(then);
      expect(past.meter("pv")).toEqual(truly.meter("pv"));
      expect(past.weatherVintages("weather")).toEqual(truly.weatherVintages("weather"));
      const slot = slotStartingAt(then + HOUR, 60);
      expect(past.weatherAt("weather", slot)).toEqual(truly.weatherAt("weather", slot));
    },
  );

  test("never shows a run that was not out yet", () => {
    const { store } = madeUpData(MADE_UP);
    const view = createKnownView(store, { nowMs: () => NOW });
    const tomorrow = slotStartingAt(NOW + 20 * HOUR, 60);
    expect(view.weatherAt("weather", tomorrow)).toBeDefined();
    expect(pastView(view, NOW - HOUR).weatherAt("weather", tomorrow)).toBeUndefined();
  });

  test("shows no more than the present, whatever is asked", () => {
    const { store } = madeUpData(MADE_UP);
    const view = createKnownView(store, { nowMs: () => NOW });
    expect(pastView(view, NOW + 99 * HOUR).meter("pv")).toEqual(view.meter("pv"));
    expect(pastView(view, NOW + 99 * HOUR).nowMs).toBe(NOW);
  });

  test("between slots the delay is taken for longer than it may be, never for shorter", () => {
    const { store } = madeUpData({ ...MADE_UP, telemetryDelayMs: 10 * 60_000 });
    const history = createKnownView(store, { nowMs: () => NOW + 30 * 60_000 }).meter("pv");
    expect(readingLagMs(NOW + 30 * 60_000, history)).toBe(HOUR);
    expect(historyUntil(history, history.startMs - 1).energyWh).toHaveLength(0);
  });
});
