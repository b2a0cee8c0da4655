/** A plant without a load: promises the critical quantile of its production, auctions its largest slots, pools the rest. */

import { z } from "zod";
import { type SlotId, slotOf, splitEvenly, wattHours } from "#core";
import { type CoverConfig, coverShape } from "../shared/covers.ts";
import { Desk, type FundsConfig, fundsShape } from "../shared/desk.ts";
import { type PriceConfig, priceShape } from "../shared/prices.ts";
import {
  coverAfterRound,
  outlooksOf,
  promiseAll,
  quoteAll,
  quoteSlot,
  type Sides,
  type SlotOutlook,
} from "../shared/quotes.ts";
import {
  forgetDay,
  isGateRemembered,
  newSaleMemory,
  rememberDelivery,
  rememberTrade,
  type SaleMemory,
} from "../shared/sales.ts";
import { offerLimit, type SupplyConfig, supplyShape } from "../shared/supply.ts";
import { defineStrategy, type Strategy, type StrategyContext } from "../strategy.ts";

export type ProducerConfig = PriceConfig &
  SupplyConfig &
  CoverConfig &
  FundsConfig & {
    /** How many slots of a day go on auction: those with the most energy to sell. */
    readonly auctionSlotsPerDay: number;
    readonly auctionLotsPerSlot: number;
    readonly auctionMinutes: number;
  };

type Context = StrategyContext<ProducerConfig, SaleMemory>;

const MS_PER_MINUTE = 60_000;

export const producer: Strategy<ProducerConfig, SaleMemory> = defineStrategy({
  name: "producer",
  description:
    "Promises the critical quantile of its production, auctions its largest slots and offers the rest in the pools.",
  config: z.strictObject({
    ...priceShape,
    ...supplyShape,
    ...coverShape,
    ...fundsShape,
    auctionSlotsPerDay: z.number().int().min(0).max(100).default(1),
    auctionLotsPerSlot: z.number().int().min(1).max(100).default(1),
    auctionMinutes: z.number().int().min(1).max(1_440).default(30),
  }),
  warmup: { days: 14 },
  initialMemory: newSaleMemory,

  onForecast(ctx, { day, slotIds }) {
    forgetDay(ctx.memory, ctx.nowMs, ctx.config);
    const desk = new Desk(ctx, ctx.config);
    const outlooks = outlooksOf(ctx, slotIds);
    promiseAll(sellingSide(ctx), desk, outlooks, "day-ahead");
    const auctioned = largestSlots(ctx, desk, outlooks);
    for (const outlook of outlooks) {
      const isAuctioned = auctioned.has(outlook.slotId) && openAuctions(ctx, desk, outlook.slotId);
      if (!isAuctioned) offerInPool(ctx, desk, outlook, "day-ahead");
    }
    ctx.log(`${day}: ${outlooks.length} slots with a forecast, ${auctioned.size} of them for auction`);
    return desk.intents();
  },

  onGate(ctx, slotId) {
    const desk = new Desk(ctx, ctx.config);
    quoteAll(sellingSide(ctx), desk, outlooksOf(ctx, [slotId]), (id) => ctx.tariff(id), "final");
    return desk.intents();
  },

  /** What an auction did not sell goes to the pool. */
  onAuction(ctx, { tag, auction }) {
    const isUnsold = tag === "ended" && auction.isOwn && auction.highestPrice === undefined;
    if (!isUnsold || slotOf(auction.slotId).startMs <= ctx.nowMs) return [];
    const desk = new Desk(ctx, ctx.config);
    for (const outlook of outlooksOf(ctx, [auction.slotId])) offerInPool(ctx, desk, outlook, "day-ahead");
    return desk.intents();
  },

  onTrade(ctx, trade) {
    rememberTrade(ctx.memory, trade);
    if (trade.side !== "bought" || !isGateRemembered(ctx.memory, trade.slotId)) return [];
    const desk = new Desk(ctx, ctx.config);
    coverAfterRound(sellingSide(ctx), desk, outlooksOf(ctx, [trade.slotId]), (id) => ctx.tariff(id));
    return desk.intents();
  },

  onDelivery(ctx, record) {
    rememberDelivery(ctx.memory, record, ctx.rules.timeZone);
    return [];
  },
});

function sellingSide(ctx: Context): Sides {
  return { sells: { view: ctx, sales: ctx.memory }, covers: { view: ctx } };
}

function offerInPool(ctx: Context, desk: Desk, outlook: SlotOutlook, round: "day-ahead" | "final"): void {
  const tariff = ctx.tariff(outlook.slotId);
  if (tariff !== undefined) quoteSlot(sellingSide(ctx), desk, outlook, tariff, round);
}

/** The slots with the most free energy that no auction or open offer holds; ties go to the earlier slot. */
function largestSlots(ctx: Context, desk: Desk, outlooks: readonly SlotOutlook[]): ReadonlySet<SlotId> {
  const running = new Set(
    ctx
      .openAuctions()
      .filter(({ isOwn }) => isOwn)
      .map(({ slotId }) => slotId),
  );
  const count = Math.max(
    0,
    ctx.config.auctionSlotsPerDay - outlooks.filter(({ slotId }) => running.has(slotId)).length,
  );
  const candidates = outlooks
    .map(({ slotId }) => ({ slotId, heldWh: Number(desk.book(slotId).held) }))
    .filter(({ slotId, heldWh }) => heldWh > 0 && !running.has(slotId) && slotOf(slotId).startMs > deadlineMs(ctx))
    .sort((left, right) => right.heldWh - left.heldWh || (left.slotId < right.slotId ? -1 : 1));
  return new Set(candidates.slice(0, count).map(({ slotId }) => slotId));
}

/** Puts all that is held for the slot on auction, in equal lots. @returns false when there is nothing to put there. */
function openAuctions(ctx: Context, desk: Desk, slotId: SlotId): boolean {
  const tariff = ctx.tariff(slotId);
  if (tariff === undefined) return false;
  const lots = splitEvenly(desk.book(slotId).held, ctx.config.auctionLotsPerSlot);
  const opened = lots.map((energy) =>
    desk.auction(slotId, wattHours(energy), offerLimit(ctx, tariff), deadlineMs(ctx)),
  );
  return opened.every((energy) => energy > 0n);
}

function deadlineMs(ctx: Context): number {
  return ctx.nowMs + ctx.config.auctionMinutes * MS_PER_MINUTE;
}
