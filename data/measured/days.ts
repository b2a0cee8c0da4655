/** Which days of a community have every reading, and which of them show a market best. */
import { addLocalDays, daysBetween, type LocalDay, localMidnightMs, type ZoneName } from "#core";
import type { MeterSeries } from "../series.ts";

/** What a search for days needs of a community. */
export type DayData = {
  readonly timeZone: ZoneName;
  readonly firstDay: LocalDay;
  readonly lastDay: LocalDay;
  readonly data: { readonly meters: ReadonlyMap<string, MeterSeries> };
};

/** The local days on which no member's reading is missing, in order: only these can be settled. */
export function completeDays(community: DayData): readonly LocalDay[] {
  return daysOf(community).flatMap(({ day, complete }) => (complete ? [day] : []));
}

/**
 * The first day of the sunniest period of `days` complete days that has `historyDays` complete days before it;
 * the earliest of equals; undefined when there is none.
 */
export function sunniestCompletePeriod(community: DayData, days: number, historyDays: number): LocalDay | undefined {
  const all = daysOf(community);
  let completeRun = 0;
  let productionWh = 0;
  let best: { readonly day: LocalDay; readonly productionWh: number } | undefined;
  all.forEach(({ complete, productionWh: today }, index) => {
    completeRun = complete ? completeRun + 1 : 0;
    productionWh += today - (all[index - days]?.productionWh ?? 0);
    if (completeRun < days + historyDays) return;
    if (best === undefined || productionWh > best.productionWh)
      best = { day: addLocalDays(community.firstDay, index - days + 1), productionWh };
  });
  return best?.day;
}

type DayState = { readonly day: LocalDay; readonly complete: boolean; readonly productionWh: number };

function daysOf({ timeZone, firstDay, lastDay, data }: DayData): readonly DayState[] {
  const meters = [...data.meters.values()];
  const midnights = Array.from({ length: daysBetween(firstDay, lastDay) + 2 }, (_, index) =>
    localMidnightMs(timeZone, addLocalDays(firstDay, index)),
  );
  return midnights.slice(0, -1).map((fromMs, index) => {
    const untilMs = midnights[index + 1] as number;
    const readings = meters.map((meter) => ({ kind: meter.kind, values: readingsBetween(meter, fromMs, untilMs) }));
    return {
      day: addLocalDays(firstDay, index),
      complete: readings.every(({ values }) => values !== undefined && !values.some(Number.isNaN)),
      productionWh: readings.reduce((sum, { kind, values }) => (kind === "load" ? sum : sum + presentSum(values)), 0),
    };
  });
}

/** The meter's readings from one instant to another; undefined where it does not cover them all. */
function readingsBetween(
  { startMs, slotMinutes, energyWh }: MeterSeries,
  fromMs: number,
  untilMs: number,
): Float64Array | undefined {
  const slotMs = slotMinutes * 60_000;
  const [from, until] = [(fromMs - startMs) / slotMs, (untilMs - startMs) / slotMs];
  return from >= 0 && until <= energyWh.length ? energyWh.subarray(from, until) : undefined;
}

function presentSum(values: Float64Array | undefined): number {
  return values?.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + value), 0) ?? 0;
}
