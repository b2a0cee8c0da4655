import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evenQuantiles } from "#testkit";
import { aloneCharge, aloneNet, decideSlot } from "./battery-gate.ts";
import { type BatteryModel, chargeLimits, type PlanSlot } from "./battery-plan.ts";

const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 0 };
const usual: PlanSlot = {
  surplusWh: 0,
  cautiousWh: 0,
  promisedWh: 0,
  boughtWh: 0,
  sellPrice: 60_000,
  buyPrice: 300_000,
  feedIn: 60_000,
  shortfallPrice: 795_000,
};
const sure = (surplusWh: number): Float64Array => new Float64Array(19).fill(surplusWh);
const worthAt =
  (price: number) =>
  (storedWh: number): number =>
    (storedWh * price) / 1_000;

describe("decideSlot", () => {
  test("leaves the battery alone where that is best: it follows what no plan can foresee", () => {
    const vague = Float64Array.from(evenQuantiles(-400, 400));
    const decision = decideSlot(model, { ...usual, cautiousWh: -400 }, vague, 500, worthAt(180_000), true);
    expect(decision.isFixed).toBe(false);
    expect([...decision.net].every((wh) => Math.abs(wh) < 1e-9)).toBe(true);
  });

  test("a plan that was set before can't be taken back: it is changed to the best one", () => {
    const decision = decideSlot(
      model,
      { ...usual, surplusWh: -200, cautiousWh: -200 },
      sure(-200),
      500,
      worthAt(100_000),
      false,
    );
    expect(decision).toMatchObject({ isFixed: true, chargeWh: -200 });
  });

  test("keeps a promise from the battery, though its charge would be worth more later", () => {
    const slot = { ...usual, promisedWh: 300, surplusWh: 100, cautiousWh: 100 };
    const decision = decideSlot(model, slot, sure(100), 800, worthAt(500_000), true);
    expect(decision).toMatchObject({ isFixed: true, chargeWh: -200 });
  });

  test("holds its charge for dearer hours", () => {
    const decision = decideSlot(
      model,
      { ...usual, surplusWh: -200, cautiousWh: -200 },
      sure(-200),
      500,
      worthAt(300_000),
      true,
    );
    expect(decision).toMatchObject({ isFixed: true, chargeWh: 0 });
  });

  test("never plans beyond power or what is there", () => {
    const energy = fc.integer({ min: -800, max: 800 });
    fc.assert(
      fc.property(
        energy,
        fc.nat(800),
        fc.nat(900),
        fc.nat(1_000),
        fc.integer({ min: 0, max: 500_000 }),
        (first, width, promisedWh, storedWh, price) => {
          const surplus = Float64Array.from(evenQuantiles(first, first + width));
          const slot = { ...usual, surplusWh: first + width / 2, cautiousWh: first, promisedWh };
          const { isFixed, chargeWh, net } = decideSlot(model, slot, surplus, storedWh, worthAt(price), true);
          if (isFixed) expect(Number.isInteger(chargeWh)).toBe(true);
          expect(chargeWh).toBeGreaterThanOrEqual(-chargeLimits(model, storedWh).dischargeWh - 1e-9);
          expect(chargeWh).toBeLessThanOrEqual(chargeLimits(model, storedWh).chargeWh + 1e-9);
          expect([...net]).toEqual([...net].sort((left, right) => left - right));
        },
      ),
    );
  });
});

test("alone, the battery takes up a surplus and serves a need as far as it can", () => {
  expect(aloneCharge(model, 910, 400)).toBeCloseTo(100, 9);
  expect(aloneCharge(model, 100, -400)).toBeCloseTo(-90, 9);
  expect([...aloneNet(model, 100, Float64Array.from([-400, 0, 700]))]).toEqual([-310, 0, 200]);
});
