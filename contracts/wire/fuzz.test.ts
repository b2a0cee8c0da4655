/**
 * Every decoder of the wire between nodes against bytes that are nearly right: it never throws, and reads only what it would
 * write itself, byte for byte.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAddressedRequest,
  decodeEnvelope,
  decodeNotice,
  decodePeerReply,
  decodePeerRequest,
  decodeReplyEnvelope,
  decodeSignedTransaction,
  ENVELOPE_BYTES_MAX,
  type Envelope,
  encodeAddressedRequest,
  encodePeerReply,
  encodePeerRequest,
  PEER_MESSAGE_BYTES_MAX,
  type ReplyEnvelope,
  sealEnvelope,
  sealReplyEnvelope,
} from "#contracts";
import { type CborValue, decodeCbor, encodeCbor, type Signer, toHex, unwrap } from "#core";
import { arbHash, arbKey, arbPeerReply, arbPeerRequest, signerOf } from "#testkit";

const BYTES = 4 * 1_024;
const arbBytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const arbEnvelope: fc.Arbitrary<Envelope> = fc.record({
  networkId: fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  from: arbKey,
  to: arbKey,
  id: arbBytes(16),
  sentMs: fc.nat(),
  messages: fc.array(arbPeerRequest.map(encodePeerRequest), { minLength: 1, maxLength: 4 }),
});
const arbReplyEnvelope: fc.Arbitrary<ReplyEnvelope> = fc.record({
  networkId: fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  from: arbKey,
  to: arbKey,
  request: arbHash,
  replies: fc.array(fc.option(arbPeerReply.map(encodePeerReply), { nil: null }), { maxLength: 4 }),
});

/** A signer whose signature is given: sealing again must lead to the same bytes. */
const signing = (signature: Uint8Array): Signer => ({ ...signerOf("alice"), sign: () => signature });

type Format = {
  readonly arbitrary: fc.Arbitrary<Uint8Array>;
  /** What is read of the bytes, written again; undefined when they are refused. */
  readonly again: (bytes: Uint8Array) => Uint8Array | undefined;
  readonly bytesMax: number;
};
const FORMATS: Readonly<Record<string, Format>> = {
  request: {
    arbitrary: arbPeerRequest.map(encodePeerRequest),
    again(bytes) {
      const read = decodePeerRequest(bytes);
      return read.ok ? encodePeerRequest(read.value) : undefined;
    },
    bytesMax: PEER_MESSAGE_BYTES_MAX,
  },
  "addressed request": {
    arbitrary: fc
      .record({ as: fc.option(arbKey), to: fc.option(arbKey), request: arbPeerRequest })
      .map(encodeAddressedRequest),
    again(bytes) {
      const read = decodeAddressedRequest(bytes);
      return read.ok ? encodeAddressedRequest(read.value) : undefined;
    },
    bytesMax: PEER_MESSAGE_BYTES_MAX,
  },
  reply: {
    arbitrary: arbPeerReply.map(encodePeerReply),
    again(bytes) {
      const read = decodePeerReply(bytes);
      return read.ok ? encodePeerReply(read.value) : undefined;
    },
    bytesMax: PEER_MESSAGE_BYTES_MAX,
  },
  envelope: {
    arbitrary: arbEnvelope.map((envelope) => sealEnvelope(envelope, signerOf("alice")).bytes),
    again(bytes) {
      const read = decodeEnvelope(bytes);
      return read.ok ? sealEnvelope(read.value.content, signing(read.value.signature)).bytes : undefined;
    },
    bytesMax: ENVELOPE_BYTES_MAX,
  },
  "reply envelope": {
    arbitrary: arbReplyEnvelope.map((envelope) => sealReplyEnvelope(envelope, signerOf("alice")).bytes),
    again(bytes) {
      const read = decodeReplyEnvelope(bytes);
      return read.ok ? sealReplyEnvelope(read.value.content, signing(read.value.signature)).bytes : undefined;
    },
    bytesMax: ENVELOPE_BYTES_MAX,
  },
};

