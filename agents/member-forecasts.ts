/** Forecasts of a member's production, load and surplus, from its meters and its weather as known now. */
import type { Slot, SlotId } from "#core";
import type { Forecaster, ForecastTarget, KnownView } from "#forecast";
import type { MemberForecast } from "#strategies";

export type MemberForecastOptions = {
  readonly forecaster: Forecaster;
  readonly view: KnownView;
  readonly production: ForecastTarget | undefined;
  readonly load: ForecastTarget | undefined;
};

const LEVELS = 19;

export class MemberForecasts {
  readonly #options: MemberForecastOptions;
  readonly #newest = new Map<SlotId, MemberForecast>();

  constructor(options: MemberForecastOptions) {
    this.#options = options;
  }

  /** Makes new forecasts for the slots and keeps them as the newest. */
  update(slots: readonly Slot[]): readonly MemberForecast[] {
    const { forecaster, view, production, load } = this.#options;
    const produced = production === undefined ? undefined : forecaster.forecast(view, production, slots);
    const used = load === undefined ? undefined : forecaster.forecast(view, load, slots);
    return slots.map((slot, index) => {
      const productionWh = produced?.[index]?.quantilesWh ?? new Float64Array(LEVELS);
      const loadWh = used?.[index]?.quantilesWh ?? new Float64Array(LEVELS);
      const forecast: MemberForecast = {
        slotId: slot.id,
        issuedAtMs: view.nowMs,
        productionWh,
        loadWh,
        surplusWh: surplusQuantiles(productionWh, loadWh),
      };
      this.#newest.set(slot.id, forecast);
      return forecast;
    });
  }

  get(slotId: SlotId): MemberForecast | undefined {
    return this.#newest.get(slotId);
  }

  /** Drops forecasts of slots that are over. */
  forget(slotIds: readonly SlotId[]): void {
    for (const slotId of slotIds) this.#newest.delete(slotId);
  }
}

/**
 * Quantiles of production minus load, both taken as independent: of all 19 × 19 differences, each as likely as the others.
 * Households' load and sunshine are nearly uncorrelated within an hour of the day, which is what the quantiles are given.
 */
export function surplusQuantiles(productionWh: Float64Array, loadWh: Float64Array): Float64Array {
  if (isNothing(productionWh)) return mirrored(loadWh);
  if (isNothing(loadWh)) return Float64Array.from(productionWh);
  const differences = new Float64Array(LEVELS * LEVELS);
  for (let row = 0; row < LEVELS; row++) {
    for (let column = 0; column < LEVELS; column++)
      differences[row * LEVELS + column] = (productionWh[row] ?? 0) - (loadWh[column] ?? 0);
  }
  differences.sort();
  return Float64Array.from({ length: LEVELS }, (_, index) => {
    const position = ((index + 1) / (LEVELS + 1)) * (differences.length - 1);
    const low = Math.floor(position);
    const share = position - low;
    return (
      (differences[low] ?? 0) * (1 - share) + (differences[Math.min(low + 1, differences.length - 1)] ?? 0) * share
    );
  });
}

/** Quantiles of the negative: the highest load is the lowest surplus. */
function mirrored(quantiles: Float64Array): Float64Array {
  return quantiles.map((_, index) => -(quantiles[LEVELS - 1 - index] ?? 0) || 0);
}

function isNothing(quantiles: Float64Array): boolean {
  return quantiles.every((quantile) => quantile === 0);
}
