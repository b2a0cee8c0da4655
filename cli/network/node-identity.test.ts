/** What a node checks of its own files before anything starts: each fault is named with its file and its mend, without a secret. */
import { chmodSync, copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InvariantError, unwrap } from "#core";
import { CommandFailure } from "../exit.ts";
import { initNetwork } from "./init.ts";
import { parseMembersFile } from "./members-file.ts";
import { runNode } from "./node-process.ts";

const MEMBERS = `members:
  - { name: grid, roles: [grid-authority, payment-provider, marketplace, power-company, verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 1000 }
`;
const root = mkdtempSync(join(tmpdir(), "dream-identity-"));
afterAll(() => rmSync(root, { recursive: true }));
let copies = 0;

beforeAll(async () => {
  for (const id of ["first", "second"]) {
    const members = unwrap(parseMembersFile("members.yaml", `network: { id: ${id} }\n${MEMBERS}`));
    await initNetwork({ folder: join(root, id), members, isForced: false, seed: undefined, nowMs: 0 });
  }
});

/** Starts a node of a copy of the first network, in which something was changed: it must be refused. */
async function refused(name: string, change: (folder: string) => void): Promise<CommandFailure> {
  copies += 1;
  const folder = join(root, `copy-${copies}`);
  cpSync(join(root, "first"), folder, { recursive: true });
  change(folder);
  const secrets = ["key", "owner.key"].map((key) => readFileSync(join(root, "first", name, key), "utf8").trim());
  try {
    await runNode(join(folder, name, "config.yaml"), { stopped: Promise.resolve() });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    for (const secret of secrets) expect(error.message).not.toContain(secret);
    expect(error.message).toContain(folder);
    return error;
  }
  throw new InvariantError("the node is refused");
}

function rewrite(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

const inHome = (folder: string, file: string): string => join(folder, "home", file);

describe("is refused", () => {
  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "a key that others may read",
      (folder) => chmodSync(inHome(folder, "key"), 0o644),
      /home\/key: others than its owner may read it \(mode 644\); chmod 600 .*home\/key$/,
    ],
    [
      "a key that is not there",
      (folder) => rmSync(inHome(folder, "key")),
      /home\/key: can't be read \(ENOENT\); restore it from a copy/,
    ],
    [
      "a key that is none",
      (folder) => writeFileSync(inHome(folder, "key"), "00"),
      /home\/key: holds no key; restore it/,
    ],
    [
      "the key of another node",
      (folder) => copyFileSync(join(folder, "grid", "key"), inHome(folder, "key")),
      /home\/certificate\.json: is for another key than the node's; use the certificate that the grid authority issued/,
    ],
    [
      "the certificate of another member",
      (folder) => copyFileSync(join(folder, "grid", "certificate.json"), inHome(folder, "certificate.json")),
      /certificate\.json: is for another key than the node's/,
    ],
    [
      "a certificate of another network",
      (folder) => copyFileSync(join(root, "second", "home", "certificate.json"), inHome(folder, "certificate.json")),
      /certificate\.json: was not signed by the grid authority of this network/,
    ],
    [
      "a certificate that was altered",
      (folder) => rewrite(inHome(folder, "certificate.json"), (text) => text.replace("prosumer", "producer")),
      /certificate\.json: was not signed by the grid authority of this network/,
    ],
    [
      "a certificate that is none",
      (folder) => writeFileSync(inHome(folder, "certificate.json"), "{}"),
      /certificate\.json: is no certificate of membership/,
    ],
    [
      "a name that the certificate is not for",
      (folder) => rewrite(inHome(folder, "config.yaml"), (text) => text.replace("name: home", "name: house")),
      /certificate\.json: is for home, not for house/,
    ],
    [
      "another network than that of the certificate",
      (folder) => rewrite(inHome(folder, "config.yaml"), (text) => text.replace("id: first", "id: third")),
      /certificate\.json: is for the network first, not for third/,
    ],
    [
      "a directory of another network",
      (folder) => copyFileSync(join(root, "second", "network.json"), join(folder, "network.json")),
      /network\.json: is of another network than first; get a copy from another node of the network/,
    ],
    [
      "a directory that was altered",
      (folder) => rewrite(join(folder, "network.json"), (text) => text.replace('"serial": 1', '"serial": 2')),
      /network\.json: was not signed by the grid authority as it is/,
    ],
    [
      "a directory that is not there",
      (folder) => rmSync(join(folder, "network.json")),
      /network\.json: can't be read \(ENOENT\); get a copy from another node/,
    ],
    [
      "a configuration that is no YAML",
      (folder) => writeFileSync(inHome(folder, "config.yaml"), "name: [\n"),
      /config\.yaml:\d+: .*; write it as YAML/,
    ],
  ])("%s", async (_what, change, message) => {
    const failure = await refused("home", change);
    expect(failure.message).toMatch(message);
    expect(failure.exitCode).toBe(4);
  });

  test("a configuration that is not there", async () => {
    const failure = await refused("home", (folder) => rmSync(inHome(folder, "config.yaml")));
    expect(failure.message).toMatch(/config\.yaml: there is no such file; give the config\.yaml of a node/);
    expect(failure.exitCode).toBe(2);
  });

  test("a notary without its commit log, or with that of another network", async () => {
    const log = (folder: string): string => join(folder, "notary", "notary.sqlite");
    const missing = await refused("notary", (folder) => rmSync(log(folder)));
    expect(missing.message).toMatch(
      /notary\.sqlite: the commit log is missing, without which .* spent twice; restore it/,
    );
    const foreign = await refused("notary", (folder) => copyFileSync(log(join(root, "second")), log(folder)));
    expect(foreign.message).toMatch(/notary\.sqlite: is the store of another network than first/);
  });

  test("a store that is damaged", async () => {
    const failure = await refused("home", (folder) =>
      writeFileSync(inHome(folder, "home.sqlite"), "no store ".repeat(500)),
    );
    expect(failure.message).toMatch(/home\.sqlite: the store can't be opened: .*; restore it from a copy/);
    expect(failure.exitCode).toBe(1);
  });
});
