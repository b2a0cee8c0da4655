/**
 * Every refusal of the ledger, with the data that it carries. What is refused changes nothing: all vaults, all money and all
 * reservations are as before, which the next command of the same party shows.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClaimRequirement,
  type Claims,
  type ClientCommand,
  type ClientCommandOf,
  decodeTransaction,
  encodeSignedTransaction,
  LEDGER_REFUSALS,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type PeerReply,
  type PeerRequest,
} from "#contracts";
import {
  err,
  hashOf,
  micros,
  microsPerKwh,
  NO_MONEY,
  ok,
  type PublicKey,
  type Result,
  signerFromSeed,
  slotOf,
  unwrap,
  wattHours,
} from "#core";
import { delegateClient } from "#ledger-client";
import {
  CERTIFIED_SOLAR,
  DAY,
  DEADLINE_MS,
  GATE_MS,
  NEXT_SLOT,
  RENEWABLE,
  SLOT,
  SLOT_END_MS,
  SLOT_START_MS,
  SmallNetwork,
  SOLAR,
} from "#testkit";

let small: SmallNetwork;
const delegate = signerFromSeed(new Uint8Array(32).fill(7));
const HOUR_SLOT = "2031-06-01T10:00Z/PT60M" as typeof SLOT;
const CAPPED_SLOT = "2031-06-01T12:15Z/PT15M" as typeof SLOT;
const PAST_SLOT = "2031-05-31T10:00Z/PT15M" as typeof SLOT;

beforeAll(async () => {
  small = await SmallNetwork.found({
    marketplacePolicy: ({ content }) =>
      content.outputs.some((state) => state.tag === "pool-order" && state.energy === 777n)
        ? "command_id_reused"
        : undefined,
  });
  await small.join("alice");
  await small.join("bob", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("carol", { roles: ["consumer"], capacityPerSlot: wattHours(0) });
  await small.join("sam", {
    roles: ["speculator"],
    capacityPerSlot: wattHours(0),
    holdingCapPerSlot: wattHours(5_000),
  });
  await small.join("eve");
  await small.join("stan", {
    roles: ["storage-provider"],
    capacityPerSlot: wattHours(2_000),
    storage: { capacity: wattHours(1_000), powerPerSlot: wattHours(2_000), efficiencyPerMille: 900 },
  });
  await small.run("grid-authority", {
    tag: "curtail-slot",
    commandId: "cap",
    slot: CAPPED_SLOT,
    cap: wattHours(1_000),
  });
  await small.join("agency", { roles: ["verification-agency"], capacityPerSlot: wattHours(0) });
  for (const name of ["bob", "carol", "sam", "eve"]) await small.fund(name, 20_000_000);
  await small.fund("alice", 10_000_000, 5_000_000, 5_000_000);
  await small.run("alice", promises("promise", 10_000));
  await small.run("alice", auctioning("auction", 2_000));
  await small.run("bob", { tag: "bid", commandId: "bob bids", auctionId: "auction", price: microsPerKwh(120_000) });
  await small.run("alice", orders("offer", ["offer", 1_000, 100_000]));
  await small.run("alice", {
    tag: "grant-mandate",
    commandId: "mandate",
    mandateId: "agent",
    delegate: delegate.publicKey,
    flows: ["create-promises"],
    energyPerSlotMax: wattHours(500),
    expiresMs: SLOT_END_MS,
  });
  await small.run("grid-authority", {
    tag: "amend-member",
    commandId: "suspend eve",
    member: small.key("eve"),
    standing: "suspended",
  });
});
afterAll(() => small.close());

function promises(commandId: string, energy: number, slot = SLOT): ClientCommand {
  return { tag: "create-promises", commandId, promises: [{ slot, energy: wattHours(energy) }] };
}

const { certifiedBy: _, ...CLAIMED } = SOLAR;

function claiming(claims: Omit<Claims, "certifiedBy">): ClientCommand {
  return { tag: "create-promises", commandId: "x", promises: [{ slot: SLOT, energy: wattHours(1_000), claims }] };
}

function requiring(requires: ClaimRequirement): ClientCommand {
  return { tag: "bid", commandId: "x", auctionId: "auction", price: microsPerKwh(150_000), requires };
}

function certifying(agency: string): ClientCommand {
  return { tag: "certify-claims", commandId: "x", agency: small.key(agency), slots: [SLOT] };
}

function contradicting(agency: string): ClientCommand {
  const parties = { agency: small.key(agency), supplier: small.key("alice") };
  return { tag: "contradict-certificate", commandId: "x", ...parties, slot: SLOT, evidence: hashOf("evidence") };
}

function auctioning(
  commandId: string,
  energy: number,
  patch: Partial<ClientCommandOf<"create-auction">> = {},
): ClientCommand {
  return {
    tag: "create-auction",
    commandId,
    marketplace: small.key("marketplace"),
    slot: SLOT,
    energy: wattHours(energy),
    basePrice: microsPerKwh(100_000),
    deadlineMs: DEADLINE_MS,
    ...patch,
  };
}

type OrderParts = readonly [side: "bid" | "offer", energy: number, limit: number, slot?: typeof SLOT];

function orders(commandId: string, ...parts: readonly OrderParts[]): ClientCommand {
  return {
    tag: "place-orders",
    commandId,
    marketplace: small.key("marketplace"),
    orders: parts.map(([side, energy, limit, slot = SLOT]) => ({
      side,
      slot,
      energy: wattHours(energy),
      limit: microsPerKwh(limit),
    })),
  };
}

function bidding(price: number, auctionId = "auction"): ClientCommand {
  return { tag: "bid", commandId: `bid ${price}`, auctionId, price: microsPerKwh(price) };
}

/** Codes that a test here produced; the last test wants all of them. */
const met = new Set<LedgerRefusalCode>();

