/**
 * What a dishonest party can try with its own keys, a node of its own making and messages of its own: each attempt is refused,
 * and nothing has changed. Transactions are taken from an honest node before anybody saw them, altered, and signed again.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ClientCommand,
  type Command,
  decodeSignedTransaction,
  decodeTransaction,
  type LedgerRefusal,
  type PeerReply,
  type SignedTransaction,
  type State,
  type StateOf,
  type StateTag,
  signBatch,
  signTransaction,
  type Transaction,
} from "#contracts";
import { micros, microsPerKwh, type PublicKey, signerFromSeed, unwrap, wattHours } from "#core";
import { DEADLINE_MS, SLOT, SLOT_END_MS, SmallNetwork } from "#testkit";

let small: SmallNetwork;

beforeEach(async () => {
  small = await SmallNetwork.found();
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("sam", {
    roles: ["speculator"],
    capacityPerSlot: wattHours(0),
    holdingCapPerSlot: wattHours(5_000),
  });
  for (const name of ["alice", "bob", "sam"]) await small.fund(name, ...Array.from({ length: 8 }, () => 5_000_000));
});
afterEach(() => small.close());

function promising(commandId: string, energy: number): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot: SLOT, energy: wattHours(energy) }] };
}

function ordering(commandId: string, side: "bid" | "offer", energy: number, limit: number): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: [{ side, slot: SLOT, energy: wattHours(energy), limit: microsPerKwh(limit) }],
  };
}

function auctioning(commandId: string, energy: number): ClientCommand {
  return {
    tag: "create-auction",
    commandId,
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(energy),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
  };
}

function bidding(commandId: string, price: number, auctionId = "auction"): ClientCommand {
  return { tag: "bid", commandId, auctionId, price: microsPerKwh(price) };
}

/** The transaction that a node would make of a command: taken from it before anybody else sees it. */
async function taken(name: string, command: ClientCommand): Promise<SignedTransaction> {
  const from = small.key(name);
  let bytes: Uint8Array | undefined;
  small.wire.intercept = (sender, _to, request, next) => {
    if (sender !== from || (request.tag !== "sign" && request.tag !== "notarise")) return next(request);
    bytes ??= request.transaction;
    return Promise.resolve({ tag: "refused", refusal: { tag: "transaction_malformed" } });
  };
  await small.submit(name, command);
  small.wire.intercept = undefined;
  return unwrap(decodeSignedTransaction(bytes ?? new Uint8Array()));
}

/** The same content with some states altered: `alter` gives what stands in their place. */
function altered<T extends StateTag>(
  content: Transaction,
  tag: T,
  alter: (state: StateOf<T>) => readonly State[],
): Transaction {
  const outputs = content.outputs.flatMap((state) => (state.tag === tag ? alter(state as StateOf<T>) : [state]));
  return { ...content, outputs };
}

function refusalIn(reply: PeerReply): LedgerRefusal | PeerReply {
  return reply.tag === "refused" ? reply.refusal : reply;
}

/** Names of the clauses in a refusal. */
function clausesIn(reply: PeerReply): readonly string[] {
  const refusal = refusalIn(reply);
  return refusal.tag === "contract_violated" ? refusal.clauses : [refusal.tag];
}

const ISSUE: Command = { tag: "issue-funds" };

async function transactionOf(
  signers: readonly string[],
  parts: Partial<Transaction> & Pick<Transaction, "command" | "outputs">,
): Promise<Transaction> {
  const [parameters] = await small.resolved("verifier", "network-parameters");
  return {
    inputs: [],
    references: parameters === undefined ? [] : [parameters.ref],
    signers: signers.map((name) => small.key(name)),
    notary: small.key("notary"),
    window: { fromMs: null, untilMs: small.clock.nowMs() + 60_000 },
    ...parts,
  };
}

