/**
 * When a node signs what another proposes. A transaction that holds all clauses is not one that must be signed: each party
 * signs only the flows in which its part is known, and its operator may refuse more. What a party begins itself, such as the
 * grid authority the joining of a member, it never signs for others.
 */
import type { LedgerRefusalCode, Member, NetworkParameters, ResolvedTransaction, StateOf, StateTag } from "#contracts";
import { err, ok, type PublicKey, type Result } from "#core";
import { principalsServed } from "./served-principals.ts";

/** An operator's own rules, such as a marketplace's admission of orders. Refuses with a code. */
export type SigningPolicy = (resolved: ResolvedTransaction) => LedgerRefusalCode | undefined;

export type Countersigner = {
  readonly party: PublicKey;
  readonly parameters: NetworkParameters;
  /** The party's own membership; undefined while it is a newcomer. */
  readonly member: Member | undefined;
};

/** Whether the party has a part in the proposal that it signs for. */
export function mayCountersign(
  countersigner: Countersigner,
  resolved: ResolvedTransaction,
): Result<null, LedgerRefusalCode> {
  return hasPart(countersigner, resolved) ? ok(null) : err("role_not_allowed");
}

function hasPart({ party, parameters, member }: Countersigner, resolved: ResolvedTransaction): boolean {
  const { content, inputs } = resolved;
  // An aggregator answers for what the delegates of its members sign.
  if (principalsServed(resolved, party).length > 0) return true;
  const { command, outputs } = content;
  const isGridAuthority = party === parameters.gridAuthority;
  const isPowerCompany = party === parameters.powerCompany;
  const isVerifier = parameters.verifiers.includes(party);
  const isMarketplace = member?.roles.includes("marketplace") ?? false;
  const isFrom = (atMs: number): boolean => content.window.fromMs !== null && content.window.fromMs >= atMs;
  const consumed = <T extends StateTag>(tag: T): readonly StateOf<T>[] =>
    inputs.flatMap(({ state }) => (state.tag === tag ? [state as StateOf<T>] : []));
  switch (command.tag) {
    case "redeem-funds":
      return party === parameters.paymentProvider;
    case "join":
      return member === undefined && outputs.some((state) => state.tag === "member" && state.key === party);
    case "certify-claims":
      return command.agency === party;
    case "create-promises":
    case "substitute":
      return isGridAuthority || isVerifier;
    case "create-auction":
    case "bid":
    case "clear-pool":
      return isVerifier;
    case "place-orders":
      return isMarketplace || isVerifier;
    case "cancel-orders":
      return isMarketplace;
    case "settle-auction":
      return (
        isGridAuthority ||
        isVerifier ||
        consumed("auction").some(
          ({ seller, marketplace, deadlineMs }) =>
            seller === party || (marketplace === party && isFrom(deadlineMs + parameters.settlementGraceMs)),
        )
      );
    case "check-delivery":
      return isPowerCompany || command.supplier === party;
    case "settle-slot":
    case "correct-settlement":
      return isPowerCompany || command.member === party;
    default:
      return false;
  }
}
