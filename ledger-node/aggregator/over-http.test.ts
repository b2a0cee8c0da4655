/** Members under an aggregator that reaches the others over HTTP: the same ledger as in one process, and no aggregator asks for another's member. */
import { afterAll, describe, expect, test } from "vitest";
import { type ClientCommand, decodeTransaction, type PeerReply, type PeerRequest, signTransaction } from "#contracts";
import { microsPerKwh, type PublicKey, unwrap, wattHours } from "#core";
import { DAY, DEADLINE_MS, type HttpParties, keyOf, overHttp, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";
import { settleWholeSlot } from "../slot-settlement.ts";

const networks: SmallNetwork[] = [];
const wires: HttpParties[] = [];
afterAll(async () => {
  await Promise.all(wires.map((wire) => wire.close()));
  for (const network of networks) network.close();
});

async function found(isHttp: boolean): Promise<SmallNetwork> {
  const small = await SmallNetwork.found({ seed: "served over http" });
  networks.push(small);
  if (isHttp) wires.push(overHttp(small));
  await small.serve("hub", "alice", "bob");
  await small.serve("rival", "carol");
  const prices = (price: bigint) => Array.from({ length: 96 }, () => microsPerKwh(price));
  await small.run("power-company", {
    tag: "publish-tariff",
    commandId: "tariff",
    day: DAY,
    feedIn: prices(80_000n),
    retail: prices(300_000n),
  });
  for (const name of ["alice", "bob", "carol", "power-company"]) await small.fund(name, 5_000_000);
  return small;
}

const order = (small: SmallNetwork, side: "bid" | "offer", energy: number, limit: bigint): ClientCommand => ({
  tag: "place-orders",
  commandId: side,
  marketplace: small.key("marketplace"),
  orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
});

async function live(small: SmallNetwork): Promise<void> {
  await small.run("alice", {
    tag: "create-promises",
    commandId: "promise",
    promises: [{ slot: SLOT, energy: wattHours(2_000) }],
  });
  await small.run("alice", order(small, "offer", 1_000, 100_000n));
  await small.run("carol", order(small, "bid", 1_000, 200_000n));
  const price = microsPerKwh(150_000n);
  await small.run("marketplace", {
    tag: "clear-pool",
    commandId: "clear",
    slot: SLOT,
    price,
    isFinal: true,
    trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(1_000), price }],
  });
  await small.run("alice", {
    tag: "create-auction",
    commandId: "auction",
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(500),
    basePrice: microsPerKwh(100_000n),
    deadlineMs: DEADLINE_MS,
  });
  await small.run("bob", { tag: "bid", commandId: "low", auctionId: "auction", price: microsPerKwh(120_000n) });
  await small.run("carol", { tag: "bid", commandId: "high", auctionId: "auction", price: microsPerKwh(200_000n) });
  small.clock.moveTo(DEADLINE_MS);
  await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
  await small.run("carol", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
  small.clock.moveTo(SLOT_END_MS);
  const reading = (name: string, produced: number, consumed: number) => ({
    member: small.key(name),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  });
  const readings = [reading("alice", 1_800, 0), reading("bob", 0, 700), reading("carol", 0, 1_500)];
  expect(await settleWholeSlot(small.node("grid-authority"), SLOT, readings)).toEqual([]);
}

