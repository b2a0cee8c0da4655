/** A cap on what may be promised in a slot: who is cut, who is told, and what is refused from then on. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, wattHours } from "#core";
import { GATE_MS, NEXT_SLOT, SLOT, SmallNetwork } from "#testkit";

let small: SmallNetwork;

/** Alice promises 4 kWh and sells 2 of them to bob, dave promises 1. */
beforeEach(async () => {
  small = await SmallNetwork.found();
  for (const name of ["alice", "dave", "erin"]) await small.join(name);
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "dave", "erin"]) await small.fund(name, 5_000_000, 5_000_000, 5_000_000);
  await small.run("alice", promising("promise of alice", 4_000));
  await small.run("dave", promising("promise of dave", 1_000));
  await small.run("alice", ordering("offer", "offer", 2_000));
  await small.run("bob", ordering("order", "bid", 2_000));
  const price = microsPerKwh(100_000);
  const trades = [{ bid: "order/0", offer: "offer/0", energy: wattHours(2_000), price }];
  await small.run("marketplace", { tag: "clear-pool", commandId: "round", slot: SLOT, price, isFinal: false, trades });
});
afterEach(() => small.close());

function promising(commandId: string, energy: number, slot = SLOT): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot, energy: wattHours(energy) }] };
}

function ordering(commandId: string, side: "bid" | "offer", energy: number): ClientCommand {
  const order = { side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(100_000) };
  return { tag: "place-orders", commandId, marketplace: small.key("marketplace"), orders: [order] };
}

function curtailing(cap: number, commandId = "cap"): ClientCommand {
  return { tag: "curtail-slot", commandId, slot: SLOT, cap: wattHours(cap) };
}

function promisedBy(name: string): readonly bigint[] {
  return small
    .node(name)
    .unspent("power-promise")
    .filter(({ supplier, owner }) => supplier === small.key(name) && owner === supplier)
    .map(({ energy }) => energy);
}

const depositOf = (name: string): bigint =>
  small
    .node(name)
    .unspent("deposit")
    .reduce((sum, { amount }) => sum + amount, 0n);

describe("a cap", () => {
  test("cuts unsold promises in proportion, releases their deposits, and everybody is told", async () => {
    const held = small.node("bob").unspent("power-promise");
    await small.run("grid-authority", curtailing(4_000));
    expect([promisedBy("alice"), promisedBy("dave")]).toEqual([[1_333n], [667n]]);
    expect(small.node("bob").unspent("power-promise")).toEqual(held);
    // 4 kWh and 1 kWh less what was cut, at 0.60 per kWh.
    expect([depositOf("alice"), depositOf("dave")]).toEqual([1_999_800n, 400_200n]);
    const exposure = small.node("alice").unspent("exposure")[0]?.entries;
    expect(exposure).toMatchObject([{ promised: 3_333n }]);
    for (const name of ["alice", "bob", "erin", "power-company", "marketplace"])
      expect(small.node(name).unspent("curtailment"), name).toMatchObject([
        { slot: SLOT, cap: 4_000n, promised: 5_000n, unsold: 3_000n, cut: 1_000n },
      ]);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 60_000_000n, heldMicros: 60_000_000n });
  });

  test("that is wide enough cuts nothing", async () => {
    await small.run("grid-authority", curtailing(5_000));
    expect([promisedBy("alice"), promisedBy("dave")]).toEqual([[2_000n], [1_000n]]);
    expect([depositOf("alice"), depositOf("dave")]).toEqual([2_400_000n, 600_000n]);
  });

  test("below what is sold cuts all that is unsold, and the whole deposit of who has nothing left to deliver goes back", async () => {
    await small.run("grid-authority", curtailing(0));
    expect([promisedBy("alice"), promisedBy("dave")]).toEqual([[], []]);
    expect([depositOf("alice"), depositOf("dave")]).toEqual([1_200_000n, 0n]);
    expect(small.balance("dave")).toBe(15_000_000n);
  });

  test("leaves what is on offer, and cuts it once it is free again and the cap is said again", async () => {
    await small.run("dave", ordering("dave offers", "offer", 1_000));
    await small.run("grid-authority", curtailing(4_000));
    expect([promisedBy("alice"), depositOf("dave")]).toEqual([[1_000n], 600_000n]);
    await small.run("erin", promising("of the next slot", 1_000, NEXT_SLOT));
    await small.run("grid-authority", curtailing(2_500, "again"));
    await small.run("dave", { tag: "cancel-orders", commandId: "back", orderIds: ["dave offers/0"] });
    await small.run("grid-authority", curtailing(2_500, "and again"));
    expect([promisedBy("alice"), promisedBy("dave")]).toEqual([[], [500n]]);
    expect(small.node("bob").unspent("curtailment")).toHaveLength(1);
  });

  test("is the grid authority's to set, before the gate, for a slot of the network", async () => {
    expect(await small.submit("alice", curtailing(0))).toMatchObject({ error: { tag: "role_not_allowed" } });
    expect(
      await small.submit("grid-authority", { ...curtailing(0), slot: "2031-06-01T10:00Z/PT60M" } as ClientCommand),
    ).toMatchObject({ error: { tag: "slot_unknown" } });
    small.clock.moveTo(GATE_MS);
    expect(await small.submit("grid-authority", curtailing(0))).toMatchObject({
      error: { tag: "gate_closed", slot: SLOT, gateMs: GATE_MS },
    });
  });
});

