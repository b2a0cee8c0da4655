/**
 * The facts that the ledger holds. A state is never edited: a transaction consumes it and makes the next version.
 * Parties are identified by their public key.
 */
import type { Hash, LocalDay, Micros, MicrosPerKwh, PublicKey, SlotId, SlotMinutes, WattHours } from "#core";

/** What a member is allowed to be; a member may hold several roles. */
export const ROLES = [
  "grid-authority",
  "power-company",
  "producer",
  "prosumer",
  "consumer",
  "storage-provider",
  "speculator",
  "marketplace",
  "verification-agency",
  "verifier",
  "aggregator",
  "notary",
  "meter-operator",
  "payment-provider",
  "observer",
] as const;
export type Role = (typeof ROLES)[number];

/** Roles that may put energy into the grid, and so may promise it (paper section 3.4). */
export const SUPPLIER_ROLES: readonly Role[] = ["producer", "prosumer", "storage-provider", "power-company"];

export const STANDINGS = ["good", "probation", "suspended"] as const;
export type Standing = (typeof STANDINGS)[number];

/** Flows that a member may delegate to an agent or to the aggregator that serves it. Moving money out is none of them. */
export const DELEGABLE_FLOWS = [
  "create-promises",
  "create-auction",
  "bid",
  "settle-auction",
  "place-orders",
  "cancel-orders",
  "split-promise",
  "merge-promises",
  "substitute",
  "certify-claims",
  "check-delivery",
  "settle-slot",
] as const;
export type DelegableFlow = (typeof DELEGABLE_FLOWS)[number];

/** Rules that all nodes share. Cited by every transaction; replacing them invalidates what cites the old version. */
export type NetworkParameters = {
  readonly tag: "network-parameters";
  readonly networkId: string;
  readonly epoch: number;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly slotMinutes: SlotMinutes;
  readonly timeZone: string;
  readonly gridAuthority: PublicKey;
  readonly powerCompany: PublicKey;
  readonly paymentProvider: PublicKey;
  readonly notaries: readonly PublicKey[];
  readonly verifiers: readonly PublicKey[];
  /** How many of the verifiers must sign a promise or a trade. */
  readonly verifierQuorum: number;
  /** A promise below this is insignificant, one above the other unrealistic (paper section 3.4). */
  readonly promiseMin: WattHours;
  readonly promiseMax: WattHours;
  /** Price per kilowatt-hour of emergency supply: what a deposit must cover (paper section 3.1). */
  readonly emergencyPrice: MicrosPerKwh;
  /** Grid maintenance fee per kilowatt-hour, kept from deposits (paper algorithm A2). */
  readonly gridFee: MicrosPerKwh;
  /** The least by which a bid must rise over the last. */
  readonly bidRiseMin: MicrosPerKwh;
  readonly priceMin: MicrosPerKwh;
  readonly priceMax: MicrosPerKwh;
  /** A slot's gate closes this long before the slot starts. */
  readonly gateLeadMs: number;
  /** How long a party whose signature is due is waited for; then those who must not wait go on without it. */
  readonly settlementGraceMs: number;
  /** Who reads the meters. Where there are none, the grid authority does it alone. */
  readonly meterOperators: readonly PublicKey[];
  /** How many of their reports must agree. */
  readonly meterQuorum: number;
  /** Reports agree that are at most this far from their median, in production and in consumption. */
  readonly meterTolerance: WattHours;
  /** Settled slots may be corrected until this long after their end. */
  readonly correctionMs: number;
  /** What the holder of energy that it does not use pays per kilowatt-hour for its surplus (paper section 4.3). */
  readonly surplusPrice: MicrosPerKwh;
  /** Members, such as a regulator, that are shown states of some kinds whomever they concern. */
  readonly observers: readonly ObserverGrant[];
};

