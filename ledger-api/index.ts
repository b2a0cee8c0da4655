/** Shapes of the HTTP interface of a node, which nodes and clients share. */
export type { After } from "./after.ts";
export { clientCommandSchema, ledgerCommandSchema } from "./commands.ts";
export { decodeJson, decodeValue, encodeJson, encodeValue, requestIssuesOf } from "./issues.ts";
export {
  type Approval,
  approvalSchema,
  type CarryRequest,
  carryRequestSchema,
  type Empty,
  type ExportAnswer,
  emptySchema,
  eventStreamSchema,
  exportAnswerSchema,
  type Health,
  healthSchema,
  type LedgerRefused,
  type ListeningQuery,
  ledgerRefusalSchema,
  ledgerRefusedSchema,
  listeningQuerySchema,
  type NodeStatus,
  nodeEventSchema,
  nodeStatusSchema,
  type PoolRoundList,
  type ProposalParameters,
  type ProposalRequest,
  poolRoundListSchema,
  poolRoundSchema,
  proposalParametersSchema,
  proposalRequestSchema,
  proposalSchema,
  proposedSchema,
  receiptSchema,
  type ShownTransaction,
  type StateList,
  type StateParameters,
  stateListSchema,
  stateParametersSchema,
  TRANSACTIONS_PER_PAGE_MAX,
  type TransactionPage,
  type TransactionQuery,
  transactionPageSchema,
  transactionQuerySchema,
} from "./messages.ts";
export { API_PATHS, approvalPath, proposalPath, statesPath, transactionsPath } from "./paths.ts";
export { recordSchema } from "./records.ts";
export {
  API_REFUSALS,
  API_STATUS,
  type ApiRefusal,
  type ApiRefusalCode,
  apiRefusalSchema,
  ISSUES_MAX,
  LEDGER_REFUSED_STATUS,
  type RequestIssue,
} from "./refusals.ts";
export { type Schema, wholeSchema } from "./scalars.ts";
export {
  isStampValid,
  NONCE_BYTES,
  networkLabel,
  parseStamp,
  REQUEST_AGE_MS_MAX,
  REQUEST_SCHEME,
  type RequestStamp,
  type SignedRequest,
  signRequest,
} from "./signing.ts";
export {
  formatSse,
  POOL_ROUND_EVENT,
  READY_EVENT,
  SSE_CONTENT_TYPE,
  SSE_HEARTBEAT,
  SSE_HEARTBEAT_MS,
  type SseMessage,
  SseReader,
  TRANSACTION_EVENT,
} from "./sse.ts";
export { refSchema, stateAndRefSchema, stateSchema, stateTagSchema } from "./states.ts";
