/**
 * The directory of a network: who is in it, where each answers, and the transaction that founded it; signed by the grid
 * authority. Every node keeps a copy; a newer one replaces an older one.
 */
import { z } from "zod";
import { decodeSignedTransaction, type Role, type SignedTransaction } from "#contracts";
import { err, ok, type PublicKey, type Result, type Signer } from "#core";
import {
  addressText,
  type Certificate,
  certificateSchema,
  isCertificateValid,
  isTextSigned,
  parseJson,
  signatureText,
  signText,
} from "./certificate.ts";
import { memberName, publicKeyText } from "./config-values.ts";

/** A member without a node of its own. `by`: the aggregator that it joins under. */
export type ServedEntry = {
  readonly name: string;
  readonly key: PublicKey;
  readonly by: PublicKey;
  /** Where its own key answers until it has joined. */
  readonly address: string;
};

export type DirectoryContent = {
  readonly networkId: string;
  /** Grows with each change. */
  readonly serial: number;
  readonly issuedMs: number;
  /** The founding transaction with the notary's signature, base64url. */
  readonly genesis: string;
  readonly parties: readonly Certificate[];
  /** Left out where nobody is served. Who serves a member later is on the ledger. */
  readonly served?: readonly ServedEntry[] | undefined;
};
export type Directory = DirectoryContent & { readonly signature: string };

export const DIRECTORY_FILE = "network.json";
/** 10,000 members and a genesis that names them all. */
export const DIRECTORY_BYTES_MAX: number = 32 * 1_024 * 1_024;

const directorySchema: z.ZodType<Directory> = z.strictObject({
  networkId: z.string().min(1).max(64),
  serial: z.int().positive(),
  issuedMs: z.int().nonnegative(),
  genesis: z.base64url(),
  parties: z.array(certificateSchema).max(20_000),
  served: z
    .array(z.strictObject({ name: memberName, key: publicKeyText, by: publicKeyText, address: addressText }))
    .max(20_000)
    .optional(),
  signature: signatureText,
});

export function issueDirectory(content: DirectoryContent, gridAuthority: Signer): Directory {
  return { ...content, signature: signText("directory", content, gridAuthority) };
}

export type DirectoryRefusal = "malformed" | "foreign_network" | "signature_invalid";

/** Reads a directory, and checks that it is of the network and that the grid authority signed all of it. */
export function parseDirectory(
  text: string,
  { networkId, gridAuthority }: { readonly networkId: string; readonly gridAuthority: PublicKey },
): Result<Directory, DirectoryRefusal> {
  const parsed = directorySchema.safeParse(parseJson(text));
  if (!parsed.success) return err("malformed");
  const { signature, ...content } = parsed.data;
  if (content.networkId !== networkId) return err("foreign_network");
  const isSound =
    isTextSigned("directory", content, signature, gridAuthority) &&
    content.parties.every((party) => party.networkId === networkId && isCertificateValid(party, gridAuthority));
  return isSound ? ok(parsed.data) : err("signature_invalid");
}

/** Which network a directory says it is of, and who its grid authority is: for the operator, who trusts its own folder. */
export function directoryOf(text: string): Result<Directory, DirectoryRefusal> {
  const parsed = directorySchema.safeParse(parseJson(text));
  if (!parsed.success) return err("malformed");
  const gridAuthority = holderOf(parsed.data, "grid-authority");
  if (gridAuthority === undefined) return err("malformed");
  return parseDirectory(text, { networkId: parsed.data.networkId, gridAuthority: gridAuthority.key });
}

/** The first party that has a role. */
export function holderOf({ parties }: DirectoryContent, role: Role): Certificate | undefined {
  return parties.find(({ roles }) => roles.includes(role));
}

/** The founding transaction; its signatures are checked by the node that records it. */
export function genesisOf({ genesis }: DirectoryContent): Result<SignedTransaction, DirectoryRefusal> {
  const decoded = decodeSignedTransaction(new Uint8Array(Buffer.from(genesis, "base64url")));
  return decoded.ok ? ok(decoded.value) : err("malformed");
}
