/** The parts of a process that act on the ledger: the node of a member, the notary, or both in one. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import {
  decodeSignedTransaction,
  type NetworkParameters,
  type PeerReply,
  type PeerRequest,
  type Redemption,
  type SignedTransaction,
  type Transport,
} from "#contracts";
import { type Clock, deriveDelegateSigner, invariant, type PublicKey, publicKey, type Signer } from "#core";
import {
  AggregatorHost,
  aggregatorPolicy,
  COMMIT_LOG_FILE,
  type CommitLog,
  certificationPolicy,
  LedgerNode,
  type NodeOptions,
  type NodeStore,
  Notary,
  type NotaryStart,
  openSqliteCommitLog,
  openSqliteHostStore,
  openSqliteNodeStore,
  serveByLedger,
  witnessRuleOf,
} from "#ledger-node";
import { admissionPolicy } from "#marketplace";
import { CommandFailure, EXIT } from "../exit.ts";
import { openRedemptionGuard, type RedemptionGuard } from "../payments/journal.ts";
import { genesisOf, holderOf } from "./directory.ts";
import { readSeedFile, systemEntropy } from "./keys.ts";
import { isMember } from "./membership.ts";
import { resolvePath } from "./node-config.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { registeredPlants } from "./plants-config.ts";

/** `guard`: of the payment provider's node. `host`: of an aggregator's, with the members that it serves. */
export type LedgerSide = {
  readonly node: LedgerNode;
  readonly store: NodeStore;
  readonly guard: RedemptionGuard | undefined;
  readonly host: AggregatorHost | undefined;
  /** Closes the seats of members that have moved away. */
  readonly tidy: () => void;
  readonly close: () => void;
};
type NotarySide = { readonly notary: Notary; readonly commitLog: CommitLog };

export type Party = {
  readonly key: PublicKey;
  /** Undefined for a process that only is the notary. */
  readonly ledger: LedgerSide | undefined;
  readonly notary: Notary | undefined;
  /** Answers a peer; never throws on what it sent. */
  readonly handle: (from: PublicKey, request: PeerRequest) => Promise<PeerReply>;
  /** Answers for a member that an aggregator serves. */
  readonly handleFor: (member: PublicKey, from: PublicKey, request: PeerRequest) => Promise<PeerReply>;
  /** The aggregator that serves a member, as far as this process knows. */
  readonly aggregatorOf: (member: PublicKey) => PublicKey | undefined;
  /** Lets the notary ask its witnesses, for which they must be able to ask this process back. */
  readonly start: (stopping: AbortSignal) => void;
  readonly close: () => Promise<void>;
};

export type PartyParts = { readonly transport: Transport; readonly clock: Clock; readonly logger: Logger };

const MEGABYTE = 1_024 * 1_024;
/** News of states that another flow has spent travels for some milliseconds. */
const PAUSE_MS = 40;
const WITNESS_PAUSE_MS = 250;
/** While it stands in an aggregator's folder, nothing new is begun for the members. */
const HALT_FILE = "halt";

/**
 * Opens the stores and what works on them.
 * @throws CommandFailure for a store that can't be opened, or is of another network.
 */
export async function openParty(identity: NodeIdentity, parts: PartyParts): Promise<Party> {
  const { transport, clock, logger } = parts;
  const { signer, certificate, directory } = identity;
  const genesis = genesisOf(directory);
  const notaryKey = holderOf(directory, "notary")?.key;
  invariant(genesis.ok && notaryKey !== undefined, "a signed directory has a founding transaction and a notary");
  const key = signer.publicKey;
  const notarySide = key === notaryKey ? openNotary(identity, parts, genesis.value) : undefined;
  const local: { handle?: Party["handle"]; host?: AggregatorHost } = {};
  const handleFor: Party["handleFor"] = async (member, from, request) =>
    local.host?.handle(from, member, request) ?? { tag: "refused", refusal: { tag: "node_unreachable" } };
  const loop: Transport = {
    // A party that holds several roles asks itself without a message, and so do an aggregator and its members each other.
    request: (from, to, request) => {
      if (to === key && local.handle !== undefined) return local.handle(from, request);
      return local.host?.seat(to) === undefined ? transport.request(from, to, request) : handleFor(to, from, request);
    },
  };
  const nodeSide = isMember(certificate)
    ? await openNode(identity, { transport: loop, clock, notaryKey, genesis: genesis.value })
    : undefined;
  local.handle = handlerOf(nodeSide?.node, notarySide?.notary);
  if (nodeSide?.host !== undefined) local.host = nodeSide.host;
  return {
    key,
    ledger: nodeSide,
    notary: notarySide?.notary,
    handle: local.handle,
    handleFor,
    aggregatorOf: (member) => (nodeSide?.node ?? notarySide?.notary)?.aggregatorOf(member),
    start: (stopping) => {
      if (notarySide === undefined) return;
      const ask = (to: PublicKey, request: PeerRequest): Promise<PeerReply> => loop.request(key, to, request);
      void startNotary(notarySide, ask, stopping, logger);
    },
    close: async () => {
      nodeSide?.close();
      nodeSide?.guard?.close();
      await notarySide?.commitLog.close();
    },
  };
}

