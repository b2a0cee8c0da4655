/** What a user may ask of the generator, checked before anything is drawn. */
import {
  err,
  isSlotMinutes,
  type LocalDay,
  localDay,
  localMidnightMs,
  offsetMinutesAt,
  ok,
  parseLocalDay,
  parseZone,
  type Result,
  type SlotMinutes,
  type ZoneName,
} from "#core";
import { localMidnights } from "./calendar.ts";
import type { ClimateName } from "./parameters.ts";

/** Everything but the seed has a default. */
export type GeneratorOptions = {
  /** Same seed and options, same community, on every machine. */
  readonly seed: number | string;
  /** Local days with data, 1…3660; default 90. The demo starts at least 45 days in where there are as many. */
  readonly days?: number | undefined;
  /** 0…10000; default 8. Roles repeat every eight homes. */
  readonly homes?: number | undefined;
  /** Solar parks, 0…1000; default 3. Sizes repeat every three parks. */
  readonly parks?: number | undefined;
  /** 15, 30 or 60; default 60. The quarter-hours of a longer slot sum to it. */
  readonly slotMinutes?: number | undefined;
  /** IANA zone or offset; default Europe/Madrid. */
  readonly timeZone?: string | undefined;
  /** YYYY-MM-DD; default 2031-03-01. */
  readonly firstDay?: string | undefined;
  /** Degrees north, -66…66; default 38, where the measured parks are. Below 0 the seasons turn around. */
  readonly latitude?: number | undefined;
  /** Degrees east; default the zone's standard meridian, so that the sun is highest near noon. */
  readonly longitude?: number | undefined;
  /** Default continental: fitted to the measured parks. */
  readonly climate?: string | undefined;
};

/** Checked options: complete and consistent. */
export type GeneratorSettings = {
  readonly seed: number | string;
  readonly days: number;
  readonly homes: number;
  readonly parks: number;
  readonly slotMinutes: SlotMinutes;
  readonly timeZone: ZoneName;
  readonly firstDay: LocalDay;
  readonly latitude: number;
  readonly longitude: number;
  readonly climate: ClimateName;
};

/** One option that can't be used: which, what was found, and what would do. */
export type GeneratorOptionError = {
  readonly tag: "generator_option_invalid";
  readonly option: keyof GeneratorOptions;
  readonly found: string;
  readonly expected: string;
};

const SEED_LENGTH_MAX = 200;
const DEFAULT_ZONE = "Europe/Madrid";
const DEFAULT_FIRST_DAY = "2031-03-01";
const DEFAULT_LATITUDE = 38;
const CLIMATES: readonly ClimateName[] = ["continental", "sunny"];
/** A sun more than this many hours off the local clock is taken for a mistake in longitude or zone. */
const CLOCK_ERROR_HOURS_MAX = 4;

/** Notes that an option can't be used; what is read of it is then undefined. */
type Refuse = (option: keyof GeneratorOptions, expected: string) => undefined;

/** Completes and checks options (outside input: never throws). All that is wrong is reported at once. */
export function checkGeneratorOptions(
  options: GeneratorOptions,
): Result<GeneratorSettings, readonly GeneratorOptionError[]> {
  const errors: GeneratorOptionError[] = [];
  const refuse: Refuse = (option, expected) => {
    errors.push({ tag: "generator_option_invalid", option, found: String(options[option]), expected });
  };
  const size = readSize(options, refuse);
  const place = readPlace(options, refuse);
  const climate = CLIMATES.find((name) => name === (options.climate ?? "continental"));
  if (climate === undefined) refuse("climate", CLIMATES.join(" or "));
  if (!isSeed(options.seed)) refuse("seed", "a whole number or a text of at most 200 characters");
  if (errors.length > 0 || size === undefined || place === undefined || climate === undefined) return err(errors);
  return checkTogether({ seed: options.seed, ...size, ...place, climate });
}

