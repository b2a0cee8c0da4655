/** Configuration, memory and context of storage-arbitrage, for its files. */
import { z } from "zod";
import { type FundsConfig, fundsShape } from "../shared/desk.ts";
import { type NeedConfig, needShape } from "../shared/need.ts";
import { type PriceConfig, priceShape } from "../shared/prices.ts";
import type { SaleMemory } from "../shared/sales.ts";
import { type SupplyConfig, supplyShape } from "../shared/supply.ts";
import type { StrategyContext } from "../strategy.ts";

type BatteryConfig = {
  /** Steps of the plan from empty to full. */
  readonly gridSteps: number;
  /** How likely an order is expected to be filled before anything is known; else the energy comes at retail. */
  readonly buyChancePriorPercent: number;
  /** The market of a slot is expected to take this more than a share of what the hour usually took. */
  readonly explorationWh: number;
  /** That share: above 100 lets sales grow where they sell. */
  readonly salesGrowthPercent: number;
  /** What it expects to be able to buy of a slot, as a share of what the hour's pools usually trade. */
  readonly volumeSharePercent: number;
  /** What a plan must gain per kWh over what the battery does by itself: expected prices are guesses. */
  readonly deviationMicrosPerKwh: number;
  /** Wear of the battery per discharged kWh. */
  readonly wearMicrosPerKwh: number;
};

export type StorageArbitrageConfig = PriceConfig & SupplyConfig & NeedConfig & FundsConfig & BatteryConfig;

export const storageArbitrageConfig: z.ZodType<StorageArbitrageConfig> = z.strictObject({
  ...priceShape,
  ...supplyShape,
  ...needShape,
  ...fundsShape,
  penaltyWeightPercent: supplyShape.penaltyWeightPercent.unwrap().default(150), // A promise rests on the battery's plan too.
  gridSteps: z.number().int().min(4).max(400).default(100),
  buyChancePriorPercent: z.number().min(0).max(100).default(50),
  explorationWh: z.number().int().min(0).default(200),
  salesGrowthPercent: z.number().min(0).max(1_000).default(150),
  volumeSharePercent: z.number().min(0).max(100).default(25),
  deviationMicrosPerKwh: z.number().int().min(0).default(10_000),
  wearMicrosPerKwh: z.number().int().min(0).default(5_000),
});

/** What was decided for a slot that is not over. */
export type SlotPlan = {
  /** At the connection: positive charges; where not fixed, what the battery is expected to do by itself. */
  chargeWh: number;
  /** At the gate: owned energy up to here is for the member's own use, and so much beyond it may be stored once it is bought. */
  ownUseWh: number;
  storingWhMax: number;
  /** A plan was handed to the battery: it can be changed, but not taken back. */
  isFixed: boolean;
  /** Expected to be stored at its start. */
  startWh: number;
  /** What the charge at the slot's end is worth, in micros, at even steps from empty to full; empty once the gate has passed. */
  values: number[];
};

/** Plain JSON. */
export type StorageArbitrageMemory = { sales: SaleMemory; plans: Record<string, SlotPlan> };

export type StorageContext = StrategyContext<StorageArbitrageConfig, StorageArbitrageMemory>;
