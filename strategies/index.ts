/** The strategy interface and the built-in strategies. */
import { compareText, err, ok, type Result } from "#core";
import { doublePromiser } from "./double-promiser/index.ts";
import { loadFollower } from "./load-follower/index.ts";
import { newsvendorProsumer } from "./newsvendor-prosumer/index.ts";
import { nullStrategy } from "./null-strategy/index.ts";
import { producer } from "./producer/index.ts";
import { editDistance } from "./shared/edit-distance.ts";
import { speculator } from "./speculator/index.ts";
import { storageArbitrage } from "./storage-arbitrage/index.ts";
import type { Strategy } from "./strategy.ts";

export type { DoublePromiserConfig } from "./double-promiser/index.ts";
export type { LoadFollowerConfig } from "./load-follower/index.ts";
export type { NewsvendorProsumerConfig } from "./newsvendor-prosumer/index.ts";
export type { ProducerConfig } from "./producer/index.ts";
export { editDistance } from "./shared/edit-distance.ts";
export type { SpeculatorConfig } from "./speculator/index.ts";
export type { StorageArbitrageConfig } from "./storage-arbitrage/index.ts";
export {
  type AuctionEvent,
  type BatteryState,
  type CertifiedClaims,
  type DeliveryEvent,
  defineStrategy,
  type EnergyRequirement,
  type EnergySource,
  FORECAST_LEVELS,
  type Intent,
  type MarketRules,
  type MemberForecast,
  type OpenAuction,
  type PoolResult,
  type Position,
  type Strategy,
  type StrategyContext,
  type Tariff,
  type TradeEvent,
} from "./strategy.ts";
export { doublePromiser, loadFollower, newsvendorProsumer, nullStrategy, producer, speculator, storageArbitrage };

/** All built-in strategies by name, in the order of their names. */
export const builtInStrategies: ReadonlyMap<string, Strategy> = new Map(
  (
    [
      doublePromiser,
      loadFollower,
      newsvendorProsumer,
      nullStrategy,
      producer,
      speculator,
      storageArbitrage,
    ] as readonly Strategy[]
  )
    .map((strategy): [string, Strategy] => [strategy.name, strategy])
    .sort(([left], [right]) => compareText(left, right)),
);

/** No strategy has this name. */
export type StrategyUnknown = {
  readonly code: "strategy_unknown";
  readonly name: string;
  /** The built-in names that are most like it, the likeliest first. */
  readonly nearest: readonly string[];
  /** What to do about it, in one sentence. */
  readonly mend: string;
};

const NEAREST_MAX = 3;

/**
 * The built-in strategy of that name.
 * @example findStrategy("newsvendor"); // { ok: false, error: { code: "strategy_unknown", nearest: ["newsvendor-prosumer", …] … } }
 */
export function findStrategy(name: string): Result<Strategy, StrategyUnknown> {
  const found = builtInStrategies.get(name);
  if (found !== undefined) return ok(found);
  const nearest = [...builtInStrategies.keys()]
    .map((known) => ({ known, distance: known.includes(name) && name !== "" ? 0 : editDistance(known, name) }))
    .sort((left, right) => left.distance - right.distance || compareText(left.known, right.known))
    .slice(0, NEAREST_MAX)
    .map(({ known }) => known);
  const mend = `Use one of ${[...builtInStrategies.keys()].join(", ")}, or the path of a .ts or .js file; nearest: ${nearest.join(", ")}.`;
  return err({ code: "strategy_unknown", name, nearest, mend });
}