describe("signatures", () => {
  async function issuing(): Promise<Transaction> {
    const outputs: readonly State[] = [{ tag: "funds", owner: small.key("alice"), amount: micros(1_000_000) }];
    return transactionOf(["payment-provider"], { command: ISSUE, outputs });
  }

  test("a forged, missing, foreign or re-used signature makes nothing final", async () => {
    const before = await small.everything();
    const [content, other] = [await issuing(), await issuing()];
    const honest = small.craft(content, "payment-provider");
    const provider = small.signer("payment-provider");
    const elsewhere = signTransaction("another-network", honest.transaction, provider);
    const ofOther = small.craft(other, "payment-provider").signatures[0]?.signature ?? new Uint8Array();
    const byAlice = signTransaction(small.ledger.networkId, honest.transaction, small.signer("alice")).signature;
    const flipped = (honest.signatures[0]?.signature ?? new Uint8Array(64)).map(
      (byte, index) => byte ^ (index === 9 ? 1 : 0),
    );
    for (const signature of [elsewhere.signature, ofOther, byAlice, flipped, new Uint8Array(64)]) {
      const forged = { ...honest, signatures: [{ by: provider.publicKey, signature }] };
      expect(refusalIn(await small.ask("alice", "notary", "notarise", forged))).toEqual({ tag: "signature_invalid" });
    }
    const unsigned = { ...honest, signatures: [] };
    expect(refusalIn(await small.ask("alice", "notary", "notarise", unsigned))).toEqual({ tag: "signature_missing" });
    const signedByAlice = small.craft(content, "alice");
    expect(refusalIn(await small.ask("alice", "notary", "notarise", signedByAlice))).toEqual({
      tag: "signature_missing",
    });
    expect(await small.everything()).toEqual(before);
  });

  test("money signed for by its receiver alone is refused by the contract", async () => {
    const content = { ...(await issuing()), signers: [small.key("alice")] };
    const reply = await small.ask("alice", "notary", "notarise", small.craft(content, "alice"));
    expect(clausesIn(reply)).toEqual(["issue_signed_by_payment_provider"]);
  });

  test("an answer that the notary did not sign, or signed for another, is not taken; its true answer is, later", async () => {
    const issued = small.craft(await issuing(), "payment-provider");
    const other = await small.ask("payment-provider", "notary", "notarise", issued);
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const wrong = (txId: SignedTransaction["transaction"]["id"]): readonly PeerReply[] => [
      other,
      ...signBatch(small.ledger.networkId, [txId], stranger).map((signature) => ({
        tag: "notarised" as const,
        signature,
      })),
      ...signBatch("another-network", [txId], small.signer("notary")).map((signature) => ({
        tag: "notarised" as const,
        signature,
      })),
    ];
    for (let index = 0; index < 3; index++) {
      small.wire.intercept = async (_from, _to, request, next) => {
        if (request.tag !== "notarise") return next(request);
        const { id } = unwrap(decodeSignedTransaction(request.transaction)).transaction;
        return wrong(id)[index] as PeerReply;
      };
      const before = await small.vaultOf("alice");
      expect(await small.submit("alice", promising("p", 1_000))).toEqual({
        ok: false,
        error: { tag: "signature_invalid" },
      });
      expect(await small.vaultOf("alice")).toEqual(before);
    }
    small.wire.intercept = undefined;
    expect(await small.run("alice", promising("p", 1_000))).toMatchObject({ status: "created" });
  });

  test("a countersigner's answer with another's signature is not taken", async () => {
    const verifier = small.key("verifier");
    const answers: readonly PeerReply[] = [
      { tag: "signed", signature: { by: verifier, signature: new Uint8Array(64) } },
      { tag: "signed", signature: { by: small.key("alice"), signature: new Uint8Array(64) } },
      { tag: "stored" },
    ];
    for (const answer of answers) {
      small.wire.intercept = (_from, to, request, next) =>
        request.tag === "sign" && to === verifier ? Promise.resolve(answer) : next(request);
      expect(await small.submit("alice", promising("p", 1_000))).toEqual({
        ok: false,
        error: { tag: "signature_invalid" },
      });
    }
  });
});