/** What the grid authority may change of the parameters while the network runs; deposits, gates and parties rest on the others. */
export const AMENDABLE_PARAMETERS = [
  "notaries",
  "verifiers",
  "verifierQuorum",
  "promiseMin",
  "promiseMax",
  "bidRiseMin",
  "priceMin",
  "priceMax",
  "settlementGraceMs",
  "meterOperators",
  "meterQuorum",
  "meterTolerance",
  "observers",
] as const;
export type AmendableParameters = Pick<NetworkParameters, (typeof AMENDABLE_PARAMETERS)[number]>;

export type ObserverGrant = { readonly key: PublicKey; readonly sees: readonly StateTag[] };

/** What a storage provider can store and move: bounds what it may promise over a day. */
export type Storage = {
  readonly capacity: WattHours;
  /** The most that it takes from or gives to the grid in one slot. */
  readonly powerPerSlot: WattHours;
  /** What comes back of what was taken, in thousandths. */
  readonly efficiencyPerMille: number;
};

export type Member = {
  readonly tag: "member";
  readonly name: string;
  readonly key: PublicKey;
  readonly roles: readonly Role[];
  readonly standing: Standing;
  /** The most energy that the member may promise in one slot; zero for those who supply none. */
  readonly capacityPerSlot: WattHours;
  /** The most energy that the member may hold and bid for in one slot; null: no cap. Speculators have one. */
  readonly holdingCapPerSlot: WattHours | null;
  /** A marketplace's fee, paid by the buyer on top of the price. */
  readonly marketFee: MicrosPerKwh;
  readonly storage: Storage | null;
  /** The aggregator whose node is the member's too; null: the member has a node of its own. */
  readonly servedBy: PublicKey | null;
};

/** Money that the payment provider owes the owner. No token: issued and redeemed by transfer of real currency. */
export type Funds = { readonly tag: "funds"; readonly owner: PublicKey; readonly amount: Micros };

/**
 * Money that was redeemed and is to be paid out: the payment provider owes it until it confirms that it has paid. Always whole
 * cents, as banks pay no less.
 */
export type Redemption = {
  readonly tag: "redemption";
  /** The id of the command; an owner uses each once. */
  readonly redemptionId: string;
  readonly owner: PublicKey;
  readonly provider: PublicKey;
  readonly amount: Micros;
  /** The name under which the provider knows the owner's bank account, which is never on the ledger. */
  readonly account: string;
};

/** Why a promise can't move for now. */
export type PromiseLock = { readonly kind: "auction" | "order"; readonly id: string };

export const ENERGY_SOURCES = ["solar", "wind", "hydro", "biomass", "combined-heat-and-power", "storage"] as const;
export type EnergySource = (typeof ENERGY_SOURCES)[number];

/** What a supplier says of its energy. Certified when a verification agency has countersigned it. */
export type Claims = {
  readonly source: EnergySource | null;
  readonly renewable: boolean;
  /** Where it is fed in: a plant, a feeder or a region. */
  readonly origin: string | null;
  readonly gramsCo2PerKwh: number | null;
  readonly certifiedBy: PublicKey | null;
};

/** "The supplier will put this energy into the grid in this slot; the owner may use it." */
export type PowerPromise = {
  readonly tag: "power-promise";
  /** Lineage: the parts of a split promise keep it. */
  readonly promiseId: string;
  readonly slot: SlotId;
  readonly energy: WattHours;
  readonly supplier: PublicKey;
  readonly owner: PublicKey;
  readonly lock: PromiseLock | null;
  /** How much the supplier delivered of it; null until delivery is checked. */
  readonly delivered: WattHours | null;
  readonly claims: Claims | null;
};

/** The supplier's funds locked with the grid authority until delivery is checked. */
export type Deposit = {
  readonly tag: "deposit";
  readonly supplier: PublicKey;
  readonly slot: SlotId;
  readonly amount: Micros;
};

/** The most that may be promised in a slot from now on, as the grid authority has said. What it cut then is published with it. */
export type Curtailment = {
  readonly tag: "curtailment";
  readonly slot: SlotId;
  readonly cap: WattHours;
  /** Promised in the slot before it was cut. */
  readonly promised: WattHours;
  /** Of that, free and sold to nobody: what the cut was shared among. */
  readonly unsold: WattHours;
  readonly cut: WattHours;
};

