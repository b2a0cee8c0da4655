/**
 * A hand-written market of one member: calls a strategy's hooks in a fake context, carries the intents out and says which of them
 * break a rule. It knows no other members: a test says what is filled, outbid or delivered.
 */
import {
  addEnergy,
  addMoney,
  costCeil,
  costFloor,
  energyAbove,
  invariant,
  type LocalDay,
  type Micros,
  type MicrosPerKwh,
  micros,
  microsPerKwh,
  minEnergy,
  NO_ENERGY,
  NO_MONEY,
  type SlotId,
  subtractEnergy,
  toJson,
  type WattHours,
  wattHours,
} from "#core";
import type { Intent, OpenAuction, Position, Strategy } from "#strategies";
import type { FakeStrategyContext } from "./strategy-context.ts";

type RestingOrder = {
  readonly slotId: SlotId;
  readonly side: "offer" | "order";
  readonly energy: WattHours;
  readonly limit: MicrosPerKwh;
};

/** Runs a strategy in a fake context: carries out its intents and keeps a list of those that break a rule. */
export class StrategyStage<Config, Memory> {
  readonly ctx: FakeStrategyContext<Config, Memory>;
  /** Every rule that an intent broke, with the intent. Such an intent is not carried out. */
  readonly violations: string[] = [];
  readonly #strategy: Strategy<Config, Memory>;
  #resting: RestingOrder[] = [];
  readonly #deposits = new Map<SlotId, Micros>();
  #auctionCount = 0;

  constructor(strategy: Strategy<Config, Memory>, ctx: FakeStrategyContext<Config, Memory>) {
    this.#strategy = strategy;
    this.ctx = ctx;
  }

