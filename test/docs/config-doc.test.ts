/** docs/config.md says what is so: keys and defaults of scenarios, rules, generated communities and strategies, and the environment. */
import { describe, expect, test } from "vitest";
import { DEFAULT_SCHEDULE, defaultRules } from "#backtest";
import { unwrap, zone } from "#core";
import { builtInStrategies } from "#strategies";
import { parseScenario } from "../../cli/scenario.ts";
import { checkGeneratorOptions } from "../../data/generator/options.ts";
import { textOf } from "../architecture/checkout.ts";
import { blocks, codes, section, tableRows } from "./pages.ts";

const PAGE = "docs/config.md";

/** Rows of a section's tables as [key, default], numbers without their commas. */
function rowsOf(heading: string): readonly (readonly [string, string])[] {
  return tableRows(section(PAGE, heading)).map(
    ([key = "", value = ""]) => [codes(key)[0] ?? "", plain(value)] as const,
  );
}

function plain(cell: string): string {
  return cell.replaceAll("`", "").replace(/(?<=\d),(?=\d{3})/g, "");
}

describe("the scenario", () => {
  /** Keys of the schema, block by block, as the source writes them. */
  const source =
    /const generated = [\s\S]*?\n\}\);\nconst measured[\s\S]*?\nconst schema[\s\S]*?\n\}\);\n/.exec(
      textOf("cli/scenario.ts"),
    )?.[0] ?? "";
  const keysIn = (pattern: RegExp): readonly string[] =>
    [...(pattern.exec(source)?.[1] ?? "").matchAll(/(\w+): (?=z\b|micros\b|z\n)/g)].map(([, key = ""]) => key);
  const generated = keysIn(/const generated = z\.strictObject\(\{([\s\S]*?)\n\}\);/);
  const rules = keysIn(/rules: z\s*\.strictObject\(\{([\s\S]*?)\}\)/);
  const member = keysIn(/\.record\(z\.string\(\), z\.strictObject\(\{([\s\S]*?)\}\)\)/);
  const top = [...(/const schema[^{]*\{\n([\s\S]*?)\n\}\);/.exec(source)?.[1] ?? "").matchAll(/^ {2}(\w+):/gm)].map(
    ([, key = ""]) => key,
  );

  test.each([
    ["Community", generated],
    ["Rules", rules],
  ] as const)("has the keys that the page lists under %s", (heading, keys) => {
    expect(keys.length).toBeGreaterThan(5);
    expect(rowsOf(heading).map(([key]) => key)).toEqual(keys);
  });

  test("has the keys that the page lists of the whole and of a member", () => {
    const listed = tableRows(section(PAGE, "Scenario").split("### Community")[0] ?? "").map(
      ([key = ""]) => codes(key)[0],
    );
    expect(top.length).toBeGreaterThan(5);
    expect(listed).toEqual([...top, ...member]);
  });

  test("has the defaults that the page lists", () => {
    const { days, seed, community } = unwrap(parseScenario("name: short"));
    const said = new Map(rowsOf("Scenario"));
    expect([said.get("community"), said.get("rules"), said.get("members")]).toEqual([
      "{ source: default }",
      "{}",
      "{}",
    ]);
    expect(community).toEqual({ source: "default" });
    expect([days, seed]).toEqual([14, 1]);
    expect(tableRows(section(PAGE, "Scenario")).find(([key]) => key === "`days`")?.[1]).toBe("14");
  });

  test("of the page is one", () => {
    const [example = ""] = blocks(section(PAGE, "Scenario"), "yaml");
    const scenario = unwrap(parseScenario(example));
    expect(scenario.rules).toEqual({ marketFeeMicrosPerKwh: 2_000, gateLeadMinutes: 5 });
    expect(parseScenario(example.replace("gateLeadMinutes", "gateLeadMinute")).ok).toBe(false);
  });
});