async function refusedWithoutTrace(
  attempt: () => Promise<Result<unknown, LedgerRefusal>>,
  expected: LedgerRefusal,
): Promise<void> {
  const before = await small.everything();
  expect(await attempt()).toEqual({ ok: false, error: expected });
  expect(await small.everything()).toEqual(before);
  met.add(expected.tag);
}

/** A verifier that nobody has voted with. */
const ALONE: Case = [
  "an amendment by a verifier before any has voted",
  "verifier",
  () => ({ tag: "amend-member", commandId: "x", member: small.key("alice"), standing: "suspended" }),
  () => ({ tag: "votes_missing", needed: 1, cast: 0 }),
];

type Case = readonly [what: string, name: string, command: () => ClientCommand, refusal: () => LedgerRefusal];

/** What a payment provider has paid, which nobody has redeemed. */
const PAYOUT = { messageId: "DREAM-1", endToEndId: "E2E-1" };

const CASES: readonly Case[] = [
  ALONE,
  [
    "a redemption of less than a cent",
    "alice",
    () => ({ tag: "redeem-funds", commandId: "x", amount: 9_999n as never }),
    () => ({ tag: "amount_below_cent" }),
  ],
  [
    "a redemption to an account without a name",
    "alice",
    () => ({ tag: "redeem-funds", commandId: "x", amount: 10_000n as never, account: "" }),
    () => ({ tag: "command_malformed" }),
  ],
  [
    "a payout of what was not redeemed",
    "payment-provider",
    () => ({ tag: "confirm-payout", commandId: "x", owner: small.key("alice"), redemptionId: "r", ...PAYOUT }),
    () => ({ tag: "redemption_unknown" }),
  ],
  [
    "a payout whose payment is named in more than 35 characters",
    "payment-provider",
    () => ({
      tag: "confirm-payout",
      commandId: "x",
      owner: small.key("alice"),
      redemptionId: "r",
      messageId: "x".repeat(36),
      endToEndId: "E2E-1",
    }),
    () => ({ tag: "command_malformed" }),
  ],
  [
    "a payout by who owes nothing",
    "alice",
    () => ({ tag: "confirm-payout", commandId: "x", owner: small.key("alice"), redemptionId: "r", ...PAYOUT }),
    () => ({ tag: "role_not_allowed" }),
  ],
  [
    "no promises at all",
    "alice",
    () => ({ tag: "create-promises", commandId: "x", promises: [] }),
    () => ({ tag: "command_malformed" }),
  ],
  [
    "a promise for a slot that does not exist",
    "alice",
    () => promises("x", 1_000, "2031-06-01T10:07Z/PT15M" as typeof SLOT),
    () => ({ tag: "command_malformed" }),
  ],
  [
    "a claim of an origin beyond 64 characters",
    "alice",
    () => claiming({ ...CLAIMED, origin: "x".repeat(65) }),
    () => ({ tag: "command_malformed" }),
  ],
  ["a claim of who has certified it", "alice", () => claiming(CERTIFIED_SOLAR), () => ({ tag: "command_malformed" })],
  [
    "a requirement of more than all",
    "bob",
    () => requiring({ ...RENEWABLE, contradictedPerMilleMax: 1_001 }),
    () => ({ tag: "command_malformed" }),
  ],
  [
    "a certification of promises without claims",
    "alice",
    () => certifying("agency"),
    () => ({ tag: "claims_missing" }),
  ],
  ["a certification by who is no agency", "alice", () => certifying("bob"), () => ({ tag: "role_not_allowed" })],
  [
    "a contradiction of what nobody has certified",
    "agency",
    () => contradicting("bob"),
    () => ({ tag: "certificate_unknown" }),
  ],
  ["a contradiction of the own word", "agency", () => contradicting("agency"), () => ({ tag: "role_not_allowed" })],
  [
    "a bid that requires what the auction's promises do not claim",
    "carol",
    () => requiring(RENEWABLE),
    () => ({ tag: "requirement_unmet" }),
  ],
  ["a command id without text", "alice", () => promises("", 1_000), () => ({ tag: "command_malformed" })],
  ["a command id beyond 100", "alice", () => promises("x".repeat(101), 1_000), () => ({ tag: "command_malformed" })],
  ["energy beyond any grid", "bob", () => orders("x", ["bid", 2e12, 1]), () => ({ tag: "command_malformed" })],
  [
    "a member with a key of small order",
    "grid-authority",
    () => ({
      tag: "join",
      commandId: "x",
      name: "mallory",
      key: "00".repeat(32) as PublicKey,
      roles: ["prosumer"],
      capacityPerSlot: wattHours(1),
      holdingCapPerSlot: null,
      marketFee: microsPerKwh(0),
    }),
    () => ({ tag: "command_malformed" }),
  ],
  ["an id with another content", "alice", () => promises("promise", 1_000), () => ({ tag: "command_id_reused" })],
  ["the id of another's auction", "bob", () => auctioning("auction", 1), () => ({ tag: "command_id_reused" })],
  [
    "an auction on no marketplace",
    "alice",
    () => auctioning("x", 1_000, { marketplace: small.key("bob") }),
    () => ({ tag: "member_unknown" }),
  ],
  ["a promise of a suspended member", "eve", () => promises("x", 1_000), () => ({ tag: "member_suspended" })],
  ["a bid of a suspended member", "eve", () => bidding(130_000), () => ({ tag: "member_suspended" })],
  ["an order of a suspended member", "eve", () => orders("x", ["bid", 1, 1]), () => ({ tag: "member_suspended" })],
  ["an auction of a suspended member", "eve", () => auctioning("x", 1), () => ({ tag: "member_suspended" })],
  ["a promise of a consumer", "bob", () => promises("x", 1_000), () => ({ tag: "role_not_allowed" })],
  ["a bid of the grid authority", "grid-authority", () => bidding(130_000), () => ({ tag: "role_not_allowed" })],
  [
    "an order of the grid authority",
    "grid-authority",
    () => orders("x", ["bid", 1, 1]),
    () => ({ tag: "role_not_allowed" }),
  ],
  ["an auction of the grid authority", "grid-authority", () => auctioning("x", 1), () => ({ tag: "role_not_allowed" })],
  [
    "money out of nothing",
    "alice",
    () => ({ tag: "issue-funds", commandId: "x", to: small.key("alice"), amounts: [1n as never] }),
    () => ({ tag: "role_not_allowed" }),
  ],
  [
    "reinstating oneself",
    "eve",
    () => ({ tag: "amend-member", commandId: "x", member: small.key("eve"), standing: "good" }),
    () => ({ tag: "role_not_allowed" }),
  ],
  [
    "meters by a member",
    "alice",
    () => ({
      tag: "record-meters",
      commandId: "x",
      slot: SLOT,
      readings: [{ member: small.key("alice"), produced: wattHours(1), consumed: wattHours(0) }],
    }),
    () => ({ tag: "role_not_allowed" }),
  ],
  ["a promise for an hour", "alice", () => promises("x", 1_000, HOUR_SLOT), () => ({ tag: "slot_unknown" })],
  ["an order for an hour", "bob", () => orders("x", ["bid", 1, 1, HOUR_SLOT]), () => ({ tag: "slot_unknown" })],
  ["an auction of an hour", "alice", () => auctioning("x", 1, { slot: HOUR_SLOT }), () => ({ tag: "slot_unknown" })],
  [
    "a promise for a slot whose gate is closed",
    "alice",
    () => promises("x", 1_000, PAST_SLOT),
    () => ({ tag: "gate_closed", slot: PAST_SLOT, gateMs: slotOf(PAST_SLOT).startMs - 300_000 }),
  ],
  [
    "an order for a slot whose gate is closed",
    "bob",
    () => orders("x", ["bid", 1_000, 1, PAST_SLOT]),
    () => ({ tag: "gate_closed", slot: PAST_SLOT, gateMs: slotOf(PAST_SLOT).startMs - 300_000 }),
  ],
  [
    "an insignificant promise",
    "alice",
    () => promises("x", 99),
    () => ({ tag: "energy_out_of_range", asked: wattHours(99), min: wattHours(100), max: wattHours(1_000_000) }),
  ],
  [
    "an unrealistic promise",
    "alice",
    () => promises("x", 1_000_001),
    () => ({ tag: "energy_out_of_range", asked: wattHours(1_000_001), min: wattHours(100), max: wattHours(1_000_000) }),
  ],
  [
    "an auction of nothing",
    "alice",
    () => auctioning("x", 0),
    () => ({ tag: "energy_out_of_range", asked: wattHours(0), min: wattHours(1), max: wattHours(1_000_000) }),
  ],
  [
    "an order of nothing",
    "bob",
    () => orders("x", ["bid", 0, 1]),
    () => ({ tag: "energy_out_of_range", asked: wattHours(0), min: wattHours(1), max: wattHours(1_000_000) }),
  ],
  ["a limit above the band", "bob", () => orders("x", ["bid", 1, 1_000_001]), () => ({ tag: "price_out_of_band" })],
  ["a limit below the band", "bob", () => orders("x", ["bid", 1, -500_001]), () => ({ tag: "price_out_of_band" })],
  ["a bid above the band", "carol", () => bidding(1_000_001), () => ({ tag: "price_out_of_band" })],
  [
    "a base price above the band",
    "alice",
    () => auctioning("x", 1, { basePrice: microsPerKwh(1_000_001) }),
    () => ({ tag: "price_out_of_band" }),
  ],
  [
    "promises beyond the capacity: 10 of 20 kWh are promised",
    "alice",
    () => promises("x", 10_001),
    () => ({ tag: "capacity_exceeded", slot: SLOT, asked: wattHours(10_001), free: wattHours(10_000) }),
  ],
  [
    "two promises of one command, together beyond the capacity",
    "alice",
    () => ({
      tag: "create-promises",
      commandId: "x",
      promises: [6_000, 6_000].map((energy) => ({ slot: SLOT, energy: wattHours(energy) })),
    }),
    () => ({ tag: "capacity_exceeded", slot: SLOT, asked: wattHours(12_000), free: wattHours(10_000) }),
  ],
  [
    "a speculator's orders beyond its cap, though each is below",
    "sam",
    () => orders("x", ["bid", 3_000, 100_000], ["bid", 2_001, 90_000]),
    () => ({ tag: "holding_cap_exceeded", slot: SLOT, asked: wattHours(5_001), free: wattHours(5_000) }),
  ],
  [
    "an offer of more than is held",
    "alice",
    () => orders("x", ["offer", 7_001, 100_000]),
    () => ({ tag: "promise_not_held", slot: SLOT, asked: wattHours(7_001), held: wattHours(7_000) }),
  ],
  [
    "an auction of more than is held",
    "alice",
    () => auctioning("x", 7_001),
    () => ({ tag: "promise_not_held", slot: SLOT, asked: wattHours(7_001), held: wattHours(7_000) }),
  ],
  [
    "an offer of what one never had",
    "bob",
    () => orders("x", ["offer", 1, 100_000]),
    () => ({ tag: "promise_not_held", slot: SLOT, asked: wattHours(1), held: wattHours(0) }),
  ],
  [
    "cancelling an order that is not there",
    "alice",
    () => ({ tag: "cancel-orders", commandId: "x", orderIds: ["offer/0", "none/0"] }),
    () => ({ tag: "order_unknown" }),
  ],
  [
    "cancelling another's order",
    "bob",
    () => ({ tag: "cancel-orders", commandId: "x", orderIds: ["offer/0"] }),
    () => ({ tag: "order_unknown" }),
  ],
  [
    "clearing a pool without orders",
    "marketplace",
    () => ({ tag: "clear-pool", commandId: "x", slot: NEXT_SLOT, price: null, isFinal: true, trades: [] }),
    () => ({ tag: "order_unknown" }),
  ],
  ["a bid in no auction", "carol", () => bidding(130_000, "none"), () => ({ tag: "auction_unknown" })],
  [
    "settling an auction that another leads",
    "carol",
    () => ({ tag: "settle-auction", commandId: "x", auctionId: "auction" }),
    () => ({ tag: "auction_unknown" }),
  ],
  ["a bid in one's own auction", "alice", () => bidding(130_000), () => ({ tag: "auction_own" })],
  [
    "a deadline in the past",
    "alice",
    () => auctioning("x", 1_000, { deadlineMs: small.clock.nowMs() }),
    () => ({ tag: "deadline_out_of_range" }),
  ],
  [
    "a deadline at the gate",
    "alice",
    () => auctioning("x", 1_000, { deadlineMs: GATE_MS }),
    () => ({ tag: "deadline_out_of_range" }),
  ],
  [
    "a bid at the base price",
    "carol",
    () => bidding(100_000),
    () => ({ tag: "bid_below_base", base: microsPerKwh(100_000) }),
  ],
  [
    "a bid that rises by too little",
    "carol",
    () => bidding(120_999),
    () => ({ tag: "bid_below_best", best: microsPerKwh(120_000), leastNext: microsPerKwh(121_000) }),
  ],
  ["outbidding oneself", "bob", () => bidding(130_000), () => ({ tag: "already_highest" })],
  ["a bid that meets one's own offer", "alice", () => orders("x", ["bid", 1, 100_000]), () => ({ tag: "self_cross" })],
  [
    "a bid and an offer of one command that meet",
    "alice",
    () => orders("x", ["offer", 1, 50_000], ["bid", 1, 50_000]),
    () => ({ tag: "self_cross" }),
  ],
  [
    "an order beyond the funds",
    "carol",
    () => orders("x", ["bid", 100_000, 500_000]),
    // 100 kWh × 0.50 + 100 kWh × 0.005 + 0.001
    () => ({ tag: "insufficient_funds", needed: micros(50_501_000), margin: NO_MONEY, available: micros(20_000_000) }),
  ],
  [
    "releasing a margin that is not there",
    "sam",
    () => ({ tag: "release-margin", commandId: "x", day: DAY }),
    () => ({ tag: "margin_in_use", needed: NO_MONEY, locked: NO_MONEY }),
  ],
  [
    "a promise of more than can be stored",
    "stan",
    () => promises("x", 1_001),
    () => ({ tag: "storage_exceeded", slot: SLOT, asked: wattHours(1_001), stored: wattHours(1_000) }),
  ],
  [
    "a promise beyond the cap of its slot",
    "alice",
    () => promises("x", 1_001, CAPPED_SLOT),
    () => ({ tag: "slot_curtailed", slot: CAPPED_SLOT, cap: wattHours(1_000) }),
  ],
  [
    "a cap set by a member",
    "alice",
    () => ({ tag: "curtail-slot", commandId: "x", slot: SLOT, cap: wattHours(0) }),
    () => ({ tag: "role_not_allowed" }),
  ],
  [
    "covering what nobody has bought",
    "alice",
    () => ({ tag: "substitute", commandId: "x", slot: SLOT, energy: wattHours(1) }),
    () => ({ tag: "nothing_to_cover", slot: SLOT, asked: wattHours(1), sold: wattHours(0) }),
  ],
  [
    "merging what one does not hold",
    "alice",
    () => ({ tag: "merge-promises", commandId: "x", slot: SLOT, supplier: small.key("carol") }),
    () => ({ tag: "nothing_to_merge" }),
  ],
  [
    "splitting what one does not hold",
    "carol",
    () => ({ tag: "split-promise", commandId: "x", slot: SLOT, energies: [wattHours(100)] }),
    () => ({ tag: "promise_not_held", slot: SLOT, asked: wattHours(100), held: wattHours(0) }),
  ],
  [
    "settling without a reading",
    "grid-authority",
    () => ({ tag: "settle-slot", commandId: "x", member: small.key("alice"), slot: SLOT }),
    () => ({ tag: "reading_unknown" }),
  ],
  [
    "checking a delivery without a reading",
    "grid-authority",
    () => ({ tag: "check-delivery", commandId: "x", supplier: small.key("alice"), slot: SLOT }),
    () => ({ tag: "reading_unknown" }),
  ],
  [
    "a mandate for oneself",
    "alice",
    () => ({
      tag: "grant-mandate",
      commandId: "x",
      mandateId: "self",
      delegate: small.key("alice"),
      flows: ["bid"],
      energyPerSlotMax: wattHours(1),
      expiresMs: SLOT_END_MS,
    }),
    () => ({ tag: "contract_violated", clauses: ["mandate_delegate_is_another"] }),
  ],
  [
    "revoking a mandate that is not there",
    "bob",
    () => ({ tag: "revoke-mandate", commandId: "x", mandateId: "agent" }),
    () => ({ tag: "mandate_missing" }),
  ],
  [
    "ending an auction before its deadline",
    "alice",
    () => ({ tag: "end-auction", commandId: "x", auctionId: "auction" }),
    () => ({ tag: "time_window_invalid" }),
  ],
  [
    "what the marketplace's own policy refuses",
    "bob",
    () => orders("x", ["bid", 777, 50_000]),
    () => ({
      tag: "counterparty_refused",
      party: small.key("marketplace"),
      reason: "command_id_reused",
      clauses: [],
    }),
  ],
];

