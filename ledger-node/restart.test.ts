/** A node that is stopped at any time and started from its store holds what it held, and goes on with its work. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClientCommand } from "#contracts";
import { microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

let folder: string;
let small: SmallNetwork;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dream-restart-"));
  small = await SmallNetwork.found({ folder });
});
afterEach(() => {
  small.close();
  rmSync(folder, { recursive: true });
});

const TARIFF: ClientCommand = {
  tag: "publish-tariff",
  commandId: "tariff",
  day: DAY,
  feedIn: slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15).map(() => microsPerKwh(80_000)),
  retail: slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15).map(() => microsPerKwh(300_000)),
};

/** The life of a promise, command by command. */
function life(): readonly (readonly [string, ClientCommand])[] {
  const marketplace = small.key("marketplace");
  const orders = (commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand => ({
    tag: "place-orders",
    commandId,
    marketplace,
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  });
  const clear = (commandId: string, energy: number): ClientCommand => ({
    tag: "clear-pool",
    commandId,
    slot: SLOT,
    price: microsPerKwh(180_000),
    isFinal: energy === 0,
    trades:
      energy === 0 ? [] : [{ bid: "bid/0", offer: "offer/0", energy: wattHours(energy), price: microsPerKwh(180_000) }],
  });
  return [
    ["power-company", TARIFF],
    ["alice", { tag: "create-promises", commandId: "promise", promises: [{ slot: SLOT, energy: wattHours(10_000) }] }],
    ["alice", orders("offer", "offer", 4_000, 100_000)],
    ["bob", orders("bid", "bid", 3_000, 250_000)],
    ["marketplace", clear("round", 2_000)],
    [
      "alice",
      {
        tag: "create-auction",
        commandId: "auction",
        marketplace,
        slot: SLOT,
        energy: wattHours(2_000),
        basePrice: microsPerKwh(100_000),
        deadlineMs: DEADLINE_MS,
      },
    ],
    ["bob", { tag: "bid", commandId: "bob bids", auctionId: "auction", price: microsPerKwh(120_000) }],
    ["carol", { tag: "bid", commandId: "carol bids", auctionId: "auction", price: microsPerKwh(150_000) }],
    ["alice", { tag: "end-auction", commandId: "end", auctionId: "auction" }],
    ["carol", { tag: "settle-auction", commandId: "settle", auctionId: "auction" }],
    ["marketplace", clear("final", 0)],
    [
      "grid-authority",
      {
        tag: "record-meters",
        commandId: "meters",
        slot: SLOT,
        readings: ["alice", "bob", "carol"].map((name) => ({
          member: small.key(name),
          produced: wattHours(name === "alice" ? 9_000 : 0),
          consumed: wattHours(1_000),
        })),
      },
    ],
    ["grid-authority", { tag: "check-delivery", commandId: "check", supplier: small.key("alice"), slot: SLOT }],
    ...["alice", "bob", "carol"].map(
      (name) =>
        [
          "grid-authority",
          { tag: "settle-slot", commandId: `s ${name}`, member: small.key(name), slot: SLOT },
        ] as const,
    ),
  ];
}

async function joinAll(): Promise<void> {
  for (const name of ["alice", "bob", "carol"]) await small.join(name);
  for (const name of ["alice", "bob", "carol", "power-company"]) await small.fund(name, 5_000_000, 5_000_000);
}

function moveTo({ tag }: ClientCommand): void {
  if (tag === "end-auction") small.clock.moveTo(DEADLINE_MS);
  if (tag === "record-meters") small.clock.moveTo(SLOT_END_MS);
}

describe("restart", () => {
  test("after every command, every node comes back with the same vault, and the next command succeeds", async () => {
    await joinAll();
    for (const [name, command] of life()) {
      moveTo(command);
      await small.run(name, command);
      const before = await small.everything();
      for (const each of small.ledger.nodeNames) await small.ledger.restart(each);
      expect(await small.everything(), `after ${command.commandId}`).toEqual(before);
    }
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 40_000_000n, heldMicros: 40_000_000n });
  });

  test("a member that joined late keeps the public states that it was introduced to", async () => {
    await joinAll();
    await small.run("power-company", TARIFF);
    await small.join("late");
    const tags = ["network-parameters", "member", "tariff"] as const;
    const counts = (): readonly number[] => tags.map((tag) => small.node("late").unspent(tag).length);
    expect(counts()).toEqual([1, 9, 1]);
    const before = await small.vaultOf("late");
    await small.ledger.restart("late");
    expect(counts()).toEqual([1, 9, 1]);
    expect(await small.vaultOf("late")).toEqual(before);
  });

  test("a public state that was introduced and then replaced does not come back", async () => {
    await joinAll();
    await small.join("late");
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "probation",
      member: small.key("alice"),
      standing: "probation",
    });
    const standings = (): readonly string[] =>
      small
        .node("late")
        .unspent("member")
        .filter(({ name }) => name === "alice")
        .map(({ standing }) => standing);
    expect(standings()).toEqual(["probation"]);
    await small.ledger.restart("late");
    expect(standings()).toEqual(["probation"]);
  });
});
