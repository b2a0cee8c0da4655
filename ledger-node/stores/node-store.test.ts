/** The stores of a node against what every such store must do; then what only a file can show. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hashOf } from "#core";
import { keyOf } from "../../testkit/builders.ts";
import { nodeStoreConformance } from "../../testkit/node-store-conformance.ts";
import { type NodeStore, openSqliteNodeStore, type StoreEntry, StoreFull } from "./node-store.ts";
import { type HostStore, openSqliteHostStore } from "./sqlite-host-store.ts";

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

for (const durability of ["power-loss", "process-crash"] as const)
  nodeStoreConformance(`of one of the parties in a file (${durability})`, {
    open: (place, defer) => {
      const host = openSqliteHostStore(join(folder, `host ${durability} ${place}.sqlite`), durability, defer);
      return { ...host.storeOf(place), close: host.close };
    },
    isShared: true,
  });

test("each party of a file sees its own alone, and what all keep is written once", async () => {
  const open = (): HostStore =>
    openSqliteHostStore(join(folder, "many.sqlite"), "process-crash", (task) => setImmediate(task));
  const first = open();
  const [alice, bob] = [first.storeOf("alice"), first.storeOf("bob")];
  const command = { id: "join", digest: hashOf("join") };
  const joint = entry("joint", { bytes: new Uint8Array(100_000), command });
  await Promise.all([alice.put(entry("of alice")), alice.put(joint), bob.put({ ...joint, command: null })]);
  await alice.putJournal({ command, stage: "begun", body: new Uint8Array([1]) });
  await alice.claimNonce(keyOf("agent"), "1", 1_000);
  await alice.putProofs([{ ref: { txId: hashOf("proved"), index: 0 }, bytes: new Uint8Array([1]) }]);
  expect([alice.reserveSequence(10), alice.reserveSequence(1), bob.reserveSequence(1)]).toEqual([1, 11, 1]);
  first.close();
  const again = open();
  const kept = ["alice", "bob"].map((name) => {
    const store = again.storeOf(name);
    const sequences = [...store.scan()].map(({ sequence, txId }) => `${sequence} ${txId}`);
    return [
      sequences,
      store.commandOf("join")?.txId,
      store.journal().length,
      [...store.proofs()].length,
      store.count(),
    ];
  });
  expect(kept).toEqual([
    [[`1 ${hashOf("of alice")}`, `2 ${hashOf("joint")}`], hashOf("joint"), 1, 1, 2],
    [[`1 ${hashOf("joint")}`], undefined, 0, 0, 1],
  ]);
  expect(await again.storeOf("bob").claimNonce(keyOf("agent"), "1", 1_000)).toBe(true);
  again.close();
  expect(statSync(join(folder, "many.sqlite")).size).toBeLessThan(200_000);
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
