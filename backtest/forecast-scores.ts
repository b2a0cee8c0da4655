/** Scores the day-ahead forecasts that the agents really used, against what was metered afterwards. */
import type { Slot, SlotId } from "#core";
import type { DataStore, KnownView } from "#data";
import { type ForecastTarget, type ScoredSlot, scoreForecasts, skill } from "#forecast";
import type { MemberForecast } from "#strategies";
import type { ForecastReport } from "./report/index.ts";

type Pending = { readonly slot: Slot; readonly quantilesWh: Float64Array; readonly persistenceWh: number };
type Quantiles = { readonly q10: number; readonly q50: number; readonly q90: number };

const [LOW, MEDIAN, HIGH] = [1, 9, 17];
const DAY_MS = 86_400_000;
const DAYS_BACK_MAX = 28;

export class ForecastScores {
  readonly #data: DataStore;
  readonly #pending = new Map<string, { readonly target: ForecastTarget; readonly slots: Pending[] }>();
  readonly #production = new Map<SlotId, Quantiles>();

  constructor(data: DataStore) {
    this.#data = data;
  }

  /** Notes the forecasts that one member has just been given for the slots. */
  addForecasts(
    targets: { readonly production: ForecastTarget | undefined; readonly load: ForecastTarget | undefined },
    forecasts: readonly (MemberForecast | undefined)[],
    view: KnownView,
    slots: readonly Slot[],
  ): void {
    for (const [index, slot] of slots.entries()) {
      const forecast = forecasts[index];
      if (forecast === undefined) continue;
      if (targets.production !== undefined) {
        this.#note(targets.production, slot, forecast.productionWh, view);
        this.#addProduction(slot.id, forecast.productionWh);
      }
      if (targets.load !== undefined) this.#note(targets.load, slot, forecast.loadWh, view);
    }
  }

  /** Sum over the members of their production's quantiles. */
  productionAt(slotId: SlotId): Quantiles {
    return this.#production.get(slotId) ?? { q10: 0, q50: 0, q90: 0 };
  }

  reports(): readonly ForecastReport[] {
    return [...this.#pending.values()].map(({ target, slots }) => this.#report(target, slots));
  }

  #addProduction(slotId: SlotId, quantilesWh: Float64Array): void {
    const sum = this.productionAt(slotId);
    this.#production.set(slotId, {
      q10: sum.q10 + (quantilesWh[LOW] ?? 0),
      q50: sum.q50 + (quantilesWh[MEDIAN] ?? 0),
      q90: sum.q90 + (quantilesWh[HIGH] ?? 0),
    });
  }

  #note(target: ForecastTarget, slot: Slot, quantilesWh: Float64Array, view: KnownView): void {
    const known = this.#pending.get(target.series) ?? { target, slots: [] };
    known.slots.push({ slot, quantilesWh, persistenceWh: latestKnown(view, target.series, slot) });
    this.#pending.set(target.series, known);
  }

  /** Plants are scored in the slots in which they or their forecast gave anything: nights would flatter them. */
  #report(target: ForecastTarget, pending: readonly Pending[]): ForecastReport {
    const scored = pending.flatMap(({ slot, quantilesWh, persistenceWh }) => {
      const actualWh = this.#actual(target.series, slot);
      const isScored =
        Number.isFinite(actualWh) && (target.kind === "load" || actualWh > 0 || (quantilesWh[HIGH] ?? 0) > 0);
      return isScored
        ? [{ model: asScored(actualWh, quantilesWh), persistenceError: Math.abs(actualWh - persistenceWh) }]
        : [];
    });
    const meanWh = scored.reduce((sum, { model }) => sum + model.actualWh, 0) / Math.max(1, scored.length);
    const normaliserWh = target.kind === "load" ? meanWh : target.capacityWh;
    const scores = scoreForecasts(
      scored.map(({ model }) => model),
      normaliserWh,
    );
    const errors = scored.map(({ persistenceError }) => persistenceError).filter(Number.isFinite);
    const reference =
      (100 * errors.reduce((sum, error) => sum + error, 0)) / (Math.max(1, errors.length) * normaliserWh);
    return {
      name: target.series,
      kind: target.kind,
      n: scores.n,
      nMAE: scores.nMAE,
      pinball: scores.pinball,
      coverage80: scores.coverage80,
      skillVsPersistence: errors.length < scored.length || reference === 0 ? null : 100 * skill(scores.nMAE, reference),
    };
  }

  #actual(series: string, slot: Slot): number {
    const meter = this.#data.meters.get(series);
    return meter?.energyWh[(slot.startMs - meter.startMs) / (meter.slotMinutes * 60_000)] ?? Number.NaN;
  }
}

function asScored(actualWh: number, quantilesWh: Float64Array): ScoredSlot {
  return {
    actualWh,
    quantilesWh,
    meanWh: quantilesWh.reduce((sum, quantile) => sum + quantile, 0) / quantilesWh.length,
  };
}

/** The latest reading of the same time of day that the view knows; NaN when there is none in four weeks. */
function latestKnown(view: KnownView, series: string, slot: Slot): number {
  const { energyWh, startMs, slotMinutes } = view.meter(series);
  for (let back = 1; back <= DAYS_BACK_MAX; back++) {
    const value = energyWh[(slot.startMs - back * DAY_MS - startMs) / (slotMinutes * 60_000)];
    if (value !== undefined && Number.isFinite(value)) return value;
  }
  return Number.NaN;
}
