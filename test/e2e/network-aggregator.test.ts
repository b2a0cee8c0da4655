/** A network in which an aggregator's process acts for homes: they promise, trade, are settled and revoke, though it is killed. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readExport } from "#contracts";
import {
  invariant,
  localDayAt,
  microsPerKwh,
  nextLocalDay,
  type Slot,
  slotsOfLocalDay,
  unwrap,
  wattHours,
  zone,
} from "#core";
import { carryBy, principalClient } from "#ledger-client";
import { ProcessNetwork } from "#testkit";

const MEMBERS = `network: { id: test/aggregator, slotMinutes: 15, timeZone: UTC }
marketplace: { roundsCron: "*/2 * * * * *" }
members:
  - { name: grid, roles: [grid-authority, meter-operator, payment-provider, marketplace] }
  - { name: power, roles: [power-company, verifier] }
  - { name: hub, roles: [aggregator] }
  - { name: roof, roles: [prosumer], capacityWhPerSlot: 5000, openingFundsPieces: 10, servedBy: hub }
  - { name: flat, roles: [consumer], openingFundsPieces: 10, servedBy: hub }
  - { name: shed, roles: [consumer], openingFundsPieces: 10, servedBy: hub, mandate: { days: 30 } }
`;
const HOMES = ["roof", "flat", "shed"];
const UTC = zone("UTC");
let network: ProcessNetwork;
let slots: readonly Slot[];

beforeAll(async () => {
  network = await ProcessNetwork.start({
    members: MEMBERS,
    host: process,
    configure: (_name, config) => config.replace("retrySeconds: 30", "retrySeconds: 1"),
  });
  slots = slotsOfLocalDay(UTC, nextLocalDay(nextLocalDay(localDayAt(UTC, Date.now()))), 15);
  await Promise.all(["power", ...HOMES].map((name) => network.funded(name)));
}, 120_000);
afterAll(() => network?.stop(), 60_000);

function slot(index: number): Slot {
  const found = slots[index];
  invariant(found !== undefined, "a day has so many slots");
  return found;
}

async function owned(name: string, { id }: Slot): Promise<bigint> {
  const promises = await network.states(name, "power-promise");
  return promises.reduce((sum, { energy, owner, slot: of }) => {
    return owner === network.key(name) && of === id ? sum + energy : sum;
  }, 0n);
}

/** What each home keeps, one line for each state. */
async function kept(): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of HOMES)
    for (const tag of ["funds", "power-promise", "deposit", "exposure", "mandate", "pool-order"] as const)
      for (const { ref } of await network.client(name).states(tag))
        lines.push(`${name} ${tag} ${ref.txId}:${ref.index}`);
  return lines.sort();
}

test("one process serves the homes, and none of their own keys is in its folder", async () => {
  expect(network.parties.map(({ name }) => name).sort()).toEqual(["grid", "hub", "notary", "power"]);
  expect((await network.command("status")).stdout).toMatch(/hub +│ aggregator of 3 members/);
  const again = await network.command("up");
  expect(again.stdout).toBe("test/aggregator: 4 nodes are up.\n");
  for (const name of HOMES) {
    const [mandate] = await network.states(name, "mandate");
    expect(mandate).toMatchObject({ mandateId: "aggregator", principal: network.key(name) });
    expect(mandate?.delegate).not.toBe(network.key(name));
    const [member] = (await network.states(name, "member")).filter(({ key }) => key === network.key(name));
    expect(member?.servedBy).toBe(network.key("hub"));
  }
});

test("a home's energy is promised, sold in a pool to its neighbour, delivered and settled", async () => {
  const sold = slot(40);
  const prices = (price: bigint): ReturnType<typeof microsPerKwh>[] => slots.map(() => microsPerKwh(price));
  await network.run("power", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: nextLocalDay(nextLocalDay(localDayAt(UTC, Date.now()))),
    feedIn: prices(60_000n),
    retail: prices(300_000n),
  });
  await network.run("roof", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: sold.id, energy: wattHours(2_000n) }],
  });
  const marketplace = network.key("grid");
  const order = (side: "bid" | "offer", energy: bigint, limit: bigint) => ({
    tag: "place-orders" as const,
    commandId: side,
    marketplace,
    orders: [{ side, slot: sold.id, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  });
  await network.run("roof", order("offer", 2_000n, 60_000n));
  await network.run("flat", order("bid", 1_500n, 100_000n));
  await network.eventually("the pool is cleared", async () => (await owned("flat", sold)) === 1_500n);
  // Killed and started again, the aggregator's process has lost nothing of any home.
  await network.eventually("the hub is idle", async () => {
    const status = await network.client("hub").status();
    return status.ok && status.value.pending + status.value.outbox === 0;
  });
  const before = await kept();
  expect(before.length).toBeGreaterThan(20);
  await network.kill("hub");
  await network.restart("hub");
  expect(await kept()).toEqual(before);
  // After the slot, the homes pay and are paid through their keys at the aggregator.
  await network.setClocks(sold.endMs + 60_000 - Date.now());
  const readings = [
    { member: network.key("roof"), produced: wattHours(1_800n), consumed: wattHours(0n) },
    { member: network.key("flat"), produced: wattHours(0n), consumed: wattHours(1_600n) },
  ];
  await network.run("grid", { tag: "record-meters", commandId: `record-meters/${sold.id}`, slot: sold.id, readings });
  for (const name of ["roof", "flat"])
    await network.eventually(`${name} is settled`, async () =>
      (await network.states(name, "slot-settlement")).some(({ member }) => member === network.key(name)),
    );
  expect((await network.states("flat", "slot-settlement"))[0]).toMatchObject({ consumed: 1_600n, retailEnergy: 100n });
}, 180_000);

test("a home revokes the aggregator's mandate by its own key; the others go on", async () => {
  const endpoint = network.clientWith("shed", network.principal("shed"));
  const client = principalClient(endpoint, { signer: network.principal("shed"), networkId: network.networkId });
  const revoked = await client.submit({ tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" });
  expect(revoked).toMatchObject({ ok: true, value: { status: "created" } });
  expect(await network.states("shed", "mandate")).toEqual([]);
  endpoint.close();
  const later = slotsOfLocalDay(UTC, nextLocalDay(nextLocalDay(localDayAt(UTC, network.nowMs()))), 15)[40];
  invariant(later !== undefined, "a day has slots");
  const bid = {
    tag: "place-orders" as const,
    commandId: "later",
    marketplace: network.key("grid"),
    orders: [{ side: "bid" as const, slot: later.id, energy: wattHours(100n), limit: microsPerKwh(90_000n) }],
  };
  expect(await network.client("shed").submit(bid)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
  // Its operator halts it, and lifts that.
  const halt = join(network.folder, "hub", "halt");
  writeFileSync(halt, "");
  expect(await network.client("flat").submit(bid)).toMatchObject({ ok: false, error: { reason: "trading_halted" } });
  rmSync(halt);
  await network.run("flat", bid);
}, 60_000);

test("a home's own key reads and acts for itself, and for no other", async () => {
  const own = network.clientWith("flat", network.principal("flat"));
  const stolen = network.clientWith("roof", network.principal("flat"));
  expect((await own.states("funds")).every(({ state }) => state.owner === network.key("flat"))).toBe(true);
  await expect(stolen.states("funds")).rejects.toThrow("request_forbidden");
  expect(await stolen.exported()).toMatchObject({ ok: false, error: { refusal: { code: "request_forbidden" } } });
  const exported = await own.exported();
  expect(exported.ok && exported.value).toContain(network.key("flat"));
  own.close();
  stolen.close();
}, 60_000);

test("a home revokes though the aggregator's process is gone: any node carries what it has signed", async () => {
  const signer = network.principal("flat");
  const own = network.clientWith("flat", signer);
  const text = await own.exported();
  own.close();
  invariant(text.ok, "a home may have its own data");
  const { networkId } = network;
  const expected = { networkId, notaries: [network.key("notary")], member: signer.publicKey };
  const exported = unwrap(readExport(text.value, expected));
  // The notary, which asks those who act what they keep, is restarted too: it can't ask the aggregator.
  await network.kill("hub");
  await network.kill("notary");
  network.configure("hub", (config) => config.replace("level: info", "level: nonsense"));
  await network.command("up");
  const carrier = network.clientWith("grid", signer);
  const command = { tag: "revoke-mandate", commandId: "leave", mandateId: "aggregator" } as const;
  const salt = new Uint8Array(32).fill(7);
  await network.eventually("the revocation is final", async () => {
    const carried = await carryBy(carrier, command, exported, { signer, networkId, nowMs: network.nowMs(), salt });
    return carried.ok;
  });
  carrier.close();
  network.configure("hub", (config) => config.replace("level: nonsense", "level: info"));
  await network.up();
  const isRevoked = async (): Promise<boolean> => (await network.states("flat", "mandate")).length === 0;
  await network.eventually("the aggregator hears of it", isRevoked);
}, 120_000);

test("all stores agree, those of the homes too", async () => {
  await network.down();
  expect(network.audit()).toMatchObject({ ok: true, value: { violations: [] } });
}, 60_000);
