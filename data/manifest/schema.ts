/** The shape of `dataset.yaml`. Strict: a misspelt key is an error, never a silent default. */
import { z } from "zod";
import { parseZone } from "#core";
import type { WeatherVariable } from "../series.ts";
import { ENERGY_UNITS, type EnergyUnit, PRICE_UNIT, WEATHER_UNITS } from "./units.ts";

/** Lengths of a file's step that add up to a slot of 15, 30 or 60 minutes. */
export const RESOLUTIONS_MINUTES = [1, 5, 10, 15, 20, 30, 60] as const;
export type ResolutionMinutes = (typeof RESOLUTIONS_MINUTES)[number];

/** Where the instants of a file's rows come from. */
export type Timestamps =
  /** A column with date and time; `zone` counts where the text has no offset of its own. */
  | { readonly column: string; readonly zone?: string | undefined; readonly marks: "start" | "end" }
  /** A file without a clock: its first row starts here and each row follows one step later. */
  | { readonly start: string; readonly zone?: string | undefined }
  /** A JSON file that says its first instant in a field of its own. */
  | { readonly startField: string };

/** Readings that were left out where they would have been zero: an inverter that sleeps sends nothing. */
export type EmptyIsZero = {
  /** Hours of the day in the time stamps' zone, such as `08:00-15:00`, in which an empty reading stays missing. */
  readonly outside: string;
  /** Another column that must have a reading in the row, so that an outage of the logger is not taken for darkness. */
  readonly where?: string | undefined;
};

type Common = {
  readonly name: string;
  readonly file: string;
  readonly column: string;
  /** Multiplies each reading, after the unit: `-1` where generation is counted negative. */
  readonly scale: number;
  readonly timestamps?: Timestamps | undefined;
  readonly resolutionMinutes?: ResolutionMinutes | undefined;
};
export type EnergySpec = Common & {
  readonly kind: "pv" | "load" | "wind";
  readonly unit: EnergyUnit;
  /** Nameplate in kW: needed for `W/kW`, else a check on the readings. */
  readonly capacityKw?: number | undefined;
  readonly member?: string | undefined;
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  readonly tiltDegrees?: number | undefined;
  /** Clockwise from north: 180 is south. */
  readonly azimuthDegrees?: number | undefined;
  readonly emptyIsZero?: EmptyIsZero | undefined;
};
/** When a forecast of one local day was made: so many days before, at an hour of the set's zone. */
export type Issued = { readonly daysBefore: number; readonly at: string; readonly publishedAfterMinutes: number };
export type ForecastSpec = Common & {
  readonly kind: "weather-forecast";
  readonly variable: WeatherVariable;
  readonly unit: string;
  /** The energy series that it is for. */
  readonly for: string;
  readonly issued: Issued;
};
/** Measured weather: checked, but never shown to a forecaster, since it is not known when a forecast is made. */
export type WeatherSpec = Common & {
  readonly kind: "weather";
  readonly variable: WeatherVariable;
  readonly unit: string;
  readonly for?: string | undefined;
};
export type PriceSpec = Common & { readonly kind: "price"; readonly unit: string };
export type SeriesSpec = EnergySpec | ForecastSpec | WeatherSpec | PriceSpec;

export type Manifest = {
  readonly name: string;
  readonly licence: string;
  readonly source: string;
  readonly timeZone: string;
  readonly timestamps?: Timestamps | undefined;
  readonly resolutionMinutes: ResolutionMinutes;
  /** A reading is known this long after its slot. */
  readonly telemetryDelayMinutes: number;
  readonly root?: string | undefined;
  readonly series: readonly SeriesSpec[];
};

const text = z.string().trim().min(1, "must not be empty");
const zoneName = text.refine(
  (name) => parseZone(name).ok,
  "is no zone: give an offset such as +08:00, UTC, or an IANA name such as Europe/Paris",
);
const hourAndMinute = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "12:00"');
const resolution = z.literal(RESOLUTIONS_MINUTES);
const variable = z.enum(Object.keys(WEATHER_UNITS) as [WeatherVariable, ...WeatherVariable[]]);

const timestamps = z.union([
  z.strictObject({ column: text, zone: zoneName.optional(), marks: z.enum(["start", "end"]).default("start") }),
  z.strictObject({
    start: z
      .string()
      .regex(
        /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/,
        "must be a local time such as 2016-07-31T23:00, without an offset (say it in zone)",
      ),
    zone: zoneName.optional(),
  }),
  z.strictObject({ startField: text }),
]);

const common = {
  name: text,
  file: text,
  column: text,
  scale: z
    .number()
    .refine((scale) => scale !== 0, "must not be zero")
    .default(1),
  timestamps: timestamps.optional(),
  resolutionMinutes: resolution.optional(),
};
const energy = {
  ...common,
  unit: z.enum(ENERGY_UNITS),
  capacityKw: z.number().positive().optional(),
  member: text.optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
  tiltDegrees: z.number().min(0).max(90).optional(),
  azimuthDegrees: z.number().min(0).max(360).optional(),
  emptyIsZero: z
    .strictObject({
      outside: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'must be two times of day such as "08:00-15:00"'),
      where: text.optional(),
    })
    .optional(),
};
const issued = z.strictObject({
  daysBefore: z.int().min(0).max(14),
  at: hourAndMinute,
  publishedAfterMinutes: z.int().min(0).max(1_440).default(0),
});
const series = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("pv"), ...energy }),
  z.strictObject({ kind: z.literal("load"), ...energy }),
  z.strictObject({ kind: z.literal("wind"), ...energy }),
  z.strictObject({ kind: z.literal("weather-forecast"), ...common, variable, unit: text, for: text, issued }),
  z.strictObject({ kind: z.literal("weather"), ...common, variable, unit: text, for: text.optional() }),
  z.strictObject({
    kind: z.literal("price"),
    ...common,
    unit: z.string().regex(PRICE_UNIT, "must be a currency over an energy, such as EUR/MWh or USD/kWh"),
  }),
]);

/** Checks the shape; what ties fields together is checked in `parse.ts`, where lines are known. */
export const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  name: text,
  licence: text,
  source: text,
  timeZone: zoneName,
  timestamps: timestamps.optional(),
  resolutionMinutes: resolution,
  telemetryDelayMinutes: z
    .int()
    .min(0)
    .max(7 * 1_440)
    .default(15),
  root: text.optional(),
  series: z.array(series).min(1, "must list at least one series").max(1_000),
});
