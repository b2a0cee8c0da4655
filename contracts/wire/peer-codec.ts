/**
 * The bytes of what nodes ask and answer: [tag, fields at fixed positions], one encoding of each message and nothing else is
 * read. Decoding never throws; encoding throws on what our own code may not send.
 */
import {
  bytes,
  CBOR_BYTES_MAX,
  type Codec,
  dayCodec,
  decodeCbor,
  encodeCbor,
  err,
  hashCodec,
  integer,
  invariant,
  listOf,
  moneyCodec,
  nullable,
  ok,
  publicKeyCodec,
  type Result,
  slotCodec,
  struct,
  text,
  variant,
} from "#core";
import { notarySignatureCodec, signatureCodec } from "../signed.ts";
import { IDENTIFIER_LENGTH_MAX } from "../state-codec.ts";
import { OUTPUTS_MAX } from "../transaction.ts";
import { DEPENDENCIES_MAX, dependenciesCodec, dependencyCodec } from "./dependency-codec.ts";
import { HEADS_MAX, type PeerReply, type PeerRequest } from "./peer.ts";
import { type FieldCodecs, ledgerRefusalCodec } from "./refusal-codec.ts";

/** Proofs of all that the largest transaction names need more than a transaction. */
export const PEER_MESSAGE_BYTES_MAX: number = 4 * CBOR_BYTES_MAX;
/** Arrival numbers that may be asked for at once. */
const SEQUENCE_COUNT_MAX = 10_000;

const transaction = bytes(1, CBOR_BYTES_MAX);
const identifier = text(IDENTIFIER_LENGTH_MAX);

const REQUESTS = {
  sign: { transaction },
  resolve: {
    txId: hashCodec,
    refs: listOf(struct({ txId: hashCodec, index: integer(0, OUTPUTS_MAX - 1) }), DEPENDENCIES_MAX),
  },
  notarise: { transaction },
  final: { transaction },
  notice: { notice: bytes(1, CBOR_BYTES_MAX) },
  introduce: { dependencies: dependenciesCodec },
  position: { member: publicKeyCodec, day: dayCodec },
  "bid-of": { auctionId: identifier },
  auctioned: { auctionId: identifier },
  "certificates-of": { agency: publicKeyCodec, supplier: publicKeyCodec, slot: slotCodec },
  fund: { flowId: identifier, amount: moneyCodec },
  sequence: { count: integer(1, SEQUENCE_COUNT_MAX) },
  heads: {
    notary: publicKeyCodec,
    before: nullable(integer(0, Number.MAX_SAFE_INTEGER)),
    limit: integer(1, HEADS_MAX),
  },
} as const satisfies FieldCodecs<PeerRequest>;

const REPLIES = {
  signed: { signature: signatureCodec },
  resolved: { dependencies: dependenciesCodec },
  notarised: { signature: notarySignatureCodec },
  stored: {},
  position: { exposure: nullable(dependencyCodec), index: nullable(dependencyCodec) },
  proved: { dependencies: dependenciesCodec },
  sequence: { first: integer(0, Number.MAX_SAFE_INTEGER) },
  heads: {
    heads: listOf(struct({ txId: hashCodec, notarySignature: notarySignatureCodec }), HEADS_MAX),
    next: nullable(integer(0, Number.MAX_SAFE_INTEGER)),
  },
  refused: { refusal: ledgerRefusalCodec },
} as const satisfies FieldCodecs<PeerReply>;

const requestCodec: Codec<PeerRequest> = variant(REQUESTS);
const replyCodec: Codec<PeerReply> = variant(REPLIES);

/** @throws InvariantError for what is out of range, and for more than PEER_MESSAGE_BYTES_MAX. */
export function encodePeerRequest(request: PeerRequest): Uint8Array {
  return encode(requestCodec, request);
}

export function decodePeerRequest(input: Uint8Array): Result<PeerRequest, "message_malformed"> {
  return decode(requestCodec, input);
}

/** @throws InvariantError for what is out of range, and for more than PEER_MESSAGE_BYTES_MAX. */
export function encodePeerReply(reply: PeerReply): Uint8Array {
  return encode(replyCodec, reply);
}

export function decodePeerReply(input: Uint8Array): Result<PeerReply, "message_malformed"> {
  return decode(replyCodec, input);
}

function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const encoded = encodeCbor(codec.encode(value));
  invariant(encoded.length <= PEER_MESSAGE_BYTES_MAX, `a message fits in its limit, had ${encoded.length} bytes`);
  return encoded;
}

function decode<T>(codec: Codec<T>, input: Uint8Array): Result<T, "message_malformed"> {
  const value = decodeCbor(input, PEER_MESSAGE_BYTES_MAX);
  const decoded = value.ok ? codec.decode(value.value, "") : value;
  return decoded.ok ? ok(decoded.value) : err("message_malformed");
}
