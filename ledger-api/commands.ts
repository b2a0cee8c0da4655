/**
 * Commands as JSON: those that clients give to a node, and those that stand in transactions. The limits of what clients give are
 * those of the node, which checks them again; here they say which field is wrong.
 */
import {
  type AmendableParameters,
  type ClientCommand,
  type Command,
  DELEGABLE_FLOWS,
  POOL_TRADES_MAX,
  type PoolTrade,
  ROLES,
  STANDINGS,
} from "#contracts";
import { recordSchema, taggedSchema } from "./records.ts";
import {
  booleanSchema,
  daySchema,
  energySchema,
  instantSchema,
  keySchema,
  listSchema,
  moneySchema,
  nullableSchema,
  oneOfSchema,
  optionalSchema,
  priceSchema,
  type Schema,
  slotSchema,
  textSchema,
} from "./scalars.ts";
import { dayMsSchema, observersSchema, PARTIES_MAX, quorumSchema } from "./states.ts";

const ITEMS_MAX = 1_000;
const READINGS_MAX = 4_000;
const SLOTS_PER_DAY_MAX = 100;
/** Text that the ledger shows, sound or not. */
const shownIdentifierSchema = textSchema(120);
const identifierSchema = textSchema(120, 1);
const sideSchema = oneOfSchema(["bid", "offer"]);
const standingSchema = oneOfSchema(STANDINGS);
const ofAuction = { auctionId: identifierSchema };
const ofShownAuction = { auctionId: shownIdentifierSchema };
const keysSchema = listSchema(keySchema, PARTIES_MAX);
const changesSchema = recordSchema<Partial<AmendableParameters>>({
  notaries: optionalSchema(keysSchema),
  verifiers: optionalSchema(keysSchema),
  verifierQuorum: optionalSchema(quorumSchema),
  promiseMin: optionalSchema(energySchema),
  promiseMax: optionalSchema(energySchema),
  bidRiseMin: optionalSchema(priceSchema),
  priceMin: optionalSchema(priceSchema),
  priceMax: optionalSchema(priceSchema),
  settlementGraceMs: optionalSchema(dayMsSchema),
  observers: optionalSchema(observersSchema),
});

function tradesSchema(identifier: Schema<string>): Schema<readonly PoolTrade[]> {
  return listSchema(
    recordSchema<PoolTrade>({ bid: identifier, offer: identifier, energy: energySchema, price: priceSchema }),
    POOL_TRADES_MAX,
  );
}

/** What a client asks a node to do. */
export const clientCommandSchema: Schema<ClientCommand> = taggedSchema<ClientCommand, "commandId">(
  {
    "create-promises": {
      promises: listSchema(recordSchema({ slot: slotSchema, energy: energySchema }), ITEMS_MAX, 1),
    },
    "place-orders": {
      marketplace: keySchema,
      orders: listSchema(
        recordSchema({ side: sideSchema, slot: slotSchema, energy: energySchema, limit: priceSchema }),
        ITEMS_MAX,
        1,
      ),
    },
    "cancel-orders": { orderIds: listSchema(identifierSchema, ITEMS_MAX, 1) },
    "create-auction": {
      marketplace: keySchema,
      slot: slotSchema,
      energy: energySchema,
      basePrice: priceSchema,
      deadlineMs: instantSchema,
    },
    bid: { ...ofAuction, price: priceSchema },
    "end-auction": ofAuction,
    "settle-auction": ofAuction,
    "lapse-auction": ofAuction,
    "grant-mandate": {
      mandateId: identifierSchema,
      delegate: keySchema,
      flows: listSchema(oneOfSchema(DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
      energyPerSlotMax: energySchema,
      expiresMs: instantSchema,
    },
    "revoke-mandate": { mandateId: identifierSchema },
    "clear-pool": {
      slot: slotSchema,
      price: nullableSchema(priceSchema),
      isFinal: booleanSchema,
      trades: tradesSchema(identifierSchema),
    },
    join: {
      name: textSchema(64, 1),
      key: keySchema,
      roles: listSchema(oneOfSchema(ROLES), ROLES.length),
      capacityPerSlot: energySchema,
      holdingCapPerSlot: nullableSchema(energySchema),
      marketFee: priceSchema,
    },
    "amend-member": {
      member: keySchema,
      standing: optionalSchema(standingSchema),
      holdingCapPerSlot: optionalSchema(nullableSchema(energySchema)),
      capacityPerSlot: optionalSchema(energySchema),
    },
    "vote-standing": { member: keySchema, standing: nullableSchema(standingSchema), expiresMs: instantSchema },
    "amend-parameters": { changes: changesSchema },
    "redeem-funds": { amount: moneySchema },
    "issue-funds": { to: keySchema, amounts: listSchema(moneySchema, ITEMS_MAX, 1) },
    "publish-tariff": {
      day: daySchema,
      feedIn: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
      retail: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
    },
    "record-meters": {
      slot: slotSchema,
      readings: listSchema(
        recordSchema({ member: keySchema, produced: energySchema, consumed: energySchema }),
        READINGS_MAX,
        1,
      ),
    },
    "check-delivery": { supplier: keySchema, slot: slotSchema },
    "settle-slot": { member: keySchema, slot: slotSchema },
  },
  { commandId: textSchema(100, 1) },
);

/** What a transaction on the ledger is for. */
export const ledgerCommandSchema: Schema<Command> = taggedSchema<Command>({
  genesis: {},
  join: {},
  "amend-member": {},
  "vote-standing": { voter: keySchema, member: keySchema },
  "amend-parameters": {},
  "issue-funds": {},
  "redeem-funds": {},
  "publish-tariff": { day: daySchema },
  "grant-mandate": {},
  "revoke-mandate": {},
  "create-promises": { supplier: keySchema },
  "create-auction": ofShownAuction,
  bid: { ...ofShownAuction, bidder: keySchema },
  "end-auction": ofShownAuction,
  "settle-auction": ofShownAuction,
  "lapse-auction": ofShownAuction,
  "place-orders": { owner: keySchema },
  "cancel-orders": { owner: keySchema },
  "clear-pool": {
    slot: slotSchema,
    price: nullableSchema(priceSchema),
    isFinal: booleanSchema,
    trades: tradesSchema(shownIdentifierSchema),
  },
  "record-meters": { slot: slotSchema },
  "check-delivery": { supplier: keySchema, slot: slotSchema },
  "settle-slot": { member: keySchema, slot: slotSchema },
});
