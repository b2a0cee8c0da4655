/** Forecasters and their evaluation. */
/** What forecasters and agents read: everything that is known at one instant. */
export type { KnownView } from "#data";
export { AUTOMATIC, createAutomatic } from "./automatic.ts";
export { CLIMATOLOGY_28, createClimatology } from "./climatology.ts";
export { COLD_START } from "./cold-start.ts";
export { type EvaluationError, type EvaluationRequest, type EvaluationRow, evaluateForecasts } from "./evaluate.ts";
export { createIntraday } from "./intraday.ts";
export { LocalCalendar } from "./local-grid.ts";
export {
  expectedWh,
  type Forecaster,
  type ForecasterOptions,
  type ForecastTarget,
  MEDIAN_INDEX,
  type PlantSite,
  QUANTILE_LEVELS,
  type SlotForecast,
} from "./model.ts";
export { createForecaster, FORECASTER_NAMES } from "./named-forecasters.ts";
export { createPersistence, PERSISTENCE } from "./persistence.ts";
export { meanPinball, pinballLoss, type ScoredSlot, type Scores, scoreForecasts, skill } from "./scores.ts";
export { createSmartPersistence, SMART_PERSISTENCE } from "./smart-persistence.ts";
export { targetOfSeries } from "./targets.ts";
export { createWeatherRegression, WEATHER_REGRESSION } from "./weather-regression.ts";
