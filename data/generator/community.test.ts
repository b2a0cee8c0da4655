import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  addLocalDays,
  daysBetween,
  hashOf,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  localTimeAt,
  slotStartingAt,
  slotsOfLocalDay,
  toJson,
  wattHours,
} from "#core";
import type { Community } from "../community.ts";
import { createKnownView } from "../known-view.ts";
import { generateCommunity } from "./community.ts";
import type { GeneratorOptions } from "./options.ts";

const HOUR_MS = 3_600_000;

/** A hash of every byte of a community. */
function fingerprint(community: Community): string {
  const text = toJson(community, 0);
  const series = [...community.data.meters.values(), ...community.data.weather.values()];
  const numbers = JSON.stringify(series, (_, value: unknown) => (value instanceof Float64Array ? [...value] : value));
  return hashOf(new TextEncoder().encode(text + numbers));
}

function meter(community: Community, name: string): readonly number[] {
  return [...(community.data.meters.get(name)?.energyWh ?? [])];
}

/** All numbers of all series, by name. */
function seriesOf({ data }: Community): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ...[...data.meters].map(([name, { energyWh }]) => [name, [...energyWh]] as const),
    ...[...data.weather].map(([name, { vintages }]) => [name, vintages] as const),
  ]);
}

describe("the default community", () => {
  const community = generateCommunity({ seed: 1 });

  test("has the members of the measured one", () => {
    const table = community.members.map(
      ({ name, roles, strategy, production, load, weather, battery, capacityPerSlot }) => [
        name,
        roles.join("+"),
        strategy,
        [production, load, weather].map((series) => series ?? "-").join(" "),
        battery?.capacityWh ?? 0,
        Number(capacityPerSlot),
      ],
    );
    expect(table).toEqual([
      [
        "home-1",
        "prosumer+storage-provider",
        "storage-arbitrage",
        "home-1-pv home-1-load village-weather",
        6_400,
        9_000,
      ],
      [
        "home-2",
        "prosumer+storage-provider",
        "storage-arbitrage",
        "home-2-pv home-2-load village-weather",
        6_400,
        9_000,
      ],
      [
        "home-3",
        "prosumer+storage-provider",
        "storage-arbitrage",
        "home-3-pv home-3-load village-weather",
        6_400,
        9_000,
      ],
      ["home-4", "prosumer", "newsvendor-prosumer", "home-4-pv home-4-load village-weather", 0, 4_000],
      ["home-5", "prosumer", "newsvendor-prosumer", "home-5-pv home-5-load village-weather", 0, 4_000],
      ["home-6", "prosumer", "newsvendor-prosumer", "home-6-pv home-6-load village-weather", 0, 4_000],
      ["home-7", "consumer", "load-follower", "- home-7-load -", 0, 0],
      ["home-8", "consumer", "load-follower", "- home-8-load -", 0, 0],
      ["solar-park-1", "producer", "producer", "solar-park-1 - solar-park-1-weather", 0, 8_000],
      ["solar-park-2", "producer", "producer", "solar-park-2 - solar-park-2-weather", 0, 6_000],
      ["solar-park-3", "producer", "producer", "solar-park-3 - solar-park-3-weather", 0, 5_000],
      ["speculator-1", "speculator", "speculator", "- - -", 0, 0],
    ]);
    expect(community.members[0]?.battery).toEqual({ capacityWh: 6_400, powerW: 5_000, roundTripEfficiency: 0.9 });
    expect(community.members.at(-1)?.speculatorCapPerSlot).toBe(wattHours(4_000));
  });

  test("says what it is", () => {
    expect(community.source).toBe("generated");
    expect(community.description).toContain(
      "Generated, not measured: 8 homes, 3 solar parks and 1 speculator, 90 days from 2031-03-01",
    );
  });

  test("has 90 days and two months of history before the demo", () => {
    expect(community.lastDay).toBe("2031-05-29");
    expect(daysBetween(community.firstDay, community.demoFirstDay)).toBe(60);
  });

  test.each([
    [200, 170],
    [80, 50],
    [60, 45],
    [46, 45],
    [10, 9],
    [1, 0],
  ])("of %d days the demo starts after %d", (days, expected) => {
    const short = generateCommunity({ seed: 1, days, homes: 0, parks: 0 });
    expect(daysBetween(short.firstDay, short.demoFirstDay)).toBe(expected);
  });
});

