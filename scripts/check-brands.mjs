/**
 * The gate of the branded types: only the file that declares a brand (`{ readonly __brand: "WattHours" }`) may cast to it,
 * so that every value of the type went through its maker or its parser. Test files may forge bad values.
 */
import { readFileSync } from "node:fs";
import { parseSync } from "@swc/core";
import { sourceFiles } from "./source-files.mjs";
import { CROSSING, ROOMS } from "./walls.mjs";

/** Below these the gate looked in the wrong place. */
const FILES_MIN = 110;
const BRANDS_MIN = 6;

/** @typedef {{ readonly path: string; readonly bytes: Buffer; readonly tree: unknown }} SourceFile */
/** @typedef {Readonly<Record<string, unknown>>} SyntaxNode */

const files = sourceFiles(".", [...Object.keys(ROOMS), ...CROSSING])
  .filter((path) => path.endsWith(".ts"))
  .map(parseFile);
const faults = /** @type {string[]} */ ([]);
const owners = brandOwners();
const casts = files.filter(({ path }) => !path.endsWith(".test.ts")).flatMap(castsIn);

for (const { file, at, brand } of casts) {
  const owner = owners.get(brand);
  if (owner === file.path) continue;
  faults.push(
    `${file.path}:${lineAt(file, at)}: ${brand} is made in ${owner} only: call its maker or its parser, do not cast`,
  );
}
if (files.length < FILES_MIN) faults.push(`only ${files.length} files were read; at least ${FILES_MIN} were expected`);
if (owners.size < BRANDS_MIN)
  faults.push(`only ${owners.size} brands were found; at least ${BRANDS_MIN} were expected`);
for (const fault of faults) console.error(fault);
console.log(`brands: ${files.length} files, ${owners.size} brands, ${casts.length} casts, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

/**
 * @param {string} path
 * @returns {SourceFile}
 */
function parseFile(path) {
  const bytes = readFileSync(path);
  return { path, bytes, tree: parseSync(bytes.toString("utf8"), { syntax: "typescript", target: "es2022" }) };
}

/** The file that declares each brand; a brand declared twice is a fault. */
function brandOwners() {
  /** @type {Map<string, string>} */
  const owner = new Map();
  for (const { path, tree } of files) {
    for (const node of nodesOf(tree)) {
      const brand = declaredBrand(node);
      if (brand === undefined) continue;
      const other = owner.get(brand);
      if (other !== undefined) faults.push(`${path}: the brand ${brand} is declared in ${other} too`);
      owner.set(brand, path);
    }
  }
  return owner;
}

/**
 * The brand's name where the node is the member `__brand: "Name"` of a type.
 * @param {SyntaxNode} node
 * @returns {string | undefined}
 */
function declaredBrand(node) {
  if (node["type"] !== "TsPropertySignature" || nameOf(node["key"]) !== "__brand") return undefined;
  const literal = [...nodesOf(node["typeAnnotation"])].find(({ type }) => type === "StringLiteral");
  return literal === undefined ? undefined : String(literal["value"]);
}

/**
 * The casts of a file (`as T`, `<T>value`, `value is T`) whose type names a brand, also inside a larger type.
 * @param {SourceFile} file
 * @returns {{ readonly file: SourceFile; readonly at: number; readonly brand: string }[]}
 */
function castsIn(file) {
  const renamed = renamedImports(file.tree);
  return [...nodesOf(file.tree)]
    .filter(({ type }) => type === "TsAsExpression" || type === "TsTypeAssertion" || type === "TsTypePredicate")
    .flatMap((cast) => [...nodesOf(cast["typeAnnotation"])])
    .filter(({ type }) => type === "TsTypeReference")
    .flatMap((reference) => {
      const name = typeName(reference["typeName"]);
      const brand = renamed.get(name) ?? name;
      return owners.has(brand) ? [{ file, at: startOf(reference), brand }] : [];
    });
}

/**
 * Local names of imports that were renamed: `import { WattHours as W }`.
 * @param {unknown} tree
 */
function renamedImports(tree) {
  const specifiers = [...nodesOf(tree)].filter(({ type }) => type === "ImportSpecifier");
  return new Map(specifiers.map(({ local, imported }) => [nameOf(local), nameOf(imported) || nameOf(local)]));
}

/**
 * Every node of a syntax tree, from the outside in.
 * @param {unknown} value
 * @returns {Generator<SyntaxNode>}
 */
function* nodesOf(value) {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesOf(item);
  } else if (typeof value === "object" && value !== null) {
    const node = /** @type {SyntaxNode} */ (value);
    if (typeof node["type"] === "string") yield node;
    for (const inner of Object.values(node)) yield* nodesOf(inner);
  }
}

/**
 * The last part of a type's name: `Core.WattHours` gives `WattHours`.
 * @param {unknown} name
 * @returns {string}
 */
function typeName(name) {
  const node = /** @type {SyntaxNode} */ (name);
  return node["type"] === "TsQualifiedName" ? nameOf(node["right"]) : nameOf(node);
}

/** @param {unknown} node */
function nameOf(node) {
  return typeof node === "object" && node !== null && "value" in node ? String(node.value) : "";
}

/** @param {SyntaxNode} node */
function startOf(node) {
  return Number(/** @type {SyntaxNode} */ (node["span"])["start"]);
}

/**
 * The line of a position; the parser counts bytes from one.
 * @param {SourceFile} file
 * @param {number} at
 */
function lineAt({ bytes }, at) {
  return bytes
    .subarray(0, at - 1)
    .toString("utf8")
    .split("\n").length;
}
