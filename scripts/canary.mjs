/**
 * Proves that each gate can fail. In a scratch copy of the checkout it plants faults, and requires each gate to refuse each
 * of its faults by file and reason; beside each stands a control, the nearest thing that is right, which the same gate must
 * let through. The faults of one gate are planted together, in files of their own, so that the gate runs twice only.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { FAULTS } from "./canary-faults.mjs";

/** @typedef {import("./canary-faults.mjs").Fault} Fault */
/** @typedef {{ readonly code: number | null; readonly output: string }} Outcome */

const root = resolve(import.meta.dirname, "..");
const NOT_COPIED = new Set(["node_modules", "dist", ".git", "runs", "coverage"]);
const SCRIPT_TIMEOUT_MS = 120_000;
/** Arguments that make a script print each refusal on one line, with its file. */
const LINE_BY_LINE = new Map([["lint:code", "--reporter=github --max-diagnostics=none"]]);

const startedMs = Date.now();
const scratch = mkdtempSync(join(tmpdir(), "dream-canary-"));
try {
  copyCheckout();
  const scripts = [...new Set(FAULTS.map(({ script }) => script))];
  const wrong = [...controlsRefused(scripts), ...scripts.flatMap(faultsMissed)];
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  for (const line of wrong) console.error(line);
  console.log(`canary: ${FAULTS.length} faults in ${scripts.length} gates, ${wrong.length} wrong, ${seconds} s`);
  process.exitCode = wrong.length === 0 && FAULTS.length > 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function copyCheckout() {
  cpSync(root, scratch, {
    recursive: true,
    filter: (source) => !NOT_COPIED.has(basename(source)) || dirname(source) !== root,
  });
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"), "dir");
}

/**
 * Runs every gate with all controls in place: each must pass.
 * @param {readonly string[]} scripts
 * @returns {string[]}
 */
function controlsRefused(scripts) {
  const controls = Object.assign({}, ...FAULTS.map(({ control }) => control));
  plant(controls);
  const wrong = scripts.flatMap((script) => {
    const { code, output } = runScript(script);
    console.log(`${code === 0 ? "passed " : "REFUSED"}  ${script.padEnd(12)} ${Object.keys(controls).length} controls`);
    return code === 0 ? [] : [`${script} refused a tree in which the canary planted nothing wrong:\n${output}`];
  });
  uproot(controls);
  return wrong;
}

/**
 * Plants all faults of one gate: it must refuse, and name each with its reason.
 * @param {string} script
 * @returns {string[]} What is wrong with the gate, if anything.
 */
function faultsMissed(script) {
  const faults = FAULTS.filter((fault) => fault.script === script);
  const files = Object.assign({}, ...faults.map(({ plant: planted }) => planted));
  plant(files);
  const { code, output } = runScript(script);
  uproot(files);
  const missed = faults.filter((fault) => {
    const caught = code !== 0 && isRefused(fault, output);
    console.log(`${caught ? "refused" : "MISSED "}  ${script.padEnd(12)} ${fault.name}`);
    return !caught;
  });
  if (missed.length === 0) return [];
  const expected = missed.map(({ says, plant: planted }) => `  "${says}" of ${Object.keys(planted).join(" or ")}`);
  return [`${script} ended with code ${code} and did not say\n${expected.join("\n")}\nbut said\n${output}`];
}

/**
 * Whether one line of the output names a file of the fault together with the reason; a mere notice is no refusal.
 * @param {Fault} fault
 * @param {string} output
 */
function isRefused({ plant: planted, says }, output) {
  const paths = Object.keys(planted);
  const refusals = output.split("\n").filter((line) => line.includes(says) && !line.startsWith("::notice"));
  return refusals.some((line) => paths.some((path) => line.includes(path)));
}

/** @param {Readonly<Record<string, string>>} files */
function plant(files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text, { flag: "wx" });
  }
}

/** @param {Readonly<Record<string, string>>} files */
function uproot(files) {
  for (const path of Object.keys(files)) rmSync(join(scratch, path));
}

/**
 * Runs one of package.json's scripts in the scratch copy, as npm would.
 * @param {string} script
 * @returns {Outcome}
 */
function runScript(script) {
  const command = JSON.parse(readFileSync(join(scratch, "package.json"), "utf8")).scripts[script];
  if (command === undefined) return { code: null, output: `package.json has no script ${script}` };
  const path = `${join(scratch, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}`;
  const { status, stdout, stderr } = spawnSync(`${command} ${LINE_BY_LINE.get(script) ?? ""}`, {
    cwd: scratch,
    shell: true,
    encoding: "utf8",
    env: { ...process.env, PATH: path, NO_COLOR: "1" },
    timeout: SCRIPT_TIMEOUT_MS,
  });
  return { code: status, output: `${stdout}${stderr}` };
}
