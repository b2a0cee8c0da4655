/** The page's own files, read once: its style, its scripts, and uPlot from node_modules. The only I/O of the report. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { invariant } from "#core";

/** The page's scripts, in the order in which they run: each uses names of those before it. */
const SCRIPTS = ["figures.js", "time.js", "chart.js", "charts.js", "heat-map.js", "tables.js", "main.js"] as const;

export type Asset = { readonly name: string; readonly text: string };
export type PageAssets = {
  readonly styles: readonly Asset[];
  readonly scripts: readonly Asset[];
  /** `'sha256-…'` of each script, for the page's content security policy. */
  readonly scriptHashes: readonly string[];
};

let kept: PageAssets | undefined;

/** The page's files. @throws when the checkout or node_modules is incomplete. */
export function pageAssets(): PageAssets {
  kept ??= readAssets();
  return kept;
}

function readAssets(): PageAssets {
  const folder = assetFolder(import.meta.url);
  const uplot = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));
  const styles = [
    asset("uPlot.min.css", join(uplot, "dist", "uPlot.min.css")),
    asset("style.css", join(folder, "style.css")),
  ];
  const scripts = [
    asset("uPlot.iife.min.js", join(uplot, "dist", "uPlot.iife.min.js")),
    ...SCRIPTS.map((name) => asset(name, join(folder, "client", name))),
  ];
  return { styles, scripts, scriptHashes: scripts.map((script) => cspHash(script.text)) };
}

/**
 * The folder that has `style.css` and `client/`: beside this module in the sources; for the compiled module in
 * `dist/backtest/report/html/`, the sources' folder, since the compiler copies neither style nor plain scripts.
 */
export function assetFolder(moduleUrl: string): string {
  const beside = dirname(fileURLToPath(moduleUrl));
  const source = join(beside, "../../../../backtest/report/html");
  const found = [beside, source].find((folder) => existsSync(join(folder, "style.css")));
  invariant(found !== undefined, `the report's style.css is in ${beside} or in ${source}`);
  return found;
}

function asset(name: string, path: string): Asset {
  return { name, text: readFileSync(path, "utf8") };
}

function cspHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}
