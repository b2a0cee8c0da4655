/** The smallest of the paper's experiments by the command line: real processes, real requests, all that is written. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dream, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
const TIMEOUT_MS = 240_000;
const CLASSES = 8;

type Printed = {
  readonly out: string;
  readonly failed: number;
  readonly requests: number;
  readonly runs: readonly {
    readonly requests: number;
    readonly batchSeconds: number;
    readonly quietSeconds: number;
    readonly secondsPerRequest: number;
    readonly answerSeconds: readonly number[];
    readonly usage: readonly {
      readonly usageClass: string;
      readonly processes: number;
      readonly meanBytes: number;
      readonly processPeakBytes: number;
    }[];
  }[];
};

describe("dream bench paper", () => {
  test(
    "with six nodes, one and three requests of one task",
    async () => {
      const out = join(folder, "paper");
      const args = ["--nodes", "6", "--requests", "3,1", "--tasks", "create-promise", "--repeats", "1", "--out", out];
      const { code, stdout, stderr } = await dream(["bench", "paper", ...args, "--json"], { env: { TMPDIR: folder } });
      expect([code, stderr]).toEqual([0, ""]);
      const printed = JSON.parse(stdout) as Printed;
      expect(printed).toMatchObject({ out, failed: 0, requests: 4 });
      expect(printed.runs.map(({ requests }) => requests)).toEqual([1, 3]);
      for (const run of printed.runs) {
        expect(run.answerSeconds).toHaveLength(run.requests);
        expect(run.secondsPerRequest * run.requests).toBeCloseTo(run.batchSeconds);
        expect(run.batchSeconds).toBeGreaterThanOrEqual(Math.max(...run.answerSeconds));
        expect(run.quietSeconds).toBeGreaterThanOrEqual(run.batchSeconds);
        expect(run.usage).toHaveLength(CLASSES);
        expect(run.usage.reduce((sum, { processes }) => sum + processes, 0)).toBe(1 + 2 + 6);
        for (const { meanBytes } of run.usage) expect(meanBytes).toBeGreaterThan(10e6);
        // The aim is a member's node below 120 MB; far above it, something is loaded that a node does not need.
        for (const { usageClass, processPeakBytes } of run.usage)
          if (["consumer", "producer", "prosumer"].includes(usageClass)) expect(processPeakBytes).toBeLessThan(150e6);
      }
      const rows = readFileSync(join(out, "paper.csv"), "utf8").trimEnd().split("\n");
      expect(rows).toHaveLength(1 + 2 * CLASSES);
      expect(rows[1]).toMatch(/^create-promise,6,1,1,infrastructure,1,/);
      expect(readFileSync(join(out, "report.html"), "utf8")).toMatch(
        /^<!doctype html>[\s\S]*Figure 7[\s\S]*<\/html>\n$/,
      );
    },
    TIMEOUT_MS,
  );

  test("leaves no process and no folder of a network behind", () => {
    expect(readdirSync(folder)).toEqual(["paper"]);
    const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    expect(running).not.toContain(folder);
  });

  test("refuses what it can't measure, and makes nothing", async () => {
    const refused: readonly (readonly [args: readonly string[], said: RegExp])[] = [
      [["--nodes", "5"], /from 6 to 40/],
      [["--requests", "1,no"], /whole number/],
      [
        ["--tasks", "create-promise,sell"],
        /--tasks: sell is no task; give some of create-promise, create-auction, bid/,
      ],
    ];
    for (const [args, said] of refused) {
      const out = join(folder, "refused");
      const ended = await dream(["bench", "paper", ...args, "--out", out]);
      expect(ended.code).toBe(4);
      expect(ended.stderr).toMatch(said);
      expect(existsSync(out)).toBe(false);
    }
  });
});

test(
  "dream bench aggregator measures each number of members in a process of its own",
  async () => {
    const { code, stdout } = await dream(["bench", "aggregator", "--members", "6,12", "--json"], {
      env: { TMPDIR: folder },
    });
    expect(code).toBe(0);
    const { runs } = JSON.parse(stdout) as { readonly runs: readonly Record<string, unknown>[] };
    expect(runs.map(({ members }) => members)).toEqual([6, 12]);
    const phasesOf = (run: Record<string, unknown> = {}) => run["phases"] as readonly Record<string, number | string>[];
    expect(phasesOf(runs[1]).map(({ phase, transactions }) => [phase, transactions])).toEqual([
      ["join", 1],
      ["fund", 12],
      ["start", 0],
      ["promise", 6],
      ["order", 12],
      ["clear", 1],
    ]);
    for (const { seconds = 0, coreSeconds = 0, residentBytes = 0 } of runs.flatMap(phasesOf))
      expect([Number(seconds) > 0, Number(coreSeconds) > 0, Number(residentBytes) > 1e7]).toEqual([true, true, true]);
    expect(BigInt(String(runs[1]?.["clearedWh"]))).toBeGreaterThan(0n);
    expect(readdirSync(folder).filter((name) => name.startsWith("dream-bench-"))).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "dream bench ledger measures in one process and across processes",
  async () => {
    const { code, stdout } = await dream(
      ["bench", "ledger", "--members", "2", "--flows", "2", "--rounds", "1", "--json"],
      { env: { TMPDIR: folder } },
    );
    expect(code).toBe(0);
    const printed = JSON.parse(stdout) as Record<string, number> & { acrossProcesses: Record<string, number> };
    expect(printed).toMatchObject({ flows: 4, acrossProcesses: { members: 2, flows: 4, processes: 10 } });
    expect(printed["ratio"]).toBeCloseTo((printed["flowsPerSecond"] ?? 0) / (printed["signatureLimitPerSecond"] ?? 1));
    const { signsPerFlow = 0, verifiesPerFlow = 0, signMicros = 0, verifyMicros = 0 } = printed;
    expect(printed["signatureLimitPerSecond"]).toBeCloseTo(
      1e6 / (signsPerFlow * signMicros + verifiesPerFlow * verifyMicros),
    );
    expect(printed.acrossProcesses["flowsPerSecond"]).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual(["paper"]);
  },
  TIMEOUT_MS,
);
