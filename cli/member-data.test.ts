/** `dream member export`, `import` and `move`, between folders of nodes and over HTTP. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { microsPerKwh, seededEntropy, unwrap, wattHours } from "#core";
import { LedgerNode, openSqliteHostStore, openSqliteNodeStore } from "#ledger-node";
import { ServedNode, SmallNetwork } from "#testkit";
import { CommandFailure } from "./exit.ts";
import { memberExport, memberImport, memberMove } from "./member-data.ts";
import { initNetwork } from "./network/init.ts";
import { createKeyFile } from "./network/keys.ts";
import { parseMembersFile } from "./network/members-file.ts";
import { resolvePath } from "./network/node-config.ts";
import { readIdentity } from "./network/node-identity.ts";
import { openParty } from "./network/party.ts";

const MEMBERS = `network: { id: test/move, basePort: 4800 }
members:
  - { name: grid, roles: [grid-authority, verifier] }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 3000 }
  - { name: shop, roles: [consumer] }
  - { name: hub, roles: [aggregator] }
`;
const root = mkdtempSync(join(tmpdir(), "dream-member-"));
const network = join(root, "network");
const printed: string[] = [];
const clock = { nowMs: () => 1_700_000_000_000 };
const io = { stdout: { write: (text: string) => printed.push(text) }, clock };
const path = (name: string): string => join(root, name);

beforeAll(async () => {
  const members = unwrap(parseMembersFile("members.yaml", MEMBERS));
  await initNetwork({ folder: network, members, isForced: false, seed: undefined, nowMs: clock.nowMs() });
  const transport = { request: async () => ({ tag: "refused", refusal: { tag: "node_unreachable" } }) as const };
  for (const name of ["home", "shop"]) {
    const identity = readIdentity(join(network, name, "config.yaml"));
    const party = await openParty(identity, { transport, clock, logger: pino({ level: "silent" }) });
    await party.close();
  }
  // The folder of a new node of the same member, with an empty store.
  cpSync(join(network, "home"), path("new/home"), { recursive: true });
  cpSync(join(network, "network.json"), path("new/network.json"));
  const { config, folder } = readIdentity(path("new/home/config.yaml"));
  for (const suffix of ["", "-wal", "-shm"])
    rmSync(`${resolvePath(folder, config.store.file)}${suffix}`, { force: true });
});
afterAll(() => rmSync(root, { recursive: true }));

async function failure(task: Promise<void>): Promise<string> {
  const error = await task.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandFailure);
  return (error as CommandFailure).message;
}

describe("a member's data", () => {
  test("is exported from the network's folder or the node's, and imported into a new node's", async () => {
    await memberExport("home", { from: network, out: path("home.jsonl") }, io);
    await memberExport("home", { from: join(network, "home"), out: path("again.jsonl") }, io);
    expect(readFileSync(path("again.jsonl"), "utf8")).toBe(readFileSync(path("home.jsonl"), "utf8"));
    await memberImport(path("home.jsonl"), { to: path("new/home") }, io);
    expect(printed.at(-1)).toContain("1 transactions and 0 commands under way");
    await memberExport("home", { from: path("new/home"), out: path("moved.jsonl") }, io);
    const states = (file: string): readonly string[] =>
      readFileSync(path(file), "utf8")
        .split("\n")
        .flatMap((line) => (line.includes('"kind":"state"') ? [line.slice(0, line.indexOf('"previous"'))] : []));
    expect(states("moved.jsonl")).toEqual(states("home.jsonl"));
    expect(states("home.jsonl").length).toBeGreaterThan(0);
    expect(await failure(memberImport(path("home.jsonl"), { to: path("new/home") }, io))).toContain("is not empty");
  });

  test("is imported into an aggregator's store, beside what that has of others, and once", async () => {
    const hub = join(network, "hub");
    await memberExport("home", { from: network, out: path("home.jsonl") }, io);
    await memberImport(path("home.jsonl"), { to: hub }, io);
    expect(printed.at(-1)).toContain("1 transactions and 0 commands under way");
    expect(await failure(memberImport(path("home.jsonl"), { to: hub }, io))).toContain("is not empty");
    const { config, folder } = readIdentity(join(hub, "config.yaml"));
    const shared = openSqliteHostStore(resolvePath(folder, config.store.file), config.store.durability, (task) => {
      setImmediate(task);
    });
    const home = readIdentity(join(network, "home", "config.yaml")).signer.publicKey;
    expect(shared.parties()).toEqual([home]);
    expect(shared.storeOf(home).count()).toBe(1);
    shared.close();
    writeFileSync(path("nobody.jsonl"), "{}\n");
    expect(await failure(memberImport(path("nobody.jsonl"), { to: hub }, io))).toContain("export_malformed");
  });

  test("is not taken over where it was altered, or is another member's", async () => {
    await memberExport("home", { from: network, out: path("home.jsonl") }, io);
    const text = readFileSync(path("home.jsonl"), "utf8");
    writeFileSync(path("altered.jsonl"), text.replace('"atMs":17', '"atMs":18'));
    expect(await failure(memberImport(path("altered.jsonl"), { to: path("new/home") }, io))).toContain(
      "was altered, or is not whole (export_altered)",
    );
    await memberExport("shop", { from: network, out: path("shop.jsonl") }, io);
    expect(await failure(memberImport(path("shop.jsonl"), { to: path("new/home") }, io))).toContain(
      "export_of_another",
    );
  });

  test("is not looked for where it can't be", async () => {
    expect(await failure(memberExport("home", { from: path("none"), out: path("x") }, io))).toContain("no such folder");
    expect(await failure(memberExport("shop", { from: join(network, "home"), out: path("x") }, io))).toContain(
      "is the node of home, not of shop",
    );
    expect(await failure(memberExport("home", { from: "http://127.0.0.1:9", out: path("x") }, io))).toContain("--key");
    expect(await failure(memberImport(path("none.jsonl"), { to: path("new/home") }, io))).toContain("no such file");
  });
});

test("a move is signed here and carried by the grid authority's node over HTTP", async () => {
  const small = await SmallNetwork.found();
  await small.serve("hub");
  const key = path("dora.key");
  const dora = createKeyFile(key, seededEntropy("dora", "key"));
  const node = new LedgerNode({
    signer: dora,
    networkId: small.ledger.networkId,
    notary: small.key("notary"),
    gridAuthority: small.key("grid-authority"),
    clock: small.clock,
    entropy: seededEntropy("dora", "node"),
    transport: { request: (from, to, request) => small.wire.transport.request(from, to, request) },
    store: openSqliteNodeStore(":memory:", "process-crash", (task) => void setImmediate(task)),
    counters: small.ledger.counters,
  });
  small.wire.intercept = (from, to, request, next) =>
    to === dora.publicKey ? node.handle(from, request) : next(request);
  await small.run("grid-authority", {
    tag: "join",
    commandId: "join dora",
    name: "dora",
    key: dora.publicKey,
    roles: ["consumer"],
    capacityPerSlot: wattHours(0),
    holdingCapPerSlot: null,
    marketFee: microsPerKwh(0),
  });
  writeFileSync(path("dora.jsonl"), unwrap(node.exportFor(dora.publicKey)));
  const served = await ServedNode.start(small, "grid-authority");
  const flags = {
    to: "hub",
    export: path("dora.jsonl"),
    key,
    network: small.ledger.networkId,
    notary: small.key("notary"),
    by: served.url,
    days: 30,
  };
  const here = { ...io, clock: small.clock };
  expect(await failure(memberMove("dora", flags, here))).toContain("--delegate");
  const delegate = small.key("power-company");
  expect(await failure(memberMove("dora", { ...flags, to: "nobody", delegate }, here))).toContain("it has hub");
  await memberMove("dora", { ...flags, delegate, energyPerSlotWh: 2_000, strategies: "solar,wind" }, here);
  expect(printed.at(-1)).toMatch(/^dora moved to hub: transaction [0-9a-f]{64}\n$/);
  expect(small.node("hub").unspent("member")).toContainEqual(
    expect.objectContaining({ name: "dora", servedBy: small.key("hub") }),
  );
  expect(small.node("grid-authority").unspent("mandate")).toContainEqual(
    expect.objectContaining({
      principal: dora.publicKey,
      delegate,
      energyPerSlotMax: 2_000n,
      strategies: ["solar", "wind"],
    }),
  );
  expect(await failure(memberMove("dora", { ...flags, delegate }, here))).toContain("export again");
  await served.close();
  small.close();
});
