/**
 * Commands as JSON: those that clients give to a node, and those that stand in transactions. The limits of what clients give are
 * those of the node, which checks them again; here they say which field is wrong.
 */
import {
  ACCOUNT_LENGTH_MAX,
  type AmendableParameters,
  type ClientCommand,
  COVERS_MAX,
  type Command,
  type Cover,
  DELEGABLE_FLOWS,
  ENROLLED_MAX,
  type Metered,
  type NewMandate,
  type NewMember,
  PAYMENT_ID_LENGTH_MAX,
  POOL_TRADES_MAX,
  type PoolTrade,
  ROLES,
  type ServedBy,
  STANDINGS,
} from "#contracts";
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
  optionalSchema,
  priceSchema,
  type Schema,
  slotSchema,
  textSchema,
  wholeSchema,
} from "./scalars.ts";
import {
  claimedSchema,
  dayMsSchema,
  meterQuorumSchema,
  observersSchema,
  PARTIES_MAX,
  quorumSchema,
  requirementSchema,
  storageSchema,
  strategiesSchema,
} from "./states.ts";

/** An item of a list in a command. */
type Asked<T extends ClientCommand["tag"], F extends string> =
  Extract<ClientCommand, { readonly tag: T }> extends { readonly [K in F]: readonly (infer Item)[] } ? Item : never;

const ITEMS_MAX = 1_000;
const READINGS_MAX = 4_000;
const SLOTS_PER_DAY_MAX = 100;
const INPUT_INDEX_MAX = 4_095;
/** Text that the ledger shows, sound or not. */
const shownIdentifierSchema = textSchema(120);
const identifierSchema = textSchema(120, 1);
const inputIndexSchema = wholeSchema(0, INPUT_INDEX_MAX);
const sideSchema = oneOfSchema(["bid", "offer"]);
const standingSchema = oneOfSchema(STANDINGS);
const METERED = { member: keySchema, produced: energySchema, consumed: energySchema };
const meteredSchema = recordSchema<Metered>(METERED);
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
  meterOperators: optionalSchema(keysSchema),
  meterQuorum: optionalSchema(meterQuorumSchema),
  meterTolerance: optionalSchema(energySchema),
  observers: optionalSchema(observersSchema),
});

function tradesSchema(identifier: Schema<string>): Schema<readonly PoolTrade[]> {
  return listSchema(
    recordSchema<PoolTrade>({ bid: identifier, offer: identifier, energy: energySchema, price: priceSchema }),
    POOL_TRADES_MAX,
  );
}

const mandateFields = {
  mandateId: identifierSchema,
  delegate: keySchema,
  flows: listSchema(oneOfSchema(DELEGABLE_FLOWS), DELEGABLE_FLOWS.length),
  strategies: optionalSchema(strategiesSchema),
  energyPerSlotMax: energySchema,
  energyPerDayMax: optionalSchema(energySchema),
  bidPriceMax: optionalSchema(priceSchema),
  expiresMs: instantSchema,
};
const servedSchema = recordSchema<ServedBy>({ by: keySchema, mandate: recordSchema<NewMandate>(mandateFields) });
const newMemberFields = {
  name: textSchema(64, 1),
  key: keySchema,
  roles: listSchema(oneOfSchema(ROLES), ROLES.length),
  capacityPerSlot: energySchema,
  holdingCapPerSlot: nullableSchema(energySchema),
  marketFee: priceSchema,
  storage: optionalSchema(storageSchema),
  served: optionalSchema(servedSchema),
};

