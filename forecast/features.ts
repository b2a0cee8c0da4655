/** What the weather regression sees of one slot. All features are of the order of 1. */

import { clearSkyGhi, type SunPosition, sunPosition } from "#data";
import { type LocalCalendar, type LocalGrid, readingAt } from "./local-grid.ts";
import type { ForecastTarget } from "./model.ts";
import { plantRatio } from "./physical.ts";
import { envelopeAt, type LevelAt, lastDayRatio, recentMean, rememberedLevel } from "./recent.ts";
import { clamp } from "./statistics.ts";
import { leadingVariable, type WeatherGrid } from "./weather-grid.ts";

const FEATURE_COUNTS: Readonly<Record<ForecastTarget["kind"], number>> = { pv: 20, wind: 8, load: 13 };
const SHORT_MEAN_DAYS = 7;

/** Where features come from: meters, weather, and the unit in which energy is counted. */
export type FeatureSource = {
  readonly target: ForecastTarget;
  readonly calendar: LocalCalendar;
  readonly grid: LocalGrid;
  readonly weather: WeatherGrid;
  readonly unitWh: number;
  readonly levels: RecentLevels;
  readonly sun: SunOfCell;
};

/** The sun at the middle of a cell; undefined for a target without a site. */
export type SunOfCell = (cell: number) => SunPosition | undefined;

/** The sun over a target's site; the last answer is remembered, since all that look at a cell ask for it. */
export function sunOver({ site }: ForecastTarget, calendar: LocalCalendar): SunOfCell {
  if (site === undefined) return () => undefined;
  let lastCell = Number.NaN;
  let last: SunPosition | undefined;
  return (cell) => {
    if (cell !== lastCell) {
      last = sunPosition(calendar.startMsOf(cell) + calendar.slotMs / 2, site.latitude, site.longitude);
      lastCell = cell;
    }
    return last;
  };
}

/** Levels of the last 28 days by cell, remembered. */
export type RecentLevels = { readonly envelope: LevelAt; readonly mean: LevelAt };

export function recentLevels(grid: LocalGrid): RecentLevels {
  return { envelope: rememberedLevel(grid, envelopeAt), mean: rememberedLevel(grid, recentMean) };
}

export function featureCountOf(kind: ForecastTarget["kind"]): number {
  return FEATURE_COUNTS[kind];
}

/**
 * Writes the features of `cell` at `offset`, `latest` being the newest same slot known at the issue and `ratio` how
 * the last day compared (see `lastDayRatio`). Returns false, with nothing of use written, where history or weather is missing.
 */
export function writeFeatures(
  source: FeatureSource,
  cell: number,
  latest: number,
  ratio: number,
  out: Float64Array,
  offset: number,
): boolean {
  const mean = source.levels.mean(latest) / source.unitWh;
  const leading =
    source.weather.values[leadingVariable(source.target.kind)][cell - source.weather.firstCell] ?? Number.NaN;
  if (!Number.isFinite(mean) || !Number.isFinite(leading)) return false;
  const reading = readingAt(source.grid, latest) / source.unitWh;
  const recents = { mean, latest: Number.isNaN(reading) ? mean : reading, ratio: Number.isNaN(ratio) ? 1 : ratio };
  const features =
    source.target.kind === "pv"
      ? pvFeatures(source, cell, latest, recents)
      : source.target.kind === "wind"
        ? windFeatures(source, cell, recents)
        : loadFeatures(source, cell, latest, recents);
  out.set(features, offset);
  return true;
}

type Recents = { readonly mean: number; readonly latest: number; readonly ratio: number };

function pvFeatures(source: FeatureSource, cell: number, latest: number, recents: Recents): readonly number[] {
  const { calendar, grid, weather } = source;
  const hour = grid.slotsPerDay / 24;
  const ghi = weatherAt(weather, "ghi", cell, 0) / 1000;
  const before = weatherAt(weather, "ghi", cell - hour, ghi * 1000) / 1000;
  const after = weatherAt(weather, "ghi", cell + hour, ghi * 1000) / 1000;
  const temperature = weatherAt(weather, "temperature", cell, 20) / 20;
  const humidity = weatherAt(weather, "humidity", cell, 0.5);
  const envelope = source.levels.envelope(latest) / source.unitWh;
  const dayGhi = dayMeanGhi(source, cell);
  const sun = source.sun(cell);
  const plant = physicalRatio(source, cell);
  const clearness = sun === undefined ? ghi : clamp((ghi * 1000) / Math.max(50, clearSkyGhi(sun.cosZenith)), 0, 1.2);
  const azimuth = sun?.azimuth ?? (2 * Math.PI * calendar.slotOfDay(cell)) / grid.slotsPerDay;
  return [
    plant,
    ghi,
    envelope,
    recents.mean,
    recents.latest,
    clearness * envelope,
    clearness * clearness * envelope,
    recents.ratio * envelope,
    recents.ratio * plant,
    ghi * ghi,
    ghi * envelope,
    before,
    after,
    dayGhi,
    dayGhi * envelope,
    plant * temperature,
    plant * Math.sin(azimuth),
    envelope * Math.sin(azimuth),
    humidity * envelope,
    sun?.cosZenith ?? 0,
  ];
}

