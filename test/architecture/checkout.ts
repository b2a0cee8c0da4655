/** The checkout as the architecture tests see it: its source files and the doors named in package.json. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root, without a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

const SKIPPED = new Set(["node_modules", "dist", "runs", "coverage"]);

/** Text of a file of the checkout, by its path from the root. */
export function textOf(path: string): string {
  return readFileSync(`${ROOT}/${path}`, "utf8");
}

/** Paths from the root of all files whose name ends so, sorted; a folder that is not there has none. */
export function filesEndingWith(ending: string, folder = ""): readonly string[] {
  const start = folder === "" ? ROOT : `${ROOT}/${folder}`;
  if (!existsSync(start)) return [];
  const found = readdirSync(start, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return entry.name.endsWith(ending) ? [path] : [];
    return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : filesEndingWith(ending, path);
  });
  return found.sort();
}

/** Folders that have a door, in the order of package.json: `core` for `#core`. */
export function rooms(): readonly string[] {
  const { imports } = JSON.parse(textOf("package.json")) as { readonly imports: Readonly<Record<string, unknown>> };
  return Object.keys(imports).map((name) => name.slice(1));
}

/** What a folder's door exports. */
export async function doorOf(room: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(`${ROOT}/${room}/index.ts`)) as Readonly<Record<string, unknown>>;
}
