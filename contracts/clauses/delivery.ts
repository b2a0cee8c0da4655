/** Clauses of meters, delivery (paper algorithm A2) and the settlement of a slot with the supplier of last resort. */
import { type MicrosPerKwh, micros, type PublicKey, type SlotId, sumEnergy, wattHours } from "#core";
import type { Facts } from "../resolved.ts";
import {
  type DeliveryOutcome,
  deliveryOutcome,
  injectedOf,
  type SettlementOutcome,
  settlementOutcome,
} from "../settlement.ts";
import type { Exposure, ExposureEntry, MeterReading, PowerPromise } from "../states.ts";
import { type Clause, clause, isAfterSlot, isOverdue, lazy, moneyChanges, sameChanges, Tally } from "./clause.ts";
import { wasNeverOpened } from "./exposure.ts";

export function recordMetersClauses(facts: Facts): readonly Clause[] {
  const { slot } = facts.commandOf("record-meters");
  const readings = facts.made("meter-reading");
  return [
    clause("meters_some", () => readings.length > 0),
    clause("meters_of_the_slot", () => readings.every((reading) => reading.slot === slot)),
    clause("meters_one_per_member", () => new Set(readings.map(({ member }) => member)).size === readings.length),
    clause("meters_after_the_slot", () => isAfterSlot(facts, slot)),
    clause("meters_signed_by_grid_authority", () => facts.isSigner(facts.parameters.gridAuthority)),
  ];
}

function entryOf(exposures: readonly Exposure[], member: PublicKey, slot: SlotId): ExposureEntry | undefined {
  return exposures.find((exposure) => exposure.member === member)?.entries.find((entry) => entry.slot === slot);
}

function readingOf(readings: readonly MeterReading[], member: PublicKey, slot: SlotId): MeterReading | undefined {
  return readings.find((reading) => reading.member === member && reading.slot === slot);
}

export function checkDeliveryClauses(facts: Facts): readonly Clause[] {
  const { supplier, slot } = facts.commandOf("check-delivery");
  const promises = facts.consumed("power-promise");
  const reading = readingOf(facts.cited("meter-reading"), supplier, slot);
  const outcome = lazy(() => reading && expectedDelivery(facts, promises, reading));
  const ifKnown = (holds: (value: DeliveryOutcome) => boolean): boolean => {
    const value = outcome();
    return value === undefined || holds(value);
  };
  const { gridAuthority, powerCompany } = facts.parameters;
  return [
    clause("delivery_after_the_slot", () => isAfterSlot(facts, slot)),
    clause("delivery_cites_the_reading", () => reading !== undefined && facts.cited("meter-reading").length === 1),
    clause("delivery_of_open_promises", () => areOpenPromises(promises, supplier, slot)),
    clause(
      "delivery_of_all_promises",
      () =>
        entryOf(facts.cited("exposure"), supplier, slot)?.promised === sumEnergy(promises.map(({ energy }) => energy)),
    ),
    clause("delivery_of_all_deposits", () =>
      facts.consumed("deposit").every((deposit) => deposit.supplier === supplier && deposit.slot === slot),
    ),
    clause("delivery_deposit_covers", () => depositCovers(facts, promises)),
    clause("delivery_pro_rata", () => ifKnown((value) => sharedProRata(promises, facts.made("power-promise"), value))),
    clause("delivery_recorded", () => ifKnown((value) => isRecorded(facts, value))),
    clause("delivery_money_follows", () =>
      ifKnown((value) => sameChanges(moneyChanges(facts), deliveryPayments(facts, supplier, value))),
    ),
    clause("delivery_signed_by_grid_authority", () => facts.isSigner(gridAuthority)),
    clause("delivery_signed_by_supplier_if_kept", () =>
      ifKnown(({ shortfall }) => shortfall > 0n || facts.isSigner(supplier) || isOverdue(facts, slot)),
    ),
    clause("delivery_signed_by_power_company_if_short", () =>
      ifKnown(({ shortfall }) => shortfall === 0n || facts.isSigner(powerCompany) || isOverdue(facts, slot)),
    ),
  ];
}

/** A promise may still be locked by an auction or order that was never settled: nothing can be traded any more, and the check frees it. */
function areOpenPromises(promises: readonly PowerPromise[], supplier: PublicKey, slot: SlotId): boolean {
  return (
    promises.length > 0 &&
    promises.every((promise) => promise.supplier === supplier && promise.slot === slot && promise.delivered === null)
  );
}

