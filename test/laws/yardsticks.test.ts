/** The two yardstick strategies earn exactly what can be worked by hand: doing nothing, and breaking promises. */

import { describe, expect, test } from "vitest";
import { type Micros, microsPerKwh } from "#core";
import { generateCommunity } from "#data";
import { handMadeCommunity, runInMemory } from "#testkit";
import { expectSound } from "./sound-run.ts";

describe("a community that does nothing", () => {
  const pair = handMadeCommunity({
    members: [
      {
        name: "roof",
        roles: ["prosumer", "storage-provider"],
        productionWh: (_slot, index) => (index * 977) % 4_001,
        loadWh: (_slot, index) => (index * 541) % 1_999,
        capacityWh: 7_000,
        battery: { capacityWh: 5_000, powerW: 2_500, roundTripEfficiency: 0.87 },
      },
      { name: "flat", roles: ["consumer"], loadWh: (_slot, index) => (index * 313) % 1_709 },
    ],
    feedIn: (_slot, index) => 60_001 + index,
    retail: (_slot, index) => 210_007 + index,
  });
  const nobody = (names: readonly string[]): Record<string, { strategy: string }> =>
    Object.fromEntries(names.map((name) => [name, { strategy: "null-strategy" }]));

  test.each([
    ["made by hand, with a battery", () => pair],
    ["generated, with batteries", () => generateCommunity({ seed: 5, days: 6, homes: 2, parks: 1 })],
  ])("%s, earns exactly the baseline in every slot", async (_what, make) => {
    const community = make();
    const run = await runInMemory({ community, strategies: nobody(community.members.map(({ name }) => name)) });
    const verdict = expectSound(run, community);
    expect(verdict.exactRows).toBe(run.slots.length * community.members.length);
    expect(run.decisions).toEqual([]);
    const members = new Set(community.members.map(({ name }) => name));
    let earned = 0n;
    for (const row of run.rows) {
      if (!members.has(row.member)) continue;
      expect(row.netMicros, `${row.slot} ${row.member}`).toBe(row.baselineMicros);
      earned += row.netMicros < 0n ? -row.netMicros : row.netMicros;
    }
    expect(earned).toBeGreaterThan(0n);
    const batteries = community.members.filter(({ battery }) => battery !== undefined);
    expect(batteries.length).toBeGreaterThan(0);
  });
});

describe("a producer that promises twice what it makes", () => {
  /*
   * It makes 777 Wh in every slot and promises 1,554; nobody buys. In each slot, in micros:
   *   delivered 777 Wh, shortfall 777 Wh
   *   deposit lost    777 Wh × 812,345 /kWh = 631,192.065   rounded up    631,193
   *   grid fee        777 Wh ×   5,001 /kWh =   3,885.777   rounded down    3,885
   *   feed-in         777 Wh ×  61,234 /kWh =  47,578.818   rounded down   47,578
   *   net  47,578 − 631,193 − 3,885 = −587,500       baseline  47,578
   * Of the lost deposit the grid authority keeps its fee on the shortfall, ⌊3,885.777⌋ = 3,885:
   *   power company  631,193 − 3,885 − 47,578 = 579,730      grid authority  3,885 + 3,885 = 7,770
   */
  const community = handMadeCommunity({
    members: [
      { name: "braggart", roles: ["producer"], strategy: "double-promiser", productionWh: 777, capacityWh: 2_000 },
    ],
    feedIn: 61_234,
    retail: 300_000,
    historyDays: 8,
  });
  const rules = { emergencyPrice: microsPerKwh(812_345), gridFee: microsPerKwh(5_001) };

  test("loses exactly the penalty and the fee, in every slot", async () => {
    const run = await runInMemory({ community, rules });
    expectSound(run, community);
    const rows = run.rows.filter(({ member }) => member === "braggart");
    expect(rows).toHaveLength(24);
    for (const row of rows) {
      expect(row).toMatchObject({
        producedWh: 777n,
        promisedWh: 1_554n,
        deliveredWh: 777n,
        shortfallWh: 777n,
        boughtWh: 0n,
        soldWh: 0n,
        tradeMicros: 0n,
        feesMicros: -3_885n,
        depositLostMicros: -631_193n,
        feedInMicros: 47_578n,
        retailMicros: 0n,
        netMicros: -587_500n,
        baselineMicros: 47_578n,
      });
      expect(row.netMicros - row.baselineMicros).toBe(-(631_193n + 3_885n));
    }
    const netOf = (name: string): Micros[] =>
      run.rows.filter(({ member }) => member === name).map(({ netMicros }) => netMicros);
    expect(new Set(netOf("power-company"))).toEqual(new Set([579_730n]));
    expect(new Set(netOf("grid-authority"))).toEqual(new Set([7_770n]));
  });

  test("whose capacity is what it makes can't promise more, and loses the fee alone", async () => {
    const honest = handMadeCommunity({
      members: [
        { name: "braggart", roles: ["producer"], strategy: "double-promiser", productionWh: 777, capacityWh: 777 },
      ],
      feedIn: 61_234,
      retail: 300_000,
      historyDays: 8,
    });
    const run = await runInMemory({ community: honest, rules });
    expectSound(run, honest);
    for (const row of run.rows.filter(({ member }) => member === "braggart"))
      expect(row).toMatchObject({ promisedWh: 777n, shortfallWh: 0n, netMicros: 47_578n - 3_885n });
  });
});
