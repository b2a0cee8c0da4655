/** Whether a proposed transaction does what its command asked, and no more, as far as the party's own energy and money go. */

import type { ClientCommand, ClientCommandOf, State, StateOf, StateTag, Transaction } from "#contracts";
import type { PublicKey } from "#core";

/** Checks before a delegate's key signs. What only the owner may command is never signed by a delegate. */
export function isAsCommanded(transaction: Transaction, command: ClientCommand, party: PublicKey): boolean {
  if (transaction.command.tag !== command.tag) return false;
  switch (command.tag) {
    case "create-promises":
      return promisesMatch(transaction, command, party);
    case "place-orders":
      return ordersMatch(transaction, command, party);
    case "cancel-orders":
      return (
        of(transaction, "power-promise").every(({ owner, lock }) => owner === party && lock === null) &&
        of(transaction, "funds").every(({ owner }) => owner === party)
      );
    case "create-auction":
      return auctionMatches(transaction, command, party);
    case "bid":
      return of(transaction, "bid").every(
        ({ bidder, price, auctionId }) =>
          bidder === party && price === command.price && auctionId === command.auctionId,
      );
    case "settle-auction":
      return of(transaction, "power-promise").every(({ owner }) => owner === party);
    default:
      return false;
  }
}

function of<T extends StateTag>(transaction: Transaction, tag: T): readonly StateOf<T>[] {
  return transaction.outputs.filter((state: State): state is StateOf<T> => state.tag === tag);
}

function promisesMatch(
  transaction: Transaction,
  command: ClientCommandOf<"create-promises">,
  party: PublicKey,
): boolean {
  const made = of(transaction, "power-promise");
  return (
    made.length === command.promises.length &&
    made.every(
      ({ supplier, owner, slot, energy }, index) =>
        supplier === party &&
        owner === party &&
        slot === command.promises[index]?.slot &&
        energy === command.promises[index]?.energy,
    )
  );
}

function ordersMatch(transaction: Transaction, command: ClientCommandOf<"place-orders">, party: PublicKey): boolean {
  const made = of(transaction, "pool-order");
  return (
    made.length === command.orders.length &&
    made.every((order, index) => {
      const asked = command.orders[index];
      return (
        order.owner === party &&
        order.marketplace === command.marketplace &&
        order.side === asked?.side &&
        order.slot === asked.slot &&
        order.energy === asked.energy &&
        order.limit === asked.limit
      );
    }) &&
    of(transaction, "funds").every(({ owner }) => owner === party) &&
    of(transaction, "power-promise").every(({ owner }) => owner === party)
  );
}

function auctionMatches(
  transaction: Transaction,
  command: ClientCommandOf<"create-auction">,
  party: PublicKey,
): boolean {
  const [auction] = of(transaction, "auction");
  return (
    auction !== undefined &&
    auction.seller === party &&
    auction.slot === command.slot &&
    auction.energy === command.energy &&
    auction.basePrice === command.basePrice &&
    auction.deadlineMs === command.deadlineMs &&
    of(transaction, "power-promise").every(({ owner }) => owner === party)
  );
}
