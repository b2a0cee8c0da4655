/** A member that runs two nodes with one key and lets both spend the same states: one of them wins, the other has nothing. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  decodeSignedTransaction,
  encodeSignedTransaction,
  type LedgerRefusal,
  type Receipt,
  type Transaction,
} from "#contracts";
import { hashOf, micros, type Result, unwrap, wattHours } from "#core";
import { redemption, type SmallNetwork } from "#testkit";
import { auctioning, bidding, ordering, promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
});
afterEach(() => stage.close());

/** What became of each command, in the order of the alphabet: which of two wins is chance. */
function outcomes(answers: readonly Result<Receipt, LedgerRefusal>[]): readonly string[] {
  return answers.map((answer) => (answer.ok ? answer.value.status : answer.error.tag)).sort();
}

describe("two nodes of one member", () => {
  test("at once: of two transactions that spend the same funds one becomes final, and the other leaves nothing behind", async () => {
    await small.fund("bob", 1_000_000);
    const twin = await stage.twinOf("bob");
    const answers = await Promise.all([
      small.submit("bob", ordering(small, "one", "bid", 1_000, 250_000)),
      twin.submit(ordering(small, "other", "bid", 1_000, 240_000)),
    ]);
    expect(outcomes(answers)).toEqual(["created", "state_conflict"]);
    const [refused] = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
    const last = [...small.commitLog.scan()].at(-1);
    expect(refused).toMatchObject({ tag: "state_conflict" });
    // Who has spent it is told by the hash of a hash: nothing of the transaction.
    if (refused?.tag !== "state_conflict") expect.unreachable();
    for (const { consumedBy } of refused.spent) {
      expect(consumedBy).not.toBe(last?.txId);
      expect(consumedBy).toBe(hashOf(last?.txId ?? ""));
    }
    const orders = small.node("marketplace").unspent("pool-order");
    expect(orders).toHaveLength(1);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 1_000_000n, heldMicros: 1_000_000n });
  });

  test("with one command: it is carried out once", async () => {
    await small.fund("alice", 5_000_000);
    const twin = await stage.twinOf("alice");
    const answers = await Promise.all([
      small.submit("alice", promising("same", 5_000)),
      twin.submit(promising("same", 5_000)),
    ]);
    expect(outcomes(answers)).toEqual(["created", "state_conflict"]);
    expect(small.node("grid-authority").unspent("power-promise")).toMatchObject([{ energy: 5_000n }]);
    expect(small.node("grid-authority").unspent("deposit")).toMatchObject([{ amount: 3_000_000n }]);
  });

  test("selling one promise twice: in an auction and in the pool", async () => {
    await small.fund("alice", 5_000_000);
    await small.run("alice", promising("p", 2_000));
    const twin = await stage.twinOf("alice");
    const answers = await Promise.all([
      small.submit("alice", auctioning(small, "auction", 2_000)),
      twin.submit(ordering(small, "offer", "offer", 2_000, 100_000)),
    ]);
    expect(outcomes(answers)).toEqual(["created", "state_conflict"]);
    const [sold] = small.node("grid-authority").unspent("power-promise");
    expect(small.node("grid-authority").unspent("power-promise")).toHaveLength(1);
    const offered = [...small.node("verifier").unspent("auction"), ...small.node("marketplace").unspent("pool-order")];
    expect(offered).toHaveLength(1);
    expect(sold?.lock?.kind).toBe(offered[0]?.tag === "auction" ? "auction" : "order");
  });

  test("bidding with the same money in two auctions", async () => {
    await small.fund("alice", 5_000_000);
    await small.fund("bob", 500_000);
    await small.run("alice", promising("p", 4_000));
    for (const id of ["one", "two"]) await small.run("alice", auctioning(small, id, 2_000));
    const twin = await stage.twinOf("bob");
    const answers = await Promise.all([
      small.submit("bob", bidding("on one", 200_000, "one")),
      twin.submit(bidding("on two", 200_000, "two")),
    ]);
    expect(outcomes(answers)).toEqual(["created", "state_conflict"]);
    const led = small
      .node("alice")
      .unspent("auction")
      .filter(({ highestBidder }) => highestBidder !== null);
    expect(led).toHaveLength(1);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 5_500_000n, heldMicros: 5_500_000n });
  });
});