function handlerOf(node: LedgerNode | undefined, notary: Notary | undefined): Party["handle"] {
  return async (from, request) => {
    if (request.tag === "notarise" && notary !== undefined) {
      const result = await notary.notarise(request.transaction);
      return result.ok ? { tag: "notarised", signature: result.value } : { tag: "refused", refusal: result.error };
    }
    return node?.handle(from, request) ?? { tag: "refused", refusal: { tag: "role_not_allowed" } };
  };
}

function openNotary(
  { config, folder, signer }: NodeIdentity,
  { clock, logger }: PartyParts,
  genesis: SignedTransaction,
): NotarySide {
  const file = resolvePath(folder, COMMIT_LOG_FILE);
  if (!existsSync(file))
    throw new CommandFailure(
      EXIT.badInput,
      `${file}: the commit log is missing, without which a notary would let money be spent twice; restore it from a copy`,
    );
  const commitLog = opened(file, () => openSqliteCommitLog(file, config.store.durability, bytesMaxOf(config)));
  const [first] = commitLog.scan();
  if (first?.txId !== genesis.transaction.id) throw foreign(file, config.network.id);
  const notary = new Notary({
    networkId: config.network.id,
    signer,
    clock,
    log: commitLog,
    counters: { signatures: 0, verifications: 0 },
    defer,
    onFailure: (error) => logger.error({ error: error instanceof Error ? error.message : String(error) }, "commit log"),
  });
  return { notary, commitLog };
}

/** A notary serves when its witnesses have told that its log lacks nothing. */
async function startNotary(
  { notary, commitLog }: NotarySide,
  ask: NotaryStart["ask"],
  stopping: AbortSignal,
  logger: Logger,
): Promise<void> {
  try {
    const standing = await notary.start({
      ask,
      rule: witnessRuleOf(parametersIn(commitLog)),
      pause: async () => {
        await sleep(WITNESS_PAUSE_MS, undefined, { signal: stopping }).catch(() => undefined);
        return !stopping.aborted;
      },
    });
    if (standing === "outdated")
      logger.fatal(
        "the commit log lacks what this notary has signed: it was restored from an old copy. Nothing is made final.",
      );
    else logger.info({ standing }, "notary");
  } catch (error) {
    logger.fatal({ error: error instanceof Error ? error.message : String(error) }, "the notary can't start");
  }
}

/** The newest parameters of the network. */
function parametersIn(commitLog: CommitLog): NetworkParameters {
  let newest: NetworkParameters | undefined;
  for (const { bytes } of commitLog.scan()) {
    const decoded = decodeSignedTransaction(new Uint8Array(bytes));
    if (!decoded.ok) continue;
    for (const state of decoded.value.transaction.content.outputs)
      if (state.tag === "network-parameters") newest = state;
  }
  invariant(newest !== undefined, "the founding transaction has the parameters");
  return newest;
}

type NodeParts = {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly notaryKey: PublicKey;
  readonly genesis: SignedTransaction;
};

async function openNode(identity: NodeIdentity, parts: NodeParts): Promise<LedgerSide> {
  const { config, folder, signer, certificate } = identity;
  const { transport, clock, notaryKey, genesis } = parts;
  const file = resolvePath(folder, config.store.file);
  let openOrders: Parameters<typeof admissionPolicy>[0] = () => [];
  let owed: () => readonly Redemption[] = () => [];
  let openCertificates: Parameters<typeof certificationPolicy>[1] = () => [];
  const { roles } = certificate;
  const guard = roles.includes("payment-provider") ? await openRedemptionGuard(folder, () => owed()) : undefined;
  const policies = [
    ...(roles.includes("marketplace") ? [admissionPolicy((order) => openOrders(order))] : []),
    ...(guard === undefined ? [] : [guard.policy]),
    ...(roles.includes("verification-agency")
      ? [certificationPolicy(registeredPlants(config.plants ?? []), () => openCertificates())]
      : []),
  ];
  const stores = openStores(identity, file, genesis, {
    signer,
    networkId: config.network.id,
    notary: notaryKey,
    gridAuthority: config.network.gridAuthority,
    clock,
    entropy: systemEntropy,
    transport,
    counters: { signatures: 0, verifications: 0 },
    pause: (attempt) => sleep(PAUSE_MS * attempt),
    policy: (resolved) => policies.map((policy) => policy(resolved)).find((refusal) => refusal !== undefined),
  });
  const { node, host } = stores;
  owed = () => node.unspent("redemption");
  openCertificates = () => node.unspent("certificate");
  openOrders = ({ owner, orderId }) => node.unspentOf("pool-order", { owner, id: orderId });
  await found(node, genesis, file);
  refuseForeignRules(node, file, config.network.id);
  const tidy = host === undefined ? () => undefined : openSeats(identity, host, stores.parties());
  return { ...stores, guard, tidy };
}

