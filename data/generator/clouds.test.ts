import { expect, test } from "vitest";
import { localDay, seededPrng, zone } from "#core";
import { stepCalendar } from "./calendar.ts";
import {
  autoregression,
  inCommon,
  regionalClouds,
  siteClouds,
  smoothAutoregression,
  stationaryShares,
} from "./clouds.ts";
import { autocorrelation, correlation, deviation, mean } from "./hour-grid.ts";
import { GENERATOR_PARAMETERS } from "./parameters.ts";

const { clouds } = GENERATOR_PARAMETERS.climates.continental;
const calendar = stepCalendar(zone("UTC"), localDay("2031-01-01"), 3650);
const region = regionalClouds("test", calendar, clouds);
const site = siteClouds("test", "here", calendar, clouds, region);

test("days follow each other with the probabilities of the chain", () => {
  const counts = clouds.transitions.map((row) => row.map(() => 0));
  for (let day = 1; day < site.dayType.length; day++) {
    const row = counts[site.dayType[day - 1] ?? 0];
    const to = site.dayType[day] ?? 0;
    if (row !== undefined) row[to] = (row[to] ?? 0) + 1;
  }
  for (const [from, row] of counts.entries()) {
    const days = row.reduce((sum, count) => sum + count, 0);
    for (const [to, count] of row.entries()) {
      expect(Math.abs(count / days - (clouds.transitions[from]?.[to] ?? 0))).toBeLessThan(0.035);
    }
  }
});

test("long-run shares are those that a day of the chain leaves as they are", () => {
  expect(
    stationaryShares(
      [
        [0.9, 0.1, 0],
        [0.3, 0.7, 0],
        [0, 0, 1],
      ].map((row) => row as [number, number, number]),
    ).slice(0, 2),
  ).toEqual([expect.closeTo(0.5, 6), expect.closeTo(1 / 6, 6)]);
  const shares = stationaryShares(clouds.transitions);
  const next = shares.map((_, to) =>
    shares.reduce((sum, share, from) => sum + share * (clouds.transitions[from]?.[to] ?? 0), 0),
  );
  for (const [type, share] of shares.entries()) expect(next[type]).toBeCloseTo(share, 9);
});

test("a clear day is brighter than a mixed one, a mixed one than an overcast one; no index is negative", () => {
  const indexOn = (type: number): number =>
    mean(
      calendar.days.flatMap(({ firstStep, endStep }, day) =>
        site.dayType[day] === type ? [mean(site.index.subarray(firstStep, endStep))] : [],
      ),
    );
  expect(indexOn(0)).toBeLessThan(indexOn(1) - 0.2);
  expect(indexOn(1)).toBeLessThan(indexOn(2) - 0.1);
  expect(site.index.every((index) => index >= 0 && index < 1.3)).toBe(true);
});

test("sites of a region have the same chain, correlated but not equal", () => {
  const other = siteClouds("test", "there", calendar, clouds, region);
  const types = (series: Uint8Array): Float64Array => Float64Array.from(series);
  const agreement = correlation(types(site.dayType), types(other.dayType));
  expect(agreement).toBeGreaterThan(0.4);
  expect(agreement).toBeLessThan(0.9);
  expect(mean(types(other.dayType))).toBeCloseTo(mean(types(site.dayType)), 0);
});

test.each([
  [0.5, 1, 0.5],
  [0.9, 3, 0.729],
  [0, 1, 0],
])("autoregression of %d: correlation at lag %d is %d", (root, lag, expected) => {
  const series = autoregression(seededPrng("test", "autoregression").nextNormal, 100_000, root);
  expect(deviation(series)).toBeCloseTo(1, 1);
  expect(Math.abs(autocorrelation(series, lag) - expected)).toBeLessThan(0.02);
});

test.each([
  // rootⁿ (1 + n (1 - root²) / (1 + root²)), by hand.
  [0.5, 1, 0.8],
  [0.5, 2, 0.55],
  [0.8, 4, 0.7693],
])("smooth autoregression of %d: correlation at lag %d is %d", (root, lag, expected) => {
  const series = smoothAutoregression(seededPrng("test", "smooth").nextNormal, 100_000, root);
  expect(Math.abs(deviation(series) - 1)).toBeLessThan(0.03);
  expect(Math.abs(autocorrelation(series, lag) - expected)).toBeLessThan(0.02);
});

test("what is shared is the share of the variance", () => {
  expect(inCommon(1, 2, 5)).toBe(2);
  expect(inCommon(0, 2, 5)).toBe(5);
  expect(inCommon(0.36, 1, 1)).toBeCloseTo(1.4, 12);
});
