/** An audit of nodes that run, over real HTTP: honest ones, and ones that show other bytes, leave out, repeat or never end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSignedTransaction, encodeSignedTransaction } from "#contracts";
import { microsPerKwh, ok, type Result, seededEntropy, signerFromSeed, unwrap, wattHours } from "#core";
import type { TransactionPage } from "#ledger-api";
import type { AuditReport } from "#ledger-node";
import { ServedNode, SLOT, SmallNetwork } from "#testkit";
import { auditNodes, auditUrl, type LiveNode } from "./ledger-audit-live.ts";

const auditor = signerFromSeed(seededEntropy("auditor", "key").bytes(32));
const NAMES = ["alice", "bob", "verifier", "grid-authority"] as const;
type Name = (typeof NAMES)[number];
type Row = TransactionPage["transactions"][number];

let small: SmallNetwork;
const served = new Map<string, ServedNode>();

beforeAll(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 10_000_000);
  }
  for (const [index, name] of ["alice", "bob", "alice"].entries())
    await small.run(name, {
      tag: "create-promises",
      commandId: `promise ${index}`,
      promises: [{ slot: SLOT, energy: wattHours(1_000) }],
    });
  await small.run("bob", {
    tag: "place-orders",
    commandId: "bid",
    marketplace: small.key("marketplace"),
    orders: [{ side: "bid", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) }],
  });
  for (const name of NAMES) served.set(name, await ServedNode.start(small, name, { auditors: [auditor.publicKey] }));
});
afterAll(async () => {
  for (const each of served.values()) await each.stop();
  small.close();
});

/** A node as it is; or one that shows what `change` makes of a page. */
function live(name: Name, change: (rows: readonly Row[]) => readonly Row[] = (rows) => rows): LiveNode {
  const node = served.get(name);
  if (node === undefined) throw new Error(`${name} is served`);
  const client = node.client(auditor);
  return {
    name,
    party: small.key(name),
    transactions: async (after, limit) => {
      const page = await client.transactions(after, limit);
      return page.ok ? ok({ ...page.value, transactions: change(page.value.transactions) }) : page;
    },
  };
}

function audited(...nodes: readonly LiveNode[]): Promise<AuditReport> {
  const founding = { networkId: small.ledger.networkId, notaries: [small.key("notary")] };
  return auditNodes(nodes, founding, { onProgress: () => undefined, pause: () => Promise.resolve() });
}

/** Numbers them anew, as a node would that hides what it leaves out. */
function renumbered(rows: readonly Row[]): readonly Row[] {
  return rows.map((row, index) => ({ ...row, sequence: index + 1 }));
}

function lastWhole(rows: readonly Row[]): Row {
  return rows.findLast(({ kind }) => kind === "full") as Row;
}

describe("an honest node", () => {
  test.each(NAMES)("%s: has no violations, and all that it keeps is looked at", async (name) => {
    const report = await audited(live(name));
    expect(report.violations).toEqual([]);
    expect(report.transactions).toBe(small.ledger.store(name).count());
    expect(report.signatures).toBeGreaterThan(0);
  });

  test("is compared with any other", async () => {
    for (const name of NAMES)
      for (const other of NAMES)
        if (name !== other) expect((await audited(live(name), live(other))).violations).toEqual([]);
  });

  test("shows what money it knows of", async () => {
    const report = await audited(live("bob"));
    // Issued to bob; of that nothing is gone.
    expect(report).toMatchObject({ moneyHeldMicros: 10_000_000n });
  });

  test("is read a page at a time, and writes nothing", async () => {
    const before = [...small.ledger.store("verifier").scan()].length;
    const steps: number[] = [];
    const node = served.get("verifier")?.client(auditor);
    const onePerPage: LiveNode = {
      name: "verifier",
      party: small.key("verifier"),
      transactions: (after) => node?.transactions(after, 1) as Promise<Result<TransactionPage, never>>,
    };
    const founding = { networkId: small.ledger.networkId, notaries: [small.key("notary")] };
    const onProgress = (done: number): void => void steps.push(done);
    const report = await auditNodes([onePerPage], founding, { onProgress, pause: () => Promise.resolve() });
    expect(report).toEqual(await audited(live("verifier")));
    expect(steps.at(-1)).toBe(before);
    expect([...small.ledger.store("verifier").scan()]).toHaveLength(before);
  });
});

