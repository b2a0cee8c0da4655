import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededPrng } from "#core";
import { type DownloadOptions, type DownloadProgress, downloadSet } from "./download.ts";
import { describeDownloadError } from "./errors.ts";
import { listSets } from "./list.ts";
import { PINNED_SETS, type PinnedFile, type PinnedSet } from "./sources.ts";

const prng = seededPrng(1, "download test");
const CONTENT = Buffer.from(Array.from({ length: 200_000 }, () => prng.nextUint32() & 0xff));
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const pinned = (change: Partial<PinnedFile> = {}): PinnedSet => ({
  name: "set",
  title: "",
  licence: "",
  source: "",
  files: [{ name: "a.csv", url: "unused", bytes: CONTENT.length, sha256: sha256(CONTENT), ...change }],
  otherFiles: [],
});

type Seen = { readonly range: string | undefined; readonly ifRange: string | undefined };
/** How the server treats its n-th request, from 1. */
type Behaviour = {
  readonly content?: Buffer;
  readonly ranges?: boolean;
  readonly etag?: string;
  readonly status?: (request: number) => number;
  readonly retryAfter?: string;
  /** Cuts the connection after so many bytes of the body. */
  readonly cutAfter?: (request: number) => number | undefined;
  /** Sends this many bytes and then nothing, without closing. */
  readonly stallAfter?: (request: number) => number | undefined;
};

let root: string;
let servers: FastifyInstance[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dream-get-"));
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  rmSync(root, { recursive: true, force: true });
});

/** A server of one file, and what it was asked. */
async function serve(behaviour: Behaviour = {}): Promise<{ readonly baseUrl: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = fastify({ forceCloseConnections: true });
  servers.push(server);
  server.get("/set/a.csv", (request, reply) => {
    const { range, "if-range": ifRange } = request.headers as Record<string, string | undefined>;
    seen.push({ range, ifRange });
    const number = seen.length;
    const status = behaviour.status?.(number) ?? 200;
    const content = behaviour.content ?? CONTENT;
    const etag = behaviour.etag ?? '"v1"';
    if (status !== 200)
      return reply
        .code(status)
        .headers(behaviour.retryAfter === undefined ? {} : { "retry-after": behaviour.retryAfter })
        .send("no");
    const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
    const partial = behaviour.ranges !== false && asked !== null && (ifRange === undefined || ifRange === etag);
    const from = partial ? Number(asked?.[1]) : 0;
    const until = partial && asked?.[2] !== "" ? Math.min(Number(asked?.[2]) + 1, content.length) : content.length;
    if (partial && from >= content.length) return reply.code(416).send();
    const body = content.subarray(from, until);
    reply.hijack();
    reply.raw.writeHead(partial ? 206 : 200, {
      "content-length": body.length,
      etag,
      ...(partial ? { "content-range": `bytes ${from}-${until - 1}/${content.length}` } : {}),
    });
    const cut = behaviour.cutAfter?.(number);
    const stall = behaviour.stallAfter?.(number);
    if (cut !== undefined) reply.raw.write(body.subarray(0, cut), () => reply.raw.destroy());
    else if (stall !== undefined) reply.raw.write(body.subarray(0, stall));
    else reply.raw.end(body);
    return reply;
  });
  await Promise.resolve(server.listen({ port: 0, host: "127.0.0.1" }));
  const address = server.server.address();
  return { baseUrl: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, seen };
}

const waits: number[] = [];
const quickly: DownloadOptions = { sleep: async (waitMs) => void waits.push(waitMs) };
const get = (baseUrl: string, set = pinned(), options: DownloadOptions = {}) =>
  downloadSet(set, root, { ...quickly, baseUrl, ...options });
const files = (): string[] => (existsSync(join(root, "set")) ? readdirSync(join(root, "set")).sort() : []);
const fetched = (): Buffer => readFileSync(join(root, "set", "a.csv"));

