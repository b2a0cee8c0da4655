/** From what a data set says of a series to what a forecaster needs to know of it. */
import type { DataSetSeries, DataStore } from "#data";
import type { ForecastTarget, PlantSite } from "./model.ts";

/**
 * The target that a series of a data set makes: capacity per slot, weather forecast and site where there are any.
 * A load without a capacity is cut off at the most that was metered lately.
 */
export function targetOfSeries(data: DataStore, series: DataSetSeries): ForecastTarget {
  const { name, kind, slotMinutes, capacityKw } = series;
  const { weather } = series;
  const run = weather === undefined ? undefined : data.weather.get(weather);
  const site = siteOf(series);
  return {
    series: name,
    kind,
    capacityWh: capacityKw === undefined ? Number.POSITIVE_INFINITY : (capacityKw * 1_000 * slotMinutes) / 60,
    ...(weather === undefined || run === undefined ? {} : { weather, weatherSlotMinutes: run.slotMinutes }),
    ...(site === undefined ? {} : { site }),
  };
}

function siteOf({ site, tiltDegrees, azimuthDegrees }: DataSetSeries): PlantSite | undefined {
  if (site === undefined) return undefined;
  const { latitude, longitude } = site;
  return {
    latitude,
    longitude,
    ...(tiltDegrees === undefined ? {} : { tiltDegrees }),
    ...(azimuthDegrees === undefined ? {} : { azimuthDegrees }),
  };
}