/** A speculator's money locked for the surplus cost of what it buys of a day. */
export type Margin = {
  readonly tag: "margin";
  readonly owner: PublicKey;
  readonly day: LocalDay;
  readonly amount: Micros;
};

/** What a buyer requires of certified claims. */
export type ClaimRequirement = {
  readonly source: EnergySource | null;
  readonly renewable: boolean;
  readonly origin: string | null;
  readonly gramsCo2PerKwhMax: number | null;
  /** The most of what the agency certified that may have been contradicted since, in thousandths. */
  readonly contradictedPerMilleMax: number;
};

/** An agency's signature under claims, for as long as it is not known whether the energy came. Closed after delivery. */
export type Certificate = {
  readonly tag: "certificate";
  readonly agency: PublicKey;
  readonly supplier: PublicKey;
  readonly slot: SlotId;
  readonly energy: WattHours;
  readonly claims: Claims;
  /** Another agency that says it is wrong, and the hash of why. */
  readonly contradiction: Contradiction | null;
};
export type Contradiction = { readonly by: PublicKey; readonly evidence: Hash };

/** What an agency has certified, and how much of it turned out to be wrong. Public; made when the agency becomes a member. */
export type AgencyRecord = {
  readonly tag: "agency-record";
  readonly agency: PublicKey;
  readonly certified: WattHours;
  readonly contradicted: WattHours;
};

/** English auction of locked promises. */
export type Auction = {
  readonly tag: "auction";
  readonly auctionId: string;
  readonly seller: PublicKey;
  readonly marketplace: PublicKey;
  readonly slot: SlotId;
  readonly energy: WattHours;
  readonly basePrice: MicrosPerKwh;
  readonly marketFee: MicrosPerKwh;
  readonly deadlineMs: number;
  readonly status: "active" | "ended";
  readonly highestPrice: MicrosPerKwh | null;
  readonly highestBidder: PublicKey | null;
  /** What is claimed of all promises of the auction. */
  readonly claims: Claims | null;
};

/** The highest bid of an auction with the funds that are locked in it: price and fee, rounded up. */
export type Bid = {
  readonly tag: "bid";
  readonly auctionId: string;
  readonly bidder: PublicKey;
  readonly price: MicrosPerKwh;
  readonly locked: Micros;
};

/** An order in a slot's pool. A bid locks funds for its limit and the fee; an offer locks promises. */
export type PoolOrder = {
  readonly tag: "pool-order";
  readonly orderId: string;
  readonly side: "bid" | "offer";
  readonly owner: PublicKey;
  readonly marketplace: PublicKey;
  readonly slot: SlotId;
  /** What is still to be filled. */
  readonly energy: WattHours;
  readonly limit: MicrosPerKwh;
  readonly marketFee: MicrosPerKwh;
  readonly locked: Micros;
  /** Arrival number, given by the marketplace. */
  readonly sequence: number;
  /** What a bid requires of the energy; null: any. Offers require nothing. */
  readonly requires: ClaimRequirement | null;
};

export type ExposureEntry = {
  readonly slot: SlotId;
  /** Promised by the member and not yet settled. */
  readonly promised: WattHours;
  /** Held although others supply it. */
  readonly bought: WattHours;
  /** In open bids of pools and auctions. */
  readonly bidding: WattHours;
};

/** What one member has promised, holds and bids for per slot of one day; consumed by each trade, so caps hold. */
export type Exposure = {
  readonly tag: "exposure";
  readonly member: PublicKey;
  readonly day: LocalDay;
  readonly entries: readonly ExposureEntry[];
  /** Slots of the day that are settled, so that each is settled once. */
  readonly settled: readonly SlotId[];
};

/** Days for which a member's exposure has been opened, so that each is opened once. Made once, when the member joins. */
export type ExposureIndex = {
  readonly tag: "exposure-index";
  readonly member: PublicKey;
  readonly openedDays: readonly LocalDay[];
};

