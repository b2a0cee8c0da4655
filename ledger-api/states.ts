/** States of the ledger as JSON: the fields of `contracts/states.ts`, with the limits of their own encoding. */
import { z } from "zod";
import {
  DELEGABLE_FLOWS,
  type NetworkParameters,
  OPENED_DAYS_MAX,
  type PromiseLock,
  ROLES,
  STANDINGS,
  STATE_KINDS,
  type State,
  type StateAndRef,
  type StateRef,
  type StateTag,
} from "#contracts";
import type { SlotMinutes } from "#core";
import { recordSchema, taggedSchema } from "./records.ts";
import {
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
export const dayMsSchema: Schema<number> = wholeSchema(0, DAY_MS);

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
  },
  deposit: { supplier: keySchema, slot: slotSchema, amount: moneySchema },
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
  },
  exposure: {
    member: keySchema,
    day: daySchema,
    entries: listSchema(
      recordSchema({ slot: slotSchema, promised: energySchema, bought: energySchema, bidding: energySchema }),
      SLOTS_PER_DAY_MAX,
    ),
  },
  "exposure-index": { member: keySchema, openedDays: listSchema(daySchema, OPENED_DAYS_MAX) },
  tariff: {
    day: daySchema,
    slots: listSchema(slotSchema, SLOTS_PER_DAY_MAX),
    feedIn: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
    retail: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
  },
  "meter-reading": { member: keySchema, slot: slotSchema, produced: energySchema, consumed: energySchema },
  "delivery-record": {
    supplier: keySchema,
    slot: slotSchema,
    promised: energySchema,
    delivered: energySchema,
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
  },
  mandate: {
    mandateId: identifierSchema,
    principal: keySchema,
    delegate: keySchema,
    flows: listSchema(oneOfSchema(DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
    energyPerSlotMax: energySchema,
    expiresMs: instantSchema,
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
