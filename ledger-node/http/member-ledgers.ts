/** What an aggregator's process serves of each member: from the member's own seat and store, and of nothing else. */
import type { PublicKey } from "#core";
import type { AggregatorHost } from "../aggregator/index.ts";
import { EventHistory, type EventHistoryOptions } from "./event-history.ts";
import type { ServedLedger } from "./served-ledger.ts";

export type MemberLedgersOptions = {
  readonly host: AggregatorHost;
  readonly gridAuthority: PublicKey;
  readonly defer: (task: () => void) => void;
};

export class MemberLedgers {
  readonly #options: MemberLedgersOptions;
  /** Of members that somebody has listened to. */
  readonly #events = new Map<PublicKey, EventHistory>();

  constructor(options: MemberLedgersOptions) {
    this.#options = options;
  }

  /** Undefined for whom the aggregator does not serve now. */
  of(member: PublicKey): ServedLedger | undefined {
    const { host } = this.#options;
    const seat = host.seat(member);
    if (seat === undefined) return undefined;
    const store = host.storeOf(member);
    const eventsOf = (): EventHistory => this.#eventsOf(member);
    return {
      node: seat,
      get events() {
        return eventsOf();
      },
      transactions: (after, limit) =>
        store.scanAfter(after, limit).map(({ sequence, txId, kind, bytes }) => ({ sequence, txId, kind, bytes })),
    };
  }

  close(): void {
    for (const events of this.#events.values()) events.close();
  }

  /** Of what the member's seat stores: what is public has its numbers in the aggregator's own store. */
  #eventsOf(member: PublicKey): EventHistory {
    const { host, gridAuthority, defer } = this.#options;
    const known = this.#events.get(member);
    if (known !== undefined) return known;
    const listen: EventHistoryOptions["node"]["listen"] = (listener) =>
      host.seat(member)?.listenToOwn(listener) ?? (() => undefined);
    const made = new EventHistory({
      node: { party: member, listen },
      gridAuthority,
      store: host.storeOf(member),
      defer,
    });
    this.#events.set(member, made);
    return made;
  }
}
