/**
 * The stores of an aggregator's node and of all members that it serves, in one file: ten thousand members are one file to open,
 * and what all of them write at the same time is one step and one sync. Each party sees its own rows alone.
 */
import { fromHex, type Hash, hashFromBytes, invariant, type PublicKey, sha256 } from "#core";
import { groupedWrites } from "./grouped-writes.ts";
import type { JournalStage, NodeStore, StoredKind, StoredTransaction, StoreEntry } from "./node-store.ts";
import { type Durability, IN_MEMORY, inSync, openSqlite, type SqliteDatabase, syncedLog } from "./sqlite.ts";

export interface HostStore {
  /** The store of one party, by any name that stays the same. */
  storeOf(party: string): NodeStore;
  /** The names of all parties that have a store here. */
  parties(): readonly string[];
  close(): void;
}

/** A transaction that many parties keep, such as one by which they joined together, is written once. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS parties (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS bodies (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS transactions (
    party INTEGER NOT NULL, sequence INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, body INTEGER NOT NULL,
    PRIMARY KEY (party, sequence), UNIQUE (party, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS commands (
    party INTEGER NOT NULL, command_id TEXT NOT NULL, tx BLOB NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (party, command_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS proofs (
    party INTEGER NOT NULL, tx BLOB NOT NULL, output INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (party, tx, output)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY, party INTEGER NOT NULL, command_id TEXT NOT NULL, digest BLOB NOT NULL, stage TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (party, command_id));
  CREATE TABLE IF NOT EXISTS nonces (
    party INTEGER NOT NULL, key BLOB NOT NULL, nonce TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (party, key, nonce)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (party INTEGER PRIMARY KEY, next INTEGER NOT NULL);
`;

type Row = { readonly sequence: number; readonly id: Buffer; readonly kind: StoredKind; readonly bytes: Buffer };
type JournalRow = {
  readonly command_id: string;
  readonly digest: Buffer;
  readonly stage: JournalStage;
  readonly body: Buffer;
};
type Statements = ReturnType<typeof statementsOf>;
type Write = ReturnType<typeof groupedWrites>;
type Shared = {
  readonly database: SqliteDatabase;
  readonly durability: Durability;
  readonly statements: Statements;
  readonly write: Write;
};

const PAGE = 256;

/**
 * @param file - A path, or `:memory:`, which survives nothing.
 * @param defer - Runs a task once what is ready now has run.
 * @param bytesMax - The most that the file may grow to; more is refused with `StoreFull`.
 */
export function openSqliteHostStore(
  file: string,
  durability: Durability,
  defer: (task: () => void) => void,
  bytesMax?: number,
): HostStore {
  const database = openSqlite(file, durability, bytesMax);
  database.exec(SCHEMA);
  const statements = statementsOf(database);
  const commit = database.transaction((writes: readonly (() => void)[]) => {
    for (const each of writes) each();
  });
  const log = durability === "power-loss" && file !== IN_MEMORY ? syncedLog(database, file) : undefined;
  const shared = { database, durability, statements, write: groupedWrites({ commit, sync: log?.sync }, defer) };
  return {
    storeOf: (party) => partOf(shared, numberOf(shared, party)),
    parties: () => statements.parties.all().map(({ name }) => name),
    close() {
      log?.close();
      database.close();
    },
  };
}

/** A party's number is written before anything of it is, to the same log: what is on the disk of the party has its number before it. */
function numberOf({ statements }: Shared, party: string): number {
  const number = (statements.findParty.get(party) ?? statements.addParty.get(party))?.number;
  invariant(number !== undefined, "a party that was added has a number");
  return number;
}

