/** Where things are at a node. */
import type { StateTag } from "#contracts";

/** Patterns, as the server routes them. Of these only health and the documents are open to everybody. */
export const API_PATHS = {
  health: "/health",
  docs: "/docs",
  openApi: "/openapi.json",
  commands: "/v1/commands",
  proposals: "/v1/proposals",
  proposal: "/v1/proposals/:proposalId",
  approval: "/v1/proposals/:proposalId/approval",
  states: "/v1/states/:tag",
  events: "/v1/events",
  transactions: "/v1/transactions",
  carried: "/v1/carried",
  export: "/v1/export",
  status: "/v1/status",
  poolRounds: "/v1/pool-rounds",
  poolRoundEvents: "/v1/pool-rounds/events",
} as const;

export function proposalPath(proposalId: string): string {
  return `${API_PATHS.proposals}/${encodeURIComponent(proposalId)}`;
}

export function approvalPath(proposalId: string): string {
  return `${proposalPath(proposalId)}/approval`;
}

export function statesPath(tag: StateTag): string {
  return `/v1/states/${tag}`;
}

export function transactionsPath(after: number, limit: number): string {
  return `${API_PATHS.transactions}?after=${after}&limit=${limit}`;
}
