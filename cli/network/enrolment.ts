/**
 * Members that an aggregator serves: their keys, what they agree to when they join, and the desk at which they sign that. The desk
 * answers the grid authority in their names while they join; no process of the network ever has their keys.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientCommandOf, ENROLLED_MAX, type NewMember, type PeerReply, signTransaction } from "#contracts";
import {
  type Clock,
  deriveDelegateSigner,
  hashOf,
  invariant,
  microsPerKwh,
  type PublicKey,
  type Signer,
  wattHours,
} from "#core";
import { clientCommandSchema, decodeJson, encodeJson } from "#ledger-api";
import { EndpointError, type HttpEndpoint } from "#ledger-client";
import { consentOf, createHttpApp, enrolmentOf, newPeerCounters, type ServedParty, servePeers } from "#ledger-node";
import { CommandFailure, EXIT } from "../exit.ts";
import { type Directory, holderOf, type ServedEntry } from "./directory.ts";
import { KEY_FILE, writeWhole } from "./folder.ts";
import { createKeyFile, type keySource, readKeyFile } from "./keys.ts";
import { type MemberEntry, storageOf } from "./members-file.ts";
import { SERVED_FOLDER, USUAL_MANDATE } from "./served-config.ts";
import { identityIn, makeTlsIdentity } from "./tls-files.ts";
import type { TlsAuthority } from "./x509.ts";

const JOINING_FILE = "joining.json";
const DAY_MS = 86_400_000;
const POLL_MS = 100;

export type MadeMember = { readonly entry: MemberEntry; readonly key: PublicKey };
export type Aggregator = { readonly key: PublicKey; readonly seed: Uint8Array };
export type MembersToMake = {
  readonly folder: string;
  readonly networkId: string;
  readonly aggregatorOf: (name: string) => Aggregator;
  readonly source: ReturnType<typeof keySource>;
  readonly priceMax: bigint;
  readonly nowMs: number;
  /** Where the desk answers. */
  readonly host: string;
  readonly tls: TlsAuthority | undefined;
};

/** Makes the key of each member, and writes down what it agrees to. */
export function makeServedMembers(entries: readonly MemberEntry[], options: MembersToMake): readonly MadeMember[] {
  if (entries.length === 0) return [];
  const { folder, host, tls, nowMs } = options;
  mkdirSync(join(folder, SERVED_FOLDER), { mode: 0o700 });
  if (tls !== undefined) makeTlsIdentity(join(folder, SERVED_FOLDER), "members", host, tls, nowMs);
  return entries.map((entry) => makeServedMember(entry, options));
}

function makeServedMember(entry: MemberEntry, options: MembersToMake): MadeMember {
  const { folder, networkId, aggregatorOf, source, priceMax, nowMs } = options;
  const { name, roles, mandate = USUAL_MANDATE, servedBy = "" } = entry;
  const own = join(folder, SERVED_FOLDER, name);
  mkdirSync(own, { mode: 0o700 });
  const { publicKey: key } = createKeyFile(join(own, KEY_FILE), source(`key ${name}`));
  const { key: host, seed } = aggregatorOf(servedBy);
  const storage = storageOf(entry);
  const newcomer = {
    name,
    roles,
    capacityPerSlot: wattHours(entry.capacityWhPerSlot),
    holdingCapPerSlot: entry.holdingCapWhPerSlot === null ? null : wattHours(entry.holdingCapWhPerSlot),
    ...(storage === null ? {} : { storage }),
  };
  const { asked } = enrolmentOf(key, newcomer, {
    host,
    delegate: deriveDelegateSigner(seed, { networkId, member: key, generation: 0 }).publicKey,
    energyPerSlotMax: wattHours(mandate.energyWhPerSlotMax),
    energyPerDayMax: wattHours(mandate.energyWhPerDayMax),
    bidPriceMax: microsPerKwh(mandate.bidMicrosPerKwhMax ?? priceMax),
    expiresMs: nowMs + mandate.days * DAY_MS,
  });
  writeWhole(join(own, JOINING_FILE), `${encodeJson(clientCommandSchema, enrolOf([asked]))}\n`);
  return { entry, key };
}

/** Another command for other members, or other terms; the same for the same, so that a second try finds what the first did. */
function enrolOf(members: readonly NewMember[]): ClientCommandOf<"enrol"> {
  const named = members.map((member) =>
    encodeJson(clientCommandSchema, { tag: "enrol", commandId: "-", members: [member] }),
  );
  return { tag: "enrol", commandId: `enrol/${hashOf(named.join("\n")).slice(0, 32)}`, members };
}

export type EnrolmentOptions = {
  readonly folder: string;
  readonly directory: Directory;
  /** The owner's client of the grid authority's node. */
  readonly gridAuthority: Pick<HttpEndpoint, "submit" | "states" | "status">;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onFault: (error: unknown) => void;
  readonly onProgress: (done: number, total: number) => void;
};