describe("the same seed", () => {
  const options: GeneratorOptions = { seed: "same", days: 20, slotMinutes: 30, firstDay: "2031-03-20" };
  const machineZone = process.env["TZ"];
  afterAll(() => {
    if (machineZone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = machineZone;
  });

  test("gives the same bytes, whatever the clock of the machine", () => {
    const prints = ["UTC", "Pacific/Apia", "America/St_Johns"].map((timeZone) => {
      process.env["TZ"] = timeZone;
      return { offset: new Date(2031, 0, 1).getTimezoneOffset(), print: fingerprint(generateCommunity(options)) };
    });
    expect(new Set(prints.map(({ offset }) => offset)).size).toBe(3); // The machine's clock did change.
    expect(new Set(prints.map(({ print }) => print)).size).toBe(1);
  });

  test("and another seed gives others", () => {
    expect(fingerprint(generateCommunity({ ...options, seed: "other" }))).not.toBe(
      fingerprint(generateCommunity(options)),
    );
  });

  test("gives each member the same series when others are added", () => {
    const small = seriesOf(generateCommunity({ ...options, homes: 2, parks: 1 }));
    const large = seriesOf(generateCommunity({ ...options, homes: 11, parks: 5 }));
    expect(large.size).toBeGreaterThan(small.size);
    for (const [name, numbers] of small) expect(large.get(name), name).toEqual(numbers);
  });

  test("gives the same first days when more days are asked for", () => {
    const short = generateCommunity({ ...options, days: 12 });
    const long = generateCommunity(options);
    for (const name of short.data.meters.keys()) {
      expect(meter(long, name).slice(0, meter(short, name).length), name).toEqual(meter(short, name));
    }
    for (const [name, { vintages }] of short.data.weather) {
      expect(long.data.weather.get(name)?.vintages.slice(0, 12), name).toEqual(vintages);
    }
    expect(long.data.tariffs.slice(0, 12)).toEqual(short.data.tariffs);
  });

  test.each([
    [30, 2],
    [60, 4],
  ])("gives slots of %d minutes that are sums of quarter-hours", (slotMinutes, parts) => {
    const quarters = generateCommunity({ ...options, slotMinutes: 15 });
    const longer = generateCommunity({ ...options, slotMinutes });
    for (const name of longer.data.meters.keys()) {
      const steps = meter(quarters, name);
      const sums = new Array<number>(steps.length / parts).fill(0);
      for (const [step, energy] of steps.entries())
        sums[Math.floor(step / parts)] = (sums[Math.floor(step / parts)] ?? 0) + energy;
      expect(meter(longer, name), name).toEqual(sums);
    }
  });
});

test("a thousand homes: roles repeat every eight, no two homes are alike", () => {
  const community = generateCommunity({ seed: 1, days: 2, homes: 1_000, parks: 0 });
  expect(community.members).toHaveLength(1_001);
  const eighth = community.members.slice(0, 8).map(({ roles, strategy, battery }) => ({ roles, strategy, battery }));
  const last = community.members
    .slice(992, 1_000)
    .map(({ roles, strategy, battery }) => ({ roles, strategy, battery }));
  expect(last).toEqual(eighth);
  const loads = new Set(
    [...community.data.meters.values()].filter(({ kind }) => kind === "load").map(({ energyWh }) => energyWh.join()),
  );
  expect(loads.size).toBe(1_000);
});

test("parks repeat their sizes and lie at places of their own", () => {
  const { members } = generateCommunity({ seed: 1, days: 1, homes: 0, parks: 7 });
  const parks = members.filter(({ roles }) => roles.includes("producer"));
  expect(parks.map(({ capacityPerSlot }) => Number(capacityPerSlot))).toEqual([
    8_000, 6_000, 5_000, 8_000, 6_000, 5_000, 8_000,
  ]);
  expect(new Set(parks.map(({ site }) => `${site?.latitude} ${site?.longitude}`)).size).toBe(7);
});

const ZONES = ["Europe/Madrid", "America/New_York", "Australia/Sydney", "America/Sao_Paulo", "+08:00", "UTC"];
const arbOptions = fc.record({
  seed: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constantFrom("a", "b")),
  days: fc.integer({ min: 1, max: 4 }),
  homes: fc.integer({ min: 0, max: 3 }),
  parks: fc.integer({ min: 0, max: 2 }),
  slotMinutes: fc.constantFrom(15, 30, 60),
  timeZone: fc.constantFrom(...ZONES),
  // Around clock changes of both halves of the world, and at the solstices.
  firstDay: fc.constantFrom(
    "2031-03-29",
    "2031-10-25",
    "2031-11-01",
    "2018-11-03",
    "2031-03-08",
    "2031-06-20",
    "2031-12-20",
  ),
  latitude: fc.integer({ min: -66, max: 66 }),
  climate: fc.constantFrom("continental", "sunny"),
});

