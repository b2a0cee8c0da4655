/** What a node keeps: the transactions and notices it is a party of, and which command made which transaction. */
import { fromHex, type Hash, hashFromBytes } from "#core";
import { type Durability, openSqlite } from "./sqlite.ts";

export type StoredKind = "full" | "notice";
export type StoredTransaction = {
  readonly sequence: number;
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
};
export type StoreEntry = {
  readonly txId: Hash;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
  readonly commandId: string | null;
};

export interface NodeStore {
  /**
   * Stores an entry; one that is already there is left as it is. Resolves when it is durable: all that is put until the
   * store gets to write is written in one step.
   */
  put(entry: StoreEntry): Promise<void>;
  transactionOf(commandId: string): Hash | undefined;
  /** Reserves `count` numbers and gives the first; never gives a number twice, not even after a restart. */
  reserveSequence(count: number): number;
  /** Everything in the order in which it was stored. */
  scan(): IterableIterator<StoredTransaction>;
  count(): number;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS transactions (sequence INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS commands (command_id TEXT PRIMARY KEY, tx BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
`;

type Waiting = { readonly entry: StoreEntry; readonly resolve: () => void; readonly reject: (error: unknown) => void };
type Row = { readonly sequence: number; readonly id: Buffer; readonly kind: StoredKind; readonly bytes: Buffer };

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
  const addCommand = database.prepare<[string, Buffer]>(
    "INSERT INTO commands (command_id, tx) VALUES (?, ?) ON CONFLICT (command_id) DO NOTHING",
  );
  const findCommand = database.prepare<[string], { tx: Buffer }>("SELECT tx FROM commands WHERE command_id = ?");
  const reserve = database.prepare<[number, number], { next: number }>(
    "INSERT INTO counters (name, next) VALUES ('sequence', ? + 1) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
  );
  const putAll = database.transaction((entries: readonly StoreEntry[]) => {
    for (const { txId, kind, bytes, commandId } of entries) {
      const id = Buffer.from(fromHex(txId));
      add.run(id, kind, Buffer.from(bytes));
      if (commandId !== null) addCommand.run(commandId, id);
    }
  });
  let waiting: Waiting[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    try {
      putAll(batch.map(({ entry }) => entry));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return {
    put(entry) {
      if (waiting.length === 0) defer(flush);
      return new Promise((resolve, reject) => waiting.push({ entry, resolve, reject }));
    },
    transactionOf(commandId) {
      const row = findCommand.get(commandId);
      return row === undefined ? undefined : hashFromBytes(row.tx);
    },
    reserveSequence(count) {
      const next = reserve.get(count, count)?.next ?? count;
      return next - count;
    },
    *scan() {
      const rows = database.prepare<[], Row>("SELECT sequence, id, kind, bytes FROM transactions ORDER BY sequence");
      for (const { sequence, id, kind, bytes } of rows.iterate())
        yield { sequence, txId: hashFromBytes(id), kind, bytes };
    },
    count: () => database.prepare<[], { n: number }>("SELECT count(*) AS n FROM transactions").get()?.n ?? 0,
    close: () => void database.close(),
  };
}
