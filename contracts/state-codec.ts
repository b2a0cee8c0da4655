/** How states are written on the wire: fields at fixed positions. Changing an order here makes another protocol version. */
import {
  type Codec,
  dayCodec,
  energyCodec,
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
import { DELEGABLE_FLOWS, ROLES, STANDINGS, STATE_KINDS, type State } from "./states.ts";

export const PARTIES_MAX = 64;
export const IDENTIFIER_LENGTH_MAX = 120;
/** 25 hours of quarter-hours. */
export const SLOTS_PER_DAY_MAX = 100;
export const OPENED_DAYS_MAX = 16;

const identifier = text(IDENTIFIER_LENGTH_MAX);
const slotMinutesCodec: Codec<SlotMinutes> = {
  encode: (value) => value,
  decode: (value, path) =>
    typeof value === "number" && isSlotMinutes(value)
      ? { ok: true, value }
      : { ok: false, error: { tag: "decode_failed", path, expected: "15, 30 or 60" } },
};

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
  },
  deposit: { supplier: publicKeyCodec, slot: slotCodec, amount: moneyCodec },
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
  },
  exposure: {
    member: publicKeyCodec,
    day: dayCodec,
    entries: listOf(
      struct({ slot: slotCodec, promised: energyCodec, bought: energyCodec, bidding: energyCodec }),
      SLOTS_PER_DAY_MAX,
    ),
  },
  "exposure-index": { member: publicKeyCodec, openedDays: listOf(dayCodec, OPENED_DAYS_MAX) },
  tariff: {
    day: dayCodec,
    slots: listOf(slotCodec, SLOTS_PER_DAY_MAX),
    feedIn: listOf(priceCodec, SLOTS_PER_DAY_MAX),
    retail: listOf(priceCodec, SLOTS_PER_DAY_MAX),
  },
  "meter-reading": { member: publicKeyCodec, slot: slotCodec, produced: energyCodec, consumed: energyCodec },
  "delivery-record": {
    supplier: publicKeyCodec,
    slot: slotCodec,
    promised: energyCodec,
    delivered: energyCodec,
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
  },
  mandate: {
    mandateId: identifier,
    principal: publicKeyCodec,
    delegate: publicKeyCodec,
    flows: listOf(oneOf(...DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
    energyPerSlotMax: energyCodec,
    expiresMs: instantMs,
  },
  "standing-vote": {
    voter: publicKeyCodec,
    member: publicKeyCodec,
    standing: oneOf(...STANDINGS),
    expiresMs: instantMs,
  },
});
