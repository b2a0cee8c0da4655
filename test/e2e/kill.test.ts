/** kill -9 in the middle of a run: what is on disk is a sound ledger up to that moment, at whatever moment it was. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { brokenLink } from "#backtest";
import { seededPrng } from "#core";
import { dream, startDream, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
const scenario = join(folder, "tiny.yaml");
writeFileSync(
  scenario,
  "name: tiny\ncommunity: { source: generated, seed: 7, days: 8, homes: 1, parks: 1 }\nfrom: 2031-03-06\ndays: 2\n",
);

/** Bytes that the notary has written: grows with every commit. */
function written(out: string): number {
  const log = join(out, "ledger", "notary.sqlite-wal");
  return existsSync(log) ? statSync(log).size : 0;
}

/** Starts a run and kills it without warning once the notary has written so much, and some milliseconds later. */
async function killedRun(args: readonly string[], out: string, afterBytes: number, delayMs: number): Promise<void> {
  const running = startDream([...args, "--out", out]);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => running.on("exit", (_code, signal) => resolve(signal)));
  while (written(out) < afterBytes && running.exitCode === null) await sleep(2);
  await sleep(delayMs);
  running.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL"); // Killed before its end, or the test shows nothing.
}

const prng = seededPrng("kill", "instants");
const between = (low: number, high: number): number => low + Math.floor(prng.nextFloat() * (high - low));

describe("after kill -9", () => {
  test.each([
    ["a simulation, while its members join", ["simulate", scenario], between(60_000, 120_000), between(0, 40)],
    ["a simulation, in its first day", ["simulate", scenario], between(300_000, 900_000), between(0, 80)],
    ["the demo", ["demo", "--days", "1"], between(400_000, 700_000), between(0, 80)],
  ])(
    "of %s, the audit finds nothing wrong",
    async (what, args, afterBytes, delayMs) => {
      const out = join(folder, what);
      await killedRun(args, out, afterBytes, delayMs);
      const { code, stdout, stderr } = await dream(["ledger", "audit", out, "--json"]);
      expect(stderr).toBe("");
      const report = JSON.parse(stdout) as { readonly transactions: number; readonly moneyIssuedMicros: string };
      expect(report).toMatchObject({ violations: [], moneyHeldMicros: report.moneyIssuedMicros });
      expect(code).toBe(0);
      expect(report.transactions).toBeGreaterThan(1);
      // Of the event log whole lines are left, in a chain; at most the last is torn.
      const lines = readFileSync(join(out, "events.jsonl"), "utf8").split("\n").slice(0, -1);
      expect(brokenLink(lines)).toBeUndefined();
    },
    120_000,
  );
});
