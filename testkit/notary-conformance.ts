/**
 * What a notary must hold over every commit log: one verdict for ever, nothing signed that is not durable, and nothing made final
 * that breaks a rule. Not exported by the test kit's door, which is used outside of test runs too: tests import this file.
 */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  encodeSignedTransaction,
  isNotarySignatureValid,
  refKey,
  type SignedTransaction,
  withSignatures,
} from "#contracts";
import { hashOf, unwrap } from "#core";
import { type CommitLog, type Notary, StoreFull } from "#ledger-node";
import { keyOf } from "./builders.ts";
import type { CommitLogEngine } from "./commit-log-conformance.ts";
import { inShort, NotaryStage, notarise, outputOf } from "./notary-stage.ts";

type Opened = () => Promise<CommitLog>;

/** Runs all cases against an engine. To be called once per engine, at the top of a test file. */
export function notaryConformance(name: string, engine: CommitLogEngine): void {
  describe(name, () => {
    const logs: CommitLog[] = [];
    let places = 0;
    const opened: Opened = async () => {
      const log = await engine.open(`notary ${places++}`);
      logs.push(log);
      return log;
    };
    afterAll(async () => {
      for (const log of logs) await log.close();
    });
    signatureCases(opened);
    verdictCases(opened);
    refusalCases(opened);
    foundingCases(opened);
    durabilityCases(opened);
    doubtCases(opened);
    lawOfVerdicts(opened);
  });
}

const BATCH_MAX = 1_024;

function signatureCases(opened: Opened): void {
  describe("a signature", () => {
    test.each([1, 2, 3, 7, 64])("over a batch of %i proves to each its own transaction and no other", async (size) => {
      const stage = new NotaryStage();
      const { notary, counters } = stage.notaryOver(await opened());
      await notarise(notary, stage.genesis);
      const before = counters.signatures;
      const batch = Array.from({ length: size }, (_, index) => stage.issue(`${index}`, "alice", [1]));
      const answers = (await Promise.all(batch.map((each) => notarise(notary, each)))).map(unwrap);
      expect(counters.signatures - before, "one signature for all").toBe(1);
      for (const [row, { transaction }] of batch.entries())
        for (const [column, answer] of answers.entries())
          expect(isNotarySignatureValid(stage.networkId, transaction.id, answer)).toBe(row === column);
      expect(answers.every(({ by }) => by === keyOf("notary"))).toBe(true);
    });

    test("of another network or a changed answer proves nothing", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const issue = stage.issue("i", "alice", [1]);
      const answer = unwrap(await notarise(notary, issue));
      const { id } = issue.transaction;
      expect(isNotarySignatureValid(stage.networkId, id, answer)).toBe(true);
      expect(isNotarySignatureValid("another network", id, answer)).toBe(false);
      expect(isNotarySignatureValid(stage.networkId, id, { ...answer, batchSize: answer.batchSize + 1 })).toBe(false);
    });

    test("comes for more than one batch holds, in batches", async () => {
      const stage = new NotaryStage();
      const { notary, counters } = stage.notaryOver(await opened());
      await notarise(notary, stage.genesis);
      const before = counters.signatures;
      const many = Array.from({ length: BATCH_MAX + 1 }, (_, index) => stage.issue(`${index}`, "bob", [1]));
      const answers = (await Promise.all(many.map((each) => notarise(notary, each)))).map(unwrap);
      expect(answers.map(({ batchSize }) => batchSize)).toEqual([...many.slice(1).map(() => BATCH_MAX), 1]);
      expect(counters.signatures - before).toBe(2);
    });
  });
}