describe("refused, and nothing has changed", () => {
  test.each(CASES)("%s (%s)", async (_what, name, command, refusal) => {
    await refusedWithoutTrace(() => small.submit(name, command()), refusal());
  });

  test("a delegate without a mandate, or beyond it", async () => {
    const propose = (command: ClientCommand, key = delegate.publicKey): Promise<Result<unknown, LedgerRefusal>> =>
      small.node("alice").propose(command, key);
    await refusedWithoutTrace(() => propose(promises("x", 100), small.key("bob")), { tag: "mandate_missing" });
    await refusedWithoutTrace(() => propose(orders("x", ["bid", 1, 1])), { tag: "mandate_missing" });
    await refusedWithoutTrace(() => propose(promises("x", 501)), {
      tag: "contract_violated",
      clauses: ["promise_authorised"],
    });
  });

  test("approval of what was never proposed", async () => {
    const approve = (id: string) => () => small.node("alice").approve(id, new Uint8Array(64));
    await refusedWithoutTrace(approve("none"), { tag: "proposal_unknown" });
    await refusedWithoutTrace(approve("ab".repeat(32)), { tag: "proposal_unknown" });
  });

  test("approval with a signature of something else", async () => {
    const proposed = await small.node("alice").propose(promises("small", 100, NEXT_SLOT), delegate.publicKey);
    const id = proposed.ok && "proposalId" in proposed.value ? proposed.value.proposalId : "none";
    const approve = () => small.node("alice").approve(id, delegate.sign(new Uint8Array(32)));
    await refusedWithoutTrace(approve, { tag: "signature_invalid" });
    await small.node("alice").withdraw(id);
  });

  test("at the notary: bytes that are no transaction, and a transaction without signatures", async () => {
    const ask = async (request: PeerRequest): Promise<Result<unknown, LedgerRefusal>> => {
      const reply = await small.send("alice", "notary", request);
      return reply.tag === "refused" ? { ok: false, error: reply.refusal } : { ok: true, value: reply };
    };
    const malformed: PeerRequest = { tag: "notarise", transaction: new Uint8Array([0x80]) };
    await refusedWithoutTrace(() => ask(malformed), { tag: "transaction_malformed" });
    const proposed = await small.node("alice").propose(promises("small", 100, NEXT_SLOT), delegate.publicKey);
    const proposal = proposed.ok && "proposalId" in proposed.value ? proposed.value : undefined;
    const transaction = unwrap(decodeTransaction(proposal?.transaction ?? new Uint8Array()));
    const unsigned = encodeSignedTransaction({ transaction, signatures: [], notarySignature: null });
    await refusedWithoutTrace(() => ask({ tag: "notarise", transaction: unsigned }), { tag: "signature_missing" });
    await small.node("alice").withdraw(proposal?.proposalId ?? "");
  });
});

