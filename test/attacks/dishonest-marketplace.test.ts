/**
 * A marketplace that clears as it likes. What it can't: leave an order's limits, energy or locked money, trade a suspended member's
 * orders, trade them twice. What it can: choose among orders that fit; the tests at the end say so.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, orderLock, type PoolTrade, type StateOf, type Transaction } from "#contracts";
import { micros, microsPerKwh, wattHours } from "#core";
import { NEXT_SLOT, SLOT, type SmallNetwork } from "#testkit";
import { altered, clausesIn, ordering, promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

/** alice offers 4 kWh from 0.100; bob wants 3 kWh up to 0.250, carol, who came later, 3 kWh up to 0.200. */
beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  for (const name of ["bob", "carol"]) await small.join(name, { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "carol", "marketplace"]) await small.fund(name, 10_000_000);
  await small.run("alice", promising("p", 10_000));
  await small.run("alice", ordering(small, "offer", "offer", 4_000, 100_000));
  await small.run("bob", ordering(small, "bob", "bid", 3_000, 250_000));
  await small.run("carol", ordering(small, "carol", "bid", 3_000, 200_000));
});
afterEach(() => stage.close());

function trade(bid: string, energy: number, price: number): PoolTrade {
  return { bid: `${bid}/0`, offer: "offer/0", energy: wattHours(energy), price: microsPerKwh(price) };
}

function clearing(
  price: number | null,
  trades: readonly PoolTrade[],
  commandId = "round",
  isFinal = false,
): ClientCommand {
  return {
    tag: "clear-pool",
    commandId,
    slot: SLOT,
    price: price === null ? null : microsPerKwh(price),
    isFinal,
    trades,
  };
}

const FAIR: readonly PoolTrade[] = [trade("bob", 3_000, 180_000), trade("carol", 1_000, 180_000)];

async function honest(): Promise<Transaction> {
  const { content } = (await stage.taken("marketplace", clearing(180_000, FAIR))).transaction;
  stage.proving("marketplace");
  return content;
}

async function expectRefused(attempt: Transaction, clause: string, what: string): Promise<void> {
  const alone = small.craft(attempt, "marketplace");
  expect(clausesIn(await stage.ask("marketplace", "verifier", "sign", alone)), what).toContain(clause);
  const colluding = small.craft(attempt, "marketplace", "verifier");
  expect(clausesIn(await stage.ask("marketplace", "notary", "notarise", colluding)), what).toContain(clause);
}

