/** The worked examples of margins and curtailment in docs/market-rules.md, computed from the numbers that the page gives. */
import { expect, test } from "vitest";
import { curtailmentOutcome, depositAfterCut, marginAfterSlot, marginNeeded, settlementOfRights } from "#contracts";
import { costCeil, type Micros, microsPerKwh, NO_ENERGY, toJson, type WattHours, wattHours } from "#core";
import { promise, SLOT } from "#testkit";
import { blocks, section } from "./pages.ts";

function pageOf<T>(heading: string): T {
  const [given = ""] = blocks(section("docs/market-rules.md", heading), "json");
  return JSON.parse(given) as T;
}

const energyOf = (text: string | undefined): WattHours => wattHours(BigInt(text ?? "0"));

test("the example of a margin is locked, released and paid as the page says", () => {
  const page = pageOf<{
    readonly surplusMicrosPerKwh: string;
    readonly feedInMicrosPerKwh: string;
    readonly biddingWh: readonly [string, string];
    readonly keptWh: string;
  }>("Example of a margin");
  const surplusPrice = microsPerKwh(BigInt(page.surplusMicrosPerKwh));
  const needed = (first: WattHours, second: WattHours): Micros =>
    marginNeeded(
      [first, second].map((energy) => ({ bought: NO_ENERGY, bidding: energy })),
      surplusPrice,
    );
  const [first, second] = page.biddingWh.map(energyOf) as [WattHours, WattHours];
  const kept = energyOf(page.keptWh);
  const locked = needed(first, second);
  const afterSale = needed(kept, second);
  const { feedInAmount, surplusAmount } = settlementOfRights({
    reading: { produced: NO_ENERGY, consumed: NO_ENERGY },
    delivered: NO_ENERGY,
    kept: NO_ENERGY,
    bought: kept,
    feedIn: microsPerKwh(BigInt(page.feedInMicrosPerKwh)),
    retail: surplusPrice,
    surplusPrice,
  });
  const use = marginAfterSlot(afterSale, needed(NO_ENERGY, second), surplusAmount - feedInAmount);
  const computed = {
    ...page,
    lockedMicros: locked,
    neededMicros: afterSale,
    releasedMicros: locked - afterSale,
    settlement: {
      feedInMicros: feedInAmount,
      surplusMicros: surplusAmount,
      paidMicros: use.paid,
      returnedMicros: use.returned,
      lockedMicros: use.kept,
    },
  };
  expect(JSON.parse(toJson(computed))).toEqual(page);
});

test("the example of a curtailment is cut and paid back as the page says", () => {
  const page = pageOf<{
    readonly emergencyMicrosPerKwh: string;
    readonly capWh: string;
    readonly soldWh: string;
    readonly unsoldWh: Readonly<Record<string, string>>;
  }>("Example of a curtailment");
  const rules = { emergencyPrice: microsPerKwh(BigInt(page.emergencyMicrosPerKwh)) };
  const sold = energyOf(page.soldWh);
  const unsold = Object.entries(page.unsoldWh).map(([name, energy]) =>
    promise(name.split(",")[0] ?? "", BigInt(energy), { promiseId: name }),
  );
  const all = wattHours(unsold.reduce((sum, { energy }) => sum + energy, sold as bigint));
  const outcome = curtailmentOutcome(SLOT, energyOf(page.capWh), all, unsold);
  const deposits = ["Dia", "Eli"].map((name) => {
    const own = unsold.filter(({ promiseId }) => promiseId.startsWith(name));
    const promised = wattHours(own.reduce((sum, { energy }) => sum + energy, name === "Dia" ? (sold as bigint) : 0n));
    const cut = outcome.cutOf.get(own[0]?.supplier ?? promise(name, 1).supplier) ?? NO_ENERGY;
    const locked = costCeil(promised, rules.emergencyPrice);
    return [name, [locked, depositAfterCut(rules, locked, cut, promised)]] as const;
  });
  const computed = {
    ...page,
    leftWh: Object.fromEntries(outcome.promises.map(({ promiseId, energy }) => [promiseId, energy])),
    depositMicros: Object.fromEntries(deposits),
  };
  expect(JSON.parse(toJson(computed))).toEqual(page);
});