function windFeatures(source: FeatureSource, cell: number, recents: Recents): readonly number[] {
  const speed = weatherAt(source.weather, "windSpeed", cell, 0) / 10;
  const hour = source.grid.slotsPerDay / 24;
  const around =
    (weatherAt(source.weather, "windSpeed", cell - hour, speed * 10) +
      weatherAt(source.weather, "windSpeed", cell + hour, speed * 10)) /
    20;
  return [
    speed,
    speed ** 2,
    Math.min(speed, 1.3) ** 3,
    around,
    Math.min(around, 1.3) ** 3,
    recents.mean,
    recents.latest,
    recents.ratio * recents.mean,
  ];
}

function loadFeatures(source: FeatureSource, cell: number, latest: number, recents: Recents): readonly number[] {
  const { grid, calendar, weather } = source;
  const degrees = weatherAt(weather, "temperature", cell, 15);
  const heating = Math.max(0, 15 - degrees) / 10;
  const cooling = Math.max(0, degrees - 20) / 10;
  const weekAgo = readingAt(grid, cell - 7 * grid.slotsPerDay) / source.unitWh;
  const short = recentMean(grid, latest, SHORT_MEAN_DAYS) / source.unitWh;
  const weekend = calendar.isWeekend(calendar.dayOf(cell)) ? 1 : 0;
  const angle = (2 * Math.PI * calendar.slotOfDay(cell)) / grid.slotsPerDay;
  return [
    recents.mean,
    recents.latest,
    Number.isNaN(short) ? recents.mean : short,
    Number.isNaN(weekAgo) ? recents.mean : weekAgo,
    recents.ratio * recents.mean,
    heating,
    cooling,
    heating * recents.mean,
    cooling * recents.mean,
    weekend,
    weekend * recents.mean,
    weatherAt(weather, "ghi", cell, 0) / 1000,
    weekend * Math.cos(angle),
  ];
}

/** What the physical chain makes of the forecast; without a site, irradiance alone. */
export function physicalRatio(source: FeatureSource, cell: number): number {
  const { site } = source.target;
  const sun = source.sun(cell);
  const ghi = weatherAt(source.weather, "ghi", cell, 0);
  if (site === undefined || sun === undefined) return clamp(ghi / 1000, 0, 1.2);
  const temperature = weatherAt(source.weather, "temperature", cell, Number.NaN);
  const windSpeed = weatherAt(source.weather, "windSpeed", cell, Number.NaN);
  return plantRatio({ ghi, temperature, windSpeed }, sun, site);
}

/** Forecast value of a cell, or `otherwise` where there is none. */
export function weatherAt(
  weather: WeatherGrid,
  variable: keyof WeatherGrid["values"],
  cell: number,
  otherwise: number,
): number {
  const value = weather.values[variable][cell - weather.firstCell];
  return value === undefined || !Number.isFinite(value) ? otherwise : value;
}

/** Mean irradiance forecast for the cell's whole local day, in kW/m². */
function dayMeanGhi({ grid, weather }: FeatureSource, cell: number): number {
  const { slotsPerDay } = grid;
  const day = Math.floor(cell / slotsPerDay);
  const known = weather.dayMeanGhi.get(day);
  if (known !== undefined) return known;
  let sum = 0;
  for (let slot = 0; slot < slotsPerDay; slot++) sum += weatherAt(weather, "ghi", day * slotsPerDay + slot, 0);
  const mean = sum / slotsPerDay / 1000;
  weather.dayMeanGhi.set(day, mean);
  return mean;
}

/** How the last day compared with what is usual: the envelope for PV, else the mean. */
export function ratioOf(source: Pick<FeatureSource, "grid" | "target" | "levels">, lastCell: number): number {
  return lastDayRatio(source.grid, lastCell, source.target.kind === "pv" ? source.levels.envelope : source.levels.mean);
}
