/** Buys where the day-ahead round or an auction is cheaper than the final round is expected to be, and sells all at the gate. */

import { z } from "zod";
import { type MicrosPerKwh, microsPerKwh, minEnergy, type SlotId, slotOf, type WattHours } from "#core";
import { priceFloor, wholeWattHours } from "../shared/amounts.ts";
import { nextBid } from "../shared/bidding.ts";
import { Desk, type FundsConfig, fundsShape } from "../shared/desk.ts";
import { unusedPrice } from "../shared/need.ts";
import { recentRounds } from "../shared/prices.ts";
import { expectedResale, spreadNotes } from "../shared/spread.ts";
import { defineStrategy, type Strategy, type StrategyContext, type Tariff } from "../strategy.ts";

export type SpeculatorConfig = FundsConfig & {
  readonly priceHistoryDays: number;
  /** Slots of the hour with both rounds that must have been seen before it trades. */
  readonly observationsMin: number;
  /** Expected gain per kWh, fee paid, below which it does not buy. */
  readonly marginMicrosPerKwh: number;
  /** Most that it buys of a slot, as a share of what the final round usually trades: more would move the price against it. */
  readonly volumeSharePercent: number;
  /** Bought per slot while there are too few observations; 0 stays out. */
  readonly explorationWh: number;
  /** Limit of such a purchase between feed-in (0) and retail (100). */
  readonly explorationLimitPercent: number;
  readonly bidRiseMicrosPerKwh: number;
};

/** Nothing to remember: what it learns from is in the pool's results. */
export type SpeculatorMemory = Record<string, never>;

type Context = StrategyContext<SpeculatorConfig, SpeculatorMemory>;
/** How much it would buy for a slot in all, and the most that it would pay per kWh, fee not counted. */
type Appetite = { readonly energy: WattHours; readonly limit: MicrosPerKwh };

export const speculator: Strategy<SpeculatorConfig, SpeculatorMemory> = defineStrategy({
  name: "speculator",
  description:
    "Buys day-ahead what the final round has paid more for in the past, within its cap, and sells all of it at the gate.",
  config: z.strictObject({
    ...fundsShape,
    priceHistoryDays: z.number().int().min(1).max(400).default(14),
    observationsMin: z.number().int().min(1).default(8),
    marginMicrosPerKwh: z.number().int().min(0).default(10_000),
    volumeSharePercent: z.number().positive().max(100).default(50),
    explorationWh: z.number().int().min(0).default(0),
    explorationLimitPercent: z.number().min(0).max(100).default(20),
    bidRiseMicrosPerKwh: z.number().int().min(1).default(5_000),
  }),
  warmup: { days: 14 },
  initialMemory: () => ({}),

  onForecast(ctx, { day, slotIds }) {
    const desk = new Desk(ctx, ctx.config);
    for (const slotId of slotIds) {
      const appetite = appetiteFor(ctx, slotId);
      if (appetite === undefined) continue;
      const { bought, auctionBidding } = desk.book(slotId);
      const energy = wholeWattHours(Number(appetite.energy - bought - auctionBidding));
      desk.quote(slotId, { orders: [{ energy, limit: appetite.limit }] });
    }
    ctx.log(`${day}: ${desk.intents().length} intents`);
    return desk.intents();
  },

  /** After the round nothing more is bought: an order left open would meet the final round that it wants to sell in. */
  onPoolsCleared(ctx, { slotIds }) {
    const desk = new Desk(ctx, ctx.config);
    for (const slotId of slotIds) if (desk.book(slotId).poolBidding > 0n) desk.cancel(slotId);
    return desk.intents();
  },

  /** Unused energy earns feed-in less the surplus cost, so it sells at anything from there; it pays nobody to take it. */
  onGate(ctx, slotId) {
    const tariff = ctx.tariff(slotId);
    if (tariff === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    desk.quote(slotId, {
      offers: [{ energy: desk.book(slotId).bought, limit: leastSale(ctx, tariff) }],
      reprice: true,
    });
    return desk.intents();
  },

  onAuction(ctx, { tag, auction }) {
    if (tag === "ended" || auction.isOwn || auction.isHighestBidder || slotOf(auction.slotId).startMs <= ctx.nowMs)
      return [];
    const appetite = appetiteFor(ctx, auction.slotId);
    if (appetite === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    const { bought, poolBidding, auctionBidding } = desk.book(auction.slotId);
    if (bought + poolBidding + auctionBidding + auction.energy > appetite.energy) return [];
    const price = nextBid(auction, appetite.limit, microsPerKwh(ctx.config.bidRiseMicrosPerKwh));
    if (price !== undefined) desk.bid(auction, price);
    return desk.intents();
  },
});

/** Undefined when the hour is not worth a trade, or not known well enough and exploration is off. */
function appetiteFor(ctx: Context, slotId: SlotId): Appetite | undefined {
  const { config, rules, member } = ctx;
  const tariff = ctx.tariff(slotId);
  const cap = member.speculatorCapPerSlot;
  if (tariff === undefined || cap === undefined) return undefined;
  const notes = spreadNotes(recentRounds(ctx, slotId, config.priceHistoryDays));
  if (notes === undefined || notes.observations < config.observationsMin) return exploration(ctx, tariff, cap);
  const limit = priceFloor(
    expectedResale(notes, unusedPrice(rules, tariff)) - Number(rules.marketFee) - config.marginMicrosPerKwh,
  );
  if (Number(limit) < notes.dayAheadPrice) return undefined; // A lower day-ahead price than usual foretells a lower final one.
  const share = wholeWattHours((notes.finalVolumeWh * config.volumeSharePercent) / 100);
  return { energy: minEnergy(cap, share), limit };
}

function leastSale({ rules }: Context, tariff: Tariff): MicrosPerKwh {
  const unused = microsPerKwh(tariff.feedIn - rules.surplusPrice);
  return rules.surplusPrice === 0n || unused >= 0n ? unused : microsPerKwh(0n);
}

function exploration({ config, rules }: Context, tariff: Tariff, cap: WattHours): Appetite | undefined {
  const [unused, retail] = [unusedPrice(rules, tariff), Number(tariff.retail)];
  if (config.explorationWh === 0 || retail <= unused) return undefined;
  const limit = priceFloor(unused + ((retail - unused) * config.explorationLimitPercent) / 100);
  return { energy: minEnergy(cap, wholeWattHours(config.explorationWh)), limit };
}
