/** States, commands, transactions and the clauses that every party runs. Pure. */
export { bidCost, settlementPayments } from "./clauses/auction.ts";
export { positionChangesOf, wasNeverOpened, withOpenedDays } from "./clauses/exposure.ts";
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
export { OPENED_DAYS_MAX, stateCodec } from "./state-codec.ts";
export {
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
  type PoolOrder,
  type PowerPromise,
  type PromiseLock,
  participantsOf,
  ROLES,
  type Role,
  type SlotSettlement,
  type Standing,
  type State,
  type StateOf,
  type StateTag,
  SUPPLIER_ROLES,
  type Tariff,
} from "./states.ts";
export {
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
export type { Dependency, PeerReply, PeerRequest, Transport } from "./wire/peer.ts";
export { LEDGER_REFUSALS, type LedgerRefusal, type LedgerRefusalCode } from "./wire/refusals.ts";
