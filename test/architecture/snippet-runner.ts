/**
 * Runs the snippets of the documentation that are marked to be run: a fenced block whose info string is a language and
 * `run`, as in "```ts run". TypeScript is type-checked and executed against the build, shell is executed at the root of the
 * checkout with `dream` on the path, JSON and YAML are parsed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { transformSync } from "esbuild";
import { parse as parseYaml } from "yaml";
import { ROOT } from "./checkout.ts";

export type Snippet = {
  readonly path: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
};

const TIMEOUT_MS = 120_000;
const FENCE = /^(?<fence>`{3,}|~{3,})(?<language>\w+) run\b[^\n]*\n(?<text>[\s\S]*?)^\k<fence>[ \t]*$/gm;

/** The snippets of a page that are marked to be run. */
export function runnableSnippets(path: string, markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(FENCE)].map(({ index, groups }) => ({
    path,
    line: markdown.slice(0, index).split("\n").length,
    language: groups?.["language"] ?? "",
    text: groups?.["text"] ?? "",
  }));
}

/** Runs one snippet; gives what went wrong, in words, or undefined when all is well. */
export function runSnippet({ language, text }: Snippet): string | undefined {
  switch (language) {
    case "ts":
      return inScratchFolder((folder) => checkTypes(folder, text) ?? execute(folder, text));
    case "sh":
      return command("bash", ["-euo", "pipefail", "-c", text]);
    case "json":
      return parses(() => JSON.parse(text));
    case "yaml":
      return parses(() => parseYaml(text));
    default:
      return `a snippet in ${language} cannot be run: ts, sh, json and yaml can`;
  }
}

/** A folder inside the checkout, so that `#core` and packages resolve as they do for its users. */
function inScratchFolder(work: (folder: string) => string | undefined): string | undefined {
  mkdirSync(`${ROOT}/runs`, { recursive: true });
  const folder = mkdtempSync(`${ROOT}/runs/snippet-`);
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkTypes(folder: string, text: string): string | undefined {
  writeFileSync(`${folder}/snippet.ts`, text);
  const compilerOptions = { noEmit: true, isolatedDeclarations: false, noUnusedLocals: false, rootDir: ROOT };
  const config = { extends: `${ROOT}/tsconfig.json`, compilerOptions, include: [], files: ["snippet.ts"] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
  return command(`${ROOT}/node_modules/.bin/tsc`, ["-p", folder]);
}

function execute(folder: string, text: string): string | undefined {
  const { code } = transformSync(text, { loader: "ts", format: "esm", target: "node20" });
  writeFileSync(`${folder}/snippet.mjs`, code);
  return command(process.execPath, [`${folder}/snippet.mjs`]);
}

function command(program: string, args: readonly string[]): string | undefined {
  const { status, signal, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    env: { ...process.env, PATH: `${ROOT}/bin${delimiter}${process.env["PATH"]}` },
  });
  return status === 0 ? undefined : `ended with ${signal ?? `code ${status}`}\n${stdout}${stderr}`;
}

function parses(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
