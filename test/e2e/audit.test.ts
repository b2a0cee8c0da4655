/**
 * `dream ledger audit` finds what was altered in a ledger's stores, whatever and wherever: copies of the stores of a small real
 * ledger are tampered with by SQL, one thing at a time.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSignedTransaction } from "#contracts";
import { microsPerKwh, seededPrng, unwrap, wattHours } from "#core";
import { type AuditReport, auditFolder } from "#ledger-node";
import { SLOT, SLOT_END_MS, SmallNetwork, tariff } from "#testkit";
import { dream, temporaryFolder } from "./command.ts";

const folder = temporaryFolder();
const original = join(folder, "original");

/** Alice promises and sells to bob, delivers less than she promised, and all is settled: every kind of money moves. */
beforeAll(async () => {
  mkdirSync(original);
  const network = await SmallNetwork.found({ folder: original });
  for (const name of ["alice", "bob"]) await network.join(name);
  for (const name of ["alice", "bob", "power-company", "grid-authority"])
    await network.fund(name, 10_000_000, 20_000_000);
  const { day, feedIn, retail } = tariff();
  await network.run("power-company", { tag: "publish-tariff", commandId: "t", day, feedIn, retail });
  const promises = [{ slot: SLOT, energy: wattHours(2_000) }];
  await network.run("alice", { tag: "create-promises", commandId: "p", promises });
  const marketplace = network.key("marketplace");
  const common = { slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(150_000) };
  await network.run("alice", {
    tag: "place-orders",
    commandId: "o",
    marketplace,
    orders: [{ side: "offer", ...common }],
  });
  await network.run("bob", { tag: "place-orders", commandId: "b", marketplace, orders: [{ side: "bid", ...common }] });
  const trade = { bid: "b/0", offer: "o/0", energy: wattHours(1_000), price: microsPerKwh(150_000) };
  await network.run("marketplace", {
    tag: "clear-pool",
    commandId: "c",
    slot: SLOT,
    price: trade.price,
    isFinal: true,
    trades: [trade],
  });
  network.clock.moveTo(SLOT_END_MS);
  const [alice, bob] = [network.key("alice"), network.key("bob")];
  const readings = [
    { member: alice, produced: wattHours(1_500), consumed: wattHours(0) },
    { member: bob, produced: wattHours(0), consumed: wattHours(1_200) },
  ];
  await network.run("grid-authority", { tag: "record-meters", commandId: "m", slot: SLOT, readings });
  await network.run("grid-authority", { tag: "check-delivery", commandId: "d", supplier: alice, slot: SLOT });
  for (const member of [alice, bob])
    await network.run("grid-authority", { tag: "settle-slot", commandId: `s ${member}`, member, slot: SLOT });
  network.close();
});

let copies = 0;

/** A copy of the stores in which one of them is altered. */
function altered(store: string, alter: (database: Database.Database) => void): string {
  copies += 1;
  const copy = join(folder, `copy ${copies}`);
  cpSync(original, copy, { recursive: true });
  const database = new Database(join(copy, `${store}.sqlite`));
  alter(database);
  database.close();
  return copy;
}

function audited(path: string): AuditReport {
  return unwrap(auditFolder(path));
}

type Row = { readonly id: Buffer; readonly bytes: Buffer; readonly kind: string };
const TABLES = {
  notary: "SELECT sequence, tx AS id, bytes, 'full' AS kind FROM committed_transactions ORDER BY sequence",
  node: "SELECT sequence, id, bytes, kind FROM transactions ORDER BY sequence",
} as const;

function rowsOf(database: Database.Database, store: string): readonly Row[] {
  return database.prepare<[], Row>(TABLES[store === "notary" ? "notary" : "node"]).all();
}

function replaceBytes(database: Database.Database, store: string, id: Buffer, bytes: Buffer): void {
  const [table, column] = store === "notary" ? ["committed_transactions", "tx"] : ["transactions", "id"];
  const { changes } = database.prepare(`UPDATE ${table} SET bytes = ? WHERE ${column} = ?`).run(bytes, id);
  expect(changes).toBe(1);
}

