/** One hash over the compiled code, for the manifest of a run: runs of the same hash were made by the same program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareText, hashOf } from "#core";

/** @param folder - The folder of compiled files; all `.js` in it count, by path and content. */
export function codeHash(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".js"))
    .sort(compareText);
  return hashOf(files.map((path) => `${path} ${hashOf(readFileSync(join(folder, path), "utf8"))}`).join("\n"));
}
