/** Buying certified energy alone, and what that is worth beyond what any energy saves. */
import { z } from "zod";
import { microsPerKwh } from "#core";
import type { CertifiedClaims, EnergyRequirement, Intent, StrategyContext } from "../strategy.ts";

export type GreenConfig = {
  /** Buys only energy of which an agency has certified this; any energy without it. */
  readonly requires?: EnergyRequirement | undefined;
  /** How much more such energy is worth, per kWh, than what the retail price saves. */
  readonly greenPremiumMicrosPerKwh: number;
};

const requirementSchema: z.ZodType<EnergyRequirement> = z.strictObject({
  source: z.enum(["solar", "wind", "hydro", "biomass", "combined-heat-and-power", "storage"]).nullable().default(null),
  renewable: z.boolean().default(false),
  origin: z.string().min(1).max(64).nullable().default(null),
  gramsCo2PerKwhMax: z.number().int().min(0).max(10_000).nullable().default(null),
  contradictedPerMilleMax: z.number().int().min(0).max(1_000).default(100),
});

export const greenShape: {
  readonly requires: z.ZodOptional<z.ZodType<EnergyRequirement>>;
  readonly greenPremiumMicrosPerKwh: z.ZodDefault<z.ZodNumber>;
} = {
  requires: requirementSchema.optional(),
  greenPremiumMicrosPerKwh: z.number().int().min(0).default(0),
};

/** The context of who requires something: retail prices are higher by the premium, for grey energy is no substitute at retail. */
export function asGreenBuyer<C extends GreenConfig, M>(ctx: StrategyContext<C, M>): StrategyContext<C, M> {
  const { requires, greenPremiumMicrosPerKwh } = ctx.config;
  if (requires === undefined || greenPremiumMicrosPerKwh === 0) return ctx;
  const premium = BigInt(greenPremiumMicrosPerKwh);
  const { nowMs, member, config, memory, rules, rng } = ctx;
  return {
    ...{ nowMs, member, config, memory, rules, rng },
    tariff: (slotId) => {
      const tariff = ctx.tariff(slotId);
      return tariff && { ...tariff, retail: microsPerKwh(tariff.retail + premium) };
    },
    forecast: (slotId) => ctx.forecast(slotId),
    position: (slotId) => ctx.position(slotId),
    funds: () => ctx.funds(),
    poolResults: () => ctx.poolResults(),
    openAuctions: () => ctx.openAuctions(),
    battery: () => ctx.battery(),
    log: (message) => ctx.log(message),
  };
}

/** The intents of who requires something: all purchases are of what it requires. */
export function requiring(intents: readonly Intent[], { requires }: GreenConfig): readonly Intent[] {
  if (requires === undefined) return intents;
  return intents.map((intent) => (intent.tag === "order" || intent.tag === "bid" ? { ...intent, requires } : intent));
}

/** Whether what is certified gives what is required. */
export function isGiven(certified: CertifiedClaims | undefined, requires: EnergyRequirement | undefined): boolean {
  if (requires === undefined) return true;
  if (certified === undefined) return false;
  const { source, renewable, origin, gramsCo2PerKwhMax, contradictedPerMilleMax } = requires;
  const { gramsCo2PerKwh, contradictedPerMille } = certified;
  return (
    contradictedPerMille <= contradictedPerMilleMax &&
    (source === null || certified.source === source) &&
    (!renewable || certified.renewable) &&
    (origin === null || certified.origin === origin) &&
    (gramsCo2PerKwhMax === null || (gramsCo2PerKwh !== null && gramsCo2PerKwh <= gramsCo2PerKwhMax))
  );
}
