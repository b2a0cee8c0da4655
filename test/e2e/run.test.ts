/** Whole runs of the real command: what they print and write, that money and energy balance, and that a seed decides all. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { brokenLink } from "#backtest";
import { localDay, localMidnightMs, zone } from "#core";
import { generateCommunity } from "#data";
import { checkSettlements, rowsOf } from "../laws/settlement-laws.ts";
import { dream, type Ended, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
const scenario = join(folder, "tiny.yaml");
const COMMUNITY = { source: "generated", seed: 7, days: 8, homes: 1, parks: 1 } as const;
const INFRASTRUCTURE = ["grid-authority", "marketplace", "power-company"];
writeFileSync(
  scenario,
  `name: tiny
community: ${JSON.stringify(COMMUNITY)}
from: 2031-03-06
days: 1
rules: { emergencyMicrosPerKwh: 700001, gridFeeMicrosPerKwh: 5003, marketFeeMicrosPerKwh: 4001 }
members:
  speculator-1: { strategy: speculator, config: { explorationWh: 300, explorationLimitPercent: 60 } }
`,
);

const out = (name: string): string => join(folder, name);
const textOf = (run: string, name: string): string => readFileSync(join(out(run), name), "utf8");
function simulated(
  run: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return dream(["simulate", scenario, "--out", out(run), ...args], { env });
}

/** The same run in two zones and languages, both far from the community's own, and one of another seed. */
let base: Ended;
let elsewhere: Ended;
let other: Ended;
beforeAll(async () => {
  base = await simulated("base", [], { TZ: "Asia/Kathmandu" });
  elsewhere = await simulated("elsewhere", ["--json"], { TZ: "America/St_Johns", LC_ALL: "tr_TR.UTF-8" });
  other = await simulated("other", ["--seed", "2"]);
}, 240_000);

