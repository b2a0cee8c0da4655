/**
 * What happened on a ledger, read from stores in a folder: transactions in their order, each with the states that it consumed
 * and made as far as they are shown. It proves nothing: that is the audit's part.
 */
import { statSync } from "node:fs";
import {
  type Command,
  decodeNotice,
  decodeSignedTransaction,
  openComponents,
  refKey,
  type State,
  type StateRef,
} from "#contracts";
import { err, type Hash, ok, type Result } from "#core";
import { type AuditSources, openSources, storesIn } from "./audit-sources.ts";

export type HistoryStep = {
  readonly txId: Hash;
  /** When the notary made it final; null where its log is not among the stores. */
  readonly atMs: number | null;
  /** Undefined where it was not shown. */
  readonly command: Command | undefined;
  readonly consumed: readonly State[];
  readonly made: readonly State[];
};

export type HistoryRefusal = { readonly tag: "no_stores" | "store_unreadable"; readonly path: string };

/** The history in a run directory, a folder of stores, or that of a network or of one of its nodes. */
export function historyIn(folder: string): Result<readonly HistoryStep[], HistoryRefusal> {
  const files = statSync(folder, { throwIfNoEntry: false }) === undefined ? [] : storesIn(folder);
  if (files.length === 0) return err({ tag: "no_stores", path: folder });
  try {
    const { sources, close } = openSources(files);
    try {
      return ok(historyOf(sources));
    } finally {
      close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE"))
      return err({ tag: "store_unreadable", path: `${folder}: ${error.message}` });
    throw error;
  }
}

/** What one source shows of a transaction. */
type Seen = {
  readonly txId: Hash;
  readonly atMs: number | null;
  readonly command: Command | undefined;
  readonly spent: readonly StateRef[];
  readonly made: ReadonlyMap<number, State>;
};

/** From the notary's log where there is one, which has everything in order; else from what the nodes keep, put together. */
export function historyOf({ log, stores }: AuditSources): readonly HistoryStep[] {
  const logged = log === undefined ? [] : [...log.commits()].flatMap(({ atMs, bytes }) => wholeOf(bytes, atMs) ?? []);
  const kept =
    logged.length > 0
      ? []
      : together(stores.flatMap((store) => [...store.entries()].flatMap((each) => seenIn(each) ?? [])));
  const known = new Map<string, State>();
  const steps = [...logged, ...kept];
  for (const { txId, made } of steps) for (const [index, state] of made) known.set(refKey({ txId, index }), state);
  return steps.map(({ txId, atMs, command, spent, made }) => ({
    txId,
    atMs,
    command,
    consumed: spent.flatMap((ref) => known.get(refKey(ref)) ?? []),
    made: [...made.values()],
  }));
}

function seenIn({ kind, bytes }: { readonly kind: "full" | "notice"; readonly bytes: Uint8Array }): Seen | undefined {
  return kind === "full" ? wholeOf(bytes, null) : partOf(bytes);
}

function wholeOf(bytes: Uint8Array, atMs: number | null): Seen | undefined {
  const decoded = decodeSignedTransaction(new Uint8Array(bytes));
  if (!decoded.ok) return undefined;
  const { id, content } = decoded.value.transaction;
  return { txId: id, atMs, command: content.command, spent: content.inputs, made: new Map(content.outputs.entries()) };
}

function partOf(bytes: Uint8Array): Seen | undefined {
  const decoded = decodeNotice(new Uint8Array(bytes));
  if (!decoded.ok) return undefined;
  const { txId, tearOff } = decoded.value;
  const opened = openComponents(tearOff, txId);
  if (!opened.ok) return undefined;
  const { command, inputs, outputs } = opened.value;
  return { txId, atMs: null, command, spent: [...inputs.values()], made: outputs };
}

/** Each transaction once, with all that any of the stores shows of it, where it was first seen. */
function together(all: readonly Seen[]): readonly Seen[] {
  const byId = new Map<Hash, Seen>();
  for (const seen of all) {
    const before = byId.get(seen.txId);
    byId.set(seen.txId, before === undefined ? seen : mergedWith(before, seen));
  }
  return [...byId.values()];
}

function mergedWith(left: Seen, right: Seen): Seen {
  const spent = new Map([...left.spent, ...right.spent].map((ref) => [refKey(ref), ref]));
  return {
    txId: left.txId,
    atMs: left.atMs,
    command: left.command ?? right.command,
    spent: [...spent.values()],
    made: new Map([...left.made, ...right.made].sort(([one], [other]) => one - other)),
  };
}
