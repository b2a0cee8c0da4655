/** Finds the source files that a gate has to read, without asking the gate's own tool. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const SKIPPED = new Set(["node_modules", "dist", "runs", "coverage"]);

/**
 * Paths of the source files (`.ts`, `.mjs`) in the folders, relative to `root`, with forward slashes, sorted.
 * A folder that does not exist has none.
 * @param {string} root
 * @param {readonly string[]} folders
 * @returns {string[]}
 */
export function sourceFiles(root, folders) {
  return folders.flatMap((folder) => (existsSync(join(root, folder)) ? filesBelow(root, folder) : [])).sort();
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : filesBelow(root, path);
    return /\.(?:ts|mjs)$/.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

/**
 * Folders at the top of the checkout, but those that hold what is made or installed.
 * @param {string} root
 * @returns {string[]}
 */
export function topFolders(root) {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith("."))
    .map(({ name }) => name);
}
