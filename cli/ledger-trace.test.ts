/**
 * `dream ledger trace` and `dream member statement` over a run in which an agency certifies a park's energy and one of two flats
 * buys certified energy alone.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultRules, runSimulation } from "#backtest";
import { unwrap } from "#core";
import { createPersistence } from "#forecast";
import { findStrategy } from "#strategies";
import { handMadeCommunity } from "#testkit";
import { CommandFailure } from "./exit.ts";
import { ledgerTrace } from "./ledger-trace.ts";
import { memberStatement } from "./member-statement.ts";

const folder = mkdtempSync(join(tmpdir(), "dream-trace-"));
const run = join(folder, "run");
const community = handMadeCommunity({
  members: [
    { name: "park", roles: ["producer"], strategy: "producer", productionWh: 1_500, capacityWh: 2_000 },
    {
      name: "green flat",
      roles: ["consumer"],
      strategy: "load-follower",
      strategyConfig: { requires: { renewable: true, source: "solar" }, greenPremiumMicrosPerKwh: 20_000 },
      loadWh: 700,
    },
    { name: "flat", roles: ["consumer"], strategy: "load-follower", loadWh: 500 },
  ],
  feedIn: 60_000,
  retail: 300_000,
  historyDays: 8,
  slotMinutes: 60,
});

beforeAll(async () => {
  const ran = await runSimulation({
    name: "certified",
    version: "1.2.3",
    community,
    firstDay: community.demoFirstDay,
    days: 1,
    seed: 3,
    currency: "EUR",
    rules: defaultRules(community, "EUR"),
    forecaster: createPersistence(community),
    strategyOf: ({ strategy, strategyConfig }) => {
      const found = unwrap(findStrategy(strategy));
      return { strategy: found, config: found.config.parse(strategyConfig) };
    },
    agency: "inspector",
    directory: run,
    request: {},
    defer: (task) => void setImmediate(task),
    stopwatch: () => 0,
  });
  expect(ran.ok).toBe(true);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function printed(print: (stdout: NodeJS.WritableStream) => void): string {
  let text = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  print(stdout);
  return text;
}

type StatementJson = {
  readonly slots: number;
  readonly consumedWh: string;
  readonly ownWh: string;
  readonly lastResortWh: string;
  readonly sources: readonly {
    readonly source: string | null;
    readonly certifiedBy: string | null;
    readonly energyWh: string;
  }[];
  readonly hours: readonly { readonly hour: string; readonly start: string; readonly consumedWh: string }[];
};

function statement(member: string, flags: { readonly from?: string; readonly to?: string } = {}): StatementJson {
  return JSON.parse(printed((stdout) => memberStatement(member, { run, json: true, ...flags }, stdout)));
}

/** A column of the run's settlements, summed over a member's slots. */
function settled(member: string, column: string): bigint {
  const [head = "", ...rows] = readFileSync(join(run, "settlements.csv"), "utf8").trim().split("\n");
  const columns = head.split(",");
  const cells = rows.map((row) => row.split(",")).filter((row) => row[columns.indexOf("member")] === member);
  return cells.reduce((sum, row) => sum + BigInt(row[columns.indexOf(column)] ?? 0), 0n);
}

function failure(run_: () => void): CommandFailure {
  try {
    run_();
  } catch (error) {
    if (error instanceof CommandFailure) return error;
  }
  throw new Error("the command fails");
}

describe("dream member statement", () => {
  test("says where a green buyer's energy came from, by hour, and adds up to what was settled", () => {
    const green = statement("green flat");
    expect(green.slots).toBe(24);
    expect(green.hours).toHaveLength(24);
    const bought = green.sources.reduce((sum, { energyWh }) => sum + BigInt(energyWh), 0n);
    expect(bought).toBeGreaterThan(0n);
    expect(new Set(green.sources.map(({ source, certifiedBy }) => `${source} ${certifiedBy}`))).toEqual(
      new Set(["solar inspector"]),
    );
    expect(BigInt(green.consumedWh)).toBe(settled("green flat", "consumedWh"));
    expect(BigInt(green.ownWh) + bought + BigInt(green.lastResortWh)).toBe(BigInt(green.consumedWh));
    expect(green.hours.reduce((sum, { consumedWh }) => sum + BigInt(consumedWh), 0n)).toBe(BigInt(green.consumedWh));
    expect(green.hours[0]).toMatchObject({ hour: "2031-06-02 00:00", start: "2031-06-02T00:00:00.000Z" });
  });

  test("is of the days asked for", () => {
    expect(statement("flat", { to: "2031-06-01" })).toMatchObject({ slots: 0, consumedWh: "0" });
    expect(statement("flat", { from: "2031-06-02", to: "2031-06-02" }).slots).toBe(24);
  });

  test("is a table for people", () => {
    const table = printed((stdout) => memberStatement("green flat", { run }, stdout));
    expect(table).toContain("green flat, 24 settled slots, UTC");
    expect(table).toMatch(
      /^hour +used Wh +own production +solar, renewable, hand-made, 41 g\/kWh, certified by inspector +last resort$/m,
    );
    expect(table).toMatch(/^sum +16800 /m);
  });

  test("names members that are near an unknown one, and refuses a day that is none", () => {
    expect(failure(() => statement("flta"))).toMatchObject({ exitCode: 2 });
    expect(failure(() => statement("flta")).message).toContain("nearest: flat, ");
    expect(failure(() => statement("flat", { from: "yesterday" }))).toMatchObject({ exitCode: 4 });
  });
});

describe("dream ledger trace", () => {
  const promiseOf = (member: string): string =>
    failure(() => printed((stdout) => ledgerTrace(member, { run }, stdout)))
      .message.split("nearest: ")[1]
      ?.split(", ")[0] ?? "";

  test("names promises that are near an unknown one", () => {
    expect(promiseOf("park")).toMatch(/^park\/producer\/\d+\/\d+$/);
    expect(failure(() => printed((stdout) => ledgerTrace("park", { run }, stdout)))).toMatchObject({ exitCode: 2 });
  });

  test("follows a promise from the plant to who used it", () => {
    const promiseId = promiseOf("park");
    const trace = JSON.parse(printed((stdout) => ledgerTrace(promiseId, { run, json: true }, stdout)));
    const steps: readonly string[] = trace.steps.map(({ step }: { readonly step: string }) => step);
    expect(trace.promiseIds).toEqual([promiseId]);
    expect(steps.slice(0, 2)).toEqual(["create-promises", "certify-claims"]);
    expect(steps).toContain("check-delivery");
    expect(steps.at(-1)).toBe("settle-slot");
    expect(trace.steps[1]).toMatchObject({
      promiseId,
      supplier: "park",
      from: ["park"],
      to: "park",
      claims: {
        source: "solar",
        renewable: true,
        origin: community.name,
        gramsCo2PerKwh: 41,
        certifiedBy: "inspector",
      },
    });
  });

  test("is a table for people", () => {
    const table = printed((stdout) => ledgerTrace(promiseOf("park"), { run }, stdout));
    expect(table).toMatch(/^step +promise +slot +Wh +from +to +delivered +used +claims +transaction$/m);
    expect(table).toMatch(/^certify-claims .* park +park .* certified by inspector +[0-9a-f]{16}$/m);
  });

  test("needs a folder with stores", () => {
    const wrong = failure(() => printed((stdout) => ledgerTrace("any", { run: join(folder, "nowhere") }, stdout)));
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.message).toContain("holds no ledger stores");
  });
});
