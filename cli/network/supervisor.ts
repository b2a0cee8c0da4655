/** Starts and stops the processes of a network. They outlive the command; each leaves its process id in its folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import axios from "axios";
import type { Certificate } from "./certificate.ts";
import { isRunning, OUTPUT_FILE, runningPid } from "./folder.ts";
import { CONFIG_FILE } from "./node-config.ts";
import { operatorTls } from "./tls-files.ts";

/** A node holds little that dies young: a small nursery keeps its memory small. Old space has room for a large network's states. */
const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=2", "--max-old-space-size=1024"];
const HEALTH_TIMEOUT_MS = 1_000;
const POLL_MS = 100;
const OUTPUT_SHOWN_MAX = 2_000;

export type Supervised = {
  readonly folder: string;
  /** The script of the `dream` command. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onProgress: (done: number, total: number) => void;
};

export type StartProblem = { readonly name: string; readonly problem: string; readonly isTimeout: boolean };

type Starting = { readonly party: Certificate; readonly child: ChildProcess | undefined };

/** Starts what does not run, and waits until each answers. What could not start is told, with what it said. */
export async function startNodes(
  parties: readonly Certificate[],
  timeoutMs: number,
  supervised: Supervised,
): Promise<readonly StartProblem[]> {
  const starting = parties.map(
    (party): Starting => ({
      party,
      child: runningPid(supervised.folder, party.name) === undefined ? spawnNode(party.name, supervised) : undefined,
    }),
  );
  let done = 0;
  supervised.onProgress(0, parties.length);
  const problems = await Promise.all(
    starting.map(async (each) => {
      const problem = await untilHealthy(each, timeoutMs, supervised.folder);
      done += 1;
      supervised.onProgress(done, parties.length);
      return problem === undefined ? [] : [{ name: each.party.name, ...problem }];
    }),
  );
  return problems.flat();
}

function spawnNode(name: string, { folder, program, env }: Supervised): ChildProcess {
  const output = openSync(join(folder, name, OUTPUT_FILE), "w");
  try {
    const child = spawn(
      process.execPath,
      [...NODE_FLAGS, program, "node", "--config", join(folder, name, CONFIG_FILE)],
      { detached: true, stdio: ["ignore", output, output], env },
    );
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

async function untilHealthy(
  { party, child }: Starting,
  timeoutMs: number,
  folder: string,
): Promise<Omit<StartProblem, "name"> | undefined> {
  const { name, address } = party;
  const deadlineMs = Date.now() + timeoutMs;
  const tls = operatorTls(folder);
  const agent = tls === undefined ? undefined : new Agent({ ca: tls.ca, cert: tls.certificate, key: tls.key });
  let hasEnded = false;
  let failure: string | undefined;
  child?.once("exit", () => {
    hasEnded = true;
  });
  child?.once("error", (error) => {
    failure = error.message;
  });
  while (Date.now() < deadlineMs) {
    if (failure !== undefined) return { problem: failure, isTimeout: false };
    if (hasEnded) return { problem: saidBy(join(folder, name, OUTPUT_FILE)), isTimeout: false };
    if (runningPid(folder, name) !== undefined && (await isHealthy(address, agent))) return undefined;
    await sleep(POLL_MS);
  }
  const problem = `did not answer at ${address} within ${timeoutMs / 1_000} seconds; look into ${join(folder, name)}`;
  return { problem, isTimeout: true };
}

function saidBy(file: string): string {
  const said = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return said === "" ? "ended without a word" : said.slice(-OUTPUT_SHOWN_MAX).replace(/^dream: /, "");
}

async function isHealthy(address: string, httpsAgent: Agent | undefined): Promise<boolean> {
  try {
    const { status } = await axios.get(`${address}/health`, {
      timeout: HEALTH_TIMEOUT_MS,
      proxy: false,
      ...(httpsAgent === undefined ? {} : { httpsAgent }),
    });
    return status === 200;
  } catch {
    return false;
  }
}

/** Stops all that run, all at once; those that don't end in time are killed. Gives the names of both. */
export async function stopNodes(
  names: readonly string[],
  timeoutMs: number,
  { folder, onProgress }: Pick<Supervised, "folder" | "onProgress">,
): Promise<{ readonly stopped: readonly string[]; readonly killed: readonly string[] }> {
  const running = names.flatMap((name) => {
    const pid = runningPid(folder, name);
    return pid === undefined ? [] : [{ name, pid }];
  });
  let done = 0;
  const killed = await Promise.all(
    running.map(async ({ name, pid }) => {
      const wasKilled = !(await stopped(pid, timeoutMs));
      done += 1;
      onProgress(done, running.length);
      return wasKilled ? [name] : [];
    }),
  );
  return { stopped: running.map(({ name }) => name), killed: killed.flat() };
}

async function stopped(pid: number, timeoutMs: number): Promise<boolean> {
  signal(pid, "SIGTERM");
  const deadlineMs = Date.now() + timeoutMs;
  while (Date.now() < deadlineMs) {
    if (!isRunning(pid)) return true;
    await sleep(POLL_MS / 2);
  }
  signal(pid, "SIGKILL");
  return false;
}

/** It may have ended by itself in the meantime. */
function signal(pid: number, name: NodeJS.Signals): void {
  if (isRunning(pid)) process.kill(pid, name);
}
