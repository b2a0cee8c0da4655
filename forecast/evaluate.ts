/**
 * Rolling-origin evaluation: each local day is forecast from what was known at noon of the day before, then scored.
 * Readings count as known when their slot has ended, so that scores of data sets with different meters compare.
 * PV and wind are normalised by the capacity, a load by its mean; PV is scored in daylight and in all slots.
 */
import {
  addLocalDays,
  type Clock,
  daysBetween,
  err,
  type LocalDay,
  localInstantMs,
  nextLocalDay,
  ok,
  type Result,
  type Slot,
  slotsOfLocalDay,
  type ZoneName,
} from "#core";
import { createKnownView, type DataStore, type KnownView, type MeterSeries } from "#data";
import { LocalCalendar, latestSameSlot } from "./local-grid.ts";
import { expectedWh, type Forecaster, type ForecastTarget, type SlotForecast } from "./model.ts";
import { createPersistence } from "./persistence.ts";
import { recentMean } from "./recent.ts";
import { type ScoredSlot, scoreForecasts, skill } from "./scores.ts";
import { isDark, type Situation, situationOf } from "./situation.ts";

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
  | {
      readonly tag: "nothing_to_score";
      readonly series: string;
      readonly firstDay: LocalDay;
      readonly lastDay: LocalDay;
    };

/** Evaluates one forecaster on all targets. Slots without a reading, a known same-slot value or weather are left out. */
export function evaluateForecasts(request: EvaluationRequest): Result<readonly EvaluationRow[], EvaluationError> {
  const { firstDay, lastDay } = request;
  const days = daysBetween(firstDay, lastDay) + 1;
  if (days < 1) return err({ tag: "days_out_of_order", firstDay, lastDay });
  if (days > EVALUATION_DAYS_MAX) return err({ tag: "too_many_days", daysMax: EVALUATION_DAYS_MAX });
  const rows: EvaluationRow[] = [];
  for (const target of request.targets) {
    const meter = request.data.meters.get(target.series);
    if (meter === undefined)
      return err({ tag: "series_unknown", series: target.series, known: [...request.data.meters.keys()].sort() });
    if (target.kind !== "load" && !(target.capacityWh > 0 && Number.isFinite(target.capacityWh))) {
      return err({ tag: "capacity_missing", series: target.series });
    }
    const { scored, trainSeconds } = runDays(request, target, meter);
    if (scored.length === 0) return err({ tag: "nothing_to_score", series: target.series, firstDay, lastDay });
    const inDaylight = scored.filter((slot) => slot.isDay);
    if (target.kind === "pv" && inDaylight.length > 0)
      rows.push(rowOf(request, target, "day", inDaylight, trainSeconds));
    rows.push(rowOf(request, target, "all", scored, trainSeconds));
  }
  return ok(rows);
}

type Scored = { readonly isDay: boolean; readonly model: ScoredSlot; readonly reference: ScoredSlot };
type Run = { readonly scored: readonly Scored[]; readonly trainSeconds: number };

function runDays(request: EvaluationRequest, target: ForecastTarget, meter: MeterSeries): Run {
  const { data, timeZone, firstDay, lastDay, forecaster, clock } = request;
  let nowMs = 0;
  const view = createKnownView(withoutDelay(data, meter), { nowMs: () => nowMs });
  const calendar = new LocalCalendar(timeZone, meter.slotMinutes);
  const reference = createPersistence({ timeZone });
  const scored: Scored[] = [];
  let spentMs = 0;
  for (let day = firstDay; daysBetween(day, lastDay) >= 0; day = nextLocalDay(day)) {
    nowMs = localInstantMs(timeZone, addLocalDays(day, -1), ISSUE_HOUR);
    const slots = slotsOfLocalDay(timeZone, day, meter.slotMinutes);
    const startedMs = clock?.nowMs() ?? 0;
    const made = forecaster.forecast(view, target, slots);
    spentMs += (clock?.nowMs() ?? 0) - startedMs;
    const situation = situationOf(view, target, calendar);
    const simple = reference.forecast(view, target, slots);
    slots.forEach((slot, index) => {
      const actualWh = actualAt(meter, slot);
      const [model, persistence] = [made[index], simple[index]];
      if (model === undefined || persistence === undefined || !isScored(situation, view, slot, actualWh)) return;
      const isDay = !isDark(situation, slot);
      scored.push({ isDay, model: scoredSlot(actualWh, model), reference: scoredSlot(actualWh, persistence) });
    });
  }
  return { scored, trainSeconds: spentMs / 1_000 };
}

function withoutDelay(data: DataStore, meter: MeterSeries): DataStore {
  return { ...data, meters: new Map([[meter.name, { ...meter, telemetryDelayMs: 0 }]]) };
}

function scoredSlot(actualWh: number, forecast: SlotForecast): ScoredSlot {
  return { actualWh, quantilesWh: forecast.quantilesWh, meanWh: expectedWh(forecast) };
}

function actualAt(meter: MeterSeries, slot: Slot): number {
  return meter.energyWh[(slot.startMs - meter.startMs) / (meter.slotMinutes * 60_000)] ?? Number.NaN;
}

function isScored(situation: Situation, view: KnownView, slot: Slot, actualWh: number): boolean {
  const { grid, calendar, target } = situation;
  if (!Number.isFinite(actualWh)) return false;
  if (Number.isNaN(recentMean(grid, latestSameSlot(grid, calendar.cellAt(slot.startMs))))) return false;
  return target.weather === undefined || view.weatherAt(target.weather, slot) !== undefined;
}

function rowOf(
  request: EvaluationRequest,
  target: ForecastTarget,
  scope: "day" | "all",
  scored: readonly Scored[],
  trainSeconds: number,
): EvaluationRow {
  const normaliserWh = target.kind === "load" ? meanActual(scored) : target.capacityWh;
  const { n, nMAE, nRMSE, bias, pinball, coverage80, width80 } = scoreForecasts(
    scored.map((slot) => slot.model),
    normaliserWh,
  );
  const persistence = scoreForecasts(
    scored.map((slot) => slot.reference),
    normaliserWh,
  );
  return {
    name: target.series,
    model: request.forecaster.name,
    scope,
    n,
    nMAE,
    nRMSE,
    bias,
    pinball,
    coverage80,
    width80,
    skillVsPersistence: skill(nRMSE, persistence.nRMSE),
    trainSeconds,
  };
}

function meanActual(scored: readonly Scored[]): number {
  return scored.reduce((sum, slot) => sum + Math.abs(slot.model.actualWh), 0) / scored.length;
}
