/**
 * Rolling-origin evaluation: each local day is forecast from what was known at noon of the day before, then scored.
 * PV and wind are normalised by the capacity, a load by its mean; PV is scored in daylight and in all slots.
 */
import { addLocalDays, type Clock, daysBetween, err, type LocalDay, localInstantMs, ok, type Result, type Slot, slotsOfLocalDay, type ZoneName } from "#core";
import { createKnownView, type DataStore, type KnownView, type MeterSeries } from "#data";
import { latestSameSlot } from "./local-grid.ts";
import { expectedWh, type Forecaster, type ForecastTarget } from "./model.ts";
import { createPersistence } from "./persistence.ts";
import { recentMean } from "./recent.ts";
import { type ScoredSlot, scoreForecasts, skill } from "./scores.ts";
import { Calendars, isDark, type Situation, situationOf } from "./situation.ts";

/** Hour of the local day at which the next day is forecast. */
const ISSUE_HOUR = 12;
const EVALUATION_DAYS_MAX = 4_000;

export type EvaluationRequest = {
  readonly data: DataStore;
  readonly targets: readonly ForecastTarget[];
  readonly timeZone: ZoneName;
  /** First and last local day that are forecast. */
  readonly firstDay: LocalDay;
  readonly lastDay: LocalDay;
  readonly forecaster: Forecaster;
  /** Measures `trainSeconds`; without it they are 0. */
  readonly clock?: Clock;
};

/** Scores of one series in one scope, in per cent as `Scores` says; `skillVsPersistence` is a share (1 is perfect). */
export type EvaluationRow = {
  readonly name: string;
  /** Name of the forecaster. */
  readonly model: string;
  /** `day`: PV slots in daylight; `all`: every slot. */
  readonly scope: "day" | "all";
  readonly n: number;
  readonly nMAE: number;
  readonly nRMSE: number;
  readonly bias: number;
  readonly pinball: number;
  readonly coverage80: number;
  readonly width80: number;
  /** 1 − nRMSE / nRMSE of plain persistence. */
  readonly skillVsPersistence: number;
  /** Time that the forecaster took for all days, fitting included. */
  readonly trainSeconds: number;
};

export type EvaluationError =
  | { readonly tag: "series_unknown"; readonly series: string; readonly known: readonly string[] }
  | { readonly tag: "days_out_of_order"; readonly firstDay: LocalDay; readonly lastDay: LocalDay }
  | { readonly tag: "too_many_days"; readonly daysMax: number }
  | { readonly tag: "capacity_missing"; readonly series: string }
  | { readonly tag: "nothing_to_score"; readonly series: string; readonly firstDay: LocalDay; readonly lastDay: LocalDay };

/** Evaluates one forecaster on all targets. Slots without a reading, a known same-slot value or weather are left out. */
export function evaluateForecasts(request: EvaluationRequest): Result<readonly EvaluationRow[], EvaluationError> {
  const { firstDay, lastDay } = request;
  const days = daysBetween(firstDay, lastDay) + 1;
  if (days < 1) return err({ tag: "days_out_of_order", firstDay, lastDay });
  if (days > EVALUATION_DAYS_MAX) return err({ tag: "too_many_days", daysMax: EVALUATION_DAYS_MAX });
  const rows: EvaluationRow[] = [];
  for (const target of request.targets) {
    const meter = request.data.meters.get(target.series);
    if (meter === undefined) return err({ tag: "series_unknown", series: target.series, known: [...request.data.meters.keys()].sort() });
    if (target.kind !== "load" && !(target.capacityWh > 0 && Number.isFinite(target.capacityWh))) {
      return err({ tag: "capacity_missing", series: target.series });
    }
    const run = runDays(request, target, meter);
    if (run.all.length === 0) return err({ tag: "nothing_to_score", series: target.series, firstDay, lastDay });
    if (target.kind === "pv" && run.day.length > 0) rows.push(rowOf(request, target, "day", run.day, run.trainSeconds));
    rows.push(rowOf(request, target, "all", run.all, run.trainSeconds));
  }
  return ok(rows);
}

type Scored = { readonly model: ScoredSlot; readonly reference: ScoredSlot };
type Run = { readonly all: readonly Scored[]; readonly day: readonly Scored[]; readonly trainSeconds: number };

function runDays(request: EvaluationRequest, target: ForecastTarget, meter: MeterSeries): Run {
  const { timeZone, forecaster, clock } = request;
  let nowMs = 0;
  const view = createKnownView(request.data, { nowMs: () => nowMs });
  const calendar = new Calendars({ timeZone }).get(meter.slotMinutes);
  const reference = createPersistence({ timeZone });
  const all: Scored[] = [];
  const day: Scored[] = [];
  let spentMs = 0;
  for (let target_day = request.firstDay; daysBetween(target_day, request.lastDay) >= 0; target_day = addLocalDays(target_day, 1)) {
    nowMs = localInstantMs(timeZone, addLocalDays(target_day, -1), ISSUE_HOUR);
    const slots = slotsOfLocalDay(timeZone, target_day, meter.slotMinutes);
    const situation = situationOf(view, target, calendar);
    const startedMs = clock?.nowMs() ?? 0;
    const made = forecaster.forecast(view, target, slots);
    spentMs += (clock?.nowMs() ?? 0) - startedMs;
    const persisted = reference.forecast(view, target, slots);
    slots.forEach((slot, index) => {
      const actualWh = actualAt(meter, slot);
      const [forecast, simple] = [made[index], persisted[index]];
      if (forecast === undefined || simple === undefined || !Number.isFinite(actualWh)) return;
      if (!isScored(situation, view, slot)) return;
      const scored: Scored = {
        model: { actualWh, quantilesWh: forecast.quantilesWh, meanWh: expectedWh(forecast) },
        reference: { actualWh, quantilesWh: simple.quantilesWh, meanWh: expectedWh(simple) },
      };
      all.push(scored);
      if (!isDark(situation, slot)) day.push(scored);
    });
  }
  return { all, day, trainSeconds: spentMs / 1000 };
}

function actualAt(meter: MeterSeries, slot: Slot): number {
  return meter.energyWh[(slot.startMs - meter.startMs) / (meter.slotMinutes * 60_000)] ?? Number.NaN;
}

function isScored(situation: Situation, view: KnownView, slot: Slot): boolean {
  const { grid, calendar, target } = situation;
  if (Number.isNaN(recentMean(grid, latestSameSlot(grid, calendar.cellAt(slot.startMs))))) return false;
  return target.weather === undefined || view.weatherAt(target.weather, slot) !== undefined;
}

function rowOf(request: EvaluationRequest, target: ForecastTarget, scope: "day" | "all", scored: readonly Scored[], trainSeconds: number): EvaluationRow {
  const normaliserWh = target.kind === "load" ? meanActual(scored) : target.capacityWh;
  const { n, nMAE, nRMSE, bias, pinball, coverage80, width80 } = scoreForecasts(scored.map((slot) => slot.model), normaliserWh);
  const persistence = scoreForecasts(scored.map((slot) => slot.reference), normaliserWh);
  return {
    name: target.series, model: request.forecaster.name, scope, n, nMAE, nRMSE, bias, pinball, coverage80, width80,
    skillVsPersistence: skill(nRMSE, persistence.nRMSE), trainSeconds,
  };
}

function meanActual(scored: readonly Scored[]): number {
  return scored.reduce((sum, slot) => sum + Math.abs(slot.model.actualWh), 0) / scored.length;
}
