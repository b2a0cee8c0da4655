/** How states are written on the wire: fields at fixed positions. Changing an order here makes another protocol version. */
import {
  boolean,
  type Codec,
  dayCodec,
  energyCodec,
  hashCodec,
  instantMs,
  integer,
  isSlotMinutes,
  listOf,
  moneyCodec,
  nullable,
  oneOf,
  priceCodec,
  publicKeyCodec,
  type SlotMinutes,
  slotCodec,
  struct,
  text,
  variant,
} from "#core";
import {
  type ClaimRequirement,
  type Claims,
  DELEGABLE_FLOWS,
  ENERGY_SOURCES,
  ROLES,
  STANDINGS,
  STATE_KINDS,
  type State,
} from "./states.ts";

export const PARTIES_MAX = 64;
export const IDENTIFIER_LENGTH_MAX = 120;
/** 25 hours of quarter-hours. */
export const SLOTS_PER_DAY_MAX = 100;
export const OPENED_DAYS_MAX = 16;
export const REVISIONS_MAX = 1_000;
export const STRATEGIES_MAX = 32;
export const GRAMS_CO2_MAX = 10_000;
export const ACCOUNT_LENGTH_MAX = 64;
export const CORRECTION_MS_MAX: number = 60 * 86_400_000;

const identifier = text(IDENTIFIER_LENGTH_MAX);
const slotMinutesCodec: Codec<SlotMinutes> = {
  encode: (value) => value,
  decode: (value, path) =>
    typeof value === "number" && isSlotMinutes(value)
      ? { ok: true, value }
      : { ok: false, error: { tag: "decode_failed", path, expected: "15, 30 or 60" } },
};

const sourceCodec = nullable(oneOf(...ENERGY_SOURCES));
const originCodec = nullable(text(64));
const gramsCodec = nullable(integer(0, GRAMS_CO2_MAX));

export const claimsCodec: Codec<Claims> = struct({
  source: sourceCodec,
  renewable: boolean,
  origin: originCodec,
  gramsCo2PerKwh: gramsCodec,
  certifiedBy: nullable(publicKeyCodec),
});
export const claimRequirementCodec: Codec<ClaimRequirement> = struct({
  source: sourceCodec,
  renewable: boolean,
  origin: originCodec,
  gramsCo2PerKwhMax: gramsCodec,
  contradictedPerMilleMax: integer(0, 1_000),
});

