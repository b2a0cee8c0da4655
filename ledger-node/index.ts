/** Nodes, notary, flows and stores. */

export {
  AggregatorHost,
  consentOf,
  enrolmentOf,
  type HostOptions,
  type HostTerms,
  type MemberToServe,
  type Newcomer,
  type ServedByLedger,
  serveByLedger,
} from "./aggregator/index.ts";
export { type AggregatorRules, aggregatorPolicy } from "./aggregator-policy.ts";
export { type AuditRefusal, type AuditResult, auditFolder, auditSources } from "./audit.ts";
export type { AuditReport, AuditViolation } from "./audit-replay.ts";
export {
  type AuditedEntry,
  type AuditSources,
  COMMIT_LOG_FILE,
  type CommitLogSource,
  type StoreSource,
  storesIn,
  wholeTransactionsIn,
} from "./audit-sources.ts";
export { type ClosingProblem, closeSlotCertificates } from "./certificate-closing.ts";
export { certificationPolicy, type RegisteredPlant } from "./certification-policy.ts";
export type { Draft, FlowContext } from "./flow-context.ts";
export { draftFor } from "./flows/index.ts";
export { type FoundingMember, type GenesisPlan, genesisStates, type NetworkRules, signGenesis } from "./genesis.ts";
export { type HistoryRefusal, type HistoryStep, historyIn, historyOf } from "./history.ts";
export { createHttpApp, type HttpAppOptions } from "./http/app.ts";
export { EventHistory, type EventHistoryOptions } from "./http/event-history.ts";
export type { LiveSource } from "./http/live-source.ts";
export { MemberLedgers, type MemberLedgersOptions } from "./http/member-ledgers.ts";
export type { NonceStore } from "./http/nonces.ts";
export type { ServedLedger, ServedMember } from "./http/served-ledger.ts";
export { type ClientServerOptions, serveClients } from "./http/server.ts";
export {
  INFRASTRUCTURE_NAMES,
  type InfrastructureName,
  LocalNetwork,
  type LocalNetworkOptions,
} from "./local-network.ts";
export { type Imported, importMember } from "./member-export.ts";
export { LedgerNode, type NodeOptions } from "./node.ts";
export { Notary, type NotaryOptions, type NotaryStanding, type NotaryStart } from "./notary.ts";
export type { RecoveryReport } from "./notary-recovery.ts";
export { type WitnessRule, witnessRuleOf } from "./notary-witnesses.ts";
export { HttpTransport, type HttpTransportOptions, type PeerState, type PeerTiming } from "./peer/http-transport.ts";
export { newPeerCounters, type PeerCounters, type PeerDirectory } from "./peer/peer-directory.ts";
export { mutualTlsServerOptions, type PeerTls } from "./peer/peer-post.ts";
export type { PeerHandler, PeerReceiverOptions, ServedParty } from "./peer/peer-receiver.ts";
export { type PeerTimers, systemTimers } from "./peer/peer-timers.ts";
export { PEER_PATH, servePeers } from "./peer/serve-peers.ts";
export { concernsNode } from "./relevance.ts";
export { LEDGER_PRIORITY, scheduleFlows, scheduleHostFlows } from "./scheduled-flows.ts";
export { SignatureCheck, type SignatureCounters } from "./signature-check.ts";
export type { SigningPolicy } from "./signing-policy.ts";
export { type SettlementProblem, type SlotReading, settleWholeSlot } from "./slot-settlement.ts";
export {
  commandOf,
  isReadByOperators,
  quorumSufficesFromMs,
  recordFromReports,
  type SlotStep,
  settlementsDue,
} from "./slot-steps.ts";
export {
  type Period,
  type Statement,
  type StatementPart,
  statementOf,
  type UsedSource,
  unexplainedOf,
} from "./statement.ts";
export type { CommitLog, CommitRequest, CommittedTransaction, CommitVerdict } from "./stores/commit-log.ts";
export { createMemoryCommitLog } from "./stores/memory-commit-log.ts";
export { type NodeStore, openSqliteNodeStore, StoreFull } from "./stores/node-store.ts";
export type { Durability } from "./stores/sqlite.ts";
export { openSqliteCommitLog } from "./stores/sqlite-commit-log.ts";
export { type HostStore, openSqliteHostStore } from "./stores/sqlite-host-store.ts";
export { memberNames, promiseIdsIn, type Trace, type TraceRow, traceOf } from "./trace.ts";
export { Vault } from "./vault.ts";
