import { describe, expect, test } from "vitest";
import { microsPerKwh, wattHours } from "#core";
import { sampleRun } from "../../scripts/sample-report.ts";
import type { ForecastReport, RunReport } from "./model.ts";
import {
  byCountFalling,
  divideNearest,
  forecastByKind,
  gainPerTradedKwh,
  meanPriceOf,
  membersByRole,
  partiesOf,
  sumOfMembers,
  worstForecast,
} from "./summary.ts";

const { report } = sampleRun({ members: 7, days: 1 });

function series(
  name: string,
  kind: ForecastReport["kind"],
  n: number,
  nMAE: number,
  skill: number | null,
): ForecastReport {
  return { name, kind, n, nMAE, pinball: nMAE / 2, coverage80: 80, skillVsPersistence: skill };
}

describe("what a run comes to", () => {
  test("members with a strategy trade, the best first; the others serve", () => {
    const { traders, services } = partiesOf(report);
    expect(traders).toHaveLength(7);
    expect(services.map((member) => member.name)).toEqual(["power-company", "marketplace"]);
    for (const [index, member] of traders.entries())
      expect(member.gainMicros).toBeLessThanOrEqual(traders[index - 1]?.gainMicros ?? 2n ** 63n);
  });

  test("the sums by role are the sum of all", () => {
    const { traders } = partiesOf(report);
    const groups = membersByRole(traders).map((group) => sumOfMembers(group.members));
    expect(groups.reduce((sum, group) => sum + group.gainMicros, 0n)).toBe(report.money.gainMicros);
    expect(groups.reduce((sum, group) => sum + group.count, 0)).toBe(7);
  });

  test("the mean price weighs each slot by its volume", () => {
    const [first] = report.timeline;
    if (first === undefined) throw new Error("the sample has slots");
    const slot = (traded: number, price: number | null): (typeof report.timeline)[number] => ({
      ...first,
      tradedWh: wattHours(traded),
      priceMicrosPerKwh: price === null ? null : microsPerKwh(price),
    });
    const priced = (timeline: RunReport["timeline"]): bigint | null => meanPriceOf({ ...report, timeline });
    expect(priced([slot(1_000, 100_000), slot(3_000, 200_000), slot(0, null)])).toBe(175_000n);
    expect(priced([slot(1, -3), slot(1, -4)])).toBe(-4n); // -3.5, half away from zero
    expect(priced([slot(0, null)])).toBeNull();
    expect(priced([])).toBeNull();
  });

  test("the gain of a traded kWh", () => {
    const energy = { ...report.energy, tradedWh: wattHours(4_000) };
    const money = { ...report.money, gainMicros: report.money.gainMicros };
    expect(gainPerTradedKwh({ ...report, energy, money })).toBe(divideNearest(money.gainMicros, 4n));
    expect(gainPerTradedKwh({ ...report, energy: { ...energy, tradedWh: wattHours(0) } })).toBeNull();
  });
});

describe("forecasts", () => {
  test("scores of a kind are weighted by readings; a series without persistence counts for the rest only", () => {
    const sums = forecastByKind([
      series("a", "pv", 100, 4, 10),
      series("b", "pv", 300, 8, null),
      series("c", "load", 5, 20, null),
    ]);
    expect(sums).toEqual([
      { kind: "pv", series: 2, n: 400, nMAE: 7, pinball: 3.5, coverage80: 80, skillVsPersistence: 10 },
      { kind: "load", series: 1, n: 5, nMAE: 20, pinball: 10, coverage80: 80, skillVsPersistence: null },
    ]);
    expect(forecastByKind([])).toEqual([]);
  });

  test("the worst is the one that beats persistence by least, else the one with the greatest error", () => {
    expect(worstForecast([series("a", "pv", 1, 99, 5), series("b", "pv", 1, 1, -2)])?.name).toBe("b");
    expect(worstForecast([series("a", "pv", 1, 99, null), series("b", "pv", 1, 1, 3)])?.name).toBe("b");
    expect(worstForecast([series("a", "pv", 1, 99, null), series("b", "pv", 1, 1, null)])?.name).toBe("a");
    expect(worstForecast([])).toBeUndefined();
  });
});

test("counts fall, equal ones by name, and noughts are left out", () => {
  expect(byCountFalling({ b: 2, c: 9, a: 2, d: 0 })).toEqual([
    ["c", 9],
    ["a", 2],
    ["b", 2],
  ]);
});
