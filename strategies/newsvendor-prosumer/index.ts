/** A home with panels: promises the critical quantile of its surplus, orders the critical quantile of its need. */
import { z } from "zod";
import { type CoverConfig, coverShape } from "../shared/covers.ts";
import { Desk, type FundsConfig, fundsShape } from "../shared/desk.ts";
import { type NeedConfig, needShape } from "../shared/need.ts";
import { type PriceConfig, priceShape } from "../shared/prices.ts";
import { coverAfterRound, outlooksOf, quoteAll, type Sides } from "../shared/quotes.ts";
import {
  forgetDay,
  isGateRemembered,
  newSaleMemory,
  rememberDelivery,
  rememberTrade,
  type SaleMemory,
} from "../shared/sales.ts";
import { type SupplyConfig, supplyShape } from "../shared/supply.ts";
import { defineStrategy, type Strategy, type StrategyContext } from "../strategy.ts";

export type NewsvendorProsumerConfig = PriceConfig & SupplyConfig & NeedConfig & CoverConfig & FundsConfig;

type Context = StrategyContext<NewsvendorProsumerConfig, SaleMemory>;

export const newsvendorProsumer: Strategy<NewsvendorProsumerConfig, SaleMemory> = defineStrategy({
  name: "newsvendor-prosumer",
  description: "Promises the quantile of its surplus at which one more Wh gains what it risks, and orders its need.",
  config: z.strictObject({ ...priceShape, ...supplyShape, ...needShape, ...coverShape, ...fundsShape }),
  warmup: { days: 14 },
  initialMemory: newSaleMemory,

  onForecast(ctx, { day, slotIds }) {
    forgetDay(ctx.memory, ctx.nowMs, ctx.config);
    const desk = new Desk(ctx, ctx.config);
    const outlooks = outlooksOf(ctx, slotIds);
    quoteAll(bothSides(ctx), desk, outlooks, (slotId) => ctx.tariff(slotId), "day-ahead");
    ctx.log(`${day}: ${outlooks.length} slots with a forecast, ${desk.intents().length} intents`);
    return desk.intents();
  },

  onGate(ctx, slotId) {
    const desk = new Desk(ctx, ctx.config);
    quoteAll(bothSides(ctx), desk, outlooksOf(ctx, [slotId]), (id) => ctx.tariff(id), "final");
    // It does not plan a battery; but one left to itself would take up the surplus that is promised.
    if (ctx.battery() !== undefined && desk.book(slotId).promised > 0n) desk.chargeBattery(slotId, 0);
    return desk.intents();
  },

  onTrade(ctx, trade) {
    rememberTrade(ctx.memory, trade);
    if (trade.side !== "bought" || !isGateRemembered(ctx.memory, trade.slotId)) return [];
    const desk = new Desk(ctx, ctx.config);
    coverAfterRound(bothSides(ctx), desk, outlooksOf(ctx, [trade.slotId]), (id) => ctx.tariff(id));
    return desk.intents();
  },

  onDelivery(ctx, record) {
    rememberDelivery(ctx.memory, record, ctx.rules.timeZone);
    return [];
  },
});

function bothSides(ctx: Context): Sides {
  return { sells: { view: ctx, sales: ctx.memory }, buys: { view: ctx }, covers: { view: ctx } };
}
