/**
 * When a node signs what another proposes. A transaction that holds all clauses is not one that must be signed: each party
 * signs only the flows in which its part is known, and its operator may refuse more.
 */

import type { CommandTag, LedgerRefusalCode, NetworkParameters, ResolvedTransaction } from "#contracts";
import { err, ok, type PublicKey, type Result } from "#core";

/** An operator's own rules, such as a marketplace's admission of orders. Refuses with a code. */
export type SigningPolicy = (resolved: ResolvedTransaction) => LedgerRefusalCode | undefined;

const AS_GRID_AUTHORITY: readonly CommandTag[] = ["create-promises", "settle-auction"];
const AS_POWER_COMPANY: readonly CommandTag[] = ["check-delivery", "settle-slot"];
const AS_VERIFIER: readonly CommandTag[] = [
  "create-promises",
  "create-auction",
  "bid",
  "settle-auction",
  "place-orders",
  "clear-pool",
];
const AS_MARKETPLACE: readonly CommandTag[] = ["place-orders", "cancel-orders"];
/** Flows that others begin and a member takes part in: joining, selling at its own auction, delivery and settlement. */
const AS_MEMBER: readonly CommandTag[] = ["join", "settle-auction", "check-delivery", "settle-slot"];

/** Whether `party` has a part in the proposal that it signs for. */
export function mayCountersign(
  party: PublicKey,
  parameters: NetworkParameters,
  resolved: ResolvedTransaction,
  isMarketplace: boolean,
): Result<null, LedgerRefusalCode> {
  const { tag } = resolved.content.command;
  const isAllowed =
    (party === parameters.gridAuthority && AS_GRID_AUTHORITY.includes(tag)) ||
    (party === parameters.powerCompany && AS_POWER_COMPANY.includes(tag)) ||
    (parameters.verifiers.includes(party) && AS_VERIFIER.includes(tag)) ||
    (isMarketplace && AS_MARKETPLACE.includes(tag)) ||
    AS_MEMBER.includes(tag);
  return isAllowed ? ok(null) : err("role_not_allowed");
}