function depositOf(facts: Facts): bigint {
  return facts.consumed("deposit").reduce((sum, { amount }) => sum + amount, 0n);
}

/** All deposits of the slot are there: together they cover the emergency cost of all promises. */
function depositCovers(facts: Facts, promises: readonly PowerPromise[]): boolean {
  const promised = sumEnergy(promises.map(({ energy }) => energy));
  return depositOf(facts) * 1_000n >= promised * facts.parameters.emergencyPrice;
}

function expectedDelivery(facts: Facts, promises: readonly PowerPromise[], reading: MeterReading): DeliveryOutcome {
  return deliveryOutcome(facts.parameters, promises, micros(depositOf(facts)), injectedOf(reading));
}

/** Every promise goes on with its share delivered, free, and nothing else changed, in the order of the inputs. */
function sharedProRata(
  before: readonly PowerPromise[],
  after: readonly PowerPromise[],
  outcome: DeliveryOutcome,
): boolean {
  return (
    after.length === before.length &&
    before.every((promise, index) => {
      const next = after[index];
      return (
        next !== undefined &&
        next.delivered === outcome.deliveredParts[index] &&
        next.promiseId === promise.promiseId &&
        next.energy === promise.energy &&
        next.owner === promise.owner &&
        next.supplier === promise.supplier &&
        next.slot === promise.slot &&
        next.lock === null
      );
    })
  );
}

function isRecorded(facts: Facts, outcome: DeliveryOutcome): boolean {
  const { supplier, slot } = facts.commandOf("check-delivery");
  const [record] = facts.made("delivery-record");
  return (
    facts.made("delivery-record").length === 1 &&
    record?.supplier === supplier &&
    record.slot === slot &&
    record.promised === outcome.promised &&
    record.delivered === outcome.delivered &&
    record.depositLost === outcome.depositLost &&
    record.gridFee === outcome.gridFee
  );
}

function deliveryPayments(facts: Facts, supplier: PublicKey, outcome: DeliveryOutcome): ReadonlyMap<string, bigint> {
  const { gridAuthority, powerCompany } = facts.parameters;
  return new Tally()
    .add(supplier, outcome.returned - depositOf(facts))
    .add(powerCompany, outcome.toPowerCompany)
    .add(gridAuthority, outcome.toGridAuthority).changes;
}

export function settleSlotClauses(facts: Facts): readonly Clause[] {
  const { member, slot } = facts.commandOf("settle-slot");
  const { gridAuthority, powerCompany } = facts.parameters;
  const reading = readingOf(facts.consumed("meter-reading"), member, slot);
  const held = facts.consumed("power-promise");
  const before = entryOf(facts.consumed("exposure"), member, slot);
  const outcome = lazy(() => reading && expectedSettlement(facts, reading, held));
  const ifKnown = (holds: (value: SettlementOutcome) => boolean): boolean => {
    const value = outcome();
    return value === undefined || holds(value);
  };
  return [
    clause("settlement_after_the_slot", () => isAfterSlot(facts, slot)),
    clause(
      "settlement_consumes_the_reading",
      () => reading !== undefined && facts.consumed("meter-reading").length === 1,
    ),
    clause(
      "settlement_cites_the_tariff",
      () => facts.cited("tariff").length === 1 && tariffOf(facts, slot) !== undefined,
    ),
    clause("settlement_of_checked_promises", () =>
      held.every((promise) => promise.owner === member && promise.slot === slot && promise.delivered !== null),
    ),
    clause("settlement_knows_the_position", () => positionIsKnown(facts)),
    clause(
      "settlement_of_all_bought",
      () =>
        sumEnergy(held.filter(({ supplier }) => supplier !== member).map(({ energy }) => energy)) ===
        (before?.bought ?? 0n),
    ),
    clause("settlement_after_delivery_check", () => hasDeliveryRecord(facts, before)),
    clause("settlement_closes_the_slot", () => exposureClosed(facts)),
    clause("settlement_pays_the_two_parties", () =>
      facts.made("funds").every(({ owner }) => owner === member || owner === powerCompany),
    ),
    clause("settlement_recorded", () => ifKnown((value) => isSettled(facts, reading, value))),
    clause("settlement_money_follows", () =>
      ifKnown((value) => sameChanges(moneyChanges(facts), settlementMoney(facts, value))),
    ),
    clause("settlement_signed_by_grid_authority", () => facts.isSigner(gridAuthority)),
    clause("settlement_signed_by_the_member", () => hasSignedOrOnlyGains(facts, member)),
    clause("settlement_signed_by_power_company", () => hasSignedOrOnlyGains(facts, powerCompany)),
  ];
}

