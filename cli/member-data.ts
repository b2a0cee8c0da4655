/**
 * `dream member export`, `import` and `move`: a member takes its data from one node to another and changes its aggregator, without
 * the help of the one that it leaves (docs/member-export.md).
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DELEGABLE_FLOWS,
  type ExportRefusal,
  type LedgerRefusal,
  type MemberExport,
  readExport,
  type ServedBy,
} from "#contracts";
import { type Clock, isAcceptablePublicKey, microsPerKwh, type PublicKey, type Signer, wattHours } from "#core";
import { httpEndpoint, signElsewhere } from "#ledger-client";
import {
  importMember,
  LedgerNode,
  type NodeStore,
  openSqliteHostStore,
  openSqliteNodeStore,
  SignatureCheck,
} from "#ledger-node";
import { CommandFailure, EXIT } from "./exit.ts";
import { holderOf } from "./network/directory.ts";
import { runningPid } from "./network/folder.ts";
import { readKeyFile, systemEntropy } from "./network/keys.ts";
import { CONFIG_FILE, resolvePath } from "./network/node-config.ts";
import { type NodeIdentity, readIdentity } from "./network/node-identity.ts";

export type MemberIo = { readonly stdout: { write(text: string): unknown }; readonly clock: Clock };
export type ExportFlags = {
  readonly from: string;
  readonly out: string;
  readonly key?: string;
  readonly network?: string;
};
export type ImportFlags = { readonly to: string };
export type MoveFlags = {
  readonly to: string;
  readonly export: string;
  readonly key: string;
  readonly network: string;
  readonly notary: string;
  readonly by: string;
  readonly byKey?: string;
  readonly delegate?: string;
  readonly days: number;
  readonly energyPerSlotWh?: number;
  readonly energyPerDayWh?: number;
  readonly bidPriceMicrosMax?: number;
  readonly strategies?: string;
};

const DAY_MS = 86_400_000;
/** What `--to` says for a node of one's own. */
const OWN_NODE = "own-node";
const OWNER_ONLY = 0o600;

/** From a node's folder, by whoever may read it; or from a node's address, by the member's own key. */
export async function memberExport(name: string, flags: ExportFlags, io: MemberIo): Promise<void> {
  const text = isUrl(flags.from) ? await exportedBy(flags.from, flags, io) : await exportedFrom(flags.from, name, io);
  writeFileSync(flags.out, text, { mode: OWNER_ONLY });
  io.stdout.write(`${flags.out}: ${text.split("\n").length - 1} lines, all that the node keeps of ${name}\n`);
}

async function exportedBy(url: string, { key, network }: ExportFlags, { clock }: MemberIo): Promise<string> {
  if (key === undefined || network === undefined)
    throw new CommandFailure(EXIT.badInput, "--from is an address: give --key, the member's own, and --network too");
  const signer = keyIn(key);
  const endpoint = httpEndpoint({ url, party: signer.publicKey, networkId: network, signer, clock });
  const file = await endpoint.exported();
  endpoint.close();
  if (file.ok) return file.value;
  const reason = file.error.tag === "refused" ? file.error.refusal.code : file.error.cause;
  throw new CommandFailure(EXIT.error, `${url}: ${reason}; see docs/refusals.md`);
}

async function exportedFrom(folder: string, name: string, { clock }: MemberIo): Promise<string> {
  const identity = identityIn(folder, name);
  if (identity.config.name !== name)
    throw new CommandFailure(EXIT.notFound, `${folder}: is the node of ${identity.config.name}, not of ${name}`);
  const store = storeOf(identity);
  try {
    const file = offlineNode(identity, store, clock).exportFor(identity.signer.publicKey);
    if (!file.ok) throw new CommandFailure(EXIT.badInput, `${folder}: ${file.error}; see docs/refusals.md`);
    return file.value;
  } finally {
    store.close();
  }
}

