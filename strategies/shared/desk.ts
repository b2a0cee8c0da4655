/**
 * Collects one hook's intents and keeps them within the rules: capacity, promise size, what is held, the speculator's cap,
 * free funds less a reserve, and never an order above retail less the fee. What does not fit is cut down or left out, so a
 * strategy can say what it wants and no sequence of wishes breaks a rule.
 */

import { z } from "zod";
import {
  addEnergy,
  compareText,
  costCeil,
  costFloor,
  energyAbove,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  minEnergy,
  NO_ENERGY,
  type SlotId,
  subtractEnergy,
  subtractMoney,
  sumEnergy,
  type WattHours,
  WH_PER_KWH,
  wattHours,
} from "#core";
import type { Intent, OpenAuction, StrategyContext } from "../strategy.ts";

export type FundsConfig = {
  /** Share of the free funds that stays free. */
  readonly fundsReservePercent: number;
  /** Orders and offers below this are not worth a transaction. */
  readonly tradeWhMin: number;
};

export const fundsShape: Readonly<Record<keyof FundsConfig, z.ZodDefault<z.ZodNumber>>> = {
  fundsReservePercent: z.number().min(0).max(100).default(5),
  tradeWhMin: z.number().int().min(1).default(10),
};

export type DeskView = Pick<
  StrategyContext<unknown, unknown>,
  "member" | "rules" | "tariff" | "position" | "funds" | "openAuctions"
>;

/** Energy at a limit price. */
export type Lot = { readonly energy: WattHours; readonly limit: MicrosPerKwh };

/** What a member wants open in a slot's pool. */
export type Quote = {
  readonly offers?: readonly Lot[];
  readonly orders?: readonly Lot[];
  /** Replaces open offers even where their energy is right: their limit may not be. */
  readonly reprice?: boolean;
  /** The limit of the orders that are open now, where it is known: their funds are free again after a withdrawal. */
  readonly openOrderLimit?: MicrosPerKwh;
};

/** A slot's position, as it will be when the intents so far are carried out. */
export type Book = {
  readonly promised: WattHours;
  readonly held: WattHours;
  readonly bought: WattHours;
  /** In open offers of the pool. */
  readonly poolOffered: WattHours;
  /** In open orders of the pool. */
  readonly poolBidding: WattHours;
  /** In bids that are the highest of their auction. */
  readonly auctionBidding: WattHours;
  /** Own promises that others hold free. */
  readonly sold: WattHours;
  readonly coverable: WattHours;
};

const NO_LIMIT = wattHours(2n ** 62n);
/** At most this many promises for one slot from one hook. */
const PROMISES_PER_SLOT_MAX = 32;

export class Desk {
  readonly #view: DeskView;
  readonly #tradeMin: WattHours;
  readonly #auctions: readonly OpenAuction[];
  readonly #books = new Map<SlotId, Book>();
  readonly #bidOn = new Set<string>();
  readonly #intents: Intent[] = [];
  #free: Micros;

  constructor(view: DeskView, { fundsReservePercent, tradeWhMin }: FundsConfig) {
    this.#view = view;
    this.#tradeMin = wattHours(tradeWhMin);
    this.#auctions = view.openAuctions();
    const funds = view.funds();
    const sharePerMille = BigInt(Math.round((100 - fundsReservePercent) * 10));
    this.#free = funds > 0n ? micros((funds * sharePerMille) / 1_000n) : funds;
  }

  intents(): readonly Intent[] {
    return this.#intents;
  }

  book(slotId: SlotId): Book {
    const known = this.#books.get(slotId);
    if (known !== undefined) return known;
    const { promised, held, bought, offered, bidding, sold, coverable } = this.#view.position(slotId);
    const auctions = this.#auctions.filter((auction) => auction.slotId === slotId);
    const onAuction = sumEnergy(auctions.filter(({ isOwn }) => isOwn).map(({ energy }) => energy));
    const auctionBidding = sumEnergy(
      auctions.filter(({ isHighestBidder }) => isHighestBidder).map(({ energy }) => energy),
    );
    const book = {
      promised,
      held,
      bought,
      poolOffered: energyAbove(offered, onAuction),
      poolBidding: energyAbove(bidding, auctionBidding),
      auctionBidding,
      sold,
      coverable,
    };
    this.#books.set(slotId, book);
    return book;
  }

  /** Energy of own promises that nobody has bought and that is not on auction. */
  unsold(slotId: SlotId): WattHours {
    const { held, bought, poolOffered } = this.book(slotId);
    return energyAbove(addEnergy(held, poolOffered), bought);
  }

