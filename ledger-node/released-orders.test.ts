/** What an order locked is free again for its owner, and gone from the marketplace, whoever gave the order back. */
import { expect, test } from "vitest";
import { microsPerKwh, wattHours } from "#core";
import { GATE_MS, SLOT, SmallNetwork } from "#testkit";

test("an order that its owner takes back alone after the gate leaves nothing at the marketplace", async () => {
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
  small.clock.moveTo(GATE_MS);
  await small.run("alice", { tag: "cancel-orders", commandId: "cancel", orderIds: ["offer/0"] });
  expect(small.node("marketplace").unspent("pool-order")).toEqual([]);
  expect(small.node("marketplace").unspent("power-promise")).toEqual([]);
  await small.ledger.restart("marketplace");
  expect(small.node("marketplace").unspent("power-promise")).toEqual([]);
  small.close();
});
