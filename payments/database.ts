/**
 * What the payment provider must not forget, in one SQLite file: what it ordered and paid, what it received, and which webhooks
 * it owes. Written before anything leaves the house, durable when a call returns.
 */
import Database from "better-sqlite3";

export type PaymentDatabase = Database.Database;

/** Another process of the provider is waited for this long. */
const BUSY_MS = 10_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS files (
    message_id TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    xml TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS payouts (
    end_to_end_id TEXT PRIMARY KEY,
    redemption TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    owner TEXT NOT NULL,
    redemption_id TEXT NOT NULL,
    amount TEXT NOT NULL,
    message_id TEXT NOT NULL REFERENCES files (message_id),
    status TEXT NOT NULL CHECK (status IN ('filed', 'paid', 'returned')),
    UNIQUE (redemption, attempt),
    UNIQUE (owner, redemption_id, attempt)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS receipts (
    bank_reference TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    amount TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('received', 'issued'))
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('due', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    problem TEXT,
    UNIQUE (event_id, url)
  ) STRICT;
`;

/** @param file - A path, or `:memory:`. */
export function openPaymentDatabase(file: string): PaymentDatabase {
  const database = new Database(file, { timeout: BUSY_MS });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.exec(TABLES);
  return database;
}

/** Runs `write` as one step: all of it stays, or nothing. Two processes take turns. */
export function inOneStep<T>(database: PaymentDatabase, write: () => T): T {
  return database.transaction(write).immediate();
}