  forecast(day: LocalDay, slotIds: readonly SlotId[]): readonly Intent[] {
    return this.carryOut(this.#strategy.onForecast?.(this.ctx, { day, slotIds }) ?? []);
  }
  poolsCleared(day: LocalDay, slotIds: readonly SlotId[]): readonly Intent[] {
    return this.carryOut(this.#strategy.onPoolsCleared?.(this.ctx, { day, slotIds }) ?? []);
  }
  gate(slotId: SlotId): readonly Intent[] {
    return this.carryOut(this.#strategy.onGate?.(this.ctx, slotId) ?? []);
  }

  /** Somebody else opens an auction. */
  openAuction(slotId: SlotId, energy: WattHours, basePrice: MicrosPerKwh, deadlineMs: number): readonly Intent[] {
    const auction = this.#addAuction({ slotId, energy, basePrice, deadlineMs, isOwn: false, seller: "another" });
    return this.#auctionEvent("opened", auction);
  }

  /** Somebody else bids more than the member, or than anybody so far. */
  outbid(auctionId: string, rise: bigint): readonly Intent[] {
    const auction = this.#auction(auctionId);
    const standing = auction.highestPrice ?? auction.basePrice;
    const { slotId, energy } = auction;
    if (auction.isHighestBidder) {
      this.#change(slotId, ({ bidding }) => ({ bidding: subtractEnergy(bidding, energy) }));
      this.#pay(micros(-this.#buyersCost(energy, standing)));
    }
    const raised = { ...auction, isHighestBidder: false, highestPrice: microsPerKwh(standing + rise) };
    this.#replaceAuction(raised);
    return this.#auctionEvent("bid", raised);
  }

  /** Ends an auction: the highest bidder, the member or somebody else, gets the energy. */
  endAuction(auctionId: string): readonly Intent[] {
    const auction = this.#auction(auctionId);
    this.ctx.auctions = this.ctx.auctions.filter((open) => open.auctionId !== auctionId);
    const { slotId, energy, isOwn, isHighestBidder, highestPrice } = auction;
    if (isHighestBidder)
      this.#change(slotId, ({ bidding, bought, held }) => ({
        bidding: subtractEnergy(bidding, energy),
        bought: addEnergy(bought, energy),
        held: addEnergy(held, energy),
      }));
    if (isOwn && highestPrice === undefined)
      this.#change(slotId, ({ offered, held }) => ({
        offered: subtractEnergy(offered, energy),
        held: addEnergy(held, energy),
      }));
    if (isOwn && highestPrice !== undefined) this.#sold(slotId, energy, highestPrice);
    const intents = this.#auctionEvent("ended", auction);
    if (isHighestBidder || (isOwn && highestPrice !== undefined))
      this.#tradeEvent(slotId, isOwn ? "sold" : "bought", energy, highestPrice ?? auction.basePrice, "auction");
    return intents;
  }

  /** A pool round at `price`: fills `share` (0…1) of the member's open orders and offers that accept it. */
  poolRound(slotId: SlotId, price: MicrosPerKwh, share: number): void {
    const filled = this.#resting.filter(
      (order) => order.slotId === slotId && (order.side === "offer" ? order.limit <= price : order.limit >= price),
    );
    let volume = NO_ENERGY;
    for (const order of filled) {
      const energy = wattHours(BigInt(Math.floor(Number(order.energy) * share)));
      if (energy === 0n) continue;
      this.#fill(order, energy, price);
      volume = addEnergy(volume, energy);
    }
    this.ctx.results = [
      ...this.ctx.results,
      { slotId, clearedAtMs: this.ctx.nowMs, price: volume === 0n ? null : price, volume },
    ];
  }

  /**
   * The slot is over: open orders end, deposits come back less fee and penalty, what was fed in and drawn is paid for, and the
   * strategy hears of it. Of what is delivered, sold promises come first.
   */
  deliver(slotId: SlotId, injected: WattHours, withdrawn: WattHours = NO_ENERGY): void {
    const { ctx } = this;
    this.#applyCancel(slotId);
    const { promised, held, bought } = ctx.position(slotId);
    const delivered = minEnergy(promised, injected);
    const depositLost = costCeil(energyAbove(promised, delivered), ctx.rules.emergencyPrice);
    const sold = energyAbove(promised, energyAbove(held, bought));
    const fedIn = addEnergy(
      energyAbove(injected, delivered),
      addEnergy(energyAbove(delivered, sold), energyAbove(bought, withdrawn)),
    );
    const tariff = ctx.tariff(slotId);
    if (tariff !== undefined)
      this.#pay(micros(costCeil(energyAbove(withdrawn, bought), tariff.retail) - costFloor(fedIn, tariff.feedIn)));
    this.#pay(micros(depositLost + costCeil(delivered, ctx.rules.gridFee) - (this.#deposits.get(slotId) ?? 0n)));
    this.#deposits.delete(slotId);
    ctx.positions.delete(slotId);
    this.carryOut(this.#strategy.onDelivery?.(ctx, { slotId, promised, delivered, depositLost }) ?? []);
  }

  /** Open orders and offers of the pools. */
  resting(slotId: SlotId): readonly RestingOrder[] {
    return this.#resting.filter((order) => order.slotId === slotId);
  }

  /** Checks and carries out intents, in their order. */
  carryOut(intents: readonly Intent[]): readonly Intent[] {
    for (const intent of intents) {
      const broken = this.#brokenRule(intent);
      if (broken === undefined) this.#apply(intent);
      else this.violations.push(`${broken}: ${toJson(intent)}`);
    }
    return intents;
  }

  /** The rule that an intent breaks, if any. */
  #brokenRule(intent: Intent): string | undefined {
    if (intent.tag === "cancel") return undefined;
    if (intent.tag === "charge-battery") return this.#brokenBatteryRule(intent.energyWh);
    if (intent.tag === "bid") return this.#brokenBidRule(intent.auctionId, intent.price);
    if (intent.energy <= 0n) return "energy is positive";
    if (intent.tag === "promise") return this.#brokenPromiseRule(intent.slotId, intent.energy);
    if (intent.tag === "order") return this.#brokenOrderRule(intent.slotId, intent.energy, intent.limit);
    if (intent.tag === "cover")
      return intent.energy > this.ctx.position(intent.slotId).coverable
        ? "not more is covered than is sold and held of others"
        : undefined;
    if (intent.energy > this.ctx.position(intent.slotId).held) return "not more is offered than is held";
    if (intent.tag === "auction")
      return intent.deadlineMs > this.ctx.nowMs ? undefined : "an auction's deadline is to come";
    const crosses = this.resting(intent.slotId).some(({ side, limit }) => side === "order" && limit >= intent.limit);
    return crosses ? "a member does not trade with itself" : undefined;
  }

  #brokenBatteryRule(energyWh: number): string | undefined {
    const battery = this.ctx.batteryState;
    if (battery === undefined) return "there is a battery";
    if (!Number.isInteger(energyWh)) return "energy is whole";
    return Math.abs(energyWh) <= (battery.powerW * this.ctx.rules.slotMinutes) / 60
      ? undefined
      : "power is within the battery's";
  }

  #brokenPromiseRule(slotId: SlotId, energy: WattHours): string | undefined {
    const { promiseMin, promiseMax, emergencyPrice } = this.ctx.rules;
    if (energy < promiseMin || energy > promiseMax) return "a promise is neither too small nor too large";
    if (this.ctx.position(slotId).promised + energy > this.ctx.member.capacityPerSlot)
      return "promises are within capacity";
    return costCeil(energy, emergencyPrice) > this.ctx.freeFunds ? "the deposit is within the free funds" : undefined;
  }

  #brokenOrderRule(slotId: SlotId, energy: WattHours, limit: MicrosPerKwh): string | undefined {
    if (this.resting(slotId).some((open) => open.side === "offer" && open.limit <= limit))
      return "a member does not trade with itself";
    return this.#brokenBuyRule(slotId, energy, limit);
  }

  #brokenBidRule(auctionId: string, price: MicrosPerKwh): string | undefined {
    const auction = this.ctx.auctions.find((open) => open.auctionId === auctionId);
    if (auction === undefined) return "the auction is open";
    if (auction.isOwn) return "nobody bids for its own lot";
    if (auction.isHighestBidder) return "the highest bidder does not bid again";
    if (price <= (auction.highestPrice ?? auction.basePrice)) return "bids rise";
    return this.#brokenBuyRule(auction.slotId, auction.energy, price);
  }

  #brokenBuyRule(slotId: SlotId, energy: WattHours, price: MicrosPerKwh): string | undefined {
    const tariff = this.ctx.tariff(slotId);
    if (tariff === undefined || price + this.ctx.rules.marketFee > tariff.retail) return "nobody pays more than retail";
    const cap = this.ctx.member.speculatorCapPerSlot;
    const { bought, bidding } = this.ctx.position(slotId);
    if (cap !== undefined && bought + bidding + energy > cap) return "purchases are within the speculator's cap";
    return this.#buyersCost(energy, price) > this.ctx.freeFunds ? "the purchase is within the free funds" : undefined;
  }

  #apply(intent: Intent): void {
    const { ctx } = this;
    switch (intent.tag) {
      case "promise":
        this.#lockDeposit(intent.slotId, costCeil(intent.energy, ctx.rules.emergencyPrice));
        return this.#change(intent.slotId, ({ promised, held }) => ({
          promised: addEnergy(promised, intent.energy),
          held: addEnergy(held, intent.energy),
        }));
      case "offer":
        this.#resting.push({ slotId: intent.slotId, side: "offer", energy: intent.energy, limit: intent.limit });
        return this.#hold(intent.slotId, intent.energy);
      case "order":
        this.#resting.push({ slotId: intent.slotId, side: "order", energy: intent.energy, limit: intent.limit });
        this.#pay(this.#buyersCost(intent.energy, intent.limit));
        return this.#change(intent.slotId, ({ bidding }) => ({ bidding: addEnergy(bidding, intent.energy) }));
      case "auction":
        this.#hold(intent.slotId, intent.energy);
        this.#addAuction({ ...intent, isOwn: true, seller: ctx.member.name });
        return;
      case "bid":
        return this.#applyBid(intent.auctionId, intent.price);
      case "cover":
        return this.#applyCover(intent.slotId, intent.energy);
      case "cancel":
        return this.#applyCancel(intent.slotId);
      case "charge-battery":
        return;
    }
  }

  #lockDeposit(slotId: SlotId, deposit: Micros): void {
    this.#pay(deposit);
    this.#deposits.set(slotId, addMoney(this.#deposits.get(slotId) ?? NO_MONEY, deposit));
  }

  /** Moves energy from held to offered. */
  #hold(slotId: SlotId, energy: WattHours): void {
    this.#change(slotId, ({ held, offered }) => ({
      held: subtractEnergy(held, energy),
      offered: addEnergy(offered, energy),
    }));
  }

  #applyBid(auctionId: string, price: MicrosPerKwh): void {
    const auction = this.#auction(auctionId);
    this.#pay(this.#buyersCost(auction.energy, price));
    this.#change(auction.slotId, ({ bidding }) => ({ bidding: addEnergy(bidding, auction.energy) }));
    this.#replaceAuction({ ...auction, highestPrice: price, isHighestBidder: true });
  }

  #applyCover(slotId: SlotId, energy: WattHours): void {
    const released = costFloor(energy, this.ctx.rules.emergencyPrice);
    this.#pay(micros(-released));
    this.#deposits.set(slotId, micros((this.#deposits.get(slotId) ?? NO_MONEY) - released));
    this.#change(slotId, ({ promised, held, bought, sold }) => ({
      promised: subtractEnergy(promised, energy),
      held: subtractEnergy(held, energy),
      bought: subtractEnergy(bought, energy),
      sold: subtractEnergy(sold, energy),
    }));
  }

  #applyCancel(slotId: SlotId): void {
    for (const { side, energy, limit } of this.resting(slotId)) {
      if (side === "order") {
        this.#pay(micros(-this.#buyersCost(energy, limit)));
        this.#change(slotId, ({ bidding }) => ({ bidding: subtractEnergy(bidding, energy) }));
      } else
        this.#change(slotId, ({ held, offered }) => ({
          held: addEnergy(held, energy),
          offered: subtractEnergy(offered, energy),
        }));
    }
    this.#resting = this.#resting.filter((order) => order.slotId !== slotId);
  }

  #fill(order: RestingOrder, energy: WattHours, price: MicrosPerKwh): void {
    const { slotId, side } = order;
    const left = subtractEnergy(order.energy, energy);
    this.#resting = this.#resting.flatMap((open) =>
      open !== order ? [open] : left === 0n ? [] : [{ ...open, energy: left }],
    );
    if (side === "offer") this.#sold(slotId, energy, price);
    else {
      this.#pay(
        micros(
          this.#buyersCost(energy, price) -
            (this.#buyersCost(order.energy, order.limit) - this.#buyersCost(left, order.limit)),
        ),
      );
      this.#change(slotId, ({ bidding, bought, held }) => ({
        bidding: subtractEnergy(bidding, energy),
        bought: addEnergy(bought, energy),
        held: addEnergy(held, energy),
      }));
    }
    this.#tradeEvent(slotId, side === "offer" ? "sold" : "bought", energy, price, "pool");
  }

  /** Offered energy goes away against money: what others owe first, then own promises. */
  #sold(slotId: SlotId, energy: WattHours, price: MicrosPerKwh): void {
    this.#change(slotId, ({ offered, bought, sold }) => ({
      offered: subtractEnergy(offered, energy),
      bought: energyAbove(bought, energy),
      sold: addEnergy(sold, energyAbove(energy, bought)),
    }));
    this.#pay(micros(-costFloor(energy, price)));
  }

  #tradeEvent(
    slotId: SlotId,
    side: "bought" | "sold",
    energy: WattHours,
    price: MicrosPerKwh,
    via: "pool" | "auction",
  ): void {
    this.carryOut(
      this.#strategy.onTrade?.(this.ctx, { slotId, side, energy, amount: costFloor(energy, price), via }) ?? [],
    );
  }

  #auctionEvent(tag: "opened" | "bid" | "ended", auction: OpenAuction): readonly Intent[] {
    return this.carryOut(this.#strategy.onAuction?.(this.ctx, { tag, auction }) ?? []);
  }

  #addAuction(
    made: Pick<OpenAuction, "slotId" | "energy" | "basePrice" | "deadlineMs" | "isOwn" | "seller">,
  ): OpenAuction {
    this.#auctionCount += 1;
    const { slotId, energy, basePrice, deadlineMs, isOwn, seller } = made;
    const auction = {
      auctionId: `auction-${this.#auctionCount}`,
      slotId,
      energy,
      basePrice,
      deadlineMs,
      isOwn,
      seller,
      highestPrice: undefined,
      isHighestBidder: false,
    };
    this.ctx.auctions = [...this.ctx.auctions, auction];
    return auction;
  }

  #auction(auctionId: string): OpenAuction {
    const found = this.ctx.auctions.find((auction) => auction.auctionId === auctionId);
    invariant(found !== undefined, `auction ${auctionId} is open`);
    return found;
  }

  #replaceAuction(changed: OpenAuction): void {
    this.ctx.auctions = this.ctx.auctions.map((auction) =>
      auction.auctionId === changed.auctionId ? changed : auction,
    );
  }

  #buyersCost(energy: WattHours, price: MicrosPerKwh): Micros {
    return costCeil(energy, microsPerKwh(price + this.ctx.rules.marketFee));
  }

  #pay(amount: Micros): void {
    this.ctx.freeFunds = micros(this.ctx.freeFunds - amount);
  }

  #change(slotId: SlotId, by: (position: Position) => Partial<Position>): void {
    const position = this.ctx.position(slotId);
    const after = { ...position, ...by(position) };
    const coverable = minEnergy(after.sold, minEnergy(after.bought, after.held));
    this.ctx.positions.set(slotId, { ...after, coverable });
  }
}
