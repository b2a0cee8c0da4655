/** Margins in numbers: what a day needs, and what becomes of it when a slot is settled. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { marginAfterSlot, marginNeeded, settlementOfRights } from "#contracts";
import { micros, microsPerKwh, NO_ENERGY, wattHours } from "#core";

const entries = (
  ...parts: readonly (readonly [bought: number, bidding: number])[]
): Parameters<typeof marginNeeded>[0] =>
  parts.map(([bought, bidding]) => ({ bought: wattHours(bought), bidding: wattHours(bidding) }));

test.each([
  [entries(), 20_000, 0n],
  [entries([1_500, 0], [0, 500]), 20_000, 40_000n],
  [entries([1, 0], [1, 0]), 1, 2n], // A thousandth of a micro each, rounded up for each slot.
  [entries([1, 1]), 500, 1n],
  [entries([1_000, 1_000]), 0, 0n],
])("what a day needs (%#)", (day, price, needed) => {
  expect(marginNeeded(day, microsPerKwh(price))).toBe(needed);
});

test.each([
  // locked, needed for the rest, due: kept, paid, returned.
  [40_000, 10_000, 0, 10_000n, 0n, 30_000n],
  [40_000, 10_000, 12_000, 10_000n, 12_000n, 18_000n],
  [40_000, 10_000, 30_000, 10_000n, 30_000n, 0n],
  [40_000, 10_000, 50_000, 10_000n, 30_000n, 0n],
  [5_000, 10_000, 50_000, 5_000n, 0n, 0n],
  [0, 0, 7, 0n, 0n, 0n],
])("of %s locked, %s needed, %s due", (locked, needed, due, kept, paid, returned) => {
  expect(marginAfterSlot(micros(locked), micros(needed), BigInt(due))).toEqual({ kept, paid, returned });
});

describe("laws", () => {
  const arbEntry = fc.record({ bought: fc.nat({ max: 50_000 }), bidding: fc.nat({ max: 50_000 }) });
  const arbDay = fc.array(arbEntry, { maxLength: 20 });
  const arbPrice = fc.integer({ min: 0, max: 400_000 }).map(microsPerKwh);
  const asEntries = (
    day: readonly { readonly bought: number; readonly bidding: number }[],
  ): ReturnType<typeof entries> => entries(...day.map(({ bought, bidding }) => [bought, bidding] as const));

  test("a margin is never created or lost, and never pays what the rest of the day needs", () => {
    const arbAmount = fc.bigInt({ min: 0n, max: 10n ** 9n });
    fc.assert(
      fc.property(arbAmount, arbAmount, arbAmount, (locked, needed, due) => {
        const { kept, paid, returned } = marginAfterSlot(micros(locked), micros(needed), due);
        expect(kept + paid + returned).toBe(locked);
        expect([kept, paid, returned].every((amount) => amount >= 0n)).toBe(true);
        expect(paid <= due).toBe(true);
        expect(kept === (needed < locked ? needed : locked)).toBe(true);
      }),
    );
  });

  test("a margin that answers for the day pays the surplus cost of every slot of it, one after the other", () => {
    fc.assert(
      fc.property(arbDay, arbPrice, fc.integer({ min: 0, max: 300_000 }), (day, surplusPrice, feedIn) => {
        let locked = marginNeeded(asEntries(day), surplusPrice);
        for (const [index, { bought }] of day.entries()) {
          const { feedInAmount, retailAmount, surplusAmount } = settlementOfRights({
            reading: { produced: NO_ENERGY, consumed: NO_ENERGY },
            delivered: NO_ENERGY,
            kept: NO_ENERGY,
            bought: wattHours(bought),
            feedIn: microsPerKwh(feedIn),
            retail: microsPerKwh(300_000),
            surplusPrice,
          });
          const net = feedInAmount - retailAmount - surplusAmount;
          const due = net < 0n ? -net : 0n;
          const needed = marginNeeded(asEntries(day.slice(index + 1)), surplusPrice);
          const { kept, paid } = marginAfterSlot(locked, needed, due);
          expect(paid).toBe(due);
          expect(kept).toBe(needed);
          locked = kept;
        }
        expect(locked).toBe(0n);
      }),
    );
  });
});
