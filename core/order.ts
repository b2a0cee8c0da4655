/** Total orders that do not depend on locale or insertion. */

/** Compares by UTF-16 code units: the same on every machine. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

export function compareBigint(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The entries of a map in the order of their keys: whatever decides something iterates over these. */
export function sortedEntries<K extends string, V>(map: ReadonlyMap<K, V>): readonly (readonly [K, V])[] {
  return [...map.entries()].sort(([left], [right]) => compareText(left, right));
}
