/** New network parameters, money that leaves the ledger, and orders that are given back when the marketplace does not. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { micros, microsPerKwh, wattHours } from "#core";
import { GATE_MS, SLOT, SmallNetwork } from "#testkit";

let small: SmallNetwork;

beforeEach(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 5_000_000, 5_000_000);
  }
});
afterEach(() => small.close());

const PROMISE: ClientCommand = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(5_000) }],
};

function amending(commandId: string, promiseMax: number): ClientCommand {
  return { tag: "amend-parameters", commandId, changes: { promiseMax: wattHours(promiseMax) } };
}

function ordering(commandId: string, side: "bid" | "offer", limit: number): ClientCommand {
  const orders = [{ side, slot: SLOT, energy: wattHours(2_000), limit: microsPerKwh(limit) }];
  return { tag: "place-orders", commandId, marketplace: small.key("marketplace"), orders };
}

function silence(...names: readonly string[]): void {
  const keys = names.map((name) => small.key(name));
  small.wire.intercept = (_from, to, request, next) =>
    keys.includes(to) ? Promise.resolve({ tag: "refused", refusal: { tag: "node_unreachable" } }) : next(request);
}

describe("new parameters", () => {
  test("hold for everybody at once, and count up", async () => {
    await small.run("grid-authority", amending("tight", 4_000));
    for (const name of ["alice", "bob", "marketplace", "verifier"])
      expect(small.node(name).unspent("network-parameters")).toMatchObject([{ epoch: 1, promiseMax: 4_000n }]);
    expect(await small.submit("alice", PROMISE)).toMatchObject({ error: { tag: "energy_out_of_range", max: 4_000n } });
    await small.run("grid-authority", amending("wide", 6_000));
    expect((await small.submit("alice", PROMISE)).ok).toBe(true);
    expect(small.node("bob").unspent("network-parameters")).toMatchObject([{ epoch: 2 }]);
  });

  test("refuse what was signed under the old ones and is not final yet", async () => {
    let isFirst = true;
    small.wire.intercept = async (_from, _to, request, next) => {
      if (request.tag === "notarise" && isFirst) {
        isFirst = false;
        await small.run("grid-authority", amending("tight", 4_000));
      }
      return next(request);
    };
    expect(await small.submit("alice", PROMISE)).toMatchObject({ error: { tag: "energy_out_of_range" } });
    expect(small.node("alice").unspent("power-promise")).toEqual([]);
  });

  test("are the grid authority's to make, and stay sound", async () => {
    expect(await small.submit("alice", amending("mine", 1))).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
    expect(await small.submit("grid-authority", amending("too small", 1))).toEqual({
      ok: false,
      error: { tag: "contract_violated", clauses: ["parameters_stay_sound"] },
    });
    const malformed: readonly object[] = [
      {},
      { emergencyPrice: microsPerKwh(1) },
      { verifiers: [] },
      { verifierQuorum: 0.5 },
      { observers: [{ key: small.key("bob"), sees: ["everything"] }] },
      { toString: 1 },
    ];
    for (const changes of malformed)
      expect(
        await small.submit("grid-authority", {
          tag: "amend-parameters",
          commandId: "x",
          changes,
        } as unknown as ClientCommand),
      ).toEqual({ ok: false, error: { tag: "command_malformed" } });
  });
});

describe("redeeming", () => {
  const ISSUED = 20_000_000n;
  const paid = (redemptionId: string): ClientCommand => ({
    tag: "confirm-payout",
    commandId: `payout ${redemptionId}`,
    owner: small.key("alice"),
    redemptionId,
    messageId: "DREAM-1",
    endToEndId: "E2E-1",
  });

  test("makes a debt of the payment provider, which both keep, and which leaves the ledger when it is paid", async () => {
    await small.run("alice", { tag: "redeem-funds", commandId: "redeem", amount: micros(6_000_000n) });
    expect(small.balance("alice")).toBe(4_000_000n);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: ISSUED, heldMicros: ISSUED });
    const owed = { redemptionId: "redeem", owner: small.key("alice"), amount: 6_000_000n, account: "main" };
    for (const name of ["alice", "payment-provider"])
      expect(small.node(name).unspent("redemption"), name).toMatchObject([owed]);
    expect(small.node("bob").unspent("redemption")).toEqual([]);
    await small.run("payment-provider", paid("redeem"));
    expect(small.node("alice").unspent("redemption")).toEqual([]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 14_000_000n, heldMicros: 14_000_000n });
  });

  test("takes whole cents: what is below stays with the owner, and counts with the next", async () => {
    const redeem = (commandId: string, amount: bigint): ClientCommand => ({
      tag: "redeem-funds",
      commandId,
      amount: micros(amount),
      account: "savings",
    });
    await small.run("alice", redeem("first", 1_005_000n));
    expect(small.balance("alice")).toBe(9_000_000n);
    expect(await small.submit("alice", redeem("second", 9_999n))).toEqual({
      ok: false,
      error: { tag: "amount_below_cent" },
    });
    const amounts = small.node("payment-provider").unspent("redemption");
    expect(amounts.map(({ amount, account }) => [amount, account])).toEqual([[1_000_000n, "savings"]]);
  });

  test("is closed once, by the payment provider alone", async () => {
    await small.run("alice", { tag: "redeem-funds", commandId: "redeem", amount: micros(10_000n) });
    expect(await small.submit("alice", paid("redeem"))).toEqual({ ok: false, error: { tag: "role_not_allowed" } });
    expect(await small.submit("payment-provider", paid("other"))).toEqual({
      ok: false,
      error: { tag: "redemption_unknown" },
    });
    await small.run("payment-provider", paid("redeem"));
    expect(await small.run("payment-provider", paid("redeem"))).toMatchObject({ status: "exists" });
    const again = { ...paid("redeem"), commandId: "again" };
    expect(await small.submit("payment-provider", again)).toEqual({ ok: false, error: { tag: "redemption_unknown" } });
  });

  test("takes no more than there is, and nothing while the payment provider is silent", async () => {
    const redeem = (amount: bigint): ClientCommand => ({ tag: "redeem-funds", commandId: "x", amount: micros(amount) });
    expect(await small.submit("alice", redeem(10_000_001n))).toMatchObject({ error: { tag: "insufficient_funds" } });
    expect(await small.submit("alice", redeem(0n))).toEqual({ ok: false, error: { tag: "command_malformed" } });
    silence("payment-provider");
    expect(await small.submit("alice", redeem(10_000n))).toMatchObject({ error: { tag: "counterparty_refused" } });
    expect(small.balance("alice")).toBe(10_000_000n);
  });
});

describe("orders", () => {
  const cancel = (...orderIds: readonly string[]): ClientCommand => ({
    tag: "cancel-orders",
    commandId: `cancel ${orderIds}`,
    orderIds,
  });

  beforeEach(async () => {
    await small.run("alice", PROMISE);
    await small.run("alice", ordering("offer", "offer", 100_000));
    await small.run("bob", ordering("bid", "bid", 200_000));
  });

  test("are cancelled before the gate with the marketplace, and not by it", async () => {
    silence("marketplace");
    expect(await small.submit("bob", cancel("bid/0"))).toMatchObject({ error: { tag: "counterparty_refused" } });
    expect(await small.submit("marketplace", cancel("bid/0"))).toEqual({
      ok: false,
      error: { tag: "role_not_allowed" },
    });
  });

  test("are cancelled from the gate on by their owner alone", async () => {
    silence("marketplace");
    small.clock.moveTo(GATE_MS);
    for (const [name, orderId] of [
      ["alice", "offer/0"],
      ["bob", "bid/0"],
    ] as const)
      await small.run(name, cancel(orderId));
    expect(small.balance("bob")).toBe(10_000_000n);
    expect(
      small
        .node("alice")
        .unspent("power-promise")
        .map(({ lock }) => lock),
    ).toEqual([null, null]);
  });

  test("are cancelled from the gate on by the marketplace, also where their owner is silent", async () => {
    silence("alice");
    small.clock.moveTo(GATE_MS);
    await small.run("marketplace", cancel("offer/0"));
    expect(await small.submit("marketplace", cancel("bid/0", "offer/0"))).toMatchObject({ ok: false });
    small.wire.intercept = undefined;
    await small.node("marketplace").resume();
    expect(small.node("alice").unspent("pool-order")).toEqual([]);
  });

  test("of a silent owner are traded like others: the grid authority proves its position", async () => {
    silence("alice", "bob");
    const price = microsPerKwh(150_000);
    const trades = [{ bid: "bid/0", offer: "offer/0", energy: wattHours(2_000), price }];
    await small.run("marketplace", { tag: "clear-pool", commandId: "round", slot: SLOT, price, isFinal: true, trades });
    small.wire.intercept = undefined;
    await small.node("marketplace").resume();
    expect(small.balance("bob")).toBe(9_690_000n); // 10 − 2 × (0.15 + 0.005)
    expect(small.balance("alice")).toBe(7_300_000n); // 10 − 5 × 0.60 + 2 × 0.15
  });

  test("share no arrival number: what was given for one transaction serves for no other", async () => {
    let first: number | undefined;
    small.wire.intercept = async (_from, _to, request, next) => {
      const reply = await next(request);
      if (reply.tag !== "sequence") return reply;
      first ??= reply.first;
      return { ...reply, first };
    };
    await small.run("bob", ordering("early", "bid", 90_000));
    expect(await small.submit("bob", ordering("late", "bid", 90_000))).toMatchObject({
      error: { tag: "counterparty_refused", reason: "sequence_not_given" },
    });
  });
});
