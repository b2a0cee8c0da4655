/**
 * What the generator is fitted to: each statistic of the measured sets, and how far the generated one may be off.
 * `statistics.ts` says how each is computed. The measured figures are checked against the sets wherever those are at hand.
 *
 * A tolerance covers what seeds differ in and what the model cannot do; it is small enough that a generator without memory of
 * clouds, without forecast errors or without habits falls outside (the test plants these faults).
 */

export const FIT_GROUPS = ["parks", "forecasts", "weather", "roofs", "loads", "spikes"] as const;
export type FitGroup = (typeof FIT_GROUPS)[number];

export type FitTarget = {
  readonly group: FitGroup;
  /** Name in `statistics.ts`. */
  readonly statistic: string;
  /** In words, for the table of the documentation. */
  readonly meaning: string;
  readonly measured: number;
  /** Largest distance of the generated figure from the measured one. */
  readonly tolerance: number;
};

/** Where the measured figures of each group come from. */
export const FIT_SOURCES: Readonly<Record<FitGroup, string>> = {
  parks: "pvod, power of plants 01, 02 and 07",
  forecasts: "pvod, weather model against power",
  weather: "pvod, weather model against instruments",
  roofs: "citylearn, roofs of homes 1…6 and 8",
  loads: "citylearn, loads of homes 1…8",
  spikes: "emhass, load of one home",
};

type Row = readonly [statistic: string, meaning: string, measured: number, tolerance: number];

const PLANTS: readonly Row[] = [
  ["capacityFactor", "mean power over nameplate", 0.1556, 0.015],
  ["dailyIndexMean", "daily index: mean", 0.665, 0.02],
  ["dailyIndexVariation", "daily index: coefficient of variation", 0.387, 0.025],
  ["dailyIndexQ10", "daily index: 10 % quantile", 0.277, 0.04],
  ["dailyIndexQ25", "daily index: 25 % quantile", 0.484, 0.045],
  ["dailyIndexQ50", "daily index: median", 0.72, 0.025],
  ["dailyIndexQ75", "daily index: 75 % quantile", 0.879, 0.02],
  ["dailyIndexQ90", "daily index: 90 % quantile", 0.968, 0.025],
  ["dailyIndexLag1", "daily index: correlation with the day before", 0.349, 0.07],
  ["hourlyIndexQ05", "hourly index: 5 % quantile", 0.1181, 0.04],
  ["hourlyIndexQ10", "hourly index: 10 % quantile", 0.206, 0.04],
  ["hourlyIndexQ25", "hourly index: 25 % quantile", 0.426, 0.06],
  ["hourlyIndexQ50", "hourly index: median", 0.726, 0.035],
  ["hourlyIndexQ75", "hourly index: 75 % quantile", 0.905, 0.01],
  ["hourlyIndexQ90", "hourly index: 90 % quantile", 0.985, 0.006],
  ["hourlyIndexLag1", "hourly index: correlation with the hour before", 0.898, 0.02],
  ["hourlyIndexLag4", "hourly index: correlation with four hours before", 0.677, 0.045],
  ["withinDayDeviation", "hourly index: standard deviation within a day", 0.1215, 0.005],
  ["plantCorrelation", "daily index: correlation between plants", 0.654, 0.055],
  ["persistenceError", "persistence, issued 12:00 for the next day: nMAE by daylight", 0.1234, 0.015],
  ["withinHourDeviation", "quarter-hours: standard deviation within an hour over the envelope", 0.1047, 0.003],
];

const FORECASTS: readonly Row[] = [
  ["forecastIndexQ10", "forecast index: 10 % quantile", 0.202, 0.05],
  ["forecastIndexQ25", "forecast index: 25 % quantile", 0.444, 0.08],
  ["forecastIndexQ50", "forecast index: median", 0.834, 0.055],
  ["forecastIndexQ75", "forecast index: 75 % quantile", 0.935, 0.015],
  ["forecastIndexLag1", "forecast index: correlation with the hour before", 0.955, 0.0065],
  ["forecastDailyCorrelation", "daily index: correlation of forecast and energy", 0.697, 0.06],
  ["forecastDailyErrorDeviation", "daily index error: standard deviation", 0.207, 0.025],
  ["forecastDailyErrorLag1", "daily index error: correlation with the day before", 0.485, 0.075],
  ["forecastHourlyErrorMean", "hourly index error: mean", 0.04, 0.05],
  ["forecastHourlyErrorAbsolute", "hourly index error: mean absolute", 0.1879, 0.015],
  ["forecastHourlyErrorLag1", "hourly index error: correlation with the hour before", 0.834, 0.04],
  ["forecastHourlyErrorLag4", "hourly index error: correlation with four hours before", 0.497, 0.05],
  ["forecastErrorCorrelation", "daily index error: correlation between plants", 0.516, 0.05],
  ["forecastPowerError", "irradiance × 28-day factor: nMAE by daylight", 0.0826, 0.015],
  ["forecastPersistenceError", "persistence on the same hours: nMAE by daylight", 0.1232, 0.0095],
  ["forecastSkill", "skill of the former over the latter (RMSE)", 0.31, 0.09],
];

const WEATHER: readonly Row[] = [
  ["forecastGhiRatio", "forecast over measured irradiance, level ground", 0.866, 0.045],
  ["temperatureForecastError", "temperature forecast: mean absolute error, °C", 1.604, 0.05],
  ["temperatureDayDeviation", "daily mean temperature less its 31-day mean: standard deviation, °C", 2.76, 0.35],
  ["temperatureDayLag1", "the same: correlation with the day before", 0.68, 0.09],
  ["temperatureDailyRange", "daily range of temperature, °C", 10.559, 0.3],
];