function verdictCases(opened: Opened): void {
  describe("the same request gets the same verdict", () => {
    test("signed, however often it is asked, whatever has happened since; and the log has it once", async () => {
      const stage = new NotaryStage();
      const log = await opened();
      const notary = await stage.founded(log);
      const issue = stage.issue("i", "alice", [10_000], { fromMs: null, untilMs: stage.clock.nowMs() + 10 });
      const redeem = stage.redeem("r", "alice", [outputOf(issue)], 10_000);
      for (const each of [issue, issue, redeem, issue, redeem])
        expect(inShort(await notarise(notary, each))).toBe("signed");
      stage.clock.moveTo(stage.clock.nowMs() + 1_000);
      expect(inShort(await notarise(notary, issue)), "after its window, its output spent").toBe("signed");
      const twins = await Promise.all([notarise(notary, redeem), notarise(notary, redeem)]);
      expect(twins.map(inShort), "twice in one batch").toEqual(["signed", "signed"]);
      expect([...log.scan()].map(({ txId }) => txId)).toEqual([
        stage.genesis.transaction.id,
        issue.transaction.id,
        redeem.transaction.id,
      ]);
    });

    test("by its id: with the notary's signature already on it, it is the same transaction", async () => {
      const stage = new NotaryStage();
      const log = await opened();
      const notary = await stage.founded(log);
      const issue = stage.issue("i", "alice", [5]);
      const notarySignature = unwrap(await notarise(notary, issue));
      expect(inShort(await notarise(notary, { ...issue, notarySignature }))).toBe("signed");
      expect([...log.scan()]).toHaveLength(2);
    });

    test("signed, although a state that it cites has been spent since; another that cites it is refused", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const mandate = stage.mandate("m", "alice");
      expect(inShort(await notarise(notary, mandate))).toBe("signed");
      expect(inShort(await notarise(notary, suspension(stage, "alice")))).toBe("signed");
      expect(inShort(await notarise(notary, mandate))).toBe("signed");
      expect(inShort(await notarise(notary, stage.mandate("later", "alice")))).toBe("state_conflict");
    });

    test("refused, for ever, once its state is spent by another; the answer reveals a hash of the spender's id", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const issue = stage.issue("i", "alice", [10_000]);
      await notarise(notary, issue);
      const [winner, loser] = [1, 2].map((one) => stage.redeem(`r${one}`, "alice", [outputOf(issue)], 10_000)) as [
        SignedTransaction,
        SignedTransaction,
      ];
      const raced = await Promise.all([notarise(notary, winner), notarise(notary, loser)]);
      expect(raced.map(inShort), "in one batch").toEqual(["signed", "state_conflict"]);
      const spent = [{ ref: refKey(outputOf(issue)), consumedBy: hashOf(winner.transaction.id) }];
      for (const verdict of [raced[1], await notarise(notary, loser)]) {
        expect(verdict).toEqual({ ok: false, error: { tag: "state_conflict", spent } });
        expect(JSON.stringify(verdict)).not.toContain(winner.transaction.id);
      }
    });

    test("in a batch, what an earlier one spends is no more there for a later one that cites it", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const batch = [stage.mandate("before", "bob"), suspension(stage, "bob"), stage.mandate("after", "bob")];
      const verdicts = await Promise.all(batch.map((each) => notarise(notary, each)));
      expect(verdicts.map(inShort)).toEqual(["signed", "signed", "state_conflict"]);
    });
  });
}

