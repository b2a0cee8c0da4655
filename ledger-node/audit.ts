/**
 * Audit: replays the stores of a network from nothing. Recomputes every id from the stored bytes, checks every signature and
 * every contract, that nothing was spent twice, and that the money held is the money issued. Trusts no index and no cache.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import {
  contractViolations,
  decodeNotice,
  decodeSignedTransaction,
  moneyIn,
  openComponents,
  type ResolvedState,
  refKey,
  type SignedTransaction,
  type StateRef,
} from "#contracts";
import { type Hash, hashFromBytes, hashFromText, type Micros, micros, type PublicKey, toHex } from "#core";
import { SignatureCheck } from "./signature-check.ts";
import { isWithin } from "./stores/commit-log.ts";
import { openSqliteReadOnly, type SqliteDatabase } from "./stores/sqlite.ts";

export type AuditViolation = { readonly store: string; readonly txId: string; readonly problem: string };
export type AuditReport = {
  readonly transactions: number;
  readonly signatures: number;
  readonly violations: readonly AuditViolation[];
  readonly moneyIssuedMicros: Micros;
  readonly moneyHeldMicros: Micros;
};
export type AuditRefusal = {
  readonly tag: "no_stores" | "no_commit_log" | "store_unreadable" | "no_genesis";
  readonly path: string;
};
export type AuditResult =
  | { readonly ok: true; readonly value: AuditReport }
  | { readonly ok: false; readonly error: AuditRefusal };

/** File name of the notary's commit log among the stores of a run. */
export const COMMIT_LOG_FILE = "notary.sqlite";

type CommittedRow = { readonly sequence: number; readonly tx: Buffer; readonly at: number; readonly bytes: Buffer };
/** Proof of one state, written as a notice without signatures. */
type ProofRow = { readonly tx: Buffer; readonly bytes: Buffer };
type StoredRow = { readonly id: Buffer; readonly kind: string; readonly bytes: Buffer };

/**
 * Audits all stores in a folder, or in its subfolder `ledger`.
 * @param onProgress - Called with the number of stored transactions done and in all.
 */
export function auditFolder(
  folder: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): AuditResult {
  const root = [join(folder, "ledger"), folder].find((path) => storesIn(path).length > 0);
  if (root === undefined) return { ok: false, error: { tag: "no_stores", path: folder } };
  const files = storesIn(root);
  if (!files.includes(COMMIT_LOG_FILE)) return { ok: false, error: { tag: "no_commit_log", path: root } };
  const databases: { readonly file: string; readonly database: SqliteDatabase }[] = [];
  try {
    for (const file of files) databases.push({ file, database: openSqliteReadOnly(join(root, file)) });
    return auditStores(databases, onProgress, root);
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE"))
      return { ok: false, error: { tag: "store_unreadable", path: `${root}: ${error.message}` } };
    throw error;
  } finally {
    for (const { database } of databases) database.close();
  }
}

function storesIn(folder: string): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sqlite"))
    .sort();
}

function auditStores(
  stores: readonly { readonly file: string; readonly database: SqliteDatabase }[],
  onProgress: (done: number, total: number) => void,
  root: string,
): AuditResult {
  const notary = stores.find(({ file }) => file === COMMIT_LOG_FILE);
  // A process that was killed while it made a store leaves an empty one: there is nothing in it that could be wrong.
  const others = stores.filter(
    ({ file, database }) => file !== COMMIT_LOG_FILE && hasTables(database, "transactions", "proofs"),
  );
  if (notary === undefined) return { ok: false, error: { tag: "no_commit_log", path: root } };
  if (!hasTables(notary.database, "committed_transactions"))
    return { ok: false, error: { tag: "no_genesis", path: root } };
  const total =
    count(notary.database, "committed_transactions") +
    others.reduce((sum, { database }) => sum + count(database, "transactions"), 0);
  const rows = notary.database
    .prepare<[], CommittedRow>("SELECT sequence, tx, at, bytes FROM committed_transactions ORDER BY sequence")
    .all();
  const networkId = networkOf(rows);
  if (networkId === undefined) return { ok: false, error: { tag: "no_genesis", path: root } };
  let done = 0;
  const step = (): void => onProgress(++done, total);
  const replay = new Replay(networkId);
  for (const row of rows) {
    replay.addCommitted(row);
    step();
  }
  replay.checkSpentTable(notary.database);
  for (const { file, database } of others) {
    for (const row of database
      .prepare<[], StoredRow>("SELECT id, kind, bytes FROM transactions ORDER BY sequence")
      .iterate()) {
      replay.addStored(basename(file, ".sqlite"), row);
      step();
    }
    for (const { tx, bytes } of database.prepare<[], ProofRow>("SELECT tx, bytes FROM proofs").iterate())
      replay.addStored(basename(file, ".sqlite"), { id: tx, kind: "notice", bytes });
  }
  return { ok: true, value: replay.report() };
}

