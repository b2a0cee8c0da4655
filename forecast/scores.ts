/**
 * How good forecasts were. All relative scores are in per cent of a normaliser: the capacity for PV and wind, the mean
 * load for a load. Formulas: nMAE, nRMSE, bias as usual; pinball loss by Koenker and Bassett 1978, averaged over the 19
 * levels; CRPS ≈ 2 × mean pinball over an even grid of levels (Gneiting and Ranjan 2011); coverage and width of the
 * central 80 % interval [q10, q90]; skill = 1 − score / reference score (Murphy 1988).
 */
import { QUANTILE_LEVELS } from "./model.ts";

/** One slot that was forecast and has been metered. */
export type ScoredSlot = {
  readonly actualWh: number;
  readonly quantilesWh: Float64Array;
  /** Expected energy: scored by nRMSE and bias, while nMAE scores the median. */
  readonly meanWh: number;
};

export type Scores = {
  readonly n: number;
  /** Mean |actual − median|, per cent of the normaliser. */
  readonly nMAE: number;
  /** Root of the mean squared error of the expected energy, per cent of the normaliser. */
  readonly nRMSE: number;
  /** Mean of expected less actual energy, per cent of the normaliser: positive promises too much. */
  readonly bias: number;
  /** Mean over slots and the 19 levels, per cent of the normaliser. */
  readonly pinball: number;
  /** 2 × pinball. */
  readonly crps: number;
  /** Slots with q10 ≤ actual ≤ q90, per cent: 80 is right. */
  readonly coverage80: number;
  /** Mean of q90 − q10, per cent of the normaliser. */
  readonly width80: number;
};

const MEDIAN = 9;
const LOW_10 = 1;
const HIGH_90 = 17;

/** Loss of one quantile: `level` times what is missed above it, `1 − level` times what is missed below. */
export function pinballLoss(actual: number, quantile: number, level: number): number {
  const error = actual - quantile;
  return Math.max(level * error, (level - 1) * error);
}

/** Mean pinball loss of the 19 quantiles, in the unit of `actual`. */
export function meanPinball(actual: number, quantiles: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < QUANTILE_LEVELS.length; index++) {
    sum += pinballLoss(actual, quantiles[index] ?? Number.NaN, QUANTILE_LEVELS[index] ?? Number.NaN);
  }
  return sum / QUANTILE_LEVELS.length;
}

/** Scores of forecasts against readings; NaN in all fields when there are none. `normaliserWh` must be positive. */
export function scoreForecasts(slots: readonly ScoredSlot[], normaliserWh: number): Scores {
  const n = slots.length;
  const sums = { absolute: 0, squared: 0, signed: 0, pinball: 0, covered: 0, width: 0 };
  for (const { actualWh, quantilesWh, meanWh } of slots) {
    const low = quantilesWh[LOW_10] ?? Number.NaN;
    const high = quantilesWh[HIGH_90] ?? Number.NaN;
    sums.absolute += Math.abs(actualWh - (quantilesWh[MEDIAN] ?? Number.NaN));
    sums.squared += (actualWh - meanWh) ** 2;
    sums.signed += meanWh - actualWh;
    sums.pinball += meanPinball(actualWh, quantilesWh);
    sums.covered += actualWh >= low && actualWh <= high ? 1 : 0;
    sums.width += high - low;
  }
  const share = 100 / (n * normaliserWh);
  return {
    n,
    nMAE: sums.absolute * share,
    nRMSE: (100 * Math.sqrt(sums.squared / n)) / normaliserWh,
    bias: sums.signed * share,
    pinball: sums.pinball * share,
    crps: 2 * sums.pinball * share,
    coverage80: (100 * sums.covered) / n,
    width80: sums.width * share,
  };
}

/** Share by which a score (smaller is better) beats its reference: 0 as good, 1 perfect, negative worse. */
export function skill(score: number, reference: number): number {
  return 1 - score / reference;
}
