/** Builds what a strategy sees, and notes what it looked at. Everything in it was known at `nowMs`. */

import type { Member, NetworkParameters, PoolRound } from "#contracts";
import { type Micros, micros, type Prng, type SlotId } from "#core";
import type { KnownView } from "#forecast";
import type { BatteryState, MarketRules, PoolResult, Position, StrategyContext } from "#strategies";
import type { SlotInputs } from "./journal.ts";
import type { MemberForecasts } from "./member-forecasts.ts";
import { openAuctionsIn, type Portfolio, positionIn } from "./portfolio.ts";

export type ContextParts = {
  readonly nowMs: number;
  readonly member: Member;
  readonly config: unknown;
  readonly memory: unknown;
  readonly rules: MarketRules;
  readonly prng: Prng;
  readonly view: KnownView;
  readonly forecasts: MemberForecasts;
  readonly portfolio: Portfolio;
  readonly poolResults: readonly PoolResult[];
  readonly battery: () => BatteryState | undefined;
  readonly reserve: Micros;
};

export type BuiltContext = {
  readonly context: StrategyContext<unknown, unknown>;
  readonly inputs: () => readonly SlotInputs[];
  readonly notes: readonly string[];
};

export function buildContext(parts: ContextParts): BuiltContext {
  const { nowMs, member, view, forecasts, portfolio, prng, rules } = parts;
  const looked = new Set<SlotId>();
  const positions = new Map<SlotId, Position>();
  const notes: string[] = [];
  const position = (slotId: SlotId): Position => {
    looked.add(slotId);
    const known = positions.get(slotId) ?? positionIn(portfolio, slotId);
    positions.set(slotId, known);
    return known;
  };
  const context: StrategyContext<unknown, unknown> = {
    nowMs,
    member: {
      name: member.name,
      roles: member.roles,
      capacityPerSlot: member.capacityPerSlot,
      speculatorCapPerSlot: member.holdingCapPerSlot ?? undefined,
    },
    config: parts.config,
    memory: parts.memory,
    rules,
    rng: prng,
    tariff: (slotId) => view.tariffAt(slotId),
    forecast(slotId) {
      looked.add(slotId);
      return forecasts.get(slotId);
    },
    position,
    funds: () => micros(portfolio.funds > parts.reserve ? portfolio.funds - parts.reserve : 0n),
    poolResults: () => parts.poolResults,
    openAuctions: () => openAuctionsIn(portfolio),
    battery: parts.battery,
    log: (message) => void notes.push(message),
  };
  const inputs = (): readonly SlotInputs[] =>
    [...looked].sort().map((slotId) => ({
      slotId,
      forecast: forecasts.get(slotId),
      tariff: view.tariffAt(slotId),
      position: positionIn(portfolio, slotId),
    }));
  return { context, inputs, notes };
}

export function marketRulesOf(
  parameters: NetworkParameters,
  marketFee: MarketRules["marketFee"],
  timeZone: MarketRules["timeZone"],
): MarketRules {
  const { slotMinutes, gridFee, emergencyPrice, surplusPrice, promiseMin, promiseMax } = parameters;
  return { slotMinutes, timeZone, marketFee, gridFee, emergencyPrice, surplusPrice, promiseMin, promiseMax };
}

export function asPoolResult({ slot, clearedAtMs, price, volume }: PoolRound): PoolResult {
  return { slotId: slot, clearedAtMs, price, volume };
}
