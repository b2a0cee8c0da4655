import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros, wattHours } from "#core";
import { sampleRun } from "../../scripts/sample-report.ts";
import { formatCount, formatEnergy, formatMoney } from "./format.ts";
import type { MemberReport, RunReport } from "./model.ts";
import { partiesOf } from "./summary.ts";
import { renderTerminal, TERMINAL_LINES_MAX } from "./terminal.ts";
import { cut, displayWidth, printable, wrap } from "./terminal-text.ts";

const PLAIN = { columns: 100, colour: false, unicode: true } as const;
const { report } = sampleRun();

const HOSTILE_NAMES = [
  "\u001b[31mred\u001b[2J\nnew line\r\ttab",
  "a name that goes on and on beyond every column of every table that was ever printed",
  "名前がとても長いメンバーさん",
  "‮evil",
];

function linesOf(text: string): readonly string[] {
  return text.split("\n");
}

describe("size", () => {
  const sizes = [1, 3, 14, 15, 200].map((members) => ({
    members,
    run: sampleRun({ members, days: 2, names: HOSTILE_NAMES }),
  }));
  for (const { members, run } of sizes)
    test.each([40, 80, 91, 100, 300])(`${members} members in %i columns`, (columns) => {
      for (const unicode of [true, false])
        for (const colour of [true, false]) {
          const text = renderTerminal(run.report, { columns, colour, unicode, htmlPath: "runs/1/report.html" });
          const widest = Math.max(...linesOf(text).map(displayWidth));
          expect(linesOf(text).length).toBeLessThanOrEqual(TERMINAL_LINES_MAX);
          expect(widest).toBeLessThanOrEqual(Math.min(100, Math.max(80, columns)));
        }
    });

  test("a report with everything at its longest still fits", () => {
    const long = "word ".repeat(80);
    const run = sampleRun({
      members: 40,
      days: 1,
      names: HOSTILE_NAMES,
      warnings: Array.from({ length: 30 }, () => long),
    });
    const roles = ["prosumer", "consumer", "producer", "speculator", "aggregator", "storage-provider", "observer"];
    const full: RunReport = {
      ...run.report,
      name: long,
      currency: "EUR",
      community: { ...run.report.community, description: long },
      members: run.report.members.map((member, index) => ({
        ...extreme(member, index),
        roles: [roles[index % roles.length] ?? "", "verification-agency"],
      })),
      denials: Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [`denial_code_number_${index}`, 1_000 + index]),
      ),
    };
    const text = renderTerminal(full, { ...PLAIN, columns: 80, htmlPath: "r.html" });
    expect(linesOf(text).length).toBeLessThanOrEqual(TERMINAL_LINES_MAX);
    expect(Math.max(...linesOf(text).map(displayWidth))).toBeLessThanOrEqual(80);
    expect(text).toMatch(/! \d+ more in the report/);
    expect(text).toContain(" other ");
  });

  function extreme(member: MemberReport, index: number): MemberReport {
    const amount = micros((index % 2 === 0 ? 1n : -1n) * 100_000_000_000_000_000n);
    return {
      ...member,
      netMicros: amount,
      baselineMicros: amount,
      gainMicros: amount,
      promisedWh: wattHours(10n ** 14n),
    };
  }

  test("an empty run is reported, not refused", () => {
    const { report: empty } = sampleRun({ members: 0, days: 0 });
    const text = renderTerminal({ ...empty, members: [] }, PLAIN);
    expect(text).toContain("No member has a strategy.");
    expect(text).toContain("nothing was promised");
    expect(text).toContain("nothing was traded");
    expect(text).toContain("No series was evaluated.");
  });
});

