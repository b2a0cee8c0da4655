import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { unwrap } from "#core";
import { checkDataSet } from "./check.ts";
import { type DataSet, type LoadOptions, loadDataSet } from "./load.ts";
import type { DataProblem } from "./problems.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Writes a data set into a folder of its own and gives the path of its manifest. */
function written(manifest: string, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "dream-data-"));
  made.push(folder);
  mkdirSync(join(folder, "sub"));
  for (const [name, text] of Object.entries({ ...files, "dataset.yaml": manifest }))
    writeFileSync(join(folder, name), text);
  return join(folder, "dataset.yaml");
}

const head = (more: string, zone = "UTC", minutes = 60): string => `name: t
licence: none
source: made by hand
timeZone: ${zone}
timestamps: { column: time }
resolutionMinutes: ${minutes}
series:
${more}`;
const PV = "  - { name: roof, kind: pv, file: a.csv, column: power, unit: W, capacityKw: 5 }\n";
const LOAD = "  - { name: use, kind: load, file: a.csv, column: power, unit: W }\n";

function load(manifest: string, csv: string, options?: LoadOptions): DataSet {
  return unwrap(loadDataSet(written(manifest, { "a.csv": csv }), options));
}

/** Problems as `severity file:line column: text`, the file without its folder. */
function problemsOf(manifest: string, csv: string): readonly string[] {
  return checkDataSet(written(manifest, { "a.csv": csv })).problems.map(brief);
}
function brief({ severity, file, line, field, problem }: DataProblem): string {
  return `${severity} ${file.replace(/^.*[\\/]/, "")}:${line} ${field}: ${problem}`;
}

const energy = (set: DataSet, name: string): number[] => [...(set.data.meters.get(name)?.energyWh ?? [])];
const hours = (from: string, values: readonly (number | string)[]): string =>
  `time,power\n${values.map((value, index) => `${new Date(Date.parse(from) + index * 3_600_000).toISOString().slice(0, 16)},${value}\n`).join("")}`;

