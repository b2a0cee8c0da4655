/** For whom an aggregator is to sign: members that it serves, where a delegate signs for them. */
import type { ResolvedTransaction, StateOf, StateTag } from "#contracts";
import type { PublicKey } from "#core";

/** A member for which a delegate signs, and the strategies that its mandate names. */
export type Served = { readonly member: PublicKey; readonly strategies: readonly string[] };

/** The members of an aggregator for which delegates sign a transaction, under mandates that it cites. */
export function principalsServed({ content, references }: ResolvedTransaction, host: PublicKey): readonly Served[] {
  const cited = <T extends StateTag>(tag: T): readonly StateOf<T>[] =>
    references.flatMap(({ state }) => (state.tag === tag ? [state as StateOf<T>] : []));
  const served = new Set(cited("member").flatMap(({ key, servedBy }) => (servedBy === host ? [key] : [])));
  return cited("mandate").flatMap(({ principal, delegate, strategies }) =>
    served.has(principal) && content.signers.includes(delegate) ? [{ member: principal, strategies }] : [],
  );
}