describe("the notary", () => {
  test("lets one of two spend the same funds, however they come", async () => {
    const [funds] = (await small.resolved("bob", "funds")).slice(0, 1);
    if (funds === undefined) throw new Error("bob has funds");
    const spending = async (number: number): Promise<SignedTransaction> => {
      const owed: State = {
        tag: "redemption",
        redemptionId: `redemption ${number}`,
        owner: small.key("bob"),
        provider: small.key("payment-provider"),
        amount: micros(5_000_000),
        account: "main",
      };
      const content = await transactionOf(["bob", "payment-provider"], {
        inputs: [funds.ref],
        command: { tag: "redeem-funds" },
        outputs: [owed],
      });
      return small.craft(content, "bob", "payment-provider");
    };
    const [first, second, late] = [await spending(1), await spending(2), await spending(3)];
    const replies = await Promise.all([first, second].map((each) => small.ask("bob", "notary", "notarise", each)));
    expect(replies.map(({ tag }) => tag)).toEqual(["notarised", "refused"]);
    for (const each of [second, late])
      expect(refusalIn(await small.ask("bob", "notary", "notarise", each))).toMatchObject({ tag: "state_conflict" });
    expect((await small.ask("bob", "notary", "notarise", first)).tag).toBe("notarised");
    const { issuedMicros, heldMicros } = small.ledger.moneyHeld();
    expect([issuedMicros, heldMicros]).toEqual([120_000_000n, 120_000_000n]); // 5 of them are owed once.
  });

  test("founds the network once", async () => {
    const [parameters] = await small.resolved("verifier", "network-parameters");
    const content = await transactionOf(["grid-authority"], {
      references: [],
      command: { tag: "genesis" },
      outputs: parameters === undefined ? [] : [parameters.state],
    });
    const second = small.craft({ ...content, window: { fromMs: null, untilMs: null } }, "grid-authority");
    expect(refusalIn(await small.ask("grid-authority", "notary", "notarise", second))).toEqual({
      tag: "role_not_allowed",
    });
    const replies = await Promise.all([
      small.fund("alice", 1),
      small.ask("grid-authority", "notary", "notarise", second),
    ]);
    expect(refusalIn(replies[1])).toEqual({ tag: "role_not_allowed" });
  });

  test("knows no state that was never made, and no key of small order", async () => {
    const content = await transactionOf(["alice"], {
      inputs: [
        { txId: small.craft(await transactionOf(["alice"], { command: ISSUE, outputs: [] })).transaction.id, index: 0 },
      ],
      command: { tag: "revoke-mandate" },
      outputs: [],
    });
    const unknown = small.craft(content, "alice");
    expect(refusalIn(await small.ask("alice", "notary", "notarise", unknown))).toEqual({ tag: "dependency_unknown" });
    for (const key of ["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`, `ed${"ff".repeat(30)}7f`]) {
      const outputs: readonly State[] = [{ tag: "funds", owner: key as PublicKey, amount: micros(1) }];
      const bad = small.craft(
        await transactionOf(["payment-provider"], { command: ISSUE, outputs }),
        "payment-provider",
      );
      const reply = await small.ask("payment-provider", "notary", "notarise", bad);
      expect(refusalIn(reply)).toEqual({ tag: "transaction_malformed" });
    }
  });

  test("takes no transaction of another notary's", async () => {
    const content = await transactionOf(["payment-provider"], {
      command: ISSUE,
      outputs: [],
      notary: small.key("alice"),
    });
    const reply = await small.ask("alice", "notary", "notarise", small.craft(content, "payment-provider"));
    expect(clausesIn(reply)).toEqual(["states_governed_by_the_notary"]);
  });
});

describe("joining", () => {
  const mallory = signerFromSeed(new Uint8Array(32).fill(3));

  test("nobody is let in by asking the grid authority's node for its signature", async () => {
    const outputs: readonly State[] = [
      {
        tag: "member",
        name: "mallory",
        key: mallory.publicKey,
        roles: ["power-company", "marketplace"],
        standing: "good",
        capacityPerSlot: wattHours(1_000_000),
        holdingCapPerSlot: null,
        marketFee: microsPerKwh(0),
        storage: null,
        servedBy: null,
      },
      { tag: "exposure-index", member: mallory.publicKey, openedDays: [] },
    ];
    const content = await transactionOf(["grid-authority"], { command: { tag: "join" }, outputs });
    const { transaction } = small.craft({ ...content, signers: [...content.signers, mallory.publicKey] });
    const signed: SignedTransaction = {
      transaction,
      signatures: [signTransaction(small.ledger.networkId, transaction, mallory)],
      notarySignature: null,
    };
    expect(refusalIn(await small.ask("alice", "grid-authority", "sign", signed))).toEqual({
      tag: "counterparty_refused",
      party: small.key("grid-authority"),
      reason: "role_not_allowed",
      clauses: [],
    });
  });

  test("a member does not join twice", async () => {
    const outputs: readonly State[] = [
      {
        ...(await small.resolved("alice", "member")).map(({ state }) => state as StateOf<"member">)[0],
        name: "twin",
        key: small.key("bob"),
      } as State,
      { tag: "exposure-index", member: small.key("bob"), openedDays: [] },
    ];
    const content = await transactionOf(["grid-authority", "bob"], { command: { tag: "join" }, outputs });
    const reply = await small.ask("grid-authority", "bob", "sign", small.craft(content, "grid-authority"));
    expect(refusalIn(reply)).toMatchObject({ tag: "counterparty_refused", reason: "role_not_allowed" });
  });
});

describe("capacity and caps", () => {
  test("promises above the capacity, issued all at once and again and again, stay within it", async () => {
    const commands = [8_000, 8_000, 8_000, 4_000].map((energy, index) => promising(`p${index}`, energy));
    for (let round = 0; round < 5; round++)
      await Promise.all(commands.map((command) => small.submit("alice", command)));
    const promised = small.node("grid-authority").unspent("power-promise");
    expect(promised.reduce((sum, { energy }) => sum + energy, 0n)).toBe(20_000n);
    const last = await Promise.all(commands.map((command) => small.submit("alice", command)));
    expect(last.flatMap((result) => (result.ok ? [] : [result.error]))).toEqual([
      { tag: "capacity_exceeded", slot: SLOT, asked: 8_000n, free: 0n },
    ]);
  });

  test("a speculator that buys by many clients at once holds and bids no more than its cap", async () => {
    await small.run("alice", promising("promise", 10_000));
    await small.run("alice", auctioning("auction", 2_000));
    const commands = [
      ...Array.from({ length: 8 }, (_, index) => ordering(`order ${index}`, "bid", 1_000, 100_000 + index)),
      bidding("bid", 150_000),
    ];
    for (let round = 0; round < 9; round++) await Promise.all(commands.map((command) => small.submit("sam", command)));
    const [exposure] = small.node("sam").unspent("exposure");
    expect(exposure?.entries).toMatchObject([{ slot: SLOT, bought: 0n }]);
    expect(exposure?.entries[0]?.bidding).toBeLessThanOrEqual(5_000n);
    expect(exposure?.entries[0]?.bidding).toBeGreaterThan(3_000n);
    const refusals = await Promise.all(commands.map((command) => small.submit("sam", command)));
    const refused = refusals.flatMap((result) => (result.ok ? [] : [result.error.tag]));
    expect(new Set(refused)).toEqual(new Set(["holding_cap_exceeded"]));
  });

  test("a node that does not count its promises, or counts from an old exposure, gets no signature and no notary", async () => {
    await small.run("alice", promising("first", 15_000));
    const { content } = (await taken("alice", promising("second", 5_000))).transaction;
    small.actAs("alice");
    const greedy = altered(content, "power-promise", (promise) => [{ ...promise, energy: wattHours(9_000) }]);
    const counted = altered(greedy, "exposure", (exposure) => [
      { ...exposure, entries: exposure.entries.map((entry) => ({ ...entry, promised: wattHours(24_000) })) },
    ]);
    for (const [attempt, clause] of [
      [greedy, "exposure_counts_the_change"],
      [counted, "promise_within_capacity"],
    ] as const) {
      const signed = small.craft(attempt, "alice");
      for (const party of ["grid-authority", "verifier"])
        expect(clausesIn(await small.ask("alice", party, "sign", signed))).toContain(clause);
      const colluding = small.craft(attempt, "alice", "grid-authority", "verifier");
      expect(clausesIn(await small.ask("alice", "notary", "notarise", colluding))).toContain(clause);
    }
    small.wire.intercept = undefined;
    const honest = small.craft(content, "alice", "grid-authority", "verifier");
    await small.run("alice", promising("between", 1_000));
    expect(refusalIn(await small.ask("alice", "notary", "notarise", honest))).toMatchObject({ tag: "state_conflict" });
  });
});

describe("a dishonest marketplace", () => {
  let content: Transaction;

  beforeEach(async () => {
    await small.run("alice", promising("promise", 10_000));
    await small.run("alice", ordering("offer", "offer", 4_000, 100_000));
    await small.run("bob", ordering("bid", "bid", 3_000, 250_000));
    const cleared = await taken("marketplace", {
      tag: "clear-pool",
      commandId: "round",
      slot: SLOT,
      price: microsPerKwh(180_000),
      isFinal: false,
      trades: [{ bid: "bid/0", offer: "offer/0", energy: wattHours(3_000), price: microsPerKwh(180_000) }],
    });
    content = cleared.transaction.content;
  });

  function pricedAt(price: number): Transaction {
    const { command } = content;
    if (command.tag !== "clear-pool") throw new Error("a round is cleared");
    const trades = command.trades.map((trade) => ({ ...trade, price: microsPerKwh(price) }));
    return { ...content, command: { ...command, price: microsPerKwh(price), trades } };
  }

  function withFunds(name: string, more: bigint): (funds: StateOf<"funds">) => readonly State[] {
    return (funds) => [funds.owner === small.key(name) ? { ...funds, amount: micros(funds.amount + more) } : funds];
  }

  async function expectRefused(attempt: Transaction, clause: string): Promise<void> {
    const before = await small.everything();
    const alone = small.craft(attempt, "marketplace");
    expect(clausesIn(await small.ask("marketplace", "verifier", "sign", alone))).toContain(clause);
    expect(refusalIn(await small.ask("marketplace", "notary", "notarise", alone))).toEqual({
      tag: "signature_missing",
    });
    const colluding = small.craft(attempt, "marketplace", "verifier");
    expect(clausesIn(await small.ask("marketplace", "notary", "notarise", colluding))).toContain(clause);
    expect(await small.everything()).toEqual(before);
  }

  test("clears nothing above a bid's limit or below an offer's", async () => {
    await expectRefused(pricedAt(250_001), "clear_within_limits");
    await expectRefused(pricedAt(99_999), "clear_within_limits");
  });

  test("keeps no more than its fee", async () => {
    const fromAlice = altered(content, "funds", withFunds("alice", -1_000n));
    await expectRefused(altered(fromAlice, "funds", withFunds("marketplace", 1_000n)), "clear_money_follows_trades");
    const fromBob = altered(content, "funds", withFunds("bob", -1n));
    await expectRefused(altered(fromBob, "funds", withFunds("marketplace", 1n)), "clear_money_follows_trades");
  });

  test("makes no money, takes no promise for itself and no order out of the pool", async () => {
    await expectRefused(altered(content, "funds", withFunds("marketplace", 1n)), "money_conserved");
    const stolen = altered(content, "power-promise", (promise) => [
      promise.owner === small.key("bob") ? { ...promise, owner: small.key("marketplace") } : promise,
    ]);
    await expectRefused(stolen, "clear_promises_follow_trades");
    await expectRefused(
      altered(content, "pool-order", () => []),
      "clear_orders_go_on",
    );
  });

  test("does not trade an order beyond its energy, nor for an owner with itself", async () => {
    const { command } = content;
    if (command.tag !== "clear-pool") throw new Error("a round is cleared");
    const twice = { ...content, command: { ...command, trades: [...command.trades, ...command.trades] } };
    await expectRefused(twice, "clear_within_orders");
  });

  test("what it may do is signed and made final", async () => {
    const honest = small.craft(content, "marketplace");
    expect((await small.ask("marketplace", "verifier", "sign", honest)).tag).toBe("signed");
  });
});

describe("auctions", () => {
  beforeEach(async () => {
    await small.run("alice", promising("promise", 10_000));
    await small.run("alice", auctioning("auction", 2_000));
  });

  test("the seller's own bid, made by hand, is refused by verifier and notary", async () => {
    const [alice, bob] = [small.key("alice"), small.key("bob")];
    const { content } = (await taken("bob", bidding("bid", 120_000))).transaction;
    const swap = (state: State): State =>
      JSON.parse(
        JSON.stringify(state, (_key, value) =>
          typeof value === "bigint" ? `${value}n` : value === bob ? alice : value,
        ),
        (_key, value) => (typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value),
      );
    const verifier = small.key("verifier");
    const command = { tag: "bid", auctionId: "auction", bidder: alice, requires: null } as const;
    const own = { ...content, outputs: content.outputs.map(swap), command, signers: [alice, verifier] };
    small.actAs("alice");
    expect(clausesIn(await small.ask("alice", "verifier", "sign", small.craft(own, "alice")))).toContain(
      "bid_not_by_seller",
    );
    const colluding = small.craft(own, "alice", "verifier");
    expect(clausesIn(await small.ask("alice", "notary", "notarise", colluding))).toContain("bid_not_by_seller");
  });

  test("another's auction id is not taken by a verifier", async () => {
    await small.run("alice", auctioning("second", 1_000));
    const { content } = (await taken("alice", auctioning("third", 1_000))).transaction;
    const copied = altered(content, "auction", (auction) => [{ ...auction, auctionId: "second" }]);
    const locked = altered(copied, "power-promise", (promise) => [
      promise.lock === null ? promise : { ...promise, lock: { kind: "auction", id: "second" } },
    ]);
    const attempt = small.craft({ ...locked, command: { tag: "create-auction", auctionId: "second" } }, "alice");
    expect(refusalIn(await small.ask("alice", "verifier", "sign", attempt))).toMatchObject({
      tag: "counterparty_refused",
      reason: "command_id_reused",
    });
  });

  test("a settlement that pays less than the bid is signed by nobody", async () => {
    await small.run("bob", bidding("bid", 150_000));
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    const { content } = (await taken("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" }))
      .transaction;
    small.actAs("bob");
    const less = altered(content, "funds", (funds) =>
      funds.owner === small.key("alice")
        ? [
            { ...funds, amount: micros(funds.amount - 100_000n) },
            { ...funds, owner: small.key("bob"), amount: micros(100_000) },
          ]
        : [funds],
    );
    const signed = small.craft(less, "bob");
    for (const party of ["alice", "grid-authority", "verifier"])
      expect(clausesIn(await small.ask("bob", party, "sign", signed))).toEqual(["settle_pays_the_bid"]);
    const honest = small.craft(content, "bob");
    expect((await small.ask("bob", "alice", "sign", honest)).tag).toBe("signed");
  });

  test("who is not the seller does not sign its settlement", async () => {
    await small.run("bob", bidding("bid", 150_000));
    small.clock.moveTo(DEADLINE_MS);
    await small.run("alice", { tag: "end-auction", commandId: "end", auctionId: "auction" });
    const { content } = (await taken("bob", { tag: "settle-auction", commandId: "settle", auctionId: "auction" }))
      .transaction;
    small.actAs("bob");
    const attempt = small.craft({ ...content, signers: [...content.signers, small.key("marketplace")] }, "bob");
    expect(refusalIn(await small.ask("bob", "marketplace", "sign", attempt))).toMatchObject({
      tag: "counterparty_refused",
      reason: "role_not_allowed",
    });
  });
});

