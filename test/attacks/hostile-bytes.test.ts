/**
 * Every decoder that core, contracts and ledger-api export, against what is nearly right: flipped, cut, lengthened, spliced,
 * written longer than needed, in another order, too long. None throws, and what one reads, it would write itself, byte for byte.
 * The lists are read from the doors: a new decoder fails here until it is fuzzed.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as contracts from "#contracts";
import {
  buildTransaction,
  decodeNotice,
  decodeProof,
  decodeSignedTransaction,
  decodeTransaction,
  encodeNotice,
  encodeProof,
  encodeSignedTransaction,
  encodeTransaction,
  openComponents,
  openTearOff,
  signBatch,
  signTransaction,
  stateCodec,
  tearOff,
  tearOffOf,
} from "#contracts";
import * as core from "#core";
import {
  bytes,
  type CborValue,
  type Codec,
  decodeCbor,
  encodeCbor,
  integer,
  isAcceptablePublicKey,
  listOf,
  nullable,
  oneOf,
  parseHash,
  parseLocalDay,
  parseSlotId,
  parseZone,
  struct,
  text,
  toHex,
  unwrap,
  variant,
} from "#core";
import * as api from "#ledger-api";
import { decodeJson, encodeJson, formatSse, parseStamp, type Schema, SseReader, signRequest } from "#ledger-api";
import {
  arbClientCommand,
  arbDay,
  arbEnergy,
  arbHash,
  arbKey,
  arbLedgerRefusal,
  arbMoney,
  arbNodeEvent,
  arbPoolRound,
  arbPrice,
  arbSlot,
  arbState,
  arbTransaction,
  signerOf,
} from "#testkit";
import { textOf } from "../architecture/checkout.ts";

/** Sound input, and what a decoder reads of any input written again; undefined where it refuses. */
type Fuzzed<T> = { readonly arbitrary: fc.Arbitrary<T>; readonly again: (input: T) => T | undefined };

const arbSalt = fc.uint8Array({ minLength: 32, maxLength: 32 });
const arbWire = fc.tuple(arbTransaction, arbSalt).map(([content, salt]) => buildTransaction(content, salt));
const arbCbor: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue; list: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.constantFrom<CborValue>(null, true, false),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 40 }),
    tie("list"),
  ),
  list: fc.array(tie("value"), { maxLength: 5 }),
})).value;

/** A codec reads a CBOR value; on the wire it is the value's bytes. */
function fuzzed<T>(codec: Codec<T>, arbitrary: fc.Arbitrary<T>): Fuzzed<Uint8Array> {
  return {
    arbitrary: arbitrary.map((value) => encodeCbor(codec.encode(value))),
    again(input) {
      const value = decodeCbor(input);
      const decoded = value.ok ? codec.decode(value.value, "") : value;
      return decoded.ok ? encodeCbor(codec.encode(decoded.value)) : undefined;
    },
  };
}

const COMBINED = struct({
  list: listOf(nullable(integer(-5, 300)), 4),
  choice: oneOf("bid", "offer"),
  name: text(12),
  bytes: bytes(1, 30),
  either: variant({ left: { value: core.priceCodec }, right: {} }),
});
const arbCombined = fc.record({
  list: fc.array(fc.option(fc.integer({ min: -5, max: 300 })), { maxLength: 4 }),
  choice: fc.constantFrom("bid" as const, "offer" as const),
  name: fc.string({ unit: "grapheme-ascii", maxLength: 12 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 30 }),
  either: fc.oneof(
    arbPrice.map((value) => ({ tag: "left" as const, value })),
    fc.constant({ tag: "right" as const }),
  ),
});

