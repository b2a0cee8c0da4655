/** The stores of a node against what every such store must do; then what only a file can show. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hashOf } from "#core";
import { nodeStoreConformance } from "../../testkit/node-store-conformance.ts";
import { type NodeStore, openSqliteNodeStore, type StoreEntry, StoreFull } from "./node-store.ts";

function entry(name: string, patch: Partial<StoreEntry> = {}): StoreEntry {
  return { txId: hashOf(name), kind: "full", bytes: new TextEncoder().encode(name), command: null, ...patch };
}

const folder = mkdtempSync(join(tmpdir(), "dream-node-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

nodeStoreConformance("in memory", {
  open: (_place, defer) => openSqliteNodeStore(":memory:", "process-crash", defer),
  isShared: false,
});
for (const durability of ["power-loss", "process-crash"] as const)
  nodeStoreConformance(`on SQLite (${durability})`, {
    open: (place, defer) => openSqliteNodeStore(join(folder, `${durability} ${place}.sqlite`), durability, defer),
    isShared: true,
  });

test("a store that is full refuses, loses nothing, and goes on when there is room", async () => {
  const open = (bytesMax?: number): NodeStore =>
    openSqliteNodeStore(join(folder, "node.sqlite"), "process-crash", (task) => setImmediate(task), bytesMax);
  const small = open(200_000);
  const big = (name: string): StoreEntry => entry(name, { bytes: new Uint8Array(50_000) });
  const outcomes: unknown[] = [];
  for (const name of ["a", "b", "c", "d", "e", "f"])
    outcomes.push(
      await small.put(big(name)).then(
        () => "stored",
        (error: unknown) => error,
      ),
    );
  const stored = outcomes.filter((outcome) => outcome === "stored").length;
  expect([stored > 0, stored < 6]).toEqual([true, true]);
  expect(outcomes.slice(stored).every((outcome) => outcome instanceof StoreFull)).toBe(true);
  expect(small.count()).toBe(stored);
  small.close();
  const roomy = open();
  await roomy.put(big("f"));
  expect(roomy.count()).toBe(stored + 1);
  roomy.close();
});
