/** Scenario files: what is wrong is told with its code, line and mend, all at once; whatever the text is, reading it never throws. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeProblems, parseScenario, SCENARIO_REFUSALS, type ScenarioProblem } from "../../cli/scenario.ts";
import { filesEndingWith, ROOT } from "../architecture/checkout.ts";

const COMMUNITY = "community: { source: generated, homes: 1, parks: 1 }";

function problemsOf(text: string): readonly ScenarioProblem[] {
  const parsed = parseScenario(text);
  return parsed.ok ? [] : parsed.error;
}

describe("a good scenario", () => {
  test("of one line has a default for all the rest", () => {
    expect(parseScenario("name: small\n")).toEqual({
      ok: true,
      value: { name: "small", community: { source: "default" }, days: 14, seed: 1, rules: {}, members: {} },
    });
  });

  const scenarios = filesEndingWith(".yaml", "examples").filter((path) => !path.startsWith("examples/network/"));
  test.each(scenarios)("%s", (path) => {
    expect(problemsOf(readFileSync(`${ROOT}/${path}`, "utf8"))).toEqual([]);
  });
});

/** For each: what, the text, and code, line and path of the first problem. */
const CASES: readonly (readonly [what: string, text: string, code: string, line: number | null, path: string])[] = [
  ["a misspelt key", `name: x\n${COMMUNITY}\ndasy: 2\n`, "scenario_malformed", 3, "dasy"],
  [
    "a misspelt key within",
    "name: x\ncommunity:\n  source: generated\n  hoems: 3\n",
    "scenario_malformed",
    4,
    "community.hoems",
  ],
  ["no YAML", 'name: "x\n', "scenario_malformed", 2, ""],
  ["a key twice", "name: x\nname: y\n", "scenario_malformed", 2, ""],
  ["a reference to nothing", "name: *missing\n", "scenario_malformed", 1, ""],
  ["no mapping", "- 1\n", "scenario_malformed", 1, ""],
  ["nothing", "", "scenario_malformed", null, ""],
  ["no name", `${COMMUNITY}\n`, "scenario_malformed", 1, "name"],
  ["a number where a text belongs", "name: 3\n", "scenario_malformed", 1, "name"],
  [
    "a source that there is not",
    "name: x\ncommunity: { source: bought }\n",
    "scenario_malformed",
    2,
    "community.source",
  ],
  ["no days", "name: x\ndays: 0\n", "scenario_malformed", 2, "days"],
  ["half a day", "name: x\ndays: 0.5\n", "scenario_malformed", 2, "days"],
  ["a day that there is not", "name: x\nfrom: 2031-02-30\n", "scenario_malformed", 2, "from"],
  ["a day before all data", "name: x\nfrom: 1815-06-18\n", "scenario_malformed", 2, "from"],
  [
    "a negative price",
    "name: x\nrules:\n  gridFeeMicrosPerKwh: -1\n",
    "scenario_malformed",
    3,
    "rules.gridFeeMicrosPerKwh",
  ],
  [
    "a price in parts",
    "name: x\nrules:\n  gridFeeMicrosPerKwh: 0.5\n",
    "scenario_malformed",
    3,
    "rules.gridFeeMicrosPerKwh",
  ],
  [
    "more at least than at most",
    "name: x\nrules:\n  promiseMinWh: 500\n  promiseMaxWh: 100\n",
    "scenario_malformed",
    3,
    "rules.promiseMinWh",
  ],
  [
    "more at least than is usual at most",
    "name: x\nrules:\n  promiseMinWh: 2000000\n",
    "scenario_malformed",
    3,
    "rules.promiseMinWh",
  ],
  [
    "less at most than is usual at least",
    "name: x\nrules:\n  promiseMaxWh: 9\n",
    "scenario_malformed",
    3,
    "rules.promiseMaxWh",
  ],
  [
    "a penalty that is less than the fee",
    "name: x\nrules:\n  emergencyMicrosPerKwh: 0\n",
    "scenario_malformed",
    3,
    "rules.emergencyMicrosPerKwh",
  ],
  [
    "an unknown strategy",
    "name: x\nmembers:\n  home-1:\n    strategy: newsvendor\n",
    "strategy_unknown",
    4,
    "members.home-1.strategy",
  ],
  [
    "a bad config",
    "name: x\nmembers:\n  a:\n    strategy: double-promiser\n    config:\n      factor: -2\n",
    "strategy_config_invalid",
    6,
    "members.a.config.factor",
  ],
];

describe("a bad scenario", () => {
  test.each(CASES)("%s", (_what, text, code, line, path) => {
    const [first] = problemsOf(text);
    expect(first).toMatchObject({ code, line, path });
    expect(SCENARIO_REFUSALS).toContain(first?.code);
    expect(first?.problem).not.toBe("");
    expect(first?.mend).not.toBe("");
  });

  test("tells all that is wrong at once, one line for each, with file, line, code, place and mend", () => {
    const problems = problemsOf(`name: x
members:
  home-1: { strategy: newsvendor }
  park: { strategy: double-promiser, config: { factor: -2, bais: median } }
`);
    const lines = describeProblems("bad.yaml", problems).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^bad\.yaml:3: \[strategy_unknown\] members\.home-1\.strategy: .*"newsvendor"; .*newsvendor-prosumer/,
    );
    for (const line of lines.slice(1))
      expect(line).toMatch(/^bad\.yaml:4: \[strategy_config_invalid\] members\.park\.config.*; see the README/);
  });

  test("of any text is refused, never thrown at", () => {
    const arbLine = fc.oneof(
      fc.constantFrom(
        "name: x",
        "days: 1",
        "community:",
        "  source: generated",
        "members: &m",
        "  a: *m",
        "rules: {",
        "- 1",
        "<<: *m",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(arbLine, { maxLength: 8 }), (lines) => {
        const parsed = parseScenario(lines.join("\n"));
        if (!parsed.ok) expect(parsed.error.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test("that makes much of little is refused", () => {
    const levels = Array.from({ length: 9 }, (_, index) => {
      const before = index === 0 ? '"x"' : `*l${index - 1}`;
      return `l${index}: &l${index} [${Array.from({ length: 9 }, () => before).join(", ")}]`;
    });
    expect(problemsOf(`name: x\n${levels.join("\n")}\n`)[0]?.code).toBe("scenario_malformed");
  });
});
