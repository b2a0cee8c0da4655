/** Delivery and settlement of a slot: tables worked by hand, and the laws that hold for all amounts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryOutcome, injectedOf, settlementOfRights, settlementOutcome, withdrawnOf } from "#contracts";
import { costCeil, costFloor, micros, microsPerKwh, type PublicKey, wattHours } from "#core";
import { keyOf, PARAMETERS } from "#testkit";

const energies = (...parts: readonly number[]): readonly { readonly energy: ReturnType<typeof wattHours> }[] =>
  parts.map((energy) => ({ energy: wattHours(energy) }));
const sum = (parts: readonly bigint[]): bigint => parts.reduce((total, part) => total + part, 0n);

describe("what a meter says of the grid", () => {
  test.each([
    [1_800n, 300n, 1_500n, 0n],
    [300n, 1_800n, 0n, 1_500n],
    [300n, 300n, 0n, 0n],
  ])("produced %s, consumed %s: injected %s, withdrawn %s", (produced, consumed, injected, withdrawn) => {
    const reading = { produced: wattHours(produced), consumed: wattHours(consumed) };
    expect(injectedOf(reading)).toBe(injected);
    expect(withdrawnOf(reading)).toBe(withdrawn);
  });
});

describe("delivery, worked by hand", () => {
  // Emergency 0.60 and grid fee 0.01 per kWh: 600 and 10 micros for each watt-hour.
  const cases: readonly {
    readonly name: string;
    readonly promised: readonly number[];
    readonly injected: number;
    readonly deposit: number;
    readonly parts: readonly bigint[];
    readonly lost: bigint;
    readonly fee: bigint;
    readonly returned: bigint;
    readonly toPowerCompany: bigint;
    readonly toGridAuthority: bigint;
  }[] = [
    {
      name: "all delivered",
      promised: [1_000, 500],
      injected: 1_500,
      deposit: 900_000,
      parts: [1_000n, 500n],
      lost: 0n,
      fee: 15_000n,
      returned: 885_000n,
      toPowerCompany: 0n,
      toGridAuthority: 15_000n,
    },
    {
      name: "more than promised: the rest is no part of the promises",
      promised: [1_000, 500],
      injected: 99_999,
      deposit: 900_000,
      parts: [1_000n, 500n],
      lost: 0n,
      fee: 15_000n,
      returned: 885_000n,
      toPowerCompany: 0n,
      toGridAuthority: 15_000n,
    },
    {
      name: "nothing delivered: the power company gets the deposit less the grid fee",
      promised: [1_000, 500],
      injected: 0,
      deposit: 900_000,
      parts: [0n, 0n],
      lost: 900_000n,
      fee: 0n,
      returned: 0n,
      toPowerCompany: 885_000n,
      toGridAuthority: 15_000n,
    },
    {
      // 1000 of 1500 Wh: 666.67 and 333.33, the larger remainder up. Lost 500 × 600; fees 1000 × 10 and 500 × 10.
      name: "in part, with remainders",
      promised: [1_000, 500],
      injected: 1_000,
      deposit: 900_000,
      parts: [667n, 333n],
      lost: 300_000n,
      fee: 10_000n,
      returned: 590_000n,
      toPowerCompany: 295_000n,
      toGridAuthority: 15_000n,
    },
    {
      // 2 Wh over three equal promises: the ties go to the earlier.
      name: "in part, with ties",
      promised: [1, 1, 1],
      injected: 2,
      deposit: 1_800,
      parts: [1n, 1n, 0n],
      lost: 600n,
      fee: 20n,
      returned: 1_180n,
      toPowerCompany: 590n,
      toGridAuthority: 30n,
    },
    {
      name: "deposits that were each rounded up: what is over goes back",
      promised: [1, 1],
      injected: 1,
      deposit: 1_202,
      parts: [1n, 0n],
      lost: 600n,
      fee: 10n,
      returned: 592n,
      toPowerCompany: 590n,
      toGridAuthority: 20n,
    },
    {
      name: "a deposit that is short loses no more than it has",
      promised: [1_000],
      injected: 0,
      deposit: 5,
      parts: [0n],
      lost: 5n,
      fee: 0n,
      returned: 0n,
      toPowerCompany: 0n,
      toGridAuthority: 5n,
    },
    {
      name: "nothing promised, nothing to do",
      promised: [],
      injected: 1_000,
      deposit: 0,
      parts: [],
      lost: 0n,
      fee: 0n,
      returned: 0n,
      toPowerCompany: 0n,
      toGridAuthority: 0n,
    },
  ];
  test.each(cases)("$name", (each) => {
    const outcome = deliveryOutcome(
      PARAMETERS,
      energies(...each.promised),
      micros(each.deposit),
      wattHours(each.injected),
    );
    expect(outcome.deliveredParts).toEqual(each.parts);
    expect(outcome).toMatchObject({
      promised: BigInt(each.promised.reduce((total, part) => total + part, 0)),
      delivered: sum(each.parts),
      depositLost: each.lost,
      gridFee: each.fee,
      returned: each.returned,
      toPowerCompany: each.toPowerCompany,
      toGridAuthority: each.toGridAuthority,
    });
    expect(outcome.promised).toBe(outcome.delivered + outcome.shortfall);
  });

  test("fees are rounded down, the loss up: once for all promises, not for each", () => {
    // 1.5 micros fee and 900.9 micros emergency price for each watt-hour; 3 of 5 Wh delivered.
    const odd = { emergencyPrice: microsPerKwh(900_900), gridFee: microsPerKwh(1_500) };
    const outcome = deliveryOutcome(odd, energies(1, 1, 1, 1, 1), micros(4_505), wattHours(3));
    // Lost 1801.8 → 1802, fee 4.5 → 4, fee on the shortfall 3.
    expect(outcome).toMatchObject({
      depositLost: 1_802n,
      gridFee: 4n,
      returned: 2_699n,
      toPowerCompany: 1_799n,
      toGridAuthority: 7n,
    });
  });
});

describe("laws of delivery", () => {
  const arbPrices = fc.bigInt({ min: 0n, max: 2_000_000n }).chain((emergencyPrice) =>
    fc.record({
      emergencyPrice: fc.constant(microsPerKwh(emergencyPrice)),
      gridFee: fc.bigInt({ min: 0n, max: emergencyPrice }).map(microsPerKwh),
    }),
  );
  const arbPromised = fc.array(fc.integer({ min: 1, max: 50_000 }), { maxLength: 12 });

  test("money and energy are conserved, and nobody's part is negative", () => {
    fc.assert(
      fc.property(
        arbPrices,
        arbPromised,
        fc.nat({ max: 700_000 }),
        fc.nat({ max: 20 }),
        (prices, promised, injected, extra) => {
          const promises = energies(...promised);
          const deposit = micros(costCeil(wattHours(sum(promised.map(BigInt))), prices.emergencyPrice) + BigInt(extra));
          const outcome = deliveryOutcome(prices, promises, deposit, wattHours(injected));
          const { returned, toPowerCompany, toGridAuthority, delivered, deliveredParts } = outcome;
          expect(returned + toPowerCompany + toGridAuthority).toBe(deposit);
          expect([returned, toPowerCompany, toGridAuthority].every((amount) => amount >= 0n)).toBe(true);
          expect(sum(deliveredParts)).toBe(delivered);
          for (const [index, part] of deliveredParts.entries())
            expect(part >= 0n && part <= BigInt(promised[index] ?? 0)).toBe(true);
          expect(delivered <= wattHours(injected)).toBe(true);
        },
      ),
    );
  });

  test("delivering more never returns less, as long as the fee is below the emergency price", () => {
    fc.assert(
      fc.property(
        arbPrices,
        arbPromised,
        fc.nat({ max: 100_000 }),
        fc.nat({ max: 1_000 }),
        (prices, promised, injected, more) => {
          const deposit = costCeil(wattHours(sum(promised.map(BigInt))), prices.emergencyPrice);
          const less = deliveryOutcome(prices, energies(...promised), deposit, wattHours(injected));
          const greater = deliveryOutcome(prices, energies(...promised), deposit, wattHours(injected + more));
          expect(greater.returned >= less.returned - 1n).toBe(true); // The two roundings may cost one micro.
        },
      ),
    );
  });
});

describe("settlement, worked by hand", () => {
  const me = keyOf("me");
  const other = keyOf("other");
  type Held = Parameters<typeof settlementOutcome>[0]["held"][number];
  const bought = (energy: number, delivered: number): Held => ({
    energy: wattHours(energy),
    supplier: other,
    owner: me,
    delivered: wattHours(delivered),
  });
  const own = (energy: number, delivered: number): Held => ({
    energy: wattHours(energy),
    supplier: me,
    owner: me,
    delivered: wattHours(delivered),
  });
  const cases: readonly {
    readonly name: string;
    readonly produced: number;
    readonly consumed: number;
    readonly delivered?: number;
    readonly held?: readonly Held[];
    readonly feedIn?: number;
    readonly retail?: number;
    readonly used: bigint;
    readonly fed: readonly [energy: bigint, amount: bigint];
    readonly drawn: readonly [energy: bigint, amount: bigint];
    /** At 0.02 per kWh. */
    readonly surplus?: bigint;
  }[] = [
    {
      name: "a consumer without trades",
      produced: 0,
      consumed: 1_400,
      used: 0n,
      fed: [0n, 0n],
      drawn: [1_400n, 420_000n],
    },
    {
      name: "a producer without trades",
      produced: 1_400,
      consumed: 0,
      used: 0n,
      fed: [1_400n, 112_000n],
      drawn: [0n, 0n],
    },
    {
      name: "bought and used in part",
      produced: 0,
      consumed: 1_400,
      held: [bought(1_000, 1_000)],
      used: 1_000n,
      fed: [0n, 0n],
      drawn: [400n, 120_000n],
    },
    {
      name: "bought and used although the supplier failed",
      produced: 0,
      consumed: 1_400,
      held: [bought(1_000, 0)],
      used: 1_000n,
      fed: [0n, 0n],
      drawn: [400n, 120_000n],
    },
    {
      name: "bought and not used: it is fed in, and costs the surplus price",
      produced: 0,
      consumed: 300,
      held: [bought(1_000, 1_000)],
      used: 300n,
      fed: [700n, 56_000n],
      drawn: [0n, 0n],
      surplus: 14_000n,
    },
    {
      name: "bought, not delivered and not used: it costs the surplus price all the same",
      produced: 0,
      consumed: 0,
      held: [bought(1_000, 0)],
      used: 0n,
      fed: [1_000n, 80_000n],
      drawn: [0n, 0n],
      surplus: 20_000n,
    },
    {
      name: "own and bought energy left: only what was bought costs the surplus price",
      produced: 1_800,
      consumed: 300,
      delivered: 1_500,
      held: [own(700, 525), bought(100, 100)],
      used: 0n,
      fed: [625n, 50_000n],
      drawn: [0n, 0n],
      surplus: 2_000n,
    },
    {
      name: "bought although it produces itself",
      produced: 500,
      consumed: 100,
      held: [bought(200, 200)],
      used: 0n,
      fed: [600n, 48_000n],
      drawn: [0n, 0n],
      surplus: 4_000n,
    },
    {
      name: "all sold and delivered",
      produced: 2_000,
      consumed: 0,
      delivered: 2_000,
      used: 0n,
      fed: [0n, 0n],
      drawn: [0n, 0n],
    },
    {
      name: "more injected than delivered on promises",
      produced: 2_500,
      consumed: 0,
      delivered: 2_000,
      used: 0n,
      fed: [500n, 40_000n],
      drawn: [0n, 0n],
    },
    {
      name: "an own promise that was not sold: what was delivered of it",
      produced: 1_800,
      consumed: 300,
      delivered: 1_500,
      held: [own(700, 525)],
      used: 0n,
      fed: [525n, 42_000n],
      drawn: [0n, 0n],
    },
    {
      name: "an own promise that failed gives no right to energy",
      produced: 0,
      consumed: 400,
      held: [own(700, 0)],
      used: 0n,
      fed: [0n, 0n],
      drawn: [400n, 120_000n],
    },
    {
      name: "a negative feed-in price: the member pays, rounded against it",
      produced: 1,
      consumed: 0,
      feedIn: -1_500,
      used: 0n,
      fed: [1n, -2n],
      drawn: [0n, 0n],
    },
    {
      name: "a negative retail price: the member is paid, rounded against it",
      produced: 0,
      consumed: 1,
      retail: -1_500,
      used: 0n,
      fed: [0n, 0n],
      drawn: [1n, -1n],
    },
    {
      name: "odd prices are rounded against the member, once",
      produced: 0,
      consumed: 7,
      held: [bought(4, 4)],
      retail: 333,
      used: 4n,
      fed: [0n, 0n],
      drawn: [3n, 1n],
    },
    { name: "nothing at all", produced: 0, consumed: 0, used: 0n, fed: [0n, 0n], drawn: [0n, 0n] },
  ];
  test.each(cases)(
    "$name",
    ({
      produced,
      consumed,
      delivered = 0,
      held = [],
      feedIn = 80_000,
      retail = 300_000,
      used,
      fed,
      drawn,
      surplus = 0n,
    }) => {
      const outcome = settlementOutcome({
        reading: { produced: wattHours(produced), consumed: wattHours(consumed) },
        delivered: wattHours(delivered),
        held,
        feedIn: microsPerKwh(feedIn),
        retail: microsPerKwh(retail),
        surplusPrice: microsPerKwh(20_000),
      });
      expect(outcome).toEqual({
        used,
        feedInEnergy: fed[0],
        feedInAmount: fed[1],
        retailEnergy: drawn[0],
        retailAmount: drawn[1],
        surplusAmount: surplus,
      });
    },
  );
});

