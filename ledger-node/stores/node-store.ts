/**
 * What a node keeps: the transactions and notices it is a party of, proofs of single states, which command made which
 * transaction, and the journal of the commands that are under way. All that a node needs to start again.
 */
import type { StateRef } from "#contracts";
import { fromHex, type Hash, hashFromBytes, invariant, type PublicKey } from "#core";
import { groupedWrites } from "./grouped-writes.ts";
import { type Durability, IN_MEMORY, inSync, openSqlite, type SqliteDatabase, syncedLog } from "./sqlite.ts";

export { StoreFull } from "./grouped-writes.ts";

export type StoredKind = "full" | "notice";
export type StoredTransaction = {
  readonly sequence: number;
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
};
/** A command that a transaction carried out, and the hash of what it said. */
export type StoredCommand = { readonly id: string; readonly digest: Hash };
export type DoneCommand = StoredCommand & { readonly txId: Hash };
export type StoreEntry = {
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
  readonly command: StoredCommand | null;
};
/** Proof of a state whose transaction the node was not shown. */
export type StoredProof = { readonly ref: StateRef; readonly bytes: Uint8Array };
/** How far a command has come; see `journal.ts` for what is kept at each stage. */
export const JOURNAL_STAGES = ["begun", "signed", "final"] as const;
export type JournalStage = (typeof JOURNAL_STAGES)[number];
/** A command that is under way. An entry is replaced as the command gets on, and dropped when nothing is left to be done. */
export type JournalEntry = {
  readonly command: StoredCommand;
  readonly stage: JournalStage;
  readonly body: Uint8Array;
};

/**
 * A promise of `NodeStore` resolves when what it is for is durable: all that is asked until the store gets to write is
 * written in one step.
 */
