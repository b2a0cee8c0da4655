/** Laws that hold for every built-in strategy, whatever happens to it. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { localDay, micros, microsPerKwh, type SlotId, seededPrng, slotsOfLocalDay, wattHours } from "#core";
import { builtInStrategies, type Intent, type PoolResult, type Strategy } from "#strategies";
import { evenQuantiles, fakeContextFor, StrategyStage, USUAL_RULES } from "#testkit";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 60).map(({ id }) => id);

/** A world that a member finds itself in; everything in it may be awkward. */
type World = {
  readonly fundsMicros: number;
  readonly capacityWh: number;
  readonly promiseMinWh: number;
  readonly promiseMaxWh: number;
  readonly capWh: number | undefined;
  readonly feedIn: number;
  readonly retailGap: number;
  readonly emergencyPrice: number;
  readonly surplusPrice: number;
  readonly pastPrice: number;
  readonly spread: number;
  readonly batteryWh: number;
};
type Event = {
  readonly kind: (typeof KINDS)[number];
  readonly slot: number;
  readonly size: number;
  readonly share: number;
};
const KINDS = [
  "forecast",
  "gate",
  "poolRound",
  "poolsCleared",
  "openAuction",
  "outbid",
  "endAuction",
  "deliver",
  "battery",
] as const;

const arbWorld: fc.Arbitrary<World> = fc.record({
  fundsMicros: fc.oneof(fc.integer({ min: 0, max: 3_000_000 }), fc.constant(1_000_000_000)),
  capacityWh: fc.constantFrom(0, 40, 1_000, 100_000),
  promiseMinWh: fc.constantFrom(0, 1, 50),
  promiseMaxWh: fc.constantFrom(49, 300, 1_000_000),
  capWh: fc.constantFrom(undefined, 0, 700, 5_000),
  feedIn: fc.constantFrom(-20_000, 0, 60_000),
  retailGap: fc.constantFrom(-10_000, 0, 1, 240_000, 480_000),
  emergencyPrice: fc.constantFrom(0, 100_000, 800_000),
  surplusPrice: fc.constantFrom(0, 20_000, 400_000),
  pastPrice: fc.integer({ min: 0, max: 500_000 }),
  spread: fc.integer({ min: -60_000, max: 200_000 }),
  batteryWh: fc.constantFrom(0, 500, 6_000),
});
const arbEvents = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    slot: fc.nat(23),
    size: fc.nat(3_000),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 30 },
);

function pastRounds({ pastPrice, spread }: World): readonly PoolResult[] {
  return Array.from({ length: 10 }, (_, index) => 10 - index).flatMap((ago) =>
    slotsOfLocalDay(USUAL_RULES.timeZone, localDay("2031-06-11"), 60).flatMap(({ startMs }) => {
      const start = startMs - (ago + 1) * 86_400_000;
      const slotId = slotIdAt(start);
      const volume = wattHours(4_000);
      return [
        { slotId, clearedAtMs: start - 12 * 3_600_000, price: microsPerKwh(pastPrice), volume },
        { slotId, clearedAtMs: start - 600_000, price: microsPerKwh(pastPrice + spread), volume },
      ];
    }),
  );
}

function slotIdAt(startMs: number): SlotId {
  return `${new Date(startMs).toISOString().slice(0, 16)}Z/PT60M` as SlotId;
}

function stageIn(world: World, strategy: Strategy, seed: number): StrategyStage<unknown, unknown> {
  const ctx = fakeContextFor(strategy, exploring(strategy));
  ctx.nowMs = NOON;
  ctx.rng = seededPrng(seed, "rules");
  ctx.freeFunds = micros(world.fundsMicros);
  ctx.member = {
    ...ctx.member,
    capacityPerSlot: wattHours(world.capacityWh),
    speculatorCapPerSlot: world.capWh === undefined ? undefined : wattHours(world.capWh),
  };
  ctx.rules = {
    ...ctx.rules,
    slotMinutes: 60,
    promiseMin: wattHours(world.promiseMinWh),
    promiseMax: wattHours(world.promiseMaxWh),
    emergencyPrice: microsPerKwh(world.emergencyPrice),
    surplusPrice: microsPerKwh(world.surplusPrice),
  };
  ctx.usualTariff = { feedIn: microsPerKwh(world.feedIn), retail: microsPerKwh(world.feedIn + world.retailGap) };
  ctx.results = pastRounds(world);
  if (world.batteryWh > 0)
    ctx.batteryState = {
      capacityWh: world.batteryWh,
      powerW: 2_000,
      roundTripEfficiency: 0.9,
      storedWh: world.batteryWh / 2,
    };
  slots.forEach((slotId, index) => {
    ctx.forecastSurplus(slotId, evenQuantiles(-1_000 + 60 * index, 50 * index));
  });
  return new StrategyStage(strategy, ctx);
}

/** Strategies that stay out by default are made to trade. */
function exploring(strategy: Strategy): Readonly<Record<string, unknown>> {
  return strategy.name === "speculator" ? { explorationWh: 100 } : {};
}

