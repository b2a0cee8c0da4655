/** Where the certificates for TLS stand in the folder of a network, and how they get there. */
import { createPrivateKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PeerTls } from "#ledger-node";
import { writeWhole } from "./folder.ts";
import { systemEntropy, writeSecret } from "./keys.ts";
import type { NodeConfig } from "./node-config.ts";
import { newTlsAuthority, newTlsIdentity, type TlsAuthority } from "./x509.ts";

const AUTHORITY_FILE = "tls-authority.pem";
const AUTHORITY_KEY_FILE = "tls-authority.key";
const CERTIFICATE_FILE = "tls.pem";
const KEY_FILE = "tls.key";
/** Requests by operator and owners come from this machine. */
const OPERATOR_HOST = "localhost";

/** Makes the authority of a network, and a certificate for its operator. Random also where other keys come from a seed. */
export function makeTlsAuthority(folder: string, networkId: string, nowMs: number): TlsAuthority {
  const authority = newTlsAuthority(`DREAM ${networkId}`, systemEntropy, nowMs);
  writeWhole(join(folder, AUTHORITY_FILE), authority.certificate);
  writeSecret(join(folder, AUTHORITY_KEY_FILE), authority.privateKey);
  makeTlsIdentity(folder, "operator", OPERATOR_HOST, authority, nowMs);
  return authority;
}

/** The authority that a network was made with; undefined for one without TLS. */
export function tlsAuthorityOf(folder: string, networkId: string): TlsAuthority | undefined {
  if (!hasTls(folder)) return undefined;
  const privateKey = readFileSync(join(folder, AUTHORITY_KEY_FILE), "utf8");
  const certificate = readFileSync(join(folder, AUTHORITY_FILE), "utf8");
  return { name: `DREAM ${networkId}`, certificate, privateKey, key: createPrivateKey(privateKey) };
}

/** Makes the certificate of one party in its own folder. */
export function makeTlsIdentity(
  folder: string,
  name: string,
  host: string,
  authority: TlsAuthority,
  nowMs: number,
): void {
  const made = newTlsIdentity(name, host, authority, { entropy: systemEntropy, nowMs });
  writeWhole(join(folder, CERTIFICATE_FILE), made.certificate);
  writeSecret(join(folder, KEY_FILE), made.privateKey);
}

export function hasTls(folder: string): boolean {
  return existsSync(join(folder, AUTHORITY_FILE));
}

/** What a node's configuration says of TLS. */
export const TLS_CONFIG: NonNullable<NodeConfig["tls"]> = {
  ca: join("..", AUTHORITY_FILE),
  certificate: CERTIFICATE_FILE,
  key: KEY_FILE,
};

/** What the operator shows to the nodes of a network with TLS, and whom it trusts. */
export function operatorTls(folder: string): Required<PeerTls> | undefined {
  return identityIn(folder, ".");
}

/** The certificate that stands in a folder of the network; undefined for a network without TLS. */
export function identityIn(folder: string, own: string): Required<PeerTls> | undefined {
  if (!hasTls(folder)) return undefined;
  const read = (...file: readonly string[]): string => readFileSync(join(folder, ...file), "utf8");
  return { ca: read(AUTHORITY_FILE), certificate: read(own, CERTIFICATE_FILE), key: read(own, KEY_FILE) };
}