/** Into the folder of a node that is not running: the member's own, or an aggregator's, which then has the member's seat as it was. */
export async function memberImport(file: string, { to }: ImportFlags, io: MemberIo): Promise<void> {
  const identity = identityIn(to, undefined);
  const { config, directory, folder } = identity;
  if (runningPid(join(folder, ".."), config.name) !== undefined)
    throw new CommandFailure(EXIT.error, `${to}: the node is running; stop it first`);
  const notary = holderOf(directory, "notary")?.key;
  const member = config.aggregator === undefined ? identity.signer.publicKey : memberIn(file);
  const exported = readFile(file, { networkId: config.network.id, notary, member });
  const { store, close } = importStore(identity, member);
  try {
    if (store.count() > 0)
      throw new CommandFailure(
        EXIT.badInput,
        `${to}: its store is not empty; import where nothing is of the member yet`,
      );
    const check = new SignatureCheck(config.network.id, { signatures: 0, verifications: 0 });
    const { transactions, commands, commandsLeft } = await importMember(store, exported, check);
    io.stdout.write(`${transactions} transactions and ${commands} commands under way are in ${to}\n`);
    if (commandsLeft > 0)
      io.stdout.write(`${commandsLeft} commands were not signed by all, and are left: give them again\n`);
  } finally {
    close();
  }
}

/** The store of a member's own node; or its part of an aggregator's, which the seat is opened from once the member has moved there. */
function importStore(
  identity: NodeIdentity,
  member: PublicKey,
): { readonly store: NodeStore; readonly close: () => void } {
  const { config, folder } = identity;
  if (config.aggregator === undefined) {
    const store = storeOf(identity);
    return { store, close: () => store.close() };
  }
  const shared = openSqliteHostStore(resolvePath(folder, config.store.file), config.store.durability, defer);
  return { store: shared.storeOf(member), close: () => shared.close() };
}

/** Whose export the file says it is: what it holds proves it. */
function memberIn(file: string): PublicKey {
  if (!existsSync(file)) throw new CommandFailure(EXIT.notFound, `${file}: there is no such file`);
  const [, member = ""] = /"member":"([0-9a-f]+)"/.exec(readFileSync(file, "utf8").split("\n", 1)[0] ?? "") ?? [];
  if (isAcceptablePublicKey(member)) return member;
  throw new CommandFailure(EXIT.badInput, `${file}: ${MEANINGS.export_malformed} (export_malformed)`);
}

/** Signed here by the member's own key, from its export; any node of the network carries it to the notary. */
export async function memberMove(name: string, flags: MoveFlags, io: MemberIo): Promise<void> {
  const signer = keyIn(flags.key);
  const expected = { networkId: flags.network, notary: keyOf("--notary", flags.notary), member: signer.publicKey };
  const exported = readFile(flags.export, expected);
  const nowMs = io.clock.nowMs();
  const served = flags.to === OWN_NODE ? null : servedBy(flags, exported, nowMs);
  const command = { tag: "move-member", commandId: `move/${nowMs}`, served } as const;
  const options = { signer, networkId: flags.network, nowMs, salt: systemEntropy.bytes(32) };
  const signed = signElsewhere(command, exported, options);
  if (!signed.ok) throw refused(name, signed.error);
  const party = flags.byKey === undefined ? gridAuthorityIn(exported) : keyOf("--by-key", flags.byKey);
  const endpoint = httpEndpoint({ url: flags.by, party, networkId: flags.network, signer, clock: io.clock });
  const carried = await endpoint.carry(signed.value.transaction, signed.value.proofs);
  endpoint.close();
  if (!carried.ok) throw refused(name, carried.error);
  io.stdout.write(`${name} moved to ${flags.to}: transaction ${carried.value.txId}\n`);
}

function servedBy(flags: MoveFlags, exported: MemberExport, nowMs: number): ServedBy {
  const hosts = exported.unspent.flatMap(({ state }) =>
    state.tag === "member" && state.roles.includes("aggregator") ? [state] : [],
  );
  const host = hosts.find(({ name, key }) => name === flags.to || key === flags.to);
  if (host === undefined)
    throw new CommandFailure(
      EXIT.notFound,
      `--to: ${flags.to} is no aggregator of the export; it has ${hosts.map((each) => each.name).join(", ") || "none"}`,
    );
  if (flags.delegate === undefined)
    throw new CommandFailure(EXIT.badInput, "give --delegate, the key by which the aggregator will act for the member");
  const own = exported.unspent.flatMap(({ state }) =>
    state.tag === "member" && state.key === exported.member ? [state.capacityPerSlot] : [],
  );
  const { energyPerSlotWh, energyPerDayWh, bidPriceMicrosMax, strategies, days } = flags;
  return {
    by: host.key,
    mandate: {
      mandateId: "aggregator",
      delegate: keyOf("--delegate", flags.delegate),
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(BigInt(energyPerSlotWh ?? own[0] ?? 0n)),
      ...(energyPerDayWh === undefined ? {} : { energyPerDayMax: wattHours(BigInt(energyPerDayWh)) }),
      ...(bidPriceMicrosMax === undefined ? {} : { bidPriceMax: microsPerKwh(BigInt(bidPriceMicrosMax)) }),
      ...(strategies === undefined ? {} : { strategies: strategies.split(",") }),
      expiresMs: nowMs + days * DAY_MS,
    },
  };
}

