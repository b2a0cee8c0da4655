/** The products of a slot's pool: one for each requirement of its bids, beside that of any energy. Pure. */
import {
  type AgencyRecord,
  type ClaimRequirement,
  claimsText,
  meetsRequirement,
  type PoolOrder,
  type PowerPromise,
} from "#contracts";
import { compareText } from "#core";

export type Product = {
  readonly requires: ClaimRequirement;
  /** Ids of the offers that give it. */
  readonly offers: ReadonlySet<string>;
};

/**
 * Requirements of bids with the offers that meet them: an offer counts by the weakest of its promises. What the fewest offers
 * give comes first, so that it does not go to who would have taken others; ties by the text of the requirement. What nobody
 * gives is no product.
 * @param promises - Those that the orders lock, perhaps among others.
 */
export function productsOf(
  orders: readonly PoolOrder[],
  promises: readonly PowerPromise[],
  records: readonly AgencyRecord[],
): readonly Product[] {
  const requirements = new Map<string, ClaimRequirement>();
  for (const { requires } of orders) if (requires !== null) requirements.set(claimsText(requires), requires);
  const offered = byOrder(promises);
  const offers = orders.filter(({ side }) => side === "offer");
  const products = [...requirements].map(([text, requires]) => {
    const meeting = offers.filter(({ orderId }) => {
      const sold = offered.get(orderId) ?? [];
      return sold.length > 0 && sold.every(({ claims }) => meetsRequirement(claims, requires, records));
    });
    return { text, requires, offers: new Set(meeting.map(({ orderId }) => orderId)) };
  });
  return products
    .filter((product) => product.offers.size > 0)
    .sort((left, right) => left.offers.size - right.offers.size || compareText(left.text, right.text))
    .map(({ requires, offers: meeting }) => ({ requires, offers: meeting }));
}

function byOrder(promises: readonly PowerPromise[]): ReadonlyMap<string, readonly PowerPromise[]> {
  const groups = new Map<string, PowerPromise[]>();
  for (const promise of promises) {
    if (promise.lock?.kind !== "order") continue;
    const group = groups.get(promise.lock.id);
    if (group === undefined) groups.set(promise.lock.id, [promise]);
    else group.push(promise);
  }
  return groups;
}
