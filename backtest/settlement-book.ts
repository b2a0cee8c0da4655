/**
 * Collects what the ledger settles into one row per member and slot. It reads final transactions only: nothing in it is
 * computed from what agents or the market say.
 */

import {
  injectedOf,
  type NodeEvent,
  type PoolOrder,
  poolPayments,
  type State,
  type StateOf,
  type StateTag,
  settlementPayments,
  withdrawnOf,
} from "#contracts";
import {
  compareText,
  costCeil,
  costFloor,
  type Micros,
  micros,
  NO_ENERGY,
  NO_MONEY,
  type PublicKey,
  type SlotId,
  type WattHours,
  wattHours,
} from "#core";
import type { MeteredEnergy } from "./kernel/physics.ts";
import type { SettlementRow } from "./report/model.ts";

type Prices = { readonly feedIn: Parameters<typeof costFloor>[1]; readonly retail: Parameters<typeof costFloor>[1] };
type MutableRow = { -readonly [K in Exclude<keyof SettlementRow, "slot" | "member" | "roles" | "netMicros">]: bigint };

export type BookMember = { readonly name: string; readonly key: PublicKey; readonly roles: readonly string[] };

const EMPTY: MutableRow = {
  producedWh: 0n,
  consumedWh: 0n,
  promisedWh: 0n,
  deliveredWh: 0n,
  shortfallWh: 0n,
  boughtWh: 0n,
  soldWh: 0n,
  tradeMicros: 0n,
  feesMicros: 0n,
  depositLostMicros: 0n,
  feedInMicros: 0n,
  retailMicros: 0n,
  baselineMicros: 0n,
};

export class SettlementBook {
  readonly #members = new Map<PublicKey, BookMember>();
  readonly #rows = new Map<string, { readonly slot: SlotId; readonly member: PublicKey; readonly row: MutableRow }>();

  addMember(member: BookMember): void {
    this.#members.set(member.key, member);
  }

  /** Notes what the members would have had without a market. */
  addBaseline(member: PublicKey, slot: SlotId, baseline: MeteredEnergy, { feedIn, retail }: Prices): void {
    this.#row(member, slot).baselineMicros +=
      costFloor(injectedOf(baseline), feedIn) - costCeil(withdrawnOf(baseline), retail);
  }

  /** Takes a final transaction as the marketplace's node knows it: rounds of pools, in full. */
  addPoolRound(event: NodeEvent): void {
    if (event.command?.tag !== "clear-pool" || event.command.trades.length === 0) return;
    const { slot, trades } = event.command;
    const orders = only(event.consumed, "pool-order");
    const ownerOf = new Map(orders.map(({ orderId, owner }) => [orderId, owner]));
    for (const { bid, offer, energy } of trades) {
      const [buyer, seller] = [ownerOf.get(bid), ownerOf.get(offer)];
      if (buyer !== undefined) this.#row(buyer, slot).boughtWh += energy;
      if (seller !== undefined) this.#row(seller, slot).soldWh += energy;
    }
    this.#payRound(slot, orders, trades);
  }

