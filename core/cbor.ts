/** The one door to `cborg`: deterministic CBOR (RFC 8949 section 4.2), encoded and decoded strictly. */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { err, ok, type Result } from "./result.ts";

/** What our codecs reduce a value to: fixed-position arrays, so no map is ever encoded. */
export type CborValue = null | boolean | number | bigint | string | Uint8Array | readonly CborValue[];

export type CborError = "cbor_malformed" | "cbor_not_canonical" | "cbor_too_long";

export const CBOR_BYTES_MAX = 1_048_576;
const CBOR_DEPTH_MAX = 16;

/** The one encoding of `value`. */
export function encodeCbor(value: CborValue): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * Decodes untrusted bytes: never throws. Refuses indefinite lengths, non-minimal integers, maps, tags, floats,
 * trailing bytes, texts that are not UTF-8, nesting beyond 16, and whatever is not the one encoding of its value.
 */
export function decodeCbor(bytes: Uint8Array): Result<CborValue, CborError> {
  if (bytes.length > CBOR_BYTES_MAX) return err("cbor_too_long");
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: true,
      rejectDuplicateMapKeys: true,
    });
  } catch {
    return err("cbor_malformed");
  }
  if (!isCborValue(value, CBOR_DEPTH_MAX)) return err("cbor_malformed");
  const canonical = encodeCbor(value);
  return equalBytes(canonical, bytes) ? ok(value) : err("cbor_not_canonical");
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

function isCborValue(value: unknown, depth: number): value is CborValue {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return true;
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value === "string") return true;
  if (value instanceof Uint8Array) return true;
  return Array.isArray(value) && depth > 0 && value.every((item) => isCborValue(item, depth - 1));
}
