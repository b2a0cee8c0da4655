/**
 * The chain of the paper's section 4.3: an offer of a member's bot is signed by the bot's key, by the aggregator that serves the
 * member, by the marketplace and by a verifier. Each refuses what is its own to check, and without any of them it is no offer.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientCommand, type ResolvedState, refKey, type State, type Transaction } from "#contracts";
import { microsPerKwh, type PublicKey, type Signer, wattHours } from "#core";
import { aggregatorPolicy } from "#ledger-node";
import { admissionPolicy } from "#marketplace";
import { SmallNetwork } from "#testkit";
import { type Bot, keptFromNotary, serveBy, signedBy } from "./served-member.ts";
import { clausesIn, ordering, promising, refusalIn } from "./stage.ts";

let small: SmallNetwork;
let bot: Bot;
let strategy: string;
let halted: ReadonlySet<PublicKey>;
const SIGNED_PER_HOUR_MAX = 4;

beforeEach(async () => {
  strategy = "solar";
  halted = new Set();
  let hub: PublicKey | undefined;
  small = await SmallNetwork.found({
    marketplacePolicy: admissionPolicy(() => small.node("marketplace").unspent("pool-order")),
    policyOf: (name) => (name === "hub" ? (resolved) => policy()(resolved) : undefined),
  });
  let made: ReturnType<typeof aggregatorPolicy> | undefined;
  const policy = (): ReturnType<typeof aggregatorPolicy> => {
    hub ??= small.key("hub");
    made ??= aggregatorPolicy({
      key: hub,
      nowMs: () => small.clock.nowMs(),
      strategyOf: () => strategy,
      isHalted: (member) => halted.has(member),
      signedPerHourMax: SIGNED_PER_HOUR_MAX,
    });
    return made;
  };
  await small.serve("hub");
  await small.join("alice");
  await small.fund("alice", 5_000_000, 5_000_000, 5_000_000);
  bot = await serveBy(small, "alice", "hub", { strategies: ["solar"], bidPriceMax: microsPerKwh(300_000) });
});
afterEach(() => small.close());

function offering(commandId: string, energy = 1_000, limit = 100_000): ClientCommand {
  return ordering(small, commandId, "offer", energy, limit);
}

function refusedBy(name: string, reason: string) {
  return { ok: false, error: { tag: "counterparty_refused", party: small.key(name), reason } };
}

describe("a bot's offer", () => {
  test("is signed by the bot, its aggregator, the marketplace and a verifier, and not by its owner", async () => {
    expect(await bot.client.submit(promising("p", 2_000))).toMatchObject({ ok: true });
    const { transaction, signatures } = await keptFromNotary(small, () => bot.client.submit(offering("offer")));
    const four = [bot.signer.publicKey, ...["hub", "marketplace", "verifier"].map((name) => small.key(name))];
    expect([...transaction.content.signers].sort()).toEqual([...four].sort());
    expect(signatures.map(({ by }) => by).sort()).toEqual([...four].sort());
  });

  test("without any one of the four is refused by the notary and by every node that is asked to sign", async () => {
    await bot.client.submit(promising("p", 2_000));
    const signed = await keptFromNotary(small, () => bot.client.submit(offering("offer")));
    small.actAs("alice");
    const four: readonly (readonly [string, Signer, string])[] = [
      ["bot", bot.signer, "order_authorised"],
      ["hub", small.signer("hub"), "order_authorised"],
      ["marketplace", small.signer("marketplace"), "order_signed_by_marketplace"],
      ["verifier", small.signer("verifier"), "order_verified"],
    ];
    for (const [missing, { publicKey }, clause] of four) {
      const lacking = { ...signed, signatures: signed.signatures.filter(({ by }) => by !== publicKey) };
      const reply = await small.ask("alice", "notary", "notarise", lacking);
      expect([missing, refusalIn(reply)]).toEqual([missing, { tag: "signature_missing" }]);
      const { content } = signed.transaction;
      const others: Transaction = { ...content, signers: content.signers.filter((key) => key !== publicKey) };
      const signers = four.flatMap(([name, signer]) => (name === missing ? [] : [signer]));
      const dropped = signedBy(small, others, signers);
      expect([missing, clausesIn(await small.ask("alice", "notary", "notarise", dropped))]).toEqual([
        missing,
        [clause],
      ]);
      for (const [name, signer] of four.filter(([each]) => each !== missing && each !== "bot")) {
        const asked = signedBy(
          small,
          others,
          signers.filter((each) => each !== signer),
        );
        expect([missing, name, clausesIn(await small.ask("alice", name, "sign", asked))]).toEqual([
          missing,
          name,
          [clause],
        ]);
      }
    }
  });
});

describe("the aggregator refuses", () => {
  test("what a strategy does that the mandate does not name", async () => {
    strategy = "speculation";
    expect(await bot.client.submit(promising("p", 2_000))).toMatchObject(refusedBy("hub", "strategy_not_in_mandate"));
  });

  test("a halted member's offers and bids, and signs what takes orders back", async () => {
    await bot.client.submit(promising("p", 2_000));
    expect(await bot.client.submit(offering("before"))).toMatchObject({ ok: true });
    halted = new Set([small.key("alice")]);
    expect(await bot.client.submit(offering("offer"))).toMatchObject(refusedBy("hub", "trading_halted"));
    const cancelled = await bot.client.submit({ tag: "cancel-orders", commandId: "c", orderIds: ["before/0"] });
    expect(cancelled).toMatchObject({ ok: true });
  });

  test("more of one member in an hour than it signs, and signs again when the hour is over", async () => {
    for (let count = 0; count < SIGNED_PER_HOUR_MAX; count++)
      expect(await bot.client.submit(promising(`p${count}`, 200))).toMatchObject({ ok: true });
    expect(await bot.client.submit(promising("once more", 200))).toMatchObject(refusedBy("hub", "rate_limited"));
    small.clock.moveTo(small.clock.nowMs() + 3_600_000);
    expect(await bot.client.submit(promising("later", 200))).toMatchObject({ ok: true });
  });

  test("to sign for a member that it does not serve", async () => {
    await small.serve("rival");
    const signed = await keptFromNotary(small, () => bot.client.submit(promising("p", 2_000)));
    small.actAs("alice");
    const { content } = signed.transaction;
    const hub = small.key("hub");
    const rival = small.key("rival");
    const rivals = { ...content, signers: content.signers.map((key) => (key === hub ? rival : key)).sort() };
    const reply = await small.ask("alice", "rival", "sign", signedBy(small, rivals, [bot.signer]));
    expect(clausesIn(reply)).toEqual(["promise_authorised"]);
    const asked = await small.ask(
      "alice",
      "rival",
      "sign",
      signedBy(small, { ...content, signers: [...content.signers, rival].sort() }, [bot.signer]),
    );
    expect(refusalIn(asked), "beside the one that does").toMatchObject({ reason: "role_not_allowed" });
  });
});

describe("the marketplace refuses", () => {
  test("an offer that would meet a bid of the same owner", async () => {
    await bot.client.submit(promising("p", 2_000));
    let asked: Uint8Array | undefined;
    small.wire.intercept = (_from, to, request, next) => {
      if (request.tag !== "sign" || to !== small.key("marketplace")) return next(request);
      asked = request.transaction;
      return Promise.resolve({ tag: "refused", refusal: { tag: "transaction_malformed" } });
    };
    await bot.client.submit(offering("offer"));
    small.wire.intercept = undefined;
    const transaction = asked ?? new Uint8Array();
    small.actAs("alice");
    const before = await small.send("alice", "marketplace", { tag: "sign", transaction });
    expect(before.tag, "while there is no bid").toBe("signed");
    expect(await bot.client.submit(ordering(small, "bid", "bid", 500, 200_000))).toMatchObject({ ok: true });
    const after = await small.send("alice", "marketplace", { tag: "sign", transaction });
    expect(refusalIn(after)).toMatchObject({ reason: "self_cross" });
    // The owner's node says it first.
    expect(await bot.client.submit(offering("offer"))).toMatchObject({ ok: false, error: { tag: "self_cross" } });
  });

  test("arrival numbers that it has not given", async () => {
    await bot.client.submit(promising("p", 2_000));
    const signed = await keptFromNotary(small, () => bot.client.submit(offering("offer")));
    small.actAs("alice");
    const { content } = signed.transaction;
    const early = {
      ...content,
      outputs: content.outputs.map((state) => (state.tag === "pool-order" ? { ...state, sequence: 0 } : state)),
    };
    const attempt = signedBy(small, early, [bot.signer, small.signer("hub")]);
    const reply = await small.ask("alice", "marketplace", "sign", attempt);
    expect(refusalIn(reply)).toMatchObject({ reason: "sequence_not_given" });
  });
});

describe("the verifier refuses", () => {
  test("a suspended member's offer", async () => {
    await bot.client.submit(promising("p", 2_000));
    const signed = await keptFromNotary(small, () => bot.client.submit(offering("offer")));
    const [asBefore] = (await small.node("alice").states("member")).flatMap(({ ref, state }) =>
      state.key === small.key("alice") ? [ref] : [],
    );
    if (asBefore === undefined) throw new Error("alice is a member");
    await small.run("grid-authority", {
      tag: "amend-member",
      commandId: "suspend",
      member: small.key("alice"),
      standing: "suspended",
    });
    expect(await bot.client.submit(offering("another"))).toMatchObject({ ok: false });
    small.actAs("alice");
    const { content } = signed.transaction;
    const isAlice = ({ state }: ResolvedState): boolean => state.tag === "member" && state.key === small.key("alice");
    const suspended = (await small.resolved("verifier", "member")).find(isAlice)?.ref;
    const references = content.references.map((ref) => (refKey(ref) === refKey(asBefore) ? (suspended ?? ref) : ref));
    const attempt = signedBy(small, { ...content, references }, [bot.signer, small.signer("hub")]);
    expect(clausesIn(await small.ask("alice", "verifier", "sign", attempt))).toContain("order_owner_may_act");
    // What was signed by all before the suspension is too late: it cites the member as it was.
    expect(refusalIn(await small.ask("alice", "notary", "notarise", signed))).toMatchObject({ tag: "state_conflict" });
  });

  test("a promise beyond the member's capacity", async () => {
    const signed = await keptFromNotary(small, () => bot.client.submit(promising("p", 2_000)));
    small.actAs("alice");
    const { content } = signed.transaction;
    const energy = wattHours(20_001);
    const outputs = content.outputs.map((state): State => {
      if (state.tag === "power-promise") return { ...state, energy };
      if (state.tag !== "exposure") return state;
      return { ...state, entries: state.entries.map((entry) => ({ ...entry, promised: energy })) };
    });
    const attempt = signedBy(small, { ...content, outputs }, [bot.signer, small.signer("hub")]);
    expect(clausesIn(await small.ask("alice", "verifier", "sign", attempt))).toContain("promise_within_capacity");
  });
});
