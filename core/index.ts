/** Units, slots, results, ports, canonical encoding and keys. Imports nothing of ours. */
export { CBOR_BYTES_MAX, type CborError, type CborValue, decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
export {
  boolean,
  bytes,
  type Codec,
  type Decoded,
  type DecodeError,
  dayCodec,
  energyCodec,
  hashCodec,
  instantMs,
  integer,
  listOf,
  moneyCodec,
  nullable,
  oneOf,
  priceCodec,
  publicKeyCodec,
  type StructOf,
  slotCodec,
  struct,
  text,
  type VariantOf,
  variant,
} from "./codec.ts";
export {
  type DelegatePath,
  type DerivedKey,
  deriveDelegateSigner,
  deriveKey,
  masterKey,
} from "./derived-keys.ts";
export { fromHex, type Hash, hashFromBytes, hashFromText, hashOf, parseHash, sha256, toHex } from "./hash.ts";
export { canonicalJson, toJson } from "./json.ts";
export {
  isAcceptablePublicKey,
  isSignatureValid,
  newSigner,
  type PublicKey,
  publicKey,
  type Signer,
  signerFromSeed,
} from "./keys.ts";
export { compareBigint, compareText, sortedEntries } from "./order.ts";
export type { Clock, Entropy, Prng, Timers, TimerTask } from "./ports.ts";
export { seededEntropy, seededPrng } from "./prng.ts";
export { err, InvariantError, invariant, ok, type Result, unwrap } from "./result.ts";
export {
  isSlotMinutes,
  parseSlotId,
  type Slot,
  type SlotId,
  type SlotMinutes,
  slotAt,
  slotId,
  slotOf,
  slotStartingAt,
  slotsOfLocalDay,
} from "./slots.ts";
export { type PricedTrade, paymentsOf, type TradePayments } from "./trade-money.ts";
export {
  addEnergy,
  addMoney,
  costCeil,
  costFloor,
  energyAbove,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  midpointFloor,
  minEnergy,
  NO_ENERGY,
  NO_MONEY,
  splitEvenly,
  splitInProportion,
  subtractEnergy,
  subtractMoney,
  sumEnergy,
  sumMoney,
  type WattHours,
  WH_PER_KWH,
  wattHours,
} from "./units.ts";
export {
  addLocalDays,
  daysBetween,
  type LocalDay,
  type LocalTime,
  localDay,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  localTimeAt,
  nextLocalDay,
  offsetMinutesAt,
  parseLocalDay,
  parseZone,
  type ZoneName,
  zone,
} from "./zones.ts";
