/**
 * A run report from a seed, by simple made-up numbers: for developing and testing the reports without running a market.
 * Its books balance and every sum is the sum of its parts, as in a real run; its figures mean nothing beyond that.
 */

import type { ForecastReport, MemberReport, RunReport, SettlementRow, SlotReport, StatementReport } from "#backtest";
import {
  addLocalDays,
  compareText,
  costCeil,
  costFloor,
  hashOf,
  localDay,
  localTimeAt,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  type Prng,
  type Slot,
  type SlotMinutes,
  seededPrng,
  slotsOfLocalDay,
  splitInProportion,
  wattHours,
  type ZoneName,
  zone,
} from "#core";

export type SampleOptions = {
  readonly seed: number;
  /** Members that trade; a power company and a marketplace come on top. */
  readonly members: number;
  readonly days: number;
  readonly slotMinutes: SlotMinutes;
  readonly firstDay: string;
  readonly timeZone: string;
  /** Names instead of the made-up ones, for the first members. */
  readonly names: readonly string[];
  readonly warnings: readonly string[] | null;
  readonly source: "measured" | "generated";
};

const DEFAULTS: SampleOptions = {
  seed: 1,
  members: 14,
  days: 14,
  slotMinutes: 60,
  firstDay: "2025-03-24", // Holds a change of the clocks.
  timeZone: "Europe/Berlin",
  names: [],
  warnings: null,
  source: "generated",
};

const EMERGENCY_PRICE = microsPerKwh(320_000);
const FEE = microsPerKwh(2_000);
const POWER_COMPANY = "power-company";
const MARKETPLACE = "marketplace";

type Quantiles = { readonly q10: number; readonly q50: number; readonly q90: number };
type SampleMember = {
  readonly name: string;
  readonly roles: readonly string[];
  readonly strategy: string;
  readonly pvWatts: number;
  readonly windWatts: number;
  readonly loadWatts: number;
  /** Hours by which the roof's sun is late: it looks west; early when negative. */
  readonly shiftHours: number;
  /** How much of the middle forecast it dares to promise. */
  readonly courage: number;
};
type MemberSlot = {
  readonly member: SampleMember;
  readonly produced: bigint;
  readonly consumed: bigint;
  readonly forecast: Quantiles;
  readonly promised: bigint;
};
type Prices = { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh; readonly trade: MicrosPerKwh };

/** The report of a made-up run and the settlements that it sums up. */
export function sampleRun(options: Partial<SampleOptions> = {}): {
  readonly report: RunReport;
  readonly settlements: readonly SettlementRow[];
} {
  const chosen = { ...DEFAULTS, ...options };
  const zoneName = zone(chosen.timeZone);
  const members = sampleMembers(chosen);
  const settlements: SettlementRow[] = [];
  const timeline: SlotReport[] = [];
  for (let day = 0; day < chosen.days; day++) {
    const sky = 0.35 + 0.65 * seededPrng(chosen.seed, `sky ${day}`).nextFloat();
    const wind = 0.15 + 0.7 * seededPrng(chosen.seed, `wind ${day}`).nextFloat();
    const date = addLocalDays(localDay(chosen.firstDay), day);
    for (const slot of slotsOfLocalDay(zoneName, date, chosen.slotMinutes)) {
      const hour = localTimeAt(zoneName, slot.startMs).hour + localTimeAt(zoneName, slot.startMs).minute / 60;
      const prng = seededPrng(chosen.seed, slot.id);
      const states = members.map((member) => drawMemberSlot(member, slot, hour, sky, wind, prng));
      const settled = settleSample(slot, hour, states);
      settlements.push(...settled.rows);
      timeline.push(settled.slotReport);
    }
  }
  return { report: sampleReportOf(chosen, zoneName, members, settlements, timeline), settlements };
}

function sampleMembers(options: SampleOptions): readonly SampleMember[] {
  const streets = ["Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper"];
  const strategies = ["newsvendor-prosumer", "cautious-prosumer", "fixed-margin"];
  return Array.from({ length: options.members }, (_, index) => {
    const prng = seededPrng(options.seed, `member ${index}`);
    const name = options.names[index] ?? `${streets[index % 10]} ${1 + Math.floor(index / 10) * 2 + (index % 2)}`;
    const strategy = strategies[index % 3] ?? "";
    const plain = {
      name,
      pvWatts: 0,
      windWatts: 0,
      loadWatts: 350 + 600 * prng.nextFloat(),
      shiftHours: 4 * prng.nextFloat() - 2,
      courage: 0.6 + 0.35 * prng.nextFloat(),
    };
    if (index % 7 === 2 || index % 7 === 5) return { ...plain, roles: ["consumer"], strategy: "least-cost" };
    if (index % 14 === 6)
      return { ...plain, roles: ["producer"], strategy: "wind-day-ahead", windWatts: 7e3, loadWatts: 20 };
    const roles = index % 7 === 3 ? ["prosumer", "storage-provider"] : ["prosumer"];
    return { ...plain, roles, strategy, pvWatts: 2_500 + 4_500 * prng.nextFloat() };
  });
}

