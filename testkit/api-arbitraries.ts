/** fast-check arbitraries for what clients and nodes say to each other: commands, refusals, events. */
import fc from "fast-check";
import {
  type AmendableParameters,
  type ClientCommand,
  type ClientCommandTag,
  DELEGABLE_FLOWS,
  LEDGER_REFUSALS,
  type LedgerRefusal,
  type LedgerRefusalCode,
  type NewMandate,
  type NewMember,
  type NodeEvent,
  type PoolRound,
  ROLES,
  type ServedBy,
  STANDINGS,
  STATE_KINDS,
} from "#contracts";
import {
  arbClaimed,
  arbCommand,
  arbDay,
  arbEnergy,
  arbHash,
  arbKey,
  arbMoney,
  arbPrice,
  arbRequirement,
  arbSlot,
  arbState,
  arbStorage,
} from "./arbitraries.ts";

const text = (lengthMax: number): fc.Arbitrary<string> =>
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: lengthMax });
const arbId = text(120);
const arbPaymentId = text(35);
const arbInstant = fc.integer({ min: 0, max: 8.64e15 });
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arb, { nil: null });
const some = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arb, { minLength: 1, maxLength: 4 });
const ofAuction = { auctionId: arbId };
const arbSide = fc.constantFrom("bid" as const, "offer" as const);
const arbStanding = fc.constantFrom(...STANDINGS);
const arbMetered = fc.record({ member: arbKey, produced: arbEnergy, consumed: arbEnergy });

