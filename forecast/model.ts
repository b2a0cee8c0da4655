/** The shapes of a probabilistic forecast. */
import type { Slot, SlotMinutes, ZoneName } from "#core";
import type { KnownView } from "#data";

/** Levels of the 19 quantiles of every forecast: 0.05, 0.10 … 0.95. */
export const QUANTILE_LEVELS: readonly number[] = Array.from(
  { length: 19 },
  (_, index) => Math.round((index + 1) * 5) / 100,
);

/** Index of the median in `QUANTILE_LEVELS`. */
export const MEDIAN_INDEX = 9;

/** A forecast for one slot: 19 quantiles in watt-hours, never decreasing, never negative. */
export type SlotForecast = {
  readonly slot: Slot;
  /** When the data that it rests on were cut off. */
  readonly issuedAtMs: number;
  /** Name of the model that made it, for reports and for `dream explain`. */
  readonly model: string;
  readonly quantilesWh: Float64Array;
  /** Expected energy in watt-hours, where the model has one of its own; see `expectedWh`. */
  readonly meanWh?: number;
};

/** Where a plant stands and how its panels lie; without tilt and azimuth they face the equator at a usual tilt. */
export type PlantSite = {
  readonly latitude: number;
  readonly longitude: number;
  /** 0 is flat, 90 a wall. */
  readonly tiltDegrees?: number;
  /** 0 is north, 90 east, 180 south. */
  readonly azimuthDegrees?: number;
};

/** What is forecast: one meter series, with its weather where there is one. */
export type ForecastTarget = {
  readonly series: string;
  readonly kind: "pv" | "load" | "wind";
  readonly weather?: string;
  /** Slot length of the weather forecast; the meter's own when absent. */
  readonly weatherSlotMinutes?: SlotMinutes;
  /** The most energy in one slot; forecasts are cut off there. */
  readonly capacityWh: number;
  readonly site?: PlantSite;
};

/** Makes forecasts from what a view knows. Deterministic: equal views give equal forecasts. */
export interface Forecaster {
  readonly name: string;
  forecast(view: KnownView, target: ForecastTarget, slots: readonly Slot[]): readonly SlotForecast[];
}

/** What every forecaster is made with. */
export type ForecasterOptions = {
  /** The clock by which "the same slot on another day" is meant: 23- and 25-hour days keep their clock hours. */
  readonly timeZone: ZoneName;
};

/** Expected energy of a forecast in watt-hours: the model's own mean, else the mean of its quantiles. */
export function expectedWh(forecast: SlotForecast): number {
  if (forecast.meanWh !== undefined) return forecast.meanWh;
  return forecast.quantilesWh.reduce((sum, quantile) => sum + quantile, 0) / forecast.quantilesWh.length;
}
