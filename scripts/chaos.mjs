/**
 * `npm run chaos`: kills and disturbs a network of real processes by a seed, and checks that every flow happened once or not at
 * all. Runs what is built in dist/. docs/chaos.md says what is done and checked.
 */
import { randomInt } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const USAGE = `node scripts/chaos.mjs [--seed N] [--kills 200] [--whole-stops 20] [--members 4] [--small] [--json] [--out FILE]
  --seed         draws load and faults; printed at the end (default: by chance)
  --kills        kill -9 of one node (default 200)
  --whole-stops  kill -9 of all nodes at once (default 20, at most 40)
  --members      members that trade (default 4)
  --small        puts roles together: fewer processes
  --json         prints the report as JSON
  --out          writes the report as a page, such as docs/chaos-result.md
`;
const EXIT = { ok: 0, unsound: 1, badInput: 4 };
const WHOLE_STOPS_MAX = 40;
const root = resolve(import.meta.dirname, "..");

process.exitCode = await main();

async function main() {
  const options = read();
  if (options === undefined) return EXIT.badInput;
  const built = join(root, "dist", "testkit", "chaos");
  if (!existsSync(built)) {
    process.stderr.write(`${built} is missing; build it with 'npm run build'\n`);
    return EXIT.badInput;
  }
  const { runChaos } = await import(pathToFileURL(join(built, "run.js")).href);
  const { chaosPage, isSound, renderChaos } = await import(pathToFileURL(join(built, "report.js")).href);
  const { toJson } = await import("#core");
  const { json, out, ...run } = options;
  process.stderr.write(`seed ${run.seed}\n`);
  const report = await runChaos({
    ...run,
    erasAfter: 2,
    host: process,
    program: join(root, "bin", "dream"),
    onProgress: progress(),
  });
  process.stderr.write("\n");
  process.stdout.write(json ? `${toJson(report, 2)}\n` : renderChaos(report));
  if (out !== undefined) writeFileSync(out, chaosPage(report, new Date().toISOString().slice(0, 10), commandOf(run)));
  return isSound(report) ? EXIT.ok : EXIT.unsound;
}

function read() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        kills: { type: "string", default: "200" },
        "whole-stops": { type: "string", default: "20" },
        members: { type: "string", default: "4" },
        small: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        out: { type: "string" },
      },
    });
    return {
      seed: values.seed ?? String(randomInt(1_000_000)),
      kills: whole("kills", values.kills, 1, 10_000),
      wholeStops: whole("whole-stops", values["whole-stops"], 0, WHOLE_STOPS_MAX),
      members: whole("members", values.members, 2, 20),
      isSmall: values.small,
      json: values.json,
      out: values.out,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${reason}\n${USAGE}`);
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} min
 * @param {number} max
 */
function whole(name, text, min, max) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new Error(`--${name} is a whole number from ${min} to ${max}, was ${text}`);
  return value;
}

/** @param {{ seed: string, kills: number, wholeStops: number, members: number, isSmall: boolean }} run */
function commandOf({ seed, kills, wholeStops, members, isSmall }) {
  const flags = `--seed ${seed} --kills ${kills} --whole-stops ${wholeStops} --members ${members}`;
  return `npm run chaos -- ${flags}${isSmall ? " --small" : ""}`;
}

/** One line that is written over on a terminal, and a line now and then elsewhere. */
function progress() {
  const startedMs = Date.now();
  let lastMs = 0;
  return (/** @type {number} */ done, /** @type {number} */ total, /** @type {string} */ doing) => {
    const nowMs = Date.now();
    const isTerminal = process.stderr.isTTY === true;
    if (!isTerminal && nowMs - lastMs < 5_000) return;
    lastMs = nowMs;
    const seconds = (nowMs - startedMs) / 1_000;
    const left = done > 2 && done < total ? `, about ${Math.round((seconds / done) * (total - done))} s left` : "";
    const line = `chaos: ${done} of ${total} faults, ${Math.round(seconds)} s${left}: ${doing}`;
    process.stderr.write(isTerminal ? `\r\x1b[K${line.slice(0, (process.stderr.columns ?? 120) - 1)}` : `${line}\n`);
  };
}