describe("units and slots", () => {
  test.each([
    ["W", 60, 1_500, 1_500],
    ["kW", 60, 1.5, 1_500],
    ["MW", 60, 0.0015, 1_500],
    ["W", 15, 1_500, 375],
    ["kW", 30, 1.5, 750],
    ["Wh", 15, 375, 375],
    ["kWh", 60, 1.5, 1_500],
    ["MWh", 60, 0.0015, 1_500],
    ["W/kW", 60, 300, 1_500],
    ["W/kW", 15, 300, 375],
  ])("a reading in %s over %i minutes: %d is %d Wh", (unit, minutes, reading, wattHours) => {
    const set = load(
      head(PV.replace("unit: W", `unit: ${unit}`), "UTC", minutes),
      `time,power\n2031-06-01T10:00,${reading}\n`,
    );
    expect(energy(set, "roof")).toEqual([wattHours]);
    expect(set.data.meters.get("roof")).toMatchObject({
      kind: "pv",
      slotMinutes: minutes,
      startMs: Date.parse("2031-06-01T10:00Z"),
      telemetryDelayMs: 900_000,
    });
  });

  test("quarter-hours are summed to hours, rounded once, and a slot with a part missing is missing", () => {
    const rows = [
      "09:45,8",
      "10:00,1.6",
      "10:15,1.6",
      "10:30,1.6",
      "10:45,1.6",
      "11:00,4",
      "11:15,",
      "11:30,4",
      "11:45,4",
      "12:00,4",
    ];
    const set = load(head(LOAD, "UTC", 15), `time,power\n${rows.map((row) => `2031-06-01T${row}\n`).join("")}`, {
      slotMinutes: 60,
    });
    // 4 × 1.6 W × ¼ h = 1.6 Wh, rounded after the sum; before it, each would be 0.
    expect(energy(set, "use")).toEqual([Number.NaN, 2, Number.NaN, Number.NaN]);
    expect(set.data.meters.get("use")?.startMs).toBe(Date.parse("2031-06-01T09:00Z"));
  });

  test("joining loses no energy", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 4, maxLength: 40 }),
        fc.constantFrom<30 | 60>(30, 60),
        (values, slotMinutes) => {
          const whole = values.slice(0, values.length - (values.length % 4)); // Whole hours.
          const rows = whole.map(
            (value, index) => `${new Date(Date.UTC(2031, 5, 1) + index * 900_000).toISOString()},${value}`,
          );
          const set = load(head(LOAD.replace("unit: W", "unit: Wh"), "UTC", 15), `time,power\n${rows.join("\n")}\n`, {
            slotMinutes,
            quality: false,
          });
          expect(energy(set, "use").reduce((a, b) => a + b, 0)).toBe(whole.reduce((a, b) => a + b, 0));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a step that is longer than the slot is refused", () => {
    const loaded = loadDataSet(written(head(LOAD), { "a.csv": "time,power\n2031-06-01T10:00,1\n" }), {
      slotMinutes: 15,
    });
    expect(!loaded.ok && loaded.error.map(brief)).toEqual([
      "error a.csv:null power: steps of 60 minutes cannot be joined to slots of 15",
    ]);
  });

  test("5 minutes make slots of 15, 20 minutes slots of 60", () => {
    expect(load(head(LOAD, "UTC", 5), "time,power\n2031-06-01T10:00,1\n").data.meters.get("use")?.slotMinutes).toBe(15);
    expect(load(head(LOAD, "UTC", 20), "time,power\n2031-06-01T10:00,1\n").data.meters.get("use")?.slotMinutes).toBe(
      60,
    );
  });

  test("a negative scale turns generation that is counted negative", () => {
    const set = load(
      head(PV.replace("unit: W", "unit: W, scale: -1")),
      hours("2031-06-01T10:00Z", [-1_000, 0, -2_000]),
    );
    expect(energy(set, "roof")).toEqual([1_000, 0, 2_000]);
  });

  test("prices become micros per kWh, negative ones too", () => {
    const set = load(
      head("  - { name: spot, kind: price, file: a.csv, column: power, unit: EUR/MWh }\n"),
      hours("2031-06-01T10:00Z", [34.97, -100.08, ""]),
    );
    expect(set.prices.get("spot")).toMatchObject({
      currency: "EUR",
      slotMinutes: 60,
      prices: [34_970n, -100_080n, undefined],
    });
  });
});

