/**
 * What all forecasters share: reading a view into a grid by local clock, the rule for night, and the guarantees that
 * each forecast keeps (19 finite quantiles, never decreasing, within 0 and the capacity).
 */
import type { Slot, SlotMinutes } from "#core";
import type { KnownView } from "#data";
import { sunPosition } from "#data";
import { COLD_START, coldStartQuantiles } from "./cold-start.ts";
import { gridOf, LocalCalendar, type LocalGrid, latestSameSlot, resampleHistory } from "./local-grid.ts";
import {
  type Forecaster,
  type ForecasterOptions,
  type ForecastTarget,
  QUANTILE_LEVELS,
  type SlotForecast,
} from "./model.ts";
import { recentMax } from "./recent.ts";
import { clamp, orderedWithin } from "./statistics.ts";

/** Days of history that the methods without training look at: errors of 28 days against levels of 28 days before. */
const GRID_DAYS = 64;
/** A PV slot whose 28 latest values are all at or below this share of the capacity is night. */
export const NIGHT_CAPACITY_SHARE = 0.005;

/** What is known about a target at one instant, by local clock. */
export type Situation = {
  readonly nowMs: number;
  readonly target: ForecastTarget;
  readonly calendar: LocalCalendar;
  readonly grid: LocalGrid;
  readonly capacityWh: number;
  /** Whether a slot (by its start) is night for a PV plant, where that was asked before. */
  readonly darkness: Map<number, boolean>;
};

/** Quantiles and mean that a model proposes for a slot, and its name where it is not the forecaster's own. */
export type Draft = { readonly quantilesWh: Float64Array; readonly meanWh?: number; readonly model?: string };

/** Calendars of one forecaster by slot length; each remembers the zone's offsets. */
export class Calendars {
  readonly #options: ForecasterOptions;
  readonly #known = new Map<SlotMinutes, LocalCalendar>();

  constructor(options: ForecasterOptions) {
    this.#options = options;
  }