describe("members of two aggregators", () => {
  test("come to the same ledger over HTTP as in one process, in envelopes of their aggregators", async () => {
    const [near, far] = [await found(false), await found(true)];
    await live(near);
    await live(far);
    expect(await far.everything()).toEqual(await near.everything());
    const [wire] = wires;
    expect(wire?.faults).toEqual([]);
    expect(wire?.counters).toMatchObject({ envelopesRefused: 0, envelopesFailed: 0 });
    // No member has a link of its own: what is sent to a member goes to its aggregator.
    const linked =
      wire
        ?.transport(far.key("grid-authority"))
        .peers()
        .map(({ party }) => party) ?? [];
    expect(linked).toEqual(expect.arrayContaining([far.key("hub"), far.key("rival")]));
    for (const name of ["alice", "bob", "carol"]) expect(linked).not.toContain(far.key(name));
  });

  test("revoke a mandate by their own key, though their aggregator's process asks for all of them", async () => {
    const small = await found(true);
    const signer = small.signer("alice");
    const revoke = { tag: "revoke-mandate", commandId: "revoke", mandateId: "aggregator" } as const;
    const proposal = unwrap(await small.node("alice").propose(revoke, signer.publicKey));
    if (!("proposalId" in proposal)) throw new Error("it is proposed");
    const transaction = unwrap(decodeTransaction(proposal.transaction));
    const { signature } = signTransaction(small.ledger.networkId, transaction, signer);
    expect(await small.node("alice").approve(proposal.proposalId, signature)).toMatchObject({ ok: true });
    expect(small.node("grid-authority").unspentOf("mandate", { owner: signer.publicKey })).toEqual([]);
    expect(await small.submit("alice", order(small, "bid", 100, 200_000n))).toEqual({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    expect(await small.submit("bob", order(small, "bid", 100, 200_000n))).toMatchObject({ ok: true });
  });
});

describe("an envelope for a member", () => {
  const notServed: PeerReply = { tag: "refused", refusal: { tag: "member_not_served" } };
  const unreachable: PeerReply = { tag: "refused", refusal: { tag: "node_unreachable" } };

  test("is answered only if the ledger says that its signer serves the member", async () => {
    const small = await found(true);
    const wire = wires.at(-1);
    const as = (host: string, member: PublicKey, to: string, request: PeerRequest): Promise<PeerReply> | undefined =>
      wire?.transport(small.key(host)).request(member, small.key(to), request);
    const position = (name: string): PeerRequest => ({ tag: "position", member: small.key(name), day: DAY });
    const alice = small.key("alice");
    expect(await as("hub", alice, "grid-authority", position("alice"))).toMatchObject({ tag: "position" });
    // Another aggregator, a party with a node of its own, and members that nobody knows or that serve themselves.
    expect(await as("rival", alice, "grid-authority", position("alice"))).toEqual(notServed);
    expect(await as("marketplace", alice, "grid-authority", position("alice"))).toEqual(notServed);
    expect(await as("hub", keyOf("nobody"), "grid-authority", position("alice"))).toEqual(notServed);
    expect(await as("hub", small.key("power-company"), "grid-authority", position("alice"))).toEqual(notServed);
    // What is asked of a member comes from where the ledger says, too.
    expect(await as("rival", alice, "bob", { tag: "sequence", count: 1 })).toEqual(notServed);
  });

  test("shows what the member itself may see, and nothing of another at the same aggregator", async () => {
    const small = await found(true);
    await small.run("alice", {
      tag: "create-promises",
      commandId: "promise",
      promises: [{ slot: SLOT, energy: wattHours(2_000) }],
    });
    const wire = wires.at(-1);
    const hub = wire?.transport(small.key("hub"));
    const rival = wire?.transport(small.key("rival"));
    const position: PeerRequest = { tag: "position", member: small.key("alice"), day: DAY };
    const forbidden = { tag: "refused", refusal: { tag: "role_not_allowed" } };
    expect(await hub?.request(small.key("bob"), small.key("grid-authority"), position)).toEqual(forbidden);
    for (const to of ["bob", "hub", "alice"])
      expect(await rival?.request(small.key("carol"), small.key(to), position)).toEqual(forbidden);
    const [ref] = (await small.node("alice").states("power-promise")).map((state) => state.ref);
    if (ref === undefined) throw new Error("alice has promised");
    for (const to of ["bob", "hub", "alice"])
      expect(
        await rival?.request(small.key("carol"), small.key(to), { tag: "resolve", txId: ref.txId, refs: [ref] }),
      ).toEqual({ tag: "resolved", dependencies: [] });
  });

  test("is sent to where the member is; who has no seat there is not answered for", async () => {
    const small = await found(true);
    const wire = wires.at(-1);
    const lost = await wire
      ?.transport(small.key("grid-authority"))
      .request(small.key("grid-authority"), keyOf("nobody"), { tag: "sequence", count: 1 });
    expect(lost).toEqual(unreachable);
    small.ledger.host("hub").close(small.key("bob"));
    expect(await small.send("grid-authority", "bob", { tag: "sequence", count: 1 })).toEqual(unreachable);
  });
});
