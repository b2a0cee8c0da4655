/** Reads time stamps: text to a wall clock's reading, and a wall clock's reading to instants, at clock changes too. */
import { localDay, offsetMinutesAt, type ZoneName } from "#core";

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
const [SPACE, DASH, SLASH, ZERO, NINE, COLON, LETTER_T] = [32, 45, 47, 48, 57, 58, 84] as const;
const STAMP = /^\d{4}([-/])\d\d\1\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.0+)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/;
/** The two forms that nearly all files have, without an offset. */
const PLAIN_LENGTHS = new Set(["2019-04-01 10:15".length, "2019-04-01 10:15:00".length]);

/** What may stand between the digits of a plain stamp, by place. */
const PUNCTUATION: ReadonlyMap<number, readonly number[]> = new Map([
  [4, [DASH, SLASH]],
  [7, [DASH, SLASH]],
  [10, [SPACE, LETTER_T]],
  [13, [COLON]],
  [16, [COLON]],
]);

/** What a time stamp says: the wall clock as if it were UTC, and its own offset where it has one. */
export type Stamp = { readonly wallMs: number; readonly offsetMinutes: number | undefined };

/** Parses `2019-04-01 10:15`, `2019/04/01T10:15:00Z`, `… +08:00` (outside input: undefined when it is none). */
export function parseStamp(text: string): Stamp | undefined {
  if (PLAIN_LENGTHS.has(text.length) && isPlainStamp(text)) return stampOf(text, text.length, undefined);
  const match = STAMP.exec(text);
  if (match === null) return undefined;
  const offset = match[2];
  if (offset === undefined) return stampOf(text, text.length, undefined);
  const end = text.length - offset.length;
  if (offset === "Z") return stampOf(text, end, 0);
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return stampOf(text, end, offset.startsWith("-") ? -minutes : minutes);
}

/** Same as the expression above for the plain forms; it saves a third of the time that a large file takes. */
function isPlainStamp(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const wanted = PUNCTUATION.get(at);
    if (wanted === undefined ? code < ZERO || code > NINE : !wanted.includes(code)) return false;
  }
  return text.charCodeAt(7) === text.charCodeAt(4);
}

/** A stamp of the right form; undefined for a day or an hour that no calendar has, such as 31 February. */
function stampOf(text: string, end: number, offsetMinutes: number | undefined): Stamp | undefined {
  const at = (from: number, digits: number): number => (from + digits <= end ? digitsAt(text, from, digits) : 0);
  const [year, month, day] = [at(0, 4), at(5, 2), at(8, 2)];
  const [hour, minute, second] = [at(11, 2), at(14, 2), at(17, 2)];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
  if (day > 28 && new Date(wallMs).getUTCDate() !== day) return undefined;
  return { wallMs, offsetMinutes };
}

function digitsAt(text: string, from: number, digits: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return 0; // A day without a time, before its offset.
    value = value * 10 + digit;
  }
  return value;
}

/** Instants at which a zone's clock shows a reading: none when it skips it, two when it repeats it. */
export type WallReader = (wallMs: number) => readonly number[];

/** A reader that looks offsets up once per day; only days of a clock change are searched reading by reading. */
export function wallReader(zoneName: ZoneName): WallReader {
  const days = new Map<number, readonly [before: number, after: number]>();
  return (wallMs) => {
    const day = Math.floor(wallMs / MS_PER_DAY);
    let offsets = days.get(day);
    if (offsets === undefined) {
      offsets = [offsetMinutesAt(zoneName, (day - 1) * MS_PER_DAY), offsetMinutesAt(zoneName, (day + 2) * MS_PER_DAY)];
      days.set(day, offsets);
    }
    const [before, after] = offsets;
    if (before === after) return [wallMs - before * MS_PER_MINUTE];
    const instants = [wallMs - before * MS_PER_MINUTE, wallMs - after * MS_PER_MINUTE];
    return instants
      .filter((atMs) => atMs + offsetMinutesAt(zoneName, atMs) * MS_PER_MINUTE === wallMs)
      .sort((a, b) => a - b);
  };
}

/** `2019-04-01 10:15` on the zone's clock, for messages. */
export function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 16).replace("T", " ");
}

/** Minutes since midnight of `HH:MM`. */
export function minutesOfDay(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}

/** The local day of a wall clock's reading. */
export function wallDay(wallMs: number): ReturnType<typeof localDay> {
  return localDay(new Date(wallMs).toISOString().slice(0, 10));
}
