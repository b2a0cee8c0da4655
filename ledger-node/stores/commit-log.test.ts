/**
 * What every commit log must do, run against each engine. The cases follow those of Corda's uniqueness providers: inputs,
 * references and time windows, each fresh or used, first time or again. Then durability of the engine that has it.
 */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refKey, type StateRef } from "#contracts";
import { type Hash, hashOf } from "#core";
import { type CommitLog, type CommitRequest, type CommitVerdict, isWithin } from "./commit-log.ts";
import { createMemoryCommitLog } from "./memory-commit-log.ts";
import { openSqliteCommitLog } from "./sqlite-commit-log.ts";

const NOW = 1_000_000;

function ref(name: string): StateRef {
  return { txId: hashOf(`state ${name}`), index: 0 };
}

type Parts = {
  readonly inputs?: string;
  readonly references?: string;
  readonly fromMs?: number;
  readonly untilMs?: number;
};

/** A request by name; inputs and references by names, separated by spaces. */
function request(name: string, { inputs = "", references = "", fromMs, untilMs }: Parts = {}): CommitRequest {
  const refs = (names: string): readonly StateRef[] => (names === "" ? [] : names.split(" ").map(ref));
  return {
    txId: hashOf(`transaction ${name}`),
    inputs: refs(inputs),
    references: refs(references),
    window: { fromMs: fromMs ?? null, untilMs: untilMs ?? null },
    bytes: new TextEncoder().encode(name),
  };
}

/** The verdicts in short: number and `again`, the conflicting states, or `window`. */
function short(verdicts: readonly CommitVerdict[]): readonly string[] {
  return verdicts.map((verdict) => {
    if (verdict.ok) return `${verdict.sequence}${verdict.isRepeat ? " again" : ""}`;
    return verdict.error.tag === "time_window_invalid"
      ? "window"
      : verdict.error.spent.map(({ ref: key }) => key).join();
  });
}

