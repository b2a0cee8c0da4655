/**
 * The facts that the ledger holds. A state is never edited: a transaction consumes it and makes the next version.
 * Parties are identified by their public key.
 */
import type { LocalDay, Micros, MicrosPerKwh, PublicKey, SlotId, SlotMinutes, WattHours } from "#core";

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

/** Flows that a member may delegate to an agent. */
export const DELEGABLE_FLOWS = [
  "create-promises",
  "create-auction",
  "bid",
  "settle-auction",
  "place-orders",
  "cancel-orders",
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
  "observers",
] as const;
export type AmendableParameters = Pick<NetworkParameters, (typeof AMENDABLE_PARAMETERS)[number]>;

export type ObserverGrant = { readonly key: PublicKey; readonly sees: readonly StateTag[] };

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
};

/** Money that the payment provider owes the owner. No token: issued and redeemed by transfer of real currency. */
export type Funds = { readonly tag: "funds"; readonly owner: PublicKey; readonly amount: Micros };

/** Why a promise can't move for now. */
export type PromiseLock = { readonly kind: "auction" | "order"; readonly id: string };

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
};

/** The supplier's funds locked with the grid authority until delivery is checked. */
export type Deposit = {
  readonly tag: "deposit";
  readonly supplier: PublicKey;
  readonly slot: SlotId;
  readonly amount: Micros;
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

/** What the meter at a member's connection measured in a slot. */
export type MeterReading = {
  readonly tag: "meter-reading";
  readonly member: PublicKey;
  readonly slot: SlotId;
  readonly produced: WattHours;
  readonly consumed: WattHours;
};

/** What became of a supplier's promises for a slot (paper algorithm A2). */
export type DeliveryRecord = {
  readonly tag: "delivery-record";
  readonly supplier: PublicKey;
  readonly slot: SlotId;
  readonly promised: WattHours;
  readonly delivered: WattHours;
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
};

/** Power of attorney: what the delegate's key may sign for the principal. Revoked by consuming it. */
export type Mandate = {
  readonly tag: "mandate";
  readonly mandateId: string;
  readonly principal: PublicKey;
  readonly delegate: PublicKey;
  readonly flows: readonly DelegableFlow[];
  /** The most energy that one transaction may promise, offer, bid or order in one slot. */
  readonly energyPerSlotMax: WattHours;
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
  | Auction
  | Bid
  | PoolOrder
  | Exposure
  | ExposureIndex
  | Tariff
  | MeterReading
  | DeliveryRecord
  | SlotSettlement
  | Mandate
  | StandingVote;
/** Every kind of state. */
export const STATE_KINDS = [
  "network-parameters",
  "member",
  "funds",
  "power-promise",
  "deposit",
  "auction",
  "bid",
  "pool-order",
  "exposure",
  "exposure-index",
  "tariff",
  "meter-reading",
  "delivery-record",
  "slot-settlement",
  "mandate",
  "standing-vote",
] as const;
export type StateTag = (typeof STATE_KINDS)[number];
export type StateOf<T extends StateTag> = Extract<State, { readonly tag: T }>;

/** The parties that must store a state. */
export function participantsOf(state: State): readonly PublicKey[] {
  switch (state.tag) {
    case "network-parameters":
    case "tariff":
      return [];
    case "member":
      return [state.key];
    case "funds":
      return [state.owner];
    case "power-promise":
      return [state.supplier, state.owner];
    case "deposit":
      return [state.supplier];
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
