import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import type { Claims } from "#contracts";
import { localDay, localInstantMs, wattHours, zone } from "#core";
import type { StatementPart } from "#ledger-node";
import { keyOf } from "#testkit";
import { statementFile } from "./statements.ts";

const BERLIN = zone("Europe/Berlin");
const SOLAR: Claims = {
  source: "solar",
  renewable: true,
  origin: "village, north",
  gramsCo2PerKwh: 41,
  certifiedBy: keyOf("agency"),
};

function part(consumed: number, own: number, green: number, grey: number): StatementPart {
  return {
    consumedWh: wattHours(consumed),
    ownWh: wattHours(own),
    sources: [
      { claims: SOLAR, energyWh: wattHours(green) },
      { claims: null, energyWh: wattHours(grey) },
    ],
    lastResortWh: wattHours(consumed - own - green - grey),
  };
}

describe("a monthly statement", () => {
  const first = localInstantMs(BERLIN, localDay("2031-06-01"), 10, 0);
  const hours = [
    { startMs: first, ...part(500, 100, 250, 50) },
    { startMs: first + 3_600_000, ...part(300, 0, 0, 120) },
  ];
  const statement = { slots: 2, hours, ...part(800, 100, 250, 170) };
  const { csv, report } = statementFile({ member: "Flat 7/b", month: "2031-06", statement }, BERLIN, () => "inspector");

  test("has a row for each hour, a column for each source, and the sums", () => {
    expect(parse(csv)).toEqual([
      [
        "hour",
        "consumedWh",
        "ownWh",
        "bought without claims Wh",
        "solar from village, north (certified by inspector) Wh",
        "lastResortWh",
      ],
      ["2031-06-01 10:00", "500", "100", "50", "250", "100"],
      ["2031-06-01 11:00", "300", "0", "120", "0", "180"],
      ["total", "800", "100", "170", "250", "280"],
    ]);
  });

  test("counts as green what is certified as renewable, and has a file name that every system takes", () => {
    expect(report).toEqual({
      member: "Flat 7/b",
      month: "2031-06",
      consumedWh: 800n,
      ownWh: 100n,
      certifiedRenewableWh: 250n,
      otherBoughtWh: 170n,
      lastResortWh: 280n,
      file: "statements/Flat-7-b-2031-06.csv",
    });
  });
});