describe("a marketplace", () => {
  test("clears no order outside its limit, energy, lock or slot, whoever colludes, and what it may is cleared as always", async () => {
    const content = await honest();
    const before = await small.everything();
    const { command } = content;
    if (command.tag !== "clear-pool") throw new Error("a round is cleared");
    const trading = (price: number, trades: readonly PoolTrade[]): Transaction => ({
      ...content,
      command: { ...command, price: microsPerKwh(price), trades },
    });
    const atPrices = (trades: readonly PoolTrade[]): Transaction => ({
      ...content,
      command: { ...command, price: null, trades },
    });
    const orders = (alter: (order: StateOf<"pool-order">) => StateOf<"pool-order">): Transaction =>
      altered(content, "pool-order", (order) => [alter(order)]);
    const relocked = (order: StateOf<"pool-order">): StateOf<"pool-order"> => ({ ...order, locked: orderLock(order) });
    const attempts: Readonly<Record<string, readonly [Transaction, string]>> = {
      "above carol's limit": [
        trading(200_001, [trade("bob", 3_000, 200_001), trade("carol", 1_000, 200_001)]),
        "clear_within_limits",
      ],
      "above carol's limit for her alone": [
        atPrices([trade("bob", 3_000, 180_000), trade("carol", 1_000, 200_001)]),
        "clear_within_limits",
      ],
      "below alice's limit": [
        trading(
          99_999,
          FAIR.map((each) => ({ ...each, price: microsPerKwh(99_999) })),
        ),
        "clear_within_limits",
      ],
      "at two prices where one is announced": [
        trading(180_000, [trade("bob", 3_000, 240_000), trade("carol", 1_000, 180_000)]),
        "clear_at_one_price",
      ],
      "more than bob wants": [trading(180_000, [trade("bob", 3_001, 180_000)]), "clear_within_orders"],
      "more than bob wants, in two trades": [
        trading(180_000, [trade("bob", 2_000, 180_000), trade("bob", 2_000, 180_000)]),
        "clear_within_orders",
      ],
      "more than alice offers": [
        trading(180_000, [trade("bob", 3_000, 180_000), trade("carol", 3_000, 180_000)]),
        "clear_within_orders",
      ],
      "nothing for something": [trading(180_000, [trade("bob", 0, 180_000)]), "clear_trades_some_energy"],
      "an order that is not there": [trading(180_000, [trade("dave", 1_000, 180_000)]), "clear_trades_known_orders"],
      "a bid as an offer": [
        trading(180_000, [{ ...trade("bob", 1_000, 180_000), offer: "carol/0" }]),
        "clear_trades_known_orders",
      ],
      "another slot": [{ ...content, command: { ...command, slot: NEXT_SLOT } }, "clear_orders_of_the_slot"],
      "carol's limit raised for the next round": [
        orders((order) => relocked({ ...order, limit: microsPerKwh(240_000) })),
        "clear_orders_go_on",
      ],
      "carol's order for more in the next round": [
        orders((order) => relocked({ ...order, energy: wattHours(3_000) })),
        "clear_orders_go_on",
      ],
      "carol's place in the queue taken": [
        orders((order) => ({ ...order, sequence: order.sequence + 9 })),
        "clear_orders_go_on",
      ],
      "a greater fee": [
        orders((order) => relocked({ ...order, marketFee: microsPerKwh(9_000) })),
        "clear_orders_go_on",
      ],
      "less locked": [orders((order) => ({ ...order, locked: micros(order.locked - 1n) })), "clear_orders_go_on"],
      "bob's energy for itself": [
        altered(content, "power-promise", (promise) => [
          promise.owner === small.key("bob") ? { ...promise, owner: small.key("marketplace") } : promise,
        ]),
        "clear_promises_follow_trades",
      ],
    };
    for (const [what, [attempt, clause]] of Object.entries(attempts)) await expectRefused(attempt, clause, what);
    expect(await small.everything()).toEqual(before);
    await small.run("marketplace", clearing(180_000, FAIR));
    // bob: 3 × (0.180 + 0.005); the marketplace has 4 × 0.005.
    expect([small.balance("bob"), small.balance("marketplace")]).toEqual([9_445_000n, 10_020_000n]);
  });

  test("trades no suspended member's order", async () => {
    const content = await honest();
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("carol"),
      standing: "suspended",
    });
    const before = await small.everything();
    const colluding = small.craft(content, "marketplace", "verifier");
    expect(refusalIn(await stage.ask("marketplace", "notary", "notarise", colluding))).toMatchObject({
      tag: "state_conflict",
    });
    expect(await small.submit("marketplace", clearing(180_000, FAIR))).toMatchObject({ ok: false });
    expect(await small.everything()).toEqual(before);
    await small.run("marketplace", clearing(180_000, FAIR.slice(0, 1)));
  });

  test("clears an order once: a second round over what the first has consumed is a conflict", async () => {
    const content = await honest();
    await small.run("marketplace", clearing(180_000, FAIR));
    const before = await small.everything();
    const again = small.craft(content, "marketplace", "verifier");
    expect(refusalIn(await stage.ask("marketplace", "notary", "notarise", again))).toMatchObject({
      tag: "state_conflict",
    });
    expect(await small.everything()).toEqual(before);
  });
});

describe("what no clause stops, because each order's owner gets what it agreed to", () => {
  test("a round that passes over the better and earlier order", async () => {
    await small.run("marketplace", clearing(180_000, [trade("carol", 3_000, 180_000)]));
    expect(small.node("bob").unspent("power-promise")).toEqual([]);
    expect(small.node("carol").unspent("power-promise")).toMatchObject([{ energy: 3_000n }]);
  });

  test("each at its limit, the difference going to the seller", async () => {
    await small.run("marketplace", clearing(null, [trade("bob", 3_000, 250_000), trade("carol", 1_000, 200_000)]));
    // 10 − 10 × 0.60 deposit + 3 × 0.250 + 1 × 0.200
    expect(small.balance("alice")).toBe(4_950_000n);
  });

  test("an order of its own, placed in knowledge of all others: it must lock and pay like anybody", async () => {
    await small.run("marketplace", ordering(small, "own", "bid", 4_000, 100_000));
    await small.run("marketplace", clearing(100_000, [trade("own", 4_000, 100_000)]));
    expect(small.node("marketplace").unspent("power-promise")).toMatchObject([{ energy: 4_000n }]);
    expect(small.balance("alice")).toBe(4_400_000n);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 40_000_000n, heldMicros: 40_000_000n });
  });
});
