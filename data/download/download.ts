/** Fetches the files of a pinned set into a folder: resumes, retries what may pass, and keeps nothing that has another hash. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { err, ok, type Result } from "#core";
import { type DownloadError, diskError } from "./errors.ts";
import type { PinnedFile, PinnedSet } from "./sources.ts";
import {
  IDLE_MS_MAX,
  removePart,
  sizeOf,
  type TransferFailure,
  type TransferTask,
  tagPath,
  transfer,
} from "./transfer.ts";

/** Attempts per file before a passing failure counts as a failure. */
export const ATTEMPTS_MAX = 5;
const FIRST_WAIT_MS = 500;
const WAIT_MS_MAX = 60_000;

export type DownloadProgress = {
  readonly file: string;
  /** Of the whole set. */
  readonly doneBytes: number;
  readonly totalBytes: number;
};

export type DownloadOptions = {
  /** Take files from `<baseUrl>/<set>/<file>` instead of their pinned address: a mirror; the hashes stay. */
  readonly baseUrl?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Told about each failed attempt that is tried again. */
  readonly onRetry?: (failure: DownloadError, waitMs: number) => void;
  readonly sleep?: (waitMs: number, signal: AbortSignal) => Promise<void>;
  readonly idleMs?: number;
};

export type DownloadReport = {
  readonly folder: string;
  readonly fetched: readonly string[];
  /** Files that were there already with the right hash. */
  readonly present: readonly string[];
};

/** Fetches all files of the set into `<root>/<set>`, one after the other. */
export async function downloadSet(
  set: PinnedSet,
  root: string,
  options: DownloadOptions = {},
): Promise<Result<DownloadReport, DownloadError>> {
  const folder = join(root, set.name);
  const totalBytes = set.files.reduce((sum, file) => sum + file.bytes, 0);
  const fetched: string[] = [];
  const present: string[] = [];
  let before = 0;
  for (const file of set.files) {
    const url =
      options.baseUrl === undefined ? file.url : `${options.baseUrl}/${set.name}/${encodeURIComponent(file.name)}`;
    const onBytes = (bytes: number): void =>
      options.onProgress?.({ file: file.name, doneBytes: before + bytes, totalBytes });
    const done = await downloadFile(file, url, join(folder, file.name), onBytes, options);
    if (!done.ok) return done;
    (done.value === "fetched" ? fetched : present).push(file.name);
    before += file.bytes;
    onBytes(0);
  }
  return ok({ folder, fetched, present });
}

/** Fetches one file to `path`, through `path.part`, which stays for the next time when the connection fails. */
async function downloadFile(
  file: PinnedFile,
  url: string,
  path: string,
  onBytes: (bytes: number) => void,
  options: DownloadOptions,
): Promise<Result<"fetched" | "present", DownloadError>> {
  const partPath = `${path}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    if ((await sizeOf(path)) === file.bytes && (await sha256Of(path)) === file.sha256) return ok("present");
    const resumed = (await sizeOf(partPath)) > 0;
    const first = await downloadPart(file, url, partPath, onBytes, options);
    // A part of an older version spoils the whole: then once more from the start.
    const stale = resumed && !first.ok && first.error.tag === "hash_mismatch";
    const done = stale ? await downloadPart(file, url, partPath, onBytes, options) : first;
    if (!done.ok) return done;
    await rename(partPath, path);
    await rm(tagPath(partPath), { force: true });
    return ok("fetched");
  } catch (cause) {
    return err(diskError(cause, path));
  }
}

/** Fills the part and checks its hash; a part with another hash is removed. */
async function downloadPart(
  file: PinnedFile,
  url: string,
  partPath: string,
  onBytes: (bytes: number) => void,
  options: DownloadOptions,
): Promise<Result<void, DownloadError>> {
  const filled = await transferWithRetry(
    {
      url,
      partPath,
      bytes: file.bytes,
      publicBytes: file.ofBytes ?? file.bytes,
      idleMs: options.idleMs ?? IDLE_MS_MAX,
      signal: options.signal ?? new AbortController().signal,
      onBytes,
    },
    options,
  );
  if (!filled.ok) return filled;
  const actual = await sha256Of(partPath);
  if (actual === file.sha256) return ok(undefined);
  await removePart(partPath);
  return err({ tag: "hash_mismatch", url, expected: file.sha256, actual });
}

/** Tries until the part is full, the failure is one that does not pass, or the attempts are used up. */
async function transferWithRetry(task: TransferTask, options: DownloadOptions): Promise<Result<void, DownloadError>> {
  for (let attempt = 1; ; attempt++) {
    if (task.signal.aborted) return err({ tag: "cancelled" });
    const filled = await transfer(task);
    if (filled.ok) return filled;
    const { error, retryable } = filled.error;
    if (!retryable || attempt === ATTEMPTS_MAX) {
      return err(error.tag === "network" ? { ...error, attempts: attempt } : error);
    }
    const waitMs = waitBefore(attempt, filled.error);
    options.onRetry?.(error, waitMs);
    if (!(await waited(waitMs, task.signal, options.sleep))) return err({ tag: "cancelled" });
  }
}

/** 0.5 s, 1 s, 2 s, 4 s; longer where the server asks for it. */
function waitBefore(attempt: number, failure: TransferFailure): number {
  return Math.min(WAIT_MS_MAX, Math.max(failure.waitMs ?? 0, FIRST_WAIT_MS * 2 ** (attempt - 1)));
}

async function waited(waitMs: number, signal: AbortSignal, sleep: DownloadOptions["sleep"]): Promise<boolean> {
  const wait = sleep ?? ((ms: number, until: AbortSignal) => sleepFor(ms, undefined, { signal: until }));
  await wait(waitMs, signal).catch(() => undefined);
  return !signal.aborted;
}

/** SHA-256 of a file in hex, without holding it in memory. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