describe("from then on", () => {
  const tooMuch = { ok: false, error: { tag: "counterparty_refused", reason: "slot_curtailed" } };

  test("nothing is promised beyond the cap: the grid authority does not sign it", async () => {
    await small.run("grid-authority", curtailing(6_000));
    await small.run("erin", promising("within", 900));
    expect(await small.submit("erin", promising("beyond", 101))).toMatchObject({
      ...tooMuch,
      error: { party: small.key("grid-authority") },
    });
    await small.run("erin", promising("exactly", 100));
    await small.run("erin", promising("another slot", 5_000, NEXT_SLOT));
  });

  test("who alone would promise more than all may is told by its own node", async () => {
    await small.run("grid-authority", curtailing(6_000));
    expect(await small.submit("erin", promising("beyond", 6_001))).toEqual({
      ok: false,
      error: { tag: "slot_curtailed", slot: SLOT, cap: 6_000n },
    });
  });

  test("of two that together pass the cap one is signed", async () => {
    await small.run("grid-authority", curtailing(6_000));
    const results = await Promise.all([
      small.submit("erin", promising("one", 600)),
      small.submit("dave", promising("other", 600)),
    ]);
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(results.find(({ ok }) => !ok)).toMatchObject(tooMuch);
  });

  test("what was signed and never became final is free again after a while", async () => {
    await small.run("grid-authority", curtailing(6_000));
    small.wire.intercept = (_from, _to, request, next) =>
      request.tag === "notarise"
        ? Promise.resolve({ tag: "refused", refusal: { tag: "state_conflict", spent: [] } })
        : next(request);
    expect((await small.submit("erin", promising("never final", 1_000))).ok).toBe(false);
    small.wire.intercept = undefined;
    expect(await small.submit("dave", promising("too early", 1_000))).toMatchObject(tooMuch);
    small.clock.moveTo(small.clock.nowMs() + 11 * 60_000);
    await small.run("dave", promising("later", 1_000));
  });
});

describe("storage", () => {
  const storage = { capacity: wattHours(1_500), powerPerSlot: wattHours(1_000), efficiencyPerMille: 900 };

  test("bounds what a storage provider promises over a day", async () => {
    await small.join("stan", { roles: ["storage-provider"], capacityPerSlot: wattHours(1_000), storage });
    await small.fund("stan", 5_000_000, 5_000_000);
    await small.run("stan", promising("first", 1_000));
    expect(await small.submit("stan", promising("second", 501, NEXT_SLOT))).toEqual({
      ok: false,
      error: { tag: "storage_exceeded", slot: NEXT_SLOT, asked: 501n, stored: 500n },
    });
    await small.run("stan", promising("less", 500, NEXT_SLOT));
  });

  test("is told when a member joins, and amended by the grid authority", async () => {
    await small.join("stan", { capacityPerSlot: wattHours(1_000), storage });
    await small.fund("stan", 5_000_000);
    const half = { ...storage, capacity: wattHours(400) };
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "amend",
      member: small.key("stan"),
      storage: half,
    });
    expect(await small.submit("stan", promising("first", 500))).toMatchObject({ error: { tag: "storage_exceeded" } });
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "remove",
      member: small.key("stan"),
      storage: null,
    });
    await small.run("stan", promising("second", 500));
  });
});
