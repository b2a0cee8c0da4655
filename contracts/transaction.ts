/**
 * A transaction: what it consumes, cites and makes, in one form on the wire, with an id that covers every component.
 *
 * Each component is encoded by itself and hashed with a nonce derived from the transaction's salt; the id is the hash of
 * all component hashes. So a tear-off can show some components and prove that they belong to the id, and the hashes of the
 * rest reveal nothing.
 */
import {
  CBOR_BYTES_MAX,
  type CborValue,
  type Codec,
  decodeCbor,
  encodeCbor,
  err,
  type Hash,
  hashCodec,
  hashFromBytes,
  hashOf,
  instantMs,
  integer,
  invariant,
  listOf,
  nullable,
  ok,
  type PublicKey,
  publicKeyCodec,
  type Result,
  sha256,
  struct,
} from "#core";
import { type Command, commandCodec } from "./commands.ts";
import { stateCodec } from "./state-codec.ts";
import type { State } from "./states.ts";

export const TRANSACTION_VERSION = 1;
/** Leaves room within one CBOR value for the signatures that travel with a transaction. */
export const TRANSACTION_BYTES_MAX: number = CBOR_BYTES_MAX - 16_384;
export const INPUTS_MAX = 4_096;
export const REFERENCES_MAX = 512;
export const OUTPUTS_MAX = 4_096;
export const SIGNERS_MAX = 128;
const SALT_BYTES = 32;
/** Nonces and hashes of components are SHA-256 digests. */
export const DIGEST_BYTES = 32;

/** Names an output of a transaction. */
export type StateRef = { readonly txId: Hash; readonly index: number };
/** Half-open: valid from `fromMs` until just before `untilMs`, on the notary's clock. */
export type TimeWindow = { readonly fromMs: number | null; readonly untilMs: number | null };

export type Transaction = {
  readonly inputs: readonly StateRef[];
  readonly references: readonly StateRef[];
  readonly outputs: readonly State[];
  readonly command: Command;
  /** Keys that must sign, sorted; the notary's own signature is not among them. */
  readonly signers: readonly PublicKey[];
  /** Governs all outputs, and must govern all inputs and references. */
  readonly notary: PublicKey;
  readonly window: TimeWindow;
};

/** A transaction as it travels: its components in bytes, their hashes, and the id. */
export type WireTransaction = {
  readonly id: Hash;
  readonly salt: Uint8Array;
  /** In the order of the groups: every input, reference and output by itself, then command, signers, notary, window. */
  readonly components: readonly Uint8Array[];
  /** Salted hashes of the components, in order. */
  readonly hashes: readonly Uint8Array[];
  readonly counts: ComponentCounts;
  readonly content: Transaction;
};
export type ComponentCounts = { readonly inputs: number; readonly references: number; readonly outputs: number };

export type TransactionRefusal =
  | "transaction_too_large"
  | "transaction_malformed"
  | "transaction_duplicate_input"
  | "transaction_signers_unsorted";

const refCodec: Codec<StateRef> = struct({ txId: hashCodec, index: integer(0, OUTPUTS_MAX - 1) });
const windowCodec: Codec<TimeWindow> = struct({ fromMs: nullable(instantMs), untilMs: nullable(instantMs) });
const signersCodec: Codec<readonly PublicKey[]> = listOf(publicKeyCodec, SIGNERS_MAX);
const LEAF_TAG = new Uint8Array([0x00]);
const NONCE_TAG = new Uint8Array([0x01]);
const ID_TAG = new Uint8Array([0x02]);
/** Components that every transaction has once: command, signers, notary, window. */
export const SINGLE_COMPONENTS = 4;
/** How each kind of component is written. */
export const COMPONENT_CODECS: {
  readonly reference: Codec<StateRef>;
  readonly state: Codec<State>;
  readonly command: Codec<Command>;
  readonly signers: Codec<readonly PublicKey[]>;
  readonly notary: Codec<PublicKey>;
  readonly window: Codec<TimeWindow>;
} = {
  reference: refCodec,
  state: stateCodec,
  command: commandCodec,
  signers: signersCodec,
  notary: publicKeyCodec,
  window: windowCodec,
};

export function refKey(ref: StateRef): string {
  return `${ref.txId}:${ref.index}`;
}

/** Builds a transaction from our own code. `salt` must be 32 fresh random bytes. */
export function buildTransaction(content: Transaction, salt: Uint8Array): WireTransaction {
  invariant(salt.length === SALT_BYTES, "a transaction salt has 32 bytes");
  const sorted = { ...content, signers: [...new Set(content.signers)].sort() };
  const refusal = structuralRefusal(sorted);
  invariant(refusal === undefined, `a transaction names states once and has signers, was ${refusal}`);
  const components = [
    ...sorted.inputs.map((ref) => encodeCbor(refCodec.encode(ref))),
    ...sorted.references.map((ref) => encodeCbor(refCodec.encode(ref))),
    ...sorted.outputs.map((state) => encodeCbor(stateCodec.encode(state))),
    encodeCbor(commandCodec.encode(sorted.command)),
    encodeCbor(signersCodec.encode(sorted.signers)),
    encodeCbor(publicKeyCodec.encode(sorted.notary)),
    encodeCbor(windowCodec.encode(sorted.window)),
  ];
  const counts = { inputs: sorted.inputs.length, references: sorted.references.length, outputs: sorted.outputs.length };
  const hashes = components.map((component, index) => componentHash(salt, index, component));
  return { id: transactionId(hashes, counts), salt, components, hashes, counts, content: sorted };
}

