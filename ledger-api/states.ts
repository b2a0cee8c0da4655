/** States of the ledger as JSON: the fields of `contracts/states.ts`, with the limits of their own encoding. */
import { z } from "zod";
import {
  ACCOUNT_LENGTH_MAX,
  type ClaimRequirement,
  type Claims,
  CORRECTION_MS_MAX,
  type Contradiction,
  DELEGABLE_FLOWS,
  ENERGY_SOURCES,
  GRAMS_CO2_MAX,
  type NetworkParameters,
  OPENED_DAYS_MAX,
  type PromiseLock,
  REVISIONS_MAX,
  ROLES,
  STANDINGS,
  STATE_KINDS,
  STRATEGIES_MAX,
  type State,
  type StateAndRef,
  type StateRef,
  type StateTag,
  type Storage,
} from "#contracts";
import type { SlotMinutes } from "#core";
import { recordSchema, taggedSchema } from "./records.ts";
import {
  booleanSchema,
  daySchema,
  energySchema,
  hashSchema,
  instantSchema,
  keySchema,
  listSchema,
  moneySchema,
  nullableSchema,
  oneOfSchema,
  priceSchema,
  type Schema,
  slotSchema,
  textSchema,
  wholeSchema,
} from "./scalars.ts";

export const PARTIES_MAX = 64;
const SLOTS_PER_DAY_MAX = 100;
const OUTPUTS_MAX = 4_096;
const DAY_MS = 86_400_000;

const identifierSchema = textSchema(120);
const keysSchema = listSchema(keySchema, PARTIES_MAX);
const slotMinutesSchema: Schema<SlotMinutes> = z.union([z.literal(15), z.literal(30), z.literal(60)], {
  error: "give 15, 30 or 60",
});

export const stateTagSchema: Schema<StateTag> = oneOfSchema(STATE_KINDS);
export const observersSchema: Schema<NetworkParameters["observers"]> = listSchema(
  recordSchema({ key: keySchema, sees: listSchema(stateTagSchema, STATE_KINDS.length) }),
  PARTIES_MAX,
);
export const quorumSchema: Schema<number> = wholeSchema(1, PARTIES_MAX);
export const meterQuorumSchema: Schema<number> = wholeSchema(0, PARTIES_MAX);
export const dayMsSchema: Schema<number> = wholeSchema(0, DAY_MS);

export const storageSchema: Schema<Storage> = recordSchema<Storage>({
  capacity: energySchema,
  powerPerSlot: energySchema,
  efficiencyPerMille: wholeSchema(0, 1_000),
});
const sourceSchema = nullableSchema(oneOfSchema(ENERGY_SOURCES));
const originSchema = nullableSchema(textSchema(64));
const gramsSchema = nullableSchema(wholeSchema(0, GRAMS_CO2_MAX));
/** What a supplier may say of its energy by itself. */
const CLAIMED = { source: sourceSchema, renewable: booleanSchema, origin: originSchema, gramsCo2PerKwh: gramsSchema };
export const claimedSchema: Schema<Omit<Claims, "certifiedBy">> = recordSchema<Omit<Claims, "certifiedBy">>(CLAIMED);
const claimsSchema = recordSchema<Claims>({ ...CLAIMED, certifiedBy: nullableSchema(keySchema) });
export const requirementSchema: Schema<ClaimRequirement> = recordSchema<ClaimRequirement>({
  source: sourceSchema,
  renewable: booleanSchema,
  origin: originSchema,
  gramsCo2PerKwhMax: gramsSchema,
  contradictedPerMilleMax: wholeSchema(0, 1_000),
});
export const strategiesSchema: Schema<readonly string[]> = listSchema(textSchema(64), STRATEGIES_MAX);

