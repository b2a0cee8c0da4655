/**
 * How readings compared with what a forecaster had said of their day at its midnight, slot after slot.
 * A day's midnight forecast is made once and kept by the content of what was known at that midnight.
 */
import type { KnownView, MeterHistory, WeatherVintage } from "#data";
import { type Fading, learnFading } from "./fading.ts";
import { fingerprintsOfPrefixes, fingerprintsOfVintages } from "./fingerprint.ts";
import { KeptResults } from "./kept-results.ts";
import { type LocalCalendar, resampleHistory } from "./local-grid.ts";
import { type Forecaster, type ForecastTarget, MEDIAN_INDEX, type SlotForecast } from "./model.ts";
import { countKnownBy, pastView, readingLagMs } from "./past-view.ts";
import { clamp } from "./statistics.ts";

const TARGETS_KEPT_MAX = 256;
const SURPRISE_MAX = 3;
/** q90 − q10 of a normal distribution, in standard deviations. */
const WIDTH_80 = 2.563;
const LOW_10 = 1;
const HIGH_90 = 17;

/** Standard deviation that a forecast's central 80 % stands for, in Wh. */
export function spreadOf(forecast: SlotForecast): number {
  return ((forecast.quantilesWh[HIGH_90] ?? 0) - (forecast.quantilesWh[LOW_10] ?? 0)) / WIDTH_80;
}

/** What is known of a target and when: all that a record rests on. */
type Knowledge = {
  readonly view: KnownView;
  readonly target: ForecastTarget;
  readonly calendar: LocalCalendar;
  readonly history: MeterHistory;
  readonly vintages: readonly WeatherVintage[];
  readonly lagMs: number;
};

type Midnight = { readonly day: number; readonly startMs: number; readonly key: string };
type DayForecasts = readonly SlotForecast[];

/** One target's record as it stood at a local midnight. */
export type SurpriseRecord = {
  /** How surprises faded over the last days that were wholly known at midnight. */
  readonly fading: Fading;
  /** What was said of yesterday and today at their midnights. */
  readonly recentForecasts: DayForecasts;
};

export class SurpriseRecords {
  readonly #base: Forecaster;
  readonly #learningDays: number;
  readonly #records = new KeptResults<SurpriseRecord>(TARGETS_KEPT_MAX);
  readonly #forecasts = new KeptResults<KeptResults<DayForecasts>>(TARGETS_KEPT_MAX);

  /** Fading is learnt from so many days before yesterday. */
  constructor(base: Forecaster, learningDays: number) {
    this.#base = base;
    this.#learningDays = learningDays;
  }

  /** The record as of the last local midnight. */
  at(view: KnownView, target: ForecastTarget, calendar: LocalCalendar): SurpriseRecord {
    const history = resampleHistory(view.meter(target.series), calendar.slotMinutes);
    const vintages = target.weather === undefined ? [] : view.weatherVintages(target.weather);
    const knowledge = {
      view,
      target,
      calendar,
      history,
      vintages,
      lagMs: readingLagMs(view.nowMs, view.meter(target.series)),
    };
    const today = calendar.dayOf(calendar.cellAt(view.nowMs));
    const identity = JSON.stringify([
      target,
      calendar.timeZone,
      calendar.slotMinutes,
      history.startMs,
      knowledge.lagMs,
    ]);
    const midnight = midnightsOf(knowledge, today, today)[0];
    return this.#records.get(`${identity}|${midnight?.key}`, () => this.#record(knowledge, identity, today));
  }

  #record(knowledge: Knowledge, identity: string, today: number): SurpriseRecord {
    const { calendar, target, view } = knowledge;
    const kept = this.#forecasts.get(identity, () => new KeptResults(2 * this.#learningDays));
    const first = Math.max(today - 1 - this.#learningDays, calendar.dayOf(calendar.cellAt(knowledge.history.startMs)));
    const days = midnightsOf(knowledge, first, today).map(({ day, startMs, key }) =>
      kept.get(key, () => this.#base.forecast(pastView(view, startMs), target, calendar.slotsOf(day))),
    );
    const surprises = days.slice(0, -2).map((forecasts) => surprisesOf(forecasts, knowledge.history));
    return { fading: learnFading(joined(surprises), calendar.slotsPerDay), recentForecasts: days.slice(-2).flat() };
  }
}

/** The midnights at which local days began, each with the key of what was known then. */
function midnightsOf({ calendar, history, vintages }: Knowledge, first: number, last: number): readonly Midnight[] {
  const { slotsPerDay, slotMs } = calendar;
  const starts = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    calendar.startMsOf((first + index) * slotsPerDay),
  );
  const counts = starts.map((startMs) => Math.max(0, Math.floor((startMs - history.startMs) / slotMs)));
  const meters = fingerprintsOfPrefixes(history.energyWh, counts);
  const weather = fingerprintsOfVintages(
    vintages,
    starts.map((startMs) => countKnownBy(vintages, startMs)),
  );
  return starts.map((startMs, index) => ({
    day: first + index,
    startMs,
    key: `${first + index}|${meters[index]}|${weather[index]}`,
  }));
}

/**
 * Surprises, slot after slot: actual less median over the spread, cut at ±3; NaN where nothing was metered, nothing is
 * known yet, or the forecast was certain.
 */
export function surprisesOf(forecasts: readonly SlotForecast[], history: MeterHistory): Float64Array {
  const surprises = new Float64Array(forecasts.length);
  forecasts.forEach((forecast, index) => {
    const { slot, quantilesWh } = forecast;
    const actual = history.energyWh[(slot.startMs - history.startMs) / (slot.endMs - slot.startMs)] ?? Number.NaN;
    const spread = spreadOf(forecast);
    const surprise = spread > 0 ? (actual - (quantilesWh[MEDIAN_INDEX] ?? 0)) / spread : Number.NaN;
    surprises[index] = Number.isNaN(surprise) ? Number.NaN : clamp(surprise, -SURPRISE_MAX, SURPRISE_MAX);
  });
  return surprises;
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
