/**
 * Fingerprints of what is known: the keys of all caches. Forecasts are cached by content, never by time or name alone,
 * so that a cache can't hold anything that its reader doesn't know.
 */
import type { WeatherVintage } from "#data";

const MULTIPLIER_A = 0x01000193; // FNV-1a
const MULTIPLIER_B = 0x85ebca6b; // from MurmurHash3's finaliser

/** Two 32-bit lanes over the bits of the numbers: equal contents give equal texts. Not against forgery. */
export function fingerprint(values: Float64Array): string {
  return fingerprintsOfPrefixes(values, [values.length])[0] ?? "";
}

/** Fingerprints of the first `counts[0]`, `counts[1]` … numbers, in one pass; `counts` never decrease. */
export function fingerprintsOfPrefixes(values: Float64Array, counts: readonly number[]): readonly string[] {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const prints: string[] = [];
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  let read = 0;
  for (const count of counts) {
    const end = Math.min(count, values.length) * 2;
    for (; read < end; read++) {
      const word = words[read] as number;
      a = Math.imul(a ^ word, MULTIPLIER_A);
      a ^= a >>> 15;
      b = (Math.imul((b << 13) | (b >>> 19), 5) + Math.imul(word ^ (b >>> 7), MULTIPLIER_B)) | 0;
    }
    prints.push(`${read / 2}.${(a >>> 0).toString(36)}.${(b >>> 0).toString(36)}`);
  }
  return prints;
}

const PRINT_NUMBERS = 4;
const vintagePrints = new WeakMap<WeatherVintage, Float64Array>();

const listPrints = new WeakMap<readonly WeatherVintage[], Float64Array>();

/** Numbers that stand for weather runs, four for each. Lists and runs are never changed once made. */
function vintageNumbers(vintages: readonly WeatherVintage[]): Float64Array {
  let prints = listPrints.get(vintages);
  if (prints === undefined) {
    prints = new Float64Array(vintages.length * PRINT_NUMBERS);
    for (const [index, vintage] of vintages.entries()) prints.set(printOf(vintage), index * PRINT_NUMBERS);
    listPrints.set(vintages, prints);
  }
  return prints;
}

/** Fingerprint of the first `count` weather runs. */
export function fingerprintOfVintages(vintages: readonly WeatherVintage[], count: number): string {
  return fingerprintsOfVintages(vintages, [count])[0] ?? "";
}

/** Fingerprints of the first so many runs, in one pass; `counts` never decrease. */
export function fingerprintsOfVintages(
  vintages: readonly WeatherVintage[],
  counts: readonly number[],
): readonly string[] {
  return fingerprintsOfPrefixes(
    vintageNumbers(vintages),
    counts.map((count) => count * PRINT_NUMBERS),
  );
}

function printOf(vintage: WeatherVintage): Float64Array {
  const known = vintagePrints.get(vintage);
  if (known !== undefined) return known;
  const print = new Float64Array(PRINT_NUMBERS);
  print[0] = vintage.knownAtMs;
  print[1] = vintage.startMs;
  const parts = Object.entries(vintage.values).map(([name, values]) => `${name}=${fingerprint(values)}`);
  const [a, b] = textLanes(parts.sort().join(","));
  print[2] = a;
  print[3] = b;
  vintagePrints.set(vintage, print);
  return print;
}

function textLanes(text: string): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let index = 0; index < text.length; index++) {
    a = Math.imul(a ^ text.charCodeAt(index), MULTIPLIER_A);
    b = Math.imul(b ^ text.charCodeAt(index), MULTIPLIER_B) ^ (b >>> 13);
  }
  return [a >>> 0, b >>> 0];
}
