/** Meters and batteries: no energy from nothing, limits kept, and missing readings stood in for by known ones. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { injectedOf, storageOverdraw } from "#contracts";
import { type Slot, slotAt, wattHours } from "#core";
import type { BatterySpec, CommunityMember, DataStore } from "#data";
import { MemberPlant } from "./physics.ts";

const HOUR = 3_600_000;
const slotNumber = (index: number): Slot => slotAt(index * HOUR, 60);
const SPEC: BatterySpec = { capacityWh: 6_000, powerW: 3_000, roundTripEfficiency: 0.81 };

/** A plant whose readings are given by hour from 1970 on; NaN is a missing one. */
function plantOf(production: readonly number[], load: readonly number[], battery?: BatterySpec): MemberPlant {
  const series = (name: string, kind: "pv" | "load", energyWh: readonly number[]) =>
    ({ name, kind, slotMinutes: 60, startMs: 0, energyWh: Float64Array.from(energyWh), telemetryDelayMs: 0 }) as const;
  const data: DataStore = {
    meters: new Map([
      ["pv", series("pv", "pv", production)],
      ["load", series("load", "load", load)],
    ]),
    weather: new Map(),
    tariffs: [],
  };
  const member: CommunityMember = {
    name: "home",
    roles: ["prosumer"],
    strategy: "null-strategy",
    strategyConfig: {},
    production: "pv",
    load: "load",
    capacityPerSlot: wattHours(10_000),
    ...(battery === undefined ? {} : { battery }),
  };
  return new MemberPlant(member, data);
}

describe("meters", () => {
  test("show production and load apart, in whole watt-hours", () => {
    const plant = plantOf([1_000.4, 0], [299.6, 500]);
    expect(plant.measure(slotNumber(0))).toEqual({
      produced: 1_000n,
      consumed: 300n,
      baseline: { produced: 1_000n, consumed: 300n },
      isEstimated: false,
    });
    expect(plant.state()).toBeUndefined();
  });

  test("where a reading is missing, the last of the same time of day stands in, and is marked", () => {
    const production = Array.from({ length: 72 }, (_, hour) => hour);
    const plant = plantOf(production.with(58, Number.NaN).with(34, Number.NaN), new Array(72).fill(1));
    expect(plant.measure(slotNumber(57))).toMatchObject({ produced: 57n, isEstimated: false });
    expect(plant.measure(slotNumber(58))).toMatchObject({ produced: 10n, isEstimated: true }); // Two days before.
    expect(plant.measure(slotNumber(3_000))).toMatchObject({ produced: 0n, isEstimated: true }); // Beyond all data.
  });
});

