/** Offsets of a zone's clock, remembered by day: asking the runtime for one is slow, and they never change. */
import { offsetMinutesAt, type ZoneName } from "#core";

const MS_PER_MINUTE = 60_000;
const MS_PER_QUARTER = 900_000;
const MS_PER_DAY = 86_400_000;
const QUARTERS_PER_DAY = 96;

/** The offset of a whole UTC day, or those of its quarter-hours where the clock changes on it. Clocks change at quarter-hours. */
type DayOffsets = number | Float64Array;

const daysByZone = new Map<ZoneName, Map<number, DayOffsets>>();

export class ZoneOffsets {
  readonly #timeZone: ZoneName;
  readonly #days: Map<number, DayOffsets>;
  #lastDay = Number.NaN;
  #lastOffsets: DayOffsets = 0;

  constructor(timeZone: ZoneName) {
    this.#timeZone = timeZone;
    this.#days = daysByZone.get(timeZone) ?? new Map();
    daysByZone.set(timeZone, this.#days);
  }

  /** Milliseconds that the local clock is ahead of UTC at the instant. */
  atMs(atMs: number): number {
    const day = Math.floor(atMs / MS_PER_DAY);
    if (day !== this.#lastDay) {
      this.#lastOffsets = this.#offsetsOf(day);
      this.#lastDay = day;
    }
    const offsets = this.#lastOffsets;
    if (typeof offsets === "number") return offsets;
    return offsets[Math.floor((atMs - day * MS_PER_DAY) / MS_PER_QUARTER)] as number;
  }

  #offsetsOf(day: number): DayOffsets {
    let offsets = this.#days.get(day);
    if (offsets === undefined) {
      const ofQuarter = (quarter: number): number =>
        offsetMinutesAt(this.#timeZone, day * MS_PER_DAY + quarter * MS_PER_QUARTER) * MS_PER_MINUTE;
      const first = ofQuarter(0);
      offsets =
        first === ofQuarter(QUARTERS_PER_DAY)
          ? first
          : Float64Array.from({ length: QUARTERS_PER_DAY }, (_, quarter) => ofQuarter(quarter));
      this.#days.set(day, offsets);
    }
    return offsets;
  }
}
