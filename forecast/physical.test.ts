import { describe, expect, test } from "vitest";
import { clearSkyGhi, diffuseShare, sunPosition } from "#data";
import { planeIrradiance, plantRatio } from "./physical.ts";

const DEGREE = Math.PI / 180;
/** Half a degree of the formula, and what the equinox is off noon. */
const ERROR_DEGREES_MAX = 0.7;

describe("the sun", () => {
  // Elevation at solar noon = 90° − latitude + declination; declination ±23.44° at the solstices, 0 at the equinoxes.
  test.each([
    ["2019-06-21T12:02Z", 51.48, 0, 61.96],
    ["2019-12-22T11:59Z", 51.48, 0, 15.08],
    ["2019-03-20T12:07Z", 0, 0, 90],
    ["2019-06-21T03:42Z", 38, 125, 75.44], // noon at 125° E is 8 h 20 min before Greenwich's
  ])("at %s, %d° N %d° E, stands %d° high", (at, latitude, longitude, elevation) => {
    const { cosZenith } = sunPosition(Date.parse(at), latitude, longitude);
    expect(Math.abs(Math.asin(cosZenith) / DEGREE - elevation)).toBeLessThan(ERROR_DEGREES_MAX);
  });

  test("is in the south at noon, in the east before and in the west after", () => {
    const azimuthError = (at: string, degrees: number): number =>
      Math.abs(sunPosition(Date.parse(at), 45, 0).azimuth / DEGREE - degrees);
    expect(azimuthError("2019-03-20T12:07Z", 180)).toBeLessThan(ERROR_DEGREES_MAX);
    expect(azimuthError("2019-03-20T06:08Z", 90)).toBeLessThan(ERROR_DEGREES_MAX);
    expect(azimuthError("2019-03-20T18:06Z", 270)).toBeLessThan(ERROR_DEGREES_MAX);
  });

  test("gives about 1 kW/m² under a clear sky at the zenith, nothing below the horizon", () => {
    expect(clearSkyGhi(1)).toBeCloseTo(1098 * Math.exp(-0.059), 9);
    expect(clearSkyGhi(0)).toBe(0);
    expect(clearSkyGhi(-0.5)).toBe(0);
  });
});

describe("the plant", () => {
  const noon = { cosZenith: Math.cos(30 * DEGREE), azimuth: Math.PI };
  const flat = { latitude: 45, longitude: 0, tiltDegrees: 0, azimuthDegrees: 180 };

  test("diffuse fraction is continuous where its formulas meet", () => {
    expect(diffuseShare(0.22)).toBeCloseTo(diffuseShare(0.2201), 2);
    expect(diffuseShare(0.8)).toBeCloseTo(0.165, 2);
    expect(diffuseShare(0)).toBe(1);
  });

  test("a flat panel sees what the ground sees", () => {
    expect(planeIrradiance(600, noon, flat)).toBeCloseTo(600, 6);
  });

  test("a panel that faces the sun sees more, one that faces away less", () => {
    expect(planeIrradiance(800, noon, { ...flat, tiltDegrees: 30 })).toBeGreaterThan(850);
    expect(planeIrradiance(800, noon, { ...flat, tiltDegrees: 30, azimuthDegrees: 0 })).toBeLessThan(600);
  });

  test("PVWatts at 1000 W/m², cell at 25 °C: nameplate less 14 % losses and 4 % in the inverter", () => {
    const sun = { cosZenith: 1, azimuth: Math.PI };
    const coolEnough = 25 - 1000 / (25 + 6.84 * 2);
    expect(plantRatio({ ghi: 1000, temperature: coolEnough, windSpeed: 2 }, sun, flat)).toBeCloseTo(0.86 * 0.96, 6);
    expect(plantRatio({ ghi: 1000, temperature: coolEnough + 10, windSpeed: 2 }, sun, flat)).toBeCloseTo(
      0.86 * 0.96 * 0.96,
      6,
    );
  });

  test("gives nothing at night and with no irradiance known", () => {
    expect(plantRatio({ ghi: 500, temperature: 20, windSpeed: 2 }, { cosZenith: -0.1, azimuth: 0 }, flat)).toBe(0);
    expect(plantRatio({ ghi: Number.NaN, temperature: 20, windSpeed: 2 }, noon, flat)).toBe(0);
  });
});