const ROOFS: readonly Row[] = [
  ["capacityFactor", "mean power over nameplate", 0.1737, 0.015],
  ["dailyIndexMean", "daily index: mean", 0.77, 0.05],
  ["dailyIndexVariation", "daily index: coefficient of variation", 0.325, 0.05],
  ["dailyIndexQ10", "daily index: 10 % quantile", 0.322, 0.095],
  ["dailyIndexQ25", "daily index: 25 % quantile", 0.678, 0.15],
  ["dailyIndexQ50", "daily index: median", 0.881, 0.045],
  ["dailyIndexQ75", "daily index: 75 % quantile", 0.941, 0.02],
  ["dailyIndexQ90", "daily index: 90 % quantile", 0.971, 0.015],
  ["dailyIndexLag1", "daily index: correlation with the day before", 0.524, 0.15],
  ["hourlyIndexQ05", "hourly index: 5 % quantile", 0.118, 0.055],
  ["hourlyIndexQ10", "hourly index: 10 % quantile", 0.236, 0.08],
  ["hourlyIndexQ25", "hourly index: 25 % quantile", 0.655, 0.15],
  ["hourlyIndexQ50", "hourly index: median", 0.906, 0.055],
  ["hourlyIndexQ75", "hourly index: 75 % quantile", 0.957, 0.01],
  ["hourlyIndexQ90", "hourly index: 90 % quantile", 0.987, 0.0035],
  ["hourlyIndexLag1", "hourly index: correlation with the hour before", 0.877, 0.025],
  ["hourlyIndexLag4", "hourly index: correlation with four hours before", 0.639, 0.085],
  ["withinDayDeviation", "hourly index: standard deviation within a day", 0.1251, 0.0095],
  ["plantCorrelation", "daily index: correlation between plants", 0.986, 0.008],
  ["persistenceError", "persistence, issued 12:00 for the next day: nMAE by daylight", 0.084, 0.015],
];

const LOADS: readonly Row[] = [
  ["dailyKwh", "energy per day, kWh", 25.244, 2.5],
  ["homeSpread", "the same: standard deviation between homes over mean", 0.133, 0.085],
  ["dailyVariation", "energy per day less its 31-day mean: standard deviation over mean", 0.285, 0.025],
  ["dailyLag1", "the same: correlation with the day before", 0.51, 0.07],
  ["seasonVariation", "31-day mean: standard deviation over mean", 0.29, 0.045],
  ["homeCorrelation", "energy per day less its 31-day mean: correlation between homes", 0.409, 0.09],
  ["weekendRatio", "weekends over other days", 1.09, 0.045],
  ["hourShare", "share of the variance explained by hour and weekend", 0.1402, 0.04],
  ["residualLag1", "residual of that: correlation at 1 hour", 0.609, 0.035],
  ["residualLag2", "residual of that: correlation at 2 hours", 0.429, 0.04],
  ["residualLag3", "residual of that: correlation at 3 hours", 0.334, 0.055],
  ["residualLag24", "residual of that: correlation at 24 hours", 0.456, 0.065],
  ["hourlyVariation", "hours: standard deviation over mean", 0.894, 0.07],
  ["hourlyQ05", "hours: 5 % quantile over mean", 0.1379, 0.02],
  ["hourlyQ50", "hours: median over mean", 0.688, 0.08],
  ["hourlyQ95", "hours: 95 % quantile over mean", 2.914, 0.25],
  ["hourlyQ99", "hours: 99 % quantile over mean", 3.867, 0.3],
  ["shareFrom00", "share of the energy 00:00–03:00", 0.0866, 0.008],
  ["shareFrom03", "share of the energy 03:00–06:00", 0.0839, 0.009],
  ["shareFrom06", "share of the energy 06:00–09:00", 0.1163, 0.02],
  ["shareFrom09", "share of the energy 09:00–12:00", 0.162, 0.02],
  ["shareFrom12", "share of the energy 12:00–15:00", 0.1333, 0.025],
  ["shareFrom15", "share of the energy 15:00–18:00", 0.1464, 0.02],
  ["shareFrom18", "share of the energy 18:00–21:00", 0.1443, 0.03],
  ["shareFrom21", "share of the energy 21:00–24:00", 0.1273, 0.02],
  ["persistenceError", "persistence, issued 12:00 for the next day: WAPE", 0.578, 0.045],
  ["sumHourlyVariation", "sum of the homes, hours: standard deviation over mean", 0.495, 0.045],
  ["sumPersistenceError", "sum of the homes: persistence WAPE", 0.287, 0.025],
];

const SPIKES: readonly Row[] = [
  ["halfHourDeviationRatio", "standard deviation of half-hours over that of hours", 1.079, 0.015],
  ["halfHourLag1", "half-hours: correlation with the half-hour before", 0.763, 0.075],
];

function targets(group: FitGroup, rows: readonly Row[]): readonly FitTarget[] {
  return rows.map(([statistic, meaning, measured, tolerance]) => ({ group, statistic, meaning, measured, tolerance }));
}

export const FIT_TARGETS: readonly FitTarget[] = [
  ...targets("parks", PLANTS),
  ...targets("forecasts", FORECASTS),
  ...targets("weather", WEATHER),
  ...targets("roofs", ROOFS),
  ...targets("loads", LOADS),
  ...targets("spikes", SPIKES),
];