function isSeed(seed: number | string): boolean {
  return typeof seed === "string" ? seed.length <= SEED_LENGTH_MAX : Number.isSafeInteger(seed);
}

type Size = Pick<GeneratorSettings, "days" | "homes" | "parks" | "slotMinutes">;

function readSize(options: GeneratorOptions, refuse: Refuse): Size | undefined {
  const wholeNumber = (option: "days" | "homes" | "parks", fallback: number, min: number, max: number): number => {
    const value = options[option] ?? fallback;
    if (!Number.isInteger(value) || value < min || value > max) refuse(option, `a whole number in ${min}…${max}`);
    return value;
  };
  const days = wholeNumber("days", 90, 1, 3_660);
  const homes = wholeNumber("homes", 8, 0, 10_000);
  const parks = wholeNumber("parks", 3, 0, 1_000);
  const slotMinutes = options.slotMinutes ?? 60;
  return isSlotMinutes(slotMinutes) ? { days, homes, parks, slotMinutes } : refuse("slotMinutes", "15, 30 or 60");
}

type Place = Pick<GeneratorSettings, "timeZone" | "firstDay" | "latitude" | "longitude">;

function readPlace(options: GeneratorOptions, refuse: Refuse): Place | undefined {
  const degrees = (option: "latitude" | "longitude", fallback: number, max: number, meaning: string): number => {
    const value = options[option] ?? fallback;
    if (!(Math.abs(value) <= max)) refuse(option, meaning); // Not a number is refused too.
    return value;
  };
  const latitude = degrees("latitude", DEFAULT_LATITUDE, 66, "degrees north in -66…66: beyond, days have no sun");
  const day = parseLocalDay(options.firstDay ?? DEFAULT_FIRST_DAY);
  if (!day.ok) refuse("firstDay", "a day as YYYY-MM-DD");
  const timeZone = parseZone(options.timeZone ?? DEFAULT_ZONE);
  if (!timeZone.ok) refuse("timeZone", "an IANA zone such as Europe/Madrid, or an offset such as +08:00");
  const meridian = day.ok && timeZone.ok ? standardMeridian(timeZone.value, day.value) : 0;
  const longitude = degrees("longitude", meridian, 180, "degrees east in -180…180");
  return day.ok && timeZone.ok ? { timeZone: timeZone.value, firstDay: day.value, latitude, longitude } : undefined;
}

/** What only shows in two options at once. */
function checkTogether(settings: GeneratorSettings): Result<GeneratorSettings, readonly GeneratorOptionError[]> {
  const { timeZone, firstDay, slotMinutes, longitude } = settings;
  const refuse = (
    option: keyof GeneratorOptions,
    found: string,
    expected: string,
  ): Result<never, readonly GeneratorOptionError[]> =>
    err([{ tag: "generator_option_invalid", option, found, expected }]);
  const clockError = Math.abs(longitude - standardMeridian(timeZone, firstDay)) / 15;
  if (Math.min(clockError, 24 - clockError) > CLOCK_ERROR_HOURS_MAX) {
    return refuse(
      "longitude",
      String(longitude),
      `a longitude whose sun agrees with the clock of ${timeZone} to ${CLOCK_ERROR_HOURS_MAX} hours`,
    );
  }
  const midnights = localMidnights(timeZone, firstDay, settings.days);
  if (midnights.some((midnight) => midnight % (slotMinutes * 60_000) !== 0)) {
    const expected = `a zone whose days begin on a full slot of ${slotMinutes} minutes UTC (or shorter slots)`;
    return refuse("timeZone", timeZone, expected);
  }
  return ok(settings);
}

/** The longitude of the zone's standard time in the year of `day`: 15° per hour. */
function standardMeridian(timeZone: ZoneName, day: LocalDay): number {
  const year = day.slice(0, 4);
  const offsets = ["01-15", "07-15"].map((date) =>
    offsetMinutesAt(timeZone, localMidnightMs(timeZone, localDay(`${year}-${date}`))),
  );
  return Math.min(...offsets) / 4;
}