/** What every commit log must hold. `open` gives an empty one. */
function behavesAsCommitLog(open: () => CommitLog): void {
  const logs: CommitLog[] = [];
  const opened = (): CommitLog => {
    const log = open();
    logs.push(log);
    return log;
  };
  afterAll(() => {
    for (const log of logs) log.close();
  });
  const commit = (log: CommitLog, atMs: number, ...batch: readonly CommitRequest[]): readonly string[] =>
    short(log.commit(atMs, batch));

  const valid = { fromMs: NOW - 10, untilMs: NOW + 10 };
  const over = { fromMs: NOW - 20, untilMs: NOW };

  describe("fresh: committed, and again for ever", () => {
    const cases: readonly (readonly [string, Parts])[] = [
      ["nothing at all", {}],
      ["inputs", { inputs: "a b" }],
      ["references", { references: "r s" }],
      ["a window", valid],
      ["inputs and references", { inputs: "a", references: "r" }],
      ["inputs and a window", { inputs: "a", ...valid }],
      ["references and a window", { references: "r", ...valid }],
      ["inputs, references and a window", { inputs: "a b", references: "r s", ...valid }],
    ];
    test.each(cases)("%s", (_name, parts) => {
      const log = opened();
      const made = request("t", parts);
      expect(commit(log, NOW, made)).toEqual(["1"]);
      expect(commit(log, NOW, made), "a retry").toEqual(["1 again"]);
      expect(commit(log, NOW + 1_000, made), "a retry after the window").toEqual(["1 again"]);
      expect(commit(log, NOW, request("other", { inputs: "c" })), "the retries took no number").toEqual(["2"]);
    });

    test.each(cases)("%s: a retry succeeds although its references have been spent since", (_name, parts) => {
      const log = opened();
      const made = request("t", parts);
      commit(log, NOW, made);
      for (const name of ["r", "s"]) commit(log, NOW, request(`spends ${name}`, { inputs: name }));
      expect(commit(log, NOW, made)).toEqual(["1 again"]);
    });
  });

  describe("used: refused, whatever else holds", () => {
    const cases: readonly (readonly [string, Parts, string])[] = [
      ["a used input", { inputs: "used" }, "used"],
      ["a used reference", { references: "used" }, "used"],
      ["one used input of several", { inputs: "a used b" }, "used"],
      ["one used reference of several", { references: "r used" }, "used"],
      ["a fresh input with a used reference", { inputs: "a", references: "used" }, "used"],
      ["a used input with a fresh reference", { inputs: "used", references: "r" }, "used"],
      ["a used input in a valid window", { inputs: "used", ...valid }, "used"],
      ["a used reference in a valid window", { references: "used", ...valid }, "used"],
      ["a used input out of the window: the conflict comes first", { inputs: "used", ...over }, "used"],
      ["a used reference out of the window: the conflict comes first", { references: "used", ...over }, "used"],
      ["input and reference both used, in this order", { inputs: "used", references: "used2" }, "used used2"],
    ];
    test.each(cases)("%s", (_name, parts, spent) => {
      const log = opened();
      commit(log, NOW, request("first", { inputs: "used" }), request("second", { inputs: "used2" }));
      const made = request("t", parts);
      const expected = [
        spent
          .split(" ")
          .map((name) => refKey(ref(name)))
          .join(),
      ];
      expect(commit(log, NOW, made)).toEqual(expected);
      expect(commit(log, NOW, made), "a retry of a refused transaction").toEqual(expected);
      const [fresh = "none"] = (parts.inputs ?? "").split(" ").filter((name) => name !== "used");
      expect(commit(log, NOW, request("later", { inputs: fresh })), "a refusal spends nothing").toEqual(["3"]);
    });

    test("the answer carries the hash of the spender's id and not the id", () => {
      const log = opened();
      const winner = request("winner", { inputs: "a" });
      commit(log, NOW, winner);
      const [verdict] = log.commit(NOW, [request("loser", { inputs: "a" })]);
      expect(verdict).toEqual({
        ok: false,
        error: { tag: "state_conflict", spent: [{ ref: refKey(ref("a")), consumedBy: hashOf(winner.txId) }] },
      });
      expect(JSON.stringify(verdict)).not.toContain(winner.txId);
    });

    test("a reference stays unspent: it may be cited again, and then spent, and then no more cited", () => {
      const log = opened();
      expect(commit(log, NOW, request("1", { references: "r" }))).toEqual(["1"]);
      expect(commit(log, NOW, request("2", { references: "r" }))).toEqual(["2"]);
      expect(commit(log, NOW, request("3", { inputs: "r" }))).toEqual(["3"]);
      expect(commit(log, NOW, request("4", { references: "r" }))).toEqual([refKey(ref("r"))]);
    });

    test("states of one transaction are told apart by their index", () => {
      const log = opened();
      const at = (index: number): CommitRequest => ({
        ...request(`index ${index}`),
        inputs: [{ txId: hashOf("one"), index }],
      });
      expect(commit(log, NOW, at(0), at(1), at(256))).toEqual(["1", "2", "3"]);
      expect(commit(log, NOW, { ...at(1), txId: hashOf("thief") })).toEqual([`${hashOf("one")}:1`]);
    });
  });

  describe("windows are half-open, on the notary's clock", () => {
    const cases: readonly (readonly [string, Parts, number, string])[] = [
      ["just before it starts", { fromMs: 100 }, 99, "window"],
      ["the instant at which it starts", { fromMs: 100 }, 100, "1"],
      ["just before it ends", { untilMs: 100 }, 99, "1"],
      ["the instant at which it ends", { untilMs: 100 }, 100, "window"],
      ["the one instant of the shortest window", { fromMs: 100, untilMs: 101 }, 100, "1"],
      ["an empty window", { fromMs: 100, untilMs: 100 }, 100, "window"],
      ["a window that ends before it starts", { fromMs: 101, untilMs: 100 }, 100, "window"],
      ["no bounds", {}, 100, "1"],
    ];
    test.each(cases)("%s", (_name, parts, atMs, expected) => {
      for (const states of [{}, { inputs: "a" }, { references: "r" }]) {
        expect(commit(opened(), atMs, request("t", { ...parts, ...states }))).toEqual([expected]);
      }
    });

    test("refused before its window, a transaction is committed within it: nothing was remembered", () => {
      const log = opened();
      const early = request("early", { inputs: "a", references: "r", fromMs: NOW });
      expect(commit(log, NOW - 1, early)).toEqual(["window"]);
      expect(commit(log, NOW, early)).toEqual(["1"]);
    });

    test("a bid until the deadline and the end from the deadline on never both fit, and one always does", () => {
      for (const atMs of [NOW - 1, NOW, NOW + 1]) {
        const bid = isWithin({ fromMs: null, untilMs: NOW }, atMs);
        expect(isWithin({ fromMs: NOW, untilMs: null }, atMs)).toBe(!bid);
      }
    });
  });

  describe("within a batch, earlier requests shadow later ones", () => {
    test("two that spend the same state: the first is committed", () => {
      const log = opened();
      const batch = [request("1", { inputs: "a b" }), request("2", { inputs: "b c" }), request("3", { inputs: "c" })];
      expect(commit(log, NOW, ...batch)).toEqual(["1", refKey(ref("b")), "2"]);
      const both = [refKey(ref("b")), refKey(ref("c"))].join();
      expect(short(log.commit(NOW, batch)), "later, c is spent too").toEqual(["1 again", both, "2 again"]);
    });

    test("a reference that an earlier one spends is spent; one that a later one spends is not", () => {
      const log = opened();
      const cites = request("cites", { references: "r" });
      const spends = request("spends", { inputs: "r" });
      const tooLate = request("cites too late", { references: "r" });
      expect(commit(log, NOW, cites, spends, tooLate)).toEqual(["1", "2", refKey(ref("r"))]);
    });

    test("each citing what the other spends: only the first is committed", () => {
      const log = opened();
      const one = request("one", { inputs: "a", references: "b" });
      const two = request("two", { inputs: "b", references: "a" });
      expect(commit(log, NOW, one, two)).toEqual(["1", refKey(ref("a"))]);
    });

    test("the same transaction twice in one batch is one commit", () => {
      const log = opened();
      const made = request("t", { inputs: "a", references: "r" });
      expect(commit(log, NOW, made, made, request("u"))).toEqual(["1", "1 again", "2"]);
      expect([...log.scan()].map(({ sequence }) => sequence)).toEqual([1, 2]);
    });

    test("a refused one shadows nothing", () => {
      const log = opened();
      const late = request("late", { inputs: "a", untilMs: NOW });
      expect(commit(log, NOW, late, request("next", { inputs: "a" }))).toEqual(["window", "1"]);
    });

    test("an empty batch is nothing", () => {
      expect(commit(opened(), NOW)).toEqual([]);
    });
  });

  test("peek decides as commit would, and stores nothing", () => {
    const log = opened();
    commit(log, NOW, request("first", { inputs: "used" }));
    const asked = [
      request("fresh", { inputs: "a" }),
      request("conflict", { inputs: "used" }),
      request("late", over),
      request("first", { inputs: "used" }),
    ];
    const answers = asked.map((each) => log.peek(NOW, each));
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect([...log.scan()]).toHaveLength(1);
    expect(answers[0]).toMatchObject({ isRepeat: false });
    expect(answers[3]).toMatchObject({ isRepeat: true, sequence: 1 });
    expect(commit(log, NOW, asked[0] as CommitRequest)).toEqual(["2"]);
  });

  test("scan gives all that was committed, in order, with the bytes as received", () => {
    const log = opened();
    commit(log, 5, request("a"), request("b"));
    commit(log, 7, request("c"), request("a"));
    const rows = [...log.scan()].map(({ sequence, txId, atMs, bytes }) => [
      sequence,
      txId,
      atMs,
      new TextDecoder().decode(bytes),
    ]);
    expect(rows).toEqual([
      [1, hashOf("transaction a"), 5, "a"],
      [2, hashOf("transaction b"), 5, "b"],
      [3, hashOf("transaction c"), 7, "c"],
    ]);
  });

  test("law: whatever is asked in whatever batches, every state is spent at most once and verdicts are for ever", () => {
    fc.assert(
      fc.property(arbBatches, (batches) => {
        const log = open();
        const model = new Model();
        for (const [atMs, batch] of batches) expect(short(log.commit(atMs, batch))).toEqual(model.commit(atMs, batch));
        log.close();
      }),
      { numRuns: 60 },
    );
  });
}

