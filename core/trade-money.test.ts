import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Micros, microsPerKwh, type PricedTrade, paymentsOf, type TradePayments, wattHours } from "./index.ts";

function trade(buyer: string, seller: string, energyWh: bigint, price: bigint): PricedTrade {
  return { buyer, seller, energy: wattHours(energyWh), price: microsPerKwh(price) };
}

function shown({ buyers, sellers }: TradePayments): { buyers: unknown; sellers: unknown } {
  return { buyers: Object.fromEntries(buyers), sellers: Object.fromEntries(sellers) };
}

function sum(amounts: ReadonlyMap<string, Micros>): bigint {
  return [...amounts.values()].reduce((total, amount) => total + amount, 0n);
}

describe("payments worked by hand", () => {
  // Thousandths of a micro in brackets: energy × price.
  const cases: readonly (readonly [string, readonly PricedTrade[], Record<string, bigint>, Record<string, bigint>])[] =
    [
      ["no trades", [], {}, {}],
      ["nothing to round", [trade("b", "s", 2_000n, 250_000n)], { b: 500_000n }, { s: 500_000n }],
      ["one trade rounds up for both", [trade("b", "s", 1n, 1_500n)], { b: 2n }, { s: 2n }],
      [
        "a buyer is rounded once, on its sum",
        [trade("b", "s", 1n, 400n), trade("b", "s", 1n, 400n)],
        { b: 1n },
        { s: 1n },
      ],
      [
        "ten pieces of 0.1 micro cost 1 micro, not 10 nor 0",
        Array.from({ length: 10 }, () => trade("b", "s", 1n, 100n)),
        { b: 1n },
        { s: 1n },
      ],
      [
        "the odd micro goes to the first seller by text",
        [trade("b", "t", 1n, 500n), trade("b", "s", 1n, 500n)],
        { b: 1n },
        { s: 1n, t: 0n },
      ],
      [
        // Buyers 1.5 each → 2 + 2 + 2 = 6; sellers 2.25 each → 2 + 2 = 4; 2 between, one each.
        "two micros between, one each",
        [
          trade("a", "s", 1n, 1_500n),
          trade("b", "s", 1n, 750n),
          trade("b", "t", 1n, 750n),
          trade("c", "t", 1n, 1_500n),
        ],
        { a: 2n, b: 2n, c: 2n },
        { s: 3n, t: 3n },
      ],
      [
        // Three buyers at 0.1 → 3; one seller 0.3 → 0; all three between go to it.
        "more micros between than sellers",
        [trade("a", "s", 1n, 100n), trade("b", "s", 1n, 100n), trade("c", "s", 1n, 100n)],
        { a: 1n, b: 1n, c: 1n },
        { s: 3n },
      ],
      [
        "a negative price: the buyer receives 1.5 rounded down, the seller pays the same",
        [trade("b", "s", 1n, -1_500n)],
        { b: -1n },
        { s: -1n },
      ],
      [
        "a negative price below one micro: nobody receives what nobody pays",
        [trade("b", "s", 1n, -400n)],
        { b: 0n },
        { s: 0n },
      ],
      [
        "prices of both signs meet in one party's sum",
        [trade("b", "s", 1n, 1_500n), trade("b", "s", 1n, -1_400n)],
        { b: 1n },
        { s: 1n },
      ],
      [
        "a party that buys and sells is in both maps",
        [trade("p", "s", 1_000n, 5n), trade("b", "p", 1_000n, 7n)],
        { b: 7n, p: 5n },
        { p: 7n, s: 5n },
      ],
    ];
  test.each(cases)("%s", (_name, trades, buyers, sellers) => {
    expect(shown(paymentsOf(trades))).toEqual({ buyers, sellers });
  });
});

test("a payment beyond 64 bits stops", () => {
  expect(() => paymentsOf([trade("b", "s", 2n ** 62n, 2n ** 62n)])).toThrow("64 bits");
});

const arbParty = fc.constantFrom("ann", "bob", "cat", "dan", "eve");
const arbTrades = fc.array(
  fc
    .tuple(arbParty, arbParty, fc.bigInt({ min: 0n, max: 5_000n }), fc.bigInt({ min: -3_000n, max: 3_000n }))
    .map(([buyer, seller, energyWh, price]) => trade(buyer, seller, energyWh, price)),
  { maxLength: 12 },
);

describe("laws of payments", () => {
  test("money in equals money out", () => {
    fc.assert(
      fc.property(arbTrades, (trades) => {
        const { buyers, sellers } = paymentsOf(trades);
        expect(sum(buyers)).toBe(sum(sellers));
      }),
    );
  });

  test("a buyer pays its exact cost rounded up; a seller gets at least its exact revenue rounded down, shared evenly", () => {
    fc.assert(
      fc.property(arbTrades, (trades) => {
        const { buyers, sellers } = paymentsOf(trades);
        for (const [buyer, payment] of buyers) {
          const exact = trades
            .filter((each) => each.buyer === buyer)
            .reduce((total, each) => total + each.energy * each.price, 0n);
          expect(payment * 1_000n - exact >= 0n && payment * 1_000n - exact < 1_000n).toBe(true);
        }
        const extras = [...sellers].map(([seller, revenue]) => {
          const exact = trades
            .filter((each) => each.seller === seller)
            .reduce((total, each) => total + each.energy * each.price, 0n);
          const above = revenue * 1_000n - exact; // In (-1000, …): the floor lost less than one micro.
          expect(above > -1_000n).toBe(true);
          return (above + 999n) / 1_000n; // The extra micros on top of the floor.
        });
        const most = extras.reduce((left, right) => (left > right ? left : right), 0n);
        const least = extras.reduce((left, right) => (left < right ? left : right), most);
        expect(most - least <= 1n).toBe(true);
        expect(extras).toEqual([...extras].sort((left, right) => (left > right ? -1 : left < right ? 1 : 0)));
      }),
    );
  });

  test("the order of the trades changes nothing, not even the order of the maps", () => {
    fc.assert(
      fc.property(
        arbTrades.chain((trades) =>
          fc.tuple(fc.constant(trades), fc.shuffledSubarray(trades, { minLength: trades.length })),
        ),
        ([trades, shuffled]) => {
          const [left, right] = [paymentsOf(trades), paymentsOf(shuffled)];
          expect([...right.buyers]).toEqual([...left.buyers]);
          expect([...right.sellers]).toEqual([...left.sellers]);
        },
      ),
    );
  });

  test("splitting a trade into pieces changes nothing", () => {
    fc.assert(
      fc.property(arbTrades, fc.nat(), fc.nat(), (trades, whichAny, cutAny) => {
        const which = trades[whichAny % Math.max(1, trades.length)];
        if (which === undefined) return;
        const cut = which.energy === 0n ? 0n : BigInt(cutAny) % which.energy;
        const pieces = [cut, which.energy - cut].map((energy) => ({ ...which, energy: wattHours(energy) }));
        const split = [...trades.filter((each) => each !== which), ...pieces];
        expect(shown(paymentsOf(split))).toEqual(shown(paymentsOf(trades)));
      }),
    );
  });
});
