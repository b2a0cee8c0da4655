/**
 * Certificates for TLS: an authority of the network's own, and one certificate for each node, X.509 version 3 with Ed25519 keys.
 * Made here in the few forms that are needed (RFC 5280, RFC 8410), so that no program outside has to be there.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import type { Entropy } from "#core";

export type TlsIdentity = { readonly certificate: string; readonly privateKey: string };
export type TlsAuthority = TlsIdentity & { readonly name: string; readonly key: KeyObject };

type CertificatePlan = {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly extensions: readonly Buffer[];
};

const TAG = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31, time: 0x18 };
const OID = {
  ed25519: "2b6570",
  commonName: "550403",
  keyUsage: "551d0f",
  alternativeName: "551d11",
  basicConstraints: "551d13",
  extendedKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
};
const SERIAL_BYTES = 16;
const DAY_MS = 86_400_000;
const VALID_DAYS = 3_650;

/** Makes the authority of a network. */
export function newTlsAuthority(name: string, entropy: Entropy, nowMs: number): TlsAuthority {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const certificate = certificateOf(
    {
      subject: name,
      issuer: name,
      publicKey,
      signingKey: privateKey,
      extensions: [
        extension(OID.basicConstraints, sequence(Buffer.from([0x01, 0x01, 0xff]))),
        // keyCertSign.
        extension(OID.keyUsage, tagged(TAG.bits, Buffer.from([0x02, 0x04]))),
      ],
    },
    entropy,
    nowMs,
  );
  return { name, certificate, privateKey: pemOf(privateKey), key: privateKey };
}

/** Makes a certificate for one that serves at `host` and asks others. */
export function newTlsIdentity(
  name: string,
  host: string,
  authority: TlsAuthority,
  { entropy, nowMs }: { readonly entropy: Entropy; readonly nowMs: number },
): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const certificate = certificateOf(
    {
      subject: name,
      issuer: authority.name,
      publicKey,
      signingKey: authority.key,
      extensions: [
        // digitalSignature.
        extension(OID.keyUsage, tagged(TAG.bits, Buffer.from([0x07, 0x80]))),
        extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
        extension(OID.alternativeName, sequence(alternativeName(host))),
      ],
    },
    entropy,
    nowMs,
  );
  return { certificate, privateKey: pemOf(privateKey) };
}

function certificateOf(plan: CertificatePlan, entropy: Entropy, nowMs: number): string {
  const { subject, issuer, publicKey, signingKey, extensions } = plan;
  const algorithm = sequence(oid(OID.ed25519));
  const toBeSigned = sequence(
    tagged(0xa0, tagged(TAG.integer, Buffer.from([2]))),
    tagged(TAG.integer, Buffer.from([0x01, ...entropy.bytes(SERIAL_BYTES)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(nowMs - DAY_MS), time(nowMs + VALID_DAYS * DAY_MS)),
    distinguishedName(subject),
    publicKey.export({ format: "der", type: "spki" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign(null, toBeSigned, signingKey)]);
  const text = sequence(toBeSigned, algorithm, tagged(TAG.bits, signature)).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** The name of who a certificate is for, in one part; 64 characters at most. */
function distinguishedName(name: string): Buffer {
  const value = tagged(TAG.utf8, Buffer.from(name.slice(0, 64), "utf8"));
  return sequence(tagged(TAG.set, sequence(oid(OID.commonName), value)));
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 0) return tagged(0x82, Buffer.from(host, "latin1"));
  return tagged(0x87, isIP(host) === 4 ? Buffer.from(host.split(".").map(Number)) : ipv6Bytes(host));
}

/** Bytes of an address of version 6, `::` filled up. */
function ipv6Bytes(host: string): Buffer {
  const [head = "", tail] = host.split("::");
  const groups = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => "0"), ...last];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** Critical, but for alternative names and extended uses, as is usual. */
function extension(id: string, value: Buffer): Buffer {
  const isCritical = id === OID.basicConstraints || id === OID.keyUsage;
  return sequence(oid(id), ...(isCritical ? [Buffer.from([0x01, 0x01, 0xff])] : []), tagged(TAG.octets, value));
}

function oid(hex: string): Buffer {
  return tagged(TAG.oid, Buffer.from(hex, "hex"));
}

function time(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  // RFC 5280: years before 2050 in the short form.
  return text < "2050" ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(TAG.time, Buffer.from(text));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(TAG.sequence, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}
