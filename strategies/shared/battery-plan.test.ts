import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BatteryModel,
  batteryModel,
  chargeLimits,
  chargeOf,
  connectionWh,
  outcomeValue,
  type PlanSlot,
  planBattery,
  slotValue,
  valueAt,
} from "./battery-plan.ts";

const slot = (change: Partial<PlanSlot>): PlanSlot => ({
  surplusWh: 0,
  cautiousWh: 0,
  promisedWh: 0,
  boughtWh: 0,
  sellPrice: 60_000,
  buyPrice: 300_000,
  feedIn: 60_000,
  shortfallPrice: 795_000,
  ...change,
});
const lossless: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 1, wearPrice: 0 };

describe("batteryModel and its energies", () => {
  test("half of the round trip's loss is on either way", () => {
    const model = batteryModel({ capacityWh: 5_000, powerW: 2_000, roundTripEfficiency: 0.81, storedWh: 0 }, 15, 5_000);
    expect(model).toEqual({ capacityWh: 5_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 5_000 });
    expect(chargeOf(model, 500)).toBeCloseTo(450, 9);
    expect(chargeOf(model, -450)).toBeCloseTo(-500, 9);
    expect(connectionWh(model, 450)).toBeCloseTo(500, 9);
    expect(connectionWh(model, -500)).toBeCloseTo(-450, 9);
  });

  test("limits are power, room and what is stored", () => {
    const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 0 };
    expect(chargeLimits(model, 0)).toEqual({ chargeWh: 500, dischargeWh: 0 });
    expect(chargeLimits(model, 910).chargeWh).toBeCloseTo(100, 9);
    expect(chargeLimits(model, 100).dischargeWh).toBeCloseTo(90, 9);
  });
});

describe("slotValue", () => {
  test.each<[string, Partial<PlanSlot>, number, number]>([
    ["a need is bought", { surplusWh: -200 }, 0, -60_000],
    ["a need met by the battery costs nothing", { surplusWh: -200 }, -200, 0],
    ["bought energy meets a need first, what is left of it is fed in", { surplusWh: -200, boughtWh: 300 }, 0, 6_000],
    ["a surplus that is sure is sold", { surplusWh: 500, cautiousWh: 500, sellPrice: 200_000 }, 0, 100_000],
    [
      "a surplus that is not sure is fed in beyond what is",
      { surplusWh: 500, cautiousWh: 300, sellPrice: 200_000 },
      0,
      72_000,
    ],
    ["charging takes from what could be sold", { surplusWh: 500, cautiousWh: 500, sellPrice: 200_000 }, 500, 0],
    ["a promise that can't be kept is dear", { surplusWh: 100, cautiousWh: 0, promisedWh: 100 }, 0, -79_500],
    ["the battery keeps a promise", { surplusWh: 0, cautiousWh: 0, promisedWh: 100 }, -100, 0],
  ])("%s", (_case, change, chargeWh, expected) => {
    expect(slotValue(slot(change), lossless, chargeWh)).toBeCloseTo(expected, 6);
  });

  test("wear counts what is discharged", () => {
    expect(slotValue(slot({ surplusWh: -200 }), { ...lossless, wearPrice: 5_000 }, -200)).toBeCloseTo(-1_000, 6);
  });

  test("an outcome better than the cautious one never is worth less", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -500, max: 500 }),
        fc.integer({ min: -900, max: 900 }),
        fc.nat(500),
        fc.nat(300),
        (chargeWh, surplusWh, promisedWh, more) => {
          const given = slot({ cautiousWh: 100, promisedWh, sellPrice: 150_000 });
          const worse = outcomeValue(given, lossless, chargeWh, surplusWh, surplusWh);
          expect(outcomeValue(given, lossless, chargeWh, surplusWh + more, surplusWh + more)).toBeGreaterThanOrEqual(
            worse - 1e-6,
          );
        },
      ),
    );
  });
});

