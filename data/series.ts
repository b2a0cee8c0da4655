/**
 * Measured and forecast series as they are held in memory, each datum with the instant at which it became known.
 * Nothing here reads a clock or a file.
 */
import type { MicrosPerKwh, Slot, SlotId, SlotMinutes } from "#core";

/** Metered energy per slot, always on the slot grid. */
export type MeterSeries = {
  readonly name: string;
  readonly kind: "pv" | "load" | "wind";
  readonly slotMinutes: SlotMinutes;
  /** Start of the first slot, milliseconds UTC. */
  readonly startMs: number;
  /** Whole watt-hours per slot; NaN where the reading is missing. */
  readonly energyWh: Float64Array;
  /** A reading is known this long after its slot has ended. */
  readonly telemetryDelayMs: number;
};

/** Variables of a weather forecast: irradiance in W/m², temperature in °C, wind speed in m/s, humidity and cloud cover in 0…1. */
export type WeatherVariable = "ghi" | "dni" | "temperature" | "windSpeed" | "humidity" | "cloudCover";

/** One run of a weather model: what was forecast for the slots from `startMs` on. */
export type WeatherVintage = {
  readonly issuedAtMs: number;
  /** Issue time plus the time until it was published. */
  readonly knownAtMs: number;
  readonly startMs: number;
  /** Slot means, all arrays of equal length; NaN where missing. */
  readonly values: Readonly<Partial<Record<WeatherVariable, Float64Array>>>;
};

/** All runs of a weather model for one place, in the order in which they became known. */
export type WeatherForecastSeries = {
  readonly name: string;
  readonly slotMinutes: SlotMinutes;
  readonly vintages: readonly WeatherVintage[];
};

/** Prices of the supplier of last resort for one local day, published ahead. */
export type TariffVintage = {
  readonly knownAtMs: number;
  readonly startMs: number;
  readonly slotMinutes: SlotMinutes;
  /** Per slot from `startMs` on. */
  readonly feedIn: readonly MicrosPerKwh[];
  readonly retail: readonly MicrosPerKwh[];
};

/** Everything that is measured, forecast or published about a community. Holds the future: only a view may show it. */
export type DataStore = {
  readonly meters: ReadonlyMap<string, MeterSeries>;
  readonly weather: ReadonlyMap<string, WeatherForecastSeries>;
  readonly tariffs: readonly TariffVintage[];
};

/** Metered energy up to the last reading that is known. */
export type MeterHistory = {
  readonly startMs: number;
  readonly slotMinutes: SlotMinutes;
  /** Whole watt-hours per slot, oldest first; NaN where missing. Ends with the last slot whose reading is known. */
  readonly energyWh: Float64Array;
};

export type WeatherAtSlot = {
  readonly issuedAtMs: number;
  readonly values: Readonly<Partial<Record<WeatherVariable, number>>>;
};

/**
 * What is known at one instant. No method returns anything whose `knownAt` is later than `nowMs`:
 * strategies and forecasters get this and nothing else.
 */
export interface KnownView {
  readonly nowMs: number;
  meter(name: string): MeterHistory;
  /** The newest run known now that covers the slot; undefined when there is none. */
  weatherAt(name: string, slot: Slot): WeatherAtSlot | undefined;
  /** The newest runs known at each past issue, oldest first: what a forecaster trains on. */
  weatherVintages(name: string): readonly WeatherVintage[];
  /** Undefined when the tariff of the slot's day is not published yet. */
  tariffAt(slotId: SlotId): { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh } | undefined;
}