describe("when others do not answer as they should", () => {
  const refusing = (refusal: LedgerRefusal): PeerReply => ({ tag: "refused", refusal });

  /** Runs an attempt while the answers of `to` to requests of a kind are replaced. */
  async function whileAnswering(
    to: string,
    tag: string,
    answer: PeerReply,
    attempt: () => Promise<void>,
  ): Promise<void> {
    const key = small.key(to);
    small.wire.intercept = (_from, receiver, request, next) =>
      receiver === key && request.tag === tag ? Promise.resolve(answer) : next(request);
    try {
      await attempt();
    } finally {
      small.wire.intercept = undefined;
    }
  }

  test("a marketplace that can't be reached", async () => {
    await whileAnswering("marketplace", "sequence", refusing({ tag: "node_unreachable" }), () =>
      refusedWithoutTrace(() => small.submit("bob", orders("x", ["bid", 1_000, 50_000])), { tag: "node_unreachable" }),
    );
  });

  test("a marketplace that gives no order numbers", async () => {
    for (const first of [Number.NaN, -1, 0.5, Number.MAX_SAFE_INTEGER]) {
      await whileAnswering("marketplace", "sequence", { tag: "sequence", first }, () =>
        refusedWithoutTrace(() => small.submit("bob", orders("x", ["bid", 1_000, 50_000])), {
          tag: "counterparty_refused",
          party: small.key("marketplace"),
          reason: "transaction_malformed",
          clauses: [],
        }),
      );
    }
  });

  test("a verifier that can't be reached", async () => {
    await whileAnswering("verifier", "sign", refusing({ tag: "node_unreachable" }), () =>
      refusedWithoutTrace(() => small.submit("alice", promises("x", 1_000)), {
        tag: "counterparty_refused",
        party: small.key("verifier"),
        reason: "node_unreachable",
        clauses: [],
      }),
    );
  });

  test("the highest bidder and the grid authority, who do not prove the bid", async () => {
    const silent: readonly PeerReply[] = [
      refusing({ tag: "node_unreachable" }),
      { tag: "proved", dependencies: [] },
      { tag: "stored" },
    ];
    for (const answer of silent) {
      small.wire.intercept = (_from, _to, request, next) =>
        request.tag === "bid-of" ? Promise.resolve(answer) : next(request);
      await refusedWithoutTrace(() => small.submit("carol", bidding(130_000)), { tag: "dependency_unknown" });
      small.wire.intercept = undefined;
    }
  });

  test("a marketplace that is asked to sign with arrival numbers that it did not give", async () => {
    for (const first of [0, 1_000_000]) {
      await whileAnswering("marketplace", "sequence", { tag: "sequence", first }, () =>
        refusedWithoutTrace(() => small.submit("bob", orders("x", ["bid", 1_000, 50_000])), {
          tag: "counterparty_refused",
          party: small.key("marketplace"),
          reason: "sequence_not_given",
          clauses: [],
        }),
      );
    }
    met.add("sequence_not_given");
  });

  test("a notary that finds an input spent: which, and the hash of the spender's id", async () => {
    const before = await small.everything();
    // The node drafts its own commands anew; what a delegate has signed can't be.
    const client = delegateClient(small.node("alice"), { signer: delegate, networkId: small.ledger.networkId });
    const [first, second] = await Promise.all(
      ["left", "right"].map((commandId) => client.submit(promises(commandId, 100, NEXT_SLOT))),
    );
    const [won, lost] = first?.ok === true ? [first, second] : [second, first];
    expect(won).toMatchObject({ ok: true });
    expect(lost).toMatchObject({ ok: false, error: { tag: "state_conflict", spent: [{}] } });
    met.add("state_conflict");
    expect(await small.everything()).not.toEqual(before);
  });

  test("a node whose store is full, until there is room", async () => {
    const network = await SmallNetwork.found({ storeBytesMax: { fred: 150_000 } });
    await network.join("fred");
    await network.fund("fred", 50_000_000);
    let refused: Result<unknown, LedgerRefusal> = ok(null);
    let count = 0;
    while (refused.ok && count < 100) refused = await network.submit("fred", promises(`p ${count++}`, 100));
    expect(refused).toEqual(err({ tag: "store_full" }));
    met.add("store_full");
    await network.ledger.restart("fred");
    expect(network.ledger.moneyHeld()).toMatchObject({ issuedMicros: 50_000_000n, heldMicros: 50_000_000n });
    network.close();
  });

  test("a clock that passes the window while signatures are collected", async () => {
    small.wire.intercept = (_from, _to, request, next) => {
      if (request.tag === "notarise") small.clock.moveTo(small.clock.nowMs() + 5 * 60_000);
      return next(request);
    };
    await refusedWithoutTrace(() => small.submit("alice", promises("x", 1_000)), { tag: "time_window_invalid" });
    small.wire.intercept = undefined;
  });
});

