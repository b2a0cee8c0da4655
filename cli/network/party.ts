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
import { type Clock, invariant, type PublicKey } from "#core";
import {
  COMMIT_LOG_FILE,
  type CommitLog,
  certificationPolicy,
  LedgerNode,
  type NodeStore,
  Notary,
  type NotaryStart,
  openSqliteCommitLog,
  openSqliteNodeStore,
  witnessRuleOf,
} from "#ledger-node";
import { admissionPolicy } from "#marketplace";
import { CommandFailure, EXIT } from "../exit.ts";
import { openRedemptionGuard, type RedemptionGuard } from "../payments/journal.ts";
import { genesisOf, holderOf } from "./directory.ts";
import { systemEntropy } from "./keys.ts";
import { isMember } from "./membership.ts";
import { resolvePath } from "./node-config.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { registeredPlants } from "./plants-config.ts";

/** `guard`: of the payment provider's node. */
export type LedgerSide = {
  readonly node: LedgerNode;
  readonly store: NodeStore;
  readonly guard: RedemptionGuard | undefined;
};
type NotarySide = { readonly notary: Notary; readonly commitLog: CommitLog };

export type Party = {
  readonly key: PublicKey;
  /** Undefined for a process that only is the notary. */
  readonly ledger: LedgerSide | undefined;
  readonly notary: Notary | undefined;
  /** Answers a peer; never throws on what it sent. */
  readonly handle: (from: PublicKey, request: PeerRequest) => Promise<PeerReply>;
  /** Lets the notary ask its witnesses, for which they must be able to ask this process back. */
  readonly start: (stopping: AbortSignal) => void;
  readonly close: () => Promise<void>;
};

export type PartyParts = { readonly transport: Transport; readonly clock: Clock; readonly logger: Logger };

const MEGABYTE = 1_024 * 1_024;
/** News of states that another flow has spent travels for some milliseconds. */
const PAUSE_MS = 40;
const WITNESS_PAUSE_MS = 250;

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
  const local: { handle?: Party["handle"] } = {};
  const loop: Transport = {
    // A party that holds several roles asks itself without a message.
    request: (from, to, request) =>
      to === key && local.handle !== undefined ? local.handle(from, request) : transport.request(from, to, request),
  };
  const nodeSide = isMember(certificate)
    ? await openNode(identity, { transport: loop, clock, notaryKey, genesis: genesis.value })
    : undefined;
  local.handle = handlerOf(nodeSide?.node, notarySide?.notary);
  return {
    key,
    ledger: nodeSide,
    notary: notarySide?.notary,
    handle: local.handle,
    start: (stopping) => {
      if (notarySide === undefined) return;
      const ask = (to: PublicKey, request: PeerRequest): Promise<PeerReply> => loop.request(key, to, request);
      void startNotary(notarySide, ask, stopping, logger);
    },
    close: async () => {
      nodeSide?.store.close();
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

async function openNode(
  { config, folder, signer, certificate }: NodeIdentity,
  { transport, clock, notaryKey, genesis }: NodeParts,
): Promise<LedgerSide> {
  const file = resolvePath(folder, config.store.file);
  const store = opened(file, () => openSqliteNodeStore(file, config.store.durability, defer, bytesMaxOf(config)));
  refuseForeign(store, file, config.network.id, genesis);
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
  const node = new LedgerNode({
    signer,
    networkId: config.network.id,
    notary: notaryKey,
    gridAuthority: config.network.gridAuthority,
    clock,
    entropy: systemEntropy,
    transport,
    store,
    counters: { signatures: 0, verifications: 0 },
    pause: (attempt) => sleep(PAUSE_MS * attempt),
    policy: (resolved) => policies.map((policy) => policy(resolved)).find((refusal) => refusal !== undefined),
  });
  owed = () => node.unspent("redemption");
  openCertificates = () => node.unspent("certificate");
  openOrders = ({ owner, orderId }) => node.unspentOf("pool-order", { owner, id: orderId });
  await found(node, genesis, file);
  refuseForeignRules(node, file, config.network.id);
  return { node, store, guard };
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
