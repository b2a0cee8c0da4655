import { describe, expect, test } from "vitest";
import {
  localDay,
  type MicrosPerKwh,
  microsPerKwh,
  type SlotId,
  slotStartingAt,
  slotsOfLocalDay,
  type WattHours,
  wattHours,
} from "#core";
import { evenQuantiles, fakeContextFor, StrategyStage, USUAL_RULES } from "#testkit";
import { newsvendorProsumer } from "../newsvendor-prosumer/index.ts";
import { type StorageArbitrageConfig, type StorageArbitrageMemory, storageArbitrage } from "./index.ts";

const NOON = Date.parse("2031-06-10T12:00:00Z");
const HOUR = 3_600_000;
const day = localDay("2031-06-11");
const slots: readonly SlotId[] = slotsOfLocalDay(USUAL_RULES.timeZone, day, 60).map(({ id }) => id);
const at = (hour: number): SlotId => slotStartingAt(NOON + (12 + hour) * HOUR, 60).id;
const wh = (energy: number): WattHours => wattHours(energy);
const price = (perKwh: number): MicrosPerKwh => microsPerKwh(perKwh);
const sure = (surplusWh: number): readonly number[] => new Array<number>(19).fill(surplusWh);

type Stage = StrategyStage<StorageArbitrageConfig, StorageArbitrageMemory>;

/** An empty battery of 2 kWh and 1 kW with 81 % round trip; retail is 0.10 at 2 o'clock and 0.40 at 19 o'clock. */
function stageWith(config: Partial<StorageArbitrageConfig> = {}): Stage {
  const ctx = fakeContextFor(storageArbitrage, { gridSteps: 20, wearMicrosPerKwh: 0, ...config });
  ctx.nowMs = NOON;
  ctx.rules = { ...ctx.rules, slotMinutes: 60 };
  ctx.batteryState = { capacityWh: 2_000, powerW: 1_000, roundTripEfficiency: 0.81, storedWh: 0 };
  ctx.tariffs.set(at(2), { feedIn: price(60_000), retail: price(100_000) });
  ctx.tariffs.set(at(19), { feedIn: price(60_000), retail: price(400_000) });
  return new StrategyStage(storageArbitrage, ctx);
}

