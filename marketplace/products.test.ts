/** Products of a slot's pool: which offers give what bids require, and in which order they are cleared. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClaimRequirement, Claims, ClientCommand } from "#contracts";
import { microsPerKwh, wattHours } from "#core";
import { ownerClient } from "#ledger-client";
import { AGENCY, agencyRecord, CERTIFIED_SOLAR, order, promise, RENEWABLE, SLOT, SmallNetwork, SOLAR } from "#testkit";
import { payAsClear } from "./clearing/index.ts";
import { productsOf } from "./products.ts";
import { Marketplace } from "./service.ts";

const SOLAR_ONLY: ClaimRequirement = { ...RENEWABLE, source: "solar" };
const WIND: Claims = { ...CERTIFIED_SOLAR, source: "wind", gramsCo2PerKwh: 12 };

describe("products", () => {
  const bids = [
    order("bid", "bob", 1_000, 200_000, { requires: RENEWABLE }),
    order("bid", "carol", 1_000, 200_000, { requires: SOLAR_ONLY }),
    order("bid", "dave", 1_000, 200_000),
  ];
  const offers = ["alice", "erin", "frank"].map((name) => order("offer", name, 1_000, 100_000));
  const offered = (name: string, claims: Claims | null): ReturnType<typeof promise> =>
    promise(name, 1_000, { claims, lock: { kind: "order", id: `offer of ${name}` } });
  const promises = [offered("alice", CERTIFIED_SOLAR), offered("erin", WIND), offered("frank", SOLAR)];

  test("are the requirements of bids, those that fewest offers give first", () => {
    expect(productsOf([...bids, ...offers], promises, [agencyRecord(1_000, 0)])).toEqual([
      { requires: SOLAR_ONLY, offers: new Set(["offer of alice"]) },
      { requires: RENEWABLE, offers: new Set(["offer of alice", "offer of erin"]) },
    ]);
  });

  test("of as many offers each come in the order of their text", () => {
    const all = [...offers, ...bids].reverse();
    const two = [
      { ...RENEWABLE, origin: "feeder 3" },
      SOLAR_ONLY,
      { ...RENEWABLE, gramsCo2PerKwhMax: 40, source: "solar" },
    ];
    const asked = two.map((requires, index) =>
      order("bid", "bob", 1, 1, { orderId: `${index}`, requires: requires as ClaimRequirement }),
    );
    const only = [offered("alice", CERTIFIED_SOLAR)];
    const forwards = productsOf([...all, ...asked], only, [agencyRecord(0, 0)]);
    expect(forwards).toEqual(productsOf([...asked, ...all].reverse(), only, [agencyRecord(0, 0)]));
    expect(forwards).toHaveLength(4);
  });

  test("take no offer of which one promise is weaker, none that nobody knows, and none of an agency that was too often wrong", () => {
    const weak = [...promises, offered("alice", null)];
    expect(productsOf([...bids, ...offers], weak, [agencyRecord(1_000, 0)])).toEqual([
      { requires: RENEWABLE, offers: new Set(["offer of erin"]) },
    ]);
    expect(productsOf([...bids, ...offers], [], [agencyRecord(1_000, 0)])).toEqual([]);
    expect(productsOf([...bids, ...offers], promises, [agencyRecord(1_000, 1)])).toEqual([]);
  });
});

describe("a round with products", () => {
  let small: SmallNetwork;
  let marketplace: Marketplace;
  const { certifiedBy: _, ...claims } = SOLAR;

  beforeEach(async () => {
    small = await SmallNetwork.found();
    const client = ownerClient(small.node("marketplace"));
    marketplace = new Marketplace({ client, method: payAsClear, nowMs: () => small.clock.nowMs() });
    for (const name of ["alice", "dave", "bob", "carol"]) {
      await small.join(name);
      await small.fund(name, 5_000_000, 5_000_000, 5_000_000);
    }
    await small.join("agency", { roles: AGENCY.roles, capacityPerSlot: wattHours(0) });
    await small.run("alice", {
      tag: "create-promises",
      commandId: "green",
      promises: [{ slot: SLOT, energy: wattHours(3_000), claims }],
    });
    await small.run("alice", { tag: "certify-claims", commandId: "c", agency: small.key("agency"), slots: [SLOT] });
    await small.run("dave", {
      tag: "create-promises",
      commandId: "grey",
      promises: [{ slot: SLOT, energy: wattHours(3_000) }],
    });
  });
  afterEach(() => small.close());

  function ordering(
    commandId: string,
    side: "bid" | "offer",
    energy: number,
    limit: number,
    requires?: ClaimRequirement,
  ): ClientCommand {
    const asked = { side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) };
    return {
      tag: "place-orders",
      commandId,
      marketplace: small.key("marketplace"),
      orders: [{ ...asked, ...(requires === undefined ? {} : { requires }) }],
    };
  }

  /** What a member holds of others' promises: certified, and other. */
  function bought(name: string): readonly number[] {
    const own = small
      .node(name)
      .unspent("power-promise")
      .filter(({ owner, supplier }) => owner === small.key(name) && supplier !== owner);
    const sum = (isCertified: boolean): number =>
      own.reduce(
        (total, { energy, claims: said }) => total + (isCertified === (said !== null) ? Number(energy) : 0),
        0,
      );
    return [sum(true), sum(false)];
  }

  test("gives certified energy to who requires it, and what is left to everybody", async () => {
    await small.run("alice", ordering("green offer", "offer", 3_000, 100_000));
    await small.run("dave", ordering("grey offer", "offer", 3_000, 110_000));
    await small.run("bob", ordering("bob", "bid", 1_000, 250_000, RENEWABLE));
    await small.run("carol", ordering("carol", "bid", 4_000, 200_000));
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(bought("bob")).toEqual([1_000, 0]);
    expect(bought("carol")).toEqual([2_000, 2_000]);
    // Certified: one bid of 1 kWh, and the offer is filled in part, so its limit is the price. The rest: 2 of alice, 2 of dave's 3.
    expect(marketplace.rounds()).toMatchObject([
      { requires: RENEWABLE, price: 100_000n, volume: 1_000n, isFinal: true },
      { requires: null, price: 110_000n, volume: 4_000n, isFinal: true },
    ]);
    expect(small.node("marketplace").unspent("pool-order")).toEqual([]);
  });

  test("gives the strictest bids their energy before others take it", async () => {
    await small.run("alice", ordering("green offer", "offer", 1_000, 100_000));
    await small.run("bob", ordering("bob", "bid", 1_000, 250_000));
    await small.run("carol", ordering("carol", "bid", 1_000, 150_000, SOLAR_ONLY));
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect([bought("bob"), bought("carol")]).toEqual([
      [0, 0],
      [1_000, 0],
    ]);
  });

  test("leaves a bid that nobody can serve in the pool, and gives its money back in the last round", async () => {
    await small.run("dave", ordering("grey offer", "offer", 3_000, 100_000));
    await small.run("bob", ordering("bob", "bid", 1_000, 250_000, RENEWABLE));
    expect(await marketplace.clearSlots([SLOT], false)).toEqual([]);
    expect(small.node("marketplace").unspent("pool-order")).toHaveLength(2);
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(small.balance("bob")).toBe(15_000_000n);
    expect(bought("bob")).toEqual([0, 0]);
  });

  test("takes an offer of certified and other promises for an offer of any energy", async () => {
    await small.run("alice", {
      tag: "create-promises",
      commandId: "more",
      promises: [{ slot: SLOT, energy: wattHours(1_000) }],
    });
    await small.run("alice", ordering("mixed", "offer", 4_000, 100_000));
    await small.run("bob", ordering("bob", "bid", 500, 250_000, RENEWABLE));
    await small.run("carol", ordering("carol", "bid", 500, 150_000));
    expect(await marketplace.clearSlots([SLOT], true)).toEqual([]);
    expect(bought("bob")).toEqual([0, 0]);
    expect(bought("carol").reduce((sum, energy) => sum + energy, 0)).toBe(500);
  });
});
