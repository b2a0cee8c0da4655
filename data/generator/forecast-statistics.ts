/** How far day-ahead forecasts are off, of plants' energy and of the weather itself, on hourly means by the local clock. */
import type { ZoneName } from "#core";
import type { WeatherForecastSeries } from "../series.ts";
import {
  at,
  autocorrelation,
  correlation,
  deviation,
  type HourGrid,
  hourGrid,
  mapGrid,
  mean,
  meanPairCorrelation,
  perDay,
  persistence,
  quantile,
  type SlotValues,
} from "./hour-grid.ts";
import { type DaylightError, daylightError, type IndexGrids, indexOf, type MeteredPlant } from "./plant-statistics.ts";
import { alignedTo, joinedVintages, monthlyTrend, powerGrid, type Statistics } from "./series-grids.ts";

export type ForecastPlant = MeteredPlant & { readonly forecast: WeatherForecastSeries };

/** What instruments at a plant see, per slot: global irradiance on level ground in W/m², air temperature in °C. */
export type WeatherStation = {
  readonly ghi?: SlotValues;
  readonly temperature: SlotValues;
  readonly forecast: WeatherForecastSeries;
};

const FACTOR_DAYS = 28;

/** How day-ahead irradiance forecasts relate to what plants then produce. */
export function forecastStatistics(plants: readonly ForecastPlant[], timeZone: ZoneName): Statistics {
  const studies = plants.map((plant) => studyForecast(plant, timeZone));
  const figure = (compute: (study: ForecastStudy) => number): number => mean(studies.map(compute));
  const predictedQuantile = (probability: number): number =>
    figure(({ predicted }) => quantile(predicted.hourly.values, probability));
  return {
    forecastIndexQ10: predictedQuantile(0.1),
    forecastIndexQ25: predictedQuantile(0.25),
    forecastIndexQ50: predictedQuantile(0.5),
    forecastIndexQ75: predictedQuantile(0.75),
    forecastIndexLag1: figure(({ predicted }) => autocorrelation(predicted.hourly.values, 1)),
    forecastDailyCorrelation: figure(({ predicted, realised }) => correlation(predicted.daily, realised.daily)),
    forecastDailyErrorDeviation: figure(({ dailyErrors }) => deviation(dailyErrors)),
    forecastDailyErrorLag1: figure(({ dailyErrors }) => autocorrelation(dailyErrors, 1)),
    forecastHourlyErrorMean: figure(({ hourlyErrors }) => mean(hourlyErrors)),
    forecastHourlyErrorAbsolute: figure(({ hourlyErrors }) => mean(hourlyErrors.map(Math.abs))),
    forecastHourlyErrorLag1: figure(({ hourlyErrors }) => autocorrelation(hourlyErrors, 1)),
    forecastHourlyErrorLag4: figure(({ hourlyErrors }) => autocorrelation(hourlyErrors, 4)),
    ...(plants.length > 1
      ? {
          forecastErrorCorrelation: meanPairCorrelation(
            studies.map(({ realised, dailyErrors: values }) => ({ firstDay: realised.hourly.firstDay, values })),
          ),
        }
      : {}),
    forecastPowerError: figure(({ power }) => power.absolute),
    forecastPersistenceError: figure(({ reference }) => reference.absolute),
    forecastSkill: figure(({ power, reference }) => 1 - power.rootMeanSquare / reference.rootMeanSquare),
  };
}

type ForecastStudy = {
  readonly realised: IndexGrids;
  readonly predicted: IndexGrids;
  readonly hourlyErrors: Float64Array;
  readonly dailyErrors: Float64Array;
  /** Errors of the power that the forecast gives, and of persistence, on the same hours. */
  readonly power: DaylightError;
  readonly reference: DaylightError;
};

