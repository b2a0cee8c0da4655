/**
 * Whether a command is one at all: ids, keys, slots, days and amounts within what the ledger can write, and lists that fit in a
 * transaction. What it may do is for the flows to say. Commands come from outside: nothing here throws.
 */
import {
  type AmendableParameters,
  type ClaimRequirement,
  type Claims,
  type ClientCommand,
  type ClientCommandOf,
  type ClientCommandTag,
  DELEGABLE_FLOWS,
  ENERGY_SOURCES,
  ENROLLED_MAX,
  GRAMS_CO2_MAX,
  type Metered,
  type NewMandate,
  type NewMember,
  PARTIES_MAX,
  PAYMENT_ID_LENGTH_MAX,
  POOL_TRADES_MAX,
  ROLES,
  type ServedBy,
  STANDINGS,
  STATE_KINDS,
  STRATEGIES_MAX,
  type Storage,
} from "#contracts";
import { isAcceptablePublicKey, type PublicKey, parseLocalDay, parseSlotId, text } from "#core";

/** A command id leaves room for the number of a promise or order behind it. */
const COMMAND_ID = text(100);
const IDENTIFIER = text(120);
const NAME = text(64);
const PAYMENT_ID = text(PAYMENT_ID_LENGTH_MAX);
const ITEMS_MAX = 1_000;
const READINGS_MAX = 4_000;
const SLOTS_PER_DAY_MAX = 100;
const DAY_MS = 86_400_000;
const INSTANT_MAX = 8.64e15;
const INTEGER_MAX = 2n ** 63n - 1n;
/** A terawatt-hour, for one item and for all of a command: far beyond any slot, and its cost fits in 64 bits. */
const ENERGY_MAX = 10n ** 12n;

function isIdentifier(value: unknown): boolean {
  return isText(IDENTIFIER, value);
}

function isText(codec: typeof NAME, value: unknown): boolean {
  return typeof value === "string" && value !== "" && codec.decode(value, "").ok;
}

function isKey(value: unknown): boolean {
  return typeof value === "string" && isAcceptablePublicKey(value);
}

function isSlot(value: unknown): boolean {
  return typeof value === "string" && parseSlotId(value).ok;
}

function isEnergy(value: unknown): boolean {
  return typeof value === "bigint" && value >= 0n && value <= ENERGY_MAX;
}

/** A price or an amount of money. */
function isSigned(value: unknown): boolean {
  return typeof value === "bigint" && value >= -INTEGER_MAX && value <= INTEGER_MAX;
}

function isInstant(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= INSTANT_MAX;
}

function areAll<T>(items: readonly T[], max: number, isSound: (item: T) => boolean): boolean {
  return Array.isArray(items) && items.length <= max && items.every(isSound);
}

function areSome<T>(items: readonly T[], max: number, isSound: (item: T) => boolean): boolean {
  return areAll(items, max, isSound) && items.length > 0;
}

function isEnergyInAll(items: readonly { readonly energy: bigint }[]): boolean {
  return isEnergy(items.reduce((sum, { energy }) => sum + energy, 0n));
}

function isAmount(value: unknown): boolean {
  return isSigned(value) && (value as bigint) > 0n;
}

function isCap(value: bigint | null | undefined): boolean {
  return value === null || value === undefined || isEnergy(value);
}

function isMandate(mandate: NewMandate): boolean {
  const { mandateId, delegate, flows, strategies, energyPerSlotMax, energyPerDayMax, bidPriceMax, expiresMs } = mandate;
  return (
    isIdentifier(mandateId) &&
    isKey(delegate) &&
    areAll(flows, DELEGABLE_FLOWS.length, (flow) => DELEGABLE_FLOWS.includes(flow)) &&
    (strategies === undefined || areAll(strategies, STRATEGIES_MAX, (name) => isText(NAME, name))) &&
    isEnergy(energyPerSlotMax) &&
    (energyPerDayMax === undefined || isEnergy(energyPerDayMax)) &&
    (bidPriceMax === undefined || isSigned(bidPriceMax)) &&
    isInstant(expiresMs)
  );
}

