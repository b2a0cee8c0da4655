/**
 * The commit logs against what every commit log must do, then what only files can show: copies, batches that can't be stored
 * as a whole, a full disk, and processes that are killed while they commit.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refKey, type StateRef } from "#contracts";
import { hashOf, type Prng, seededPrng } from "#core";
import { commitLogConformance } from "../../testkit/commit-log-conformance.ts";
import { type CommitLog, type CommitRequest, isWithin } from "./commit-log.ts";
import { createMemoryCommitLog } from "./memory-commit-log.ts";
import { StoreFull } from "./node-store.ts";
import { openSqliteCommitLog } from "./sqlite-commit-log.ts";

const NOW = 1_000_000;
const DURABILITIES = ["power-loss", "process-crash"] as const;

const folder = mkdtempSync(join(tmpdir(), "dream-commit-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

commitLogConformance("in memory", { open: () => createMemoryCommitLog(), isShared: false });
for (const durability of DURABILITIES)
  commitLogConformance(`on SQLite (${durability})`, {
    open: (place) => openSqliteCommitLog(join(folder, `${durability} ${place}.sqlite`), durability),
    isShared: true,
  });

function ref(name: string): StateRef {
  return { txId: hashOf(`state ${name}`), index: 0 };
}

function request(name: string, ...inputs: readonly string[]): CommitRequest {
  return {
    txId: hashOf(`transaction ${name}`),
    inputs: inputs.map(ref),
    references: [],
    window: { fromMs: null, untilMs: null },
    bytes: new TextEncoder().encode(name),
  };
}

test("a bid until the deadline and the end from the deadline on never both fit, and one always does", () => {
  for (const atMs of [NOW - 1, NOW, NOW + 1]) {
    const bid = isWithin({ fromMs: null, untilMs: NOW }, atMs);
    expect(isWithin({ fromMs: NOW, untilMs: null }, atMs)).toBe(!bid);
  }
});

describe("a log in a file", () => {
  test("a copy of a closed log is the same log, and goes on by itself", async () => {
    const [file, copy] = [join(folder, "original.sqlite"), join(folder, "copy.sqlite")];
    const original = openSqliteCommitLog(file);
    await original.commit(NOW, [request("t", "a")]);
    await original.close();
    copyFileSync(file, copy);
    const copied = openSqliteCommitLog(copy);
    const [again, thief] = await copied.commit(NOW, [request("t", "a"), request("thief", "a")]);
    expect([again?.ok, thief?.ok]).toEqual([true, false]);
    await copied.commit(NOW, [request("only in the copy", "b")]);
    await copied.close();
    const reopened = openSqliteCommitLog(file);
    expect(await reopened.commit(NOW, [request("other", "b")])).toEqual([{ ok: true, sequence: 2, isRepeat: false }]);
    await reopened.close();
  });

  test("a batch is stored as a whole or not at all", async () => {
    const log = openSqliteCommitLog(join(folder, "whole.sqlite"));
    const broken = { ...request("broken"), inputs: [{ txId: hashOf("x"), index: -1 }] };
    await expect(log.commit(NOW, [request("sound", "a"), broken])).rejects.toThrow(RangeError);
    expect([...log.scan()]).toEqual([]);
    expect(await log.commit(NOW, [request("other", "a")])).toEqual([{ ok: true, sequence: 1, isRepeat: false }]);
    await log.close();
  });

  test.each(DURABILITIES)(
    "that is full says so, has stored nothing of the batch, and still answers (%s)",
    async (durability) => {
      const log = openSqliteCommitLog(join(folder, `full ${durability}.sqlite`), durability, 256 * 1_024);
      const large = (name: string): CommitRequest => ({ ...request(name, name), bytes: new Uint8Array(20_000) });
      let told = 0;
      const untilFull = async (): Promise<void> => {
        for (; ; told += 2) await log.commit(NOW, [large(`${told}`), large(`${told + 1}`)]);
      };
      await expect(untilFull()).rejects.toThrow(StoreFull);
      expect([...log.scan()]).toHaveLength(told);
      expect(await log.commit(NOW, [large("0")])).toEqual([{ ok: true, sequence: 1, isRepeat: true }]);
      expect(await log.peek(NOW, request("thief", "1"))).toMatchObject({ ok: false });
      expect(await log.peek(NOW, large(`${told}`))).toMatchObject({ ok: true, isRepeat: false });
      await log.close();
    },
  );
});

/**
 * Commits one batch after another, of 1 to 48 transactions, and says the number of each once it is committed. It goes on after
 * what is in the log. Batch and place are in the id, the bytes and the inputs of each transaction.
 */
