/** Opens SQLite files in the one way that the ledger allows: write-ahead log, integers as bigints only where asked. */
import Database from "better-sqlite3";

export type SqliteDatabase = Database.Database;

/**
 * How much a commit survives. `power-loss` syncs each commit to the disk; `process-crash` leaves that to the operating
 * system: enough where a killed process, but not a cut cable, is what must be survived.
 */
export type Durability = "power-loss" | "process-crash";

/** @param file - A path, or `:memory:`. */
export function openSqlite(file: string, durability: Durability): SqliteDatabase {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma(durability === "power-loss" ? "synchronous = FULL" : "synchronous = NORMAL");
  return database;
}

/** Opens a file that must exist, for reading only. @throws when there is no such file or it is no database. */
export function openSqliteReadOnly(file: string): SqliteDatabase {
  return new Database(file, { readonly: true, fileMustExist: true });
}