function play(stage: StrategyStage<unknown, unknown>, { kind, slot, size, share }: Event): readonly Intent[] {
  const { ctx } = stage;
  const slotId = slots[slot] ?? slots[0];
  const auctionId = ctx.auctions[slot % Math.max(1, ctx.auctions.length)]?.auctionId;
  if (slotId === undefined) return [];
  switch (kind) {
    case "forecast":
      ctx.forecastSurplus(slotId, evenQuantiles(-size, size * share));
      return stage.forecast(day, slots);
    case "gate":
      ctx.forecastSurplus(slotId, evenQuantiles(size * share - 1_500, size - 1_500 + 1));
      return stage.gate(slotId);
    case "poolRound":
      stage.poolRound(slotId, microsPerKwh(size * 100), share);
      return [];
    case "poolsCleared":
      return stage.poolsCleared(day, slots);
    case "openAuction":
      return stage.openAuction(
        slotId,
        wattHours(size + 1),
        microsPerKwh(Math.round(share * 200_000)),
        NOON + 1_800_000,
      );
    case "outbid":
      return auctionId === undefined ? [] : stage.outbid(auctionId, BigInt(size + 1));
    case "endAuction":
      return auctionId === undefined ? [] : stage.endAuction(auctionId);
    case "deliver":
      if (ctx.auctions.every((auction) => auction.slotId !== slotId)) stage.deliver(slotId, wattHours(size));
      return [];
    case "battery":
      if (ctx.batteryState !== undefined)
        ctx.batteryState = { ...ctx.batteryState, storedWh: share * ctx.batteryState.capacityWh };
      return [];
  }
}

describe.each([...builtInStrategies.values()].map((strategy) => ({ name: strategy.name, strategy })))(
  "$name",
  ({ strategy }) => {
    test("breaks no rule, whatever happens: capacity, holdings, funds, cap, retail, itself", () => {
      fc.assert(
        fc.property(arbWorld, arbEvents, (world, events) => {
          const stage = stageIn(world, strategy, 1);
          const intents = [...stage.forecast(day, slots), ...events.flatMap((event) => play(stage, event))];
          expect(stage.violations).toEqual([]);
          for (const intent of intents) if ("energy" in intent) expect(intent.energy > 0n).toBe(true);
        }),
        { numRuns: 50 },
      );
    });

    test("does the same in the same context", () => {
      fc.assert(
        fc.property(arbWorld, arbEvents, fc.nat(), (world, events, seed) => {
          const [first, second] = [stageIn(world, strategy, seed), stageIn(world, strategy, seed)].map((stage) => [
            stage.forecast(day, slots),
            ...events.map((event) => play(stage, event)),
          ]);
          expect(first).toEqual(second);
        }),
        { numRuns: 15 },
      );
    });

    test("goes on after a restart as if there had been none: its memory is plain JSON", () => {
      fc.assert(
        fc.property(arbWorld, arbEvents, (world, events) => {
          const [whole, restarted] = [stageIn(world, strategy, 1), stageIn(world, strategy, 1)];
          for (const event of events) {
            const intents = play(whole, event);
            restarted.ctx.memory = JSON.parse(JSON.stringify(restarted.ctx.memory));
            expect(play(restarted, event)).toEqual(intents);
          }
        }),
        { numRuns: 15 },
      );
    });

    test("its configuration has a default for every key and refuses others", () => {
      const defaults = strategy.config.safeParse({});
      expect(defaults.success).toBe(true);
      expect(strategy.config.safeParse({ ...(defaults.data as object), misspelt: 1 }).success).toBe(false);
    });
  },
);

test("every strategy that trades has traded in the worlds above", () => {
  const traded = new Set<string>();
  for (const strategy of builtInStrategies.values()) {
    const world: World = {
      fundsMicros: 1_000_000_000,
      capacityWh: 100_000,
      promiseMinWh: 1,
      promiseMaxWh: 1_000_000,
      capWh: 5_000,
      feedIn: 60_000,
      retailGap: 240_000,
      emergencyPrice: 800_000,
      surplusPrice: 0,
      pastPrice: 120_000,
      spread: 60_000,
      batteryWh: 500,
    };
    if (stageIn(world, strategy, 1).forecast(day, slots).length > 0) traded.add(strategy.name);
  }
  expect([...traded]).toEqual([...builtInStrategies.keys()].filter((name) => name !== "null-strategy"));
});

test("the stage itself sees what breaks a rule", () => {
  const slotId = slots[0] ?? never();
  const broken = (intent: Intent): string => {
    const ctx = fakeContextFor(builtInStrategies.get("null-strategy") ?? never());
    ctx.nowMs = NOON;
    ctx.member = { ...ctx.member, capacityPerSlot: wattHours(500), speculatorCapPerSlot: wattHours(100) };
    const stage = new StrategyStage(builtInStrategies.get("null-strategy") ?? never(), ctx);
    stage.carryOut([intent]);
    return stage.violations[0]?.split(":")[0] ?? "nothing";
  };
  const limit = microsPerKwh(100_000);
  expect(broken({ tag: "promise", slotId, energy: wattHours(501) })).toBe("promises are within capacity");
  expect(broken({ tag: "promise", slotId, energy: wattHours(9) })).toBe("a promise is neither too small nor too large");
  expect(broken({ tag: "offer", slotId, energy: wattHours(1), limit })).toBe("not more is offered than is held");
  expect(broken({ tag: "order", slotId, energy: wattHours(101), limit })).toBe(
    "purchases are within the speculator's cap",
  );
  expect(broken({ tag: "order", slotId, energy: wattHours(10), limit: microsPerKwh(296_001) })).toBe(
    "nobody pays more than retail",
  );
  expect(broken({ tag: "charge-battery", slotId, energyWh: 1 })).toBe("there is a battery");
  expect(broken({ tag: "order", slotId, energy: wattHours(10), limit })).toBe("nothing");
});

function never(): never {
  throw new Error("it is there");
}
