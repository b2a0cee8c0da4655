/** A notice: a tear-off of a final transaction with all its signatures, for parties that did not sign and for observers. */
import {
  bytes,
  type Codec,
  decodeCbor,
  encodeCbor,
  err,
  type Hash,
  hashCodec,
  integer,
  listOf,
  ok,
  type Result,
  struct,
} from "#core";
import { type NotarySignature, notarySignatureCodec, signaturesCodec, type TransactionSignature } from "./signed.ts";
import type { TearOff } from "./tear-off.ts";
import {
  INPUTS_MAX,
  OUTPUTS_MAX,
  REFERENCES_MAX,
  TRANSACTION_BYTES_MAX,
  type TransactionRefusal,
} from "./transaction.ts";

export type Notice = {
  readonly txId: Hash;
  readonly tearOff: TearOff;
  readonly signatures: readonly TransactionSignature[];
  readonly notarySignature: NotarySignature;
};

const COMPONENTS_MAX = INPUTS_MAX + REFERENCES_MAX + OUTPUTS_MAX;
const tearOffCodec: Codec<TearOff> = struct({
  counts: struct({
    inputs: integer(0, INPUTS_MAX),
    references: integer(0, REFERENCES_MAX),
    outputs: integer(0, OUTPUTS_MAX),
  }),
  hashes: listOf(bytes(32, 32), COMPONENTS_MAX),
  revealed: listOf(
    struct({ position: integer(0, COMPONENTS_MAX), nonce: bytes(32, 32), component: bytes(1, TRANSACTION_BYTES_MAX) }),
    COMPONENTS_MAX,
  ),
});
const noticeCodec: Codec<Notice> = struct({
  txId: hashCodec,
  tearOff: tearOffCodec,
  signatures: signaturesCodec,
  notarySignature: notarySignatureCodec,
});

export function encodeNotice(notice: Notice): Uint8Array {
  return encodeCbor(noticeCodec.encode(notice));
}

/** Decodes untrusted bytes: never throws. Says nothing of whether the proof or the signatures hold. */
export function decodeNotice(input: Uint8Array): Result<Notice, TransactionRefusal> {
  const value = decodeCbor(input);
  if (!value.ok) return err(value.error === "cbor_too_long" ? "transaction_too_large" : "transaction_malformed");
  const decoded = noticeCodec.decode(value.value, "notice");
  return decoded.ok ? ok(decoded.value) : err("transaction_malformed");
}
