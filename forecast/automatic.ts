/**
 * `automatic`: the default. Blends the built-in forecasters per target by how well each would have done in the last
 * weeks, and widens or narrows the blend halfway to what would have held 80 % and its like.
 */
import { addQuantiles, type Blend, blendOf, singlePart, widen } from "./blend.ts";
import { CLIMATOLOGY_28, createClimatology } from "./climatology.ts";
import { KeptResults } from "./kept-results.ts";
import { expectedWh, type Forecaster, type ForecasterOptions, QUANTILE_LEVELS, type SlotForecast } from "./model.ts";
import { createPersistence } from "./persistence.ts";
import { type ReplayedDay, Replays } from "./replay.ts";
import { type Draft, finish, isDark, lengthwiseForecaster, nightForecast, situationOf } from "./situation.ts";
import { createSmartPersistence } from "./smart-persistence.ts";
import { createWeatherRegression, WEATHER_REGRESSION } from "./weather-regression.ts";

export const AUTOMATIC = "automatic";

/** With fewer replayed days the choice is not made by scores. */
const REPLAYED_DAYS_MIN = 5;

/** A set of models to blend, and the one to trust while there is no record of them. */
type Ensemble = { readonly parts: readonly Forecaster[]; readonly replays: Replays; readonly trusted: string };

/** Blend of the built-in forecasters; the model's name in each forecast says of what. */
export function createAutomatic(options: ForecasterOptions): Forecaster {
  const simple = [createPersistence(options), createSmartPersistence(options), createClimatology(options)];
  const all = [...simple, createWeatherRegression(options)];
  return createBlend(
    AUTOMATIC,
    options,
    { parts: simple, replays: new Replays(simple), trusted: CLIMATOLOGY_28 },
    { parts: all, replays: new Replays(all), trusted: WEATHER_REGRESSION },
  );
}

function createBlend(name: string, options: ForecasterOptions, simple: Ensemble, withWeather: Ensemble): Forecaster {
  const blends = new KeptResults<Blend>();
  return lengthwiseForecaster(name, options, (view, target, slots, calendar) => {
    const { parts, replays, trusted } = target.weather === undefined ? simple : withWeather;
    const { key, days } = replays.until(view, target, calendar);
    const blend = blends.get(`${parts.length}|${key}`, () => chosenBlend(days, parts, trusted));
    const made = parts.map((part, index) =>
      (blend.weights[index] ?? 0) > 0 ? part.forecast(view, target, slots) : undefined,
    );
    const situation = situationOf(view, target, calendar);
    return slots.map((slot, index) =>
      isDark(situation, slot)
        ? nightForecast(situation, slot, name)
        : finish(
            situation,
            slot,
            name,
            blendSlot(
              name,
              blend,
              made.map((part) => part?.[index]),
            ),
          ),
    );
  });
}

function chosenBlend(days: readonly ReplayedDay[], parts: readonly Forecaster[], trusted: string): Blend {
  const metered = days.filter((day) => day.actualWh.some(Number.isFinite));
  if (metered.length >= REPLAYED_DAYS_MIN) return blendOf(metered, parts.length);
  return singlePart(
    parts.map((part) => part.name),
    trusted,
  );
}

function blendSlot(name: string, blend: Blend, forecasts: readonly (SlotForecast | undefined)[]): Draft {
  const quantilesWh = new Float64Array(QUANTILE_LEVELS.length);
  const names: string[] = [];
  let meanWh = 0;
  forecasts.forEach((forecast, index) => {
    const weight = blend.weights[index] ?? 0;
    if (forecast === undefined || weight === 0) return;
    addQuantiles(quantilesWh, forecast.quantilesWh, 0, weight);
    meanWh += weight * expectedWh(forecast);
    names.push(weight === 1 ? forecast.model : `${forecast.model} ${Math.round(weight * 100)} %`);
  });
  widen(quantilesWh, blend.widening);
  return { quantilesWh, meanWh, model: `${name}: ${names.join(", ")}` };
}
