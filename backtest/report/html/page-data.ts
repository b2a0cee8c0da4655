/** Makes the data of the page's scripts from a report. */
import { localTimeAt, offsetMinutesAt, parseZone, type ZoneName, zone } from "#core";
import { energyUnitFor } from "../format.ts";
import type { MemberReport, RunReport, SlotReport } from "../model.ts";
import { divideNearest, partiesOf } from "../summary.ts";
import type { GainColumns, HourColumns, MemberRecord, PageData, TimelineColumns } from "./page-model.ts";

/** The page's data. A time zone that this runtime does not know is shown as UTC. */
export function pageDataOf(report: RunReport): PageData {
  const parsed = parseZone(report.timeZone);
  const zoneName = parsed.ok ? parsed.value : zone("UTC");
  const { traders, services } = partiesOf(report);
  const slotEnergies = report.timeline.flatMap((slot) => [slot.promisedWh, slot.producedWh]);
  return {
    fileStem: report.name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80) || "run",
    currency: report.currency,
    timeZone: zoneName,
    slotMinutes: report.slotMinutes,
    unit: energyUnitFor(slotEnergies),
    offsets: offsetsOf(zoneName, report.timeline),
    timeline: timelineOf(report.timeline),
    hours: hoursOf(report, zoneName),
    gains: gainsOf(report, traders),
    members: [...traders, ...services].map(memberRecordOf),
  };
}

function offsetsOf(zoneName: ZoneName, timeline: readonly SlotReport[]): PageData["offsets"] {
  const offsets: (readonly [number, number])[] = [];
  for (const { startMs } of timeline) {
    const minutes = offsetMinutesAt(zoneName, startMs);
    if (offsets.at(-1)?.[1] !== minutes) offsets.push([startMs, minutes]);
  }
  return offsets;
}

function timelineOf(timeline: readonly SlotReport[]): TimelineColumns {
  const column = (amountOf: (slot: SlotReport) => bigint): readonly string[] =>
    timeline.map((slot) => amountOf(slot).toString());
  const quantile = (name: keyof SlotReport["forecastWh"]): readonly string[] =>
    timeline.map((slot) => Math.round(slot.forecastWh[name]).toString());
  return {
    slot: timeline.map((slot) => slot.slot),
    startMs: timeline.map((slot) => slot.startMs),
    producedWh: column((slot) => slot.producedWh),
    consumedWh: column((slot) => slot.consumedWh),
    promisedWh: column((slot) => slot.promisedWh),
    deliveredWh: column((slot) => slot.deliveredWh),
    shortfallWh: column((slot) => slot.shortfallWh),
    tradedWh: column((slot) => slot.tradedWh),
    priceMicrosPerKwh: timeline.map((slot) => slot.priceMicrosPerKwh?.toString() ?? null),
    feedInMicrosPerKwh: column((slot) => slot.feedInMicrosPerKwh),
    retailMicrosPerKwh: column((slot) => slot.retailMicrosPerKwh),
    forecastQ10Wh: quantile("q10"),
    forecastQ50Wh: quantile("q50"),
    forecastQ90Wh: quantile("q90"),
    gainMicros: column((slot) => slot.gainMicros),
  };
}

function hoursOf(report: RunReport, zoneName: ZoneName): HourColumns {
  const byHour = new Map(report.market.byHour.map((one) => [one.hour, one]));
  const slots: SlotReport[][] = Array.from({ length: 24 }, () => []);
  for (const slot of report.timeline) slots[localTimeAt(zoneName, slot.startMs).hour]?.push(slot);
  const hours = slots.map((_, hour) => byHour.get(hour));
  const mean = (members: readonly SlotReport[], priceOf: (slot: SlotReport) => bigint): string | null => {
    const sum = members.reduce((total, slot) => total + priceOf(slot), 0n);
    return members.length === 0 ? null : divideNearest(sum, BigInt(members.length)).toString();
  };
  return {
    tradedWh: hours.map((hour) => (hour?.tradedWh ?? 0n).toString()),
    priceMicrosPerKwh: hours.map((hour) => hour?.priceMicrosPerKwh?.toString() ?? null),
    feedInMicrosPerKwh: slots.map((members) => mean(members, (slot) => slot.feedInMicrosPerKwh)),
    retailMicrosPerKwh: slots.map((members) => mean(members, (slot) => slot.retailMicrosPerKwh)),
  };
}

function gainsOf(report: RunReport, traders: readonly MemberReport[]): GainColumns {
  const members = traders.map(({ name }) => {
    let last = 0n;
    const gainMicros = report.gainByDay.map((day) => {
      last = Object.hasOwn(day.gainMicros, name) ? (day.gainMicros[name] ?? last) : last;
      return last.toString();
    });
    return { name, gainMicros };
  });
  return { days: report.gainByDay.map((day) => day.day), members };
}

function memberRecordOf(member: MemberReport): MemberRecord {
  return {
    member: member.name,
    roles: member.roles.join("+"),
    strategy: member.strategy ?? "",
    producedWh: member.producedWh.toString(),
    consumedWh: member.consumedWh.toString(),
    promisedWh: member.promisedWh.toString(),
    deliveredWh: member.deliveredWh.toString(),
    boughtWh: member.boughtWh.toString(),
    soldWh: member.soldWh.toString(),
    netMicros: member.netMicros.toString(),
    baselineMicros: member.baselineMicros.toString(),
    gainMicros: member.gainMicros.toString(),
    depositLostMicros: member.depositLostMicros.toString(),
    denied: Object.values(member.denials)
      .reduce((sum, count) => sum + count, 0)
      .toString(),
  };
}
