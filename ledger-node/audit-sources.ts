/** Where an audit reads from: stores in a folder, or what live nodes show. Opened for reading only; nothing is written. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Hash, hashFromBytes, type PublicKey, publicKey } from "#core";
import { decodeJournaled } from "./journal.ts";
import type { JournalStage, StoredKind } from "./stores/node-store.ts";
import { openSqliteReadOnly, type SqliteDatabase } from "./stores/sqlite.ts";

/** A transaction of the notary's log; `atMs` is null where the source does not tell when it was committed. */
export type AuditedCommit = { readonly txId: Hash; readonly atMs: number | null; readonly bytes: Uint8Array };
export type AuditedEntry = { readonly txId: Hash; readonly kind: StoredKind; readonly bytes: Uint8Array };

export interface CommitLogSource {
  readonly count: number;
  /** In the order in which they were committed. */
  commits(): Iterable<AuditedCommit>;
  /** The index by which the notary finds conflicts; null where the source does not show it. */
  spent(): Iterable<{ readonly ref: string; readonly txId: Hash }> | null;
}

export interface StoreSource {
  /** Of the node, as its member state names it. */
  readonly name: string;
  /** Whose node it is, where that is known; else it is the member of that name. */
  readonly party: PublicKey | null;
  readonly count: number;
  /** In the order in which they were stored. */
  entries(): Iterable<AuditedEntry>;
  /** Proofs of single states, each written as a notice without signatures. */
  proofs(): Iterable<AuditedEntry>;
  /** Transactions that the node has still to conclude or to tell others of. */
  underWay(): Iterable<Hash>;
}

export type AuditSources = {
  /** Undefined where only nodes are looked at: then what they show together is all there is. */
  readonly log: CommitLogSource | undefined;
  /** The network and its first notaries, where they are known from elsewhere; else by what is shown. */
  readonly founding?: { readonly networkId: string; readonly notaries: readonly PublicKey[] };
  readonly stores: readonly StoreSource[];
};

/** File name of the notary's commit log among the stores of a run. */
export const COMMIT_LOG_FILE = "notary.sqlite";
/** Stands in the folder of a network, beside the folders of its nodes. */
const NETWORK_FILE = "network.json";

type CommittedRow = { readonly tx: Buffer; readonly at: number; readonly bytes: Buffer };
type StoredRow = { readonly id: Buffer; readonly kind: StoredKind; readonly bytes: Buffer };
type JournalRow = {
  readonly command_id: string;
  readonly digest: Buffer;
  readonly stage: JournalStage;
  readonly body: Buffer;
};

/** The stores of a run, of its folder `ledger`, or of a network: there each node has a folder of its own. Sorted. */
export function storesIn(folder: string): readonly string[] {
  const own = [join(folder, "ledger"), folder].map(filesIn).find((files) => files.length > 0);
  if (own !== undefined) return own;
  if (!existsSync(join(folder, NETWORK_FILE))) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => filesIn(join(folder, name)));
}

function filesIn(folder: string): readonly string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sqlite"))
    .sort()
    .map((file) => join(folder, file));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function isCommitLog(file: string): boolean {
  return basename(file) === COMMIT_LOG_FILE;
}