function drawMemberSlot(
  member: SampleMember,
  slot: Slot,
  hour: number,
  sky: number,
  wind: number,
  prng: Prng,
): MemberSlot {
  const hours = slot.minutes / 60;
  const sun = Math.max(0, Math.sin(((hour - member.shiftHours + hours / 2 - 6.5) / 13) * Math.PI)) ** 1.4;
  const gust = Math.max(0, wind + 0.25 * Math.sin(slot.startMs / 2.3e7));
  const expected = (member.pvWatts * sun * sky + member.windWatts * gust) * hours;
  const evening = 0.55 + 0.5 * Math.exp(-((hour - 7.5) ** 2) / 3) + 1.1 * Math.exp(-((hour - 19.5) ** 2) / 6);
  const consumed = member.loadWatts * evening * hours * (0.8 + 0.4 * prng.nextFloat());
  const error = member.windWatts > 0 ? 0.3 : 0.16;
  const produced = expected * Math.max(0, 1 + error * prng.nextNormal());
  const forecast = { q10: expected * (1 - 1.28 * error), q50: expected, q90: expected * (1 + 1.28 * error) };
  const surplus = Math.max(0, forecast.q50 * member.courage - member.loadWatts * evening * hours);
  const promised = surplus < 40 * hours ? 0 : surplus;
  return { member, produced: whole(produced), consumed: whole(consumed), forecast, promised: whole(promised) };
}

function settleSample(
  slot: Slot,
  hour: number,
  states: readonly MemberSlot[],
): { readonly rows: readonly SettlementRow[]; readonly slotReport: SlotReport } {
  const deficits = states.map((state) => above(state.consumed, state.produced));
  const offered = states.reduce((sum, state) => sum + state.promised, 0n);
  const wanted = (deficits.reduce((sum, deficit) => sum + deficit, 0n) * 9n) / 10n;
  const traded = offered < wanted ? offered : wanted;
  const prices = samplePrices(hour, offered, wanted);
  const sold = splitInProportion(
    offered === 0n ? 0n : traded,
    states.map((state) => state.promised),
  );
  const bought = splitInProportion(traded, deficits);
  const rows = states.map((state, index) => memberRow(slot, state, sold[index] ?? 0n, bought[index] ?? 0n, prices));
  const total = (amountOf: (row: SettlementRow) => bigint): bigint =>
    rows.reduce((sum, row) => sum + amountOf(row), 0n);
  const quantile = (name: keyof Quantiles): number =>
    Math.round(states.reduce((sum, state) => sum + state.forecast[name], 0));
  const slotReport: SlotReport = {
    slot: slot.id,
    startMs: slot.startMs,
    producedWh: wattHours(total((row) => row.producedWh)),
    consumedWh: wattHours(total((row) => row.consumedWh)),
    promisedWh: wattHours(total((row) => row.promisedWh)),
    deliveredWh: wattHours(total((row) => row.deliveredWh)),
    shortfallWh: wattHours(total((row) => row.shortfallWh)),
    tradedWh: wattHours(traded),
    priceMicrosPerKwh: traded === 0n ? null : prices.trade,
    feedInMicrosPerKwh: prices.feedIn,
    retailMicrosPerKwh: prices.retail,
    forecastWh: { q10: quantile("q10"), q50: quantile("q50"), q90: quantile("q90") },
    gainMicros: micros(total((row) => row.netMicros - row.baselineMicros)),
  };
  return { rows: [...rows, ...serviceRows(slot, rows)], slotReport };
}

function samplePrices(hour: number, offered: bigint, wanted: bigint): Prices {
  const feedIn = microsPerKwh(80_000);
  const retail = microsPerKwh(hour >= 17 && hour < 21 ? 340_000 : hour < 6 ? 240_000 : 290_000);
  const gap = retail - feedIn;
  const all = offered + wanted;
  return { feedIn, retail, trade: microsPerKwh(all === 0n ? feedIn : feedIn + (gap * wanted) / all) };
}