const BROKEN: readonly (readonly [string, (stage: NotaryStage) => SignedTransaction, string])[] = [
  ["a signature is missing", (stage) => withoutSignatures(stage.issue("i", "alice", [1])), "signature_missing"],
  [
    "one of two signatures is missing",
    (stage) => {
      const redeem = stage.redeem("r", "alice", [{ txId: hashOf("nothing"), index: 0 }], 10_000);
      return { ...redeem, signatures: redeem.signatures.slice(1) };
    },
    "signature_missing",
  ],
  [
    "a signature was made on another network",
    (stage) => stage.signOn("another network", stage.issue("i", "alice", [1]).transaction, "payment provider"),
    "signature_invalid",
  ],
  [
    "a signature is that of another transaction",
    (stage) => ({ ...stage.issue("i", "alice", [1]), signatures: stage.issue("j", "alice", [1]).signatures }),
    "signature_invalid",
  ],
  [
    "a contract is violated: the wrong party issues",
    (stage) => stage.sign(stage.build("i", issuing(stage), "alice"), "alice"),
    "contract_violated",
  ],
  [
    "it names another notary",
    (stage) =>
      stage.sign(
        stage.build("i", { ...issuing(stage), notary: keyOf("other notary") }, "payment provider"),
        "payment provider",
      ),
    "contract_violated",
  ],
  [
    "it spends a state that never was",
    (stage) => stage.redeem("r", "alice", [{ txId: hashOf("nothing"), index: 0 }], 10_000),
    "dependency_unknown",
  ],
  [
    "its window is over",
    (stage) => stage.issue("i", "alice", [1], { fromMs: null, untilMs: stage.clock.nowMs() }),
    "time_window_invalid",
  ],
  [
    "its window has not begun",
    (stage) => stage.issue("i", "alice", [1], { fromMs: stage.clock.nowMs() + 1, untilMs: null }),
    "time_window_invalid",
  ],
];

function refusalCases(opened: Opened): void {
  describe("nothing is made final that breaks a rule", () => {
    test.each(BROKEN)("%s", async (_name, make, code) => {
      const stage = new NotaryStage();
      const log = await opened();
      const notary = await stage.founded(log);
      const bad = make(stage);
      for (const _again of [1, 2]) expect(inShort(await notarise(notary, bad))).toBe(code);
      expect([...log.scan()], "and nothing is kept of it").toHaveLength(1);
      expect(inShort(await notarise(notary, stage.issue("sound", "alice", [1])))).toBe("signed");
    });

    test("bytes that are no transaction", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const sound = encodeSignedTransaction(stage.issue("i", "alice", [1]));
      for (const bytes of [new Uint8Array(), sound.subarray(0, -1), Uint8Array.of(...sound, 0), new Uint8Array(99)])
        expect(inShort(await notary.notarise(bytes))).toBe("transaction_malformed");
    });

    test("a bad one takes no good one of its batch with it", async () => {
      const stage = new NotaryStage();
      const notary = await stage.founded(await opened());
      const late = stage.issue("late", "alice", [1], { fromMs: null, untilMs: 1 });
      const wrong = stage.sign(stage.build("wrong", issuing(stage), "bob"), "bob");
      const batch = [stage.issue("1", "alice", [1]), late, wrong, stage.issue("2", "alice", [1])];
      const verdicts = await Promise.all(batch.map((each) => notarise(notary, each)));
      expect(verdicts.map(inShort)).toEqual(["signed", "time_window_invalid", "contract_violated", "signed"]);
    });
  });
}

function foundingCases(opened: Opened): void {
  test("a network is founded once, even within one batch, and the founding may be repeated", async () => {
    const stage = new NotaryStage();
    const { content } = stage.genesis.transaction;
    const second = stage.sign(stage.build("second", content), "grid authority");
    const { notary } = stage.notaryOver(await opened());
    const batch = [stage.genesis, second, stage.genesis];
    for (const _again of [1, 2]) {
      const verdicts = await Promise.all(batch.map((each) => notarise(notary, each)));
      expect(verdicts.map(inShort)).toEqual(["signed", "role_not_allowed", "signed"]);
    }
  });
}

