/**
 * What the page's scripts need of a report, in columns: amounts are decimal strings, so that the tables and the
 * downloads are exact; the scripts turn them to numbers only to draw. Imports nothing: the scripts are checked with it.
 */

export type PageData = {
  readonly fileStem: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly slotMinutes: number;
  /** Unit of energy in the charts. */
  readonly unit: "kWh" | "MWh";
  /** From each instant on, the zone's clock is ahead of UTC by so many minutes. */
  readonly offsets: readonly (readonly [fromMs: number, minutes: number])[];
  readonly timeline: TimelineColumns;
  readonly hours: HourColumns;
  readonly gains: GainColumns;
  readonly members: readonly MemberRecord[];
};

export type TimelineColumns = {
  readonly slot: readonly string[];
  readonly startMs: readonly number[];
  readonly producedWh: readonly string[];
  readonly consumedWh: readonly string[];
  readonly promisedWh: readonly string[];
  readonly deliveredWh: readonly string[];
  readonly shortfallWh: readonly string[];
  readonly tradedWh: readonly string[];
  readonly priceMicrosPerKwh: readonly (string | null)[];
  readonly feedInMicrosPerKwh: readonly string[];
  readonly retailMicrosPerKwh: readonly string[];
  readonly forecastQ10Wh: readonly string[];
  readonly forecastQ50Wh: readonly string[];
  readonly forecastQ90Wh: readonly string[];
  readonly gainMicros: readonly string[];
};

export type HourColumns = {
  readonly tradedWh: readonly string[];
  readonly priceMicrosPerKwh: readonly (string | null)[];
  /** Mean tariffs of the hour's slots; null where the run has none. */
  readonly feedInMicrosPerKwh: readonly (string | null)[];
  readonly retailMicrosPerKwh: readonly (string | null)[];
};

export type GainColumns = {
  readonly days: readonly string[];
  /** Members with a strategy, the best first; of each, its gain up to the end of each day. */
  readonly members: readonly { readonly name: string; readonly gainMicros: readonly string[] }[];
};

/** A member's row of the download; each value is text or a decimal string. */
export type MemberRecord = Readonly<Record<(typeof MEMBER_COLUMNS)[number], string>>;

export const MEMBER_COLUMNS = [
  "member",
  "roles",
  "strategy",
  "producedWh",
  "consumedWh",
  "promisedWh",
  "deliveredWh",
  "boughtWh",
  "soldWh",
  "netMicros",
  "baselineMicros",
  "gainMicros",
  "depositLostMicros",
  "denied",
] as const;
