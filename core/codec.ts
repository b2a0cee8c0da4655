/**
 * Schema-driven codecs between typed values and CBOR with fixed positions.
 * A codec refuses what is out of range, too long or of another type; it never throws on outside input.
 */
import type { CborValue } from "./cbor.ts";
import { fromHex, type Hash, parseHash, toHex } from "./hash.ts";
import { isAcceptablePublicKey, type PublicKey } from "./keys.ts";
import { err, invariant, ok, type Result } from "./result.ts";
import { parseSlotId, type SlotId } from "./slots.ts";
import { type Micros, type MicrosPerKwh, micros, microsPerKwh, type WattHours, wattHours } from "./units.ts";
import { type LocalDay, parseLocalDay } from "./zones.ts";

/** Where decoding failed, such as `outputs.0.owner`, and what was expected there. */
export type DecodeError = { readonly tag: "decode_failed"; readonly path: string; readonly expected: string };

export interface Codec<T> {
  encode(value: T): CborValue;
  decode(value: CborValue, path: string): Result<T, DecodeError>;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

const INT64_MAX = 2n ** 63n - 1n;

function failed(path: string, expected: string): { readonly ok: false; readonly error: DecodeError } {
  return err({ tag: "decode_failed", path, expected });
}

/** A codec for one kind of scalar: `parse` gives undefined for what it refuses. */
function scalar<T>(
  expected: string,
  toCbor: (value: T) => CborValue,
  parse: (value: CborValue) => T | undefined,
): Codec<T> {
  return {
    encode: toCbor,
    decode(value, path) {
      const parsed = parse(value);
      return parsed === undefined ? failed(path, expected) : ok(parsed);
    },
  };
}

function bigintOf(value: CborValue): bigint | undefined {
  if (typeof value !== "bigint" && typeof value !== "number") return undefined;
  const integer = BigInt(value);
  return integer >= -INT64_MAX && integer <= INT64_MAX ? integer : undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/** Text without control characters, up to `lengthMax` UTF-16 units, well formed. */
export function text(lengthMax: number): Codec<string> {
  return scalar(
    `text of at most ${lengthMax}`,
    (value) => {
      invariant(isText(value, lengthMax), `text fits in ${lengthMax}, was ${JSON.stringify(value).slice(0, 80)}`);
      return value;
    },
    (value) => (typeof value === "string" && isText(value, lengthMax) ? value : undefined),
  );
}

function isText(value: string, lengthMax: number): boolean {
  return (
    value.length <= lengthMax &&
    !CONTROL_CHARACTER.test(value) &&
    value === value.normalize("NFC") &&
    !hasLoneSurrogate(value)
  );
}

function hasLoneSurrogate(value: string): boolean {
  return /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value);
}

/** A safe integer in `[min, max]`. */
export function integer(min: number, max: number): Codec<number> {
  return scalar(
    `integer in ${min}…${max}`,
    (value) => {
      invariant(
        Number.isSafeInteger(value) && value >= min && value <= max,
        `integer is in ${min}…${max}, was ${value}`,
      );
      return value;
    },
    (value) => (typeof value === "number" && value >= min && value <= max ? value : undefined),
  );
}

export const instantMs: Codec<number> = integer(0, 8.64e15);
export const boolean: Codec<boolean> = scalar(
  "true or false",
  (value) => value,
  (value) => (typeof value === "boolean" ? value : undefined),
);

export const energyCodec: Codec<WattHours> = scalar(
  "watt-hours, 0…2^63-1",
  (value) => wattHours(value),
  (value) => {
    const integerValue = bigintOf(value);
    return integerValue !== undefined && integerValue >= 0n ? wattHours(integerValue) : undefined;
  },
);

export const moneyCodec: Codec<Micros> = scalar(
  "micros",
  (value) => micros(value),
  (value) => {
    const integerValue = bigintOf(value);
    return integerValue === undefined ? undefined : micros(integerValue);
  },
);

export const priceCodec: Codec<MicrosPerKwh> = scalar(
  "micros per kWh",
  (value) => microsPerKwh(value),
  (value) => {
    const integerValue = bigintOf(value);
    return integerValue === undefined ? undefined : microsPerKwh(integerValue);
  },
);

function hexScalar<T extends string>(
  expected: string,
  length: number,
  accept: (hex: string) => T | undefined,
): Codec<T> {
  return scalar(
    expected,
    (value) => fromHex(value),
    (value) => (value instanceof Uint8Array && value.length === length ? accept(toHex(value)) : undefined),
  );
}

export const hashCodec: Codec<Hash> = hexScalar("hash of 32 bytes", 32, (hex) => {
  const parsed = parseHash(hex);
  return parsed.ok ? parsed.value : undefined;
});

/** An Ed25519 public key; small-order and non-canonical encodings are refused. */
export const publicKeyCodec: Codec<PublicKey> = hexScalar("Ed25519 public key", 32, (hex) =>
  isAcceptablePublicKey(hex) ? hex : undefined,
);

export function bytes(lengthMin: number, lengthMax: number): Codec<Uint8Array> {
  return scalar(
    `bytes, ${lengthMin}…${lengthMax}`,
    (value) => value,
    (value) =>
      value instanceof Uint8Array && value.length >= lengthMin && value.length <= lengthMax ? value : undefined,
  );
}

export const slotCodec: Codec<SlotId> = scalar(
  "slot id",
  (value) => value,
  (value) => {
    if (typeof value !== "string") return undefined;
    const parsed = parseSlotId(value);
    return parsed.ok ? parsed.value.id : undefined;
  },
);

export const dayCodec: Codec<LocalDay> = scalar(
  "day YYYY-MM-DD",
  (value) => value,
  (value) => {
    if (typeof value !== "string") return undefined;
    const parsed = parseLocalDay(value);
    return parsed.ok ? parsed.value : undefined;
  },
);

/** One of the given texts; encoded as its text. */
export function oneOf<const T extends string>(...choices: readonly T[]): Codec<T> {
  return scalar(
    choices.join(" | "),
    (value) => value,
    (value) => choices.find((choice) => choice === value),
  );
}

export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    encode: (value) => (value === null ? null : inner.encode(value)),
    decode: (value, path) => (value === null ? ok(null) : inner.decode(value, path)),
  };
}