/** Who is silent when it is due to sign is settled all the same, but never made to pay. */
function hasSignedOrOnlyGains(facts: Facts, party: PublicKey): boolean {
  const { slot } = facts.commandOf("settle-slot");
  if (facts.isSigner(party)) return true;
  const isUntouched = facts.consumed("funds").every(({ owner }) => owner !== party);
  return isOverdue(facts, slot) && isUntouched && (moneyChanges(facts).get(party) ?? 0n) >= 0n;
}

function tariffOf(
  facts: Facts,
  slot: SlotId,
): { readonly feedIn: MicrosPerKwh; readonly retail: MicrosPerKwh } | undefined {
  const [tariff] = facts.cited("tariff");
  const index = tariff?.slots.indexOf(slot) ?? -1;
  const feedIn = tariff?.feedIn[index];
  const retail = tariff?.retail[index];
  return feedIn === undefined || retail === undefined ? undefined : { feedIn, retail };
}

function expectedSettlement(
  facts: Facts,
  reading: MeterReading,
  held: readonly PowerPromise[],
): SettlementOutcome | undefined {
  const tariff = tariffOf(facts, reading.slot);
  const delivered =
    facts.consumed("delivery-record").find(({ supplier, slot }) => supplier === reading.member && slot === reading.slot)
      ?.delivered ?? wattHours(0n);
  return tariff && settlementOutcome({ reading, delivered, held, ...tariff });
}

/** The member's exposure of the day is consumed, or its index proves that the day was never opened. */
function positionIsKnown(facts: Facts): boolean {
  const { member, slot } = facts.commandOf("settle-slot");
  const day = facts.dayOf(slot);
  const exposures = facts.consumed("exposure");
  if (exposures.length > 0)
    return exposures.length === 1 && exposures[0]?.member === member && exposures[0].day === day;
  const index = facts.cited("exposure-index").find((each) => each.member === member);
  return index !== undefined && wasNeverOpened(index.openedDays, day);
}

function hasDeliveryRecord(facts: Facts, before: ExposureEntry | undefined): boolean {
  const { member, slot } = facts.commandOf("settle-slot");
  const records = facts.consumed("delivery-record");
  const [record] = records;
  if (before === undefined || before.promised === 0n) return records.length === 0;
  return (
    records.length === 1 && record?.supplier === member && record.slot === slot && record.promised === before.promised
  );
}

/** The slot's entry goes, every other entry stays as it was. */
function exposureClosed(facts: Facts): boolean {
  const { slot } = facts.commandOf("settle-slot");
  const [before] = facts.consumed("exposure");
  const [after] = facts.made("exposure");
  if (before === undefined) return after === undefined;
  if (
    after === undefined ||
    facts.made("exposure").length !== 1 ||
    after.member !== before.member ||
    after.day !== before.day
  )
    return false;
  const text = (entries: readonly ExposureEntry[]): string =>
    entries.map((entry) => `${entry.slot} ${entry.promised} ${entry.bought} ${entry.bidding}`).join();
  const closing = before.entries.find((entry) => entry.slot === slot);
  return (
    (closing === undefined || closing.bidding === 0n) &&
    text(after.entries) === text(before.entries.filter((entry) => entry.slot !== slot))
  );
}

function isSettled(facts: Facts, reading: MeterReading | undefined, outcome: SettlementOutcome): boolean {
  const [settlement] = facts.made("slot-settlement");
  return (
    facts.made("slot-settlement").length === 1 &&
    settlement !== undefined &&
    settlement.member === reading?.member &&
    settlement.slot === reading.slot &&
    settlement.produced === reading.produced &&
    settlement.consumed === reading.consumed &&
    settlement.used === outcome.used &&
    settlement.feedInEnergy === outcome.feedInEnergy &&
    settlement.feedInAmount === outcome.feedInAmount &&
    settlement.retailEnergy === outcome.retailEnergy &&
    settlement.retailAmount === outcome.retailAmount
  );
}

function settlementMoney(facts: Facts, { feedInAmount, retailAmount }: SettlementOutcome): ReadonlyMap<string, bigint> {
  const { member } = facts.commandOf("settle-slot");
  const net = feedInAmount - retailAmount;
  return new Tally().add(member, net).add(facts.parameters.powerCompany, -net).changes;
}