function flipped(bytes: Buffer, position: number, mask = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(position) ^ mask, position);
  return copy;
}

/** Alters the bytes of the first transaction for which `change` gives other bytes; gives its id. */
function alterOne(
  store: string,
  change: (row: Row) => Buffer | undefined,
): { readonly copy: string; readonly id: string } {
  let id = "";
  const copy = altered(store, (database) => {
    // Not the first, which founds the network: without it there is nothing to audit.
    for (const row of rowsOf(database, store).slice(1)) {
      const bytes = change(row);
      if (bytes === undefined) continue;
      id = row.id.toString("hex");
      replaceBytes(database, store, row.id, bytes);
      return;
    }
  });
  expect(id).not.toBe("");
  return { copy, id };
}

/** The bytes with a signature of a party altered, where there is one. */
function withForgedSignature({ bytes, kind }: Row): Buffer | undefined {
  if (kind !== "full") return undefined;
  const decoded = decodeSignedTransaction(new Uint8Array(bytes));
  const signature = decoded.ok ? decoded.value.signatures[0]?.signature : undefined;
  return signature === undefined ? undefined : flipped(bytes, bytes.indexOf(Buffer.from(signature)) + 7);
}

/** The bytes with an amount of 10,000,000 micros (in CBOR 1a 00989680) made one greater. */
function withOneMicroMore({ bytes }: Row): Buffer | undefined {
  const at = bytes.indexOf(Buffer.from("1a00989680", "hex"));
  return at < 0 ? undefined : flipped(bytes, at + 4);
}

async function report(path: string): Promise<{ readonly code: number | null; readonly json: Record<string, unknown> }> {
  const { code, stdout, stderr } = await dream(["ledger", "audit", path, "--json"]);
  if (stderr !== "") throw new Error(stderr);
  return { code, json: JSON.parse(stdout) as Record<string, unknown> };
}

describe("untouched stores", () => {
  test("pass: exit 0, and the result as JSON", async () => {
    const { code, json } = await report(original);
    expect(code).toBe(0);
    expect(Object.keys(json)).toEqual([
      "transactions",
      "signatures",
      "violations",
      "moneyIssuedMicros",
      "moneyHeldMicros",
    ]);
    expect(json).toMatchObject({ violations: [], moneyIssuedMicros: "120000000", moneyHeldMicros: "120000000" });
    expect(json["transactions"]).toBeGreaterThan(10);
    expect(json["signatures"]).toBeGreaterThan(10);
  });

  test("pass beside a store that a killed process had only begun to make", async () => {
    const copy = join(folder, "beside a new store");
    cpSync(original, copy, { recursive: true });
    const making = join(folder, "making");
    mkdirSync(making);
    const begun = new Database(join(making, "begun.sqlite"));
    begun.pragma("cache_size = 1");
    begun.exec("BEGIN IMMEDIATE; CREATE TABLE transactions (bytes BLOB)");
    const insert = begun.prepare("INSERT INTO transactions VALUES (randomblob(4000))");
    for (let row = 0; row < 200; row++) insert.run();
    for (const suffix of ["", "-journal"])
      cpSync(join(making, `begun.sqlite${suffix}`), join(copy, `newcomer.sqlite${suffix}`));
    begun.close();
    expect(await report(copy)).toMatchObject({ code: 0, json: { violations: [] } });
  });

  test("pass in words, from the run directory too", async () => {
    const run = join(folder, "as a run");
    cpSync(original, join(run, "ledger"), { recursive: true });
    const { code, stdout } = await dream(["ledger", "audit", run]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Sound: /);
  });
});