describe("content", () => {
  const text = renderTerminal(report, { ...PLAIN, htmlPath: "/tmp/some where/report.html" });
  const lines = linesOf(text);
  const at = (part: string): number => lines.findIndex((line) => line.includes(part));

  test("the first line says what the community is made of", () => {
    expect(lines[0]).toMatch(/^Sample Street, generated: 9 prosumers/);
    const { report: measured } = sampleRun({ days: 1, source: "measured" });
    expect(renderTerminal(measured, PLAIN)).toMatch(/^Sample Street: \d+ prosumers.*: a composite of measured data/);
    const community = { ...measured.community, description: "9 homes." };
    expect(renderTerminal({ ...measured, community }, PLAIN)).toMatch(
      /^Sample Street, a composite of measured data: 9 /,
    );
  });

  test("warnings come before any figure", () => {
    const warned: RunReport = { ...report, warnings: ["First trouble.", "Second trouble."] };
    const shown = linesOf(renderTerminal(warned, PLAIN));
    const of = (part: string): number => shown.findIndex((line) => line.includes(part));
    expect(of("WARNINGS (2)")).toBeLessThan(of("! First trouble."));
    expect(of("! First trouble.")).toBeLessThan(of("! Second trouble."));
    expect(of("! Second trouble.")).toBeLessThan(of("ENERGY"));
    expect(renderTerminal({ ...report, warnings: [] }, PLAIN)).not.toContain("WARNINGS");
  });

  test("energy promised, delivered and short, with the share that was kept", () => {
    const figures = lines[at("promised   delivered       short") + 1]?.trim().split(/\s+/);
    const { energy } = report;
    expect(figures).toEqual(
      [
        energy.promisedWh,
        energy.deliveredWh,
        energy.shortfallWh,
        energy.tradedWh,
        energy.producedWh,
        energy.consumedWh,
      ].map((amount) => formatEnergy(amount)),
    );
    expect(lines[at("ENERGY")]).toContain(
      `${(energy.deliveredWh * 1000n) / energy.promisedWh}`.replace(/(\d)$/, ".$1 %"),
    );
  });

  test("each member has a row with all its figures", () => {
    for (const member of partiesOf(report).traders) {
      const row = lines.find((line) => line.startsWith(`${member.name} `));
      expect(row?.slice(member.name.length).trim().split(/\s+/)).toEqual([
        member.roles.length > 1 ? `${member.roles[0]}+1` : member.roles[0],
        member.strategy,
        ...[member.promisedWh, member.deliveredWh, member.boughtWh, member.soldWh].map((amount) =>
          formatEnergy(amount),
        ),
        formatMoney(member.netMicros, { minus: "−" }),
        formatMoney(member.baselineMicros, { minus: "−" }),
        formatMoney(member.gainMicros, { minus: "−", plus: true }),
      ]);
    }
    expect(lines[at("all 14")]).toContain(formatMoney(report.money.gainMicros, { plus: true, minus: "−" }));
    expect(lines[at("net of those who do not trade")]).toContain("power-company");
  });

  test("of many members, the best and the worst have a row, and the rest is summed up by role", () => {
    const { report: many } = sampleRun({ members: 200, days: 1 });
    const shown = linesOf(renderTerminal(many, PLAIN));
    const { traders } = partiesOf(many);
    const [best, worst] = [traders[0], traders.at(-1)];
    expect(shown.filter((line) => line.startsWith(`${best?.name} `))).toHaveLength(1);
    expect(shown.filter((line) => line.startsWith(`${worst?.name} `))).toHaveLength(1);
    const counts = shown.flatMap((line) => /^(\d+) more /.exec(line)?.[1] ?? []);
    expect(counts.reduce((sum, count) => sum + Number(count), 8)).toBe(200);
    expect(shown.some((line) => line.startsWith("all 200 "))).toBe(true);
  });

  test("ledger, conservation, run hash, wall time, and the report's path last", () => {
    expect(lines[at("LEDGER")]).toContain(`${formatCount(report.ledger.transactions)} transactions`);
    expect(lines[at("LEDGER")]).toContain(`${formatCount(report.ledger.signatures)} signatures`);
    expect(lines[at("LEDGER")]).toContain("412.7 tx/s");
    expect(lines[at("conservation")]).toContain("money and energy balance exactly");
    expect(lines[at("run hash")]).toContain(report.runHash);
    expect(lines[at("wall time")]).toContain("12.2 s");
    expect(lines.at(-1)).toBe("report        /tmp/some where/report.html");
    expect(renderTerminal(report, PLAIN)).not.toContain("report.html");
  });

  test("books that do not balance are called broken, to the last unit", () => {
    const conservation = { moneyErrorMicros: micros(-1), energyErrorWh: 2n };
    const broken = renderTerminal({ ...report, conservation }, PLAIN);
    expect(broken).toContain("BROKEN: off by −0.000001 EUR and 2 Wh");
    expect(broken).not.toContain("balance exactly");
  });

  test("the forecasts' worst series is named", () => {
    expect(lines[at("FORECASTS") + 1]).toMatch(/kind +series +nMAE % +pinball % +in 80 % band +skill %/);
    const worst = report.forecast.series
      .filter((one) => one.skillVsPersistence !== null)
      .reduce((low, one) => ((one.skillVsPersistence ?? 0) < (low.skillVsPersistence ?? 0) ? one : low));
    expect(lines[at("worst: ")]).toContain(worst.name);
  });

  test("the chart by hour is full at its highest and marks hours without trades", () => {
    const hours = report.market.byHour.map((one) => ({
      ...one,
      tradedWh: wattHours(one.hour === 12 ? 8_000 : one.hour === 13 ? 4_000 : 0),
      priceMicrosPerKwh: one.hour === 12 || one.hour === 13 ? one.priceMicrosPerKwh : null,
    }));
    const shown = linesOf(renderTerminal({ ...report, market: { ...report.market, byHour: hours } }, PLAIN));
    const foot = shown.findIndex((line) => line.includes("00 01 02 03"));
    const column = (line: number, hour: number): string | undefined => shown[line]?.slice(8 + 3 * hour, 10 + 3 * hour);
    expect([foot - 3, foot - 2, foot - 1].map((line) => column(line, 12))).toEqual(["██", "██", "██"]);
    expect(column(foot - 3, 13)?.trim() ?? "").toBe("");
    expect(column(foot - 2, 13)).toBe("▄▄");
    expect(column(foot - 1, 13)).toBe("██");
    expect(column(foot - 4, 11)).toBe("··");
    expect(shown[foot - 3]?.trimStart()).toMatch(/^8\.0 /);
  });
});