function hasTables(database: SqliteDatabase, ...tables: readonly string[]): boolean {
  const known = database.prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return tables.every((table) => known.some(({ name }) => name === table));
}

function count(database: SqliteDatabase, table: string): number {
  return database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}

function networkOf(rows: readonly CommittedRow[]): string | undefined {
  for (const { bytes } of rows) {
    const signed = decodeSignedTransaction(new Uint8Array(bytes));
    if (!signed.ok) continue;
    for (const state of signed.value.transaction.content.outputs)
      if (state.tag === "network-parameters") return state.networkId;
  }
  return undefined;
}

class Replay {
  readonly #check: SignatureCheck;
  readonly #unspent = new Map<string, ResolvedState>();
  readonly #spentBy = new Map<string, Hash>();
  readonly #committed = new Set<string>();
  readonly #violations: AuditViolation[] = [];
  readonly #notaries = new Set<PublicKey>();
  #signatures = 0;
  #issued = 0n;

  constructor(networkId: string) {
    this.#check = new SignatureCheck(networkId, { signatures: 0, verifications: 0 });
  }

  /** A row of the notary's commit log, in order. */
  addCommitted({ tx, at, bytes }: CommittedRow): void {
    const txId = toHex(tx);
    this.#committed.add(txId);
    const decoded = decodeSignedTransaction(new Uint8Array(bytes));
    if (!decoded.ok) return this.#violate("notary", txId, `stored bytes are not a transaction (${decoded.error})`);
    const { transaction } = decoded.value;
    if (transaction.id !== txId)
      this.#violate("notary", txId, `stored bytes are of another transaction, ${transaction.id}`);
    this.#checkSignatures("notary", txId, decoded.value);
    if (!isWithin(transaction.content.window, at))
      this.#violate("notary", txId, "was committed outside its time window");
    this.#checkContract(txId, decoded.value);
    this.#apply(hashFromText(txId), decoded.value);
  }

  #checkSignatures(store: string, txId: string, signed: SignedTransaction): void {
    const { content, id } = signed.transaction;
    this.#signatures += store === "notary" ? signed.signatures.length : 0;
    for (const key of this.#check.missing(signed, id, content.signers))
      this.#violate(store, txId, `has no valid signature of ${key}`);
  }

  #checkContract(txId: string, signed: SignedTransaction): void {
    const { content } = signed.transaction;
    const find = (refs: readonly StateRef[], role: string): readonly ResolvedState[] =>
      refs.flatMap((ref) => this.#find(txId, ref, role));
    const inputs = find(content.inputs, "input");
    const references = find(content.references, "reference");
    if (inputs.length !== content.inputs.length || references.length !== content.references.length) return;
    for (const clause of contractViolations({ content, inputs, references }))
      this.#violate("notary", txId, `does not hold the clause ${clause}`);
  }

