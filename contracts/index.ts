/** States, commands, transactions and the clauses that every party runs. Pure. */
export { bidCost, settlementPayments, settlementReceipts } from "./clauses/auction.ts";
export { positionChangesOf, wasNeverOpened, withOpenedDays } from "./clauses/exposure.ts";
export { standingQuorum } from "./clauses/membership.ts";
export { type Command, type CommandOf, type CommandTag, POOL_TRADES_MAX, type PoolTrade } from "./commands.ts";
export { decodeNotice, encodeNotice, type Notice } from "./notice.ts";
export {
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
export { Facts, type ResolvedState, type ResolvedTransaction } from "./resolved.ts";
export {
  type DeliveryOutcome,
  deliveryOutcome,
  injectedOf,
  type SettlementOutcome,
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
export { OPENED_DAYS_MAX, PARTIES_MAX, stateCodec } from "./state-codec.ts";
export {
  AMENDABLE_PARAMETERS,
  type AmendableParameters,
  type Auction,
  type Bid,
  DELEGABLE_FLOWS,
  type DelegableFlow,
  type DeliveryRecord,
  type Deposit,
  type Exposure,
  type ExposureEntry,
  type ExposureIndex,
  type Funds,
  type Mandate,
  type Member,
  type MeterReading,
  moneyIn,
  type NetworkParameters,
  type ObserverGrant,
  type PoolOrder,
  type PowerPromise,
  type PromiseLock,
  participantsOf,
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
  SUPPLIER_ROLES,
  type Tariff,
} from "./states.ts";
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
export type {
  ClientCommand,
  ClientCommandOf,
  ClientCommandTag,
  NodeEndpoint,
  NodeEvent,
  Proposal,
  Receipt,
  StateAndRef,
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
  decodePeerReply,
  decodePeerRequest,
  encodePeerReply,
  encodePeerRequest,
  PEER_MESSAGE_BYTES_MAX,
} from "./wire/peer-codec.ts";
export { LEDGER_REFUSALS, type LedgerRefusal, type LedgerRefusalCode } from "./wire/refusals.ts";
