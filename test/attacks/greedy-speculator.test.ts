/**
 * Who wants to promise or to hold more than it may, by many clients, nodes and verifiers at once. What counts is the notary's
 * log: at no point of it do the states themselves, counted without a look at exposures, come to more than the limit.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  decodeSignedTransaction,
  type LedgerRefusalCode,
  orderLock,
  type PowerPromise,
  refKey,
  type State,
} from "#contracts";
import { microsPerKwh, type PublicKey, signerFromSeed, unwrap, wattHours } from "#core";
import { delegateClient, type LedgerClient } from "#ledger-client";
import { SLOT, SLOT_END_MS, type SmallNetwork } from "#testkit";
import { altered, auctioning, bidding, clausesIn, ordering, promising, Stage } from "./stage.ts";

const VERIFIERS = ["verifier", "second", "third"];
let stage: Stage;
let small: SmallNetwork;

async function found(verifierQuorum: number): Promise<void> {
  stage = await Stage.found();
  small = stage.small;
  for (const name of VERIFIERS.slice(1)) await small.join(name, { roles: ["verifier"], capacityPerSlot: wattHours(0) });
  const verifiers = VERIFIERS.map((name) => small.key(name));
  await small.run("grid-authority", {
    tag: "amend-parameters",
    commandId: "verifiers",
    changes: { verifiers, verifierQuorum },
  });
  await small.join("alice");
  await small.fund("alice", ...Array.from({ length: 20 }, () => 3_000_000));
}
afterEach(() => stage.close());

/** What `measure` says of the unspent states after each transaction of the notary's log. */
function atEveryPoint(measure: (unspent: readonly State[]) => bigint): readonly bigint[] {
  const unspent = new Map<string, State>();
  return [...small.commitLog.scan()].map(({ bytes }) => {
    const { id, content } = unwrap(decodeSignedTransaction(new Uint8Array(bytes))).transaction;
    for (const ref of content.inputs) unspent.delete(refKey(ref));
    for (const [index, state] of content.outputs.entries()) unspent.set(refKey({ txId: id, index }), state);
    return measure([...unspent.values()]);
  });
}

function energy(states: readonly { readonly energy: bigint }[]): bigint {
  return states.reduce((sum, state) => sum + state.energy, 0n);
}

function promisedBy(key: PublicKey): (unspent: readonly State[]) => bigint {
  return (unspent) =>
    energy(unspent.filter((state): state is PowerPromise => state.tag === "power-promise" && state.supplier === key));
}

/** Held although others supply it, in orders to buy, and led in auctions. */
function takenBy(key: PublicKey): (unspent: readonly State[]) => bigint {
  return (unspent) =>
    energy(
      unspent.flatMap((state): readonly { readonly energy: bigint }[] => {
        if (state.tag === "power-promise") return state.owner === key && state.supplier !== key ? [state] : [];
        if (state.tag === "pool-order") return state.owner === key && state.side === "bid" ? [state] : [];
        return state.tag === "auction" && state.highestBidder === key ? [state] : [];
      }),
    );
}

function greatest(values: readonly bigint[]): bigint {
  return values.reduce((max, value) => (value > max ? value : max), 0n);
}

/** Clients with keys of their own, all under mandates of one member and through its node. */
async function clientsOf(name: string, count: number): Promise<readonly LedgerClient[]> {
  const clients: LedgerClient[] = [];
  for (let index = 0; index < count; index++) {
    const signer = signerFromSeed(new Uint8Array(32).fill(100 + index));
    await small.run(name, {
      tag: "grant-mandate",
      commandId: `mandate ${index}`,
      mandateId: `mandate ${index}`,
      delegate: signer.publicKey,
      flows: ["create-promises", "bid", "place-orders"],
      energyPerSlotMax: wattHours(1_000_000),
      expiresMs: SLOT_END_MS,
    });
    clients.push(delegateClient(small.node(name), { signer, networkId: small.ledger.networkId }));
  }
  return clients;
}

/** Which verifiers signed transactions of a flow. */
function verifiersOf(...tags: readonly string[]): ReadonlySet<string> {
  const signed = [...small.commitLog.scan()].map(({ bytes }) => unwrap(decodeSignedTransaction(new Uint8Array(bytes))));
  const own = signed.filter(({ transaction }) => tags.includes(transaction.content.command.tag));
  return new Set(
    VERIFIERS.filter((name) => own.some(({ signatures }) => signatures.some(({ by }) => by === small.key(name)))),
  );
}

describe("a supplier", () => {
  beforeEach(() => found(1));

  test("promises no more than its capacity by several nodes and delegates at once, whichever verifiers they ask", async () => {
    const clients = await clientsOf("alice", 3);
    const refused = new Set<LedgerRefusalCode>();
    for (let round = 0; round < 3; round++) {
      const twins = [await stage.twinOf("alice"), await stage.twinOf("alice")];
      const submitters = [small.node("alice"), ...twins, ...clients];
      const answers = await Promise.all(
        submitters.flatMap((submitter, index) =>
          [4_000, 3_000].map((amount) => submitter.submit(promising(`${round} ${index} ${amount}`, amount))),
        ),
      );
      for (const answer of answers) if (!answer.ok) refused.add(answer.error.tag);
    }
    const promised = atEveryPoint(promisedBy(small.key("alice")));
    expect(greatest(promised)).toBeLessThanOrEqual(20_000n);
    expect(greatest(promised)).toBeGreaterThan(16_000n);
    expect(refused).toContain("state_conflict");
    expect(refused).toContain("capacity_exceeded");
    expect(verifiersOf("create-promises").size).toBeGreaterThan(1);
    const [deposit, free] = [small.node("alice").unspent("deposit"), small.balance("alice")];
    const locked = deposit.reduce((sum, { amount }) => sum + amount, 0n);
    expect(locked).toBe((promised.at(-1) ?? 0n) * 600n);
    expect(locked + free).toBe(60_000_000n);
  });
});

