/**
 * Electricity that one home uses per quarter-hour, in whole watt-hours: a daily profile by the local clock that drifts with
 * habits, an activity that comes and goes, appliances that switch on, and days that differ from each other.
 */
import { type Prng, seededPrng } from "#core";
import { STEP_MINUTES, type StepCalendar } from "./calendar.ts";
import { autoregression, inCommon, type Seed } from "./clouds.ts";
import { wholeWattHours } from "./energy.ts";
import type { LoadParameters, ProfileBump } from "./parameters.ts";

const STEPS_PER_HOUR = 60 / STEP_MINUTES;
const STEPS_PER_DAY = 24 * STEPS_PER_HOUR;
/** Quarter-hours after which a run of an appliance ends at the latest. */
const APPLIANCE_RUN_STEPS_MAX = 16;
const SATURDAY = 6;

/** What one home is like: constants drawn once. */
type HomeTraits = {
  readonly meanW: number;
  readonly seasonFactor: number;
  readonly dayDeviation: number;
  readonly dayCorrelation: number;
  readonly weekendFactor: number;
  readonly bumps: readonly { readonly centreHour: number; readonly widthHours: number; readonly weight: number }[];
  readonly activityDeviation: number;
  readonly activityCorrelation: number;
  readonly applianceShare: number;
  readonly appliancePowerW: number;
};

/** What all homes share: the community's day-to-day factor, in standard deviations. */
export function communityDays(seed: Seed, calendar: StepCalendar, parameters: LoadParameters): Float64Array {
  const prng = seededPrng(seed, "generator/load/community");
  return autoregression(prng.nextNormal, calendar.days.length, parameters.commonDayCorrelation);
}

/** Whole watt-hours per quarter-hour. `common` is {@link communityDays}. */
export function householdLoad(
  seed: Seed,
  home: string,
  latitude: number,
  calendar: StepCalendar,
  parameters: LoadParameters,
  common: Float64Array,
): Float64Array {
  const traits = drawTraits(seededPrng(seed, `generator/load/${home}/traits`), parameters);
  const factors = dayFactors(seed, home, traits, calendar, parameters, common);
  const weights = habitWeights(seed, home, traits, calendar, parameters);
  const activity = activityFactors(seed, home, traits, calendar);
  const appliances = applianceRuns(seed, home, traits, parameters);
  const curves = profileCurves(traits, parameters);
  const limitW = traits.meanW * parameters.limitFactor;
  const powerW = new Float64Array(calendar.steps);
  for (const [day, { dayOfYear, weekday, firstStep, endStep }] of calendar.days.entries()) {
    const isWeekend = weekday >= SATURDAY;
    const season = seasonalFactor(latitude, dayOfYear, traits, parameters);
    const meanW = traits.meanW * season * (factors[day] ?? 1) * (isWeekend ? traits.weekendFactor : 1);
    const profile = dayProfile(
      isWeekend ? curves.weekend : curves.workday,
      weights[day] ?? [],
      parameters.profileFloor,
    );
    for (let step = firstStep; step < endStep; step++) {
      const shape = profile[Math.floor((calendar.minuteOfDay[step] ?? 0) / STEP_MINUTES)] ?? 1;
      const steady = (1 - traits.applianceShare) * shape * (activity[step] ?? 1);
      const wanted = meanW * steady + appliances(meanW * traits.applianceShare * shape);
      powerW[step] = limitW * (1 - Math.exp(-wanted / limitW));
    }
  }
  return wholeWattHours(powerW);
}

function drawTraits(prng: Prng, parameters: LoadParameters): HomeTraits {
  const uniform = ([low, high]: readonly [number, number]): number => low + (high - low) * prng.nextFloat();
  const normal = ([mean, deviation]: readonly [number, number]): number => mean + deviation * prng.nextNormal();
  const [dailyWh, spread] = parameters.dailyWh;
  const bump = ({ centreHour, widthHours, weight }: ProfileBump): HomeTraits["bumps"][number] => ({
    centreHour: normal(centreHour),
    widthHours,
    weight: uniform(weight),
  });
  return {
    meanW: (dailyWh * Math.exp(spread * prng.nextNormal())) / 24,
    seasonFactor: uniform(parameters.seasonFactor),
    dayDeviation: uniform(parameters.dayDeviation),
    dayCorrelation: uniform(parameters.dayCorrelation),
    weekendFactor: Math.max(0.5, normal(parameters.weekendFactor)),
    bumps: [bump(parameters.morning), bump(parameters.midday), bump(parameters.evening)],
    activityDeviation: uniform(parameters.activityDeviation),
    activityCorrelation: uniform(parameters.activityCorrelation),
    applianceShare: uniform(parameters.applianceShare),
    appliancePowerW: uniform(parameters.appliancePowerW),
  };
}

/** More in the hottest and the coldest weeks; the year turned around in the south. */
function seasonalFactor(latitude: number, dayOfYear: number, traits: HomeTraits, parameters: LoadParameters): number {
  const angle = (2 * Math.PI * (dayOfYear - parameters.warmestDay)) / 365.25 + (latitude < 0 ? Math.PI : 0);
  const cycle = parameters.yearAmplitude * Math.cos(angle) + parameters.halfYearAmplitude * Math.cos(2 * angle);
  return Math.exp(traits.seasonFactor * cycle);
}

