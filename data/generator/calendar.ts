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
  /** The day's quarter-hours are `[firstStep, endStep)`: 92, 96 or 100 of them where the clock changes by an hour. */
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

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const TARIFF_HOUR = 11;
const FORECAST_HOUR = 12;

/** The quarter-hours of `days` local days from `firstDay` on. */
export function stepCalendar(timeZone: ZoneName, firstDay: LocalDay, days: number): StepCalendar {
  const clock = dayClock(timeZone, firstDay, days);
  const startMs = clock.midnightMs(0);
  const minuteOfDay = new Int16Array(Math.round((clock.midnightMs(days) - startMs) / STEP_MS));
  const calendarDays = Array.from({ length: days }, (_, index): CalendarDay => {
    const day = addLocalDays(firstDay, index);
    const firstStep = Math.round((clock.midnightMs(index) - startMs) / STEP_MS);
    const endStep = Math.round((clock.midnightMs(index + 1) - startMs) / STEP_MS);
    for (let step = firstStep; step < endStep; step++) {
      minuteOfDay[step] = clock.isPlain(index)
        ? (step - firstStep) * STEP_MINUTES
        : clockMinute(timeZone, startMs + step * STEP_MS);
    }
    return {
      day,
      weekday: weekdayOf(day),
      dayOfYear: dayOfYear(day),
      tariffAtMs: clock.instantMs(index - 1, TARIFF_HOUR),
      forecastAtMs: clock.instantMs(index - 1, FORECAST_HOUR),
      firstStep,
      endStep,
    };
  });
  return { timeZone, startMs, steps: minuteOfDay.length, days: calendarDays, minuteOfDay };
}

/** The local midnights at which `days` days from `firstDay` begin, and the one at which the last of them ends. */
export function localMidnights(timeZone: ZoneName, firstDay: LocalDay, days: number): readonly number[] {
  const clock = dayClock(timeZone, firstDay, days);
  return Array.from({ length: days + 1 }, (_, index) => clock.midnightMs(index));
}

/** Local times of day, by number of the day from the first one (0). */
type DayClock = {
  /** True when the clock does not change on the day. */
  readonly isPlain: (day: number) => boolean;
  readonly midnightMs: (day: number) => number;
  readonly instantMs: (day: number, hour: number) => number;
};

/** Asks the zone for its offset once a day, and in detail only around a change. */
function dayClock(timeZone: ZoneName, firstDay: LocalDay, days: number): DayClock {
  const nominalMs = (day: number): number => Date.parse(`${firstDay}T00:00:00Z`) + day * MS_PER_DAY;
  // From two days before the first to two after the last: a local day lies within the UTC days around it.
  const offsets = Array.from({ length: days + 5 }, (_, index) => offsetMinutesAt(timeZone, nominalMs(index - 2)));
  const offsetOf = (day: number): number => offsets[day + 2] ?? 0;
  const isSteady = (from: number, until: number): boolean => {
    for (let day = from; day < until; day++) if (offsetOf(day) !== offsetOf(day + 1)) return false;
    return true;
  };
  const dayAt = (day: number): LocalDay => addLocalDays(firstDay, day);
  return {
    isPlain: (day) => isSteady(day - 1, day + 2),
    midnightMs: (day) =>
      isSteady(day - 1, day + 1)
        ? nominalMs(day) - offsetOf(day) * MS_PER_MINUTE
        : localMidnightMs(timeZone, dayAt(day)),
    instantMs: (day, hour) =>
      isSteady(day - 1, day + 2)
        ? nominalMs(day) + (hour * 60 - offsetOf(day)) * MS_PER_MINUTE
        : localInstantMs(timeZone, dayAt(day), hour),
  };
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