const BYTES: Readonly<Record<string, Fuzzed<Uint8Array>>> = {
  decodeCbor: {
    arbitrary: arbCbor.map(encodeCbor),
    again(input) {
      const read = decodeCbor(input);
      return read.ok ? encodeCbor(read.value) : undefined;
    },
  },
  decodeTransaction: {
    arbitrary: arbWire.map(encodeTransaction),
    again(input) {
      const read = decodeTransaction(input);
      return read.ok ? encodeTransaction(read.value) : undefined;
    },
  },
  decodeSignedTransaction: {
    arbitrary: arbWire.map((transaction) => {
      const signatures = [signTransaction("network", transaction, signerOf("alice"))];
      const [notarySignature = null] = signBatch("network", [transaction.id], signerOf("notary"));
      return encodeSignedTransaction({ transaction, signatures, notarySignature });
    }),
    again(input) {
      const read = decodeSignedTransaction(input);
      return read.ok ? encodeSignedTransaction(read.value) : undefined;
    },
  },
  decodeNotice: {
    arbitrary: fc.tuple(arbWire, fc.nat()).map(([transaction, choice]) => {
      const outputs = transaction.content.outputs.flatMap((_, index) => ((choice >> index) % 2 === 0 ? [index] : []));
      const [notarySignature] = signBatch("network", [transaction.id], signerOf("notary"));
      return encodeNotice({
        txId: transaction.id,
        tearOff: tearOffOf(transaction, { inputs: [], outputs, head: "all" }),
        signatures: [signTransaction("network", transaction, signerOf("alice"))],
        notarySignature: notarySignature as NonNullable<typeof notarySignature>,
      });
    }),
    again(input) {
      const read = decodeNotice(input);
      if (!read.ok) return undefined;
      // What is proved of it is opened next: whatever was made of it, that does not throw.
      const [opened, outputs] = [openComponents, openTearOff].map((open) => open(read.value.tearOff, read.value.txId));
      expect(opened?.ok).toBe(outputs?.ok);
      return encodeNotice(read.value);
    },
  },
  decodeProof: {
    arbitrary: fc
      .tuple(arbWire, fc.nat())
      .filter(([{ content }]) => content.outputs.length > 0)
      .map(([transaction, choice]) => {
        const ref = { txId: transaction.id, index: choice % transaction.content.outputs.length };
        const [notarySignature] = signBatch("network", [transaction.id], signerOf("notary"));
        return encodeProof({
          ref,
          tearOff: tearOff(transaction, [ref.index]),
          notarySignature: notarySignature as NonNullable<typeof notarySignature>,
        });
      }),
    again(input) {
      const [proof] = decodeProof(input);
      return proof === undefined ? undefined : encodeProof(proof);
    },
  },
  stateCodec: fuzzed(stateCodec, arbState),
  dayCodec: fuzzed(core.dayCodec, arbDay),
  energyCodec: fuzzed(core.energyCodec, arbEnergy),
  hashCodec: fuzzed(core.hashCodec, arbHash),
  moneyCodec: fuzzed(core.moneyCodec, arbMoney),
  priceCodec: fuzzed(core.priceCodec, arbPrice),
  publicKeyCodec: fuzzed(core.publicKeyCodec, arbKey),
  slotCodec: fuzzed(core.slotCodec, arbSlot),
  instantMs: fuzzed(core.instantMs, fc.nat()),
  boolean: fuzzed(core.boolean, fc.boolean()),
  "all combinators": fuzzed(COMBINED, arbCombined),
};

const arbStamp = fc
  .record({
    networkId: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }),
    issuedMs: fc.nat(),
    nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    body: fc.string(),
  })
  .map(({ networkId, issuedMs, nonce, body }) => {
    const alice = signerOf("alice");
    const to = { networkId, node: signerOf("bob").publicKey };
    return signRequest(alice, to, { method: "POST", path: "/v1/commands", body }, { issuedMs, nonce });
  });

const TEXTS: Readonly<Record<string, Fuzzed<string>>> = {
  parseHash: { arbitrary: arbHash, again: (input) => acceptedOf(parseHash(input)) },
  parseLocalDay: { arbitrary: arbDay, again: (input) => acceptedOf(parseLocalDay(input)) },
  parseSlotId: {
    arbitrary: arbSlot,
    again(input) {
      const read = parseSlotId(input);
      return read.ok ? read.value.id : undefined;
    },
  },
  parseZone: {
    arbitrary: fc.constantFrom("Europe/Berlin", "UTC", "America/St_Johns"),
    again: (input) => acceptedOf(parseZone(input)),
  },
  isAcceptablePublicKey: {
    arbitrary: arbKey,
    again: (input) => (isAcceptablePublicKey(input) ? input : undefined),
  },
  parseStamp: {
    arbitrary: arbStamp,
    again(input) {
      const stamp = parseStamp(input);
      if (stamp === undefined) return undefined;
      const { networkLabel, node, key, issuedMs, nonce, bodyHash, signature } = stamp;
      const signed = Buffer.from(signature).toString("base64url");
      return `Dream network=${networkLabel}, node=${node}, key=${key}, issued=${issuedMs}, nonce=${nonce}, body=${bodyHash}, signature=${signed}`;
    },
  },
  SseReader: {
    arbitrary: fc
      .tuple(fc.nat(), fc.json())
      .map(([id, data]) => formatSse({ id: `${id}`, event: "transaction", data })),
    again(input) {
      const messages = new SseReader().push(input);
      return messages === undefined || messages.length !== 1 ? undefined : input;
    },
  },
};

