/** The mandate that a principal grants by what it asks for: the same whoever builds the transaction. */
import { type PublicKey, wattHours } from "#core";
import { SLOTS_PER_DAY_MAX } from "./state-codec.ts";
import type { Mandate, NetworkParameters } from "./states.ts";
import type { NewMandate } from "./wire/node-api.ts";

/** With what is not asked for: any strategy, all slots of a day together, and the network's highest price. */
export function newMandate(
  principal: PublicKey,
  asked: NewMandate,
  { priceMax }: Pick<NetworkParameters, "priceMax">,
): Mandate {
  const { mandateId, delegate, flows, energyPerSlotMax, expiresMs } = asked;
  return {
    tag: "mandate",
    mandateId,
    principal,
    delegate,
    flows,
    strategies: asked.strategies ?? [],
    energyPerSlotMax,
    energyPerDayMax: asked.energyPerDayMax ?? wattHours(energyPerSlotMax * BigInt(SLOTS_PER_DAY_MAX)),
    bidPriceMax: asked.bidPriceMax ?? priceMax,
    expiresMs,
  };
}