/** Feed-in and retail prices of one local day, published ahead by the power company. */
export type Tariff = {
  readonly tag: "tariff";
  readonly day: LocalDay;
  readonly slots: readonly SlotId[];
  readonly feedIn: readonly MicrosPerKwh[];
  readonly retail: readonly MicrosPerKwh[];
};

/** What one meter operator read at a member's connection. Consumed by the reading that it is used for: it serves for one. */
export type MeterReport = {
  readonly tag: "meter-report";
  readonly operator: PublicKey;
  readonly member: PublicKey;
  readonly slot: SlotId;
  readonly produced: WattHours;
  readonly consumed: WattHours;
  /** Zero at first; one more each time the operator replaces a report that no reading has used. */
  readonly revision: number;
};

/** What the meter at a member's connection measured in a slot, as the operators' reports agree. */
export type MeterReading = {
  readonly tag: "meter-reading";
  readonly member: PublicKey;
  readonly slot: SlotId;
  readonly produced: WattHours;
  readonly consumed: WattHours;
  /** Zero at first; one more for each correction. */
  readonly revision: number;
  /** Operators whose reports agreed, and those whose did not. */
  readonly agreed: readonly PublicKey[];
  readonly disagreed: readonly PublicKey[];
};

/** What became of a supplier's promises for a slot (paper algorithm A2). */
export type DeliveryRecord = {
  readonly tag: "delivery-record";
  readonly supplier: PublicKey;
  readonly slot: SlotId;
  readonly promised: WattHours;
  readonly delivered: WattHours;
  /** Promised, and sold to nobody. */
  readonly unsold: WattHours;
  readonly depositLost: Micros;
  readonly gridFee: Micros;
};

/** How a member's slot was settled with the supplier of last resort. */
export type SlotSettlement = {
  readonly tag: "slot-settlement";
  readonly member: PublicKey;
  readonly slot: SlotId;
  readonly produced: WattHours;
  readonly consumed: WattHours;
  /** Held energy that the member used. */
  readonly used: WattHours;
  readonly feedInEnergy: WattHours;
  readonly feedInAmount: Micros;
  readonly retailEnergy: WattHours;
  readonly retailAmount: Micros;
  /** What the member pays for held energy that it did not use. */
  readonly surplusAmount: Micros;
  /** Of the reading that it was settled by. */
  readonly revision: number;
  /** What a correction starts from: the member's promises and what became of them, and what it held. */
  readonly promised: WattHours;
  readonly delivered: WattHours;
  /** Own promises that nobody bought. */
  readonly unsold: WattHours;
  readonly bought: WattHours;
  readonly depositLost: Micros;
  readonly gridFee: Micros;
  /** As the delivery check found and shared it: delivered in all, and of that on own promises that nobody bought. */
  readonly deliveredFirst: WattHours;
  readonly keptFirst: WattHours;
};

/** An objection to what the meters are said to have measured, by the member or the power company. */
export type Dispute = {
  readonly tag: "dispute";
  readonly disputeId: string;
  readonly member: PublicKey;
  readonly slot: SlotId;
  readonly raisedBy: PublicKey;
  /** Hash of what the verifiers are shown. */
  readonly evidence: Hash;
  /** What was measured, as the one who raises it says. */
  readonly produced: WattHours;
  readonly consumed: WattHours;
};

/** What a verifier holds to be right in a dispute. Consumed by the decision. */
export type DisputeVote = {
  readonly tag: "dispute-vote";
  readonly disputeId: string;
  readonly voter: PublicKey;
  readonly produced: WattHours;
  readonly consumed: WattHours;
};

/** Power of attorney: what the delegate's key may sign for the principal. Revoked by consuming it. */
export type Mandate = {
  readonly tag: "mandate";
  readonly mandateId: string;
  readonly principal: PublicKey;
  readonly delegate: PublicKey;
  readonly flows: readonly DelegableFlow[];
  /** Strategies that the delegate may follow, by name; none: any. The delegate's platform holds to it, the ledger can't see it. */
  readonly strategies: readonly string[];
  /** The most energy that one transaction may promise, offer, bid or order in one slot, and that all may have there together. */
  readonly energyPerSlotMax: WattHours;
  /** The most that the principal's promises of a day, and its holdings and bids, may come to while the delegate adds to them. */
  readonly energyPerDayMax: WattHours;
  /** The most that the delegate may bid per kilowatt-hour. */
  readonly bidPriceMax: MicrosPerKwh;
  readonly expiresMs: number;
};

