/** Corrections: what is corrected several times costs what the last reading costs, and no money is made or lost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros, microsPerKwh, splitEvenly, wattHours } from "#core";
import { keyOf, PARAMETERS } from "#testkit";
import { type Correction, correctionOutcome } from "./correction.ts";
import { deliveryOutcome, injectedOf, settlementOutcome } from "./settlement.ts";
import type { NetworkParameters, PowerPromise, SlotSettlement } from "./states.ts";

const ALICE = keyOf("alice");
const arbAmount = fc.bigInt(0n, 20_000n);
const arbReading = fc
  .tuple(arbAmount, arbAmount)
  .map(([produced, consumed]) => ({ produced: wattHours(produced), consumed: wattHours(consumed) }));
const arbPrices = fc.record({
  fee: fc.bigInt(0n, 50_003n),
  more: fc.bigInt(0n, 900_001n),
  surplus: fc.bigInt(0n, 100_007n),
  feedIn: fc.bigInt(-90_001n, 200_003n),
  spread: fc.bigInt(0n, 400_009n),
});

/** A slot of alice's as it was settled at first: her promises, some sold and some kept in parts, and what she bought. */
const arbSettled = fc
  .record({
    prices: arbPrices,
    kept: fc.array(fc.bigInt(1n, 3_000n), { maxLength: 4 }),
    sold: fc.array(fc.bigInt(1n, 3_000n), { maxLength: 4 }),
    bought: arbAmount,
    reading: arbReading,
  })
  .map(({ prices, kept, sold, bought, reading }) => {
    const parameters: NetworkParameters = {
      ...PARAMETERS,
      gridFee: microsPerKwh(prices.fee),
      emergencyPrice: microsPerKwh(prices.fee + prices.more),
      surplusPrice: microsPerKwh(prices.surplus),
    };
    const tariff = { feedIn: microsPerKwh(prices.feedIn), retail: microsPerKwh(prices.feedIn + prices.spread) };
    return { parameters, tariff, settlement: settled(parameters, tariff, { kept, sold, bought }, reading) };
  });
type Tariff = Parameters<typeof correctionOutcome>[3];

function settled(
  parameters: NetworkParameters,
  tariff: Tariff,
  { kept, sold, bought }: { kept: readonly bigint[]; sold: readonly bigint[]; bought: bigint },
  reading: { readonly produced: ReturnType<typeof wattHours>; readonly consumed: ReturnType<typeof wattHours> },
): SlotSettlement {
  const of = (energy: bigint, supplier: string, owner: string) => ({
    energy: wattHours(energy),
    supplier: keyOf(supplier),
    owner: keyOf(owner),
  });
  const own = [
    ...sold.map((energy) => of(energy, "alice", "bob")),
    ...kept.map((energy) => of(energy, "alice", "alice")),
  ];
  const promised = [...sold, ...kept].reduce((sum, energy) => sum + energy, 0n);
  const deposit = micros((promised * parameters.emergencyPrice) / 1_000n + 7n);
  const delivery = deliveryOutcome(parameters, own, deposit, injectedOf(reading));
  const held: Pick<PowerPromise, "energy" | "supplier" | "owner" | "delivered">[] = own
    .map((promise, index) => ({ ...promise, delivered: delivery.deliveredParts[index] ?? wattHours(0) }))
    .filter(({ owner }) => owner === ALICE);
  if (bought > 0n) held.push({ ...of(bought, "carol", "alice"), delivered: wattHours(0) });
  const { delivered, depositLost, gridFee } = delivery;
  const outcome = settlementOutcome({ reading, delivered, held, ...tariff, surplusPrice: parameters.surplusPrice });
  const keptFirst = held.reduce((sum, each) => (each.supplier === ALICE ? sum + (each.delivered ?? 0n) : sum), 0n);
  return {
    tag: "slot-settlement",
    member: ALICE,
    slot: "2031-06-01T10:15Z/PT15M" as SlotSettlement["slot"],
    ...reading,
    ...outcome,
    revision: 0,
    promised: wattHours(promised),
    delivered,
    unsold: wattHours(kept.reduce((sum, energy) => sum + energy, 0n)),
    bought: wattHours(bought),
    depositLost,
    gridFee,
    deliveredFirst: delivered,
    keptFirst: wattHours(keptFirst),
  };
}

