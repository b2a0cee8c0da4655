/** Generated communities against measured ones, statistic by statistic; and faults planted in the generator, which must show. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { stationaryShares } from "./clouds.ts";
import { compareWithMeasured, type DrawnStatistics, generatedStatistics, measuredStatistics } from "./fit.ts";
import { FIT_GROUPS, FIT_TARGETS, type FitGroup } from "./fit-targets.ts";
import { hasMeasuredSets } from "./measured-sets.ts";
import {
  type CloudParameters,
  type ForecastParameters,
  GENERATOR_PARAMETERS,
  type GeneratorParameters,
  type LoadParameters,
} from "./parameters.ts";

/** One community per measured set and seed. */
const draws = new Map([1, 5, 6].map((seed) => [seed, generatedStatistics(seed)]));
/** Seeds of which each alone is within the tolerances that the faults must leave. */
const FAULT_SEEDS: Readonly<Record<FitGroup, number>> = {
  parks: 6,
  forecasts: 5,
  weather: 5,
  roofs: 5,
  loads: 5,
  spikes: 5,
};
const ROOT = process.env["DREAM_DATA"] ?? resolve(import.meta.dirname, "../../../shared/data");
const hasData = hasMeasuredSets(ROOT);
if (!hasData) console.log(`skipped: the recorded figures are not checked, no measured sets in ${ROOT}`);

test.skipIf(!hasData)("the recorded figures are those of the measured sets", () => {
  const measured = unwrap(measuredStatistics(ROOT));
  for (const { group, statistic, measured: recorded } of FIT_TARGETS) {
    const digits = Math.abs(recorded) < 0.2 ? 4 : 3;
    expect(measured[group][statistic], `${group}.${statistic}`).toBeCloseTo(recorded, digits);
  }
  const listed = FIT_GROUPS.flatMap((group) => Object.keys(measured[group]).map((name) => `${group}.${name}`));
  expect(FIT_TARGETS.map(({ group, statistic }) => `${group}.${statistic}`)).toEqual(listed);
});

test.each(compareWithMeasured([...draws.values()]))("$group: $meaning", ({ measured, generated, tolerance }) => {
  expect(Math.abs(generated - measured), `measured ${measured}, generated ${generated}`).toBeLessThanOrEqual(tolerance);
});

type Fault = {
  readonly fault: string;
  readonly group: FitGroup;
  readonly shows: readonly string[];
  readonly parameters: GeneratorParameters;
};

function clouds(change: Partial<CloudParameters>): GeneratorParameters {
  const { continental } = GENERATOR_PARAMETERS.climates;
  const climate = { ...continental, clouds: { ...continental.clouds, ...change } };
  return { ...GENERATOR_PARAMETERS, climates: { ...GENERATOR_PARAMETERS.climates, continental: climate } };
}

function forecast(change: Partial<ForecastParameters>): GeneratorParameters {
  return { ...GENERATOR_PARAMETERS, forecast: { ...GENERATOR_PARAMETERS.forecast, ...change } };
}

function load(change: Partial<LoadParameters>): GeneratorParameters {
  return { ...GENERATOR_PARAMETERS, load: { ...GENERATOR_PARAMETERS.load, ...change } };
}

/** Every day drawn from the same shares, whatever yesterday was. */
function forgetfulTransitions(): CloudParameters["transitions"] {
  const { transitions } = GENERATOR_PARAMETERS.climates.continental.clouds;
  const [overcast = 0, mixed = 0, clear = 0] = stationaryShares(transitions);
  return transitions.map(() => [overcast, mixed, clear]);
}

const faults: readonly Fault[] = [
  {
    fault: "days forget the day before",
    group: "parks",
    shows: ["dailyIndexLag1"],
    parameters: clouds({ transitions: forgetfulTransitions() }),
  },
  {
    fault: "clouds forget within the day",
    group: "parks",
    shows: ["hourlyIndexLag1", "hourlyIndexLag4", "withinHourDeviation"],
    parameters: clouds({ hoursCorrelation: 0 }),
  },
  {
    fault: "parks have their own weather each",
    group: "parks",
    shows: ["plantCorrelation"],
    parameters: clouds({ regionalShareOfDay: 0, regionalShareOfHours: 0 }),
  },
  {
    fault: "forecasts know the day",
    group: "forecasts",
    shows: [
      "forecastDailyCorrelation",
      "forecastDailyErrorDeviation",
      "forecastHourlyErrorAbsolute",
      "forecastPowerError",
      "forecastSkill",
    ],
    parameters: forecast({ dayCorrelation: 1 }),
  },
  {
    fault: "forecasts know nothing",
    group: "forecasts",
    shows: ["forecastDailyCorrelation", "forecastPowerError", "forecastSkill"],
    parameters: forecast({ dayCorrelation: 0, hoursWeight: 0 }),
  },
  {
    fault: "forecast errors forget the day before",
    group: "forecasts",
    shows: ["forecastDailyErrorLag1"],
    parameters: forecast({ dayErrorPersistence: 0 }),
  },
  {
    fault: "forecast errors forget within the day",
    group: "forecasts",
    shows: ["forecastIndexLag1", "forecastHourlyErrorLag1"],
    parameters: forecast({ hoursNoiseRoot: 0 }),
  },
  {
    fault: "forecasts miss each park on its own",
    group: "forecasts",
    shows: ["forecastErrorCorrelation"],
    parameters: forecast({ regionalShareOfError: 0 }),
  },
  {
    fault: "forecasts are not biased",
    group: "weather",
    shows: ["forecastGhiRatio"],
    parameters: forecast({ clearSkyFactor: 1.03 }),
  },
  {
    fault: "homes forget the day before",
    group: "loads",
    shows: ["dailyLag1"],
    parameters: load({ dayCorrelation: [0, 0], commonDayCorrelation: 0 }),
  },
  {
    fault: "homes have nothing in common",
    group: "loads",
    shows: ["homeCorrelation"],
    parameters: load({ commonShareOfDay: 0 }),
  },
  {
    fault: "homes have no habits",
    group: "loads",
    shows: ["residualLag24"],
    parameters: load({ habitDeviation: 0 }),
  },
  {
    fault: "homes are always as active",
    group: "loads",
    shows: ["residualLag24", "hourlyQ05", "persistenceError"],
    parameters: load({ activityDeviation: [0, 0] }),
  },
  { fault: "there is no limit to load", group: "loads", shows: ["hourlyQ99"], parameters: load({ limitFactor: 1e6 }) },
  {
    fault: "nothing spikes within the hour",
    group: "spikes",
    shows: ["halfHourDeviationRatio"],
    parameters: load({ activityCorrelation: [0.99, 0.99], applianceShare: [0, 0] }),
  },
];

/** Names of the statistics of a group that are outside their tolerance for one draw. */
function outside(group: FitGroup, draw: DrawnStatistics): readonly string[] {
  return compareWithMeasured([draw]).flatMap((row) => (row.group !== group || row.isWithin ? [] : [row.statistic]));
}

describe("a fault shows", () => {
  test.each(faults)("$fault: $shows", ({ group, shows, parameters }) => {
    const seed = FAULT_SEEDS[group];
    const sound = outside(group, draws.get(seed) ?? {});
    expect(
      sound.filter((statistic) => shows.includes(statistic)),
      "without the fault",
    ).toEqual([]);
    expect(outside(group, generatedStatistics(seed, [group], parameters))).toEqual(expect.arrayContaining([...shows]));
  });
});