const arbChanges: fc.Arbitrary<Partial<AmendableParameters>> = fc.record(
  {
    notaries: fc.array(arbKey, { maxLength: 3 }),
    verifiers: fc.array(arbKey, { maxLength: 3 }),
    verifierQuorum: fc.integer({ min: 1, max: 64 }),
    promiseMin: arbEnergy,
    promiseMax: arbEnergy,
    bidRiseMin: arbPrice,
    priceMin: arbPrice,
    priceMax: arbPrice,
    settlementGraceMs: fc.integer({ min: 0, max: 86_400_000 }),
    meterOperators: fc.array(arbKey, { maxLength: 3 }),
    meterQuorum: fc.integer({ min: 0, max: 64 }),
    meterTolerance: arbEnergy,
    observers: fc.array(fc.record({ key: arbKey, sees: fc.subarray([...STATE_KINDS]) }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const arbNewMandate = fc.record(
  {
    mandateId: arbId,
    delegate: arbKey,
    flows: fc.subarray([...DELEGABLE_FLOWS]),
    strategies: fc.array(text(64), { maxLength: 2 }),
    energyPerSlotMax: arbEnergy,
    energyPerDayMax: arbEnergy,
    bidPriceMax: arbPrice,
    expiresMs: arbInstant,
  },
  { requiredKeys: ["mandateId", "delegate", "flows", "energyPerSlotMax", "expiresMs"] },
) as fc.Arbitrary<NewMandate>;
const arbServed: fc.Arbitrary<ServedBy> = fc.record({ by: arbKey, mandate: arbNewMandate });
const arbNewMember = fc.record(
  {
    name: text(64),
    key: arbKey,
    roles: fc.subarray([...ROLES]),
    capacityPerSlot: arbEnergy,
    holdingCapPerSlot: maybe(arbEnergy),
    marketFee: arbPrice,
    storage: arbStorage,
    served: arbServed,
  },
  { requiredKeys: ["name", "key", "roles", "capacityPerSlot", "holdingCapPerSlot", "marketFee"] },
) as fc.Arbitrary<NewMember>;

type FieldsOf<T extends ClientCommandTag> = Omit<Extract<ClientCommand, { readonly tag: T }>, "tag" | "commandId">;
const CLIENT_FIELDS: { readonly [T in ClientCommandTag]: fc.Arbitrary<FieldsOf<T>> } = {
  "create-promises": fc.record({
    promises: some(
      fc.record(
        { slot: arbSlot, energy: arbEnergy, claims: arbClaimed },
        { requiredKeys: ["slot", "energy"] },
      ) as fc.Arbitrary<FieldsOf<"create-promises">["promises"][number]>,
    ),
  }),
  "place-orders": fc.record({
    marketplace: arbKey,
    orders: some(
      fc.record(
        { side: arbSide, slot: arbSlot, energy: arbEnergy, limit: arbPrice, requires: arbRequirement },
        { requiredKeys: ["side", "slot", "energy", "limit"] },
      ) as fc.Arbitrary<FieldsOf<"place-orders">["orders"][number]>,
    ),
  }),
  "cancel-orders": fc.record({ orderIds: some(arbId) }),
  "split-promise": fc.record(
    { slot: arbSlot, energies: some(arbEnergy), promiseId: arbId },
    { requiredKeys: ["slot", "energies"] },
  ) as fc.Arbitrary<FieldsOf<"split-promise">>,
  "merge-promises": fc.record(
    { slot: arbSlot, supplier: arbKey, promiseIds: some(arbId) },
    { requiredKeys: ["slot", "supplier"] },
  ) as fc.Arbitrary<FieldsOf<"merge-promises">>,
  substitute: fc.record({ slot: arbSlot, energy: arbEnergy }),
  "create-auction": fc.record({
    marketplace: arbKey,
    slot: arbSlot,
    energy: arbEnergy,
    basePrice: arbPrice,
    deadlineMs: arbInstant,
  }),
  bid: fc.record(
    { ...ofAuction, price: arbPrice, requires: arbRequirement },
    { requiredKeys: ["auctionId", "price"] },
  ) as fc.Arbitrary<FieldsOf<"bid">>,
  "certify-claims": fc.record({ agency: arbKey, slots: some(arbSlot) }),
  "contradict-certificate": fc.record({ agency: arbKey, supplier: arbKey, slot: arbSlot, evidence: arbHash }),
  "close-certificates": fc.record({ agency: arbKey, slot: arbSlot }),
  "end-auction": fc.record(ofAuction),
  "settle-auction": fc.record(ofAuction),
  "lapse-auction": fc.record(ofAuction),
  "grant-mandate": arbNewMandate,
  "revoke-mandate": fc.record({ mandateId: arbId }),
  "clear-pool": fc.record({
    slot: arbSlot,
    price: maybe(arbPrice),
    isFinal: fc.boolean(),
    trades: fc.array(fc.record({ bid: arbId, offer: arbId, energy: arbEnergy, price: arbPrice }), { maxLength: 4 }),
  }),
  join: arbNewMember,
  enrol: fc.record({ members: fc.array(arbNewMember, { minLength: 1, maxLength: 3 }) }),
  "move-member": fc.record({ served: maybe(arbServed) }),
  "amend-member": fc.record(
    {
      member: arbKey,
      standing: arbStanding,
      holdingCapPerSlot: maybe(arbEnergy),
      capacityPerSlot: arbEnergy,
      storage: maybe(arbStorage),
    },
    { requiredKeys: ["member"] },
  ) as fc.Arbitrary<FieldsOf<"amend-member">>,
  "vote-standing": fc.record({ member: arbKey, standing: maybe(arbStanding), expiresMs: arbInstant }),
  "amend-parameters": fc.record({ changes: arbChanges }),
  "redeem-funds": fc.record({ amount: arbMoney, account: text(64) }, { requiredKeys: ["amount"] }) as fc.Arbitrary<
    FieldsOf<"redeem-funds">
  >,
  "confirm-payout": fc.record({
    owner: arbKey,
    redemptionId: arbId,
    messageId: arbPaymentId,
    endToEndId: arbPaymentId,
  }),
  "issue-funds": fc.record({ to: arbKey, amounts: some(arbMoney) }),
  "publish-tariff": fc.record({
    day: arbDay,
    feedIn: fc.array(arbPrice, { maxLength: 4 }),
    retail: fc.array(arbPrice, { maxLength: 4 }),
  }),
  "report-meters": fc.record({ slot: arbSlot, readings: some(arbMetered) }),
  "release-margin": fc.record({ day: arbDay }),
  "curtail-slot": fc.record({ slot: arbSlot, cap: arbEnergy }),
  "record-meters": fc.record({ slot: arbSlot, readings: fc.array(arbMetered, { maxLength: 4 }) }),
  "check-delivery": fc.record({ supplier: arbKey, slot: arbSlot }),
  "settle-slot": fc.record({ member: arbKey, slot: arbSlot }),
  "correct-settlement": fc.record({ member: arbKey, slot: arbSlot }),
  "raise-dispute": fc.record({
    member: arbKey,
    slot: arbSlot,
    evidence: arbHash,
    produced: arbEnergy,
    consumed: arbEnergy,
  }),
  "vote-dispute": fc.record({ disputeId: arbId, produced: arbEnergy, consumed: arbEnergy }),
  "decide-dispute": fc.record({ disputeId: arbId }),
};

/** Every kind of command that a client may give. */
export const CLIENT_COMMAND_TAGS: readonly ClientCommandTag[] = Object.keys(CLIENT_FIELDS) as ClientCommandTag[];

/** Commands of one kind, sound in form: whether they make sense is for the ledger to say. */
export function arbClientCommandOf(tag: ClientCommandTag): fc.Arbitrary<ClientCommand> {
  const fields: fc.Arbitrary<object> = CLIENT_FIELDS[tag];
  return fc
    .tuple(text(100), fields)
    .map(([commandId, rest]) => ({ tag, commandId, ...rest }) as unknown as ClientCommand);
}

/** Commands of all kinds. */
export const arbClientCommand: fc.Arbitrary<ClientCommand> = fc.oneof(...CLIENT_COMMAND_TAGS.map(arbClientCommandOf));

const shareOfSlot = { slot: arbSlot, asked: arbEnergy, free: arbEnergy };
const arbClauses = fc.array(text(60), { maxLength: 3 });
const arbCount = fc.nat();
type RefusalOf<T extends LedgerRefusalCode> = Extract<LedgerRefusal, { readonly tag: T }>;
type DetailedCode = { [T in LedgerRefusalCode]: [RefusalOf<T>] extends [never] ? never : T }[LedgerRefusalCode];
const DETAILS: { readonly [T in DetailedCode]: fc.Arbitrary<Omit<RefusalOf<T>, "tag">> } = {
  insufficient_funds: fc.record({ needed: arbMoney, margin: arbMoney, available: arbMoney }),
  margin_in_use: fc.record({ needed: arbMoney, locked: arbMoney }),
  slot_curtailed: fc.record({ slot: arbSlot, cap: arbEnergy }),
  storage_exceeded: fc.record({ slot: arbSlot, asked: arbEnergy, stored: arbEnergy }),
  energy_out_of_range: fc.record({ asked: arbEnergy, min: arbEnergy, max: arbEnergy }),
  capacity_exceeded: fc.record(shareOfSlot),
  holding_cap_exceeded: fc.record(shareOfSlot),
  promise_not_held: fc.record({ slot: arbSlot, asked: arbEnergy, held: arbEnergy }),
  nothing_to_cover: fc.record({ slot: arbSlot, asked: arbEnergy, sold: arbEnergy }),
  cover_unsuitable: fc.record({ slot: arbSlot, asked: arbEnergy, suitable: arbEnergy }),
  bid_below_best: fc.record({ best: arbPrice, leastNext: arbPrice }),
  bid_below_base: fc.record({ base: arbPrice }),
  gate_closed: fc.record({ slot: arbSlot, gateMs: arbInstant }),
  reports_missing: fc.record({ needed: arbCount, reported: arbCount }),
  votes_missing: fc.record({ needed: arbCount, cast: arbCount }),
  contract_violated: fc.record({ clauses: arbClauses }),
  counterparty_refused: fc.record({ party: arbKey, reason: fc.constantFrom(...LEDGER_REFUSALS), clauses: arbClauses }),
  state_conflict: fc.record({ spent: fc.array(fc.record({ ref: text(70), consumedBy: arbHash }), { maxLength: 3 }) }),
};

/** Refusals of every code, with any data. */
export const arbLedgerRefusal: fc.Arbitrary<LedgerRefusal> = fc.oneof(
  ...LEDGER_REFUSALS.map((tag): fc.Arbitrary<LedgerRefusal> => {
    const details: fc.Arbitrary<object> | undefined = tag in DETAILS ? DETAILS[tag as DetailedCode] : undefined;
    return (details ?? fc.constant({})).map((rest) => ({ tag, ...rest }) as LedgerRefusal);
  }),
);

export const arbNodeEvent: fc.Arbitrary<NodeEvent> = fc.record({
  txId: arbHash,
  command: fc.option(arbCommand, { nil: undefined }),
  consumed: fc.array(arbState, { maxLength: 3 }),
  made: fc.array(arbState, { maxLength: 3 }),
});

export const arbPoolRound: fc.Arbitrary<PoolRound> = fc.record({
  slot: arbSlot,
  requires: maybe(arbRequirement),
  clearedAtMs: arbInstant,
  isFinal: fc.boolean(),
  price: maybe(arbPrice),
  volume: arbEnergy,
});
