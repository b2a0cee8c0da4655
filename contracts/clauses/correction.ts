/** Clauses of the correction of a settled slot by a later reading. */
import { type Correction, correctionOutcome } from "../correction.ts";
import type { Facts } from "../resolved.ts";
import type { MeterReading, SlotSettlement } from "../states.ts";
import {
  type Clause,
  clause,
  hasSignedOrOnlyGains,
  isAfterSlot,
  lazy,
  moneyChanges,
  sameChanges,
  Tally,
} from "./clause.ts";
import { tariffOf } from "./delivery.ts";
import { isCorrectable } from "./meters.ts";

export function correctSettlementClauses(facts: Facts): readonly Clause[] {
  const { member, slot } = facts.commandOf("correct-settlement");
  const { gridAuthority, powerCompany } = facts.parameters;
  const [before] = facts.consumed("slot-settlement");
  const [reading] = facts.consumed("meter-reading");
  const isOfSlot = (state: SlotSettlement | MeterReading | undefined): boolean =>
    state?.member === member && state.slot === slot;
  const outcome = lazy(() => expectedCorrection(facts, before, reading));
  const ifKnown = (holds: (value: Correction) => boolean): boolean => {
    const value = outcome();
    return value === undefined || holds(value);
  };
  return [
    clause("correction_after_the_slot", () => isAfterSlot(facts, slot)),
    clause("correction_in_time", () => isCorrectable(facts, slot)),
    clause("correction_of_the_settlement", () => isOfSlot(before) && facts.consumed("slot-settlement").length === 1),
    clause("correction_by_a_reading", () => isOfSlot(reading) && facts.consumed("meter-reading").length === 1),
    clause(
      "correction_by_a_later_reading",
      () => before === undefined || reading === undefined || reading.revision > before.revision,
    ),
    clause(
      "correction_cites_the_tariff",
      () => facts.cited("tariff").length === 1 && tariffOf(facts, slot) !== undefined,
    ),
    clause("correction_pays_the_three_parties", () =>
      facts.made("funds").every(({ owner }) => [member, powerCompany, gridAuthority].includes(owner)),
    ),
    clause("correction_recorded", () => ifKnown(({ settlement }) => isRecorded(facts, settlement))),
    clause("correction_money_follows", () =>
      ifKnown((value) => sameChanges(moneyChanges(facts), correctionMoney(facts, value))),
    ),
    clause("correction_signed_by_grid_authority", () => facts.isSigner(gridAuthority)),
    clause("correction_signed_by_the_member", () => hasSignedOrOnlyGains(facts, member, slot)),
    clause("correction_signed_by_power_company", () => hasSignedOrOnlyGains(facts, powerCompany, slot)),
  ];
}

function expectedCorrection(
  facts: Facts,
  before: SlotSettlement | undefined,
  reading: MeterReading | undefined,
): Correction | undefined {
  const tariff = tariffOf(facts, facts.commandOf("correct-settlement").slot);
  if (before === undefined || reading === undefined || tariff === undefined) return undefined;
  return correctionOutcome(facts.parameters, before, reading, tariff);
}

function isRecorded(facts: Facts, expected: SlotSettlement): boolean {
  const [made] = facts.made("slot-settlement");
  return (
    facts.made("slot-settlement").length === 1 &&
    made !== undefined &&
    (Object.keys(expected) as (keyof SlotSettlement)[]).every((field) => made[field] === expected[field])
  );
}

function correctionMoney(
  facts: Facts,
  { toMember, toPowerCompany, toGridAuthority }: Correction,
): ReadonlyMap<string, bigint> {
  const { gridAuthority, powerCompany } = facts.parameters;
  return new Tally()
    .add(facts.commandOf("correct-settlement").member, toMember)
    .add(powerCompany, toPowerCompany)
    .add(gridAuthority, toGridAuthority).changes;
}
