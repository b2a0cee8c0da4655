/**
 * A forecast from no history at all: typical values with honest, wide quantiles. The first known readings push it
 * aside (see `climatology.ts`).
 */
import { probit } from "simple-statistics";
import type { Slot } from "#core";
import { clearSkyGhi, sunPosition } from "#data";
import type { LocalCalendar } from "./local-grid.ts";
import { type ForecastTarget, type PlantSite, QUANTILE_LEVELS } from "./model.ts";
import { plantRatio } from "./physical.ts";

/** Name of the model in forecasts that rest on this guess alone. */
export const COLD_START = "cold-start";

/** Latitude that stands in for an unknown site; its longitude follows from the zone's clock. */
const TYPICAL_LATITUDE = 45;
/** Mean of a home's load over the most it can draw, and the spread of its logarithm from hour to hour. */
const LOAD_MEDIAN_OF_CAPACITY = 0.1;
const LOAD_LOG_SPREAD = 0.9;
/** Median load in watts where not even a capacity is known. */
const LOAD_MEDIAN_W = 400;

/** The 19 quantiles of an unknown series in one slot, in watt-hours; not yet cut off at the capacity. */
export function coldStartQuantiles(
  target: ForecastTarget,
  capacityWh: number,
  slot: Slot,
  calendar: LocalCalendar,
): Float64Array {
  if (target.kind === "load") return loadGuess(capacityWh, slot, calendar);
  const capacity = Number.isFinite(capacityWh) ? capacityWh : 0;
  if (target.kind === "wind") return Float64Array.from(QUANTILE_LEVELS, (level) => 0.95 * capacity * level ** 2);
  const clearWh = capacity * clearSkyRatio(target.site ?? siteOfClock(slot, calendar), slot);
  return Float64Array.from(QUANTILE_LEVELS, (level) => clearWh * (0.05 + 0.95 * level ** 0.8));
}

function clearSkyRatio(site: PlantSite, slot: Slot): number {
  const sun = sunPosition((slot.startMs + slot.endMs) / 2, site.latitude, site.longitude);
  return plantRatio({ ghi: clearSkyGhi(sun.cosZenith), temperature: Number.NaN, windSpeed: Number.NaN }, sun, site);
}

/** A place where noon is about when the clock says so. */
function siteOfClock(slot: Slot, calendar: LocalCalendar): PlantSite {
  return { latitude: TYPICAL_LATITUDE, longitude: (calendar.offsetMsAt(slot.startMs) / 3_600_000) * 15 };
}

function loadGuess(capacityWh: number, slot: Slot, calendar: LocalCalendar): Float64Array {
  const hour = (calendar.slotOfDay(calendar.cellAt(slot.startMs)) * calendar.slotMinutes) / 60;
  const shape = hour < 6 ? 0.6 : hour < 17 ? 1 : hour < 22 ? 1.5 : 0.9;
  const usual = Number.isFinite(capacityWh)
    ? capacityWh * LOAD_MEDIAN_OF_CAPACITY
    : (LOAD_MEDIAN_W * slot.minutes) / 60;
  return Float64Array.from(QUANTILE_LEVELS, (level) => usual * shape * Math.exp(LOAD_LOG_SPREAD * probit(level)));
}
