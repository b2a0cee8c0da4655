/**
 * How single values travel as JSON: energy, money and prices as decimal strings, keys and hashes as hexadecimal digits, bytes as
 * base64url, instants as milliseconds. A schema decodes what came from outside and encodes what is sent; it never throws.
 */
import { z } from "zod";
import {
  type Hash,
  isAcceptablePublicKey,
  type LocalDay,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  type PublicKey,
  parseHash,
  parseLocalDay,
  parseSlotId,
  type SlotId,
  text as textCodec,
  type WattHours,
  wattHours,
} from "#core";

/** Between JSON and a value: `z.safeDecode` reads, `z.safeEncode` writes. */
export type Schema<T> = z.ZodType<T, unknown>;

/** What the OpenAPI document says of a text. */
type TextHint = { readonly pattern?: string; readonly examples?: string[] };

const INT64_MAX = 2n ** 63n - 1n;
const INSTANT_MS_MAX = 8.64e15;
const UNSIGNED = /^(?:0|[1-9]\d{0,18})$/;
const SIGNED = /^(?:0|-?[1-9]\d{0,18})$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** A value that travels as text. `parse` gives undefined for what it refuses, and `mend` says what is expected instead. */
function asText<T>(
  mend: string,
  hint: TextHint,
  isOne: (value: unknown) => boolean,
  parse: (text: string) => T | undefined,
  print: (value: T) => string,
): Schema<T> {
  return z.codec(z.string({ error: mend }).meta({ description: mend, ...hint }), z.custom<T>(isOne, { error: mend }), {
    decode(text, context) {
      const value = parse(text);
      if (value !== undefined) return value;
      context.issues.push({ code: "custom", message: mend, input: text });
      return z.NEVER;
    },
    // In a list, zod also asks for a field that may be left out and is: what it makes of it is then left out too.
    encode: (value) => (isOne(value) ? print(value) : ""),
  });
}

function integerOf(pattern: RegExp, text: string): bigint | undefined {
  if (!pattern.test(text)) return undefined;
  const value = BigInt(text);
  return value <= INT64_MAX && value >= -INT64_MAX ? value : undefined;
}

function amount<T extends bigint>(
  unit: string,
  pattern: RegExp,
  example: string,
  make: (value: bigint) => T,
): Schema<T> {
  const range = pattern === UNSIGNED ? "0…2^63-1" : "within 2^63-1 of zero";
  return asText<T>(
    `give whole ${unit}, ${range}, as a decimal string such as "${example}"`,
    { pattern: pattern.source, examples: [example] },
    (value) => typeof value === "bigint",
    (text) => {
      const value = integerOf(pattern, text);
      return value === undefined ? undefined : make(value);
    },
    (value) => value.toString(),
  );
}

export const energySchema: Schema<WattHours> = amount("watt-hours", UNSIGNED, "1500", wattHours);
export const moneySchema: Schema<Micros> = amount("millionths of the currency", SIGNED, "-250000", micros);
export const priceSchema: Schema<MicrosPerKwh> = amount(
  "millionths of the currency per kWh",
  SIGNED,
  "310000",
  microsPerKwh,
);

/** A branded text that is its own JSON. */
function verbatim<T extends string>(mend: string, hint: TextHint, parse: (text: string) => T | undefined): Schema<T> {
  return asText<T>(
    mend,
    hint,
    (value) => typeof value === "string",
    parse,
    (value) => value,
  );
}

const HEX32: TextHint = { pattern: "^[0-9a-f]{64}$" };