const COMMITTER = `
import { writeSync } from "node:fs";
import { hashOf } from "#core";
import { openSqliteCommitLog } from "./sqlite-commit-log.ts";
const [, , file = "", durability] = process.argv;
const log = openSqliteCommitLog(file, durability === "power-loss" ? "power-loss" : "process-crash");
let number = 0;
for (const { bytes } of log.scan()) number = Number(new TextDecoder().decode(bytes).split(" ")[0]) + 1;
async function run() {
for (; ; number++) {
  const size = 1 + (number * 37) % 48;
  const batch = Array.from({ length: size }, (_, place) => {
    const name = number + " " + place + " " + size + " ";
    const inputs = [0, 1].map((index) => ({ txId: hashOf("state " + name), index }));
    const bytes = new TextEncoder().encode(name.padEnd(100, "."));
    return { txId: hashOf("transaction " + name), inputs, references: [], window: { fromMs: null, untilMs: null }, bytes };
  });
  await log.commit(0, batch);
  writeSync(1, number + "\\n");
}
}
void run();
`;

const KILLS = 16;

describe.each(DURABILITIES)(
  "kill -9, %s: what a process was told is committed stays, and nothing is half there",
  (durability) => {
    const script = join(folder, `committer ${durability}.cjs`);
    beforeAll(async () => {
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
    });

    test(`${KILLS} times on one log, each at another instant`, async () => {
      const file = join(folder, `killed ${durability}.sqlite`);
      const prng = seededPrng("commit log", `kill ${durability}`);
      let [told, checked, awaited] = [-1, 0, 0];
      for (let kill = 0; kill < KILLS; kill++) {
        // One in six is killed while it opens the log, the others in the middle of their work.
        const lines = prng.nextUint32() % 6 === 0 ? 0 : 1 + (prng.nextUint32() % 12);
        awaited += lines;
        told = Math.max(told, await toldUntilKilled([script, file, durability], lines, prng));
        checked = await checkLog(file, durability, told, checked);
      }
      // Most kills came after something was told, or the test shows nothing.
      expect(told + 1).toBeGreaterThanOrEqual(awaited);
      expect(awaited).toBeGreaterThan(KILLS * 2);
    });
  },
);

/**
 * Runs the committer, kills it at a random instant after it has said so many lines, and gives the number of the last batch that
 * it said is committed.
 */
async function toldUntilKilled(command: readonly string[], lines: number, prng: Prng): Promise<number> {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [...command], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_PATH: join(import.meta.dirname, "../../node_modules") },
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let output = "";
  const hasTold = new Promise((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split("\n").length > lines) resolve(true);
    });
  });
  if (lines === 0) await sleep(prng.nextFloat() * 120);
  else await hasTold.then(() => sleep(prng.nextFloat() * 4));
  child.kill("SIGKILL");
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
  // The last line may be torn: what was not said in full was not told.
  const whole = output.slice(0, output.lastIndexOf("\n") + 1).trimEnd();
  return whole === "" ? -1 : Number(whole.split("\n").at(-1));
}

/** Batches from `checked` on are whole, none that was told is missing, and their states are spent. Gives how many there are. */
async function checkLog(
  file: string,
  durability: (typeof DURABILITIES)[number],
  told: number,
  checked: number,
): Promise<number> {
  const log = openSqliteCommitLog(file, durability);
  const rows = [...log.scan()];
  expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
  const batches = new Map<number, { readonly size: number; places: number }>();
  for (const { txId, bytes } of rows) {
    const text = new TextDecoder().decode(bytes);
    const [number = -1, place = -1, size = -1] = text.split(" ").map(Number);
    expect([txId, text.length]).toEqual([hashOf(`transaction ${number} ${place} ${size} `), 100]);
    const batch = batches.get(number) ?? { size, places: 0 };
    expect(place, "in their order").toBe(batch.places++);
    batches.set(number, batch);
    if (number >= checked) await expectSpent(log, hashOf(`state ${number} ${place} ${size} `));
  }
  expect([...batches.keys()]).toEqual(Array.from({ length: batches.size }, (_, number) => number));
  for (const { size, places } of batches.values()) expect(places).toBe(size);
  expect(batches.size - 1).toBeGreaterThanOrEqual(told);
  await log.close();
  const database = new Database(file, { readonly: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(database.prepare("SELECT count(*) AS n FROM committed_states").get()).toEqual({ n: rows.length * 2 });
  database.close();
  return batches.size;
}

async function expectSpent(log: CommitLog, txId: StateRef["txId"]): Promise<void> {
  const inputs = [0, 1].map((index) => ({ txId, index }));
  const verdict = await log.peek(0, { ...request("thief"), inputs });
  const spent = verdict.ok || verdict.error.tag !== "state_conflict" ? [] : verdict.error.spent;
  expect(spent.map(({ ref: key }) => key)).toEqual(inputs.map(refKey));
}
