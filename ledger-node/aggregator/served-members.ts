/**
 * Who has a seat at an aggregator is what the ledger says: a member has one from the moment at which the aggregator hears that it
 * serves it, and leaves it once it has moved away and what it had under way there is finished. Nothing else is kept of it.
 */
import type { PublicKey, Signer } from "#core";
import type { AggregatorHost } from "./host.ts";

export type ServedByLedger = {
  /** The key by which the aggregator acts for a member. */
  readonly delegateOf: (member: PublicKey) => Signer;
  /** Parties of which something is stored: one that has moved away may have left something under way. */
  readonly stored: readonly PublicKey[];
};

/** Opens the seats of all members that the aggregator serves, and from now on of those that come. Gives what closes those of others. */
export function serveByLedger(host: AggregatorHost, { delegateOf, stored }: ServedByLedger): () => void {
  const isServed = (member: PublicKey): boolean => host.node.aggregatorOf(member) === host.party;
  const open = (member: PublicKey): void => {
    if (host.seat(member) === undefined) host.open(member, delegateOf(member));
  };
  const closeOthers = (): void => {
    for (const member of host.members) {
      const { commands, messages } = host.seat(member)?.underWay ?? { commands: 0, messages: 0 };
      if (!isServed(member) && commands + messages === 0) host.close(member);
    }
  };
  for (const member of stored) if (member !== host.party) open(member);
  for (const { key, servedBy } of host.node.unspent("member")) if (servedBy === host.party) open(key);
  closeOthers();
  host.node.listen(({ made }) => {
    for (const state of made) if (state.tag === "member" && state.servedBy === host.party) open(state.key);
  });
  return closeOthers;
}
