import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clearSkyGhi, diffuseShare, sunPosition } from "./solar-geometry.ts";

const DEGREES = Math.PI / 180;

describe("position of the sun", () => {
  // Noon at longitude 0 is 12:00 UTC less the equation of time, which is about -7.5 minutes on 20 March.
  test.each([
    ["equinox, equator", "2031-03-20T12:07:30Z", 0, 0, 90],
    ["equinox, 40° north", "2031-03-20T12:07:30Z", 40, 0, 50],
    ["summer solstice, tropic", "2031-06-21T12:02:00Z", 23.44, 0, 90],
    ["winter solstice, 40° north", "2031-12-21T11:58:00Z", 40, 0, 26.56],
    ["winter solstice, 40° south", "2031-12-21T11:58:00Z", -40, 0, 73.44],
    ["90° east, six hours earlier", "2031-03-20T06:07:30Z", 40, 90, 50],
  ])("%s", (_, at, latitude, longitude, elevation) => {
    const { cosZenith } = sunPosition(Date.parse(at), latitude, longitude);
    expect(Math.abs(Math.asin(cosZenith) / DEGREES - elevation)).toBeLessThan(0.6);
  });

  test("stands in the east in the morning and in the south at noon", () => {
    const morning = sunPosition(Date.parse("2031-03-20T08:00:00Z"), 40, 0);
    expect(morning.east).toBeGreaterThan(0.7);
    const noon = sunPosition(Date.parse("2031-03-20T12:07:30Z"), 40, 0);
    expect(Math.abs(noon.north + Math.sin(40 * DEGREES))).toBeLessThan(0.01);
    expect(Math.abs(noon.east)).toBeLessThan(0.01);
  });

  test("its direction is a unit vector, and the sun is nearest in January", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.double({ min: -66, max: 66, noNaN: true }),
        fc.double({ min: -180, max: 180, noNaN: true }),
        (atMs, latitude, longitude) => {
          const { cosZenith, north, east, extraterrestrial } = sunPosition(atMs, latitude, longitude);
          expect(cosZenith ** 2 + north ** 2 + east ** 2).toBeCloseTo(1, 9);
          expect(Math.abs(extraterrestrial - 1361)).toBeLessThan(50);
        },
      ),
    );
    const irradianceOn = (day: string): number => sunPosition(Date.parse(`${day}T12:00:00Z`), 0, 0).extraterrestrial;
    expect(irradianceOn("2031-01-03")).toBeGreaterThan(irradianceOn("2031-07-04") * 1.06);
  });
});

test("clear sky: nothing below the horizon, 1035 W/m² under the zenith, rising with the sun", () => {
  expect(clearSkyGhi(0)).toBe(0);
  expect(clearSkyGhi(-0.5)).toBe(0);
  expect(clearSkyGhi(1)).toBeCloseTo(1035.1, 1);
  expect(clearSkyGhi(0.5)).toBeCloseTo(487.9, 1);
});

test("diffuse share: all of it under cloud, a sixth under a clear sky, no jump between the formula's pieces", () => {
  expect(diffuseShare(0)).toBe(1);
  expect(diffuseShare(0.9)).toBe(0.165);
  expect(diffuseShare(0.22)).toBeCloseTo(diffuseShare(0.2200001), 2);
  expect(diffuseShare(0.8)).toBeCloseTo(diffuseShare(0.8000001), 2);
});
