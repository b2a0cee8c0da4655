/**
 * Clients: an owner's, whose node signs for it, and a delegate's, whose key never leaves it and which signs only a transaction
 * that does what was commanded, however dishonest the node is that proposes it.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  buildTransaction,
  type ClientCommand,
  DELEGABLE_FLOWS,
  decodeTransaction,
  encodeTransaction,
  type NodeEndpoint,
  type NodeEvent,
  type State,
  type StateOf,
  type StateTag,
  type Transaction,
} from "#contracts";
import { microsPerKwh, type Signer, signerFromSeed, unwrap, wattHours } from "#core";
import { DEADLINE_MS, NEXT_SLOT, RENEWABLE, SLOT, SLOT_END_MS, SmallNetwork, SOLAR } from "#testkit";
import { delegateClient, type LedgerClient, ownerClient } from "./client.ts";
import { isAsCommanded } from "./intention.ts";

let small: SmallNetwork;
const delegate: Signer = signerFromSeed(new Uint8Array(32).fill(7));

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.join("bob");
  for (const name of ["alice", "bob"]) await small.fund(name, 10_000_000, 10_000_000, 10_000_000);
  await small.run("alice", {
    tag: "grant-mandate",
    commandId: "mandate",
    mandateId: "agent",
    delegate: delegate.publicKey,
    flows: DELEGABLE_FLOWS,
    energyPerSlotMax: wattHours(20_000),
    expiresMs: SLOT_END_MS,
  });
});
afterEach(() => small.close());

const PROMISE: ClientCommand = {
  tag: "create-promises",
  commandId: "promise",
  promises: [{ slot: SLOT, energy: wattHours(10_000) }],
};

function ordering(commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand {
  const orders = [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }];
  return { tag: "place-orders", commandId, marketplace: small.key("marketplace"), orders };
}

function auctioning(commandId: string): ClientCommand {
  return {
    tag: "create-auction",
    commandId,
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  };
}

function clientOf(endpoint: NodeEndpoint, onSigned: () => void = () => undefined): LedgerClient {
  return delegateClient(endpoint, { signer: delegate, networkId: small.ledger.networkId, onSigned });
}

describe("an owner's client", () => {
  test("carries out commands, shows states and tells of events until it is stopped", async () => {
    const client = ownerClient(small.node("alice"));
    expect(client.party).toBe(small.key("alice"));
    const events: NodeEvent[] = [];
    const stop = client.listen((event) => events.push(event));
    expect(await client.submit(PROMISE)).toMatchObject({ ok: true, value: { status: "created" } });
    expect(await client.submit(PROMISE)).toMatchObject({ ok: true, value: { status: "exists" } });
    expect(await client.states("power-promise")).toMatchObject([{ state: { energy: 10_000n } }]);
    expect(events.map(({ command }) => command?.tag)).toEqual(["create-promises"]);
    expect(events[0]?.made.map(({ tag }) => tag).sort()).toEqual([
      "deposit",
      "exposure",
      "exposure-index",
      "funds",
      "power-promise",
    ]);
    stop();
    await client.submit(auctioning("auction"));
    expect(events).toHaveLength(1);
  });
});

describe("a delegate's client", () => {
  test("carries out every flow that may be delegated, with its own signature and none of the owner's", async () => {
    let signed = 0;
    const client = clientOf(small.node("alice"), () => {
      signed += 1;
    });
    await small.run("bob", {
      ...PROMISE,
      commandId: "of bob",
      promises: [{ slot: NEXT_SLOT, energy: wattHours(5_000) }],
    });
    await small.run("bob", { ...auctioning("auction of bob"), slot: NEXT_SLOT } as ClientCommand);
    const commands: readonly ClientCommand[] = [
      PROMISE,
      ordering("offer", "offer", 1_000, 100_000),
      { tag: "cancel-orders", commandId: "cancel", orderIds: ["offer/0"] },
      auctioning("auction"),
      { tag: "bid", commandId: "bid", auctionId: "auction of bob", price: microsPerKwh(150_000) },
    ];
    for (const command of commands)
      expect(await client.submit(command), command.commandId).toMatchObject({ ok: true, value: { status: "created" } });
    small.clock.moveTo(DEADLINE_MS);
    await small.run("bob", { tag: "end-auction", commandId: "end", auctionId: "auction of bob" });
    const settle: ClientCommand = { tag: "settle-auction", commandId: "settle", auctionId: "auction of bob" };
    expect(await client.submit(settle)).toMatchObject({ ok: true, value: { status: "created" } });
    expect(await client.submit(settle)).toMatchObject({ ok: true, value: { status: "exists" } });
    expect(signed).toBe(6);
    const owned = (await client.states("power-promise")).filter(({ state }) => state.owner === client.party);
    expect(owned.map(({ state }) => state.slot)).toContain(NEXT_SLOT);
  });

  test("is refused what is beyond its mandate, and signs nothing then", async () => {
    const client = clientOf(small.node("alice"), () => expect.unreachable());
    const grant: ClientCommand = {
      tag: "grant-mandate",
      commandId: "more",
      mandateId: "more",
      delegate: delegate.publicKey,
      flows: DELEGABLE_FLOWS,
      energyPerSlotMax: wattHours(1_000_000),
      expiresMs: SLOT_END_MS,
    };
    expect(await client.submit(grant)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
    await small.run("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "agent" });
    expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "mandate_missing" } });
  });

  test("acts under the mandate that allows the flow, where it has several", async () => {
    const other = signerFromSeed(new Uint8Array(32).fill(8));
    for (const [mandateId, flow, expiresMs] of [
      ["old", "create-promises", small.clock.nowMs() + 1],
      ["bids", "bid", SLOT_END_MS],
      ["promises", "create-promises", SLOT_END_MS],
    ] as const)
      await small.run("alice", {
        tag: "grant-mandate",
        commandId: mandateId,
        mandateId,
        delegate: other.publicKey,
        flows: [flow],
        energyPerSlotMax: wattHours(20_000),
        expiresMs,
      });
    small.clock.moveTo(small.clock.nowMs() + 1);
    const client = delegateClient(small.node("alice"), { signer: other, networkId: small.ledger.networkId });
    expect(await client.submit(PROMISE)).toMatchObject({ ok: true });
  });
});

describe("a dishonest node", () => {
  type Alter = (content: Transaction) => Transaction;
  let withdrawn: string[];

  /** The node of alice, which proposes something else than it was asked. */
  function dishonest(alter: Alter): NodeEndpoint {
    const honest = small.node("alice");
    return {
      party: honest.party,
      submit: (command) => honest.submit(command),
      approve: () => expect.unreachable("nothing is approved that was not commanded"),
      withdraw: (proposalId) => {
        withdrawn.push(proposalId);
        return honest.withdraw(proposalId);
      },
      states: (tag) => honest.states(tag),
      listen: (listener) => honest.listen(listener),
      async propose(command, key) {
        const proposed = await honest.propose(command, key);
        if (!proposed.ok || "status" in proposed.value) return proposed;
        const { content } = unwrap(decodeTransaction(proposed.value.transaction));
        const transaction = encodeTransaction(buildTransaction(alter(content), new Uint8Array(32).fill(1)));
        return { ok: true, value: { proposalId: proposed.value.proposalId, transaction } };
      },
    };
  }

  function altering<T extends StateTag>(tag: T, alter: (state: StateOf<T>) => State | readonly State[]): Alter {
    return (content) => ({
      ...content,
      outputs: content.outputs.flatMap((state) => (state.tag === tag ? alter(state as StateOf<T>) : [state])),
    });
  }

  const toBob = (state: StateOf<"power-promise"> | StateOf<"funds">): State => ({ ...state, owner: small.key("bob") });

  beforeEach(async () => {
    withdrawn = [];
    await small.run("alice", { ...PROMISE, commandId: "held", promises: [{ slot: SLOT, energy: wattHours(5_000) }] });
    await small.run("alice", ordering("offer", "offer", 1_000, 900_000));
    await small.run("bob", { ...PROMISE, commandId: "of bob", promises: [{ slot: SLOT, energy: wattHours(5_000) }] });
    await small.run("bob", auctioning("of bob's"));
  });

  const bid = (): ClientCommand => ({
    tag: "bid",
    commandId: "bid",
    auctionId: "of bob's",
    price: microsPerKwh(150_000),
  });
  const cancel = (): ClientCommand => ({ tag: "cancel-orders", commandId: "cancel", orderIds: ["offer/0"] });
  const order = (): ClientCommand => ordering("order", "offer", 1_000, 800_000);

  const CASES: readonly (readonly [string, () => ClientCommand, () => Alter])[] = [
    ["another flow", () => PROMISE, () => (content) => ({ ...content, command: { tag: "issue-funds" } })],
    ["a promise more", () => PROMISE, () => altering("power-promise", (state) => [state, state])],
    [
      "a larger promise",
      () => PROMISE,
      () => altering("power-promise", (state) => ({ ...state, energy: wattHours(10_001) })),
    ],
    [
      "a promise for another slot",
      () => PROMISE,
      () => altering("power-promise", (state) => ({ ...state, slot: NEXT_SLOT })),
    ],
    ["a promise that another owns", () => PROMISE, () => altering("power-promise", toBob)],
    [
      "a promise that another supplies",
      () => PROMISE,
      () => altering("power-promise", (state) => ({ ...state, supplier: small.key("bob") })),
    ],
    [
      "a deposit for another",
      () => PROMISE,
      () => altering("deposit", (state) => ({ ...state, supplier: small.key("bob") })),
    ],
    ["the change for another", () => PROMISE, () => altering("funds", toBob)],
    [
      "an order at another limit",
      order,
      () => altering("pool-order", (state) => ({ ...state, limit: microsPerKwh(1) })),
    ],
    [
      "an order of more energy",
      order,
      () => altering("pool-order", (state) => ({ ...state, energy: wattHours(2_000) })),
    ],
    ["an order on the other side", order, () => altering("pool-order", (state) => ({ ...state, side: "bid" }))],
    [
      "an order on another marketplace",
      order,
      () => altering("pool-order", (state) => ({ ...state, marketplace: small.key("bob") })),
    ],
    [
      "an order with another requirement",
      order,
      () => altering("pool-order", (state) => ({ ...state, requires: RENEWABLE })),
    ],
    [
      "a promise with other claims",
      () => PROMISE,
      () => altering("power-promise", (state) => ({ ...state, claims: SOLAR })),
    ],
    ["an order for another", order, () => altering("pool-order", (state) => ({ ...state, owner: small.key("bob") }))],
    ["no order at all", order, () => altering("pool-order", () => [])],
    ["an order and the rest for another", order, () => altering("power-promise", toBob)],
    ["a cancellation that gives the promises away", cancel, () => altering("power-promise", toBob)],
    [
      "a cancellation that keeps the promises locked",
      cancel,
      () => altering("power-promise", (state) => ({ ...state, lock: { kind: "order", id: "x" } })),
    ],
    [
      "an auction on another marketplace",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, marketplace: small.key("bob") })),
    ],
    [
      "an auction at a lower base",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, basePrice: microsPerKwh(1) })),
    ],
    [
      "an auction of more",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, energy: wattHours(3_000) })),
    ],
    [
      "an auction of another slot",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, slot: NEXT_SLOT })),
    ],
    [
      "an auction that ends at another time",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, deadlineMs: DEADLINE_MS - 1 })),
    ],
    [
      "an auction under another name",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, auctionId: "b" })),
    ],
    [
      "an auction for another",
      () => auctioning("a"),
      () => altering("auction", (state) => ({ ...state, seller: small.key("bob") })),
    ],
    ["two auctions", () => auctioning("a"), () => altering("auction", (state) => [state, state])],
    ["a higher bid", bid, () => altering("bid", (state) => ({ ...state, price: microsPerKwh(150_001) }))],
    ["a bid in another auction", bid, () => altering("bid", (state) => ({ ...state, auctionId: "other" }))],
    ["a bid for another", bid, () => altering("bid", (state) => ({ ...state, bidder: small.key("bob") }))],
    ["no bid at all", bid, () => altering("bid", () => [])],
  ];

  test.each(CASES)(
    "that proposes %s gets no signature, and what it reserved is freed",
    async (_what, command, alter) => {
      const client = clientOf(dishonest(alter()), () => expect.unreachable("it signed"));
      const before = await small.everything();
      expect(await client.submit(command())).toEqual({ ok: false, error: { tag: "transaction_malformed" } });
      expect(withdrawn).toHaveLength(1);
      expect(await small.everything()).toEqual(before);
      expect(await clientOf(small.node("alice")).submit(command()), "the honest node").toMatchObject({ ok: true });
    },
  );

  test("that splits, merges or covers otherwise than asked gets no signature", async () => {
    await small.join("carol");
    await small.fund("carol", 5_000_000);
    await small.run("carol", { ...PROMISE, commandId: "c", promises: [{ slot: SLOT, energy: wattHours(500) }] });
    const sell = async (seller: string, buyer: string, energy: number): Promise<void> => {
      const price = microsPerKwh(300_000);
      await small.run(seller, ordering(`from ${seller}`, "offer", energy, 300_000));
      await small.run(buyer, ordering(`to ${buyer}`, "bid", energy, 300_000));
      await small.run("marketplace", {
        tag: "clear-pool",
        commandId: `round of ${seller}`,
        slot: SLOT,
        price,
        isFinal: false,
        trades: [{ bid: `to ${buyer}/0`, offer: `from ${seller}/0`, energy: wattHours(energy), price }],
      });
    };
    await sell("alice", "bob", 1_000);
    await sell("carol", "alice", 500);
    const command = (change: Partial<Transaction["command"]>): Alter => {
      return (content) => ({ ...content, command: { ...content.command, ...change } as Transaction["command"] });
    };
    const split: ClientCommand = { tag: "split-promise", commandId: "split", slot: SLOT, energies: [wattHours(1_500)] };
    const merge: ClientCommand = {
      tag: "merge-promises",
      commandId: "merge",
      slot: SLOT,
      supplier: small.key("alice"),
    };
    const refused = async (asked: ClientCommand, alterations: readonly Alter[]): Promise<void> => {
      for (const alter of alterations) {
        const client = clientOf(dishonest(alter), () => expect.unreachable("it signed"));
        expect(await client.submit(asked)).toEqual({ ok: false, error: { tag: "transaction_malformed" } });
      }
      expect(await clientOf(small.node("alice")).submit(asked), "the honest node").toMatchObject({ ok: true });
    };
    await refused(split, [
      altering("power-promise", toBob),
      altering("power-promise", (state) => ({ ...state, slot: NEXT_SLOT })),
      altering("power-promise", (state) => ({ ...state, energy: wattHours(1_499) })),
      altering("power-promise", (state) => [state, state]),
      command({ owner: small.key("bob") }),
    ]);
    await refused(merge, [
      altering("power-promise", toBob),
      altering("power-promise", (state) => ({ ...state, supplier: small.key("bob") })),
      altering("power-promise", () => []),
      command({ owner: small.key("bob") }),
    ]);
    const energy = wattHours(300);
    await refused({ tag: "substitute", commandId: "cover", slot: SLOT, energy }, [
      altering("funds", toBob),
      altering("deposit", (state) => ({ ...state, supplier: small.key("bob") })),
      command({ supplier: small.key("bob") }),
      command({ slot: NEXT_SLOT }),
      command({ covers: [] }),
      command({ covers: [{ covered: 0, with: 1, energy: wattHours(301) }] }),
    ]);
  });

  test("that proposes another settlement, or gives its promises away, gets no signature", async () => {
    await clientOf(small.node("alice")).submit(bid());
    small.clock.moveTo(DEADLINE_MS);
    await small.run("bob", { tag: "end-auction", commandId: "end", auctionId: "of bob's" });
    const settle: ClientCommand = { tag: "settle-auction", commandId: "settle", auctionId: "of bob's" };
    const alterations: readonly Alter[] = [
      altering("power-promise", toBob),
      altering("power-promise", () => []),
      (content) => ({ ...content, command: { tag: "settle-auction", auctionId: "other" } }),
    ];
    for (const alter of alterations) {
      const client = clientOf(dishonest(alter), () => expect.unreachable("it signed"));
      expect(await client.submit(settle)).toEqual({ ok: false, error: { tag: "transaction_malformed" } });
    }
    expect(await clientOf(small.node("alice")).submit(settle)).toMatchObject({ ok: true });
  });

  test("that proposes bytes which are no transaction gets no signature", async () => {
    const honest = small.node("alice");
    const endpoint: NodeEndpoint = {
      ...dishonest((content) => content),
      propose: async (command, key) => {
        const proposed = await honest.propose(command, key);
        if (!proposed.ok || "status" in proposed.value) return proposed;
        return { ok: true, value: { ...proposed.value, transaction: proposed.value.transaction.slice(1) } };
      },
    };
    const client = clientOf(endpoint, () => expect.unreachable("it signed"));
    expect(await client.submit(PROMISE)).toEqual({ ok: false, error: { tag: "transaction_malformed" } });
  });
});

