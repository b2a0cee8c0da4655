/** Run directories: what is in them, that it agrees with itself, and that a refused run leaves nothing behind. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addLocalDays, hashOf, localDay, toJson, unwrap } from "#core";
import type { Community } from "#data";
import { auditFolder } from "#ledger-node";
import { findStrategy } from "#strategies";
import { handMadeCommunity } from "#testkit";
import { brokenLink } from "./event-log.ts";
import { defaultRules } from "./network-rules.ts";
import { parseSettlementsCsv, type RunReport } from "./report/index.ts";
import { type Run, type RunOptions, runRefusal, runSimulation } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "dream-run-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const community = handMadeCommunity({
  members: [
    { name: "park", roles: ["producer"], strategy: "producer", productionWh: 900, capacityWh: 1_000 },
    { name: "flat", roles: ["consumer"], strategy: "load-follower", loadWh: 700 },
  ],
  feedIn: 60_000,
  retail: 300_000,
  historyDays: 8,
  slotMinutes: 60,
});

function optionsFor(directory: string, patch: Partial<RunOptions> = {}): RunOptions {
  let seconds = 0;
  return {
    name: "test",
    version: "1.2.3",
    community,
    firstDay: community.demoFirstDay,
    days: 1,
    seed: 3,
    currency: "EUR",
    rules: defaultRules(community, "EUR"),
    strategyOf: ({ strategy }) => {
      const found = unwrap(findStrategy(strategy));
      return { strategy: found, config: found.config.parse({}) };
    },
    directory,
    request: { asked: "for this" },
    codeHash: "c0de",
    runtime: "node of the test",
    defer: (task) => void setImmediate(task),
    stopwatch: () => seconds++,
    ...patch,
  };
}

describe("a run directory", () => {
  const directory = join(folder, "made", "on the way");
  const done: number[] = [];
  let run: Run;
  const text = (name: string): string => readFileSync(join(directory, name), "utf8");
  beforeAll(async () => {
    run = unwrap(await runSimulation(optionsFor(directory, { onProgress: (slots) => void done.push(slots) })));
  });

  test("holds exactly its six entries, and one store for each node and the notary", () => {
    expect(readdirSync(directory).sort()).toEqual(
      ["events.jsonl", "ledger", "manifest.json", "report.html", "report.json", "settlements.csv", "statements"].sort(),
    );
    expect(readdirSync(join(directory, "ledger")).sort()).toEqual(
      ["flat", "grid-authority", "marketplace", "notary", "park", "payment-provider", "power-company", "verifier"].map(
        (name) => `${name}.sqlite`,
      ),
    );
  });

  test("has settled and traded: this is no empty run", () => {
    expect(run.report.slots).toBe(24);
    expect(run.report.energy.tradedWh).toBeGreaterThan(0n);
    expect(run.report.warnings).toEqual([]);
    expect(done).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  });

  test("its report is drawn from its settlements: every sum can be recomputed", () => {
    const rows = unwrap(parseSettlementsCsv(text("settlements.csv")));
    const report = JSON.parse(text("report.json")) as Record<string, never>;
    expect(report).toEqual(JSON.parse(toJson(run.report)));
    type Column = "promisedWh" | "deliveredWh" | "shortfallWh" | "producedWh" | "consumedWh" | "boughtWh" | "netMicros";
    const sum = (column: Column, of = rows): bigint => of.reduce((total, row) => total + row[column], 0n);
    const { energy, members, conservation }: RunReport = run.report;
    for (const column of ["promisedWh", "deliveredWh", "shortfallWh", "producedWh", "consumedWh"] as const)
      expect(energy[column]).toBe(sum(column));
    expect(energy.tradedWh).toBe(sum("boughtWh"));
    for (const member of members) {
      const own = rows.filter((row) => row.member === member.name);
      expect(member.netMicros).toBe(sum("netMicros", own));
      expect(member.gainMicros).toBe(own.reduce((total, row) => total + row.netMicros - row.baselineMicros, 0n));
    }
    expect(conservation).toEqual({ moneyErrorMicros: 0n, energyErrorWh: 0n });
    expect(run.report.timeline.map(({ slot }) => slot)).toEqual([...new Set(rows.map(({ slot }) => slot))]);
  });

  test("its manifest names version, seed, request, and the hashes of code, data, events and settlements", () => {
    const manifest = JSON.parse(text("manifest.json")) as Record<string, never>;
    const csv = text("settlements.csv");
    const lines = text("events.jsonl").trimEnd().split("\n");
    expect(manifest).toMatchObject({
      name: "test",
      version: "1.2.3",
      runtime: "node of the test",
      seed: 3,
      firstDay: "2031-06-02",
      days: 1,
      request: { asked: "for this" },
      events: lines.length,
      runHash: run.report.runHash,
      hashes: {
        code: "c0de",
        request: hashOf('{"asked":"for this"}'),
        settlements: hashOf(csv),
        events: hashOf(lines.at(-1) ?? ""),
      },
    });
    expect(brokenLink(lines, hashOf(lines.at(-1) ?? ""))).toBeUndefined();
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ kind: "settlements", data: { sha256: hashOf(csv) } });
    expect(run.report.runHash).toBe(hashOf(`${hashOf(lines.at(-1) ?? "")}\n${hashOf(csv)}`));
  });

  test("its stores pass the audit", () => {
    const audited = auditFolder(directory);
    expect(audited).toMatchObject({ ok: true, value: { violations: [] } });
    if (audited.ok) {
      expect(audited.value.transactions).toBe(run.report.ledger.transactions);
      expect(audited.value.moneyHeldMicros).toBe(run.report.money.heldMicros);
      expect(audited.value.moneyIssuedMicros).toBe(run.report.money.issuedMicros);
    }
  });

  test("is not written to again", async () => {
    const before = readdirSync(directory, { recursive: true }).length;
    const csv = text("settlements.csv");
    expect(await runSimulation(optionsFor(directory, { seed: 4 }))).toEqual({
      ok: false,
      error: { tag: "directory_in_use", directory },
    });
    expect(readdirSync(directory, { recursive: true })).toHaveLength(before);
    expect(text("settlements.csv")).toBe(csv);
  });
});

describe("a refused run", () => {
  const { firstDay, lastDay, demoFirstDay } = community;
  const withoutPrices: Community = {
    ...community,
    data: { ...community.data, tariffs: community.data.tariffs.slice(0, -1) },
  };
  const halfADay: Community = {
    ...community,
    data: {
      ...community.data,
      tariffs: community.data.tariffs.map((tariff, index, all) =>
        index < all.length - 1
          ? tariff
          : { ...tariff, retail: tariff.retail.slice(0, 12), feedIn: tariff.feedIn.slice(0, 12) },
      ),
    },
  };

  test.each([
    ["before the data begin", { firstDay: addLocalDays(firstDay, -1) }, { tag: "days_not_covered", firstDay, lastDay }],
    ["beyond the last day", { days: 2 }, { tag: "days_not_covered", firstDay, lastDay }],
    ["long after", { firstDay: localDay("2040-01-01") }, { tag: "days_not_covered", firstDay, lastDay }],
    ["on a day without prices", { community: withoutPrices }, { tag: "tariff_missing", day: demoFirstDay }],
    ["on a day with prices for half of it", { community: halfADay }, { tag: "tariff_missing", day: demoFirstDay }],
  ])("%s leaves nothing behind, so that the next may use its folder", async (what, patch, error) => {
    const directory = join(folder, what);
    const options = optionsFor(directory, patch);
    expect(await runSimulation(options)).toEqual({ ok: false, error });
    expect(() => readdirSync(directory)).toThrow(/ENOENT/);
    expect(runRefusal(options, directory)).toEqual(error);
    expect(runRefusal(optionsFor(directory), directory)).toBeUndefined();
  });

  test.each(["ledger", "events.jsonl", "report.json", "manifest.json", "settlements.csv", "report.html"])(
    "for a folder that already has %s",
    async (entry) => {
      const directory = join(folder, `has ${entry}`);
      mkdirSync(directory);
      if (entry === "ledger") mkdirSync(join(directory, entry));
      else writeFileSync(join(directory, entry), "kept");
      expect(await runSimulation(optionsFor(directory))).toEqual({
        ok: false,
        error: { tag: "directory_in_use", directory },
      });
      expect(readdirSync(directory)).toEqual([entry]);
    },
  );
});
