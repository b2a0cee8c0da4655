/** The same client code does the same over HTTP as in process: a whole life of promises, orders, an auction and settlements. */
import { afterEach, expect, test } from "vitest";
import { type ClientCommand, DELEGABLE_FLOWS, type NodeEndpoint, type NodeEvent } from "#contracts";
import { microsPerKwh, type Signer, signerFromSeed, slotsOfLocalDay, wattHours, zone } from "#core";
import { delegateClient, type LedgerClient, ownerClient } from "#ledger-client";
import { DAY, DEADLINE_MS, ServedNode, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

const delegate: Signer = signerFromSeed(new Uint8Array(32).fill(7));
const NAMES = ["alice", "bob", "power-company", "marketplace", "grid-authority"] as const;
type Name = (typeof NAMES)[number];
type Wiring = { readonly endpoint: (name: Name, signer: Signer) => NodeEndpoint; readonly close: () => Promise<void> };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function found(): Promise<SmallNetwork> {
  const small = await SmallNetwork.found();
  closing.push(() => small.close());
  await small.join("alice");
  await small.join("bob");
  for (const name of ["alice", "bob", "power-company"]) await small.fund(name, 10_000_000, 10_000_000);
  return small;
}

async function overHttp(small: SmallNetwork): Promise<Wiring> {
  const served = new Map<Name, ServedNode>();
  for (const name of NAMES) served.set(name, await ServedNode.start(small, name));
  return {
    endpoint: (name, signer) => served.get(name)?.client(signer) ?? small.node(name),
    async close() {
      for (const each of served.values()) {
        expect(each.faults).toEqual([]);
        await each.close();
      }
    },
  };
}

function inProcess(small: SmallNetwork): Wiring {
  return { endpoint: (name) => small.node(name), close: async () => undefined };
}

/** Alice acts through a delegate, all others as owners. Gives what everybody holds in the end, and what alice was told. */
async function live(small: SmallNetwork, { endpoint, close }: Wiring): Promise<unknown> {
  const owner = (name: Name): LedgerClient => ownerClient(endpoint(name, small.signer(name)));
  const told: NodeEvent[] = [];
  const owners = Object.fromEntries(NAMES.map((name) => [name, owner(name)])) as Record<Name, LedgerClient>;
  const agent = delegateClient(endpoint("alice", delegate), {
    signer: delegate,
    networkId: small.ledger.networkId,
  });
  const stop = owners.alice.listen((event) => told.push(event));
  const run = async (client: LedgerClient, command: ClientCommand): Promise<void> => {
    expect(await client.submit(command), command.commandId).toMatchObject({ ok: true, value: { status: "created" } });
    expect(await client.submit(command), command.commandId).toMatchObject({ ok: true, value: { status: "exists" } });
  };
  const marketplace = small.key("marketplace");
  const slots = slotsOfLocalDay(zone("Europe/Berlin"), DAY, 15);
  await run(owners["power-company"], {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
  });
  await run(owners.alice, {
    tag: "grant-mandate",
    commandId: "mandate",
    mandateId: "agent",
    delegate: delegate.publicKey,
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: wattHours(20_000),
    expiresMs: SLOT_END_MS,
  });
  const promises = [{ slot: SLOT, energy: wattHours(10_000) }];
  await run(agent, { tag: "create-promises", commandId: "promise", promises });
  const order = (side: "bid" | "offer", energy: number, limit: number): ClientCommand => ({
    tag: "place-orders",
    commandId: side,
    marketplace,
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  });
  await run(agent, order("offer", 4_000, 100_000));
  await run(owners.bob, order("bid", 3_000, 250_000));
  const price = microsPerKwh(180_000);
  const trades = [{ bid: "bid/0", offer: "offer/0", energy: wattHours(3_000), price }];
  await run(owners.marketplace, { tag: "clear-pool", commandId: "round 1", slot: SLOT, price, isFinal: false, trades });
  await run(agent, {
    tag: "create-auction",
    commandId: "auction",
    marketplace,
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  });
  await run(owners.bob, { tag: "bid", commandId: "bob bids", auctionId: "auction", price: microsPerKwh(120_000) });
  expect(await owners.bob.submit({ tag: "bid", commandId: "again", auctionId: "auction", price })).toEqual({
    ok: false,
    error: { tag: "already_highest" },
  });
  small.clock.moveTo(DEADLINE_MS);
  await run(owners.alice, { tag: "end-auction", commandId: "end", auctionId: "auction" });
  await run(owners.bob, { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
  await run(owners.marketplace, {
    tag: "clear-pool",
    commandId: "round 2",
    slot: SLOT,
    price: null,
    isFinal: true,
    trades: [],
  });
  small.clock.moveTo(SLOT_END_MS);
  const readings = [
    { member: small.key("alice"), produced: wattHours(9_000), consumed: wattHours(1_000) },
    { member: small.key("bob"), produced: wattHours(0), consumed: wattHours(2_500) },
  ];
  await run(owners["grid-authority"], { tag: "record-meters", commandId: "meters", slot: SLOT, readings });
  const supplier = small.key("alice");
  await run(owners["grid-authority"], { tag: "check-delivery", commandId: "check", supplier, slot: SLOT });
  for (const name of ["alice", "bob"] as const) {
    const command = { tag: "settle-slot", commandId: `settle ${name}`, member: small.key(name), slot: SLOT } as const;
    await run(owners["grid-authority"], command);
  }
  const seen = await Promise.all(
    (["funds", "slot-settlement", "power-promise", "member"] as const).map((tag) => owners.alice.states(tag)),
  );
  const shown = seen.flat().map(({ ref, state }) => ({ ref, state }));
  await expect.poll(() => told.at(-1)?.command, { timeout: 10_000 }).toMatchObject({ tag: "settle-slot" });
  stop();
  await close();
  return { everything: await small.everything(), shown, told };
}

test("owners and delegates do over HTTP what they do in process, to the last state, id and event", async () => {
  const [here, there] = [await found(), await found()];
  const expected = await live(here, inProcess(here));
  expect(await live(there, await overHttp(there))).toEqual(expected);
});