describe("time stamps", () => {
  test.each([
    ["UTC without an offset", "2031-06-01 10:00:00", "UTC", "{ column: time }", "2031-06-01T10:00Z"],
    ["an offset of the stamp's own", "2031-06-01T10:00+08:00", "UTC", "{ column: time }", "2031-06-01T02:00Z"],
    ["Z in a local set", "2031-06-01T10:00Z", "Europe/Paris", "{ column: time }", "2031-06-01T10:00Z"],
    ["local time", "2031-06-01T10:00", "Europe/Paris", "{ column: time }", "2031-06-01T08:00Z"],
    [
      "a zone of the column",
      "2031-06-01T10:00",
      "Europe/Paris",
      '{ column: time, zone: "+10:00" }',
      "2031-06-01T00:00Z",
    ],
    ["the end of the step", "2031/06/01 10:00:00", "UTC", "{ column: time, marks: end }", "2031-06-01T09:00Z"],
  ])("%s", (_what, stamp, zone, timestamps, start) => {
    const set = load(head(LOAD, zone).replace("{ column: time }", timestamps), `time,power\n${stamp},7\n`);
    expect(set.data.meters.get("use")?.startMs).toBe(Date.parse(start));
  });

  test("a file without a clock is counted from its start", () => {
    const set = load(
      head(LOAD).replace("{ column: time }", '{ start: 2016-07-31T23:00, zone: "-08:00" }'),
      "n,power\n1,10\n2,20\n",
    );
    expect(set.data.meters.get("use")?.startMs).toBe(Date.parse("2016-08-01T07:00Z"));
    expect(energy(set, "use")).toEqual([10, 20]);
  });

  test("a JSON file has its start and its values in fields, null where missing", () => {
    const manifest = head(
      LOAD.replace("a.csv", "a.json").replace("column: power", "column: values"),
      "UTC",
      15,
    ).replace("{ column: time }", "{ startField: start_utc }");
    const json = (step: number, values: unknown): string =>
      JSON.stringify({ start_utc: "2018-12-31T13:00:00Z", step_minutes: step, values });
    const good = unwrap(loadDataSet(written(manifest, { "a.json": json(15, [4, null, 8]) })));
    expect(energy(good, "use")).toEqual([1, Number.NaN, 2]);
    const bad = (text: string) => checkDataSet(written(manifest, { "a.json": text })).problems.map(brief);
    expect(bad(json(30, [4]))).toEqual([
      "error a.json:null start_utc: the file has steps of 30 minutes, the manifest says 15",
    ]);
    expect(bad(json(15, [4, "x"]))[0]).toMatch(/^error a\.json:null values: .*x.* is not a number/);
    expect(bad("{}")[0]).toBe("error a.json:null values: the file has no array of that name");
    expect(bad("{")[0]).toMatch(/is not valid JSON/);
    expect(bad("[1]")).toEqual(["error a.json:null (whole file): is not a JSON object"]);
  });

  test.each([
    "2031-02-30T10:00",
    "2031-13-01T10:00",
    "2031-06-01T24:00",
    "2031-06-01T10:60",
    "01.06.2031 10:00",
    "",
    "2031-06/01 10:00",
  ])("%j is none", (stamp) => {
    expect(problemsOf(head(LOAD), `time,power\n2031-06-01T09:00,1\n${stamp},7\n`)).toEqual([
      `error a.csv:3 time: ${JSON.stringify(stamp)} is no time stamp`,
    ]);
  });
});

