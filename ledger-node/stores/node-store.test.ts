/** What every store of a node must do, run against each engine; and what a file remembers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOf } from "#core";
import { type NodeStore, openSqliteNodeStore, type PendingTransaction, type StoreEntry } from "./node-store.ts";

function entry(name: string, patch: Partial<StoreEntry> = {}): StoreEntry {
  return { txId: hashOf(name), kind: "full", bytes: new TextEncoder().encode(name), command: null, ...patch };
}

function pending(name: string): PendingTransaction {
  return {
    txId: hashOf(name),
    command: { id: `command ${name}`, digest: hashOf(`digest ${name}`) },
    signed: new TextEncoder().encode(`signed ${name}`),
    inputs: new TextEncoder().encode(`inputs ${name}`),
  };
}

function texts(store: NodeStore): readonly string[] {
  return [...store.scan()].map(({ sequence, kind, bytes }) => `${sequence} ${kind} ${new TextDecoder().decode(bytes)}`);
}

/** What every store must hold. `open` gives an empty one that runs its writes when `run` is called. */
function behavesAsNodeStore(open: (defer: (task: () => void) => void) => NodeStore): void {
  const stores: NodeStore[] = [];
  const opened = (defer: (task: () => void) => void = (task) => setImmediate(task)): NodeStore => {
    const store = open(defer);
    stores.push(store);
    return store;
  };
  afterAll(() => {
    for (const store of stores) store.close();
  });

  test("gives back what was put, in order, with the bytes as received", async () => {
    const store = opened();
    await store.put(entry("a"));
    await store.put(entry("b", { kind: "notice" }));
    await store.put(entry("c"));
    expect(texts(store)).toEqual(["1 full a", "2 notice b", "3 full c"]);
    expect(store.count()).toBe(3);
  });

  test("leaves an entry as it is when it comes again", async () => {
    const store = opened();
    await store.put(entry("a", { command: { id: "first", digest: hashOf("1") } }));
    await store.put(entry("a", { kind: "notice", bytes: new Uint8Array([1]) }));
    expect(texts(store)).toEqual(["1 full a"]);
  });

  test("a command id names one transaction for ever, with the digest of its first content", async () => {
    const store = opened();
    await store.put(entry("a", { command: { id: "c", digest: hashOf("content") } }));
    await store.put(entry("b", { command: { id: "c", digest: hashOf("other content") } }));
    expect(store.commandOf("c")).toEqual({ txId: hashOf("a"), digest: hashOf("content") });
    expect(store.commandOf("unknown")).toBeUndefined();
    expect(store.count()).toBe(2);
  });

  test("numbers are given once, in runs without a gap", () => {
    const store = opened();
    expect([store.reserveSequence(1), store.reserveSequence(5), store.reserveSequence(1)]).toEqual([1, 2, 7]);
    for (const count of [0, -1, 1.5, Number.NaN]) expect(() => store.reserveSequence(count)).toThrow("Invariant");
    expect(store.reserveSequence(1)).toBe(8);
  });

  test("proofs are kept by state; a second proof of the same state is not taken", async () => {
    const store = opened();
    const ref = { txId: hashOf("t"), index: 3 };
    await store.putProofs([{ ref, bytes: new Uint8Array([1]) }]);
    await store.putProofs([
      { ref, bytes: new Uint8Array([2]) },
      { ref: { ...ref, index: 4 }, bytes: new Uint8Array([3]) },
    ]);
    expect([...store.proofs()].map(({ ref: { index }, bytes }) => [index, ...bytes])).toEqual([
      [3, 1],
      [4, 3],
    ]);
  });

  test("what is pending stays until it is dropped, oldest first", async () => {
    const store = opened();
    await Promise.all([store.putPending(pending("a")), store.putPending(pending("b"))]);
    expect(store.pending().map(({ txId, command }) => [txId, command])).toEqual([
      [hashOf("a"), pending("a").command],
      [hashOf("b"), pending("b").command],
    ]);
    expect(new TextDecoder().decode(store.pending()[1]?.inputs)).toBe("inputs b");
    await store.dropPending(hashOf("a"));
    await store.dropPending(hashOf("never there"));
    expect(store.pending().map(({ txId }) => txId)).toEqual([hashOf("b")]);
  });

  test("all that is asked before the store gets to write is one write; nothing is told before it", async () => {
    const tasks: (() => void)[] = [];
    const store = opened((task) => tasks.push(task));
    const told: string[] = [];
    const puts = ["a", "b", "c"].map((name) => store.put(entry(name)).then(() => told.push(name)));
    await Promise.resolve();
    expect([tasks.length, store.count(), told]).toEqual([1, 0, []]);
    tasks[0]?.();
    await Promise.all(puts);
    expect([store.count(), told]).toEqual([3, ["a", "b", "c"]]);
    const next = store.put(entry("d"));
    expect(tasks).toHaveLength(2);
    tasks[1]?.();
    await next;
  });

  test("a write that fails fails all that were to be written with it, and stores none of them", async () => {
    const store = opened();
    const broken = { ...entry("broken"), bytes: null as unknown as Uint8Array };
    const results = await Promise.allSettled([store.put(entry("a")), store.put(broken), store.put(entry("b"))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(store.count()).toBe(0);
    await store.put(entry("a"));
    expect(texts(store)).toEqual(["1 full a"]);
  });
}

describe("on SQLite", () => {
  behavesAsNodeStore((defer) => openSqliteNodeStore(":memory:", "process-crash", defer));
});

describe.each(["power-loss", "process-crash"] as const)("a store in a file (%s)", (durability) => {
  let folder: string;
  const open = (): NodeStore =>
    openSqliteNodeStore(join(folder, "node.sqlite"), durability, (task) => setImmediate(task));
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dream-node-store-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("remembers everything after it was opened again, and gives no number twice", async () => {
    const first = open();
    await first.put(entry("a", { command: { id: "c", digest: hashOf("content") } }));
    await first.putProofs([{ ref: { txId: hashOf("t"), index: 0 }, bytes: new Uint8Array([1]) }]);
    await first.putPending(pending("p"));
    expect(first.reserveSequence(10)).toBe(1);
    first.close();
    const second = open();
    expect(texts(second)).toEqual(["1 full a"]);
    expect(second.commandOf("c")).toEqual({ txId: hashOf("a"), digest: hashOf("content") });
    expect([...second.proofs()]).toHaveLength(1);
    expect(second.pending()).toHaveLength(1);
    expect(second.reserveSequence(1)).toBe(11);
    second.close();
  });

  test("what was not told is durable may be lost; what was told is not", async () => {
    const first = open();
    const told = first.put(entry("told"));
    await told;
    const untold = first.put(entry("untold"));
    first.close();
    await expect(untold).rejects.toThrow();
    const second = open();
    expect(texts(second).map((line) => line.split(" ")[2])).toEqual(["a", "told"]);
    second.close();
  });
});
