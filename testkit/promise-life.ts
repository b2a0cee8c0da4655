/** The whole life of a promise on a small network, command by command, for tests that disturb it. */
import type { ClientCommand } from "#contracts";
import { microsPerKwh, slotsOfLocalDay, wattHours, zone } from "#core";
import { DAY, DEADLINE_MS, SLOT, SLOT_END_MS } from "./builders.ts";
import type { SmallNetwork } from "./small-network.ts";

/** The tariff of the builders' day: 0.08 for what is fed in, 0.30 for what is drawn. */
export const LIFE_TARIFF: ClientCommand = {
  tag: "publish-tariff",
  commandId: "tariff",
  day: DAY,
  feedIn: slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15).map(() => microsPerKwh(80_000)),
  retail: slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15).map(() => microsPerKwh(300_000)),
};

/** Who gives which command, in order. Money and energy of the end are worked out in the tests. */
export function promiseLife(small: SmallNetwork): readonly (readonly [string, ClientCommand])[] {
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
    ["power-company", LIFE_TARIFF],
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

/** The members of the life, with their funds. */
export async function joinLife(small: SmallNetwork): Promise<void> {
  for (const name of ["alice", "bob", "carol"]) await small.join(name);
  for (const name of ["alice", "bob", "carol", "power-company"]) await small.fund(name, 5_000_000, 5_000_000);
}

/** Moves the clock to where a command of the life can be given. */
export function moveToCommand(small: SmallNetwork, { tag }: ClientCommand): void {
  if (tag === "end-auction") small.clock.moveTo(DEADLINE_MS);
  if (tag === "record-meters") small.clock.moveTo(SLOT_END_MS);
}