describe("a battery", () => {
  test("without a plan takes the surplus and serves the need, within power and capacity, with its losses", () => {
    const plant = plantOf([5_000, 5_000, 0, 0, 0], [1_000, 1_000, 2_000, 2_000, 9_000], SPEC);
    // Half full: 3,000 Wh. One way it keeps 0.9: 3,000 Wh at the connection (the most in an hour) store 2,700.
    expect(plant.measure(slotNumber(0))).toMatchObject({ produced: 5_000n, consumed: 4_000n });
    expect(plant.state()?.storedWh).toBeCloseTo(5_700, 6);
    // 300 Wh are free: 333 Wh at the connection fill it.
    expect(plant.measure(slotNumber(1))).toMatchObject({ produced: 5_000n, consumed: 1_333n });
    expect(plant.state()?.storedWh).toBeCloseTo(5_999.7, 6);
    expect(plant.measure(slotNumber(2))).toMatchObject({ produced: 2_000n, consumed: 2_000n });
    expect(plant.measure(slotNumber(3))).toMatchObject({ produced: 2_000n, consumed: 2_000n });
    // 1,555.3 Wh are left: 1,399 at the connection.
    expect(plant.measure(slotNumber(4))).toMatchObject({ produced: 1_399n, consumed: 9_000n });
    expect(plant.state()?.storedWh).toBeLessThan(1);
  });

  test("follows a plan for its slot only, and the baseline does not know of it", () => {
    const plant = plantOf([0, 0], [1_000, 1_000], SPEC);
    plant.plan(slotNumber(0).id, 2_000);
    expect(plant.measure(slotNumber(0))).toMatchObject({
      produced: 0n,
      consumed: 3_000n,
      baseline: { produced: 1_000n, consumed: 1_000n },
    });
    expect(plant.measure(slotNumber(1))).toMatchObject({ produced: 1_000n, consumed: 1_000n });
  });

  test("a plan beyond its limits is cut to them", () => {
    const plant = plantOf([0, 0], [0, 0], SPEC);
    plant.plan(slotNumber(0).id, -50_000);
    expect(plant.measure(slotNumber(0)).produced).toBe(2_700n); // 3,000 Wh stored, 0.9 of it at the connection.
    plant.plan(slotNumber(1).id, 50_000);
    expect(plant.measure(slotNumber(1)).consumed).toBe(3_000n);
  });

  test("never makes energy, never passes its limits, whatever is planned", () => {
    const arbSlots = fc.array(
      fc.record({
        production: fc.integer({ min: 0, max: 8_000 }),
        load: fc.integer({ min: 0, max: 8_000 }),
        plan: fc.option(fc.integer({ min: -20_000, max: 20_000 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(arbSlots, (slots) => {
        const plant = plantOf(
          slots.map(({ production }) => production),
          slots.map(({ load }) => load),
          SPEC,
        );
        for (const [index, { production, load, plan }] of slots.entries()) {
          const before = plant.state()?.storedWh ?? 0;
          if (plan !== undefined) plant.plan(slotNumber(index).id, plan);
          const { produced, consumed } = plant.measure(slotNumber(index));
          const after = plant.state()?.storedWh ?? 0;
          const charged = Number(consumed) - load;
          const discharged = Number(produced) - production;
          expect(Math.min(charged, discharged)).toBe(0);
          expect(Math.max(charged, discharged)).toBeLessThanOrEqual(SPEC.powerW);
          expect(after).toBeGreaterThanOrEqual(0);
          expect(after).toBeLessThanOrEqual(SPEC.capacityWh);
          // What is stored is what came in less the losses, what went out with them: nothing else changes it.
          expect(after - before).toBeCloseTo(charged * 0.9 - discharged / 0.9, 3);
        }
      }),
    );
  });
});

test("what a battery of the simulation puts into the grid in a day never exceeds what the ledger lets it promise", () => {
  const arbHour = fc.record({
    production: fc.nat({ max: 2_000 }),
    load: fc.nat({ max: 500 }),
    plan: fc.integer({ min: -4_000, max: 4_000 }),
  });
  const arbSpec = fc.record({
    capacityWh: fc.integer({ min: 0, max: 9_000 }),
    powerW: fc.integer({ min: 0, max: 3_000 }),
    roundTripEfficiency: fc.integer({ min: 1, max: 1_000 }).map((perMille) => perMille / 1_000),
  });
  fc.assert(
    fc.property(arbSpec, fc.array(arbHour, { minLength: 30, maxLength: 48 }), (spec, hours) => {
      const plant = plantOf(
        hours.map(({ production }) => production),
        hours.map(({ load }) => load),
        spec,
      );
      const entries = hours.flatMap(({ plan }, hour) => {
        const slot = slotNumber(hour);
        plant.plan(slot.id, plan);
        const promised = injectedOf(plant.measure(slot));
        // The first day leaves the battery in some state; the second is the one that is looked at.
        return hour < 24 || promised === 0n ? [] : [{ slot: slot.id, promised }];
      });
      const storage = {
        capacity: wattHours(spec.capacityWh),
        powerPerSlot: wattHours(spec.powerW),
        efficiencyPerMille: Math.round(spec.roundTripEfficiency * 1_000),
      };
      const member = { storage, capacityPerSlot: wattHours(2_000 + spec.powerW) };
      expect(storageOverdraw(member, entries, 60)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});
