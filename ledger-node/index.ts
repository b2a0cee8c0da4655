/** Nodes, notary, flows and stores. */

export {
  type AuditRefusal,
  type AuditReport,
  type AuditResult,
  type AuditViolation,
  auditFolder,
  COMMIT_LOG_FILE,
} from "./audit.ts";
export { type InfrastructureName, LocalNetwork, type LocalNetworkOptions, type NetworkRules } from "./local-network.ts";
export type { LedgerNode, NodeOptions } from "./node.ts";
export { LEDGER_PRIORITY, scheduleFlows } from "./scheduled-flows.ts";
export type { SignatureCounters } from "./signature-check.ts";
export type { SigningPolicy } from "./signing-policy.ts";
export { type SettlementProblem, type SlotReading, settleWholeSlot } from "./slot-settlement.ts";
export type { CommitLog } from "./stores/commit-log.ts";
export { createMemoryCommitLog } from "./stores/memory-commit-log.ts";
export { type NodeStore, openSqliteNodeStore } from "./stores/node-store.ts";
export type { Durability } from "./stores/sqlite.ts";
export { openSqliteCommitLog } from "./stores/sqlite-commit-log.ts";