/** The rules once more, as simply as can be: one request at a time, all in sets. */
class Model {
  readonly #spent = new Set<string>();
  readonly #numbers = new Map<Hash, number>();

  commit(atMs: number, batch: readonly CommitRequest[]): readonly string[] {
    return batch.map((each) => this.#commitOne(atMs, each));
  }

  #commitOne(atMs: number, { txId, inputs, references, window: { fromMs, untilMs } }: CommitRequest): string {
    const known = this.#numbers.get(txId);
    if (known !== undefined) return `${known} again`;
    const conflicts = [...inputs, ...references].map(refKey).filter((key) => this.#spent.has(key));
    if (conflicts.length > 0) return conflicts.join();
    if ((fromMs ?? atMs) > atMs || (untilMs ?? atMs + 1) <= atMs) return "window";
    for (const input of inputs) this.#spent.add(refKey(input));
    this.#numbers.set(txId, this.#numbers.size + 1);
    return `${this.#numbers.size}`;
  }
}

const arbNames = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 4 });
const arbRequest = fc
  .record({
    name: fc.integer({ min: 0, max: 12 }),
    states: arbNames,
    cited: fc.integer({ min: 0, max: 2 }),
    fromMs: fc.option(fc.integer({ min: 0, max: 5 })),
    untilMs: fc.option(fc.integer({ min: 0, max: 5 })),
  })
  .map(({ name, states, cited, fromMs, untilMs }) => ({
    // An id is that of its content: equal names with other content are other transactions.
    ...request(`${name} ${states.join()} ${cited} ${fromMs} ${untilMs}`),
    inputs: states.slice(cited).map(ref),
    references: states.slice(0, cited).map(ref),
    window: { fromMs, untilMs },
  }));
const arbBatches = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.array(arbRequest, { maxLength: 6 })), {
  maxLength: 12,
});

describe("in memory", () => behavesAsCommitLog(createMemoryCommitLog));