/** What a client asks a node to do. */
export const clientCommandSchema: Schema<ClientCommand> = taggedSchema<ClientCommand, "commandId">(
  {
    "create-promises": {
      promises: listSchema(
        recordSchema<Asked<"create-promises", "promises">>({
          slot: slotSchema,
          energy: energySchema,
          claims: optionalSchema(claimedSchema),
        }),
        ITEMS_MAX,
        1,
      ),
    },
    "place-orders": {
      marketplace: keySchema,
      orders: listSchema(
        recordSchema<Asked<"place-orders", "orders">>({
          side: sideSchema,
          slot: slotSchema,
          energy: energySchema,
          limit: priceSchema,
          requires: optionalSchema(requirementSchema),
        }),
        ITEMS_MAX,
        1,
      ),
    },
    "cancel-orders": { orderIds: listSchema(identifierSchema, ITEMS_MAX, 1) },
    "split-promise": {
      slot: slotSchema,
      energies: listSchema(energySchema, ITEMS_MAX, 1),
      promiseId: optionalSchema(identifierSchema),
    },
    "merge-promises": {
      slot: slotSchema,
      supplier: keySchema,
      promiseIds: optionalSchema(listSchema(identifierSchema, ITEMS_MAX, 1)),
    },
    substitute: { slot: slotSchema, energy: energySchema },
    "create-auction": {
      marketplace: keySchema,
      slot: slotSchema,
      energy: energySchema,
      basePrice: priceSchema,
      deadlineMs: instantSchema,
    },
    bid: { ...ofAuction, price: priceSchema, requires: optionalSchema(requirementSchema) },
    "certify-claims": { agency: keySchema, slots: listSchema(slotSchema, ITEMS_MAX, 1) },
    "contradict-certificate": { agency: keySchema, supplier: keySchema, slot: slotSchema, evidence: hashSchema },
    "close-certificates": { agency: keySchema, slot: slotSchema },
    "end-auction": ofAuction,
    "settle-auction": ofAuction,
    "lapse-auction": ofAuction,
    "grant-mandate": mandateFields,
    "revoke-mandate": { mandateId: identifierSchema },
    "clear-pool": {
      slot: slotSchema,
      price: nullableSchema(priceSchema),
      isFinal: booleanSchema,
      trades: tradesSchema(identifierSchema),
    },
    join: newMemberFields,
    enrol: { members: listSchema(recordSchema<NewMember>(newMemberFields), ENROLLED_MAX, 1) },
    "move-member": { served: nullableSchema(servedSchema) },
    "amend-member": {
      member: keySchema,
      standing: optionalSchema(standingSchema),
      holdingCapPerSlot: optionalSchema(nullableSchema(energySchema)),
      capacityPerSlot: optionalSchema(energySchema),
      storage: optionalSchema(nullableSchema(storageSchema)),
    },
    "vote-standing": { member: keySchema, standing: nullableSchema(standingSchema), expiresMs: instantSchema },
    "amend-parameters": { changes: changesSchema },
    "redeem-funds": { amount: moneySchema, account: optionalSchema(textSchema(ACCOUNT_LENGTH_MAX, 1)) },
    "confirm-payout": {
      owner: keySchema,
      redemptionId: identifierSchema,
      messageId: textSchema(PAYMENT_ID_LENGTH_MAX, 1),
      endToEndId: textSchema(PAYMENT_ID_LENGTH_MAX, 1),
    },
    "issue-funds": { to: keySchema, amounts: listSchema(moneySchema, ITEMS_MAX, 1) },
    "publish-tariff": {
      day: daySchema,
      feedIn: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
      retail: listSchema(priceSchema, SLOTS_PER_DAY_MAX),
    },
    "release-margin": { day: daySchema },
    "curtail-slot": { slot: slotSchema, cap: energySchema },
    "report-meters": { slot: slotSchema, readings: listSchema(meteredSchema, READINGS_MAX, 1) },
    "record-meters": { slot: slotSchema, readings: listSchema(meteredSchema, READINGS_MAX) },
    "check-delivery": { supplier: keySchema, slot: slotSchema },
    "settle-slot": { member: keySchema, slot: slotSchema },
    "correct-settlement": { member: keySchema, slot: slotSchema },
    "raise-dispute": { ...METERED, slot: slotSchema, evidence: hashSchema },
    "vote-dispute": { disputeId: identifierSchema, produced: energySchema, consumed: energySchema },
    "decide-dispute": { disputeId: identifierSchema },
  },
  { commandId: textSchema(100, 1) },
);

/** What a transaction on the ledger is for. */
export const ledgerCommandSchema: Schema<Command> = taggedSchema<Command>({
  genesis: {},
  join: {},
  "amend-member": {},
  "move-member": { member: keySchema },
  "vote-standing": { voter: keySchema, member: keySchema },
  "amend-parameters": {},
  "issue-funds": {},
  "redeem-funds": {},
  "confirm-payout": {
    redemptionId: shownIdentifierSchema,
    messageId: textSchema(PAYMENT_ID_LENGTH_MAX),
    endToEndId: textSchema(PAYMENT_ID_LENGTH_MAX),
  },
  "publish-tariff": { day: daySchema },
  "grant-mandate": {},
  "revoke-mandate": {},
  "create-promises": { supplier: keySchema },
  "split-promise": { owner: keySchema },
  "merge-promises": { owner: keySchema, promiseId: shownIdentifierSchema },
  substitute: {
    supplier: keySchema,
    slot: slotSchema,
    covers: listSchema(
      recordSchema<Cover>({ covered: inputIndexSchema, with: inputIndexSchema, energy: energySchema }),
      COVERS_MAX,
    ),
  },
  "create-auction": ofShownAuction,
  "certify-claims": { supplier: keySchema, agency: keySchema },
  "contradict-certificate": { by: keySchema, agency: keySchema, supplier: keySchema, slot: slotSchema },
  "close-certificates": { agency: keySchema, slot: slotSchema },
  bid: { ...ofShownAuction, bidder: keySchema, requires: nullableSchema(requirementSchema) },
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
  "release-margin": { owner: keySchema, day: daySchema },
  "curtail-slot": { slot: slotSchema, cap: energySchema },
  "report-meters": { operator: keySchema, slot: slotSchema },
  "record-meters": { slot: slotSchema },
  "check-delivery": { supplier: keySchema, slot: slotSchema },
  "settle-slot": { member: keySchema, slot: slotSchema },
  "correct-settlement": { member: keySchema, slot: slotSchema },
  "raise-dispute": { disputeId: shownIdentifierSchema },
  "vote-dispute": { disputeId: shownIdentifierSchema, voter: keySchema },
  "decide-dispute": { disputeId: shownIdentifierSchema },
});
