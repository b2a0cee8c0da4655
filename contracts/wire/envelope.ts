/**
 * Envelopes between nodes. A request envelope carries messages of one party to another; its reply envelope carries one answer
 * for each and names the envelope that it answers. Each is signed by its party's key, for one network and one purpose, so that
 * none can be forged, read to another network or receiver, or given as the answer to another question.
 *
 * On the wire: [body, signature]; the body is the CBOR of the fields in order, and what is signed is its hash.
 */
import {
  bytes,
  type Codec,
  decodeCbor,
  encodeCbor,
  err,
  fromHex,
  type Hash,
  hashCodec,
  hashOf,
  instantMs,
  integer,
  isSignatureValid,
  listOf,
  nullable,
  ok,
  type PublicKey,
  publicKeyCodec,
  type Result,
  type Signer,
  struct,
  text,
} from "#core";
import { PEER_MESSAGE_BYTES_MAX } from "./peer-codec.ts";

/** Why a node does not open an envelope. In descending precedence: the first that applies is returned. */
export const ENVELOPE_REFUSALS = [
  "envelope_too_large",
  "envelope_malformed",
  "envelope_foreign",
  "envelope_misdirected",
  "sender_unknown",
  "envelope_expired",
  "envelope_forged",
  "envelope_replayed",
  "sender_busy",
] as const;
export type EnvelopeRefusal = (typeof ENVELOPE_REFUSALS)[number];

/** Messages of one party to another. */
export type Envelope = {
  readonly networkId: string;
  readonly from: PublicKey;
  readonly to: PublicKey;
  /** 16 random bytes: no envelope is opened twice. */
  readonly id: Uint8Array;
  /** On the sender's clock. */
  readonly sentMs: number;
  /** Encoded requests. */
  readonly messages: readonly Uint8Array[];
};

/** The answers to an envelope's messages, in their order. */
export type ReplyEnvelope = {
  readonly networkId: string;
  readonly from: PublicKey;
  readonly to: PublicKey;
  /** The digest of the envelope that this answers. */
  readonly request: Hash;
  /** Encoded replies. Null: it had no room beside the others, so its message is to be sent again by itself. */
  readonly replies: readonly (Uint8Array | null)[];
};

/** An envelope ready to be sent; its digest is what was signed, and what its reply names. */
export type Sealed = { readonly bytes: Uint8Array; readonly digest: Hash };
/** An envelope as it arrived: read, but not yet to be believed. */
export type Received<E> = { readonly content: E; readonly digest: Hash; readonly signature: Uint8Array };

/** What the receiver of an envelope knows. */
export type EnvelopeExpectation = {
  readonly networkId: string;
  /** The party that opens it; undefined when none of its name is here. */
  readonly party: PublicKey | undefined;
  readonly nowMs: number;
  /** Whether a key belongs to a party of the network. */
  readonly isKnown: (key: PublicKey) => boolean;
};

export const ENVELOPE_VERSION = 1;
export const ENVELOPE_ID_BYTES = 16;
export const ENVELOPE_MESSAGES_MAX = 64;
/** Room for keys, network, id, time, signature and the heads of 64 messages. */
const HEAD_BYTES_MAX = 1_024;
export const ENVELOPE_BYTES_MAX: number = PEER_MESSAGE_BYTES_MAX + HEAD_BYTES_MAX;
/** How far a sender's clock may be from the receiver's, and how long an envelope may take. */
export const ENVELOPE_AGE_MS_MAX: number = 5 * 60_000;
const SCHEME = "ed25519";
const SIGNATURE_BYTES = 64;

const message = bytes(1, PEER_MESSAGE_BYTES_MAX);
const version = integer(ENVELOPE_VERSION, ENVELOPE_VERSION);
const networkIdCodec = text(40);
const envelopeCodec = struct({
  version,
  networkId: networkIdCodec,
  from: publicKeyCodec,
  to: publicKeyCodec,
  id: bytes(ENVELOPE_ID_BYTES, ENVELOPE_ID_BYTES),
  sentMs: instantMs,
  messages: listOf(message, ENVELOPE_MESSAGES_MAX),
});
const replyEnvelopeCodec = struct({
  version,
  networkId: networkIdCodec,
  from: publicKeyCodec,
  to: publicKeyCodec,
  request: hashCodec,
  replies: listOf(nullable(message), ENVELOPE_MESSAGES_MAX),
});
const sealedCodec = struct({ body: bytes(1, ENVELOPE_BYTES_MAX), signature: bytes(SIGNATURE_BYTES, SIGNATURE_BYTES) });

