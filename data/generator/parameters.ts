/**
 * Every fitted number of the generator, each with the statistic and the data set that it comes from.
 *
 * Data sets: "pvod" is PVOD v1.0, ten plants in Hebei with a weather model's forecast (Yao et al., Solar Energy 230 (2021)
 * 122, doi:10.1016/j.solener.2021.09.050; plants 01, 02 and 07); "citylearn" is the CityLearn Challenge 2022, homes 1…8 in
 * Fontana, California; "emhass" is one home in the French Alps. "Index" is energy over the envelope of its hour: see
 * `plant-statistics.ts`. Scores are standard normal scores of the index within its marginal distribution.
 * What is not fitted says so.
 */
import type { QuantileTable } from "./normal-distribution.ts";

/** Kinds of day in the order of their light: overcast, mixed, clear. */
export const DAY_TYPES = ["overcast", "mixed", "clear"] as const;
export type DayType = (typeof DAY_TYPES)[number];

/** How the clear-sky index moves within a day of one type. The three shares of its score's variance sum to 1. */
export type DayTypeParameters = {
  /** Quantiles of the quarter-hourly clear-sky index. */
  readonly index: QuantileTable;
  readonly shareOfDay: number;
  readonly shareOfHours: number;
  readonly shareOfQuarterHour: number;
};

export type CloudParameters = {
  /** Row: today's type; column: tomorrow's; order of {@link DAY_TYPES}. */
  readonly transitions: readonly (readonly [number, number, number])[];
  readonly types: Readonly<Record<DayType, DayTypeParameters>>;
  /** Correlation of the hours' part of the score from one quarter-hour to the next. */
  readonly hoursCorrelation: number;
  /** Quantiles of the daily index, and of the index of all daylight quarter-hours: what a forecast is drawn relative to. */
  readonly dailyIndex: QuantileTable;
  readonly quarterHourIndex: QuantileTable;
  /** Global irradiance of a clear day over the clear-sky formula's. */
  readonly clearSkyFactor: number;
  /** Share of a site's scores that it has in common with the region: for the day and for the quarter-hour. */
  readonly regionalShareOfDay: number;
  readonly regionalShareOfHours: number;
};

export type TemperatureParameters = {
  /** Mean of the year and amplitude of the yearly cycle, °C; the warmest day of the year in the north. */
  readonly yearMean: number;
  readonly yearAmplitude: number;
  readonly warmestDay: number;
  /** Standard deviation (°C) and day-to-day correlation of the departure of daily means from the yearly cycle. */
  readonly dayDeviation: number;
  readonly dayCorrelation: number;
  /** Daily range in °C: `rangeBase + rangePerIndex × daily index`. */
  readonly rangeBase: number;
  readonly rangePerIndex: number;
};

export type ClimateParameters = {
  readonly clouds: CloudParameters;
  readonly temperature: TemperatureParameters;
  /** Quantiles of the index that is forecast for daylight quarter-hours. */
  readonly forecastIndex: QuantileTable;
};
export type ClimateName = "continental" | "sunny";

/** How day-ahead forecasts miss. */
export type ForecastParameters = {
  /** Correlation of the scores of the daily index, forecast with realised. */
  readonly dayCorrelation: number;
  /** Day-to-day correlation of what the forecast's daily score does not share with the realised one. */
  readonly dayErrorPersistence: number;
  /** Share of the variance of the forecast's score that is the day's. */
  readonly shareOfDay: number;
  /** Within the day: weight of the realised index's score (its departure from the day's mean, smoothed), of our own noise. */
  readonly hoursWeight: number;
  readonly hoursSmoothingSteps: number;
  readonly hoursNoise: number;
  readonly hoursNoiseRoot: number;
  /** Global irradiance of a forecast clear day over the clear-sky formula's. */
  readonly clearSkyFactor: number;
  /** Share of the forecast's day error that it has in common with the region. */
  readonly regionalShareOfError: number;
  /** Temperature error: bias and standard deviations of the daily and of the within-day part (°C), and their correlations. */
  readonly temperatureBias: number;
  readonly temperatureDayError: number;
  readonly temperatureDayErrorPersistence: number;
  readonly temperatureHoursError: number;
  readonly temperatureHoursErrorCorrelation: number;
  readonly publicationDelayMinutesMax: number;
};