/** Decoders that are fuzzed beside their code, by name and file. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  decodeEnvelope: "contracts/wire/fuzz.test.ts",
  decodeReplyEnvelope: "contracts/wire/fuzz.test.ts",
  decodeAddressedRequest: "contracts/wire/fuzz.test.ts",
  decodePeerRequest: "contracts/wire/fuzz.test.ts",
  decodePeerReply: "contracts/wire/fuzz.test.ts",
  openComponents: "contracts/tear-off.test.ts",
  openTearOff: "contracts/tear-off.test.ts",
  decodeJson: "ledger-api/codec.test.ts",
  decodeValue: "ledger-api/codec.test.ts",
};

function acceptedOf<T extends string>(result: core.Result<T, unknown>): string | undefined {
  return result.ok ? result.value : undefined;
}

/** Ways to spoil bytes. */
const arbSpoil: fc.Arbitrary<(input: Uint8Array) => Uint8Array> = fc.oneof(
  fc.array(fc.nat(), { minLength: 1, maxLength: 3 }).map((bits) => (input: Uint8Array) => {
    const altered = Uint8Array.from(input);
    for (const bit of bits) {
      const at = (bit >> 3) % altered.length;
      altered[at] = (altered[at] ?? 0) ^ (1 << (bit & 7));
    }
    return altered;
  }),
  fc.nat().map((at) => (input: Uint8Array) => input.slice(0, at % input.length)),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => (input: Uint8Array) => joined(input, more)),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 64 })).map(([from, length]) => (input: Uint8Array) => {
    const at = from % input.length;
    return joined(input.slice(0, at), input.slice(at + length));
  }),
  fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 64 })).map(([from, to, length]) => (input: Uint8Array) => {
    const [start, end] = [from % input.length, to % input.length];
    return joined(input.slice(0, end), input.slice(start, start + length), input.slice(end));
  }),
  fc.nat().map((at) => (input: Uint8Array) => withLongHead(input, at)),
);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A short head in two bytes where one is enough, somewhere: the same value where it is a head, and something else elsewhere. */
function withLongHead(input: Uint8Array, from: number): Uint8Array {
  for (let step = 0; step < input.length; step++) {
    const at = (from + step) % input.length;
    const byte = input[at] ?? 0;
    if ((byte & 0x1f) < 24 && byte >> 5 <= 4)
      return joined(input.slice(0, at), Uint8Array.of((byte & 0xe0) | 24, byte & 0x1f), input.slice(at + 1));
  }
  return input;
}

/** Somewhere a list with two of its items exchanged, or one of them twice; undefined where there is none of two. */
function withOtherOrder(value: CborValue, choice: number): CborValue | undefined {
  const lists: (readonly CborValue[])[] = [];
  const visit = (item: CborValue): void => {
    if (!Array.isArray(item)) return;
    if (item.length > 1) lists.push(item);
    for (const inner of item) visit(inner);
  };
  visit(value);
  const chosen = lists[choice % Math.max(1, lists.length)];
  if (chosen === undefined) return undefined;
  const spoil = (item: CborValue): CborValue => {
    if (item === chosen) return choice % 2 === 0 ? [...item.slice(1), item[0] ?? null] : [...item, item.at(-1) ?? null];
    return Array.isArray(item) ? item.map(spoil) : item;
  };
  return spoil(value);
}

describe("the doors of core, contracts and ledger-api", () => {
  test("export no decoder that is not fuzzed here or beside its code", () => {
    const isCodec = (value: unknown): boolean =>
      typeof value === "object" && value !== null && "decode" in value && "encode" in value && !("_zod" in value);
    const exported = [core, contracts, api].flatMap((door) => Object.entries(door));
    const decoders = exported
      .filter(
        ([name, value]) =>
          /^(?:decode|parse|open|isAcceptable)[A-Z]/.test(name) || /(?:Codec|Reader)$/.test(name) || isCodec(value),
      )
      .map(([name]) => name);
    const fuzzedHere = [...Object.keys(BYTES), ...Object.keys(TEXTS)].filter((name) => name !== "all combinators");
    expect([...new Set([...fuzzedHere, ...Object.keys(ELSEWHERE)])].sort()).toEqual([...new Set(decoders)].sort());
    expect(decoders.length).toBeGreaterThan(25);
    for (const [name, file] of Object.entries(ELSEWHERE)) expect(textOf(file)).toMatch(new RegExp(`\\b${name}\\(`));
  });
});

