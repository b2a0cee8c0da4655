/** The checks of a chaos run can fail: each fault, planted in the record of a sound network, is found. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { State } from "#contracts";
import { type Hash, hashOf, invariant, micros, type PublicKey, wattHours } from "#core";
import { joinLife, moveToCommand, promiseLife, SmallNetwork } from "#testkit";
import { agreementProblems } from "./agreement.ts";
import type { Outcome } from "./clients.ts";
import { knowledgeProblems } from "./knowledge.ts";
import { type FinalTransaction, type Kept, type NetworkRecord, type NodeRecord, readNetworkRecord } from "./record.ts";
import { exposureProblems, replayLog } from "./replay.ts";
import { viewProblems } from "./views.ts";

/** Members from the beginning: who joins later is not owed what was before. */
const FOUNDERS = ["grid-authority", "power-company", "payment-provider", "marketplace", "verifier"];
const JOINED = ["alice", "bob", "carol"];

let root: string;
let record: NetworkRecord;
let founders: readonly NodeRecord[];
const keys = new Map<string, PublicKey>();
const outcomes: Outcome[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "dream-chaos-checks-"));
  const small = await SmallNetwork.found({ folder: root });
  await joinLife(small);
  // Before the slot is settled: promises and exposures are left to compare.
  for (const [party, command] of promiseLife(small).slice(0, 9)) {
    moveToCommand(small, command);
    const { status, txId } = await small.run(party, command);
    outcomes.push({ party, as: "owner", command, told: { tag: status, txId }, ambiguous: 0 });
  }
  const names = ["notary", ...FOUNDERS, ...JOINED];
  for (const name of names) keys.set(name, small.key(name));
  small.close();
  for (const name of names) {
    mkdirSync(join(root, "network", name), { recursive: true });
    symlinkSync(join(root, `${name}.sqlite`), join(root, "network", name, `${name}.sqlite`));
  }
  const parties = names.map((name) => ({
    name,
    key: keyOf(name),
    roles: name === "notary" ? ["notary"] : ["prosumer"],
    address: "",
  }));
  record = readNetworkRecord(join(root, "network"), parties);
  founders = record.nodes.filter(({ name }) => FOUNDERS.includes(name));
});

afterAll(() => {
  record.close();
  rmSync(root, { recursive: true, force: true });
});

function keyOf(name: string): PublicKey {
  const key = keys.get(name);
  invariant(key !== undefined, `${name} is in the network`);
  return key;
}

/** The log with the newest transaction of a kind changed. */
function logWith(
  tag: FinalTransaction["content"]["command"]["tag"],
  change: (transaction: FinalTransaction) => FinalTransaction,
): readonly FinalTransaction[] {
  const index = record.log.findLastIndex(({ content }) => content.command.tag === tag);
  return record.log.map((transaction, at) => (at === index ? change(transaction) : transaction));
}

function withOutputs(transaction: FinalTransaction, change: (state: State) => State): FinalTransaction {
  const { content } = transaction;
  return { ...transaction, content: { ...content, outputs: content.outputs.map(change) } };
}

/** The node's record with what it keeps changed. */
function keeping(name: string, change: (kept: Map<Hash, Kept>) => void): readonly NodeRecord[] {
  return founders.map((node) => {
    if (node.name !== name) return node;
    const kept = new Map(node.kept);
    change(kept);
    return { ...node, kept };
  });
}

function idOf(tag: FinalTransaction["content"]["command"]["tag"]): Hash {
  const found = record.log.findLast(({ content }) => content.command.tag === tag);
  invariant(found !== undefined, `the log has a ${tag}`);
  return found.id;
}

describe("a sound record", () => {
  test("passes all checks", () => {
    expect(record.problems).toEqual([]);
    const replayed = replayLog(record.log);
    expect(replayed.problems).toEqual([]);
    expect(replayed.promisedWh).toBe(10_000n);
    expect(exposureProblems(replayed.unspent)).toEqual([]);
    expect(knowledgeProblems(record.log, founders)).toEqual({
      problems: [],
      compared: record.log.length * founders.length,
    });
    expect(agreementProblems(outcomes, record.log, record.nodes, keyOf).problems).toEqual([]);
  });
});

