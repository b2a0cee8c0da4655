/** A network of processes: init, up, trade, kill -9, down and up again, a late member; nothing is lost and nothing happens twice. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  compareText,
  invariant,
  localDayAt,
  micros,
  microsPerKwh,
  nextLocalDay,
  type Slot,
  slotsOfLocalDay,
  wattHours,
  zone,
} from "#core";
import type { LedgerClient } from "#ledger-client";
import { ProcessNetwork } from "#testkit";

const MEMBERS = `network: { id: test/network, slotMinutes: 15, timeZone: UTC }
marketplace: { roundsCron: "*/2 * * * * *" }
members:
  - { name: grid, roles: [grid-authority, meter-operator, payment-provider, marketplace] }
  - { name: power, roles: [power-company, verifier] }
  - { name: wind, roles: [producer], capacityWhPerSlot: 100000 }
  - { name: home, roles: [prosumer], capacityWhPerSlot: 5000, openingFundsPieces: 10 }
  - { name: shop, roles: [consumer], openingFundsPieces: 10 }
`;
const UTC = zone("UTC");
let network: ProcessNetwork;
let slots: readonly Slot[];

beforeAll(async () => {
  network = await ProcessNetwork.start({ members: MEMBERS, host: process });
  slots = slotsOfLocalDay(UTC, nextLocalDay(nextLocalDay(localDayAt(UTC, Date.now()))), 15);
  await Promise.all(["power", "wind", "home", "shop"].map((name) => network.funded(name)));
}, 120_000);
afterAll(() => network?.stop(), 60_000);

function slot(index: number): Slot["id"] {
  const found = slots[index];
  invariant(found !== undefined, "a day has so many slots");
  return found.id;
}

/** Energy that a party's node says it owns in a slot. */
async function owned(name: string, id: Slot["id"]): Promise<bigint> {
  const promises = await network.states(name, "power-promise");
  const own = promises.filter(({ owner, slot: of }) => owner === network.key(name) && of === id);
  return own.reduce((sum, { energy }) => sum + energy, 0n);
}

async function balance(name: string): Promise<bigint> {
  const funds = await network.states(name, "funds");
  return funds.filter(({ owner }) => owner === network.key(name)).reduce((sum, { amount }) => sum + amount, 0n);
}

async function vaultOf(name: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const tag of ["member", "funds", "power-promise", "deposit", "auction", "exposure", "pool-order"] as const)
    for (const { ref } of await network.client(name).states(tag)) lines.push(`${tag} ${ref.txId} ${ref.index}`);
  return lines.sort(compareText);
}

function create(
  client: Pick<LedgerClient, "submit">,
  commandId: string,
  id: Slot["id"],
  energy: bigint,
): ReturnType<LedgerClient["submit"]> {
  return client.submit({ tag: "create-promises", commandId, promises: [{ slot: id, energy: wattHours(energy) }] });
}

describe("a network", () => {
  test("tells how its nodes are", async () => {
    const { code, stdout } = await network.command("status", "--json");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as {
      readonly nodes: readonly { readonly name: string; readonly status: Record<string, unknown> }[];
    };
    expect(report.nodes.map(({ name }) => name).sort()).toEqual(["grid", "home", "notary", "power", "shop", "wind"]);
    for (const { name, status } of report.nodes)
      expect(status).toMatchObject({ name, networkId: "test/network", party: network.key(name) });
    const table = await network.command("status");
    expect(table.stdout).toMatch(/test\/network: 6 of 6 nodes answer/);
    expect(table.stdout).toMatch(/wind +│ producer/);
  });

  test("issues opening funds once", async () => {
    expect(await balance("home")).toBe(1_000_000_000n);
    await network.restart(network.holder("payment-provider"));
    await network.eventually("the payment provider answers", async () => (await network.client("grid").status()).ok);
    expect(await balance("home")).toBe(1_000_000_000n);
  });

  test("sells promises by auction, though the winner is killed while the auction runs", async () => {
    const id = slot(40);
    await network.run("wind", {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: id, energy: wattHours(4_000n) }],
    });
    const deadlineMs = Date.now() + 8_000;
    await network.run("wind", {
      tag: "create-auction",
      commandId: "auction",
      marketplace: network.key(network.holder("marketplace")),
      slot: id,
      energy: wattHours(4_000n),
      basePrice: microsPerKwh(50_000n),
      deadlineMs,
    });
    const [auction] = await network.eventually("the shop sees the auction", async () => {
      const auctions = await network.states("shop", "auction");
      return auctions.length > 0 && auctions;
    });
    invariant(auction !== undefined, "there is an auction");
    await network.run("shop", {
      tag: "bid",
      commandId: "bid",
      auctionId: auction.auctionId,
      price: microsPerKwh(90_000n),
    });
    await network.kill("shop");
    await network.restart("shop");
    await network.eventually("the shop owns what it won", async () => (await owned("shop", id)) === 4_000n, 60_000);
    // 4 kWh at 0.09, and the marketplace's fee.
    expect(await balance("shop")).toBe(1_000_000_000n - 360_000n - 16_000n);
  }, 120_000);

  test("clears its pool on schedule", async () => {
    const id = slot(41);
    const marketplace = network.key(network.holder("marketplace"));
    await network.run("wind", {
      tag: "create-promises",
      commandId: "pool promise",
      promises: [{ slot: id, energy: wattHours(2_000n) }],
    });
    await network.run("wind", {
      tag: "place-orders",
      commandId: "offer",
      marketplace,
      orders: [{ side: "offer", slot: id, energy: wattHours(2_000n), limit: microsPerKwh(60_000n) }],
    });
    await network.run("home", {
      tag: "place-orders",
      commandId: "order",
      marketplace,
      orders: [{ side: "bid", slot: id, energy: wattHours(1_500n), limit: microsPerKwh(100_000n) }],
    });
    await network.eventually("the pool is cleared", async () => (await owned("home", id)) === 1_500n);
  }, 120_000);

  test("tells how far a node lags that is down, and brings it up to date", async () => {
    const lagOfHome = async (): Promise<number | undefined> => {
      const { stdout } = await network.command("status", "--json");
      const report = JSON.parse(stdout) as {
        readonly nodes: readonly { readonly name: string; readonly lag: number }[];
      };
      return report.nodes.find(({ name }) => name === "home")?.lag;
    };
    await network.kill("home");
    await create(network.client("wind"), "while home is down", slot(43), 1_000n);
    await network.run("wind", {
      tag: "create-auction",
      commandId: "auction while home is down",
      marketplace: network.key(network.holder("marketplace")),
      slot: slot(43),
      energy: wattHours(1_000n),
      basePrice: microsPerKwh(50_000n),
      deadlineMs: Date.now() + 3_600_000,
    });
    expect(await lagOfHome()).toBe(1);
    await network.restart("home");
    await network.eventually("home is up to date", async () => (await lagOfHome()) === 0, 60_000);
    const auctions = await network.states("home", "auction");
    expect(auctions.some(({ auctionId }) => auctionId === "auction while home is down")).toBe(true);
  }, 120_000);

  test("takes a member in that joins later, and shows it what it may see", async () => {
    await network.add(
      "{ name: late, roles: [prosumer], capacityWhPerSlot: 4000, openingFundsMicros: 50000000, openingFundsPieces: 5 }",
    );
    await network.funded("late");
    expect(await balance("late")).toBe(50_000_000n);
    const made = await create(network.client("late"), "late promise", slot(42), 1_000n);
    expect(made).toMatchObject({ ok: true });
    // The others learn its address without a restart: its auction reaches them.
    await network.run("late", {
      tag: "create-auction",
      commandId: "late auction",
      marketplace: network.key("grid"),
      slot: slot(42),
      energy: wattHours(1_000n),
      basePrice: microsPerKwh(10_000n),
      deadlineMs: Date.now() + 3_600_000,
    });
    const auctions = await network.eventually("home sees the auction of the late member", async () => {
      const open = (await network.states("home", "auction")).filter(({ seller }) => seller === network.key("late"));
      return open.length > 0 && open;
    });
    await network.run("home", {
      tag: "bid",
      commandId: "late bid",
      auctionId: auctions[0]?.auctionId ?? "",
      price: microsPerKwh(20_000n),
    });
    // It was not there when others traded: of their promises it knows nothing.
    const seen = await network.states("late", "power-promise");
    expect(seen.every(({ supplier }) => supplier === network.key("late"))).toBe(true);
    const again = await network.command("add", "--member", "/nonexistent.yaml");
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there is no such file; examples\/network has one/),
    });
  }, 120_000);

  test("loses nothing when all nodes are killed at once, or go down and up", async () => {
    const names = ["grid", "power", "wind", "home", "shop", "late"];
    await network.eventually("nothing is under way", async () => {
      const all = await Promise.all(names.map((name) => network.client(name).status()));
      return all.every((each) => each.ok && each.value.pending === 0 && each.value.outbox === 0);
    });
    const before = await Promise.all(names.map(vaultOf));
    await network.killAll();
    await network.up();
    expect(await Promise.all(names.map(vaultOf))).toEqual(before);
    await network.down();
    expect((await network.command("status")).code).toBe(3);
    const audited = network.audit();
    expect(audited).toMatchObject({ ok: true, value: { violations: [] } });
    if (audited.ok) expect(audited.value.moneyHeldMicros).toBe(audited.value.moneyIssuedMicros);
    await network.up();
    expect(await Promise.all(names.map(vaultOf))).toEqual(before);
    // A command of before the stop is known, and one more can be carried out.
    const repeated = await network.client("wind").submit({
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: slot(40), energy: wattHours(4_000n) }],
    });
    expect(repeated).toMatchObject({ ok: true, value: { status: "exists" } });
    await network.eventually(
      "a promise after the restart",
      async () => (await create(network.client("wind"), "after", slot(43), 500n)).ok,
    );
  }, 120_000);

  test("refuses what its store has no room for, goes on reading, and goes on when there is room", async () => {
    network.configure("late", (config) =>
      config.replace("durability: power-loss", "durability: power-loss\n  megabytesMax: 1"),
    );
    await network.restart("late");
    const pieces = Array.from({ length: 400 }, () => micros(1n));
    const before = await balance("late");
    let issued = 0n;
    let refusal: string | undefined;
    for (let index = 0; refusal === undefined && index < 60; index++) {
      await network.run("grid", {
        tag: "issue-funds",
        commandId: `many ${index}`,
        to: network.key("late"),
        amounts: pieces,
      });
      issued += 400n;
      const made = await create(network.client("late"), `crowded ${index}`, slot(44), 10n);
      if (!made.ok) refusal = made.error.tag;
    }
    expect(refusal).toBe("store_full");
    expect((await network.states("late", "member")).length).toBeGreaterThan(5);
    network.configure("late", (config) => config.replace("\n  megabytesMax: 1", ""));
    await network.restart("late");
    // What could not be delivered to it comes now.
    const money = async (): Promise<bigint> => {
      const locked = (await network.states("late", "deposit")).filter(({ slot: of }) => of === slot(44));
      return (await balance("late")) + locked.reduce((sum, { amount }) => sum + amount, 0n);
    };
    await network.eventually("all funds of the late member", async () => (await money()) === before + issued);
    await network.eventually(
      "a promise of the late member",
      async () => (await create(network.client("late"), "room", slot(45), 500n)).ok,
    );
  }, 180_000);
});
