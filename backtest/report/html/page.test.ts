/** The page in a real browser, without a connection: what is drawn, what is shown, what its buttons do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededPrng } from "#core";
import { chromiumPath, launchBrowser } from "#testkit";
import { sampleRun } from "../../../scripts/sample-report.ts";
import { formatScaled } from "../format.ts";
import { renderHtml } from "./render.ts";

const HOSTILE = "</script><img src=x onerror=alert(1)>";
const PLOTS = {
  "energy-plot": "promised",
  "price-plot": "price",
  "volume-plot": "volume",
  "hour-price-plot": "price",
  "hour-volume-plot": "volume",
  "gain-by-day-plot": "line-0",
  "map-plot": "volume",
};
const program = chromiumPath(process.env["CHROMIUM"]);
if (program === undefined)
  console.log("The report's browser tests are skipped: no Chromium at /usr/bin/chromium or $CHROMIUM.");

const { report } = sampleRun({ names: [HOSTILE, 'say "hi", twice'] });

describe.skipIf(program === undefined)("report.html in a browser", () => {
  let browser: Browser;
  let page: Page;
  let folder: string;
  const requests: string[] = [];
  const troubles: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dream-report-"));
    const file = join(folder, "report.html");
    writeFileSync(file, renderHtml(report));
    browser = await launchBrowser(program ?? "");
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      timezoneId: "America/New_York",
      offline: true,
    });
    page = await context.newPage();
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("dialog", (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector("html[data-ready]");
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("asks for nothing but itself, and is ready in about a second", async () => {
    expect(requests.filter((url) => !url.startsWith("data:"))).toHaveLength(1);
    const readyMs = Number(await page.getAttribute("html", "data-ready"));
    expect(readyMs).toBeGreaterThan(0);
    expect(readyMs).toBeLessThan(5_000); // Half a second on a quiet machine; the tests of others run beside this one.
  });

  test("draws each chart in its colours", async () => {
    for (const [id, colour] of Object.entries(PLOTS))
      expect([id, (await pixelsOf(page, id, colour)) > 20]).toEqual([id, true]);
    expect(await pixelsOf(page, "energy-plot", "short")).toBeGreaterThan(20);
    expect(await pixelsOf(page, "energy-plot", "delivered")).toBeGreaterThan(20);
  });

  test("shows a hostile name as text", async () => {
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("#member-table .member-name", { hasText: HOSTILE }).count()).toBe(1);
    expect(await page.locator("#gain-by-day .chip", { hasText: HOSTILE }).count()).toBe(1);
  });

  test("its policy stops whatever would still be injected", async () => {
    const before = troubles.length;
    const asked = requests.length;
    const ran = await page.evaluate(`(async () => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      const image = document.createElement("img");
      image.src = "https://example.org/x.png";
      document.body.append(script, image);
      await new Promise((resolve) => setTimeout(resolve, 50));
      script.remove();
      image.remove();
      return "injected" in window;
    })()`);
    expect(ran).toBe(false);
    const refused = troubles.splice(before);
    requests.splice(asked); // The browser tells of the image's address before the policy refuses it.
    expect(refused.length).toBeGreaterThanOrEqual(2);
    for (const trouble of refused) expect(trouble).toMatch(/Content Security Policy/);
  });

  test("has tables with all members, and for each chart one with its figures", async () => {
    expect(await page.locator("#member-table tbody tr").count()).toBe(report.members.length);
    expect(await page.locator("#forecast-table tbody tr").count()).toBe(report.forecast.series.length + 3);
    await page.locator('[data-twin="energy"] summary').click();
    await page.evaluate("for (const twin of document.querySelectorAll('details.twin')) twin.open = true");
    await page.waitForFunction(
      "[...document.querySelectorAll('details.twin')].every((one) => one.querySelector('td'))",
    );
    const rows = await page.evaluate(`Object.fromEntries([...document.querySelectorAll("details.twin")].map((twin) =>
      [twin.dataset.twin, twin.querySelectorAll("tbody tr").length]))`);
    expect(rows).toEqual({ gain: 14, "gain-by-day": 14, energy: 335, market: 335, "by-hour": 24, map: 14 * 24 });
    const cells = await page.locator('[data-twin="energy"] tbody tr').nth(12).locator("th,td").allTextContents();
    const slot = report.timeline[12];
    expect(cells.slice(0, 1)).toEqual(["Mon 24 Mar, 12:00–13:00"]);
    expect(cells.slice(4)).toEqual(
      [slot?.producedWh, slot?.promisedWh, slot?.deliveredWh, slot?.shortfallWh].map((amount) =>
        formatScaled(amount ?? 0n, 3, { decimals: 2 }),
      ),
    );
    await page.evaluate("for (const twin of document.querySelectorAll('details.twin')) twin.open = false");
  });

  test("sorts members by a figure and by name, both ways", async () => {
    const column = (index: number): Promise<string[]> =>
      page
        .locator(`#member-table tbody tr > :nth-child(${index})`)
        .evaluateAll((cells) => cells.map((cell) => cell.getAttribute("data-key") ?? ""));
    const promised = page.locator("#member-table th", { hasText: "Promised" });
    await promised.locator("button").click();
    const falling = (await column(5)).map(BigInt);
    expect(falling).toEqual([...falling].sort((left, right) => (left < right ? 1 : left > right ? -1 : 0)));
    expect(falling[0]).toBe(
      report.members.reduce((most, member) => (member.promisedWh > most ? member.promisedWh : most), 0n),
    );
    expect(await promised.getAttribute("aria-sort")).toBe("descending");
    await promised.locator("button").click();
    expect((await column(5)).map(BigInt)).toEqual([...falling].reverse());
    await page.locator("#member-table th", { hasText: "Member" }).first().locator("button").click();
    const names = await column(1);
    expect(names).toEqual(
      [...names].sort((left, right) => left.toLowerCase().localeCompare(right.toLowerCase(), "en", { numeric: true })),
    );
    expect(await promised.getAttribute("aria-sort")).toBeNull();
  });

  test("filters members", async () => {
    await page.fill("#member-filter", "Least-cost");
    expect(await page.locator("#member-table tbody tr:visible").count()).toBe(4);
    await page.fill("#member-filter", "");
    expect(await page.locator("#member-table tbody tr:visible").count()).toBe(16);
  });

  test("hands out the members and the timeline as CSV, exact to the last unit", async () => {
    const members = await downloaded(page, "members");
    expect(members.name).toBe("sample-14d-members.csv");
    expect(members.text.split("\n")[0]).toBe(
      "member,roles,strategy,producedWh,consumedWh,promisedWh,deliveredWh,boughtWh,soldWh,netMicros,baselineMicros,gainMicros,depositLostMicros,denied",
    );
    for (const member of report.members)
      expect(members.text).toContain(`,${member.netMicros},${member.baselineMicros},${member.gainMicros},`);
    expect(members.text).toContain('\n"say ""hi"", twice",prosumer,');
    const timeline = await downloaded(page, "timeline");
    const lines = timeline.text.trimEnd().split("\n");
    expect(lines).toHaveLength(336);
    expect(lines[0]).toMatch(/^slot,localStart,producedWh,consumedWh,promisedWh,/);
    const [spring] = lines.filter((line) => line.startsWith("2025-03-30T01:00Z"));
    expect(spring).toMatch(/^2025-03-30T01:00Z\/PT60M,2025-03-30T03:00,/);
  });

  test("shows the community's clock, whatever the reader's", async () => {
    const texts = await page.evaluate(
      "[slotText(Date.parse('2025-03-30T00:00Z')), slotText(Date.parse('2025-03-30T01:00Z'))]",
    );
    expect(texts).toEqual(["Sun 30 Mar, 01:00–03:00", "Sun 30 Mar, 03:00–04:00"]);
  });

  test("writes amounts as the other reports do", async () => {
    const prng = seededPrng(1, "amounts");
    const amounts = Array.from({ length: 200 }, () =>
      BigInt(Math.round(prng.nextNormal() * 10 ** (prng.nextUint32() % 15))).toString(),
    );
    const texts = await page.evaluate(`${JSON.stringify(amounts)}.map((amount) => scaledText(amount, 6, 2, true))`);
    expect(texts).toEqual(
      amounts.map((amount) => formatScaled(BigInt(amount), 6, { decimals: 2, plus: true, minus: "−" })),
    );
  });

  test("zooms all charts over time together, by drag and by button", async () => {
    const periods = (): Promise<string> =>
      page.evaluate("JSON.stringify(timeCharts.map(({ plot }) => [plot.scales.x.min, plot.scales.x.max]))");
    const whole = await periods();
    await page.locator("#energy-plot").scrollIntoViewIfNeeded();
    const box = await page.locator("#energy-plot .u-over").boundingBox();
    if (box === null) throw new Error("the chart is on the page");
    await page.mouse.move(box.x + 300, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 500, box.y + 110, { steps: 3 });
    await page.mouse.up();
    const dragged = JSON.parse(await periods()) as [number, number][];
    expect(new Set(dragged.map(String)).size).toBe(1);
    const share = ((dragged[0]?.[1] ?? 0) - (dragged[0]?.[0] ?? 0)) / (335 * 3_600_000);
    expect(share).toBeCloseTo(200 / box.width, 2);
    await page.click('[data-days="1"]');
    const [start = 0, end = 0] = (JSON.parse(await periods()) as [number, number][])[2] ?? [];
    expect(end - start).toBe(24 * 3_600_000);
    expect(await page.getAttribute('[data-days="1"]', "aria-pressed")).toBe("true");
    await page.click('[data-days="0"]');
    expect(await periods()).toBe(whole);
  });

  test("reads out the slot under the pointer, and by keys", async () => {
    await page.locator("#energy-plot").scrollIntoViewIfNeeded();
    const box = await page.locator("#energy-plot .u-over").boundingBox();
    if (box === null) throw new Error("the chart is on the page");
    const perSlot = box.width / 335;
    await page.mouse.move(box.x + perSlot * 12.9, box.y + 40);
    const tip = page.locator("#energy-plot .tip");
    expect(await tip.locator("strong").textContent()).toBe("Mon 24 Mar, 12:00–13:00");
    expect(await tip.locator(".tip-row").count()).toBe(6);
    await page.mouse.move(5, 5);
    expect(await tip.isVisible()).toBe(false);
    await page.focus("#hour-price-plot");
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press("ArrowRight");
    expect(await page.locator("#hour-price-plot .tip strong").textContent()).toBe("02:00–03:00");
    expect(await page.locator("#spoken").textContent()).toContain("02:00–03:00");
  });

  test("switches to dark and back, charts included, and prints in light", async () => {
    const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.click("#theme");
    expect(await ground()).toBe(light);
    await page.click("#theme");
    expect(await page.getAttribute("html", "data-theme")).toBe("dark");
    expect(await ground()).not.toBe(light);
    for (const [id, colour] of Object.entries(PLOTS))
      expect([id, (await pixelsOf(page, id, colour)) > 20]).toEqual([id, true]);
    const paper = await page.pdf({ format: "A4" });
    expect(paper.length).toBeGreaterThan(30_000);
    expect(await page.getAttribute("html", "data-theme")).toBe("dark");
    await page.click("#theme");
    expect(await ground()).toBe(light);
  });

  test("fits a window of 380 pixels", async () => {
    await page.setViewportSize({ width: 380, height: 800 });
    await page.waitForFunction("allCharts.every(({ host, plot }) => plot.width === host.clientWidth)");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(380);
    for (const [id, colour] of Object.entries(PLOTS))
      expect([id, (await pixelsOf(page, id, colour)) > 10]).toEqual([id, true]);
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test("all the while asked for nothing from outside, and complained of nothing", () => {
    expect(requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);
    expect(troubles).toEqual([]);
  });

  async function downloaded(from: Page, name: string): Promise<{ readonly name: string; readonly text: string }> {
    const [download] = await Promise.all([from.waitForEvent("download"), from.click(`[data-download="${name}"]`)]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
  }
});

/** How many pixels of a chart have a colour of the page's style, or nearly. */
function pixelsOf(page: Page, id: string, colour: string): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector("#${id} canvas");
    if (canvas === null) return 0;
    const wanted = getComputedStyle(document.documentElement).getPropertyValue("--${colour}").trim();
    const parts = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16));
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] > 100 && parts.every((part, index) => Math.abs(data[at + index] - part) < 40)) count++;
    return count;
  })()`);
}
