/** The built-in forecasters by name, for commands and configurations. */
import { AUTOMATIC, createAutomatic } from "./automatic.ts";
import { CLIMATOLOGY_28, createClimatology } from "./climatology.ts";
import type { Forecaster, ForecasterOptions } from "./model.ts";
import { createPersistence, PERSISTENCE } from "./persistence.ts";
import { createSmartPersistence, SMART_PERSISTENCE } from "./smart-persistence.ts";
import { createWeatherRegression, WEATHER_REGRESSION } from "./weather-regression.ts";

const MAKERS: ReadonlyMap<string, (options: ForecasterOptions) => Forecaster> = new Map([
  [AUTOMATIC, createAutomatic],
  [CLIMATOLOGY_28, createClimatology],
  [PERSISTENCE, createPersistence],
  [SMART_PERSISTENCE, createSmartPersistence],
  [WEATHER_REGRESSION, createWeatherRegression],
]);

/** Names of the built-in forecasters, the default first. */
export const FORECASTER_NAMES: readonly string[] = [...MAKERS.keys()];

/** The built-in forecaster of that name; undefined when there is none. */
export function createForecaster(name: string, options: ForecasterOptions): Forecaster | undefined {
  return MAKERS.get(name)?.(options);
}
