/** The audit counts money and signatures, and looks at proofs too; what it finds in altered stores is in test/e2e/audit.test.ts. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { micros, microsPerKwh, unwrap, wattHours } from "#core";
import { SLOT, SmallNetwork } from "#testkit";
import { type AuditReport, auditFolder } from "./audit.ts";

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
  const redeemed = small.craft(
    {
      inputs: [funds.ref],
      references: [parameters.ref],
      outputs: [{ tag: "funds", owner: small.key("alice"), amount: micros(1_000_000) }],
      command: { tag: "redeem-funds" },
      signers: [small.key("alice"), small.key("payment-provider")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    },
    "alice",
    "payment-provider",
  );
  await small.ask("alice", "notary", "notarise", redeemed);
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
    // 20 issued; alice had 4 left after her deposit and redeemed 3.
    expect([report.moneyIssuedMicros, report.moneyHeldMicros]).toEqual([17_000_000n, 17_000_000n]);
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
});
