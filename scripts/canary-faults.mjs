/** The faults that the canary plants, each with a control beside it: add a row when a gate or a rule is added. */

/**
 * One gate's fault.
 * @typedef {object} Fault
 * @property {string} name - What is wrong.
 * @property {"lint:code" | "lint:deps" | "lint:brands" | "typecheck"} script - The script of package.json that must refuse it.
 * @property {Readonly<Record<string, string>>} plant - Path and text of the files that hold the fault.
 * @property {Readonly<Record<string, string>>} control - The nearest thing that is right.
 * @property {string} says - What the line that refuses must say: refusing for another reason does not count.
 */

/**
 * A fault in one file, and its control in another file of the same folder.
 * @param {string} name
 * @param {Fault["script"]} script
 * @param {string} folder
 * @param {string} says
 * @param {string} wrong
 * @param {string} right
 * @returns {Fault}
 */
function fault(name, script, folder, says, wrong, right) {
  const path = `${folder}/canary-${name.replaceAll(/[^a-z]+/gi, "-").toLowerCase()}`;
  return { name, script, says, plant: { [`${path}-fault.ts`]: wrong }, control: { [`${path}-control.ts`]: right } };
}

/** @type {readonly Fault[]} */
const IMPORT_FAULTS = [
  fault(
    "a wrong arrow",
    "lint:deps",
    "contracts",
    "arrow-from-contracts",
    'export type { Community } from "#data";\n',
    'export type { Slot } from "#core";\n',
  ),
  fault(
    "a wrong arrow upwards from core",
    "lint:deps",
    "core",
    "arrow-from-core",
    'import type { Community } from "#data";\n\nexport type Name = Community["name"];\n',
    'import type { Slot } from "./slots.ts";\n\nexport type Id = Slot["id"];\n',
  ),
  fault(
    "a deep import past a door",
    "lint:deps",
    "forecast",
    ": door:",
    'export { wattHours } from "../core/units.ts";\n',
    'export { wattHours } from "#core";\n',
  ),
  fault(
    "a door by its path",
    "lint:deps",
    "data",
    ": door-name:",
    'export { wattHours } from "../core/index.ts";\n',
    'export { wattHours } from "#core";\n',
  ),
  {
    name: "a circle of imports",
    script: "lint:deps",
    says: ": cycle:",
    plant: {
      "core/canary-left.ts":
        'import type { Right } from "./canary-right.ts";\n\nexport type Left = { readonly right: Right };\n',
      "core/canary-right.ts":
        'import type { Left } from "./canary-left.ts";\n\nexport type Right = { readonly left: Left };\n',
    },
    control: {
      "core/canary-upper.ts":
        'import type { Lower } from "./canary-lower.ts";\n\nexport type Upper = { readonly lower: Lower };\n',
      "core/canary-lower.ts": "export type Lower = { readonly name: string };\n",
    },
  },
  fault(
    "a package that is not declared",
    "lint:deps",
    "cli",
    ": package-declared:",
    'import { parse } from "acorn";\n\nexport const tree: unknown = parse("");\n',
    'import { parse } from "yaml";\n\nexport const tree: unknown = parse("");\n',
  ),
  fault(
    "a development package in code that users run",
    "lint:deps",
    "data",
    ": package-for-development:",
    'import { cruise } from "dependency-cruiser";\n\nexport const run: unknown = cruise;\n',
    'import { parse } from "csv-parse";\n\nexport const run: unknown = parse;\n',
  ),
  fault(
    "a package in contracts",
    "lint:deps",
    "contracts",
    ": package-in-contracts:",
    'import { z } from "zod";\n\nexport const text: unknown = z.string();\n',
    'import { ok } from "#core";\n\nexport const text: unknown = ok("");\n',
  ),
  fault(
    "a package in core",
    "lint:deps",
    "core",
    ": package-in-core:",
    'import { encode } from "cborg";\n\nexport const bytes: Uint8Array = encode([]);\n',
    'import { encodeCbor } from "./cbor.ts";\n\nexport const bytes: Uint8Array = encodeCbor([]);\n',
  ),
  fault(
    "a file read by a strategy",
    "lint:deps",
    "strategies",
    ": deterministic:",
    'import { readFileSync } from "node:fs";\n\nexport const text: string = readFileSync("x", "utf8");\n',
    'import { hashOf } from "#core";\n\nexport const text: string = hashOf("x");\n',
  ),
  fault(
    "a file read by a forecaster",
    "lint:deps",
    "forecast",
    ": powers:",
    'import { readFileSync } from "node:fs";\n\nexport const text: string = readFileSync("x", "utf8");\n',
    'import { join } from "node:path";\n\nexport const text: string = join("x", "y");\n',
  ),
  fault(
    "the test kit in code that users run",
    "lint:deps",
    "agents",
    ": testkit:",
    'import * as kit from "#testkit";\n\nexport const names: readonly string[] = Object.keys(kit);\n',
    'import * as core from "#core";\n\nexport const names: readonly string[] = Object.keys(core);\n',
  ),
];

