/** Links between the pages lead somewhere: files exist, and headings that are named exist in them. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { filesEndingWith, ROOT, textOf } from "../architecture/checkout.ts";

const pages = filesEndingWith(".md");

/** Without fenced blocks and code: what looks like a link there is none. */
function prose(path: string): string {
  return textOf(path)
    .replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, "")
    .replace(/`[^`\n]*`/g, "");
}

/** The anchor that a heading gets on the usual web views of a repository. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function anchorsOf(path: string): ReadonlySet<string> {
  return new Set([...textOf(path).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

/** What is wrong with a link from a page; undefined when it leads somewhere. */
function faultOf(page: string, link: string): string | undefined {
  if (/^(?:https?|mailto):/.test(link)) return undefined;
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? page : join(dirname(page), file);
  if (path.startsWith("..") || !existsSync(`${ROOT}/${path}`)) return `${page}: ${link} leads to no file`;
  if (anchor === undefined) return undefined;
  return anchorsOf(path).has(anchor) ? undefined : `${page}: ${link} names no heading of ${path}`;
}

test("there are pages with links to check", () => {
  expect(pages.length).toBeGreaterThan(15);
});

test.each(pages)("links in %s lead somewhere", (page) => {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  expect(links.flatMap((link) => faultOf(page, link) ?? [])).toEqual([]);
});

describe("a fault", () => {
  test.each([
    ["README.md", "docs/nowhere.md", "leads to no file"],
    ["README.md", "../outside.md", "leads to no file"],
    ["docs/ledger.md", "#no-such-heading", "names no heading"],
  ])("in %s: %s is found", (page, link, says) => {
    expect(faultOf(page, link)).toContain(says);
  });
});

test("the picture of the report is small enough to be looked at", () => {
  expect(statSync(`${ROOT}/docs/images/report.png`).size).toBeLessThan(400_000);
});
