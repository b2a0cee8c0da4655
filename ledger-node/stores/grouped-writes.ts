/** Writes that come close together are one step of the store: all of them are durable, or none is done. */
import { isFull } from "./sqlite.ts";

/** The disk or the store's quota is full: nothing of the step was written. */
export class StoreFull extends Error {
  override readonly name = "StoreFull";
}

/**
 * Whether a write must be on the disk before it is told, or can be brought back: what the journal holds at the stage *signed*
 * is concluded again after a cut of the power, and a command that was only begun is sent again by its client.
 */
export type Need = "synced" | "journaled";
type Waiting = {
  readonly need: Need;
  readonly write: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/** How a store writes: `commit` writes a step; `sync` forces what is committed to the disk, off this thread. */
export type Disk = {
  readonly commit: (writes: readonly (() => void)[]) => void;
  /** Undefined where what the operating system has taken is durable enough. */
  readonly sync: (() => Promise<void>) | undefined;
};

/**
 * Collects writes until `defer` gets to them, and does them in one step: all of it is done, or nothing. While one sync is under
 * way, what is committed meanwhile waits for the next, which covers all of it: the busier the store, the fewer syncs for each.
 */
export function groupedWrites(
  { commit, sync }: Disk,
  defer: (task: () => void) => void,
): (need: Need, write: () => void) => Promise<void> {
  let waiting: Waiting[] = [];
  let unsynced: Waiting[] = [];
  let isSyncing = false;
  const syncAll = (): void => {
    if (sync === undefined || isSyncing || unsynced.length === 0) return;
    const covered = unsynced;
    unsynced = [];
    isSyncing = true;
    sync()
      .then(
        () => settle(covered, undefined),
        (error: unknown) => settle(covered, { error }),
      )
      .finally(() => {
        isSyncing = false;
        syncAll();
      });
  };
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    try {
      commit(batch.map(({ write }) => write));
    } catch (error) {
      settle(batch, { error: isFull(error) ? new StoreFull("the store is full", { cause: error }) : error });
      return;
    }
    const isWaiting = ({ need }: Waiting): boolean => sync !== undefined && need === "synced";
    unsynced.push(...batch.filter(isWaiting));
    settle(
      batch.filter((each) => !isWaiting(each)),
      undefined,
    );
    syncAll();
  };
  return (need, write) => {
    if (waiting.length === 0) defer(flush);
    return new Promise((resolve, reject) => waiting.push({ need, write, resolve, reject }));
  };
}

function settle(batch: readonly Waiting[], failure: { readonly error: unknown } | undefined): void {
  for (const { resolve, reject } of batch) {
    if (failure === undefined) resolve();
    else reject(failure.error);
  }
}
