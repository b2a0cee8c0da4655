/** For whom a process is asked: its own party, or a member that it serves. A request names the party, and its signature holds for that. */
import type { Clock, PublicKey } from "#core";
import type { NodeStatus } from "#ledger-api";
import { Access } from "./access.ts";
import type { ServedLedger, ServedMember } from "./served-ledger.ts";

export type AskedPartiesOptions = {
  readonly party: PublicKey;
  readonly clock: Clock;
  readonly owners: readonly PublicKey[];
  readonly auditors: readonly PublicKey[];
  readonly ledger?: ServedLedger;
  readonly status: () => NodeStatus;
  readonly members?: (member: PublicKey) => ServedMember | undefined;
};

/** `ledger` is undefined at a process that holds none, such as a notary's. */
export type AskedParty = {
  readonly access: Access;
  readonly ledger: ServedLedger | undefined;
  readonly status: () => NodeStatus;
};

export class AskedParties {
  readonly #options: AskedPartiesOptions;
  readonly #own: AskedParty;

  constructor(options: AskedPartiesOptions) {
    const { ledger, status } = options;
    this.#options = options;
    this.#own = { access: new Access({ ...options, node: ledger?.node }), ledger, status };
  }

  /**
   * Undefined for whom this process does not answer. A member's own key and the aggregator's owners may do everything for the
   * member; who audits the aggregator does not audit its members.
   */
  of(party: PublicKey): AskedParty | undefined {
    const { members, owners, clock, party: own } = this.#options;
    if (party === own) return this.#own;
    const member = members?.(party);
    if (member === undefined) return undefined;
    return { ...member, access: new Access({ node: member.ledger.node, clock, owners, auditors: [] }) };
  }
}