describe("download", () => {
  test("brings a file, says how far it is, and leaves nothing else behind", async () => {
    const { baseUrl, seen } = await serve();
    const progress: DownloadProgress[] = [];
    expect(await get(baseUrl, pinned(), { onProgress: (step) => progress.push(step) })).toEqual({
      ok: true,
      value: { folder: join(root, "set"), fetched: ["a.csv"], present: [] },
    });
    expect(fetched().equals(CONTENT)).toBe(true);
    expect(files()).toEqual(["a.csv"]);
    expect(seen).toEqual([{ range: undefined, ifRange: undefined }]);
    expect(progress.at(-1)).toEqual({ file: "a.csv", doneBytes: CONTENT.length, totalBytes: CONTENT.length });
    expect(progress.every((step, index) => step.doneBytes >= (progress[index - 1]?.doneBytes ?? 0))).toBe(true);
  });

  test("does not fetch what is there, but fetches anew what is there with another content", async () => {
    const { baseUrl, seen } = await serve();
    await get(baseUrl);
    expect(await get(baseUrl)).toMatchObject({ ok: true, value: { fetched: [], present: ["a.csv"] } });
    expect(seen.length).toBe(1);
    writeFileSync(join(root, "set", "a.csv"), Buffer.alloc(CONTENT.length));
    expect(await get(baseUrl)).toMatchObject({ ok: true, value: { fetched: ["a.csv"] } });
    expect(fetched().equals(CONTENT)).toBe(true);
  });

  test("goes on where a cut connection stopped, within one call", async () => {
    const { baseUrl, seen } = await serve({ cutAfter: (request) => (request <= 2 ? 60_000 : undefined) });
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(fetched().equals(CONTENT)).toBe(true);
    expect(seen).toEqual([
      { range: undefined, ifRange: undefined },
      { range: "bytes=60000-199999", ifRange: '"v1"' },
      { range: "bytes=120000-199999", ifRange: '"v1"' },
    ]);
    expect(files()).toEqual(["a.csv"]);
  });

  test("goes on in a later call, after giving up with a retryable error", async () => {
    const broken = await serve({ cutAfter: () => 10_000 });
    const failed = await get(broken.baseUrl);
    expect(failed).toMatchObject({ ok: false, error: { tag: "network", code: "CUT", attempts: 5 } });
    expect(broken.seen.length).toBe(5);
    expect(files()).toEqual(["a.csv.part", "a.csv.part.etag"]);
    const { baseUrl, seen } = await serve();
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(seen).toEqual([{ range: "bytes=50000-199999", ifRange: '"v1"' }]);
    expect(fetched().equals(CONTENT)).toBe(true);
  });

  test("starts over where the server knows no ranges", async () => {
    const { baseUrl, seen } = await serve({
      ranges: false,
      cutAfter: (request) => (request === 1 ? 60_000 : undefined),
    });
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(seen.length).toBe(2);
    expect(fetched().equals(CONTENT)).toBe(true);
  });

  test("starts over where the file has another version since", async () => {
    const old = await serve({ content: Buffer.alloc(CONTENT.length, 7), etag: '"v0"', cutAfter: () => 10_000 });
    await get(old.baseUrl);
    const { baseUrl, seen } = await serve();
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(seen).toEqual([{ range: "bytes=50000-199999", ifRange: '"v0"' }]);
    expect(fetched().equals(CONTENT)).toBe(true);
  });

  test("a part from who knows where is thrown away and the file fetched from the start", async () => {
    mkdirSync(join(root, "set"));
    writeFileSync(join(root, "set", "a.csv.part"), Buffer.alloc(1_000, 1));
    const { baseUrl, seen } = await serve();
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(seen.map(({ range }) => range)).toEqual(["bytes=1000-199999", undefined]);
    writeFileSync(join(root, "set", "a.csv.part"), Buffer.alloc(CONTENT.length + 5));
    rmSync(join(root, "set", "a.csv"));
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(fetched().equals(CONTENT)).toBe(true);
  });

  test("refuses another content and leaves nothing behind", async () => {
    const other = Buffer.from(CONTENT);
    other[100] = (other[100] ?? 0) ^ 1;
    const { baseUrl, seen } = await serve({ content: other });
    const result = await get(baseUrl);
    expect(result).toMatchObject({
      ok: false,
      error: { tag: "hash_mismatch", expected: sha256(CONTENT), actual: sha256(other) },
    });
    expect(seen.length).toBe(1);
    expect(files()).toEqual([]);
  });

  test("refuses another length before a byte is written", async () => {
    const { baseUrl } = await serve({ content: CONTENT.subarray(0, 199_999) });
    expect(await get(baseUrl)).toMatchObject({
      ok: false,
      error: { tag: "length_mismatch", expectedBytes: 200_000, actualBytes: 199_999 },
    });
    expect(files()).toEqual([]);
  });

  test("takes the first bytes of a longer public file, with ranges and without", async () => {
    const set = pinned({ bytes: 5_000, ofBytes: CONTENT.length, sha256: sha256(CONTENT.subarray(0, 5_000)) });
    for (const ranges of [true, false]) {
      const { baseUrl, seen } = await serve({ ranges });
      expect(await get(baseUrl, set)).toMatchObject({ ok: true, value: { fetched: ["a.csv"] } });
      expect(fetched().equals(CONTENT.subarray(0, 5_000))).toBe(true);
      expect(seen[0]?.range).toBe("bytes=0-4999");
      rmSync(join(root, "set", "a.csv"));
    }
  });

  test("does not try again what will not pass, and tries again what may", async () => {
    const missing = await serve({ status: () => 404 });
    expect(await get(missing.baseUrl)).toMatchObject({ ok: false, error: { tag: "not_found", status: 404 } });
    expect(missing.seen.length).toBe(1);
    const forbidden = await serve({ status: () => 403 });
    expect(await get(forbidden.baseUrl)).toMatchObject({ ok: false, error: { tag: "refused_by_server", status: 403 } });
    expect(forbidden.seen.length).toBe(1);
    const busy = await serve({ status: (request) => (request < 4 ? 503 : 200) });
    waits.length = 0;
    expect(await get(busy.baseUrl)).toMatchObject({ ok: true });
    expect(waits).toEqual([500, 1_000, 2_000]);
    expect(files()).toEqual(["a.csv"]);
  });

  test("waits as long as the server asks, up to a minute", async () => {
    waits.length = 0;
    const { baseUrl } = await serve({ status: (request) => (request === 1 ? 429 : 200), retryAfter: "7" });
    expect(await get(baseUrl)).toMatchObject({ ok: true });
    expect(waits).toEqual([7_000]);
    rmSync(join(root, "set"), { recursive: true });
    waits.length = 0;
    const rude = await serve({ status: (request) => (request === 1 ? 429 : 200), retryAfter: "99999" });
    expect(await get(rude.baseUrl)).toMatchObject({ ok: true });
    expect(waits).toEqual([60_000]);
  });

  test("gives up a connection that says nothing, and goes on with the next", async () => {
    const { baseUrl, seen } = await serve({ stallAfter: (request) => (request === 1 ? 30_000 : undefined) });
    expect(await get(baseUrl, pinned(), { idleMs: 150 })).toMatchObject({ ok: true });
    expect(seen[1]).toEqual({ range: "bytes=30000-199999", ifRange: '"v1"' });
    const dead = await serve({ stallAfter: () => 0 });
    rmSync(join(root, "set"), { recursive: true });
    expect(await get(dead.baseUrl, pinned(), { idleMs: 50 })).toMatchObject({
      ok: false,
      error: { tag: "network", code: "IDLE", attempts: 5 },
    });
  });

  test("stops when told to, and keeps what it has", async () => {
    const { baseUrl } = await serve({ stallAfter: () => 30_000 });
    const controller = new AbortController();
    const onProgress = ({ doneBytes }: DownloadProgress): void => {
      if (doneBytes === 30_000) controller.abort();
    };
    expect(await get(baseUrl, pinned(), { signal: controller.signal, onProgress })).toEqual({
      ok: false,
      error: { tag: "cancelled" },
    });
    expect(files()).toContain("a.csv.part");
    const waiting = await serve({ status: () => 503 });
    const late = new AbortController();
    const stopped = get(waiting.baseUrl, pinned(), { signal: late.signal, sleep: async () => late.abort() });
    expect(await stopped).toEqual({ ok: false, error: { tag: "cancelled" } });
  });

  test("a server that is not there, and a host that does not exist", async () => {
    const { baseUrl } = await serve();
    await servers.pop()?.close();
    waits.length = 0;
    expect(await get(baseUrl)).toMatchObject({
      ok: false,
      error: { tag: "network", code: "ECONNREFUSED", attempts: 5 },
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  });

  test("a folder that may not be written is said so", async () => {
    const { baseUrl } = await serve();
    writeFileSync(join(root, "set"), "a file where the folder should be");
    expect(await get(baseUrl)).toMatchObject({ ok: false, error: { tag: "disk_error" } });
    rmSync(join(root, "set"));
    mkdirSync(join(root, "set"));
    chmodSync(join(root, "set"), 0o500);
    const result = await get(baseUrl);
    chmodSync(join(root, "set"), 0o700);
    // The superuser may write anywhere.
    if (process.getuid?.() === 0) expect(result).toMatchObject({ ok: true });
    else expect(result).toMatchObject({ ok: false, error: { tag: "permission_denied" } });
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk is said so", async () => {
    const { baseUrl } = await serve();
    mkdirSync(join(root, "set"));
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/dev/full", join(root, "set", "a.csv.part"));
    expect(await get(baseUrl)).toEqual({
      ok: false,
      error: { tag: "disk_full", path: join(root, "set", "a.csv.part") },
    });
  });

  test("each reason has words that say what to do", () => {
    const url = "http://h/a.csv";
    const all = [
      { tag: "not_found", url, status: 404 },
      { tag: "refused_by_server", url, status: 403 },
      { tag: "network", url, code: "CUT", attempts: 5 },
      { tag: "length_mismatch", url, expectedBytes: 1, actualBytes: 2 },
      { tag: "hash_mismatch", url, expected: "a", actual: "b" },
      { tag: "disk_full", path: "/p" },
      { tag: "permission_denied", path: "/p" },
      { tag: "disk_error", path: "/p", code: "EIO" },
      { tag: "cancelled" },
    ] as const;
    const texts = all.map((error) => describeDownloadError(error));
    expect(new Set(texts).size).toBe(all.length);
    for (const text of texts) expect(text).toMatch(/\.$/);
  });
});

const shared = process.env["DREAM_DATA"] ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const isHere = (set: PinnedSet): boolean =>
  set.files.length > 0 && set.files.every((file) => existsSync(join(shared, set.name, file.name)));
if (!PINNED_SETS.some(isHere)) console.warn("measured data are not here: the pinned hashes are not compared with them");

describe("pinned sets", () => {
  test.each(PINNED_SETS.filter(isHere).map((set) => [set.name, set] as const))(
    "%s: what a mirror of it serves is what is pinned",
    async (_name, set) => {
      const mirror = fastify();
      servers.push(mirror);
      mirror.get<{ Params: { set: string; file: string } }>("/:set/:file", (request) =>
        readFileSync(join(shared, request.params.set, request.params.file)),
      );
      await Promise.resolve(mirror.listen({ port: 0, host: "127.0.0.1" }));
      const address = mirror.server.address();
      const baseUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
      // The mirror has the part that is used, not the longer public file.
      const whole = { ...set, files: set.files.map(({ ofBytes: _, ...file }) => file) };
      expect(await downloadSet(whole, root, { ...quickly, baseUrl })).toMatchObject({
        ok: true,
        value: { fetched: set.files.map(({ name }) => name) },
      });
      const listed = listSets(undefined, root).find(({ name }) => name === set.name);
      expect(listed?.presence).toBe(set.otherFiles.length === 0 ? "complete" : "in part");
    },
  );

  test("have one address at a full commit and one hash per file", () => {
    const all = PINNED_SETS.flatMap(({ files: list }) => list);
    expect(new Set(all.map(({ url }) => url)).size).toBe(all.length);
    for (const { url, sha256: hash, bytes, ofBytes } of all) {
      expect(url).toMatch(/^https:\/\/raw\.githubusercontent\.com\/[\w-]+\/[\w-]+\/[0-9a-f]{40}\/[\w/.%-]+$/);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes > 0 && (ofBytes === undefined || ofBytes > bytes)).toBe(true);
    }
    expect(PINNED_SETS.map(({ name }) => name)).toEqual([...PINNED_SETS.map(({ name }) => name)].sort());
  });

  test("an empty machine has none", () => {
    expect(listSets(undefined, root).map(({ presence }) => presence)).toEqual(PINNED_SETS.map(() => "absent"));
    expect(listSets("", root)[0]?.from).toBeUndefined();
  });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));