describe("the command", () => {
  test.each([
    ["one byte of a transaction at the notary", "notary", ({ bytes }: Row) => flipped(bytes, bytes.length >> 1)],
    ["a signature at the notary", "notary", withForgedSignature],
    ["an amount in a node's store", "alice", withOneMicroMore],
  ])("names the transaction of which %s was altered, and exits with 1", async (_what, store, change) => {
    const { copy, id } = alterOne(store, change);
    const { code, json } = await report(copy);
    expect(code).toBe(1);
    const violations = json["violations"] as readonly { readonly store: string; readonly txId: string }[];
    expect(violations.map(({ store: where, txId }) => [where, txId])).toContainEqual([store, id]);
  });

  test("names it in words, too", async () => {
    const { copy, id } = alterOne("bob", withOneMicroMore);
    const { code, stdout } = await dream(["ledger", "audit", copy]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^NOT SOUND/);
    expect(stdout).toContain(`bob: transaction ${id} `);
  });

  test.each([
    ["no such folder", () => join(folder, "nowhere"), 2, /there is no such folder; give a run directory/],
    ["a folder without stores", () => folder, 2, /holds no ledger stores .*give a run directory/],
    [
      "a store that is no database",
      () => {
        const copy = altered("alice", () => undefined);
        writeFileSync(join(copy, "bob.sqlite"), "nothing that SQLite knows, and long enough to look like a file of it");
        return copy;
      },
      1,
      /a store can't be read; restore it from a copy/,
    ],
  ])("%s: says so, and how to mend it", async (_what, make, code, message) => {
    const ended = await dream(["ledger", "audit", make()]);
    expect(ended.stderr).toMatch(message);
    expect(ended.stdout).toBe("");
    expect(ended.code).toBe(code);
  });
});

describe("what can't be judged", () => {
  test("stores without a notary's, or with a commit log that founds no network", () => {
    const without = altered("alice", () => undefined);
    rmSync(join(without, "notary.sqlite"));
    expect(auditFolder(without)).toMatchObject({ ok: false, error: { tag: "no_commit_log" } });
    const empty = altered("notary", (database) => database.exec("DELETE FROM committed_transactions"));
    expect(auditFolder(empty)).toMatchObject({ ok: false, error: { tag: "no_genesis" } });
  });
});

