/** Clauses of meters, delivery (paper algorithm A2) and the settlement of a slot with the supplier of last resort. */
import {
  type MicrosPerKwh,
  micros,
  minEnergy,
  type PublicKey,
  type SlotId,
  sumEnergy,
  type WattHours,
  wattHours,
} from "#core";
import { marginAfterSlot, marginNeeded } from "../margin.ts";
import type { Facts } from "../resolved.ts";
import {
  type DeliveryOutcome,
  deliveryOutcome,
  injectedOf,
  type SettlementOutcome,
  settlementOutcome,
} from "../settlement.ts";
import type { Exposure, ExposureEntry, Margin, MeterReading, PowerPromise, SlotSettlement } from "../states.ts";
import {
  type Clause,
  clause,
  hasSignedOrOnlyGains,
  isAfterSlot,
  isAuthorised,
  isOverdue,
  lazy,
  moneyChanges,
  promisesGoOn,
  sameChanges,
  Tally,
} from "./clause.ts";
import { wasNeverOpened, withOpenedDays, withSettled } from "./exposure.ts";

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
      ifKnown(
        ({ shortfall }) =>
          shortfall > 0n || isAuthorised(facts, supplier, { flow: "check-delivery" }) || isOverdue(facts, slot),
      ),
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
  return promisesGoOn(before, after, (promise, index) => ({
    ...promise,
    delivered: outcome.deliveredParts[index] ?? null,
    lock: null,
  }));
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
    record.unsold === keptBy(supplier, facts.consumed("power-promise")) &&
    record.depositLost === outcome.depositLost &&
    record.gridFee === outcome.gridFee
  );
}

/** Energy of the supplier's own promises that it still owns. */
function keptBy(supplier: PublicKey, promises: readonly PowerPromise[]): bigint {
  return promises.reduce(
    (sum, promise) => sum + (promise.owner === supplier && promise.supplier === supplier ? promise.energy : 0n),
    0n,
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
    clause(
      "settlement_of_all_unsold",
      () => keptBy(member, held) === (facts.consumed("delivery-record")[0]?.unsold ?? 0n),
    ),
    clause("settlement_by_the_reading_of_the_delivery", () => isOfDelivery(facts, reading)),
    clause("settlement_closes_the_slot", () => exposureClosed(facts)),
    clause("settlement_once_per_slot", () => isSettledOnce(facts)),
    clause("settlement_pays_the_two_parties", () =>
      facts.made("funds").every(({ owner }) => owner === member || owner === powerCompany),
    ),
    clause("settlement_recorded", () => ifKnown((value) => isSettled(facts, reading, value))),
    clause("settlement_money_follows", () =>
      ifKnown((value) => sameChanges(moneyChanges(facts), settlementMoney(facts, value))),
    ),
    clause("settlement_margin_follows", () => ifKnown((value) => marginFollows(facts, value))),
    clause("settlement_signed_by_grid_authority", () => facts.isSigner(gridAuthority)),
    clause("settlement_signed_by_the_member", () =>
      ifKnown((value) => hasSignedOrOnlyGains(facts, member, slot, marginPays(facts, value))),
    ),
    clause("settlement_signed_by_power_company", () => hasSignedOrOnlyGains(facts, powerCompany, slot)),
  ];
}

/** What the member's margin may pay without its signature. */
function marginPays(facts: Facts, { surplusAmount }: SettlementOutcome): bigint {
  return facts.consumed("margin").length > 0 ? surplusAmount : 0n;
}

/** Only the member's own margin of the day answers, and what the rest of the day needs of it stays locked. */
function marginFollows(facts: Facts, outcome: SettlementOutcome): boolean {
  const { member, slot } = facts.commandOf("settle-slot");
  const [before, after] = [facts.consumed("margin"), facts.made("margin")];
  const isOwn = ({ owner, day }: Margin): boolean => owner === member && day === facts.dayOf(slot);
  const entries = facts.made("exposure")[0]?.entries ?? [];
  const { kept } = marginAfterSlot(
    micros(before.reduce((sum, { amount }) => sum + amount, 0n)),
    marginNeeded(entries, facts.parameters.surplusPrice),
    -netOf(outcome),
  );
  return (
    [...before, ...after].every(isOwn) &&
    (kept === 0n ? after.length === 0 : after.length === 1 && after[0]?.amount === kept)
  );
}

export function tariffOf(
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
  const { surplusPrice } = facts.parameters;
  return tariff && settlementOutcome({ reading, delivered, held, surplusPrice, ...tariff });
}

