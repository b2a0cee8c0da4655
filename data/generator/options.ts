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

const DEFAULT_ZONE = "Europe/Madrid";
const DEFAULT_FIRST_DAY = "2031-03-01";
const DEFAULT_LATITUDE = 38;
const CLIMATES: readonly ClimateName[] = ["continental", "sunny"];
/** A sun more than this many hours off the local clock is taken for a mistake in longitude or zone. */
const CLOCK_ERROR_HOURS_MAX = 4;

/** Completes and checks options (outside input: never throws). All that is wrong is reported at once. */
export function checkGeneratorOptions(
  options: GeneratorOptions,
): Result<GeneratorSettings, readonly GeneratorOptionError[]> {
  const errors: GeneratorOptionError[] = [];
  const refuse = (option: keyof GeneratorOptions, expected: string): void => {
    errors.push({ tag: "generator_option_invalid", option, found: String(options[option]), expected });
  };
  const number = (option: "days" | "homes" | "parks", fallback: number, min: number, max: number): number => {
    const value = options[option] ?? fallback;
    if (!Number.isInteger(value) || value < min || value > max) refuse(option, `a whole number in ${min}…${max}`);
    return value;
  };
  const isSeed = (typeof options.seed === "string" && options.seed.length <= 200) || Number.isSafeInteger(options.seed);
  if (!isSeed) refuse("seed", "a whole number or a text of at most 200 characters");
  const days = number("days", 90, 1, 3660);
  const homes = number("homes", 8, 0, 10_000);
  const parks = number("parks", 3, 0, 1_000);
  const slotMinutes = options.slotMinutes ?? 60;
  if (!isSlotMinutes(slotMinutes)) refuse("slotMinutes", "15, 30 or 60");
  const parsedDay = parseLocalDay(options.firstDay ?? DEFAULT_FIRST_DAY);
  if (!parsedDay.ok) refuse("firstDay", "a day as YYYY-MM-DD");
  const parsedZone = parseZone(options.timeZone ?? DEFAULT_ZONE);
  if (!parsedZone.ok) refuse("timeZone", "an IANA zone such as Europe/Madrid, or an offset such as +08:00");
  const latitude = options.latitude ?? DEFAULT_LATITUDE;
  if (!(Math.abs(latitude) <= 66))
    refuse("latitude", "degrees north in -66…66: nearer the poles there are days without sun");
  const longitude =
    options.longitude ?? (parsedZone.ok && parsedDay.ok ? standardMeridian(parsedZone.value, parsedDay.value) : 0);
  if (!(Math.abs(longitude) <= 180)) refuse("longitude", "degrees east in -180…180");
  const climate = CLIMATES.find((name) => name === (options.climate ?? "continental"));
  if (climate === undefined) refuse("climate", CLIMATES.join(" or "));
  if (errors.length > 0 || !isSlotMinutes(slotMinutes) || !parsedDay.ok || !parsedZone.ok || climate === undefined) {
    return err(errors);
  }
  const settings = { seed: options.seed, days, homes, parks, slotMinutes, latitude, longitude, climate };
  return checkTogether({ ...settings, timeZone: parsedZone.value, firstDay: parsedDay.value });
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