function memberRow(slot: Slot, state: MemberSlot, sold: bigint, bought: bigint, prices: Prices): SettlementRow {
  const surplus = above(state.produced, state.consumed);
  const deficit = above(state.consumed, state.produced);
  const delivered = smaller(state.promised, surplus);
  const shortfall = state.promised - delivered;
  const soldDelivered = smaller(sold, delivered);
  const trade = costFloor(wattHours(sold), prices.trade) - costCeil(wattHours(bought), prices.trade);
  const fees = -costCeil(wattHours(bought), FEE);
  const depositLost = -costCeil(wattHours(shortfall), EMERGENCY_PRICE);
  const feedIn = costFloor(wattHours(surplus - soldDelivered), prices.feedIn);
  const retail = -costCeil(wattHours(above(deficit, bought)), prices.retail);
  const baseline = costFloor(wattHours(surplus), prices.feedIn) - costCeil(wattHours(deficit), prices.retail);
  return {
    slot: slot.id,
    member: state.member.name,
    roles: state.member.roles,
    producedWh: wattHours(state.produced),
    consumedWh: wattHours(state.consumed),
    promisedWh: wattHours(state.promised),
    deliveredWh: wattHours(delivered),
    shortfallWh: wattHours(shortfall),
    boughtWh: wattHours(bought),
    soldWh: wattHours(sold),
    tradeMicros: micros(trade),
    feesMicros: micros(fees),
    depositLostMicros: micros(depositLost),
    feedInMicros: micros(feedIn),
    retailMicros: micros(retail),
    netMicros: micros(trade + fees + depositLost + feedIn + retail),
    baselineMicros: micros(baseline),
  };
}

/** The power company and the marketplace have what the others paid, so that a slot's money sums to nothing. */
function serviceRows(slot: Slot, rows: readonly SettlementRow[]): readonly SettlementRow[] {
  const total = (amountOf: (row: SettlementRow) => bigint): bigint =>
    rows.reduce((sum, row) => sum + amountOf(row), 0n);
  const nothing = wattHours(0n);
  const none = micros(0n);
  const empty = {
    slot: slot.id,
    producedWh: nothing,
    consumedWh: nothing,
    promisedWh: nothing,
    deliveredWh: nothing,
    shortfallWh: nothing,
    boughtWh: nothing,
    soldWh: nothing,
    tradeMicros: none,
    feesMicros: none,
    depositLostMicros: none,
    feedInMicros: none,
    retailMicros: none,
  };
  const fees = micros(-total((row) => row.feesMicros));
  const rounding = -total((row) => row.tradeMicros);
  const depositLost = micros(-total((row) => row.depositLostMicros) + rounding);
  const feedIn = micros(-total((row) => row.feedInMicros));
  const retail = micros(-total((row) => row.retailMicros));
  const company = {
    ...empty,
    member: POWER_COMPANY,
    roles: [POWER_COMPANY],
    depositLostMicros: depositLost,
    feedInMicros: feedIn,
    retailMicros: retail,
    netMicros: micros(depositLost + feedIn + retail),
    baselineMicros: micros(-total((row) => row.baselineMicros)),
  };
  const marketplace = { ...empty, member: MARKETPLACE, roles: [MARKETPLACE], feesMicros: fees, netMicros: fees };
  return [company, { ...marketplace, baselineMicros: none }];
}

