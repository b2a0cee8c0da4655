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
  type PublicKey,
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

/** A request as it stands in an envelope: members that the parties of the envelope serve are named beside it. */
export type AddressedRequest = {
  /** The member that asks, served by the sender; null: the sender itself. */
  readonly as: PublicKey | null;
  /** The member that is asked, served by the receiver; null: the receiver itself. */
  readonly to: PublicKey | null;
  readonly request: PeerRequest;
};
type ServedMessage = Omit<AddressedRequest, "request"> & { readonly tag: "served"; readonly request: Uint8Array };

const requestCodec: Codec<PeerRequest> = variant(REQUESTS);
const servedFields = {
  as: nullable(publicKeyCodec),
  to: nullable(publicKeyCodec),
  request: bytes(1, PEER_MESSAGE_BYTES_MAX),
};
const messageCodec: Codec<PeerRequest | ServedMessage> = variant({ ...REQUESTS, served: servedFields });
const replyCodec: Codec<PeerReply> = variant(REPLIES);

/** @throws InvariantError for what is out of range, and for more than PEER_MESSAGE_BYTES_MAX. */
export function encodePeerRequest(request: PeerRequest): Uint8Array {
  return encode(requestCodec, request);
}

export function decodePeerRequest(input: Uint8Array): Result<PeerRequest, "message_malformed"> {
  return decode(requestCodec, input);
}

/**
 * A request between the parties of an envelope stands there as it is; one of or to a member names the member.
 * @throws InvariantError as `encodePeerRequest`.
 */
export function encodeAddressedRequest({ as, to, request }: AddressedRequest): Uint8Array {
  const encoded = encodePeerRequest(request);
  return as === null && to === null ? encoded : encode(messageCodec, { tag: "served", as, to, request: encoded });
}

export function decodeAddressedRequest(input: Uint8Array): Result<AddressedRequest, "message_malformed"> {
  const message = decode(messageCodec, input);
  if (!message.ok) return message;
  if (message.value.tag !== "served") return ok({ as: null, to: null, request: message.value });
  const { as, to, request } = message.value;
  if (as === null && to === null) return err("message_malformed");
  const inner = decodePeerRequest(request);
  return inner.ok ? ok({ as, to, request: inner.value }) : inner;
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
