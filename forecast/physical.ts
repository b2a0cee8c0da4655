/**
 * What a PV plant gives, from irradiance on a level plane: the physical chain, needing no history.
 * GHI → diffuse share (Erbs, Klein and Duffie 1982) → panel plane (Liu and Jordan 1963, ground 0.2) →
 * cell temperature (Faiman 2008) → DC and inverter (PVWatts 5, Dobos 2014).
 */

import { diffuseShare, type SunPosition } from "#data";
import type { PlantSite } from "./model.ts";
import { clamp } from "./statistics.ts";

const DEGREE = Math.PI / 180;
const SOLAR_CONSTANT = 1361;
const GROUND_ALBEDO = 0.2;
const TEMPERATURE_COEFFICIENT = -0.004;
const SYSTEM_LOSS = 0.14;
const INVERTER_EFFICIENCY = 0.96;
/** Below about 3.7° of elevation the division by cos(zenith) is not trusted. */
const COS_ZENITH_MIN = 0.065;
/** Best fixed tilt over latitude, roughly, in the middle latitudes. */
const TILT_PER_LATITUDE = 0.87;

export type PlantWeather = {
  readonly ghi: number;
  /** °C; NaN counts as 20. */
  readonly temperature: number;
  /** m/s; NaN counts as 2. */
  readonly windSpeed: number;
};

/** Irradiance on the panels in W/m². */
export function planeIrradiance(ghi: number, sun: Pick<SunPosition, "cosZenith" | "azimuth">, site: PlantSite): number {
  const { cosZenith, azimuth } = sun;
  if (!(ghi > 0) || cosZenith <= 0) return 0;
  const cosine = Math.max(cosZenith, COS_ZENITH_MIN);
  const diffuse = ghi * diffuseShare(clamp(ghi / (SOLAR_CONSTANT * cosine), 0, 1));
  const tilt = (site.tiltDegrees ?? Math.min(60, Math.abs(site.latitude) * TILT_PER_LATITUDE)) * DEGREE;
  const facing = (site.azimuthDegrees ?? (site.latitude >= 0 ? 180 : 0)) * DEGREE;
  const sinZenith = Math.sqrt(Math.max(0, 1 - cosZenith * cosZenith));
  const cosIncidence = cosZenith * Math.cos(tilt) + sinZenith * Math.sin(tilt) * Math.cos(azimuth - facing);
  const beam = ((ghi - diffuse) / cosine) * Math.max(0, cosIncidence);
  return beam + (diffuse * (1 + Math.cos(tilt))) / 2 + (ghi * GROUND_ALBEDO * (1 - Math.cos(tilt))) / 2;
}

/** Output over nameplate, 0…1. */
export function plantRatio(
  weather: PlantWeather,
  sun: Pick<SunPosition, "cosZenith" | "azimuth">,
  site: PlantSite,
): number {
  const plane = planeIrradiance(weather.ghi, sun, site);
  const ambient = Number.isFinite(weather.temperature) ? weather.temperature : 20;
  const wind = Number.isFinite(weather.windSpeed) ? Math.max(0, weather.windSpeed) : 2;
  const cell = ambient + plane / (25 + 6.84 * wind);
  const direct = (plane / 1000) * (1 + TEMPERATURE_COEFFICIENT * (cell - 25)) * (1 - SYSTEM_LOSS);
  return clamp(direct * INVERTER_EFFICIENCY, 0, 1);
}
