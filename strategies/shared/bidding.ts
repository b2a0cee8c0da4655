/** Bidding in English auctions: what a lot is worth to a member with a need, and how to raise. */
import { type MicrosPerKwh, microsPerKwh } from "#core";
import type { OpenAuction } from "../strategy.ts";

/**
 * The next bid: `rise` above the highest (or the base price), or less where `most` lies in between.
 * @returns undefined when a bid that rises would be above `most`.
 */
export function nextBid(auction: OpenAuction, most: MicrosPerKwh, rise: MicrosPerKwh): MicrosPerKwh | undefined {
  const standing = auction.highestPrice ?? auction.basePrice;
  if (most <= standing) return undefined;
  const raised = standing + (rise > 0n ? rise : 1n);
  return raised < most ? microsPerKwh(raised) : most;
}
