/** Which key may ask for what. */
import { type NodeEndpoint, STATE_KINDS } from "#contracts";
import type { Clock, PublicKey } from "#core";

/**
 * What a route asks for. *own*: submit as the owner. *act*: propose, approve, withdraw, read states and events. *audit*: read
 * transactions. *look*: read the status. *market*: read what a marketplace publishes. *carry*: have a transaction made final that the
 * key has signed.
 */
export type Permission = "own" | "act" | "audit" | "look" | "market" | "carry";

export type AccessOptions = {
  /** Undefined at a process that holds no ledger, such as a notary's. */
  readonly node: NodeEndpoint | undefined;
  readonly clock: Clock;
  /** May do everything. */
  readonly owners: readonly PublicKey[];
  /** May read transactions. */
  readonly auditors: readonly PublicKey[];
};

export class Access {
  readonly #options: AccessOptions;
  readonly #owners: ReadonlySet<PublicKey>;
  readonly #auditors: ReadonlySet<PublicKey>;

  constructor(options: AccessOptions) {
    this.#options = options;
    const { node } = options;
    this.#owners = new Set([...options.owners, ...(node === undefined ? [] : [node.party])]);
    this.#auditors = new Set(options.auditors);
  }

  isOwner(key: PublicKey): boolean {
    return this.#owners.has(key);
  }

  /** Whether the key may, now: mandates end and are revoked. */
  async may(key: PublicKey, permission: Permission): Promise<boolean> {
    if (this.#owners.has(key)) return true;
    switch (permission) {
      case "own":
        return false;
      case "act":
        return this.#isDelegate(key);
      case "audit":
        return this.#isAuditor(key);
      case "look":
        return (await this.#isDelegate(key)) || (await this.#isAuditor(key));
      case "market":
        // Prices and volumes that the marketplace makes public: agents' keys are known to nobody but their principals.
        return true;
      case "carry":
        return this.#isMember(key);
    }
  }

  async #isMember(key: PublicKey): Promise<boolean> {
    const members = (await this.#options.node?.states("member")) ?? [];
    return members.some(({ state }) => state.key === key);
  }

  async #isDelegate(key: PublicKey): Promise<boolean> {
    const { node, clock } = this.#options;
    if (node === undefined) return false;
    const nowMs = clock.nowMs();
    const mandates = await node.states("mandate");
    return mandates.some(
      ({ state }) => state.principal === node.party && state.delegate === key && state.expiresMs > nowMs,
    );
  }

  /** Named by the node's owner, or an observer whom the network's parameters show states of every kind. */
  async #isAuditor(key: PublicKey): Promise<boolean> {
    if (this.#auditors.has(key)) return true;
    const { node } = this.#options;
    const [parameters] = (await node?.states("network-parameters")) ?? [];
    const grant = parameters?.state.observers.find((observer) => observer.key === key);
    return grant !== undefined && STATE_KINDS.every((kind) => grant.sees.includes(kind));
  }
}