test("a generated community has the defaults that the page lists", () => {
  const settings = unwrap(checkGeneratorOptions({ seed: 1 }));
  const said = rowsOf("Community").filter(([key]) => !["source", "seed", "longitude"].includes(key));
  expect(said.length).toBe(8);
  for (const [key, value] of said) expect(value, key).toBe(String(settings[key as keyof typeof settings]));
});

test("the network's rules have the defaults that the page lists", () => {
  const rules = defaultRules({ name: "village", timeZone: zone("UTC"), slotMinutes: 60 }, "USD");
  const held = {
    emergencyMicrosPerKwh: rules.emergencyPrice,
    gridFeeMicrosPerKwh: rules.gridFee,
    surplusMicrosPerKwh: rules.surplusPrice,
    marketFeeMicrosPerKwh: rules.marketFee,
    bidRiseMicrosPerKwh: rules.bidRiseMin,
    promiseMinWh: rules.promiseMin,
    promiseMaxWh: rules.promiseMax,
    gateLeadMinutes: rules.gateLeadMs / 60_000,
  };
  expect(Object.fromEntries(rowsOf("Rules"))).toEqual(
    Object.fromEntries(Object.entries(held).map(([key, value]) => [key, `${value}`])),
  );
  expect([rules.priceMin, rules.priceMax]).toEqual([0n, 2_000_000n]);
});

describe("strategies", () => {
  const rows = tableRows(section(PAGE, "Strategies")).map(([key = "", value = "", users = ""]) => ({
    key: codes(key)[0] ?? "",
    value: plain(value),
    users: users.split(", "),
  }));

  test.each([...builtInStrategies.keys()])("%s has the keys and defaults that the page lists", (name) => {
    const config = builtInStrategies.get(name)?.config.parse({}) as Readonly<Record<string, unknown>>;
    const said = rows.filter(({ users }) => users.includes(name)).map(({ key, value }) => [key, value]);
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)])),
    );
  });

  test("of the page are built in", () => {
    const unknown = rows.flatMap(({ users }) => users).filter((name) => !builtInStrategies.has(name));
    expect(unknown).toEqual([]);
    expect(rows.length).toBeGreaterThan(20);
  });
});

test("what can't be set is as the page says", () => {
  const page = section(PAGE, "Rules").replace(/\s+/g, " ");
  const source = textOf("backtest/participants.ts");
  const held = [
    ["each member starts with 1,000 in money", "COIN = micros(10_000_000n)", "COINS = 100"],
    ["2,000 intents an hour", "intentsPerHourMax: 2_000"],
    ["keeps 50 of its money free", "reserve: micros(50_000_000n)"],
    ["forecasts of at most 36 hours", "forecastAgeMsMax: 36 * 3_600_000"],
    ["a mandate for 1 MWh per slot", "energyPerSlotMax: wattHours(1_000_000n)"],
  ] as const;
  for (const [said, ...written] of held) {
    expect(page).toContain(said);
    for (const text of written) expect(source).toContain(text);
  }
});

test("the environment is read as the page says", () => {
  const read = new Set([...textOf("cli/main.ts").matchAll(/process\.env\["(\w+)"\]/g)].map(([, name = ""]) => name));
  expect(
    rowsOf("Environment")
      .map(([name]) => name)
      .sort(),
  ).toEqual([...read].sort());
});

test("the daily schedule is the one of the market rules", () => {
  const page = section("docs/market-rules.md", "Daily schedule");
  const { forecastAt, dayAheadRoundAt, gateCallLeadMs, finalRoundLeadMs } = DEFAULT_SCHEDULE;
  const clock = ({ hour, minute }: typeof forecastAt): string => `${hour}:${String(minute).padStart(2, "0")}`;
  const said = tableRows(page).map(([when = ""]) => when);
  expect(said).toEqual(
    expect.arrayContaining([
      `${clock(forecastAt)} the day before`,
      `${clock(dayAheadRoundAt)} the day before`,
      `${gateCallLeadMs / 60_000} minutes before the gate`,
      `${finalRoundLeadMs / 60_000} minutes before the gate`,
    ]),
  );
});