function sampleReportOf(
  options: SampleOptions,
  zoneName: ZoneName,
  sampled: readonly SampleMember[],
  settlements: readonly SettlementRow[],
  timeline: readonly SlotReport[],
): RunReport {
  const strategies = new Map(sampled.map((member) => [member.name, member.strategy]));
  const members = [...groupBy(settlements, (row) => row.member)].map(([name, rows]) =>
    memberReportOf(name, strategies.get(name) ?? null, rows),
  );
  const total = (amountOf: (slot: SlotReport) => bigint): bigint =>
    timeline.reduce((sum, slot) => sum + amountOf(slot), 0n);
  const traders = members.filter((member) => member.strategy !== null);
  const gain = traders.reduce((sum, member) => sum + member.gainMicros, 0n);
  const losers = traders.filter((member) => member.gainMicros < 0n).length;
  const issued = micros(BigInt(options.members) * 100_000_000n);
  return {
    name: `sample-${options.days}d`,
    community: { name: "Sample Street", source: options.source, description: describeSample(options, sampled) },
    version: "0.1.0",
    seed: options.seed,
    timeZone: options.timeZone,
    currency: "EUR",
    slotMinutes: options.slotMinutes,
    firstDay: options.firstDay,
    lastDay: addLocalDays(localDay(options.firstDay), options.days - 1),
    slots: timeline.length,
    warnings: options.warnings ?? [
      "All figures are made up: this is a sample for developing the report, not a run of the market.",
      ...(losers > 0 ? [`${losers} of ${traders.length} members would have had more without the market.`] : []),
    ],
    members,
    energy: {
      promisedWh: wattHours(total((slot) => slot.promisedWh)),
      deliveredWh: wattHours(total((slot) => slot.deliveredWh)),
      shortfallWh: wattHours(total((slot) => slot.shortfallWh)),
      tradedWh: wattHours(total((slot) => slot.tradedWh)),
      producedWh: wattHours(total((slot) => slot.producedWh)),
      consumedWh: wattHours(total((slot) => slot.consumedWh)),
    },
    money: {
      issuedMicros: issued,
      heldMicros: issued,
      tradedMicros: micros(total((slot) => costFloor(slot.tradedWh, slot.priceMicrosPerKwh ?? microsPerKwh(0)))),
      feesMicros: micros(total((slot) => costCeil(slot.tradedWh, FEE))),
      depositLostMicros: micros(total((slot) => costCeil(slot.shortfallWh, EMERGENCY_PRICE))),
      gainMicros: micros(gain),
    },
    conservation: {
      moneyErrorMicros: micros(settlements.reduce((sum, row) => sum + row.netMicros, 0n)),
      energyErrorWh: settlements.reduce((sum, row) => sum + row.boughtWh - row.soldWh, 0n),
    },
    market: {
      poolRounds: timeline.length * 4,
      poolRoundsWithTrades: timeline.filter((slot) => slot.tradedWh > 0n).length * 3,
      auctionsOpened: 0,
      auctionsSold: 0,
      bids: 0,
      byHour: sampleHours(zoneName, timeline),
    },
    forecast: { issued: "12:00 on the day before", series: sampleForecasts(options, sampled) },
    ledger: {
      transactions: timeline.length * 31,
      signatures: timeline.length * 93,
      verifications: timeline.length * 180,
      tps: 412.7,
    },
    services: sampleServices(members),
    statements: members
      .filter(({ consumedWh, strategy }) => consumedWh > 0n && strategy !== null)
      .map((member) => sampleStatement(member, options.firstDay.slice(0, 7))),
    timeline,
    gainByDay: sampleGainByDay(zoneName, strategies, settlements),
    denials: { promise_exceeds_capacity: 3 * options.members, stale_forecast: options.days },
    wallSeconds: 2.4 + options.members * options.days * 0.05,
    runHash: hashOf(`sample ${JSON.stringify(options)}`),
  };
}

function sampleServices(members: readonly MemberReport[]): RunReport["services"] {
  const homes = members.filter(({ roles }) => roles[0] === "prosumer" || roles[0] === "consumer");
  const promised = members.reduce((sum, { promisedWh }) => sum + promisedWh, 0n);
  return {
    aggregator: { name: "neighbourhood", members: homes.map(({ name }) => name) },
    agency: "inspectorate",
    meterOperators: ["meter-east", "meter-west"],
    meters: { reports: 3_000n, readings: 1_000n, disagreements: 12n },
    claims: { certifiedWh: promised, certifiedSoldWh: promised / 2n, contradictedWh: promised / 50n },
    covers: { transactions: 3, energyWh: 1_200n, depositReleasedMicros: 960_000n },
    surplusMicros: 41_000n,
  };
}

/** A third each of own production, certified and other energy; the rest of last resort. */
function sampleStatement({ name, consumedWh }: MemberReport, month: string): StatementReport {
  const third = wattHours(consumedWh / 3n);
  return {
    member: name,
    month,
    consumedWh,
    ownWh: third,
    certifiedRenewableWh: third,
    otherBoughtWh: wattHours(third / 2n),
    lastResortWh: wattHours(consumedWh - 2n * third - third / 2n),
    file: `statements/${name}-${month}.csv`,
  };
}