function partOf(shared: Shared, party: number): NodeStore {
  const { database, durability, statements, write } = shared;
  const after = (sequence: number, limit: number): readonly StoredTransaction[] =>
    statements.after.all(party, sequence, limit).map(storedOf);
  return {
    ...writesOf(shared, party),
    transactionOf(txId) {
      const row = statements.find.get(party, hashBytes(txId));
      return row === undefined ? undefined : storedOf(row);
    },
    commandOf(commandId) {
      const row = statements.findCommand.get(party, commandId);
      return row === undefined ? undefined : { txId: hashFromBytes(row.tx), digest: hashFromBytes(row.digest) };
    },
    commands: () =>
      statements.commands.all(party).map(({ command_id, tx, digest }) => ({
        id: command_id,
        txId: hashFromBytes(tx),
        digest: hashFromBytes(digest),
      })),
    reserveSequence(count) {
      invariant(Number.isSafeInteger(count) && count >= 1, "whole numbers are reserved, one or more");
      const next = inSync(database, durability, () => statements.reserve.get(party, count, count)?.next ?? count);
      return next - count;
    },
    *scan() {
      for (let page = after(0, PAGE); page.length > 0; page = after(page.at(-1)?.sequence ?? 0, PAGE)) yield* page;
    },
    scanAfter: after,
    scanBefore: (sequence, limit) =>
      statements.before.all(party, sequence ?? Number.MAX_SAFE_INTEGER, limit).map(storedOf),
    *proofs() {
      for (const { tx, output, bytes } of statements.proofs.all(party))
        yield { ref: { txId: hashFromBytes(tx), index: output }, bytes };
    },
    journal: () =>
      statements.journal.all(party).map(({ command_id, digest, stage, body }) => ({
        command: { id: command_id, digest: hashFromBytes(digest) },
        stage,
        body,
      })),
    claimNonce: (key, nonce, expiresMs) => claimNonce(shared, party, { key, nonce, expiresMs }),
    dropNonces: (expiredMs) => write("journaled", () => void statements.removeNonces.run(party, expiredMs)),
    count: () => statements.count.get(party)?.n ?? 0,
    // The file is closed for all parties at once.
    close: () => undefined,
  };
}

type Writes = Pick<NodeStore, "put" | "putMore" | "putProofs" | "putJournal" | "dropJournal">;

function writesOf({ statements, write }: Shared, party: number): Writes {
  const { add, replace, addCommand, addProof, addJournal, removeJournal } = statements;
  const putBy = (statement: typeof add, { txId, kind, bytes, command }: StoreEntry): Promise<void> =>
    write(command === null ? "synced" : "journaled", () => {
      statement.run(party, party, hashBytes(txId), kind, bodyOf(statements, bytes));
      if (command !== null) addCommand.run(party, command.id, hashBytes(txId), hashBytes(command.digest));
    });
  return {
    put: (entry) => putBy(add, entry),
    putMore: (entry) => putBy(replace, entry),
    putProofs: (proofs) =>
      write("synced", () => {
        for (const { ref, bytes } of proofs) addProof.run(party, hashBytes(ref.txId), ref.index, Buffer.from(bytes));
      }),
    putJournal: ({ command, stage, body }) =>
      write(
        stage === "signed" ? "synced" : "journaled",
        () => void addJournal.run(party, command.id, hashBytes(command.digest), stage, Buffer.from(body)),
      ),
    dropJournal: (commandId) => write("journaled", () => void removeJournal.run(party, commandId)),
  };
}

async function claimNonce(
  { statements, write }: Shared,
  party: number,
  { key, nonce, expiresMs }: { readonly key: PublicKey; readonly nonce: string; readonly expiresMs: number },
): Promise<boolean> {
  let isNew = false;
  await write("journaled", () => {
    isNew = statements.addNonce.run(party, Buffer.from(fromHex(key)), nonce, expiresMs).changes > 0;
  });
  return isNew;
}

function bodyOf({ findBody, addBody }: Statements, bytes: Uint8Array): number {
  const hash = Buffer.from(sha256(bytes));
  return findBody.get(hash)?.number ?? Number(addBody.run(hash, Buffer.from(bytes)).lastInsertRowid);
}

