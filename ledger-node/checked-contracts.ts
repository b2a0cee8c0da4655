/** Transactions whose contract a node has checked for a signature and that are not final yet; if more, the check is done again. */
import type { Hash } from "#core";

const CHECKED_MAX = 10_000;

/** Shared by the nodes of one aggregator: a contract is the same for all of them. */
export class CheckedContracts {
  readonly #checked = new Set<Hash>();

  has(txId: Hash): boolean {
    return this.#checked.has(txId);
  }

  add(txId: Hash): void {
    if (this.#checked.size >= CHECKED_MAX) this.#checked.clear();
    this.#checked.add(txId);
  }
}
