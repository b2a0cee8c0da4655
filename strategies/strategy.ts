/**
 * The strategy interface: what user code implements, sees and returns.
 *
 * A strategy is synchronous, sees only what was known at the time, and returns intents; it cannot submit anything.
 * Backtest, simulation and live run the same object.
 */

import type { z } from "zod";
import type { LocalDay, Micros, MicrosPerKwh, Prng, SlotId, SlotMinutes, WattHours, ZoneName } from "#core";

/** Quantile levels of every forecast: 0.05, 0.10 … 0.95. */
export const FORECAST_LEVELS: readonly number[] = Array.from(
  { length: 19 },
  (_, index) => Math.round((index + 1) * 5) / 100,
);

/** What the member is expected to produce and use in a slot, as 19 quantiles each, in watt-hours. */
export type MemberForecast = {
  readonly slotId: SlotId;
  readonly issuedAtMs: number;
  readonly productionWh: Float64Array;
  readonly loadWh: Float64Array;
  /** Quantiles of production minus load: negative where the member is expected to need energy. */
  readonly surplusWh: Float64Array;
};

/** What the member has promised, holds, offers and bids for in one slot. */
export type Position = {
  /** Promised by the member itself and not yet delivered, sold or not. */
  readonly promised: WattHours;
  /** Own promises and bought ones that are free: not offered, not on auction. */
  readonly held: WattHours;
  /** Held energy that others must supply: bought and not resold, free or on offer. */
  readonly bought: WattHours;
  /** Energy in open offers and auctions of the member. */
  readonly offered: WattHours;
  /** Energy in open bids of the member, in pools and as the highest bidder in auctions. */
  readonly bidding: WattHours;
  /** Own promises that others hold free. */
  readonly sold: WattHours;
  /** How much of those can be covered with what the member holds of others. */
  readonly coverable: WattHours;
};

export type Tariff = { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh };

/** Prices and rules that are the same for all members. */
export type MarketRules = {
  readonly slotMinutes: SlotMinutes;
  readonly timeZone: ZoneName;
  /** Fee of the marketplace, paid by the buyer on top of the price. */
  readonly marketFee: MicrosPerKwh;
  /** Fee of the grid authority on delivered promises, kept from the deposit. */
  readonly gridFee: MicrosPerKwh;
  /** What a supplier loses for each promised kilowatt-hour that it does not deliver. */
  readonly emergencyPrice: MicrosPerKwh;
  /** What the holder of bought energy pays for each kilowatt-hour that it does not use, less feed-in. */
  readonly surplusPrice: MicrosPerKwh;
  readonly promiseMin: WattHours;
  readonly promiseMax: WattHours;
};

export type PoolResult = {
  readonly slotId: SlotId;
  readonly clearedAtMs: number;
  readonly price: MicrosPerKwh | null;
  readonly volume: WattHours;
};

/** Kinds of plants, as the ledger names them. */
export type EnergySource = "solar" | "wind" | "hydro" | "biomass" | "combined-heat-and-power" | "storage";

/** What a buyer requires of certified claims about the energy. */
export type EnergyRequirement = {
  readonly source: EnergySource | null;
  readonly renewable: boolean;
  readonly origin: string | null;
  readonly gramsCo2PerKwhMax: number | null;
  /** The most of what the agency certified that may have been contradicted since, in thousandths. */
  readonly contradictedPerMilleMax: number;
};

/** What an agency has certified of the energy of an auction. */
export type CertifiedClaims = {
  readonly source: EnergySource | null;
  readonly renewable: boolean;
  readonly origin: string | null;
  readonly gramsCo2PerKwh: number | null;
  /** How much of what the agency has certified so far was contradicted, in thousandths, rounded up. */
  readonly contradictedPerMille: number;
};

export type OpenAuction = {
  readonly auctionId: string;
  readonly slotId: SlotId;
  readonly energy: WattHours;
  readonly seller: string;
  readonly isOwn: boolean;
  readonly basePrice: MicrosPerKwh;
  /** Undefined until somebody has bid. */
  readonly highestPrice: MicrosPerKwh | undefined;
  readonly isHighestBidder: boolean;
  readonly deadlineMs: number;
  /** Absent where nobody has certified anything of it. */
  readonly certified?: CertifiedClaims;
};

export type BatteryState = {
  readonly capacityWh: number;
  readonly powerW: number;
  readonly roundTripEfficiency: number;
  /** Energy that is stored now, in watt-hours. */
  readonly storedWh: number;
};

export type TradeEvent = {
  readonly slotId: SlotId;
  readonly side: "bought" | "sold";
  readonly energy: WattHours;
  /** Money paid or received, fees not counted. */
  readonly amount: Micros;
  readonly via: "pool" | "auction";
};

