import { describe, expect, test } from "vitest";
import { localDay, unwrap, zone } from "#core";
import { stepCalendar } from "./calendar.ts";
import { checkGeneratorOptions } from "./options.ts";
import { GENERATOR_PARAMETERS, type PlantParameters } from "./parameters.ts";
import { drawPlant, type Plant, plantEnergy } from "./photovoltaics.ts";
import { regionOf, villageSite, weatherAt } from "./region.ts";
import type { SiteWeather } from "./weather.ts";

const QUIET: PlantParameters = { ...GENERATOR_PARAMETERS.roof, lightNoise: 0, dayNoise: 0 };
const PLANT: Plant = { name: "plant", nameplateW: 1_000, systemFactor: 1, tiltDegrees: 30, azimuthDegrees: 180 };

/** A day at 40° north whose sky is cloudless (index 1) or as given, at 25 °C. */
function skyOf(
  day: string,
  index: number,
): { readonly calendar: ReturnType<typeof stepCalendar>; readonly weather: SiteWeather } {
  const settings = unwrap(
    checkGeneratorOptions({ seed: 1, days: 1, timeZone: "UTC", firstDay: day, latitude: 40, longitude: 0 }),
  );
  const region = regionOf(settings, GENERATOR_PARAMETERS);
  const drawn = weatherAt(region, villageSite(settings));
  const ghi = drawn.sun.clearGhi.map((clear) => clear * index);
  return {
    calendar: stepCalendar(zone("UTC"), localDay(day), 1),
    weather: { ...drawn, ghi, temperature: ghi.map(() => 25) },
  };
}

function energyOn(day: string, index: number, plant: Plant = PLANT): readonly number[] {
  const { calendar, weather } = skyOf(day, index);
  return [...plantEnergy("seed", plant, weather, calendar, QUIET)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("a plant of 1 kW", () => {
  test("yields what a clear day gives: about five and a half sun hours in March", () => {
    expect(sum(energyOn("2031-03-20", 1)) / 1_000).toBeGreaterThan(5);
    expect(sum(energyOn("2031-03-20", 1)) / 1_000).toBeLessThan(7);
  });

  test("yields nothing under no light, and rises with it", () => {
    const yields = [0, 0.2, 0.5, 0.8, 1].map((index) => sum(energyOn("2031-06-20", index)));
    expect(yields[0]).toBe(0);
    expect(yields).toEqual([...yields].sort((a, b) => a - b));
    expect(new Set(yields).size).toBe(5);
  });

  test("gains by its tilt in winter, clear sky, and loses by it under cloud", () => {
    const flat = { ...PLANT, tiltDegrees: 0 };
    expect(sum(energyOn("2031-12-20", 1))).toBeGreaterThan(1.4 * sum(energyOn("2031-12-20", 1, flat)));
    expect(sum(energyOn("2031-12-20", 0.15))).toBeLessThan(sum(energyOn("2031-12-20", 0.15, flat)));
  });

  test("that looks east yields before noon, that looks west after", () => {
    const morning = (azimuthDegrees: number): number => {
      const energy = energyOn("2031-06-20", 1, { ...PLANT, azimuthDegrees });
      return sum(energy.slice(0, 48)) / sum(energy);
    };
    expect(morning(90)).toBeGreaterThan(0.55);
    expect(morning(270)).toBeLessThan(0.45);
    expect(Math.abs(morning(180) - 0.5)).toBeLessThan(0.02);
  });

  test("is clipped at its nameplate", () => {
    const energy = energyOn("2031-06-20", 1, { ...PLANT, systemFactor: 2 });
    expect(Math.max(...energy)).toBe(250);
    expect(energy.filter((value) => value === 250).length).toBeGreaterThan(20);
  });

  test("loses 4 % on a day that is 10 °C hotter", () => {
    const { calendar, weather } = skyOf("2031-06-20", 0.8);
    const hot = { ...weather, temperature: weather.temperature.map((celsius) => celsius + 10) };
    const [mild, heat] = [weather, hot].map((sky) => sum([...plantEnergy("seed", PLANT, sky, calendar, QUIET)]));
    expect((heat ?? 0) / (mild ?? 1)).toBeCloseTo(0.958, 2);
  });
});

test("plants face the equator in both halves of the world", () => {
  const roof = { ...QUIET, azimuthDegrees: [0, 0] as const };
  expect(drawPlant(1, "a", 4_000, 40, roof).azimuthDegrees).toBe(180);
  expect(Math.abs(drawPlant(1, "a", 4_000, -40, roof).azimuthDegrees)).toBe(0);
});
