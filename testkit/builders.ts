/**
 * Parties, signers and ledger states for tests: a small cast with fixed keys, one slot of one day, round amounts.
 * Everything is made from names, so the same test gives the same bytes on every machine.
 */

import type {
  AgencyRecord,
  Auction,
  Bid,
  Certificate,
  ClaimRequirement,
  Claims,
  Contradiction,
  Curtailment,
  DeliveryRecord,
  Deposit,
  Dispute,
  DisputeVote,
  Exposure,
  ExposureEntry,
  ExposureIndex,
  Funds,
  Mandate,
  Margin,
  Member,
  MeterReading,
  MeterReport,
  NetworkParameters,
  PoolOrder,
  PowerPromise,
  Redemption,
  SlotSettlement,
  StandingVote,
  Tariff,
} from "#contracts";
import {
  hashFromBytes,
  hashOf,
  type LocalDay,
  localDay,
  type Micros,
  micros,
  microsPerKwh,
  type PublicKey,
  type Signer,
  type SlotId,
  sha256,
  signerFromSeed,
  slotId,
  slotOf,
  slotsOfLocalDay,
  type WattHours,
  wattHours,
  zone,
} from "#core";

type Amount = number | bigint;
const signers = new Map<string, Signer>();

/** The signer of the party with this name; always the same. For tests only: anybody can make it. */
export function signerOf(name: string): Signer {
  const known = signers.get(name);
  if (known !== undefined) return known;
  const made = signerFromSeed(sha256(new TextEncoder().encode(`testkit party ${name}`)));
  signers.set(name, made);
  return made;
}

/** The public key of the party with this name. */
export function keyOf(name: string): PublicKey {
  return signerOf(name).publicKey;
}

/** Signers of the names, by key: what a node of a test network is given. */
export function signersOf(...names: readonly string[]): ReadonlyMap<PublicKey, Signer> {
  return new Map(names.map((name) => [keyOf(name), signerOf(name)]));
}

/** The quarter-hour around which the builders are made, and the one after it. 12:15 on a summer day in Berlin. */
export const SLOT: SlotId = slotId("2031-06-01T10:15Z/PT15M");
export const NEXT_SLOT: SlotId = slotId("2031-06-01T10:30Z/PT15M");
export const DAY: LocalDay = localDay("2031-06-01");
export const SLOT_START_MS: number = slotOf(SLOT).startMs;
export const SLOT_END_MS: number = slotOf(SLOT).endMs;
/** Five minutes before the slot: after this nothing of the slot can be traded. */
export const GATE_MS: number = SLOT_START_MS - 300_000;
/** Deadline of the auctions that `auction` makes. */
export const DEADLINE_MS: number = GATE_MS - 3_600_000;

/** Rules of the test network. Emergency supply 0.60, grid fee 0.01, prices from -0.50 to 1.00 per kWh; promises of 0.1 to 1000 kWh. */
export const PARAMETERS: NetworkParameters = {
  tag: "network-parameters",
  networkId: "testkit",
  epoch: 1,
  currency: "EUR",
  slotMinutes: 15,
  timeZone: "Europe/Berlin",
  gridAuthority: keyOf("grid authority"),
  powerCompany: keyOf("power company"),
  paymentProvider: keyOf("payment provider"),
  notaries: [keyOf("notary")],
  verifiers: [keyOf("verifier"), keyOf("second verifier"), keyOf("third verifier")],
  verifierQuorum: 2,
  promiseMin: wattHours(100),
  promiseMax: wattHours(1_000_000),
  emergencyPrice: microsPerKwh(600_000),
  gridFee: microsPerKwh(10_000),
  bidRiseMin: microsPerKwh(1_000),
  priceMin: microsPerKwh(-500_000),
  priceMax: microsPerKwh(1_000_000),
  gateLeadMs: 300_000,
  settlementGraceMs: 600_000,
  meterOperators: [],
  meterQuorum: 0,
  meterTolerance: wattHours(0),
  correctionMs: 86_400_000,
  surplusPrice: microsPerKwh(0),
  observers: [],
};