test("whatever is asked for: whole watt-hours on the slot grid, within what the member can do, none by night", () => {
  fc.assert(
    fc.property(arbOptions, (options) => {
      const community = generateCommunity(options);
      const { timeZone, slotMinutes, firstDay, lastDay, data, members } = community;
      const startMs = localMidnightMs(timeZone, firstDay);
      const slots = (localMidnightMs(timeZone, addLocalDays(lastDay, 1)) - startMs) / (slotMinutes * 60_000);
      for (const series of data.meters.values()) {
        expect([series.startMs, series.slotMinutes, series.energyWh.length]).toEqual([startMs, slotMinutes, slots]);
        expect(series.energyWh.every((energy) => Number.isInteger(energy) && energy >= 0)).toBe(true);
      }
      for (const { production, capacityPerSlot, load } of members) {
        if (production !== undefined) {
          const { energyWh } = data.meters.get(production) ?? { energyWh: [] };
          expect(Math.max(0, ...energyWh)).toBeLessThanOrEqual(Number(capacityPerSlot));
          expect(Math.min(...energyWh)).toBe(0);
        }
        if (load !== undefined) expect(Math.max(...(data.meters.get(load)?.energyWh ?? [0]))).toBeGreaterThan(0);
      }
    }),
    { numRuns: 40 },
  );
});

