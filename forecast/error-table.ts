/** Spread of a regression's held-out errors by hour of the day and by third of the predicted level. */
import { QUANTILE_LEVELS } from "./model.ts";
import { clamp, quantileOfSorted, quantilesInPlace } from "./statistics.ts";

/** Fewer errors than this are not a distribution: the level's errors of all hours are taken, then all errors. */
const ERRORS_MIN = 30;
const LEVELS = 3;
const HOURS = 24;

export class ErrorTable {
  readonly #levelEnds: readonly [number, number];
  readonly #quantiles: readonly Float64Array[];

  /** `hours` are 0…23; all arrays are of one length. */
  constructor(predictions: Float64Array, errors: Float64Array, hours: Uint8Array) {
    const sorted = predictions.slice().sort();
    this.#levelEnds = [quantileOfSorted(sorted, sorted.length, 1 / 3), quantileOfSorted(sorted, sorted.length, 2 / 3)];
    const bins = Array.from({ length: LEVELS * HOURS }, (): number[] => []);
    const byLevel = Array.from({ length: LEVELS }, (): number[] => []);
    for (let row = 0; row < errors.length; row++) {
      const error = errors[row] ?? Number.NaN;
      const level = this.#levelOf(predictions[row] ?? 0);
      bins[level * HOURS + (hours[row] ?? 0)]?.push(error);
      byLevel[level]?.push(error);
    }
    const all = quantilesInPlace(errors.slice(), errors.length);
    const levels = byLevel.map((list) => (list.length < ERRORS_MIN ? all : quantilesOf(list)));
    this.#quantiles = bins.map((list, bin) =>
      list.length < ERRORS_MIN ? (levels[Math.floor(bin / HOURS)] ?? all) : quantilesOf(list),
    );
  }

  /** Quantiles of actual less predicted, in the unit of the errors; zeros when there were no errors at all. */
  quantilesAt(hour: number, prediction: number): Float64Array {
    const bin = this.#levelOf(prediction) * HOURS + clamp(Math.floor(hour), 0, HOURS - 1);
    return this.#quantiles[bin] ?? new Float64Array(QUANTILE_LEVELS.length);
  }

  #levelOf(prediction: number): number {
    return prediction < this.#levelEnds[0] ? 0 : prediction < this.#levelEnds[1] ? 1 : 2;
  }
}

function quantilesOf(errors: readonly number[]): Float64Array {
  return quantilesInPlace(Float64Array.from(errors), errors.length);
}