/** A member in good standing; a prosumer who may promise up to 20 kWh per slot unless said otherwise. */
export function member(name: string, patch: Partial<Member> = {}): Member {
  return {
    tag: "member",
    name,
    key: keyOf(name),
    roles: ["prosumer"],
    standing: "good",
    capacityPerSlot: wattHours(20_000),
    holdingCapPerSlot: null,
    marketFee: microsPerKwh(0),
    storage: null,
    servedBy: null,
    ...patch,
  };
}

/** The marketplace of the test network: 0.005 per kWh. */
export const MARKETPLACE: Member = member("marketplace", {
  roles: ["marketplace"],
  capacityPerSlot: wattHours(0),
  marketFee: microsPerKwh(5_000),
});

/** A verifier of the test network, in good standing. */
export function verifier(name: string, patch: Partial<Member> = {}): Member {
  return member(name, { roles: ["verifier"], capacityPerSlot: wattHours(0), ...patch });
}

/** A vote for suspension, until the slot starts. */
export function standingVote(voter: string, on: string, patch: Partial<StandingVote> = {}): StandingVote {
  return {
    tag: "standing-vote",
    voter: keyOf(voter),
    member: keyOf(on),
    standing: "suspended",
    expiresMs: SLOT_START_MS,
    ...patch,
  };
}

export function funds(owner: string, amount: Amount): Funds {
  return { tag: "funds", owner: keyOf(owner), amount: micros(amount) };
}

/** What the payment provider owes the owner. */
export function redemption(owner: string, amount: Amount, patch: Partial<Redemption> = {}): Redemption {
  return {
    tag: "redemption",
    redemptionId: "redemption",
    owner: keyOf(owner),
    provider: keyOf("payment provider"),
    amount: micros(amount),
    account: "main",
    ...patch,
  };
}

/** A free, unchecked promise that its supplier owns, named after it. */
export function promise(supplier: string, energy: Amount, patch: Partial<PowerPromise> = {}): PowerPromise {
  return {
    tag: "power-promise",
    promiseId: `promise of ${supplier}`,
    slot: SLOT,
    energy: wattHours(energy),
    supplier: keyOf(supplier),
    owner: keyOf(supplier),
    lock: null,
    delivered: null,
    claims: null,
    ...patch,
  };
}

/** What alice says of her panels. */
export const SOLAR: Claims = {
  source: "solar",
  renewable: true,
  origin: "feeder 3",
  gramsCo2PerKwh: 40,
  certifiedBy: null,
};
/** A verification agency of the test network, and alice's claims with its signature. */
export const AGENCY: Member = member("agency", { roles: ["verification-agency"], capacityPerSlot: wattHours(0) });
export const CERTIFIED_SOLAR: Claims = { ...SOLAR, certifiedBy: AGENCY.key };
export const CONTRADICTION: Contradiction = {
  by: keyOf("second agency"),
  evidence: hashFromBytes(sha256(new TextEncoder().encode("there are no panels on that roof"))),
};
/** Renewable energy, of an agency of which nobody has found anything wrong. */
export const RENEWABLE: ClaimRequirement = {
  source: null,
  renewable: true,
  origin: null,
  gramsCo2PerKwhMax: null,
  contradictedPerMilleMax: 0,
};

/** The agency's certificate for solar energy of the slot. */
export function certificate(supplier: string, energy: Amount, patch: Partial<Certificate> = {}): Certificate {
  return {
    tag: "certificate",
    agency: AGENCY.key,
    supplier: keyOf(supplier),
    slot: SLOT,
    energy: wattHours(energy),
    claims: CERTIFIED_SOLAR,
    contradiction: null,
    ...patch,
  };
}

/** The record of the agency. */
export function agencyRecord(certified: Amount, contradicted: Amount, agency: PublicKey = AGENCY.key): AgencyRecord {
  return {
    tag: "agency-record",
    agency,
    certified: wattHours(certified),
    contradicted: wattHours(contradicted),
  };
}

/** A deposit of `amount` for the slot. */
export function deposit(supplier: string, amount: Amount, slot: SlotId = SLOT): Deposit {
  return { tag: "deposit", supplier: keyOf(supplier), slot, amount: micros(amount) };
}

