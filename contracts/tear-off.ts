/**
 * Tear-offs: some components of a transaction, with the proof that they belong to its id. Everything else is a hash that
 * says nothing. Parties that did not sign, and observers, get a tear-off of what concerns them and no more.
 */
import { type Codec, decodeCbor, equalBytes, err, type Hash, invariant, ok, type PublicKey, type Result } from "#core";
import type { Command } from "./commands.ts";
import type { State } from "./states.ts";
import {
  COMPONENT_CODECS,
  type ComponentCounts,
  componentNonce,
  DIGEST_BYTES,
  leafHash,
  OUTPUTS_MAX,
  SINGLE_COMPONENTS,
  type StateRef,
  type TimeWindow,
  transactionId,
  type WireTransaction,
} from "./transaction.ts";

/** A component in clear; `position` counts through inputs, references, outputs, command, signers, notary, window. */
export type RevealedComponent = {
  readonly position: number;
  readonly nonce: Uint8Array;
  readonly component: Uint8Array;
};

export type TearOff = {
  readonly counts: ComponentCounts;
  /** Hashes of all components, in order. */
  readonly hashes: readonly Uint8Array[];
  readonly revealed: readonly RevealedComponent[];
};

/** What a tear-off proves, by index within each group. */
export type ShownComponents = {
  readonly inputs: ReadonlyMap<number, StateRef>;
  readonly outputs: ReadonlyMap<number, State>;
  readonly command: Command | undefined;
  readonly signers: readonly PublicKey[] | undefined;
  readonly notary: PublicKey | undefined;
  readonly window: TimeWindow | undefined;
};

/** What to show of a transaction. */
export type Selection = {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** `notary`: also the notary; `signers`: the signers, the notary and the window; `all`: and the command. */
  readonly head: keyof typeof HEADS;
};

/** Which of command, signers, notary and window are shown. */
const HEADS = { none: [], notary: [2], signers: [1, 2, 3], all: [0, 1, 2, 3] } as const;

/** Shows the outputs at `indexes` of `transaction` and nothing else. */
export function tearOff(transaction: WireTransaction, indexes: readonly number[]): TearOff {
  return tearOffOf(transaction, { inputs: [], outputs: indexes, head: "none" });
}

/** Shows the selected components. */
export function tearOffOf(transaction: WireTransaction, selection: Selection): TearOff {
  const { counts, components, salt, hashes } = transaction;
  const firstOutput = counts.inputs + counts.references;
  const firstSingle = firstOutput + counts.outputs;
  const head = HEADS[selection.head].map((index) => firstSingle + index);
  invariant(
    selection.outputs.every((index) => index < counts.outputs),
    "a tear-off shows outputs that exist",
  );
  invariant(
    selection.inputs.every((index) => index < counts.inputs),
    "a tear-off shows inputs that exist",
  );
  const positions = [...selection.inputs, ...selection.outputs.map((index) => firstOutput + index), ...head];
  return {
    counts,
    hashes,
    revealed: positions.map((position) => {
      const component = components[position];
      invariant(component !== undefined, "a transaction has as many components as it counts");
      return { position, nonce: componentNonce(salt, position), component };
    }),
  };
}

/** The same tear-off with one output in clear and nothing else: what is shown to one party is not for all. */
export function narrowTearOff({ counts, hashes, revealed }: TearOff, index: number): TearOff {
  const shown = counts.inputs + counts.references + index;
  return { counts, hashes, revealed: revealed.filter(({ position }) => position === shown) };
}

/** Checks an untrusted tear-off against a transaction id and gives the outputs that it proves, by index. */
export function openTearOff(torn: TearOff, txId: Hash): Result<ReadonlyMap<number, State>, "tear_off_invalid"> {
  const shown = openComponents(torn, txId);
  return shown.ok ? ok(shown.value.outputs) : shown;
}

/** Checks an untrusted tear-off against a transaction id and gives all that it proves. Never throws. */
export function openComponents(torn: TearOff, txId: Hash): Result<ShownComponents, "tear_off_invalid"> {
  const { counts, hashes } = torn;
  if (!isCount(counts.inputs) || !isCount(counts.references) || !isCount(counts.outputs))
    return err("tear_off_invalid");
  if (hashes.length !== counts.inputs + counts.references + counts.outputs + SINGLE_COMPONENTS)
    return err("tear_off_invalid");
  if (hashes.some((hash) => hash.length !== DIGEST_BYTES) || transactionId(hashes, counts) !== txId)
    return err("tear_off_invalid");
  const shown = new Map<number, Uint8Array>();
  for (const { position, nonce, component } of torn.revealed) {
    const expected = hashes[position];
    // A longer nonce would take the start of the component, and the end might read as another state.
    if (nonce.length !== DIGEST_BYTES || expected === undefined) return err("tear_off_invalid");
    if (!equalBytes(leafHash(nonce, component), expected)) return err("tear_off_invalid");
    shown.set(position, component);
  }
  return readShown(shown, counts);
}

/** Whether it is a number that a transaction can count: anything else could wrap around where it is hashed. */
function isCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0 && count <= OUTPUTS_MAX;
}

function readShown(
  shown: ReadonlyMap<number, Uint8Array>,
  counts: ComponentCounts,
): Result<ShownComponents, "tear_off_invalid"> {
  const firstOutput = counts.inputs + counts.references;
  const firstSingle = firstOutput + counts.outputs;
  let isSound = true;
  const read = <T>(codec: Codec<T>, position: number): T | undefined => {
    const component = shown.get(position);
    if (component === undefined) return undefined;
    const value = decodeCbor(component);
    const decoded = value.ok ? codec.decode(value.value, "") : value;
    if (decoded.ok) return decoded.value;
    isSound = false;
    return undefined;
  };
  const group = <T>(codec: Codec<T>, first: number, length: number): ReadonlyMap<number, T> => {
    const items = new Map<number, T>();
    for (const position of shown.keys()) {
      const item = position >= first && position < first + length ? read(codec, position) : undefined;
      if (item !== undefined) items.set(position - first, item);
    }
    return items;
  };
  const value: ShownComponents = {
    inputs: group(COMPONENT_CODECS.reference, 0, counts.inputs),
    outputs: group(COMPONENT_CODECS.state, firstOutput, counts.outputs),
    command: read(COMPONENT_CODECS.command, firstSingle),
    signers: read(COMPONENT_CODECS.signers, firstSingle + 1),
    notary: read(COMPONENT_CODECS.notary, firstSingle + 2),
    window: read(COMPONENT_CODECS.window, firstSingle + 3),
  };
  return isSound ? ok(value) : err("tear_off_invalid");
}
