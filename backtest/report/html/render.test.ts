import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros } from "#core";
import { sampleRun } from "../../../scripts/sample-report.ts";
import { formatMoney } from "../format.ts";
import type { RunReport } from "../model.ts";
import { assetFolder, pageAssets } from "./assets.ts";
import { DEFINITIONS } from "./definitions.ts";
import { escapeHtml, html, inlineAsset, inlineJson } from "./markup.ts";
import { pageDataOf } from "./page-data.ts";
import { renderHtml } from "./render.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const { report } = sampleRun({ days: 2 });
const HOSTILE = "</script><img src=x onerror=alert(1)>";

describe("markup", () => {
  test("values are escaped, markup is not, nothing is shown for nothing", () => {
    const text = html`<b title="${'"><i>'}">${"a & b"}${html`<i>${1n}</i>`}${[2, null, undefined, false, "<"]}</b>`
      .text;
    expect(text).toBe('<b title="&quot;&gt;&lt;i&gt;">a &amp; b<i>1</i>2&lt;</b>');
  });

  test("escaped text holds no tag, no quote, and no mark that turns the writing direction", () => {
    const nasty = fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "\u202e", "\u2066", "a") });
    fc.assert(
      fc.property(nasty, (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'\u202e\u2066]/);
        expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      }),
    );
    expect(escapeHtml("a\u202eb")).toBe("a\ufffdb");
  });

  test("inlined JSON reads back the same, and can neither end its element nor a line of script", () => {
    const nasty = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom(HOSTILE, "<!--", "]]>", "\u2028\u2029"));
    fc.assert(
      fc.property(fc.array(nasty), (texts) => {
        const text = inlineJson({ texts, amount: 2n ** 70n }).text;
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(text)).toEqual({ texts, amount: (2n ** 70n).toString() });
      }),
    );
  });

  test("an asset that would end its element is refused", () => {
    expect(() => inlineAsset("a.js", "if (a) '</SCRIPT>'")).toThrow(/a\.js holds nothing that ends its element/);
    expect(() => inlineAsset("a.js", "x <!-- y")).toThrow(/ends its element/);
    for (const { name, text } of [...pageAssets().scripts, ...pageAssets().styles])
      expect(inlineAsset(name, text).text).toBe(text);
  });
});