function statementsOf(database: SqliteDatabase) {
  const newest = "(SELECT coalesce(max(sequence), 0) + 1 FROM transactions WHERE party = ?)";
  const insert = `INSERT INTO transactions (party, sequence, id, kind, body) VALUES (?, ${newest}, ?, ?, ?)`;
  const rows = "SELECT sequence, id, kind, bytes FROM transactions JOIN bodies ON bodies.number = body WHERE party = ?";
  type Added = [number, number, Buffer, string, number];
  return {
    findParty: database.prepare<[string], { number: number }>("SELECT number FROM parties WHERE name = ?"),
    parties: database.prepare<[], { name: string }>("SELECT name FROM parties ORDER BY number"),
    addParty: database.prepare<[string], { number: number }>("INSERT INTO parties (name) VALUES (?) RETURNING number"),
    findBody: database.prepare<[Buffer], { number: number }>("SELECT number FROM bodies WHERE hash = ?"),
    addBody: database.prepare<[Buffer, Buffer]>("INSERT INTO bodies (hash, bytes) VALUES (?, ?)"),
    add: database.prepare<Added>(`${insert} ON CONFLICT (party, id) DO NOTHING`),
    replace: database.prepare<Added>(
      `${insert} ON CONFLICT (party, id) DO UPDATE SET sequence = excluded.sequence, kind = excluded.kind, body = excluded.body`,
    ),
    find: database.prepare<[number, Buffer], Row>(`${rows} AND id = ?`),
    after: database.prepare<[number, number, number], Row>(`${rows} AND sequence > ? ORDER BY sequence LIMIT ?`),
    before: database.prepare<[number, number, number], Row>(`${rows} AND sequence < ? ORDER BY sequence DESC LIMIT ?`),
    count: database.prepare<[number], { n: number }>("SELECT count(*) AS n FROM transactions WHERE party = ?"),
    addCommand: database.prepare<[number, string, Buffer, Buffer]>(
      "INSERT INTO commands (party, command_id, tx, digest) VALUES (?, ?, ?, ?) ON CONFLICT (party, command_id) DO NOTHING",
    ),
    findCommand: database.prepare<[number, string], { tx: Buffer; digest: Buffer }>(
      "SELECT tx, digest FROM commands WHERE party = ? AND command_id = ?",
    ),
    commands: database.prepare<[number], { command_id: string; tx: Buffer; digest: Buffer }>(
      "SELECT command_id, tx, digest FROM commands WHERE party = ?",
    ),
    addProof: database.prepare<[number, Buffer, number, Buffer]>(
      "INSERT INTO proofs (party, tx, output, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (party, tx, output) DO NOTHING",
    ),
    proofs: database.prepare<[number], { tx: Buffer; output: number; bytes: Buffer }>(
      "SELECT tx, output, bytes FROM proofs WHERE party = ? ORDER BY tx, output",
    ),
    addJournal: database.prepare<[number, string, Buffer, string, Buffer]>(
      `INSERT INTO journal (party, command_id, digest, stage, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (party, command_id) DO UPDATE SET digest = excluded.digest, stage = excluded.stage, body = excluded.body`,
    ),
    removeJournal: database.prepare<[number, string]>("DELETE FROM journal WHERE party = ? AND command_id = ?"),
    journal: database.prepare<[number], JournalRow>(
      "SELECT command_id, digest, stage, body FROM journal WHERE party = ? ORDER BY sequence",
    ),
    addNonce: database.prepare<[number, Buffer, string, number]>(
      "INSERT INTO nonces (party, key, nonce, expires) VALUES (?, ?, ?, ?) ON CONFLICT (party, key, nonce) DO NOTHING",
    ),
    removeNonces: database.prepare<[number, number]>("DELETE FROM nonces WHERE party = ? AND expires <= ?"),
    reserve: database.prepare<[number, number, number], { next: number }>(
      "INSERT INTO counters (party, next) VALUES (?, ? + 1) ON CONFLICT (party) DO UPDATE SET next = next + ? RETURNING next",
    ),
  };
}

function storedOf({ sequence, id, kind, bytes }: Row): StoredTransaction {
  return { sequence, txId: hashFromBytes(id), kind, bytes };
}

function hashBytes(hash: Hash): Buffer {
  return Buffer.from(fromHex(hash));
}
