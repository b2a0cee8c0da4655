/**
 * Keys derived from one seed (SLIP-0010 for Ed25519, where every step is hardened): a platform that acts for many members
 * keeps one secret and has a key of its own for each of them.
 */
import { hmacSha512, sha256 } from "./hash.ts";
import { type PublicKey, type Signer, signerFromSeed } from "./keys.ts";
import { invariant } from "./result.ts";

/** A private key, and what its children are derived with. Both are secret. */
export type DerivedKey = { readonly privateKey: Uint8Array; readonly chainCode: Uint8Array };

/** Whom a delegate's key is for. `generation` rises where the key before is given up. */
export type DelegatePath = { readonly networkId: string; readonly member: PublicKey; readonly generation: number };

const HARDENED = 2 ** 31;
const SEED_BYTES_MIN = 16;
const SEED_BYTES_MAX = 64;
const MASTER_LABEL = new TextEncoder().encode("ed25519 seed");
/** The first step of every delegate's path ("DREA" in ASCII, read as a number). */
const DELEGATE_PURPOSE = 0x44_52_45_41;
/** Eight steps of 31 bits: as good as all of a hash. */
const NAME_STEPS = 8;

/** The key at the root. @throws InvariantError unless the seed has 16 to 64 bytes. */
export function masterKey(seed: Uint8Array): DerivedKey {
  invariant(seed.length >= SEED_BYTES_MIN && seed.length <= SEED_BYTES_MAX, "a master seed has 16 to 64 bytes");
  return split(hmacSha512(MASTER_LABEL, seed));
}

/**
 * The key at the end of a path of hardened steps below `parent`.
 * @param path - Numbers below 2^31, without the bit that marks a step as hardened.
 */
export function deriveKey(parent: DerivedKey, path: readonly number[]): DerivedKey {
  return path.reduce(childOf, parent);
}

function childOf({ privateKey, chainCode }: DerivedKey, index: number): DerivedKey {
  invariant(Number.isSafeInteger(index) && index >= 0 && index < HARDENED, "a step is a number below 2^31");
  const data = new Uint8Array(37);
  data.set(privateKey, 1);
  new DataView(data.buffer).setUint32(33, index + HARDENED);
  return split(hmacSha512(chainCode, data));
}

function split(digest: Uint8Array): DerivedKey {
  return { privateKey: digest.slice(0, 32), chainCode: digest.slice(32) };
}

/**
 * The delegate's key for one member of one network: the seed and the path give it again, so that nothing else needs to be kept.
 * The path is by the hash of the member's own key, not by a number that somebody would have to hand out and remember.
 */
export function deriveDelegateSigner(seed: Uint8Array, path: DelegatePath): Signer {
  return signerFromSeed(deriveKey(masterKey(seed), delegateSteps(path)).privateKey);
}

function delegateSteps({ networkId, member, generation }: DelegatePath): readonly number[] {
  const name = sha256(new TextEncoder().encode(`dream/delegate ${networkId} ${member}`));
  const view = new DataView(name.buffer);
  const steps = Array.from({ length: NAME_STEPS }, (_, step) => view.getUint32(4 * step) % HARDENED);
  return [DELEGATE_PURPOSE, ...steps, generation];
}