test("a delegate's client sees what it certifies: the agency and the slots that it asked for, and nothing given away", async () => {
  const alice = small.node("alice");
  await small.join("agency", { roles: ["verification-agency"], capacityPerSlot: wattHours(0) });
  const { certifiedBy: _, ...claims } = SOLAR;
  const promises = [SLOT, NEXT_SLOT].map((slot) => ({ slot, energy: wattHours(1_000), claims }));
  await small.run("alice", { tag: "create-promises", commandId: "claimed", promises });
  const certify: ClientCommand = {
    ...{ tag: "certify-claims", commandId: "certify", agency: small.key("agency") },
    slots: [SLOT],
  };
  const proposed = await alice.propose(certify, delegate.publicKey);
  if (!proposed.ok || "status" in proposed.value) throw new Error("it is proposed");
  const { content } = unwrap(decodeTransaction(proposed.value.transaction));
  expect(isAsCommanded(content, certify, alice.party)).toBe(true);
  expect(isAsCommanded(content, { ...certify, agency: small.key("bob") }, alice.party)).toBe(false);
  expect(isAsCommanded(content, { ...certify, slots: [NEXT_SLOT] }, alice.party)).toBe(false);
  expect(isAsCommanded(content, certify, small.key("bob"))).toBe(false);
});
