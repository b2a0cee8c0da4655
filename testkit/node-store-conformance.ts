/**
 * What every store of a node must do, whatever engine it stands on: keep what it was given as it was given, tell that it is kept
 * only once it is, and be the same store when it is opened again. Not exported by the test kit's door, which is used outside of
 * test runs too: tests import this file.
 */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hashOf, type PublicKey } from "#core";
import type { NodeStore } from "#ledger-node";
import { keyOf } from "./builders.ts";

export type NodeStoreEngine = {
  /** Opens the store of that name, empty at first; it writes when `defer` runs what it was given. */
  readonly open: (place: string, defer: (task: () => void) => void) => NodeStore | Promise<NodeStore>;
  /** Whether a store that was closed is the same store when it is opened again. */
  readonly isShared: boolean;
};

type Opened = (defer?: (task: () => void) => void) => Promise<NodeStore>;
type StoreEntry = Parameters<NodeStore["put"]>[0];
type JournalEntry = Parameters<NodeStore["putJournal"]>[0];

const soon = (task: () => void): void => void setImmediate(task);

function entry(name: string, patch: Partial<StoreEntry> = {}): StoreEntry {
  return { txId: hashOf(name), kind: "full", bytes: new TextEncoder().encode(name), command: null, ...patch };
}

function command(id: string, content: string = id): NonNullable<StoreEntry["command"]> {
  return { id, digest: hashOf(`content ${content}`) };
}

