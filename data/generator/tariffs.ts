/** Prices of the supplier of last resort: a constant feed-in price and a retail price by season, weekday and hour. */
import { type MicrosPerKwh, microsPerKwh, type SlotMinutes } from "#core";
import type { TariffVintage } from "../series.ts";
import { type CalendarDay, STEP_MINUTES, STEP_MS, type StepCalendar } from "./calendar.ts";
import type { TariffParameters } from "./parameters.ts";

const SATURDAY = 6;

/** One vintage per local day, published at 11:00 local on the day before. */
export function tariffVintages(
  calendar: StepCalendar,
  slotMinutes: SlotMinutes,
  latitude: number,
  parameters: TariffParameters,
): readonly TariffVintage[] {
  const feedIn = microsPerKwh(parameters.feedIn);
  const stepsPerSlot = slotMinutes / STEP_MINUTES;
  return calendar.days.map((day): TariffVintage => {
    const retail: MicrosPerKwh[] = [];
    for (let step = day.firstStep; step < day.endStep; step += stepsPerSlot) {
      const hour = Math.floor((calendar.minuteOfDay[step] ?? 0) / 60);
      retail.push(microsPerKwh(retailMicros(day, hour, latitude, parameters)));
    }
    return {
      knownAtMs: day.tariffAtMs,
      startMs: calendar.startMs + day.firstStep * STEP_MS,
      slotMinutes,
      feedIn: retail.map(() => feedIn),
      retail,
    };
  });
}

function retailMicros(
  { day, weekday }: CalendarDay,
  hour: number,
  latitude: number,
  parameters: TariffParameters,
): number {
  const month = Number(day.slice(5, 7));
  const [first, last] = parameters.summerMonths;
  const northernMonth = latitude < 0 ? ((month + 5) % 12) + 1 : month;
  const isSummer = northernMonth >= first && northernMonth <= last;
  const [from, until] = parameters.peakHours;
  const isPeak = hour >= from && hour < until;
  if (!isPeak) return isSummer ? parameters.offPeakSummer : parameters.offPeakWinter;
  if (!isSummer) return parameters.peakWinter;
  return weekday >= SATURDAY ? parameters.peakSummerWeekend : parameters.peakSummerWeekday;
}
