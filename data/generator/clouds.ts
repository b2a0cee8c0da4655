/**
 * Clouds as a clear-sky index per quarter-hour: 1 is a cloudless sky, 0 is night by day.
 * Days follow one another as a Markov chain of types; within a day the index follows an autoregressive process whose
 * marginal distribution is that of the day's type. Sites of one region share a part of every draw.
 */
import { seededPrng } from "#core";
import type { StepCalendar } from "./calendar.ts";
import { normalCdf, valueAtScore } from "./normal-distribution.ts";
import { type CloudParameters, DAY_TYPES } from "./parameters.ts";

export type Seed = number | string;

/** What all sites of a region have in common: standard normal draws per day and per quarter-hour. */
export type RegionalClouds = {
  readonly dayType: Float64Array;
  readonly dayLevel: Float64Array;
  readonly hours: Float64Array;
};

export type CloudSeries = {
  /** Index into `DAY_TYPES`, per day. */
  readonly dayType: Uint8Array;
  /** Clear-sky index per quarter-hour. */
  readonly index: Float64Array;
};

/** The draws that a region's sites share. */
export function regionalClouds(seed: Seed, calendar: StepCalendar, clouds: CloudParameters): RegionalClouds {
  return cloudDraws(seed, "region", calendar, clouds.hoursCorrelation);
}

function cloudDraws(seed: Seed, name: string, calendar: StepCalendar, hoursCorrelation: number): RegionalClouds {
  const days = seededPrng(seed, `generator/clouds/${name}/days`);
  const hours = seededPrng(seed, `generator/clouds/${name}/hours`);
  const dayType = new Float64Array(calendar.days.length);
  const dayLevel = new Float64Array(calendar.days.length);
  for (let day = 0; day < calendar.days.length; day++) {
    dayType[day] = days.nextNormal();
    dayLevel[day] = days.nextNormal();
  }
  return { dayType, dayLevel, hours: autoregression(hours.nextNormal, calendar.steps, hoursCorrelation) };
}

/** A standard normal series in which neighbours have the given correlation. */
export function autoregression(nextNormal: () => number, length: number, correlation: number): Float64Array {
  const series = new Float64Array(length);
  const innovation = Math.sqrt(1 - correlation * correlation);
  let previous = 0;
  for (let step = 0; step < length; step++) {
    previous = step === 0 ? nextNormal() : correlation * previous + innovation * nextNormal();
    series[step] = previous;
  }
  return series;
}

/**
 * A standard normal series whose changes persist too: second order with a double root, so that it is smooth from one
 * quarter-hour to the next and yet forgets within hours. Correlation at lag n: rootⁿ × (1 + n (1 - root²) / (1 + root²)).
 */
export function smoothAutoregression(nextNormal: () => number, length: number, root: number): Float64Array {
  const series = new Float64Array(length);
  const square = root * root;
  const innovation = Math.sqrt((1 - square) ** 3 / (1 + square));
  let before = nextNormal();
  // The second value is drawn given the first: their correlation is 2 root / (1 + root²).
  const correlation = (2 * root) / (1 + square);
  let previous = correlation * before + Math.sqrt(1 - correlation * correlation) * nextNormal();
  for (let step = 0; step < length; step++) {
    const next = 2 * root * previous - square * before + innovation * nextNormal();
    before = previous;
    previous = next;
    series[step] = next;
  }
  return series;
}

/** The clouds of one site. */
export function siteClouds(
  seed: Seed,
  site: string,
  calendar: StepCalendar,
  clouds: CloudParameters,
  region: RegionalClouds,
): CloudSeries {
  const own = cloudDraws(seed, site, calendar, clouds.hoursCorrelation);
  const dayType = dayTypes(clouds, region.dayType, own.dayType);
  const prng = seededPrng(seed, `generator/clouds/${site}/quarter-hours`);
  const index = new Float64Array(calendar.steps);
  for (const [day, { firstStep, endStep }] of calendar.days.entries()) {
    const type = clouds.types[DAY_TYPES[dayType[day] ?? 0] ?? "mixed"];
    const level = inCommon(clouds.regionalShareOfDay, region.dayLevel[day] ?? 0, own.dayLevel[day] ?? 0);
    const dayPart = Math.sqrt(type.shareOfDay) * level;
    const [hoursWeight, quarterWeight] = [Math.sqrt(type.shareOfHours), Math.sqrt(type.shareOfQuarterHour)];
    for (let step = firstStep; step < endStep; step++) {
      const hours = inCommon(clouds.regionalShareOfHours, region.hours[step] ?? 0, own.hours[step] ?? 0);
      const score = dayPart + hoursWeight * hours + quarterWeight * prng.nextNormal();
      index[step] = Math.max(0, valueAtScore(type.index, score));
    }
  }
  return { dayType, index };
}

/** A standard normal draw of which a share (of the variance) is what others have too. */
export function inCommon(share: number, common: number, alone: number): number {
  return Math.sqrt(share) * common + Math.sqrt(1 - share) * alone;
}

/** Each site's chain has the same transitions; what is drawn for a day is partly the region's, so that sites agree often. */
function dayTypes(clouds: CloudParameters, common: Float64Array, alone: Float64Array): Uint8Array {
  const types = new Uint8Array(common.length);
  let probabilities = stationaryShares(clouds.transitions);
  for (let day = 0; day < common.length; day++) {
    const draw = normalCdf(inCommon(clouds.regionalShareOfDay, common[day] ?? 0, alone[day] ?? 0));
    const type = typeAt(probabilities, draw);
    types[day] = type;
    probabilities = clouds.transitions[type] ?? probabilities;
  }
  return types;
}

function typeAt(probabilities: readonly number[], draw: number): number {
  let below = 0;
  for (const [type, probability] of probabilities.entries()) {
    below += probability;
    if (draw < below) return type;
  }
  return probabilities.length - 1;
}

/** The share of days of each type in the long run. */
export function stationaryShares(transitions: CloudParameters["transitions"]): readonly number[] {
  let shares: readonly number[] = transitions.map(() => 1 / transitions.length);
  for (let round = 0; round < 200; round++) {
    shares = shares.map((_, to) =>
      shares.reduce((sum, share, from) => sum + share * (transitions[from]?.[to] ?? 0), 0),
    );
  }
  return shares;
}
