/**
 * Reads a node's store from its beginning and makes its events anew, as the node told of them when it stored them: for listeners
 * that were away for longer than the newest events reach back.
 *
 * What a newcomer was shown of the network's public states counts as known from the start, as it does when a node starts.
 */
import {
  type Command,
  decodeNotice,
  decodeSignedTransaction,
  type NodeEvent,
  openComponents,
  type ResolvedState,
  refKey,
  type State,
  type StateRef,
} from "#contracts";
import type { Hash, PublicKey } from "#core";
import { concernsNode } from "../relevance.ts";
import type { NodeStore, StoredTransaction } from "../stores/node-store.ts";
import { Vault } from "../vault.ts";

export type ReplayOptions = {
  readonly party: PublicKey;
  readonly gridAuthority: PublicKey;
  readonly store: Pick<NodeStore, "proofs">;
};

type Change = {
  readonly txId: Hash;
  readonly command: Command | undefined;
  readonly spent: readonly StateRef[];
  readonly made: readonly ResolvedState[];
};

export class EventReplay {
  readonly #options: ReplayOptions;
  readonly #vault = new Vault();
  readonly #spentEarly = new Set<string>();

  constructor(options: ReplayOptions) {
    this.#options = options;
    for (const { bytes } of options.store.proofs()) {
      for (const resolved of changeOfNotice(new Uint8Array(bytes))?.made ?? []) this.#vault.add(resolved);
    }
  }

  /** The event of the next transaction of the store; each must be given, in order. Undefined for one that can't be read. */
  next({ kind, bytes }: StoredTransaction): NodeEvent | undefined {
    const change = kind === "full" ? changeOfTransaction(new Uint8Array(bytes)) : changeOfNotice(new Uint8Array(bytes));
    if (change === undefined) return undefined;
    const consumed = change.spent.flatMap((ref) => this.#spend(ref));
    const made = change.made.filter(({ state }) => concernsNode(state, { ...this.#options, vault: this.#vault }));
    for (const resolved of made) if (!this.#spentEarly.delete(refKey(resolved.ref))) this.#vault.add(resolved);
    return { txId: change.txId, command: change.command, consumed, made: made.map(({ state }) => state) };
  }

  #spend(ref: StateRef): readonly State[] {
    const spent = this.#vault.spend(ref);
    if (spent === undefined) this.#spentEarly.add(refKey(ref));
    return spent === undefined ? [] : [spent.state];
  }
}

function changeOfTransaction(bytes: Uint8Array): Change | undefined {
  const signed = decodeSignedTransaction(bytes);
  if (!signed.ok) return undefined;
  const { id: txId, content } = signed.value.transaction;
  const made = content.outputs.map((state, index) => ({ ref: { txId, index }, state, notary: content.notary }));
  return { txId, command: content.command, spent: content.inputs, made };
}

function changeOfNotice(bytes: Uint8Array): Change | undefined {
  const notice = decodeNotice(bytes);
  if (!notice.ok) return undefined;
  const { txId, tearOff, notarySignature } = notice.value;
  const shown = openComponents(tearOff, txId);
  if (!shown.ok) return undefined;
  const notary = notarySignature.by;
  const made = [...shown.value.outputs].map(([index, state]) => ({ ref: { txId, index }, state, notary }));
  return { txId, command: shown.value.command, spent: [...shown.value.inputs.values()], made };
}