describe("mandates", () => {
  test("a proposal under a mandate that was revoked since is refused by the notary", async () => {
    const delegate = signerFromSeed(new Uint8Array(32).fill(7));
    await small.run("alice", {
      tag: "grant-mandate",
      commandId: "grant",
      mandateId: "agent",
      delegate: delegate.publicKey,
      flows: ["create-promises"],
      energyPerSlotMax: wattHours(5_000),
      expiresMs: SLOT_END_MS,
    });
    const proposed = unwrap(await small.node("alice").propose(promising("p", 1_000), delegate.publicKey));
    if ("status" in proposed) throw new Error("a proposal is made");
    await small.run("alice", { tag: "revoke-mandate", commandId: "revoke", mandateId: "agent" });
    const { signature } = signTransaction(
      small.ledger.networkId,
      unwrap(decodeTransaction(proposed.transaction)),
      delegate,
    );
    expect(await small.node("alice").approve(proposed.proposalId, signature)).toMatchObject({
      ok: false,
      error: { tag: "state_conflict", spent: [{}] },
    });
    expect(small.node("alice").unspent("power-promise")).toEqual([]);
  });
});

describe("what is final", () => {
  test("a transaction without the notary's signature is stored by nobody", async () => {
    const before = await small.everything();
    const { content } = (await taken("alice", promising("p", 1_000))).transaction;
    small.actAs("alice");
    const signed = small.craft(content, "alice", "grid-authority", "verifier");
    expect(refusalIn(await small.ask("alice", "grid-authority", "final", signed))).toEqual({
      tag: "signature_missing",
    });
    const [byAlice] = signBatch(small.ledger.networkId, [signed.transaction.id], small.signer("alice"));
    const selfMade = { ...signed, notarySignature: byAlice ?? null };
    expect(refusalIn(await small.ask("alice", "grid-authority", "final", selfMade))).toEqual({
      tag: "signature_invalid",
    });
    expect(await small.everything()).toEqual(before);
  });

  test("a transaction that a party has no part in is not stored by it", async () => {
    await small.run("alice", promising("p", 1_000));
    const last = [...small.commitLog.scan()].at(-1);
    const signed = unwrap(decodeSignedTransaction(new Uint8Array(last?.bytes ?? [])));
    const notarised = await small.ask("alice", "notary", "notarise", signed);
    if (notarised.tag !== "notarised") throw new Error("the notary answers again");
    const final = { ...signed, notarySignature: notarised.signature };
    expect(refusalIn(await small.ask("alice", "bob", "final", final))).toEqual({ tag: "role_not_allowed" });
    expect(await small.ask("alice", "grid-authority", "final", final), "a repeat").toEqual({ tag: "stored" });
  });
});
