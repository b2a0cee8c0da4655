/** Draws a run's report from its settlement rows, rounds and ledger. Sums only: every figure can be recomputed from the rows. */

import type { IntentOutcome } from "#agents";
import {
  costFloor,
  localTimeAt,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  type SlotId,
  sumEnergy,
  sumMoney,
  type WattHours,
} from "#core";
import type { Community } from "#data";
import type { MemberReport, RunReport, SettlementRow, SlotReport, StatementReport } from "./report/index.ts";
import type { CommunityServices } from "./services.ts";
import type { SimulationResult } from "./simulation.ts";

export type ReportParts = {
  readonly name: string;
  readonly version: string;
  readonly seed: number;
  readonly currency: string;
  readonly community: Community;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly result: SimulationResult;
  readonly rows: readonly SettlementRow[];
  readonly statements: readonly StatementReport[];
  readonly services: CommunityServices;
  readonly money: { readonly issuedMicros: Micros; readonly heldMicros: Micros; readonly transactions: number };
  readonly wallSeconds: number;
  readonly runHash: string;
};

export function buildReport(parts: ReportParts): RunReport {
  const { community, result, rows, money } = parts;
  const members = memberReports(parts);
  const traders = members.filter(({ strategy }) => strategy !== null);
  const timeline = timelineOf(parts);
  const { signatures, verifications } = result.network.counters;
  const denials = mergeCounts(members.map((member) => member.denials));
  return {
    name: parts.name,
    community: { name: community.name, source: community.source, description: community.description },
    version: parts.version,
    seed: parts.seed,
    timeZone: community.timeZone,
    currency: parts.currency,
    slotMinutes: community.slotMinutes,
    firstDay: parts.firstDay,
    lastDay: parts.lastDay,
    slots: result.slots.length,
    warnings: warningsOf(parts, traders, denials),
    members,
    energy: {
      promisedWh: energySum(rows, "promisedWh"),
      deliveredWh: energySum(rows, "deliveredWh"),
      shortfallWh: energySum(rows, "shortfallWh"),
      tradedWh: energySum(rows, "boughtWh"),
      producedWh: energySum(rows, "producedWh"),
      consumedWh: energySum(rows, "consumedWh"),
    },
    money: {
      issuedMicros: money.issuedMicros,
      heldMicros: money.heldMicros,
      tradedMicros: micros(rows.reduce((sum, { tradeMicros }) => sum + (tradeMicros > 0n ? tradeMicros : 0n), 0n)),
      feesMicros: micros(rows.reduce((sum, { feesMicros }) => sum + (feesMicros < 0n ? -feesMicros : 0n), 0n)),
      depositLostMicros: micros(
        rows.reduce((sum, { depositLostMicros }) => sum + (depositLostMicros < 0n ? -depositLostMicros : 0n), 0n),
      ),
      gainMicros: sumMoney(traders.map(({ gainMicros }) => gainMicros)),
    },
    conservation: { moneyErrorMicros: micros(money.heldMicros - money.issuedMicros), energyErrorWh: energyError(rows) },
    market: marketOf(parts, timeline),
    forecast: { issued: "12:00 the day before, for every slot of the day", series: result.scores.reports() },
    ledger: {
      transactions: money.transactions,
      signatures,
      verifications,
      tps: money.transactions / Math.max(parts.wallSeconds, 1e-9),
    },
    services: servicesOf(parts),
    statements: parts.statements,
    timeline,
    gainByDay: gainByDay(parts, traders),
    denials,
    wallSeconds: parts.wallSeconds,
    runHash: parts.runHash,
  };
}

function servicesOf({ result, services }: ReportParts): RunReport["services"] {
  const { aggregator, agency, meterOperators } = services;
  const served = result.participants.filter(({ isServed }) => isServed).map(({ member }) => member.name);
  return {
    ...result.services.report(),
    aggregator: aggregator === undefined ? null : { name: aggregator, members: served },
    agency: agency ?? null,
    meterOperators: meterOperators ?? [],
  };
}

type EnergyColumn = "producedWh" | "consumedWh" | "promisedWh" | "deliveredWh" | "shortfallWh" | "boughtWh" | "soldWh";
type MoneyColumn = "netMicros" | "baselineMicros" | "depositLostMicros";

