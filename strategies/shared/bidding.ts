/** How to raise in an English auction. */
import { type MicrosPerKwh, microsPerKwh } from "#core";
import type { OpenAuction } from "../strategy.ts";

/**
 * The next bid: `rise` above the highest, or above the base price.
 * @param rise - At least what the network asks for; a smaller raise to reach `most` would be refused.
 * @returns undefined when it would be above `most`.
 */
export function nextBid(auction: OpenAuction, most: MicrosPerKwh, rise: MicrosPerKwh): MicrosPerKwh | undefined {
  const raised = microsPerKwh((auction.highestPrice ?? auction.basePrice) + rise);
  return raised <= most ? raised : undefined;
}
