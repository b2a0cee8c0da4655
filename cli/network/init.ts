/** `dream network init`: keys, certificates, the founding transaction, and a configuration for each node. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encodeSignedTransaction, type SignedTransaction } from "#contracts";
import { invariant, type PublicKey, type Signer, unwrap, wattHours } from "#core";
import { COMMIT_LOG_FILE, type GenesisPlan, Notary, openSqliteCommitLog, signGenesis } from "#ledger-node";
import { CommandFailure, EXIT } from "../exit.ts";
import { type Certificate, issueCertificate } from "./certificate.ts";
import { DIRECTORY_FILE, issueDirectory, type ServedEntry } from "./directory.ts";
import { type Aggregator, type MadeMember, makeServedMembers } from "./enrolment.ts";
import {
  CERTIFICATE_FILE,
  KEY_FILE,
  LOG_FILE,
  OPERATOR_KEY_FILE,
  OWNER_KEY_FILE,
  SEED_FILE,
  writeWhole,
} from "./folder.ts";
import { createKeyFile, createSeedFile, keySource } from "./keys.ts";
import { type MembersFile, networkRules, readsMeters, storageOf } from "./members-file.ts";
import { isMember } from "./membership.ts";
import { CONFIG_FILE, type NodeConfig, nodeConfigText, SIGNED_PER_HOUR_MAX } from "./node-config.ts";
import { deskAddress, type PlannedParty, partiesOf, withAddresses } from "./plan.ts";
import { makeTlsAuthority, makeTlsIdentity, TLS_CONFIG } from "./tls-files.ts";
import type { TlsAuthority } from "./x509.ts";

export type InitOptions = {
  readonly folder: string;
  readonly members: MembersFile;
  readonly isForced: boolean;
  /** Encrypts all connections, and lets both sides show certificates of the network's own authority. */
  readonly hasTls?: boolean;
  /** Makes keys and salts that come out the same each time. */
  readonly seed: string | undefined;
  readonly nowMs: number;
};

export type MadeParty = {
  readonly party: PlannedParty;
  readonly signer: Signer;
  readonly ownerKey: PublicKey;
  readonly certificate: Certificate;
};

/** Makes the folder of a network. @throws CommandFailure when it holds something already. */
export async function initNetwork(options: InitOptions): Promise<readonly MadeParty[]> {
  const { folder, members, seed, nowMs } = options;
  clearFolder(folder, options.isForced);
  const parties = await withAddresses(partiesOf(members), members.network);
  const source = keySource(seed);
  const operatorKey = createKeyFile(join(folder, OPERATOR_KEY_FILE), source("operator")).publicKey;
  const signers = parties.map((party) => ({ party, ...makeKeys(folder, party.name, source) }));
  const gridAuthority = signers.find(({ party }) => party.roles.includes("grid-authority"))?.signer;
  const notary = signers.find(({ party }) => party.roles.includes("notary"));
  invariant(gridAuthority !== undefined && notary !== undefined, "a network has a grid authority and a notary");
  const tls = options.hasTls === true ? makeTlsAuthority(folder, members.network.id, nowMs) : undefined;
  const made = signers.map((each): MadeParty => {
    const certificate = certify(each.party, each.signer.publicKey, {
      networkId: members.network.id,
      gridAuthority,
      nowMs,
      hasTls: tls !== undefined,
    });
    if (tls !== undefined) makeTlsIdentity(join(folder, each.party.name), each.party.name, each.party.host, tls, nowMs);
    return { ...each, certificate };
  });
  const served = await makeServed(options, made, source, tls);
  const observers = made.flatMap(({ party: { sees }, signer }) =>
    sees.length === 0 ? [] : [{ key: signer.publicKey, sees }],
  );
  const meterOperators = made.flatMap(({ party, signer }) => (readsMeters(party) ? [signer.publicKey] : []));
  const plan: GenesisPlan = {
    rules: { ...networkRules(members), observers, meterOperators },
    notaries: [notary.signer.publicKey],
    members: made.filter(({ party }) => isMember(party)).map(foundingMember),
  };
  const unsigned = signGenesis(plan, gridAuthority, source("genesis").bytes(32));
  const genesis = await notarise(join(folder, notary.party.name), unsigned, notary.signer, members.network.id, nowMs);
  const directory = issueDirectory(
    {
      networkId: members.network.id,
      serial: 1,
      issuedMs: nowMs,
      genesis: Buffer.from(encodeSignedTransaction(genesis)).toString("base64url"),
      parties: made.map(({ certificate }) => certificate),
      ...(served.length === 0 ? {} : { served: served.map(({ listed }) => listed) }),
    },
    gridAuthority,
  );
  for (const each of made) {
    writeNode(
      folder,
      each,
      configOf(each, {
        members,
        made,
        served,
        operatorKey,
        gridAuthority: gridAuthority.publicKey,
        hasTls: tls !== undefined,
      }),
    );
  }
  // Last: a folder with a directory is a whole network.
  writeWhole(join(folder, DIRECTORY_FILE), `${JSON.stringify(directory, null, 1)}\n`);
  return made;
}