function isServed(served: ServedBy): boolean {
  return isRecord(served) && isKey(served.by) && isRecord(served.mandate) && isMandate(served.mandate);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isNewMember(member: NewMember): boolean {
  if (!isRecord(member)) return false;
  const { name, key, roles, capacityPerSlot, holdingCapPerSlot, marketFee, storage, served } = member;
  return (
    isText(NAME, name) &&
    isKey(key) &&
    areAll(roles, ROLES.length, (role) => ROLES.includes(role)) &&
    isEnergy(capacityPerSlot) &&
    isCap(holdingCapPerSlot) &&
    isSigned(marketFee) &&
    (storage === undefined || isStorage(storage)) &&
    (served === undefined || isServed(served))
  );
}

function isStorage(storage: Storage): boolean {
  if (!isRecord(storage)) return false;
  const { capacity, powerPerSlot, efficiencyPerMille } = storage;
  return isEnergy(capacity) && isEnergy(powerPerSlot) && isWhole(efficiencyPerMille, 0, 1_000);
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/** What a supplier may say of its energy: nothing of who certified it. */
function areClaims(claims: Omit<Claims, "certifiedBy">): boolean {
  return isObject(claims) && !("certifiedBy" in claims) && isSaid(claims) && isGrams(claims.gramsCo2PerKwh);
}

function isRequirement(requirement: ClaimRequirement): boolean {
  return (
    isObject(requirement) &&
    isSaid(requirement) &&
    isGrams(requirement.gramsCo2PerKwhMax) &&
    isWhole(requirement.contradictedPerMilleMax, 0, 1_000)
  );
}

function isSaid({ source, renewable, origin }: Pick<Claims, "source" | "renewable" | "origin">): boolean {
  return (
    (source === null || ENERGY_SOURCES.includes(source)) &&
    typeof renewable === "boolean" &&
    (origin === null || isText(NAME, origin))
  );
}

function isGrams(value: number | null): boolean {
  return value === null || isWhole(value, 0, GRAMS_CO2_MAX);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isMetered({ member, produced, consumed }: Metered): boolean {
  return isKey(member) && isEnergy(produced) && isEnergy(consumed);
}

type Checks = { readonly [T in ClientCommandTag]: (command: ClientCommandOf<T>) => boolean };

const CHECKS: Checks = {
  "create-promises": ({ promises }) =>
    areSome(
      promises,
      ITEMS_MAX,
      ({ slot, energy, claims }) => isSlot(slot) && isEnergy(energy) && (claims === undefined || areClaims(claims)),
    ) && isEnergyInAll(promises),
  "place-orders": ({ marketplace, orders }) =>
    isKey(marketplace) &&
    areSome(
      orders,
      ITEMS_MAX,
      ({ side, slot, energy, limit, requires }) =>
        (side === "bid" || (side === "offer" && requires === undefined)) &&
        isSlot(slot) &&
        isEnergy(energy) &&
        isSigned(limit) &&
        (requires === undefined || isRequirement(requires)),
    ) &&
    isEnergyInAll(orders),
  "cancel-orders": ({ orderIds }) => areSome(orderIds, ITEMS_MAX, isIdentifier),
  "split-promise": ({ slot, energies, promiseId }) =>
    isSlot(slot) &&
    areSome(energies, ITEMS_MAX, isEnergy) &&
    isEnergyInAll(energies.map((energy) => ({ energy }))) &&
    (promiseId === undefined || isIdentifier(promiseId)),
  "merge-promises": ({ slot, supplier, promiseIds }) =>
    isSlot(slot) && isKey(supplier) && (promiseIds === undefined || areSome(promiseIds, ITEMS_MAX, isIdentifier)),
  substitute: ({ slot, energy }) => isSlot(slot) && isEnergy(energy),
  "create-auction": ({ marketplace, slot, energy, basePrice, deadlineMs }) =>
    isKey(marketplace) && isSlot(slot) && isEnergy(energy) && isSigned(basePrice) && isInstant(deadlineMs),
  bid: ({ auctionId, price, requires }) =>
    isIdentifier(auctionId) && isSigned(price) && (requires === undefined || isRequirement(requires)),
  "certify-claims": ({ agency, slots }) => isKey(agency) && areSome(slots, ITEMS_MAX, isSlot),
  "contradict-certificate": ({ agency, supplier, slot, evidence }) =>
    isKey(agency) && isKey(supplier) && isSlot(slot) && isHash(evidence),
  "close-certificates": ({ agency, slot }) => isKey(agency) && isSlot(slot),
  "end-auction": ({ auctionId }) => isIdentifier(auctionId),
  "settle-auction": ({ auctionId }) => isIdentifier(auctionId),
  "lapse-auction": ({ auctionId }) => isIdentifier(auctionId),
  "grant-mandate": isMandate,
  "revoke-mandate": ({ mandateId }) => isIdentifier(mandateId),
  "clear-pool": ({ slot, price, trades }) =>
    isSlot(slot) &&
    (price === null || isSigned(price)) &&
    areAll(
      trades,
      POOL_TRADES_MAX,
      (trade) =>
        isIdentifier(trade.bid) && isIdentifier(trade.offer) && isEnergy(trade.energy) && isSigned(trade.price),
    ),
  join: isNewMember,
  enrol: ({ members }) => areSome(members, ENROLLED_MAX, isNewMember),
  "move-member": ({ served }) => served === null || isServed(served),
  "vote-standing": ({ member, standing, expiresMs }) =>
    isKey(member) && (standing === null || STANDINGS.includes(standing)) && isInstant(expiresMs),
  "amend-parameters": ({ changes }) => areSoundChanges(changes),
  "redeem-funds": ({ amount, account }) => isAmount(amount) && (account === undefined || isText(NAME, account)),
  "confirm-payout": ({ owner, redemptionId, messageId, endToEndId }) =>
    isKey(owner) && isIdentifier(redemptionId) && isText(PAYMENT_ID, messageId) && isText(PAYMENT_ID, endToEndId),
  "amend-member": ({ member, holdingCapPerSlot, capacityPerSlot, storage }) =>
    isKey(member) &&
    isCap(holdingCapPerSlot) &&
    isCap(capacityPerSlot) &&
    (storage === undefined || storage === null || isStorage(storage)),
  "issue-funds": ({ to, amounts }) => isKey(to) && areSome(amounts, ITEMS_MAX, isAmount),
  "publish-tariff": ({ day, feedIn, retail }) =>
    parseLocalDay(day).ok && areAll(feedIn, SLOTS_PER_DAY_MAX, isSigned) && areAll(retail, SLOTS_PER_DAY_MAX, isSigned),
  "report-meters": ({ slot, readings }) => isSlot(slot) && areSome(readings, READINGS_MAX, isMetered),
  "record-meters": ({ slot, readings }) => isSlot(slot) && areAll(readings, READINGS_MAX, isMetered),
  "release-margin": ({ day }) => parseLocalDay(day).ok,
  "curtail-slot": ({ slot, cap }) => isSlot(slot) && isEnergy(cap),
  "check-delivery": ({ supplier, slot }) => isKey(supplier) && isSlot(slot),
  "settle-slot": ({ member, slot }) => isKey(member) && isSlot(slot),
  "correct-settlement": ({ member, slot }) => isKey(member) && isSlot(slot),
  "raise-dispute": ({ slot, evidence, ...measured }) => isSlot(slot) && isHash(evidence) && isMetered(measured),
  "vote-dispute": ({ disputeId, produced, consumed }) =>
    isIdentifier(disputeId) && isEnergy(produced) && isEnergy(consumed),
  "decide-dispute": ({ disputeId }) => isIdentifier(disputeId),
};

const isWhole = (value: unknown, min: number, max: number): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
const areKeys = (keys: readonly PublicKey[]): boolean => areSome(keys, PARTIES_MAX, isKey);

const CHANGES: { readonly [K in keyof AmendableParameters]: (value: AmendableParameters[K]) => boolean } = {
  notaries: areKeys,
  verifiers: areKeys,
  verifierQuorum: (value) => isWhole(value, 1, PARTIES_MAX),
  promiseMin: isEnergy,
  promiseMax: isEnergy,
  bidRiseMin: isSigned,
  priceMin: isSigned,
  priceMax: isSigned,
  settlementGraceMs: (value) => isWhole(value, 0, DAY_MS),
  meterOperators: (keys) => areAll(keys, PARTIES_MAX, isKey),
  meterQuorum: (value) => isWhole(value, 0, PARTIES_MAX),
  meterTolerance: isEnergy,
  observers: (grants) =>
    areAll(
      grants,
      PARTIES_MAX,
      ({ key, sees }) => isKey(key) && areAll(sees, STATE_KINDS.length, (tag) => STATE_KINDS.includes(tag)),
    ),
};

function areSoundChanges(changes: Partial<AmendableParameters>): boolean {
  if (typeof changes !== "object" || changes === null) return false;
  const entries = Object.entries(changes);
  return (
    entries.length > 0 &&
    entries.every(([name, value]) => {
      const isSound = Object.hasOwn(CHANGES, name) ? CHANGES[name as keyof typeof CHANGES] : undefined;
      return (isSound as ((value: unknown) => boolean) | undefined)?.(value) === true;
    })
  );
}

export function isSoundCommand(command: ClientCommand): boolean {
  const check = CHECKS[command.tag] as ((command: ClientCommand) => boolean) | undefined;
  return isText(COMMAND_ID, command.commandId) && check?.(command) === true;
}
