/** One attempt to bring a file's missing bytes to disk: asks for the rest of a part that is there, checks what comes back. */
import { type FileHandle, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import axios, { type AxiosResponse } from "axios";
import { err, ok, type Result } from "#core";
import { type DownloadError, diskError } from "./errors.ts";

/** A connection that sends nothing for so long is given up. */
export const IDLE_MS_MAX = 30_000;
const REDIRECTS_MAX = 5;
/** Failures of a connection that may pass; a host that does not exist or a bad certificate does not. */
const PASSING = new Set([
  ...["ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "ETIMEDOUT", "EPIPE", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"],
  ...["ENETDOWN", "ERR_BAD_RESPONSE", "CUT", "IDLE", "RANGE"],
]);
const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

export type TransferTask = {
  readonly url: string;
  readonly partPath: string;
  /** How many bytes are wanted, and how many the public file has. */
  readonly bytes: number;
  readonly publicBytes: number;
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** Called with the bytes on disk so far. */
  readonly onBytes: (bytes: number) => void;
};

/** Why an attempt failed, whether another may succeed, and how long the server asks to wait. */
export type TransferFailure = { readonly error: DownloadError; readonly retryable: boolean; readonly waitMs?: number };

/** Fills the part up to `bytes`; succeeds when they are there, whatever they are: the hash is checked by the caller. */
export async function transfer(task: TransferTask): Promise<Result<void, TransferFailure>> {
  const have = await sizeOf(task.partPath);
  if (have === task.bytes) return ok(undefined);
  const from = have > task.bytes ? 0 : have;
  const idle = idleWatch(task.idleMs, task.signal);
  try {
    const response = await axios.get<Readable>(task.url, {
      responseType: "stream",
      headers: await headersFor(task, from),
      signal: idle.signal,
      decompress: false,
      maxRedirects: REDIRECTS_MAX,
      validateStatus: () => true,
    });
    return await accept(task, from, response, idle);
  } catch (cause) {
    return err(failureOf(cause, task, idle));
  } finally {
    idle.stop();
  }
}

/** Bytes of a file; 0 when there is none. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Where the version of the file that a part belongs to is kept. */
export function tagPath(partPath: string): string {
  return `${partPath}.etag`;
}

/** Removes a part and what is known of it. */
export async function removePart(partPath: string): Promise<void> {
  await rm(partPath, { force: true });
  await rm(tagPath(partPath), { force: true });
}

async function headersFor(task: TransferTask, from: number): Promise<Record<string, string>> {
  const headers: Record<string, string> = { "Accept-Encoding": "identity" };
  if (from > 0 || task.bytes < task.publicBytes) headers["Range"] = `bytes=${from}-${task.bytes - 1}`;
  const tag = from > 0 ? await readFile(tagPath(task.partPath), "utf8").catch(() => "") : "";
  if (tag !== "") headers["If-Range"] = tag;
  return headers;
}

/** Looks at the answer before a byte is written. */
async function accept(
  task: TransferTask,
  from: number,
  response: AxiosResponse<Readable>,
  idle: IdleWatch,
): Promise<Result<void, TransferFailure>> {
  const { status, data } = response;
  data.on("error", () => undefined); // Reading reports it; without a listener an early one would end the process.
  const header = (name: string): string => String(response.headers[name] ?? "");
  const refuse = (error: DownloadError, retryable: boolean, waitMs?: number): Result<void, TransferFailure> => {
    data.destroy();
    return err({ error, retryable, ...(waitMs === undefined ? {} : { waitMs }) });
  };
  if (status === 404 || status === 410) return refuse({ tag: "not_found", url: task.url, status }, false);
  if (status === 416 || (status === 206 && rangeStart(header("content-range")) !== from)) {
    await removePart(task.partPath);
    return refuse({ tag: "network", url: task.url, code: "RANGE", attempts: 1 }, true);
  }
  if (status !== 200 && status !== 206) {
    return refuse(
      { tag: "refused_by_server", url: task.url, status },
      PASSING_STATUS.has(status),
      retryAfterMs(header("retry-after")),
    );
  }
  const length = Number(header("content-length"));
  if (status === 200 && header("content-length") !== "" && length !== task.publicBytes) {
    return refuse(
      { tag: "length_mismatch", url: task.url, expectedBytes: task.publicBytes, actualBytes: length },
      false,
    );
  }
  return write(task, status === 206 ? from : 0, data, header("etag"), idle);
}

/**
 * Writes the body from `from` on, at most up to the bytes wanted.
 * Takes each piece as soon as it comes, and lets the writes follow: what still lies in a stream when its connection breaks
 * is lost, and a pinned file is small enough to wait in memory.
 */
async function write(
  task: TransferTask,
  from: number,
  body: Readable,
  tag: string,
  idle: IdleWatch,
): Promise<Result<void, TransferFailure>> {
  const stop = (): void => void body.destroy();
  idle.signal.addEventListener("abort", stop, { once: true });
  let taken = from;
  let written = from;
  let file: Promise<FileHandle> | undefined;
  let writes: Promise<void> = Promise.resolve();
  body.on("data", (chunk: Buffer) => {
    idle.touch();
    const wanted = chunk.subarray(0, task.bytes - taken);
    taken += wanted.length;
    file ??= openPart(task.partPath, from, tag);
    const opened = file;
    writes = writes.then(async () => {
      await (await opened).write(wanted);
      written += wanted.length;
      task.onBytes(written);
    });
    writes.catch(stop);
    if (taken === task.bytes) body.destroy(); // Ends the connection where only the first bytes of the file are wanted.
  });
  const broken: unknown = await finished(body, { writable: false }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  const disk: unknown = await writes.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  idle.signal.removeEventListener("abort", stop);
  await (await file?.catch(() => undefined))?.close();
  if (disk !== undefined) return err({ error: diskError(disk, task.partPath), retryable: false });
  if (written === task.bytes) return ok(undefined);
  return err(failureOf(broken, task, idle));
}

/** The part, ready to be written from `from` on. A weak tag names no bytes and is not kept; the hash still decides. */
async function openPart(partPath: string, from: number, tag: string): Promise<FileHandle> {
  if (from === 0)
    await (tag !== "" && !tag.startsWith("W/")
      ? writeFile(tagPath(partPath), tag)
      : rm(tagPath(partPath), { force: true }));
  return open(partPath, from === 0 ? "w" : "a");
}

function failureOf(cause: unknown, task: TransferTask, idle: IdleWatch): TransferFailure {
  if (task.signal.aborted) return { error: { tag: "cancelled" }, retryable: false };
  // A body that ends early is cut, in whatever words the HTTP library says so.
  const { code: named = "CUT", message = "" } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  const code = idle.expired() ? "IDLE" : /aborted|premature/i.test(message) ? "CUT" : named;
  return { error: { tag: "network", url: task.url, code, attempts: 1 }, retryable: PASSING.has(code) };
}

/** `bytes 100-199/200` → 100. */
function rangeStart(contentRange: string): number {
  return Number(/^bytes (\d+)-/.exec(contentRange)?.[1] ?? Number.NaN);
}

/** Seconds, as servers send it for passing overload; a date is not obeyed. */
function retryAfterMs(value: string): number | undefined {
  return /^\d{1,5}$/.test(value) ? Number(value) * 1_000 : undefined;
}

type IdleWatch = {
  readonly signal: AbortSignal;
  readonly touch: () => void;
  readonly expired: () => boolean;
  readonly stop: () => void;
};

/** Aborts when nothing has come for `idleMs`, or when the caller says so. */
function idleWatch(idleMs: number, signal: AbortSignal): IdleWatch {
  const controller = new AbortController();
  let expired = false;
  const expire = (): void => {
    expired = true;
    controller.abort();
  };
  let timer = setTimeout(expire, idleMs);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    touch() {
      clearTimeout(timer);
      timer = setTimeout(expire, idleMs);
    },
    expired: () => expired,
    stop: () => clearTimeout(timer),
  };
}
