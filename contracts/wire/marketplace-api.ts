/** What a marketplace publishes to its members. */
import type { MicrosPerKwh, SlotId, WattHours } from "#core";

/** Result of one round of a slot's pool. */
export type PoolRound = {
  readonly slot: SlotId;
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