export type PlantParameters = {
  /** Energy out over energy that the standard formula gives, uniform in this range: soiling, cables, age, outages. */
  readonly systemFactor: readonly [number, number];
  readonly tiltDegrees: readonly [number, number];
  /** From due equator, west positive: drawn from this normal distribution's mean and standard deviation. */
  readonly azimuthDegrees: readonly [number, number];
  /** Standard deviation and quarter-hourly correlation of a plant's own light over its site's; and of its own daily factor. */
  readonly lightNoise: number;
  readonly lightNoiseCorrelation: number;
  readonly dayNoise: number;
};

export type LoadParameters = {
  /** Daily mean of a home before the limit below, Wh: median, and standard deviation of the logarithm. */
  readonly dailyWh: readonly [number, number];
  /** Seasonal cycle of the logarithm: yearly and half-yearly amplitude, warmest day in the north; times a home's own factor. */
  readonly yearAmplitude: number;
  readonly halfYearAmplitude: number;
  readonly warmestDay: number;
  readonly seasonFactor: readonly [number, number];
  /** Day-to-day factor: standard deviation of its logarithm (range over homes), share common to all homes, correlations. */
  readonly dayDeviation: readonly [number, number];
  readonly commonShareOfDay: number;
  readonly dayCorrelation: readonly [number, number];
  readonly commonDayCorrelation: number;
  /** Load of Saturdays and Sundays over that of other days: mean and standard deviation over homes. */
  readonly weekendFactor: readonly [number, number];
  /** Daily profile: the same everywhere, plus three bumps. */
  readonly profileFloor: number;
  readonly morning: ProfileBump;
  readonly midday: ProfileBump;
  readonly evening: ProfileBump;
  readonly weekendMorningShiftHours: number;
  /** Slow drift of the bumps' weights: deviation of the squared factor, and day-to-day correlation. */
  readonly habitDeviation: number;
  readonly habitCorrelation: number;
  /** Activity that comes and goes: deviation of the squared factor and quarter-hourly correlation (ranges over homes). */
  readonly activityDeviation: readonly [number, number];
  readonly activityCorrelation: readonly [number, number];
  /** Appliances: share of the energy (range over homes), power in W (range over homes), mean run in quarter-hours. */
  readonly applianceShare: readonly [number, number];
  readonly appliancePowerW: readonly [number, number];
  readonly applianceRunSteps: number;
  /** The load that a home approaches and never exceeds, over its mean: there are only so many things to switch on. */
  readonly limitFactor: number;
};

/** Centre (hour; mean and standard deviation over homes), width (hours), height over the floor's scale (range over homes). */
export type ProfileBump = {
  readonly centreHour: readonly [number, number];
  readonly widthHours: number;
  readonly weight: readonly [number, number];
};

export type TariffParameters = {
  /** Micros per kWh. */
  readonly feedIn: number;
  readonly offPeakWinter: number;
  readonly offPeakSummer: number;
  readonly peakWinter: number;
  readonly peakSummerWeekend: number;
  readonly peakSummerWeekday: number;
  /** Local hours `[from, until)` of the peak. */
  readonly peakHours: readonly [number, number];
  /** Months of summer in the north. */
  readonly summerMonths: readonly [number, number];
};

export type GeneratorParameters = {
  readonly climates: Readonly<Record<ClimateName, ClimateParameters>>;
  readonly forecast: ForecastParameters;
  readonly park: PlantParameters;
  readonly roof: PlantParameters;
  readonly load: LoadParameters;
  readonly tariff: TariffParameters;
};

