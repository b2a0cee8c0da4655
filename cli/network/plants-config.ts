/** The plants that a verification agency knows, in the configuration of its node: it certifies no others. */
import { z } from "zod";
import { ENERGY_SOURCES, type EnergySource, GRAMS_CO2_MAX } from "#contracts";
import { type PublicKey, wattHours } from "#core";
import type { RegisteredPlant } from "#ledger-node";
import { publicKeyText } from "./config-values.ts";

export type PlantEntry = {
  readonly supplier: PublicKey;
  readonly source: EnergySource | null;
  readonly renewable: boolean;
  readonly origin: string | null;
  readonly gramsCo2PerKwh: number | null;
  readonly capacityWhPerSlot: number;
};

export const plantsSchema: z.ZodType<readonly PlantEntry[]> = z
  .array(
    z.strictObject({
      supplier: publicKeyText,
      source: z
        .enum(ENERGY_SOURCES, `is no source of energy; use ${ENERGY_SOURCES.join(", ")}`)
        .nullable()
        .default(null),
      renewable: z.boolean().default(false),
      origin: z.string().min(1).max(64).nullable().default(null),
      gramsCo2PerKwh: z.int().min(0).max(GRAMS_CO2_MAX).nullable().default(null),
      capacityWhPerSlot: z.int().min(1).max(1e12),
    }),
  )
  .max(10_000);

export function registeredPlants(entries: readonly PlantEntry[]): ReadonlyMap<PublicKey, RegisteredPlant> {
  return new Map(
    entries.map(({ supplier, capacityWhPerSlot, ...claims }) => [
      supplier,
      { ...claims, capacityPerSlot: wattHours(capacityWhPerSlot) },
    ]),
  );
}
