/**
 * How a client signs a request, in one `Authorization` header, which logs everywhere leave out by habit:
 *
 *     Dream network=…, node=…, key=…, issued=…, nonce=…, body=…, signature=…
 *
 * The Ed25519 signature covers a domain tag, the network, the node's party, the method, the path with its query, the SHA-256 of
 * the body, the instant and the nonce. So a request is worth nothing at another node, on another network, with another body, or
 * later; the nonce makes it worth nothing twice.
 */
import {
  encodeCbor,
  fromHex,
  type Hash,
  hashOf,
  isAcceptablePublicKey,
  isSignatureValid,
  type PublicKey,
  parseHash,
  type Signer,
} from "#core";
import { parseBytes, printBytes } from "./scalars.ts";

export const REQUEST_SCHEME = "Dream";
/** How far a request's instant may be from the node's clock. */
export const REQUEST_AGE_MS_MAX: number = 2 * 60_000;
export const NONCE_BYTES = 16;
/** Longer headers are no stamps. */
const HEADER_LENGTH_MAX = 1_024;

/** What the header says. Nothing of it is proved until `isStampValid`. */
export type RequestStamp = {
  /** The network's id as it stands in the header. */
  readonly networkLabel: string;
  readonly node: PublicKey;
  readonly key: PublicKey;
  readonly issuedMs: number;
  readonly nonce: string;
  readonly bodyHash: Hash;
  readonly signature: Uint8Array;
};

/** The request that a stamp is for: `path` with its query, as it stands in the request line. */
export type SignedRequest = { readonly method: string; readonly path: string };

const HEADER =
  /^Dream network=([A-Za-z0-9_.!~*'()%-]{1,400}), node=([0-9a-f]{64}), key=([0-9a-f]{64}), issued=(0|[1-9]\d{0,15}), nonce=([A-Za-z0-9_-]{22}), body=([0-9a-f]{64}), signature=([A-Za-z0-9_-]{86})$/;

/** The header of a request. `nonce` must be 16 fresh random bytes. */
export function signRequest(
  signer: Signer,
  to: { readonly networkId: string; readonly node: PublicKey },
  request: SignedRequest & { readonly body: string | Uint8Array },
  fresh: { readonly issuedMs: number; readonly nonce: Uint8Array },
): string {
  const unsigned = {
    networkLabel: networkLabel(to.networkId),
    node: to.node,
    key: signer.publicKey,
    issuedMs: fresh.issuedMs,
    nonce: printBytes(fresh.nonce),
    bodyHash: hashOf(request.body),
  };
  const { networkLabel: network, node, key, issuedMs, nonce, bodyHash } = unsigned;
  const signature = printBytes(signer.sign(signableRequest(unsigned, request)));
  return `${REQUEST_SCHEME} network=${network}, node=${node}, key=${key}, issued=${issuedMs}, nonce=${nonce}, body=${bodyHash}, signature=${signature}`;
}

/** How a network's id stands in the header. */
export function networkLabel(networkId: string): string {
  return encodeURIComponent(networkId.toWellFormed());
}

/** Reads a header from outside; undefined for what is none. */
export function parseStamp(header: string | undefined): RequestStamp | undefined {
  if (header === undefined || header.length > HEADER_LENGTH_MAX) return undefined;
  const match = HEADER.exec(header);
  if (match === null) return undefined;
  const [, label = "", node = "", key = "", issued, nonce = "", body = "", signed = ""] = match;
  const bodyHash = parseHash(body);
  const signature = parseBytes(signed, 64, 64);
  if (!isAcceptablePublicKey(node) || !isAcceptablePublicKey(key)) return undefined;
  if (!bodyHash.ok || signature === undefined || parseBytes(nonce, NONCE_BYTES, NONCE_BYTES) === undefined)
    return undefined;
  return { networkLabel: label, node, key, issuedMs: Number(issued), nonce, bodyHash: bodyHash.value, signature };
}

export function isStampValid(stamp: RequestStamp, request: SignedRequest): boolean {
  return isSignatureValid(stamp.key, signableRequest(stamp, request), stamp.signature);
}

function signableRequest(stamp: Omit<RequestStamp, "signature">, { method, path }: SignedRequest): Uint8Array {
  const { networkLabel: network, node, key, issuedMs, nonce, bodyHash } = stamp;
  return encodeCbor([
    "dream/client-request",
    network,
    fromHex(node),
    fromHex(key),
    method,
    path.toWellFormed(),
    fromHex(bodyHash),
    issuedMs,
    nonce,
  ]);
}
