/** Where the sun stands and what a clear sky gives. Angles in radians, irradiance in W/m². */

const DEGREE = Math.PI / 180;
const MS_PER_DAY = 86_400_000;

export type SunPosition = {
  /** Cosine of the zenith angle: above 0 the sun is up. */
  readonly cosZenith: number;
  /** 0 is north, growing towards east. */
  readonly azimuth: number;
};

/**
 * Position of the sun, by the short form of the NOAA solar calculator (Spencer 1971's series for declination and
 * equation of time); error about half a degree at most.
 */
export function sunPosition(atMs: number, latitude: number, longitude: number): SunPosition {
  const date = new Date(atMs);
  const yearStartMs = Date.UTC(date.getUTCFullYear(), 0, 1);
  const dayOfYear = Math.floor((atMs - yearStartMs) / MS_PER_DAY);
  const hours = (atMs - yearStartMs - dayOfYear * MS_PER_DAY) / 3_600_000;
  const g = ((2 * Math.PI) / 365) * (dayOfYear + (hours - 12) / 24);
  const [cos1, sin1, cos2, sin2] = [Math.cos(g), Math.sin(g), Math.cos(2 * g), Math.sin(2 * g)];
  const equationMinutes = 229.18 * (0.000075 + 0.001868 * cos1 - 0.032077 * sin1 - 0.014615 * cos2 - 0.040849 * sin2);
  const declination =
    0.006918 -
    0.399912 * cos1 +
    0.070257 * sin1 -
    0.006758 * cos2 +
    0.000907 * sin2 -
    0.002697 * Math.cos(3 * g) +
    0.00148 * Math.sin(3 * g);
  const hourAngle = ((hours * 60 + equationMinutes + 4 * longitude) / 4 - 180) * DEGREE;
  const phi = latitude * DEGREE;
  const cosHour = Math.cos(hourAngle);
  const cosZenith = Math.sin(phi) * Math.sin(declination) + Math.cos(phi) * Math.cos(declination) * cosHour;
  const azimuth =
    Math.atan2(Math.sin(hourAngle), cosHour * Math.sin(phi) - Math.tan(declination) * Math.cos(phi)) + Math.PI;
  return { cosZenith, azimuth };
}

/** Global horizontal irradiance under a clear sky (Haurwitz 1945), from the sun's position alone. */
export function clearSkyGhi(cosZenith: number): number {
  return cosZenith > 0 ? 1098 * cosZenith * Math.exp(-0.059 / cosZenith) : 0;
}
