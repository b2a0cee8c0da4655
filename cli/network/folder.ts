/** The folder of a network on the operator's machine: what stands where. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, EXIT } from "../exit.ts";
import { DIRECTORY_FILE, type Directory, directoryOf } from "./directory.ts";

export const OPERATOR_KEY_FILE = "operator.key";
export const KEY_FILE = "key";
/** Signs requests of the node's owner; the node's own key never leaves the node. */
export const OWNER_KEY_FILE = "owner.key";
/** The secret from which an aggregator derives its keys for members. */
export const SEED_FILE = "members.seed";
export const CERTIFICATE_FILE = "certificate.json";
export const PID_FILE = "node.pid";
export const OUTPUT_FILE = "node.out.log";
export const LOG_FILE = "node.log";

/** Writes a file whole or not at all. */
export function writeWhole(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  const descriptor = openSync(draft, "w", 0o644);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}

/** The directory of the network in a folder. @throws CommandFailure when there is none, or it was tampered with. */
export function readNetwork(folder: string): Directory {
  const file = join(folder, DIRECTORY_FILE);
  if (!existsSync(file))
    throw new CommandFailure(EXIT.notFound, `${folder}: holds no network; make one with 'dream network init'`);
  const read = directoryOf(readFileSync(file, "utf8"));
  if (read.ok) return read.value;
  const problems = {
    malformed: "is no directory of a network",
    foreign_network: "is of another network",
    signature_invalid: "was not signed by the grid authority as it is",
  };
  throw new CommandFailure(EXIT.badInput, `${file}: ${problems[read.error]}; restore it from a copy of any node`);
}

/** The id of a running process that a node left in its folder; undefined when it does not run. */
export function runningPid(folder: string, name: string): number | undefined {
  const file = join(folder, name, PID_FILE);
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "latin1"));
  return Number.isSafeInteger(pid) && pid > 0 && isRunning(pid) ? pid : undefined;
}

/** Whether the process runs and is one of our nodes: numbers are given again to other processes. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  if (!existsSync("/proc/self/cmdline")) return true;
  try {
    // Empty for one that has ended and was not yet taken leave of.
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("--config");
  } catch {
    return false;
  }
}