describe("reports with file and line", () => {
  test("a missing column", () => {
    expect(problemsOf(head(PV), "time,pwer\n2031-06-01T10:00,5\n")).toEqual([
      "error a.csv:1 power: the file has no such column",
    ]);
    const [problem] = checkDataSet(written(head(PV), { "a.csv": "time;power\n2031-06-01T10:00;5\n" })).problems;
    expect(problem?.mend).toBe("separate the fields by commas");
  });

  test("an unreadable number, with the mend for a decimal comma", () => {
    expect(problemsOf(head(PV), hours("2031-06-01T10:00Z", [1_000, "abc", 3_000]))).toEqual([
      'error a.csv:3 power: "abc" is not a number',
    ]);
    const report = checkDataSet(written(head(PV), { "a.csv": 'time,power\n2031-06-01T10:00,"1,5"\n' }));
    expect(report.problems).toMatchObject([
      { line: 2, problem: '"1,5" is not a number', mend: "write a decimal point instead of the comma" },
    ]);
    for (const text of ["0x10", "Infinity", "1e999", "--1", "1.2.3", "."]) {
      expect(problemsOf(head(PV), hours("2031-06-01T10:00Z", [text]))).toEqual([
        `error a.csv:2 power: "${text}" is not a number`,
      ]);
    }
  });

  test("five of a kind, and then a count", () => {
    const problems = problemsOf(head(PV), hours("2031-06-01T10:00Z", new Array(12).fill("x")));
    expect(problems.length).toBe(6);
    expect(problems[5]).toBe("error a.csv:null power: 7 more like the 5 above");
  });

  test("empty readings, once and as a warning", () => {
    expect(problemsOf(head(PV), hours("2031-06-01T10:00Z", [1_000, "", "NaN", 4_000]))).toEqual([
      "warning a.csv:3 power: 2 of 4 readings are empty, the first here",
    ]);
  });

  test("negative energy: an inverter's own use is a warning and zero, more is an error", () => {
    const small = hours("2031-06-01T10:00Z", [-20, 3_000]);
    expect(problemsOf(head(PV), small)).toEqual([
      "warning a.csv:2 power: 1 reading is slightly negative (at most 2 % of capacity), the first here",
    ]);
    expect(energy(load(head(PV), small), "roof")).toEqual([0, 3_000]);
    expect(problemsOf(head(PV), hours("2031-06-01T10:00Z", [1_000, -1_000]))).toEqual([
      "error a.csv:3 power: negative production: -1000 W",
    ]);
    expect(problemsOf(head(LOAD), hours("2031-06-01T10:00Z", [1_000, -1]))).toEqual([
      "error a.csv:3 power: negative consumption: -1 W",
    ]);
  });

  test("a wrong unit: far beyond the capacity is an error, far below it a warning, above it a warning", () => {
    const at = (unit: string, value: number) =>
      problemsOf(head(PV.replace("unit: W", `unit: ${unit}`)), hours("2031-06-01T10:00Z", [0, value]));
    expect(at("kW", 4_000)).toEqual([
      "error a.csv:3 power: readings reach 800 times the capacity of 5 kW, the largest here",
    ]);
    expect(at("W", 4)).toEqual([
      "warning a.csv:3 power: readings reach only 0.08 % of the capacity of 5 kW, the largest here",
    ]);
    expect(at("W", 6_000)).toEqual([
      "warning a.csv:3 power: 1 reading is above the capacity of 5 kW, the largest (1.2 times) here",
    ]);
    expect(at("W", 5_000)).toEqual([]);
  });

  test("a gap", () => {
    const csv = "time,power\n2031-06-01T10:00,1\n2031-06-01T13:00,2\n";
    expect(problemsOf(head(PV.replace(", capacityKw: 5", "")), csv)).toEqual([
      "warning a.csv:2 time: 2 steps are missing, 2031-06-01T11:00:00.000Z to 2031-06-01T13:00:00.000Z",
    ]);
    expect(energy(load(head(LOAD), csv), "use")).toEqual([1, Number.NaN, Number.NaN, 2]);
  });

  test("a duplicate: harmless with the same reading, an error with another", () => {
    const row = (value: string) =>
      `time,power\n2031-06-01T10:00,100\n2031-06-01T10:00,${value}\n2031-06-01T11:00,100\n`;
    expect(problemsOf(head(LOAD), row("100.0"))).toEqual([
      "warning a.csv:3 power: a second row for 2031-06-01T10:00:00.000Z (the first is line 2) with the same reading",
    ]);
    expect(problemsOf(head(LOAD), row("300"))).toEqual([
      "error a.csv:3 power: a second row for 2031-06-01T10:00:00.000Z (the first is line 2) with another reading",
    ]);
  });

  test("a duplicate of which one row is empty gives the other's reading", () => {
    for (const [first, second] of [
      ["", "100"],
      ["100", ""],
    ]) {
      const csv = `time,power\n2031-06-01T10:00,${first}\n2031-06-01T10:00,${second}\n`;
      expect(problemsOf(head(LOAD), csv)[0]).toMatch(/^warning a\.csv:3 power: a second row .*, one of them empty$/);
      expect(energy(load(head(LOAD), csv), "use")).toEqual([100]);
    }
  });

  test("rows out of order, and rows off the grid", () => {
    expect(problemsOf(head(LOAD), "time,power\n2031-06-01T11:00,1\n2031-06-01T10:00,2\n")).toEqual([
      "warning a.csv:3 time: the row is earlier than the one before it",
    ]);
    expect(problemsOf(head(LOAD), "time,power\n2031-06-01T10:00,1\n2031-06-01T11:07,2\n")).toEqual([
      "error a.csv:3 time: 2031-06-01T11:07 is not on the 60-minute grid",
    ]);
  });

  test("a year that cannot be", () => {
    const [problem] = problemsOf(head(LOAD, "UTC", 5), "time,power\n1931-06-01T10:00,1\n2031-06-01T11:00,2\n");
    expect(problem).toMatch(
      /^error a\.csv:2 time: the file spans 1931-06-01T10:00:00.000Z to 2031-06-01T11:00:00.000Z/,
    );
  });

  test("rows with too few fields, an empty file, a missing file, a broken quote", () => {
    expect(problemsOf(head(LOAD), "time,power\n2031-06-01T10:00,1\n2031-06-01T11:00\n")[0]).toBe(
      "error a.csv:3 (row): the row has 1 fields, the header 2",
    );
    expect(problemsOf(head(LOAD), "time,power\n")).toEqual(["error a.csv:null (rows): has no rows"]);
    expect(problemsOf(head(LOAD.replace("a.csv", "b.csv")), "")).toEqual(["error b.csv:null file: does not exist"]);
    expect(problemsOf(head(LOAD), 'time,power\n2031-06-01T10:00,"1\n')[0]).toMatch(
      /^error a\.csv:\d (\(row\)): is not valid CSV/,
    );
    expect(problemsOf(head(LOAD.replace("a.csv", "sub")), "")[0]).toMatch(/^error sub:null file: cannot be read/);
  });

  test("readings that hang, days that were copied, days without production", () => {
    const day = [0, 0, 0, 0, 0, 0, 10, 50, 200, 400, 600, 700, 750, 720, 610, 420, 210, 60, 11, 0, 0, 0, 0, 0];
    const other = day.map((value) => (value === 0 ? 0 : value + 1));
    const csv = hours("2031-06-01T00:00Z", [
      ...day,
      ...other,
      ...day,
      ...day.map(() => 0),
      ...other.map((value, hour) => (hour >= 8 && hour < 14 ? 555 : value)),
    ]);
    expect(problemsOf(head(PV), csv)).toEqual([
      "warning a.csv:106 power: the same reading for 6 hours from 2031-06-05T08:00:00.000Z",
      "warning a.csv:50 power: 2031-06-03 is the same as 2031-06-01, reading by reading",
      "warning a.csv:74 power: no production at all on 1 day, the first 2031-06-04",
    ]);
  });

  test("several files and series at once", () => {
    const manifest = head(`${PV}${LOAD.replace("a.csv", "b.csv").replace("name: use", "name: other")}`);
    const path = written(manifest, {
      "a.csv": hours("2031-06-01T10:00Z", ["x"]),
      "b.csv": hours("2031-06-01T10:00Z", [1, -5]),
    });
    expect(checkDataSet(path).problems.map(brief)).toEqual([
      'error a.csv:2 power: "x" is not a number',
      "error b.csv:3 power: negative consumption: -5 W",
    ]);
  });

  test("a manifest that is not there, and a series that it does not name", () => {
    expect(checkDataSet("/nowhere/dataset.yaml").problems.map(brief)).toEqual([
      "error dataset.yaml:null (manifest): does not exist",
    ]);
    const loaded = loadDataSet(written(head(LOAD), { "a.csv": hours("2031-06-01T10:00Z", [1]) }), {
      series: ["nobody"],
    });
    expect(!loaded.ok && loaded.error.map(brief)).toEqual([
      'error dataset.yaml:7 series: has no series named "nobody"',
    ]);
  });
});

