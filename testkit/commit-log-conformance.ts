/**
 * What every commit log must do, whatever engine it stands on. The cases follow those of Corda's uniqueness providers: inputs,
 * references and time windows, each fresh or used, first time or again. Not exported by the test kit's door, which is used
 * outside of test runs too: tests import this file.
 */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { refKey, type StateRef } from "#contracts";
import { type Hash, hashOf } from "#core";
import type { CommitLog, CommitRequest, CommitVerdict } from "#ledger-node";

export type CommitLogEngine = {
  /** Opens the log of that name, empty at first. */
  readonly open: (place: string) => CommitLog | Promise<CommitLog>;
  /** Whether a log that was closed, and one that is open twice, is the same log as before. */
  readonly isShared: boolean;
};

const NOW = 1_000_000;
const VALID = { fromMs: NOW - 10, untilMs: NOW + 10 };
const OVER = { fromMs: NOW - 20, untilMs: NOW };
const BATCH_MAX = 1_024;

function ref(name: string): StateRef {
  return { txId: hashOf(`state ${name}`), index: 0 };
}

function keys(...names: readonly string[]): string {
  return names.map((name) => refKey(ref(name))).join();
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

async function commit(log: CommitLog, atMs: number, ...batch: readonly CommitRequest[]): Promise<readonly string[]> {
  return short(await log.commit(atMs, batch));
}

type Opened = () => Promise<CommitLog>;

/** Runs all cases against an engine. To be called once per engine, at the top of a test file. */
export function commitLogConformance(name: string, engine: CommitLogEngine): void {
  describe(name, () => {
    const logs: CommitLog[] = [];
    let places = 0;
    const opened: Opened = async () => {
      const log = await engine.open(`log ${places++}`);
      logs.push(log);
      return log;
    };
    afterAll(async () => {
      for (const log of logs) await log.close();
    });
    freshCases(opened);
    usedCases(opened);
    answerCases(opened);
    windowCases(opened);
    batchCases(opened);
    longBatchCases(opened);
    readingCases(opened);
    if (engine.isShared) sharedCases(engine);
    laws(engine);
  });
}

const FRESH: readonly (readonly [string, Parts])[] = [
  ["nothing at all", {}],
  ["inputs", { inputs: "a b" }],
  ["references", { references: "r s" }],
  ["a window", VALID],
  ["inputs and references", { inputs: "a", references: "r" }],
  ["inputs and a window", { inputs: "a", ...VALID }],
  ["references and a window", { references: "r", ...VALID }],
  ["inputs, references and a window", { inputs: "a b", references: "r s", ...VALID }],
];

function freshCases(opened: Opened): void {
  describe("fresh: committed, and again for ever", () => {
    test.each(FRESH)("%s", async (_name, parts) => {
      const log = await opened();
      const made = request("t", parts);
      expect(await commit(log, NOW, made)).toEqual(["1"]);
      expect(await commit(log, NOW, made), "a retry").toEqual(["1 again"]);
      expect(await commit(log, NOW + 1_000, made), "a retry after the window has closed").toEqual(["1 again"]);
      expect(await commit(log, 0, made), "a retry before the window has opened").toEqual(["1 again"]);
      expect(await commit(log, NOW, request("other", { inputs: "c" })), "the retries took no number").toEqual(["2"]);
    });

    test.each(FRESH)("%s: a retry succeeds although its references have been spent since", async (_name, parts) => {
      const log = await opened();
      const made = request("t", parts);
      await commit(log, NOW, made);
      for (const name of ["r", "s"]) await commit(log, NOW, request(`spends ${name}`, { inputs: name }));
      expect(await commit(log, NOW, made)).toEqual(["1 again"]);
    });
  });
}

const USED: readonly (readonly [string, Parts, readonly string[]])[] = [
  ["a used input", { inputs: "used" }, ["used"]],
  ["a used reference", { references: "used" }, ["used"]],
  ["one used input of several", { inputs: "a used b" }, ["used"]],
  ["one used reference of several", { references: "r used" }, ["used"]],
  ["a fresh input with a used reference", { inputs: "a", references: "used" }, ["used"]],
  ["a used input with a fresh reference", { inputs: "used", references: "r" }, ["used"]],
  ["a used input in a valid window", { inputs: "used", ...VALID }, ["used"]],
  ["a used reference in a valid window", { references: "used", ...VALID }, ["used"]],
  ["a used input out of the window: the conflict comes first", { inputs: "used", ...OVER }, ["used"]],
  ["a used reference out of the window: the conflict comes first", { references: "used", ...OVER }, ["used"]],
  ["input and reference both used, in this order", { inputs: "used", references: "used2" }, ["used", "used2"]],
];

function usedCases(opened: Opened): void {
  describe("used: refused, whatever else holds", () => {
    test.each(USED)("%s", async (_name, parts, spent) => {
      const log = await opened();
      await commit(log, NOW, request("first", { inputs: "used" }), request("second", { inputs: "used2" }));
      const made = request("t", parts);
      expect(await commit(log, NOW, made)).toEqual([keys(...spent)]);
      expect(await commit(log, NOW, made), "a retry of a refused transaction").toEqual([keys(...spent)]);
      const [fresh = "none"] = (parts.inputs ?? "").split(" ").filter((name) => name !== "used");
      expect(await commit(log, NOW, request("later", { inputs: fresh })), "a refusal spends nothing").toEqual(["3"]);
      expect(await commit(log, NOW + 9, request("first", { inputs: "used" })), "the first stands").toEqual(["1 again"]);
    });

    test("a reference stays unspent: it may be cited again, and then spent, and then no more cited", async () => {
      const log = await opened();
      expect(await commit(log, NOW, request("1", { references: "r" }))).toEqual(["1"]);
      expect(await commit(log, NOW, request("2", { references: "r" }))).toEqual(["2"]);
      expect(await commit(log, NOW, request("3", { inputs: "r" }))).toEqual(["3"]);
      expect(await commit(log, NOW, request("4", { references: "r" }))).toEqual([keys("r")]);
      expect(await commit(log, NOW, request("2", { references: "r" }))).toEqual(["2 again"]);
    });

    test("states of one transaction are told apart by their index", async () => {
      const log = await opened();
      const at = (index: number): CommitRequest => ({
        ...request(`index ${index}`),
        inputs: [{ txId: hashOf("one"), index }],
      });
      expect(await commit(log, NOW, at(0), at(1), at(256), at(4_095))).toEqual(["1", "2", "3", "4"]);
      expect(await commit(log, NOW, { ...at(1), txId: hashOf("thief") })).toEqual([`${hashOf("one")}:1`]);
    });
  });
}

function answerCases(opened: Opened): void {
  describe("an answer", () => {
    test("carries the hash of the spender's id and not the id", async () => {
      const log = await opened();
      const winner = request("winner", { inputs: "a" });
      await log.commit(NOW, [winner]);
      const [verdict] = await log.commit(NOW, [request("loser", { inputs: "a" })]);
      expect(verdict).toEqual({
        ok: false,
        error: { tag: "state_conflict", spent: [{ ref: refKey(ref("a")), consumedBy: hashOf(winner.txId) }] },
      });
      expect(JSON.stringify(verdict)).not.toContain(winner.txId);
    });

    test("says as little of a spender in the same batch, of references, and when it only peeks", async () => {
      const log = await opened();
      const winner = request("winner", { inputs: "a" });
      const loser = request("loser", { inputs: "b", references: "a" });
      const answers = [(await log.commit(NOW, [winner, loser]))[1], await log.peek(NOW, loser)];
      const spent = [{ ref: refKey(ref("a")), consumedBy: hashOf(winner.txId) }];
      for (const answer of answers) {
        expect(answer).toEqual({ ok: false, error: { tag: "state_conflict", spent } });
        expect(JSON.stringify(answer)).not.toContain(winner.txId);
      }
    });

    test("to a window that is closed says nothing of the clock", async () => {
      const [verdict] = await (await opened()).commit(NOW, [request("late", OVER)]);
      expect(verdict).toEqual({ ok: false, error: { tag: "time_window_invalid" } });
    });
  });
}

const WINDOWS: readonly (readonly [string, Parts, number, string])[] = [
  ["just before it starts", { fromMs: 100 }, 99, "window"],
  ["the instant at which it starts", { fromMs: 100 }, 100, "1"],
  ["just before it ends", { untilMs: 100 }, 99, "1"],
  ["the instant at which it ends", { untilMs: 100 }, 100, "window"],
  ["the one instant of the shortest window", { fromMs: 100, untilMs: 101 }, 100, "1"],
  ["an empty window", { fromMs: 100, untilMs: 100 }, 100, "window"],
  ["a window that ends before it starts", { fromMs: 101, untilMs: 100 }, 100, "window"],
  ["no bounds", {}, 100, "1"],
];

function windowCases(opened: Opened): void {
  describe("windows are half-open, on the notary's clock", () => {
    test.each(WINDOWS)("%s", async (_name, parts, atMs, expected) => {
      for (const states of [{}, { inputs: "a" }, { references: "r" }])
        expect(await commit(await opened(), atMs, request("t", { ...parts, ...states }))).toEqual([expected]);
    });

    test("refused before its window, a transaction is committed within it: nothing was remembered", async () => {
      const log = await opened();
      const early = request("early", { inputs: "a", references: "r", fromMs: NOW });
      expect(await commit(log, NOW - 1, early)).toEqual(["window"]);
      expect(await commit(log, NOW, early)).toEqual(["1"]);
    });

    test("a clock that was set back changes no verdict on what is committed", async () => {
      const log = await opened();
      expect(await commit(log, NOW, request("t", { inputs: "a", fromMs: NOW }))).toEqual(["1"]);
      expect(await commit(log, 5, request("t", { inputs: "a", fromMs: NOW }))).toEqual(["1 again"]);
      expect(await commit(log, 5, request("u", { inputs: "a" }))).toEqual([keys("a")]);
    });
  });
}

function batchCases(opened: Opened): void {
  describe("within a batch, earlier requests shadow later ones", () => {
    test("two that spend the same state: the first is committed", async () => {
      const log = await opened();
      const batch = [request("1", { inputs: "a b" }), request("2", { inputs: "b c" }), request("3", { inputs: "c" })];
      expect(await commit(log, NOW, ...batch)).toEqual(["1", keys("b"), "2"]);
      expect(await commit(log, NOW, ...batch), "later, c is spent too").toEqual(["1 again", keys("b", "c"), "2 again"]);
    });

    test("a reference that an earlier one spends is spent; one that a later one spends is not", async () => {
      const log = await opened();
      const cites = request("cites", { references: "r" });
      const spends = request("spends", { inputs: "r" });
      const tooLate = request("cites too late", { references: "r" });
      expect(await commit(log, NOW, cites, spends, tooLate)).toEqual(["1", "2", keys("r")]);
    });

    test("write skew, each citing what the other spends: only the first is committed", async () => {
      const [one, two] = [
        request("one", { inputs: "a", references: "b" }),
        request("two", { inputs: "b", references: "a" }),
      ];
      expect(await commit(await opened(), NOW, one, two)).toEqual(["1", keys("a")]);
      const log = await opened();
      expect([await commit(log, NOW, one), await commit(log, NOW, two)], "as in two batches").toEqual([
        ["1"],
        [keys("a")],
      ]);
    });

    test("write skew around a ring of three: what is committed can be put in an order in which each holds", async () => {
      const ring = ["a", "b", "c"].map((name, index) =>
        request(`ring ${name}`, { inputs: name, references: ["b", "c", "a"][index] ?? "" }),
      );
      // The first spends a; the second spends b, which the first only cited; the third cites a, which is spent.
      expect(await commit(await opened(), NOW, ...ring)).toEqual(["1", "2", keys("a")]);
    });

    test("the same transaction twice in one batch is one commit", async () => {
      const log = await opened();
      const made = request("t", { inputs: "a", references: "r" });
      expect(await commit(log, NOW, made, made, request("u"))).toEqual(["1", "1 again", "2"]);
      expect([...log.scan()].map(({ sequence }) => sequence)).toEqual([1, 2]);
    });

    test("the same transaction twice in one batch with its conflict between: the conflict alone is refused", async () => {
      const made = request("t", { inputs: "a" });
      const thief = request("thief", { inputs: "a" });
      expect(await commit(await opened(), NOW, made, thief, made, thief)).toEqual([
        "1",
        keys("a"),
        "1 again",
        keys("a"),
      ]);
    });

    test("a refused one shadows nothing", async () => {
      const log = await opened();
      const late = request("late", { inputs: "a", untilMs: NOW });
      expect(await commit(log, NOW, late, request("next", { inputs: "a" }))).toEqual(["window", "1"]);
      const conflicting = request("conflicting", { inputs: "a b" });
      expect(await commit(log, NOW, conflicting, request("free", { inputs: "b" }))).toEqual([keys("a"), "2"]);
    });

    test("an empty batch is nothing", async () => {
      const log = await opened();
      expect(await commit(log, NOW)).toEqual([]);
      expect([...log.scan()]).toEqual([]);
    });
  });
}

function longBatchCases(opened: Opened): void {
  test.each([1, 2, 3, 10, 100, 1_000, BATCH_MAX])("a batch of %i is decided and kept in order", async (size) => {
    const log = await opened();
    // Every tenth spends what the one before it has spent.
    const batch = Array.from({ length: size }, (_, index) =>
      request(`${index}`, { inputs: index % 10 === 9 ? `${index - 1}` : `${index}`, references: "shared" }),
    );
    const expected = batch.map((_, index) =>
      index % 10 === 9 ? keys(`${index - 1}`) : `${index + 1 - Math.floor(index / 10)}`,
    );
    expect(await commit(log, NOW, ...batch)).toEqual(expected);
    const kept = batch.filter((_, index) => index % 10 !== 9).map(({ txId }) => txId);
    expect([...log.scan()].map(({ txId }) => txId)).toEqual(kept);
    const again = expected.map((verdict) => (/^\d+$/.test(verdict) ? `${verdict} again` : verdict));
    expect(await commit(log, NOW, ...batch)).toEqual(again);
  });

  test("a transaction with very many inputs and references is kept as a whole", async () => {
    const log = await opened();
    const many = (what: string, count: number): string =>
      Array.from({ length: count }, (_, index) => `${what}${index}`).join(" ");
    expect(await commit(log, NOW, request("large", { inputs: many("i", 4_096), references: many("r", 512) }))).toEqual([
      "1",
    ]);
    expect(await commit(log, NOW, request("thief", { inputs: "i4095" }), request("r", { inputs: "r511" }))).toEqual([
      keys("i4095"),
      "2",
    ]);
  });
}

function readingCases(opened: Opened): void {
  test("peek decides as commit would, and stores nothing", async () => {
    const log = await opened();
    await commit(log, NOW, request("first", { inputs: "used" }));
    const fresh = request("fresh", { inputs: "a" });
    const asked = [
      fresh,
      request("conflict", { inputs: "used" }),
      request("late", OVER),
      request("first", { inputs: "used" }),
    ];
    const answers: CommitVerdict[] = [];
    for (const each of asked) answers.push(await log.peek(NOW, each));
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect([...log.scan()]).toHaveLength(1);
    expect(answers[0]).toMatchObject({ isRepeat: false });
    expect(answers[3]).toMatchObject({ isRepeat: true, sequence: 1 });
    expect(await commit(log, NOW, fresh)).toEqual(["2"]);
  });

  test("scan gives all that was committed, in order, with the bytes as received; or what came after a number", async () => {
    const log = await opened();
    await commit(log, 5, request("a"), request("b"));
    await commit(log, 7, request("c"), request("a"), request("late", OVER));
    const rows = (after?: number): readonly (readonly unknown[])[] =>
      [...log.scan(after)].map(({ sequence, txId, atMs, bytes }) => [
        sequence,
        txId,
        atMs,
        new TextDecoder().decode(bytes),
      ]);
    const [a, b, c] = [
      [1, hashOf("transaction a"), 5, "a"],
      [2, hashOf("transaction b"), 5, "b"],
      [3, hashOf("transaction c"), 7, "c"],
    ];
    expect(rows()).toEqual([a, b, c]);
    expect(rows(0)).toEqual([a, b, c]);
    expect(rows(1)).toEqual([b, c]);
    expect(rows(3)).toEqual([]);
  });

  test("what it was given may be changed afterwards: the log has its own", async () => {
    const log = await opened();
    const made = request("t", { inputs: "a" });
    await commit(log, NOW, made);
    made.bytes.fill(0);
    expect([...log.scan()].map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(["t"]);
  });
}

function sharedCases({ open }: CommitLogEngine): void {
  describe("a log that stays", () => {
    test("remembers after it was opened again: numbers, instants, bytes, conflicts and retries", async () => {
      const first = await open("again");
      const made = request("t", { inputs: "a", untilMs: NOW + 1 });
      const noInputs = request("no inputs", { references: "r" });
      await first.commit(NOW, [made, noInputs]);
      const before = [...first.scan()].map((row) => ({ ...row, bytes: [...row.bytes] }));
      await first.close();
      const second = await open("again");
      expect([...second.scan()].map((row) => ({ ...row, bytes: [...row.bytes] }))).toEqual(before);
      await second.commit(NOW, [request("spends r", { inputs: "r" })]);
      const batch = [made, noInputs, request("thief", { inputs: "a" }), request("new", { inputs: "b" })];
      expect(await commit(second, NOW + 5, ...batch)).toEqual(["1 again", "2 again", keys("a"), "4"]);
      expect([...second.scan()].map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
      await second.close();
    });

    test("keeps of a refused batch nothing, after it was opened again", async () => {
      const first = await open("refused");
      await first.commit(NOW, [request("late", { inputs: "a", ...OVER })]);
      await first.close();
      const second = await open("refused");
      expect([...second.scan()]).toEqual([]);
      expect(await commit(second, NOW, request("t", { inputs: "a" }))).toEqual(["1"]);
      await second.close();
    });

    test("two handles on one log: each sees at once what the other has committed, and no number is given twice", async () => {
      const [one, two] = [await open("twice"), await open("twice")];
      expect(await commit(one, NOW, request("1", { inputs: "a" }))).toEqual(["1"]);
      expect(await commit(two, NOW, request("2", { inputs: "b" }), request("thief", { inputs: "a" }))).toEqual([
        "2",
        keys("a"),
      ]);
      expect(await commit(one, NOW, request("3", { inputs: "b" }), request("2", { inputs: "b" }))).toEqual([
        keys("b"),
        "2 again",
      ]);
      expect(await commit(one, NOW, request("4", { references: "a" }), request("5"))).toEqual([keys("a"), "3"]);
      expect([...two.scan()].map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      await one.close();
      expect(await commit(two, NOW, request("6")), "one handle closed, the other goes on").toEqual(["4"]);
      await two.close();
    });

    test("two handles that commit at once: of each state one spender wins, told the same by both", async () => {
      const [one, two] = [await open("raced"), await open("raced")];
      const batch = (who: string): readonly CommitRequest[] =>
        Array.from({ length: 50 }, (_, index) => request(`${who} ${index}`, { inputs: `raced-${index}` }));
      const [left, right] = await Promise.all([
        Promise.resolve(one.commit(NOW, batch("one"))),
        Promise.resolve(two.commit(NOW, batch("two"))),
      ]);
      for (const [index, verdict] of left.entries()) expect(verdict.ok).not.toBe(right[index]?.ok);
      expect([...one.scan()].map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      await one.close();
      await two.close();
    });
  });
}

/** The rules once more, as simply as can be: one request at a time, all in sets. */
class Model {
  readonly #spent = new Set<string>();
  readonly #numbers = new Map<Hash, number>();

  commit(atMs: number, batch: readonly CommitRequest[]): readonly string[] {
    return batch.map((each) => this.#commitOne(atMs, each));
  }

  get committed(): readonly Hash[] {
    return [...this.#numbers.keys()];
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

type Step =
  | { readonly tag: "commit"; readonly atMs: number; readonly batch: readonly CommitRequest[] }
  | { readonly tag: "retry" | "reopen" };

/** Histories on one clock that may jump, with retries of all that was asked, and closings. */
const arbHistory: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: arbCommit() },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ tag: "retry" }, { tag: "reopen" }) },
  ),
  { maxLength: 14 },
);

function arbCommit(): fc.Arbitrary<Step> {
  return fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.array(arbRequest, { maxLength: 6 }))
    .map(([atMs, batch]) => ({ tag: "commit", atMs, batch }));
}

/** Does a history on a log and on the model: the verdicts and what is kept are the same. */
async function runHistory(engine: CommitLogEngine, place: string, history: readonly Step[]): Promise<void> {
  let log = await engine.open(place);
  const model = new Model();
  const asked: CommitRequest[] = [];
  for (const step of history) {
    if (step.tag === "reopen" && engine.isShared) {
      await log.close();
      log = await engine.open(place);
    }
    const { atMs, batch } = step.tag === "commit" ? step : { atMs: 3, batch: step.tag === "retry" ? [...asked] : [] };
    expect(await commit(log, atMs, ...batch)).toEqual(model.commit(atMs, batch));
    asked.push(...batch.slice(0, BATCH_MAX - asked.length));
  }
  expect([...log.scan()].map(({ txId }) => txId)).toEqual(model.committed);
  await log.close();
}

function laws(engine: CommitLogEngine): void {
  let runs = 0;

  test("law: whatever is asked in whatever batches, every state is spent at most once and verdicts are for ever", async () => {
    await fc.assert(
      fc.asyncProperty(arbHistory, (history) => runHistory(engine, `law ${runs++}`, history)),
      { numRuns: 60 },
    );
  });

  test("law: how requests are cut into batches changes no verdict", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbRequest, { maxLength: 16 }), fc.integer({ min: 1, max: 16 }), async (all, size) => {
        const [whole, cut] = [await engine.open(`cut ${runs++}`), await engine.open(`cut ${runs++}`)];
        const pieces: string[] = [];
        for (let from = 0; from < all.length; from += size)
          pieces.push(...(await commit(cut, 2, ...all.slice(from, from + size))));
        expect(pieces).toEqual(await commit(whole, 2, ...all));
        await whole.close();
        await cut.close();
      }),
      { numRuns: 20 },
    );
  });
}