/** Opens what `storesIn` found. A file that a killed process left empty is a source of nothing. @throws when one is no database. */
export function openSources(files: readonly string[]): {
  readonly sources: AuditSources;
  readonly close: () => void;
} {
  const databases: SqliteDatabase[] = [];
  const close = (): void => {
    for (const database of databases) database.close();
  };
  const open = (file: string): SqliteDatabase => {
    const database = openSqliteReadOnly(file);
    databases.push(database);
    return database;
  };
  try {
    const log = files.find(isCommitLog);
    const stores = files.filter((file) => file !== log);
    const sources = {
      log: log === undefined ? undefined : commitLogSource(open(log)),
      stores: stores.flatMap((file) => unlessUnmade(() => storeSources(nameOf(file), open(file)))),
    };
    return { sources, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A store of which the process was killed while it made it has nothing in it yet: what was begun is only rolled back. */
function unlessUnmade<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_READONLY_ROLLBACK") return [];
    throw error;
  }
}

/** All whole transactions in the node stores among the files: what a notary recovers from. */
export function wholeTransactionsIn(files: readonly string[]): readonly Uint8Array[] {
  const { sources, close } = openSources(files);
  try {
    return sources.stores.flatMap((store) =>
      [...store.entries()].flatMap(({ kind, bytes }) => (kind === "full" ? [new Uint8Array(bytes)] : [])),
    );
  } finally {
    close();
  }
}

/** Several stores of one network's folder may have the same file name; then the folder is the node's name. */
function nameOf(file: string): string {
  const name = basename(file, ".sqlite");
  return name === "node" || name === "ledger" ? basename(dirname(file)) : name;
}

function commitLogSource(database: SqliteDatabase): CommitLogSource {
  if (!hasTables(database, "committed_transactions", "committed_states"))
    return { count: 0, commits: () => [], spent: () => null };
  return {
    count: countOf(database, "committed_transactions"),
    *commits() {
      const rows = database.prepare<[], CommittedRow>(
        "SELECT tx, at, bytes FROM committed_transactions ORDER BY sequence",
      );
      for (const { tx, at, bytes } of rows.iterate()) yield { txId: hashFromBytes(tx), atMs: at, bytes };
    },
    *spent() {
      const rows = database.prepare<[], { ref: Buffer; tx: Buffer }>("SELECT ref, tx FROM committed_states");
      for (const { ref, tx } of rows.iterate())
        yield { ref: `${hashFromBytes(ref.subarray(0, 32))}:${ref.readUInt32BE(32)}`, txId: hashFromBytes(tx) };
    },
  };
}

/** The store of a node, or those of an aggregator and of all members that it serves. */
function storeSources(name: string, database: SqliteDatabase): readonly StoreSource[] {
  if (!hasTables(database, "parties", "bodies")) return [storeSource(name, database)];
  const parties = database.prepare<[], { number: number; name: string }>(
    "SELECT number, name FROM parties ORDER BY number",
  );
  return parties.all().map((party) => partySource(name, database, party));
}

function partySource(
  file: string,
  database: SqliteDatabase,
  { number, name: key }: { readonly number: number; readonly name: string },
): StoreSource {
  const select = (sql: string): Iterable<AuditedEntry> =>
    entriesOf(database.prepare<[number], StoredRow>(sql).all(number));
  const count = database.prepare<[number], { n: number }>("SELECT count(*) AS n FROM transactions WHERE party = ?");
  return {
    name: `${file}/${key.slice(0, 16)}`,
    party: publicKey(key),
    count: count.get(number)?.n ?? 0,
    entries: () =>
      select(
        "SELECT id, kind, bytes FROM transactions JOIN bodies ON bodies.number = body WHERE party = ? ORDER BY sequence",
      ),
    proofs: () => select("SELECT tx AS id, 'notice' AS kind, bytes FROM proofs WHERE party = ?"),
    underWay: () =>
      journaled(
        database
          .prepare<[number], JournalRow>("SELECT command_id, digest, stage, body FROM journal WHERE party = ?")
          .all(number),
      ),
  };
}

function storeSource(name: string, database: SqliteDatabase): StoreSource {
  const isMade = hasTables(database, "transactions", "proofs");
  const select = (sql: string): Iterable<AuditedEntry> =>
    entriesOf(isMade ? database.prepare<[], StoredRow>(sql).all() : []);
  return {
    name,
    party: null,
    count: isMade ? countOf(database, "transactions") : 0,
    entries: () => select("SELECT id, kind, bytes FROM transactions ORDER BY sequence"),
    proofs: () => select("SELECT tx AS id, 'notice' AS kind, bytes FROM proofs"),
    underWay: () =>
      hasTables(database, "journal")
        ? journaled(database.prepare<[], JournalRow>("SELECT command_id, digest, stage, body FROM journal").all())
        : [],
  };
}

function* entriesOf(rows: readonly StoredRow[]): Iterable<AuditedEntry> {
  for (const { id, kind, bytes } of rows) yield { txId: hashFromBytes(id), kind, bytes };
}

function* journaled(rows: readonly JournalRow[]): Iterable<Hash> {
  for (const { command_id, digest, stage, body } of rows) {
    if (stage === "begun") continue;
    const entry = decodeJournaled({ command: { id: command_id, digest: hashFromBytes(digest) }, stage, body });
    if (entry.stage !== "begun") yield entry.signed.transaction.id;
  }
}

function hasTables(database: SqliteDatabase, ...tables: readonly string[]): boolean {
  const known = database.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return tables.every((table) => known.some(({ name }) => name === table));
}

function countOf(database: SqliteDatabase, table: string): number {
  return database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}
