/** States, commands, transactions and the clauses that every party runs. Pure. */

export { isPayable, MICROS_PER_CENT, wholeCents } from "./cents.ts";
export { closedRecord, type DeliveredPart, newAgencyRecords } from "./certification.ts";
export { areClaimsAtLeast, claimsText, commonClaims, commonClaimsOf, meetsRequirement } from "./claims.ts";
export { bidCost, settlementPayments, settlementReceipts } from "./clauses/auction.ts";
export { positionChangesOf, wasNeverOpened, withOpenedDays, withSettled } from "./clauses/exposure.ts";
export { standingQuorum } from "./clauses/membership.ts";
export { correctableUntilMs } from "./clauses/meters.ts";
export {
  COVERS_MAX,
  type Command,
  type CommandOf,
  type CommandTag,
  type Cover,
  MONEY_GATES,
  PAYMENT_ID_LENGTH_MAX,
  POOL_TRADES_MAX,
  type PoolTrade,
} from "./commands.ts";
export { type Correction, correctionOutcome } from "./correction.ts";
export {
  type CurtailmentOutcome,
  curtailmentOutcome,
  depositAfterCut,
  isCuttable,
} from "./curtailment.ts";
export { type MarginUse, marginAfterSlot, marginNeeded } from "./margin.ts";
export {
  EXPORT_REFUSALS,
  type ExportContent,
  type ExportExpectation,
  type ExportedCommand,
  type ExportedState,
  type ExportedTransaction,
  type ExportRefusal,
  type MemberExport,
  readExport,
  writeExport,
} from "./member-export.ts";
export { type MeterAgreement, meterAgreement } from "./meter-agreement.ts";
export { newMandate } from "./new-mandate.ts";
export { decodeNotice, encodeNotice, type Notice } from "./notice.ts";
export { mergedPromise } from "./parts.ts";
export {
  CLEARED_PARTIES_MAX,
  orderLock,
  type PoolOutcome,
  type PoolPayments,
  type PoolRefusal,
  poolOutcome,
  poolPayments,
  promisesAfterTrades,
  ROUNDING_RESERVE,
  takeEnergy,
} from "./pool.ts";
export { decodeProof, encodeProof } from "./proof.ts";
export { Facts, type ResolvedState, type ResolvedTransaction } from "./resolved.ts";
export {
  type DeliveryOutcome,
  deliveryOutcome,
  injectedOf,
  type SettlementOutcome,
  settlementOfRights,
  settlementOutcome,
  withdrawnOf,
} from "./settlement.ts";
export {
  decodeSignedTransaction,
  encodeSignedTransaction,
  isBatchSignatureValid,
  isNotarySignatureValid,
  isTransactionSignatureValid,
  type NotarySignature,
  notaryBatchRoot,
  notarySignableBytes,
  type SignedTransaction,
  signableBytes,
  signBatch,
  signTransaction,
  type TransactionSignature,
  withSignatures,
} from "./signed.ts";
export {
  ACCOUNT_LENGTH_MAX,
  CORRECTION_MS_MAX,
  GRAMS_CO2_MAX,
  OPENED_DAYS_MAX,
  PARTIES_MAX,
  REVISIONS_MAX,
  SLOTS_PER_DAY_MAX,
  STRATEGIES_MAX,
  stateCodec,
} from "./state-codec.ts";
export {
  type AgencyRecord,
  AMENDABLE_PARAMETERS,
  type AmendableParameters,
  type Auction,
  type Bid,
  type Certificate,
  type ClaimRequirement,
  type Claims,
  type Contradiction,
  type Curtailment,
  DELEGABLE_FLOWS,
  type DelegableFlow,
  type DeliveryRecord,
  type Deposit,
  type Dispute,
  type DisputeVote,
  ENERGY_SOURCES,
  type EnergySource,
  type Exposure,
  type ExposureEntry,
  type ExposureIndex,
  type Funds,
  isPublicKind,
  type Mandate,
  type Margin,
  type Member,
  type MeterReading,
  type MeterReport,
  moneyIn,
  type NetworkParameters,
  type ObserverGrant,
  type PoolOrder,
  type PowerPromise,
  type PromiseLock,
  PUBLIC_TAGS,
  participantsOf,
  type Redemption,
  ROLES,
  type Role,
  type SlotSettlement,
  STANDINGS,
  STATE_KINDS,
  type Standing,
  type StandingVote,
  type State,
  type StateOf,
  type StateTag,
  type Storage,
  SUPPLIER_ROLES,
  type Tariff,
} from "./states.ts";
export { type Overdraw, storageOverdraw } from "./storage.ts";
export {
  type ChosenCovers,
  chooseCovers,
  isCoverable,
  isCoveredBy,
  isCovering,
  type SubstitutionOutcome,
  type SubstitutionRefusal,
  substitutionOutcome,
} from "./substitution.ts";
export {
  narrowTearOff,
  openComponents,
  openTearOff,
  type RevealedComponent,
  type Selection,
  type ShownComponents,
  type TearOff,
  tearOff,
  tearOffOf,
} from "./tear-off.ts";
export {
  buildTransaction,
  componentNonce,
  decodeTransaction,
  encodeTransaction,
  refKey,
  type StateRef,
  type TimeWindow,
  type Transaction,
  type TransactionRefusal,
  type WireTransaction,
} from "./transaction.ts";
export { clauseNames, contractViolations } from "./verify.ts";
export {
  decodeEnvelope,
  decodeReplyEnvelope,
  ENVELOPE_AGE_MS_MAX,
  ENVELOPE_BYTES_MAX,
  ENVELOPE_ID_BYTES,
  ENVELOPE_MESSAGES_MAX,
  ENVELOPE_REFUSALS,
  type Envelope,
  type EnvelopeExpectation,
  type EnvelopeRefusal,
  envelopeRefusal,
  isReplyTo,
  type Received,
  type ReplyEnvelope,
  type Sealed,
  sealEnvelope,
  sealReplyEnvelope,
} from "./wire/envelope.ts";
export type { MarketplaceFeed, PoolRound } from "./wire/marketplace-api.ts";
export {
  type ClientCommand,
  type ClientCommandOf,
  type ClientCommandTag,
  ENROLLED_MAX,
  type Metered,
  type NewMandate,
  type NewMember,
  type NodeEndpoint,
  type NodeEvent,
  type Proposal,
  type Receipt,
  type ServedBy,
  type StateAndRef,
} from "./wire/node-api.ts";
export {
  type Dependency,
  HEADS_MAX,
  type Head,
  type PeerReply,
  type PeerRequest,
  type Transport,
} from "./wire/peer.ts";
export {
  type AddressedRequest,
  decodeAddressedRequest,
  decodePeerReply,
  decodePeerRequest,
  encodeAddressedRequest,
  encodePeerReply,
  encodePeerRequest,
  PEER_MESSAGE_BYTES_MAX,
} from "./wire/peer-codec.ts";
export { LEDGER_REFUSALS, type LedgerRefusal, type LedgerRefusalCode } from "./wire/refusals.ts";