function energySum(rows: readonly SettlementRow[], column: EnergyColumn): WattHours {
  return sumEnergy(rows.map((row) => row[column]));
}

function moneySum(rows: readonly SettlementRow[], column: MoneyColumn): Micros {
  return sumMoney(rows.map((row) => row[column]));
}

/** Bought less sold energy over all slots, each slot by itself: zero when trades balance. */
function energyError(rows: readonly SettlementRow[]): bigint {
  const bySlot = new Map<SlotId, bigint>();
  for (const { slot, boughtWh, soldWh } of rows) bySlot.set(slot, (bySlot.get(slot) ?? 0n) + boughtWh - soldWh);
  return [...bySlot.values()].reduce((sum, error) => sum + (error < 0n ? -error : error), 0n);
}

function memberReports({ result, rows }: ReportParts): readonly MemberReport[] {
  const byMember = groupBy(rows, ({ member }) => member);
  const strategies = new Map(result.participants.map(({ member, strategy }) => [member.name, strategy.name]));
  const reports = [...byMember].map(([name, own]): MemberReport => {
    const [netMicros, baselineMicros] = [moneySum(own, "netMicros"), moneySum(own, "baselineMicros")];
    return {
      name,
      roles: own[0]?.roles ?? [],
      strategy: strategies.get(name) ?? null,
      producedWh: energySum(own, "producedWh"),
      consumedWh: energySum(own, "consumedWh"),
      promisedWh: energySum(own, "promisedWh"),
      deliveredWh: energySum(own, "deliveredWh"),
      boughtWh: energySum(own, "boughtWh"),
      soldWh: energySum(own, "soldWh"),
      netMicros,
      baselineMicros,
      gainMicros: micros(netMicros - baselineMicros),
      depositLostMicros: moneySum(own, "depositLostMicros"),
      denials: denialsOf(result, name),
    };
  });
  const order = new Map(result.participants.map(({ member }, index) => [member.name, index]));
  return reports.sort((left, right) => (order.get(left.name) ?? 1e9) - (order.get(right.name) ?? 1e9));
}

function denialsOf({ decisions }: SimulationResult, agent: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const decision of decisions)
    if (decision.agent === agent) for (const outcome of decision.outcomes) countDenial(counts, outcome);
  return counts;
}

function countDenial(counts: Record<string, number>, outcome: IntentOutcome): void {
  const code =
    outcome.outcome === "denied"
      ? outcome.denial.tag
      : outcome.outcome === "rejected"
        ? `rejected: ${outcome.refusal.tag}`
        : undefined;
  if (code !== undefined) counts[code] = (counts[code] ?? 0) + 1;
}

