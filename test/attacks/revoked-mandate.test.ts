/**
 * A delegate whose mandate was revoked, or that goes beyond it: before, while and after, from one process or from two. The mandate is
 * cited and the day's exposure is consumed by each transaction, so the notary's order decides, and nothing moves that should not.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, encodeSignedTransaction } from "#contracts";
import { microsPerKwh, wattHours } from "#core";
import { delegateClient } from "#ledger-client";
import { DEADLINE_MS, SLOT, type SmallNetwork } from "#testkit";
import { type Bot, botOf, keptFromNotary, mandateFor, serveBy, signedBy } from "./served-member.ts";
import { bidding, ordering, promising, refusalIn, Stage } from "./stage.ts";

let stage: Stage;
let small: SmallNetwork;
let bot: Bot;

/** bob auctions 2 kWh; alice's bot may hold 10 kWh in a slot and 12 kWh in a day, and bid up to 0.300. */
beforeEach(async () => {
  stage = await Stage.found();
  small = stage.small;
  await small.serve("hub");
  await small.serve("rival");
  for (const name of ["alice", "bob"]) {
    await small.join(name);
    await small.fund(name, 9_000_000, 9_000_000, 9_000_000);
  }
  await small.run("bob", promising("p", 2_000));
  await small.run("bob", {
    tag: "create-auction",
    commandId: "auction",
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(2_000),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  });
  bot = await serveBy(small, "alice", "hub", {
    energyPerDayMax: wattHours(12_000),
    bidPriceMax: microsPerKwh(300_000),
  });
});
afterEach(() => stage.close());

const revoking: ClientCommand = { tag: "revoke-mandate", commandId: "revoke", mandateId: "bot" };

/** What is alice's, and what the auction has: unchanged by whatever is refused. */
function standing(): unknown {
  const alice = small.node("alice");
  return [small.balance("alice"), alice.unspent("auction"), alice.unspent("power-promise"), alice.unspent("exposure")];
}

describe("a bid signed by a revoked mandate", () => {
  test("is refused before it is proposed", async () => {
    await small.run("alice", revoking);
    const before = standing();
    expect(await bot.client.submit(bidding("bid", 200_000))).toMatchObject({
      ok: false,
      error: { tag: "mandate_missing" },
    });
    expect(standing()).toEqual(before);
  });

  test("in flight: signed by all, then revoked, then notarised: the notary refuses it and nothing moves", async () => {
    const signed = await keptFromNotary(small, () => bot.client.submit(bidding("bid", 200_000)));
    await small.run("alice", revoking);
    const before = standing();
    const reply = await small.ask("alice", "notary", "notarise", signed);
    expect(refusalIn(reply)).toMatchObject({ tag: "state_conflict", spent: [{ ref: expect.any(String) }] });
    expect(standing()).toEqual(before);
    expect(small.node("bob").unspent("auction")[0]).toMatchObject({ highestBidder: null });
  });

  test("in flight during the revocation: whichever the notary has first holds, and never both", async () => {
    const signed = await keptFromNotary(small, () => bot.client.submit(bidding("bid", 200_000)));
    const notarised = small.send("alice", "notary", { tag: "notarise", transaction: encodeSignedTransaction(signed) });
    const [reply, revoked] = await Promise.all([notarised, small.submit("alice", revoking)]);
    expect(revoked.ok).toBe(true);
    if (reply.tag === "notarised") await small.ask("alice", "notary", "notarise", signed);
    else expect(refusalIn(reply)).toMatchObject({ tag: "state_conflict" });
    expect(await bot.client.submit(bidding("second", 250_000))).toMatchObject({ ok: false });
  });

  test("with a mandate that was moved away is refused, by the bot of the aggregator before", async () => {
    const signed = await keptFromNotary(small, () => bot.client.submit(bidding("bid", 200_000)));
    const served = { by: small.key("rival"), mandate: mandateFor(botOf("rival's").publicKey) };
    await small.run("alice", { tag: "move-member", commandId: "away", served });
    expect(refusalIn(await small.ask("alice", "notary", "notarise", signed))).toMatchObject({ tag: "state_conflict" });
    expect(await bot.client.submit(bidding("second", 200_000))).toMatchObject({
      ok: false,
      error: { tag: "mandate_missing" },
    });
  });

  test("is revoked by the principal alone: neither the bot nor the aggregator ends, widens or lengthens a mandate", async () => {
    const [mandate] = await small.resolved("alice", "mandate");
    const [parameters] = await small.resolved("alice", "network-parameters");
    if (mandate === undefined || parameters === undefined) throw new Error("alice's node keeps both");
    small.actAs("alice");
    const content = {
      inputs: [mandate.ref],
      references: [parameters.ref],
      outputs: [],
      command: { tag: "revoke-mandate" } as const,
      signers: [bot.signer.publicKey, small.key("hub")].sort(),
      notary: small.key("notary"),
      window: { fromMs: null, untilMs: small.clock.nowMs() + 1_000 },
    };
    const forged = signedBy(small, content, [bot.signer, small.signer("hub")]);
    expect(refusalIn(await small.ask("alice", "notary", "notarise", forged))).toEqual({
      tag: "contract_violated",
      clauses: ["revoke_signed_by_the_principal"],
    });
  });
});

describe("a mandate used beyond its limits", () => {
  test("of a slot, a day or a price is refused", async () => {
    const clauses = (clause: string) => ({ ok: false, error: { tag: "contract_violated", clauses: [clause] } });
    expect(await bot.client.submit(promising("slot", 10_001))).toMatchObject(clauses("promise_authorised"));
    expect(await bot.client.submit(bidding("price", 300_001))).toMatchObject(clauses("bid_authorised"));
    expect(await bot.client.submit(ordering(small, "order", "bid", 1_000, 300_001))).toMatchObject(
      clauses("order_authorised"),
    );
    expect(await bot.client.submit(promising("most", 10_000))).toMatchObject({ ok: true });
    const nextSlot = "2031-06-01T10:30Z/PT15M" as typeof SLOT;
    const later: ClientCommand = {
      tag: "create-promises",
      commandId: "day",
      promises: [{ slot: nextSlot, energy: wattHours(2_001) }],
    };
    expect(await bot.client.submit(later)).toMatchObject(clauses("promise_authorised"));
    const within: ClientCommand = {
      ...later,
      commandId: "within",
      promises: [{ slot: nextSlot, energy: wattHours(2_000) }],
    };
    expect(await bot.client.submit(within)).toMatchObject({ ok: true });
  });

  test("from two processes at once: the exposure is the counter, and one of two is refused", async () => {
    const twin = await stage.twinOf("alice");
    const second = delegateClient(twin, { signer: bot.signer, networkId: small.ledger.networkId });
    const answers = await Promise.all([
      bot.client.submit(promising("one", 6_000)),
      second.submit(promising("two", 6_000)),
    ]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    const promised = small
      .node("grid-authority")
      .unspent("exposure")
      .flatMap((exposure) =>
        exposure.member === small.key("alice") ? exposure.entries.map((entry) => entry.promised) : [],
      );
    expect(promised).toEqual([6_000n]);
    expect(await bot.client.submit(promising("three", 4_001))).toMatchObject({ ok: false });
  });
});