type Opened = Pick<LedgerSide, "node" | "store" | "host" | "close"> & { readonly parties: () => readonly PublicKey[] };

/** A store for one party; or, for an aggregator, one for it and its members. */
function openStores(
  { config, folder, signer }: NodeIdentity,
  file: string,
  genesis: SignedTransaction,
  options: Omit<NodeOptions, "store">,
): Opened {
  const { durability } = config.store;
  if (config.aggregator === undefined) {
    const store = opened(file, () => openSqliteNodeStore(file, durability, defer, bytesMaxOf(config)));
    refuseForeign(store, file, config.network.id, genesis);
    const close = (): void => store.close();
    return { node: new LedgerNode({ ...options, store }), store, host: undefined, close, parties: () => [] };
  }
  const shared = opened(file, () => openSqliteHostStore(file, durability, defer, bytesMaxOf(config)));
  const store = shared.storeOf(signer.publicKey);
  refuseForeign(store, file, config.network.id, genesis);
  const rules = aggregatorPolicy({
    key: signer.publicKey,
    nowMs: () => options.clock.nowMs(),
    strategyOf: () => undefined,
    isHalted: () => existsSync(resolvePath(folder, HALT_FILE)),
    signedPerHourMax: config.aggregator.signedPerHourMax,
  });
  const host = new AggregatorHost({
    ...options,
    policy: (resolved) => options.policy?.(resolved) ?? rules(resolved),
    storeOf: (party) => shared.storeOf(party),
  });
  const parties = (): readonly PublicKey[] => shared.parties().map((party) => publicKey(party));
  return { node: host.node, store, host, close: () => shared.close(), parties };
}

/** A seat for each member that the ledger says is served here, with the key that is derived for it. */
function openSeats(
  { config, folder }: NodeIdentity,
  host: AggregatorHost,
  stored: readonly PublicKey[],
): LedgerSide["tidy"] {
  invariant(config.aggregator !== undefined, "an aggregator is configured as one");
  const file = resolvePath(folder, config.aggregator.seed);
  const seed = readSeedFile(file);
  if (!seed.ok) throw new CommandFailure(EXIT.badInput, `${file}: ${seed.error.problem}; ${seed.error.mend}`);
  const networkId = config.network.id;
  const delegateOf = (member: PublicKey): Signer =>
    deriveDelegateSigner(seed.value, { networkId, member, generation: 0 });
  return serveByLedger(host, { delegateOf, stored });
}

function bytesMaxOf({ store }: NodeIdentity["config"]): number | undefined {
  return store.megabytesMax === undefined ? undefined : store.megabytesMax * MEGABYTE;
}

/** Members from the beginning start with the founding transaction; who joins later is introduced by the grid authority. */
async function found(node: LedgerNode, genesis: SignedTransaction, file: string): Promise<void> {
  const isFounder = genesis.transaction.content.outputs.some(
    (state) => state.tag === "member" && state.key === node.party,
  );
  if (!isFounder) return;
  const founded = await node.found(genesis);
  if (!founded.ok)
    throw new CommandFailure(EXIT.badInput, `${file}: the founding transaction was refused: ${founded.error.tag}`);
}

/** A store that begins with the founding of another network is not ours. */
function refuseForeign(store: NodeStore, file: string, networkId: string, genesis: SignedTransaction): void {
  const [first] = store.scanAfter(0, 1);
  if (first === undefined || first.kind !== "full" || first.txId === genesis.transaction.id) return;
  const decoded = decodeSignedTransaction(new Uint8Array(first.bytes));
  const isFounding = decoded.ok && decoded.value.transaction.content.command.tag === "genesis";
  if (isFounding) throw foreign(file, networkId);
}

function refuseForeignRules(node: LedgerNode, file: string, networkId: string): void {
  const [parameters] = node.unspent("network-parameters");
  if (parameters !== undefined && parameters.networkId !== networkId) throw foreign(file, networkId);
}

function foreign(file: string, networkId: string): CommandFailure {
  return new CommandFailure(
    EXIT.badInput,
    `${file}: is the store of another network than ${networkId}, or not its whole store; name the right file, or restore it`,
  );
}

function opened<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // biome-ignore lint/style/useErrorCause: the cause is in the third argument
    throw new CommandFailure(EXIT.error, `${file}: the store can't be opened: ${reason}; restore it from a copy`, {
      cause: error,
    });
  }
}

/** What is ready now goes first, so that one durable step serves it all. */
function defer(task: () => void): void {
  setImmediate(task);
}
