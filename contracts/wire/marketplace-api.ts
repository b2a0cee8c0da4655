/** What a marketplace publishes to its members. */
import type { MicrosPerKwh, SlotId, WattHours } from "#core";
import type { ClaimRequirement } from "../states.ts";

/** Result of one round of a slot's pool, for one product. */
export type PoolRound = {
  readonly slot: SlotId;
  /** What the bids of the product require; null: any energy. */
  readonly requires: ClaimRequirement | null;
  readonly clearedAtMs: number;
  readonly isFinal: boolean;
  readonly price: MicrosPerKwh | null;
  readonly volume: WattHours;
};

export interface MarketplaceFeed {
  /** All rounds so far, oldest first. */
  rounds(): readonly PoolRound[];
  listen(listener: (round: PoolRound) => void): () => void;
}
