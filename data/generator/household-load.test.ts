import { describe, expect, test } from "vitest";
import { localDay, zone } from "#core";
import { stepCalendar } from "./calendar.ts";
import { communityDays, householdLoad } from "./household-load.ts";
import { GENERATOR_PARAMETERS, type LoadParameters } from "./parameters.ts";

const FLAT = { centreHour: [12, 0], widthHours: 2, weight: [0, 0] } as const;
/** A home of 24 kWh a day without anything that varies. */
const STEADY: LoadParameters = {
  ...GENERATOR_PARAMETERS.load,
  dailyWh: [24_000, 0],
  yearAmplitude: 0,
  halfYearAmplitude: 0,
  dayDeviation: [0, 0],
  weekendFactor: [1, 0],
  morning: FLAT,
  midday: FLAT,
  evening: FLAT,
  profileFloor: 1,
  habitDeviation: 0,
  activityDeviation: [0, 0],
  applianceShare: [0, 0],
  limitFactor: 1e9,
};
const YEAR = stepCalendar(zone("Europe/Madrid"), localDay("2031-01-01"), 365);
const WEEK = stepCalendar(zone("Europe/Madrid"), localDay("2031-03-24"), 7); // Monday to Sunday; the clock changes on Sunday.

function load(parameters: LoadParameters, calendar = YEAR, latitude = 40): Float64Array {
  return householdLoad("seed", "home-1", latitude, calendar, parameters, communityDays("seed", calendar, parameters));
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Energy of each day. */
function daily(energy: Float64Array, calendar = YEAR): readonly number[] {
  return calendar.days.map(({ firstStep, endStep }) => sum(energy.subarray(firstStep, endStep)));
}

test("without anything that varies a kilowatt is a kilowatt", () => {
  expect(new Set(load(STEADY))).toEqual(new Set([250]));
});

test("a limit of six times the mean takes 8 % of the mean away and is never passed", () => {
  // 6,000 W × (1 - exp(-1,000 / 6,000)) = 921.11 W.
  expect(sum(load({ ...STEADY, limitFactor: 6 }, WEEK)) / WEEK.steps).toBeCloseTo(921.11 / 4, 2);
  const wild = load({ ...GENERATOR_PARAMETERS.load, activityDeviation: [3, 3], dailyWh: [24_000, 0] });
  expect(Math.max(...wild)).toBeLessThanOrEqual(1_500);
});

test("appliances add their share of the energy, in runs of their power", () => {
  const some = { ...STEADY, applianceShare: [0.3, 0.3], appliancePowerW: [2_000, 2_000] } as const;
  const energy = load(some);
  expect(sum(energy) / sum(load(STEADY))).toBeCloseTo(1, 1);
  const idle = energy.filter((value) => value === 175).length / energy.length; // 700 W: nothing runs.
  expect(idle).toBeGreaterThan(0.75);
  expect(idle).toBeLessThan(0.95);
});

test("weekends differ by their factor, and the days of a clock change by their length", () => {
  const days = daily(load({ ...STEADY, weekendFactor: [1.5, 0] }, WEEK), WEEK);
  expect(days).toEqual([24_000, 24_000, 24_000, 24_000, 24_000, 36_000, 36_000 * (23 / 24)]);
});

test("the year turns around in the south", () => {
  const seasonal = { ...STEADY, yearAmplitude: 0.3, seasonFactor: [1, 1] } as const;
  const [north, south] = [40, -40].map((latitude) => daily(load(seasonal, YEAR, latitude)));
  const warmest = STEADY.warmestDay - 1;
  expect(north?.[warmest]).toBe(Math.max(...(north ?? [])));
  expect(south?.[warmest]).toBe(Math.min(...(south ?? [])));
});

describe("the daily profile", () => {
  const morning = {
    ...STEADY,
    profileFloor: 0.1,
    morning: { centreHour: [8.125, 0], widthHours: 1, weight: [1, 1] },
  } as const;
  const peakMinute = (weekday: number): number | undefined => {
    const day = WEEK.days[weekday - 1];
    const energy = load(morning, WEEK).subarray(day?.firstStep, day?.endStep);
    return WEEK.minuteOfDay[(day?.firstStep ?? 0) + energy.indexOf(Math.max(...energy))];
  };

  test("peaks at its hour on the local clock, later on weekends, also when the clock has changed", () => {
    expect(peakMinute(3)).toBe(8 * 60);
    expect(peakMinute(6)).toBe(8 * 60 + 45);
    expect(peakMinute(7)).toBe(8 * 60 + 45);
  });

  test("does not change the energy of a day", () => {
    for (const energy of daily(load(morning, WEEK), WEEK).slice(0, 6))
      expect(Math.abs(energy - 24_000)).toBeLessThanOrEqual(1);
  });
});