  #payRound(slot: SlotId, orders: readonly PoolOrder[], trades: Parameters<typeof poolPayments>[1]): void {
    const payments = poolPayments(orders, trades);
    const marketplace = orders[0]?.marketplace;
    for (const [buyer, amount] of payments.buyers) this.#row(buyer, slot).tradeMicros -= amount;
    for (const [seller, amount] of payments.sellers) this.#row(seller, slot).tradeMicros += amount;
    for (const [buyer, fee] of payments.fees) {
      this.#row(buyer, slot).feesMicros -= fee;
      if (marketplace !== undefined) this.#row(marketplace, slot).feesMicros += fee;
    }
  }

  /** Takes a settled auction as the winner's node knows it. */
  addAuction(event: NodeEvent): void {
    const [auction] = only(event.consumed, "auction");
    const [bid] = only(event.consumed, "bid");
    if (event.command?.tag !== "settle-auction" || auction === undefined || bid === undefined) return;
    const toSeller = settlementPayments(auction, bid).get(auction.seller) ?? 0n;
    const fee = bid.locked - toSeller;
    const [buyer, seller, marketplace] = [bid.bidder, auction.seller, auction.marketplace].map((key) =>
      this.#row(key, auction.slot),
    ) as [MutableRow, MutableRow, MutableRow];
    buyer.boughtWh += auction.energy;
    seller.soldWh += auction.energy;
    buyer.tradeMicros -= toSeller;
    seller.tradeMicros += toSeller;
    buyer.feesMicros -= fee;
    marketplace.feesMicros += fee;
  }

  /** Takes a checked delivery as the grid authority's node knows it. */
  addDelivery(event: NodeEvent, gridAuthority: PublicKey, powerCompany: PublicKey): void {
    if (event.command?.tag !== "check-delivery") return;
    for (const record of only(event.made, "delivery-record")) {
      const row = this.#row(record.supplier, record.slot);
      row.promisedWh += record.promised;
      row.deliveredWh += record.delivered;
      row.shortfallWh += record.promised - record.delivered;
      row.depositLostMicros -= record.depositLost;
      row.feesMicros -= record.gridFee;
      const toGridAuthority = only(event.made, "funds").reduce(
        (sum, { owner, amount }) => sum + (owner === gridAuthority ? amount : 0n),
        0n,
      );
      this.#row(powerCompany, record.slot).depositLostMicros += record.depositLost + record.gridFee - toGridAuthority;
      this.#row(gridAuthority, record.slot).feesMicros += toGridAuthority;
    }
  }

  /** Takes a settled slot of one member. */
  addSettlement(event: NodeEvent, powerCompany: PublicKey): void {
    if (event.command?.tag !== "settle-slot") return;
    for (const { member, slot, produced, consumed, feedInAmount, retailAmount, surplusAmount } of only(
      event.made,
      "slot-settlement",
    )) {
      const row = this.#row(member, slot);
      row.producedWh += produced;
      row.consumedWh += consumed;
      row.feedInMicros += feedInAmount;
      row.retailMicros -= retailAmount;
      row.feesMicros -= surplusAmount;
      const company = this.#row(powerCompany, slot);
      company.feedInMicros -= feedInAmount;
      company.retailMicros += retailAmount;
      company.feesMicros += surplusAmount;
    }
  }

  /** Takes the correction of a settled slot as the grid authority's node knows it: the difference goes to the slot's row. */
  addCorrection(event: NodeEvent, gridAuthority: PublicKey, powerCompany: PublicKey): void {
    const [before] = only(event.consumed, "slot-settlement");
    const [after] = only(event.made, "slot-settlement");
    if (event.command?.tag !== "correct-settlement" || before === undefined || after === undefined) return;
    const more = (field: "produced" | "consumed" | "delivered" | "depositLost" | "gridFee"): bigint =>
      after[field] - before[field];
    const [feedIn, retail, surplus] = [
      after.feedInAmount - before.feedInAmount,
      after.retailAmount - before.retailAmount,
      after.surplusAmount - before.surplusAmount,
    ];
    const row = this.#row(after.member, after.slot);
    row.producedWh += more("produced");
    row.consumedWh += more("consumed");
    row.deliveredWh += more("delivered");
    row.shortfallWh -= more("delivered");
    row.depositLostMicros -= more("depositLost");
    row.feesMicros -= more("gridFee") + surplus;
    row.feedInMicros += feedIn;
    row.retailMicros -= retail;
    const toGridAuthority = fundsOf(event.made, gridAuthority) - fundsOf(event.consumed, gridAuthority);
    const company = this.#row(powerCompany, after.slot);
    company.depositLostMicros += more("depositLost") + more("gridFee") - toGridAuthority;
    company.feesMicros += surplus;
    company.feedInMicros -= feedIn;
    company.retailMicros += retail;
    this.#row(gridAuthority, after.slot).feesMicros += toGridAuthority;
  }

  /** All rows of the slots, sorted by slot and member; every member has one in each slot. */
  rows(slots: readonly SlotId[]): readonly SettlementRow[] {
    const members = [...this.#members.values()].sort((left, right) => compareText(left.name, right.name));
    return slots.flatMap((slot) =>
      members.map((member) => asRow(slot, member, this.#rows.get(`${slot} ${member.key}`)?.row ?? EMPTY)),
    );
  }

  #row(member: PublicKey, slot: SlotId): MutableRow {
    const key = `${slot} ${member}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known.row;
    const row = { ...EMPTY };
    this.#rows.set(key, { slot, member, row });
    return row;
  }
}

function asRow(slot: SlotId, { name, roles }: BookMember, row: MutableRow): SettlementRow {
  const energy = (value: bigint): WattHours => (value === 0n ? NO_ENERGY : wattHours(value));
  const money = (value: bigint): Micros => (value === 0n ? NO_MONEY : micros(value));
  const net = row.tradeMicros + row.feesMicros + row.depositLostMicros + row.feedInMicros + row.retailMicros;
  return {
    slot,
    member: name,
    roles,
    producedWh: energy(row.producedWh),
    consumedWh: energy(row.consumedWh),
    promisedWh: energy(row.promisedWh),
    deliveredWh: energy(row.deliveredWh),
    shortfallWh: energy(row.shortfallWh),
    boughtWh: energy(row.boughtWh),
    soldWh: energy(row.soldWh),
    tradeMicros: money(row.tradeMicros),
    feesMicros: money(row.feesMicros),
    depositLostMicros: money(row.depositLostMicros),
    feedInMicros: money(row.feedInMicros),
    retailMicros: money(row.retailMicros),
    netMicros: money(net),
    baselineMicros: money(row.baselineMicros),
  };
}

function fundsOf(states: readonly State[], party: PublicKey): bigint {
  return only(states, "funds").reduce((sum, { owner, amount }) => sum + (owner === party ? amount : 0n), 0n);
}

function only<T extends StateTag>(states: readonly State[], tag: T): readonly StateOf<T>[] {
  return states.filter((state): state is StateOf<T> => state.tag === tag);
}