  #find(txId: string, ref: StateRef, role: string): readonly ResolvedState[] {
    const state = this.#unspent.get(refKey(ref));
    if (state !== undefined) return [state];
    const spender = this.#spentBy.get(refKey(ref));
    this.#violate(
      "notary",
      txId,
      spender === undefined
        ? `names an unknown ${role} ${refKey(ref)}`
        : `names the ${role} ${refKey(ref)}, spent by ${spender}`,
    );
    return [];
  }

  #apply(txId: Hash, { transaction: { content } }: SignedTransaction): void {
    const isGate = content.command.tag === "issue-funds" || content.command.tag === "redeem-funds";
    for (const ref of content.inputs) {
      const spent = this.#unspent.get(refKey(ref));
      if (isGate && spent !== undefined) this.#issued -= moneyIn(spent.state)?.amount ?? 0n;
      this.#unspent.delete(refKey(ref));
      this.#spentBy.set(refKey(ref), txId);
    }
    for (const [index, state] of content.outputs.entries()) {
      const ref = { txId, index };
      this.#unspent.set(refKey(ref), { ref, state, notary: content.notary });
      if (state.tag === "network-parameters") for (const notary of state.notaries) this.#notaries.add(notary);
      if (isGate) this.#issued += moneyIn(state)?.amount ?? 0n;
    }
  }

  /** The index by which the notary finds conflicts must say the same as its transactions. */
  checkSpentTable(database: SqliteDatabase): void {
    const rows = database.prepare<[], { ref: Buffer; tx: Buffer }>("SELECT ref, tx FROM committed_states").all();
    for (const { ref, tx } of rows) {
      const key = `${hashFromBytes(ref.subarray(0, 32))}:${ref.readUInt32BE(32)}`;
      if (this.#spentBy.get(key) !== toHex(tx))
        this.#violate("notary", toHex(tx), `is said to spend ${key}, which its transaction does not`);
    }
    if (rows.length !== this.#spentBy.size)
      this.#violate("notary", "", `lists ${rows.length} spent states, its transactions spend ${this.#spentBy.size}`);
  }

  /** A row of a node's store. */
  addStored(store: string, { id, kind, bytes }: StoredRow): void {
    const txId = toHex(id);
    if (!this.#committed.has(txId)) this.#violate(store, txId, "is stored but was never made final by the notary");
    if (kind === "full") this.#addFull(store, txId, new Uint8Array(bytes));
    else this.#addNotice(store, txId, new Uint8Array(bytes));
  }

  #addFull(store: string, txId: string, bytes: Uint8Array): void {
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return this.#violate(store, txId, `stored bytes are not a transaction (${decoded.error})`);
    const { transaction, notarySignature } = decoded.value;
    if (transaction.id !== txId)
      this.#violate(store, txId, `stored bytes are of another transaction, ${transaction.id}`);
    this.#checkSignatures(store, txId, decoded.value);
    if (
      notarySignature === null ||
      !this.#notaries.has(notarySignature.by) ||
      !this.#check.isNotarised(transaction.id, notarySignature)
    ) {
      this.#violate(store, txId, "has no valid signature of the notary");
    }
  }

  #addNotice(store: string, txId: string, bytes: Uint8Array): void {
    const decoded = decodeNotice(bytes);
    if (!decoded.ok) return this.#violate(store, txId, `stored bytes are not a notice (${decoded.error})`);
    const notice = decoded.value;
    const shown = openComponents(notice.tearOff, notice.txId);
    if (!shown.ok || notice.txId !== txId)
      return this.#violate(store, txId, "stored components do not belong to the transaction");
    if (!this.#notaries.has(notice.notarySignature.by) || !this.#check.isNotarised(notice.txId, notice.notarySignature))
      this.#violate(store, txId, "has no valid signature of the notary");
    for (const key of this.#check.missing(notice, notice.txId, shown.value.signers ?? []))
      this.#violate(store, txId, `has no valid signature of ${key}`);
  }

  report(): AuditReport {
    let held = 0n;
    for (const { state } of this.#unspent.values()) held += moneyIn(state)?.amount ?? 0n;
    if (held !== this.#issued) this.#violate("notary", "", `holds ${held} micros, but ${this.#issued} were issued`);
    return {
      transactions: this.#committed.size,
      signatures: this.#signatures,
      violations: this.#violations,
      moneyIssuedMicros: micros(this.#issued),
      moneyHeldMicros: micros(held),
    };
  }

  #violate(store: string, txId: string, problem: string): void {
    this.#violations.push({ store, txId, problem });
  }
}
