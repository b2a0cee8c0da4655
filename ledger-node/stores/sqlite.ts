/** Opens SQLite files in the one way that the ledger allows: write-ahead log, integers as bigints only where asked. */
import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import Database from "better-sqlite3";

export type SqliteDatabase = Database.Database;

/**
 * How much a commit survives. `power-loss` syncs each commit to the disk; `process-crash` leaves that to the operating
 * system: enough where a killed process, but not a cut cable, is what must be survived.
 */
export type Durability = "power-loss" | "process-crash";

/**
 * @param file - A path, or `:memory:`.
 * @param bytesMax - The most that the file may grow to; writing more fails with an error that `isFull` knows.
 */
export function openSqlite(file: string, durability: Durability, bytesMax?: number): SqliteDatabase {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma(durability === "power-loss" ? "synchronous = FULL" : "synchronous = NORMAL");
  if (bytesMax !== undefined) {
    const pageBytes = Number(database.pragma("page_size", { simple: true }));
    database.pragma(`max_page_count = ${Math.max(1, Math.floor(bytesMax / pageBytes))}`);
  }
  return database;
}

/**
 * Lets commits return before they are on the disk, and syncs the write-ahead log by itself, on a thread of its own: a commit is
 * durable when the log that holds it is (SQLite reads the log again at the next opening).
 * @param file - The path that the database was opened with.
 */
export function syncedLog(
  database: SqliteDatabase,
  file: string,
): { readonly sync: () => Promise<void>; readonly close: () => void } {
  // One synced commit: with it SQLite syncs the folder that the log was made in too. The number counts the openings.
  const openings = Number(database.pragma("user_version", { simple: true }));
  database.pragma(`user_version = ${(openings + 1) % 2 ** 31}`);
  database.pragma("synchronous = NORMAL");
  const log = openSync(`${file}-wal`, "r");
  const sync = promisify(fdatasync);
  let failure: Error | undefined;
  return {
    async sync() {
      if (failure !== undefined) throw failure;
      try {
        await sync(log);
      } catch (error) {
        // What a failed sync has lost, a later one does not bring back, though it may succeed.
        failure = new Error("the disk did not take what was written; start again from what it has", { cause: error });
        throw failure;
      }
    },
    close() {
      failure ??= new Error("the store is closed");
      closeSync(log);
    },
  };
}

/** Does one write that is on the disk when it returns. */
export function inSync<T>(database: SqliteDatabase, durability: Durability, write: () => T): T {
  if (durability !== "power-loss") return write();
  database.pragma("synchronous = FULL");
  try {
    return write();
  } finally {
    database.pragma("synchronous = NORMAL");
  }
}

/** Whether a write failed for want of space, on the disk or within the quota: it was undone, and can be tried again later. */
export function isFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && (error.code === "SQLITE_FULL" || error.code === "SQLITE_IOERR_WRITE");
}

/** Names a database that is in no file. */
export const IN_MEMORY = ":memory:";

/** Opens a file that must exist, for reading only. @throws when there is no such file or it is no database. */
export function openSqliteReadOnly(file: string): SqliteDatabase {
  return new Database(file, { readonly: true, fileMustExist: true });
}
