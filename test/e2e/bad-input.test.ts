/**
 * Bad input to the real command: each kind is refused with its exit code, a code or a place, and what to do about it, on
 * standard error; nothing on standard output, and nothing is made or changed.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { dream, type Ended, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
const BAD_INPUT = 4;
const NOT_FOUND = 2;

const COMMUNITY = "community: { source: generated, seed: 7, firstDay: 2031-06-01, days: 8, homes: 1, parks: 1 }";
let files = 0;

function written(text: string, name = "scenario.yaml"): string {
  files += 1;
  mkdirSync(join(folder, `${files}`));
  const path = join(folder, `${files}`, name);
  writeFileSync(path, text);
  return path;
}

/** Runs a scenario that must be refused: says so in the right way, and leaves no folder behind. */
async function refusedScenario(
  text: string,
  ...args: readonly string[]
): Promise<{ readonly ended: Ended; readonly file: string }> {
  const file = written(text);
  const out = `${file}-out`;
  const ended = await dream(["simulate", file, "--out", out, ...args]);
  expect(ended.stdout).toBe("");
  expect(existsSync(out)).toBe(false);
  expect(ended.stderr).not.toMatch(/this is a bug|at .*\.js:\d+/);
  return { ended, file };
}

describe("scenarios", () => {
  test("unknown strategies and bad configs: all at once, each with its line, code and mend", async () => {
    const { ended, file } = await refusedScenario(`name: bad
${COMMUNITY}
members:
  home-1:
    strategy: newsvendor
  solar-park-1:
    strategy: double-promiser
    config:
      factor: -2
  speculator-1:
    strategy: speculator
    config:
      marginMicros: 5
`);
    expect(ended.code).toBe(BAD_INPUT);
    const lines = ended.stderr
      .trim()
      .replace(/^dream: /, "")
      .split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/:5: \[strategy_unknown\] members\.home-1\.strategy: .*"newsvendor".*newsvendor-prosumer/);
    expect(lines[1]).toMatch(/:9: \[strategy_config_invalid\] members\.solar-park-1\.config\.factor: .*README/);
    expect(lines[2]).toMatch(/:1\d: \[strategy_config_invalid\] members\.speculator-1\.config.*marginMicros.*README/);
    for (const line of lines) expect(line.startsWith(file)).toBe(true);
  });

  // What else can be wrong in a file is tried in scenario-file.test.ts, without starting the command each time.
  test.each([
    [
      "a misspelt key",
      `name: bad\n${COMMUNITY}\ndasy: 2\n`,
      /:3: \[scenario_malformed\] dasy: .*remove the key, or correct its spelling/,
    ],
    [
      "a member that the community does not have",
      `name: bad\n${COMMUNITY}\nmembers:\n  home-9: { strategy: producer }\n`,
      /\[member_unknown\] members\.home-9: .*it has home-1/,
    ],
    [
      "a zone that there is not",
      "name: bad\ncommunity: { source: generated, timeZone: Mars/Olympus }\n",
      /\[scenario_malformed\] community\.timeZone: was Mars\/Olympus; give/,
    ],
    [
      "days that the community does not have",
      `name: bad\n${COMMUNITY}\nfrom: 2031-06-08\ndays: 2\n`,
      /data from 2031-06-01 to 2031-06-08; choose days within/,
    ],
  ])("%s", async (_what, text, message) => {
    const { ended } = await refusedScenario(text);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(BAD_INPUT);
  });

  test("an end before the beginning, and a day in another form", async () => {
    const early = await refusedScenario(`name: bad\n${COMMUNITY}\n`, "--from", "2031-06-05", "--to", "2031-06-04");
    expect(early.ended).toMatchObject({
      code: BAD_INPUT,
      stderr: expect.stringMatching(/--to 2031-06-04 is before 2031-06-05/),
    });
    const other = await refusedScenario(`name: bad\n${COMMUNITY}\n`, "--from", "5.6.2031");
    expect(other.ended).toMatchObject({ code: BAD_INPUT, stderr: expect.stringMatching(/write it as 2031-06-01/) });
  });

  test("a file that is not there, measured data that are not at hand", async () => {
    const missing = await dream(["simulate", join(folder, "nowhere.yaml")]);
    expect(missing).toMatchObject({
      code: NOT_FOUND,
      stdout: "",
      stderr: expect.stringMatching(/no such scenario; give/),
    });
    const { ended } = await refusedScenario("name: bad\ncommunity: { source: measured }\n");
    expect(ended.code).toBe(NOT_FOUND);
    expect(ended.stderr).toMatch(/measured data are not at hand; run 'dream data get .*', or set DREAM_DATA/);
  });
});

