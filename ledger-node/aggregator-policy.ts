/**
 * What an aggregator checks before it signs beside a member's delegate, of what the ledger can't see: which strategy its platform
 * runs for the member, whether the member or the aggregator has halted trading, and how often the delegate acts. Scope, limits
 * and end of the mandate are clauses, which every party checks.
 */
import type { LedgerRefusalCode } from "#contracts";
import type { PublicKey } from "#core";
import { principalsServed } from "./served-principals.ts";
import type { SigningPolicy } from "./signing-policy.ts";

export type AggregatorRules = {
  readonly key: PublicKey;
  readonly nowMs: () => number;
  /** The strategy that the platform runs for a member; undefined for none. */
  readonly strategyOf: (member: PublicKey) => string | undefined;
  readonly isHalted: (member: PublicKey) => boolean;
  /** How many transactions of one member it signs in an hour. */
  readonly signedPerHourMax: number;
};

/** Flows that end or settle what stands: a halted member's too are carried out. */
const WINDING_DOWN: readonly string[] = ["cancel-orders", "settle-auction", "check-delivery", "settle-slot"];
const HOUR_MS = 3_600_000;

export function aggregatorPolicy(rules: AggregatorRules): SigningPolicy {
  const signed = new Map<PublicKey, readonly number[]>();
  const countLastHour = (member: PublicKey): number => {
    const recent = (signed.get(member) ?? []).filter((atMs) => atMs > rules.nowMs() - HOUR_MS);
    signed.set(member, recent);
    return recent.length;
  };
  return (resolved) => {
    const principals = principalsServed(resolved, rules.key);
    const isWindingDown = WINDING_DOWN.includes(resolved.content.command.tag);
    for (const { member, strategies } of isWindingDown ? [] : principals) {
      const refusal = refusalFor(rules, member, strategies, countLastHour(member));
      if (refusal !== undefined) return refusal;
    }
    for (const { member } of isWindingDown ? [] : principals)
      signed.set(member, [...(signed.get(member) ?? []), rules.nowMs()]);
    return undefined;
  };
}

function refusalFor(
  { strategyOf, isHalted, signedPerHourMax }: AggregatorRules,
  member: PublicKey,
  strategies: readonly string[],
  count: number,
): LedgerRefusalCode | undefined {
  if (isHalted(member)) return "trading_halted";
  const strategy = strategyOf(member);
  if (strategies.length > 0 && (strategy === undefined || !strategies.includes(strategy)))
    return "strategy_not_in_mandate";
  return count >= signedPerHourMax ? "rate_limited" : undefined;
}
