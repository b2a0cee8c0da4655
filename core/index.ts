/** Units, slots, results, ports, canonical encoding and keys. Imports nothing of ours. */
export { type CborError, type CborValue, CBOR_BYTES_MAX, decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
export {
  boolean,
  bytes,
  type Codec,
  dayCodec,
  type Decoded,
  type DecodeError,
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
  slotCodec,
  struct,
  type StructOf,
  text,
  variant,
  type VariantOf,
} from "./codec.ts";
export { fromHex, type Hash, hashFromBytes, hashOf, parseHash, sha256, toHex } from "./hash.ts";
export { canonicalJson, toJson } from "./json.ts";
export {
  isAcceptablePublicKey,
  isSignatureValid,
  newSigner,
  type PublicKey,
  type Signer,
  signerFromSeed,
} from "./keys.ts";
export { compareBigint, compareText, sortedEntries } from "./order.ts";
export type { Clock, Entropy, Prng, Timers, TimerTask } from "./ports.ts";
export { seededEntropy, seededPrng } from "./prng.ts";
export { err, invariant, InvariantError, ok, type Result, unwrap } from "./result.ts";
export {
  isSlotMinutes,
  parseSlotId,
  type Slot,
  slotAt,
  type SlotId,
  type SlotMinutes,
  slotOf,
  slotsOfLocalDay,
  slotStartingAt,
} from "./slots.ts";
export { type PricedTrade, paymentsOf, type TradePayments } from "./trade-money.ts";
export {
  addEnergy,
  addMoney,
  costCeil,
  costFloor,
  energyAbove,
  type Micros,
  micros,
  type MicrosPerKwh,
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
  WH_PER_KWH,
  type WattHours,
  wattHours,
} from "./units.ts";
export {
  addLocalDays,
  daysBetween,
  type LocalDay,
  localDay,
  localDayAt,
  localInstantMs,
  localMidnightMs,
  type LocalTime,
  localTimeAt,
  nextLocalDay,
  offsetMinutesAt,
  parseLocalDay,
  parseZone,
  zone,
  type ZoneName,
} from "./zones.ts";