/** @type {readonly Fault[]} */
const BLIND_FAULTS = [
  {
    name: "a folder that no row describes",
    script: "lint:deps",
    says: "its folder has no row",
    plant: { "wallet/index.ts": 'export { wattHours } from "../core/units.ts";\n' },
    control: { "docs/canary.md": "A folder without code needs no row.\n" },
  },
];

/** @type {readonly Fault[]} */
const AMBIENT_FAULTS = [
  fault(
    "Date.now in core",
    "lint:code",
    "core",
    "Date.now reads the ambient clock",
    "export const atMs: number = Date.now();\n",
    "export const atMs: number = Date.UTC(2031, 5, 1);\n",
  ),
  fault(
    "new Date() in contracts",
    "lint:code",
    "contracts",
    "new Date() reads the ambient clock",
    "export const at: Date = new Date();\n",
    "export const at: Date = new Date(0);\n",
  ),
  fault(
    "Math.random in strategies",
    "lint:code",
    "strategies",
    "Math.random is ambient",
    "export const share: number = Math.random();\n",
    "export const share: number = Math.sqrt(0.5);\n",
  ),
  fault(
    "setTimeout in clearing",
    "lint:code",
    "marketplace/clearing",
    "noRestrictedGlobals",
    "export const later = (run: () => void): unknown => setTimeout(run, 1);\n",
    "export const later = (run: () => void, setTimeout: (run: () => void) => void): void => setTimeout(run);\n",
  ),
  fault(
    "performance in the kernel",
    "lint:code",
    "backtest/kernel",
    "noRestrictedGlobals",
    "export const atMs: number = performance.now();\n",
    "export const atMs = (performance: { now(): number }): number => performance.now();\n",
  ),
  fault(
    "the machine's time zone in core",
    "lint:code",
    "core",
    "Intl only as",
    'export const clock: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-US", { hour: "2-digit" });\n',
    'export const clock: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-US", { hour: "2-digit", timeZone: "UTC" });\n',
  ),
  fault(
    "the machine's locale in clearing",
    "lint:code",
    "marketplace/clearing",
    "depends on the machine's locale",
    "export const before = (left: string, right: string): boolean => left.localeCompare(right) < 0;\n",
    "export const before = (left: string, right: string): boolean => left < right;\n",
  ),
  fault(
    "process.env outside cli",
    "lint:code",
    "agents",
    "noRestrictedGlobals",
    'export const home: string | undefined = process.env["HOME"];\n',
    'export const home = (env: Readonly<Record<string, string>>): string | undefined => env["HOME"];\n',
  ),
];

/** @type {readonly Fault[]} */
const CODE_FAULTS = [
  fault(
    "a throw in contracts",
    "lint:code",
    "contracts",
    "No throw here",
    'export function refuse(): never {\n  throw new Error("refused");\n}\n',
    "export function again(run: () => void): void {\n  try {\n    run();\n  } catch (error) {\n    if (error instanceof RangeError) return;\n    throw error;\n  }\n}\n",
  ),
  fault(
    "a promise that nobody awaits",
    "lint:code",
    "ledger-client",
    "noFloatingPromises",
    "async function send(): Promise<void> {\n  await Promise.resolve();\n}\nexport function start(): void {\n  send();\n}\n",
    "async function send(): Promise<void> {\n  await Promise.resolve();\n}\nexport async function start(): Promise<void> {\n  await send();\n}\n",
  ),
  fault(
    "a type imported inside a type",
    "lint:code",
    "contracts",
    "Write an import type declaration",
    'export type Id = import("#core").SlotId;\n',
    'import type { SlotId } from "#core";\n\nexport type Id = SlotId;\n',
  ),
  fault(
    "code that is not formatted",
    "lint:code",
    "data",
    "Formatter would have printed",
    "export const   wide: number = 1\n",
    "export const wide: number = 1;\n",
  ),
  fault(
    "a cast to a brand outside its owner",
    "lint:brands",
    "contracts",
    "WattHours is made in core/units.ts only",
    'import type { WattHours } from "#core";\n\nexport const energy: WattHours = 5n as WattHours;\n',
    'import { type WattHours, wattHours } from "#core";\n\nexport const energy: WattHours = wattHours(5n);\n',
  ),
  fault(
    "a number where energy is meant",
    "typecheck",
    "data",
    "is not assignable to type",
    'import type { WattHours } from "#core";\n\nexport const energy: WattHours = 5n;\n',
    'import { type WattHours, wattHours } from "#core";\n\nexport const energy: WattHours = wattHours(5n);\n',
  ),
];

export const FAULTS = [...IMPORT_FAULTS, ...BLIND_FAULTS, ...AMBIENT_FAULTS, ...CODE_FAULTS];