test("nothing stays reserved: all the energy and all the money may be used", async () => {
  const held = small.node("alice").unspent("power-promise");
  const free = held.reduce((sum, { energy, lock, slot }) => (lock === null && slot === SLOT ? sum + energy : sum), 0n);
  await small.run("alice", orders("all energy", ["offer", Number(free), 900_000]));
  await small.run("alice", promises("all capacity", 19_900, NEXT_SLOT));
  // 19.999 kWh × (0.995 + 0.005) + 0.001 reserve are all that carol has.
  expect(small.balance("carol")).toBe(20_000_000n);
  await small.run("carol", orders("all money", ["bid", 19_999, 995_000]));
  expect(small.balance("carol")).toBe(0n);
});

describe("after the slot", () => {
  beforeAll(async () => {
    small.clock.moveTo(SLOT_END_MS);
    await small.run("grid-authority", {
      tag: "record-meters",
      commandId: "meters",
      slot: SLOT,
      readings: [{ member: small.key("carol"), produced: wattHours(0), consumed: wattHours(1_000) }],
    });
  });

  test("a bid after the deadline", async () => {
    await refusedWithoutTrace(() => small.submit("carol", bidding(130_000)), { tag: "auction_ended" });
  });

  test("the same reading of a member's slot again", async () => {
    const again: ClientCommand = {
      tag: "record-meters",
      commandId: "x",
      slot: SLOT,
      readings: [{ member: small.key("carol"), produced: wattHours(0), consumed: wattHours(1_000) }],
    };
    await refusedWithoutTrace(() => small.submit("grid-authority", again), { tag: "reading_recorded" });
  });

  test("a correction of what is not settled, and a vote on what nobody disputes", async () => {
    const correct: ClientCommand = {
      tag: "correct-settlement",
      commandId: "x",
      member: small.key("carol"),
      slot: SLOT,
    };
    await refusedWithoutTrace(() => small.submit("grid-authority", correct), { tag: "settlement_unknown" });
    const vote: ClientCommand = {
      tag: "vote-dispute",
      commandId: "x",
      disputeId: "none",
      produced: wattHours(0),
      consumed: wattHours(0),
    };
    await refusedWithoutTrace(() => small.submit("verifier", vote), { tag: "dispute_unknown" });
  });

  test("a slot without a tariff", async () => {
    const settle: ClientCommand = { tag: "settle-slot", commandId: "x", member: small.key("carol"), slot: SLOT };
    await refusedWithoutTrace(() => small.submit("grid-authority", settle), { tag: "tariff_unknown" });
  });

  test("a tariff for a day that has begun", async () => {
    const tariff: ClientCommand = {
      tag: "publish-tariff",
      commandId: "x",
      day: "2031-06-01",
      feedIn: Array.from({ length: 96 }, () => microsPerKwh(1)),
      retail: Array.from({ length: 96 }, () => microsPerKwh(2)),
    };
    const first = slotOf("2031-05-31T22:00Z/PT15M" as typeof SLOT);
    await refusedWithoutTrace(() => small.submit("power-company", tariff), {
      tag: "gate_closed",
      slot: first.id,
      gateMs: first.startMs,
    });
    expect(SLOT_START_MS).toBeGreaterThan(first.startMs);
  });
});

test("every code of the list was produced", () => {
  // A notary that was restored from an old copy: restored-notary.test.ts produces it.
  met.add("notary_outdated");
  // An aggregator that asks for another's member, over HTTP: aggregator/over-http.test.ts produces it.
  met.add("member_not_served");
  // An agency's own rule: certified-promises.test.ts produces it.
  met.add("claims_unregistered");
  // An aggregator's own rules: test/attacks/co-signing.test.ts produces them.
  for (const code of ["strategy_not_in_mandate", "trading_halted", "rate_limited"] as const) met.add(code);
  // A payment provider's own rule: payments/payment-life.test.ts produces it.
  met.add("redemption_id_reused");
  // It needs claims, or promises that go back and forth: fungibility.test.ts produces it.
  met.add("cover_unsuitable");
  // They need meter operators, or a settled slot: meter-truth.test.ts produces them.
  for (const code of ["reports_missing", "meters_disagree", "slot_settled", "correction_closed"] as const)
    met.add(code);
  expect(LEDGER_REFUSALS.filter((code) => !met.has(code))).toEqual([]);
});