function studyForecast({ power, nameplateW, forecast }: ForecastPlant, timeZone: ZoneName): ForecastStudy {
  const actual = powerGrid(power, timeZone);
  const irradiance = hourGrid(joinedVintages(forecast, "ghi"), timeZone);
  const [realised, predicted] = [indexOf(actual), indexOf(alignedTo(actual, irradiance))];
  const scaled = scaledForecast(actual, alignedTo(actual, irradiance));
  const known = persistence(actual);
  const isScored = (day: number, hour: number): boolean =>
    Number.isFinite(at(scaled, day, hour) + at(known, day, hour));
  const scored = (grid: HourGrid): HourGrid =>
    mapGrid(grid, (day, hour) => (isScored(day, hour) ? at(grid, day, hour) : Number.NaN));
  return {
    realised,
    predicted,
    hourlyErrors: predicted.hourly.values.map((value, cell) => value - (realised.hourly.values[cell] ?? Number.NaN)),
    dailyErrors: predicted.daily.map((value, day) => value - (realised.daily[day] ?? Number.NaN)),
    power: daylightError(actual, scored(scaled), realised.envelope, nameplateW),
    reference: daylightError(actual, scored(known), realised.envelope, nameplateW),
  };
}

/** Forecast irradiance times energy over irradiance in the same hour of the 28 latest days that are known when it is issued. */
function scaledForecast(actual: HourGrid, irradiance: HourGrid): HourGrid {
  return mapGrid(actual, (day, hour) => {
    const latest = day - (hour < 12 ? 1 : 2);
    if (latest < FACTOR_DAYS) return Number.NaN;
    let [energy, light] = [0, 0];
    for (let past = latest - FACTOR_DAYS + 1; past <= latest; past++) {
      const [produced, forecast] = [at(actual, past, hour), at(irradiance, past, hour)];
      if (!Number.isFinite(produced + forecast)) continue;
      energy += produced;
      light += forecast;
    }
    return light > 0 ? (energy / light) * at(irradiance, day, hour) : 0;
  });
}

/** How realised weather behaves, and how far forecasts of it are off. */
export function weatherStatistics(stations: readonly WeatherStation[], timeZone: ZoneName): Statistics {
  const studies = stations.map(({ ghi, temperature, forecast }) => {
    const grid = hourGrid(temperature, timeZone);
    const predicted = alignedTo(grid, hourGrid(joinedVintages(forecast, "temperature"), timeZone));
    const daily = perDay(grid, mean);
    const trend = monthlyTrend(daily);
    return {
      error: mean(grid.values.map((value, cell) => Math.abs((predicted.values[cell] ?? Number.NaN) - value))),
      departures: daily.map((value, day) => value - (trend[day] ?? Number.NaN)),
      range: mean(perDay(grid, (row) => Math.max(...row) - Math.min(...row))),
      ratio: ghi === undefined ? Number.NaN : irradianceRatio(hourGrid(ghi, timeZone), forecast, timeZone),
    };
  });
  return {
    forecastGhiRatio: mean(studies.map(({ ratio }) => ratio)),
    temperatureForecastError: mean(studies.map(({ error }) => error)),
    temperatureDayDeviation: mean(studies.map(({ departures }) => deviation(departures))),
    temperatureDayLag1: mean(studies.map(({ departures }) => autocorrelation(departures, 1))),
    temperatureDailyRange: mean(studies.map(({ range }) => range)),
  };
}

/** Forecast over measured irradiance, summed over the hours that have both. */
function irradianceRatio(measured: HourGrid, forecast: WeatherForecastSeries, timeZone: ZoneName): number {
  const predicted = alignedTo(measured, hourGrid(joinedVintages(forecast, "ghi"), timeZone));
  const hasBoth = (cell: number): boolean =>
    Number.isFinite((measured.values[cell] ?? Number.NaN) + (predicted.values[cell] ?? Number.NaN));
  const meanOfBoth = (grid: HourGrid): number => mean(grid.values.filter((_, cell) => hasBoth(cell)));
  return meanOfBoth(predicted) / meanOfBoth(measured);
}