describe("a speculator with a cap of 5 kWh", () => {
  beforeEach(async () => {
    await found(2);
    await small.join("sam", {
      roles: ["speculator"],
      capacityPerSlot: wattHours(0),
      holdingCapPerSlot: wattHours(5_000),
    });
    await small.fund("sam", ...Array.from({ length: 30 }, () => 1_000_000));
    await small.run("alice", promising("p", 18_000));
    await small.run("alice", ordering(small, "offer", "offer", 8_000, 100_000));
    for (const id of ["one", "two"]) await small.run("alice", auctioning(small, id, 1_000));
  });

  function clearing(round: number): ClientCommand {
    const bids = small
      .node("marketplace")
      .unspent("pool-order")
      .filter(({ side }) => side === "bid");
    const price = microsPerKwh(150_000);
    const trades = bids
      .slice(0, 1)
      .map(({ orderId, energy: all }) => ({ bid: orderId, offer: "offer/0", energy: all, price }));
    return { tag: "clear-pool", commandId: `round ${round}`, slot: SLOT, price, isFinal: false, trades };
  }

  test("passes it neither by ten clients, nor by two nodes, nor by orders beside bids, at any point of the notary's log", async () => {
    const clients = await clientsOf("sam", 10);
    const refused = new Set<LedgerRefusalCode>();
    for (let round = 0; round < 4; round++) {
      const twin = await stage.twinOf("sam");
      const answers = await Promise.all([
        ...clients.map((client, index) =>
          client.submit(
            index % 4 === 0
              ? bidding(`${round} ${index}`, 120_000 + 10_000 * round + 1_000 * index, index % 8 === 0 ? "one" : "two")
              : ordering(small, `${round} ${index}`, "bid", 900, 200_000),
          ),
        ),
        small.submit("sam", ordering(small, `${round} own`, "bid", 1_100, 200_000)),
        twin.submit(ordering(small, `${round} twin`, "bid", 1_100, 200_000)),
      ]);
      for (const answer of answers) if (!answer.ok) refused.add(answer.error.tag);
      await small.submit("marketplace", clearing(round));
    }
    const taken = atEveryPoint(takenBy(small.key("sam")));
    expect(greatest(taken)).toBeLessThanOrEqual(5_000n);
    expect(greatest(taken)).toBeGreaterThan(4_000n);
    expect(refused).toContain("holding_cap_exceeded");
    expect(small.node("sam").unspent("power-promise").length).toBeGreaterThan(0);
    expect(verifiersOf("bid", "place-orders")).toEqual(new Set(VERIFIERS));
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect(heldMicros).toBe(issuedMicros);
  });

  test("gets no verifier and no notary to sign an order beyond it, or one that is not counted", async () => {
    const { content } = (await stage.taken("sam", ordering(small, "o", "bid", 1_000, 100_000))).transaction;
    stage.proving("sam");
    const before = await small.everything();
    const greedy = altered(content, "pool-order", (order) => {
      const more = { ...order, energy: wattHours(5_001) };
      return [{ ...more, locked: orderLock(more) }];
    });
    const paid = altered(greedy, "funds", (funds) => {
      const more = orderLock({
        side: "bid",
        energy: wattHours(5_001),
        limit: microsPerKwh(100_000),
        marketFee: microsPerKwh(5_000),
      });
      const less = orderLock({
        side: "bid",
        energy: wattHours(1_000),
        limit: microsPerKwh(100_000),
        marketFee: microsPerKwh(5_000),
      });
      return [{ ...funds, amount: (funds.amount - more + less) as typeof funds.amount }];
    });
    const counted = altered(paid, "exposure", (exposure) => [
      { ...exposure, entries: exposure.entries.map((entry) => ({ ...entry, bidding: wattHours(5_001) })) },
    ]);
    for (const [attempt, clause] of [
      [counted, "holding_cap_kept"],
      [paid, "exposure_counts_the_change"],
    ] as const) {
      const alone = small.craft(attempt, "sam");
      for (const name of VERIFIERS.filter((each) => attempt.signers.includes(small.key(each))))
        expect(clausesIn(await stage.ask("sam", name, "sign", alone))).toEqual([clause]);
      const colluding = small.craft(attempt, "sam", "marketplace", ...VERIFIERS);
      const signatures = colluding.signatures.filter(({ by }) => attempt.signers.includes(by));
      expect(clausesIn(await stage.ask("sam", "notary", "notarise", { ...colluding, signatures }))).toEqual([clause]);
    }
    expect(await small.everything()).toEqual(before);
    await small.run("sam", ordering(small, "honest", "bid", 5_000, 100_000));
  });
});
