/**
 * Statistics that tell whether generated series behave like measured ones. Everything is computed on hourly means by the
 * local clock (but for what is named otherwise), in the same way for both; figures are means over the plants or homes.
 *
 * "Index" is energy over its envelope: the 95 % quantile of the same hour over the 31 days around. It is a clear-sky index that
 * needs neither geometry nor a trustworthy sensor. Only hours with an envelope above 15 % of its highest value count.
 */
import { addLocalDays, daysBetween, type ZoneName } from "#core";
import type { Community } from "../community.ts";
import type { MeterSeries, WeatherForecastSeries, WeatherVariable } from "../series.ts";
import { weekdayOf } from "./calendar.ts";
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

/** Named figures. Shares, indices and correlations are plain numbers, errors are shares of the nameplate or of the mean load. */
export type Statistics = Readonly<Record<string, number>>;

export type MeteredPlant = { readonly power: MeterSeries; readonly nameplateW: number };
export type ForecastPlant = MeteredPlant & { readonly forecast: WeatherForecastSeries };

/** What instruments at a plant see, per slot: global irradiance on level ground in W/m², air temperature in °C. */
export type WeatherStation = {
  readonly ghi?: SlotValues;
  readonly temperature: SlotValues;
  readonly forecast: WeatherForecastSeries;
};

const ENVELOPE_DAYS = 15;
const ENVELOPE_QUANTILE = 0.95;
const ENVELOPE_SHARE_MIN = 0.15;
const DAYLIGHT_SHARE_MIN = 0.005;
const MS_PER_MINUTE = 60_000;
const HOURS_PER_DAY = 24;
const FACTOR_DAYS = 28;
const TREND_DAYS = 15;

function slotValues({ startMs, slotMinutes, energyWh }: MeterSeries): SlotValues {
  return { startMs, slotMs: slotMinutes * MS_PER_MINUTE, values: energyWh };
}

/** Mean power in W by local day and hour. */
function powerGrid(series: MeterSeries, timeZone: ZoneName): HourGrid {
  const grid = hourGrid(slotValues(series), timeZone);
  return { ...grid, values: grid.values.map((energyWh) => (energyWh * 60) / series.slotMinutes) };
}

/** The 95 % quantile of each hour over the 31 days around each day. */
function envelope(grid: HourGrid): HourGrid {
  const window = new Float64Array(2 * ENVELOPE_DAYS + 1);
  return mapGrid(grid, (day, hour) => {
    let isDark = true;
    for (let offset = 0; offset < window.length; offset++) {
      const value = at(grid, day - ENVELOPE_DAYS + offset, hour);
      window[offset] = value;
      if (value > 0) isDark = false;
    }
    return isDark ? 0 : quantile(window, ENVELOPE_QUANTILE);
  });
}

type IndexGrids = { readonly envelope: HourGrid; readonly hourly: HourGrid; readonly daily: Float64Array };

/** Index by hour, and by day where all hours are there. */
function indexOf(grid: HourGrid): IndexGrids {
  const top = envelope(grid);
  const threshold = ENVELOPE_SHARE_MIN * top.values.reduce((high, value) => (value > high ? value : high), 0);
  const isLight = (cell: number): boolean => (top.values[cell] ?? 0) > threshold;
  const hourly = {
    ...grid,
    values: grid.values.map((value, cell) => (isLight(cell) ? value / (top.values[cell] ?? 1) : Number.NaN)),
  };
  const light = (source: HourGrid): Float64Array =>
    perDay({ ...source, values: source.values.map((value, cell) => (isLight(cell) ? value : 0)) }, (row) =>
      row.reduce((sum, value) => sum + value, 0),
    );
  const [energy, possible] = [light(grid), light(top)];
  return { envelope: top, hourly, daily: energy.map((sum, day) => sum / (possible[day] ?? 1)) };
}

