/** The community's clock: the reader's own time zone is never used. */

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const slotMs = page.slotMinutes * MINUTE;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/**
 * Milliseconds by which the community's clock is ahead of UTC.
 * @param {number} atMs
 */
function offsetAt(atMs) {
  let minutes = page.offsets[0]?.[1] ?? 0;
  for (const [fromMs, offset] of page.offsets) if (fromMs <= atMs) minutes = offset;
  return minutes * MINUTE;
}

/**
 * A date whose UTC fields are what the community's clock shows at the instant.
 * @param {number} atMs
 */
const wallClock = (atMs) => new Date(atMs + offsetAt(atMs));

/**
 * The instant at which the community's clock shows what the UTC fields of `wallMs` say.
 * @param {number} wallMs
 */
function instantOf(wallMs) {
  const guess = wallMs - offsetAt(wallMs);
  return wallMs - offsetAt(guess);
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");
/** @param {Date} wall */
const clockText = (wall) => `${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}`;
/** @param {Date} wall */
const dayText = (wall) => `${WEEKDAYS[wall.getUTCDay()]} ${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
/** @param {string} day such as `2025-03-30` */
const dayName = (day) => dayText(new Date(`${day}T00:00:00Z`));
/** @param {Date} wall */
const dayKey = (wall) => wall.toISOString().slice(0, 10);

/**
 * `Mon 24 Mar, 14:00–15:00` for the slot that starts at the instant.
 * @param {number} startMs
 */
function slotText(startMs) {
  const start = wallClock(startMs);
  return `${dayText(start)}, ${clockText(start)}–${clockText(wallClock(startMs + slotMs))}`;
}

/** Distances between the marks of a time axis: hours of a day that divide it, then days. */
const TIME_STEPS = [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY];

/**
 * Marks of a time axis at whole local hours or midnights, so far apart that their texts have room.
 * @param {number} minMs
 * @param {number} maxMs
 * @param {number} pixels
 */
function timeSplits(minMs, maxMs, pixels) {
  const perPixel = (maxMs - minMs) / Math.max(1, pixels);
  const step = TIME_STEPS.find((candidate) => candidate >= perPixel * (candidate < DAY ? 58 : 32)) ?? 364 * DAY;
  const splits = [];
  const first = Math.floor((minMs + offsetAt(minMs)) / step) * step;
  for (let wallMs = first; wallMs <= maxMs + offsetAt(maxMs); wallMs += step) {
    const atMs = instantOf(wallMs);
    if (atMs >= minMs && atMs <= maxMs) splits.push(atMs);
  }
  return splits;
}

/**
 * What stands at the marks: the clock, and the day below it where the day begins or is the first to be seen.
 * @param {readonly number[]} splits
 */
function timeTexts(splits) {
  const walls = splits.map(wallClock);
  const days = walls.every((wall) => clockText(wall) === "00:00");
  let year = Number.NaN;
  return walls.map((wall, index) => {
    const before = walls[index - 1];
    const after = walls[index + 1];
    const isNewDay = before === undefined || dayKey(before) !== dayKey(wall);
    if (!days) return isNewDay ? `${clockText(wall)}\n${dayText(wall)}` : clockText(wall);
    const isNewMonth = before?.getUTCMonth() !== wall.getUTCMonth();
    const isCrowded = before === undefined && after !== undefined && after.getUTCMonth() !== wall.getUTCMonth();
    if (!isNewMonth || isCrowded) return String(wall.getUTCDate());
    const isNewYear = year !== wall.getUTCFullYear();
    year = wall.getUTCFullYear();
    return `${wall.getUTCDate()}\n${MONTHS[wall.getUTCMonth()]}${isNewYear ? ` ${year}` : ""}`;
  });
}