function journaled(id: string, stage: JournalEntry["stage"], body: string): JournalEntry {
  return { command: command(id), stage, body: new TextEncoder().encode(body) };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** All that a store keeps, in short lines: two stores with the same lines are the same. */
function contentOf(store: NodeStore, commands: readonly string[] = []): readonly string[] {
  return [
    ...[...store.scan()].map(
      ({ sequence, txId, kind, bytes }) => `${sequence} ${txId.slice(0, 8)} ${kind} ${text(bytes)}`,
    ),
    ...[...store.proofs()].map(({ ref, bytes }) => `proof ${ref.txId.slice(0, 8)}:${ref.index} ${text(bytes)}`).sort(),
    ...store
      .journal()
      .map(({ command: of, stage, body }) => `under way ${of.id} ${of.digest.slice(0, 8)} ${stage} ${text(body)}`),
    ...commands.map((id) => {
      const done = store.commandOf(id);
      return `${id} ${done?.txId.slice(0, 8)} ${done?.digest.slice(0, 8)}`;
    }),
  ];
}

/** Runs all cases against an engine. To be called once per engine, at the top of a test file. */
export function nodeStoreConformance(name: string, engine: NodeStoreEngine): void {
  describe(name, () => {
    const stores: NodeStore[] = [];
    let places = 0;
    const opened: Opened = async (defer = soon) => {
      const store = await engine.open(`store ${places++}`, defer);
      stores.push(store);
      return store;
    };
    afterAll(() => {
      for (const store of stores) store.close();
    });
    transactionCases(opened);
    readingCases(opened);
    commandCases(opened);
    journalCases(opened);
    nonceCases(opened);
    numberCases(opened);
    writeCases(opened);
    if (engine.isShared) reopeningCases(engine);
    lawOfHistories(engine);
  });
}

function transactionCases(opened: Opened): void {
  describe("transactions", () => {
    test("are given back as they were put, in order, with the bytes as received", async () => {
      const store = await opened();
      await store.put(entry("a"));
      await store.put(entry("b", { kind: "notice" }));
      await store.put(entry("c", { bytes: new Uint8Array([0, 255, 10, 0]) }));
      const rows = [...store.scan()].map(({ sequence, txId, kind, bytes }) => [sequence, txId, kind, [...bytes]]);
      expect(rows).toEqual([
        [1, hashOf("a"), "full", [97]],
        [2, hashOf("b"), "notice", [98]],
        [3, hashOf("c"), "full", [0, 255, 10, 0]],
      ]);
      expect(store.count()).toBe(3);
    });

    test("that come again change nothing, and take no number", async () => {
      const store = await opened();
      await store.put(entry("a"));
      await store.put(entry("a", { kind: "notice", bytes: new Uint8Array([1]) }));
      await Promise.all([store.put(entry("b")), store.put(entry("b", { kind: "notice" }))]);
      expect(contentOf(store).map((line) => line.replace(/ [0-9a-f]{8} /, " "))).toEqual(["1 full a", "2 full b"]);
    });

    test("of which more is shown later stand in its place, as the newest, with the command that made them", async () => {
      const store = await opened();
      for (const name of ["a", "b"]) await store.put(entry(name, { kind: "notice" }));
      const more = entry("a", { bytes: new TextEncoder().encode("more"), command: command("c") });
      await store.putMore(more);
      await store.putMore(entry("d"));
      expect(contentOf(store, ["c"]).map((line) => line.replace(/ [0-9a-f]{8} (?=full|notice)/, " "))).toEqual([
        "2 notice b",
        "3 full more",
        "4 full d",
        `c ${hashOf("a").slice(0, 8)} ${hashOf("content c").slice(0, 8)}`,
      ]);
      expect([store.count(), store.transactionOf(hashOf("a"))?.sequence, store.transactionOf(hashOf("c"))]).toEqual([
        3,
        3,
        undefined,
      ]);
    });
  });
}

function readingCases(opened: Opened): void {
  describe("what is kept", () => {
    test("is given page by page, each transaction once", async () => {
      const store = await opened();
      await Promise.all(["a", "b", "c", "d", "e"].map((name) => store.put(entry(name))));
      const numbers = (after: number, limit: number): readonly number[] =>
        store.scanAfter(after, limit).map(({ sequence }) => sequence);
      expect([numbers(0, 2), numbers(2, 2), numbers(4, 2), numbers(5, 2), numbers(0, 99), numbers(9, 1)]).toEqual([
        [1, 2],
        [3, 4],
        [5],
        [],
        [1, 2, 3, 4, 5],
        [],
      ]);
      const back = (before: number | null, limit: number): readonly number[] =>
        store.scanBefore(before, limit).map(({ sequence }) => sequence);
      expect([back(null, 2), back(4, 2), back(2, 2), back(1, 2), back(null, 99)]).toEqual([
        [5, 4],
        [3, 2],
        [1],
        [],
        [5, 4, 3, 2, 1],
      ]);
      expect(store.scanAfter(1, 1).map(({ txId, kind, bytes }) => [txId, kind, text(bytes)])).toEqual([
        [hashOf("b"), "full", "b"],
      ]);
    });

    test("is the store's own: what was given may be changed afterwards", async () => {
      const store = await opened();
      const given = entry("a");
      await store.put(given);
      given.bytes.fill(0);
      expect([...store.scan()].map(({ bytes }) => text(bytes))).toEqual(["a"]);
    });

    test("of proofs is by state the first that came, whatever else is kept of the transaction", async () => {
      const store = await opened();
      const ref = { txId: hashOf("t"), index: 3 };
      const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
      await store.putProofs([{ ref, bytes: bytes("first") }]);
      await store.putProofs([
        { ref, bytes: bytes("second") },
        { ref: { ...ref, index: 256 }, bytes: bytes("other") },
      ]);
      await store.putProofs([]);
      await store.put(entry("t"));
      const short = hashOf("t").slice(0, 8);
      expect(contentOf(store)).toEqual([`1 ${short} full t`, `proof ${short}:256 other`, `proof ${short}:3 first`]);
    });
  });
}

function commandCases(opened: Opened): void {
  test("a command id names one transaction for ever, with the digest of its first content", async () => {
    const store = await opened();
    await store.put(entry("a", { command: command("c") }));
    await store.put(entry("b", { command: command("c", "another") }));
    await store.put(entry("a", { command: command("d") }));
    expect(store.commandOf("c")).toEqual({ txId: hashOf("a"), digest: command("c").digest });
    expect(store.commandOf("d"), "a transaction may come before its command is known").toEqual({
      txId: hashOf("a"),
      digest: command("d").digest,
    });
    expect(store.commandOf("unknown")).toBeUndefined();
    const all = store.commands().map(({ id, txId, digest }) => [id, { txId, digest }]);
    expect(all.sort()).toEqual(["c", "d"].map((id) => [id, store.commandOf(id)]));
    expect(store.count()).toBe(2);
  });
}

function journalCases(opened: Opened): void {
  test("the journal keeps how far each command has come, in the order in which they began, until it is dropped", async () => {
    const store = await opened();
    const lines = (): readonly string[] =>
      store.journal().map(({ command: { id }, stage, body }) => `${id} ${stage} ${text(body)}`);
    await Promise.all([store.putJournal(journaled("a", "begun", "1")), store.putJournal(journaled("b", "begun", "2"))]);
    await store.putJournal(journaled("a", "signed", "3"));
    expect(lines()).toEqual(["a signed 3", "b begun 2"]);
    expect(store.journal()[0]?.command).toEqual(command("a"));
    await store.putJournal(journaled("c", "final", ""));
    await Promise.all([store.dropJournal("b"), store.dropJournal("never there")]);
    expect(lines()).toEqual(["a signed 3", "c final "]);
    await store.putJournal(journaled("b", "begun", "anew"));
    expect(lines()).toEqual(["a signed 3", "c final ", "b begun anew"]);
    expect(store.commandOf("a"), "what is under way is not done").toBeUndefined();
  });
}

function nonceCases(opened: Opened): void {
  const [alice, bob]: readonly [PublicKey, PublicKey] = [keyOf("alice"), keyOf("bob")];

  test("a request's number is claimed once for each key, until it is forgotten", async () => {
    const store = await opened();
    expect(await Promise.all([store.claimNonce(alice, "n", 10), store.claimNonce(alice, "n", 99)])).toEqual([
      true,
      false,
    ]);
    expect([await store.claimNonce(bob, "n", 20), await store.claimNonce(alice, "N", 20)]).toEqual([true, true]);
    await store.dropNonces(9);
    expect(await store.claimNonce(alice, "n", 30), "it had until 10, whoever came second").toBe(false);
    await store.dropNonces(10);
    expect([await store.claimNonce(alice, "n", 30), await store.claimNonce(bob, "n", 30)]).toEqual([true, false]);
  });

  test("of many claims of one number at once, one succeeds", async () => {
    const store = await opened();
    const claims = await Promise.all(Array.from({ length: 50 }, () => store.claimNonce(alice, "n", 10)));
    expect(claims.filter((isNew) => isNew)).toHaveLength(1);
  });
}

function numberCases(opened: Opened): void {
  test("arrival numbers are given once, in runs without a gap", async () => {
    const store = await opened();
    expect([store.reserveSequence(1), store.reserveSequence(5), store.reserveSequence(1)]).toEqual([1, 2, 7]);
    for (const count of [0, -1, 1.5, Number.NaN]) expect(() => store.reserveSequence(count)).toThrow("Invariant");
    expect(store.reserveSequence(1)).toBe(8);
  });
}

function writeCases(opened: Opened): void {
  test("all that is asked before the store gets to write is one write; nothing is told or shown before it", async () => {
    const tasks: (() => void)[] = [];
    const store = await opened((task) => tasks.push(task));
    const told: string[] = [];
    const asked = [
      store.put(entry("a", { command: command("c") })).then(() => told.push("put")),
      store.putJournal(journaled("c", "begun", "")).then(() => told.push("journal")),
      store.claimNonce(keyOf("alice"), "n", 10).then(() => told.push("nonce")),
      store
        .putProofs([{ ref: { txId: hashOf("t"), index: 0 }, bytes: new Uint8Array([1]) }])
        .then(() => told.push("proof")),
    ];
    await Promise.resolve();
    expect([tasks.length, contentOf(store), store.commandOf("c"), told]).toEqual([1, [], undefined, []]);
    tasks[0]?.();
    await Promise.all(asked);
    expect([contentOf(store).length, [...told].sort()]).toEqual([3, ["journal", "nonce", "proof", "put"]]);
    const next = store.put(entry("d"));
    await Promise.resolve();
    expect(tasks.length).toBeGreaterThan(1);
    for (const task of tasks.slice(1)) task();
    await next;
  });

  test("what is written together is there in the order in which it was asked for", async () => {
    const store = await opened();
    const steps = [
      store.putJournal(journaled("c", "begun", "1")),
      store.putJournal(journaled("c", "signed", "2")),
      store.put(entry("a", { command: command("c") })),
      store.dropJournal("c"),
      store.putJournal(journaled("d", "begun", "3")),
    ];
    await Promise.all(steps);
    expect(contentOf(store, ["c"]).map((line) => line.split(" ")[0])).toEqual(["1", "under", "c"]);
    expect(store.journal().map(({ command: { id } }) => id)).toEqual(["d"]);
  });

  test("a write that fails fails all that were to be written with it, and stores none of them", async () => {
    const store = await opened();
    const broken = { ...entry("broken"), bytes: null as unknown as Uint8Array };
    const results = await Promise.allSettled([
      store.put(entry("a", { command: command("c") })),
      store.put(broken),
      store.putJournal(journaled("d", "begun", "")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(contentOf(store)).toEqual([]);
    expect(store.commandOf("c")).toBeUndefined();
    await store.put(entry("a"));
    expect(store.count()).toBe(1);
  });
}

function reopeningCases({ open }: NodeStoreEngine): void {
  describe("a store that stays", () => {
    test("remembers everything after it was opened again, and gives no number twice", async () => {
      const first = await open("again", soon);
      await first.put(entry("a", { command: command("c") }));
      await first.put(entry("b", { kind: "notice" }));
      await first.putProofs([{ ref: { txId: hashOf("t"), index: 7 }, bytes: new Uint8Array([65]) }]);
      await first.putJournal(journaled("p", "begun", "1"));
      await first.putJournal(journaled("q", "final", "2"));
      await first.putJournal(journaled("p", "signed", "3"));
      await first.claimNonce(keyOf("alice"), "n", 10);
      expect(first.reserveSequence(10)).toBe(1);
      const before = contentOf(first, ["c", "p"]);
      first.close();
      const second = await open("again", soon);
      expect(contentOf(second, ["c", "p"])).toEqual(before);
      expect(second.journal().map(({ command: { id } }) => id)).toEqual(["p", "q"]);
      expect(await second.claimNonce(keyOf("alice"), "n", 99)).toBe(false);
      expect(second.reserveSequence(1)).toBe(11);
      await second.put(entry("c"));
      expect([...second.scan()].at(-1)?.sequence).toBe(3);
      second.close();
    });

    test("what was not told is kept may be lost; what was told is not", async () => {
      const first = await open("untold", soon);
      await first.put(entry("told"));
      const untold = first.put(entry("untold"));
      first.close();
      await expect(untold).rejects.toThrow();
      const second = await open("untold", soon);
      expect([...second.scan()].map(({ bytes }) => text(bytes))).toEqual(["told"]);
      second.close();
    });
  });
}

type Step =
  | { readonly tag: "put"; readonly name: string; readonly kind: "full" | "notice"; readonly id: string | null }
  | { readonly tag: "journal"; readonly id: string; readonly stage: JournalEntry["stage"]; readonly body: string }
  | { readonly tag: "drop"; readonly id: string }
  | { readonly tag: "nonce"; readonly nonce: string; readonly expiresMs: number }
  | { readonly tag: "forget"; readonly expiredMs: number }
  | { readonly tag: "settle" | "reopen" };

const arbId = fc.constantFrom("c", "d", "e");
const arbStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    tag: fc.constant("put" as const),
    name: fc.constantFrom("s", "t", "u", "v"),
    kind: fc.constantFrom("full" as const, "notice" as const),
    id: fc.option(arbId),
  }),
  fc.record({
    tag: fc.constant("journal" as const),
    id: arbId,
    stage: fc.constantFrom("begun" as const, "signed" as const, "final" as const),
    body: fc.constantFrom("1", "2"),
  }),
  fc.record({ tag: fc.constant("drop" as const), id: arbId }),
  fc.record({ tag: fc.constant("nonce" as const), nonce: fc.constantFrom("m", "n"), expiresMs: fc.nat({ max: 5 }) }),
  fc.record({ tag: fc.constant("forget" as const), expiredMs: fc.nat({ max: 5 }) }),
  fc.record({ tag: fc.constantFrom("settle" as const, "reopen" as const) }),
);

/** The store once more, as simply as can be: everything in maps. */
class Model {
  readonly #transactions = new Map<string, string>();
  readonly #commands = new Map<string, string>();
  readonly #journal = new Map<string, string>();
  readonly #nonces = new Map<string, number>();

  apply(step: Step): boolean | undefined {
    if (step.tag === "put") this.#put(step);
    if (step.tag === "journal") this.#journal.set(step.id, `${step.stage} ${step.body}`);
    if (step.tag === "drop") this.#journal.delete(step.id);
    if (step.tag === "forget")
      for (const [nonce, expiresMs] of [...this.#nonces]) if (expiresMs <= step.expiredMs) this.#nonces.delete(nonce);
    if (step.tag !== "nonce") return undefined;
    const isNew = !this.#nonces.has(step.nonce);
    if (isNew) this.#nonces.set(step.nonce, step.expiresMs);
    return isNew;
  }

  #put({ name, kind, id }: Extract<Step, { readonly tag: "put" }>): void {
    if (!this.#transactions.has(name)) this.#transactions.set(name, kind);
    if (id !== null && !this.#commands.has(id)) this.#commands.set(id, name);
  }

  get content(): readonly string[] {
    const [short, digest] = [
      (name: string) => hashOf(name).slice(0, 8),
      (id: string) => command(id).digest.slice(0, 8),
    ];
    return [
      ...[...this.#transactions].map(([name, kind], index) => `${index + 1} ${short(name)} ${kind} ${name}`),
      ...[...this.#journal].map(([id, rest]) => `under way ${id} ${digest(id)} ${rest}`),
      ...["c", "d", "e"].map((id) => {
        const done = this.#commands.get(id);
        return done === undefined ? `${id} undefined undefined` : `${id} ${short(done)} ${digest(id)}`;
      }),
    ];
  }
}

function apply(store: NodeStore, step: Step): Promise<unknown> {
  switch (step.tag) {
    case "put":
      return store.put(entry(step.name, { kind: step.kind, command: step.id === null ? null : command(step.id) }));
    case "journal":
      return store.putJournal(journaled(step.id, step.stage, step.body));
    case "drop":
      return store.dropJournal(step.id);
    case "nonce":
      return store.claimNonce(keyOf("alice"), step.nonce, step.expiresMs);
    case "forget":
      return store.dropNonces(step.expiredMs);
    default:
      return Promise.resolve();
  }
}

/** Does a history on a store and on the model; what is asked without waiting is written together. */
async function runHistory(engine: NodeStoreEngine, place: string, history: readonly Step[]): Promise<void> {
  let store = await engine.open(place, soon);
  const model = new Model();
  let open: Promise<unknown>[] = [];
  let expected: (boolean | undefined)[] = [];
  const settle = async (): Promise<void> => {
    expect(await Promise.all(open)).toEqual(expected);
    [open, expected] = [[], []];
    expect(contentOf(store, ["c", "d", "e"])).toEqual(model.content);
  };
  for (const step of history) {
    open.push(apply(store, step));
    expected.push(model.apply(step));
    if (step.tag === "settle" || step.tag === "reopen") await settle();
    if (step.tag !== "reopen" || !engine.isShared) continue;
    store.close();
    store = await engine.open(place, soon);
    expect(contentOf(store, ["c", "d", "e"])).toEqual(model.content);
  }
  await settle();
  store.close();
}

function lawOfHistories(engine: NodeStoreEngine): void {
  let runs = 0;
  test("law: whatever is asked, together or one after the other, over restarts: the store is as if it had been asked one by one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbStep, { maxLength: 30 }), (history) => runHistory(engine, `law ${runs++}`, history)),
      { numRuns: 40 },
    );
  });
}
