/** What a payment provider's node signs of redemptions, beyond what the contract says. */
import type { LedgerRefusalCode, Redemption, ResolvedTransaction } from "#contracts";

export type KnownRedemptions = {
  /** Redemptions that are owed. */
  readonly open: () => readonly Redemption[];
  /** Whether one was ordered of the bank before. */
  readonly wasFiled: (redemption: Redemption) => boolean;
};

/** Refuses a second redemption of an owner under one id: it would not be known from the first when it is paid. */
export function redemptionPolicy(
  known: KnownRedemptions,
): ({ content }: ResolvedTransaction) => LedgerRefusalCode | undefined {
  return ({ content }) => {
    if (content.command.tag !== "redeem-funds") return undefined;
    const asked = content.outputs.filter((state) => state.tag === "redemption");
    return asked.some((redemption) => isKnown(redemption, known)) ? "redemption_id_reused" : undefined;
  };
}

function isKnown(redemption: Redemption, { open, wasFiled }: KnownRedemptions): boolean {
  const { owner, redemptionId } = redemption;
  return open().some((each) => each.owner === owner && each.redemptionId === redemptionId) || wasFiled(redemption);
}
