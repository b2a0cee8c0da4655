import { describe, expect, test } from "vitest";
import { localDay, localInstantMs, localMidnightMs, localTimeAt, slotsOfLocalDay, zone } from "#core";
import { localMidnights, STEP_MS, stepCalendar } from "./calendar.ts";

const HOURS = [
  ["Europe/Madrid", "2031-03-30", 23],
  ["Europe/Madrid", "2031-10-26", 25],
  ["Europe/Madrid", "2031-06-01", 24],
  ["America/Los_Angeles", "2031-03-09", 23],
  ["America/Sao_Paulo", "2018-11-04", 23], // Midnight itself is skipped.
  ["Australia/Lord_Howe", "2031-04-06", 24.5],
  ["Asia/Kolkata", "2031-06-01", 24],
  ["+08:00", "2031-06-01", 24],
  ["UTC", "2031-06-01", 24],
] as const;

describe.each(HOURS)("%s on %s", (zoneName, day, hours) => {
  const timeZone = zone(zoneName);
  // The day with neighbours on both sides, so that its number in the run is not special.
  const calendar = stepCalendar(timeZone, localDay(day), 1);

  test(`has ${hours} hours`, () => {
    const [only] = calendar.days;
    expect(only?.endStep).toBe(hours * 4);
    expect(calendar.startMs).toBe(localMidnightMs(timeZone, localDay(day)));
    expect(slotsOfLocalDay(timeZone, localDay(day), 15)).toHaveLength(hours * 4);
  });

  test("shows the wall clock in every quarter-hour", () => {
    const clock = Array.from(calendar.minuteOfDay, (_, step) => {
      const { hour, minute } = localTimeAt(timeZone, calendar.startMs + step * STEP_MS);
      return hour * 60 + minute;
    });
    expect([...calendar.minuteOfDay]).toEqual(clock);
  });
});

test("a run of days over both clock changes agrees with the zone's own arithmetic", () => {
  const timeZone = zone("Europe/Berlin");
  const calendar = stepCalendar(timeZone, localDay("2031-01-01"), 365);
  expect(calendar.days.map(({ day }) => localMidnightMs(timeZone, day))).toEqual(
    calendar.days.map(({ firstStep }) => calendar.startMs + firstStep * STEP_MS),
  );
  expect(calendar.days.slice(1).map(({ forecastAtMs }) => forecastAtMs)).toEqual(
    calendar.days.slice(0, -1).map(({ day }) => localInstantMs(timeZone, day, 12)),
  );
  expect(calendar.days.slice(1).map(({ tariffAtMs }) => tariffAtMs)).toEqual(
    calendar.days.slice(0, -1).map(({ day }) => localInstantMs(timeZone, day, 11)),
  );
  expect(localMidnights(timeZone, localDay("2031-01-01"), 365).at(-1)).toBe(Date.parse("2031-12-31T23:00:00Z"));
  expect(calendar.days.map(({ endStep, firstStep }) => endStep - firstStep).filter((steps) => steps !== 96)).toEqual([
    92, 100,
  ]);
});

test("weekday and day of the year", () => {
  const { days } = stepCalendar(zone("UTC"), localDay("2032-02-28"), 3); // A leap year.
  expect(days.map(({ day, weekday, dayOfYear }) => [day, weekday, dayOfYear])).toEqual([
    ["2032-02-28", 6, 59],
    ["2032-02-29", 7, 60],
    ["2032-03-01", 1, 61],
  ]);
});
