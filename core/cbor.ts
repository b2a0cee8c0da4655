/**
 * Deterministic CBOR (RFC 8949 section 4.2) for the few kinds of values that the ledger uses: null, booleans, integers of
 * 64 bits, bytes, texts and lists. Every value has one encoding and every other encoding of it is refused, so equal hashes
 * mean equal bytes mean equal values. The tests hold it against `cborg`, a general implementation, byte for byte.
 */
import { err, invariant, ok, type Result } from "./result.ts";

/** What our codecs reduce a value to: fixed-position lists, so no map is ever encoded. */
export type CborValue = null | boolean | number | bigint | string | Uint8Array | readonly CborValue[];

export type CborError = "cbor_malformed" | "cbor_not_canonical" | "cbor_too_long";

export const CBOR_BYTES_MAX = 1_048_576;
const CBOR_DEPTH_MAX = 16;
const UINT64_MAX = 2n ** 64n - 1n;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, simple: 7 } as const;
const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6 } as const;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The one encoding of `value`. @throws InvariantError for fractions, integers beyond 64 bits and lone surrogates. */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer = new Writer();
  write(writer, value);
  return writer.bytes();
}

class Writer {
  #buffer = new Uint8Array(256);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Big-endian, in `width` bytes. */
  unsigned(value: bigint, width: number): void {
    for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) this.byte(Number((value >> BigInt(shift)) & 0xffn));
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

function write(writer: Writer, value: CborValue): void {
  if (value === null) writer.byte(SIMPLE.null);
  else if (typeof value === "boolean") writer.byte(value ? SIMPLE.true : SIMPLE.false);
  else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "bigint") writeInteger(writer, value);
  else if (typeof value === "string") {
    invariant(value.isWellFormed(), "texts on the ledger have no lone surrogates");
    writeLong(writer, MAJOR.text, textEncoder.encode(value));
  } else if (value instanceof Uint8Array) writeLong(writer, MAJOR.bytes, value);
  else {
    writeHead(writer, MAJOR.list, value.length);
    for (const item of value) write(writer, item);
  }
}

function writeNumber(writer: Writer, value: number): void {
  invariant(Number.isSafeInteger(value), `numbers on the ledger are whole, was ${value}`);
  if (value >= 0) writeHead(writer, MAJOR.unsigned, value);
  else writeHead(writer, MAJOR.negative, -1 - value);
}

function writeInteger(writer: Writer, value: bigint): void {
  const argument = value >= 0n ? value : -1n - value;
  const major = value >= 0n ? MAJOR.unsigned : MAJOR.negative;
  invariant(argument <= UINT64_MAX, "integers on the ledger fit in 64 bits");
  if (argument <= SAFE_MAX) writeHead(writer, major, Number(argument));
  else {
    writer.byte((major << 5) | 27);
    writer.unsigned(argument, 8);
  }
}

function writeLong(writer: Writer, major: number, bytes: Uint8Array): void {
  writeHead(writer, major, bytes.length);
  writer.append(bytes);
}

/** The initial byte and the shortest argument that holds `argument`. */
function writeHead(writer: Writer, major: number, argument: number): void {
  const high = major << 5;
  if (argument < 24) writer.byte(high | argument);
  else if (argument < 0x100) {
    writer.byte(high | 24);
    writer.byte(argument);
  } else if (argument < 0x1_0000) {
    writer.byte(high | 25);
    writer.byte(argument >>> 8);
    writer.byte(argument & 0xff);
  } else if (argument < 0x1_0000_0000) {
    writer.byte(high | 26);
    for (const shift of [24, 16, 8, 0]) writer.byte((argument >>> shift) & 0xff);
  } else {
    writer.byte(high | 27);
    writer.unsigned(BigInt(argument), 8);
  }
}