describe("a dishonest node", () => {
  test.each(["full", "notice"] as const)(
    "that shows a %s in other bytes is found out, whatever bit it is",
    async (kind) => {
      const found = (await live("alice").transactions(0, 200)) as { readonly value: TransactionPage };
      const target = found.value.transactions.find((row) => row.kind === kind) as Row;
      for (let position = 3; position < target.bytes.length; position += Math.ceil(target.bytes.length / 25)) {
        const bytes = new Uint8Array(target.bytes);
        bytes[position] = (bytes[position] ?? 0) ^ 4;
        const { violations } = await audited(
          live("alice", (rows) => rows.map((row) => (row.txId === target.txId ? { ...row, bytes } : row))),
        );
        expect(violations.map(({ store, txId }) => [store, txId])).toContainEqual(["alice", target.txId]);
      }
    },
  );

  test("that shows one transaction under the id of another", async () => {
    const { violations } = await audited(
      live("alice", (rows) => {
        const [first, second] = rows.filter(({ kind }) => kind === "full") as [Row, Row];
        return rows.map((row) => (row === second ? { ...row, bytes: first.bytes } : row));
      }),
    );
    expect(violations[0]?.problem).toMatch(/^stored bytes are of another transaction/);
  });

  test("that leaves out what it once acknowledged, and hides it: another node has it", async () => {
    let hidden = "";
    const alice = live("alice", (rows) => {
      hidden = lastWhole(rows).txId;
      return renumbered(rows.filter(({ txId }) => txId !== hidden));
    });
    expect((await audited(alice)).violations, "alone it can't be told").toEqual([]);
    for (const other of ["verifier", "grid-authority"] as const)
      expect((await audited(alice, live(other))).violations).toContainEqual({
        store: "alice",
        txId: hidden,
        problem: "concerns it and was made final, but is not there",
      });
  });

  test("that leaves out what makes its money spent", async () => {
    let hidden = "";
    const bob = live("bob", (rows) => {
      hidden = lastWhole(rows).txId;
      return renumbered(rows.filter(({ txId }) => txId !== hidden));
    });
    const { violations } = await audited(bob, live("verifier"));
    const stale = violations.filter(({ problem }) => problem.includes("still held as unspent"));
    expect(stale.map(({ store, txId }) => [store, txId])).toContainEqual(["bob", hidden]);
  });

  test("that has left out what was only on its way is read again, and then is sound", async () => {
    let readings = 0;
    const alice = live("alice", (rows) => {
      readings += 1;
      return readings === 1 ? renumbered(rows.filter((row) => row !== lastWhole(rows))) : rows;
    });
    expect((await audited(alice, live("verifier"))).violations).toEqual([]);
    expect(readings).toBe(2);
  });

  test("that shows a transaction without the notary's signature, or of another network", async () => {
    const { violations } = await audited(
      live("verifier", (rows) =>
        rows.map((row) => (row === lastWhole(rows) ? { ...row, bytes: withoutNotary(row.bytes) } : row)),
      ),
    );
    expect(violations.map(({ problem }) => problem)).toContain("has no valid signature of the notary");
    const foreign = { networkId: "another", notaries: [small.key("notary")] };
    const other = await auditNodes([live("alice")], foreign, {
      onProgress: () => undefined,
      pause: () => Promise.resolve(),
    });
    expect(other.violations.length).toBeGreaterThan(5);
  });

  test("that shows its transactions out of order can't be audited", async () => {
    await expect(audited(live("alice", (rows) => [...rows].reverse()))).rejects.toThrow(/out of order/);
  });

  test("that shows one twice gains nothing by it: what came last counts, once", async () => {
    const twice = (alter: (row: Row) => Row): Promise<AuditReport> =>
      audited(live("alice", (rows) => renumbered([...rows, alter(lastWhole(rows))])));
    expect(await twice((row) => row)).toEqual(await audited(live("alice")));
    const altered = await twice((row) => ({ ...row, bytes: row.bytes.subarray(1) }));
    expect(altered.violations.map(({ problem }) => problem)).toContainEqual(
      expect.stringMatching(/^stored bytes are not a transaction/),
    );
  });

  test("whose pages never end, is not read for ever", async () => {
    const endless: LiveNode = {
      name: "alice",
      party: small.key("alice"),
      transactions: () => Promise.resolve(ok({ transactions: [], next: 0 })),
    };
    await expect(audited(endless)).rejects.toThrow(/pages without an end/);
  });
});

describe("what an audit needs", () => {
  test("a key that the node knows as an auditor's", async () => {
    const stranger = signerFromSeed(seededEntropy("stranger", "key").bytes(32));
    const client = served.get("alice")?.client(stranger, { retryMs: 0 });
    const node: LiveNode = {
      name: "alice",
      party: small.key("alice"),
      transactions: (after, limit) => client?.transactions(after, limit) as ReturnType<LiveNode["transactions"]>,
    };
    await expect(audited(node)).rejects.toThrow(/alice: refused with request_forbidden; the key is no auditor's/);
  });

  test("a key, and a signed directory of the network: what is missing is said, with what to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dream-audit-live-"));
    const key = join(folder, "auditor.key");
    const url = "http://127.0.0.1:1";
    const auditing = (flags: Parameters<typeof auditUrl>[1]): Promise<AuditReport> =>
      auditUrl(url, flags, () => undefined);
    await expect(auditing({})).rejects.toThrow(/give --key FILE/);
    await expect(auditing({ key })).rejects.toThrow(/can't be read/);
    writeFileSync(key, `${"ab".repeat(32)}\n`, { mode: 0o600 });
    await expect(auditing({ key })).rejects.toThrow(
      /network.json: can't be read; give the network's directory with --network FILE/,
    );
    writeFileSync(join(folder, "network.json"), "{}");
    await expect(auditing({ key })).rejects.toThrow(/is no signed directory of a network/);
    rmSync(folder, { recursive: true });
  });
});

function withoutNotary(bytes: Uint8Array): Uint8Array {
  const signed = unwrap(decodeSignedTransaction(bytes));
  return encodeSignedTransaction({ ...signed, notarySignature: null });
}
