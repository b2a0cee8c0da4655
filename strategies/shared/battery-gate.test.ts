import { evenQuantiles } from "#testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aloneNet, type DecisionSettings, decideSlot } from "./battery-gate.ts";
import { aloneCharge, type BatteryModel, chargeLimits, type PlanSlot } from "./battery-plan.ts";

const model: BatteryModel = { capacityWh: 1_000, slotWhMax: 500, efficiency: 0.9, wearPrice: 0 };
const usual: PlanSlot = { surplusWh: 0, cautiousWh: 0, promisedWh: 0, boughtWh: 0, sellPrice: 60_000, sellableWh: 10_000, buyPrice: 300_000, buyableWh: 10_000, retail: 350_000, feedIn: 60_000, shortfallPrice: 795_000 };
const sure = (surplusWh: number): Float64Array => new Float64Array(19).fill(surplusWh);
const worthAt = (price: number) => (storedWh: number): number => (storedWh * price) / 1_000;

const settings = (valueAfter: (storedWh: number) => number, mayBeAlone: boolean, deviationPrice = 0): DecisionSettings => ({ valueAfter, deviationPrice, trust: 1, mayBeAlone });

describe("decideSlot", () => {
  test("leaves the battery alone where that is best: it follows what no plan can foresee", () => {
    const vague = Float64Array.from(evenQuantiles(-400, 400));
    const decision = decideSlot(model, { ...usual, cautiousWh: -400 }, vague, 500, settings(worthAt(180_000), true));
    expect(decision.isFixed).toBe(false);
    expect([...decision.net].every((wh) => Math.abs(wh) < 1e-9)).toBe(true);
  });

  test("a plan that was set before can't be taken back: it is changed to the best one", () => {
    const decision = decideSlot(model, { ...usual, surplusWh: -200, cautiousWh: -200 }, sure(-200), 500, settings(worthAt(100_000), false));
    expect(decision).toMatchObject({ isFixed: true, chargeWh: -200 });
  });

  test("keeps a promise from the battery, though its charge would be worth more later", () => {
    const slot = { ...usual, promisedWh: 300, surplusWh: 100, cautiousWh: 100 };
    const decision = decideSlot(model, slot, sure(100), 800, settings(worthAt(500_000), true));
    expect(decision).toMatchObject({ isFixed: true, chargeWh: -200 });
  });

  test("holds its charge for dearer hours", () => {
    const decision = decideSlot(model, { ...usual, surplusWh: -200, cautiousWh: -200 }, sure(-200), 500, settings(worthAt(300_000), true));
    expect(decision).toMatchObject({ isFixed: true, chargeWh: 0 });
  });

  test("a plan must gain more over the battery alone than its prices are trusted", () => {
    const decide = (deviationPrice: number): boolean =>
      decideSlot(model, { ...usual, surplusWh: -200, cautiousWh: -200 }, sure(-200), 500, settings(worthAt(300_000), true, deviationPrice)).isFixed;
    // Holding 200 Wh keeps 222 stored, worth 66.7 thousandths; using them saves 60.
    expect([0, 30_000, 40_000].map(decide)).toEqual([true, true, false]);
  });

  test("where promises have failed too often, it gives more to keep one", () => {
    const vague = Float64Array.from(evenQuantiles(100, 280));
    const slot = { ...usual, promisedWh: 200, surplusWh: 190, cautiousWh: 100 };
    const given = (trust: number): number => -decideSlot(model, slot, vague, 800, { ...settings(worthAt(250_000), true), trust }).chargeWh;
    expect(given(0.1)).toBeGreaterThan(given(1));
  });

  test("charges from the grid what is bought and what the market has, but not at retail for less than it is worth", () => {
    const cheap = { ...usual, buyPrice: 50_000, retail: 370_000 };
    const charge = (boughtWh: number, buyableWh: number): number =>
      decideSlot(model, { ...cheap, boughtWh, buyableWh }, sure(0), 100, settings(worthAt(400_000), true)).chargeWh;
    expect(charge(0, 0)).toBe(0); // 0.9 × 400 is less than 370.
    expect(charge(250, 0)).toBe(250);
    expect(charge(250, 200)).toBe(450);
  });

  test("never plans beyond power or what is there", () => {
    const energy = fc.integer({ min: -800, max: 800 });
    fc.assert(
      fc.property(energy, fc.nat(800), fc.nat(900), fc.nat(1_000), fc.integer({ min: 0, max: 500_000 }), (first, width, promisedWh, storedWh, price) => {
        const surplus = Float64Array.from(evenQuantiles(first, first + width));
        const slot = { ...usual, surplusWh: first + width / 2, cautiousWh: first, promisedWh };
        const { isFixed, chargeWh, net } = decideSlot(model, slot, surplus, storedWh, settings(worthAt(price), true));
        if (isFixed) expect(Number.isInteger(chargeWh)).toBe(true);
        expect(chargeWh).toBeGreaterThanOrEqual(-chargeLimits(model, storedWh).dischargeWh - 1e-9);
        expect(chargeWh).toBeLessThanOrEqual(chargeLimits(model, storedWh).chargeWh + 1e-9);
        expect([...net]).toEqual([...net].sort((left, right) => left - right));
      }),
    );
  });
});

test("alone, the battery takes up a surplus and serves a need as far as it can", () => {
  expect(aloneCharge(model, 910, 400)).toBeCloseTo(100, 9);
  expect(aloneCharge(model, 100, -400)).toBeCloseTo(-90, 9);
  expect([...aloneNet(model, 100, Float64Array.from([-400, 0, 700]))]).toEqual([-310, 0, 200]);
});
