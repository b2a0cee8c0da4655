/** Nodes, notary, flows and stores. */

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
export { type FoundingMember, type GenesisPlan, genesisStates, type NetworkRules, signGenesis } from "./genesis.ts";
export { createHttpApp, type HttpAppOptions } from "./http/app.ts";
export { EventHistory, type EventHistoryOptions } from "./http/event-history.ts";
export type { LiveSource } from "./http/live-source.ts";
export type { NonceStore } from "./http/nonces.ts";
export type { ServedLedger } from "./http/served-ledger.ts";
export { type ClientServerOptions, serveClients } from "./http/server.ts";
export { type InfrastructureName, LocalNetwork, type LocalNetworkOptions } from "./local-network.ts";
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
export { LEDGER_PRIORITY, scheduleFlows } from "./scheduled-flows.ts";
export type { SignatureCounters } from "./signature-check.ts";
export type { SigningPolicy } from "./signing-policy.ts";
export { type SettlementProblem, type SlotReading, settleWholeSlot } from "./slot-settlement.ts";
export type { CommitLog, CommitRequest, CommittedTransaction, CommitVerdict } from "./stores/commit-log.ts";
export { createMemoryCommitLog } from "./stores/memory-commit-log.ts";
export { type NodeStore, openSqliteNodeStore, StoreFull } from "./stores/node-store.ts";
export type { Durability } from "./stores/sqlite.ts";
export { openSqliteCommitLog } from "./stores/sqlite-commit-log.ts";
