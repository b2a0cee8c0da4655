/** Where the solar parks of a region lie: each at a place of its own, some way off the village. */
import { seededPrng } from "#core";
import type { GeneratorSettings } from "./options.ts";
import type { Site } from "./weather.ts";

/** Largest distance from the village, degrees: the measured parks lie as far apart (up to 1.6° and 3.8°). */
const NORTH_DEGREES_MAX = 1;
const EAST_DEGREES_MAX = 2;

export function drawParkSite(settings: GeneratorSettings, name: string): Site {
  const prng = seededPrng(settings.seed, `generator/site/${name}`);
  const [north, east] = [2 * prng.nextFloat() - 1, 2 * prng.nextFloat() - 1];
  const latitude = round(settings.latitude + NORTH_DEGREES_MAX * north);
  const longitude = round(settings.longitude + EAST_DEGREES_MAX * east);
  return { name, latitude, longitude: longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude };
}

/** Five digits: about a metre. */
function round(degrees: number): number {
  return Math.round(degrees * 1e5) / 1e5;
}