describe("laws of settlement", () => {
  const arbEnergy = fc.nat({ max: 20_000 }).map(wattHours);
  const arbReading = fc.record({ produced: arbEnergy, consumed: arbEnergy });
  const arbPrice = fc.integer({ min: -200_000, max: 600_000 }).map(microsPerKwh);
  const [me, other]: readonly PublicKey[] = [keyOf("me"), keyOf("other")];

  test("a member without promises has the baseline: feed-in and retail alone", () => {
    fc.assert(
      fc.property(arbReading, arbPrice, arbPrice, (reading, feedIn, retail) => {
        const outcome = settlementOutcome({
          reading,
          delivered: wattHours(0),
          held: [],
          feedIn,
          retail,
          surplusPrice: feedIn,
        });
        expect(outcome.feedInAmount).toBe(costFloor(injectedOf(reading), feedIn));
        expect(outcome.retailAmount).toBe(costCeil(withdrawnOf(reading), retail));
        expect(outcome.used).toBe(0n);
        expect(outcome.surplusAmount).toBe(0n);
      }),
    );
  });

  test("energy balances: what came in by meter and by right is delivered, used or fed in, or drawn at retail", () => {
    const arbHeld = fc.array(fc.record({ energy: arbEnergy, isOwn: fc.boolean(), share: fc.nat({ max: 100 }) }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(arbReading, arbHeld, fc.nat({ max: 100 }), (reading, parts, share) => {
        const delivered = wattHours((injectedOf(reading) * BigInt(share)) / 100n);
        const held = parts.map(({ energy, isOwn, share: each }) => ({
          energy,
          supplier: (isOwn ? me : other) as PublicKey,
          owner: me as PublicKey,
          delivered: wattHours((energy * BigInt(each)) / 100n),
        }));
        const right = sum(held.map(({ energy, supplier, delivered: part }) => (supplier === me ? part : energy)));
        const outcome = settlementOutcome({
          reading,
          delivered,
          held,
          feedIn: microsPerKwh(1),
          retail: microsPerKwh(2),
          surplusPrice: microsPerKwh(1_000),
        });
        expect(outcome.feedInEnergy + outcome.used + delivered).toBe(injectedOf(reading) + right);
        expect(outcome.retailEnergy + outcome.used).toBe(withdrawnOf(reading));
        const bought = sum(held.filter(({ supplier }) => supplier !== me).map(({ energy }) => energy));
        expect(outcome.surplusAmount).toBe(bought > outcome.used ? bought - outcome.used : 0n); // One micro for each watt-hour.
      }),
    );
  });

  test("who delivers on promises that it kept has withdrawn nothing: what it bought is unused then", () => {
    fc.assert(
      fc.property(arbReading, arbEnergy, arbEnergy, (reading, kept, bought) => {
        const delivered = injectedOf(reading);
        const outcome = settlementOfRights({
          reading,
          delivered,
          kept: kept < delivered ? kept : delivered,
          bought,
          feedIn: microsPerKwh(1),
          retail: microsPerKwh(2),
          surplusPrice: microsPerKwh(1_000),
        });
        const unused = bought - (bought < withdrawnOf(reading) ? bought : withdrawnOf(reading));
        expect(outcome.surplusAmount).toBe(unused);
      }),
    );
  });

  test("holding more never costs the member where surplus is free, while feed-in is not negative and below retail", () => {
    fc.assert(
      fc.property(
        arbReading,
        arbEnergy,
        arbEnergy,
        fc.nat({ max: 300_000 }),
        fc.nat({ max: 300_000 }),
        (reading, first, second, low, gap) => {
          const net = (energy: bigint): bigint => {
            const held = [
              {
                energy: wattHours(energy),
                supplier: other as PublicKey,
                owner: me as PublicKey,
                delivered: wattHours(0),
              },
            ];
            const outcome = settlementOutcome({
              reading,
              delivered: wattHours(0),
              held,
              feedIn: microsPerKwh(low),
              retail: microsPerKwh(low + gap),
              surplusPrice: microsPerKwh(0),
            });
            return outcome.feedInAmount - outcome.retailAmount;
          };
          expect(net(first + second) >= net(first) - 1n).toBe(true); // The two roundings may cost one micro.
        },
      ),
    );
  });
});
