/** The worked example of a cover in docs/market-rules.md, computed from the numbers that the page gives. */
import { expect, test } from "vitest";
import { chooseCovers, deliveryOutcome, type PowerPromise, substitutionOutcome } from "#contracts";
import { costCeil, micros, microsPerKwh, sumEnergy, toJson, unwrap, wattHours } from "#core";
import { keyOf, promise, SLOT } from "#testkit";
import { blocks, section } from "./pages.ts";

const [given = "", expected = ""] = blocks(section("docs/market-rules.md", "Example of a cover"), "json");
const page = JSON.parse(given) as {
  readonly emergencyMicrosPerKwh: string;
  readonly supplier: string;
  readonly coverWh: string;
  readonly injectedWh: string;
  /** By promise id and holder. */
  readonly promisesWh: Readonly<Record<string, string>>;
};
const NAMES = ["Bo", "Cem", "Dia", "Eli", "Fay"];
const parameters = { emergencyPrice: microsPerKwh(BigInt(page.emergencyMicrosPerKwh)), gridFee: microsPerKwh(0) };
const supplier = keyOf(page.supplier);

const promises: readonly PowerPromise[] = Object.entries(page.promisesWh).map(([name, energy]) => {
  const [promiseId = "", holder = ""] = name.split(" ");
  return promise(promiseId.split("/")[0] ?? "", BigInt(energy), { promiseId, owner: keyOf(holder) });
});

function named(all: readonly PowerPromise[]): Readonly<Record<string, bigint>> {
  const nameOf = (key: string): string => NAMES.find((name) => keyOf(name) === key) ?? key;
  return Object.fromEntries(all.map(({ promiseId, owner, energy }) => [`${promiseId} ${nameOf(owner)}`, energy]));
}

test("the example of a cover comes to what the page says", () => {
  const own = promises.filter((each) => each.supplier === supplier);
  const promised = sumEnergy(own.map(({ energy }) => energy));
  const deposit = costCeil(promised, parameters.emergencyPrice);
  const chosen = chooseCovers(
    supplier,
    SLOT,
    wattHours(BigInt(page.coverWh)),
    promises.map((state) => ({ state })),
  );
  const before = chosen.promises.map(({ state }) => state);
  const outcome = unwrap(substitutionOutcome(parameters, before, chosen.covers, deposit, promised));
  const owed = wattHours(promised - outcome.covered);
  const injected = wattHours(BigInt(page.injectedWh));
  const kept = micros(outcome.kept ?? 0n);
  const delivered = deliveryOutcome(parameters, [{ energy: owed }], kept, injected);
  const uncovered = deliveryOutcome(parameters, [{ energy: promised }], deposit, injected);
  const computed = {
    promisesWh: named(outcome.promises),
    depositMicros: deposit,
    releasedMicros: outcome.released,
    keptMicros: kept,
    owedWh: owed,
    shortfallWh: delivered.shortfall,
    depositLostMicros: delivered.depositLost,
    depositLostUncoveredMicros: uncovered.depositLost,
  };
  expect(JSON.parse(toJson(computed))).toEqual(JSON.parse(expected));
});
