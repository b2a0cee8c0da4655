/** What both reports say of a run beyond its own figures: who traded, sums by role, mean price, forecasts by kind. */
import { compareBigint, compareText, type MicrosPerKwh, micros, microsPerKwh, WH_PER_KWH, wattHours } from "#core";
import type { ForecastReport, MemberReport, RunReport } from "./model.ts";

/** Members with a strategy, the best first; and those that serve the market: power company, authority, marketplace. */
export type Parties = { readonly traders: readonly MemberReport[]; readonly services: readonly MemberReport[] };

export function partiesOf(report: RunReport): Parties {
  const traders = report.members.filter((member) => member.strategy !== null).toSorted(byGainFalling);
  return { traders, services: report.members.filter((member) => member.strategy === null) };
}

function byGainFalling(left: MemberReport, right: MemberReport): number {
  return compareBigint(right.gainMicros, left.gainMicros) || compareText(left.name, right.name);
}

/** The figures of several members added up; `count` says of how many. */
export type MemberSum = Pick<
  MemberReport,
  | "producedWh"
  | "consumedWh"
  | "promisedWh"
  | "deliveredWh"
  | "boughtWh"
  | "soldWh"
  | "netMicros"
  | "baselineMicros"
  | "gainMicros"
  | "depositLostMicros"
> & { readonly count: number };

export function sumOfMembers(members: readonly MemberReport[]): MemberSum {
  const total = (amountOf: (member: MemberReport) => bigint): bigint =>
    members.reduce((sum, member) => sum + amountOf(member), 0n);
  return {
    count: members.length,
    producedWh: wattHours(total((member) => member.producedWh)),
    consumedWh: wattHours(total((member) => member.consumedWh)),
    promisedWh: wattHours(total((member) => member.promisedWh)),
    deliveredWh: wattHours(total((member) => member.deliveredWh)),
    boughtWh: wattHours(total((member) => member.boughtWh)),
    soldWh: wattHours(total((member) => member.soldWh)),
    netMicros: micros(total((member) => member.netMicros)),
    baselineMicros: micros(total((member) => member.baselineMicros)),
    gainMicros: micros(total((member) => member.gainMicros)),
    depositLostMicros: micros(total((member) => member.depositLostMicros)),
  };
}

/** The members of each first role, the largest group first. */
export function membersByRole(
  members: readonly MemberReport[],
): readonly { readonly role: string; readonly members: readonly MemberReport[] }[] {
  const groups = new Map<string, MemberReport[]>();
  for (const member of members) {
    const role = member.roles[0] ?? "member";
    const group = groups.get(role);
    if (group === undefined) groups.set(role, [member]);
    else group.push(member);
  }
  return [...groups]
    .map(([role, group]) => ({ role, members: group }))
    .sort((left, right) => right.members.length - left.members.length || compareText(left.role, right.role));
}

/** Volume-weighted mean price of all trades, rounded to the nearest micro; null without trades. For display. */
export function meanPriceOf(report: RunReport): MicrosPerKwh | null {
  let volume = 0n;
  let money = 0n;
  for (const slot of report.timeline) {
    if (slot.priceMicrosPerKwh === null) continue;
    volume += slot.tradedWh;
    money += slot.tradedWh * slot.priceMicrosPerKwh;
  }
  return volume === 0n ? null : microsPerKwh(divideNearest(money, volume));
}

/** The lowest feed-in and the highest retail price of the run in micros per kWh; null for a run without slots. */
export function tariffRangeOf(report: RunReport): { readonly feedIn: bigint; readonly retail: bigint } | null {
  const [first, ...rest] = report.timeline;
  if (first === undefined) return null;
  let feedIn: bigint = first.feedInMicrosPerKwh;
  let retail: bigint = first.retailMicrosPerKwh;
  for (const slot of rest) {
    if (slot.feedInMicrosPerKwh < feedIn) feedIn = slot.feedInMicrosPerKwh;
    if (slot.retailMicrosPerKwh > retail) retail = slot.retailMicrosPerKwh;
  }
  return { feedIn, retail };
}

/** What one traded kWh gained, in micros per kWh; null without trades. */
export function gainPerTradedKwh(report: RunReport): bigint | null {
  const { tradedWh } = report.energy;
  return tradedWh === 0n ? null : divideNearest(report.money.gainMicros * WH_PER_KWH, tradedWh);
}

/** `numerator / denominator` (positive) rounded half away from zero. */
export function divideNearest(numerator: bigint, denominator: bigint): bigint {
  const half = denominator / 2n;
  return (numerator + (numerator < 0n ? -half : half)) / denominator;
}

/** Scores of all series of one kind, weighted by their number of readings. */
export type ForecastSum = {
  readonly kind: ForecastReport["kind"];
  readonly series: number;
  readonly n: number;
  readonly nMAE: number;
  readonly pinball: number;
  readonly coverage80: number;
  /** Null when persistence is defined for none of them. */
  readonly skillVsPersistence: number | null;
};

export function forecastByKind(series: readonly ForecastReport[]): readonly ForecastSum[] {
  const kinds = ["pv", "wind", "load"] as const;
  return kinds.flatMap((kind) => {
    const members = series.filter((one) => one.kind === kind);
    return members.length === 0 ? [] : [sumOfForecasts(kind, members)];
  });
}

function sumOfForecasts(kind: ForecastReport["kind"], members: readonly ForecastReport[]): ForecastSum {
  const compared = members.filter((one) => one.skillVsPersistence !== null);
  return {
    kind,
    series: members.length,
    n: members.reduce((sum, one) => sum + one.n, 0),
    nMAE: weightedMean(members, (one) => one.nMAE),
    pinball: weightedMean(members, (one) => one.pinball),
    coverage80: weightedMean(members, (one) => one.coverage80),
    skillVsPersistence: compared.length === 0 ? null : weightedMean(compared, (one) => one.skillVsPersistence ?? 0),
  };
}

function weightedMean(members: readonly ForecastReport[], scoreOf: (one: ForecastReport) => number): number {
  const weight = members.reduce((sum, one) => sum + one.n, 0);
  return members.reduce((sum, one) => sum + scoreOf(one) * one.n, 0) / weight;
}

/** The series that beats persistence by least; where none is compared with it, the one with the greatest error. */
export function worstForecast(series: readonly ForecastReport[]): ForecastReport | undefined {
  const compared = series.filter((one) => one.skillVsPersistence !== null);
  const rank = (one: ForecastReport): number => one.skillVsPersistence ?? -one.nMAE;
  return (compared.length === 0 ? series : compared).toSorted(
    (left, right) => rank(left) - rank(right) || compareText(left.name, right.name),
  )[0];
}

/** Whether the run's books balance: no money and no energy made or lost. */
export function isConserved(report: RunReport): boolean {
  return report.conservation.moneyErrorMicros === 0n && report.conservation.energyErrorWh === 0n;
}

/** Codes of a count such as denials, the most frequent first. */
export function byCountFalling(counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([leftCode, left], [rightCode, right]) => right - left || compareText(leftCode, rightCode));
}