function gridAuthorityIn({ unspent }: MemberExport): PublicKey {
  for (const { state } of unspent) if (state.tag === "network-parameters") return state.gridAuthority;
  throw new CommandFailure(EXIT.badInput, "the export has no rules of the network: give --by-key, the key of the node");
}

type Expected = { readonly networkId: string; readonly notary: PublicKey | undefined; readonly member: PublicKey };

function readFile(file: string, { networkId, notary, member }: Expected): MemberExport {
  if (!existsSync(file)) throw new CommandFailure(EXIT.notFound, `${file}: there is no such file`);
  const notaries = notary === undefined ? [] : [notary];
  const read = readExport(readFileSync(file, "utf8"), { networkId, notaries, member });
  if (!read.ok) throw new CommandFailure(EXIT.badInput, `${file}: ${MEANINGS[read.error]} (${read.error})`);
  return read.value;
}

const MEANINGS: Readonly<Record<ExportRefusal, string>> = {
  export_forbidden: "is for the member alone",
  export_malformed: "is no export of a member, or of a later version",
  export_foreign: "is of another network",
  export_of_another: "is of another member than the key's",
  export_altered: "was altered, or is not whole",
  export_unproved: "holds what the network's notary and the signers have not signed",
  export_not_concerned: "shows states of another member",
  export_incomplete: "lists other states than its transactions leave",
};

function refused(name: string, refusal: LedgerRefusal): CommandFailure {
  const mend = refusal.tag === "state_conflict" ? "export again: something has changed since" : "see docs/refusals.md";
  return new CommandFailure(EXIT.error, `${name} was not moved: ${refusal.tag}; ${mend}`);
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

/** A node's own folder, or the folder of the network that it is in. */
function identityIn(folder: string, name: string | undefined): NodeIdentity {
  const isNode = existsSync(join(folder, CONFIG_FILE));
  const within = name === undefined ? folder : join(folder, name);
  const file = join(isNode ? folder : within, CONFIG_FILE);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new CommandFailure(EXIT.notFound, `${folder}: there is no such folder`);
  return readIdentity(file);
}

/** An aggregator's store is that of all its members: each member's data is had from the aggregator's address, by the member's key. */
function storeOf({ config, folder }: NodeIdentity): NodeStore {
  if (config.aggregator !== undefined)
    throw new CommandFailure(EXIT.badInput, `${folder}: is an aggregator's; give its address, and --key of the member`);
  return openSqliteNodeStore(resolvePath(folder, config.store.file), config.store.durability, defer);
}

function defer(task: () => void): void {
  setImmediate(task);
}

/** Reads what is stored, and reaches nobody. */
function offlineNode({ config, signer, directory }: NodeIdentity, store: NodeStore, clock: Clock): LedgerNode {
  const notary = holderOf(directory, "notary")?.key;
  if (notary === undefined) throw new CommandFailure(EXIT.badInput, "the directory of the network names no notary");
  return new LedgerNode({
    signer,
    networkId: config.network.id,
    notary,
    gridAuthority: config.network.gridAuthority,
    clock,
    entropy: systemEntropy,
    transport: { request: async () => ({ tag: "refused", refusal: { tag: "node_unreachable" } }) },
    store,
    counters: { signatures: 0, verifications: 0 },
  });
}

function keyIn(file: string): Signer {
  const key = readKeyFile(file);
  if (!key.ok) throw new CommandFailure(EXIT.badInput, `${file}: ${key.error.problem}; ${key.error.mend}`);
  return key.value;
}

function keyOf(option: string, text: string): PublicKey {
  if (isAcceptablePublicKey(text)) return text;
  throw new CommandFailure(EXIT.badInput, `${option}: give a public key, 64 hexadecimal digits`);
}
