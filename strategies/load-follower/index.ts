/** A consumer: orders the critical quantile of its need in the pools and bids for auctioned lots up to what they are worth. */

import { z } from "zod";
import { addEnergy, type MicrosPerKwh, microsPerKwh, slotOf } from "#core";
import { priceFloor } from "../shared/amounts.ts";
import { nextBid } from "../shared/bidding.ts";
import { Desk, type FundsConfig, fundsShape } from "../shared/desk.ts";
import { asGreenBuyer, type GreenConfig, greenShape, isGiven, requiring } from "../shared/green.ts";
import { buyLimit, type NeedConfig, needShape, needWish, unusedPrice } from "../shared/need.ts";
import { worthOfEnergy } from "../shared/newsvendor.ts";
import { expectedPrice, type PriceConfig, priceShape } from "../shared/prices.ts";
import { mirrored } from "../shared/quantiles.ts";
import { outlooksOf, quoteAll, quoteSlot } from "../shared/quotes.ts";
import { defineStrategy, type OpenAuction, type Strategy, type StrategyContext, type Tariff } from "../strategy.ts";

export type LoadFollowerConfig = PriceConfig &
  NeedConfig &
  FundsConfig &
  GreenConfig & {
    /** Raise of a bid above the highest one. */
    readonly bidRiseMicrosPerKwh: number;
    /** How much more than the pool's expected price a lot on auction may cost: it is certain, the pool is not. */
    readonly auctionOverPoolMicrosPerKwh: number;
  };

type Context = StrategyContext<LoadFollowerConfig, LoadFollowerMemory>;

/** Nothing to remember: the position and the pool's results say it all. */
export type LoadFollowerMemory = Record<string, never>;

export const loadFollower: Strategy<LoadFollowerConfig, LoadFollowerMemory> = defineStrategy({
  name: "load-follower",
  description:
    "Orders the quantile of its need at which one more Wh saves what it costs, and bids in auctions up to their worth.",
  config: z.strictObject({
    ...priceShape,
    ...needShape,
    ...fundsShape,
    ...greenShape,
    bidRiseMicrosPerKwh: z.number().int().min(1).default(5_000),
    auctionOverPoolMicrosPerKwh: z.number().int().min(0).default(10_000),
  }),
  warmup: { days: 14 },
  initialMemory: () => ({}),

  onForecast(asked, { day, slotIds }) {
    const ctx = asGreenBuyer(asked);
    const desk = new Desk(ctx, ctx.config);
    quoteAll({ buys: { view: ctx } }, desk, outlooksOf(ctx, slotIds), (slotId) => ctx.tariff(slotId), "day-ahead");
    ctx.log(`${day}: ${desk.intents().length} intents`);
    return requiring(desk.intents(), ctx.config);
  },

  onGate(asked, slotId) {
    const ctx = asGreenBuyer(asked);
    const desk = new Desk(ctx, ctx.config);
    quoteAll({ buys: { view: ctx } }, desk, outlooksOf(ctx, [slotId]), (id) => ctx.tariff(id), "final");
    return requiring(desk.intents(), ctx.config);
  },

  /** A bid takes the place of as much of the pool order; a lot that is lost or too dear gives it back. */
  onAuction(asked, { tag, auction }) {
    const ctx = asGreenBuyer(asked);
    if (auction.isOwn || auction.isHighestBidder || slotOf(auction.slotId).startMs <= ctx.nowMs) return [];
    const [outlook] = outlooksOf(ctx, [auction.slotId]);
    const tariff = ctx.tariff(auction.slotId);
    if (outlook === undefined || tariff === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    if (tag !== "ended" && isGiven(auction.certified, ctx.config.requires))
      bidForNeed(ctx, desk, auction, outlook.surplus, tariff);
    quoteSlot({ buys: { view: ctx } }, desk, outlook, tariff, "day-ahead");
    return requiring(desk.intents(), ctx.config);
  },
});

/** Bids when some need is not covered by what was bought or is being bid for in auctions. */
function bidForNeed(ctx: Context, desk: Desk, auction: OpenAuction, surplus: Float64Array, tariff: Tariff): void {
  const need = mirrored(surplus);
  const { bought, auctionBidding } = desk.book(auction.slotId);
  const covered = addEnergy(bought, auctionBidding);
  if (covered >= needWish(ctx, auction.slotId, need, tariff, "day-ahead").target) return;
  const price = nextBid(
    auction,
    mostToBid(ctx, auction, need, Number(covered), tariff),
    microsPerKwh(ctx.config.bidRiseMicrosPerKwh),
  );
  if (price !== undefined) desk.bid(auction, price);
}

/** What the lot is worth per kWh, but not more than the limit of a pool order, nor than the pool's price by too much. */
function mostToBid(
  ctx: Context,
  { slotId, energy }: OpenAuction,
  need: Float64Array,
  coveredWh: number,
  tariff: Tariff,
): MicrosPerKwh {
  const { rules, config } = ctx;
  const worth = worthOfEnergy(need, coveredWh, Number(energy), unusedPrice(rules, tariff), Number(tariff.retail));
  const perKwh = (worth * 1_000) / Number(energy) - Number(rules.marketFee);
  const pool = expectedPrice(ctx, slotId, tariff, config) + config.auctionOverPoolMicrosPerKwh;
  return priceFloor(Math.min(perKwh, pool, Number(buyLimit(ctx, tariff))));
}