describe("on SQLite", () => {
  behavesAsCommitLog(() => openSqliteCommitLog(":memory:", "process-crash"));
});

describe("a log in a file", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dream-commit-log-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("remembers after it was opened again: numbers, conflicts and retries", () => {
    const file = join(folder, "again.sqlite");
    const first = openSqliteCommitLog(file);
    first.commit(NOW, [request("t", { inputs: "a", untilMs: NOW + 1 }), request("no inputs", { references: "r" })]);
    first.close();
    const second = openSqliteCommitLog(file);
    const batch = [
      request("t", { inputs: "a", untilMs: NOW + 1 }),
      request("no inputs", { references: "r" }),
      request("thief", { inputs: "a" }),
      request("new", { inputs: "b" }),
    ];
    expect(short(second.commit(NOW + 5, batch))).toEqual(["1 again", "2 again", refKey(ref("a")), "3"]);
    expect([...second.scan()].map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    second.close();
  });

  test("a copy of a closed log is the same log, and goes on by itself", () => {
    const [file, copy] = [join(folder, "original.sqlite"), join(folder, "copy.sqlite")];
    const original = openSqliteCommitLog(file);
    original.commit(NOW, [request("t", { inputs: "a" })]);
    original.close();
    copyFileSync(file, copy);
    const copied = openSqliteCommitLog(copy);
    expect(short(copied.commit(NOW, [request("t", { inputs: "a" }), request("thief", { inputs: "a" })]))).toEqual([
      "1 again",
      refKey(ref("a")),
    ]);
    copied.commit(NOW, [request("only in the copy", { inputs: "b" })]);
    copied.close();
    const reopened = openSqliteCommitLog(file);
    expect(short(reopened.commit(NOW, [request("other", { inputs: "b" })]))).toEqual(["2"]);
    reopened.close();
  });

  test("a batch is stored as a whole or not at all", () => {
    const file = join(folder, "whole.sqlite");
    const log = openSqliteCommitLog(file);
    const broken = { ...request("broken"), inputs: [{ txId: hashOf("x"), index: -1 }] };
    expect(() => log.commit(NOW, [request("sound", { inputs: "a" }), broken])).toThrow(RangeError);
    expect([...log.scan()]).toEqual([]);
    expect(short(log.commit(NOW, [request("other", { inputs: "a" })]))).toEqual(["1"]);
    log.close();
  });

  test.each(["power-loss", "process-crash"] as const)(
    "what a process was told is committed outlives its kill -9 (%s)",
    async (durability) => {
      const script = join(folder, "committer.cjs");
      await build({
        stdin: { contents: COMMITTER, resolveDir: import.meta.dirname, loader: "ts" },
        outfile: script,
        bundle: true,
        platform: "node",
        format: "cjs",
        conditions: ["dream-source"],
        external: ["better-sqlite3"],
        logLevel: "silent",
      });
      const file = join(folder, `killed-${durability}.sqlite`);
      const told = await tellUntilKilled(script, file, durability);
      expect(told).toBeGreaterThanOrEqual(TOLD_MIN);
      const log = openSqliteCommitLog(file, durability);
      const rows = [...log.scan()];
      expect(rows.length).toBeGreaterThanOrEqual(told);
      expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
      for (let number = 0; number < told; number++) {
        const [verdict] = log.commit(0, [
          { ...request("thief"), inputs: [{ txId: hashOf(`state ${number}`), index: 0 }] },
        ]);
        expect(verdict, `commit ${number} was told`).toMatchObject({ ok: false, error: { tag: "state_conflict" } });
      }
      log.close();
    },
  );
});

const TOLD_MIN = 100;

/** Commits one transaction after another and says the number of each once it is committed. */
const COMMITTER = `
import { writeSync } from "node:fs";
import { hashOf } from "#core";
import { openSqliteCommitLog } from "./sqlite-commit-log.ts";
const [, , file = "", durability] = process.argv;
const log = openSqliteCommitLog(file, durability === "power-loss" ? "power-loss" : "process-crash");
for (let number = 0; ; number++) {
  const window = { fromMs: null, untilMs: null };
  const inputs = [{ txId: hashOf("state " + number), index: 0 }];
  log.commit(0, [{ txId: hashOf("transaction " + number), inputs, references: [], window, bytes: new Uint8Array(200) }]);
  writeSync(1, number + "\\n");
}
`;

/** Runs the committer, kills it in the middle of its work, and gives how many commits it was told of. */
async function tellUntilKilled(script: string, file: string, durability: string): Promise<number> {
  const child = spawn(process.execPath, [script, file, durability], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_PATH: join(import.meta.dirname, "../../node_modules") },
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    expect(Number(line)).toBe(told);
    told += 1;
    if (told === TOLD_MIN) child.kill("SIGKILL");
  }
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
  return told;
}
