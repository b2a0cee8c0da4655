/** Forecasters and their evaluation. */
export { type Forecaster, type ForecastTarget, QUANTILE_LEVELS, type SlotForecast } from "./model.ts";
