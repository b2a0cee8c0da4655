/** The one door to Ed25519 of node:crypto: keys, signatures, and which keys are acceptable. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { fromHex, toHex } from "./hash.ts";
import type { Entropy } from "./ports.ts";
import { invariant } from "./result.ts";

/** An Ed25519 public key as 64 lower-case hexadecimal digits; also the identity of a party on the ledger. */
export type PublicKey = string & { readonly __brand: "PublicKey" };

/** Signs with a key that it never shows. */
export interface Signer {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420");
const FIELD_PRIME = 2n ** 255n - 19n;
/** The y coordinates of the eight points whose order divides 8 (the multiples of L·P for random P; RFC 8032 constants). */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  FIELD_PRIME - 1n,
]);
const PUBLIC_KEYS_CACHED_MAX = 20_000;
/** Key objects of acceptable keys only: importing a key costs as much as a verification. */
const publicKeys = new Map<string, KeyObject>();

/** Makes a signer from 32 secret bytes. @throws InvariantError on any other length. */
export function signerFromSeed(seed: Uint8Array): Signer {
  invariant(seed.length === 32, "an Ed25519 seed has 32 bytes");
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const x = createPublicKey(privateKey).export({ format: "jwk" }).x;
  invariant(x !== undefined, "an Ed25519 public key has an x coordinate");
  const publicKey = toHex(new Uint8Array(Buffer.from(x, "base64url"))) as PublicKey;
  return Object.freeze({ publicKey, sign: (message: Uint8Array) => new Uint8Array(sign(null, message, privateKey)) });
}

/** Makes a new signer from injected entropy. */
export function newSigner(entropy: Entropy): Signer {
  return signerFromSeed(entropy.bytes(32));
}

/** Whether `signature` by `publicKey` covers `message`. Never throws: a malformed key or signature is simply not valid. */
export function isSignatureValid(publicKey: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const key = keyObject(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}

/**
 * Whether hexadecimal text is a public key that may join: 32 bytes, canonical (y below 2^255-19), not of small order.
 * Small-order keys would make one signature valid for many messages.
 */
export function isAcceptablePublicKey(hex: string): hex is PublicKey {
  return keyObject(hex) !== undefined;
}

/** A key that our own code wrote as text before. @throws InvariantError when it is not acceptable. */
export function publicKey(hex: string): PublicKey {
  invariant(isAcceptablePublicKey(hex), `public key is acceptable, was ${hex}`);
  return hex;
}

function keyObject(hex: string): KeyObject | undefined {
  const known = publicKeys.get(hex);
  if (known !== undefined) return known;
  if (!/^[0-9a-f]{64}$/.test(hex)) return undefined;
  const y = littleEndian(fromHex(hex)) & ((1n << 255n) - 1n);
  if (y >= FIELD_PRIME || SMALL_ORDER_Y.has(y)) return undefined;
  try {
    const made = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(hex, "hex").toString("base64url") },
      format: "jwk",
    });
    if (publicKeys.size >= PUBLIC_KEYS_CACHED_MAX) publicKeys.clear();
    publicKeys.set(hex, made);
    return made;
  } catch {
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}