/** Bytes of transactions that this process built or decoded: a transaction travels many times and never changes. */
const encoded = new WeakMap<WireTransaction, Uint8Array>();
/** The last transactions decoded, by the hash of their bytes: decoding is pure, and the nodes of a process share it. */
const decodedByHash = new Map<Hash, WireTransaction>();
const DECODED_MAX = 1_024;

/** The bytes of a transaction: [version, salt, counts, components]. */
export function encodeTransaction(transaction: WireTransaction): Uint8Array {
  const known = encoded.get(transaction);
  if (known !== undefined) return known;
  const { inputs, references, outputs } = transaction.counts;
  const bytes = encodeCbor([
    TRANSACTION_VERSION,
    transaction.salt,
    [inputs, references, outputs],
    transaction.components,
  ]);
  encoded.set(transaction, bytes);
  return bytes;
}

/**
 * Decodes untrusted bytes: never throws. The id is computed from the received components, never from a re-encoding;
 * each component must be the one canonical encoding of its value.
 */
export function decodeTransaction(bytes: Uint8Array): Result<WireTransaction, TransactionRefusal> {
  if (bytes.length > TRANSACTION_BYTES_MAX) return err("transaction_too_large");
  const key = hashOf(bytes);
  const known = decodedByHash.get(key);
  if (known !== undefined) return ok(known);
  const decoded = decodeAnew(bytes);
  if (!decoded.ok) return decoded;
  if (decodedByHash.size >= DECODED_MAX) decodedByHash.clear();
  decodedByHash.set(key, decoded.value);
  encoded.set(decoded.value, bytes);
  return decoded;
}

function decodeAnew(bytes: Uint8Array): Result<WireTransaction, TransactionRefusal> {
  const outer = decodeCbor(bytes);
  if (!outer.ok || !isList(outer.value) || outer.value.length !== 4) return err("transaction_malformed");
  const [version, salt, rawCounts, components] = outer.value;
  if (version !== TRANSACTION_VERSION || !(salt instanceof Uint8Array) || salt.length !== SALT_BYTES)
    return err("transaction_malformed");
  const counts = decodeCounts(rawCounts ?? null);
  if (counts === undefined || !isBytesList(components)) return err("transaction_malformed");
  if (components.length !== counts.inputs + counts.references + counts.outputs + SINGLE_COMPONENTS)
    return err("transaction_malformed");
  const content = decodeContent(components, counts);
  if (content === undefined) return err("transaction_malformed");
  const refusal = structuralRefusal(content);
  if (refusal !== undefined) return err(refusal);
  const hashes = components.map((component, index) => componentHash(salt, index, component));
  return ok({ id: transactionId(hashes, counts), salt, components, hashes, counts, content });
}

function decodeCounts(value: CborValue): ComponentCounts | undefined {
  if (!isList(value) || value.length !== 3) return undefined;
  const [inputs, references, outputs] = value;
  const isCount = (count: CborValue | undefined, max: number): count is number =>
    typeof count === "number" && count >= 0 && count <= max;
  if (!isCount(inputs, INPUTS_MAX) || !isCount(references, REFERENCES_MAX) || !isCount(outputs, OUTPUTS_MAX))
    return undefined;
  return { inputs, references, outputs };
}

function decodeContent(components: readonly Uint8Array[], counts: ComponentCounts): Transaction | undefined {
  let position = 0;
  const next = <T>(codec: Codec<T>): T | undefined => {
    const component = components[position++];
    if (component === undefined) return undefined;
    const value = decodeCbor(component);
    if (!value.ok) return undefined;
    const decoded = codec.decode(value.value, "");
    return decoded.ok ? decoded.value : undefined;
  };
  const many = <T>(codec: Codec<T>, count: number): readonly T[] | undefined => {
    const items: T[] = [];
    for (let index = 0; index < count; index++) {
      const item = next(codec);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  };
  const inputs = many(refCodec, counts.inputs);
  const references = many(refCodec, counts.references);
  const outputs = many(stateCodec, counts.outputs);
  const command = next(commandCodec);
  const signers = next(signersCodec);
  const notary = next(publicKeyCodec);
  const window = next(windowCodec);
  if (!inputs || !references || !outputs || !command || !signers || !notary || !window) return undefined;
  return { inputs, references, outputs, command, signers, notary, window };
}

function structuralRefusal(content: Transaction): TransactionRefusal | undefined {
  const refs = [...content.inputs, ...content.references].map(refKey);
  if (new Set(refs).size !== refs.length) return "transaction_duplicate_input";
  const { signers } = content;
  for (let index = 1; index < signers.length; index++) {
    if ((signers[index - 1] ?? "") >= (signers[index] ?? "")) return "transaction_signers_unsorted";
  }
  return signers.length === 0 ? "transaction_malformed" : undefined;
}

/** Hash of one component; `index` is its position among all components. */
export function componentHash(salt: Uint8Array, index: number, component: Uint8Array): Uint8Array {
  return leafHash(componentNonce(salt, index), component);
}

/** What must be shown beside a component to prove it, without giving the salt away. */
export function componentNonce(salt: Uint8Array, index: number): Uint8Array {
  return sha256(NONCE_TAG, salt, uint32(index));
}

export function leafHash(nonce: Uint8Array, component: Uint8Array): Uint8Array {
  return sha256(LEAF_TAG, nonce, component);
}

/** SHA-256 over the version, the number of components of each group, and the hash of every component. */
export function transactionId(hashes: readonly Uint8Array[], counts: ComponentCounts): Hash {
  const head = [uint32(TRANSACTION_VERSION), uint32(counts.inputs), uint32(counts.references), uint32(counts.outputs)];
  return hashFromBytes(sha256(ID_TAG, ...head, ...hashes));
}

function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

function isList(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}

function isBytesList(value: CborValue | undefined): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.every((item) => item instanceof Uint8Array);
}
