/** Whether a proposed transaction does what its command asked, and no more, as far as the party's own energy and money go. */

import {
  type Claims,
  type ClientCommand,
  type ClientCommandOf,
  claimsText,
  type State,
  type StateOf,
  type StateTag,
  type Transaction,
} from "#contracts";
import type { PublicKey } from "#core";

/** Checks before a delegate's key signs. What only the owner may command is never signed by a delegate. */
export function isAsCommanded(transaction: Transaction, command: ClientCommand, party: PublicKey): boolean {
  if (transaction.command.tag !== command.tag) return false;
  switch (command.tag) {
    case "create-promises":
      return promisesMatch(transaction, command, party);
    case "certify-claims":
      return certificationMatches(transaction, command, party);
    case "place-orders":
      return ordersMatch(transaction, command, party);
    case "cancel-orders":
      return of(transaction, "power-promise").every(({ lock }) => lock === null) && staysWith(transaction, party);
    case "split-promise":
      return splitMatches(transaction, command, party);
    case "merge-promises":
      return mergeMatches(transaction, command, party);
    case "substitute":
      return substitutionMatches(transaction, command, party);
    case "create-auction":
      return auctionMatches(transaction, command, party);
    case "bid":
      return bidMatches(transaction, command, party);
    case "settle-auction":
      return settlementMatches(transaction, command, party);
    default:
      return false;
  }
}

function of<T extends StateTag>(transaction: Transaction, tag: T): readonly StateOf<T>[] {
  return transaction.outputs.filter((state: State): state is StateOf<T> => state.tag === tag);
}

/** Whether all promises, free funds and margins that are made are the party's: none of them goes to anybody. */
function staysWith(transaction: Transaction, party: PublicKey): boolean {
  return (
    of(transaction, "power-promise").every(({ owner }) => owner === party) &&
    of(transaction, "funds").every(({ owner }) => owner === party) &&
    of(transaction, "margin").every(({ owner }) => owner === party)
  );
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
      ({ supplier, slot, energy }, index) =>
        supplier === party && slot === command.promises[index]?.slot && energy === command.promises[index]?.energy,
    ) &&
    made.every(({ claims }, index) => claimsText(claims) === claimedText(command.promises[index]?.claims)) &&
    of(transaction, "deposit").every(({ supplier }) => supplier === party) &&
    staysWith(transaction, party)
  );
}

function claimedText(claims: Omit<Claims, "certifiedBy"> | undefined): string {
  return claimsText(claims === undefined ? null : { ...claims, certifiedBy: null });
}

/** What is certified stays the party's, and is of the slots that were asked for. */
function certificationMatches(
  transaction: Transaction,
  { agency, slots }: ClientCommandOf<"certify-claims">,
  party: PublicKey,
): boolean {
  const { command } = transaction;
  return (
    command.tag === "certify-claims" &&
    command.supplier === party &&
    command.agency === agency &&
    of(transaction, "certificate").every((certificate) => slots.includes(certificate.slot)) &&
    staysWith(transaction, party)
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
        order.limit === asked.limit &&
        claimsText(order.requires) === claimsText(asked.requires ?? null)
      );
    }) &&
    staysWith(transaction, party)
  );
}

/** The parts asked for are made first, in their order; all stay with the party. */
function splitMatches(
  transaction: Transaction,
  { slot, energies, promiseId }: ClientCommandOf<"split-promise">,
  party: PublicKey,
): boolean {
  const { command } = transaction;
  const made = of(transaction, "power-promise");
  return (
    command.tag === "split-promise" &&
    command.owner === party &&
    made.every((part) => part.slot === slot && (promiseId === undefined || part.promiseId === promiseId)) &&
    energies.every((energy, index) => made[index]?.energy === energy) &&
    made.length <= energies.length + 1 &&
    staysWith(transaction, party)
  );
}

/** The lineages that are merged stand in the inputs, which a client does not see: the contract holds the whole to them. */
function mergeMatches(
  transaction: Transaction,
  { slot, supplier }: ClientCommandOf<"merge-promises">,
  party: PublicKey,
): boolean {
  const { command } = transaction;
  const made = of(transaction, "power-promise");
  return (
    command.tag === "merge-promises" &&
    command.owner === party &&
    made.length === 1 &&
    made.every((whole) => whole.slot === slot && whole.supplier === supplier) &&
    staysWith(transaction, party)
  );
}

/** Others get what covers them, as much as was asked; the money that is free again is the party's. */
function substitutionMatches(
  transaction: Transaction,
  { slot, energy }: ClientCommandOf<"substitute">,
  party: PublicKey,
): boolean {
  const { command } = transaction;
  return (
    command.tag === "substitute" &&
    command.supplier === party &&
    command.slot === slot &&
    command.covers.reduce((sum, cover) => sum + cover.energy, 0n) === energy &&
    of(transaction, "deposit").every(({ supplier }) => supplier === party) &&
    of(transaction, "funds").every(({ owner }) => owner === party)
  );
}

function auctionMatches(
  transaction: Transaction,
  command: ClientCommandOf<"create-auction">,
  party: PublicKey,
): boolean {
  const [auction, ...more] = of(transaction, "auction");
  return (
    auction !== undefined &&
    more.length === 0 &&
    auction.auctionId === command.commandId &&
    auction.seller === party &&
    auction.marketplace === command.marketplace &&
    auction.slot === command.slot &&
    auction.energy === command.energy &&
    auction.basePrice === command.basePrice &&
    auction.deadlineMs === command.deadlineMs &&
    staysWith(transaction, party)
  );
}

/** The last bidder is paid back, so not all funds are the party's; the contract says how much that is. */
function bidMatches(transaction: Transaction, command: ClientCommandOf<"bid">, party: PublicKey): boolean {
  const [bid, ...more] = of(transaction, "bid");
  return (
    bid !== undefined &&
    more.length === 0 &&
    bid.bidder === party &&
    bid.price === command.price &&
    bid.auctionId === command.auctionId &&
    transaction.command.tag === "bid" &&
    claimsText(transaction.command.requires) === claimsText(command.requires ?? null)
  );
}

/** The seller and the marketplace are paid; the promises become the party's. */
function settlementMatches(
  transaction: Transaction,
  command: ClientCommandOf<"settle-auction">,
  party: PublicKey,
): boolean {
  const { command: settled } = transaction;
  return (
    settled.tag === "settle-auction" &&
    settled.auctionId === command.auctionId &&
    of(transaction, "power-promise").length > 0 &&
    of(transaction, "power-promise").every(({ owner }) => owner === party)
  );
}