/** Lets those join that have not yet, many in one transaction. Gives how many did. */
export async function enrolServedMembers(options: EnrolmentOptions): Promise<number> {
  const { folder, directory, gridAuthority, onProgress } = options;
  const served = directory.served ?? [];
  if (served.length === 0) return 0;
  const joined = await membersOf(gridAuthority);
  const newcomers = served.filter(({ key }) => !joined.has(key)).map((entry) => newcomerIn(folder, entry));
  if (newcomers.length === 0) return 0;
  const desk = await openDesk(options, newcomers);
  try {
    onProgress(0, newcomers.length);
    for (let first = 0; first < newcomers.length; first += ENROLLED_MAX) {
      const some = newcomers.slice(first, first + ENROLLED_MAX);
      const done = await gridAuthority.submit(enrolOf(some.map(({ asked }) => asked)));
      if (!done.ok)
        throw new CommandFailure(
          EXIT.error,
          `members could not join: ${done.error.tag}; see docs/refusals.md, and run the command again`,
        );
      onProgress(first + some.length, newcomers.length);
    }
    await untilTold(options, new Set(newcomers.map(({ signer }) => signer.publicKey)));
  } finally {
    await desk.close();
  }
  return newcomers.length;
}

async function membersOf(gridAuthority: EnrolmentOptions["gridAuthority"]): Promise<ReadonlySet<PublicKey>> {
  try {
    return new Set((await gridAuthority.states("member")).map(({ state }) => state.key));
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error;
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, `the grid authority does not tell who has joined: ${error.message}`, {
      cause: error,
    });
  }
}

/** The aggregator hears of its members, and then each of them of its own joining. */
async function untilTold({ gridAuthority, timeoutMs }: EnrolmentOptions, keys: ReadonlySet<PublicKey>): Promise<void> {
  for (let leftMs = timeoutMs; leftMs > 0; leftMs -= POLL_MS) {
    const status = await gridAuthority.status();
    if (status.ok && !status.value.undelivered.some(({ recipient }) => keys.has(recipient))) return;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw new CommandFailure(EXIT.timedOut, "the aggregators have not taken up their members; run the command again");
}

type Newcomer = { readonly signer: Signer; readonly asked: NewMember };

function newcomerIn(folder: string, { name }: ServedEntry): Newcomer {
  const own = join(folder, SERVED_FOLDER, name);
  const keyFile = join(own, KEY_FILE);
  const file = join(own, JOINING_FILE);
  const key = readKeyFile(keyFile);
  if (!key.ok) throw new CommandFailure(EXIT.badInput, `${keyFile}: ${key.error.problem}; ${key.error.mend}`);
  const command = existsSync(file) ? decodeJson(clientCommandSchema, readFileSync(file, "utf8")) : undefined;
  const asked = command?.ok === true && command.value.tag === "enrol" ? command.value.members[0] : undefined;
  if (asked?.served === undefined || asked.key !== key.value.publicKey)
    throw new CommandFailure(EXIT.badInput, `${file}: does not say what ${name} agrees to; restore it from a copy`);
  return { signer: key.value, asked };
}

/** Each signs, with its own key, the transaction by which it becomes what it agreed to, and answers nothing else. */
async function openDesk(
  { folder, directory, clock, onFault }: EnrolmentOptions,
  newcomers: readonly Newcomer[],
): Promise<{ readonly close: () => Promise<void> }> {
  const { networkId } = directory;
  const gridAuthority = holderOf(directory, "grid-authority")?.key;
  const [address] = (directory.served ?? []).map((entry) => new URL(entry.address));
  invariant(gridAuthority !== undefined && address !== undefined, "a directory names its grid authority, and a desk");
  const keys = new Set(directory.parties.map(({ key }) => key));
  const tls = identityIn(folder, SERVED_FOLDER);
  const app = createHttpApp({
    onFault,
    ...(tls === undefined ? {} : { tls: { cert: tls.certificate, key: tls.key, ca: tls.ca } }),
  });
  servePeers(app, {
    networkId,
    parties: newcomers.map((newcomer) => deskOf(newcomer, networkId, gridAuthority)),
    directory: { addressOf: (key) => (keys.has(key) ? "known" : undefined) },
    clock,
    counters: newPeerCounters(),
    onFault,
  });
  try {
    await app.listen({ host: address.hostname.replace(/^\[|\]$/g, ""), port: Number(address.port) });
  } catch (error) {
    await app.close();
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, `port ${address.port} of ${address.hostname} is needed while members join`, {
      cause: error,
    });
  }
  return { close: () => app.close() };
}

function deskOf({ signer, asked }: Newcomer, networkId: string, gridAuthority: PublicKey): ServedParty {
  const { key, served, marketFee: _fee, storage, ...member } = asked;
  invariant(served !== undefined, "who joins at the desk is served");
  const { by: host, mandate } = served;
  const { energyPerDayMax = wattHours(0n), bidPriceMax = microsPerKwh(0n), ...limits } = mandate;
  const agreed = enrolmentOf(
    key,
    { ...member, ...(storage == null ? {} : { storage }) },
    { host, ...limits, energyPerDayMax, bidPriceMax },
  );
  const sign = (transaction: Parameters<typeof signTransaction>[1]): ReturnType<typeof signTransaction> =>
    signTransaction(networkId, transaction, signer);
  const unreachable: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };
  return {
    signer,
    handler: {
      party: key,
      handle: async (from, request) =>
        request.tag === "sign" ? consentOf({ ...agreed, sign }, gridAuthority, from, request.transaction) : unreachable,
    },
  };
}
