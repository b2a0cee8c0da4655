import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseManifest } from "./parse.ts";
import { describeProblem } from "./problems.ts";

const GOOD = `name: village
licence: CC-BY-4.0
source: https://example.org
timeZone: Europe/Paris
timestamps: { column: time, zone: UTC }
resolutionMinutes: 15
series:
  - { name: roof, kind: pv, file: a.csv, column: power, unit: kW, capacityKw: 5 }
  - { name: roof-ghi, kind: weather-forecast, variable: ghi, for: roof, file: a.csv, column: ghi, unit: W/m2, issued: { daysBefore: 1, at: "12:00" } }
  - { name: spot, kind: price, file: b.csv, column: price, unit: EUR/MWh }
`;

/** `line field: problem` of each error, in order. */
function errorsOf(text: string): readonly string[] {
  const parsed = parseManifest(text, "dataset.yaml");
  return parsed.ok ? [] : parsed.error.map(({ line, field, problem }) => `${line} ${field}: ${problem}`);
}

function mendsOf(text: string): readonly string[] {
  const parsed = parseManifest(text, "dataset.yaml");
  return parsed.ok ? [] : parsed.error.map(({ mend }) => mend);
}

describe("manifest", () => {
  test("is read, with defaults filled in", () => {
    const parsed = parseManifest(GOOD, "dataset.yaml");
    expect(parsed.ok && parsed.value.manifest).toMatchObject({
      name: "village",
      telemetryDelayMinutes: 15,
      timestamps: { column: "time", zone: "UTC", marks: "start" },
      series: [
        { scale: 1, capacityKw: 5 },
        { issued: { daysBefore: 1, at: "12:00", publishedAfterMinutes: 0 } },
        { unit: "EUR/MWh" },
      ],
    });
    expect(parsed.ok && parsed.value.lineOf(["series", 1, "for"])).toBe(9);
  });

  test("reads zones, times and starts that YAML could take for something else", () => {
    const text = GOOD.replace("Europe/Paris", "+08:00")
      .replace("{ column: time, zone: UTC }", "{ start: 2016-07-31T23:00, zone: -08:00 }")
      .replace('"12:00"', "12:00");
    const parsed = parseManifest(text, "dataset.yaml");
    expect(parsed.ok && parsed.value.manifest).toMatchObject({
      timeZone: "+08:00",
      timestamps: { start: "2016-07-31T23:00", zone: "-08:00" },
    });
  });

  test.each([
    [
      "a key misspelt",
      GOOD.replace("resolutionMinutes", "resolutionMinute"),
      ["6 resolutionMinute: is not a field that is known here", "1 resolutionMinutes: is missing"],
    ],
    [
      "a unit in the wrong case",
      GOOD.replace("unit: kW", "unit: KW"),
      ['8 series[0].unit: "KW" is not one of W, kW, MW, Wh, kWh, MWh, W/kW'],
    ],
    ["a unit of another variable", GOOD.replace("W/m2", "C"), ['9 series[1].unit: "C" is not a unit of ghi']],
    [
      "a zone that is none",
      GOOD.replace("Europe/Paris", "Paris"),
      ['4 timeZone: "Paris" is no zone: give an offset such as +08:00, UTC, or an IANA name such as Europe/Paris'],
    ],
    [
      "an odd resolution",
      GOOD.replace("resolutionMinutes: 15", "resolutionMinutes: 7"),
      ["6 resolutionMinutes: 7 is not one of 1, 5, 10, 15, 20, 30, 60"],
    ],
    [
      "a kind that is none",
      GOOD.replace("kind: pv", "kind: solar"),
      [
        '8 series[0].kind: "solar" is not one of pv, load, wind, weather-forecast, weather, price',
        '9 series[1].for: "roof" is not a pv, load or wind series of this data set',
      ],
    ],
    [
      "W/kW without a capacity",
      GOOD.replace("unit: kW, capacityKw: 5", "unit: W/kW"),
      ["8 series[0].capacityKw: is needed for the unit W/kW"],
    ],
    [
      "a forecast for nobody",
      GOOD.replace("for: roof", "for: shed"),
      ['9 series[1].for: "shed" is not a pv, load or wind series of this data set'],
    ],
    [
      "no time stamps",
      GOOD.replace(/timestamps.*\n/, ""),
      [0, 1, 2].map(
        (index) =>
          `${7 + index} series[${index}].timestamps: neither the series nor the data set says where the instants of its rows are`,
      ),
    ],
    [
      "a name twice",
      GOOD.replace("name: spot", "name: roof"),
      ['10 series[2].name: "roof" is also the name of series[0]'],
    ],
    [
      "a time of day that is none",
      GOOD.replace("12:00", "24:30"),
      ['9 series[1].issued.at: "24:30" must be a time of day such as "12:00"'],
    ],
    [
      "a price without a currency",
      GOOD.replace("EUR/MWh", "MWh"),
      ['10 series[2].unit: "MWh" must be a currency over an energy, such as EUR/MWh or USD/kWh'],
    ],
    [
      "a start with an offset",
      GOOD.replace("{ column: time, zone: UTC }", '{ start: "2016-07-31T23:00Z" }'),
      [
        '5 timestamps.start: "2016-07-31T23:00Z" must be a local time such as 2016-07-31T23:00, without an offset (say it in zone)',
      ],
    ],
    [
      "text for a number",
      GOOD.replace("capacityKw: 5", "capacityKw: five"),
      ['8 series[0].capacityKw: "five" must be a number'],
    ],
    ["no series", GOOD.replace(/series:[\s\S]*/, "series: []\n"), ["7 series: [] must list at least one series"]],
    [
      "broken YAML",
      GOOD.replace("unit: kW,", "unit: kW"),
      [expect.stringMatching(/^8 \(whole file\): is not valid YAML/)],
    ],
    ["a list", "- 1\n- 2\n", [expect.stringMatching(/^1 \(whole file\): \[1,2\] must be an object/)]],
    ["nothing", "", [expect.stringMatching(/\(whole file\): null must be an object/)]],
  ])("reports %s with line and field", (_what, text, expected) => {
    expect([...errorsOf(text)].sort()).toEqual([...expected].sort());
  });

  test("reports all errors at once, in the order of the lines", () => {
    const text = GOOD.replace("Europe/Paris", "Mars")
      .replace("unit: kW", "unit: kWatt")
      .replace("column: ghi", "colum: ghi")
      .replace("EUR/MWh", "EUR");
    const errors = errorsOf(text);
    expect(errors.map((error) => error.split(":")[0])).toEqual([
      "4 timeZone",
      "8 series[0].unit",
      "9 series[1].column",
      "9 series[1].colum",
      "10 series[2].unit",
    ]);
  });

  test("says how to mend it, with the word that was probably meant", () => {
    expect(mendsOf(GOOD.replace("licence:", "license:"))).toContain("write licence");
    expect(mendsOf(GOOD.replace("unit: kW", "unit: KW"))).toEqual(["write kW"]);
    expect(mendsOf(GOOD.replace("kind: price", "kind: prise"))).toEqual(["write price"]);
    expect(mendsOf(GOOD.replace("name: village", "name: village\nzebra: 1"))).toEqual([
      "remove it, or see docs/data.md for the fields",
    ]);
  });

  test("any text gives a manifest or problems, never a throw", () => {
    const arbText = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc
        .tuple(fc.nat(GOOD.length), fc.nat(20), fc.string({ maxLength: 10 }))
        .map(([at, cut, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + cut)),
    );
    fc.assert(
      fc.property(arbText, (text) => {
        const parsed = parseManifest(text, "dataset.yaml");
        if (parsed.ok) return;
        expect(parsed.error.length).toBeGreaterThan(0);
        for (const problem of parsed.error) expect(describeProblem(problem)).toMatch(/^error dataset\.yaml/);
      }),
      { numRuns: 300 },
    );
  });

  test("a bomb of aliases is refused", () => {
    const bomb = [
      "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]",
      ...["b", "c", "d", "e", "f", "g", "h"].map(
        (key, index) => `${key}: &${key} [${new Array(9).fill(`*${"abcdefg"[index]}`).join(", ")}]`,
      ),
    ].join("\n");
    expect(errorsOf(bomb).length).toBeGreaterThan(0);
  });
});
