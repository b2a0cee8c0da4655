/**
 * `intraday`: carries the last hours' surprise into the next ones. Around any forecaster: what has been metered today
 * is compared with what that forecaster had said at local midnight, and the difference fades with the lead time as it
 * did in the last weeks.
 */
import { type Slot, slotStartingAt } from "#core";
import type { KnownView, MeterHistory } from "#data";
import { fingerprint, fingerprintOfVintages } from "./fingerprint.ts";
import { KeptResults } from "./kept-results.ts";
import { type LocalCalendar, resampleHistory } from "./local-grid.ts";
import { type Forecaster, type ForecasterOptions, type ForecastTarget, MEDIAN_INDEX, type SlotForecast } from "./model.ts";
import { countKnownBy, pastView, readingLagMs } from "./past-view.ts";
import { Calendars, isDark, situationOf } from "./situation.ts";
import { clamp, orderedWithin } from "./statistics.ts";

/** Lead times beyond this are left as they are. */
const LEAD_HOURS_MAX = 8;
/** Days from which the fading is learnt. */
const LEARNING_DAYS = 21;
/** Weight of the belief that surprises don't last, in pairs of slots. */
const PRIOR_PAIRS = 30;
const SURPRISE_MAX = 3;
const SURPRISE_HOURS = 3;
/** q90 − q10 of a normal distribution in standard deviations. */
const WIDTH_80 = 2.563;
const MS_PER_HOUR = 3_600_000;

/** Surprises of one day: actual less median over the forecast's spread; NaN where unknown or certain. */
type DaySurprises = Float64Array;

/** Per hour of lead: share of the surprise that is left, and share of the spread that remains. */
type Fading = { readonly share: Float64Array; readonly spread: Float64Array };

/** Wraps `base`, correcting forecasts of the next eight hours. */
export function createIntraday(base: Forecaster, options: ForecasterOptions): Forecaster {
  const calendars = new Calendars(options);
  const days = new KeptResults<DaySurprises>(4096);
  const fadings = new KeptResults<Fading>(512);
  const name = `intraday: ${base.name}`;
  return {
    name,
    forecast(view, target, slots) {
      const made = base.forecast(view, target, slots);
      const first = slots[0];
      if (first === undefined) return made;
      const calendar = calendars.get(first.minutes);
      const known = knowledgeOf(view, target, calendar);
      if (known.history.energyWh.length === 0) return made;
      return made.map((f) => f);
    },
  };
}