  /** Most energy that may still be promised for the slot: capacity, and what the free funds can back with deposits. */
  promiseRoom(slotId: SlotId): WattHours {
    const { capacityPerSlot } = this.#view.member;
    return minEnergy(
      energyAbove(capacityPerSlot, this.book(slotId).promised),
      this.#affordable(this.#view.rules.emergencyPrice),
    );
  }

  /** Promises up to `wanted`, in several promises where one would be above the allowed size. @returns what is promised. */
  promise(slotId: SlotId, wanted: WattHours): WattHours {
    const { promiseMin, promiseMax, emergencyPrice } = this.#view.rules;
    const smallest = promiseMin > 0n ? promiseMin : wattHours(1n);
    let promised = NO_ENERGY;
    for (let count = 0; count < PROMISES_PER_SLOT_MAX; count++) {
      const left = energyAbove(wanted, promised);
      const energy = minEnergy(minEnergy(left, promiseMax), this.promiseRoom(slotId));
      if (energy < smallest) break;
      this.#spend(costCeil(energy, emergencyPrice));
      const book = this.book(slotId);
      this.#books.set(slotId, {
        ...book,
        promised: addEnergy(book.promised, energy),
        held: addEnergy(book.held, energy),
      });
      this.#intents.push({ tag: "promise", slotId, energy });
      promised = addEnergy(promised, energy);
    }
    return promised;
  }

  /** Offers up to `wanted` of what is held. Nothing while own orders are open: a member can't cross itself. */
  offer(slotId: SlotId, wanted: WattHours, limit: MicrosPerKwh): WattHours {
    const book = this.book(slotId);
    const energy = minEnergy(wanted, book.held);
    if (energy < this.#tradeMin || book.poolBidding > 0n) return NO_ENERGY;
    this.#books.set(slotId, {
      ...book,
      held: subtractEnergy(book.held, energy),
      poolOffered: addEnergy(book.poolOffered, energy),
    });
    this.#intents.push({ tag: "offer", slotId, energy, limit });
    return energy;
  }

  /** Orders up to `wanted`, at most at retail less the fee. Nothing while own offers are open. */
  order(slotId: SlotId, wanted: WattHours, limitWanted: MicrosPerKwh): WattHours {
    const limit = this.#withinRetail(slotId, limitWanted);
    const book = this.book(slotId);
    if (limit === undefined || book.poolOffered > 0n) return NO_ENERGY;
    const total = this.#total(limit);
    const energy = minEnergy(minEnergy(wanted, this.capRoom(slotId)), this.#affordable(total));
    if (energy < this.#tradeMin) return NO_ENERGY;
    this.#spend(costCeil(energy, total));
    this.#books.set(slotId, { ...book, poolBidding: addEnergy(book.poolBidding, energy) });
    this.#intents.push({ tag: "order", slotId, energy, limit });
    return energy;
  }

  /** Withdraws open orders and offers, if there are any. With `orderLimit`, the funds that the orders lock are counted as free. */
  cancel(slotId: SlotId, orderLimit?: MicrosPerKwh): void {
    const book = this.book(slotId);
    if (book.poolOffered === 0n && book.poolBidding === 0n) return;
    const limit = orderLimit === undefined ? undefined : this.#withinRetail(slotId, orderLimit);
    if (limit !== undefined) this.#spend(micros(-costCeil(book.poolBidding, this.#total(limit))));
    this.#books.set(slotId, {
      ...book,
      held: addEnergy(book.held, book.poolOffered),
      poolOffered: NO_ENERGY,
      poolBidding: NO_ENERGY,
    });
    this.#intents.push({ tag: "cancel", slotId });
  }

  /** Puts up to `wanted` of what is held on auction. */
  auction(slotId: SlotId, wanted: WattHours, basePrice: MicrosPerKwh, deadlineMs: number): WattHours {
    const book = this.book(slotId);
    const energy = minEnergy(wanted, book.held);
    if (energy < this.#tradeMin) return NO_ENERGY;
    this.#books.set(slotId, { ...book, held: subtractEnergy(book.held, energy) });
    this.#intents.push({ tag: "auction", slotId, energy, basePrice, deadlineMs });
    return energy;
  }

  /** Bids in an auction, or does not when the price does not rise, the funds or the cap do not allow it. */
  bid(auction: OpenAuction, priceWanted: MicrosPerKwh): boolean {
    const { auctionId, slotId, energy, isOwn, isHighestBidder } = auction;
    const price = this.#withinRetail(slotId, priceWanted);
    if (price === undefined || isOwn || isHighestBidder || this.#bidOn.has(auctionId)) return false;
    if (price <= (auction.highestPrice ?? auction.basePrice)) return false;
    const total = this.#total(price);
    if (energy > this.capRoom(slotId) || energy > this.#affordable(total)) return false;
    const book = this.book(slotId);
    this.#spend(costCeil(energy, total));
    this.#bidOn.add(auctionId);
    this.#books.set(slotId, { ...book, auctionBidding: addEnergy(book.auctionBidding, energy) });
    this.#intents.push({ tag: "bid", auctionId, price });
    return true;
  }

  /** Covers up to `wanted` of what is sold with what is held of others; its deposit is free again. @returns what is covered. */
  cover(slotId: SlotId, wanted: WattHours): WattHours {
    const book = this.book(slotId);
    const energy = minEnergy(wanted, book.coverable);
    if (energy < this.#tradeMin) return NO_ENERGY;
    this.#spend(micros(-costFloor(energy, this.#view.rules.emergencyPrice)));
    this.#books.set(slotId, {
      ...book,
      promised: subtractEnergy(book.promised, energy),
      held: subtractEnergy(book.held, energy),
      bought: subtractEnergy(book.bought, energy),
      sold: subtractEnergy(book.sold, energy),
      coverable: subtractEnergy(book.coverable, energy),
    });
    this.#intents.push({ tag: "cover", slotId, energy });
    return energy;
  }

  /** Whether the energy is worth a transaction. */
  isWorthTrading(energy: WattHours): boolean {
    return energy >= this.#tradeMin;
  }

  /** Plans the battery: whole watt-hours, rounded towards doing less. */
  chargeBattery(slotId: SlotId, energyWh: number): void {
    this.#intents.push({ tag: "charge-battery", slotId, energyWh: Math.trunc(energyWh) + 0 });
  }

  /** Most energy that may still be bought or bid for under the speculator's cap; no limit for other members. */
  capRoom(slotId: SlotId): WattHours {
    const cap = this.#view.member.speculatorCapPerSlot;
    if (cap === undefined) return NO_LIMIT;
    const { bought, poolBidding, auctionBidding } = this.book(slotId);
    return energyAbove(cap, sumEnergy([bought, poolBidding, auctionBidding]));
  }

  /**
   * Moves the slot's open orders and offers to what is wanted, withdrawing only when it must: when too much is open, or open
   * on the other side, or (`reprice`) when offers are open that may have another limit. Offers win over orders.
   */
  quote(slotId: SlotId, wanted: Quote): void {
    const offers = (wanted.offers ?? []).filter(({ energy }) => energy >= this.#tradeMin);
    const orders = offers.length > 0 ? [] : (wanted.orders ?? []).filter(({ energy }) => energy >= this.#tradeMin);
    const toOffer = sumEnergy(offers.map(({ energy }) => energy));
    const toOrder = sumEnergy(orders.map(({ energy }) => energy));
    const { poolOffered, poolBidding } = this.book(slotId);
    const isOfferWrong = poolOffered > toOffer || (wanted.reprice === true && poolOffered > 0n);
    const isOrderWrong = poolBidding >= addEnergy(toOrder, this.#tradeMin) || (poolBidding > 0n && toOrder === 0n);
    if (isOfferWrong || isOrderWrong) this.cancel(slotId, wanted.openOrderLimit);
    let openOffered = this.book(slotId).poolOffered;
    for (const { energy, limit } of offers) {
      this.offer(slotId, energyAbove(energy, openOffered), limit);
      openOffered = energyAbove(openOffered, energy);
    }
    let openBidding = this.book(slotId).poolBidding;
    for (const { energy, limit } of orders) {
      this.order(slotId, energyAbove(energy, openBidding), limit);
      openBidding = energyAbove(openBidding, energy);
    }
  }

  #spend(amount: Micros): void {
    this.#free = subtractMoney(this.#free, amount);
  }

  /** Most energy whose cost at `price`, rounded up, the free funds can pay. */
  #affordable(price: MicrosPerKwh): WattHours {
    if (this.#free < 0n) return NO_ENERGY;
    return price <= 0n ? NO_LIMIT : wattHours((this.#free * WH_PER_KWH) / price);
  }

  #total(price: MicrosPerKwh): MicrosPerKwh {
    return microsPerKwh(price + this.#view.rules.marketFee);
  }

  #withinRetail(slotId: SlotId, price: MicrosPerKwh): MicrosPerKwh | undefined {
    const tariff = this.#view.tariff(slotId);
    if (tariff === undefined) return undefined;
    const highest = microsPerKwh(tariff.retail - this.#view.rules.marketFee);
    return price < highest ? price : highest;
  }
}

/** Orders slots by time, whatever order they came in. */
export function bySlot<T extends { readonly slotId: SlotId }>(left: T, right: T): number {
  return compareText(left.slotId, right.slotId);
}