/** The CBOR of `value` with the head of its `at`-th item one size longer than needed; undefined when there is none that could be longer. */
function withLongHead(value: CborValue, at: number): Uint8Array | undefined {
  let items = 0;
  let isDone = false;
  const head = (major: number, argument: number): Uint8Array => {
    const isHere = items++ === at;
    const shortest = encodeHead(major, argument);
    if (!isHere || shortest.length === 9) return shortest;
    isDone = true;
    return encodeHead(major, argument, shortest.length);
  };
  const write = (item: CborValue): Uint8Array => {
    if (typeof item === "number" && item >= 0) return head(0, item);
    if (item instanceof Uint8Array) return Buffer.concat([head(2, item.length), item]);
    if (typeof item === "string") return Buffer.concat([head(3, Buffer.byteLength(item)), Buffer.from(item)]);
    if (Array.isArray(item)) return Buffer.concat([head(4, item.length), ...item.map(write)]);
    return encodeCbor(item);
  };
  const written = write(value);
  return isDone ? new Uint8Array(written) : undefined;
}

/** A head of more than `longerThan` bytes. */
function encodeHead(major: number, argument: number, longerThan = 0): Uint8Array {
  const widths = [0, 1, 2, 4, 8].filter((width) => width >= longerThan);
  const fits = (width: number): boolean => (width === 0 ? argument < 24 : width === 8 || argument < 2 ** (8 * width));
  const width = widths.find(fits) ?? 8;
  const bytes = Buffer.alloc(1 + width);
  bytes[0] = (major << 5) | (width === 0 ? argument : 24 + Math.log2(width));
  if (width === 8) bytes.writeBigUInt64BE(BigInt(argument), 1);
  else if (width > 0) bytes.writeUIntBE(argument, 1, width);
  return new Uint8Array(bytes);
}

describe.each(Object.entries(FORMATS))("%s", (_name, { arbitrary, again, bytesMax }) => {
  const holds = (bytes: Uint8Array): void => {
    const written = again(bytes);
    if (written !== undefined) expect(toHex(written)).toBe(toHex(bytes));
  };

  test("what was written is read", () => {
    fc.assert(
      fc.property(arbitrary, (bytes) => {
        expect(again(bytes)).toEqual(bytes);
      }),
    );
  });

  test("flipped bits", () => {
    fc.assert(
      fc.property(arbitrary, fc.array(fc.nat({ max: BYTES * 8 }), { minLength: 1, maxLength: 3 }), (bytes, bits) => {
        const altered = Uint8Array.from(bytes);
        for (const bit of bits) {
          const at = (bit >> 3) % altered.length;
          altered[at] = (altered[at] ?? 0) ^ (1 << (bit & 7));
        }
        holds(altered);
      }),
      { numRuns: 1_000 },
    );
  });

  test("truncated, lengthened, and with bytes cut out", () => {
    fc.assert(
      fc.property(
        arbitrary,
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (bytes, from, length, more) => {
          const at = from % bytes.length;
          expect(again(bytes.subarray(0, at))).toBeUndefined();
          expect(again(Uint8Array.from([...bytes, ...more]))).toBeUndefined();
          holds(Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + (length % 8))]));
          holds(Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]));
        },
      ),
    );
  });

  test("heads that are longer than needed, and lists without an end", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat({ max: 40 }), (bytes, at) => {
        const inflated = withLongHead(unwrap(decodeCbor(bytes)), at);
        if (inflated !== undefined) expect(again(inflated)).toBeUndefined();
        expect(again(Uint8Array.from([0x9f, ...bytes.subarray(1), 0xff]))).toBeUndefined();
      }),
    );
  });

  test("noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        holds(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test("more bytes than the limit", () => {
    expect(again(encodeCbor(new Uint8Array(bytesMax)))).toBeUndefined();
  });
});

describe("what lies inside a message", () => {
  test.each([
    ["a signed transaction", decodeSignedTransaction],
    ["a notice", decodeNotice],
  ] as const)("%s: any message's bytes are refused, never thrown at", (_what, decode) => {
    fc.assert(
      fc.property(fc.oneof(arbPeerRequest.map(encodePeerRequest), fc.uint8Array({ maxLength: 200 })), (bytes) => {
        expect(decode(bytes).ok).toBe(false);
      }),
    );
  });
});