/** How the light at plants of one region behaves. */
export function plantStatistics(plants: readonly MeteredPlant[], timeZone: ZoneName): Statistics {
  const grids = plants.map(({ power }) => powerGrid(power, timeZone));
  const indices = grids.map(indexOf);
  const overPlants = (figure: (index: IndexGrids, plant: number) => number): number => mean(indices.map(figure));
  const hourly = (probability: number): number => overPlants(({ hourly: { values } }) => quantile(values, probability));
  const byDay = (probability: number): number => overPlants(({ daily }) => quantile(daily, probability));
  return {
    capacityFactor: mean(grids.map(({ values }, plant) => mean(values) / (plants[plant]?.nameplateW ?? 1))),
    dailyIndexMean: overPlants((index) => mean(index.daily)),
    dailyIndexVariation: overPlants((index) => deviation(index.daily) / mean(index.daily)),
    dailyIndexQ10: byDay(0.1),
    dailyIndexQ25: byDay(0.25),
    dailyIndexQ50: byDay(0.5),
    dailyIndexQ75: byDay(0.75),
    dailyIndexQ90: byDay(0.9),
    dailyIndexLag1: overPlants((index) => autocorrelation(index.daily, 1)),
    hourlyIndexQ05: hourly(0.05),
    hourlyIndexQ10: hourly(0.1),
    hourlyIndexQ25: hourly(0.25),
    hourlyIndexQ50: hourly(0.5),
    hourlyIndexQ75: hourly(0.75),
    hourlyIndexQ90: hourly(0.9),
    hourlyIndexLag1: overPlants((index) => autocorrelation(index.hourly.values, 1)),
    hourlyIndexLag4: overPlants((index) => autocorrelation(index.hourly.values, 4)),
    withinDayDeviation: overPlants((index) => mean(perDay(index.hourly, deviation))),
    ...(plants.length > 1
      ? {
          plantCorrelation: meanPairCorrelation(
            indices.map(({ hourly: { firstDay }, daily: values }) => ({ firstDay, values })),
          ),
        }
      : {}),
    persistenceError: overPlants(({ envelope: top }, plant) => {
      const nameplateW = plants[plant]?.nameplateW ?? 1;
      const grid = grids[plant];
      return grid === undefined ? Number.NaN : daylightError(grid, persistence(grid), top, nameplateW).absolute;
    }),
  };
}

/** Mean absolute and root mean square error by daylight, as shares of the nameplate. */
type DaylightError = { readonly absolute: number; readonly rootMeanSquare: number };

function daylightError(actual: HourGrid, forecast: HourGrid, top: HourGrid, nameplateW: number): DaylightError {
  const errors = actual.values.map((value, cell) =>
    (top.values[cell] ?? 0) > DAYLIGHT_SHARE_MIN * nameplateW
      ? (forecast.values[cell] ?? Number.NaN) - value
      : Number.NaN,
  );
  return {
    absolute: mean(errors.map(Math.abs)) / nameplateW,
    rootMeanSquare: Math.sqrt(mean(errors.map((error) => error * error))) / nameplateW,
  };
}

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

/** One variable of all vintages in one row of slots; later vintages overwrite. */
function joinedVintages({ vintages, slotMinutes }: WeatherForecastSeries, variable: WeatherVariable): SlotValues {
  const slotMs = slotMinutes * MS_PER_MINUTE;
  const startMs = Math.min(...vintages.map((vintage) => vintage.startMs));
  const ends = vintages.map((vintage) => vintage.startMs + (vintage.values[variable]?.length ?? 0) * slotMs);
  const values = new Float64Array((Math.max(...ends) - startMs) / slotMs).fill(Number.NaN);
  for (const vintage of vintages) values.set(vintage.values[variable] ?? [], (vintage.startMs - startMs) / slotMs);
  return { startMs, slotMs, values };
}

