/** A round too large for one transaction: the same trades, money and energy in several, and everything given back in the end. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { CLEARED_PARTIES_MAX, decodeSignedTransaction, type PoolTrade } from "#contracts";
import { microsPerKwh, unwrap, wattHours } from "#core";
import { ownerClient } from "#ledger-client";
import { SLOT, SmallNetwork } from "#testkit";
import { payAsClear } from "./clearing/index.ts";
import { cutTrades } from "./clearing-steps.ts";
import { Marketplace } from "./service.ts";

const opened: SmallNetwork[] = [];
afterEach(() => {
  for (const small of opened.splice(0)) small.close();
});

const trade = (bid: string, offer: string): PoolTrade => ({
  bid,
  offer,
  energy: wattHours(1),
  price: microsPerKwh(1),
});

test("trades are cut in their order, and no part is of more owners than it may be", () => {
  const names = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(fc.array(fc.tuple(names, names)), fc.integer({ min: 2, max: 9 }), (pairs, partiesMax) => {
      const trades = pairs.map(([bid, offer]) => trade(`bid ${bid}`, `offer ${offer}`));
      // Owners have several orders each.
      const orders = trades.flatMap(({ bid, offer }) =>
        [bid, offer].map((orderId) => ({ orderId, owner: `owner ${orderId.length}${orderId.at(-1)}` as never })),
      );
      const ownerOf = new Map(orders.map(({ orderId, owner }) => [orderId, owner]));
      const parts = cutTrades(trades, orders, partiesMax);
      expect(parts.flat()).toEqual(trades);
      for (const part of parts) {
        const owners = new Set(part.flatMap(({ bid, offer }) => [ownerOf.get(bid), ownerOf.get(offer)]));
        expect(part.length).toBeGreaterThan(0);
        expect(owners.size).toBeLessThanOrEqual(partiesMax);
      }
    }),
  );
});

describe("a final round of more orders than fit", () => {
  test("is cleared in several transactions at one price, and gives back all that is left", async () => {
    const pairs = CLEARED_PARTIES_MAX / 2 + 4;
    const small = await SmallNetwork.found();
    opened.push(small);
    const [sellers, buyers] = [
      Array.from({ length: pairs }, (_, index) => `seller ${index}`),
      Array.from({ length: pairs }, (_, index) => `buyer ${index}`),
    ];
    for (const names of [sellers, buyers]) await small.serve("hub", ...names);
    const marketplace = small.key("marketplace");
    const place = async (name: string, side: "bid" | "offer", energy: number, limit: number): Promise<void> => {
      const orders = [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }];
      await small.run(name, { tag: "place-orders", commandId: `${side} of ${name}`, marketplace, orders });
    };
    for (const name of [...sellers, ...buyers]) await small.fund(name, 50_000_000);
    for (const name of sellers) {
      const promises = [{ slot: SLOT, energy: wattHours(1_000) }];
      await small.run(name, { tag: "create-promises", commandId: `promise of ${name}`, promises });
      await place(name, "offer", 1_000, 100_000);
    }
    // One buyer takes what many sell, so that its order goes on from one transaction to the next; a few others find nothing left.
    await place("buyer 0", "bid", 5_000, 300_000);
    for (const name of buyers.slice(1)) await place(name, "bid", 1_000, 200_000);
    const before = [...small.commitLog.scan()].length;
    const operator = new Marketplace({
      client: ownerClient(small.node("marketplace")),
      method: payAsClear,
      nowMs: () => small.clock.nowMs(),
    });
    expect(await operator.clearSlots([SLOT], true)).toEqual([]);
    const clearings = [...small.commitLog.scan()].slice(before).map(({ bytes }) => {
      const { command } = unwrap(decodeSignedTransaction(new Uint8Array(bytes))).transaction.content;
      return command.tag === "clear-pool" ? command : undefined;
    });
    expect(clearings.length).toBeGreaterThan(1);
    const trades = clearings.flatMap((command) => command?.trades ?? []);
    const [round] = operator.rounds();
    expect(trades.reduce((sum, { energy }) => sum + energy, 0n)).toBe(BigInt(pairs) * 1_000n);
    expect(round?.volume).toBe(BigInt(pairs) * 1_000n);
    expect(new Set(trades.map(({ price }) => price))).toEqual(new Set([round?.price]));
    expect(small.node("marketplace").unspent("pool-order")).toEqual([]);
    expect(
      small
        .node("grid-authority")
        .unspent("power-promise")
        .filter(({ lock }) => lock !== null),
    ).toEqual([]);
    const bought = (name: string): bigint =>
      small
        .node(name)
        .unspent("power-promise")
        .reduce((sum, { energy }) => sum + energy, 0n);
    expect(bought("buyer 0")).toBe(5_000n);
    expect(buyers.reduce((sum, name) => sum + bought(name), 0n)).toBe(BigInt(pairs) * 1_000n);
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect(heldMicros).toBe(issuedMicros);
  });
});
