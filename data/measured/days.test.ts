import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { addLocalDays, localDay, localMidnightMs, zone } from "#core";
import type { MeterSeries } from "../series.ts";
import { completeDays, type DayData, sunniestCompletePeriod } from "./days.ts";
import { cacheRoot, findMeasuredData, MEASURED_FILES, missingMeasuredFiles } from "./find.ts";

/** A community whose plant gives so many Wh in each hour of each day; NaN leaves an hour of the day out. */
function community(perDay: readonly number[], zoneName = "UTC", first = "2031-06-01"): DayData {
  const timeZone = zone(zoneName);
  const firstDay = localDay(first);
  const startMs = localMidnightMs(timeZone, firstDay);
  const values = perDay.flatMap((value, index) => {
    const day = addLocalDays(firstDay, index);
    const hours = (localMidnightMs(timeZone, addLocalDays(day, 1)) - localMidnightMs(timeZone, day)) / 3_600_000;
    return Array.from({ length: hours }, (_, hour) => (Number.isNaN(value) && hour !== 12 ? 1 : value));
  });
  const meter = (name: string, kind: "pv" | "load", energyWh: Float64Array): [string, MeterSeries] => [
    name,
    { name, kind, slotMinutes: 60, startMs, energyWh, telemetryDelayMs: 0 },
  ];
  const meters = new Map([
    meter("pv", "pv", Float64Array.from(values)),
    meter(
      "load",
      "load",
      Float64Array.from(values, () => 9_999),
    ),
  ]);
  return { timeZone, firstDay, lastDay: addLocalDays(firstDay, perDay.length - 1), data: { meters } };
}

describe("days", () => {
  test("complete are those without a missing reading, clock changes or not", () => {
    expect(completeDays(community([1, Number.NaN, 3]))).toEqual(["2031-06-01", "2031-06-03"]);
    expect(completeDays(community([1, 2, 3, 4], "Europe/Paris", "2031-03-29"))).toEqual([
      "2031-03-29",
      "2031-03-30",
      "2031-03-31",
      "2031-04-01",
    ]);
    expect(completeDays(community([1, Number.NaN, 3], "Europe/Paris", "2031-10-25"))).toEqual([
      "2031-10-25",
      "2031-10-27",
    ]);
  });

  test.each([
    ["the sunniest of all", [1, 2, 9, 9, 1, 1], 2, 1, "2031-06-03"],
    ["only with history before it", [9, 9, 1, 2, 1, 1], 2, 2, "2031-06-03"],
    ["never with a gap in it or before it", [1, 1, 9, Number.NaN, 9, 9, 5, 1], 2, 1, "2031-06-06"],
    ["the earliest of equals", [1, 4, 4, 4, 4], 2, 1, "2031-06-02"],
    ["none where the gaps are too close", [1, 1, Number.NaN, 1, 1, Number.NaN], 2, 1, undefined],
    ["none where the data are too short", [1, 2], 2, 1, undefined],
  ])("the demo's period: %s", (_what, perDay, days, historyDays, expected) => {
    expect(sunniestCompletePeriod(community(perDay), days, historyDays)).toBe(expected);
  });
});

describe("where measured data are", () => {
  const folder = mkdtempSync(join(tmpdir(), "dream-find-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const fill = (root: string, files: readonly string[]): void => {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "");
    }
  };

  test("DREAM_DATA first, then the cache, and neither when a file is missing", () => {
    const [mine, cacheDir] = [join(folder, "mine"), join(folder, "cache")];
    expect(findMeasuredData({}, cacheDir)).toBeUndefined();
    fill(cacheRoot(cacheDir), MEASURED_FILES);
    expect(findMeasuredData({}, cacheDir)).toEqual({ root: join(cacheDir, "data"), from: "cache" });
    fill(mine, MEASURED_FILES.slice(1));
    expect(missingMeasuredFiles(mine)).toEqual([MEASURED_FILES[0]]);
    expect(findMeasuredData({ DREAM_DATA: mine }, cacheDir)?.from).toBe("cache");
    fill(mine, MEASURED_FILES);
    expect(findMeasuredData({ DREAM_DATA: mine }, cacheDir)).toEqual({ root: mine, from: "DREAM_DATA" });
    expect(findMeasuredData({ DREAM_DATA: "" }, cacheDir)?.from).toBe("cache");
  });
});
