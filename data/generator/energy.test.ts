import fc from "fast-check";
import { expect, test } from "vitest";
import { perSlot, wholeWattHours } from "./energy.ts";

const power = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 200 });

test("a meter's total is never off by more than half a watt-hour, and no reading is negative", () => {
  fc.assert(
    fc.property(power, (watts) => {
      const energy = wholeWattHours(Float64Array.from(watts));
      let [exact, counted] = [0, 0];
      for (const [step, reading] of energy.entries()) {
        exact += (watts[step] ?? 0) / 4;
        counted += reading;
        expect(Number.isInteger(reading) && reading >= 0).toBe(true);
        expect(Math.abs(exact - counted)).toBeLessThanOrEqual(0.5 + 1e-6);
      }
    }),
  );
});

test("a constant 5 W gives a watt-hour now and then", () => {
  expect([...wholeWattHours(new Float64Array(8).fill(5))]).toEqual([1, 2, 1, 1, 1, 2, 1, 1]);
});

test("slots are sums of quarter-hours", () => {
  const steps = Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...perSlot(steps, 15)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...perSlot(steps, 30)]).toEqual([3, 7, 11, 15]);
  expect([...perSlot(steps, 60)]).toEqual([10, 26]);
});
