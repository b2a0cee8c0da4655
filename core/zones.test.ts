/** Local days and clocks: changes of the clock, odd offsets, and independence of the machine's own zone. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  addLocalDays,
  daysBetween,
  InvariantError,
  type LocalDay,
  localDay,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  localTimeAt,
  nextLocalDay,
  offsetMinutesAt,
  parseLocalDay,
  parseZone,
  zone,
} from "./index.ts";

const HOUR = 3_600_000;
const BERLIN = zone("Europe/Berlin");
const LOS_ANGELES = zone("America/Los_Angeles");
const KATHMANDU = zone("Asia/Kathmandu");
const ZONES = [
  BERLIN,
  LOS_ANGELES,
  KATHMANDU,
  zone("Australia/Lord_Howe"),
  zone("America/Sao_Paulo"),
  zone("+05:45"),
  zone("-03:30"),
  zone("UTC"),
];

describe("zones", () => {
  test.each(["UTC", "Europe/Berlin", "Asia/Kathmandu", "+00:00", "+05:45", "-03:30", "+14:00", "-12:00"])(
    "knows %s",
    (text) => {
      expect(parseZone(text)).toEqual({ ok: true, value: text });
    },
  );

  test.each([
    "",
    "Mars/Olympus",
    "+8:00",
    "+0800",
    "08:00",
    "+99:00",
    "+05:60",
    "+24:00",
    "-15:00",
    "+14:15",
    "GMT+1",
    "+05:45\n",
  ])("refuses %j", (text) => {
    expect(parseZone(text)).toEqual({ ok: false, error: "zone_unknown" });
  });

  test("our own unknown zone stops", () => {
    expect(() => zone("Mars/Olympus")).toThrow(InvariantError);
  });
});

describe("days", () => {
  test.each([
    "2031-02-29",
    "2031-13-01",
    "2031-06-31",
    "2031-6-1",
    "20310601",
    "",
    "+02031-06-01",
    "1969-12-31",
    "0001-01-01",
    "9999-12-31",
    "2031-06-01T00:00",
  ])("refuses %j", (text) => {
    expect(parseLocalDay(text)).toEqual({ ok: false, error: "day_malformed" });
  });

  test("random text never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseLocalDay(text).ok).toBe(false);
      }),
    );
  });

  test("the first and the last day", () => {
    expect(parseLocalDay("1970-01-01").ok).toBe(true);
    expect(parseLocalDay("9998-12-31").ok).toBe(true);
    expect(() => localDay("nonsense")).toThrow(InvariantError);
    expect(() => addLocalDays(localDay("9998-12-31"), 400)).toThrow(InvariantError);
  });

  test("days are counted and added by the calendar", () => {
    expect(nextLocalDay(localDay("2031-12-31"))).toBe("2032-01-01");
    expect(nextLocalDay(localDay("2032-02-28"))).toBe("2032-02-29");
    expect(addLocalDays(localDay("2031-03-30"), -30)).toBe("2031-02-28");
    expect(daysBetween(localDay("2031-02-28"), localDay("2031-03-30"))).toBe(30);
    expect(daysBetween(localDay("2031-03-30"), localDay("2031-02-28"))).toBe(-30);
  });
});

describe("clocks", () => {
  test("what a clock shows", () => {
    expect(localTimeAt(BERLIN, Date.UTC(2031, 5, 1, 22, 30))).toEqual({
      day: "2031-06-02",
      hour: 0,
      minute: 30,
      weekday: 1,
      offsetMinutes: 120,
    });
    expect(localTimeAt(LOS_ANGELES, Date.UTC(2031, 5, 1, 6, 59))).toEqual({
      day: "2031-05-31",
      hour: 23,
      minute: 59,
      weekday: 6,
      offsetMinutes: -420,
    });
    expect(localTimeAt(KATHMANDU, Date.UTC(2031, 5, 1, 18, 15))).toEqual({
      day: "2031-06-02",
      hour: 0,
      minute: 0,
      weekday: 1,
      offsetMinutes: 345,
    });
    expect(localTimeAt(zone("-03:30"), Date.UTC(2031, 5, 1, 3, 29))).toEqual({
      day: "2031-05-31",
      hour: 23,
      minute: 59,
      weekday: 6,
      offsetMinutes: -210,
    });
  });

  test.each([
    // zone, day, hour:minute, expected UTC
    ["an ordinary morning", BERLIN, "2031-06-01", 8, 15, "2031-06-01T06:15Z"],
    ["just before the spring gap", BERLIN, "2031-03-30", 1, 59, "2031-03-30T00:59Z"],
    ["in the spring gap: the instant of the change", BERLIN, "2031-03-30", 2, 30, "2031-03-30T01:00Z"],
    ["just after the spring gap", BERLIN, "2031-03-30", 3, 0, "2031-03-30T01:00Z"],
    ["in the autumn repeat: the first", BERLIN, "2031-10-26", 2, 30, "2031-10-26T00:30Z"],
    ["after the autumn repeat", BERLIN, "2031-10-26", 3, 0, "2031-10-26T02:00Z"],
    ["the spring gap of Los Angeles", LOS_ANGELES, "2031-03-09", 2, 15, "2031-03-09T10:00Z"],
    ["the autumn repeat of Los Angeles", LOS_ANGELES, "2031-11-02", 1, 30, "2031-11-02T08:30Z"],
    ["a gap of half an hour", zone("Australia/Lord_Howe"), "2031-10-05", 2, 15, "2031-10-04T15:30Z"],
    ["midnight that the clock skips", zone("America/Sao_Paulo"), "2018-11-04", 0, 0, "2018-11-04T03:00Z"],
    ["midnight after 23:00 is repeated", zone("America/Sao_Paulo"), "2018-02-18", 0, 0, "2018-02-18T03:00Z"],
    ["an odd offset", KATHMANDU, "2031-06-01", 0, 0, "2031-05-31T18:15Z"],
    ["a fixed offset", zone("+05:45"), "2031-06-01", 0, 0, "2031-05-31T18:15Z"],
  ])("%s", (_what, zoneName, day, hour, minute, expected) => {
    const atMs = localInstantMs(zoneName, localDay(day), hour, minute);
    expect(`${new Date(atMs).toISOString().slice(0, 16)}Z`).toBe(expected);
  });

  test("a local day is exactly the instants from its midnight to the next", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: 86_400_000, max: Date.UTC(2090, 0, 1) }),
        (zoneName, atMs) => {
          const day = localDayAt(zoneName, atMs);
          expect(localMidnightMs(zoneName, day)).toBeLessThanOrEqual(atMs);
          expect(localMidnightMs(zoneName, nextLocalDay(day))).toBeGreaterThan(atMs);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("what the clock shows leads back to the instant, or to the first of a repeated hour", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: 1_500_000, max: 60_000_000 }),
        (zoneName, minuteNumber) => {
          const atMs = minuteNumber * 60_000;
          const { day, hour, minute } = localTimeAt(zoneName, atMs);
          const backMs = localInstantMs(zoneName, day, hour, minute);
          const isRepeat =
            backMs < atMs &&
            atMs - backMs <= HOUR &&
            offsetMinutesAt(zoneName, backMs) > offsetMinutesAt(zoneName, atMs);
          expect(backMs === atMs || isRepeat).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the machine's own zone", () => {
  const before = process.env["TZ"];
  afterEach(() => {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  });

  test("changes nothing", () => {
    const results = ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia"].map((machineZone) => {
      process.env["TZ"] = machineZone;
      const machineHour = new Date(Date.UTC(2031, 5, 1)).getHours();
      const days = ["2031-03-30", "2031-10-26", "2031-06-01"].map((day) => localMidnightMs(BERLIN, day as LocalDay));
      return {
        machineHour,
        shown: { days, time: localTimeAt(KATHMANDU, Date.UTC(2031, 5, 1)), next: nextLocalDay(localDay("2031-12-31")) },
      };
    });
    expect(results.map(({ machineHour }) => machineHour)).toEqual([0, 9, 20, 13]); // The machine's zone did change.
    for (const { shown } of results) expect(shown).toEqual(results[0]?.shown);
  });
});
