import { describe, expect, test } from "vitest";
import { localDay, localMidnightMs, offsetMinutesAt, zone } from "#core";
import { gridOf, LocalCalendar, latestSameSlot, readingAt, resampleHistory } from "./local-grid.ts";
import { ZoneOffsets } from "./zone-offsets.ts";

const BELGRADE = zone("Europe/Belgrade");
const HOUR = 3_600_000;

/** Hours of a history from local midnight of `day` on, each holding the hour that the local clock shows. */
function clockHistory(day: string, hours: number): { startMs: number; slotMinutes: 60; energyWh: Float64Array } {
  const startMs = localMidnightMs(BELGRADE, localDay(day));
  const hourAt = (atMs: number): number =>
    Number(new Date(atMs).toLocaleString("en-GB", { timeZone: "Europe/Belgrade", hour: "2-digit", hourCycle: "h23" }));
  return {
    startMs,
    slotMinutes: 60,
    energyWh: Float64Array.from({ length: hours }, (_, index) => hourAt(startMs + index * HOUR)),
  };
}

describe("a grid by local clock", () => {
  test.each([
    ["an ordinary week", "2019-05-01", 7 * 24],
    ["the day of 23 hours", "2019-03-29", 5 * 24 - 1],
    ["the day of 25 hours", "2019-10-25", 5 * 24 + 1],
  ])("keeps clock hours through %s", (_, day, hours) => {
    const calendar = new LocalCalendar(BELGRADE, 60);
    const grid = gridOf(clockHistory(day, hours), calendar, 400);
    grid.values.forEach((value, index) => {
      if (!Number.isNaN(value)) expect(value).toBe(index % 24);
    });
    const missing = grid.values.filter(Number.isNaN).length;
    expect(missing).toBe(day === "2019-03-29" ? 1 : 0);
  });

  test("averages the hour that autumn repeats", () => {
    const startMs = localMidnightMs(BELGRADE, localDay("2019-10-27"));
    const energyWh = Float64Array.of(0, 1, 10, 30, 3); // 00:00, 01:00, 02:00 summer time, 02:00 winter time, 03:00
    const grid = gridOf({ startMs, slotMinutes: 60, energyWh }, new LocalCalendar(BELGRADE, 60), 400);
    expect([...grid.values.slice(0, 4)]).toEqual([0, 1, 20, 3]);
  });

  test("knows the newest same slot, and nothing after the last reading", () => {
    const calendar = new LocalCalendar(BELGRADE, 60);
    const history = clockHistory("2019-05-01", 36); // until noon of the second day
    const grid = gridOf(history, calendar, 400);
    const tomorrow = calendar.cellAt(localMidnightMs(BELGRADE, localDay("2019-05-03")));
    expect(latestSameSlot(grid, tomorrow + 11)).toBe(tomorrow + 11 - 24); // 11:00 of today is known
    expect(latestSameSlot(grid, tomorrow + 12)).toBe(tomorrow + 12 - 48); // noon only of yesterday
    expect(readingAt(grid, tomorrow + 12 - 24)).toBeNaN();
  });

  test("drops days before those asked for", () => {
    const grid = gridOf(clockHistory("2019-05-01", 10 * 24), new LocalCalendar(BELGRADE, 60), 3);
    expect(grid.values).toHaveLength(4 * 24);
  });

  test("of an empty history is empty", () => {
    const grid = gridOf(
      { startMs: 0, slotMinutes: 60, energyWh: new Float64Array(0) },
      new LocalCalendar(BELGRADE, 60),
      9,
    );
    expect(grid.values).toHaveLength(0);
    expect(readingAt(grid, 5)).toBeNaN();
  });
});

describe("a calendar", () => {
  test.each([15, 30, 60] as const)("gives back the start of each cell, slots of %d minutes", (minutes) => {
    const calendar = new LocalCalendar(BELGRADE, minutes);
    const startMs = localMidnightMs(BELGRADE, localDay("2019-05-01"));
    for (let atMs = startMs; atMs < startMs + 48 * HOUR; atMs += minutes * 60_000) {
      expect(calendar.startMsOf(calendar.cellAt(atMs))).toBe(atMs);
    }
  });

  test.each([
    ["2019-03-31", 23],
    ["2019-10-27", 25],
    ["2019-05-01", 24],
  ])("lists the slots of %s: %d hours", (day, hours) => {
    const calendar = new LocalCalendar(BELGRADE, 15);
    const slots = calendar.slotsOf(calendar.dayOf(calendar.cellAt(localMidnightMs(BELGRADE, localDay(day)))));
    expect(slots).toHaveLength(hours * 4);
    expect(slots[0]?.startMs).toBe(localMidnightMs(BELGRADE, localDay(day)));
  });

  test("tells weekends", () => {
    const calendar = new LocalCalendar(zone("UTC"), 60);
    const dayOf = (text: string): number => calendar.dayOf(calendar.cellAt(Date.parse(`${text}T00:00Z`)));
    expect(
      ["2019-05-03", "2019-05-04", "2019-05-05", "2019-05-06"].map((day) => calendar.isWeekend(dayOf(day))),
    ).toEqual([false, true, true, false]);
  });
});

test("offsets are those of the runtime, also on the days of the change", () => {
  for (const name of ["Europe/Belgrade", "Australia/Lord_Howe", "+05:30", "UTC"]) {
    const offsets = new ZoneOffsets(zone(name));
    for (const day of ["2019-03-30", "2019-03-31", "2019-10-27", "2019-04-06", "2019-10-05"]) {
      const startMs = Date.parse(`${day}T00:00Z`);
      for (let atMs = startMs; atMs < startMs + 24 * HOUR; atMs += 450_000) {
        expect(offsets.atMs(atMs)).toBe(offsetMinutesAt(zone(name), atMs) * 60_000);
      }
    }
  }
});

describe("resampling", () => {
  const quarters = {
    startMs: 15 * 60_000,
    slotMinutes: 15 as const,
    energyWh: Float64Array.of(9, 9, 9, 1, 2, 3, 4, 5, Number.NaN, 7, 8, 6),
  };

  test("sums up whole hours only, and a missing part makes the hour missing", () => {
    expect(resampleHistory(quarters, 60)).toEqual({
      startMs: HOUR,
      slotMinutes: 60,
      energyWh: Float64Array.of(10, Number.NaN),
    });
  });

  test("spreads hours evenly over their quarters", () => {
    const hours = { startMs: HOUR, slotMinutes: 60 as const, energyWh: Float64Array.of(40, 80) };
    expect([...resampleHistory(hours, 15).energyWh]).toEqual([10, 10, 10, 10, 20, 20, 20, 20]);
  });
});