describe("page", () => {
  const page = renderHtml(report);

  test("is the same for the same report, and small for the usual community", () => {
    expect(renderHtml(report)).toBe(page);
    const usual = renderHtml(sampleRun({ members: 14, days: 14 }).report);
    expect(Buffer.byteLength(usual)).toBeLessThan(1_500_000);
  });

  test("names no address but those of XML name spaces, and its policy forbids to load anything", () => {
    const markup = page.replace(/<script>[\s\S]*?<\/script>/g, "");
    expect(markup.match(/(src|href|action)="(?!#|data:)[^"]*"/g) ?? []).toEqual([]);
    expect(markup).not.toMatch(/@import|url\(/);
    const addresses = (page.match(/https?:\/\/[^\s"'`)]+/g) ?? []).filter(
      (one) => !one.startsWith("http://www.w3.org/"),
    );
    expect(addresses.filter((one) => !one.includes("github.com/leeoniya/uPlot"))).toEqual([]);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src('| )/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(policy.match(/'sha256-[A-Za-z0-9+/=]{44}'/g)).toHaveLength(pageAssets().scripts.length);
  });

  test("says first what the community is made of, then warns, then shows figures", () => {
    const warned = renderHtml({ ...report, warnings: ["A & B <trouble>", "Second"] });
    const order = [
      "Generated data",
      "Sample Street</h1>",
      "drawn from seed 1",
      "Beware: 2 points",
      "A &amp; B &lt;trouble&gt;",
      "Second",
      'class="cards"',
      'id="member-table"',
    ];
    const places = order.map((part) => warned.indexOf(part));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((left, right) => left - right));
    expect(renderHtml(sampleRun({ days: 1, source: "measured" }).report)).toContain("Composite of measured data");
  });

  test("a hostile name is text everywhere", () => {
    const { report: named } = sampleRun({ members: 3, days: 1, names: [HOSTILE, '" onmouseover="alert(1)'] });
    const text = renderHtml({
      ...named,
      name: HOSTILE,
      currency: "<u>",
      timeZone: "<s>",
      community: { ...named.community, name: HOSTILE },
    });
    expect(text).not.toContain("<img");
    const [markup = ""] = text.split('<script type="application/json"');
    expect(markup).toContain("&quot; onmouseover=&quot;alert(1)");
    expect(markup).not.toContain('" onmouseover');
    expect(text).not.toMatch(/<[us]>/);
    expect(text.match(/<\/script>/g)).toHaveLength(pageAssets().scripts.length + 1);
  });

  test("broken books are called so", () => {
    expect(page).toContain("Money and energy balance exactly.");
    const broken = renderHtml({ ...report, conservation: { moneyErrorMicros: micros(5), energyErrorWh: 0n } });
    expect(broken).toContain("The books do not balance: off by +0.000005 EUR and 0 Wh");
    expect(broken).not.toContain("balance exactly");
  });

  test("an empty run has a page", () => {
    const { report: empty } = sampleRun({ members: 0, days: 0 });
    const text = renderHtml({ ...empty, members: [] });
    expect(text).toContain("The run has no slots.");
    expect(text).toContain("No series was evaluated.");
  });

  test("each definition is listed, and shown on hover where its word stands", () => {
    for (const [word, meaning] of Object.entries(DEFINITIONS))
      expect([word, page.split(escapeHtml(meaning)).length > 1]).toEqual([word, true]);
    const hovers = page.match(/<abbr title=/g) ?? [];
    expect(hovers.length).toBeGreaterThan(20);
  });

  test("each chart has a description and a table", () => {
    const figures = page.match(/<figure /g) ?? [];
    expect(figures).toHaveLength(6);
    expect(page.match(/<details class="twin"/g)).toHaveLength(figures.length);
    for (const [, id] of page.matchAll(/<figure [^>]*aria-describedby="([^"]+)"/g))
      expect(page).toContain(`id="${id}">`);
  });
});

describe("data for the scripts", () => {
  test("amounts are decimal strings and gains go on over days without an entry", () => {
    const [first, second] = report.gainByDay;
    if (first === undefined || second === undefined) throw new Error("the sample has two days");
    const name = Object.keys(first.gainMicros)[0] ?? "";
    const { [name]: left, ...others } = second.gainMicros;
    const data = pageDataOf({ ...report, gainByDay: [first, { ...second, gainMicros: others }] });
    expect(left).toBeDefined();
    const gains = data.gains.members.find((member) => member.name === name)?.gainMicros;
    expect(gains).toEqual([String(first.gainMicros[name]), String(first.gainMicros[name])]);
    expect(data.timeline.promisedWh).toEqual(report.timeline.map((slot) => slot.promisedWh.toString()));
    expect(data.members.map((member) => member.gainMicros)).toEqual(
      [...report.members]
        .filter((member) => member.strategy !== null)
        .sort((a, b) => Number(b.gainMicros - a.gainMicros))
        .concat(report.members.filter((member) => member.strategy === null))
        .map((member) => member.gainMicros.toString()),
    );
  });

  test("clock changes are the only offsets", () => {
    const { report: spring } = sampleRun({ members: 1, days: 3, firstDay: "2025-03-29" });
    expect(pageDataOf(spring).offsets).toEqual([
      [Date.parse("2025-03-28T23:00Z"), 60],
      [Date.parse("2025-03-30T01:00Z"), 120],
    ]);
    expect(pageDataOf({ ...spring, timeZone: "+05:45" }).offsets).toEqual([[Date.parse("2025-03-28T23:00Z"), 345]]);
    expect(pageDataOf({ ...spring, timeZone: "No/Where" }).timeZone).toBe("UTC");
  });

  test("the file's stem is a plain name", () => {
    expect(pageDataOf({ ...report, name: "../../etc/passwd <x>" }).fileStem).toBe("..-..-etc-passwd-x-");
    expect(pageDataOf({ ...report, name: "" }).fileStem).toBe("run");
  });
});

describe("the page's own files", () => {
  test("are found from the sources and from the compiled module", () => {
    const root = join(folder, "../../..");
    expect(assetFolder(import.meta.url)).toBe(folder);
    expect(assetFolder(pathToFileURL(join(root, "dist/backtest/report/html/assets.js")).href)).toBe(folder);
    expect(() => assetFolder("file:///nowhere/a/b/c/assets.js")).toThrow(/style\.css is in/);
  });

  test("the scripts pass the compiler's strict checks", () => {
    const compiler = fileURLToPath(import.meta.resolve("typescript/package.json")).replace("package.json", "bin/tsc");
    const output = execFileSync(process.execPath, [compiler, "-p", join(folder, "client/tsconfig.json")], {
      encoding: "utf8",
    });
    expect(output).toBe("");
  });

  test("the dark colours are the same by choice and by system, and both themes have the same names", () => {
    const { byChoice, bySystem, light } = themes();
    expect(bySystem).toEqual(byChoice);
    expect(Object.keys(byChoice).filter((name) => light[name] === undefined)).toEqual([]);
  });

  test.each(["light", "byChoice"] as const)("text stands out from its ground, %s", (name) => {
    const { light, [name]: theme } = themes();
    const of = (colour: string): string => theme[colour] ?? light[colour] ?? "";
    const pairs = [
      ...["ink", "ink-2", "up", "down", "accent"].flatMap(
        (text) =>
          [
            [text, "panel"],
            [text, "page"],
          ] as const,
      ),
      ["accent", "accent-soft"],
      ["warn", "warn-soft"],
      ["ink", "warn-soft"],
      ["good", "good-soft"],
      ["bad", "bad-soft"],
    ] as const;
    for (const [text, ground] of pairs)
      expect([text, ground, contrast(of(text), of(ground)) >= 4.5]).toEqual([text, ground, true]);
    const drawn = [
      "promised",
      "delivered",
      "short",
      "price",
      "volume",
      "line-0",
      "line-1",
      "line-2",
      "line-3",
      "line-4",
    ];
    for (const line of drawn) expect([line, contrast(of(line), of("panel")) >= 3]).toEqual([line, true]);
  });
});

type Theme = Readonly<Record<string, string>>;

function themes(): { readonly light: Theme; readonly bySystem: Theme; readonly byChoice: Theme } {
  const style = readFileSync(join(folder, "style.css"), "utf8");
  const block = (selector: string): Theme => {
    const body = style.split(`${selector} {`)[1]?.split("}")[0] ?? "";
    return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));
  };
  const found = {
    light: block(":root"),
    bySystem: block(':root:not([data-theme="light"])'),
    byChoice: block(':root[data-theme="dark"]'),
  };
  for (const theme of Object.values(found)) expect(Object.keys(theme).length).toBeGreaterThan(30);
  return found;
}

/** Contrast of two colours, 1…21, by WCAG 2.2. */
function contrast(left: string, right: string): number {
  const [low = 0, high = 0] = [luminance(left), luminance(right)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the verdict says gained or cost, with the sign of the sum", () => {
  const verdict = (gain: number): string => {
    const changed: RunReport = { ...report, money: { ...report.money, gainMicros: micros(gain) } };
    return /class="verdict">(.*?)<\/p>/.exec(renderHtml(changed))?.[1]?.replace(/<[^>]+>/g, "") ?? "";
  };
  expect(verdict(1_500_000)).toContain(`The market gained its members ${formatMoney(1_500_000n, { plus: true })} EUR;`);
  expect(verdict(-1_500_000)).toContain("The market cost its members −1.50 EUR;");
  expect(verdict(0)).toContain("as they would have been without");
});