describe("what was altered is found and named", () => {
  const stores = ["notary", "alice", "bob", "grid-authority", "power-company", "marketplace", "verifier"];

  test.each(stores)("any single bit of any stored transaction of %s", (store) => {
    const prng = seededPrng("audit", store);
    for (let run = 0; run < 8; run++) {
      let id = "";
      const copy = altered(store, (database) => {
        const rows = rowsOf(database, store);
        const row = rows[prng.nextUint32() % rows.length] as Row;
        id = row.id.toString("hex");
        const bytes = flipped(row.bytes, prng.nextUint32() % row.bytes.length, 1 << (prng.nextUint32() % 8));
        replaceBytes(database, store, row.id, bytes);
      });
      // The genesis of the commit log says which network this is: without it nothing can be judged.
      const result = auditFolder(copy);
      if (result.ok) expect(result.value.violations).toContainEqual(expect.objectContaining({ store, txId: id }));
      else expect(result.error.tag).toBe("no_genesis");
      rmSync(copy, { recursive: true });
    }
  });

  test.each(stores)("a signature in the store of %s", (store) => {
    const { copy, id } = alterOne(store, withForgedSignature);
    expect(audited(copy).violations).toContainEqual(
      expect.objectContaining({ store, txId: id, problem: expect.stringContaining("signature") }),
    );
  });

  test("a transaction under another's id, in a node's store", () => {
    let ids: readonly string[] = [];
    const copy = altered("alice", (database) => {
      const [first, second] = rowsOf(database, "alice").filter(({ kind }) => kind === "full") as [Row, Row];
      ids = [first.id.toString("hex")];
      replaceBytes(database, "alice", first.id, second.bytes);
    });
    expect(audited(copy).violations.map(({ txId }) => txId)).toEqual(ids);
  });

  test("a transaction that the notary never made final, in a node's store", () => {
    const invented = Buffer.alloc(32, 7);
    const copy = altered("bob", (database) => {
      const [row] = rowsOf(database, "bob") as [Row];
      database
        .prepare("INSERT INTO transactions (id, kind, bytes) VALUES (?, ?, ?)")
        .run(invented, row.kind, row.bytes);
    });
    expect(audited(copy).violations).toContainEqual(
      expect.objectContaining({
        store: "bob",
        txId: invented.toString("hex"),
        problem: expect.stringContaining("never made final"),
      }),
    );
  });

  test("a transaction that is gone from the commit log: it is named by the nodes that have it", () => {
    let id = "";
    const copy = altered("notary", (database) => {
      const rows = rowsOf(database, "notary");
      id = (rows.at(-1) as Row).id.toString("hex");
      database.prepare("DELETE FROM committed_transactions WHERE tx = ?").run(Buffer.from(id, "hex"));
    });
    const { violations } = audited(copy);
    expect(violations).toContainEqual(
      expect.objectContaining({ txId: id, problem: expect.stringContaining("never made final") }),
    );
    expect(violations).toContainEqual(expect.objectContaining({ store: "notary" }));
  });

  test("a transaction committed before what it spends", () => {
    const copy = altered("notary", (database) => {
      // The last settlement to the front, just after the founding.
      database.exec("UPDATE committed_transactions SET sequence = -1 WHERE sequence = 1");
      database.exec(
        "UPDATE committed_transactions SET sequence = 0 WHERE sequence = (SELECT max(sequence) FROM committed_transactions)",
      );
    });
    expect(audited(copy).violations).toContainEqual(
      expect.objectContaining({ store: "notary", problem: expect.stringContaining("names an unknown") }),
    );
  });

  test("a spent state that is said to be spent by another, is missing, or never was", () => {
    let spender = "";
    const byAnother = altered("notary", (database) => {
      const [row] = rowsOf(database, "notary") as [Row];
      spender = row.id.toString("hex");
      database
        .prepare("UPDATE committed_states SET tx = ? WHERE ref = (SELECT min(ref) FROM committed_states)")
        .run(row.id);
    });
    expect(audited(byAnother).violations).toContainEqual(expect.objectContaining({ store: "notary", txId: spender }));
    const missing = altered("notary", (database) =>
      database.exec("DELETE FROM committed_states WHERE ref = (SELECT min(ref) FROM committed_states)"),
    );
    expect(audited(missing).violations).toContainEqual(
      expect.objectContaining({ store: "notary", problem: expect.stringContaining("spent") }),
    );
    const invented = altered("notary", (database) => {
      database
        .prepare("INSERT INTO committed_states (ref, tx) VALUES (?, ?)")
        .run(Buffer.alloc(36, 9), Buffer.alloc(32, 7));
    });
    expect(audited(invented).violations).toContainEqual(
      expect.objectContaining({ store: "notary", txId: "07".repeat(32) }),
    );
  });

  test("an instant of commitment outside a transaction's window", () => {
    let id = "";
    const copy = altered("notary", (database) => {
      const row = rowsOf(database, "notary").find(({ bytes }) => {
        const decoded = decodeSignedTransaction(new Uint8Array(bytes));
        return decoded.ok && decoded.value.transaction.content.command.tag === "create-promises";
      }) as Row;
      id = row.id.toString("hex");
      database.prepare("UPDATE committed_transactions SET at = ? WHERE tx = ?").run(SLOT_END_MS, row.id);
    });
    expect(audited(copy).violations).toEqual([
      { store: "notary", txId: id, problem: expect.stringContaining("time window") },
    ]);
  });

  test("nothing in an audit writes: the files are as they were", () => {
    const before = readdirSync(original).sort();
    audited(original);
    expect(readdirSync(original).sort()).toEqual(before);
  });
});
