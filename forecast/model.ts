/** The shapes of a probabilistic forecast. */
import type { Slot } from "#core";
import type { KnownView } from "#data";

/** Levels of the 19 quantiles of every forecast: 0.05, 0.10 … 0.95. */
export const QUANTILE_LEVELS: readonly number[] = Array.from({ length: 19 }, (_, index) => Math.round((index + 1) * 5) / 100);

/** A forecast for one slot: 19 quantiles in watt-hours, never decreasing, never negative. */
export type SlotForecast = {
  readonly slot: Slot;
  /** When the data that it rests on were cut off. */
  readonly issuedAtMs: number;
  /** Name of the model that made it, for reports and for `dream explain`. */
  readonly model: string;
  readonly quantilesWh: Float64Array;
};

/** What is forecast: one meter series, with its weather where there is one. */
export type ForecastTarget = {
  readonly series: string;
  readonly kind: "pv" | "load" | "wind";
  readonly weather?: string;
  /** The most energy in one slot; forecasts are cut off there. */
  readonly capacityWh: number;
  readonly site?: { readonly latitude: number; readonly longitude: number };
};

/** Makes forecasts from what a view knows. Deterministic: equal views give equal forecasts. */
export interface Forecaster {
  readonly name: string;
  forecast(view: KnownView, target: ForecastTarget, slots: readonly Slot[]): readonly SlotForecast[];
}
