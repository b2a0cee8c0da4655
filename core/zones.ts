/**
 * Local days and clocks: for display, for daily gate closures and for reading local time stamps.
 * A zone is an IANA name or a fixed offset such as `+08:00`; the machine's own zone is never used.
 */
import { err, invariant, ok, type Result } from "./result.ts";

export type ZoneName = string & { readonly __brand: "ZoneName" };
/** A calendar day such as `2019-04-01`, without a zone. */
export type LocalDay = string & { readonly __brand: "LocalDay" };
/** A wall clock reading. Month 1…12, weekday 1 (Monday) … 7 (Sunday). */
export type LocalTime = {
  readonly day: LocalDay;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
  readonly offsetMinutes: number;
};

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const FIXED_OFFSET = /^([+-])(\d\d):(\d\d)$/;
/** Fixed offsets reach as far as zones do: fourteen hours. */
const OFFSET_MINUTES_MAX = 14 * 60;
/** Years in which every day and its neighbours have four digits and instants are not negative. */
const DAY_PATTERN = /^(?:19[7-9]\d|[2-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-\d\d-\d\d$/;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Parses an offset `+08:00`, `UTC`, or an IANA name that this runtime knows (outside input: never throws). */
export function parseZone(text: string): Result<ZoneName, "zone_unknown"> {
  if (text === "UTC") return ok(text as ZoneName);
  const offset = fixedOffsetMinutes(text);
  if (offset !== undefined) return Math.abs(offset) <= OFFSET_MINUTES_MAX ? ok(text as ZoneName) : err("zone_unknown");
  try {
    format(text);
    return ok(text as ZoneName);
  } catch {
    return err("zone_unknown");
  }
}

/** A zone named in our own code. @throws InvariantError when unknown. */
export function zone(text: string): ZoneName {
  const parsed = parseZone(text);
  invariant(parsed.ok, `zone is known, was ${text}`);
  return parsed.value;
}

/** Parses `YYYY-MM-DD`, from 1970 to 9998 (outside input: never throws). */
export function parseLocalDay(text: string): Result<LocalDay, "day_malformed"> {
  if (!DAY_PATTERN.test(text)) return err("day_malformed");
  const atMs = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(atMs) && dayText(atMs) === text ? ok(text as LocalDay) : err("day_malformed");
}

/** A day named in our own code. @throws InvariantError when malformed. */
export function localDay(text: string): LocalDay {
  const parsed = parseLocalDay(text);
  invariant(parsed.ok, `day is YYYY-MM-DD, was ${text}`);
  return parsed.value;
}

export function nextLocalDay(day: LocalDay): LocalDay {
  return addLocalDays(day, 1);
}

/** @throws InvariantError beyond the years 1970 to 9998. */
export function addLocalDays(day: LocalDay, days: number): LocalDay {
  return localDay(dayText(Date.parse(`${day}T00:00:00Z`) + days * MS_PER_DAY));
}

/** Whole days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: LocalDay, to: LocalDay): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / MS_PER_DAY);
}

/** Minutes that the zone's clock is ahead of UTC at the instant. */
export function offsetMinutesAt(zoneName: ZoneName, atMs: number): number {
  const fixed = fixedOffsetMinutes(zoneName);
  if (fixed !== undefined) return fixed;
  if (zoneName === "UTC") return 0;
  const minute = Math.floor(atMs / MS_PER_MINUTE);
  const known = offsetsOf(zoneName);
  const offset = known.get(minute) ?? formattedOffset(zoneName, minute * MS_PER_MINUTE);
  if (known.size >= OFFSETS_REMEMBERED_MAX) known.clear();
  known.set(minute, offset);
  return offset;
}

/** Formatting costs a hundred times what looking up does, and the ledger asks about the same slots again and again. */
const OFFSETS_REMEMBERED_MAX = 10_000;
const offsets = new Map<ZoneName, Map<number, number>>();

function offsetsOf(zoneName: ZoneName): Map<number, number> {
  const known = offsets.get(zoneName) ?? new Map<number, number>();
  offsets.set(zoneName, known);
  return known;
}

function formattedOffset(zoneName: ZoneName, minuteMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format(zoneName).formatToParts(minuteMs)) part[type] = Number(value);
  const wallMs = Date.UTC(part["year"] ?? 0, (part["month"] ?? 1) - 1, part["day"], part["hour"], part["minute"]);
  return Math.round((wallMs - minuteMs) / MS_PER_MINUTE);
}

/** What the zone's clock shows at the instant. */
export function localTimeAt(zoneName: ZoneName, atMs: number): LocalTime {
  const offsetMinutes = offsetMinutesAt(zoneName, atMs);
  const wall = new Date(atMs + offsetMinutes * MS_PER_MINUTE);
  return {
    day: dayText(wall.getTime()) as LocalDay,
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    weekday: ((wall.getUTCDay() + 6) % 7) + 1,
    offsetMinutes,
  };
}

/** The local day that holds the instant. */
export function localDayAt(zoneName: ZoneName, atMs: number): LocalDay {
  return dayText(atMs + offsetMinutesAt(zoneName, atMs) * MS_PER_MINUTE) as LocalDay;
}

/**
 * The instant at which a zone's clock shows `hour:minute` on `day`.
 * A time that the spring change skips gives the instant of the change; one that autumn repeats gives the first.
 */
export function localInstantMs(zoneName: ZoneName, day: LocalDay, hour: number, minute = 0): number {
  const wallMs = Date.parse(`${day}T00:00:00Z`) + (hour * 60 + minute) * MS_PER_MINUTE;
  const before = wallMs - offsetMinutesAt(zoneName, wallMs - MS_PER_DAY) * MS_PER_MINUTE;
  const after = wallMs - offsetMinutesAt(zoneName, wallMs + MS_PER_DAY) * MS_PER_MINUTE;
  const candidates = [Math.min(before, after), Math.max(before, after)];
  for (const atMs of candidates) if (atMs + offsetMinutesAt(zoneName, atMs) * MS_PER_MINUTE === wallMs) return atMs;
  return instantOfChange(zoneName, Math.min(before, after), Math.max(before, after));
}

/** The instant at which the local day begins. */
export function localMidnightMs(zoneName: ZoneName, day: LocalDay): number {
  return localInstantMs(zoneName, day, 0);
}

/** The first instant in `(fromMs, untilMs]` at which the offset differs from that at `fromMs - 1`. */
function instantOfChange(zoneName: ZoneName, fromMs: number, untilMs: number): number {
  const offset = offsetMinutesAt(zoneName, fromMs - 1);
  let low = fromMs - 1;
  let high = untilMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMinutesAt(zoneName, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

/** Minutes of a fixed offset such as `-03:30`; undefined for any other text. */
function fixedOffsetMinutes(text: string): number | undefined {
  const match = FIXED_OFFSET.exec(text);
  if (match === null || Number(match[3]) > 59) return undefined;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

const dayTexts = new Map<number, string>();

function dayText(atMs: number): string {
  const number = Math.floor(atMs / MS_PER_DAY);
  const text = dayTexts.get(number) ?? new Date(atMs).toISOString().slice(0, 10);
  if (dayTexts.size >= OFFSETS_REMEMBERED_MAX) dayTexts.clear();
  dayTexts.set(number, text);
  return text;
}

function format(zoneName: string): Intl.DateTimeFormat {
  const known = formats.get(zoneName);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zoneName,
    calendar: "iso8601",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  formats.set(zoneName, made);
  return made;
}
