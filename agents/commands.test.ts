/** Grouping of intents: few transactions, and nothing that one intent lacks undoes another of its kind elsewhere. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microsPerKwh, type SlotId, slotAt, wattHours, zone } from "#core";
import { keyOf, order, RENEWABLE, SLOT, SOLAR } from "#testkit";
import { certificationFor, commandFor, groupIntents, type LedgerIntent } from "./commands.ts";

const BERLIN = zone("Europe/Berlin");
const MARKETPLACE = keyOf("marketplace");
const at = (iso: string): SlotId => slotAt(Date.parse(iso), 15).id;

function promise(slotId: SlotId): LedgerIntent {
  return { tag: "promise", slotId, energy: wattHours(100) };
}
function offer(slotId: SlotId): LedgerIntent {
  return { tag: "offer", slotId, energy: wattHours(100), limit: microsPerKwh(1) };
}
function buy(slotId: SlotId): LedgerIntent {
  return { tag: "order", slotId, energy: wattHours(100), limit: microsPerKwh(1) };
}
const sizes = (intents: readonly LedgerIntent[]): readonly number[] =>
  groupIntents(intents, BERLIN).map((group) => group.intents.length);

describe("groups", () => {
  test("neighbours of one kind and one local day", () => {
    // 22:00 UTC is midnight in Berlin's summer.
    const [today, tomorrow] = [at("2031-06-01T21:45:00Z"), at("2031-06-01T22:00:00Z")];
    expect(sizes([promise(today), promise(today), promise(tomorrow)])).toEqual([2, 1]);
    expect(sizes([promise(today), offer(today), promise(today)])).toEqual([1, 1, 1]);
    expect(sizes([offer(today), buy(today), buy(today)])).toEqual([1, 2]);
  });

  test("what is done one by one stays apart", () => {
    const bid: LedgerIntent = { tag: "bid", auctionId: "a", price: microsPerKwh(1) };
    const cancel: LedgerIntent = { tag: "cancel", slotId: SLOT };
    expect(sizes([bid, bid, cancel, cancel])).toEqual([1, 1, 1, 1]);
  });

  test("no more than a hundred in one transaction", () => {
    expect(sizes(Array.from({ length: 250 }, () => promise(SLOT)))).toEqual([100, 100, 50]);
  });

  test("a malformed slot stands alone and stops nothing", () => {
    expect(sizes([promise(SLOT), promise("noon" as SlotId), promise(SLOT)])).toEqual([1, 1, 1]);
  });

  test("nothing is lost, doubled or reordered", () => {
    const arbSlot = fc.integer({ min: 0, max: 200 }).map((quarter) => slotAt(quarter * 900_000, 15).id);
    const arbIntent = fc
      .tuple(arbSlot, fc.constantFrom(promise, offer, buy))
      .map(([slotId, make]): LedgerIntent => make(slotId));
    fc.assert(
      fc.property(fc.array(arbIntent, { maxLength: 150 }), (intents) => {
        expect(groupIntents(intents, BERLIN).flatMap((group) => group.intents)).toEqual(intents);
      }),
    );
  });
});

describe("commands", () => {
  test("promises of a group in one command", () => {
    expect(commandFor({ intents: [promise(SLOT), promise(SLOT)] }, "id", MARKETPLACE, [])).toEqual({
      tag: "create-promises",
      commandId: "id",
      promises: [
        { slot: SLOT, energy: 100n },
        { slot: SLOT, energy: 100n },
      ],
    });
  });

  test("offers sell, orders buy", () => {
    const command = commandFor({ intents: [buy(SLOT)] }, "id", MARKETPLACE, []);
    expect(command).toMatchObject({
      tag: "place-orders",
      orders: [{ side: "bid", slot: SLOT, energy: 100n, limit: 1n }],
    });
    const sale = commandFor({ intents: [offer(SLOT)] }, "id", MARKETPLACE, []);
    expect(sale).toMatchObject({ tag: "place-orders", orders: [{ side: "offer" }] });
  });

  test("purchases carry what they require, and promises what is claimed of them", () => {
    const green: LedgerIntent = {
      tag: "order",
      slotId: SLOT,
      energy: wattHours(100),
      limit: microsPerKwh(1),
      requires: RENEWABLE,
    };
    expect(commandFor({ intents: [green, buy(SLOT)] }, "id", MARKETPLACE, [])).toMatchObject({
      orders: [{ side: "bid", requires: RENEWABLE }, { side: "bid" }],
    });
    const bid: LedgerIntent = { tag: "bid", auctionId: "a", price: microsPerKwh(1), requires: RENEWABLE };
    expect(commandFor({ intents: [bid] }, "id", MARKETPLACE, [])).toMatchObject({ tag: "bid", requires: RENEWABLE });
    const { certifiedBy: _, ...claims } = SOLAR;
    expect(commandFor({ intents: [promise(SLOT)] }, "id", MARKETPLACE, [], claims)).toMatchObject({
      promises: [{ slot: SLOT, claims }],
    });
  });

  test("a certification is of each slot of new promises once, and of nothing else", () => {
    const agency = keyOf("agency");
    expect(certificationFor({ intents: [promise(SLOT), promise(SLOT)] }, "id", agency)).toEqual({
      tag: "certify-claims",
      commandId: "id",
      agency,
      slots: [SLOT],
    });
    expect(certificationFor({ intents: [offer(SLOT)] }, "id", agency)).toBeUndefined();
  });

  test("a cover substitutes, one slot at a time", () => {
    const cover: LedgerIntent = { tag: "cover", slotId: SLOT, energy: wattHours(300) };
    expect(sizes([cover, cover])).toEqual([1, 1]);
    expect(commandFor({ intents: [cover] }, "id", MARKETPLACE, [])).toEqual({
      tag: "substitute",
      commandId: "id",
      slot: SLOT,
      energy: 300n,
    });
  });

  test("a cancellation takes back all open orders of its slot, and is no command where none is open", () => {
    const intents: readonly LedgerIntent[] = [{ tag: "cancel", slotId: SLOT }];
    const open = [order("bid", "alice", 1, 1), order("offer", "alice", 1, 2, { slot: at("2031-06-01T11:00:00Z") })];
    expect(commandFor({ intents }, "id", MARKETPLACE, open)).toEqual({
      tag: "cancel-orders",
      commandId: "id",
      orderIds: ["bid of alice"],
    });
    expect(commandFor({ intents }, "id", MARKETPLACE, [])).toBeUndefined();
  });
});
