/** Nodes that ask each other over HTTP come to the same ledger as nodes in one process: every state, id and amount. */
import { afterAll, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { micros, microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, overHttp, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const networks: SmallNetwork[] = [];
const wires: ReturnType<typeof overHttp>[] = [];
afterAll(async () => {
  await Promise.all(wires.map((wire) => wire.close()));
  for (const network of networks) network.close();
});

async function found(isHttp: boolean): Promise<SmallNetwork> {
  const small = await SmallNetwork.found({ seed: "over http" });
  networks.push(small);
  if (isHttp) wires.push(overHttp(small));
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("carol", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  for (const name of ["alice", "bob", "carol", "power-company"]) await small.fund(name, 10_000_000);
  return small;
}

/** The whole life of promises: made, offered, sold in a pool and in an auction, partly delivered, settled. */
function life(small: SmallNetwork): readonly (readonly [atMs: number, who: string, command: ClientCommand])[] {
  const nowMs = small.clock.nowMs();
  const marketplace = small.key("marketplace");
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  const order = (side: "bid" | "offer", energy: bigint, limit: bigint): ClientCommand => ({
    tag: "place-orders",
    commandId: side,
    marketplace,
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  });
  const reading = (name: string, produced: bigint, consumed: bigint) => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  });
  const price = microsPerKwh(175_000);
  return [
    [
      nowMs,
      "power-company",
      {
        tag: "publish-tariff",
        commandId: "tariff",
        day: DAY,
        feedIn: slots.map(() => microsPerKwh(80_000n)),
        retail: slots.map(() => microsPerKwh(300_000n)),
      },
    ],
    [
      nowMs,
      "alice",
      { tag: "create-promises", commandId: "promise", promises: [{ slot: SLOT, energy: wattHours(10_000n) }] },
    ],
    [nowMs, "alice", order("offer", 4_000n, 100_000n)],
    [nowMs, "bob", order("bid", 3_000n, 250_000n)],
    [
      nowMs,
      "marketplace",
      {
        tag: "clear-pool",
        commandId: "round 1",
        slot: SLOT,
        price,
        isFinal: true,
        trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(3_000n), price }],
      },
    ],
    [
      nowMs,
      "alice",
      {
        tag: "create-auction",
        commandId: "auction",
        marketplace,
        slot: SLOT,
        energy: wattHours(2_000n),
        basePrice: microsPerKwh(100_000n),
        deadlineMs: DEADLINE_MS,
      },
    ],
    [nowMs, "bob", { tag: "bid", commandId: "bob", auctionId: "auction", price: microsPerKwh(120_000n) }],
    [nowMs, "carol", { tag: "bid", commandId: "carol", auctionId: "auction", price: microsPerKwh(150_000n) }],
    [DEADLINE_MS, "alice", { tag: "end-auction", commandId: "end", auctionId: "auction" }],
    [DEADLINE_MS, "carol", { tag: "settle-auction", commandId: "settle", auctionId: "auction" }],
    [
      SLOT_END_MS,
      "grid-authority",
      {
        tag: "record-meters",
        commandId: "meters",
        slot: SLOT,
        readings: [reading("alice", 9_000n, 1_000n), reading("bob", 0n, 2_500n), reading("carol", 0n, 3_000n)],
      },
    ],
    [
      SLOT_END_MS,
      "grid-authority",
      { tag: "check-delivery", commandId: "check", supplier: small.key("alice"), slot: SLOT },
    ],
    ...["alice", "bob", "carol"].map(
      (name) =>
        [
          SLOT_END_MS,
          "grid-authority",
          { tag: "settle-slot", commandId: `settle ${name}`, member: small.key(name), slot: SLOT },
        ] as const,
    ),
  ];
}

async function live(small: SmallNetwork): Promise<void> {
  for (const [atMs, who, command] of life(small)) {
    small.clock.moveTo(Math.max(atMs, small.clock.nowMs()));
    await small.run(who, command);
  }
}

describe("the whole life of a promise", () => {
  test("leads to the same ledger over HTTP as in one process", async () => {
    const [near, far] = [await found(false), await found(true)];
    await live(near);
    await live(far);
    expect(await far.everything()).toEqual(await near.everything());
    expect(far.ledger.moneyHeld()).toMatchObject({ issuedMicros: 40_000_000n, heldMicros: 40_000_000n });
    const [wire] = wires;
    expect(wire?.faults).toEqual([]);
    expect(wire?.counters).toMatchObject({ envelopesRefused: 0, envelopesFailed: 0 });
    expect(wire?.counters.messagesReceived).toBe(wire?.counters.messagesSent);
  });
});

test("two nodes under a flood of 200 flows that need each other's answers finish them all", async () => {
  const small = await SmallNetwork.found({ seed: "flood" });
  networks.push(small);
  const wire = overHttp(small);
  wires.push(wire);
  await small.join("alice");
  await small.fund("alice", ...Array.from({ length: 100 }, () => 1_000_000));
  /** While other flows hold all her funds there are none for this one: it is begun again. */
  const redeem = async (number: number): Promise<{ readonly status: string }> => {
    const command = { tag: "redeem-funds", commandId: `redeem ${number}`, amount: micros(400_000n) } as const;
    for (;;) {
      const done = await small.submit("alice", command);
      if (done.ok) return done.value;
      expect(done.error.tag).toBe("insufficient_funds");
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  };
  const flows = Array.from({ length: 100 }, (_, number) => [
    // alice asks the payment provider to sign; it asks her for proofs of her funds.
    redeem(number),
    // The payment provider tells alice of funds of hers.
    small.run("payment-provider", {
      tag: "issue-funds",
      commandId: `flood ${number}`,
      to: small.key("alice"),
      amounts: [micros(1_000_000n)],
    }),
  ]).flat();
  const receipts = await Promise.all(flows);
  expect(receipts.filter(({ status }) => status === "created")).toHaveLength(200);
  expect(small.balance("alice")).toBe(160_000_000n);
  expect(small.node("payment-provider").unspent("redemption")).toHaveLength(100);
  expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 200_000_000n, heldMicros: 200_000_000n });
  expect(wire.counters).toMatchObject({ envelopesRefused: 0, envelopesFailed: 0 });
  expect(wire.counters.envelopesSent).toBeLessThan(wire.counters.messagesSent / 2);
});
