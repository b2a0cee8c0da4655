/** The provider's signature beside a payment file: whoever changes a byte on the way to the bank is found out. */
import { z } from "zod";
import {
  err,
  fromHex,
  hashOf,
  isAcceptablePublicKey,
  isSignatureValid,
  ok,
  type PublicKey,
  publicKey,
  type Result,
  type Signer,
  toHex,
} from "#core";

/** Of the file that is signed, with this ending. */
export const SIGNATURE_ENDING = ".sig.json";

export type FileSignature = {
  readonly algorithm: "ed25519";
  readonly networkId: string;
  readonly key: PublicKey;
  readonly sha256: string;
  readonly signature: string;
};

const signatureSchema = z.strictObject({
  algorithm: z.literal("ed25519"),
  networkId: z.string().min(1).max(64),
  key: z
    .string()
    .refine(isAcceptablePublicKey)
    .transform((hex) => publicKey(hex)),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

export function signFile(bytes: Uint8Array, networkId: string, signer: Signer): FileSignature {
  const sha256 = hashOf(bytes);
  const signature = toHex(signer.sign(signedMessage(networkId, sha256)));
  return { algorithm: "ed25519", networkId, key: signer.publicKey, sha256, signature };
}

export function signatureText(signature: FileSignature): string {
  return `${JSON.stringify(signature, null, 2)}\n`;
}

/** Whether the signature, as text, is of `key` over exactly these bytes. */
export function verifyFile(
  bytes: Uint8Array,
  text: string,
  key: PublicKey,
): Result<FileSignature, "signature_malformed" | "signer_foreign" | "file_altered"> {
  const parsed = signatureSchema.safeParse(parseJson(text));
  if (!parsed.success) return err("signature_malformed");
  const { networkId, signature } = parsed.data;
  if (parsed.data.key !== key) return err("signer_foreign");
  const isSigned = isSignatureValid(key, signedMessage(networkId, hashOf(bytes)), fromHex(signature));
  return isSigned ? ok(parsed.data) : err("file_altered");
}

function signedMessage(networkId: string, sha256: string): Uint8Array {
  return new TextEncoder().encode(`dream payment file v1\n${networkId}\n${sha256}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
