/** `dream node` that can't start says why and how to mend it, ends with the right code, and never shows a secret. */
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromHex } from "#core";
import { ProcessNetwork } from "#testkit";
import { dream, type Ended, temporaryFolder } from "./command.ts";

const MEMBERS = `network: { id: ID }
members:
  - { name: grid, roles: [grid-authority, payment-provider, marketplace, power-company, verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 1000 }
`;
const folder = temporaryFolder();
let network: ProcessNetwork;
let other: ProcessNetwork;

beforeAll(async () => {
  network = await ProcessNetwork.init({ members: MEMBERS.replace("ID", "test/start"), host: process });
  other = await ProcessNetwork.init({ members: MEMBERS.replace("ID", "test/other"), host: process });
}, 60_000);
afterAll(async () => {
  await network?.stop();
  await other?.stop();
}, 60_000);

function file(name: string, of: ProcessNetwork = network): string {
  return join(of.folder, "home", name);
}

function start(config = file("config.yaml")): Promise<Ended> {
  return dream(["node", "--config", config]);
}

/** Changes a file of home's folder for one start. */
async function startWith(name: string, change: (path: string) => void): Promise<Ended> {
  const path = file(name);
  const kept = join(folder, "kept");
  copyFileSync(path, kept);
  try {
    change(path);
    return await start();
  } finally {
    rmSync(path, { force: true });
    copyFileSync(kept, path);
    chmodSync(path, 0o600);
  }
}

function expectRefused(ended: Ended, code: number, message: RegExp): void {
  expect(ended.stderr).toMatch(message);
  expect(ended).toMatchObject({ code, stdout: "" });
  expect(ended.stderr).not.toMatch(/this is a bug|\n\s+at /);
  for (const name of ["key", "owner.key"]) expect(ended.stderr).not.toContain(readFileSync(file(name), "utf8").trim());
}

describe("a configuration", () => {
  test("with several errors: all at once, each with line, key and mend", async () => {
    const ended = await startWith("config.yaml", (path) => {
      const text = readFileSync(path, "utf8")
        .replace(/port: \d+/, "port: 99999")
        .replace("level: info", "level: loud")
        .replace("timeoutMs: 5000", "timeoutMs: 5000\nsecret: 5")
        .replace(/gridAuthority: [0-9a-f]+/, "gridAuthority: nobody");
      writeFileSync(path, text);
    });
    expectRefused(ended, 4, /config\.yaml:\d+: listen\.port: is no port; give a number from 1 to 65535/);
    expect(ended.stderr).toMatch(/config\.yaml:\d+: log\.level: .*; see docs\/config\.md, Node/);
    expect(ended.stderr).toMatch(/config\.yaml:\d+: secret: there is no such key; remove it/);
    expect(ended.stderr).toMatch(/config\.yaml:5: network\.gridAuthority: is no public key; give 64 hexadecimal/);
    expect(ended.stderr.trim().split("\n")).toHaveLength(4);
  });
});

test("a port that is in use", async () => {
  const server = createServer();
  const port = Number(new URL(network.party("home").address).port);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  try {
    expectRefused(await start(), 1, new RegExp(`home: port ${port} of 127\\.0\\.0\\.1 is in use; stop what uses it`));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

describe("stores and logs, once the networks have run", () => {
  beforeAll(async () => {
    for (const each of [network, other]) {
      await each.up();
      await each.funded("home");
      await each.down();
    }
  }, 120_000);

  test("a store of another network", async () => {
    const ended = await startWith("home.sqlite", (path) => copyFileSync(file("home.sqlite", other), path));
    expectRefused(ended, 4, /home\.sqlite: is the store of another network than test\/start/);
  });

  test("a node that runs already is not started again", async () => {
    await network.up();
    expectRefused(await start(), 1, /home: this node runs already, as process \d+; stop that one first/);
    await network.down();
  }, 60_000);

  test("no file but the key files holds a secret", () => {
    const entries = readdirSync(network.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const keys = files.filter((path) => /(?:^|[/.])key$/.test(path));
    expect(keys.length).toBe(7);
    expect(files.filter((path) => path.endsWith(".log")).length).toBe(6);
    for (const key of keys) {
      const seed = Buffer.from(fromHex(readFileSync(key, "latin1").trim()));
      const forms = [seed, seed.toString("hex"), seed.toString("base64").replace("=", ""), seed.toString("base64url")];
      for (const path of files) {
        if (path === key) continue;
        const content = readFileSync(path);
        expect(
          forms.some((form) => content.includes(form)),
          `the seed of ${key} is in ${path}`,
        ).toBe(false);
      }
    }
  });
});