/** Fitted to the three pvod plants: metered power for the clouds, local thermometers for the temperature. */
const CONTINENTAL: ClimateParameters = {
  clouds: {
    // Counts of consecutive days by type (daily index below 0.45, below 0.8, above; 1,001 pairs of days), moved by 0.15
    // towards staying: types seen through the index follow each other less than the types behind it. Fits dailyIndexLag1.
    transitions: [
      [0.49, 0.343, 0.167],
      [0.202, 0.552, 0.246],
      [0.095, 0.291, 0.614],
    ],
    types: {
      // Quantiles of the quarter-hourly index of power on days of the type, to the power of 0.86, 0.72 and 0.85: clouds take
      // more from a tilted panel than from the level ground that this index is for. Fits the quantiles of both indices.
      // Shares: autocorrelation of the index's scores at 1 … 24 quarter-hours, and withinHourDeviation.
      overcast: {
        index: [0, 0.038, 0.083, 0.168, 0.289, 0.432, 0.58, 0.688, 0.895],
        shareOfDay: 0,
        shareOfHours: 0.965,
        shareOfQuarterHour: 0.035,
      },
      mixed: {
        index: [0.189, 0.356, 0.437, 0.581, 0.741, 0.855, 0.923, 0.956, 1.022],
        shareOfDay: 0,
        shareOfHours: 0.93,
        shareOfQuarterHour: 0.07,
      },
      clear: {
        index: [0.403, 0.661, 0.771, 0.876, 0.941, 0.986, 1.01, 1.029, 1.095],
        shareOfDay: 0.12,
        shareOfHours: 0.8,
        shareOfQuarterHour: 0.08,
      },
    },
    // hourlyIndexLag1, hourlyIndexLag4.
    hoursCorrelation: 0.87,
    // The same quantiles over all days, raised likewise (0.85).
    dailyIndex: [0.106, 0.226, 0.32, 0.536, 0.755, 0.894, 0.964, 0.991, 1.018],
    quarterHourIndex: [0.036, 0.153, 0.244, 0.478, 0.765, 0.923, 0.991, 1.015, 1.07],
    // 95 % envelope of the pyranometer of plant 01 (the only level one) over the clear-sky formula.
    clearSkyFactor: 1.03,
    // plantCorrelation: three plants, 160 to 390 km apart. The share by hours is not fitted.
    regionalShareOfDay: 0.82,
    regionalShareOfHours: 0.5,
  },
  temperature: {
    // Daily means of the plants' thermometers (mean of three): yearly cycle by least squares, and its residuals.
    yearMean: 13.7,
    yearAmplitude: 14.7,
    warmestDay: 194,
    dayDeviation: 3.4,
    dayCorrelation: 0.64,
    rangeBase: 4.5,
    rangePerIndex: 8.8,
  },
  // Quantiles of the weather model's index, spread a little because the scores' variance is a little below 1. forecastIndexQ….
  forecastIndex: [0.002, 0.07, 0.18, 0.44, 0.89, 0.96, 0.988, 1, 1.015],
};

/** Fitted in the same way to the roofs of citylearn homes 1…6 and 8, which are hourly. */
const SUNNY: ClimateParameters = {
  clouds: {
    // Moved by 0.25 towards staying.
    transitions: [
      [0.558, 0.277, 0.165],
      [0.227, 0.418, 0.355],
      [0.032, 0.101, 0.867],
    ],
    types: {
      overcast: {
        index: [0, 0.012, 0.04, 0.115, 0.235, 0.385, 0.575, 0.71, 0.9],
        shareOfDay: 0.05,
        shareOfHours: 0.88,
        shareOfQuarterHour: 0.07,
      },
      mixed: {
        index: [0.01, 0.17, 0.29, 0.52, 0.73, 0.88, 0.94, 0.97, 1.02],
        shareOfDay: 0,
        shareOfHours: 0.91,
        shareOfQuarterHour: 0.09,
      },
      clear: {
        index: [0.3, 0.74, 0.875, 0.95, 0.975, 0.987, 0.994, 0.998, 1.005],
        shareOfDay: 0.15,
        shareOfHours: 0.78,
        shareOfQuarterHour: 0.07,
      },
    },
    hoursCorrelation: 0.84,
    dailyIndex: [0.1, 0.22, 0.37, 0.72, 0.91, 0.96, 0.98, 0.99, 1.006],
    quarterHourIndex: [0.01, 0.12, 0.25, 0.7, 0.93, 0.97, 0.99, 1, 1.02],
    // Not fitted: these roofs are one village, and have no level sensor.
    clearSkyFactor: 1,
    regionalShareOfDay: 0.82,
    regionalShareOfHours: 0.5,
  },
  // Yearly and daily cycle of the weather table that comes with citylearn: a typical year of the place, not the metered one.
  temperature: {
    yearMean: 16.8,
    yearAmplitude: 3.2,
    warmestDay: 221,
    dayDeviation: 1.4,
    dayCorrelation: 0.67,
    rangeBase: 4,
    rangePerIndex: 4,
  },
  // No forecast goes with these roofs: the realised distribution, so that the forecast is unbiased.
  forecastIndex: [0.01, 0.12, 0.25, 0.7, 0.93, 0.97, 0.99, 1, 1.02],
};

