/** The audit counts money and signatures, and looks at proofs too; what it finds in altered stores is in test/e2e/audit.test.ts. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeSignedTransaction, type Redemption } from "#contracts";
import { fromHex, hashOf, micros, microsPerKwh, unwrap, wattHours } from "#core";
import { SLOT, SmallNetwork } from "#testkit";
import { auditFolder } from "./audit.ts";
import type { AuditReport } from "./audit-replay.ts";
import { encodeJournaled } from "./journal.ts";

let root: string;
let honest: string;
let folder: string;
let copies = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "dream-audit-"));
  honest = join(root, "honest", "ledger");
  mkdirSync(honest, { recursive: true });
  const small = await SmallNetwork.found({ folder: honest });
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 10_000_000);
  }
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(10_000) }],
  });
  await small.run("bob", {
    tag: "place-orders",
    commandId: "bid",
    marketplace: small.key("marketplace"),
    orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) }],
  });
  const [funds] = await small.resolved("alice", "funds");
  const [parameters] = await small.resolved("alice", "network-parameters");
  if (funds === undefined || parameters === undefined) throw new Error("alice has funds");
  const owed: Redemption = {
    tag: "redemption",
    redemptionId: "redeem",
    owner: small.key("alice"),
    provider: small.key("payment-provider"),
    amount: micros(3_000_000),
    account: "main",
  };
  const redeemed = small.craft(
    {
      inputs: [funds.ref],
      references: [parameters.ref],
      outputs: [owed, { tag: "funds", owner: small.key("alice"), amount: micros(1_000_000) }],
      command: { tag: "redeem-funds" },
      signers: [small.key("alice"), small.key("payment-provider")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    },
    "alice",
    "payment-provider",
  );
  const reply = await small.ask("alice", "notary", "notarise", redeemed);
  if (reply.tag !== "notarised") throw new Error(`answered ${reply.tag}`);
  small.actAs("alice");
  const final = { ...redeemed, notarySignature: reply.signature };
  for (const name of ["alice", "payment-provider"]) await small.ask("alice", name, "final", final);
  small.close();
});
afterAll(() => rmSync(root, { recursive: true }));

beforeEach(() => {
  copies += 1;
  folder = join(root, `copy ${copies}`);
  mkdirSync(folder);
  for (const file of readdirSync(honest)) copyFileSync(join(honest, file), join(folder, file));
});

function audited(): AuditReport {
  return unwrap(auditFolder(folder));
}

type ProofRow = { readonly tx: Buffer; readonly output: number; readonly bytes: Buffer };

/** Alters a store behind its back. */
function tamper(file: string, alter: (database: Database.Database) => void): void {
  const database = new Database(join(folder, file));
  alter(database);
  database.close();
}

function problems(): readonly string[] {
  return audited().violations.map(({ store, problem }) => `${store}: ${problem.replaceAll(/[0-9a-f]{64}/g, "…")}`);
}

describe("an honest network", () => {
  test("has no violations; transactions, signatures and money are counted", () => {
    const report = audited();
    expect(report.violations).toEqual([]);
    // Founding, two joinings, two issues, a promise, an order, a redemption.
    expect(report.transactions).toBe(8);
    // 1 + 2 × 2 + 2 × 1 + 3 + 3 + 2
    expect(report.signatures).toBe(15);
    // 20 issued; alice had 4 left after her deposit and redeemed 3, which are owed until they are paid out.
    expect([report.moneyIssuedMicros, report.moneyHeldMicros]).toEqual([20_000_000n, 20_000_000n]);
    expect(report.moneyOwedMicros).toBe(3_000_000n);
  });

  test("is found in the folder of its run, and progress is told", () => {
    const steps: string[] = [];
    const result = auditFolder(join(root, "honest"), (done, total) => steps.push(`${done}/${total}`));
    expect(result.ok).toBe(true);
    expect(steps.at(-1)).toBe(`${steps.length}/${steps.length}`);
  });
});

