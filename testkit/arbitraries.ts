/**
 * fast-check arbitraries for everything that travels: states of all kinds, commands, whole transactions. Values are any that
 * the wire form can carry, sound or not: laws of encoding hold for all of them, and a contract must judge all of them.
 */
import fc from "fast-check";
import {
  type ClaimRequirement,
  type Claims,
  type Command,
  DELEGABLE_FLOWS,
  ENERGY_SOURCES,
  GRAMS_CO2_MAX,
  type NetworkParameters,
  OPENED_DAYS_MAX,
  type PoolTrade,
  type PromiseLock,
  REVISIONS_MAX,
  ROLES,
  STATE_KINDS,
  type State,
  type StateOf,
  type StateRef,
  type StateTag,
  type Storage,
  type Transaction,
} from "#contracts";
import {
  compareText,
  type Hash,
  hashOf,
  type LocalDay,
  localDay,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  type PublicKey,
  type SlotId,
  slotAt,
  type WattHours,
  wattHours,
} from "#core";
import { keyOf } from "./builders.ts";

const INT64_MAX = 2n ** 63n - 1n;
const NAMES = ["alice", "bob", "carol", "dave", "grid authority", "power company", "marketplace", "notary", "verifier"];
/** Edges of the range as often as what lies between. */
const arbWhole = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: min < -1_000n ? -1_000n : min, max: 10_000n }),
    fc.bigInt({ min, max }),
    fc.constantFrom(min, max),
  );

export const arbKey: fc.Arbitrary<PublicKey> = fc.constantFrom(...NAMES.map(keyOf));
export const arbEnergy: fc.Arbitrary<WattHours> = arbWhole(0n, INT64_MAX).map(wattHours);
export const arbMoney: fc.Arbitrary<Micros> = arbWhole(-INT64_MAX, INT64_MAX).map(micros);
export const arbPrice: fc.Arbitrary<MicrosPerKwh> = arbWhole(-INT64_MAX, INT64_MAX).map(microsPerKwh);
export const arbHash: fc.Arbitrary<Hash> = fc.nat().map((value) => hashOf(`hash ${value}`));
/** The first and the last instants of slots, and a summer's worth of them. */
export const arbSlot: fc.Arbitrary<SlotId> = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: Date.UTC(2031, 4, 1), max: Date.UTC(2031, 10, 1) }),
      fc.constantFrom(0, Date.UTC(9998, 11, 31, 23)),
    ),
    fc.constantFrom(15 as const, 30 as const, 60 as const),
  )
  .map(([atMs, minutes]) => slotAt(atMs, minutes).id);
export const arbDay: fc.Arbitrary<LocalDay> = fc.oneof(
  fc
    .integer({ min: Date.UTC(2031, 4, 1), max: Date.UTC(2031, 10, 1) })
    .map((atMs) => localDay(new Date(atMs).toISOString().slice(0, 10))),
  fc.constantFrom(localDay("1970-01-01"), localDay("9998-12-31")),
);
const arbInstant = fc.oneof(
  fc.integer({ min: Date.UTC(2031, 4, 1), max: Date.UTC(2031, 10, 1) }),
  fc.integer({ min: 0, max: 8.64e15 }),
);
const arbId = fc.oneof(fc.constantFrom("a", "b", "free", "a b"), fc.string({ unit: "grapheme-ascii", maxLength: 120 }));
const arbName = fc.string({ unit: "grapheme-ascii", maxLength: 40 });
const arbPaymentId = fc.string({ unit: "grapheme-ascii", maxLength: 35 });
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arb, { nil: null });

const arbSource = maybe(fc.constantFrom(...ENERGY_SOURCES));
const arbGrams = maybe(fc.integer({ min: 0, max: GRAMS_CO2_MAX }));
const arbOrigin = maybe(arbName);
const arbRevision = fc.integer({ min: 0, max: REVISIONS_MAX });
const claimed = { source: arbSource, renewable: fc.boolean(), origin: arbOrigin, gramsCo2PerKwh: arbGrams };
/** What a supplier says of its energy. */
export const arbClaimed: fc.Arbitrary<Omit<Claims, "certifiedBy">> = fc.record(claimed);
const arbClaims: fc.Arbitrary<Claims> = fc.record({ ...claimed, certifiedBy: maybe(arbKey) });
export const arbRequirement: fc.Arbitrary<ClaimRequirement> = fc.record({
  source: arbSource,
  renewable: fc.boolean(),
  origin: arbOrigin,
  gramsCo2PerKwhMax: arbGrams,
  contradictedPerMilleMax: fc.integer({ min: 0, max: 1_000 }),
});
export const arbStorage: fc.Arbitrary<Storage> = fc.record({
  capacity: arbEnergy,
  powerPerSlot: arbEnergy,
  efficiencyPerMille: fc.integer({ min: 0, max: 1_000 }),
});