function durabilityCases(opened: Opened): void {
  describe("signs only what is durable", () => {
    test("when a signature leaves, the log has the transaction", async () => {
      const stage = new NotaryStage();
      const log = await opened();
      const notary = await stage.founded(log);
      await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const issue = stage.issue(`${index}`, "alice", [1]);
          unwrap(await notarise(notary, issue));
          expect([...log.scan()].map(({ txId }) => txId)).toContain(issue.transaction.id);
        }),
      );
    });

    test("while a commit is under way nothing of it is signed, and what arrives meanwhile waits for the next", async () => {
      const stage = new NotaryStage();
      const log = await opened();
      await stage.founded(log);
      const { slow, release, batches } = heldLog(log);
      const { notary, counters } = stage.notaryOver(slow);
      const told: string[] = [];
      const asked: Promise<unknown>[] = [];
      const ask = async (name: string): Promise<void> => {
        asked.push(
          notarise(notary, stage.issue(name, "alice", [3])).then((verdict) => told.push(`${name} ${inShort(verdict)}`)),
        );
        await turns();
      };
      for (const name of ["1", "2", "3"]) await ask(name);
      expect([told, counters.signatures, batches]).toEqual([[], 0, [1]]);
      release();
      await turns();
      expect([told, counters.signatures, batches]).toEqual([["1 signed"], 1, [1, 2]]);
      release();
      await Promise.all(asked);
      expect([told, counters.signatures, batches]).toEqual([["1 signed", "2 signed", "3 signed"], 2, [1, 2]]);
    });

    test("a log that has no room: no signature leaves, the code says so, and later it is signed", async () => {
      const stage = new NotaryStage();
      const log = await opened();
      await stage.founded(log);
      const failing = failingLog(log, () => {
        throw new StoreFull("full");
      });
      const { notary, counters } = stage.notaryOver(failing.log);
      const batch = [stage.issue("1", "alice", [1]), stage.issue("2", "alice", [1])];
      const refused = await Promise.all(batch.map((each) => notarise(notary, each)));
      expect([refused.map(inShort), counters.signatures]).toEqual([["store_full", "store_full"], 0]);
      expect([...log.scan()]).toHaveLength(1);
      failing.mend();
      const signed = await Promise.all(batch.map((each) => notarise(notary, each)));
      expect([signed.map(inShort), counters.signatures]).toEqual([["signed", "signed"], 1]);
    });
  });
}

function doubtCases(opened: Opened): void {
  test.each([
    ["was not done", false],
    ["was done", true],
  ])(
    "a commit that fails, of which nobody knows that it %s: nothing is signed before it is known",
    async (_name, isDone) => {
      const stage = new NotaryStage();
      const log = await opened();
      await stage.founded(log);
      const failures: unknown[] = [];
      const failing = failingLog(log, async (atMs, batch) => {
        if (isDone) await log.commit(atMs, batch);
        throw new Error("connection lost");
      });
      const { notary, counters } = stage.notaryOver(failing.log, { onFailure: (error) => failures.push(error) });
      const issue = stage.issue("i", "alice", [10_000]);
      expect([inShort(await notarise(notary, issue)), counters.signatures]).toEqual(["node_unreachable", 0]);
      expect(failures).toHaveLength(1);
      failing.mend();
      // What was committed counts: its output can be spent, without the issue being asked for again.
      const redeem = stage.redeem("r", "alice", [outputOf(issue)], 10_000);
      expect(inShort(await notarise(notary, redeem))).toBe(isDone ? "signed" : "dependency_unknown");
      expect(inShort(await notarise(notary, issue))).toBe("signed");
      expect(inShort(await notarise(notary, redeem))).toBe("signed");
      expect([...log.scan()]).toHaveLength(3);
      expect(notary.totals()).toEqual({ issuedMicros: 10_000n, heldMicros: 10_000n, transactions: 3 });
    },
  );
}

/** Redemptions of five funds: any two that share one exclude each other. */
const arbAsked = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        funds: fc.uniqueArray(fc.nat({ max: 4 }), { minLength: 1, maxLength: 2 }),
        twin: fc.nat({ max: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
    { weight: 3, arbitrary: fc.constant("wait" as const) },
  ),
  { minLength: 1, maxLength: 25 },
);