type MadeServed = MadeMember & { readonly listed: ServedEntry };

/** Keys of the members that aggregators serve, and each aggregator's secret. */
async function makeServed(
  { folder, members, nowMs }: InitOptions,
  made: readonly MadeParty[],
  source: ReturnType<typeof keySource>,
  tls: TlsAuthority | undefined,
): Promise<readonly MadeServed[]> {
  const aggregators = new Map(
    made
      .filter(({ party }) => party.roles.includes("aggregator"))
      .map(({ party: { name }, signer }) => {
        const seed = createSeedFile(join(folder, name, SEED_FILE), source(`seed ${name}`));
        return [name, { key: signer.publicKey, seed }] as const;
      }),
  );
  const aggregatorOf = (name: string): Aggregator => {
    const found = aggregators.get(name);
    invariant(found !== undefined, "a member is served by an aggregator of its file");
    return found;
  };
  const entries = members.members.filter(({ servedBy }) => servedBy !== undefined);
  const planned = made.map(({ party }) => party);
  const desk = await deskAddress(planned, members.network);
  const { priceMax } = networkRules(members);
  const { id: networkId } = members.network;
  const { host } = desk;
  const all = { folder, networkId, aggregatorOf, source, priceMax, nowMs, host, tls };
  return makeServedMembers(entries, all).map((member) => {
    const { name, servedBy = "" } = member.entry;
    const address = addressOf(desk, tls !== undefined);
    return { ...member, listed: { name, key: member.key, by: aggregatorOf(servedBy).key, address } };
  });
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }, hasTls: boolean): string {
  const urlHost = host.includes(":") ? `[${host}]` : host;
  return `${hasTls ? "https" : "http"}://${urlHost}:${port}`;
}

function clearFolder(folder: string, isForced: boolean): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    const isNetwork = existsSync(join(folder, OPERATOR_KEY_FILE));
    if (!isForced || !isNetwork) {
      const mend = isNetwork ? "name another, or give --force to throw this network away" : "name another";
      throw new CommandFailure(EXIT.badInput, `${folder}: is not empty; ${mend}`);
    }
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
}

/** Makes the folder of a node with its own key and the key of its owner. */
export function makeKeys(
  folder: string,
  name: string,
  source: ReturnType<typeof keySource>,
): { readonly signer: Signer; readonly ownerKey: PublicKey } {
  mkdirSync(join(folder, name), { mode: 0o700 });
  const signer = createKeyFile(join(folder, name, KEY_FILE), source(`key ${name}`));
  const owner = createKeyFile(join(folder, name, OWNER_KEY_FILE), source(`owner ${name}`));
  return { signer, ownerKey: owner.publicKey };
}

export function certify(
  { name, roles, host, port }: PlannedParty,
  key: PublicKey,
  by: { readonly networkId: string; readonly gridAuthority: Signer; readonly nowMs: number; readonly hasTls: boolean },
): Certificate {
  const address = addressOf({ host, port }, by.hasTls);
  const { networkId, gridAuthority, nowMs } = by;
  return issueCertificate({ networkId, name, key, roles, address, issuedMs: nowMs }, gridAuthority);
}