export const stateSchema: Schema<State> = taggedSchema<State>({
  "network-parameters": {
    networkId: textSchema(40),
    epoch: wholeSchema(0, 1_000_000),
    currency: textSchema(3),
    slotMinutes: slotMinutesSchema,
    timeZone: textSchema(40),
    gridAuthority: keySchema,
    powerCompany: keySchema,
    paymentProvider: keySchema,
    notaries: keysSchema,
    verifiers: keysSchema,
    verifierQuorum: quorumSchema,
    promiseMin: energySchema,
    promiseMax: energySchema,
    emergencyPrice: priceSchema,
    gridFee: priceSchema,
    bidRiseMin: priceSchema,
    priceMin: priceSchema,
    priceMax: priceSchema,
    gateLeadMs: dayMsSchema,
    settlementGraceMs: dayMsSchema,
    meterOperators: keysSchema,
    meterQuorum: meterQuorumSchema,
    meterTolerance: energySchema,
    correctionMs: wholeSchema(0, CORRECTION_MS_MAX),
    surplusPrice: priceSchema,
    observers: observersSchema,
  },
  member: {
    name: textSchema(64),
    key: keySchema,
    roles: listSchema(oneOfSchema(ROLES), ROLES.length),
    standing: oneOfSchema(STANDINGS),
    capacityPerSlot: energySchema,
    holdingCapPerSlot: nullableSchema(energySchema),
    marketFee: priceSchema,
    storage: nullableSchema(storageSchema),
    servedBy: nullableSchema(keySchema),
  },
  funds: { owner: keySchema, amount: moneySchema },
  "power-promise": {
    promiseId: identifierSchema,
    slot: slotSchema,
    energy: energySchema,
    supplier: keySchema,
    owner: keySchema,
    lock: nullableSchema(recordSchema<PromiseLock>({ kind: oneOfSchema(["auction", "order"]), id: identifierSchema })),
    delivered: nullableSchema(energySchema),
    claims: nullableSchema(claimsSchema),
  },
  deposit: { supplier: keySchema, slot: slotSchema, amount: moneySchema },
  certificate: {
    agency: keySchema,
    supplier: keySchema,
    slot: slotSchema,
    energy: energySchema,
    claims: claimsSchema,
    contradiction: nullableSchema(recordSchema<Contradiction>({ by: keySchema, evidence: hashSchema })),
  },
  "agency-record": { agency: keySchema, certified: energySchema, contradicted: energySchema },
  curtailment: {
    slot: slotSchema,
    cap: energySchema,
    promised: energySchema,
    unsold: energySchema,
    cut: energySchema,
  },
  margin: { owner: keySchema, day: daySchema, amount: moneySchema },
  auction: {
    auctionId: identifierSchema,
    seller: keySchema,
    marketplace: keySchema,
    slot: slotSchema,
    energy: energySchema,
    basePrice: priceSchema,
    marketFee: priceSchema,
    deadlineMs: instantSchema,
    status: oneOfSchema(["active", "ended"]),
    highestPrice: nullableSchema(priceSchema),
    highestBidder: nullableSchema(keySchema),
    claims: nullableSchema(claimsSchema),
  },
  bid: { auctionId: identifierSchema, bidder: keySchema, price: priceSchema, locked: moneySchema },
  "pool-order": {
    orderId: identifierSchema,
    side: oneOfSchema(["bid", "offer"]),
    owner: keySchema,
    marketplace: keySchema,
    slot: slotSchema,
    energy: energySchema,
    limit: priceSchema,
    marketFee: priceSchema,
    locked: moneySchema,
    sequence: wholeSchema(0, Number.MAX_SAFE_INTEGER),
    requires: nullableSchema(requirementSchema),
  },
  exposure: {
    member: keySchema,
    day: daySchema,
    entries: listSchema(
      recordSchema({ slot: slotSchema, promised: energySchema, bought: energySchema, bidding: energySchema }),
      SLOTS_PER_DAY_MAX,
    ),
    settled: listSchema(slotSchema, SLOTS_PER_DAY_MAX),
  },
  "exposure-index": { member: keySchema, openedDays: listSchema(daySchema, OPENED_DAYS_MAX) },
  tariff: {
    day: daySchema,
    slots: listSchema(slotSchema, SLOTS_PER_DAY_MAX),
    feedIn: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
    retail: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
  },
  "meter-report": {
    operator: keySchema,
    member: keySchema,
    slot: slotSchema,
    produced: energySchema,
    consumed: energySchema,
    revision: wholeSchema(0, REVISIONS_MAX),
  },
  "meter-reading": {
    member: keySchema,
    slot: slotSchema,
    produced: energySchema,
    consumed: energySchema,
    revision: wholeSchema(0, REVISIONS_MAX),
    agreed: keysSchema,
    disagreed: keysSchema,
  },
  "delivery-record": {
    supplier: keySchema,
    slot: slotSchema,
    promised: energySchema,
    delivered: energySchema,
    unsold: energySchema,
    depositLost: moneySchema,
    gridFee: moneySchema,
  },
  "slot-settlement": {
    member: keySchema,
    slot: slotSchema,
    produced: energySchema,
    consumed: energySchema,
    used: energySchema,
    feedInEnergy: energySchema,
    feedInAmount: moneySchema,
    retailEnergy: energySchema,
    retailAmount: moneySchema,
    surplusAmount: moneySchema,
    revision: wholeSchema(0, REVISIONS_MAX),
    promised: energySchema,
    delivered: energySchema,
    unsold: energySchema,
    bought: energySchema,
    depositLost: moneySchema,
    gridFee: moneySchema,
    deliveredFirst: energySchema,
    keptFirst: energySchema,
  },
  dispute: {
    disputeId: identifierSchema,
    member: keySchema,
    slot: slotSchema,
    raisedBy: keySchema,
    evidence: hashSchema,
    produced: energySchema,
    consumed: energySchema,
  },
  "dispute-vote": {
    disputeId: identifierSchema,
    voter: keySchema,
    produced: energySchema,
    consumed: energySchema,
  },
  mandate: {
    mandateId: identifierSchema,
    principal: keySchema,
    delegate: keySchema,
    flows: listSchema(oneOfSchema(DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
    strategies: strategiesSchema,
    energyPerSlotMax: energySchema,
    energyPerDayMax: energySchema,
    bidPriceMax: priceSchema,
    expiresMs: instantSchema,
  },
  redemption: {
    redemptionId: identifierSchema,
    owner: keySchema,
    provider: keySchema,
    amount: moneySchema,
    account: textSchema(ACCOUNT_LENGTH_MAX),
  },
  "standing-vote": {
    voter: keySchema,
    member: keySchema,
    standing: oneOfSchema(STANDINGS),
    expiresMs: instantSchema,
  },
});

export const refSchema: Schema<StateRef> = recordSchema<StateRef>({
  txId: hashSchema,
  index: wholeSchema(0, OUTPUTS_MAX - 1),
});

export const stateAndRefSchema: Schema<StateAndRef> = recordSchema<StateAndRef>({ ref: refSchema, state: stateSchema });
