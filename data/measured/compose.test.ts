import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { addLocalDays, daysBetween, localInstantMs, localMidnightMs, localTimeAt, slotStartingAt, unwrap } from "#core";
import type { Community } from "../community.ts";
import { createKnownView } from "../known-view.ts";
import type { MeterSeries } from "../series.ts";
import { composeMeasuredCommunity } from "./compose.ts";
import { completeDays } from "./days.ts";
import { missingMeasuredFiles } from "./find.ts";

const root = process.env["DREAM_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const present = missingMeasuredFiles(root).length === 0;
if (!present) console.warn("measured data are not here: the tests of the measured community are skipped");

const HOUR = 3_600_000;
const row = (file: string, line: number): string[] =>
  (readFileSync(`${root}/${file}`, "utf8").split("\n")[line - 1] ?? "").trim().split(",");

describe.skipIf(!present)("measured community", () => {
  let community: Community;
  beforeAll(() => {
    community = unwrap(composeMeasuredCommunity(root));
  });
  const meter = (name: string): MeterSeries => community.data.meters.get(name) as MeterSeries;
  const reading = (name: string, day: string, hour: number): number | undefined => {
    const atMs = localInstantMs(
      community.timeZone,
      addLocalDays(community.firstDay, daysBetween(community.firstDay, day as never)),
      hour,
    );
    return meter(name).energyWh[(atMs - meter(name).startMs) / HOUR];
  };

  test("has the members that it says, with strategies, capacities and meters", () => {
    const table = community.members.map(
      ({ name, roles, strategy, capacityPerSlot, production, load, weather, battery }) => [
        name,
        roles.join("+"),
        strategy,
        Number(capacityPerSlot),
        production !== undefined,
        load !== undefined,
        weather !== undefined,
        battery !== undefined,
      ],
    );
    expect(table).toEqual([
      ["home-1", "prosumer+storage-provider", "storage-arbitrage", 9_000, true, true, false, true],
      ["home-2", "prosumer+storage-provider", "storage-arbitrage", 9_000, true, true, false, true],
      ["home-3", "prosumer+storage-provider", "storage-arbitrage", 9_000, true, true, false, true],
      ["home-4", "prosumer", "newsvendor-prosumer", 4_000, true, true, false, false],
      ["home-5", "prosumer", "newsvendor-prosumer", 4_000, true, true, false, false],
      ["home-6", "prosumer", "newsvendor-prosumer", 4_000, true, true, false, false],
      ["home-7", "consumer", "load-follower", 0, false, true, false, false],
      ["home-8", "consumer", "load-follower", 0, false, true, false, false],
      ["solar-park-1", "producer", "producer", 8_000, true, false, true, false],
      ["solar-park-2", "producer", "producer", 6_000, true, false, true, false],
      ["solar-park-3", "producer", "producer", 5_000, true, false, true, false],
      ["speculator-1", "speculator", "speculator", 0, false, false, false, false],
    ]);
    expect(community.members[0]?.battery).toEqual({ capacityWh: 6_400, powerW: 5_000, roundTripEfficiency: 0.9 });
    expect(community.members.at(-1)?.speculatorCapPerSlot).toBe(4_000n);
    for (const { production, load, weather } of community.members) {
      for (const name of [production, load]) if (name !== undefined) expect(community.data.meters.has(name)).toBe(true);
      if (weather !== undefined) expect(community.data.weather.has(weather)).toBe(true);
    }
    expect(community.description).toMatch(/put together.*CityLearn 2022.*PVOD.*unrelated/);
  });

  test("puts the homes' readings at their own clock's hour, Sundays on Sundays", () => {
    // Line 2 of a home's file is 23:00 of Sunday 31 July 2016, so that line 3 + 24 d + h is hour h of day d from 1 August on.
    // 728 days on, Wednesday 5 October 2016 is Wednesday 3 October 2018.
    const line = 3 + 24 * daysBetween("2016-08-01" as never, "2016-10-05" as never) + 11;
    const [, hour, weekday, , , , , load, , , , solar] = row("citylearn2022/Building_4.csv", line);
    expect([hour, weekday]).toEqual(["12", "3"]); // The file counts hours 1 to 24 by their end.
    expect(reading("home-4-load", "2018-10-03", 11)).toBe(Math.round(Number(load) * 1_000));
    expect(reading("home-4-pv", "2018-10-03", 11)).toBe(Math.round(Number(solar) * 4));
    const [price] = row("citylearn2022/pricing.csv", line);
    const slot = slotStartingAt(localInstantMs(community.timeZone, "2018-10-03" as never, 11), 60);
    const view = createKnownView(community.data, { nowMs: () => slot.startMs });
    expect(view.tariffAt(slot.id)).toEqual({ retail: BigInt(Math.round(Number(price) * 1e6)), feedIn: 60_000n });
  });

  test("sums and scales the plants' quarter-hours, and takes the mean of their forecasts", () => {
    // 3 October 2018 11:00 at UTC+8 is 03:00 UTC; the file of station 01 begins at 2018-06-30 16:00 UTC and has no gaps.
    const first = 2 + (Date.parse("2018-10-03T03:00Z") - Date.parse("2018-06-30T16:00Z")) / 900_000;
    const rows = [0, 1, 2, 3].map((part) => row("pvod/station01.csv", first + part));
    expect(rows[0]?.[0]).toBe("2018-10-03 03:00:00");
    const megawatts = rows.reduce((sum, cells) => sum + Number(cells.at(-1)), 0) / 4;
    expect(
      Math.abs((reading("solar-park-1", "2018-10-03", 11) as number) - (megawatts * 1e6 * 8) / 20_000),
    ).toBeLessThanOrEqual(1);
    const startMs = localInstantMs(community.timeZone, "2018-10-03" as never, 11);
    const view = createKnownView(community.data, { nowMs: () => startMs });
    const weather = view.weatherAt("solar-park-1-weather", slotStartingAt(startMs, 60));
    expect(weather?.values.ghi).toBeCloseTo(rows.reduce((sum, cells) => sum + Number(cells[1]), 0) / 4, 9);
    expect(weather?.values.humidity).toBeCloseTo(rows.reduce((sum, cells) => sum + Number(cells[4]) / 100, 0) / 4, 9);
    expect(Object.keys(weather?.values ?? {}).sort()).toEqual(["dni", "ghi", "humidity", "temperature", "windSpeed"]);
    expect(weather?.issuedAtMs).toBe(localInstantMs(community.timeZone, "2018-10-02" as never, 12));
  });

  test("knows each day's forecast at noon and its tariff at eleven of the day before, not earlier", () => {
    const day = "2018-10-03" as never;
    const slot = slotStartingAt(localMidnightMs(community.timeZone, day), 60);
    const at = (hour: number, ms: number) =>
      createKnownView(community.data, {
        nowMs: () => localInstantMs(community.timeZone, "2018-10-02" as never, hour) + ms,
      });
    expect(at(12, -1).weatherAt("solar-park-2-weather", slot)).toBeUndefined();
    expect(at(12, 0).weatherAt("solar-park-2-weather", slot)).toBeDefined();
    expect(at(11, -1).tariffAt(slot.id)).toBeUndefined();
    expect(at(11, 0).tariffAt(slot.id)).toBeDefined();
  });

  test("lacks no reading, forecast or tariff in the demo's days, nor a reading in the 60 days before", () => {
    const complete = new Set<string>(completeDays(community));
    const days = Array.from({ length: 74 }, (_, index) => addLocalDays(community.demoFirstDay, index - 60));
    expect(days.filter((day) => !complete.has(day))).toEqual([]);
    expect(days[0] && days[0] >= community.firstDay).toBe(true);
    for (const day of days.slice(60)) {
      const noonBefore = localInstantMs(community.timeZone, addLocalDays(day, -1), 12);
      const view = createKnownView(community.data, { nowMs: () => noonBefore });
      for (let hour = 0; hour < 24; hour++) {
        const slot = slotStartingAt(localInstantMs(community.timeZone, day, hour), 60);
        expect(view.tariffAt(slot.id)).toBeDefined();
        for (const park of [1, 2, 3])
          expect(view.weatherAt(`solar-park-${park}-weather`, slot)?.values.ghi).toBeDefined();
      }
    }
  });

  test("keeps what the sets lack as missing", () => {
    expect(community.firstDay).toBe("2018-07-30");
    expect(community.lastDay).toBe("2019-06-10");
    // Station 02 lacks three days of February, two of April and one of June; station 07 five of March.
    const complete = new Set<string>(completeDays(community));
    const all = Array.from({ length: daysBetween(community.firstDay, community.lastDay) + 1 }, (_, index) =>
      addLocalDays(community.firstDay, index),
    );
    expect(all.filter((day) => !complete.has(day))).toEqual([
      "2019-02-13",
      "2019-02-14",
      "2019-02-15",
      "2019-03-08",
      "2019-03-09",
      "2019-03-10",
      "2019-03-11",
      "2019-03-12",
      "2019-04-27",
      "2019-04-28",
      "2019-06-07",
    ]);
    expect(reading("solar-park-2", "2019-02-14", 12)).toBeNaN();
    expect(reading("solar-park-1", "2019-02-14", 12)).toBeGreaterThan(0);
  });

  test("shows sun and need for a market: surplus and shortage in many slots of the demo", () => {
    const demo = Array.from(
      { length: 14 * 24 },
      (_, index) => localMidnightMs(community.timeZone, community.demoFirstDay) + index * HOUR,
    );
    let both = 0;
    let sunny = 0;
    for (const atMs of demo) {
      const of = (name: string | undefined): number =>
        name === undefined ? 0 : (meter(name).energyWh[(atMs - meter(name).startMs) / HOUR] as number);
      const net = community.members.map(({ production, load }) => of(production) - of(load));
      if (net.some((value) => value > 100) && net.some((value) => value < -100)) both++;
      if (net.reduce((sum, value) => sum + value, 0) > 0) sunny++;
      for (const { name, production, capacityPerSlot } of community.members) {
        expect(of(production), `${name} at ${localTimeAt(community.timeZone, atMs).day}`).toBeLessThanOrEqual(
          Number(capacityPerSlot),
        );
      }
    }
    console.info(
      `demo from ${community.demoFirstDay}: sellers and buyers in ${both} of ${demo.length} slots, surplus in ${sunny}`,
    );
    expect(both).toBeGreaterThan(demo.length / 3);
    expect(sunny).toBeGreaterThan(demo.length / 6);
  });

  test("shows nothing that its sets must not show", () => {
    const names = [...community.data.meters.keys(), ...community.data.weather.keys()];
    expect(names.filter((name) => /lmd|predicted|carbon/.test(name))).toEqual([]);
  });
});

test("a set that is not there is an error that says which file and what to do", () => {
  const result = composeMeasuredCommunity(fileURLToPath(new URL("./no-such-folder", import.meta.url)));
  expect(existsSync(fileURLToPath(new URL("./no-such-folder", import.meta.url)))).toBe(false);
  expect(result).toMatchObject({ ok: false, error: { tag: "data_set_unreadable", set: "citylearn2022" } });
  if (result.ok || result.error.tag !== "data_set_unreadable") return;
  expect(result.error.problems[0]).toMatchObject({ severity: "error", problem: "does not exist" });
  expect(result.error.problems[0]?.file).toContain("Building_1.csv");
});
