/**
 * `dream network add`: a member that joins a running network. Its node starts first, since it signs its own membership; then
 * the grid authority lets it join and the payment provider funds it. Each step may be repeated: a second try goes on.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LedgerRefusal, NodeEndpoint } from "#contracts";
import { microsPerKwh, type Signer, wattHours } from "#core";
import { CommandFailure, EXIT } from "../exit.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { DIRECTORY_FILE, type Directory, holderOf, issueDirectory } from "./directory.ts";
import { CERTIFICATE_FILE, KEY_FILE, OPERATOR_KEY_FILE, OWNER_KEY_FILE, SEED_FILE, writeWhole } from "./folder.ts";
import { certify, makeKeys, plainConfig, writeNode } from "./init.ts";
import { createSeedFile, keySource, readKeyFile } from "./keys.ts";
import { type MemberEntry, storageOf } from "./members-file.ts";
import { SIGNED_PER_HOUR_MAX } from "./node-config.ts";
import { openingFundsCommand } from "./opening-funds-duty.ts";
import { freePorts } from "./plan.ts";
import { makeTlsIdentity, tlsAuthorityOf } from "./tls-files.ts";

export type AddOptions = {
  readonly folder: string;
  readonly directory: Directory;
  readonly member: MemberEntry;
  readonly seed: string | undefined;
  readonly nowMs: number;
};

/** Makes key, folder and certificate of the member, and puts it into the directory; nothing, where that was done before. */
export async function prepareMember(options: AddOptions): Promise<Certificate> {
  const { folder, directory, member } = options;
  const gridAuthority = signerOf(folder, holder(directory, "grid-authority").name);
  const certificate = certificateOf(folder, member.name) ?? (await makeMember(options, gridAuthority));
  if (directory.parties.some(({ key }) => key === certificate.key)) return certificate;
  const { signature: _, ...content } = directory;
  const next = issueDirectory(
    {
      ...content,
      serial: content.serial + 1,
      issuedMs: options.nowMs,
      parties: [...content.parties, certificate],
    },
    gridAuthority,
  );
  writeWhole(join(folder, DIRECTORY_FILE), `${JSON.stringify(next, null, 1)}\n`);
  return certificate;
}

function certificateOf(folder: string, name: string): Certificate | undefined {
  const file = join(folder, name, CERTIFICATE_FILE);
  if (!existsSync(file)) return undefined;
  const parsed = parseCertificate(readFileSync(file, "utf8"));
  return parsed.ok ? parsed.value : undefined;
}

async function makeMember(
  { folder, directory, member, seed, nowMs }: AddOptions,
  gridAuthority: Signer,
): Promise<Certificate> {
  if (existsSync(join(folder, member.name)))
    throw new CommandFailure(
      EXIT.badInput,
      `${join(folder, member.name)}: is there already, without a certificate; remove it, or choose another name`,
    );
  const host = member.host ?? "127.0.0.1";
  const addresses = [...directory.parties, ...(directory.served ?? [])].map(({ address }) => address);
  const taken = new Set(addresses.map((address) => Number(new URL(address).port)));
  const [port] = member.port === undefined ? await freePorts(1, taken, host) : [member.port];
  if (port === undefined || taken.has(port))
    throw new CommandFailure(EXIT.badInput, `port: ${port} is taken in this network; give another one`);
  const party = { ...member, host, port };
  const { signer, ownerKey } = makeKeys(folder, member.name, keySource(seed));
  const { networkId } = directory;
  const tls = tlsAuthorityOf(folder, networkId);
  if (tls !== undefined) makeTlsIdentity(join(folder, member.name), member.name, host, tls, nowMs);
  const hasTls = tls !== undefined;
  const certificate = certify(party, signer.publicKey, { networkId, gridAuthority, nowMs, hasTls });
  const operatorKey = keyFrom(join(folder, OPERATOR_KEY_FILE)).publicKey;
  const config = plainConfig(party, {
    ownerKey,
    operatorKey,
    networkId,
    gridAuthority: gridAuthority.publicKey,
    hasTls,
  });
  const isAggregator = member.roles.includes("aggregator");
  if (isAggregator) createSeedFile(join(folder, member.name, SEED_FILE), keySource(seed)(`seed ${member.name}`));
  const aggregator = { seed: SEED_FILE, signedPerHourMax: SIGNED_PER_HOUR_MAX };
  writeNode(folder, { party, signer, ownerKey, certificate }, isAggregator ? { ...config, aggregator } : config);
  return certificate;
}

/** Lets the member join, and funds it. @param clientOf - A client of a node by the owner's key in the folder. */
export async function joinMember(
  { directory, member }: AddOptions,
  certificate: Certificate,
  clientOf: (party: Certificate) => NodeEndpoint & { readonly close: () => void },
): Promise<void> {
  const { name, roles, capacityWhPerSlot, holdingCapWhPerSlot, openingFundsMicros, openingFundsPieces } = member;
  const storage = storageOf(member);
  const gridAuthority = clientOf(holder(directory, "grid-authority"));
  const joined = await gridAuthority.submit({
    tag: "join",
    commandId: `join/${name}`,
    name,
    key: certificate.key,
    roles,
    capacityPerSlot: wattHours(capacityWhPerSlot),
    holdingCapPerSlot: holdingCapWhPerSlot === null ? null : wattHours(holdingCapWhPerSlot),
    marketFee: microsPerKwh(0n),
    ...(storage === null ? {} : { storage }),
  });
  gridAuthority.close();
  if (!joined.ok) throw refused(`${name} could not join`, joined.error);
  if (openingFundsMicros === 0n) return;
  const funds = { member: name, key: certificate.key, micros: openingFundsMicros, pieces: openingFundsPieces };
  const paymentProvider = clientOf(holder(directory, "payment-provider"));
  const funded = await paymentProvider.submit(openingFundsCommand(funds));
  paymentProvider.close();
  if (!funded.ok) throw refused(`${name} joined, but could not be funded`, funded.error);
}

function refused(what: string, refusal: LedgerRefusal): CommandFailure {
  const reason = refusal.tag === "counterparty_refused" ? `${refusal.tag} (${refusal.reason})` : refusal.tag;
  return new CommandFailure(EXIT.error, `${what}: ${reason}; see docs/refusals.md, and run the command again`);
}

function holder(directory: Directory, role: "grid-authority" | "payment-provider"): Certificate {
  const found = holderOf(directory, role);
  if (found === undefined) throw new CommandFailure(EXIT.badInput, `the network has no ${role}; found it anew`);
  return found;
}

function signerOf(folder: string, name: string): Signer {
  return keyFrom(join(folder, name, KEY_FILE));
}

/** Signs requests to a node as its owner. */
export function ownerOf(folder: string, name: string): Signer {
  return keyFrom(join(folder, name, OWNER_KEY_FILE));
}

/** Signs requests to every node as the operator of the network. */
export function operatorOf(folder: string): Signer {
  return keyFrom(join(folder, OPERATOR_KEY_FILE));
}

function keyFrom(file: string): Signer {
  const key = readKeyFile(file);
  if (!key.ok) throw new CommandFailure(EXIT.badInput, `${file}: ${key.error.problem}; ${key.error.mend}`);
  return key.value;
}
