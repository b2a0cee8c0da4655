/**
 * Replays of the last weeks: what each model would have forecast at noon for the next local day, beside what came.
 * A day is replayed once and kept by the content of all that it rests on, so no later knowledge can slip into it.
 */
import type { Slot } from "#core";
import type { KnownView, MeterHistory, WeatherVintage } from "#data";
import { fingerprint, fingerprintOfVintages, fingerprintsOfPrefixes, fingerprintsOfVintages } from "./fingerprint.ts";
import { KeptResults } from "./kept-results.ts";
import { type LocalCalendar, resampleHistory } from "./local-grid.ts";
import { type Forecaster, type ForecastTarget, QUANTILE_LEVELS } from "./model.ts";
import { countKnownBy, pastView, readingLagMs } from "./past-view.ts";
import { meanPinball } from "./scores.ts";

/** Days that are replayed: enough for stable scores, few enough to follow the season. */
export const REPLAY_DAYS = 42;
/** Days at the start of a history of which nothing could have been forecast. */
const FIRST_DAYS_SKIPPED = 3;
const TARGETS_KEPT_MAX = 256;
const LEVELS = QUANTILE_LEVELS.length;

/** One model's forecasts of one past day, and their pinball loss summed over the metered slots, in Wh. */
export type PartDay = {
  /** Slot after slot, 19 each. */
  readonly quantilesWh: Float64Array;
  readonly loss: number;
};

/** One past day: what was metered (NaN where not) and what each model had said of it. */
export type ReplayedDay = { readonly actualWh: Float64Array; readonly parts: readonly PartDay[] };

/** Past days, oldest first, and the key of all that they rest on. */
export type Replay = { readonly key: string; readonly days: readonly ReplayedDay[] };

/** What a replay of a target rests on, as known now. */
type Knowledge = {
  readonly view: KnownView;
  readonly target: ForecastTarget;
  readonly calendar: LocalCalendar;
  readonly history: MeterHistory;
  readonly vintages: readonly WeatherVintage[];
};

type KeptOfTarget = { readonly replays: KeptResults<Replay>; readonly days: KeptResults<ReplayedDay> };

export class Replays {
  readonly #parts: readonly Forecaster[];
  readonly #kept = new KeptResults<KeptOfTarget>(TARGETS_KEPT_MAX);

  constructor(parts: readonly Forecaster[]) {
    this.#parts = parts;
  }

  /** Replays the days that had ended before yesterday began: whatever is late by up to a day is known of them. */
  until(view: KnownView, target: ForecastTarget, calendar: LocalCalendar): Replay {
    const history = resampleHistory(view.meter(target.series), calendar.slotMinutes);
    const vintages = target.weather === undefined ? [] : view.weatherVintages(target.weather);
    const knowledge = { view, target, calendar, history, vintages };
    const days = daysToReplay(knowledge);
    if (days.length === 0) return { key: "none", days: [] };
    const lagMs = readingLagMs(view.nowMs, view.meter(target.series));
    const identity = JSON.stringify([target, calendar.timeZone, calendar.slotMinutes, history.startMs, lagMs]);
    const kept = this.#kept.get(identity, () => ({
      replays: new KeptResults(8),
      days: new KeptResults(2 * REPLAY_DAYS),
    }));
    const last = days[days.length - 1] as number;
    const meters = fingerprint(history.energyWh.subarray(0, readingsUntil(knowledge, last)));
    const weather = fingerprintOfVintages(vintages, vintagesFor(knowledge, last));
    const key = `${identity}|${last}|${meters}|${weather}`;
    return kept.replays.get(key, () => ({ key, days: this.#replayDays(knowledge, days, kept.days) }));
  }

  #replayDays(knowledge: Knowledge, days: readonly number[], kept: KeptResults<ReplayedDay>): readonly ReplayedDay[] {
    const meters = fingerprintsOfPrefixes(
      knowledge.history.energyWh,
      days.map((day) => readingsUntil(knowledge, day)),
    );
    const weather = fingerprintsOfVintages(
      knowledge.vintages,
      days.map((day) => vintagesFor(knowledge, day)),
    );
    return days.map((day, index) =>
      kept.get(`${day}|${meters[index]}|${weather[index]}`, () => this.#replayDay(knowledge, day)),
    );
  }

  #replayDay(knowledge: Knowledge, day: number): ReplayedDay {
    const { view, target, calendar, history } = knowledge;
    const slots = calendar.slotsOf(day);
    const then = pastView(view, issueMs(calendar, day));
    const actualWh = new Float64Array(slots.length);
    slots.forEach((slot, index) => {
      actualWh[index] = history.energyWh[(slot.startMs - history.startMs) / calendar.slotMs] ?? Number.NaN;
    });
    return { actualWh, parts: this.#parts.map((part) => partDay(part, then, target, slots, actualWh)) };
  }
}

function partDay(
  part: Forecaster,
  then: KnownView,
  target: ForecastTarget,
  slots: readonly Slot[],
  actualWh: Float64Array,
): PartDay {
  const quantilesWh = new Float64Array(slots.length * LEVELS);
  let loss = 0;
  part.forecast(then, target, slots).forEach((forecast, index) => {
    quantilesWh.set(forecast.quantilesWh, index * LEVELS);
    const actual = actualWh[index] ?? Number.NaN;
    if (Number.isFinite(actual)) loss += meanPinball(actual, forecast.quantilesWh);
  });
  return { quantilesWh, loss };
}

function daysToReplay({ view, calendar, history }: Knowledge): readonly number[] {
  if (history.energyWh.length === 0) return [];
  const yesterday = calendar.dayOf(calendar.cellAt(view.nowMs)) - 1;
  const first = Math.max(
    calendar.dayOf(calendar.cellAt(history.startMs)) + FIRST_DAYS_SKIPPED,
    yesterday - REPLAY_DAYS,
  );
  return Array.from({ length: Math.max(0, yesterday - first) }, (_, index) => first + index);
}

/** Noon of the day before. */
function issueMs(calendar: LocalCalendar, day: number): number {
  return calendar.startMsOf((day - 1) * calendar.slotsPerDay + calendar.slotsPerDay / 2);
}

/** How many readings of the history belong to slots that ended by the end of the day. */
function readingsUntil({ calendar, history }: Knowledge, day: number): number {
  const endMs = calendar.startMsOf((day + 1) * calendar.slotsPerDay);
  return Math.max(0, Math.min(history.energyWh.length, Math.floor((endMs - history.startMs) / calendar.slotMs)));
}

function vintagesFor({ calendar, vintages }: Knowledge, day: number): number {
  return countKnownBy(vintages, issueMs(calendar, day));
}