/** An active auction of 1.5 kWh by alice at 0.10 and up, without a bid. */
export function auction(patch: Partial<Auction> = {}): Auction {
  return {
    tag: "auction",
    auctionId: "auction",
    seller: keyOf("alice"),
    marketplace: MARKETPLACE.key,
    slot: SLOT,
    energy: wattHours(1_500),
    basePrice: microsPerKwh(100_000),
    marketFee: MARKETPLACE.marketFee,
    deadlineMs: DEADLINE_MS,
    status: "active",
    highestPrice: null,
    highestBidder: null,
    claims: null,
    ...patch,
  };
}

export function bid(bidder: string, price: Amount, locked: Amount, patch: Partial<Bid> = {}): Bid {
  return {
    tag: "bid",
    auctionId: "auction",
    bidder: keyOf(bidder),
    price: microsPerKwh(price),
    locked: micros(locked),
    ...patch,
  };
}

/** A pool order whose id is its side and owner. */
export function order(
  side: "bid" | "offer",
  owner: string,
  energy: Amount,
  limit: Amount,
  patch: Partial<PoolOrder> = {},
): PoolOrder {
  return {
    tag: "pool-order",
    orderId: `${side} of ${owner}`,
    side,
    owner: keyOf(owner),
    marketplace: MARKETPLACE.key,
    slot: SLOT,
    energy: wattHours(energy),
    limit: microsPerKwh(limit),
    marketFee: MARKETPLACE.marketFee,
    locked: micros(0),
    sequence: 1,
    requires: null,
    ...patch,
  };
}

export type EntryAmounts = {
  readonly slot?: SlotId;
  readonly promised?: Amount;
  readonly bought?: Amount;
  readonly bidding?: Amount;
};

export function entry({ slot = SLOT, promised = 0, bought = 0, bidding = 0 }: EntryAmounts): ExposureEntry {
  return { slot, promised: wattHours(promised), bought: wattHours(bought), bidding: wattHours(bidding) };
}

export function exposure(name: string, ...entries: readonly EntryAmounts[]): Exposure {
  return { tag: "exposure", member: keyOf(name), day: DAY, entries: entries.map(entry), settled: [] };
}

export function exposureIndex(name: string, ...openedDays: readonly string[]): ExposureIndex {
  return { tag: "exposure-index", member: keyOf(name), openedDays: openedDays.map(localDay) };
}

/** Feed-in 0.08 and retail 0.30 in every slot of the day. */
export function tariff(day: LocalDay = DAY, patch: Partial<Tariff> = {}): Tariff {
  const slots = slotsOfLocalDay(zone(PARAMETERS.timeZone), day, PARAMETERS.slotMinutes).map(({ id }) => id);
  return {
    tag: "tariff",
    day,
    slots,
    feedIn: slots.map(() => microsPerKwh(80_000)),
    retail: slots.map(() => microsPerKwh(300_000)),
    ...patch,
  };
}

/** What an operator read at a member's connection in the slot. */
export function meterReport(
  operator: string,
  of: string,
  produced: Amount,
  consumed: Amount,
  patch: Partial<MeterReport> = {},
): MeterReport {
  return {
    tag: "meter-report",
    operator: keyOf(operator),
    member: keyOf(of),
    slot: SLOT,
    produced: wattHours(produced),
    consumed: wattHours(consumed),
    revision: 0,
    ...patch,
  };
}

/** A meter operator of the test network, in good standing. */
export function meterOperator(name: string, patch: Partial<Member> = {}): Member {
  return member(name, { roles: ["meter-operator"], capacityPerSlot: wattHours(0), ...patch });
}

/** A dispute that its member raises, named after it. */
export function dispute(name: string, produced: Amount, consumed: Amount, patch: Partial<Dispute> = {}): Dispute {
  return {
    tag: "dispute",
    disputeId: `dispute of ${name}`,
    member: keyOf(name),
    slot: SLOT,
    raisedBy: keyOf(name),
    evidence: hashOf(`evidence of ${name}`),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
    ...patch,
  };
}

export function disputeVote(voter: string, on: Dispute, produced: Amount, consumed: Amount): DisputeVote {
  return {
    tag: "dispute-vote",
    disputeId: on.disputeId,
    voter: keyOf(voter),
    produced: wattHours(produced),
    consumed: wattHours(consumed),
  };
}