describe("a lie is found", () => {
  test("in a proof of what a newcomer was introduced to", () => {
    tamper("alice.sqlite", (database) => {
      const { tx, output, bytes } = database.prepare("SELECT tx, output, bytes FROM proofs LIMIT 1").get() as ProofRow;
      bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
      database.prepare("UPDATE proofs SET bytes = ? WHERE tx = ? AND output = ?").run(bytes, tx, output);
    });
    expect(problems()).toHaveLength(1);
    expect(problems()[0]).toMatch(/^alice: /);
  });

  test("of a node that leaves out what it has signed, as if it had never been", () => {
    let removed = "";
    tamper("alice.sqlite", (database) => {
      const row = database
        .prepare("SELECT sequence, id FROM transactions WHERE kind = 'full' ORDER BY sequence DESC")
        .get() as {
        readonly sequence: number;
        readonly id: Buffer;
      };
      removed = row.id.toString("hex");
      database.prepare("DELETE FROM transactions WHERE sequence = ?").run(row.sequence);
    });
    const { violations } = audited();
    expect(violations).toContainEqual({
      store: "alice",
      txId: removed,
      problem: "concerns it and was made final, but is not there",
    });
    // What that transaction spent is unspent again in the node's eyes.
    expect(violations.map(({ store, problem }) => [store, problem.includes("still held as unspent")])).toContainEqual([
      "alice",
      true,
    ]);
    expect(violations.every(({ store }) => store === "alice")).toBe(true);
  });

  test("but not of a node that could not be told yet, as the journal of another says", () => {
    const row = (file: string): { readonly id: Buffer; readonly bytes: Buffer } => {
      let found: unknown;
      tamper(file, (database) => {
        found = database.prepare("SELECT id, bytes FROM transactions WHERE kind = 'full' ORDER BY sequence DESC").get();
      });
      return found as { readonly id: Buffer; readonly bytes: Buffer };
    };
    const { id, bytes } = row("bob.sqlite");
    tamper("verifier.sqlite", (database) => database.prepare("DELETE FROM transactions WHERE id = ?").run(id));
    expect(audited().violations).toContainEqual(
      expect.objectContaining({ store: "verifier", txId: id.toString("hex") }),
    );
    const signed = unwrap(decodeSignedTransaction(new Uint8Array(bytes)));
    const command = { id: "bid", digest: hashOf("bid") };
    const recipients = [signed.transaction.content.notary];
    const entry = encodeJournaled({ stage: "final", command, signed, inputs: [], dependencies: [], recipients });
    tamper("bob.sqlite", (database) =>
      database
        .prepare("INSERT INTO journal (command_id, digest, stage, body) VALUES (?, ?, ?, ?)")
        .run(command.id, Buffer.from(fromHex(command.digest)), entry.stage, Buffer.from(entry.body)),
    );
    expect(audited().violations).toEqual([]);
  });

  test.each([
    ["was stored by a node in other bytes", "UPDATE transactions SET bytes = zeroblob(40) WHERE sequence = 3"],
    [
      "is said to be a notice",
      "UPDATE transactions SET kind = 'notice' WHERE sequence = (SELECT min(sequence) FROM transactions WHERE kind = 'full')",
    ],
  ])("of a transaction that %s, once", (_name, sql) => {
    tamper("bob.sqlite", (database) => database.exec(sql));
    expect(problems()).toHaveLength(1);
    expect(problems()[0]).toMatch(/^bob: stored bytes are not a/);
  });
});

describe("the folder of a network, in which each node has a folder of its own", () => {
  test("is audited as a whole, and what one node lacks is found", () => {
    const network = join(root, `network ${copies}`);
    for (const file of readdirSync(honest)) {
      const name = file.replace(".sqlite", "");
      mkdirSync(join(network, name), { recursive: true });
      copyFileSync(join(honest, file), join(network, name, file));
    }
    expect(auditFolder(network), "any folder of folders is no network").toMatchObject({ error: { tag: "no_stores" } });
    writeFileSync(join(network, "network.json"), "{}");
    const report = unwrap(auditFolder(network));
    expect(report).toMatchObject({ violations: [], transactions: 8, signatures: 15 });
    const database = new Database(join(network, "verifier", "verifier.sqlite"));
    database.exec("DELETE FROM transactions WHERE sequence > 2");
    database.close();
    expect(unwrap(auditFolder(network)).violations.map(({ store }) => store)).toContain("verifier");
  });
});
