/** What `dream network init` makes: keys for their owner only, certificates, a signed directory, a sound founding. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deriveDelegateSigner, fromHex, signerFromSeed, unwrap } from "#core";
import { CommandFailure } from "../exit.ts";
import { isCertificateValid, parseCertificate } from "./certificate.ts";
import { type Directory, directoryOf, genesisOf, holderOf, issueDirectory, parseDirectory } from "./directory.ts";
import { initNetwork } from "./init.ts";
import { readKeyFile, readSeedFile } from "./keys.ts";
import { parseMembersFile } from "./members-file.ts";
import { parseNodeConfig } from "./node-config.ts";
import { readIdentity } from "./node-identity.ts";

const MEMBERS = `network: { id: test/init, basePort: 4600 }
rules: { verifierQuorum: 2, settlementGraceSeconds: 30 }
members:
  - { name: grid, roles: [grid-authority, verifier], port: 4700 }
  - { name: checker, roles: [verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 3000, openingFundsMicros: 7, openingFundsPieces: 2 }
  - { name: regulator, roles: [observer], sees: [power-promise], openingFundsMicros: 0 }
`;
const folder = mkdtempSync(join(tmpdir(), "dream-init-"));
afterAll(() => rmSync(folder, { recursive: true }));

function init(name: string, options: { readonly seed?: string; readonly isForced?: boolean } = {}): Promise<unknown> {
  const members = unwrap(parseMembersFile("members.yaml", MEMBERS));
  return initNetwork({
    folder: join(folder, name),
    members,
    isForced: options.isForced === true,
    seed: options.seed,
    nowMs: 1_700_000_000_000,
  });
}

function file(...path: readonly string[]): string {
  return readFileSync(join(folder, ...path), "utf8");
}

function directory(name: string): Directory {
  return unwrap(directoryOf(file(name, "network.json")));
}

beforeAll(() => init("a"));

test("roles that nobody holds get processes of their own; each has an address", () => {
  expect(directory("a").parties.map(({ name, roles, address }) => [name, roles.join(" "), address])).toEqual([
    ["power-company", "power-company", "http://127.0.0.1:4600"],
    ["payment-provider", "payment-provider", "http://127.0.0.1:4601"],
    ["notary", "notary", "http://127.0.0.1:4602"],
    ["marketplace", "marketplace", "http://127.0.0.1:4603"],
    ["grid", "grid-authority verifier", "http://127.0.0.1:4700"],
    ["checker", "verifier", "http://127.0.0.1:4604"],
    ["home", "prosumer", "http://127.0.0.1:4605"],
    ["regulator", "observer", "http://127.0.0.1:4606"],
  ]);
});

test("the founding transaction is final, and has the rules and all members but the notary", () => {
  const { transaction, notarySignature } = unwrap(genesisOf(directory("a")));
  expect(notarySignature?.by).toBe(holderOf(directory("a"), "notary")?.key);
  const members = transaction.content.outputs.flatMap((state) => (state.tag === "member" ? [state.name] : []));
  expect(members).toEqual(["power-company", "payment-provider", "marketplace", "grid", "checker", "home", "regulator"]);
  const [parameters] = transaction.content.outputs;
  const key = (name: string): unknown => directory("a").parties.find((party) => party.name === name)?.key;
  expect(parameters).toMatchObject({
    tag: "network-parameters",
    networkId: "test/init",
    gridAuthority: key("grid"),
    verifiers: [key("grid"), key("checker")],
    verifierQuorum: 2,
    settlementGraceMs: 30_000,
    observers: [{ key: key("regulator"), sees: ["power-promise"] }],
  });
});

test("meter operators are in the rules from the beginning, and their nodes know where to look for readings", async () => {
  const text = `network: { id: test/meters }
rules: { meterToleranceWh: 5, correctionSeconds: 3600 }
members:
  - { name: grid, roles: [grid-authority, meter-operator] }
  - { name: meter-1, roles: [meter-operator] }
  - { name: meter-2, roles: [meter-operator] }
`;
  const members = unwrap(parseMembersFile("members.yaml", text));
  await initNetwork({ folder: join(folder, "meters"), members, isForced: false, seed: undefined, nowMs: 0 });
  const [parameters] = unwrap(genesisOf(directory("meters"))).transaction.content.outputs;
  const keyOf = (name: string): unknown => directory("meters").parties.find((party) => party.name === name)?.key;
  expect(parameters).toMatchObject({
    meterOperators: [keyOf("meter-1"), keyOf("meter-2")],
    meterQuorum: 2,
    meterTolerance: 5n,
    correctionMs: 3_600_000,
  });
  const configOf = (name: string) => unwrap(parseNodeConfig("x", file("meters", name, "config.yaml")));
  expect(configOf("meter-1").meterReadings).toEqual({ file: "readings.csv", pollSeconds: 10 });
  expect(configOf("grid").meterReadings).toBeUndefined();
});

test("keys may be read by their owner only, and belong to the certificates", () => {
  const names = directory("a").parties.map(({ name }) => name);
  for (const name of names) {
    for (const key of ["key", "owner.key"]) expect(statSync(join(folder, "a", name, key)).mode & 0o777).toBe(0o600);
    const certificate = unwrap(parseCertificate(file("a", name, "certificate.json")));
    expect(certificate.key).toBe(unwrap(readKeyFile(join(folder, "a", name, "key"))).publicKey);
    expect(isCertificateValid(certificate, holderOf(directory("a"), "grid-authority")?.key ?? certificate.key)).toBe(
      true,
    );
    expect(readIdentity(join(folder, "a", name, "config.yaml")).certificate).toEqual(certificate);
  }
  expect(new Set(names.flatMap((name) => [file("a", name, "key"), file("a", name, "owner.key")])).size).toBe(
    2 * names.length,
  );
});

test("no seed stands in any file but its own", () => {
  const files = readdirSync(join(folder, "a"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const contents = new Map(
    files.map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name))]),
  );
  const keys = [...contents].filter(([path]) => /(?:^|[/.])key$/.test(path));
  expect(keys.length).toBe(17);
  for (const [path, content] of keys) {
    const seed = Buffer.from(fromHex(content.toString("latin1").trim()));
    for (const [other, bytes] of contents) {
      if (other === path) continue;
      for (const form of [
        seed,
        seed.toString("hex"),
        seed.toString("base64").replace("=", ""),
        seed.toString("base64url"),
      ])
        expect(bytes.includes(form), `${path} in ${other}`).toBe(false);
    }
  }
});

test("the payment provider knows whom to fund", () => {
  const config = unwrap(parseNodeConfig("config.yaml", file("a", "payment-provider", "config.yaml")));
  const funds = config.openingFunds.map(({ member, micros, pieces }) => [member, micros, pieces]);
  expect(funds).toEqual([
    ["power-company", 1_000_000_000n, 100],
    ["grid", 1_000_000_000n, 100],
    ["checker", 1_000_000_000n, 100],
    ["home", 7n, 2],
  ]);
});

test("a seed gives the same network each time, another seed another one", async () => {
  await init("b", { seed: "one" });
  await init("c", { seed: "one" });
  await init("d", { seed: "two" });
  expect(file("b", "network.json")).toBe(file("c", "network.json"));
  expect(file("b", "home", "owner.key")).toBe(file("c", "home", "owner.key"));
  expect(file("b", "home", "key")).not.toBe(file("d", "home", "key"));
});

test("a folder that holds something is left alone; --force replaces a network, and nothing else", async () => {
  await expect(init("a")).rejects.toThrow(/is not empty; name another, or give --force to throw this network away/);
  writeFileSync(join(folder, "kept"), "kept");
  const members = unwrap(parseMembersFile("members.yaml", MEMBERS));
  const forced = initNetwork({ folder, members, isForced: true, seed: undefined, nowMs: 0 });
  await expect(forced).rejects.toThrow(CommandFailure);
  expect(file("kept")).toBe("kept");
  await init("e");
  const before = file("e", "network.json");
  await init("e", { isForced: true });
  expect(file("e", "network.json")).not.toBe(before);
});

describe("a directory", () => {
  const signer = signerFromSeed(new Uint8Array(32).fill(9));

  test("that was altered, or is signed by another, is refused", () => {
    const own = directory("a");
    const of = { networkId: own.networkId, gridAuthority: holderOf(own, "grid-authority")?.key ?? signer.publicKey };
    expect(parseDirectory(JSON.stringify(own), of).ok).toBe(true);
    const { signature: _, ...content } = own;
    const cases = [
      [{ ...own, serial: 2 }, of, "signature_invalid"],
      [issueDirectory(content, signer), of, "signature_invalid"],
      [issueDirectory(content, signer), { ...of, gridAuthority: signer.publicKey }, "signature_invalid"],
      [own, { ...of, networkId: "other" }, "foreign_network"],
      [{ ...own, more: 1 }, of, "malformed"],
    ] as const;
    for (const [altered, expected, error] of cases)
      expect(parseDirectory(JSON.stringify(altered), expected)).toEqual({ ok: false, error });
    expect(parseDirectory("{", of)).toEqual({ ok: false, error: "malformed" });
  });
});

describe("members that an aggregator serves", () => {
  const TEXT = `network: { id: test/served, basePort: 4600 }
members:
  - { name: hub, roles: [aggregator] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 3000, openingFundsMicros: 7, servedBy: hub }
`;
  const at = join(folder, "served");
  beforeAll(async () => {
    const members = unwrap(parseMembersFile("members.yaml", TEXT));
    await initNetwork({ folder: at, members, isForced: false, seed: "served", nowMs: 1_700_000_000_000 });
  });

  test("have keys of their own, for nobody else to read, and no process", () => {
    const { parties, served = [] } = directory("served");
    expect(parties.map(({ name }) => name)).not.toContain("home");
    const key = unwrap(readKeyFile(join(at, "members", "home", "key"))).publicKey;
    const hub = parties.find(({ name }) => name === "hub");
    // The last port is that at which they sign when they join.
    const address = `http://127.0.0.1:${4_600 + parties.length}`;
    expect(served).toEqual([{ name: "home", key, by: hub?.key, address }]);
    expect(statSync(join(at, "members", "home", "key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(at, "hub")).sort()).toEqual([
      "certificate.json",
      "config.yaml",
      "key",
      "members.seed",
      "owner.key",
    ]);
    expect(statSync(join(at, "hub", "members.seed")).mode & 0o777).toBe(0o600);
  });

  test("agree to a mandate for the key that their aggregator derives for them, and are funded when they have joined", () => {
    const { served: [home] = [] } = directory("served");
    const joining = file("served", "members", "home", "joining.json");
    const seed = unwrap(readSeedFile(join(at, "hub", "members.seed")));
    const member = home?.key;
    if (member === undefined) throw new Error("the home is listed");
    const delegate = deriveDelegateSigner(seed, { networkId: "test/served", member, generation: 0 }).publicKey;
    expect(joining).toContain(`"delegate":"${delegate}"`);
    expect(joining).toContain(`"by":"${home?.by}"`);
    const provider = unwrap(parseNodeConfig("x", file("served", "payment-provider", "config.yaml")));
    expect(provider.openingFunds).toContainEqual({ member: "home", key: member, micros: 7n, pieces: 100 });
    const genesis = unwrap(genesisOf(directory("served")));
    expect(JSON.stringify(genesis.transaction.content.signers)).not.toContain(member);
  });
});
