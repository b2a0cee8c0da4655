/**
 * What a node keeps: the transactions and notices it is a party of, proofs of single states, which command made which
 * transaction, and the transactions of its own that are under way. All that a node needs to start again.
 */
import type { StateRef } from "#contracts";
import { fromHex, type Hash, hashFromBytes, invariant } from "#core";
import { type Durability, openSqlite } from "./sqlite.ts";

export type StoredKind = "full" | "notice";
export type StoredTransaction = {
  readonly sequence: number;
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
};
/** A command that a transaction carried out, and the hash of what it said. */
export type StoredCommand = { readonly id: string; readonly digest: Hash };
export type StoreEntry = {
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
  readonly command: StoredCommand | null;
};
/** Proof of a state whose transaction the node was not shown. */
export type StoredProof = { readonly ref: StateRef; readonly bytes: Uint8Array };
/** A transaction with all its signatures, which the notary may or may not have made final; `inputs` are its input states. */
export type PendingTransaction = {
  readonly txId: Hash;
  readonly command: StoredCommand;
  readonly signed: Uint8Array;
  readonly inputs: Uint8Array;
};

/**
 * A promise of `NodeStore` resolves when what it is for is durable: all that is asked until the store gets to write is
 * written in one step.
 */
export interface NodeStore {
  /** Stores a transaction and the command that made it; one that is already there is left as it is. */
  put(entry: StoreEntry): Promise<void>;
  /** Stores proofs; one of a state that is already there is left as it is. */
  putProofs(proofs: readonly StoredProof[]): Promise<void>;
  /** Stores what is about to be sent to the notary. */
  putPending(pending: PendingTransaction): Promise<void>;
  /** Forgets what was pending: it is final and everybody has it, or it never will be. */
  dropPending(txId: Hash): Promise<void>;
  /** What a command was, and the transaction that carried it out. */
  commandOf(commandId: string): { readonly txId: Hash; readonly digest: Hash } | undefined;
  /** Reserves `count` numbers and gives the first; never gives a number twice, not even after a restart. */
  reserveSequence(count: number): number;
  /** All transactions in the order in which they were stored. */
  scan(): IterableIterator<StoredTransaction>;
  proofs(): IterableIterator<StoredProof>;
  /** What was pending when the node stopped, oldest first. */
  pending(): readonly PendingTransaction[];
  count(): number;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS transactions (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS commands (command_id TEXT PRIMARY KEY, tx BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS proofs (tx BLOB NOT NULL, output INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (tx, output)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pending (
    sequence INTEGER PRIMARY KEY, tx BLOB NOT NULL UNIQUE, command_id TEXT NOT NULL, digest BLOB NOT NULL, signed BLOB NOT NULL, inputs BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
`;

type Row = { readonly sequence: number; readonly id: Buffer; readonly kind: StoredKind; readonly bytes: Buffer };
type CommandRow = { readonly tx: Buffer; readonly digest: Buffer };
type ProofRow = { readonly tx: Buffer; readonly output: number; readonly bytes: Buffer };
type PendingRow = CommandRow & { readonly command_id: string; readonly signed: Buffer; readonly inputs: Buffer };

/** @param defer - Runs a task once what is ready now has run. */
export function openSqliteNodeStore(
  file: string,
  durability: Durability,
  defer: (task: () => void) => void,
): NodeStore {
  const database = openSqlite(file, durability);
  database.exec(SCHEMA);
  const add = database.prepare<[Buffer, string, Buffer]>(
    "INSERT INTO transactions (id, kind, bytes) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const addCommand = database.prepare<[string, Buffer, Buffer]>(
    "INSERT INTO commands (command_id, tx, digest) VALUES (?, ?, ?) ON CONFLICT (command_id) DO NOTHING",
  );
  const addProof = database.prepare<[Buffer, number, Buffer]>(
    "INSERT INTO proofs (tx, output, bytes) VALUES (?, ?, ?) ON CONFLICT (tx, output) DO NOTHING",
  );
  const addPending = database.prepare<[Buffer, string, Buffer, Buffer, Buffer]>(
    "INSERT INTO pending (tx, command_id, digest, signed, inputs) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tx) DO NOTHING",
  );
  const removePending = database.prepare<[Buffer]>("DELETE FROM pending WHERE tx = ?");
  const findCommand = database.prepare<[string], CommandRow>("SELECT tx, digest FROM commands WHERE command_id = ?");
  const reserve = database.prepare<[number, number], { next: number }>(
    "INSERT INTO counters (name, next) VALUES ('sequence', ? + 1) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
  );
  const write = groupedWrites(database.transaction(runAll), defer);
  return {
    put: ({ txId, kind, bytes, command }) =>
      write(() => {
        add.run(hashBytes(txId), kind, Buffer.from(bytes));
        if (command !== null) addCommand.run(command.id, hashBytes(txId), hashBytes(command.digest));
      }),
    putProofs: (proofs) =>
      write(() => {
        for (const { ref, bytes } of proofs) addProof.run(hashBytes(ref.txId), ref.index, Buffer.from(bytes));
      }),
    putPending: ({ txId, command, signed, inputs }) =>
      write(() => {
        addPending.run(
          hashBytes(txId),
          command.id,
          hashBytes(command.digest),
          Buffer.from(signed),
          Buffer.from(inputs),
        );
      }),
    dropPending: (txId) => write(() => void removePending.run(hashBytes(txId))),
    commandOf(commandId) {
      const row = findCommand.get(commandId);
      return row === undefined ? undefined : { txId: hashFromBytes(row.tx), digest: hashFromBytes(row.digest) };
    },
    reserveSequence(count) {
      invariant(Number.isSafeInteger(count) && count >= 1, "whole numbers are reserved, one or more");
      const next = reserve.get(count, count)?.next ?? count;
      return next - count;
    },
    *scan() {
      const rows = database.prepare<[], Row>("SELECT sequence, id, kind, bytes FROM transactions ORDER BY sequence");
      for (const { sequence, id, kind, bytes } of rows.iterate())
        yield { sequence, txId: hashFromBytes(id), kind, bytes };
    },
    *proofs() {
      const rows = database.prepare<[], ProofRow>("SELECT tx, output, bytes FROM proofs ORDER BY tx, output");
      for (const { tx, output, bytes } of rows.iterate())
        yield { ref: { txId: hashFromBytes(tx), index: output }, bytes };
    },
    pending: () =>
      database
        .prepare<[], PendingRow>("SELECT tx, command_id, digest, signed, inputs FROM pending ORDER BY sequence")
        .all()
        .map(({ tx, command_id, digest, signed, inputs }) => ({
          txId: hashFromBytes(tx),
          command: { id: command_id, digest: hashFromBytes(digest) },
          signed,
          inputs,
        })),
    count: () => database.prepare<[], { n: number }>("SELECT count(*) AS n FROM transactions").get()?.n ?? 0,
    close: () => void database.close(),
  };
}

function hashBytes(hash: Hash): Buffer {
  return Buffer.from(fromHex(hash));
}

function runAll(writes: readonly (() => void)[]): void {
  for (const write of writes) write();
}

type Waiting = { readonly write: () => void; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** Collects writes until `defer` gets to them, and does them in one step: all are durable, or none is done. */
function groupedWrites(
  commit: (writes: readonly (() => void)[]) => void,
  defer: (task: () => void) => void,
): (write: () => void) => Promise<void> {
  let waiting: Waiting[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    try {
      commit(batch.map(({ write }) => write));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { resolve } of batch) resolve();
  };
  return (write) => {
    if (waiting.length === 0) defer(flush);
    return new Promise((resolve, reject) => waiting.push({ write, resolve, reject }));
  };
}
