/** The worked examples of meters, corrections and disputes in docs/market-rules.md, computed from the numbers that the page gives. */
import { expect, test } from "vitest";
import { correctionOutcome, meterAgreement, type SlotSettlement, settlementOfRights } from "#contracts";
import { costCeil, costFloor, type MicrosPerKwh, microsPerKwh, type PublicKey, toJson, wattHours } from "#core";
import { dispute, disputeVote, keyOf, PARAMETERS, reading, slotSettlement, VALID, verifier } from "#testkit";
import { blocks, section } from "./pages.ts";

type Pair = readonly [produced: string, consumed: string];

function exampleOf<T>(heading: string): readonly [given: T, result: unknown] {
  const [given = "", result = ""] = blocks(section("docs/market-rules.md", heading), "json");
  return [JSON.parse(given) as T, JSON.parse(result)];
}

const plain = (value: object): unknown => JSON.parse(toJson(value));
const energy = (text: string) => wattHours(BigInt(text));
const price = (text: string): MicrosPerKwh => microsPerKwh(BigInt(text));
const measured = ([produced, consumed]: Pair) => ({ produced: energy(produced), consumed: energy(consumed) });

test("three meters agree on what the page says", () => {
  const [given, result] = exampleOf<{
    readonly quorum: string;
    readonly toleranceWh: string;
    readonly reportsWh: Readonly<Record<string, Pair>>;
  }>("Example of three meters");
  const names = new Map<PublicKey, string>(Object.keys(given.reportsWh).map((name) => [keyOf(name), name]));
  const reports = Object.entries(given.reportsWh).map(([name, pair]) => ({ operator: keyOf(name), ...measured(pair) }));
  const rules = { meterQuorum: Number(given.quorum), meterTolerance: energy(given.toleranceWh) };
  const agreement = meterAgreement(rules, reports);
  const named = (keys: readonly PublicKey[] = []) => keys.map((key) => names.get(key)).sort();
  expect({
    producedWh: `${agreement?.produced}`,
    consumedWh: `${agreement?.consumed}`,
    agreed: named(agreement?.agreed),
    disagreed: named(agreement?.disagreed),
  }).toEqual(result);
});

test("a correction moves what the page says", () => {
  const [given, result] = exampleOf<{
    readonly emergencyMicrosPerKwh: string;
    readonly gridFeeMicrosPerKwh: string;
    readonly feedInMicrosPerKwh: string;
    readonly retailMicrosPerKwh: string;
    readonly before: {
      readonly metersWh: Pair;
      readonly promisedWh: string;
      readonly unsoldWh: string;
      readonly deliveredWh: string;
      readonly keptWh: string;
    };
    readonly metersWh: Pair;
  }>("Example of a correction");
  const parameters = {
    ...PARAMETERS,
    emergencyPrice: price(given.emergencyMicrosPerKwh),
    gridFee: price(given.gridFeeMicrosPerKwh),
  };
  const tariff = { feedIn: price(given.feedInMicrosPerKwh), retail: price(given.retailMicrosPerKwh) };
  const { promisedWh, unsoldWh, deliveredWh, keptWh } = given.before;
  const [promised, delivered, kept] = [energy(promisedWh), energy(deliveredWh), energy(keptWh)];
  const before: SlotSettlement = slotSettlement("Dia", {
    ...measured(given.before.metersWh),
    ...settlementOfRights({
      reading: measured(given.before.metersWh),
      delivered,
      kept,
      bought: energy("0"),
      ...tariff,
      surplusPrice: parameters.surplusPrice,
    }),
    promised,
    delivered,
    unsold: energy(unsoldWh),
    depositLost: costCeil(wattHours(promised - delivered), parameters.emergencyPrice),
    gridFee: costFloor(delivered, parameters.gridFee),
    deliveredFirst: delivered,
    keptFirst: kept,
  });
  const corrected = correctionOutcome(parameters, before, { ...measured(given.metersWh), revision: 1 }, tariff);
  expect(
    plain({
      deliveredWh: corrected.settlement.delivered,
      depositLostMicros: corrected.settlement.depositLost,
      gridFeeMicros: corrected.settlement.gridFee,
      feedInWh: corrected.settlement.feedInEnergy,
      feedInMicros: corrected.settlement.feedInAmount,
      toMemberMicros: corrected.toMember,
      toPowerCompanyMicros: corrected.toPowerCompany,
      toGridAuthorityMicros: corrected.toGridAuthority,
    }),
  ).toEqual(result);
});

test("a dispute is decided and paid as the page says", () => {
  const [given, result] = exampleOf<{
    readonly feedInMicrosPerKwh: string;
    readonly retailMicrosPerKwh: string;
    readonly boughtWh: string;
    readonly readWh: Pair;
    readonly disputedWh: Pair;
    readonly votesWh: Readonly<Record<string, Pair>>;
  }>("Example of a dispute");
  const { readingWh, revision } = result as { readonly readingWh: Pair; readonly revision: string };
  const [said, decided] = [measured(given.disputedWh), measured(readingWh)];
  const raised = dispute("alice", said.produced, said.consumed);
  const before = measured(given.readWh);
  const tx = VALID["decide-dispute"]().without(
    "vote",
    "second vote",
    "third vote",
    "second verifier",
    "third verifier",
  );
  tx.without("verifier").replace("dispute", raised);
  for (const [name, pair] of Object.entries(given.votesWh)) {
    const { produced, consumed } = measured(pair);
    tx.consumes(`vote of ${name}`, disputeVote(name, raised, produced, consumed)).cites(name, verifier(name));
  }
  tx.replace("before", reading("alice", before.produced, before.consumed))
    .replace("after", { ...reading("alice", decided.produced, decided.consumed), revision: Number(revision) })
    .verifies();
  const tariff = { feedIn: price(given.feedInMicrosPerKwh), retail: price(given.retailMicrosPerKwh) };
  const bought = energy(given.boughtWh);
  const rights = { delivered: energy("0"), kept: energy("0"), bought, ...tariff, surplusPrice: microsPerKwh(0) };
  const settled = slotSettlement("alice", { ...before, bought, ...settlementOfRights({ reading: before, ...rights }) });
  const corrected = correctionOutcome(PARAMETERS, settled, { ...decided, revision: 1 }, tariff);
  expect(
    plain({
      readingWh: [decided.produced, decided.consumed],
      revision,
      retailMicros: corrected.settlement.retailAmount,
      toMemberMicros: corrected.toMember,
      toPowerCompanyMicros: corrected.toPowerCompany,
    }),
  ).toEqual(result);
});
