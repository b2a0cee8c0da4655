/**
 * The gate of the import walls: reads every source file, refuses wrong arrows, imports past a door, cycles and undeclared
 * packages, and says how much it read. A run that read too little fails: a tool that reads nothing finds nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import { sourceFiles, topFolders } from "./source-files.mjs";
import { CROSSING, OPTIONS, ROOMS, RULES } from "./walls.mjs";

/** Far below what the project has: fewer modules mean that the gate looked in the wrong place. */
const MODULES_MIN = 120;

const folders = [...Object.keys(ROOMS), ...CROSSING].filter((folder) => existsSync(folder));
const { output } = await cruise(folders, { ...OPTIONS, validate: true, ruleSet: { forbidden: RULES } });
if (typeof output === "string") throw new Error(`dependency-cruiser gave text where a result was expected: ${output}`);

const violations = [...new Set(output.summary.violations.map(violationText))];
const faults = [...blindSpots(output.modules), ...violations].sort();
const edges = output.modules.reduce((sum, module) => sum + module.dependencies.length, 0);
for (const fault of faults) console.error(fault);
console.log(
  `walls: ${sourceModules(output.modules).length} modules, ${edges} imports, ${RULES.length} rules, ${faults.length} faults`,
);
process.exitCode = faults.length === 0 ? 0 : 1;

/**
 * The modules that are ours.
 * @param {readonly import("dependency-cruiser").IModule[]} modules
 */
function sourceModules(modules) {
  return modules.filter(
    (module) => module.matchesDoNotFollow !== true && module.coreModule !== true && !module.couldNotResolve,
  );
}

/**
 * What the tool did not see: files that it did not read, imports that it overlooked, doors that are missing.
 * @param {readonly import("dependency-cruiser").IModule[]} modules
 * @returns {string[]}
 */
function blindSpots(modules) {
  const read = new Map(sourceModules(modules).map((module) => [module.source, module.dependencies.length]));
  const spots = sourceFiles(".", folders).flatMap((path) => {
    const imports = read.get(path);
    if (imports === undefined) return [`${path}: not read by the gate`];
    return imports === 0 && /^(?:import|export)\b[^;]*?\bfrom "/m.test(readFileSync(path, "utf8"))
      ? [`${path}: has imports, but the gate saw none`]
      : [];
  });
  const { imports } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const name of Object.keys(imports)) {
    const door = `${name.slice(1)}/index.ts`;
    if (!read.has(door)) spots.push(`package.json: ${name} leads to ${door}, which the gate did not read`);
    if (ROOMS[name.slice(1)] === undefined) spots.push(`package.json: ${name} has no row in scripts/walls.mjs`);
  }
  const elsewhere = topFolders(".").filter((folder) => !folders.includes(folder));
  for (const path of sourceFiles(".", elsewhere)) spots.push(`${path}: its folder has no row in scripts/walls.mjs`);
  if (read.size < MODULES_MIN) spots.push(`only ${read.size} modules were read; at least ${MODULES_MIN} were expected`);
  return spots;
}

/**
 * One line: where, what was imported, which rule refuses it and how to mend it. A circle reads the same from each of its files.
 * @param {import("dependency-cruiser").IViolation} violation
 */
function violationText({ from, to, unresolvedTo, rule, cycle }) {
  const comment = RULES.find(({ name }) => name === rule.name)?.comment;
  const where = cycle === undefined ? `${from} -> ${unresolvedTo ?? to}` : circleText(cycle.map(({ name }) => name));
  return `${where}: ${rule.name}: ${comment}`;
}

/**
 * The files of a circle, from its first by name round to it again.
 * @param {readonly string[]} names
 */
function circleText(names) {
  const first = names.indexOf([...names].sort()[0] ?? "");
  return [...names.slice(first), ...names.slice(0, first + 1)].join(" -> ");
}