describe("two transactions that spend one state", () => {
  test("in one batch of the notary: the first is signed, the other refused, however often they are asked for", async () => {
    await small.fund("bob", 5_000_000);
    const [funds] = await small.resolved("bob", "funds");
    const [parameters] = await small.resolved("bob", "network-parameters");
    if (funds === undefined || parameters === undefined) throw new Error("bob has funds");
    const spending = (kept: number) => {
      const content: Transaction = {
        inputs: [funds.ref],
        references: [parameters.ref],
        command: { tag: "redeem-funds" },
        outputs: [
          redemption("bob", 5_000_000 - kept, { owner: small.key("bob"), provider: small.key("payment-provider") }),
          { tag: "funds", owner: small.key("bob"), amount: micros(kept) },
        ],
        signers: [small.key("bob"), small.key("payment-provider")],
        notary: small.key("notary"),
        window: { fromMs: null, untilMs: null },
      };
      return small.craft(content, "bob", "payment-provider");
    };
    const [first, second] = [spending(1_000_000), spending(2_000_000)];
    const commit = vi.spyOn(small.commitLog, "commit");
    const asked = ["bob", "alice"].map((name, index) =>
      small.ask(name, "notary", "notarise", index === 0 ? first : second),
    );
    const replies = await Promise.all(asked);
    expect(commit.mock.calls.map(([, requests]) => requests.map(({ txId }) => txId))).toEqual([
      [first.transaction.id, second.transaction.id],
    ]);
    expect(replies.map(({ tag }) => tag)).toEqual(["notarised", "refused"]);
    // Afterwards and over HTTP the answers are the same.
    expect((await stage.ask("alice", "notary", "notarise", first)).tag).toBe("notarised");
    expect(refusalIn(await stage.ask("bob", "notary", "notarise", second))).toMatchObject({ tag: "state_conflict" });
    const logged = [...small.commitLog.scan()].map(({ txId }) => txId);
    expect(logged.filter((txId) => txId === first.transaction.id)).toHaveLength(1);
    expect(logged).not.toContain(second.transaction.id);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 5_000_000n, heldMicros: 5_000_000n });
  });
});

describe("a transaction that was final long ago", () => {
  test("sent again to all, by anybody, also after a restart, changes nothing", async () => {
    await small.join("carol");
    for (const name of ["alice", "bob", "carol"]) await small.fund(name, 5_000_000);
    await small.run("alice", promising("p", 5_000));
    await small.run("alice", auctioning(small, "auction", 2_000));
    await small.run("bob", bidding("low", 120_000));
    await small.run("carol", bidding("high", 150_000));
    const old = [...small.commitLog.scan()].map(({ bytes }) => unwrap(decodeSignedTransaction(new Uint8Array(bytes))));
    const before = await small.everything();
    let stored = 0;
    for (const restart of [false, true]) {
      if (restart) for (const name of ["alice", "bob", "verifier"]) await small.ledger.restart(name);
      for (const signed of old) {
        const reply = await stage.ask("bob", "notary", "notarise", signed);
        if (reply.tag !== "notarised") throw new Error("the notary repeats its answer");
        const final = encodeSignedTransaction({ ...signed, notarySignature: reply.signature });
        for (const name of ["alice", "bob", "verifier"]) {
          const again = await stage.send("bob", name, { tag: "final", transaction: final });
          expect(["stored", "refused"]).toContain(again.tag);
          if (again.tag === "stored") stored += 1;
          else expect(refusalIn(again)).toEqual({ tag: "role_not_allowed" });
        }
      }
      expect(await small.everything()).toEqual(before);
    }
    expect(stored).toBeGreaterThan(15);
  });
});