describe("planBattery", () => {
  test("the example worked by hand: fill up in the cheap slot, empty in the dear one", () => {
    // 1 kWh, 500 Wh per slot, 81 % round trip. Night at 100, day at 150, evening at 400 per kWh, 400 Wh needed in the evening.
    const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 0 };
    const day = [
      slot({ buyPrice: 100_000 }),
      slot({ buyPrice: 150_000 }),
      slot({ buyPrice: 400_000, surplusWh: -450 }),
    ];
    const { chargeWh, storedWh } = planBattery(model, day, 0, { gridSteps: 20, endPrice: 0 });
    // 450 Wh out need 500 Wh stored; the night can bring 450 (500 at the connection), the day must bring 50 (55.6).
    expect(chargeWh[0]).toBeCloseTo(500, 6);
    expect(chargeWh[1]).toBeCloseTo(50 / 0.9, 6);
    expect(chargeWh[2]).toBeCloseTo(-450, 6);
    expect(storedWh.map(Math.round)).toEqual([450, 500, 0]);
  });

  test("does not move where the loss is dearer than the gap", () => {
    const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 0 };
    const day = [slot({ buyPrice: 100_000 }), slot({ buyPrice: 120_000, surplusWh: -450 })]; // 100 / 0.81 > 120
    expect(planBattery(model, day, 0, { gridSteps: 20, endPrice: 0 }).chargeWh).toEqual([0, 0]);
  });

  test("keeps what the end is worth and spends what it is not", () => {
    const model: BatteryModel = { ...lossless, efficiency: 0.8 };
    const day = [slot({ buyPrice: 200_000, surplusWh: -80 })];
    const firstMove = (endPrice: number): number =>
      planBattery(model, day, 500, { gridSteps: 20, endPrice }).chargeWh[0] ?? 0;
    expect(firstMove(150_000)).toBeCloseTo(-80, 9); // A stored kWh saves 160 000 now.
    expect(firstMove(170_000)).toBe(0);
    expect(firstMove(240_000)).toBe(0); // To store one costs 250 000 now.
    expect(firstMove(260_000)).toBeGreaterThan(0);
  });

  test("a slow battery still moves: its grid is finer than what was asked", () => {
    const slow: BatteryModel = { capacityWh: 10_000, slotWhMax: 100, efficiency: 1, wearPrice: 0 };
    const day = [slot({ buyPrice: 50_000 }), slot({ buyPrice: 300_000, surplusWh: -200 })];
    expect(planBattery(slow, day, 0, { gridSteps: 10, endPrice: 0 }).chargeWh).toEqual([100, -100]);
  });

  test("leaves the battery alone where nothing is known", () => {
    const day = [undefined, slot({ buyPrice: 300_000, surplusWh: -200 })];
    expect(planBattery(lossless, day, 500, { gridSteps: 10, endPrice: 70_000 }).chargeWh).toEqual([0, -200]);
  });

  test("is as good as the best of all plans on its grid, tried one by one", () => {
    const prices = fc.integer({ min: 0, max: 400_000 });
    const arbSlot = fc
      .record({
        surplusWh: fc.integer({ min: -600, max: 600 }),
        promisedWh: fc.constantFrom(0, 0, 250),
        boughtWh: fc.constantFrom(0, 0, 250),
        sellPrice: prices,
        buyPrice: prices,
      })
      .map((given) => slot({ ...given, cautiousWh: given.surplusWh - 100 }));
    const levels = 4;
    fc.assert(
      fc.property(
        fc.array(arbSlot, { minLength: 1, maxLength: 4 }),
        fc.nat(levels),
        fc.constantFrom(1, 0.9),
        prices,
        (slots, level, efficiency, endPrice) => {
          const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 1_000, efficiency, wearPrice: 3_000 };
          const { stepWh } = planBattery(model, slots, 0, { gridSteps: levels, endPrice });
          const steps = Math.round(model.capacityWh / stepWh);
          const startWh = level * stepWh;
          const plan = planBattery(model, slots, startWh, { gridSteps: levels, endPrice });
          const best = bestByTrying(model, slots, startWh, steps, endPrice);
          expect(planValue(model, slots, plan.chargeWh, startWh, endPrice)).toBeCloseTo(best, 3);
          expect(valueAt(plan.values[0] ?? [], plan.stepWh, startWh)).toBeCloseTo(best, 3);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("stays within power and capacity", () => {
    const arbSlot = fc
      .record({ surplusWh: fc.integer({ min: -900, max: 900 }), buyPrice: fc.integer({ min: 60_000, max: 500_000 }) })
      .map(slot);
    fc.assert(
      fc.property(
        fc.array(arbSlot, { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 2_000, noNaN: true }),
        fc.integer({ min: 50, max: 3_000 }),
        (slots, startWh, slotWhMax) => {
          const model: BatteryModel = { capacityWh: 2_000, slotWhMax, efficiency: 0.95, wearPrice: 5_000 };
          let stored = startWh;
          for (const chargeWh of planBattery(model, slots, startWh, { gridSteps: 25, endPrice: 100_000 }).chargeWh) {
            expect(Math.abs(chargeWh)).toBeLessThanOrEqual(slotWhMax * (1 + 1e-9));
            stored += chargeOf(model, chargeWh);
            expect(stored).toBeGreaterThanOrEqual(-1e-6);
            expect(stored).toBeLessThanOrEqual(2_000 + 1e-6);
          }
        },
      ),
    );
  });
});

function planValue(
  model: BatteryModel,
  slots: readonly PlanSlot[],
  chargeWh: readonly number[],
  startWh: number,
  endPrice: number,
): number {
  let stored = startWh;
  let sum = 0;
  for (const [index, given] of slots.entries()) {
    sum += slotValue(given, model, chargeWh[index] ?? 0);
    stored += chargeOf(model, chargeWh[index] ?? 0);
  }
  return sum + (stored * endPrice) / 1_000;
}

function bestByTrying(
  model: BatteryModel,
  slots: readonly PlanSlot[],
  storedWh: number,
  steps: number,
  endPrice: number,
): number {
  const [first, ...rest] = slots;
  if (first === undefined) return (storedWh * endPrice) / 1_000;
  let best = Number.NEGATIVE_INFINITY;
  for (let level = 0; level <= steps; level++) {
    const nextWh = (level * model.capacityWh) / steps;
    const charge = connectionWh(model, nextWh - storedWh);
    if (Math.abs(charge) > model.slotWhMax + 1e-9) continue;
    best = Math.max(best, slotValue(first, model, charge) + bestByTrying(model, rest, nextWh, steps, endPrice));
  }
  return best;
}