export type DeliveryEvent = {
  readonly slotId: SlotId;
  readonly promised: WattHours;
  readonly delivered: WattHours;
  readonly depositLost: Micros;
};

export type AuctionEvent = { readonly tag: "opened" | "bid" | "ended"; readonly auction: OpenAuction };

/** What a strategy sees. Nothing in it shows a datum that was not known at `nowMs`. */
export interface StrategyContext<Config, Memory> {
  readonly nowMs: number;
  readonly member: {
    readonly name: string;
    readonly roles: readonly string[];
    /** The most energy that the member may promise in one slot. */
    readonly capacityPerSlot: WattHours;
    readonly speculatorCapPerSlot: WattHours | undefined;
  };
  readonly config: Config;
  /** The strategy's own state: plain JSON, saved and restored with the agent. */
  readonly memory: Memory;
  readonly rules: MarketRules;
  readonly rng: Prng;
  tariff(slotId: SlotId): Tariff | undefined;
  forecast(slotId: SlotId): MemberForecast | undefined;
  position(slotId: SlotId): Position;
  /** Money that is free: not locked in deposits, bids or orders. */
  funds(): Micros;
  /** Results of past pool rounds, oldest first. */
  poolResults(): readonly PoolResult[];
  openAuctions(): readonly OpenAuction[];
  battery(): BatteryState | undefined;
  /** A line for the decision journal. */
  log(message: string): void;
}

/** What a strategy wants done, in this order. The risk gate may deny each with a code. */
export type Intent =
  | { readonly tag: "promise"; readonly slotId: SlotId; readonly energy: WattHours }
  /** Sells held energy in the slot's pool. */
  | { readonly tag: "offer"; readonly slotId: SlotId; readonly energy: WattHours; readonly limit: MicrosPerKwh }
  /** Buys energy in the slot's pool, any or certified; the marketplace's fee comes on top of the limit. */
  | {
      readonly tag: "order";
      readonly slotId: SlotId;
      readonly energy: WattHours;
      readonly limit: MicrosPerKwh;
      readonly requires?: EnergyRequirement;
    }
  /** Withdraws the member's open orders for the slot. */
  | { readonly tag: "cancel"; readonly slotId: SlotId }
  | {
      readonly tag: "auction";
      readonly slotId: SlotId;
      readonly energy: WattHours;
      readonly basePrice: MicrosPerKwh;
      readonly deadlineMs: number;
    }
  | {
      readonly tag: "bid";
      readonly auctionId: string;
      readonly price: MicrosPerKwh;
      /** Refused where the auction does not give it. */
      readonly requires?: EnergyRequirement;
    }
  /** Gives those who hold own promises what others owe instead: the member answers for that much less. */
  | { readonly tag: "cover"; readonly slotId: SlotId; readonly energy: WattHours }
  /**
   * Plans the battery for a slot: positive charges, negative discharges, in watt-hours at the member's connection.
   * Without a plan the battery serves the member's own surplus and need.
   */
  | { readonly tag: "charge-battery"; readonly slotId: SlotId; readonly energyWh: number };

/** A strategy. Every hook is optional; one that is absent does nothing. */
export interface Strategy<Config = unknown, Memory = unknown> {
  readonly name: string;
  /** One sentence for `dream strategy list`. */
  readonly description: string;
  /** Strict: a misspelt key is an error. Defaults make every key optional. */
  readonly config: z.ZodType<Config>;
  /** History that the strategy needs before its decisions count. */
  readonly warmup: { readonly days: number };
  initialMemory(): Memory;
  /** Forecast and tariff for the local day `day` are known: promise, offer, order. */
  onForecast?(
    ctx: StrategyContext<Config, Memory>,
    event: { readonly day: LocalDay; readonly slotIds: readonly SlotId[] },
  ): readonly Intent[];
  /** The last call before the slot's final pool round. */
  onGate?(ctx: StrategyContext<Config, Memory>, slotId: SlotId): readonly Intent[];
  /** An auction has opened, got a higher bid, or ended. */
  onAuction?(ctx: StrategyContext<Config, Memory>, event: AuctionEvent): readonly Intent[];
  /** The day-ahead round of a day's pools is over. */
  onPoolsCleared?(
    ctx: StrategyContext<Config, Memory>,
    event: { readonly day: LocalDay; readonly slotIds: readonly SlotId[] },
  ): readonly Intent[];
  onTrade?(ctx: StrategyContext<Config, Memory>, event: TradeEvent): readonly Intent[];
  onDelivery?(ctx: StrategyContext<Config, Memory>, event: DeliveryEvent): readonly Intent[];
}

/** Gives a strategy its types; the object itself is returned unchanged. */
export function defineStrategy<Config, Memory>(strategy: Strategy<Config, Memory>): Strategy<Config, Memory> {
  return strategy;
}
