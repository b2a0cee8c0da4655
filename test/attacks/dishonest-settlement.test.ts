/**
 * Settlements that pay less, pay nobody, pay another, or change what is sold: whoever drafts them, nobody signs them, and the notary
 * takes none even where all signers collude.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, Funds, PowerPromise, State, Transaction } from "#contracts";
import { micros, microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, NEXT_SLOT, SLOT, SLOT_END_MS, type SmallNetwork } from "#testkit";
import { altered, auctioning, bidding, clausesIn, promising, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  for (const name of ["bob", "carol"]) await small.join(name, { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "carol", "power-company"]) await small.fund(name, 10_000_000);
});
afterEach(() => stage.close());

/** Each attempt is refused with its clause by every other signer, and by the notary though all of them have signed; nothing changes. */
async function expectRefused(
  by: string,
  others: readonly string[],
  attempts: Readonly<Record<string, readonly [attempt: Transaction, clause: string]>>,
): Promise<void> {
  stage.proving(by);
  const before = await small.everything();
  for (const [what, [attempt, clause]] of Object.entries(attempts)) {
    const alone = small.craft(attempt, by);
    const asked = others.filter((name) => attempt.signers.includes(small.key(name)));
    for (const name of asked)
      expect(clausesIn(await stage.ask(by, name, "sign", alone)), `${what}, to ${name}`).toContain(clause);
    const colluding = small.craft(attempt, by, ...asked);
    expect(clausesIn(await stage.ask(by, "notary", "notarise", colluding)), `${what}, all colluding`).toContain(clause);
  }
  expect(await small.everything()).toEqual(before);
}

function paying(content: Transaction, name: string, more: bigint): Transaction {
  const owner = small.key(name);
  return altered(content, "funds", (funds) =>
    funds.owner === owner ? [{ ...funds, amount: micros(funds.amount + more) }] : [funds],
  );
}

function alsoMaking(content: Transaction, ...states: readonly State[]): Transaction {
  return { ...content, outputs: [...content.outputs, ...states] };
}

function fundsOf(name: string, amount: bigint): Funds {
  return { tag: "funds", owner: small.key(name), amount: micros(amount) };
}