export function reading(name: string, produced: Amount, consumed: Amount, slot: SlotId = SLOT): MeterReading {
  return {
    tag: "meter-reading",
    member: keyOf(name),
    slot,
    produced: wattHours(produced),
    consumed: wattHours(consumed),
    revision: 0,
    agreed: [],
    disagreed: [],
  };
}

export type RecordAmounts = {
  readonly promised: Amount;
  readonly delivered: Amount;
  /** All of it was sold, unless said. */
  readonly unsold?: Amount;
  readonly depositLost: Amount;
  readonly gridFee: Amount;
};

export function deliveryRecord(supplier: string, amounts: RecordAmounts): DeliveryRecord {
  return {
    tag: "delivery-record",
    supplier: keyOf(supplier),
    slot: SLOT,
    promised: wattHours(amounts.promised),
    delivered: wattHours(amounts.delivered),
    unsold: wattHours(amounts.unsold ?? 0),
    depositLost: micros(amounts.depositLost),
    gridFee: micros(amounts.gridFee),
  };
}

/** A speculator's margin of the builders' day. */
export function margin(owner: string, amount: Amount, day: LocalDay = DAY): Margin {
  return { tag: "margin", owner: keyOf(owner), day, amount: micros(amount) };
}

/** A cap of the slot by which nothing was cut, unless said. */
export function curtailment(cap: Amount, patch: Partial<Curtailment> = {}): Curtailment {
  const none = wattHours(0);
  return { tag: "curtailment", slot: SLOT, cap: wattHours(cap), promised: none, unsold: none, cut: none, ...patch };
}

export type SettlementAmounts = {
  readonly produced?: Amount;
  readonly consumed?: Amount;
  readonly used?: Amount;
  readonly feedInEnergy?: Amount;
  readonly feedInAmount?: Amount;
  readonly retailEnergy?: Amount;
  readonly retailAmount?: Amount;
  readonly surplusAmount?: Amount;
  readonly revision?: number;
  readonly promised?: Amount;
  readonly delivered?: Amount;
  readonly unsold?: Amount;
  readonly bought?: Amount;
  readonly depositLost?: Amount;
  readonly gridFee?: Amount;
  readonly deliveredFirst?: Amount;
  readonly keptFirst?: Amount;
};

/** What is not named is zero. */
export function slotSettlement(name: string, amounts: SettlementAmounts): SlotSettlement {
  const energy = (amount: Amount = 0): WattHours => wattHours(amount);
  const money = (amount: Amount = 0): Micros => micros(amount);
  return {
    tag: "slot-settlement",
    member: keyOf(name),
    slot: SLOT,
    produced: energy(amounts.produced),
    consumed: energy(amounts.consumed),
    used: energy(amounts.used),
    feedInEnergy: energy(amounts.feedInEnergy),
    feedInAmount: money(amounts.feedInAmount),
    retailEnergy: energy(amounts.retailEnergy),
    retailAmount: money(amounts.retailAmount),
    surplusAmount: money(amounts.surplusAmount),
    revision: amounts.revision ?? 0,
    promised: energy(amounts.promised),
    delivered: energy(amounts.delivered),
    unsold: energy(amounts.unsold),
    bought: energy(amounts.bought),
    depositLost: money(amounts.depositLost),
    gridFee: money(amounts.gridFee),
    deliveredFirst: energy(amounts.deliveredFirst ?? amounts.delivered),
    keptFirst: energy(amounts.keptFirst),
  };
}

/** Flows of trading, up to 10 kWh per slot and 100 kWh per day at up to 1.00 per kWh, until the end of the slot. */
export function mandate(principal: string, delegate: string, patch: Partial<Mandate> = {}): Mandate {
  return {
    tag: "mandate",
    mandateId: `mandate of ${principal}`,
    principal: keyOf(principal),
    delegate: keyOf(delegate),
    flows: [
      "create-promises",
      "create-auction",
      "bid",
      "settle-auction",
      "place-orders",
      "cancel-orders",
      "split-promise",
      "merge-promises",
      "substitute",
    ],
    strategies: [],
    energyPerSlotMax: wattHours(10_000),
    energyPerDayMax: wattHours(100_000),
    bidPriceMax: microsPerKwh(1_000_000),
    expiresMs: SLOT_END_MS,
    ...patch,
  };
}