describe("a run", () => {
  test("ends well and reports on at most 60 lines, of which the first says that the community is generated", () => {
    expect(base.stderr).toBe("");
    expect(base.code).toBe(0);
    const lines = base.stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/[Gg]enerated/);
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(base.stdout).toContain(join(out("base"), "report.html"));
    expect(base.stdout).not.toContain("\u001b["); // Not a terminal: no colours.
  });

  test("leaves exactly its files", () => {
    expect(readdirSync(out("base")).sort()).toEqual(
      ["events.jsonl", "ledger", "manifest.json", "report.html", "report.json", "settlements.csv", "statements"].sort(),
    );
    const stores = readdirSync(join(out("base"), "ledger"));
    expect(stores.filter((name) => !name.endsWith(".sqlite"))).toEqual([]);
    for (const name of [
      ...INFRASTRUCTURE,
      "notary",
      "verifier",
      "payment-provider",
      "home-1",
      "solar-park-1",
      "speculator-1",
    ])
      expect(stores).toContain(`${name}.sqlite`);
  });

  test("its report has all fields that are promised", () => {
    const report = JSON.parse(textOf("base", "report.json")) as Record<string, Record<string, unknown>>;
    expect(report).toMatchObject({
      slots: 24,
      conservation: { moneyErrorMicros: "0", energyErrorWh: "0" },
      community: { source: "generated" },
      seed: 1,
      slotMinutes: 60,
      runHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      wallSeconds: expect.any(Number),
    });
    const decimal = expect.stringMatching(/^-?\d+$/);
    const { energy, money, ledger, forecast, members } = report;
    expect(energy).toMatchObject({
      promisedWh: decimal,
      deliveredWh: decimal,
      shortfallWh: decimal,
      tradedWh: decimal,
    });
    expect(money).toMatchObject({ issuedMicros: decimal, heldMicros: decimal });
    expect(money?.["heldMicros"]).toBe(money?.["issuedMicros"]);
    expect(ledger).toMatchObject({
      transactions: expect.any(Number),
      signatures: expect.any(Number),
      tps: expect.any(Number),
    });
    expect(forecast).toBeTypeOf("object");
    expect((members as unknown as readonly { readonly name: string }[]).map(({ name }) => name).sort()).toEqual(
      [...INFRASTRUCTURE, "home-1", "solar-park-1", "speculator-1"].sort(),
    );
  });

  test("balances money and energy in every slot: recomputed from settlements.csv and the published prices", () => {
    const community = generateCommunity(COMMUNITY);
    const firstMs = localMidnightMs(community.timeZone, community.firstDay);
    const prices = community.data.tariffs.flatMap(({ feedIn, retail }) =>
      feedIn.map((price, index) => ({ feedIn: price, retail: retail[index] ?? price })),
    );
    const at = (slot: string): { readonly feedIn: bigint; readonly retail: bigint } => {
      const found = prices[(Date.parse(slot.slice(0, 17)) - firstMs) / 3_600_000];
      if (found === undefined) throw new Error(`no price for ${slot}`);
      return found;
    };
    const csv = textOf("base", "settlements.csv");
    const verdict = checkSettlements(csv, {
      feedIn: (slot) => at(slot).feedIn,
      retail: (slot) => at(slot).retail,
      emergency: 700_001n,
      gridFee: 5_003n,
      marketFee: 4_001n,
      hasBattery: (member) => member === "home-1",
    });
    expect(verdict.faults).toEqual([]);
    expect(verdict).toMatchObject({ slots: 24, rows: 24 * 6 });
    const rows = rowsOf(csv);
    const report = JSON.parse(textOf("base", "report.json")) as { readonly energy: Record<string, string> };
    for (const [field, column] of [
      ["promisedWh", "promisedWh"],
      ["deliveredWh", "deliveredWh"],
      ["shortfallWh", "shortfallWh"],
      ["tradedWh", "boughtWh"],
    ] as const)
      expect(report.energy[field]).toBe(`${rows.reduce((sum, row) => sum + row[column], 0n)}`);
    expect(rows.some(({ promisedWh }) => promisedWh > 0n)).toBe(true);
    const first = localMidnightMs(zone("Europe/Madrid"), localDay("2031-03-06"));
    expect(rows[0]?.slot).toBe(`${new Date(first).toISOString().slice(0, 16)}Z/PT60M`);
  });

  test("passes the audit: exit 0, no violation, the report's own counts and sums", async () => {
    const { code, stdout } = await dream(["ledger", "audit", out("base"), "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(textOf("base", "report.json")) as Record<string, Record<string, unknown>>;
    expect(JSON.parse(stdout)).toMatchObject({
      violations: [],
      transactions: report["ledger"]?.["transactions"],
      moneyIssuedMicros: report["money"]?.["issuedMicros"],
      moneyHeldMicros: report["money"]?.["heldMicros"],
    });
  });

  test("its event log is a chain that ends at the manifest's hash; an altered line is found", () => {
    const lines = textOf("base", "events.jsonl").trimEnd().split("\n");
    const manifest = JSON.parse(textOf("base", "manifest.json")) as {
      readonly events: number;
      readonly runHash: string;
      readonly hashes: Readonly<Record<string, string>>;
    };
    expect(lines).toHaveLength(manifest.events);
    expect(brokenLink(lines, manifest.hashes["events"])).toBeUndefined();
    for (const row of [0, Math.floor(lines.length / 2), lines.length - 1]) {
      const altered = lines.with(row, (lines[row] ?? "").replace(/"atMs":\d/, '"atMs":9'));
      expect(altered[row]).not.toBe(lines[row]);
      expect([row + 1, row + 2]).toContain(brokenLink(altered, manifest.hashes["events"]));
    }
    for (const hash of ["code", "data", "request", "settlements", "events"])
      expect(manifest.hashes[hash]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("the seed decides everything", () => {
  const hashOf = (run: string): string =>
    (JSON.parse(textOf(run, "report.json")) as { readonly runHash: string }).runHash;

  test("the machine's zone and language change nothing: Kathmandu and St. John's, byte for byte", () => {
    expect(elsewhere).toMatchObject({ code: 0, stderr: "" });
    expect(hashOf("elsewhere")).toBe(hashOf("base"));
    for (const name of ["settlements.csv", "events.jsonl"])
      expect(textOf("elsewhere", name)).toBe(textOf("base", name));
  });

  test("another seed, another run", () => {
    expect(other.code).toBe(0);
    expect(hashOf("other")).not.toBe(hashOf("base"));
    expect(textOf("other", "events.jsonl")).not.toBe(textOf("base", "events.jsonl"));
  });
});

test("--json prints one JSON document on stdout, and nothing else there", () => {
  expect(JSON.parse(elsewhere.stdout)).toMatchObject({
    slots: 24,
    conservation: { moneyErrorMicros: "0", energyErrorWh: "0" },
  });
  expect(elsewhere.stdout).toMatch(/^\{[\s\S]*\}\n$/);
});