/** The member's exposure of the day is consumed, or its index proves that the day was never opened and opens it. */
function positionIsKnown(facts: Facts): boolean {
  const { member, slot } = facts.commandOf("settle-slot");
  const day = facts.dayOf(slot);
  const exposures = facts.consumed("exposure");
  const [consumed, made] = [facts.consumed("exposure-index"), facts.made("exposure-index")];
  if (exposures.length > 0)
    return (
      exposures.length === 1 &&
      exposures[0]?.member === member &&
      exposures[0].day === day &&
      consumed.length + made.length === 0
    );
  const [before, after] = [consumed[0], made[0]];
  return (
    consumed.length === 1 &&
    made.length === 1 &&
    before?.member === member &&
    after?.member === member &&
    wasNeverOpened(before.openedDays, day) &&
    after.openedDays.join() === withOpenedDays(before.openedDays, [day]).join()
  );
}

/** What was delivered was found by the same reading: nobody is checked by one and settled by another. */
function isOfDelivery(facts: Facts, reading: MeterReading | undefined): boolean {
  return facts
    .consumed("delivery-record")
    .every(
      ({ promised, delivered }) => reading === undefined || delivered === minEnergy(promised, injectedOf(reading)),
    );
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

/** The slot's entry goes, every other entry of the member's day stays as it was. */
function exposureClosed(facts: Facts): boolean {
  const { member, slot } = facts.commandOf("settle-slot");
  const entries = facts.consumed("exposure")[0]?.entries ?? [];
  const [after] = facts.made("exposure");
  if (
    after === undefined ||
    facts.made("exposure").length !== 1 ||
    after.member !== member ||
    after.day !== facts.dayOf(slot)
  )
    return false;
  const text = (entries: readonly ExposureEntry[]): string =>
    entries.map((entry) => `${entry.slot} ${entry.promised} ${entry.bought} ${entry.bidding}`).join();
  const closing = entries.find((entry) => entry.slot === slot);
  return (
    (closing === undefined || closing.bidding === 0n) &&
    text(after.entries) === text(entries.filter((entry) => entry.slot !== slot))
  );
}

/** Whatever readings there are of a slot, the exposure of its day says whether it is settled: then only corrections follow. */
function isSettledOnce(facts: Facts): boolean {
  const { slot } = facts.commandOf("settle-slot");
  const before = facts.consumed("exposure")[0]?.settled ?? [];
  const after = facts.made("exposure")[0]?.settled;
  return !before.includes(slot) && (after === undefined || after.join() === withSettled(before, slot).join());
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
    settlement.retailAmount === outcome.retailAmount &&
    settlement.surplusAmount === outcome.surplusAmount &&
    settlement.revision === reading.revision &&
    isRecordedPosition(facts, settlement)
  );
}

/** What a correction starts from: what the member promised, delivered, kept and bought, and what that cost. */
function isRecordedPosition(facts: Facts, settlement: SlotSettlement): boolean {
  const [record] = facts.consumed("delivery-record");
  const held = facts.consumed("power-promise");
  const kept = keptBy(settlement.member, held);
  return (
    settlement.promised === (record?.promised ?? 0n) &&
    settlement.delivered === (record?.delivered ?? 0n) &&
    settlement.unsold === kept &&
    settlement.bought === sumEnergy(held.map(({ energy }) => energy)) - kept &&
    settlement.depositLost === (record?.depositLost ?? 0n) &&
    settlement.gridFee === (record?.gridFee ?? 0n) &&
    settlement.deliveredFirst === settlement.delivered &&
    settlement.keptFirst === deliveredOnKept(settlement.member, held)
  );
}

/** What was delivered on own promises that nobody bought. */
function deliveredOnKept(member: PublicKey, held: readonly PowerPromise[]): WattHours {
  return sumEnergy(held.flatMap(({ supplier, delivered }) => (supplier === member ? (delivered ?? []) : [])));
}

function settlementMoney(facts: Facts, outcome: SettlementOutcome): ReadonlyMap<string, bigint> {
  const { member } = facts.commandOf("settle-slot");
  const net = netOf(outcome);
  return new Tally().add(member, net).add(facts.parameters.powerCompany, -net).changes;
}

/** What the member gains by the settlement. */
function netOf({ feedInAmount, retailAmount, surplusAmount }: SettlementOutcome): bigint {
  return feedInAmount - retailAmount - surplusAmount;
}