test("whatever is asked for: one forecast and one tariff per local day, known when they should be", () => {
  fc.assert(
    fc.property(arbOptions, (options) => {
      const { timeZone, slotMinutes, firstDay, data } = generateCommunity(options);
      const days = Array.from({ length: options.days }, (_, index) => addLocalDays(firstDay, index));
      const slotStarts = days.map((day) => slotsOfLocalDay(timeZone, day, slotMinutes).map(({ startMs }) => startMs));
      for (const { vintages } of data.weather.values()) {
        expect(vintages.map(({ startMs }) => startMs)).toEqual(slotStarts.map(([first]) => first));
        for (const [index, { issuedAtMs, knownAtMs, values }] of vintages.entries()) {
          expect(issuedAtMs).toBe(localInstantMs(timeZone, addLocalDays(firstDay, index - 1), 12));
          expect(knownAtMs - issuedAtMs).toBeGreaterThanOrEqual(0);
          expect(knownAtMs - issuedAtMs).toBeLessThanOrEqual(HOUR_MS);
          for (const variable of [values.ghi, values.temperature, values.cloudCover]) {
            expect(variable?.length).toBe(slotStarts[index]?.length);
            expect(variable?.every(Number.isFinite)).toBe(true);
          }
          expect(values.ghi?.every((irradiance) => irradiance >= 0 && irradiance < 1_300)).toBe(true);
          expect(values.cloudCover?.every((cover) => cover >= 0 && cover <= 1)).toBe(true);
        }
      }
      expect(data.tariffs.map(({ startMs }) => startMs)).toEqual(slotStarts.map(([first]) => first));
      for (const [index, { knownAtMs, retail, feedIn }] of data.tariffs.entries()) {
        expect(knownAtMs).toBe(localInstantMs(timeZone, addLocalDays(firstDay, index - 1), 11));
        expect([retail.length, feedIn.length]).toEqual([slotStarts[index]?.length, slotStarts[index]?.length]);
        expect(retail.every((price, slot) => price > (feedIn[slot] ?? price))).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test("behaviour follows the local clock over a change, the sun does not", () => {
  const options = { seed: 4, homes: 40, parks: 1, days: 56, timeZone: "Europe/Madrid", firstDay: "2031-03-02" };
  const { data, timeZone } = generateCommunity(options); // The clock changes on 30 March, in the middle.
  const { startMs, energyWh } = data.meters.get("solar-park-1") ?? { startMs: 0, energyWh: new Float64Array() };
  const clock = Array.from(energyWh, (_, slot) => localTimeAt(timeZone, startMs + slot * HOUR_MS));
  /** Energy per hour of the local clock over four weeks. */
  const profile = (kind: "load" | "pv", inSummer: boolean): readonly number[] => {
    const hours = new Array<number>(24).fill(0);
    for (const series of data.meters.values()) {
      if (series.kind !== kind) continue;
      for (const [slot, { hour, offsetMinutes }] of clock.entries()) {
        if ((offsetMinutes === 120) === inSummer) hours[hour] = (hours[hour] ?? 0) + (series.energyWh[slot] ?? 0);
      }
    }
    return hours;
  };
  /** Hour around which a profile's energy between 06:00 and 21:00 lies. */
  const centre = (hours: readonly number[]): number => {
    const day = hours.map((energy, hour) => (hour >= 6 && hour < 21 ? energy : 0));
    const total = day.reduce((sum, energy) => sum + energy, 0);
    return day.reduce((sum, energy, hour) => sum + energy * (hour + 0.5), 0) / total;
  };
  expect(Math.abs(centre(profile("load", true)) - centre(profile("load", false)))).toBeLessThan(0.25);
  expect(centre(profile("pv", true)) - centre(profile("pv", false))).toBeGreaterThan(0.7);
});

test("in the south the days are long in December", () => {
  const litSlots = (latitude: number): number =>
    meter(
      generateCommunity({ seed: 2, days: 5, homes: 0, parks: 1, timeZone: "UTC", firstDay: "2031-12-19", latitude }),
      "solar-park-1",
    ).filter((energy) => energy > 0).length;
  expect(litSlots(-45) / 5).toBeGreaterThan(14);
  expect(litSlots(45) / 5).toBeLessThan(10);
});

describe("retail prices", () => {
  const pricesOn = (day: string, latitude = 38): readonly string[] => {
    const { data, timeZone } = generateCommunity({ seed: 1, homes: 0, parks: 0, days: 1, firstDay: day, latitude });
    const [tariff] = data.tariffs;
    return (tariff?.retail ?? []).map(
      (price, slot) => `${localTimeAt(timeZone, (tariff?.startMs ?? 0) + slot * HOUR_MS).hour}h ${price}`,
    );
  };
  const levels = (prices: readonly string[]): readonly string[] => [
    ...new Set(prices.map((price) => price.split(" ")[1] ?? "")),
  ];

  test.each([
    ["a winter Wednesday", "2031-01-15", 38, ["210000", "500000"]],
    ["a winter Saturday", "2031-01-18", 38, ["210000", "500000"]],
    ["a summer Wednesday", "2031-07-16", 38, ["220000", "540000"]],
    ["a summer Sunday", "2031-07-20", 38, ["220000", "400000"]],
    ["a January Wednesday in the south", "2031-01-14", -34, ["220000", "540000"]],
  ])("%s", (_, day, latitude, expected) => {
    expect(levels(pricesOn(day, latitude))).toEqual(expected);
  });

  test("the peak is from 16:00 to 21:00 on the local clock, on days of 23, 24 and 25 hours", () => {
    for (const [day, hours] of [
      ["2031-03-30", 23],
      ["2031-04-02", 24],
      ["2031-10-26", 25],
    ] as const) {
      const prices = pricesOn(day);
      expect(prices).toHaveLength(hours);
      expect(prices.filter((price) => price.endsWith(" 500000")).map((price) => price.split("h")[0])).toEqual([
        "16",
        "17",
        "18",
        "19",
        "20",
      ]);
    }
  });
});

test("a view shows forecasts, tariffs and readings only once they are known", () => {
  const { data, timeZone, firstDay } = generateCommunity({ seed: 3, days: 5, homes: 1, parks: 1 });
  let nowMs = 0;
  const view = createKnownView(data, { nowMs: () => nowMs });
  const slot = slotStartingAt(localInstantMs(timeZone, addLocalDays(firstDay, 3), 10), 60);
  const [knownAtMs] = (data.weather.get("solar-park-1-weather")?.vintages ?? []).flatMap((vintage) =>
    localDayAt(timeZone, vintage.startMs) === addLocalDays(firstDay, 3) ? [vintage.knownAtMs] : [],
  );
  nowMs = (knownAtMs ?? 0) - 1;
  expect(view.weatherAt("solar-park-1-weather", slot)).toBeUndefined();
  expect(view.tariffAt(slot.id)).toBeDefined();
  nowMs = knownAtMs ?? 0;
  expect(view.weatherAt("solar-park-1-weather", slot)?.values.ghi).toBeGreaterThanOrEqual(0);
  nowMs = slot.endMs + 900_000 - 1;
  const before = view.meter("solar-park-1").energyWh.length;
  nowMs++;
  expect(view.meter("solar-park-1").energyWh.length).toBe(before + 1);
});