describe("the README's example", () => {
  test("where promises hardly sell, it charges at night what the evening needs, and orders it at the night's limit", () => {
    const stage = stageWith({ saleChancePriorPercent: 10 });
    stage.ctx.forecastSurplus(at(2), sure(0));
    stage.ctx.forecastSurplus(at(19), sure(-720));
    expect(stage.forecast(day, slots)).toEqual([
      { tag: "charge-battery", slotId: at(2), energyWh: 888 },
      { tag: "order", slotId: at(2), energy: wh(888), limit: price(94_000) },
    ]);
    expect(stage.violations).toEqual([]);
    // In the evening the battery serves the need by itself: no plan, nothing to order.
    expect(stage.ctx.memory.plans[at(19)]).toMatchObject({ chargeWh: -720, isFixed: false });
  });

  test("where they sell, and without a need of its own, it promises what the battery will surely deliver", () => {
    const stage = stageWith();
    stage.ctx.forecastSurplus(at(2), sure(0));
    stage.ctx.forecastSurplus(at(19), sure(0));
    expect(stage.forecast(day, slots)).toEqual([
      { tag: "charge-battery", slotId: at(2), energyWh: 1_000 },
      { tag: "charge-battery", slotId: at(19), energyWh: -810 },
      { tag: "promise", slotId: at(19), energy: wh(810) },
      { tag: "order", slotId: at(2), energy: wh(1_000), limit: price(94_000) },
      { tag: "offer", slotId: at(19), energy: wh(810), limit: price(67_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });
});

test("own use comes first: a dear hour's need is served before anything is promised", () => {
  const stage = stageWith();
  stage.ctx.batteryState = { capacityWh: 2_000, powerW: 1_000, roundTripEfficiency: 0.81, storedWh: 1_000 };
  stage.ctx.forecastSurplus(at(18), sure(0)); // Sold here, retail 0.30
  stage.ctx.forecastSurplus(at(19), sure(-900)); // Needed here, retail 0.40
  const intents = stage.forecast(day, slots);
  expect(intents.filter(({ tag }) => tag === "promise" || tag === "offer")).toEqual([]);
  expect(stage.ctx.memory.plans[at(19)]?.chargeWh).toBe(-900);
});

test("stores its own surplus rather than feeding it in, and buys nothing for it", () => {
  const stage = stageWith();
  stage.ctx.usualTariff = { feedIn: price(60_000), retail: price(300_000) };
  stage.ctx.forecastSurplus(at(12), evenQuantiles(-50, 1_050)); // too vague to sell
  stage.ctx.forecastSurplus(at(19), sure(-800));
  const intents = stage.forecast(day, slots);
  expect(stage.ctx.memory.plans[at(12)]?.chargeWh).toBeGreaterThan(400);
  expect(intents.filter((intent) => intent.tag === "order" && intent.slotId === at(19))).toEqual([]);
  expect(stage.violations).toEqual([]);
});

describe("without a battery", () => {
  test("it does what the newsvendor-prosumer does", () => {
    const stage = stageWith();
    const other = fakeContextFor(newsvendorProsumer);
    other.nowMs = NOON;
    other.rules = stage.ctx.rules;
    stage.ctx.batteryState = undefined;
    for (const ctx of [stage.ctx, other]) {
      ctx.forecastSurplus(at(12), evenQuantiles(50, 950));
      ctx.forecastSurplus(at(20), evenQuantiles(-950, -50));
    }
    const intents = stage.forecast(day, slots);
    expect(intents.length).toBe(3);
    expect(intents).toEqual(newsvendorProsumer.onForecast?.(other, { day, slotIds: slots }));
    expect(stage.poolsCleared(day, slots)).toEqual([]);
  });
});

/** The second example's morning after: the night's order was filled or not, the battery has `storedWh`, the gate of 19 o'clock is near. */
function eveningWith(storedWh: number, surplusWh: number): Stage {
  const stage = stageWith();
  stage.ctx.forecastSurplus(at(2), sure(0));
  stage.ctx.forecastSurplus(at(19), sure(0));
  stage.forecast(day, slots);
  stage.poolRound(at(19), price(200_000), 1);
  stage.poolsCleared(day, slots);
  stage.ctx.nowMs = NOON + 31 * HOUR - 600_000;
  stage.ctx.batteryState = { capacityWh: 2_000, powerW: 1_000, roundTripEfficiency: 0.81, storedWh };
  stage.ctx.forecastSurplus(at(19), sure(surplusWh));
  return stage;
}

describe("at the gate", () => {
  test("delivers what is promised and promises no more than the battery holds", () => {
    const stage = eveningWith(950, 0);
    const intents = stage.gate(at(19));
    // 950 stored give 855 Wh; 810 are sold already.
    expect(intents).toEqual([
      { tag: "charge-battery", slotId: at(19), energyWh: -855 },
      { tag: "promise", slotId: at(19), energy: wh(45) },
      { tag: "offer", slotId: at(19), energy: wh(45), limit: price(61_000) },
    ]);
    expect(stage.violations).toEqual([]);
  });

  test("with less in the battery than planned it gives all it has and promises nothing more", () => {
    const stage = eveningWith(500, 0);
    expect(stage.gate(at(19))).toEqual([{ tag: "charge-battery", slotId: at(19), energyWh: -450 }]);
  });

  test("a need of its own does not break the promise: the battery gives more", () => {
    const stage = eveningWith(1_100, -100);
    const [plan] = stage.gate(at(19));
    expect(plan).toMatchObject({ tag: "charge-battery", energyWh: -990 }); // 810 promised, 100 needed, the rest sold
    expect(stage.ctx.position(at(19)).promised).toBe(810n + 80n);
    expect(stage.violations).toEqual([]);
  });

  test.each([
    ["at the running slot's start", 1_000],
    ["in the midst of it", 800],
    ["at its end", 500],
  ])("counts what the running slot will still take out of the battery, read %s", (_case, storedWh) => {
    const stage = eveningWith(storedWh, 0);
    stage.ctx.memory.plans[at(18)] = { chargeWh: -450, isFixed: true, startWh: 1_000, values: [] };
    expect(stage.gate(at(19))).toEqual([{ tag: "charge-battery", slotId: at(19), energyWh: -450 }]);
  });
});

test("after the day-ahead round it plans again around what it has bought", () => {
  const stage = stageWith({ saleChancePriorPercent: 10 });
  stage.ctx.forecastSurplus(at(2), sure(0));
  stage.ctx.forecastSurplus(at(19), sure(-720));
  stage.forecast(day, slots);
  // Both hours' needs are bought at once: nothing is left to carry over.
  stage.ctx.positions.set(at(19), { ...stage.ctx.position(at(19)), bought: wh(720), held: wh(720) });
  const intents = stage.poolsCleared(day, slots);
  expect(intents).toEqual([{ tag: "charge-battery", slotId: at(2), energyWh: 0 }]);
});

test("its memory is plain JSON and holds no slot that is over", () => {
  const stage = stageWith();
  for (const slotId of slots) stage.ctx.forecastSurplus(slotId, evenQuantiles(-400, 400));
  stage.forecast(day, slots);
  stage.gate(at(0));
  expect(JSON.parse(JSON.stringify(stage.ctx.memory))).toEqual(stage.ctx.memory);
  expect(Object.keys(stage.ctx.memory.plans).length).toBe(24);
  stage.ctx.nowMs += 2 * 24 * HOUR;
  stage.forecast(localDay("2031-06-13"), []);
  expect(stage.ctx.memory.plans).toEqual({});
});