export interface NodeStore {
  /** Stores a transaction and the command that made it; one that is already there is left as it is. */
  put(entry: StoreEntry): Promise<void>;
  /** Stores a transaction of which more is shown now, in place of what was stored of it and after all others. */
  putMore(entry: StoreEntry): Promise<void>;
  /** Stores proofs; one of a state that is already there is left as it is. */
  putProofs(proofs: readonly StoredProof[]): Promise<void>;
  /** Stores how far a command has come, in place of what was stored of it before. */
  putJournal(entry: JournalEntry): Promise<void>;
  /** Forgets a command that was under way: it is done, or it never will be. */
  dropJournal(commandId: string): Promise<void>;
  /** Remembers the number of a request until it expires; false when it was there already. */
  claimNonce(key: PublicKey, nonce: string, expiresMs: number): Promise<boolean>;
  /** Forgets the numbers of requests that have expired. */
  dropNonces(expiredMs: number): Promise<void>;
  /** What is stored of a transaction. */
  transactionOf(txId: Hash): StoredTransaction | undefined;
  /** What a command was, and the transaction that carried it out. */
  commandOf(commandId: string): { readonly txId: Hash; readonly digest: Hash } | undefined;
  /** All commands that transactions carried out. */
  commands(): readonly DoneCommand[];
  /** Reserves `count` numbers and gives the first; never gives a number twice, not even after a restart. */
  reserveSequence(count: number): number;
  /** All transactions in the order in which they were stored. */
  scan(): IterableIterator<StoredTransaction>;
  /** At most `limit` transactions stored after a sequence number, oldest first. */
  scanAfter(sequence: number, limit: number): readonly StoredTransaction[];
  /** At most `limit` transactions stored before a sequence number, or of all if it is null; newest first. */
  scanBefore(sequence: number | null, limit: number): readonly StoredTransaction[];
  proofs(): IterableIterator<StoredProof>;
  /** What was under way when the node stopped, oldest first. */
  journal(): readonly JournalEntry[];
  count(): number;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS transactions (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS commands (command_id TEXT PRIMARY KEY, tx BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS proofs (tx BLOB NOT NULL, output INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (tx, output)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY, command_id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, stage TEXT NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS nonces (key BLOB NOT NULL, nonce TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (key, nonce)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
`;

type Row = { readonly sequence: number; readonly id: Buffer; readonly kind: StoredKind; readonly bytes: Buffer };
type CommandRow = { readonly tx: Buffer; readonly digest: Buffer };
type ProofRow = { readonly tx: Buffer; readonly output: number; readonly bytes: Buffer };
type JournalRow = {
  readonly command_id: string;
  readonly digest: Buffer;
  readonly stage: JournalStage;
  readonly body: Buffer;
};

/**
 * @param file - A path, or `:memory:`, which survives nothing.
 * @param defer - Runs a task once what is ready now has run.
 * @param bytesMax - The most that the file may grow to; more is refused with `StoreFull`.
 */
export function openSqliteNodeStore(
  file: string,
  durability: Durability,
  defer: (task: () => void) => void,
  bytesMax?: number,
): NodeStore {
  const database = openSqlite(file, durability, bytesMax);
  database.exec(SCHEMA);
  const statements = statementsOf(database);
  const { add, addCommand, addProof, addJournal, removeJournal, addNonce, removeNonces } = statements;
  const { replace, find, after, before, findCommand, reserve } = statements;
  const run = database.transaction(runAll);
  const log = durability === "power-loss" && file !== IN_MEMORY ? syncedLog(database, file) : undefined;
  const write = groupedWrites({ commit: run, sync: log?.sync }, defer);
  const putBy = (statement: typeof add, { txId, kind, bytes, command }: StoreEntry): Promise<void> =>
    write(command === null ? "synced" : "journaled", () => {
      statement.run(hashBytes(txId), kind, Buffer.from(bytes));
      if (command !== null) addCommand.run(command.id, hashBytes(txId), hashBytes(command.digest));
    });
  return {
    put: (entry) => putBy(add, entry),
    putMore: (entry) => putBy(replace, entry),
    putProofs: (proofs) =>
      write("synced", () => {
        for (const { ref, bytes } of proofs) addProof.run(hashBytes(ref.txId), ref.index, Buffer.from(bytes));
      }),
    putJournal: ({ command, stage, body }) =>
      write(
        stage === "signed" ? "synced" : "journaled",
        () => void addJournal.run(command.id, hashBytes(command.digest), stage, Buffer.from(body)),
      ),
    dropJournal: (commandId) => write("journaled", () => void removeJournal.run(commandId)),
    async claimNonce(key, nonce, expiresMs) {
      let isNew = false;
      await write("journaled", () => {
        isNew = addNonce.run(Buffer.from(fromHex(key)), nonce, expiresMs).changes > 0;
      });
      return isNew;
    },
    dropNonces: (expiredMs) => write("journaled", () => void removeNonces.run(expiredMs)),
    transactionOf(txId) {
      const row = find.get(hashBytes(txId));
      return row === undefined ? undefined : storedOf(row);
    },
    commandOf(commandId) {
      const row = findCommand.get(commandId);
      return row === undefined ? undefined : { txId: hashFromBytes(row.tx), digest: hashFromBytes(row.digest) };
    },
    commands: () =>
      database
        .prepare<[], CommandRow & { readonly command_id: string }>("SELECT command_id, tx, digest FROM commands")
        .all()
        .map(({ command_id, tx, digest }) => ({
          id: command_id,
          txId: hashFromBytes(tx),
          digest: hashFromBytes(digest),
        })),
    reserveSequence(count) {
      invariant(Number.isSafeInteger(count) && count >= 1, "whole numbers are reserved, one or more");
      const next = inSync(database, durability, () => reserve.get(count, count)?.next ?? count);
      return next - count;
    },
    *scan() {
      const rows = database.prepare<[], Row>("SELECT sequence, id, kind, bytes FROM transactions ORDER BY sequence");
      for (const row of rows.iterate()) yield storedOf(row);
    },
    scanAfter: (sequence, limit) => after.all(sequence, limit).map(storedOf),
    scanBefore: (sequence, limit) => before.all(sequence ?? Number.MAX_SAFE_INTEGER, limit).map(storedOf),
    *proofs() {
      const rows = database.prepare<[], ProofRow>("SELECT tx, output, bytes FROM proofs ORDER BY tx, output");
      for (const { tx, output, bytes } of rows.iterate())
        yield { ref: { txId: hashFromBytes(tx), index: output }, bytes };
    },
    journal: () =>
      database
        .prepare<[], JournalRow>("SELECT command_id, digest, stage, body FROM journal ORDER BY sequence")
        .all()
        .map(({ command_id, digest, stage, body }) => ({
          command: { id: command_id, digest: hashFromBytes(digest) },
          stage,
          body,
        })),
    count: () => database.prepare<[], { n: number }>("SELECT count(*) AS n FROM transactions").get()?.n ?? 0,
    close() {
      log?.close();
      database.close();
    },
  };
}

function statementsOf(database: SqliteDatabase) {
  return {
    add: database.prepare<[Buffer, string, Buffer]>(
      "INSERT INTO transactions (id, kind, bytes) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
    ),
    replace: database.prepare<[Buffer, string, Buffer]>(
      `INSERT INTO transactions (id, kind, bytes) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       sequence = (SELECT max(sequence) + 1 FROM transactions), kind = excluded.kind, bytes = excluded.bytes`,
    ),
    find: database.prepare<[Buffer], Row>("SELECT sequence, id, kind, bytes FROM transactions WHERE id = ?"),
    addCommand: database.prepare<[string, Buffer, Buffer]>(
      "INSERT INTO commands (command_id, tx, digest) VALUES (?, ?, ?) ON CONFLICT (command_id) DO NOTHING",
    ),
    addProof: database.prepare<[Buffer, number, Buffer]>(
      "INSERT INTO proofs (tx, output, bytes) VALUES (?, ?, ?) ON CONFLICT (tx, output) DO NOTHING",
    ),
    addJournal: database.prepare<[string, Buffer, string, Buffer]>(
      `INSERT INTO journal (command_id, digest, stage, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (command_id) DO UPDATE SET digest = excluded.digest, stage = excluded.stage, body = excluded.body`,
    ),
    removeJournal: database.prepare<[string]>("DELETE FROM journal WHERE command_id = ?"),
    addNonce: database.prepare<[Buffer, string, number]>(
      "INSERT INTO nonces (key, nonce, expires) VALUES (?, ?, ?) ON CONFLICT (key, nonce) DO NOTHING",
    ),
    removeNonces: database.prepare<[number]>("DELETE FROM nonces WHERE expires <= ?"),
    before: database.prepare<[number, number], Row>(
      "SELECT sequence, id, kind, bytes FROM transactions WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
    ),
    after: database.prepare<[number, number], Row>(
      "SELECT sequence, id, kind, bytes FROM transactions WHERE sequence > ? ORDER BY sequence LIMIT ?",
    ),
    findCommand: database.prepare<[string], CommandRow>("SELECT tx, digest FROM commands WHERE command_id = ?"),
    reserve: database.prepare<[number, number], { next: number }>(
      "INSERT INTO counters (name, next) VALUES ('sequence', ? + 1) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
    ),
  };
}

function storedOf({ sequence, id, kind, bytes }: Row): StoredTransaction {
  return { sequence, txId: hashFromBytes(id), kind, bytes };
}

function hashBytes(hash: Hash): Buffer {
  return Buffer.from(fromHex(hash));
}

function runAll(writes: readonly (() => void)[]): void {
  for (const write of writes) write();
}