describe("the winner of an auction of 2 kWh at 0.150", () => {
  let content: Transaction;

  beforeEach(async () => {
    await small.run("alice", promising("p", 5_000));
    await small.run("alice", auctioning(small, "auction", 2_000));
    await small.run("carol", bidding("low", 120_000));
    await small.run("bob", bidding("high", 150_000));
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    content = (await stage.taken("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" }))
      .transaction.content;
  });

  function promised(alter: (promise: PowerPromise) => readonly State[]): Transaction {
    return altered(content, "power-promise", alter);
  }

  test("pays seller and marketplace what it bid, and changes nothing of what it buys", async () => {
    const pays = "settle_pays_the_bid";
    const conserves = "settle_promises_conserved";
    await expectRefused("bob", ["alice", "grid-authority", "verifier"], {
      "less to the seller": [alsoMaking(paying(content, "alice", -100_000n), fundsOf("bob", 100_000n)), pays],
      "a micro less to the seller": [alsoMaking(paying(content, "alice", -1n), fundsOf("bob", 1n)), pays],
      "less to the marketplace": [alsoMaking(paying(content, "marketplace", -1n), fundsOf("bob", 1n)), pays],
      "the seller's money to another": [
        alsoMaking(paying(content, "alice", -100_000n), fundsOf("carol", 100_000n)),
        pays,
      ],
      nobody: [altered(content, "funds", () => []), "money_conserved"],
      "all back to itself": [altered(content, "funds", (funds) => [{ ...funds, owner: small.key("bob") }]), pays],
      "more energy": [promised((promise) => [{ ...promise, energy: wattHours(3_000) }]), conserves],
      "another slot": [promised((promise) => [{ ...promise, slot: NEXT_SLOT }]), conserves],
      "another supplier": [promised((promise) => [{ ...promise, supplier: small.key("carol") }]), conserves],
      "another promise": [promised((promise) => [{ ...promise, promiseId: "other" }]), conserves],
      "said to be delivered": [promised((promise) => [{ ...promise, delivered: promise.energy }]), conserves],
      "for another": [
        promised((promise) => [{ ...promise, owner: small.key("carol") }]),
        "settle_owner_is_highest_bidder",
      ],
      "still locked": [
        promised((promise) => [{ ...promise, lock: { kind: "auction", id: "auction" } }]),
        "settle_owner_is_highest_bidder",
      ],
      "none of the promise": [promised(() => []), conserves],
      "not counted as bought": [
        altered(content, "exposure", (exposure) => [{ ...exposure, entries: [] }]),
        "exposure_counts_the_change",
      ],
    });
    await small.run("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
    expect(small.node("bob").unspent("power-promise")).toMatchObject([{ energy: 2_000n, slot: SLOT }]);
    // 2 kWh at 0.150, and a fee of 0.005 per kWh; alice has 3.0 in her deposit.
    expect([small.balance("alice"), small.balance("bob"), small.balance("marketplace")]).toEqual([
      7_300_000n,
      9_690_000n,
      10_000n,
    ]);
  });

  test("is the highest bidder and nobody else: who was outbid settles nothing", async () => {
    const carol = small.key("carol");
    const signers = [carol, ...content.signers.filter((key) => key !== small.key("bob"))];
    const hers = altered(content, "power-promise", (promise) => [{ ...promise, owner: carol }]);
    await expectRefused("carol", ["alice", "grid-authority", "verifier"], {
      "as its owner": [{ ...hers, signers }, "settle_owner_is_highest_bidder"],
      "in the winner's name": [{ ...content, signers }, "settle_signed_by_winner"],
    });
    await small.run("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
  });
});

describe("the grid authority", () => {
  beforeEach(async () => {
    const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
    await small.run("power-company", {
      tag: "publish-tariff",
      commandId: "tariff",
      day: DAY,
      feedIn: slots.map(() => microsPerKwh(80_000)),
      retail: slots.map(() => microsPerKwh(300_000)),
    });
    await small.run("alice", promising("p", 5_000));
    small.clock.moveTo(SLOT_END_MS);
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: [{ member: small.key("alice"), produced: wattHours(4_000), consumed: wattHours(0) }],
    });
  });

  const check = (): ClientCommand => ({
    tag: "check-delivery",
    commandId: "check",
    supplier: small.key("alice"),
    slot: SLOT,
  });
  const settle = (): ClientCommand => ({
    tag: "settle-slot",
    commandId: "settle",
    member: small.key("alice"),
    slot: SLOT,
  });

  test("keeps no more of a deposit than the shortfall and its fee, and says of a promise what the meter says", async () => {
    const { content } = (await stage.taken("grid-authority", check())).transaction;
    expect(content.signers).not.toContain(small.key("alice")); // She fell short: she need not sign, the clauses protect her.
    await expectRefused("grid-authority", ["power-company"], {
      "less back to the supplier": [
        paying(paying(content, "alice", -1n), "grid-authority", 1n),
        "delivery_money_follows",
      ],
      "less to the power company": [
        paying(paying(content, "power-company", -1n), "alice", 1n),
        "delivery_money_follows",
      ],
      "nothing to anybody": [altered(content, "funds", () => []), "money_conserved"],
      "less delivered": [
        altered(content, "power-promise", (promise) => [{ ...promise, delivered: wattHours(0) }]),
        "delivery_pro_rata",
      ],
      "no record": [altered(content, "delivery-record", () => []), "delivery_recorded"],
    });
    await small.run("grid-authority", check());
    // 10 − 5 × 0.60 deposit; back: 3.0 − 1 × 0.60 lost − 4 × 0.01 fee
    expect(small.balance("alice")).toBe(9_360_000n);
  });

  test("settles a slot at the published prices and nothing else", async () => {
    await small.run("grid-authority", check());
    const { content } = (await stage.taken("grid-authority", settle())).transaction;
    await expectRefused("grid-authority", ["alice", "power-company"], {
      "less to the member": [paying(paying(content, "alice", -1n), "power-company", 1n), "settlement_money_follows"],
      "something to itself": [
        alsoMaking(paying(content, "alice", -1_000n), fundsOf("grid-authority", 1_000n)),
        "settlement_pays_the_two_parties",
      ],
      "another amount in the record": [
        altered(content, "slot-settlement", (record) => [{ ...record, feedInAmount: micros(0) }]),
        "settlement_recorded",
      ],
      "without the member": [
        { ...content, signers: content.signers.filter((key) => key !== small.key("alice")) },
        "settlement_signed_by_the_member",
      ],
    });
    await small.run("grid-authority", settle());
    expect(small.balance("alice")).toBe(9_680_000n); // and 4 × 0.08 for what she fed in
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 40_000_000n, heldMicros: 40_000_000n });
  });
});