type Sums = readonly [toMember: bigint, toPowerCompany: bigint, toGridAuthority: bigint];
const sumsOf = ({ toMember, toPowerCompany, toGridAuthority }: Correction): Sums => [
  toMember,
  toPowerCompany,
  toGridAuthority,
];
const add = (left: Sums, right: Sums): Sums => [left[0] + right[0], left[1] + right[1], left[2] + right[2]];

describe("a correction", () => {
  test("moves money from some to others: what they get sums to zero", () => {
    fc.assert(
      fc.property(arbSettled, arbReading, ({ parameters, tariff, settlement }, reading) => {
        const [member, company, grid] = sumsOf(
          correctionOutcome(parameters, settlement, { ...reading, revision: 1 }, tariff),
        );
        expect(member + company + grid).toBe(0n);
      }),
      { numRuns: 2_000 },
    );
  });

  test("by what was read before moves nothing", () => {
    fc.assert(
      fc.property(arbSettled, ({ parameters, tariff, settlement }) => {
        const corrected = correctionOutcome(parameters, settlement, { ...settlement, revision: 1 }, tariff);
        expect(corrected.settlement).toEqual({ ...settlement, revision: 1 });
        expect(sumsOf(corrected)).toEqual([0n, 0n, 0n]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("after others comes to the same as one by the last reading; corrected back, all have what they had", () => {
    fc.assert(
      fc.property(
        arbSettled,
        fc.array(arbReading, { minLength: 1, maxLength: 5 }),
        ({ parameters, tariff, settlement }, readings) => {
          let state = settlement;
          let moved: Sums = [0n, 0n, 0n];
          for (const [index, reading] of readings.entries()) {
            const corrected = correctionOutcome(parameters, state, { ...reading, revision: index + 1 }, tariff);
            state = corrected.settlement;
            moved = add(moved, sumsOf(corrected));
          }
          const last = { ...(readings.at(-1) ?? settlement), revision: readings.length };
          const once = correctionOutcome(parameters, settlement, last, tariff);
          expect(state).toEqual(once.settlement);
          expect(moved).toEqual(sumsOf(once));
          const back = correctionOutcome(parameters, state, { ...settlement, revision: 9 }, tariff);
          expect(add(moved, sumsOf(back))).toEqual([0n, 0n, 0n]);
          expect(back.settlement).toEqual({ ...settlement, revision: 9 });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("comes to what a first settlement by the reading would have, where nothing of the own promises was kept in parts", () => {
    const arbWhole = fc.tuple(arbPrices, fc.bigInt(0n, 5_000n), arbAmount, arbReading, arbReading);
    fc.assert(
      fc.property(arbWhole, ([prices, energy, bought, first, second]) => {
        const parameters: NetworkParameters = {
          ...PARAMETERS,
          gridFee: microsPerKwh(prices.fee),
          emergencyPrice: microsPerKwh(prices.fee + prices.more),
          surplusPrice: microsPerKwh(prices.surplus),
        };
        const tariff = { feedIn: microsPerKwh(prices.feedIn), retail: microsPerKwh(prices.feedIn + prices.spread) };
        const position = { kept: [], sold: splitEvenly(energy, 3).filter((part) => part > 0n), bought };
        const { deliveredFirst, keptFirst, ...expected } = settled(parameters, tariff, position, second);
        const before = settled(parameters, tariff, position, first);
        const corrected = correctionOutcome(parameters, before, { ...second, revision: 1 }, tariff).settlement;
        expect(corrected).toMatchObject({ ...expected, revision: 1 });
        expect([deliveredFirst, keptFirst]).toEqual([corrected.delivered, 0n]);
      }),
      { numRuns: 1_000 },
    );
  });
});
