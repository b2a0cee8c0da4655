import { expect, test } from "vitest";
import { localDay, type SlotId, slotStartingAt, wattHours } from "#core";
import { evenQuantiles, fakeContextFor, StrategyStage } from "#testkit";
import { type DoublePromiserConfig, doublePromiser } from "./index.ts";

const slotId: SlotId = slotStartingAt(Date.parse("2031-06-11T12:00:00Z"), 15).id;

function promised(config: Partial<DoublePromiserConfig>, capacityWh = 1_000_000): bigint {
  const ctx = fakeContextFor(doublePromiser, config);
  ctx.member = { ...ctx.member, capacityPerSlot: wattHours(capacityWh) };
  ctx.forecastSurplus(slotId, evenQuantiles(50, 950));
  const stage = new StrategyStage(doublePromiser, ctx);
  const intents = [
    ...stage.forecast(localDay("2031-06-11"), [slotId]),
    ...stage.forecast(localDay("2031-06-11"), [slotId]),
    ...stage.gate(slotId),
  ];
  expect(intents.every(({ tag }) => tag === "promise")).toBe(true);
  expect(stage.violations).toEqual([]);
  return ctx.position(slotId).promised;
}

test("promises twice the median, once, and offers nothing", () => {
  expect(promised({})).toBe(1_000n);
});

test("by configuration: another factor, the highest quantile", () => {
  expect(promised({ factor: 3 })).toBe(1_500n);
  expect(promised({ basis: "maximum" })).toBe(1_900n);
});

test("capacity holds for it too", () => {
  expect(promised({}, 700)).toBe(700n);
});
