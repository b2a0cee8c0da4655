import { beforeAll, describe, expect, test } from "vitest";
import { handMadeCommunity, type InMemoryRun, runInMemory } from "#testkit";

const GREEN = { requires: { renewable: true }, greenPremiumMicrosPerKwh: 30_000 };
const community = handMadeCommunity({
  members: [
    { name: "park", roles: ["producer"], strategy: "producer", productionWh: 1_500, capacityWh: 2_000 },
    { name: "green flat", roles: ["consumer"], strategy: "load-follower", strategyConfig: GREEN, loadWh: 700 },
    { name: "flat", roles: ["consumer"], strategy: "load-follower", loadWh: 500 },
  ],
  feedIn: 60_000,
  retail: 300_000,
  historyDays: 8,
});
const SERVICES = { aggregator: "hub", agency: "inspector", meterOperators: ["east", "west"] } as const;

describe("a community that hires everybody", () => {
  let served: InMemoryRun;
  let alone: InMemoryRun;

  beforeAll(async () => {
    served = await runInMemory({ community, ...SERVICES, seed: 2 });
    alone = await runInMemory({ community, agency: SERVICES.agency, seed: 2 });
  });

  test("has its homes served, and nobody else", () => {
    const names = served.participants.filter(({ isServed }) => isServed).map(({ member }) => member.name);
    expect(names).toEqual(["green flat", "flat"]);
    expect(alone.participants.some(({ isServed }) => isServed)).toBe(false);
  });

  test("reads each member's meter from three sources, of which now and then one is silent or wrong", () => {
    const { meters } = served.services.report();
    expect(meters.readings).toBe(3n * 24n);
    expect(meters.reports).toBeGreaterThan(200n);
    expect(meters.reports).toBeLessThan(3n * 3n * 24n);
    expect(meters.disagreements).toBeGreaterThan(0n);
    expect(served.problems).toEqual([]);
  });

  test("certifies what the park promises before it is sold", () => {
    const { claims } = served.services.report();
    expect(claims.certifiedWh).toBeGreaterThan(0n);
    expect(claims.certifiedSoldWh).toBeGreaterThan(0n);
    expect(claims.contradictedWh).toBe(0n);
  });

  test("makes a statement of each member's month whose parts are all that it used", () => {
    const names = new Map(served.participants.map(({ member, node }) => [node.party, member.name]));
    const statements = served.services.statements(names, community.timeZone);
    const flat = statements.find(({ member }) => member === "green flat")?.statement;
    expect(flat?.consumedWh).toBe(700n * 24n);
    const bought = (flat?.sources ?? []).reduce((sum, { energyWh }) => sum + energyWh, 0n);
    expect((flat?.ownWh ?? 0n) + bought + (flat?.lastResortWh ?? 0n)).toBe(flat?.consumedWh);
    expect(flat?.sources.every(({ claims }) => claims?.certifiedBy != null)).toBe(true);
  });

  test("settles to the micro as with a node for each and one meter", () => {
    expect(served.csv).toBe(alone.csv);
    expect(served.money.heldMicros).toBe(served.money.issuedMicros);
  });
});
