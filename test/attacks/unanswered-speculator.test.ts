/**
 * A speculator that would buy without a margin that answers for the surplus cost, or take back one that is needed, and a grid
 * authority that would take more of it than was settled.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand, SignedTransaction, State, Transaction } from "#contracts";
import { micros, microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, SLOT, SLOT_END_MS, type SmallNetwork } from "#testkit";
import { altered, clausesIn, ordering, promising, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found({ rules: { surplusPrice: microsPerKwh(20_000) } });
  small = stage.small;
  await small.join("alice");
  await small.join("sam", {
    roles: ["speculator"],
    capacityPerSlot: wattHours(0),
    holdingCapPerSlot: wattHours(10_000),
  });
  for (const name of ["alice", "sam"]) await small.fund(name, 5_000_000, 5_000_000);
});
afterEach(() => stage.close());

/** Every transaction that the notary made final is the answer to all who would sign this one. */
async function everybodyRefuses(
  attempt: Transaction,
  by: string,
  accomplices: readonly string[],
  clauses: readonly string[],
): Promise<void> {
  const before = await small.everything();
  stage.proving(by);
  const signed = small.craft(attempt, by);
  const others = ["verifier", "marketplace", "grid-authority"].filter(
    (name) => name !== by && attempt.signers.includes(small.key(name)),
  );
  for (const name of others) expect(clausesIn(await stage.ask(by, name, "sign", signed)), name).toEqual(clauses);
  const colluding: SignedTransaction = small.craft(attempt, by, ...accomplices);
  expect(clausesIn(await stage.ask(by, "notary", "notarise", colluding))).toEqual(clauses);
  expect(await small.everything()).toEqual(before);
}

/** The content with all margins left out and their money free. */
function withoutMargin(content: Transaction): Transaction {
  const margin = content.outputs.reduce((sum, state) => sum + (state.tag === "margin" ? state.amount : 0n), 0n);
  const outputs = content.outputs.flatMap((state): readonly State[] => {
    if (state.tag === "margin") return [];
    return state.tag === "funds" ? [{ ...state, amount: micros(state.amount + margin) }] : [state];
  });
  return { ...content, outputs };
}

describe("a speculator", () => {
  test("buys nothing without a margin, whoever colludes", async () => {
    const { content } = (await stage.taken("sam", ordering(small, "o", "bid", 2_000, 100_000))).transaction;
    await everybodyRefuses(withoutMargin(content), "sam", ["marketplace", "verifier"], ["exposure_margin_locked"]);
    await small.run("sam", ordering(small, "honest", "bid", 2_000, 100_000));
  });

  test("takes back no margin that is needed, nor one that an older exposure does not need", async () => {
    await small.run("sam", ordering(small, "first", "bid", 2_000, 0));
    await small.run("sam", { tag: "cancel-orders", commandId: "back", orderIds: ["first/0"] });
    const release: ClientCommand = { tag: "release-margin", commandId: "release", day: DAY };
    const { transaction } = await stage.taken("sam", release);
    await small.run("sam", ordering(small, "second", "bid", 1_000, 0));
    const whole = { ...transaction.content };
    // It cites the exposure from before the second order, which the notary knows to be spent.
    const stale = await stage.ask("sam", "notary", "notarise", small.craft(whole, "sam"));
    expect(clausesIn(stale)).toEqual(["state_conflict"]);
    const fresh = (await small.resolved("sam", "exposure")).map(({ ref }) => ref);
    const margins = (await small.resolved("sam", "margin")).map(({ ref }) => ref);
    const [parameters] = (await small.resolved("sam", "network-parameters")).map(({ ref }) => ref);
    const greedy: Transaction = {
      ...whole,
      inputs: margins,
      references: [...(parameters === undefined ? [] : [parameters]), ...fresh],
    };
    const before = await small.everything();
    expect(clausesIn(await stage.ask("sam", "notary", "notarise", small.craft(greedy, "sam")))).toEqual([
      "release_keeps_what_is_needed",
    ]);
    expect(await small.everything()).toEqual(before);
  });

  test("can't buy and release at once, by two nodes: one of the two is spent", async () => {
    await small.run("sam", ordering(small, "first", "bid", 2_000, 0));
    await small.run("sam", { tag: "cancel-orders", commandId: "back", orderIds: ["first/0"] });
    const twin = await stage.twinOf("sam");
    const results = await Promise.all([
      small.submit("sam", { tag: "release-margin", commandId: "release", day: DAY }),
      twin.submit(ordering(small, "order", "bid", 2_000, 0)),
    ]);
    expect(results.some(({ ok }) => ok)).toBe(true);
    const locked = small
      .node("grid-authority")
      .unspent("margin")
      .reduce((sum, { amount }) => sum + amount, 0n);
    const buying = small
      .node("grid-authority")
      .unspent("exposure")
      .flatMap(({ entries }) => entries)
      .reduce((sum, { bought, bidding }) => sum + bought + bidding, 0n);
    expect(locked * 1_000n >= buying * 20_000n).toBe(true);
  });
});

test("the grid authority takes no more of a margin than the settlement says, though its owner does not sign", async () => {
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  const prices = (price: number) => slots.map(() => microsPerKwh(price));
  const [feedIn, retail] = [prices(0), prices(300_000)];
  await small.run("power-company", { tag: "publish-tariff", commandId: "tariff", day: DAY, feedIn, retail });
  await small.run("alice", promising("promise", 5_000));
  await small.run("alice", ordering(small, "offer", "offer", 2_000, 100_000));
  await small.run("sam", ordering(small, "order", "bid", 2_000, 100_000));
  const price = microsPerKwh(100_000);
  const trades = [{ bid: "order/0", offer: "offer/0", energy: wattHours(2_000), price }];
  await small.run("marketplace", { tag: "clear-pool", commandId: "round", slot: SLOT, price, isFinal: true, trades });
  small.clock.moveTo(SLOT_END_MS + 700_000);
  const reading = (name: string, produced: number) => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(0),
  });
  const readings = [reading("alice", 5_000), reading("sam", 0)];
  await small.run("grid-authority", { tag: "record-meters", commandId: "meters", slot: SLOT, readings });
  await small.run("grid-authority", {
    tag: "check-delivery",
    commandId: "check",
    supplier: small.key("alice"),
    slot: SLOT,
  });
  const settling: ClientCommand = { tag: "settle-slot", commandId: "settle", member: small.key("sam"), slot: SLOT };
  const { content } = (await stage.taken("grid-authority", settling)).transaction;
  const silent: Transaction = {
    ...content,
    signers: content.signers.filter((key) => key !== small.key("sam")),
    window: { fromMs: SLOT_END_MS + 700_000, untilMs: null },
  };
  const dearer = altered(silent, "slot-settlement", (settlement) => [
    { ...settlement, surplusAmount: micros(settlement.surplusAmount + 1n) },
  ]);
  stage.proving("grid-authority");
  const notarised = (attempt: Transaction) =>
    stage.ask("grid-authority", "notary", "notarise", small.craft(attempt, "grid-authority", "power-company"));
  expect(clausesIn(await notarised(dearer))).toEqual(["settlement_recorded"]);
  const elsewhere = altered(silent, "funds", (funds) => [{ ...funds, owner: small.key("grid-authority") }]);
  expect(clausesIn(await notarised(elsewhere))).toContain("settlement_money_follows");
  expect((await notarised(silent)).tag).toBe("notarised");
});
