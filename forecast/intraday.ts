/**
 * `intraday`: carries the last hours' surprise into the next ones. Around any forecaster: what was metered is compared
 * with what that forecaster had said at the day's midnight, and the difference fades with lead time as it did lately.
 */
import { type Fading, LEAD_HOURS_MAX, recentSurprise } from "./fading.ts";
import { resampleHistory } from "./local-grid.ts";
import { type Forecaster, type ForecasterOptions, MEDIAN_INDEX, type SlotForecast } from "./model.ts";
import { lengthwiseForecaster, type Situation, situationOf } from "./situation.ts";
import { clamp, orderedWithin } from "./statistics.ts";
import { SurpriseRecords, spreadOf, surprisesOf } from "./surprises.ts";

/** Days from which the fading is learnt. */
const LEARNING_DAYS = 21;
const MS_PER_HOUR = 3_600_000;

/** Wraps `base`: forecasts of the next hours are moved by what the last hours' readings say, and made sharper. */
export function createIntraday(base: Forecaster, options: ForecasterOptions): Forecaster {
  const records = new SurpriseRecords(base, LEARNING_DAYS);
  return lengthwiseForecaster(`intraday ${base.name}`, options, (view, target, slots, calendar) => {
    const made = base.forecast(view, target, slots);
    const history = resampleHistory(view.meter(target.series), calendar.slotMinutes);
    if (history.energyWh.length === 0) return made;
    const { fading, recentForecasts } = records.at(view, target, calendar);
    const lastSlotMs = history.startMs + (history.energyWh.length - 1) * calendar.slotMs;
    const metered = recentForecasts.filter((forecast) => forecast.slot.startMs <= lastSlotMs);
    const surprise = recentSurprise(surprisesOf(metered, history), metered.length - 1, calendar.slotsPerDay);
    if (surprise === undefined) return made;
    const situation = situationOf(view, target, calendar);
    return made.map((forecast) => corrected(situation, forecast, surprise, fading, lastSlotMs));
  });
}

/** Moves the median by what is left of the surprise, and draws the other quantiles nearer to it. */
function corrected(
  situation: Situation,
  forecast: SlotForecast,
  surprise: number,
  fading: Fading,
  lastSlotMs: number,
): SlotForecast {
  const leadHours = Math.ceil((forecast.slot.startMs - lastSlotMs) / MS_PER_HOUR);
  const spreadWh = spreadOf(forecast);
  if (leadHours < 1 || leadHours > LEAD_HOURS_MAX || spreadWh === 0) return forecast;
  const moveWh = (fading.share[leadHours - 1] ?? 0) * surprise * spreadWh;
  const left = fading.spread[leadHours - 1] ?? 1;
  const median = forecast.quantilesWh[MEDIAN_INDEX] ?? 0;
  const quantilesWh = orderedWithin(
    forecast.quantilesWh.map((quantile) => median + moveWh + (quantile - median) * left),
    situation.capacityWh,
  );
  if (quantilesWh === undefined) return forecast;
  const moved = { ...forecast, quantilesWh, model: `intraday ${forecast.model}` };
  return forecast.meanWh === undefined
    ? moved
    : { ...moved, meanWh: clamp(forecast.meanWh + moveWh, 0, situation.capacityWh) };
}
