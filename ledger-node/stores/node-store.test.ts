/** What every store of a node must do, run against each engine; and what a file remembers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOf, signerFromSeed } from "#core";
import { type JournalEntry, type NodeStore, openSqliteNodeStore, type StoreEntry, StoreFull } from "./node-store.ts";

function entry(name: string, patch: Partial<StoreEntry> = {}): StoreEntry {
  return { txId: hashOf(name), kind: "full", bytes: new TextEncoder().encode(name), command: null, ...patch };
}

function journaled(name: string, stage: JournalEntry["stage"] = "begun", body: string = `body ${name}`): JournalEntry {
  const command = { id: `command ${name}`, digest: hashOf(`digest ${name}`) };
  return { command, stage, body: new TextEncoder().encode(body) };
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

  test("the journal keeps how far each command has come, oldest first, until it is dropped", async () => {
    const store = opened();
    await Promise.all([store.putJournal(journaled("a")), store.putJournal(journaled("b"))]);
    await store.putJournal(journaled("a", "signed", "more of a"));
    const lines = (): readonly string[] =>
      store.journal().map(({ command, stage, body }) => `${command.id} ${stage} ${new TextDecoder().decode(body)}`);
    expect(lines()).toEqual(["command a signed more of a", "command b begun body b"]);
    expect(store.journal()[0]?.command).toEqual(journaled("a").command);
    await store.dropJournal("command a");
    await store.dropJournal("never there");
    expect(lines()).toEqual(["command b begun body b"]);
  });

  test("a request's number is claimed once for each key, until it is forgotten", async () => {
    const store = opened();
    const [alice, bob] = [
      signerFromSeed(new Uint8Array(32)).publicKey,
      signerFromSeed(new Uint8Array(32).fill(1)).publicKey,
    ];
    expect(await Promise.all([store.claimNonce(alice, "n", 10), store.claimNonce(alice, "n", 10)])).toEqual([
      true,
      false,
    ]);
    expect(await store.claimNonce(bob, "n", 20)).toBe(true);
    await store.dropNonces(10);
    expect([await store.claimNonce(alice, "n", 30), await store.claimNonce(bob, "n", 30)]).toEqual([true, false]);
  });

  test("gives transactions page by page", async () => {
    const store = opened();
    for (const name of ["a", "b", "c"]) await store.put(entry(name));
    expect(store.scanAfter(0, 2).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(store.scanAfter(2, 2).map(({ sequence }) => sequence)).toEqual([3]);
    expect(store.scanAfter(3, 2)).toEqual([]);
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
    await first.putJournal(journaled("p"));
    expect(first.reserveSequence(10)).toBe(1);
    first.close();
    const second = open();
    expect(texts(second)).toEqual(["1 full a"]);
    expect(second.commandOf("c")).toEqual({ txId: hashOf("a"), digest: hashOf("content") });
    expect([...second.proofs()]).toHaveLength(1);
    expect(second.journal()).toEqual([{ ...journaled("p"), body: Buffer.from("body p") }]);
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

test("a store that is full refuses, loses nothing, and goes on when there is room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dream-node-store-"));
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
  rmSync(folder, { recursive: true });
});
