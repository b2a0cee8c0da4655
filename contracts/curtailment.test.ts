/** Whose promises a cap cuts: worked by hand, and the laws that hold for all amounts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { curtailmentOutcome, depositAfterCut, isCuttable, type PowerPromise } from "#contracts";
import { costCeil, micros, microsPerKwh, wattHours } from "#core";
import { keyOf, promise, SLOT } from "#testkit";

const outcomeOf = (
  cap: number,
  promised: number,
  ...unsold: readonly PowerPromise[]
): ReturnType<typeof curtailmentOutcome> => curtailmentOutcome(SLOT, wattHours(cap), wattHours(promised), unsold);
const energies = (promises: readonly PowerPromise[]): readonly bigint[] => promises.map(({ energy }) => energy);

describe("worked by hand", () => {
  test("the cut is shared in proportion, by largest remainder", () => {
    const { promises, cutOf, curtailment } = outcomeOf(4_000, 5_000, promise("alice", 2_000), promise("dave", 1_000));
    expect(energies(promises)).toEqual([1_333n, 667n]);
    expect(cutOf).toEqual(
      new Map([
        [keyOf("alice"), 667n],
        [keyOf("dave"), 333n],
      ]),
    );
    expect(curtailment).toMatchObject({ cap: 4_000n, promised: 5_000n, unsold: 3_000n, cut: 1_000n });
  });

  test("ties go to the earlier promise", () => {
    const { promises } = outcomeOf(2, 3, promise("alice", 1), promise("dave", 1), promise("erin", 1));
    expect(promises.map(({ supplier }) => supplier)).toEqual([keyOf("dave"), keyOf("erin")]);
  });

  test("what is within the cap stays", () => {
    const { promises, cutOf, curtailment } = outcomeOf(5_000, 5_000, promise("alice", 2_000));
    expect(energies(promises)).toEqual([2_000n]);
    expect([cutOf.size, curtailment.cut]).toEqual([0, 0n]);
  });

  test("what was sold stays, though it is more than the cap", () => {
    const { promises, curtailment } = outcomeOf(1_000, 5_000, promise("alice", 2_000));
    expect([energies(promises), curtailment.cut]).toEqual([[], 2_000n]);
  });

  test.each([
    ["sold", promise("alice", 1, { owner: keyOf("bob") })],
    ["on auction", promise("alice", 1, { lock: { kind: "auction", id: "a" } })],
    ["on offer", promise("alice", 1, { lock: { kind: "order", id: "o" } })],
    ["checked", promise("alice", 1, { delivered: wattHours(0) })],
  ])("a promise that is %s is not cut", (_what, kept) => {
    expect(isCuttable(kept)).toBe(false);
    expect(isCuttable(promise("alice", 1))).toBe(true);
  });

  test.each([
    [1_200_000, 500, 2_000, 900_000n],
    [1_201, 1, 2, 601n], // A thousandth of 600.5 micros goes back, rounded down.
    [1_200_000, 2_000, 2_000, null],
    [100, 1, 2, null],
  ])("of a deposit of %s for %3$s Wh, with %2$s cut", (deposit, cut, promised, kept) => {
    const price = { emergencyPrice: microsPerKwh(600_500) };
    const rules = deposit === 1_201 ? price : { emergencyPrice: microsPerKwh(600_000) };
    expect(depositAfterCut(rules, micros(deposit), wattHours(cut), wattHours(promised))).toBe(kept);
  });
});

describe("laws of curtailment", () => {
  const SUPPLIERS = ["alice", "bob", "carol", "dave"] as const;
  const arbUnsold = fc.array(
    fc.record({ supplier: fc.constantFrom(...SUPPLIERS), energy: fc.integer({ min: 1, max: 50_000 }) }),
    { maxLength: 12 },
  );
  const made = (parts: readonly { readonly supplier: string; readonly energy: number }[]): readonly PowerPromise[] =>
    parts.map(({ supplier, energy }, index) => promise(supplier, energy, { promiseId: `${index}` }));
  const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n);

  test("energy is conserved: what is left and what is cut is what there was, and no more is cut than the cap asks", () => {
    fc.assert(
      fc.property(arbUnsold, fc.nat({ max: 100_000 }), fc.nat({ max: 700_000 }), (parts, sold, cap) => {
        const unsold = made(parts);
        const before = sum(energies(unsold));
        const promised = before + BigInt(sold);
        const { promises, cutOf, curtailment } = outcomeOf(cap, Number(promised), ...unsold);
        expect(sum(energies(promises)) + curtailment.cut).toBe(before);
        expect(sum(cutOf.values())).toBe(curtailment.cut);
        expect(promised - curtailment.cut >= BigInt(cap) || curtailment.cut === 0n).toBe(true);
        expect(promised - curtailment.cut <= BigInt(cap) || promises.length === 0).toBe(true);
        for (const left of promises)
          expect({ ...left, energy: 0n }).toEqual({ ...unsold[Number(left.promiseId)], energy: 0n });
      }),
    );
  });

  test("nobody is cut by a watt-hour more than in proportion", () => {
    fc.assert(
      fc.property(arbUnsold, fc.nat({ max: 600_000 }), (parts, cap) => {
        const unsold = made(parts);
        const all = sum(energies(unsold));
        const { promises, curtailment } = outcomeOf(cap, Number(all), ...unsold);
        for (const { promiseId, energy } of unsold) {
          const left = promises.find((each) => each.promiseId === promiseId)?.energy ?? 0n;
          const beyond = (energy - left) * all - curtailment.cut * energy;
          expect(beyond > -all && beyond < all).toBe(true);
        }
      }),
    );
  });

  test("the order in which the promises stand moves no more than the watt-hours of ties", () => {
    fc.assert(
      fc.property(arbUnsold, fc.nat({ max: 600_000 }), (parts, cap) => {
        const unsold = made(parts);
        const all = Number(sum(energies(unsold)));
        const there = outcomeOf(cap, all, ...unsold);
        const back = outcomeOf(cap, all, ...unsold.toReversed());
        expect(back.curtailment).toEqual(there.curtailment);
        for (const { promiseId } of unsold) {
          const leftOf = ({ promises }: typeof there): bigint =>
            promises.find((each) => each.promiseId === promiseId)?.energy ?? 0n;
          const apart = leftOf(there) - leftOf(back);
          expect(apart >= -1n && apart <= 1n).toBe(true);
        }
      }),
    );
  });

  test("what stays of a deposit covers what is left, and nothing is left locked for nothing", () => {
    const arbAmount = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(
        arbAmount,
        arbAmount,
        fc.integer({ min: 0, max: 2_000_000 }),
        fc.nat({ max: 5 }),
        (cut, left, price, extra) => {
          const rules = { emergencyPrice: microsPerKwh(price) };
          const promised = wattHours(cut + left);
          const deposit = micros(costCeil(promised, rules.emergencyPrice) + BigInt(extra));
          const kept = depositAfterCut(rules, deposit, wattHours(cut), promised) ?? 0n;
          expect(kept >= costCeil(wattHours(left), rules.emergencyPrice) || left === 0).toBe(true);
          expect(kept <= deposit).toBe(true);
          if (left === 0) expect(kept).toBe(0n);
        },
      ),
    );
  });
});
