/** Envelopes between nodes: what is opened, and everything that is not. */
import { describe, expect, test } from "vitest";
import {
  decodeEnvelope,
  decodeReplyEnvelope,
  ENVELOPE_AGE_MS_MAX,
  ENVELOPE_BYTES_MAX,
  ENVELOPE_MESSAGES_MAX,
  type Envelope,
  type EnvelopeExpectation,
  envelopeRefusal,
  isReplyTo,
  PEER_MESSAGE_BYTES_MAX,
  type ReplyEnvelope,
  sealEnvelope,
  sealReplyEnvelope,
} from "#contracts";
import { type CborValue, decodeCbor, encodeCbor, hashOf, InvariantError, toHex, unwrap } from "#core";
import { keyOf, signerOf } from "#testkit";
import { envelopeSignableBytes, replyEnvelopeSignableBytes } from "./envelope.ts";

const SENT_MS = 1_938_000_000_000;
const ENVELOPE: Envelope = {
  networkId: "network",
  from: keyOf("alice"),
  to: keyOf("bob"),
  id: new Uint8Array(16).fill(7),
  sentMs: SENT_MS,
  messages: [Uint8Array.of(1), Uint8Array.of(2, 3)],
};
const EXPECTED: EnvelopeExpectation = {
  networkId: "network",
  party: keyOf("bob"),
  nowMs: SENT_MS,
  isKnown: (key) => key === keyOf("alice"),
};
const SEALED = sealEnvelope(ENVELOPE, signerOf("alice"));
const RECEIVED = unwrap(decodeEnvelope(SEALED.bytes));
const REPLY: ReplyEnvelope = {
  networkId: "network",
  from: keyOf("bob"),
  to: keyOf("alice"),
  request: SEALED.digest,
  replies: [null, Uint8Array.of(4)],
};
const received = (reply: ReplyEnvelope, signer = "bob"): Parameters<typeof isReplyTo>[0] =>
  unwrap(decodeReplyEnvelope(sealReplyEnvelope(reply, signerOf(signer)).bytes));

describe("an envelope", () => {
  test("is opened as it was sealed", () => {
    expect(RECEIVED.content).toEqual(ENVELOPE);
    expect(RECEIVED.digest).toBe(SEALED.digest);
    expect(envelopeRefusal(RECEIVED, EXPECTED)).toBeUndefined();
  });

  test("has one form on the wire", () => {
    const [body] = unwrap(decodeCbor(SEALED.bytes)) as readonly [Uint8Array];
    const key = (name: string): string => `5820${keyOf(name)}`;
    expect(toHex(body)).toBe(
      `8701676e6574776f726b${key("alice")}${key("bob")}50${"07".repeat(16)}1b000001c339cd3400824101420203`,
    );
    expect(hashOf(body)).toBe(SEALED.digest);
  });

  test.each<readonly [string, Partial<Envelope>, string]>([
    ["of another network", { networkId: "another" }, "envelope_foreign"],
    ["for another receiver", { to: keyOf("carol") }, "envelope_misdirected"],
    ["of nobody we know", { from: keyOf("carol") }, "sender_unknown"],
    ["too old", { sentMs: SENT_MS - ENVELOPE_AGE_MS_MAX - 1 }, "envelope_expired"],
    ["from the future", { sentMs: SENT_MS + ENVELOPE_AGE_MS_MAX + 1 }, "envelope_expired"],
  ])("%s is refused", (_what, patch, refusal) => {
    const envelope = { ...ENVELOPE, ...patch };
    const signer = signerOf(patch.from === undefined ? "alice" : "carol");
    const opened = unwrap(decodeEnvelope(sealEnvelope(envelope, signer).bytes));
    expect(envelopeRefusal(opened, EXPECTED)).toBe(refusal);
  });

  test("is taken until the last millisecond of its time", () => {
    for (const sentMs of [SENT_MS - ENVELOPE_AGE_MS_MAX, SENT_MS + ENVELOPE_AGE_MS_MAX]) {
      const opened = unwrap(decodeEnvelope(sealEnvelope({ ...ENVELOPE, sentMs }, signerOf("alice")).bytes));
      expect(envelopeRefusal(opened, EXPECTED)).toBeUndefined();
    }
  });

  test.each([
    ["by another party", sealEnvelope(ENVELOPE, signerOf("carol")).bytes],
    ["by the receiver", sealEnvelope(ENVELOPE, signerOf("bob")).bytes],
  ])("signed %s is forged", (_what, bytes) => {
    expect(envelopeRefusal(unwrap(decodeEnvelope(bytes)), EXPECTED)).toBe("envelope_forged");
  });

  test.each<readonly [string, Partial<Envelope>]>([
    ["a message", { messages: [Uint8Array.of(1), Uint8Array.of(2, 4)] }],
    ["the order of messages", { messages: [...ENVELOPE.messages].reverse() }],
    ["the time", { sentMs: SENT_MS + 1 }],
    ["the id", { id: new Uint8Array(16) }],
  ])("is forged when %s was changed under its signature", (_what, patch) => {
    const signature = RECEIVED.signature;
    const { bytes } = sealEnvelope({ ...ENVELOPE, ...patch }, { ...signerOf("alice"), sign: () => signature });
    expect(envelopeRefusal(unwrap(decodeEnvelope(bytes)), EXPECTED)).toBe("envelope_forged");
  });

  test("a signature for a reply, or for another network, is worth nothing", () => {
    const signer = signerOf("alice");
    for (const message of [
      replyEnvelopeSignableBytes("network", SEALED.digest),
      envelopeSignableBytes("another", SEALED.digest),
    ])
      expect(envelopeRefusal({ ...RECEIVED, signature: signer.sign(message) }, EXPECTED)).toBe("envelope_forged");
  });

  const body = (change: (fields: CborValue[]) => void): Uint8Array => {
    const [bytes, signature] = unwrap(decodeCbor(SEALED.bytes)) as readonly [Uint8Array, Uint8Array];
    const fields = [...(unwrap(decodeCbor(bytes)) as readonly CborValue[])];
    change(fields);
    return encodeCbor([encodeCbor(fields), signature]);
  };
  test.each<readonly [string, Uint8Array]>([
    ["without messages", body((fields) => fields.splice(6, 1, []))],
    [
      "of too many messages",
      body((fields) => fields.splice(6, 1, new Array(ENVELOPE_MESSAGES_MAX + 1).fill(new Uint8Array(1)))),
    ],
    ["with an empty message", body((fields) => fields.splice(6, 1, [new Uint8Array(0)]))],
    ["of another version", body((fields) => fields.splice(0, 1, 2))],
    ["with a short id", body((fields) => fields.splice(4, 1, new Uint8Array(15)))],
    ["from a key of small order", body((fields) => fields.splice(2, 1, new Uint8Array(32)))],
    ["with a field too many", body((fields) => fields.push(0))],
    ["with a short signature", encodeCbor([new Uint8Array(9), new Uint8Array(63)])],
    ["of nothing", new Uint8Array(0)],
  ])("%s is malformed", (_what, bytes) => {
    expect(decodeEnvelope(bytes)).toEqual({ ok: false, error: "envelope_malformed" });
  });

  test("holds one message of the greatest size, and no more bytes", () => {
    const messages = [new Uint8Array(PEER_MESSAGE_BYTES_MAX)];
    const { bytes } = sealEnvelope({ ...ENVELOPE, messages }, signerOf("alice"));
    expect(decodeEnvelope(bytes).ok).toBe(true);
    expect(decodeEnvelope(new Uint8Array(ENVELOPE_BYTES_MAX + 1))).toEqual({ ok: false, error: "envelope_too_large" });
    expect(() =>
      sealEnvelope(
        { ...ENVELOPE, messages: new Array(ENVELOPE_MESSAGES_MAX + 1).fill(Uint8Array.of(1)) },
        signerOf("alice"),
      ),
    ).toThrow(InvariantError);
  });
});