/** Fields of each kind of state, without its tag. */
const FIELDS: { readonly [T in StateTag]: fc.Arbitrary<Omit<StateOf<T>, "tag">> } = {
  "network-parameters": fc.record<Omit<NetworkParameters, "tag">>({
    networkId: arbName,
    epoch: fc.integer({ min: 0, max: 1_000_000 }),
    currency: fc.constantFrom("EUR", "GBP", ""),
    slotMinutes: fc.constantFrom(15, 30, 60),
    timeZone: fc.oneof(fc.constantFrom("Europe/Berlin", "+05:45", "UTC"), arbName),
    gridAuthority: arbKey,
    powerCompany: arbKey,
    paymentProvider: arbKey,
    notaries: fc.array(arbKey, { maxLength: 3 }),
    verifiers: fc.array(arbKey, { maxLength: 3 }),
    verifierQuorum: fc.integer({ min: 1, max: 64 }),
    promiseMin: arbEnergy,
    promiseMax: arbEnergy,
    emergencyPrice: arbPrice,
    gridFee: arbPrice,
    bidRiseMin: arbPrice,
    priceMin: arbPrice,
    priceMax: arbPrice,
    gateLeadMs: fc.integer({ min: 0, max: 86_400_000 }),
    settlementGraceMs: fc.integer({ min: 0, max: 86_400_000 }),
    meterOperators: fc.array(arbKey, { maxLength: 3 }),
    meterQuorum: fc.integer({ min: 0, max: 64 }),
    meterTolerance: arbEnergy,
    correctionMs: fc.integer({ min: 0, max: 86_400_000 }),
    surplusPrice: arbPrice,
    observers: fc.array(fc.record({ key: arbKey, sees: fc.subarray([...STATE_KINDS]) }), { maxLength: 2 }),
  }),
  member: fc.record({
    name: arbName,
    key: arbKey,
    roles: fc.subarray([...ROLES]),
    standing: fc.constantFrom("good", "probation", "suspended"),
    capacityPerSlot: arbEnergy,
    holdingCapPerSlot: maybe(arbEnergy),
    marketFee: arbPrice,
    storage: maybe(arbStorage),
    servedBy: maybe(arbKey),
  }),
  funds: fc.record({ owner: arbKey, amount: arbMoney }),
  "power-promise": fc.record({
    promiseId: arbId,
    slot: arbSlot,
    energy: arbEnergy,
    supplier: arbKey,
    owner: arbKey,
    lock: maybe(fc.record<PromiseLock>({ kind: fc.constantFrom("auction", "order"), id: arbId })),
    delivered: maybe(arbEnergy),
    claims: maybe(arbClaims),
  }),
  deposit: fc.record({ supplier: arbKey, slot: arbSlot, amount: arbMoney }),
  curtailment: fc.record({ slot: arbSlot, cap: arbEnergy, promised: arbEnergy, unsold: arbEnergy, cut: arbEnergy }),
  margin: fc.record({ owner: arbKey, day: arbDay, amount: arbMoney }),
  certificate: fc.record({
    agency: arbKey,
    supplier: arbKey,
    slot: arbSlot,
    energy: arbEnergy,
    claims: arbClaims,
    contradiction: maybe(fc.record({ by: arbKey, evidence: arbHash })),
  }),
  "agency-record": fc.record({ agency: arbKey, certified: arbEnergy, contradicted: arbEnergy }),
  auction: fc.record({
    auctionId: arbId,
    seller: arbKey,
    marketplace: arbKey,
    slot: arbSlot,
    energy: arbEnergy,
    basePrice: arbPrice,
    marketFee: arbPrice,
    deadlineMs: arbInstant,
    status: fc.constantFrom("active", "ended"),
    highestPrice: maybe(arbPrice),
    highestBidder: maybe(arbKey),
    claims: maybe(arbClaims),
  }),
  bid: fc.record({ auctionId: arbId, bidder: arbKey, price: arbPrice, locked: arbMoney }),
  "pool-order": fc.record({
    orderId: arbId,
    side: fc.constantFrom("bid", "offer"),
    owner: arbKey,
    marketplace: arbKey,
    slot: arbSlot,
    energy: arbEnergy,
    limit: arbPrice,
    marketFee: arbPrice,
    locked: arbMoney,
    sequence: fc.maxSafeNat(),
    requires: maybe(arbRequirement),
  }),
  exposure: fc.record({
    member: arbKey,
    day: arbDay,
    entries: fc.array(fc.record({ slot: arbSlot, promised: arbEnergy, bought: arbEnergy, bidding: arbEnergy }), {
      maxLength: 4,
    }),
    settled: fc.array(arbSlot, { maxLength: 3 }),
  }),
  "exposure-index": fc.record({ member: arbKey, openedDays: fc.array(arbDay, { maxLength: OPENED_DAYS_MAX }) }),
  tariff: fc.record({
    day: arbDay,
    slots: fc.array(arbSlot, { maxLength: 3 }),
    feedIn: fc.array(arbPrice, { maxLength: 3 }),
    retail: fc.array(arbPrice, { maxLength: 3 }),
  }),
  "meter-report": fc.record({
    operator: arbKey,
    member: arbKey,
    slot: arbSlot,
    produced: arbEnergy,
    consumed: arbEnergy,
    revision: arbRevision,
  }),
  "meter-reading": fc.record({
    member: arbKey,
    slot: arbSlot,
    produced: arbEnergy,
    consumed: arbEnergy,
    revision: arbRevision,
    agreed: fc.array(arbKey, { maxLength: 3 }),
    disagreed: fc.array(arbKey, { maxLength: 3 }),
  }),
  "delivery-record": fc.record({
    supplier: arbKey,
    slot: arbSlot,
    promised: arbEnergy,
    delivered: arbEnergy,
    unsold: arbEnergy,
    depositLost: arbMoney,
    gridFee: arbMoney,
  }),
  "slot-settlement": fc.record({
    member: arbKey,
    slot: arbSlot,
    produced: arbEnergy,
    consumed: arbEnergy,
    used: arbEnergy,
    feedInEnergy: arbEnergy,
    feedInAmount: arbMoney,
    retailEnergy: arbEnergy,
    retailAmount: arbMoney,
    surplusAmount: arbMoney,
    revision: arbRevision,
    promised: arbEnergy,
    delivered: arbEnergy,
    unsold: arbEnergy,
    bought: arbEnergy,
    depositLost: arbMoney,
    gridFee: arbMoney,
    deliveredFirst: arbEnergy,
    keptFirst: arbEnergy,
  }),
  dispute: fc.record({
    disputeId: arbId,
    member: arbKey,
    slot: arbSlot,
    raisedBy: arbKey,
    evidence: arbHash,
    produced: arbEnergy,
    consumed: arbEnergy,
  }),
  "dispute-vote": fc.record({
    disputeId: arbId,
    voter: arbKey,
    produced: arbEnergy,
    consumed: arbEnergy,
  }),
  mandate: fc.record({
    mandateId: arbId,
    principal: arbKey,
    delegate: arbKey,
    flows: fc.subarray([...DELEGABLE_FLOWS]),
    strategies: fc.array(arbName, { maxLength: 2 }),
    energyPerSlotMax: arbEnergy,
    energyPerDayMax: arbEnergy,
    bidPriceMax: arbPrice,
    expiresMs: arbInstant,
  }),
  redemption: fc.record({
    redemptionId: arbId,
    owner: arbKey,
    provider: arbKey,
    amount: arbMoney,
    account: arbName,
  }),
  "standing-vote": fc.record({
    voter: arbKey,
    member: arbKey,
    standing: fc.constantFrom("good", "probation", "suspended"),
    expiresMs: arbInstant,
  }),
};

