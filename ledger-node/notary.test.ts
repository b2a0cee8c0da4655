/**
 * A notary over each commit log against what every notary must hold; then in a small network: one signature for a batch, a
 * memory that is its commit log, and money that adds up.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  decodeSignedTransaction,
  encodeSignedTransaction,
  isNotarySignatureValid,
  type Redemption,
} from "#contracts";
import { micros, unwrap, wattHours } from "#core";
import { SLOT, SmallNetwork } from "#testkit";
import { notaryConformance } from "../testkit/notary-conformance.ts";
import { Notary } from "./notary.ts";
import type { CommitLog } from "./stores/commit-log.ts";
import { createMemoryCommitLog } from "./stores/memory-commit-log.ts";
import { openSqliteCommitLog } from "./stores/sqlite-commit-log.ts";

const folder = mkdtempSync(join(tmpdir(), "dream-notary-"));
afterAll(() => rmSync(folder, { recursive: true }));

notaryConformance("over a log in memory", { open: () => createMemoryCommitLog(), isShared: false });
notaryConformance("over a log on SQLite", {
  open: (place) => openSqliteCommitLog(join(folder, `${place}.sqlite`), "process-crash"),
  isShared: true,
});

let small: SmallNetwork;

beforeEach(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 5_000_000);
  }
});
afterEach(() => small.close());

function promising(commandId: string): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(1_000) }] };
}

/** A second notary over the same log, as after a restart. */
function restarted(log: CommitLog = small.commitLog): {
  readonly notary: Notary;
  readonly counters: { signatures: number; verifications: number };
} {
  const counters = { signatures: 0, verifications: 0 };
  const notary = new Notary({
    networkId: small.ledger.networkId,
    signer: small.signer("notary"),
    clock: small.clock,
    log,
    counters,
    defer: (task) => setImmediate(task),
  });
  return { notary, counters };
}

function committed(): readonly Uint8Array[] {
  return [...small.commitLog.scan()].map(({ bytes }) => new Uint8Array(bytes));
}

test("signs a batch once: each answer proves its own transaction and no other", async () => {
  const { notary, counters } = restarted();
  const batch = committed();
  const answers = (await Promise.all(batch.map((bytes) => notary.notarise(bytes)))).map(unwrap);
  expect(counters.signatures).toBeLessThan(batch.length);
  const ids = batch.map((bytes) => unwrap(decodeSignedTransaction(bytes)).transaction.id);
  for (const [row, id] of ids.entries())
    for (const [column, answer] of answers.entries())
      expect(isNotarySignatureValid(small.ledger.networkId, id, answer)).toBe(row === column);
});

describe("after a restart", () => {
  test("remembers all it has made final: money, repeats, conflicts and the founding", async () => {
    await small.run("alice", promising("p"));
    const before = committed();
    const { notary } = restarted();
    expect(notary.totals()).toEqual(small.ledger.moneyHeld());
    for (const bytes of before) expect((await notary.notarise(bytes)).ok).toBe(true);
    expect(committed()).toEqual(before);
    const [genesis] = before;
    const founded = unwrap(decodeSignedTransaction(genesis ?? new Uint8Array())).transaction.content;
    const second = small.craft(founded, "grid-authority");
    const reply = await small.ask("grid-authority", "notary", "notarise", second);
    expect(reply).toMatchObject({ tag: "refused", refusal: { tag: "role_not_allowed" } });
  });

  test("and in a batch that begins anew, a network is founded once", async () => {
    const { notary } = restarted(createMemoryCommitLog());
    const founded = unwrap(decodeSignedTransaction(committed()[0] ?? new Uint8Array())).transaction.content;
    const [first, second] = [small.craft(founded, "grid-authority"), small.craft(founded, "grid-authority")];
    const bytes = [first, second, first].map(encodeSignedTransaction);
    const verdicts = await Promise.all(bytes.map((each) => notary.notarise(each)));
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, false, true]);
    const again = await Promise.all(bytes.map((each) => notary.notarise(each)));
    expect(again.map(({ ok }) => ok)).toEqual([true, false, true]);
  });
});

test("counts money that was redeemed as held until it is paid out, then as gone", async () => {
  const [funds] = await small.resolved("bob", "funds");
  const [parameters] = await small.resolved("bob", "network-parameters");
  if (funds === undefined || parameters === undefined) throw new Error("bob has funds");
  const owed: Redemption = {
    tag: "redemption",
    redemptionId: "redeem",
    owner: small.key("bob"),
    provider: small.key("payment-provider"),
    amount: micros(4_000_000),
    account: "main",
  };
  const redeemed = small.craft(
    {
      inputs: [funds.ref],
      references: [parameters.ref],
      outputs: [owed, { tag: "funds", owner: small.key("bob"), amount: micros(1_000_000) }],
      command: { tag: "redeem-funds" },
      signers: [small.key("bob"), small.key("payment-provider")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    },
    "bob",
    "payment-provider",
  );
  expect((await small.ask("bob", "notary", "notarise", redeemed)).tag).toBe("notarised");
  expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 10_000_000n, heldMicros: 10_000_000n });
  const paid = small.craft(
    {
      inputs: [{ txId: redeemed.transaction.id, index: 0 }],
      references: [parameters.ref],
      outputs: [],
      command: { tag: "confirm-payout", redemptionId: "redeem", messageId: "DREAM-1", endToEndId: "E2E-1" },
      signers: [small.key("payment-provider")],
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: null },
    },
    "payment-provider",
  );
  expect((await small.ask("payment-provider", "notary", "notarise", paid)).tag).toBe("notarised");
  const totals = { issuedMicros: 6_000_000n, heldMicros: 6_000_000n };
  expect(small.ledger.moneyHeld()).toMatchObject(totals);
  expect(restarted().notary.totals()).toMatchObject(totals);
});