function mergeCounts(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const merged: Record<string, number> = {};
  for (const counts of all)
    for (const [code, count] of Object.entries(counts)) merged[code] = (merged[code] ?? 0) + count;
  return merged;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function timelineOf({ community, result, rows }: ReportParts): readonly SlotReport[] {
  const bySlot = groupBy(rows, ({ slot }) => slot);
  return result.slots.map((slot): SlotReport => {
    const own = bySlot.get(slot.id) ?? [];
    const tradedWh = energySum(own, "boughtWh");
    const paid = own.reduce((sum, { tradeMicros }) => sum + (tradeMicros > 0n ? tradeMicros : 0n), 0n);
    const tariff = tariffAt(community, slot.startMs);
    return {
      slot: slot.id,
      startMs: slot.startMs,
      producedWh: energySum(own, "producedWh"),
      consumedWh: energySum(own, "consumedWh"),
      promisedWh: energySum(own, "promisedWh"),
      deliveredWh: energySum(own, "deliveredWh"),
      shortfallWh: energySum(own, "shortfallWh"),
      tradedWh,
      priceMicrosPerKwh: meanPrice(paid, tradedWh),
      feedInMicrosPerKwh: tariff.feedIn,
      retailMicrosPerKwh: tariff.retail,
      forecastWh: result.scores.productionAt(slot.id),
      gainMicros: micros(
        own.reduce((sum, row) => sum + (isTrader(result, row.member) ? row.netMicros - row.baselineMicros : 0n), 0n),
      ),
    };
  });
}

function isTrader({ participants }: SimulationResult, name: string): boolean {
  return participants.some(({ member }) => member.name === name);
}

/** Volume-weighted mean price, rounded down; null without volume. */
function meanPrice(paid: bigint, volume: WattHours): MicrosPerKwh | null {
  return volume === 0n ? null : microsPerKwh((paid * 1_000n) / volume);
}

function tariffAt(
  community: Community,
  startMs: number,
): { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh } {
  for (const tariff of community.data.tariffs) {
    const index = (startMs - tariff.startMs) / (tariff.slotMinutes * 60_000);
    const [feedIn, retail] = [tariff.feedIn[index], tariff.retail[index]];
    if (feedIn !== undefined && retail !== undefined) return { feedIn, retail };
  }
  return { feedIn: microsPerKwh(0n), retail: microsPerKwh(0n) };
}

function marketOf({ community, result }: ReportParts, timeline: readonly SlotReport[]): RunReport["market"] {
  const byHour = Array.from({ length: 24 }, (_, hour) => {
    const own = timeline.filter(({ startMs }) => localTimeAt(community.timeZone, startMs).hour === hour);
    const tradedWh = sumEnergy(own.map((slot) => slot.tradedWh));
    const paid = own.reduce(
      (sum, slot) => sum + (slot.priceMicrosPerKwh === null ? 0n : costFloor(slot.tradedWh, slot.priceMicrosPerKwh)),
      0n,
    );
    return { hour, tradedWh, priceMicrosPerKwh: meanPrice(paid, tradedWh) };
  });
  const { opened, sold, bids } = result.auctions;
  return {
    poolRounds: result.rounds.length,
    poolRoundsWithTrades: result.rounds.filter(({ volume }) => volume > 0n).length,
    auctionsOpened: opened,
    auctionsSold: sold,
    bids,
    byHour,
  };
}

function gainByDay({ community, rows, result }: ReportParts, traders: readonly MemberReport[]): RunReport["gainByDay"] {
  const dayOf = new Map(result.slots.map((slot) => [slot.id, localTimeAt(community.timeZone, slot.startMs).day]));
  const sums = new Map<string, bigint>(traders.map(({ name }) => [name, 0n]));
  return [...groupBy(rows, ({ slot }) => dayOf.get(slot) ?? "")].map(([day, own]) => {
    for (const { member, netMicros, baselineMicros } of own) {
      const sum = sums.get(member);
      if (sum !== undefined) sums.set(member, sum + netMicros - baselineMicros);
    }
    return { day, gainMicros: Object.fromEntries([...sums].map(([name, sum]) => [name, micros(sum)])) };
  });
}

const SHORTFALL_WARNING_PERCENT = 15n;

function warningsOf(
  { result, rows }: ReportParts,
  traders: readonly MemberReport[],
  denials: Readonly<Record<string, number>>,
): readonly string[] {
  const warnings: string[] = [];
  const promised = energySum(rows, "promisedWh");
  const shortfall = energySum(rows, "shortfallWh");
  if (result.problems.length > 0)
    warnings.push(`${result.problems.length} steps were refused by the ledger, the first: ${result.problems[0]}.`);
  if (promised > 0n && shortfall * 100n > promised * SHORTFALL_WARNING_PERCENT)
    warnings.push(`${(shortfall * 100n) / promised} % of the promised energy was not delivered.`);
  const losers = traders.filter(({ gainMicros }) => gainMicros < 0n);
  if (losers.length > 0)
    warnings.push(
      `${losers.length} of ${traders.length} members would have been better off without the market: ${losers.map(({ name }) => name).join(", ")}.`,
    );
  if (promised > 0n && energySum(rows, "boughtWh") === 0n) warnings.push("Nothing was traded.");
  if (result.estimatedReadings > 0)
    warnings.push(
      `${result.estimatedReadings} meter readings were missing; the last of the same time of day stood in for each.`,
    );
  const denied = Object.entries(denials).sort(([, left], [, right]) => right - left);
  const [top] = denied;
  if (top !== undefined)
    warnings.push(
      `${denied.reduce((sum, [, count]) => sum + count, 0)} intents were denied or rejected, most as ${top[0]}.`,
    );
  return warnings;
}