describe.each(Object.entries(BYTES))("%s", (_name, { arbitrary, again }) => {
  const holds = (input: Uint8Array): void => {
    const written = again(input);
    if (written !== undefined) expect(toHex(written)).toBe(toHex(input));
  };

  test("reads what was written, and nothing that is longer or shorter", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), (input, cut) => {
        expect(toHex(again(input) ?? new Uint8Array())).toBe(toHex(input));
        expect(again(joined(input, Uint8Array.of(0)))).toBeUndefined();
        expect(again(input.slice(0, cut % input.length))).toBeUndefined();
        expect(again(joined(Uint8Array.of(0x9f), input.slice(1), Uint8Array.of(0xff)))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test("never throws, and takes one form alone, however its input was spoiled", () => {
    fc.assert(
      fc.property(arbitrary, fc.array(arbSpoil, { minLength: 1, maxLength: 2 }), fc.nat(), (input, spoils, choice) => {
        holds(spoils.reduce((spoiled, spoil) => (spoiled.length === 0 ? spoiled : spoil(spoiled)), input));
        const unsorted = withOtherOrder(unwrap(decodeCbor(input)), choice);
        if (unsorted !== undefined) holds(encodeCbor(unsorted));
      }),
      { numRuns: 400 },
    );
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), arbCbor.map(encodeCbor)), holds), {
      numRuns: 400,
    });
  });

  test("refuses more than any decoder reads", () => {
    const long = new Uint8Array(core.CBOR_BYTES_MAX + 1);
    expect(again(long)).toBeUndefined();
    expect(again(encodeCbor(long))).toBeUndefined();
  });
});

describe.each(Object.entries(TEXTS))("%s", (_name, { arbitrary, again }) => {
  test("reads what was written, never throws, and takes one spelling alone", () => {
    const arbJunk = fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.string({ unit: "grapheme" }));
    const holds = (input: string): void => {
      const written = again(input);
      if (written !== undefined) expect(written).toBe(input);
    };
    fc.assert(
      fc.property(arbitrary, arbJunk, fc.nat(), fc.nat({ max: 8 }), (input, junk, from, length) => {
        expect(again(input)).toBe(input);
        const at = from % (input.length + 1);
        holds(junk);
        holds(input.slice(0, at) + input.slice(at + length));
        holds(input.slice(0, at) + junk.slice(0, length) + input.slice(at));
        holds(input.toUpperCase());
        for (const around of [" ", "\n", "\0"]) {
          holds(around + input);
          holds(input + around);
        }
      }),
      { numRuns: 300 },
    );
    holds("a".repeat(2 ** 20));
  });
});

describe("every schema of ledger-api", () => {
  const schemas = Object.entries(api).flatMap(([name, value]) =>
    name.endsWith("Schema") && typeof value === "object" ? [[name, value as Schema<unknown>] as const] : [],
  );
  /** JSON of values that some of the schemas are for. */
  const arbJson: fc.Arbitrary<string> = fc.oneof(
    arbClientCommand.map((value) => encodeJson(api.clientCommandSchema, value)),
    fc
      .tuple(arbState, arbHash)
      .map(([state, txId]) => encodeJson(api.stateListSchema, { states: [{ ref: { txId, index: 1 }, state }] })),
    arbState.map((state) => encodeJson(api.stateSchema, state)),
    arbNodeEvent.map((value) => encodeJson(api.nodeEventSchema, value)),
    arbPoolRound.map((value) => encodeJson(api.poolRoundSchema, value)),
    arbLedgerRefusal.map((refusal) => encodeJson(api.ledgerRefusedSchema, { refusal })),
    arbHash.map((txId) => encodeJson(api.receiptSchema, { status: "created", txId })),
  );

  test("are found at the door", () => {
    expect(schemas.length).toBeGreaterThan(20);
  });

  test.each(schemas)("%s never throws, and what it reads it writes as it was", (_name, schema) => {
    const holds = (json: string): void => {
      const read = decodeJson(schema, json);
      if (read.ok) expect(decodeJson(schema, encodeJson(schema, read.value))).toEqual(read);
      else expect(read.error.length).toBeGreaterThan(0);
    };
    fc.assert(
      fc.property(arbJson, fc.json(), fc.nat(), fc.nat({ max: 6 }), (json, junk, from, length) => {
        const at = from % json.length;
        for (const each of [json, junk, JSON.stringify(junk), json.slice(0, at) + json.slice(at + length)]) holds(each);
        holds(json.replace(/"\d+"/, (digits) => digits.replace('"', '"0')));
        holds(json.replace(/"(\d+)"/, "$1"));
        holds(json.replace("{", '{"__proto__":{"x":1},'));
      }),
      { numRuns: 60 },
    );
  });
});
