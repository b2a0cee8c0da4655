/** The commit log on SQLite: one transaction per batch, durable before it returns. */

import type { StateRef } from "#contracts";
import { fromHex, type Hash, hashFromBytes, invariant } from "#core";
import { type CommitLog, type CommitRequest, type CommitVerdict, decideBatch, decideOne } from "./commit-log.ts";
import { StoreFull } from "./node-store.ts";
import { type Durability, IN_MEMORY, isFull, openSqlite, syncedLog } from "./sqlite.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS committed_states (ref BLOB PRIMARY KEY, tx BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS committed_transactions (sequence INTEGER PRIMARY KEY, tx BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, bytes BLOB NOT NULL);
`;

type LoggedRow = { readonly sequence: number; readonly tx: Buffer; readonly at: number; readonly bytes: Buffer };

/** @param bytesMax - The most that the file may grow to; more is refused with `StoreFull`. */
export function openSqliteCommitLog(file: string, durability: Durability = "power-loss", bytesMax?: number): CommitLog {
  const database = openSqlite(file, durability, bytesMax);
  database.exec(SCHEMA);
  const spentBy = database.prepare<[Buffer], { tx: Buffer }>("SELECT tx FROM committed_states WHERE ref = ?");
  const sequenceOf = database.prepare<[Buffer], { sequence: number }>(
    "SELECT sequence FROM committed_transactions WHERE tx = ?",
  );
  const last = database.prepare<[], { sequence: number | null }>(
    "SELECT max(sequence) AS sequence FROM committed_transactions",
  );
  const addState = database.prepare<[Buffer, Buffer]>("INSERT INTO committed_states (ref, tx) VALUES (?, ?)");
  const addTransaction = database.prepare<[number, Buffer, number, Buffer]>(
    "INSERT INTO committed_transactions (sequence, tx, at, bytes) VALUES (?, ?, ?, ?)",
  );
  const view = {
    spentBy: (ref: StateRef): Hash | undefined => hashOrNone(spentBy.get(refBytes(ref))?.tx),
    sequenceOf: (txId: Hash): number | undefined => sequenceOf.get(Buffer.from(fromHex(txId)))?.sequence,
  };
  const store = (sequence: number, atMs: number, request: CommitRequest): void => {
    const tx = Buffer.from(fromHex(request.txId));
    for (const ref of request.inputs) addState.run(refBytes(ref), tx);
    addTransaction.run(sequence, tx, atMs, Buffer.from(request.bytes));
  };
  const commitBatch = database.transaction(
    (atMs: number, batch: readonly CommitRequest[]): readonly CommitVerdict[] => {
      const verdicts = decideBatch(view, atMs, batch, (last.get()?.sequence ?? 0) + 1);
      for (const [index, verdict] of verdicts.entries()) {
        const request = batch[index];
        invariant(request !== undefined, "a batch has a verdict for each request");
        if (verdict.ok && !verdict.isRepeat) store(verdict.sequence, atMs, request);
      }
      return verdicts;
    },
  );
  const log = durability === "power-loss" && file !== IN_MEMORY ? syncedLog(database, file) : undefined;
  return {
    async commit(atMs, batch) {
      try {
        const verdicts = commitBatch.immediate(atMs, batch);
        await log?.sync();
        return verdicts;
      } catch (error) {
        throw isFull(error) ? new StoreFull("the commit log is full", { cause: error }) : error;
      }
    },
    peek: (atMs, request) => decideOne(view, atMs, request),
    *scan(after = 0) {
      const rows = database.prepare<[number], LoggedRow>(
        "SELECT sequence, tx, at, bytes FROM committed_transactions WHERE sequence > ? ORDER BY sequence",
      );
      for (const { sequence, tx, at, bytes } of rows.iterate(after))
        yield { sequence, txId: hashFromBytes(tx), atMs: at, bytes };
    },
    close() {
      log?.close();
      database.close();
    },
  };
}

function refBytes(ref: StateRef): Buffer {
  const key = Buffer.alloc(36);
  key.write(ref.txId, 0, "hex");
  key.writeUInt32BE(ref.index, 32);
  return key;
}

function hashOrNone(bytes: Buffer | undefined): Hash | undefined {
  return bytes === undefined ? undefined : hashFromBytes(bytes);
}