export function listOf<T>(inner: Codec<T>, lengthMax: number): Codec<readonly T[]> {
  return {
    encode(values) {
      invariant(values.length <= lengthMax, `a list has at most ${lengthMax} items, had ${values.length}`);
      return values.map((value) => inner.encode(value));
    },
    decode(value, path) {
      if (!isList(value) || value.length > lengthMax) return failed(path, `list of at most ${lengthMax}`);
      const items: T[] = [];
      for (const [index, item] of value.entries()) {
        const decoded = inner.decode(item, `${path}.${index}`);
        if (!decoded.ok) return decoded;
        items.push(decoded.value);
      }
      return ok(items);
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a codec's type is both read and written, so neither `never` nor `unknown` fits
type AnyFields = Readonly<Record<string, Codec<any>>>;
export type StructOf<F extends AnyFields> = { readonly [K in keyof F]: F[K] extends Codec<infer T> ? T : never };

/** A record with its fields at fixed positions, in the order written. */
export function struct<F extends AnyFields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields);
  return {
    encode: (value) => entries.map(([name, codec]) => codec.encode((value as Record<string, unknown>)[name])),
    decode(value, path) {
      if (!isList(value) || value.length !== entries.length) return failed(path, `record of ${entries.length} fields`);
      const record: Record<string, unknown> = {};
      for (const [index, [name, codec]] of entries.entries()) {
        const decoded = codec.decode(value[index] ?? null, `${path}.${name}`);
        if (!decoded.ok) return decoded;
        record[name] = decoded.value;
      }
      return ok(record as StructOf<F>);
    },
  };
}

export type VariantOf<V extends Readonly<Record<string, AnyFields>>> = {
  readonly [K in keyof V & string]: { readonly tag: K } & StructOf<V[K]>;
}[keyof V & string];

/** A tagged union; encoded as the list of its tag and its fields at fixed positions. */
export function variant<V extends Readonly<Record<string, AnyFields>>>(variants: V): Codec<VariantOf<V>> {
  const codecs = new Map<string, Codec<Record<string, unknown>>>();
  for (const [tag, fields] of Object.entries(variants))
    codecs.set(tag, struct(fields) as unknown as Codec<Record<string, unknown>>);
  return {
    encode(value) {
      const codec = codecs.get(value.tag);
      invariant(codec !== undefined, `variant is known, was ${value.tag}`);
      return [value.tag, codec.encode(value as unknown as Record<string, unknown>)];
    },
    decode(value, path) {
      if (!isList(value) || value.length !== 2 || typeof value[0] !== "string") return failed(path, "tagged record");
      const codec = codecs.get(value[0]);
      if (codec === undefined) return failed(path, `one of ${[...codecs.keys()].join(", ")}`);
      const decoded = codec.decode(value[1] ?? null, path);
      return decoded.ok ? ok({ tag: value[0], ...decoded.value } as unknown as VariantOf<V>) : decoded;
    },
  };
}

function isList(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}
