/** Tear-offs: some outputs of a transaction, with the proof that they belong to its id. */
import { decodeCbor, err, type Hash, invariant, ok, type Result } from "#core";
import { stateCodec } from "./state-codec.ts";
import type { State } from "./states.ts";
import {
  type ComponentCounts,
  componentHash,
  componentNonce,
  leafHash,
  transactionId,
  type WireTransaction,
} from "./transaction.ts";

export type RevealedOutput = { readonly index: number; readonly nonce: Uint8Array; readonly component: Uint8Array };
/** Everything but the revealed outputs is a hash that says nothing. */
export type TearOff = {
  readonly counts: ComponentCounts;
  /** Hashes of all components, in order. */
  readonly hashes: readonly Uint8Array[];
  readonly revealed: readonly RevealedOutput[];
};

/** Shows the outputs at `indexes` of `transaction` and nothing else. */
export function tearOff(transaction: WireTransaction, indexes: readonly number[]): TearOff {
  const { counts, components, salt } = transaction;
  const first = counts.inputs + counts.references;
  return {
    counts,
    hashes: components.map((component, index) => componentHash(salt, index, component)),
    revealed: indexes.map((index) => {
      invariant(index >= 0 && index < counts.outputs, "a tear-off shows outputs that exist");
      const component = components[first + index];
      invariant(component !== undefined, "a transaction has as many components as it counts");
      return { index, nonce: componentNonce(salt, first + index), component };
    }),
  };
}

/** Checks untrusted tear-off against a transaction id and gives the states that it proves, by output index. */
export function openTearOff(torn: TearOff, txId: Hash): Result<ReadonlyMap<number, State>, "tear_off_invalid"> {
  const { counts } = torn;
  if (transactionId(torn.hashes, counts) !== txId) return err("tear_off_invalid");
  if (torn.hashes.length !== counts.inputs + counts.references + counts.outputs + 4) return err("tear_off_invalid");
  const states = new Map<number, State>();
  for (const { index, nonce, component } of torn.revealed) {
    if (!Number.isSafeInteger(index) || index < 0 || index >= counts.outputs) return err("tear_off_invalid");
    const expected = torn.hashes[counts.inputs + counts.references + index];
    if (expected === undefined || Buffer.compare(leafHash(nonce, component), expected) !== 0)
      return err("tear_off_invalid");
    const value = decodeCbor(component);
    const state = value.ok ? stateCodec.decode(value.value, "output") : value;
    if (!state.ok) return err("tear_off_invalid");
    states.set(index, state.value);
  }
  return ok(states);
}
