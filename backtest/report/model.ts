/**
 * What a run comes to: the content of `report.json`, from which the terminal report and `report.html` are drawn.
 * Energy in watt-hours and money in micros are bigints (decimal strings in JSON); only scores and times are numbers.
 */
import type { Micros, MicrosPerKwh, SlotId, WattHours } from "#core";

/** One row of `settlements.csv`: one member and slot. Money is signed from the member's view. */
export type SettlementRow = {
  readonly slot: SlotId;
  readonly member: string;
  readonly roles: readonly string[];
  readonly producedWh: WattHours;
  readonly consumedWh: WattHours;
  readonly promisedWh: WattHours;
  readonly deliveredWh: WattHours;
  readonly shortfallWh: WattHours;
  readonly boughtWh: WattHours;
  readonly soldWh: WattHours;
  readonly tradeMicros: Micros;
  readonly feesMicros: Micros;
  readonly depositLostMicros: Micros;
  readonly feedInMicros: Micros;
  readonly retailMicros: Micros;
  /** Sum of the money columns before it. */
  readonly netMicros: Micros;
  /** What the member would have had with feed-in and retail prices alone. */
  readonly baselineMicros: Micros;
};

export type MemberReport = {
  readonly name: string;
  readonly roles: readonly string[];
  /** Name of the strategy; null for the power company, the grid authority and the marketplace. */
  readonly strategy: string | null;
  readonly producedWh: WattHours;
  readonly consumedWh: WattHours;
  readonly promisedWh: WattHours;
  readonly deliveredWh: WattHours;
  readonly boughtWh: WattHours;
  readonly soldWh: WattHours;
  readonly netMicros: Micros;
  readonly baselineMicros: Micros;
  /** Net minus baseline. */
  readonly gainMicros: Micros;
  readonly depositLostMicros: Micros;
  /** How often the risk gate denied an intent, by code. */
  readonly denials: Readonly<Record<string, number>>;
};

/** All members together in one slot; what the charts over time show. */
export type SlotReport = {
  readonly slot: SlotId;
  readonly startMs: number;
  readonly producedWh: WattHours;
  readonly consumedWh: WattHours;
  readonly promisedWh: WattHours;
  readonly deliveredWh: WattHours;
  readonly shortfallWh: WattHours;
  readonly tradedWh: WattHours;
  /** Volume-weighted mean price of the slot's trades; null without trades. */
  readonly priceMicrosPerKwh: MicrosPerKwh | null;
  readonly feedInMicrosPerKwh: MicrosPerKwh;
  readonly retailMicrosPerKwh: MicrosPerKwh;
  /** Quantiles of the forecast production of all producers and prosumers, issued the day before; sums of members' quantiles. */
  readonly forecastWh: { readonly q10: number; readonly q50: number; readonly q90: number };
  readonly gainMicros: Micros;
};

export type ForecastReport = {
  readonly name: string;
  readonly kind: "pv" | "load" | "wind";
  readonly n: number;
  /** Per cent of the normaliser: capacity for plants, mean for loads. */
  readonly nMAE: number;
  readonly pinball: number;
  /** Per cent of readings within the 10 % and 90 % quantiles. */
  readonly coverage80: number;
  /** 1 − MAE / MAE of persistence, in per cent; null where persistence is not defined. */
  readonly skillVsPersistence: number | null;
};

/** What the services that a community hired did. */
export type ServicesReport = {
  readonly meters: {
    /** Readings that operators reported, those that were made of them, and reports that did not agree. */
    readonly reports: bigint;
    readonly readings: bigint;
    readonly disagreements: bigint;
  };
  readonly claims: {
    readonly certifiedWh: bigint;
    /** Of that, held by others at delivery. */
    readonly certifiedSoldWh: bigint;
    readonly contradictedWh: bigint;
  };
  /** Own sold promises that suppliers covered with promises of others. */
  readonly covers: {
    readonly transactions: number;
    readonly energyWh: bigint;
    readonly depositReleasedMicros: bigint;
  };
  /** Paid for bought energy that was not used. */
  readonly surplusMicros: bigint;
};

/** One member's month: what it used, and where it came from. */
export type StatementReport = {
  readonly member: string;
  /** Local, as 2031-06. */
  readonly month: string;
  readonly consumedWh: WattHours;
  readonly ownWh: WattHours;
  /** Bought: certified as renewable, and all other. */
  readonly certifiedRenewableWh: WattHours;
  readonly otherBoughtWh: WattHours;
  readonly lastResortWh: WattHours;
  /** In the run directory: the month by hour and source. */
  readonly file: string;
};

export type RunReport = {
  readonly name: string;
  readonly community: {
    readonly name: string;
    readonly source: "measured" | "generated";
    readonly description: string;
  };
  readonly version: string;
  readonly seed: number;
  readonly timeZone: string;
  readonly currency: string;
  readonly slotMinutes: number;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly slots: number;
  /** Plain sentences, the most important first; empty when there is nothing to warn of. */
  readonly warnings: readonly string[];
  readonly members: readonly MemberReport[];
  readonly energy: {
    readonly promisedWh: WattHours;
    readonly deliveredWh: WattHours;
    readonly shortfallWh: WattHours;
    readonly tradedWh: WattHours;
    readonly producedWh: WattHours;
    readonly consumedWh: WattHours;
  };
  readonly money: {
    readonly issuedMicros: Micros;
    readonly heldMicros: Micros;
    readonly tradedMicros: Micros;
    readonly feesMicros: Micros;
    readonly depositLostMicros: Micros;
    /** Gain over the no-market baseline of all members with a strategy. */
    readonly gainMicros: Micros;
  };
  readonly conservation: { readonly moneyErrorMicros: Micros; readonly energyErrorWh: bigint };
  readonly market: {
    readonly poolRounds: number;
    readonly poolRoundsWithTrades: number;
    readonly auctionsOpened: number;
    readonly auctionsSold: number;
    readonly bids: number;
    /** By local hour of day, 0…23. */
    readonly byHour: readonly {
      readonly hour: number;
      readonly tradedWh: WattHours;
      readonly priceMicrosPerKwh: MicrosPerKwh | null;
    }[];
  };
  readonly forecast: { readonly issued: string; readonly series: readonly ForecastReport[] };
  readonly ledger: {
    readonly transactions: number;
    readonly signatures: number;
    readonly verifications: number;
    readonly tps: number;
  };
  readonly services: ServicesReport & {
    /** Names of those who serve, and whom the aggregator serves. */
    readonly aggregator: { readonly name: string; readonly members: readonly string[] } | null;
    readonly agency: string | null;
    readonly meterOperators: readonly string[];
  };
  readonly statements: readonly StatementReport[];
  readonly timeline: readonly SlotReport[];
  /** Each member's gain over its baseline, cumulated by local day; in the order of `members` with a strategy. */
  readonly gainByDay: readonly { readonly day: string; readonly gainMicros: Readonly<Record<string, Micros>> }[];
  readonly denials: Readonly<Record<string, number>>;
  readonly wallSeconds: number;
  readonly runHash: string;
};