/** Fitted to the weather model's columns of pvod against metered power, and (temperature) against the thermometers. */
const FORECAST: ForecastParameters = {
  // forecastDailyCorrelation, forecastDailyErrorLag1, forecastSkill, forecastPowerError.
  dayCorrelation: 0.81,
  dayErrorPersistence: 0.8,
  // Share of the variance of the forecast's index scores that lies between days.
  shareOfDay: 0.74,
  // Regression of the forecast's scores within the day on the realised ones, averaged over 17 quarter-hours (correlation 0.34).
  hoursWeight: 0.5,
  hoursSmoothingSteps: 17,
  // forecastIndexLag1, forecastHourlyErrorLag1, forecastHourlyErrorLag4.
  hoursNoise: 0.46,
  hoursNoiseRoot: 0.84,
  // forecastGhiRatio at plant 01.
  clearSkyFactor: 0.88,
  // forecastErrorCorrelation.
  regionalShareOfError: 0.85,
  // Mean bias of three plants is 0.01 °C; standard deviation and correlation of the daily mean of the error, and of the rest.
  temperatureBias: 0,
  temperatureDayError: 1.2,
  temperatureDayErrorPersistence: 0.34,
  temperatureHoursError: 1.65,
  temperatureHoursErrorCorrelation: 0.96,
  // Not fitted: the files do not say when a run was published.
  publicationDelayMinutesMax: 60,
};

/** Parks: tilt as in pvod's register of plants; system factor by capacityFactor; noise by withinHourDeviation. */
const PARK: PlantParameters = {
  systemFactor: [0.72, 0.98],
  tiltDegrees: [29, 33],
  azimuthDegrees: [0, 4],
  lightNoise: 0.03,
  lightNoiseCorrelation: 0.8,
  dayNoise: 0.01,
};

/** Roofs of citylearn: capacityFactor, the hours of their peaks (some look east, some west), plantCorrelation. */
const ROOF: PlantParameters = {
  systemFactor: [0.72, 0.96],
  tiltDegrees: [15, 30],
  azimuthDegrees: [-10, 40],
  lightNoise: 0.03,
  lightNoiseCorrelation: 0.8,
  dayNoise: 0.02,
};

/** Fitted to the loads of citylearn homes 1…8; spikes within the hour to emhass. */
const LOAD: LoadParameters = {
  // dailyKwh, homeSpread.
  dailyWh: [28_000, 0.15],
  // seasonVariation; two peaks a year, in August and in winter, as in the monthly means of the homes' sum.
  yearAmplitude: 0.05,
  halfYearAmplitude: 0.52,
  warmestDay: 205,
  seasonFactor: [0.4, 1.5],
  // dailyVariation, homeCorrelation, dailyLag1, sumPersistenceError.
  dayDeviation: [0.25, 0.42],
  commonShareOfDay: 0.58,
  dayCorrelation: [0.75, 0.9],
  commonDayCorrelation: 0.76,
  // weekendRatio.
  weekendFactor: [1.13, 0.06],
  // shareFrom00 … shareFrom21, hourShare.
  profileFloor: 0.47,
  morning: { centreHour: [9.6, 1.1], widthHours: 1.3, weight: [0.5, 1.6] },
  midday: { centreHour: [14.3, 1.2], widthHours: 1.9, weight: [0.2, 1] },
  evening: { centreHour: [19.8, 1.6], widthHours: 2.1, weight: [0.5, 1.5] },
  weekendMorningShiftHours: 0.8,
  // residualLag24, hourlyVariation.
  habitDeviation: 1.25,
  habitCorrelation: 0.98,
  // residualLag1 … residualLag3, hourlyQ05, hourlyQ50, halfHourDeviationRatio (emhass).
  activityDeviation: [0.25, 0.62],
  activityCorrelation: [0.33, 0.82],
  // halfHourDeviationRatio and halfHourLag1 (emhass).
  applianceShare: [0.04, 0.14],
  appliancePowerW: [900, 2_200],
  applianceRunSteps: 3,
  // hourlyQ95, hourlyQ99.
  limitFactor: 6,
};

/** The five levels and the peak hours are those of citylearn's pricing table; the feed-in price is not fitted. */
const TARIFF: TariffParameters = {
  feedIn: 60_000,
  offPeakWinter: 210_000,
  offPeakSummer: 220_000,
  peakWinter: 500_000,
  peakSummerWeekend: 400_000,
  peakSummerWeekday: 540_000,
  peakHours: [16, 21],
  summerMonths: [6, 9],
};

export const GENERATOR_PARAMETERS: GeneratorParameters = {
  climates: { continental: CONTINENTAL, sunny: SUNNY },
  forecast: FORECAST,
  park: PARK,
  roof: ROOF,
  load: LOAD,
  tariff: TARIFF,
};
