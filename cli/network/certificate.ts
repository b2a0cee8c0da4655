/** Certificates of membership: the grid authority says who is a party of the network, with which key, roles and address. */
import { z } from "zod";
import { ROLES, type Role } from "#contracts";
import {
  canonicalJson,
  err,
  fromHex,
  isSignatureValid,
  ok,
  type PublicKey,
  type Result,
  type Signer,
  toHex,
} from "#core";
import { memberName, publicKeyText } from "./config-values.ts";

export type CertificateContent = {
  readonly networkId: string;
  readonly name: string;
  readonly key: PublicKey;
  readonly roles: readonly Role[];
  /** Where its node answers, such as `http://127.0.0.1:4601`. */
  readonly address: string;
  readonly issuedMs: number;
};
export type Certificate = CertificateContent & { readonly signature: string };

export const signatureText: z.ZodType<string> = z.string().regex(/^[0-9a-f]{128}$/);
export const addressText: z.ZodType<string> = z.url({ protocol: /^https?$/ }).max(300);
export const certificateSchema: z.ZodType<Certificate> = z.strictObject({
  networkId: z.string().min(1).max(64),
  name: memberName,
  key: publicKeyText,
  roles: z.array(z.enum(ROLES)).max(ROLES.length),
  address: addressText,
  issuedMs: z.int().nonnegative(),
  signature: signatureText,
});

export function issueCertificate(content: CertificateContent, gridAuthority: Signer): Certificate {
  return { ...content, signature: signText("certificate", content, gridAuthority) };
}

/** Whether the grid authority signed it. */
export function isCertificateValid({ signature, ...content }: Certificate, gridAuthority: PublicKey): boolean {
  return isTextSigned("certificate", content, signature, gridAuthority);
}

/** Reads a certificate; says what is wrong with it. */
export function parseCertificate(text: string): Result<Certificate, "malformed"> {
  const json = parseJson(text);
  const parsed = certificateSchema.safeParse(json);
  return parsed.success ? ok(parsed.data) : err("malformed");
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type SignedText = "certificate" | "directory";

/** Signs the canonical JSON of `content` for one purpose, as hexadecimal text. */
export function signText(purpose: SignedText, content: unknown, signer: Signer): string {
  return toHex(signer.sign(messageOf(purpose, content)));
}

export function isTextSigned(purpose: SignedText, content: unknown, signature: string, by: PublicKey): boolean {
  return isSignatureValid(by, messageOf(purpose, content), fromHex(signature));
}

function messageOf(purpose: SignedText, content: unknown): Uint8Array {
  return new TextEncoder().encode(`dream ${purpose} v1\n${canonicalJson(content)}`);
}