function foundingMember({ party, signer }: MadeParty): GenesisPlan["members"][number] {
  return {
    name: party.name,
    key: signer.publicKey,
    roles: party.roles,
    capacityPerSlot: wattHours(party.capacityWhPerSlot),
    holdingCapPerSlot: party.holdingCapWhPerSlot === null ? null : wattHours(party.holdingCapWhPerSlot),
    storage: storageOf(party),
  };
}

/** The notary commits the founding transaction before its process ever starts. */
async function notarise(
  folder: string,
  genesis: SignedTransaction,
  signer: Signer,
  networkId: string,
  nowMs: number,
): Promise<SignedTransaction> {
  const log = openSqliteCommitLog(join(folder, COMMIT_LOG_FILE));
  try {
    const notary = new Notary({
      networkId,
      signer,
      log,
      clock: { nowMs: () => nowMs },
      counters: { signatures: 0, verifications: 0 },
      defer: (task) => setImmediate(task),
    });
    return { ...genesis, notarySignature: unwrap(await notary.notarise(encodeSignedTransaction(genesis))) };
  } finally {
    log.close();
  }
}

/** Where a meter operator's node looks for what it is to report. */
const METER_READINGS = { file: "readings.csv", pollSeconds: 10 } as const;

type Whole = {
  readonly members: Pick<MembersFile, "network" | "marketplace">;
  readonly made: readonly MadeParty[];
  readonly served: readonly MadeServed[];
  readonly operatorKey: PublicKey;
  readonly gridAuthority: PublicKey;
  readonly hasTls: boolean;
};

function configOf({ party, ownerKey }: MadeParty, whole: Whole): NodeConfig {
  const { members, made, served, operatorKey, gridAuthority, hasTls } = whole;
  const isProvider = party.roles.includes("payment-provider");
  const funded = [
    ...made.filter((each) => isMember(each.party)).map((each) => ({ entry: each.party, key: each.signer.publicKey })),
    ...served,
  ];
  return {
    ...plainConfig(party, { ownerKey, operatorKey, networkId: members.network.id, gridAuthority, hasTls }),
    ...(party.roles.includes("marketplace") ? { marketplace: members.marketplace } : {}),
    ...(readsMeters(party) ? { meterReadings: METER_READINGS } : {}),
    ...(party.roles.includes("aggregator")
      ? { aggregator: { seed: SEED_FILE, signedPerHourMax: SIGNED_PER_HOUR_MAX } }
      : {}),
    openingFunds: isProvider
      ? funded
          .filter(({ entry }) => entry.openingFundsMicros > 0n)
          .map(({ entry, key }) => ({
            member: entry.name,
            key,
            micros: entry.openingFundsMicros,
            pieces: entry.openingFundsPieces,
          }))
      : [],
  };
}

/** The configuration of a node without the keys that only some roles have. */
export function plainConfig(
  { name, host, port }: PlannedParty,
  of: {
    readonly ownerKey: PublicKey;
    readonly operatorKey: PublicKey;
    readonly networkId: string;
    readonly gridAuthority: PublicKey;
    readonly hasTls: boolean;
  },
): NodeConfig {
  return {
    name,
    network: { id: of.networkId, gridAuthority: of.gridAuthority, directory: join("..", DIRECTORY_FILE) },
    key: KEY_FILE,
    certificate: CERTIFICATE_FILE,
    listen: { host, port },
    store: { file: `${name}.sqlite`, durability: "power-loss" },
    log: { file: LOG_FILE, level: "info" },
    clients: { owners: [of.ownerKey], auditors: [of.operatorKey] },
    docs: false,
    peers: { timeoutMs: 5_000 },
    clock: { offsetMs: 0 },
    ...(of.hasTls ? { tls: TLS_CONFIG } : {}),
    settlement: { retrySeconds: 30 },
    openingFunds: [],
  };
}

export function writeNode(folder: string, { party, certificate }: MadeParty, config: NodeConfig): void {
  const own = join(folder, party.name);
  writeWhole(join(own, CERTIFICATE_FILE), `${JSON.stringify(certificate, null, 1)}\n`);
  writeWhole(join(own, CONFIG_FILE), nodeConfigText(config));
}
