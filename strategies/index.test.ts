import { describe, expect, test } from "vitest";
import { builtInStrategies, findStrategy } from "./index.ts";

const NAMES = [
  "double-promiser",
  "load-follower",
  "newsvendor-prosumer",
  "null-strategy",
  "producer",
  "speculator",
  "storage-arbitrage",
];

describe("builtInStrategies", () => {
  test("are found by their own names, each with a sentence about it", () => {
    expect([...builtInStrategies.keys()]).toEqual(NAMES);
    for (const [name, strategy] of builtInStrategies) {
      expect(strategy.name).toBe(name);
      expect(strategy.description).toMatch(/^[A-Z].*\.$/);
      expect(findStrategy(name)).toEqual({ ok: true, value: strategy });
    }
  });
});

describe("findStrategy", () => {
  test.each([
    ["speculater", "speculator"],
    ["newsvendor", "newsvendor-prosumer"],
    ["null", "null-strategy"],
    ["Load-Follower", "load-follower"],
    ["storage_arbitrage", "storage-arbitrage"],
  ])("for %s it names %s", (name, nearest) => {
    const found = findStrategy(name);
    if (found.ok) throw new Error(`${name} is no strategy`);
    expect(found.error.code).toBe("strategy_unknown");
    expect(found.error.nearest[0]).toBe(nearest);
    expect(found.error.nearest.length).toBe(3);
    expect(found.error.mend).toContain(nearest);
  });

  test("an empty name is unknown too", () => {
    expect(findStrategy("").ok).toBe(false);
  });
});