describe("clock changes of Europe/Paris in 2031: forward on 30 March at 01:00 UTC, back on 26 October at 01:00 UTC", () => {
  const local = (day: string, times: readonly string[], from = 100): string =>
    `time,power\n${times.map((time, index) => `${day}T${time},${from + index}\n`).join("")}`;
  const paris = head(LOAD, "Europe/Paris");
  const asUtc = paris.replace("{ column: time }", "{ column: time, zone: UTC }");

  test("in spring the local day has 23 hours and nothing is missing", () => {
    const csv = local("2031-03-30", ["00:00", "01:00", "03:00", "04:00"]);
    expect(problemsOf(paris, csv)).toEqual([]);
    expect(energy(load(paris, csv), "use")).toEqual([100, 101, 102, 103]);
  });

  test("an hour that the clock skips is left out and reported", () => {
    const csv = local("2031-03-30", ["00:00", "01:00", "02:00", "03:00"]);
    expect(problemsOf(paris, csv)).toEqual([
      "warning a.csv:4 time: Europe/Paris has no 2031-03-30 02:00 (its clock goes forward): the row is left out",
    ]);
    expect(energy(load(paris, csv), "use")).toEqual([100, 101, 103]);
  });

  test("in autumn the doubled hour takes its two rows in turn", () => {
    const csv = local("2031-10-26", ["01:00", "02:00", "02:00", "03:00"]);
    expect(problemsOf(paris, csv)).toEqual([]);
    const set = load(paris, csv);
    expect(energy(set, "use")).toEqual([100, 101, 102, 103]);
    expect(set.data.meters.get("use")?.startMs).toBe(Date.parse("2031-10-25T23:00Z"));
  });

  test("quarter-hours of a doubled hour, too", () => {
    const quarters = (hour: string) => ["00", "15", "30", "45"].map((minute) => `${hour}:${minute}`);
    const csv = local("2031-10-26", [...quarters("02"), ...quarters("02"), "03:00"]);
    expect(energy(load(head(LOAD.replace("unit: W", "unit: Wh"), "Europe/Paris", 15), csv), "use")).toEqual([
      100, 101, 102, 103, 104, 105, 106, 107, 108,
    ]);
  });

  test("a doubled hour that is there once is reported, its second taken as missing", () => {
    const csv = local("2031-10-26", ["01:00", "02:00", "03:00"]);
    expect(problemsOf(paris, csv)).toEqual([
      "warning a.csv:3 time: Europe/Paris has 2031-10-26 02:00 twice (its clock goes back), the file once: the second is taken as missing",
    ]);
    expect(energy(load(paris, csv), "use")).toEqual([100, 101, Number.NaN, 102]);
  });

  test("a third row for the doubled hour is a duplicate", () => {
    expect(problemsOf(paris, local("2031-10-26", ["02:00", "02:00", "02:00"]))[0]).toMatch(
      /^error a\.csv:4 power: a second row for 2031-10-26T01:00/,
    );
  });

  test("local time passed off as UTC is recognised by its clock changes", () => {
    const spring = checkDataSet(written(asUtc, { "a.csv": local("2031-03-30", ["00:00", "01:00", "03:00"]) })).problems;
    expect(spring).toMatchObject([
      { severity: "warning", line: 3, mend: "if the stamps are local time, write timestamps.zone: Europe/Paris" },
    ]);
    expect(spring[0]?.problem).toContain("the hour that the clock of Europe/Paris skips");
    const autumn = checkDataSet(written(asUtc, { "a.csv": local("2031-10-26", ["01:00", "02:00", "02:00"]) })).problems;
    expect(autumn).toMatchObject([
      { severity: "error", line: 4, mend: "if the stamps are local time, write timestamps.zone: Europe/Paris" },
    ]);
  });
});