/** A verifier's vote for another standing of a member. Consumed by the amendment that enough votes make. */
export type StandingVote = {
  readonly tag: "standing-vote";
  readonly voter: PublicKey;
  readonly member: PublicKey;
  readonly standing: Standing;
  /** Counts until then. */
  readonly expiresMs: number;
};

export type State =
  | NetworkParameters
  | Member
  | Funds
  | PowerPromise
  | Deposit
  | Curtailment
  | Margin
  | Certificate
  | AgencyRecord
  | Auction
  | Bid
  | PoolOrder
  | Exposure
  | ExposureIndex
  | Tariff
  | MeterReport
  | MeterReading
  | DeliveryRecord
  | SlotSettlement
  | Dispute
  | DisputeVote
  | Mandate
  | Redemption
  | StandingVote;
/** Every kind of state. */
export const STATE_KINDS = [
  "network-parameters",
  "member",
  "funds",
  "power-promise",
  "deposit",
  "curtailment",
  "margin",
  "certificate",
  "agency-record",
  "auction",
  "bid",
  "pool-order",
  "exposure",
  "exposure-index",
  "tariff",
  "meter-report",
  "meter-reading",
  "delivery-record",
  "slot-settlement",
  "dispute",
  "dispute-vote",
  "mandate",
  "redemption",
  "standing-vote",
] as const;
export type StateTag = (typeof STATE_KINDS)[number];
export type StateOf<T extends StateTag> = Extract<State, { readonly tag: T }>;

/**
 * States that every member may see: rules, members, tariffs, curtailments, the records of agencies, and auctions (paper section 3.4: all
 * parties observe auctions).
 */
export const PUBLIC_TAGS: readonly StateTag[] = [
  "network-parameters",
  "member",
  "tariff",
  "curtailment",
  "auction",
  "agency-record",
];

export function isPublicKind(tag: StateTag): boolean {
  return PUBLIC_TAGS.includes(tag);
}

/** The parties that must store a state. */
export function participantsOf(state: State): readonly PublicKey[] {
  switch (state.tag) {
    case "network-parameters":
    case "tariff":
    case "curtailment":
      return [];
    case "member":
      return [state.key];
    case "funds":
    case "margin":
      return [state.owner];
    case "redemption":
      return [state.owner, state.provider];
    case "power-promise":
      return [state.supplier, state.owner];
    case "deposit":
      return [state.supplier];
    case "certificate":
      return [state.supplier, state.agency];
    case "agency-record":
      return [state.agency];
    case "auction":
      return state.highestBidder === null
        ? [state.seller, state.marketplace]
        : [state.seller, state.marketplace, state.highestBidder];
    case "bid":
      return [state.bidder];
    case "pool-order":
      return [state.owner, state.marketplace];
    case "exposure":
    case "exposure-index":
    case "meter-reading":
    case "slot-settlement":
      return [state.member];
    case "delivery-record":
      return [state.supplier];
    case "meter-report":
      return [state.operator];
    case "dispute":
      return [state.member, state.raisedBy];
    case "dispute-vote":
      return [state.voter];
    case "mandate":
      return [state.principal, state.delegate];
    case "standing-vote":
      return [state.voter];
  }
}

/** Money that a state holds, and whose it is; null for a state without money. */
export function moneyIn(state: State): { readonly owner: PublicKey; readonly amount: Micros } | null {
  switch (state.tag) {
    case "funds":
    case "redemption":
    case "margin":
      return { owner: state.owner, amount: state.amount };
    case "deposit":
      return { owner: state.supplier, amount: state.amount };
    case "bid":
      return { owner: state.bidder, amount: state.locked };
    case "pool-order":
      return { owner: state.owner, amount: state.locked };
    default:
      return null;
  }
}
