/** The server of a process: its peers, its clients and the directory of the network, on one port. */
import type { Logger } from "pino";
import type { Clock, PublicKey } from "#core";
import type { NodeStatus } from "#ledger-api";
import {
  createHttpApp,
  EventHistory,
  MemberLedgers,
  type NonceStore,
  type ServedLedger,
  type ServedMember,
  serveClients,
  servePeers,
} from "#ledger-node";
import type { Marketplace } from "#marketplace";
import { CommandFailure, EXIT } from "../exit.ts";
import { DIRECTORY_PATH, type LiveDirectory } from "./live-directory.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { LedgerSide, Party } from "./party.ts";
import { readTls } from "./tls.ts";
import type { Peers } from "./transport.ts";

export type NodeServerOptions = {
  readonly identity: NodeIdentity;
  readonly party: Party;
  readonly peers: Peers;
  readonly directory: LiveDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly marketplace: Marketplace | undefined;
};

export type NodeServer = { readonly close: () => Promise<void> };

/** @throws CommandFailure when the port is in use. */
export async function openServer(options: NodeServerOptions): Promise<NodeServer> {
  const { identity, party, peers, directory, clock, logger, marketplace } = options;
  const { config, signer } = identity;
  const onFault = (error: unknown): void =>
    logger.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, "fault");
  const tls = readTls(identity);
  const app = createHttpApp({
    onFault,
    ...(tls === undefined ? {} : { tls: { cert: tls.certificate, key: tls.key, ca: tls.ca } }),
  });
  servePeers(app, {
    networkId: config.network.id,
    parties: [{ signer, handler: { party: party.key, handle: party.handle, handleFor: party.handleFor } }],
    directory,
    servedBy: party.aggregatorOf,
    clock,
    counters: peers.counters,
    onFault,
  });
  // Signed, and no secret: whoever is to join must be able to read it.
  app.get(DIRECTORY_PATH, async () => directory.current);
  const { gridAuthority } = config.network;
  const events = party.ledger === undefined ? undefined : eventsOf(party.ledger, gridAuthority);
  const host = party.ledger?.host;
  const served = host && new MemberLedgers({ host, gridAuthority, defer: (task) => void setImmediate(task) });
  await serveClients(app, {
    networkId: config.network.id,
    party: party.key,
    clock,
    owners: config.clients.owners,
    auditors: config.clients.auditors,
    nonces: party.ledger?.store ?? memoryNonces(),
    status: () => statusOf(options),
    docs: config.docs,
    streams: { after },
    onFault,
    ...(party.ledger === undefined || events === undefined
      ? {}
      : { ledger: { node: party.ledger.node, events, transactions: pagesOf(party.ledger.store) } }),
    ...(served === undefined ? {} : { members: (member: PublicKey) => memberOf(options, served, member) }),
    ...(marketplace === undefined ? {} : { feed: marketplace }),
  });
  await listen(options, app);
  return {
    async close() {
      await app.close();
      events?.close();
      served?.close();
    },
  };
}

function eventsOf({ node, store }: LedgerSide, gridAuthority: PublicKey): EventHistory {
  return new EventHistory({ node, store, gridAuthority, defer: (task) => void setImmediate(task) });
}

function pagesOf(store: LedgerSide["store"]): ServedLedger["transactions"] {
  return (after, limit) =>
    store.scanAfter(after, limit).map(({ sequence, txId, kind, bytes }) => ({ sequence, txId, kind, bytes }));
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Who only is the notary takes no commands: a request that is sent twice shows its status twice. */
function memoryNonces(): NonceStore {
  const seen = new Map<string, number>();
  return {
    async claimNonce(key, nonce, expiresMs) {
      const id = `${key}/${nonce}`;
      if (seen.has(id)) return false;
      seen.set(id, expiresMs);
      return true;
    },
    async dropNonces(expiredMs) {
      for (const [id, expiresMs] of seen) if (expiresMs <= expiredMs) seen.delete(id);
    },
  };
}

/** A member that this process serves, as its own clients see it: nothing of the aggregator, nor of another member. */
function memberOf(options: NodeServerOptions, served: MemberLedgers, member: PublicKey): ServedMember | undefined {
  const host = options.party.ledger?.host;
  const [seat, ledger] = [host?.seat(member), served.of(member)];
  if (host === undefined || seat === undefined || ledger === undefined) return undefined;
  const [state] = seat.unspentOf("member", { owner: member });
  const status = (): NodeStatus => ({
    ...statusOf(options),
    name: state?.name ?? options.identity.config.name,
    party: member,
    roles: state?.roles ?? [],
    height: host.storeOf(member).count(),
    pending: seat.underWay.commands,
    outbox: seat.underWay.messages,
    undelivered: [...seat.undelivered].map(([recipient, messages]) => ({ recipient, messages })),
    membersServed: null,
  });
  return { ledger, status };
}

function statusOf({ identity, party, peers }: NodeServerOptions): NodeStatus {
  const { config, certificate } = identity;
  const { ledger, notary } = party;
  const acting = ledger?.host ?? ledger?.node;
  const underWay = acting?.underWay ?? { commands: 0, messages: 0 };
  const known = peers.transport.peers();
  return {
    name: config.name,
    party: party.key,
    roles: certificate.roles,
    networkId: config.network.id,
    epoch: ledger?.node.unspent("network-parameters")[0]?.epoch ?? null,
    height: ledger?.store.count() ?? notary?.totals().transactions ?? 0,
    pending: underWay.commands,
    outbox: underWay.messages,
    undelivered: [...(acting?.undelivered ?? [])].map(([recipient, messages]) => ({ recipient, messages })),
    membersServed: ledger?.host === undefined ? null : ledger.host.members.length,
    peersReachable: known.filter(({ isReached }) => isReached).length,
    peersKnown: known.length,
    uptimeMs: Math.round(process.uptime() * 1_000),
    residentBytes: process.memoryUsage.rss(),
  };
}

async function listen(
  { identity: { config } }: NodeServerOptions,
  app: ReturnType<typeof createHttpApp>,
): Promise<void> {
  const { host, port } = config.listen;
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: `port ${port} of ${host} is in use; stop what uses it, or give another port in config.yaml and in the directory`,
      EACCES: `port ${port} of ${host} may not be used by this user; give one above 1023`,
      EADDRNOTAVAIL: `${host} is no address of this machine; give one that is, as listen.host in config.yaml`,
    };
    const reason = reasons[String(code)];
    if (reason === undefined) throw error;
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, `${config.name}: ${reason}`, { cause: error });
  }
}