describe("weather forecasts", () => {
  const WEATHER =
    '  - { name: ghi, kind: weather-forecast, variable: ghi, for: roof, file: a.csv, column: sun, unit: W/m2, issued: { daysBefore: 1, at: "12:00", publishedAfterMinutes: 90 } }\n';
  const row = (at: string, power: number, sun: number | string, heat: number): string =>
    `${at},${power},${sun},${heat}\n`;
  const csv = `time,power,sun,heat\n${row("2031-03-29T22:00Z", 1, 10, 273.15)}${row("2031-03-29T23:00Z", 2, 20, 283.15)}${row("2031-03-30T21:00Z", 3, 30, 293.15)}${row("2031-03-30T22:00Z", 4, "", 300)}`;

  test("each local day is one run, 23 hours long where the clock goes forward, known when it was published", () => {
    const temperature = WEATHER.replace("name: ghi", "name: heat")
      .replace("variable: ghi", "variable: temperature")
      .replace("column: sun", "column: heat")
      .replace("W/m2", "K");
    const set = load(head(PV + WEATHER + temperature, "Europe/Paris"), csv);
    expect(set.series).toMatchObject([{ name: "roof", weather: "roof-weather", capacityKw: 5 }]);
    const runs = set.data.weather.get("roof-weather")?.vintages ?? [];
    expect(runs.map(({ startMs }) => new Date(startMs).toISOString())).toEqual([
      "2031-03-28T23:00:00.000Z",
      "2031-03-29T23:00:00.000Z",
      "2031-03-30T22:00:00.000Z",
    ]);
    expect(runs.map(({ values }) => values.ghi?.length)).toEqual([24, 23, 24]);
    expect(runs.map(({ issuedAtMs }) => new Date(issuedAtMs).toISOString())).toEqual([
      "2031-03-28T11:00:00.000Z",
      "2031-03-29T11:00:00.000Z",
      "2031-03-30T10:00:00.000Z",
    ]);
    expect(runs.every(({ issuedAtMs, knownAtMs }) => knownAtMs === issuedAtMs + 90 * 60_000)).toBe(true);
    expect([runs[1]?.values.ghi?.[0], runs[1]?.values.temperature?.[0], runs[1]?.values.ghi?.[22]]).toEqual([
      20, 10, 30,
    ]);
    expect([runs[2]?.values.ghi?.[0], runs[2]?.values.temperature?.[0]]).toEqual([Number.NaN, 300 - 273.15]);
  });

  test("is chosen with the series that it is for", () => {
    const set = load(head(PV + WEATHER, "Europe/Paris"), csv, { series: ["roof"] });
    expect([...set.data.weather.keys()]).toEqual(["roof-weather"]);
  });

  test("values that no sky shows, two issue times and a variable twice are errors", () => {
    expect(problemsOf(head(PV + WEATHER), csv.replace(",20,", ",20000,"))).toContain(
      "error a.csv:3 sun: 20000 W/m2 is no ghi on Earth",
    );
    const later = WEATHER.replace("name: ghi", "name: dni")
      .replace("variable: ghi", "variable: dni")
      .replace("12:00", "06:00");
    expect(problemsOf(head(PV + WEATHER + later), csv).filter((text) => text.startsWith("error"))).toEqual([
      "error a.csv:null sun: dni is issued at another time than the other forecasts for roof",
    ]);
    const twice = WEATHER.replace("name: ghi", "name: ghi2");
    expect(problemsOf(head(PV + WEATHER + twice), csv).filter((text) => text.startsWith("error"))).toEqual([
      "error a.csv:null sun: roof has two forecasts of ghi",
    ]);
  });

  test("measured weather is checked but never shown", () => {
    const measured = "  - { name: lmd, kind: weather, variable: ghi, file: a.csv, column: sun, unit: W/m2 }\n";
    const set = load(head(PV + measured), csv);
    expect([...set.data.weather.keys(), ...set.data.meters.keys()]).toEqual(["roof"]);
    expect(problemsOf(head(PV + measured), csv.replace(",20,", ",20000,"))).toContain(
      "error a.csv:3 sun: 20000 W/m2 is no ghi on Earth",
    );
  });
});

describe("an inverter that sleeps", () => {
  test("is zero outside its hours where the load was recorded, and missing elsewhere", () => {
    const manifest = head(
      '  - { name: roof, kind: pv, file: a.csv, column: power, unit: W, emptyIsZero: { outside: "08:00-15:00", where: load } }\n',
    );
    const rows = ["06:00,,5", "07:00,,", "08:00,,5", "14:00,100,5", "15:00,,5"]
      .map((row) => `2031-06-01T${row}\n`)
      .join("");
    const set = load(manifest, `time,power,load\n${rows}`);
    const at = (hour: number): number | undefined => energy(set, "roof")[hour - 6];
    expect([at(6), at(7), at(8), at(14), at(15)]).toEqual([0, Number.NaN, Number.NaN, 100, 0]);
  });
});