function lawOfVerdicts(opened: Opened): void {
  test("law: whatever is asked, however often, in whatever batches, over restarts: a signature is for ever, and so is a conflict", async () => {
    await fc.assert(
      fc.asyncProperty(arbAsked, async (asked) => {
        const stage = new NotaryStage();
        const log = await opened();
        let notary: Notary = await stage.founded(log);
        const issue = stage.issue("i", "alice", [10_000, 10_000, 10_000, 10_000, 10_000]);
        unwrap(await notarise(notary, issue));
        const verdicts = new Map<string, string>();
        const spentBy = new Map<string, string>();
        let open: Promise<void>[] = [];
        const settle = async (): Promise<void> => {
          await Promise.all(open);
          open = [];
        };
        for (const step of asked) {
          if (step !== "wait" && step !== "restart") {
            const inputs = [...step.funds].sort().map((index) => outputOf(issue, index));
            const redeem = stage.redeem(`${step.funds} ${step.twin}`, "alice", inputs, 10_000 * inputs.length);
            open.push(
              notarise(notary, redeem).then((verdict) => {
                const { id, content } = redeem.transaction;
                const short = inShort(verdict);
                expect(["signed", "state_conflict"]).toContain(short);
                expect(verdicts.get(id) ?? short).toBe(short);
                verdicts.set(id, short);
                if (!verdict.ok) return;
                for (const input of content.inputs) {
                  expect(spentBy.get(refKey(input)) ?? id).toBe(id);
                  spentBy.set(refKey(input), id);
                }
              }),
            );
            continue;
          }
          await settle();
          if (step === "restart") notary = stage.notaryOver(log).notary;
        }
        await settle();
        const signed = [...verdicts].filter(([, verdict]) => verdict === "signed").length;
        expect([...log.scan()]).toHaveLength(2 + signed);
        expect(notary.totals()).toEqual(stage.notaryOver(log).notary.totals());
      }),
      { numRuns: 20 },
    );
  });
}

function issuing(stage: NotaryStage): SignedTransaction["transaction"]["content"] {
  const { signers: _signers, ...content } = stage.issue("pattern", "alice", [1]).transaction.content;
  return content as SignedTransaction["transaction"]["content"];
}

/** Consumes a party's membership: from then on nobody may cite it. */
function suspension(stage: NotaryStage, name: "alice" | "bob"): SignedTransaction {
  const before = stage.genesis.transaction.content.outputs.find(
    (state) => state.tag === "member" && state.name === name,
  );
  if (before?.tag !== "member") throw new TypeError(`${name} is a member`);
  const content = {
    inputs: [stage.memberRef(name)],
    outputs: [{ ...before, standing: "suspended" }],
    command: { tag: "amend-member" },
  } as const;
  return stage.sign(stage.build(`suspends ${name}`, content, "grid authority"), "grid authority");
}

function withoutSignatures(signed: SignedTransaction): SignedTransaction {
  return withSignatures({ ...signed, signatures: [] }, []);
}

/** The log with another `commit` until it is mended. */
function failingLog(
  log: CommitLog,
  commit: CommitLog["commit"],
): { readonly log: CommitLog; readonly mend: () => void } {
  let isMended = false;
  return {
    log: { ...log, commit: (atMs, batch) => (isMended ? log.commit(atMs, batch) : commit(atMs, batch)) },
    mend: () => {
      isMended = true;
    },
  };
}

/** The log, each of whose commits waits until it is released; and how many each was asked to commit. */
function heldLog(log: CommitLog): {
  readonly slow: CommitLog;
  readonly release: () => void;
  readonly batches: readonly number[];
} {
  const waiting: (() => void)[] = [];
  const batches: number[] = [];
  return {
    batches,
    release: () => waiting.shift()?.(),
    slow: {
      ...log,
      commit: async (atMs, batch) => {
        batches.push(batch.length);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return log.commit(atMs, batch);
      },
    },
  };
}

/** Lets everything that is ready run. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