function describeSample(options: SampleOptions, members: readonly SampleMember[]): string {
  const withRole = (role: string): number => members.filter((member) => member.roles[0] === role).length;
  const counts = `${withRole("prosumer")} prosumers, ${withRole("consumer")} consumers and ${withRole("producer")} with a wind turbine`;
  return options.source === "generated"
    ? `${counts}, drawn from seed ${options.seed}: clear-sky sun with a random sky for each day, and household loads with a morning and an evening peak. No measured data.`
    : `${counts}: a composite of measured data of different places and years, moved to the same days.`;
}

function memberReportOf(name: string, strategy: string | null, rows: readonly SettlementRow[]): MemberReport {
  const total = (amountOf: (row: SettlementRow) => bigint): bigint =>
    rows.reduce((sum, row) => sum + amountOf(row), 0n);
  return {
    name,
    roles: rows[0]?.roles ?? [],
    strategy,
    producedWh: wattHours(total((row) => row.producedWh)),
    consumedWh: wattHours(total((row) => row.consumedWh)),
    promisedWh: wattHours(total((row) => row.promisedWh)),
    deliveredWh: wattHours(total((row) => row.deliveredWh)),
    boughtWh: wattHours(total((row) => row.boughtWh)),
    soldWh: wattHours(total((row) => row.soldWh)),
    netMicros: micros(total((row) => row.netMicros)),
    baselineMicros: micros(total((row) => row.baselineMicros)),
    gainMicros: micros(total((row) => row.netMicros - row.baselineMicros)),
    depositLostMicros: micros(total((row) => row.depositLostMicros)),
    denials: rows[0]?.roles.includes("prosumer") === true ? { promise_exceeds_capacity: 3 } : {},
  };
}

function sampleHours(zoneName: ZoneName, timeline: readonly SlotReport[]): RunReport["market"]["byHour"] {
  const hours = groupBy(timeline, (slot) => localTimeAt(zoneName, slot.startMs).hour);
  return Array.from({ length: 24 }, (_, hour) => {
    const slots = hours.get(hour) ?? [];
    const traded = slots.reduce((sum, slot) => sum + slot.tradedWh, 0n);
    const money = slots.reduce((sum, slot) => sum + slot.tradedWh * (slot.priceMicrosPerKwh ?? 0n), 0n);
    return {
      hour,
      tradedWh: wattHours(traded),
      priceMicrosPerKwh: traded === 0n ? null : microsPerKwh(money / traded),
    };
  });
}

function sampleForecasts(options: SampleOptions, members: readonly SampleMember[]): readonly ForecastReport[] {
  const prng = seededPrng(options.seed, "forecast");
  const n = options.days * 24;
  const series = members.flatMap((member): ForecastReport[] => {
    const scores = (skill: number): Omit<ForecastReport, "name" | "kind"> => ({
      n,
      nMAE: 4 + 6 * prng.nextFloat(),
      pinball: 1.5 + 2 * prng.nextFloat(),
      coverage80: 72 + 14 * prng.nextFloat(),
      skillVsPersistence: skill + 12 * prng.nextNormal(),
    });
    const load: ForecastReport = {
      name: `${member.name} load`,
      kind: "load",
      ...scores(12),
      nMAE: 22 + 20 * prng.nextFloat(),
    };
    if (member.windWatts > 0) return [load, { name: `${member.name} wind`, kind: "wind", ...scores(31) }];
    return member.pvWatts > 0 ? [load, { name: `${member.name} roof`, kind: "pv", ...scores(24) }] : [load];
  });
  return series.map((one, index) => (index === 0 ? { ...one, skillVsPersistence: null } : one));
}

function sampleGainByDay(
  zoneName: ZoneName,
  strategies: ReadonlyMap<string, string>,
  settlements: readonly SettlementRow[],
): RunReport["gainByDay"] {
  const traded = settlements.filter((row) => strategies.has(row.member));
  const days = groupBy(traded, (row) => localTimeAt(zoneName, Date.parse(row.slot.slice(0, 17))).day);
  const gains = new Map<string, Micros>();
  return [...days]
    .sort(([left], [right]) => compareText(left, right))
    .map(([day, rows]) => {
      for (const row of rows)
        gains.set(row.member, micros((gains.get(row.member) ?? 0n) + row.netMicros - row.baselineMicros));
      return { day, gainMicros: Object.fromEntries(gains) };
    });
}

function whole(value: number): bigint {
  return BigInt(Math.round(value));
}

function above(left: bigint, right: bigint): bigint {
  return left > right ? left - right : 0n;
}

function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
