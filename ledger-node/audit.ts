/**
 * Audit: replays stores from nothing, and compares them. Of a folder, with the notary's log, it says whether the ledger is sound;
 * of nodes alone, whether what they show is.
 */
import { statSync } from "node:fs";
import { decodeSignedTransaction, type NetworkParameters } from "#contracts";
import type { Hash, PublicKey } from "#core";
import { disagreements, type Testimony } from "./audit-agreement.ts";
import { type AuditReport, Replay } from "./audit-replay.ts";
import { type AuditSources, isCommitLog, openSources, storesIn } from "./audit-sources.ts";

export type AuditRefusal = {
  readonly tag: "no_stores" | "no_commit_log" | "store_unreadable" | "no_genesis";
  readonly path: string;
};
export type AuditResult =
  | { readonly ok: true; readonly value: AuditReport }
  | { readonly ok: false; readonly error: AuditRefusal };
type OnProgress = (done: number, total: number) => void;

/**
 * Audits all stores in a folder, in its subfolder `ledger`, or in the folders of a network's nodes.
 * @param onProgress - Called with the number of stored transactions done and in all.
 */
export function auditFolder(folder: string, onProgress: OnProgress = () => undefined): AuditResult {
  const files = statSync(folder, { throwIfNoEntry: false }) === undefined ? [] : storesIn(folder);
  if (files.length === 0) return { ok: false, error: { tag: "no_stores", path: folder } };
  if (!files.some(isCommitLog)) return { ok: false, error: { tag: "no_commit_log", path: folder } };
  try {
    const { sources, close } = openSources(files);
    try {
      return auditSources(sources, folder, onProgress);
    } finally {
      close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE"))
      return { ok: false, error: { tag: "store_unreadable", path: `${folder}: ${error.message}` } };
    throw error;
  }
}

/**
 * Audits what a log and nodes show.
 * @param path - Names the sources in a refusal.
 */
export function auditSources(
  sources: AuditSources,
  path: string,
  onProgress: OnProgress = () => undefined,
): AuditResult {
  const { log, stores } = sources;
  const founding = foundingOf(sources);
  if (founding === undefined) return { ok: false, error: { tag: "no_genesis", path } };
  const total = (log?.count ?? 0) + stores.reduce((sum, { count }) => sum + count, 0);
  let done = 0;
  const step = (): void => onProgress(++done, total);
  const replay = new Replay(founding.networkId, log !== undefined, log === undefined ? founding.notaries : []);
  for (const row of log?.commits() ?? []) {
    replay.addCommitted(row);
    step();
  }
  const spent = log?.spent() ?? null;
  if (spent !== null) replay.checkSpent(spent);
  const testimonies = stores.map((store): Testimony => {
    const kept = new Set<Hash>();
    const entries = [...store.entries()].map((entry) => {
      step();
      kept.add(entry.txId);
      return replay.addStored(store.name, entry);
    });
    // A proof shows a state and not its transaction: the store need not have that.
    for (const proof of store.proofs()) replay.addStored(store.name, proof);
    return { store, kept, shown: entries.flatMap((shown) => shown ?? []) };
  });
  if (log === undefined) replay.addShown(new Map(testimonies.map(({ store, shown }) => [store.name, shown])));
  for (const { store, txId, problem } of disagreements(sources, testimonies)) replay.violate(store, txId, problem);
  return { ok: true, value: replay.report() };
}

/**
 * The network that the sources are of: as given, else by its parameters. Where there is no log, also the notaries that final
 * transactions shown have ever named.
 */
function foundingOf({ log, founding, stores }: AuditSources): AuditSources["founding"] {
  const rows = log === undefined ? stores.flatMap((store) => [...store.entries()]) : log.commits();
  const notaries = new Set<PublicKey>(founding?.notaries);
  let networkId = founding?.networkId;
  for (const { bytes } of rows)
    for (const parameters of parametersIn(bytes)) {
      if (log !== undefined) return { networkId: parameters.networkId, notaries: [] };
      networkId ??= parameters.networkId;
      if (founding === undefined) for (const notary of parameters.notaries) notaries.add(notary);
    }
  return networkId === undefined ? undefined : { networkId, notaries: [...notaries] };
}

function parametersIn(bytes: Uint8Array): readonly NetworkParameters[] {
  const decoded = decodeSignedTransaction(new Uint8Array(bytes));
  const outputs = decoded.ok ? decoded.value.transaction.content.outputs : [];
  return outputs.flatMap((state) => (state.tag === "network-parameters" ? [state] : []));
}
