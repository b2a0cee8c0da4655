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
  /** How likely an order is expected to be filled; else the energy comes at retail. */
  readonly buyChancePercent: number;
  /** Wear of the battery per discharged kWh. */
  readonly wearMicrosPerKwh: number;
};

export type StorageArbitrageConfig = PriceConfig & SupplyConfig & NeedConfig & FundsConfig & BatteryConfig;

export const storageArbitrageConfig: z.ZodType<StorageArbitrageConfig> = z.strictObject({
  ...priceShape,
  ...supplyShape,
  ...needShape,
  ...fundsShape,
  gridSteps: z.number().int().min(4).max(400).default(100),
  buyChancePercent: z.number().min(0).max(100).default(50),
  wearMicrosPerKwh: z.number().int().min(0).default(5_000),
});

/** What was decided for a slot that is not over. */
export type SlotPlan = {
  /** At the connection: positive charges; where not fixed, what the battery is expected to do by itself. */
  chargeWh: number;
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
