/** What promises that are merged come to. The flow builds from it and the clauses check against it. */
import { sumEnergy } from "#core";
import { commonClaimsOf } from "./claims.ts";
import type { PowerPromise } from "./states.ts";

/**
 * One promise in the place of several of one supplier, owner and slot. It says what is said of all of them and no more. Parts of
 * one lineage keep it; else the whole has a lineage of its own.
 *
 * @param newId - The lineage of a mixture.
 * @returns undefined without parts.
 */
export function mergedPromise(parts: readonly PowerPromise[], newId: string): PowerPromise | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  return {
    ...first,
    promiseId: lineageOf(parts) ?? newId,
    energy: sumEnergy(parts.map(({ energy }) => energy)),
    claims: commonClaimsOf(parts.map(({ claims }) => claims)),
  };
}

/** The lineage that all parts have; undefined where they have several. */
export function lineageOf(parts: readonly Pick<PowerPromise, "promiseId">[]): string | undefined {
  const ids = new Set(parts.map(({ promiseId }) => promiseId));
  return ids.size === 1 ? parts[0]?.promiseId : undefined;
}
