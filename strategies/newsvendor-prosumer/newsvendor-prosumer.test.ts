import { describe, expect, test } from "vitest";
import { localDay, micros, microsPerKwh, type SlotId, slotStartingAt, slotsOfLocalDay, wattHours } from "#core";
import { evenQuantiles, fakeContextFor, NO_POSITION, StrategyStage, USUAL_RULES } from "#testkit";
import { type NewsvendorProsumerConfig, newsvendorProsumer } from "./index.ts";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 15).map(({ id }) => id);
const at = (hour: number): SlotId => slotStartingAt(NOON + (12 + hour) * 3_600_000, 15).id;
const wh = (energy: number): bigint => wattHours(energy);
const price = (perKwh: number): bigint => microsPerKwh(perKwh);

function stageWith(
  config: Partial<NewsvendorProsumerConfig> = {},
): StrategyStage<NewsvendorProsumerConfig, ReturnType<typeof newsvendorProsumer.initialMemory>> {
  const ctx = fakeContextFor(newsvendorProsumer, config);
  ctx.nowMs = NOON;
  return new StrategyStage(newsvendorProsumer, ctx);
}

describe("the README's example", () => {
  test("day-ahead: promises 79 Wh of an even surplus of 0…1000 Wh, and offers them above feed-in, fee and markup", () => {
    const stage = stageWith();
    stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
    expect(stage.forecast(day, slots)).toEqual([
      { tag: "promise", slotId: at(12), energy: wh(79) },
      { tag: "offer", slotId: at(12), energy: wh(79), limit: price(67_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });

  test("at the gate: the sharper forecast adds 198 Wh, and all of it is offered just above feed-in", () => {
    const stage = stageWith();
    stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
    stage.forecast(day, slots);
    stage.ctx.forecastSurplus(at(12), evenQuantiles(260, 980));
    expect(stage.gate(at(12))).toEqual([
      { tag: "promise", slotId: at(12), energy: wh(198) },
      { tag: "cancel", slotId: at(12) },
      { tag: "offer", slotId: at(12), energy: wh(277), limit: price(61_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });

  test("a need is ordered: 483 Wh of an even need of 0…1000 Wh, at retail less fee and shade", () => {
    const stage = stageWith();
    stage.ctx.forecastSurplus(at(20), evenQuantiles(-950, -50));
    expect(stage.forecast(day, slots)).toEqual([
      { tag: "order", slotId: at(20), energy: wh(483), limit: price(284_000) },
    ]);
  });

  test("at the gate what is bought beyond the shrunken need is sold again", () => {
    const stage = stageWith();
    stage.ctx.positions.set(at(20), { ...NO_POSITION, bought: wattHours(483), held: wattHours(483) });
    stage.ctx.forecastSurplus(at(20), evenQuantiles(-410, -50));
    expect(stage.gate(at(20))).toEqual([{ tag: "offer", slotId: at(20), energy: wh(93), limit: price(84_000) }]);
  });
});

describe("when the forecast falls below what is sold", () => {
  const sold = { promised: wattHours(500), sold: wattHours(500) };

  test("covers at once with what it holds, and orders the rest", () => {
    const stage = stageWith();
    const bought = wattHours(200);
    stage.ctx.positions.set(at(12), { ...NO_POSITION, ...sold, bought, held: bought, coverable: bought });
    stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950)); // A third of it is 333 Wh.
    expect(stage.gate(at(12))).toEqual([
      { tag: "cover", slotId: at(12), energy: wh(166) },
      { tag: "offer", slotId: at(12), energy: wh(34), limit: price(84_000) }, // Not needed for that either.
    ]);
    const short = stageWith();
    short.ctx.positions.set(at(12), { ...NO_POSITION, ...sold, bought, held: bought, coverable: bought });
    short.ctx.forecastSurplus(at(12), evenQuantiles(5, 95)); // 33 Wh.
    expect(short.gate(at(12))).toEqual([
      { tag: "cover", slotId: at(12), energy: wh(200) },
      { tag: "order", slotId: at(12), energy: wh(266), limit: price(296_000) },
    ]);
    short.poolRound(at(12), microsPerKwh(100_000), 1);
    expect(short.ctx.position(at(12))).toMatchObject({ promised: 34n, sold: 34n, bought: 0n });
    expect([...stage.violations, ...short.violations]).toEqual([]);
  });

  test("keeps what its own load will draw", () => {
    const stage = stageWith();
    const bought = wattHours(400);
    stage.ctx.positions.set(at(12), { ...NO_POSITION, ...sold, bought, held: bought, coverable: bought });
    stage.ctx.forecastSurplus(at(12), evenQuantiles(-950, -50));
    // All of the 500 Wh should be covered; but 400 Wh are less than what it will draw.
    const intents = stage.gate(at(12));
    expect(intents.map(({ tag }) => tag)).toEqual(["order", "order"]);
    expect(intents[0]).toEqual({ tag: "order", slotId: at(12), energy: wh(500), limit: price(296_000) });
    expect(stage.violations).toEqual([]);
  });
});

test("asked again, it adds nothing: what is promised and ordered already counts", () => {
  const stage = stageWith();
  stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
  stage.ctx.forecastSurplus(at(20), evenQuantiles(-950, -50));
  expect(stage.forecast(day, slots).length).toBe(3);
  expect(stage.forecast(day, slots)).toEqual([]);
});

test("promises less of an hour that did not sell, and in the end next to nothing", () => {
  const promisedAfter = (failures: number): bigint => {
    const stage = stageWith();
    for (let count = 0; count <= failures; count++) {
      stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
      stage.forecast(day, slots);
      if (count === failures) break;
      stage.gate(at(12));
      stage.deliver(at(12), wattHours(100)); // No round has taken anything.
    }
    expect(stage.violations).toEqual([]);
    return stage.ctx.position(at(12)).promised;
  };
  expect(promisedAfter(0)).toBe(79n);
  expect(promisedAfter(4)).toBeGreaterThan(0n);
  expect(promisedAfter(4)).toBeLessThan(60n);
  expect(promisedAfter(200)).toBeLessThan(15n);
});

test("where funds do not back everything, the slots with the greatest gain come first", () => {
  const stage = stageWith({ fundsReservePercent: 0 });
  stage.ctx.freeFunds = micros(400_000n); // backs 500 Wh
  stage.ctx.forecastSurplus(at(10), evenQuantiles(50, 950)); // vague
  stage.ctx.forecastSurplus(at(14), evenQuantiles(450, 468)); // all but sure
  stage.forecast(day, slots);
  expect(stage.ctx.position(at(14)).promised).toBe(450n);
  expect(stage.ctx.position(at(10)).promised).toBe(50n);
  expect(stage.violations).toEqual([]);
});

test("weighs a shortfall as its owner wants", () => {
  const promised = (penaltyWeightPercent: number): bigint => {
    const stage = stageWith({ penaltyWeightPercent });
    stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
    stage.forecast(day, slots);
    return stage.ctx.position(at(12)).promised;
  };
  // 57 500 / (1 600 000 − 77 500) is below the first level: 50 less a tail of 20. 57 500 / (400 000 − 77 500) is 0.178.
  expect(promised(200)).toBe(29n);
  expect(promised(50)).toBe(178n);
});

test("a battery, if there is one, keeps still while something is promised", () => {
  const stage = stageWith();
  stage.ctx.batteryState = { capacityWh: 5_000, powerW: 3_000, roundTripEfficiency: 0.9, storedWh: 1_000 };
  stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
  stage.ctx.forecastSurplus(at(20), evenQuantiles(-950, -50));
  expect(stage.gate(at(12)).at(-1)).toEqual({ tag: "charge-battery", slotId: at(12), energyWh: 0 });
  expect(stage.gate(at(20)).map(({ tag }) => tag)).toEqual(["order"]);
});

test("stays out where forecast or tariff are missing", () => {
  const stage = stageWith();
  expect(stage.forecast(day, slots)).toEqual([]);
  expect(stage.gate(at(12))).toEqual([]);
  stage.ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
  stage.ctx.usualTariff = undefined;
  expect(stage.forecast(day, slots)).toEqual([]);
  expect(stage.gate(at(12))).toEqual([]);
});