describe("what a terminal can show", () => {
  test("without colour there is no escape, with it each is closed", () => {
    expect(renderTerminal(report, PLAIN)).not.toContain("\u001b");
    const coloured = renderTerminal(report, { ...PLAIN, colour: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
    const codes = coloured.match(/\u001b\[(\d+)m/g) ?? [];
    expect(codes.length).toBeGreaterThan(20);
    const opened = codes.filter((code) => !/\[(22|39)m/.test(code));
    expect(opened.length * 2).toBe(codes.length);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is taken out
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(renderTerminal(report, PLAIN));
  });

  test("without unicode there is ASCII only", () => {
    const { report: named } = sampleRun({ members: 5, days: 1, names: HOSTILE_NAMES });
    const text = renderTerminal(named, { ...PLAIN, unicode: false });
    expect(text).toMatch(/^[\n\u0020-\u007e]*$/);
    expect(text).toContain("##");
  });

  test("names cannot move the cursor, change colours or break lines", () => {
    const { report: named } = sampleRun({ members: 5, days: 1, names: HOSTILE_NAMES });
    const text = renderTerminal(named, PLAIN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(text).toContain("[31mred [2J new line");
  });
});

describe("text", () => {
  const look = { colour: false, unicode: true };
  test("wide characters take two columns, marks none", () => {
    expect(displayWidth("名前")).toBe(4);
    expect(displayWidth("é")).toBe(1);
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("\u001b[31mred\u001b[39m")).toBe(3);
    expect(displayWidth("🌞")).toBe(2);
  });

  test("cut and wrapped text fits, and nothing is lost while there is room", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (text, width, max) => {
          const clean = printable(look, text);
          expect(displayWidth(cut(look, clean, width))).toBeLessThanOrEqual(width);
          const lines = wrap(look, clean, width, max);
          expect(lines.length).toBeLessThanOrEqual(max);
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
          const words = clean.split(/\s+/).filter((word) => word !== "");
          if (!lines.some((line) => line.includes("…"))) expect(lines.join(" ")).toBe(words.join(" "));
        },
      ),
    );
    expect(wrap(look, "one two three four", 9, 3)).toEqual(["one two", "three", "four"]);
    expect(wrap(look, "one two three four", 9, 2)).toEqual(["one two", "three fo…"]);
    expect(wrap(look, "incomprehensibilities", 9, 2)).toEqual(["incompre…"]);
  });
});