/** The grid's values on the days of another one. */
function alignedTo(target: HourGrid, grid: HourGrid): HourGrid {
  const shift = daysBetween(grid.firstDay, target.firstDay);
  return mapGrid(target, (day, hour) => at(grid, day + shift, hour));
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
    return {
      error: mean(grid.values.map((value, cell) => Math.abs((predicted.values[cell] ?? Number.NaN) - value))),
      departures: daily.map((value, day) => value - mean(around(daily, day))),
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

/** The 31 days around a day. */
function around(daily: Float64Array, day: number): Float64Array {
  return daily.subarray(Math.max(0, day - TREND_DAYS), day + TREND_DAYS + 1);
}

/** How the electricity use of homes behaves. Figures are means over the homes, but for those of their sum. */
export function loadStatistics(homes: readonly MeterSeries[], timeZone: ZoneName): Statistics {
  const grids = homes.map((series) => powerGrid(series, timeZone));
  const studies = grids.map(studyLoad);
  const figure = (compute: (study: LoadStudy) => number): number => mean(studies.map(compute));
  const relativeQuantile = (probability: number): number =>
    figure(({ grid, meanW }) => quantile(grid.values, probability) / meanW);
  const residualLag = (lag: number): number => figure(({ residuals }) => autocorrelation(residuals, lag));
  return {
    dailyKwh: figure(({ meanW }) => (meanW * HOURS_PER_DAY) / 1000),
    ...(homes.length > 1 ? { homeSpread: spreadOf(studies.map(({ meanW }) => meanW)) } : {}),
    dailyVariation: figure(({ departures }) => deviation(departures)),
    dailyLag1: figure(({ departures }) => autocorrelation(departures, 1)),
    seasonVariation: figure(({ trend, meanDaily }) => deviation(trend) / meanDaily),
    ...(homes.length > 1
      ? {
          homeCorrelation: meanPairCorrelation(
            studies.map(({ grid: { firstDay }, departures: values }) => ({ firstDay, values })),
          ),
        }
      : {}),
    weekendRatio: figure(({ weekendRatio }) => weekendRatio),
    hourShare: figure(({ hourShare }) => hourShare),
    residualLag1: residualLag(1),
    residualLag2: residualLag(2),
    residualLag3: residualLag(3),
    residualLag24: residualLag(24),
    hourlyVariation: figure(({ grid, meanW }) => deviation(grid.values) / meanW),
    hourlyQ05: relativeQuantile(0.05),
    hourlyQ50: relativeQuantile(0.5),
    hourlyQ95: relativeQuantile(0.95),
    hourlyQ99: relativeQuantile(0.99),
    ...threeHourShares(grids),
    persistenceError: figure(({ grid, meanW }) => persistenceError(grid) / meanW),
    ...(homes.length > 1 ? sumStatistics(grids) : {}),
  };
}

function spreadOf(means: readonly number[]): number {
  return deviation(Float64Array.from(means)) / mean(means);
}

type LoadStudy = {
  readonly grid: HourGrid;
  readonly meanW: number;
  readonly meanDaily: number;
  /** Moving mean of daily totals over 31 days, and what each day departs from it, over the mean of all days. */
  readonly trend: Float64Array;
  readonly departures: Float64Array;
  /** What is left when the mean of the hour, apart for weekends, is taken away; and the variance that this takes away. */
  readonly residuals: Float64Array;
  readonly hourShare: number;
  readonly weekendRatio: number;
};

function studyLoad(grid: HourGrid): LoadStudy {
  const daily = perDay(grid, (row) => row.reduce((sum, value) => sum + value, 0));
  const meanDaily = mean(daily);
  const trend = daily.map((_, day) => mean(around(daily, day)));
  const isWeekend = (day: number): boolean => weekdayOf(addLocalDays(grid.firstDay, day)) >= 6;
  const weekend = Array.from({ length: grid.days }, (_, day) => isWeekend(day));
  const typical = [false, true].map((kind) =>
    Float64Array.from({ length: HOURS_PER_DAY }, (_, hour) =>
      mean(weekend.map((isKind, day) => (isKind === kind ? at(grid, day, hour) : Number.NaN))),
    ),
  );
  const expected = mapGrid(grid, (day, hour) => typical[weekend[day] ? 1 : 0]?.[hour] ?? Number.NaN);
  const residuals = grid.values.map((value, cell) => value - (expected.values[cell] ?? Number.NaN));
  return {
    grid,
    meanW: mean(grid.values),
    meanDaily,
    trend,
    departures: daily.map((value, day) => (value - (trend[day] ?? Number.NaN)) / meanDaily),
    residuals,
    hourShare: 1 - deviation(residuals) ** 2 / deviation(grid.values) ** 2,
    weekendRatio: mean(daily.filter((_, day) => weekend[day])) / mean(daily.filter((_, day) => !weekend[day])),
  };
}

/** Share of the energy per three hours of the local day, mean over the homes. */
function threeHourShares(grids: readonly HourGrid[]): Statistics {
  const profiles = grids.map((grid) =>
    Array.from({ length: HOURS_PER_DAY }, (_, hour) =>
      mean(Array.from({ length: grid.days }, (_, day) => at(grid, day, hour))),
    ),
  );
  const share = (from: number): number =>
    mean(profiles.map((profile) => sum(profile.slice(from, from + 3)) / sum(profile)));
  return Object.fromEntries(
    [0, 3, 6, 9, 12, 15, 18, 21].map((from) => [`shareFrom${String(from).padStart(2, "0")}`, share(from)]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function persistenceError(grid: HourGrid): number {
  const known = persistence(grid);
  return mean(grid.values.map((value, cell) => Math.abs((known.values[cell] ?? Number.NaN) - value)));
}

/** The sum of all homes: what a supplier sees. */
function sumStatistics(grids: readonly HourGrid[]): Statistics {
  const [first] = grids;
  if (first === undefined) return {};
  const total = mapGrid(first, (day, hour) => sum(grids.map((grid) => at(grid, day, hour))));
  const meanW = mean(total.values);
  return { sumHourlyVariation: deviation(total.values) / meanW, sumPersistenceError: persistenceError(total) / meanW };
}

/** How much more half-hours vary than hours: the spikes that an hour hides. Needs slots of at most 30 minutes. */
export function halfHourStatistics(homes: readonly MeterSeries[], timeZone: ZoneName): Statistics {
  const ratios = homes.map((series) => {
    const perHalfHour = 30 / series.slotMinutes;
    const values = Float64Array.from({ length: Math.floor(series.energyWh.length / perHalfHour) }, (_, half) =>
      sum([...series.energyWh.subarray(half * perHalfHour, (half + 1) * perHalfHour)]),
    );
    const hourly = powerGrid(series, timeZone);
    return { ratio: (2 * deviation(values)) / deviation(hourly.values), lag1: autocorrelation(values, 1) };
  });
  return {
    halfHourDeviationRatio: mean(ratios.map(({ ratio }) => ratio)),
    halfHourLag1: mean(ratios.map(({ lag1 }) => lag1)),
  };
}

/** How much light changes within an hour: the standard deviation of its four quarters over the envelope. */
export function quarterHourStatistics(plants: readonly MeteredPlant[], timeZone: ZoneName): Statistics {
  const deviations = plants.map(({ power }) => {
    const { hourly, envelope: top } = indexOf(powerGrid(power, timeZone));
    const quarters = power.energyWh;
    const spread = quarters.map((_, slot) =>
      slot % 4 === 0 ? deviation(quarters.subarray(slot, slot + 4)) * 4 : Number.NaN,
    );
    const grid = hourGrid({ ...slotValues(power), values: repeatedPerHour(spread) }, timeZone);
    return mean(
      grid.values.map((value, cell) =>
        Number.isFinite(hourly.values[cell] ?? Number.NaN) ? value / (top.values[cell] ?? 1) : Number.NaN,
      ),
    );
  });
  return { withinHourDeviation: mean(deviations) };
}

/** The value of each hour's first quarter in all its quarters. */
function repeatedPerHour(values: Float64Array): Float64Array {
  return values.map((_, slot) => values[slot - (slot % 4)] ?? Number.NaN);
}

/** The plants of a community that have a meter, each with its forecast where there is one. */
export function communityPlants({
  members,
  data,
  slotMinutes,
}: Community): readonly (MeteredPlant & Partial<ForecastPlant>)[] {
  return members.flatMap(({ production, weather, capacityPerSlot, battery }) => {
    const power = data.meters.get(production ?? "");
    const forecast = data.weather.get(weather ?? "");
    if (power === undefined) return [];
    const nameplateW = (Number(capacityPerSlot) * 60) / slotMinutes - (battery?.powerW ?? 0);
    return [{ power, nameplateW, ...(forecast === undefined ? {} : { forecast }) }];
  });
}

export function communityLoads({ members, data }: Community): readonly MeterSeries[] {
  return members.flatMap(({ load }) => data.meters.get(load ?? "") ?? []);
}

/** The statistics of any community: of its plants, of those that have a forecast, and of its loads. */
export function communityStatistics(community: Community): {
  readonly plants: Statistics;
  readonly forecasts: Statistics;
  readonly loads: Statistics;
} {
  const plants = communityPlants(community);
  const hasForecast = (plant: MeteredPlant & Partial<ForecastPlant>): plant is ForecastPlant =>
    plant.forecast !== undefined;
  return {
    plants: plantStatistics(plants, community.timeZone),
    forecasts: forecastStatistics(plants.filter(hasForecast), community.timeZone),
    loads: loadStatistics(communityLoads(community), community.timeZone),
  };
}
