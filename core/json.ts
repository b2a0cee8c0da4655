/** JSON at the edges: bigints travel as decimal strings, keys in sorted order where a hash depends on them. */
import { compareText } from "./order.ts";

/** JSON text in which every bigint is a decimal string. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, bigintAsText, indent);
}

/** JSON text with the keys of every object sorted: equal values give equal text, so it may be hashed. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => sortedKeys(bigintAsText(key, inner)));
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function sortedKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => compareText(left, right)));
}
