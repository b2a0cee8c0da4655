/** What an order locked is free again for its owner, and gone from the marketplace, whoever gave the order back. */
import { expect, test } from "vitest";
import { microsPerKwh, wattHours } from "#core";
import { GATE_MS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

async function offered(): Promise<SmallNetwork> {
  const small = await SmallNetwork.found();
  await small.join("alice");
  await small.fund("alice", 5_000_000);
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(4_000) }],
  });
  await small.run("alice", {
    tag: "place-orders",
    commandId: "offer",
    marketplace: small.key("marketplace"),
    orders: [{ side: "offer", slot: SLOT, energy: wattHours(1_000), limit: microsPerKwh(100_000) }],
  });
  expect(small.node("marketplace").unspent("power-promise")).toHaveLength(1);
  return small;
}

async function cancelled(small: SmallNetwork): Promise<void> {
  await small.run("alice", { tag: "cancel-orders", commandId: "cancel", orderIds: ["offer/0"] });
  expect(small.node("marketplace").unspent("pool-order")).toEqual([]);
  expect(small.node("marketplace").unspent("power-promise")).toEqual([]);
  await small.ledger.restart("marketplace");
  expect(small.node("marketplace").unspent("power-promise")).toEqual([]);
  small.close();
}

test("an order that its owner takes back alone after the gate leaves nothing at the marketplace", async () => {
  const small = await offered();
  small.clock.moveTo(GATE_MS);
  await cancelled(small);
});

test("nor does one whose promises the check of the delivery has freed before", async () => {
  const small = await offered();
  small.clock.moveTo(SLOT_END_MS);
  const alice = small.key("alice");
  await small.run("grid-authority", {
    tag: "record-meters",
    commandId: "meters",
    slot: SLOT,
    readings: [{ member: alice, produced: wattHours(4_000), consumed: wattHours(0) }],
  });
  await small.run("grid-authority", { tag: "check-delivery", commandId: "check", supplier: alice, slot: SLOT });
  await cancelled(small);
});