/** What the sender of an envelope signs. */
export function envelopeSignableBytes(networkId: string, digest: Hash): Uint8Array {
  return encodeCbor(["dream/peer-envelope", networkId, SCHEME, fromHex(digest)]);
}

/** What the party that answers an envelope signs. */
export function replyEnvelopeSignableBytes(networkId: string, digest: Hash): Uint8Array {
  return encodeCbor(["dream/peer-reply-envelope", networkId, SCHEME, fromHex(digest)]);
}

/** @throws InvariantError for what our own code may not send. */
export function sealEnvelope(envelope: Envelope, signer: Signer): Sealed {
  const body = encodeCbor(envelopeCodec.encode({ version: ENVELOPE_VERSION, ...envelope }));
  return seal(body, signer, (digest) => envelopeSignableBytes(envelope.networkId, digest));
}

/** @throws InvariantError for what our own code may not send. */
export function sealReplyEnvelope(reply: ReplyEnvelope, signer: Signer): Sealed {
  const body = encodeCbor(replyEnvelopeCodec.encode({ version: ENVELOPE_VERSION, ...reply }));
  return seal(body, signer, (digest) => replyEnvelopeSignableBytes(reply.networkId, digest));
}

function seal(body: Uint8Array, signer: Signer, signable: (digest: Hash) => Uint8Array): Sealed {
  const digest = hashOf(body);
  return { bytes: encodeCbor([body, signer.sign(signable(digest))]), digest };
}

/** Reads an untrusted envelope: never throws. Nothing of it holds before `envelopeRefusal` has found nothing wrong. */
export function decodeEnvelope(
  input: Uint8Array,
): Result<Received<Envelope>, "envelope_too_large" | "envelope_malformed"> {
  if (input.length > ENVELOPE_BYTES_MAX) return err("envelope_too_large");
  const received = unseal(envelopeCodec, input);
  if (received === undefined || received.content.messages.length === 0) return err("envelope_malformed");
  const { version: _version, ...content } = received.content;
  return ok({ ...received, content });
}

/** Reads an untrusted reply envelope: never throws. Nothing of it holds before `isReplyTo` says so. */
export function decodeReplyEnvelope(input: Uint8Array): Result<Received<ReplyEnvelope>, "envelope_malformed"> {
  const received = input.length > ENVELOPE_BYTES_MAX ? undefined : unseal(replyEnvelopeCodec, input);
  if (received === undefined) return err("envelope_malformed");
  const { version: _version, ...content } = received.content;
  return ok({ ...received, content });
}

function unseal<T>(codec: Codec<T>, input: Uint8Array): Received<T> | undefined {
  const outer = read(sealedCodec, input);
  const content = outer && read(codec, outer.body);
  return content && outer && { content, digest: hashOf(outer.body), signature: outer.signature };
}

function read<T>(codec: Codec<T>, input: Uint8Array): T | undefined {
  const value = decodeCbor(input, ENVELOPE_BYTES_MAX);
  const decoded = value.ok ? codec.decode(value.value, "") : value;
  return decoded.ok ? decoded.value : undefined;
}

/**
 * What is wrong with an envelope that was read; undefined when nothing is. Whether it was seen before is for the receiver to
 * remember, for `ENVELOPE_AGE_MS_MAX` after it was sent.
 */
export function envelopeRefusal(
  { content, digest, signature }: Received<Envelope>,
  { networkId, party, nowMs, isKnown }: EnvelopeExpectation,
): EnvelopeRefusal | undefined {
  if (content.networkId !== networkId) return "envelope_foreign";
  if (content.to !== party) return "envelope_misdirected";
  if (!isKnown(content.from)) return "sender_unknown";
  if (Math.abs(nowMs - content.sentMs) > ENVELOPE_AGE_MS_MAX) return "envelope_expired";
  const isSigned = isSignatureValid(content.from, envelopeSignableBytes(networkId, digest), signature);
  return isSigned ? undefined : "envelope_forged";
}

/** Whether it is what the receiver of `envelope` answered to it: one reply for each message, signed by that party. */
export function isReplyTo(
  { content, digest, signature }: Received<ReplyEnvelope>,
  envelope: Envelope,
  envelopeDigest: Hash,
): boolean {
  const isMatch =
    content.networkId === envelope.networkId &&
    content.from === envelope.to &&
    content.to === envelope.from &&
    content.request === envelopeDigest &&
    content.replies.length === envelope.messages.length;
  return isMatch && isSignatureValid(content.from, replyEnvelopeSignableBytes(content.networkId, digest), signature);
}
