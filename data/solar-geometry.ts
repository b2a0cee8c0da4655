/** Where the sun stands and how much light a cloudless sky gives. Pure arithmetic. */

const DEGREES = Math.PI / 180;
const MS_PER_DAY = 86_400_000;
/** Total solar irradiance, W/m²: Kopp & Lean, Geophysical Research Letters 38 (2011) L01706. */
const SOLAR_CONSTANT = 1361;

export type SunPosition = {
  /** Cosine of the zenith angle: above 0 when the sun is up. */
  readonly cosZenith: number;
  /** Components of the unit vector to the sun towards north and east. */
  readonly north: number;
  readonly east: number;
  /** Radians, 0 is north, growing towards east. */
  readonly azimuth: number;
  /** Irradiance on a plane that faces the sun above the atmosphere, W/m². */
  readonly extraterrestrial: number;
};

/**
 * Position of the sun, good to about 0.3°.
 * The short form by NOAA's Earth System Research Laboratory ("General Solar Position Calculations"), after Spencer,
 * Search 2 (1971) 172; eccentricity likewise after Spencer.
 */
export function sunPosition(atMs: number, latitude: number, longitude: number): SunPosition {
  const dayStartMs = Math.floor(atMs / MS_PER_DAY) * MS_PER_DAY;
  const minutes = (atMs - dayStartMs) / 60_000;
  const dayNumber = (dayStartMs - Date.UTC(new Date(dayStartMs).getUTCFullYear(), 0, 1)) / MS_PER_DAY;
  const angle = ((2 * Math.PI) / 365) * (dayNumber + (minutes / 60 - 12) / 24);
  const cos1 = Math.cos(angle);
  const sin1 = Math.sin(angle);
  const cos2 = 2 * cos1 * cos1 - 1;
  const sin2 = 2 * sin1 * cos1;
  const cos3 = cos1 * cos2 - sin1 * sin2;
  const sin3 = sin1 * cos2 + cos1 * sin2;
  const equationOfTime = 229.18 * (0.000075 + 0.001868 * cos1 - 0.032077 * sin1 - 0.014615 * cos2 - 0.040849 * sin2);
  const declination =
    0.006918 - 0.399912 * cos1 + 0.070257 * sin1 - 0.006758 * cos2 + 0.000907 * sin2 - 0.002697 * cos3 + 0.00148 * sin3;
  const hourAngle = ((minutes + equationOfTime + 4 * longitude) / 4 - 180) * DEGREES;
  const sinLatitude = Math.sin(latitude * DEGREES);
  const cosLatitude = Math.cos(latitude * DEGREES);
  const sinDeclination = Math.sin(declination);
  const cosDeclination = Math.cos(declination);
  const north = cosLatitude * sinDeclination - sinLatitude * cosDeclination * Math.cos(hourAngle);
  const east = -cosDeclination * Math.sin(hourAngle);
  return {
    cosZenith: sinLatitude * sinDeclination + cosLatitude * cosDeclination * Math.cos(hourAngle),
    north,
    east,
    azimuth: (Math.atan2(east, north) + 2 * Math.PI) % (2 * Math.PI),
    extraterrestrial: SOLAR_CONSTANT * (1.00011 + 0.034221 * cos1 + 0.00128 * sin1 + 0.000719 * cos2 + 0.000077 * sin2),
  };
}

/** Global horizontal irradiance under a cloudless sky, W/m²: Haurwitz, Journal of Meteorology 2 (1945) 154 and 3 (1946) 123. */
export function clearSkyGhi(cosZenith: number): number {
  return cosZenith <= 0 ? 0 : 1098 * cosZenith * Math.exp(-0.059 / cosZenith);
}

/**
 * The diffuse share of global irradiance from the clearness index `kt` (global over extraterrestrial, both horizontal).
 * Erbs, Klein & Duffie, Solar Energy 28 (1982) 293.
 */
export function diffuseShare(kt: number): number {
  if (kt <= 0.22) return 1 - 0.09 * Math.max(0, kt);
  if (kt > 0.8) return 0.165;
  return 0.9511 + kt * (-0.1604 + kt * (4.388 + kt * (-16.638 + kt * 12.336)));
}