/** Lognormal factors with mean 1: partly the community's (weather, holidays), partly the home's own. */
function dayFactors(
  seed: Seed,
  home: string,
  traits: HomeTraits,
  calendar: StepCalendar,
  parameters: LoadParameters,
  common: Float64Array,
): Float64Array {
  const prng = seededPrng(seed, `generator/load/${home}/days`);
  const own = autoregression(prng.nextNormal, calendar.days.length, traits.dayCorrelation);
  const share = parameters.commonShareOfDay;
  return own.map((alone, day) => {
    const score = inCommon(share, common[day] ?? 0, alone);
    return Math.exp(traits.dayDeviation * score - traits.dayDeviation ** 2 / 2);
  });
}

/** The weights of the profile's bumps on each day. */
function habitWeights(
  seed: Seed,
  home: string,
  traits: HomeTraits,
  calendar: StepCalendar,
  { habitDeviation, habitCorrelation }: LoadParameters,
): readonly (readonly number[])[] {
  const drifts = traits.bumps.map((_, bump) => {
    const prng = seededPrng(seed, `generator/load/${home}/habit-${bump}`);
    return autoregression(prng.nextNormal, calendar.days.length, habitCorrelation);
  });
  return calendar.days.map((_, day) =>
    traits.bumps.map(({ weight }, bump) => weight * squaredFactor(habitDeviation, drifts[bump]?.[day] ?? 0)),
  );
}

/** The bumps of one home's profile per quarter-hour of the clock, each with weight 1; the morning's is later on weekends. */
type ProfileCurves = { readonly workday: readonly Float64Array[]; readonly weekend: readonly Float64Array[] };

function profileCurves(traits: HomeTraits, parameters: LoadParameters): ProfileCurves {
  const curves = (morningShift: number): readonly Float64Array[] =>
    traits.bumps.map(({ centreHour, widthHours }, bump) =>
      bumpCurve(centreHour + (bump === 0 ? morningShift : 0), widthHours),
    );
  return { workday: curves(0), weekend: curves(parameters.weekendMorningShiftHours) };
}

function bumpCurve(centreHour: number, widthHours: number): Float64Array {
  return new Float64Array(STEPS_PER_DAY).map((_, quarter) => {
    const distance = hourDistance((quarter + 0.5) / STEPS_PER_HOUR, centreHour) / widthHours;
    return Math.exp((-distance * distance) / 2);
  });
}

/** The day's shape per quarter-hour of the clock, with mean 1: a floor and the weighted bumps. */
function dayProfile(curves: readonly Float64Array[], weights: readonly number[], floor: number): Float64Array {
  const profile = new Float64Array(STEPS_PER_DAY).fill(floor);
  let total = STEPS_PER_DAY * floor;
  for (const [bump, curve] of curves.entries()) {
    const weight = weights[bump] ?? 0;
    for (let quarter = 0; quarter < STEPS_PER_DAY; quarter++) {
      const share = weight * (curve[quarter] ?? 0);
      profile[quarter] = (profile[quarter] ?? 0) + share;
      total += share;
    }
  }
  const scale = STEPS_PER_DAY / total;
  for (let quarter = 0; quarter < STEPS_PER_DAY; quarter++) profile[quarter] = (profile[quarter] ?? 0) * scale;
  return profile;
}

/** Hours between two readings of the clock, the short way round. */
function hourDistance(hour: number, other: number): number {
  const distance = Math.abs(hour - other) % 24;
  return Math.min(distance, 24 - distance);
}

/**
 * A factor with mean 1 that is never negative: the square of a normal with mean 1 and the given deviation, over its mean.
 * It comes closer to zero than a lognormal and has a shorter upper tail, as metered loads have.
 */
function squaredFactor(deviation: number, score: number): number {
  const root = 1 + deviation * score;
  return (root * root) / (1 + deviation * deviation);
}

/** How much is going on: factors with mean 1 that keep for about an hour. */
function activityFactors(seed: Seed, home: string, traits: HomeTraits, calendar: StepCalendar): Float64Array {
  const prng = seededPrng(seed, `generator/load/${home}/activity`);
  const factors = autoregression(prng.nextNormal, calendar.steps, traits.activityCorrelation);
  for (let step = 0; step < factors.length; step++) {
    factors[step] = squaredFactor(traits.activityDeviation, factors[step] ?? 0);
  }
  return factors;
}

/** Appliances that switch on at random, more often when `expectedW` is high: the power that runs in the next quarter-hour. */
function applianceRuns(
  seed: Seed,
  home: string,
  traits: HomeTraits,
  { applianceRunSteps }: LoadParameters,
): (expectedW: number) => number {
  const prng = seededPrng(seed, `generator/load/${home}/appliances`);
  const running = new Float64Array(APPLIANCE_RUN_STEPS_MAX);
  const meanRunW = traits.appliancePowerW * applianceRunSteps;
  let step = 0;
  return (expectedW) => {
    if (prng.nextFloat() < expectedW / meanRunW) {
      const powerW = traits.appliancePowerW * (0.5 + prng.nextFloat());
      const moreSteps = Math.floor(2 * (applianceRunSteps - 1) * prng.nextFloat() + 0.5);
      const runSteps = Math.min(APPLIANCE_RUN_STEPS_MAX, 1 + moreSteps);
      for (let ahead = 0; ahead < runSteps; ahead++) {
        const at = (step + ahead) % APPLIANCE_RUN_STEPS_MAX;
        running[at] = (running[at] ?? 0) + powerW;
      }
    }
    const powerW = running[step % APPLIANCE_RUN_STEPS_MAX] ?? 0;
    running[step % APPLIANCE_RUN_STEPS_MAX] = 0;
    step++;
    return powerW;
  };
}