export const keySchema: Schema<PublicKey> = verbatim(
  "give an Ed25519 public key as 64 lower-case hexadecimal digits",
  HEX32,
  (text) => (isAcceptablePublicKey(text) ? text : undefined),
);
export const hashSchema: Schema<Hash> = verbatim(
  "give a SHA-256 digest as 64 lower-case hexadecimal digits",
  HEX32,
  (text) => {
    const parsed = parseHash(text);
    return parsed.ok ? parsed.value : undefined;
  },
);
export const slotSchema: Schema<SlotId> = verbatim(
  "give a slot such as 2031-06-01T10:15Z/PT15M",
  { examples: ["2031-06-01T10:15Z/PT15M"] },
  (text) => {
    const parsed = parseSlotId(text);
    return parsed.ok ? parsed.value.id : undefined;
  },
);
export const daySchema: Schema<LocalDay> = verbatim(
  "give a day as YYYY-MM-DD, in the years 1970 to 9998",
  { examples: ["2031-06-01"] },
  (text) => {
    const parsed = parseLocalDay(text);
    return parsed.ok ? parsed.value : undefined;
  },
);

/** Text without control characters, in Unicode's composed form. */
export function textSchema(lengthMax: number, lengthMin = 0): Schema<string> {
  const codec = textCodec(lengthMax);
  const mend = `give text of ${lengthMin} to ${lengthMax} characters, composed (NFC), without control characters`;
  return z
    .string({ error: mend })
    .refine((text) => text.length >= lengthMin && codec.decode(text, "").ok, { error: mend })
    .meta({ description: mend, minLength: lengthMin, maxLength: lengthMax });
}

export const instantSchema: Schema<number> = wholeSchema(0, INSTANT_MS_MAX, "give an instant in milliseconds UTC");
export const booleanSchema: Schema<boolean> = z.boolean({ error: "give true or false" });

/** A whole number. */
export function wholeSchema(
  min: number,
  max: number,
  mend: string = `give a whole number in ${min}…${max}`,
): Schema<number> {
  const isWithin = (value: number): boolean => Number.isSafeInteger(value) && value >= min && value <= max;
  return z
    .number({ error: mend })
    .refine(isWithin, { error: mend })
    .meta({ description: mend, type: "integer", minimum: min, maximum: Math.min(max, Number.MAX_SAFE_INTEGER) });
}

/** A whole number from zero that travels as text, as in a query. */
export function countTextSchema(max: number): Schema<number> {
  return asText<number>(
    `give a whole number in 0…${max}`,
    { pattern: "^(?:0|[1-9][0-9]*)$" },
    (value) => typeof value === "number",
    (text) => (/^(?:0|[1-9]\d{0,15})$/.test(text) && Number(text) <= max ? Number(text) : undefined),
    String,
  );
}

export function oneOfSchema<const T extends string>(choices: readonly T[]): Schema<T> {
  return z.enum(choices, { error: `give one of ${choices.join(", ")}` });
}

/** Bytes as base64url without padding, in their one spelling. */
export function bytesSchema(lengthMin: number, lengthMax: number): Schema<Uint8Array> {
  return asText<Uint8Array>(
    lengthMin === lengthMax
      ? `give ${lengthMax} bytes as base64url without padding`
      : `give ${lengthMin} to ${lengthMax} bytes as base64url without padding`,
    { pattern: BASE64URL.source },
    (value) => value instanceof Uint8Array,
    (text) => parseBytes(text, lengthMin, lengthMax),
    printBytes,
  );
}

export function printBytes(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64url");
}

export function parseBytes(text: string, lengthMin: number, lengthMax: number): Uint8Array | undefined {
  if (text.length > Math.ceil((lengthMax * 4) / 3) || !BASE64URL.test(text)) return undefined;
  const value = Buffer.from(text, "base64url");
  const isOne = value.length >= lengthMin && value.length <= lengthMax && value.toString("base64url") === text;
  return isOne ? new Uint8Array(value) : undefined;
}

export function listSchema<T>(item: Schema<T>, lengthMax: number, lengthMin = 0): Schema<readonly T[]> {
  const mend = `give a list of ${lengthMin} to ${lengthMax} items`;
  return z.array(item, { error: mend }).min(lengthMin, { error: mend }).max(lengthMax, { error: mend });
}

export function nullableSchema<T>(inner: Schema<T>): Schema<T | null> {
  return z.nullable(inner);
}

/** The field may be left out. */
export function optionalSchema<T>(inner: Schema<T>): Schema<T | undefined> {
  return z.exactOptional(inner);
}
