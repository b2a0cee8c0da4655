/** A seller that bids in its own auction, to drive the price up. Nobody can know that two members are one person: that is not stopped. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Command, type State, signTransaction, type Transaction, withSignatures } from "#contracts";
import { type PublicKey, signerFromSeed, wattHours } from "#core";
import { DEADLINE_MS, SLOT_END_MS, type SmallNetwork } from "#testkit";
import { auctioning, bidding, clausesIn, promising, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;

beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.join("alice");
  for (const name of ["bob", "second-self"]) await small.join(name);
  for (const name of ["alice", "bob", "second-self"]) await small.fund(name, 10_000_000);
  await small.run("alice", promising("p", 5_000));
  await small.run("alice", auctioning(small, "auction", 2_000));
});
afterEach(() => stage.close());

/** The same transaction with one party in the place of another. */
function inTheNameOf(content: Transaction, from: PublicKey, to: PublicKey): Transaction {
  const swap = <T>(value: T): T =>
    (Array.isArray(value)
      ? value.map(swap)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, swap(each)]))
        : (value as unknown) === from
          ? to
          : value) as T;
  return { ...content, outputs: swap<readonly State[]>(content.outputs), command: swap<Command>(content.command) };
}

describe("in its own auction", () => {
  test("a seller's node refuses to bid, for the owner and for its delegate", async () => {
    const before = await small.everything();
    expect(await small.submit("alice", bidding("own", 150_000))).toMatchObject({ error: { tag: "auction_own" } });
    expect(await small.everything()).toEqual(before);
    const delegate = await small.delegate("alice", ["bid"]);
    const granted = await small.everything();
    expect(await delegate.submit(bidding("by delegate", 150_000))).toMatchObject({ error: { tag: "auction_own" } });
    expect(await small.everything()).toEqual(granted);
    await small.run("bob", bidding("honest", 150_000));
  });

  test("a bid that a delegate of the seller signs is refused by verifier and notary, though all others collude", async () => {
    const delegate = signerFromSeed(new Uint8Array(32).fill(77));
    await small.run("alice", {
      tag: "grant-mandate",
      commandId: "grant",
      mandateId: "shill",
      delegate: delegate.publicKey,
      flows: ["bid"],
      energyPerSlotMax: wattHours(10_000),
      expiresMs: SLOT_END_MS,
    });
    const { content } = (await stage.taken("bob", bidding("bid", 150_000))).transaction;
    const [mandate] = await small.resolved("alice", "mandate");
    if (mandate === undefined) throw new Error("alice has granted a mandate");
    const own = {
      ...inTheNameOf(content, small.key("bob"), small.key("alice")),
      references: [...content.references, mandate.ref],
      signers: [delegate.publicKey, small.key("verifier")],
    };
    stage.proving("alice");
    const before = await small.everything();
    const unsigned = small.craft(own);
    const signed = withSignatures(unsigned, [signTransaction(small.ledger.networkId, unsigned.transaction, delegate)]);
    expect(clausesIn(await stage.ask("alice", "verifier", "sign", signed))).toContain("bid_not_by_seller");
    const colluding = withSignatures(signed, [
      signTransaction(small.ledger.networkId, unsigned.transaction, small.signer("verifier")),
    ]);
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", colluding))).toContain("bid_not_by_seller");
    // In the delegate's own name: it is no member.
    const asItself = { ...inTheNameOf(content, small.key("bob"), delegate.publicKey), signers: own.signers };
    const nobody = small.craft(asItself, "verifier");
    const byNobody = withSignatures(nobody, [signTransaction(small.ledger.networkId, nobody.transaction, delegate)]);
    expect(clausesIn(await stage.ask("alice", "notary", "notarise", byNobody))).toContain("bidder_may_act");
    expect(await small.everything()).toEqual(before);
    await small.run("bob", bidding("honest", 150_000));
  });

  test("a bid of the same person's second membership is not told from another's; it is bound to pay, fee included", async () => {
    await small.run("bob", bidding("honest", 150_000));
    await small.run("second-self", bidding("shill", 300_000));
    expect(small.balance("second-self")).toBe(10_000_000n - 2n * 305_000n);
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    await small.run("second-self", { tag: "settle-auction", commandId: "settle", auctionId: "auction" });
    expect(small.balance("marketplace")).toBe(10_000n);
    expect(small.balance("bob")).toBe(10_000_000n);
    expect(small.ledger.moneyHeld()).toMatchObject({ issuedMicros: 30_000_000n, heldMicros: 30_000_000n });
  });
});