  get(minutes: SlotMinutes): LocalCalendar {
    let calendar = this.#known.get(minutes);
    if (calendar === undefined) {
      calendar = new LocalCalendar(this.#options.timeZone, minutes);
      this.#known.set(minutes, calendar);
    }
    return calendar;
  }
}

/** Situations of one instant by target and calendar. */
type SharedSituations = { readonly nowMs: number; readonly byKey: Map<string, Situation> };
const situations = new WeakMap<Float64Array, SharedSituations>();

/**
 * The situation of a target as the view has it now. Forecasters that ask at one instant for one and the same history
 * (the same array, which a view hands out while nothing new becomes known) share it.
 */
export function situationOf(view: KnownView, target: ForecastTarget, calendar: LocalCalendar): Situation {
  const history = view.meter(target.series);
  const { nowMs } = view;
  let shared = situations.get(history.energyWh);
  if (shared?.nowMs !== nowMs) {
    shared = { nowMs, byKey: new Map() };
    situations.set(history.energyWh, shared);
  }
  const key = JSON.stringify([history.startMs, target, calendar.timeZone, calendar.slotMinutes]);
  let situation = shared.byKey.get(key);
  if (situation === undefined) {
    const grid = gridOf(resampleHistory(history, calendar.slotMinutes), calendar, GRID_DAYS);
    situation = { nowMs, target, calendar, grid, capacityWh: usableCapacity(target, grid), darkness: new Map() };
    shared.byKey.set(key, situation);
  }
  return situation;
}

/** The target's capacity; where it is not a number, the most that was metered, or none. */
function usableCapacity(target: ForecastTarget, grid: LocalGrid): number {
  if (Number.isFinite(target.capacityWh)) return Math.max(0, target.capacityWh);
  const most = grid.values.reduce((max, reading) => (reading > max ? reading : max), 0);
  return most > 0 ? most : Number.POSITIVE_INFINITY;
}

/** Whether a PV plant gives nothing: sun down at the slot's middle, or without a site nothing in the last 28 values. */
export function isDark(situation: Situation, slot: Slot): boolean {
  if (situation.target.kind !== "pv") return false;
  const known = situation.darkness.get(slot.startMs);
  if (known !== undefined) return known;
  const dark = isNight(situation, slot);
  situation.darkness.set(slot.startMs, dark);
  return dark;
}

function isNight({ target, grid, calendar, capacityWh }: Situation, slot: Slot): boolean {
  if (target.site !== undefined) {
    return sunPosition((slot.startMs + slot.endMs) / 2, target.site.latitude, target.site.longitude).cosZenith <= 0;
  }
  return recentMax(grid, latestSameSlot(grid, calendar.cellAt(slot.startMs))) <= NIGHT_CAPACITY_SHARE * capacityWh;
}

/** The guess for a slot of which nothing is known. */
export function coldDraft(situation: Situation, slot: Slot): Draft {
  const { target, capacityWh, calendar } = situation;
  return { quantilesWh: coldStartQuantiles(target, capacityWh, slot, calendar), model: COLD_START };
}

/** Turns a draft into a forecast that keeps all guarantees; a draft that is not finite becomes the cold start's guess. */
export function finish(situation: Situation, slot: Slot, name: string, draft: Draft): SlotForecast {
  const issuedAtMs = situation.nowMs;
  const model = draft.model ?? name;
  const quantilesWh = orderedWithin(draft.quantilesWh, situation.capacityWh);
  if (quantilesWh === undefined) return guessed(situation, slot);
  const { meanWh } = draft;
  if (meanWh === undefined || !Number.isFinite(meanWh)) return { slot, issuedAtMs, model, quantilesWh };
  return { slot, issuedAtMs, model, quantilesWh, meanWh: clamp(meanWh, 0, situation.capacityWh) };
}

/** Nothing, for certain: a PV plant's forecast while the sun is down. */
export function nightForecast(situation: Situation, slot: Slot, name: string): SlotForecast {
  return {
    slot,
    issuedAtMs: situation.nowMs,
    model: name,
    quantilesWh: new Float64Array(QUANTILE_LEVELS.length),
    meanWh: 0,
  };
}

function guessed(situation: Situation, slot: Slot): SlotForecast {
  const guess = orderedWithin(coldDraft(situation, slot).quantilesWh, situation.capacityWh);
  const quantilesWh = guess ?? new Float64Array(QUANTILE_LEVELS.length);
  return { slot, issuedAtMs: situation.nowMs, model: COLD_START, quantilesWh };
}

/** A model that drafts slot by slot once it has seen the situation. */
export type Drafter = (slot: Slot, cell: number) => Draft;

/** Makes a forecaster of a function that prepares what all slots of a call share. */
export function slotForecaster(
  name: string,
  options: ForecasterOptions,
  prepare: (situation: Situation, view: KnownView) => Drafter,
): Forecaster {
  return lengthwiseForecaster(name, options, (view, target, slots, calendar) => {
    const situation = situationOf(view, target, calendar);
    const draft = prepare(situation, view);
    return slots.map((slot) =>
      isDark(situation, slot)
        ? nightForecast(situation, slot, name)
        : finish(situation, slot, name, draft(slot, calendar.cellAt(slot.startMs))),
    );
  });
}

/** Forecasts of slots that are all of the calendar's length. */
type EqualSlots = (
  view: KnownView,
  target: ForecastTarget,
  slots: readonly Slot[],
  calendar: LocalCalendar,
) => readonly SlotForecast[];

/** Makes a forecaster of a function for slots of one length: a call with several lengths is answered length by length. */
export function lengthwiseForecaster(name: string, options: ForecasterOptions, forecast: EqualSlots): Forecaster {
  const calendars = new Calendars(options);
  return {
    name,
    forecast(view, target, slots) {
      const lengths = new Set(slots.map((slot) => slot.minutes));
      const made = [...lengths].map((minutes) => {
        const some = slots.filter((slot) => slot.minutes === minutes);
        return forecast(view, target, some, calendars.get(minutes));
      });
      if (made.length === 1) return made[0] ?? [];
      const bySlot = new Map(made.flat().map((forecastOfSlot) => [forecastOfSlot.slot.id, forecastOfSlot]));
      return slots.flatMap((slot) => bySlot.get(slot.id) ?? []);
    },
  };
}
