/** A home with a battery: moves energy from cheap hours to dear ones, for its own use first, and promises what it can deliver. */
import { type SlotId, slotOf } from "#core";
import { decideSlot } from "../shared/battery-gate.ts";
import { type BatteryModel, chargeOf } from "../shared/battery-plan.ts";
import { Desk } from "../shared/desk.ts";
import { outlooksOf, quoteAll, type Sides, type SlotOutlook } from "../shared/quotes.ts";
import { forgetDay, newSaleMemory, rememberDelivery, rememberTrade } from "../shared/sales.ts";
import { defineStrategy, type Strategy } from "../strategy.ts";
import { forgetPlans, modelOf, planDay, planSlotOf, predictedStored, storingLot, valueAfter } from "./day-plan.ts";
import {
  type StorageArbitrageConfig,
  type StorageArbitrageMemory,
  type StorageContext,
  storageArbitrageConfig,
} from "./settings.ts";

export type { StorageArbitrageConfig, StorageArbitrageMemory } from "./settings.ts";

export const storageArbitrage: Strategy<StorageArbitrageConfig, StorageArbitrageMemory> = defineStrategy({
  name: "storage-arbitrage",
  description:
    "Plans its battery against expected prices: own use first, then promises that the battery can surely keep.",
  config: storageArbitrageConfig,
  warmup: { days: 14 },
  initialMemory: () => ({ sales: newSaleMemory(), plans: {} }),

  onForecast(ctx, { day, slotIds }) {
    forgetDay(ctx.memory.sales, ctx.nowMs, ctx.config);
    forgetPlans(ctx);
    const desk = new Desk(ctx, ctx.config);
    const model = modelOf(ctx);
    const outlooks = model === undefined ? outlooksOf(ctx, slotIds) : followPlan(ctx, model, desk, slotIds);
    quoteAll(bothSides(ctx), desk, outlooks, (slotId) => ctx.tariff(slotId), "day-ahead");
    ctx.log(`${day}: ${outlooks.length} slots planned, ${desk.intents().length} intents`);
    return desk.intents();
  },

  /** Now it is known what was sold and bought: the plan is made again around it. */
  onPoolsCleared(ctx, { slotIds }) {
    const model = modelOf(ctx);
    if (model === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    followPlan(ctx, model, desk, slotIds);
    return desk.intents();
  },

  onGate(ctx, slotId) {
    const [outlook] = outlooksOf(ctx, [slotId]);
    if (outlook === undefined) return [];
    const desk = new Desk(ctx, ctx.config);
    const model = modelOf(ctx);
    const decided = model === undefined ? outlook : decideGate(ctx, model, desk, outlook);
    quoteAll(bothSides(ctx), desk, [decided], (id) => ctx.tariff(id), "final");
    return desk.intents();
  },

  onTrade(ctx, trade) {
    rememberTrade(ctx.memory.sales, trade);
    return [];
  },

  onDelivery(ctx, record) {
    rememberDelivery(ctx.memory.sales, record, ctx.rules.timeZone);
    return [];
  },
});

function bothSides(ctx: StorageContext): Sides {
  return { sells: { view: ctx, sales: ctx.memory.sales }, buys: { view: ctx } };
}

/** Plans the slots, remembers the plan and hands over what changed. @returns what is left for the market. */
function followPlan(
  ctx: StorageContext,
  model: BatteryModel,
  desk: Desk,
  slotIds: readonly SlotId[],
): readonly SlotOutlook[] {
  return planDay(ctx, model, desk, slotIds).map(({ plan, outlook }) => {
    const before = ctx.memory.plans[outlook.slotId];
    const isChanged = before === undefined || !before.isFixed || before.chargeWh !== plan.chargeWh;
    if (plan.isFixed && isChanged) desk.chargeBattery(outlook.slotId, plan.chargeWh);
    ctx.memory.plans[outlook.slotId] = plan;
    return outlook;
  });
}

/** The coming slot alone, with the newest forecast and what is in the battery; the plan tells what the rest of the day is worth. */
function decideGate(
  ctx: StorageContext,
  model: BatteryModel,
  desk: Desk,
  { slotId, surplus }: SlotOutlook,
): SlotOutlook {
  const slot = planSlotOf(ctx, slotId, surplus, desk.book(slotId), "final");
  if (slot === undefined) return { slotId, surplus };
  const before = ctx.memory.plans[slotId];
  const stored = predictedStored(ctx, model, slotOf(slotId).startMs);
  const worth = valueAfter(model, before, slot.buyPrice);
  const { isFixed, chargeWh, net } = decideSlot(model, slot, surplus, stored, worth, before?.isFixed !== true);
  if (isFixed) desk.chargeBattery(slotId, chargeWh);
  ctx.memory.plans[slotId] = { chargeWh, isFixed, startWh: Math.round(stored), values: [] };
  const storing = storingLot(ctx, model, chargeWh, slot.surplusWh, stored + chargeOf(model, chargeWh), worth);
  return { slotId, surplus: net, ...(storing.energy > 0n ? { storing } : {}) };
}
