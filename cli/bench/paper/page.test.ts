/** The experiment's page in a real browser, without a connection: figures, tables, light and dark, narrow, and on paper. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededPrng } from "#core";
import { chromiumPath, launchBrowser } from "#testkit";
import { type PaperSummary, paperSummary } from "./aims.ts";
import { type ClassUsage, type Experiment, type Run, runPlans, TASKS, USAGE_CLASSES } from "./experiment.ts";
import { paperPage } from "./page.ts";
import { membersOf } from "./topology.ts";

const EXPERIMENT: Experiment = { nodes: [6, 8, 10], requests: [1, 10, 100], tasks: TASKS, repeats: 3 };
const HOSTILE = "</style><script>alert(1)</script>";

/** Made up, and the same each time. */
function sampleSummary(experiment: Experiment): PaperSummary {
  const prng = seededPrng(1, "paper");
  const about = (value: number): number => value * (0.9 + 0.2 * prng.nextFloat());
  const runs = runPlans(experiment).map((plan): Run => {
    const secondsPerRequest = about(0.02 + 0.06 / plan.requests + 0.002 * plan.nodes);
    const members = membersOf(plan.nodes);
    const usage = USAGE_CLASSES.map((usageClass): ClassUsage => {
      const processes =
        usageClass === "client" ? 2 : members.filter((one) => one.usageClass === usageClass).length || 1;
      const meanBytes = about(processes * 95e6);
      return {
        usageClass,
        processes,
        samples: 5,
        meanBytes,
        peakBytes: meanBytes * 1.05,
        processPeakBytes: (meanBytes * 1.05) / processes,
        cpuSeconds: 0.01 * plan.requests,
      };
    });
    return {
      ...plan,
      batchSeconds: secondsPerRequest * plan.requests,
      secondsPerRequest,
      quietSeconds: secondsPerRequest * plan.requests,
      answerSeconds: [],
      refusals: plan.task === "bid" && plan.requests === 100 ? { state_conflict: 2 } : {},
      usage,
    };
  });
  return paperSummary(experiment, runs, {
    measuredAt: "2031-06-01T10:00:00.000Z",
    runtime: "node v20.20.2",
    cpu: HOSTILE,
    cores: 2,
    memoryBytes: 8e9,
    loadBefore: 0.5,
    loadAfter: 2.2,
  });
}

describe("the page", () => {
  test("is the same for equal summaries, and whole also for the smallest experiment", () => {
    expect(paperPage(sampleSummary(EXPERIMENT))).toBe(paperPage(sampleSummary(EXPERIMENT)));
    const small = paperPage(sampleSummary({ nodes: [6], requests: [1], tasks: ["create-auction"], repeats: 1 }));
    expect(small).not.toMatch(/NaN|undefined|Infinity/);
    expect(small).toContain("not measured");
  });

  test("has no value that is none", () => {
    expect(paperPage(sampleSummary(EXPERIMENT))).not.toMatch(/NaN|undefined|Infinity/);
  });
});

const program = chromiumPath(process.env["CHROMIUM"]);
if (program === undefined)
  console.log("The browser tests of the experiment's page are skipped: no Chromium at /usr/bin/chromium or $CHROMIUM.");

describe.skipIf(program === undefined)("the page in a browser", () => {
  let browser: Browser;
  let page: Page;
  let folder: string;
  const requests: string[] = [];
  const troubles: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dream-paper-page-"));
    const file = join(folder, "report.html");
    writeFileSync(file, paperPage(sampleSummary(EXPERIMENT)));
    browser = await launchBrowser(program ?? "");
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true });
    page = await context.newPage();
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("dialog", (dialog) => void dialog.dismiss().then(() => troubles.push("dialog")));
    await page.goto(pathToFileURL(file).href);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("has the paper's three figures with their facets, each beside the paper's words", async () => {
    for (const [id, facets] of Object.entries({ "figure-5": 8 + 3, "figure-6": 3 + 3, "figure-7": 3 + 3 })) {
      expect(await page.locator(`#${id} figure > .wide > svg .facet`).count()).toBe(facets);
      expect(await page.locator(`#${id} blockquote`).count()).toBeGreaterThan(0);
      expect(await page.locator(`#${id} figure > .wide > svg`).getAttribute("aria-label")).toMatch(/requests at once/i);
    }
    expect(await page.locator("#figure-5 figure > .wide > svg .mark").count()).toBe(8 * 3 * 9);
    expect(await page.locator("#figure-6 .part").count()).toBe(8 * 27);
    expect(await page.locator("#figure-7 .whisker").count()).toBe(27);
  });

  test("draws all marks inside their drawing, and stacks that fill their height", async () => {
    const outside = await page.evaluate(`[...document.querySelectorAll("figure > .wide > svg")].flatMap((svg) => {
      const whole = svg.getBoundingClientRect();
      return [...svg.querySelectorAll("circle,rect,path,polyline,text")].filter((shape) => {
        const box = shape.getBoundingClientRect();
        return box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1 || box.bottom > whole.bottom + 1;
      }).map((shape) => shape.outerHTML);
    })`);
    expect(outside).toEqual([]);
    const heights: number[] = await page.evaluate(
      `[...document.querySelectorAll("#figure-6 .part")].map((part) => Number(part.getAttribute("height")))`,
    );
    for (let stack = 0; stack < 27; stack++)
      expect(heights.slice(stack * 8, stack * 8 + 8).reduce((sum, height) => sum + height, 0)).toBeCloseTo(150, 0);
  });

  test("has the same values as tables, for each cell of the experiment, refusals included", async () => {
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    for (const id of ["figure-5", "figure-6", "figure-7"])
      expect(await page.locator(`#${id} table`).first().locator("tbody tr").count()).toBe(27);
    expect(await page.locator("#figure-7 table").nth(1).locator("tbody tr").count()).toBe(9);
    expect(await page.locator("#figure-7 td", { hasText: "state_conflict 6" }).count()).toBe(3);
    expect(await page.locator(".card", { hasText: "Requests carried out" }).textContent()).toContain("state_conflict");
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = false");
  });

  test("is dark for those who like it so, light on paper, and fits a phone", async () => {
    const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const markColour = (): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector(".mark.series-0")).fill`);
    const [light, lightMark] = [await ground(), await markColour()];
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground()).not.toBe(light);
    expect(await markColour()).not.toBe(lightMark);
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    expect(await markColour()).toBe(lightMark);
    expect((await page.pdf({ format: "A4", landscape: true })).length).toBeGreaterThan(20_000);
    await page.emulateMedia({ colorScheme: "light", media: "screen" });
    await page.setViewportSize({ width: 380, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(380);
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test("asks for nothing but itself, complains of nothing, and shows hostile text as text", async () => {
    expect(requests).toHaveLength(1);
    expect(troubles).toEqual([]);
    expect(await page.locator(".lead", { hasText: HOSTILE }).count()).toBe(1);
    expect(await page.locator("script").count()).toBe(0);
  });
});
