/** What is left on disk after a run: the notary's log and the nodes' stores, read and decoded. */
import { join } from "node:path";
import {
  decodeNotice,
  decodeSignedTransaction,
  type Notice,
  openComponents,
  refKey,
  type ShownComponents,
  type SignedTransaction,
  type State,
  type StateRef,
} from "#contracts";
import { type Hash, invariant, type PublicKey } from "#core";
import { COMMIT_LOG_FILE, type NodeStore, openSqliteCommitLog, openSqliteNodeStore } from "#ledger-node";
import type { NetworkParty } from "../process-network.ts";

/** A final transaction, with the states that it consumes and cites. */
export type FinalTransaction = {
  readonly id: Hash;
  readonly content: SignedTransaction["transaction"]["content"];
  readonly inputs: readonly State[];
  readonly references: readonly State[];
};

/** What a node keeps of a transaction. */
export type Kept =
  | { readonly kind: "full" }
  | { readonly kind: "notice"; readonly notice: Notice; readonly shown: ShownComponents };

export type NodeRecord = {
  readonly name: string;
  readonly key: PublicKey;
  readonly kept: ReadonlyMap<Hash, Kept>;
  readonly commandOf: (commandId: string) => Hash | undefined;
  /** Commands that are under way, and messages that are not delivered. */
  readonly journaled: readonly string[];
};

export type NetworkRecord = {
  readonly log: readonly FinalTransaction[];
  readonly nodes: readonly NodeRecord[];
  /** What could not be read as it should be. */
  readonly problems: readonly string[];
  readonly close: () => void;
};

/** Reads the stores of a network whose nodes do not run. */
export function readNetworkRecord(folder: string, parties: readonly NetworkParty[]): NetworkRecord {
  const problems: string[] = [];
  const stores: NodeStore[] = [];
  const notary = parties.find(({ roles }) => roles.includes("notary"));
  invariant(notary !== undefined, "a network has a notary");
  const log = readLog(join(folder, notary.name, COMMIT_LOG_FILE), problems);
  const nodes = parties
    .filter(({ roles }) => roles.some((role) => role !== "notary"))
    .map(({ name, key }): NodeRecord => {
      const file = join(folder, name, `${name}.sqlite`);
      const store = openSqliteNodeStore(file, "process-crash", (task) => void setImmediate(task));
      stores.push(store);
      return {
        name,
        key,
        kept: readStore(name, store, problems),
        commandOf: (commandId) => store.commandOf(commandId)?.txId,
        journaled: store.journal().map(({ command, stage }) => `${command.id} (${stage})`),
      };
    });
  return { log, nodes, problems, close: () => stores.forEach((store) => void store.close()) };
}

function readLog(file: string, problems: string[]): readonly FinalTransaction[] {
  const log = openSqliteCommitLog(file, "process-crash");
  const outputs = new Map<string, State>();
  const find = (txId: Hash, refs: readonly StateRef[]): readonly State[] =>
    refs.flatMap((ref) => {
      const state = outputs.get(refKey(ref));
      if (state === undefined) problems.push(`${txId} names ${refKey(ref)}, which no transaction before it made`);
      return state ?? [];
    });
  const transactions: FinalTransaction[] = [];
  for (const { txId, bytes } of log.scan()) {
    const decoded = decodeSignedTransaction(new Uint8Array(bytes));
    if (!decoded.ok || decoded.value.transaction.id !== txId) {
      problems.push(`${txId} of the notary's log is not the transaction of that id`);
      continue;
    }
    const { content } = decoded.value.transaction;
    transactions.push({
      id: txId,
      content,
      inputs: find(txId, content.inputs),
      references: find(txId, content.references),
    });
    for (const [index, state] of content.outputs.entries()) outputs.set(refKey({ txId, index }), state);
  }
  void log.close();
  return transactions;
}

function readStore(name: string, store: NodeStore, problems: string[]): ReadonlyMap<Hash, Kept> {
  const kept = new Map<Hash, Kept>();
  for (const { txId, kind, bytes } of store.scan()) {
    if (kept.has(txId)) problems.push(`${name} stores ${txId} twice`);
    if (kind === "full") kept.set(txId, { kind });
    else {
      const notice = decodeNotice(new Uint8Array(bytes));
      const shown = notice.ok ? openComponents(notice.value.tearOff, txId) : notice;
      if (notice.ok && shown.ok) kept.set(txId, { kind, notice: notice.value, shown: shown.value });
      else problems.push(`${name} stores a notice of ${txId} that can't be read`);
    }
  }
  return kept;
}
