/** A running node's directory: read again when its file changes, fetched for an unknown key, replaced by a newer signed one only. */
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type PublicKey, type Signer, signerFromSeed } from "#core";
import { issueCertificate } from "./certificate.ts";
import { type Directory, issueDirectory } from "./directory.ts";
import { DIRECTORY_PATH, LiveDirectory } from "./live-directory.ts";

const signer = (byte: number): Signer => signerFromSeed(new Uint8Array(32).fill(byte));
const [authority, own, late, stranger] = [signer(1), signer(2), signer(3), signer(4)] as const;
const networkId = "test";
let folder: string;
let file: string;
let server: Server;
let served: Directory;
let asked: number;
let nowMs: number;
let problems: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dream-directory-"));
  file = join(folder, "network.json");
  asked = 0;
  nowMs = 1_000_000;
  problems = [];
  server = createServer((request, response) => {
    asked += request.url === DIRECTORY_PATH ? 1 : 0;
    response.end(JSON.stringify(served));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

function directory(serial: number, keys: readonly PublicKey[], by: Signer = authority): Directory {
  const base = { networkId, issuedMs: 0 };
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const parties = [
    issueCertificate({ ...base, name: "grid", key: authority.publicKey, roles: ["grid-authority"], address }, by),
    ...keys.map((key, index) =>
      issueCertificate(
        { ...base, name: `m${index}`, key, roles: ["consumer"], address: `http://127.0.0.1:${index + 1}` },
        by,
      ),
    ),
  ];
  return issueDirectory({ ...base, serial, genesis: "", parties }, by);
}

/** Writes a file that is a second younger than the one before it. */
function write(content: Directory): void {
  writeFileSync(file, JSON.stringify(content));
  utimesSync(file, content.serial, content.serial);
}

function opened(first: Directory): LiveDirectory {
  write(first);
  return new LiveDirectory({
    file,
    networkId,
    gridAuthority: authority.publicKey,
    own: own.publicKey,
    first,
    nowMs: () => nowMs,
    report: (problem) => problems.push(problem),
  });
}

test("learns of a late member from its file", () => {
  served = directory(1, [own.publicKey]);
  const live = opened(served);
  expect(live.addressOf(own.publicKey)).toBe("http://127.0.0.1:1");
  expect(live.addressOf(late.publicKey)).toBeUndefined();
  write(directory(2, [own.publicKey, late.publicKey]));
  nowMs += 1_000;
  expect(live.addressOf(late.publicKey)).toBe("http://127.0.0.1:2");
  expect(live.current.serial).toBe(2);
});

test("asks the grid authority for a key that its file does not name, and keeps the answer; not at every stranger's wish", async () => {
  const first = directory(1, [own.publicKey]);
  served = directory(3, [own.publicKey, late.publicKey]);
  const live = opened(first);
  expect(live.addressOf(late.publicKey)).toBeUndefined();
  await vi.waitFor(() => expect(live.addressOf(late.publicKey)).toBe("http://127.0.0.1:2"));
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(served);
  for (let index = 0; index < 20; index++) live.addressOf(stranger.publicKey);
  expect(asked).toBe(1);
  nowMs += 10_000;
  live.addressOf(stranger.publicKey);
  await vi.waitFor(() => expect(asked).toBe(2));
});

test.each([
  ["an older one", () => directory(1, [late.publicKey]), undefined],
  ["one that another signed", () => directory(9, [late.publicKey], stranger), "signature_invalid"],
  ["one of another network", () => ({ ...directory(9, [late.publicKey]), networkId: "other" }), "foreign_network"],
])("takes no directory from the file that is %s", (_what, made, reason) => {
  served = directory(5, [own.publicKey]);
  const live = opened(served);
  writeFileSync(file, JSON.stringify(made()));
  nowMs += 1_000;
  expect(live.addressOf(late.publicKey)).toBeUndefined();
  expect(live.current).toEqual(served);
  if (reason !== undefined) expect(problems.join()).toContain(reason);
});
