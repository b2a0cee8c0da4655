/** The worked example of a delivery in docs/market-rules.md, computed from the numbers that the page gives. */
import { describe, expect, test } from "vitest";
import { deliveryOutcome, settlementOutcome } from "#contracts";
import { costCeil, type MicrosPerKwh, microsPerKwh, toJson, type WattHours, wattHours } from "#core";
import { keyOf } from "#testkit";
import { blocks, section } from "./pages.ts";

const [given = "", delivery = "", settlements = ""] = blocks(
  section("docs/market-rules.md", "Example of a delivery"),
  "json",
);
const page = JSON.parse(given) as {
  readonly emergencyMicrosPerKwh: string;
  readonly gridFeeMicrosPerKwh: string;
  readonly feedInMicrosPerKwh: string;
  readonly retailMicrosPerKwh: string;
  readonly surplusMicrosPerKwh: string;
  /** Of Dia, by owner, in the order in which they are checked. */
  readonly promisesWh: Readonly<Record<string, string>>;
  /** Produced and consumed. */
  readonly metersWh: Readonly<Record<string, readonly [string, string]>>;
};
const price = (text: string): MicrosPerKwh => microsPerKwh(BigInt(text));
const parameters = { emergencyPrice: price(page.emergencyMicrosPerKwh), gridFee: price(page.gridFeeMicrosPerKwh) };
const owners = Object.keys(page.promisesWh);
const promises = owners.map((owner) => ({ energy: wattHours(BigInt(page.promisesWh[owner] ?? "0")) }));
const promised = wattHours(promises.reduce((sum, { energy }) => sum + energy, 0n));
const deposit = costCeil(promised, parameters.emergencyPrice);

function readingOf(member: string): { readonly produced: WattHours; readonly consumed: WattHours } {
  const [produced, consumed] = page.metersWh[member] ?? ["0", "0"];
  return { produced: wattHours(BigInt(produced)), consumed: wattHours(BigInt(consumed)) };
}

const dia = readingOf("Dia");
const outcome = deliveryOutcome(parameters, promises, deposit, wattHours(dia.produced - dia.consumed));

describe("the example of a delivery", () => {
  test("is delivered and paid as the page says", () => {
    const deliveredWh = Object.fromEntries(owners.map((owner, index) => [owner, outcome.deliveredParts[index]]));
    const { depositLost, returned, toPowerCompany, toGridAuthority } = outcome;
    const computed = {
      deliveredWh,
      depositMicros: deposit,
      depositLostMicros: depositLost,
      returnedMicros: returned,
      toPowerCompanyMicros: toPowerCompany,
      toGridAuthorityMicros: toGridAuthority,
    };
    expect(JSON.parse(toJson(computed))).toEqual(JSON.parse(delivery));
    expect(returned + toPowerCompany + toGridAuthority).toBe(deposit);
  });

  test.each(Object.keys(page.metersWh))("is settled for %s as the page says", (member) => {
    const index = owners.indexOf(member);
    const held = {
      supplier: keyOf("Dia"),
      owner: keyOf(member),
      energy: promises[index]?.energy ?? wattHours(0n),
      delivered: outcome.deliveredParts[index] ?? null,
    };
    const settled = settlementOutcome({
      reading: readingOf(member),
      delivered: member === "Dia" ? outcome.delivered : wattHours(0n),
      held: [held],
      feedIn: price(page.feedInMicrosPerKwh),
      retail: price(page.retailMicrosPerKwh),
      surplusPrice: price(page.surplusMicrosPerKwh),
    });
    const { used, feedInEnergy, feedInAmount, retailEnergy, retailAmount, surplusAmount } = settled;
    const computed = {
      usedWh: used,
      feedInWh: feedInEnergy,
      feedInMicros: feedInAmount,
      retailWh: retailEnergy,
      retailMicros: retailAmount,
      surplusMicros: surplusAmount,
    };
    expect(JSON.parse(toJson(computed))).toEqual(
      (JSON.parse(settlements) as Readonly<Record<string, unknown>>)[member],
    );
  });
});