/**
 * Decodes untrusted bytes: never throws. Refuses indefinite lengths, non-minimal integers and lengths, maps, tags, floats,
 * undefined, trailing bytes, texts that are not UTF-8, and nesting beyond 16. Integers beyond 2^53 come as bigints.
 * @param bytesMax - Only messages between nodes may be longer than what the ledger stores.
 */
export function decodeCbor(bytes: Uint8Array, bytesMax: number = CBOR_BYTES_MAX): Result<CborValue, CborError> {
  if (bytes.length > bytesMax) return err("cbor_too_long");
  const reader = new Reader(bytes);
  const value = reader.read(0);
  if (reader.error !== undefined) return err(reader.error);
  return reader.isAtEnd ? ok(value) : err("cbor_malformed");
}

/** Reads values front to back. The first error sticks; what is read after it means nothing. */
class Reader {
  error: CborError | undefined;
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  read(depth: number): CborValue {
    const initial = this.#bytes[this.#position++];
    if (initial === undefined) return this.#fail("cbor_malformed");
    const major = initial >> 5;
    if (major === MAJOR.simple) return this.#simple(initial);
    const argument = this.#argument(initial & 0x1f);
    if (this.error !== undefined) return null;
    switch (major) {
      case MAJOR.unsigned:
        return argument;
      case MAJOR.negative:
        return typeof argument === "number" && argument < Number.MAX_SAFE_INTEGER
          ? -1 - argument
          : -1n - BigInt(argument);
      case MAJOR.bytes:
        return this.#take(argument).slice();
      case MAJOR.text:
        return this.#text(argument);
      case MAJOR.list:
        return this.#list(argument, depth);
      default:
        return this.#fail("cbor_malformed");
    }
  }

  #simple(initial: number): CborValue {
    if (initial === SIMPLE.null) return null;
    if (initial === SIMPLE.true) return true;
    return initial === SIMPLE.false ? false : this.#fail("cbor_malformed");
  }

  /** The argument of an initial byte: a number while that is exact, a bigint beyond. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) return this.#failNumber("cbor_malformed");
    const width = 2 ** (info - 24);
    if (this.#position + width > this.#bytes.length) return this.#failNumber("cbor_malformed");
    const argument = width === 8 ? this.#wide() : this.#narrow(width);
    const leastForWidth = [24, 0x100, 0x1_0000, 0x1_0000_0000][info - 24] ?? 0;
    return argument < leastForWidth ? this.#failNumber("cbor_not_canonical") : argument;
  }

  #narrow(width: number): number {
    let value = 0;
    for (let index = 0; index < width; index++) value = value * 256 + (this.#bytes[this.#position++] ?? 0);
    return value;
  }

  #wide(): number | bigint {
    let value = 0n;
    for (let index = 0; index < 8; index++) value = (value << 8n) | BigInt(this.#bytes[this.#position++] ?? 0);
    return value <= SAFE_MAX ? Number(value) : value;
  }

  /** The next `length` bytes; a length beyond the end fails before anything is set aside for it. */
  #take(length: number | bigint): Uint8Array {
    const end = this.#position + Number(length);
    if (end > this.#bytes.length) {
      this.#fail("cbor_malformed");
      return new Uint8Array(0);
    }
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  #text(length: number | bigint): CborValue {
    const taken = this.#take(length);
    if (this.error !== undefined) return null;
    try {
      return textDecoder.decode(taken);
    } catch {
      return this.#fail("cbor_malformed");
    }
  }

  #list(length: number | bigint, depth: number): CborValue {
    // Each item takes a byte at least: a longer list can't be there.
    if (depth >= CBOR_DEPTH_MAX || this.#position + Number(length) > this.#bytes.length)
      return this.#fail("cbor_malformed");
    const items: CborValue[] = [];
    for (let index = 0; index < Number(length) && this.error === undefined; index++) items.push(this.read(depth + 1));
    return items;
  }

  #fail(error: CborError): null {
    this.error ??= error;
    return null;
  }

  #failNumber(error: CborError): number {
    this.#fail(error);
    return 0;
  }
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