describe("a reply envelope", () => {
  test("answers the envelope that it names", () => {
    expect(received(REPLY).content).toEqual(REPLY);
    expect(isReplyTo(received(REPLY), ENVELOPE, SEALED.digest)).toBe(true);
  });

  test.each<readonly [string, Partial<ReplyEnvelope>]>([
    ["of another network", { networkId: "another" }],
    ["to another party", { to: keyOf("carol") }],
    [
      "to another envelope",
      { request: sealEnvelope({ ...ENVELOPE, id: new Uint8Array(16) }, signerOf("alice")).digest },
    ],
    ["with an answer too few", { replies: [Uint8Array.of(4)] }],
    ["with an answer too many", { replies: [null, null, null] }],
  ])("%s is none", (_what, patch) => {
    expect(isReplyTo(received({ ...REPLY, ...patch }), ENVELOPE, SEALED.digest)).toBe(false);
  });

  test("by another party, in its own name or in the receiver's, is none", () => {
    expect(isReplyTo(received({ ...REPLY, from: keyOf("carol") }, "carol"), ENVELOPE, SEALED.digest)).toBe(false);
    expect(isReplyTo(received(REPLY, "carol"), ENVELOPE, SEALED.digest)).toBe(false);
    expect(isReplyTo(received(REPLY, "alice"), ENVELOPE, SEALED.digest)).toBe(false);
  });

  test("with an answer changed under its signature is none", () => {
    const { signature } = received(REPLY);
    const altered = { ...REPLY, replies: [null, Uint8Array.of(5)] };
    const { bytes } = sealReplyEnvelope(altered, { ...signerOf("bob"), sign: () => signature });
    expect(isReplyTo(unwrap(decodeReplyEnvelope(bytes)), ENVELOPE, SEALED.digest)).toBe(false);
  });

  test("that is malformed or too large is not read", () => {
    for (const bytes of [new Uint8Array(0), SEALED.bytes, new Uint8Array(ENVELOPE_BYTES_MAX + 1)])
      expect(decodeReplyEnvelope(bytes)).toEqual({ ok: false, error: "envelope_malformed" });
  });
});
