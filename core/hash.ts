/** The one door to the hash function of node:crypto. */
import { createHmac, hash } from "node:crypto";
import { err, invariant, ok, type Result } from "./result.ts";

/** A SHA-256 digest as 64 lower-case hexadecimal digits: transaction ids and content hashes. */
export type Hash = string & { readonly __brand: "Hash" };

/** SHA-256 of the concatenation of `parts`. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = parts;
  const digest = hash("sha256", parts.length === 1 && only !== undefined ? only : Buffer.concat(parts), "buffer");
  const copy = new Uint8Array(32);
  copy.set(digest);
  return copy;
}

/** HMAC with SHA-512 (RFC 2104). */
export function hmacSha512(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHmac("sha512", key).update(message).digest());
}

/** SHA-256 of text (UTF-8) or bytes, in hexadecimal. */
export function hashOf(content: string | Uint8Array): Hash {
  return hash("sha256", content, "hex") as Hash;
}

export function hashFromBytes(bytes: Uint8Array): Hash {
  invariant(bytes.length === 32, "a hash has 32 bytes");
  return toHex(bytes) as Hash;
}

/** Parses 64 lower-case hexadecimal digits (outside input: never throws). */
export function parseHash(text: string): Result<Hash, "hash_malformed"> {
  return /^[0-9a-f]{64}$/.test(text) ? ok(text as Hash) : err("hash_malformed");
}

/** A hash that our own code wrote as text before. @throws InvariantError when malformed. */
export function hashFromText(text: string): Hash {
  const parsed = parseHash(text);
  invariant(parsed.ok, `hash has 64 hexadecimal digits, was ${text}`);
  return parsed.value;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** @throws InvariantError unless `hex` is an even number of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  invariant(hex.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(hex), "hexadecimal text has pairs of digits only");
  return new Uint8Array(Buffer.from(hex, "hex"));
}