export const stateCodec: Codec<State> = variant({
  "network-parameters": {
    networkId: text(40),
    epoch: integer(0, 1_000_000),
    currency: text(3),
    slotMinutes: slotMinutesCodec,
    timeZone: text(40),
    gridAuthority: publicKeyCodec,
    powerCompany: publicKeyCodec,
    paymentProvider: publicKeyCodec,
    notaries: listOf(publicKeyCodec, PARTIES_MAX),
    verifiers: listOf(publicKeyCodec, PARTIES_MAX),
    verifierQuorum: integer(1, PARTIES_MAX),
    promiseMin: energyCodec,
    promiseMax: energyCodec,
    emergencyPrice: priceCodec,
    gridFee: priceCodec,
    bidRiseMin: priceCodec,
    priceMin: priceCodec,
    priceMax: priceCodec,
    gateLeadMs: integer(0, 86_400_000),
    settlementGraceMs: integer(0, 86_400_000),
    meterOperators: listOf(publicKeyCodec, PARTIES_MAX),
    meterQuorum: integer(0, PARTIES_MAX),
    meterTolerance: energyCodec,
    correctionMs: integer(0, CORRECTION_MS_MAX),
    surplusPrice: priceCodec,
    observers: listOf(
      struct({ key: publicKeyCodec, sees: listOf(oneOf(...STATE_KINDS), STATE_KINDS.length) }),
      PARTIES_MAX,
    ),
  },
  member: {
    name: text(64),
    key: publicKeyCodec,
    roles: listOf(oneOf(...ROLES), ROLES.length),
    standing: oneOf(...STANDINGS),
    capacityPerSlot: energyCodec,
    holdingCapPerSlot: nullable(energyCodec),
    marketFee: priceCodec,
    storage: nullable(
      struct({ capacity: energyCodec, powerPerSlot: energyCodec, efficiencyPerMille: integer(0, 1_000) }),
    ),
    servedBy: nullable(publicKeyCodec),
  },
  funds: { owner: publicKeyCodec, amount: moneyCodec },
  "power-promise": {
    promiseId: identifier,
    slot: slotCodec,
    energy: energyCodec,
    supplier: publicKeyCodec,
    owner: publicKeyCodec,
    lock: nullable(struct({ kind: oneOf("auction", "order"), id: identifier })),
    delivered: nullable(energyCodec),
    claims: nullable(claimsCodec),
  },
  deposit: { supplier: publicKeyCodec, slot: slotCodec, amount: moneyCodec },
  curtailment: {
    slot: slotCodec,
    cap: energyCodec,
    promised: energyCodec,
    unsold: energyCodec,
    cut: energyCodec,
  },
  margin: { owner: publicKeyCodec, day: dayCodec, amount: moneyCodec },
  certificate: {
    agency: publicKeyCodec,
    supplier: publicKeyCodec,
    slot: slotCodec,
    energy: energyCodec,
    claims: claimsCodec,
    contradiction: nullable(struct({ by: publicKeyCodec, evidence: hashCodec })),
  },
  "agency-record": { agency: publicKeyCodec, certified: energyCodec, contradicted: energyCodec },
  auction: {
    auctionId: identifier,
    seller: publicKeyCodec,
    marketplace: publicKeyCodec,
    slot: slotCodec,
    energy: energyCodec,
    basePrice: priceCodec,
    marketFee: priceCodec,
    deadlineMs: instantMs,
    status: oneOf("active", "ended"),
    highestPrice: nullable(priceCodec),
    highestBidder: nullable(publicKeyCodec),
    claims: nullable(claimsCodec),
  },
  bid: { auctionId: identifier, bidder: publicKeyCodec, price: priceCodec, locked: moneyCodec },
  "pool-order": {
    orderId: identifier,
    side: oneOf("bid", "offer"),
    owner: publicKeyCodec,
    marketplace: publicKeyCodec,
    slot: slotCodec,
    energy: energyCodec,
    limit: priceCodec,
    marketFee: priceCodec,
    locked: moneyCodec,
    sequence: integer(0, Number.MAX_SAFE_INTEGER),
    requires: nullable(claimRequirementCodec),
  },
  exposure: {
    member: publicKeyCodec,
    day: dayCodec,
    entries: listOf(
      struct({ slot: slotCodec, promised: energyCodec, bought: energyCodec, bidding: energyCodec }),
      SLOTS_PER_DAY_MAX,
    ),
    settled: listOf(slotCodec, SLOTS_PER_DAY_MAX),
  },
  "exposure-index": { member: publicKeyCodec, openedDays: listOf(dayCodec, OPENED_DAYS_MAX) },
  tariff: {
    day: dayCodec,
    slots: listOf(slotCodec, SLOTS_PER_DAY_MAX),
    feedIn: listOf(priceCodec, SLOTS_PER_DAY_MAX),
    retail: listOf(priceCodec, SLOTS_PER_DAY_MAX),
  },
  "meter-report": {
    operator: publicKeyCodec,
    member: publicKeyCodec,
    slot: slotCodec,
    produced: energyCodec,
    consumed: energyCodec,
    revision: integer(0, REVISIONS_MAX),
  },
  "meter-reading": {
    member: publicKeyCodec,
    slot: slotCodec,
    produced: energyCodec,
    consumed: energyCodec,
    revision: integer(0, REVISIONS_MAX),
    agreed: listOf(publicKeyCodec, PARTIES_MAX),
    disagreed: listOf(publicKeyCodec, PARTIES_MAX),
  },
  "delivery-record": {
    supplier: publicKeyCodec,
    slot: slotCodec,
    promised: energyCodec,
    delivered: energyCodec,
    unsold: energyCodec,
    depositLost: moneyCodec,
    gridFee: moneyCodec,
  },
  "slot-settlement": {
    member: publicKeyCodec,
    slot: slotCodec,
    produced: energyCodec,
    consumed: energyCodec,
    used: energyCodec,
    feedInEnergy: energyCodec,
    feedInAmount: moneyCodec,
    retailEnergy: energyCodec,
    retailAmount: moneyCodec,
    surplusAmount: moneyCodec,
    revision: integer(0, REVISIONS_MAX),
    promised: energyCodec,
    delivered: energyCodec,
    unsold: energyCodec,
    bought: energyCodec,
    depositLost: moneyCodec,
    gridFee: moneyCodec,
    deliveredFirst: energyCodec,
    keptFirst: energyCodec,
  },
  dispute: {
    disputeId: identifier,
    member: publicKeyCodec,
    slot: slotCodec,
    raisedBy: publicKeyCodec,
    evidence: hashCodec,
    produced: energyCodec,
    consumed: energyCodec,
  },
  "dispute-vote": {
    disputeId: identifier,
    voter: publicKeyCodec,
    produced: energyCodec,
    consumed: energyCodec,
  },
  mandate: {
    mandateId: identifier,
    principal: publicKeyCodec,
    delegate: publicKeyCodec,
    flows: listOf(oneOf(...DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
    strategies: listOf(text(64), STRATEGIES_MAX),
    energyPerSlotMax: energyCodec,
    energyPerDayMax: energyCodec,
    bidPriceMax: priceCodec,
    expiresMs: instantMs,
  },
  redemption: {
    redemptionId: identifier,
    owner: publicKeyCodec,
    provider: publicKeyCodec,
    amount: moneyCodec,
    account: text(ACCOUNT_LENGTH_MAX),
  },
  "standing-vote": {
    voter: publicKeyCodec,
    member: publicKeyCodec,
    standing: oneOf(...STANDINGS),
    expiresMs: instantMs,
  },
});