/** Every kind of state there is. */
export const STATE_TAGS: readonly StateTag[] = Object.keys(FIELDS) as StateTag[];

/** States of one kind. */
export function arbStateOf<T extends StateTag>(tag: T): fc.Arbitrary<StateOf<T>> {
  return FIELDS[tag].map((fields) => ({ tag, ...fields }) as unknown as StateOf<T>);
}

/** States of all kinds. */
export const arbState: fc.Arbitrary<State> = fc.oneof(
  ...STATE_TAGS.map((tag) => arbStateOf(tag) as fc.Arbitrary<State>),
);

const arbTrade: fc.Arbitrary<PoolTrade> = fc.record({ bid: arbId, offer: arbId, energy: arbEnergy, price: arbPrice });

const bare = <T extends Command["tag"]>(tag: T): fc.Arbitrary<{ readonly tag: T }> => fc.constant({ tag });
const ofAuction = <T extends Command["tag"]>(tag: T): fc.Arbitrary<{ readonly tag: T; readonly auctionId: string }> =>
  fc.record({ tag: fc.constant(tag), auctionId: arbId });
const COMMANDS: { readonly [T in Command["tag"]]: fc.Arbitrary<Extract<Command, { readonly tag: T }>> } = {
  genesis: bare("genesis"),
  join: bare("join"),
  "amend-member": bare("amend-member"),
  "move-member": fc.record({ tag: fc.constant("move-member"), member: arbKey }),
  "vote-standing": fc.record({ tag: fc.constant("vote-standing"), voter: arbKey, member: arbKey }),
  "amend-parameters": bare("amend-parameters"),
  "issue-funds": bare("issue-funds"),
  "confirm-payout": fc.record({
    tag: fc.constant("confirm-payout"),
    redemptionId: arbId,
    messageId: arbPaymentId,
    endToEndId: arbPaymentId,
  }),
  "redeem-funds": bare("redeem-funds"),
  "grant-mandate": bare("grant-mandate"),
  "revoke-mandate": bare("revoke-mandate"),
  "publish-tariff": fc.record({ tag: fc.constant("publish-tariff"), day: arbDay }),
  "create-promises": fc.record({ tag: fc.constant("create-promises"), supplier: arbKey }),
  "split-promise": fc.record({ tag: fc.constant("split-promise"), owner: arbKey }),
  "merge-promises": fc.record({ tag: fc.constant("merge-promises"), owner: arbKey, promiseId: arbId }),
  substitute: fc.record({
    tag: fc.constant("substitute"),
    supplier: arbKey,
    slot: arbSlot,
    covers: fc.array(fc.record({ covered: fc.nat(4_095), with: fc.nat(4_095), energy: arbEnergy }), { maxLength: 4 }),
  }),
  "create-auction": ofAuction("create-auction"),
  "certify-claims": fc.record({ tag: fc.constant("certify-claims"), supplier: arbKey, agency: arbKey }),
  "contradict-certificate": fc.record({
    tag: fc.constant("contradict-certificate"),
    by: arbKey,
    agency: arbKey,
    supplier: arbKey,
    slot: arbSlot,
  }),
  "close-certificates": fc.record({ tag: fc.constant("close-certificates"), agency: arbKey, slot: arbSlot }),
  bid: fc.record({ tag: fc.constant("bid"), auctionId: arbId, bidder: arbKey, requires: maybe(arbRequirement) }),
  "end-auction": ofAuction("end-auction"),
  "settle-auction": ofAuction("settle-auction"),
  "lapse-auction": ofAuction("lapse-auction"),
  "place-orders": fc.record({ tag: fc.constant("place-orders"), owner: arbKey }),
  "cancel-orders": fc.record({ tag: fc.constant("cancel-orders"), owner: arbKey }),
  "clear-pool": fc.record({
    tag: fc.constant("clear-pool"),
    slot: arbSlot,
    price: maybe(arbPrice),
    isFinal: fc.boolean(),
    trades: fc.array(arbTrade, { maxLength: 4 }),
  }),
  "report-meters": fc.record({ tag: fc.constant("report-meters"), operator: arbKey, slot: arbSlot }),
  "release-margin": fc.record({ tag: fc.constant("release-margin"), owner: arbKey, day: arbDay }),
  "curtail-slot": fc.record({ tag: fc.constant("curtail-slot"), slot: arbSlot, cap: arbEnergy }),
  "record-meters": fc.record({ tag: fc.constant("record-meters"), slot: arbSlot }),
  "check-delivery": fc.record({ tag: fc.constant("check-delivery"), supplier: arbKey, slot: arbSlot }),
  "settle-slot": fc.record({ tag: fc.constant("settle-slot"), member: arbKey, slot: arbSlot }),
  "correct-settlement": fc.record({ tag: fc.constant("correct-settlement"), member: arbKey, slot: arbSlot }),
  "raise-dispute": fc.record({ tag: fc.constant("raise-dispute"), disputeId: arbId }),
  "vote-dispute": fc.record({ tag: fc.constant("vote-dispute"), disputeId: arbId, voter: arbKey }),
  "decide-dispute": fc.record({ tag: fc.constant("decide-dispute"), disputeId: arbId }),
};

/** Commands of all flows. */
export const arbCommand: fc.Arbitrary<Command> = fc.oneof(...(Object.values(COMMANDS) as fc.Arbitrary<Command>[]));

const arbRef: fc.Arbitrary<StateRef> = fc.record({ txId: arbHash, index: fc.integer({ min: 0, max: 4_095 }) });

/** Transactions that have the right form: distinct references, sorted signers. What they say may be nonsense. */
export const arbTransaction: fc.Arbitrary<Transaction> = fc
  .record({
    refs: fc.uniqueArray(arbRef, { maxLength: 6, selector: ({ txId, index }) => `${txId}:${index}` }),
    cited: fc.nat({ max: 6 }),
    outputs: fc.array(arbState, { maxLength: 5 }),
    command: arbCommand,
    signers: fc.uniqueArray(arbKey, { minLength: 1, maxLength: 5 }),
    notary: arbKey,
    window: fc.record({ fromMs: maybe(arbInstant), untilMs: maybe(arbInstant) }),
  })
  .map(({ refs, cited, signers, ...rest }) => ({
    ...rest,
    inputs: refs.slice(cited),
    references: refs.slice(0, cited),
    signers: [...signers].sort(compareText),
  }));
