/** A grid authority that would cut whom it likes, and suppliers that would promise in a curtailed slot all the same. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, PeerReply, PowerPromise, Transaction } from "#contracts";
import { micros, microsPerKwh, wattHours } from "#core";
import { SLOT, type SmallNetwork } from "#testkit";
import { altered, clausesIn, ordering, promising, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

/** Alice has sold 2 of her 4 kWh to bob; dave has promised 1. */
beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  for (const name of ["alice", "dave"]) await small.join(name);
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "dave"]) await small.fund(name, 5_000_000, 5_000_000);
  await small.run("alice", promising("promise", 4_000));
  await small.run("dave", promising("promise", 1_000));
  await small.run("alice", ordering(small, "offer", "offer", 2_000, 100_000));
  await small.run("bob", ordering(small, "order", "bid", 2_000, 100_000));
  const price = microsPerKwh(100_000);
  const trades = [{ bid: "order/0", offer: "offer/0", energy: wattHours(2_000), price }];
  await small.run("marketplace", { tag: "clear-pool", commandId: "round", slot: SLOT, price, isFinal: true, trades });
});
afterEach(() => stage.close());

const curtailing = (cap: number): ClientCommand => ({
  tag: "curtail-slot",
  commandId: "cap",
  slot: SLOT,
  cap: wattHours(cap),
});

function notarised(attempt: Transaction): Promise<PeerReply> {
  return stage.ask("grid-authority", "notary", "notarise", small.craft(attempt, "grid-authority"));
}

describe("the grid authority", () => {
  let content: Transaction;
  beforeEach(async () => {
    content = (await stage.taken("grid-authority", curtailing(4_000))).transaction.content;
  });

  test("can't cut what was sold", async () => {
    const before = await small.everything();
    const sold = (await small.resolved("grid-authority", "power-promise")).find(
      ({ state }) => state.tag === "power-promise" && state.owner === small.key("bob"),
    );
    const taking: Transaction = { ...content, inputs: [...content.inputs, ...(sold === undefined ? [] : [sold.ref])] };
    expect(clausesIn(await notarised(taking))).toContain("curtail_cuts_unsold_promises_alone");
    expect(await small.everything()).toEqual(before);
  });

  test("can't spare one supplier and put its part on another", async () => {
    const before = await small.everything();
    const favoured = altered(content, "power-promise", (promise: PowerPromise) => [
      { ...promise, energy: wattHours(1_000) },
    ]);
    expect(clausesIn(await notarised(favoured))).toContain("curtail_shared_pro_rata");
    expect(await small.everything()).toEqual(before);
  });

  test("can't keep of the deposits what was released", async () => {
    const kept = altered(content, "funds", (funds) => [{ ...funds, owner: small.key("grid-authority") }]);
    expect(clausesIn(await notarised(kept))).toEqual(["curtail_money_stays"]);
    const less = altered(
      altered(content, "funds", (funds) => [{ ...funds, amount: micros(funds.amount - 1n) }]),
      "deposit",
      (deposit) => [{ ...deposit, amount: micros(deposit.amount + 1n) }],
    );
    expect(clausesIn(await notarised(less))).toEqual(["curtail_releases_deposits"]);
  });

  test("can't publish another cut than it made", async () => {
    const false_ = altered(content, "curtailment", (curtailment) => [{ ...curtailment, cut: wattHours(0) }]);
    expect(clausesIn(await notarised(false_))).toEqual(["curtail_recorded"]);
    expect((await notarised(content)).tag).toBe("notarised");
  });
});

test("nobody else caps a slot", async () => {
  const { content } = (await stage.taken("grid-authority", curtailing(4_000))).transaction;
  const forged: Transaction = { ...content, signers: [small.key("dave")] };
  const reply = await stage.ask("dave", "notary", "notarise", small.craft(forged, "dave"));
  expect(clausesIn(reply)).toEqual(["curtail_signed_by_grid_authority"]);
});

describe("a supplier", () => {
  test("that hides the cap from its transaction gets no verifier's signature, nor the grid authority's", async () => {
    await small.run("grid-authority", curtailing(5_500));
    const { content } = (await stage.taken("dave", promising("more", 400))).transaction;
    const caps = new Set((await small.resolved("dave", "curtailment")).map(({ ref }) => ref.txId));
    const hiding: Transaction = { ...content, references: content.references.filter(({ txId }) => !caps.has(txId)) };
    stage.proving("dave");
    const before = await small.everything();
    for (const name of ["verifier", "grid-authority"])
      expect(await stage.ask("dave", name, "sign", small.craft(hiding, "dave")), name).toEqual({
        tag: "refused",
        refusal: { tag: "counterparty_refused", party: small.key(name), reason: "slot_curtailed", clauses: [] },
      });
    expect(await small.everything()).toEqual(before);
    await small.run("dave", promising("honest", 400));
  });
});