describe("a folder that holds a run", () => {
  const scenario = `name: small\n${COMMUNITY}\ndays: 1\n`;
  let out = "";
  const contents = (): readonly string[] =>
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return `${path} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
      })
      .sort();
  beforeAll(() => {
    // What a run leaves; its content does not matter to the refusal.
    out = join(folder, "a run");
    mkdirSync(join(out, "ledger"), { recursive: true });
    writeFileSync(join(out, "ledger", "notary.sqlite"), "kept");
    writeFileSync(join(out, "report.json"), "{}");
  });

  test("is left as it is", async () => {
    const before = contents();
    const ended = await dream(["simulate", written(scenario), "--out", out]);
    expect(ended).toMatchObject({ code: BAD_INPUT, stdout: "" });
    expect(ended.stderr).toMatch(/already holds a run; give another folder with --out, or remove it/);
    expect(contents()).toEqual(before);
  });

  test("or a file instead of a folder", async () => {
    const file = written("kept", "file");
    const ended = await dream(["simulate", written(scenario), "--out", file]);
    expect(ended).toMatchObject({ code: BAD_INPUT, stdout: "" });
    expect(ended.stderr).toMatch(/--out .* can't be used: .*give a folder that can be written/);
    expect(readFileSync(file, "utf8")).toBe("kept");
  });
});

describe("other commands", () => {
  test("a data file without a column that the manifest names", async () => {
    const csv = written("time,power\n2031-06-01T00:00,1\n", "roof.csv");
    const manifest = written(
      `name: bad
licence: CC0-1.0
source: https://example.org
timeZone: UTC
timestamps: { column: time, zone: UTC, marks: start }
resolutionMinutes: 60
root: ${join(csv, "..")}
series:
  - { name: roof, kind: pv, file: roof.csv, column: energy, unit: Wh, capacityKw: 5 }
`,
      "dataset.yaml",
    );
    const { code, stdout } = await dream(["data", "check", manifest]);
    expect(code).toBe(BAD_INPUT);
    expect(stdout).toMatch(/roof\.csv:1.*energy/);
    expect(stdout).toMatch(/Mend: .*\n.* cannot be used: 1 errors/);
  });

  test("a book with negative energy: the field is named", async () => {
    const bid = { id: "b1", owner: "A", priceMicrosPerKwh: "250000", energyWh: "-1000" };
    const book = written(JSON.stringify({ bids: [bid], offers: [] }), "book.json");
    const ended = await dream(["market", "clear", "--method", "pay-as-clear", "--input", book, "--json"]);
    expect(ended).toMatchObject({ code: BAD_INPUT, stdout: "" });
    expect(ended.stderr).toMatch(/book\.json.*bids\[0\]\.energyWh/);
    const piped = await dream(["market", "clear", "--method", "pay-as-clear", "--input", "-"], { input: "{" });
    expect(piped).toMatchObject({ code: BAD_INPUT, stdout: "" });
  });

  test.each([
    ["an unknown option", ["demo", "--dyas", "1"], /unknown option '--dyas'.*Did you mean --days/s],
    ["an unknown command", ["dmeo"], /unknown command 'dmeo'.*Did you mean demo/s],
    ["no days", ["demo", "--days", "0"], /Give a whole number from 1 to 60/],
    ["a command without what it needs", ["simulate"], /missing required argument 'scenario'/],
  ])("%s", async (_what, args, message) => {
    const ended = await dream(args);
    expect(ended).toMatchObject({ code: BAD_INPUT, stdout: "" });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).toMatch(/dream --help/);
  });
});
