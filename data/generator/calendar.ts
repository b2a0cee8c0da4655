/**
 * The quarter-hours of a run of local days: what the clock on the wall shows in each.
 * Everything is generated on quarter-hours, which are UTC; behaviour follows the local clock, also on days of 23 and 25 hours.
 */
import {
  addLocalDays,
  daysBetween,
  type LocalDay,
  localDay,
  localInstantMs,
  localMidnightMs,
  localTimeAt,
  offsetMinutesAt,
  type ZoneName,
} from "#core";

export const STEP_MINUTES = 15;
export const STEP_MS = 900_000;

export type CalendarDay = {
  readonly day: LocalDay;
  /** 1 (Monday) … 7 (Sunday). */
  readonly weekday: number;
  /** 1 … 366. */
  readonly dayOfYear: number;
  /** 11:00 and 12:00 local on the day before: when tariffs and weather forecasts of this day are published and issued. */
  readonly tariffAtMs: number;
  readonly forecastAtMs: number;
  /** The day's quarter-hours are `[firstStep, endStep)`: 92, 96 or 100 of them. */
  readonly firstStep: number;
  readonly endStep: number;
};

export type StepCalendar = {
  readonly timeZone: ZoneName;
  /** Start of the first quarter-hour: local midnight of the first day, milliseconds UTC. */
  readonly startMs: number;
  readonly steps: number;
  readonly days: readonly CalendarDay[];
  /** Minutes since midnight on the local clock at the start of each quarter-hour, 0 … 1439. */
  readonly minuteOfDay: Int16Array;
};

const TARIFF_HOUR = 11;
const FORECAST_HOUR = 12;

/** The quarter-hours of `days` local days from `firstDay` on. */
export function stepCalendar(timeZone: ZoneName, firstDay: LocalDay, days: number): StepCalendar {
  const startMs = localMidnightMs(timeZone, firstDay);
  const ends = Array.from({ length: days }, (_, day) => localMidnightMs(timeZone, addLocalDays(firstDay, day + 1)));
  const minuteOfDay = new Int16Array(((ends.at(-1) ?? startMs) - startMs) / STEP_MS);
  let firstStep = 0;
  const calendarDays = ends.map((endMs, index): CalendarDay => {
    const day = addLocalDays(firstDay, index);
    const endStep = Math.round((endMs - startMs) / STEP_MS);
    fillMinutes(timeZone, startMs, firstStep, endStep, minuteOfDay);
    const made = { ...namedDay(timeZone, day), firstStep, endStep };
    firstStep = endStep;
    return made;
  });
  return { timeZone, startMs, steps: minuteOfDay.length, days: calendarDays, minuteOfDay };
}

function namedDay(timeZone: ZoneName, day: LocalDay): Omit<CalendarDay, "firstStep" | "endStep"> {
  const before = addLocalDays(day, -1);
  return {
    day,
    weekday: weekdayOf(day),
    dayOfYear: dayOfYear(day),
    tariffAtMs: localInstantMs(timeZone, before, TARIFF_HOUR),
    forecastAtMs: localInstantMs(timeZone, before, FORECAST_HOUR),
  };
}

/** Writes the local minute of each quarter-hour of one day; asks the zone only once on a day without a clock change. */
function fillMinutes(timeZone: ZoneName, startMs: number, firstStep: number, endStep: number, minutes: Int16Array): void {
  const dayStartMs = startMs + firstStep * STEP_MS;
  const dayEndMs = startMs + endStep * STEP_MS;
  const isPlain = offsetMinutesAt(timeZone, dayStartMs) === offsetMinutesAt(timeZone, dayEndMs - 1);
  const { hour, minute } = localTimeAt(timeZone, dayStartMs);
  for (let step = firstStep; step < endStep; step++) {
    const elapsed = (step - firstStep) * STEP_MINUTES;
    minutes[step] = isPlain ? hour * 60 + minute + elapsed : clockMinute(timeZone, startMs + step * STEP_MS);
  }
}

function clockMinute(timeZone: ZoneName, atMs: number): number {
  const { hour, minute } = localTimeAt(timeZone, atMs);
  return hour * 60 + minute;
}

/** 1 (Monday) … 7 (Sunday). */
export function weekdayOf(day: LocalDay): number {
  return ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;
}

function dayOfYear(day: LocalDay): number {
  return daysBetween(localDay(`${day.slice(0, 4)}-01-01`), day) + 1;
}