describe("the replay finds", () => {
  test("a state that is spent twice", () => {
    const [first] = record.log.filter(({ content }) => content.command.tag === "bid");
    invariant(first !== undefined, "somebody bid");
    const again = { ...first, id: hashOf("again") };
    expect(replayLog([...record.log, again]).problems.join("\n")).toContain("has spent");
  });

  test("money that is made up", () => {
    const log = logWith("bid", (transaction) =>
      withOutputs(transaction, (state) =>
        state.tag === "funds" ? { ...state, amount: micros(state.amount + 1n) } : state,
      ),
    );
    expect(replayLog(log).problems[0]).toContain("micros held");
  });

  test("energy that is made up", () => {
    const log = logWith("clear-pool", (transaction) =>
      withOutputs(transaction, (state) =>
        state.tag === "power-promise" ? { ...state, energy: wattHours(state.energy + 1n) } : state,
      ),
    );
    expect(replayLog(log).problems.join("\n")).toContain("Wh held");
  });

  test("a promise above a capacity, and a holding above a cap", () => {
    const log = record.log.map((transaction) =>
      withOutputs(transaction, (state) =>
        state.tag === "member" && JOINED.includes(state.name)
          ? { ...state, capacityPerSlot: wattHours(9_999n), holdingCapPerSlot: wattHours(1_999n) }
          : state,
      ),
    );
    const problems = replayLog(log).problems.join("\n");
    expect(problems).toContain("above its capacity of 9999");
    expect(problems).toContain("above its cap of 1999");
  });

  test("an exposure that says something else than its states", () => {
    const unspent = new Map(replayLog(record.log).unspent);
    for (const [ref, state] of unspent) if (state.tag === "power-promise") unspent.delete(ref);
    expect(exposureProblems(unspent).length).toBeGreaterThan(0);
  });
});

describe("the comparison of what nodes know finds", () => {
  test("a transaction that a signer lacks, and a part that somebody concerned lacks", () => {
    const promised = idOf("create-promises");
    expect(
      knowledgeProblems(
        record.log,
        keeping("verifier", (kept) => kept.delete(promised)),
      ).problems,
    ).toEqual([`verifier lacks the whole of create-promises ${promised.slice(0, 16)}`]);
    const auctioned = idOf("create-auction");
    expect(
      knowledgeProblems(
        record.log,
        keeping("power-company", (kept) => kept.delete(auctioned)),
      ).problems,
    ).toEqual([`power-company lacks its part of create-auction ${auctioned.slice(0, 16)}`]);
  });

  test("what does not concern a node, and what was never final", () => {
    const promised = idOf("create-promises");
    const whole = keeping("power-company", (kept) => kept.set(promised, { kind: "full" }));
    expect(knowledgeProblems(record.log, whole).problems).toHaveLength(1);
    const unknown = keeping("power-company", (kept) => kept.set(hashOf("nothing"), { kind: "full" }));
    expect(knowledgeProblems(record.log, unknown).problems[0]).toContain("never made final");
  });

  test("a state that is shown to somebody whom it does not concern", () => {
    const [auctioned, ordered] = [idOf("create-auction"), idOf("place-orders")];
    const swapped = keeping("power-company", (kept) => {
      const part = founders.find(({ name }) => name === "grid-authority")?.kept.get(auctioned);
      invariant(part?.kind === "notice" && !kept.has(ordered), "the grid authority is shown more of an auction");
      kept.set(auctioned, part);
    });
    expect(knowledgeProblems(record.log, swapped).problems[0]).toContain("is shown the");
  });
});

describe("the comparison with what clients were told finds", () => {
  const problemsOf = (changed: readonly Outcome[], log = record.log): string =>
    agreementProblems(changed, log, record.nodes, keyOf).problems.join("\n");

  test("a refusal of what was done", () => {
    const changed = outcomes.map(
      (outcome): Outcome =>
        outcome.command.commandId === "promise"
          ? { ...outcome, told: { tag: "refused", reason: "insufficient_funds" } }
          : outcome,
    );
    expect(problemsOf(changed)).toContain("was refused (insufficient_funds), and");
  });

  test("a command that was done twice, or not at all", () => {
    const promised = record.log.find(({ content }) => content.command.tag === "create-promises");
    invariant(promised !== undefined, "a promise was created");
    const twice = [...record.log, { ...promised, id: hashOf("twice") }];
    expect(problemsOf(outcomes, twice)).toContain("it was done by");
    const never = record.log.filter(({ id }) => id !== promised.id);
    expect(problemsOf(outcomes, never)).toContain("that is not final");
  });

  test("what no client asked for", () => {
    const unasked = outcomes.filter(({ command }) => command.commandId !== "bob bids");
    expect(problemsOf(unasked)).toContain("no client was told so");
  });
});

test("the comparison of what nodes show finds a state that is missing, and one that is spent", () => {
  const { unspent } = replayLog(record.log);
  const [node] = founders.filter(({ name }) => name === "grid-authority");
  invariant(node !== undefined, "there is a grid authority");
  const { problems } = viewProblems(new Map([[node.name, new Set(["spent:0"])]]), unspent, [node]);
  expect(problems[0]).toContain("which is spent");
  expect(problems.some((problem) => problem.includes("does not show power-promise"))).toBe(true);
});
