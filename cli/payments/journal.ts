/** The payment provider's journal beside its node: what the node asks it before it signs a redemption. */
import { join } from "node:path";
import type { Redemption } from "#contracts";
import type { SigningPolicy } from "#ledger-node";

/** Its ending keeps it apart from the ledger's stores, which audits read. */
export const JOURNAL_FILE = "payments.db";

export type RedemptionGuard = { readonly policy: SigningPolicy; readonly close: () => void };

/** Opens the journal in the folder of the provider's node. @param open - Redemptions that are owed. */
export async function openRedemptionGuard(folder: string, open: () => readonly Redemption[]): Promise<RedemptionGuard> {
  // Other nodes need none of it.
  const { openPaymentDatabase, Payouts, redemptionPolicy } = await import("#payments");
  const database = openPaymentDatabase(join(folder, JOURNAL_FILE));
  const payouts = new Payouts(database);
  const wasFiled = ({ owner, redemptionId }: Redemption): boolean => payouts.hasRedemption(owner, redemptionId);
  return { policy: redemptionPolicy({ open, wasFiled }), close: () => database.close() };
}
