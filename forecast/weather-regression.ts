/**
 * `weather-regression`: ridge regression of metered energy on the weather that had been forecast for it, with the
 * spread of its own held-out errors by hour and by level.
 */
import type { KnownView } from "#data";
import { CLIMATOLOGY_28, climatologyDrafter } from "./climatology.ts";
import {
  type FeatureSource,
  featureCountOf,
  ratioOf,
  recentLevels,
  sunOver,
  weatherAt,
  writeFeatures,
} from "./features.ts";
import { KeptResults } from "./kept-results.ts";
import { latestSameSlot } from "./local-grid.ts";
import type { Forecaster, ForecasterOptions } from "./model.ts";
import { type PhysicalScale, physicalDraft, physicalScale } from "./physical-drafter.ts";
import { predictRow } from "./ridge.ts";
import { type Draft, type Drafter, type Situation, slotForecaster } from "./situation.ts";
import { scaledQuantiles } from "./statistics.ts";
import { type WeatherFit, weatherFitFor } from "./weather-fit.ts";
import { leadingVariable, type WeatherGrid, type WeatherSource, weatherGrid } from "./weather-grid.ts";
import { noonSlot } from "./weather-training.ts";

export const WEATHER_REGRESSION = "weather-regression";

/** Regression on the weather forecast; without one, `climatology-28`, and the forecast's model name says so. */
export function createWeatherRegression(options: ForecasterOptions): Forecaster {
  const fits = new KeptResults<WeatherFit | undefined>();
  return slotForecaster(WEATHER_REGRESSION, options, (situation, view) => weatherDrafter(situation, view, fits));
}

function weatherDrafter(situation: Situation, view: KnownView, fits: KeptResults<WeatherFit | undefined>): Drafter {
  const { calendar, grid, target, capacityWh } = situation;
  const fallback = climatologyDrafter(situation);
  const source = weatherSourceOf(situation, view);
  if (source === undefined) return (slot, cell) => withoutWeather(fallback(slot, cell));
  const fit = weatherFitFor(situation, view, source, fits);
  const levels = recentLevels(grid);
  const sun = sunOver(target, calendar);
  const unitWh = fit?.unitWh ?? capacityWh;
  const weatherOfDay = weatherByDay(situation, source);
  const sources = new Map<number, FeatureSource>();
  const sourceOf = (day: number): FeatureSource => {
    const known = sources.get(day) ?? { target, calendar, grid, levels, unitWh, sun, weather: weatherOfDay(day) };
    sources.set(day, known);
    return known;
  };
  const ratio = ratioOf({ grid, target, levels }, grid.lastCell);
  const features = new Float64Array(featureCountOf(target.kind));
  let scale: PhysicalScale | undefined;
  return (slot, cell) => {
    const here = sourceOf(calendar.dayOf(cell));
    if (Number.isNaN(weatherAt(here.weather, source.leading, cell, Number.NaN)))
      return withoutWeather(fallback(slot, cell));
    if (fit !== undefined && writeFeatures(here, cell, latestSameSlot(grid, cell), ratio, features, 0)) {
      return regressionDraft(
        fit,
        predictRow(fit.coefficients, features, 0),
        (calendar.slotOfDay(cell) * 24) / grid.slotsPerDay,
      );
    }
    if (target.kind !== "pv" || !Number.isFinite(capacityWh)) return fallback(slot, cell);
    scale ??= physicalScale(here, weatherOfDay);
    return physicalDraft(here, scale, cell);
  };
}

function regressionDraft(fit: WeatherFit, prediction: number, hour: number): Draft {
  const errors = fit.errors.quantilesAt(hour, prediction);
  return { quantilesWh: scaledQuantiles(errors, fit.unitWh, prediction * fit.unitWh), meanWh: prediction * fit.unitWh };
}

function withoutWeather(draft: Draft): Draft {
  return { ...draft, model: `${draft.model ?? CLIMATOLOGY_28} (no weather forecast)` };
}

function weatherSourceOf({ target, calendar }: Situation, view: KnownView): WeatherSource | undefined {
  if (target.weather === undefined) return undefined;
  const vintages = view.weatherVintages(target.weather);
  const slotMs = (target.weatherSlotMinutes ?? calendar.slotMinutes) * 60_000;
  return vintages.length === 0 ? undefined : { vintages, slotMs, leading: leadingVariable(target.kind) };
}

/**
 * Weather of a local day with an hour before and after it, read once per day and call: of days gone by as it had been
 * forecast at noon of the day before, of others as the newest run has it.
 */
function weatherByDay({ calendar, grid, nowMs }: Situation, source: WeatherSource): (day: number) => WeatherGrid {
  const { slotsPerDay } = grid;
  const hour = slotsPerDay / 24;
  const today = calendar.dayOf(calendar.cellAt(nowMs));
  const known = new Map<number, WeatherGrid>();
  return (day) => {
    let weather = known.get(day);
    if (weather === undefined) {
      const knownByMs = day < today ? calendar.startMsOf((day - 1) * slotsPerDay + noonSlot(slotsPerDay)) : nowMs;
      weather = weatherGrid(source, calendar, day * slotsPerDay - hour, slotsPerDay + 2 * hour, () => knownByMs);
      known.set(day, weather);
    }
    return weather;
  };
}
